#include "store/seal.h"

#include <string.h>

#include "base/context.h"

static void add_bytes(orr_hash *h, const void *bytes, int64_t n) {
    char head[24];
    const int length = snprintf(head, sizeof head, "%lld:", (long long)n);
    orr_hash_add(h, head, (size_t)length);
    orr_hash_add(h, bytes, (size_t)n);
    orr_hash_add(h, ",", 1);
}

/* Any number of items, each a text or a whole number. */
static orr_status add_row(void *user, const orr_sql_value *column, int n) {
    for (int i = 0; i < n; i++) {
        char digits[24];
        if (column[i].kind == 'i') {
            const int length = snprintf(digits, sizeof digits, "%lld", (long long)column[i].integer);
            add_bytes(user, digits, length);
        } else {
            add_bytes(user, column[i].n ? column[i].bytes : "", column[i].n);
        }
    }
    return ORR_OK;
}

static orr_status add_all(orr_context *ctx, orr_sql *sql, orr_hash *h, int64_t id, const char *sealed_at) {
    const orr_sql_value key[] = { orr_sql_int(id), orr_sql_text(sealed_at) };
    ORR_TRY(ctx, orr_sql_run(sql,
                             "SELECT coalesce((SELECT seal FROM (SELECT id, seal FROM experiments UNION ALL "
                             "SELECT experiment_id, seal FROM deletions) WHERE id < ?1 AND seal IS NOT NULL "
                             "ORDER BY id DESC LIMIT 1), '')",
                             key, 1, add_row, h));
    ORR_TRY(ctx,
            orr_sql_run(sql, "SELECT name, size, text, version, machine, opened_at, ?2 FROM experiments WHERE id = ?1",
                        key, 2, add_row, h));
    ORR_TRY(ctx, orr_sql_run(sql, "SELECT count(*) FROM runs WHERE experiment_id = ?1", key, 1, add_row, h));
    ORR_TRY(ctx, orr_sql_run(sql, "SELECT name, seed, settings FROM runs WHERE experiment_id = ?1 ORDER BY id", key, 1,
                             add_row, h));
    ORR_TRY(ctx, orr_sql_run(sql, "SELECT count(*) FROM predictions WHERE experiment_id = ?1", key, 1, add_row, h));
    ORR_TRY(ctx, orr_sql_run(sql, "SELECT law, sha256, sealed_at FROM predictions WHERE experiment_id = ?1 ORDER BY id",
                             key, 1, add_row, h));
    return ORR_OK;
}

orr_status orr_store_seal_of(orr_context *ctx, orr_sql *sql, int64_t id, const char *sealed_at,
                             char out[ORR_SHA256_SIZE]) {
    orr_hash *h = orr_hash_begin(ctx);
    const orr_status status = add_all(ctx, sql, h, id, sealed_at);
    const orr_status ended = orr_hash_end(ctx, h, out); /* also after a failure: it frees */
    return status == ORR_OK ? ended : status;
}
