#define _POSIX_C_SOURCE 200809L /* stat, access */
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/context.h"
#include "base/file/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "store/schema.h"
#include "store/seal.h"
#include "store/store_private.h"

/* "Orry" in the file's header tells our stores from other programs' databases. */
enum { APPLICATION_ID = 0x4f727279 };

/* Records are held until they are this many or this old. */
enum { PENDING_MAX = 8192, NAME_MAX_BYTES = 64 };
/* SQLite's own limit for a value, less some room for the rest of the row. */
enum { CHECKPOINT_MAX = 1000000000 - 4096 };
static const double pending_seconds = 0.5;

typedef struct pending {
    int64_t run, step;
    double value;
    char name[NAME_MAX_BYTES];
} pending;

struct orr_store {
    orr_context *ctx;
    orr_sql *sql;
    int64_t n_pending;
    double last_commit; /* orr_now */
    pending pending[PENDING_MAX];
};

/* ---- open ----------------------------------------------------------------------------------------------------------
 */

orr_status orr_store_take_int(void *user, const orr_sql_value *column, int n) {
    (void)n;
    *(int64_t *)user = column[0].integer;
    return ORR_OK;
}

static orr_status take_time(void *user, const orr_sql_value *column, int n) {
    (void)n;
    (void)snprintf(user, ORR_TIMESTAMP_SIZE, "%s", column[0].kind == 't' ? (const char *)column[0].bytes : "");
    return ORR_OK;
}

typedef struct header {
    int64_t application, version, tables;
} header;

static orr_status take_header(void *user, const orr_sql_value *column, int n) {
    (void)n;
    *(header *)user = (header){ column[0].integer, column[1].integer, column[2].integer };
    return ORR_OK;
}

/* In one statement: between two, another process may make the schema. */
static orr_status read_header(orr_sql *sql, header *h) {
    return orr_sql_run(sql,
                       "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) "
                       "FROM pragma_application_id, pragma_user_version",
                       NULL, 0, take_header, h);
}

/* Schema 2 seals what schema 1 held, in the order in which it was opened. */
static orr_status seal_all(orr_sql *sql, orr_context *ctx) {
    for (int64_t id = 0, next = 0;; id = next) {
        char sealed_at[ORR_TIMESTAMP_SIZE] = "", seal[ORR_SHA256_SIZE];
        next = 0;
        ORR_TRY(ctx, orr_sql_run(sql, "SELECT min(id) FROM experiments WHERE id > ?1 AND sealed_at IS NOT NULL",
                                 (const orr_sql_value[]){ orr_sql_int(id) }, 1, orr_store_take_int, &next));
        if (next == 0) return ORR_OK;
        ORR_TRY(ctx, orr_sql_run(sql, "SELECT sealed_at FROM experiments WHERE id = ?1",
                                 (const orr_sql_value[]){ orr_sql_int(next) }, 1, take_time, sealed_at));
        ORR_TRY(ctx, orr_store_seal_of(ctx, sql, next, sealed_at, seal));
        ORR_TRY(ctx, ORR_STORE_RUN(sql, "UPDATE experiments SET seal = ?2 WHERE id = ?1", orr_sql_int(next),
                                   orr_sql_text(seal)));
    }
}

/* From what is there to the schema of this program, in one transaction. */
static orr_status migrate(orr_sql *sql, orr_context *ctx) {
    header h;
    ORR_TRY(ctx, orr_sql_begin(sql));
    ORR_TRY(ctx, read_header(sql, &h)); /* again: another process may have been faster */
    if (h.tables == 0) ORR_TRY(ctx, orr_sql_script(sql, orr_store_schema_1));
    if (h.tables == 0 || h.version < 2) {
        ORR_TRY(ctx, orr_sql_script(sql, orr_store_schema_2));
        ORR_TRY(ctx, seal_all(sql, ctx));
    }
    if (h.tables == 0 || h.version < 3) ORR_TRY(ctx, orr_sql_script(sql, orr_store_schema_3));
    if (h.tables == 0 || h.version < ORR_STORE_SCHEMA)
        ORR_TRY(ctx, orr_sql_script(sql, "PRAGMA application_id = 0x4f727279; PRAGMA user_version = 3;"));
    return orr_sql_commit(sql);
}

static bool is_empty(const header *h) { return h->tables == 0 && h->application == 0; }

static orr_status check_schema(orr_sql *sql, orr_context *ctx) {
    const char *path = orr_sql_path(sql);
    header h;
    ORR_TRY(ctx, read_header(sql, &h));
    if (is_empty(&h) || (h.application == APPLICATION_ID && h.version < ORR_STORE_SCHEMA)) {
        const orr_status status = migrate(sql, ctx);
        if (status != ORR_OK) orr_sql_rollback(sql);
        ORR_TRY(ctx, status);
        ORR_TRY(ctx, read_header(sql, &h));
    }
    if (h.application != APPLICATION_ID)
        return orr_fail(ctx, ORR_EINPUT, "store %s: is a database of another program; name another file with --store",
                        path);
    if (h.version > ORR_STORE_SCHEMA)
        return orr_fail(
            ctx, ORR_EINPUT,
            "store %s: was written by a newer Orrery (schema %lld, this one knows %d); use that one, or another file",
            path, (long long)h.version, ORR_STORE_SCHEMA);
    return ORR_OK;
}

static orr_status open_file(orr_context *ctx, const char *path, bool immutable, orr_store **out) {
    orr_status status = ORR_OK;
    *out = NULL;
    if (!*path) return orr_fail(ctx, ORR_EINPUT, "store: the file's name is empty");
    orr_store *store = orr_allocate(ctx, sizeof *store);
    if (!store) return orr_fail(ctx, ORR_ENOMEM, "store %s: out of memory", path);
    memset(store, 0, offsetof(orr_store, pending)); /* what isn't written takes no memory */
    store->ctx = ctx;
    ORR_TRY_DONE(ctx,
                 immutable ? orr_sql_open_immutable(ctx, path, &store->sql) : orr_sql_open(ctx, path, &store->sql));
    ORR_TRY_DONE(ctx, check_schema(store->sql, ctx));
    ORR_TRY_DONE(ctx, orr_sql_script(store->sql, "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;"));
    /* WAL: readers never wait for the writer.  FULL: a commit is on the disk when it returns. */
    if (!immutable) ORR_TRY_DONE(ctx, orr_sql_script(store->sql, "PRAGMA journal_mode = WAL;"));
    store->last_commit = orr_now();
    *out = store;
done:
    if (status != ORR_OK) {
        orr_sql_close(store->sql);
        orr_release(ctx, store);
    }
    return status;
}

orr_status orr_store_open(orr_context *ctx, const char *path, orr_store **out) {
    return open_file(ctx, path, false, out);
}

/* In a folder that can't be written SQLite can't keep its -shm file; where no writer's -wal lies about, the file is all. */
static bool is_at_rest(orr_context *ctx, const char *path) {
    const size_t length = strlen(path);
    char *log = orr_allocate(ctx, length + 5);
    if (!log) return false;
    memcpy(log, path, length);
    memcpy(log + length, "-wal", 5);
    const bool rest = access(path, R_OK) == 0 && access(log, F_OK) != 0;
    orr_release(ctx, log);
    return rest;
}

orr_status orr_store_open_existing(orr_context *ctx, const char *path, orr_store **out) {
    struct stat file;
    *out = NULL;
    if (*path && stat(path, &file) != 0)
        return orr_fail(ctx, orr_file_trouble(errno),
                        "store %s: can't be opened (%s); --store or ORRERY_STORE names another", path, strerror(errno));
    if (*path && S_ISREG(file.st_mode) && file.st_size == 0)
        return orr_fail(ctx, ORR_EINPUT, "store %s: is an empty file; --store or ORRERY_STORE names another", path);
    const bool told = orr_context_message(ctx)[0] != '\0';
    const orr_status status = open_file(ctx, path, false, out);
    if (status != ORR_EIO || told || access(path, W_OK) == 0 || !is_at_rest(ctx, path)) return status;
    orr_context_clear(ctx);
    return open_file(ctx, path, true, out);
}

void orr_store_close(orr_store *store) {
    if (!store) return;
    orr_context *ctx = store->ctx;
    const bool told = orr_context_message(ctx)[0] != '\0'; /* the first failure is the one to tell, once */
    if (orr_store_commit(store) != ORR_OK && !told) orr_log_line(ctx, ORR_LOG_ERROR, "%s", orr_context_message(ctx));
    orr_sql_close(store->sql);
    orr_release(ctx, store);
}

orr_context *orr_store_context(const orr_store *store) { return store->ctx; }
orr_sql *orr_store_sql(const orr_store *store) { return store->sql; }
const char *orr_store_path(const orr_store *store) { return orr_sql_path(store->sql); }

/* ---- the seal -------------------------------------------------------------------------------------------------------
 */

static orr_status insert_runs(orr_store *store, orr_store_experiment *e) {
    for (int64_t i = 0; i < e->n_runs; i++) {
        orr_store_run *run = &e->runs[i];
        ORR_TRY(store->ctx,
                ORR_STORE_RUN(
                    store->sql, "INSERT INTO runs (experiment_id, name, seed, settings) VALUES (?1, ?2, ?3, ?4)",
                    orr_sql_int(e->id), orr_sql_text(run->name), orr_sql_int(run->seed), orr_sql_text(run->settings)));
        run->id = orr_sql_last_id(store->sql);
    }
    return ORR_OK;
}

static orr_status insert_predictions(orr_store *store, orr_store_experiment *e, const char *now) {
    for (int64_t i = 0; i < e->n_predictions; i++) {
        orr_store_prediction *p = &e->predictions[i];
        ORR_TRY(store->ctx, orr_sha256(store->ctx, p->text, strlen(p->text), p->sha256));
        memcpy(p->sealed_at, now, ORR_TIMESTAMP_SIZE);
        ORR_TRY(store->ctx,
                ORR_STORE_RUN(
                    store->sql,
                    "INSERT INTO predictions (experiment_id, law, text, sha256, sealed_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    orr_sql_int(e->id), orr_sql_text(p->law), orr_sql_text(p->text), orr_sql_text(p->sha256),
                    orr_sql_text(now)));
    }
    return ORR_OK;
}

static orr_status insert_experiment(orr_store *store, orr_store_experiment *e) {
    char now[ORR_TIMESTAMP_SIZE], seal[ORR_SHA256_SIZE];
    orr_clock_timestamp(now);
    ORR_TRY(store->ctx, orr_sql_begin(store->sql));
    ORR_TRY(
        store->ctx,
        ORR_STORE_RUN(
            store->sql,
            "INSERT INTO experiments (name, size, text, version, machine, opened_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            orr_sql_text(e->name), orr_sql_text(e->size), orr_sql_text(e->text), orr_sql_text(ORR_VERSION),
            orr_sql_text(e->machine), orr_sql_text(now)));
    e->id = orr_sql_last_id(store->sql);
    ORR_TRY(store->ctx, insert_runs(store, e));
    ORR_TRY(store->ctx, insert_predictions(store, e, now));
    ORR_TRY(store->ctx, orr_store_seal_of(store->ctx, store->sql, e->id, now, seal));
    ORR_TRY(store->ctx, ORR_STORE_RUN(store->sql, "UPDATE experiments SET sealed_at = ?2, seal = ?3 WHERE id = ?1",
                                      orr_sql_int(e->id), orr_sql_text(now), orr_sql_text(seal)));
    return orr_sql_commit(store->sql);
}

orr_status orr_store_open_experiment(orr_store *store, orr_store_experiment *experiment) {
    ORR_TRY(store->ctx, orr_store_commit(store));
    const orr_status status = insert_experiment(store, experiment);
    if (status != ORR_OK) orr_sql_rollback(store->sql);
    return status;
}

/* ---- records --------------------------------------------------------------------------------------------------- */

orr_status orr_store_start_run(orr_store *store, int64_t run, char started_at[ORR_TIMESTAMP_SIZE]) {
    orr_clock_timestamp(started_at);
    return ORR_STORE_RUN(store->sql, "UPDATE runs SET state = 'running', started_at = ?2 WHERE id = ?1",
                         orr_sql_int(run), orr_sql_text(started_at));
}

orr_status orr_store_finish_run(orr_store *store, int64_t run, const char *state, int64_t steps,
                                char finished_at[ORR_TIMESTAMP_SIZE]) {
    ORR_TRY(store->ctx, orr_store_commit(store));
    orr_clock_timestamp(finished_at);
    return ORR_STORE_RUN(store->sql, "UPDATE runs SET state = ?2, steps = ?3, finished_at = ?4 WHERE id = ?1",
                         orr_sql_int(run), orr_sql_text(state), orr_sql_int(steps), orr_sql_text(finished_at));
}

orr_status orr_store_record(orr_store *store, int64_t run, const char *name, int64_t step, double value) {
    assert(strlen(name) < NAME_MAX_BYTES && "names of series are short");
    if (store->n_pending == PENDING_MAX || (store->n_pending > 0 && orr_now() - store->last_commit > pending_seconds))
        ORR_TRY(store->ctx, orr_store_commit(store));
    pending *p = &store->pending[store->n_pending++];
    *p = (pending){ .run = run, .step = step, .value = value };
    memcpy(p->name, name, strlen(name) + 1);
    return ORR_OK;
}

/* Within the caller's transaction. */
static orr_status insert_pending(orr_store *store) {
    for (int64_t i = 0; i < store->n_pending; i++) {
        const pending *p = &store->pending[i];
        ORR_TRY(store->ctx,
                ORR_STORE_RUN(store->sql, "INSERT INTO series (run_id, name, step, value) VALUES (?1, ?2, ?3, ?4)",
                              orr_sql_int(p->run), orr_sql_text(p->name), orr_sql_int(p->step),
                              orr_sql_real(p->value)));
    }
    return ORR_OK;
}

static orr_status commit_pending(orr_store *store) {
    ORR_TRY(store->ctx, orr_sql_begin(store->sql));
    ORR_TRY(store->ctx, insert_pending(store));
    return orr_sql_commit(store->sql);
}

/* What can't be written stays pending: a later commit may have more luck. */
static orr_status committed(orr_store *store, orr_status status) {
    if (status != ORR_OK) orr_sql_rollback(store->sql);
    else store->n_pending = 0;
    store->last_commit = orr_now();
    return status;
}

orr_status orr_store_commit(orr_store *store) {
    if (store->n_pending == 0) return ORR_OK;
    return committed(store, commit_pending(store));
}

orr_status orr_store_record_array(orr_store *store, int64_t run, const char *name, int64_t step, orr_dtype dtype,
                                  const orr_shape *shape, const void *data) {
    char text[24 * ORR_RANK_MAX + 3];
    int at = 0;
    text[at++] = '[';
    for (int32_t i = 0; i < shape->rank; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s%lld", i ? "," : "", (long long)shape->size[i]);
    (void)snprintf(text + at, sizeof text - (size_t)at, "]");
    return ORR_STORE_RUN(
        store->sql, "INSERT INTO arrays (run_id, name, step, dtype, shape, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        orr_sql_int(run), orr_sql_text(name), orr_sql_int(step), orr_sql_text(orr_dtype_name(dtype)),
        orr_sql_text(text), orr_sql_blob(data, orr_shape_count(shape) * (int64_t)orr_dtype_size(dtype)));
}

typedef struct series_reader {
    orr_series *series;
    int64_t at;
} series_reader;

static orr_status take_point(void *user, const orr_sql_value *column, int n) {
    series_reader *reader = user;
    (void)n;
    if (reader->at == reader->series->n) return ORR_OK; /* appended between count and read, by nobody of ours */
    reader->series->x[reader->at] = column[0].real;
    reader->series->y[reader->at++] = column[1].real;
    return ORR_OK;
}

orr_status orr_store_series(orr_store *store, orr_arena *out_arena, int64_t run, const char *name, orr_series *out) {
    const orr_sql_value key[] = { orr_sql_int(run), orr_sql_text(name) };
    int64_t n = 0;
    ORR_TRY(store->ctx, orr_store_commit(store));
    ORR_TRY(store->ctx, orr_sql_run(store->sql, "SELECT count(*) FROM series WHERE run_id = ?1 AND name = ?2", key, 2,
                                    orr_store_take_int, &n));
    ORR_TRY(store->ctx, orr_series_new(store->ctx, out_arena, n, out));
    series_reader reader = { out, 0 };
    ORR_TRY(store->ctx,
            orr_sql_run(store->sql, "SELECT step, value FROM series WHERE run_id = ?1 AND name = ?2 ORDER BY step", key,
                        2, take_point, &reader));
    out->n = reader.at;
    return ORR_OK;
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------ */

static orr_status commit_checkpoint(orr_store *store, int64_t run, int64_t step, const void *data, int64_t bytes) {
    char now[ORR_TIMESTAMP_SIZE];
    orr_clock_timestamp(now);
    ORR_TRY(store->ctx, orr_sql_begin(store->sql));
    ORR_TRY(store->ctx, insert_pending(store));
    ORR_TRY(store->ctx,
            ORR_STORE_RUN(store->sql,
                          "INSERT OR REPLACE INTO checkpoints (run_id, step, data, saved_at) VALUES (?1, ?2, ?3, ?4)",
                          orr_sql_int(run), orr_sql_int(step), orr_sql_blob(data, bytes), orr_sql_text(now)));
    return orr_sql_commit(store->sql);
}

orr_status orr_store_checkpoint(orr_store *store, int64_t run, int64_t step, const void *data, size_t bytes) {
    if (bytes > CHECKPOINT_MAX)
        return orr_fail(store->ctx, ORR_EINPUT,
                        "store %s: a checkpoint of %zu bytes; SQLite keeps at most %d in one value",
                        orr_store_path(store), bytes, CHECKPOINT_MAX);
    return committed(store, commit_checkpoint(store, run, step, data, (int64_t)bytes));
}

typedef struct checkpoint_reader {
    orr_context *ctx;
    orr_arena *arena;
    int64_t step;
    void *data;
    size_t bytes;
} checkpoint_reader;

static orr_status take_checkpoint(void *user, const orr_sql_value *column, int n) {
    checkpoint_reader *reader = user;
    (void)n;
    reader->step = column[0].integer;
    reader->bytes = (size_t)column[1].n;
    reader->data = orr_arena_take(reader->arena, column[1].n, 1);
    if (!reader->data) return orr_fail(reader->ctx, ORR_ENOMEM, "no memory for a checkpoint");
    if (column[1].n) memcpy(reader->data, column[1].bytes, reader->bytes);
    return ORR_OK;
}

orr_status orr_store_checkpoint_of(orr_store *store, orr_arena *out_arena, int64_t run, int64_t *step,
                                   const void **data, size_t *bytes) {
    checkpoint_reader reader = { store->ctx, out_arena, -1, NULL, 0 };
    ORR_TRY(store->ctx, orr_sql_run(store->sql, "SELECT step, data FROM checkpoints WHERE run_id = ?1",
                                    (const orr_sql_value[]){ orr_sql_int(run) }, 1, take_checkpoint, &reader));
    *step = reader.step;
    *data = reader.data;
    *bytes = reader.bytes;
    return ORR_OK;
}

static orr_status delete_after(orr_store *store, int64_t run, int64_t step) {
    const orr_sql_value key[] = { orr_sql_int(run), orr_sql_int(step) };
    int64_t finished = -1;
    ORR_TRY(store->ctx, orr_sql_begin(store->sql));
    ORR_TRY(store->ctx, orr_sql_run(store->sql, "SELECT state IN ('finished', 'diverged') FROM runs WHERE id = ?1", key,
                                    1, orr_store_take_int, &finished));
    if (finished != 0)
        return orr_fail(store->ctx, ORR_EINPUT, "store %s: run %lld %s", orr_store_path(store), (long long)run,
                        finished < 0 ? "is not there" : "is finished: what it recorded stays as it is");
    ORR_TRY(store->ctx,
            orr_sql_run(store->sql, "DELETE FROM series WHERE run_id = ?1 AND step > ?2", key, 2, NULL, NULL));
    ORR_TRY(store->ctx,
            orr_sql_run(store->sql, "DELETE FROM arrays WHERE run_id = ?1 AND step > ?2", key, 2, NULL, NULL));
    ORR_TRY(store->ctx,
            orr_sql_run(store->sql, "DELETE FROM checkpoints WHERE run_id = ?1 AND step > ?2", key, 2, NULL, NULL));
    return orr_sql_commit(store->sql);
}

orr_status orr_store_rewind(orr_store *store, int64_t run, int64_t step) {
    ORR_TRY(store->ctx, orr_store_commit(store));
    const orr_status status = delete_after(store, run, step);
    if (status != ORR_OK) orr_sql_rollback(store->sql);
    return status;
}

/* ---- judgements ------------------------------------------------------------------------------------------------ */

static orr_status insert_verdicts(orr_store *store, int64_t experiment, const orr_store_verdict *v, int64_t n) {
    char now[ORR_TIMESTAMP_SIZE];
    orr_clock_timestamp(now);
    ORR_TRY(store->ctx, orr_sql_begin(store->sql));
    for (int64_t i = 0; i < n; i++)
        ORR_TRY(store->ctx,
                ORR_STORE_RUN(store->sql,
                              "INSERT INTO verdicts (experiment_id, law, rank, metric, verdict, value, tolerance_low, "
                              "tolerance_high, "
                              "interval_low, interval_high, seeds, note, judged_at) "
                              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                              orr_sql_int(experiment), orr_sql_text(v[i].law), orr_sql_int(v[i].rank),
                              orr_sql_text(v[i].metric), orr_sql_text(v[i].verdict), orr_sql_real(v[i].value),
                              orr_sql_real(v[i].tolerance[0]), orr_sql_real(v[i].tolerance[1]),
                              orr_sql_real(v[i].interval[0]), orr_sql_real(v[i].interval[1]), orr_sql_text(v[i].seeds),
                              orr_sql_text(v[i].note), orr_sql_text(now)));
    return orr_sql_commit(store->sql);
}

orr_status orr_store_judge(orr_store *store, int64_t experiment, const orr_store_verdict *verdict, int64_t n) {
    ORR_TRY(store->ctx, orr_store_commit(store));
    const orr_status status = insert_verdicts(store, experiment, verdict, n);
    if (status != ORR_OK) orr_sql_rollback(store->sql);
    return status;
}

orr_status orr_store_add_map(orr_store *store, const orr_store_map *map) {
    char now[ORR_TIMESTAMP_SIZE];
    orr_clock_timestamp(now);
    ORR_TRY(store->ctx, orr_store_commit(store));
    return ORR_STORE_RUN(store->sql,
                         "INSERT INTO maps (law, axis, size, experiment, text, version, made_at) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         orr_sql_text(map->law), orr_sql_text(map->axis), orr_sql_text(map->size),
                         orr_sql_text(map->experiment), orr_sql_text(map->text), orr_sql_text(ORR_VERSION),
                         orr_sql_text(now));
}

typedef struct prediction_reader {
    orr_context *ctx;
    orr_arena *arena;
    char *text, *sha256;
} prediction_reader;

static orr_status take_prediction(void *user, const orr_sql_value *column, int n) {
    prediction_reader *reader = user;
    (void)n;
    reader->text = orr_arena_string(reader->arena, column[0].bytes);
    if (!reader->text) return orr_fail(reader->ctx, ORR_ENOMEM, "no memory for a prediction");
    memcpy(reader->sha256, column[1].bytes, ORR_SHA256_SIZE); /* the schema asks for 64 characters */
    return ORR_OK;
}

orr_status orr_store_prediction_of(orr_store *store, orr_arena *out_arena, int64_t experiment, const char *law,
                                   char **text, char sha256[ORR_SHA256_SIZE]) {
    const orr_sql_value key[] = { orr_sql_int(experiment), orr_sql_text(law) };
    prediction_reader reader = { store->ctx, out_arena, NULL, sha256 };
    ORR_TRY(store->ctx,
            orr_sql_run(store->sql, "SELECT text, sha256 FROM predictions WHERE experiment_id = ?1 AND law = ?2", key,
                        2, take_prediction, &reader));
    *text = reader.text;
    if (*text) return ORR_OK;
    return orr_fail(store->ctx, ORR_EINPUT, "store %s: experiment %lld has no prediction of %s", orr_store_path(store),
                    (long long)experiment, law);
}
