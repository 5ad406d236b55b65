#include "store/reopen.h"

#include "base/context.h"
#include "store/store_private.h"

typedef struct reader {
    orr_context *ctx;
    orr_arena *arena;
    orr_stored_experiment *out;
    int64_t *id;
    const char **text;
    bool *flag;
    int64_t n;
} reader;

static orr_status count(void *user, const orr_sql_value *column, int n) {
    (void)n;
    *(int64_t *)user = column[0].integer;
    return ORR_OK;
}

static orr_status copy_text(reader *r, const orr_sql_value *value, const char **out) {
    *out = orr_arena_format(r->arena, "%.*s", (int)value->n, value->n ? (const char *)value->bytes : "");
    return *out ? ORR_OK : orr_fail(r->ctx, ORR_ENOMEM, "no memory for an experiment of the store");
}

static orr_status take_experiment(void *user, const orr_sql_value *column, int n) {
    reader *r = user;
    (void)n;
    r->n = 1;
    ORR_TRY(r->ctx, copy_text(r, &column[0], &r->out->name));
    ORR_TRY(r->ctx, copy_text(r, &column[1], &r->out->size));
    return copy_text(r, &column[2], &r->out->text);
}

static orr_status take_run(void *user, const orr_sql_value *column, int n) {
    reader *r = user;
    (void)n;
    r->id[r->n] = column[0].integer;
    r->flag[r->n] = column[1].integer != 0;
    return copy_text(r, &column[2], &r->text[r->n++]);
}

static orr_status take_law(void *user, const orr_sql_value *column, int n) {
    reader *r = user;
    (void)n;
    return copy_text(r, &column[0], &r->text[r->n++]);
}

static orr_status take_id(void *user, const orr_sql_value *column, int n) {
    reader *r = user;
    (void)n;
    r->id[r->n++] = column[0].integer;
    return ORR_OK;
}

static orr_status read_runs(orr_store *store, reader *r) {
    const orr_sql_value key = orr_sql_int(r->out->id);
    int64_t n = 0;
    ORR_TRY(r->ctx, orr_sql_run(orr_store_sql(store), "SELECT count(*) FROM runs WHERE experiment_id = ?1 ", &key, 1,
                                count, &n));
    r->id = ORR_NEW(r->arena, int64_t, n);
    r->flag = ORR_NEW(r->arena, bool, n);
    r->text = ORR_NEW(r->arena, const char *, n);
    r->n = 0;
    if (!r->id || !r->flag || !r->text) return orr_fail(r->ctx, ORR_ENOMEM, "no memory for %lld runs", (long long)n);
    ORR_TRY(r->ctx, orr_sql_run(orr_store_sql(store),
                                "SELECT id, state IN ('finished', 'diverged'), settings FROM runs "
                                "WHERE experiment_id = ?1 ORDER BY id",
                                &key, 1, take_run, r));
    r->out->n_runs = r->n;
    r->out->run = r->id;
    r->out->finished = r->flag;
    r->out->settings = r->text;
    return ORR_OK;
}

static orr_status read_laws(orr_store *store, reader *r) {
    const orr_sql_value key = orr_sql_int(r->out->id);
    int64_t n = 0;
    ORR_TRY(r->ctx, orr_sql_run(orr_store_sql(store), "SELECT count(*) FROM predictions WHERE experiment_id = ?1 ",
                                &key, 1, count, &n));
    ORR_TRY(r->ctx, orr_sql_run(orr_store_sql(store), "SELECT count(*) FROM verdicts WHERE experiment_id = ?1", &key, 1,
                                count, &r->out->n_verdicts));
    r->text = ORR_NEW(r->arena, const char *, n);
    r->n = 0;
    if (!r->text) return orr_fail(r->ctx, ORR_ENOMEM, "no memory for %lld predictions", (long long)n);
    ORR_TRY(r->ctx,
            orr_sql_run(orr_store_sql(store), "SELECT law FROM predictions WHERE experiment_id = ?1 ORDER BY id", &key,
                        1, take_law, r));
    r->out->law = r->text;
    r->out->n_laws = r->n;
    return ORR_OK;
}

orr_status orr_store_reopen(orr_store *store, orr_arena *out_arena, int64_t experiment, orr_stored_experiment *out) {
    const orr_sql_value key = orr_sql_int(experiment);
    reader r = { .ctx = orr_store_context(store), .arena = out_arena, .out = out };
    *out = (orr_stored_experiment){ .id = experiment };
    ORR_TRY(orr_store_context(store),
            orr_sql_run(orr_store_sql(store), "SELECT name, size, text FROM experiments WHERE id = ?1", &key, 1,
                        take_experiment, &r));
    if (r.n == 0)
        return orr_fail(orr_store_context(store), ORR_EINPUT, "store %s: there is no experiment %lld",
                        orr_store_path(store), (long long)experiment);
    ORR_TRY(orr_store_context(store), read_runs(store, &r));
    return read_laws(store, &r);
}

orr_status orr_store_unfinished(orr_store *store, orr_arena *out_arena, const int64_t **experiments, int64_t *n) {
    reader r = { .ctx = orr_store_context(store), .arena = out_arena };
    int64_t all = 0;
    ORR_TRY(orr_store_context(store),
            orr_sql_run(orr_store_sql(store), "SELECT count(*) FROM experiments ", NULL, 0, count, &all));
    r.id = ORR_NEW(out_arena, int64_t, all);
    if (!r.id) return orr_fail(orr_store_context(store), ORR_ENOMEM, "no memory for %lld experiments", (long long)all);
    ORR_TRY(orr_store_context(store),
            orr_sql_run(orr_store_sql(store),
                        "SELECT DISTINCT experiment_id FROM runs WHERE state NOT IN ('finished', "
                        "'diverged') ORDER BY experiment_id",
                        NULL, 0, take_id, &r));
    *experiments = r.id;
    *n = r.n;
    return ORR_OK;
}

orr_status orr_store_experiment_of(orr_store *store, int64_t run, int64_t *experiment) {
    const orr_sql_value key = orr_sql_int(run);
    *experiment = 0;
    ORR_TRY(orr_store_context(store), orr_sql_run(orr_store_sql(store), "SELECT experiment_id FROM runs WHERE id = ?1 ",
                                                  &key, 1, count, experiment));
    if (*experiment == 0)
        return orr_fail(orr_store_context(store), ORR_EINPUT,
                        "store %s: there is no run %lld; `orrery runs` lists them", orr_store_path(store),
                        (long long)run);
    return ORR_OK;
}
