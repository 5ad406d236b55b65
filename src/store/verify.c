/* Deriving again what was sealed. */
#include <string.h>

#include "base/context.h"
#include "store/query.h"
#include "store/seal.h"
#include "store/store_private.h"

typedef struct verifier {
    orr_store *store;
    orr_context *ctx;
    orr_arena *arena;
    orr_verification *out;
    int64_t room;
} verifier;

static orr_status find(verifier *v, int64_t experiment, const char *words) {
    orr_verification *out = v->out;
    if (out->n == v->room) {
        v->room = v->room ? 2 * v->room : 16;
        orr_finding *more = ORR_NEW(v->arena, orr_finding, v->room);
        if (!more) words = NULL;
        else if (out->n) memcpy(more, out->finding, (size_t)out->n * sizeof *more);
        out->finding = more;
    }
    if (!words) return orr_fail(v->ctx, ORR_ENOMEM, "no memory for what differs");
    out->finding[out->n++] = (orr_finding){ experiment, words };
    return ORR_OK;
}

static orr_status verify_predictions(verifier *v, int64_t id) {
    orr_prediction_row *rows;
    int64_t n;
    ORR_TRY(v->ctx, orr_query_predictions(v->store, v->arena, id, &rows, &n));
    for (int64_t i = 0; i < n; i++) {
        char hash[ORR_SHA256_SIZE];
        ORR_TRY(v->ctx, orr_sha256(v->ctx, rows[i].text, strlen(rows[i].text), hash));
        v->out->predictions++;
        if (strcmp(hash, rows[i].sha256) != 0)
            ORR_TRY(v->ctx, find(v, id,
                                 orr_arena_format(v->arena,
                                                  "the prediction of %s was changed: its text has sha256 %s, "
                                                  "sealed was %s",
                                                  rows[i].law, hash, rows[i].sha256)));
    }
    return ORR_OK;
}

static orr_status verify_experiment(verifier *v, int64_t id) {
    orr_experiment_row e;
    char seal[ORR_SHA256_SIZE];
    ORR_TRY(v->ctx, orr_query_experiment(v->store, v->arena, id, &e));
    v->out->experiments++;
    ORR_TRY(v->ctx, verify_predictions(v, id));
    if (!e.sealed_at || !e.seal) return find(v, id, "it was never sealed");
    ORR_TRY(v->ctx, orr_store_seal_of(v->ctx, orr_store_sql(v->store), id, e.sealed_at, seal));
    if (strcmp(seal, e.seal) == 0) return ORR_OK;
    return find(v, id,
                orr_arena_format(v->arena,
                                 "the experiment, its runs, a prediction's hash or the seal before it was "
                                 "changed: the seal is %s, derived again it is %s",
                                 e.seal, seal));
}

static orr_status take_damage(void *user, const orr_sql_value *column, int n) {
    verifier *v = user;
    (void)n;
    if (column[0].kind != 't' || strcmp(column[0].bytes, "ok") == 0) return ORR_OK;
    return find(v, 0, orr_arena_format(v->arena, "the file is damaged: %s", (const char *)column[0].bytes));
}

orr_status orr_store_verify(orr_store *store, orr_arena *out_arena, int64_t experiment, orr_verification *out) {
    verifier v = { store, orr_store_context(store), out_arena, out, 0 };
    orr_sql *sql = orr_store_sql(store);
    *out = (orr_verification){ 0 };
    if (experiment) return verify_experiment(&v, experiment);
    ORR_TRY(v.ctx, orr_sql_run(sql, "PRAGMA integrity_check(10)", NULL, 0, take_damage, &v));
    for (int64_t id = 0, next = 0;; id = next) {
        next = 0;
        ORR_TRY(v.ctx, orr_sql_run(sql, "SELECT min(id) FROM experiments WHERE id > ?1",
                                   (const orr_sql_value[]){ orr_sql_int(id) }, 1, orr_store_take_int, &next));
        if (next == 0) return ORR_OK;
        ORR_TRY(v.ctx, verify_experiment(&v, next));
    }
}
