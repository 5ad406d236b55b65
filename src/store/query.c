#include "store/query.h"

#include <string.h>

#include "base/context.h"
#include "base/nearest.h"
#include "store/store_private.h"

/* ORDER state: schema_1.sql */
const char *const orr_run_states[] = { "open", "running", "finished", "diverged", "interrupted", NULL };

/* ---- rows ------------------------------------------------------------------------------------------------------- */

/* A list that is filled row by row; its room doubles. */
typedef struct list {
    orr_context *ctx;
    orr_arena *arena;
    char *rows;
    int64_t n, room;
    size_t size;
    bool full; /* memory is out */
} list;

static list list_of(orr_store *store, orr_arena *arena, size_t size) {
    return (list){ .ctx = orr_store_context(store), .arena = arena, .size = size };
}

static void *list_next(list *l) {
    if (l->n == l->room) {
        const int64_t room = l->room ? 2 * l->room : 16;
        char *rows = orr_arena_take(l->arena, room, l->size);
        if (!rows) {
            (void)orr_fail(l->ctx, ORR_ENOMEM, "store: no memory for the rows of a query");
            return NULL;
        }
        if (l->n) memcpy(rows, l->rows, (size_t)l->n * l->size);
        l->rows = rows;
        l->room = room;
    }
    return l->rows + (size_t)l->n++ * l->size;
}

static const char *text_of(list *l, const orr_sql_value *v) {
    if (v->kind == '0') return NULL;
    const char *text = orr_arena_string(l->arena, v->kind == 't' && v->n ? v->bytes : "");
    if (!text) l->full = true;
    return text;
}

static orr_status list_status(const list *l) {
    return l->full ? orr_fail(l->ctx, ORR_ENOMEM, "store: no memory for the rows of a query") : ORR_OK;
}

/* ---- runs ------------------------------------------------------------------------------------------------------- */

#define RUN_COLUMNS                                                                                                    \
    "SELECT r.id, r.experiment_id, r.seed, r.steps, r.name, e.name, e.size, r.state, e.opened_at, r.started_at, "      \
    "r.finished_at, r.settings, coalesce((SELECT step FROM checkpoints WHERE run_id = r.id), -1), "                    \
    "(SELECT verdict FROM verdicts v WHERE v.experiment_id = e.id ORDER BY v.rank, v.id LIMIT 1) "                     \
    "FROM runs r JOIN experiments e ON e.id = r.experiment_id "

static orr_status take_run(void *user, const orr_sql_value *c, int n) {
    list *l = user;
    (void)n;
    orr_run_row *row = list_next(l);
    if (!row) return ORR_ENOMEM;
    *row = (orr_run_row){ .id = c[0].integer,
                          .experiment = c[1].integer,
                          .seed = c[2].integer,
                          .steps = c[3].integer,
                          .name = text_of(l, &c[4]),
                          .experiment_name = text_of(l, &c[5]),
                          .size = text_of(l, &c[6]),
                          .state = text_of(l, &c[7]),
                          .opened_at = text_of(l, &c[8]),
                          .started_at = text_of(l, &c[9]),
                          .finished_at = text_of(l, &c[10]),
                          .settings = text_of(l, &c[11]),
                          .checkpoint = c[12].integer,
                          .verdict = text_of(l, &c[13]) };
    return list_status(l);
}

orr_status orr_query_runs(orr_store *store, orr_arena *out_arena, const orr_run_filter *f, orr_run_row **out,
                          int64_t *n) {
    list l = list_of(store, out_arena, sizeof(orr_run_row));
    const orr_sql_value key[] = { orr_sql_text(f->state), orr_sql_text(f->experiment), orr_sql_text(f->law),
                                  orr_sql_int(f->experiment_id), orr_sql_int(f->last ? f->last : INT64_MAX) };
    ORR_TRY(l.ctx, orr_sql_run(orr_store_sql(store),
                               RUN_COLUMNS
                               "WHERE r.id IN (SELECT q.id FROM runs q JOIN experiments x ON x.id = q.experiment_id "
                               "WHERE (?1 IS NULL OR q.state = ?1) AND (?2 IS NULL OR x.name = ?2) "
                               "AND (?3 IS NULL OR EXISTS (SELECT 1 FROM predictions p WHERE p.experiment_id = "
                               "q.experiment_id AND p.law = ?3)) "
                               "AND (?4 = 0 OR q.experiment_id = ?4) ORDER BY q.id DESC LIMIT ?5) ORDER BY r.id",
                               key, 5, take_run, &l));
    *out = (orr_run_row *)(void *)l.rows;
    *n = l.n;
    return ORR_OK;
}

/* "is empty: no run was made yet", or "the last are 4 (gd, seed 0, finished), 5 (...)" */
static orr_status no_such_run(orr_store *store, orr_arena *arena, int64_t id) {
    orr_context *ctx = orr_store_context(store);
    orr_run_row *rows;
    int64_t n;
    ORR_TRY(ctx, orr_query_runs(store, arena, &(orr_run_filter){ .last = 5 }, &rows, &n));
    if (n == 0) return orr_fail(ctx, ORR_EINPUT, "store %s: has no runs yet", orr_store_path(store));
    char *words = orr_arena_string(arena, "");
    for (int64_t i = 0; i < n && words; i++)
        words = orr_arena_format(arena, "%s%s%lld (%s/%s, seed %lld, %s)", words, i ? ", " : "", (long long)rows[i].id,
                                 rows[i].experiment_name, rows[i].name, (long long)rows[i].seed, rows[i].state);
    return orr_fail(ctx, ORR_EINPUT, "store %s: no run %lld; the last %s %s", orr_store_path(store), (long long)id,
                    n == 1 ? "is" : "are", words ? words : "");
}

orr_status orr_query_run(orr_store *store, orr_arena *out_arena, int64_t id, orr_run_row *out) {
    list l = list_of(store, out_arena, sizeof(orr_run_row));
    ORR_TRY(l.ctx, orr_sql_run(orr_store_sql(store), RUN_COLUMNS "WHERE r.id = ?1",
                               (const orr_sql_value[]){ orr_sql_int(id) }, 1, take_run, &l));
    if (l.n == 0) return no_such_run(store, out_arena, id);
    *out = *(orr_run_row *)(void *)l.rows;
    return ORR_OK;
}

orr_status orr_query_latest(orr_store *store, orr_arena *out_arena, orr_run_row *out) {
    list l = list_of(store, out_arena, sizeof(orr_run_row));
    ORR_TRY(l.ctx, orr_sql_run(orr_store_sql(store),
                               RUN_COLUMNS "ORDER BY r.started_at IS NULL, r.started_at DESC, r.id DESC LIMIT 1", NULL,
                               0, take_run, &l));
    if (l.n == 0) return no_such_run(store, out_arena, 0);
    *out = *(orr_run_row *)(void *)l.rows;
    return ORR_OK;
}

static orr_status take_experiment(void *user, const orr_sql_value *c, int n) {
    list *l = user;
    (void)n;
    orr_experiment_row *row = list_next(l);
    if (!row) return ORR_ENOMEM;
    *row = (orr_experiment_row){ .id = c[0].integer,
                                 .n_runs = c[1].integer,
                                 .name = text_of(l, &c[2]),
                                 .size = text_of(l, &c[3]),
                                 .text = text_of(l, &c[4]),
                                 .version = text_of(l, &c[5]),
                                 .machine = text_of(l, &c[6]),
                                 .opened_at = text_of(l, &c[7]),
                                 .sealed_at = text_of(l, &c[8]),
                                 .seal = text_of(l, &c[9]) };
    return list_status(l);
}

orr_status orr_query_experiment(orr_store *store, orr_arena *out_arena, int64_t id, orr_experiment_row *out) {
    list l = list_of(store, out_arena, sizeof(orr_experiment_row));
    ORR_TRY(l.ctx, orr_sql_run(
                       orr_store_sql(store),
                       "SELECT id, (SELECT count(*) FROM runs WHERE experiment_id = experiments.id), name, size, text, "
                       "version, machine, opened_at, sealed_at, seal FROM experiments WHERE id = ?1",
                       (const orr_sql_value[]){ orr_sql_int(id) }, 1, take_experiment, &l));
    if (l.n == 0)
        return orr_fail(l.ctx, ORR_EINPUT, "store %s: no experiment %lld", orr_store_path(store), (long long)id);
    *out = *(orr_experiment_row *)(void *)l.rows;
    return ORR_OK;
}

/* ---- what a run recorded ------------------------------------------------------------------------------------------ */

static orr_status take_series(void *user, const orr_sql_value *c, int n) {
    list *l = user;
    (void)n;
    orr_series_row *row = list_next(l);
    if (!row) return ORR_ENOMEM;
    *row = (orr_series_row){
        .name = text_of(l, &c[0]), .n = c[1].integer, .first = c[2].integer, .last = c[3].integer, .value = c[4].real
    };
    return list_status(l);
}

orr_status orr_query_series(orr_store *store, orr_arena *out_arena, int64_t run, orr_series_row **out, int64_t *n) {
    list l = list_of(store, out_arena, sizeof(orr_series_row));
    ORR_TRY(l.ctx, orr_store_commit(store));
    ORR_TRY(l.ctx, orr_sql_run(
                       orr_store_sql(store),
                       "SELECT g.name, g.n, g.low, g.high, s.value FROM (SELECT name, count(*) AS n, min(step) AS low, "
                       "max(step) AS high FROM series WHERE run_id = ?1 GROUP BY name) g "
                       "JOIN series s ON s.run_id = ?1 AND s.name = g.name AND s.step = g.high ORDER BY g.name",
                       (const orr_sql_value[]){ orr_sql_int(run) }, 1, take_series, &l));
    *out = (orr_series_row *)(void *)l.rows;
    *n = l.n;
    return ORR_OK;
}

static orr_status take_array_row(void *user, const orr_sql_value *c, int n) {
    list *l = user;
    (void)n;
    orr_array_row *row = list_next(l);
    if (!row) return ORR_ENOMEM;
    *row = (orr_array_row){ .name = text_of(l, &c[0]),
                            .step = c[1].integer,
                            .dtype = text_of(l, &c[2]),
                            .shape = text_of(l, &c[3]),
                            .bytes = c[4].integer };
    return list_status(l);
}

orr_status orr_query_arrays(orr_store *store, orr_arena *out_arena, int64_t run, orr_array_row **out, int64_t *n) {
    list l = list_of(store, out_arena, sizeof(orr_array_row));
    ORR_TRY(l.ctx, orr_sql_run(orr_store_sql(store),
                               "SELECT name, step, dtype, shape, length(data) FROM arrays WHERE run_id = ?1 "
                               "ORDER BY name, step",
                               (const orr_sql_value[]){ orr_sql_int(run) }, 1, take_array_row, &l));
    *out = (orr_array_row *)(void *)l.rows;
    *n = l.n;
    return ORR_OK;
}

/* "[2,3]" as Orrery itself wrote it. */
static bool read_shape(const char *text, orr_shape *shape) {
    *shape = (orr_shape){ 0 };
    if (*text++ != '[') return false;
    while (*text != ']') {
        int64_t size = 0;
        int digits = 0;
        if (shape->rank == ORR_RANK_MAX || (shape->rank > 0 && *text++ != ',')) return false;
        for (; *text >= '0' && *text <= '9' && digits < 18; digits++) size = 10 * size + (*text++ - '0');
        if (digits == 0) return false;
        shape->size[shape->rank++] = size;
    }
    return text[1] == '\0';
}

typedef struct array_reader {
    orr_context *ctx;
    orr_arena *arena;
    const char *path, *name;
    orr_array *array;
    int64_t step;
    bool found;
} array_reader;

/* The bytes are little-endian and row-major, as base/array.h writes them. */
static orr_status take_array(void *user, const orr_sql_value *c, int n) {
    array_reader *r = user;
    (void)n;
    int dtype = 0;
    orr_stored stored = { .bytes = c[3].n ? c[3].bytes : (const unsigned char *)"" };
    int64_t bytes = -1;
    while (dtype < 4 && strcmp(orr_dtype_name((orr_dtype)dtype), c[1].bytes) != 0) dtype++;
    const bool readable = dtype < 4 && c[2].kind == 't' && read_shape(c[2].bytes, &stored.shape);
    if (readable) stored.element = orr_element_of_dtype((orr_dtype)dtype);
    if (!readable || !orr_element_bytes(stored.element, &stored.shape, &bytes) || bytes != c[3].n)
        return orr_fail(r->ctx, ORR_EINPUT, "store %s: array %s: its %lld bytes don't fit its type and shape", r->path,
                        r->name, (long long)c[3].n);
    r->step = c[0].integer;
    r->found = true;
    return orr_array_decode(r->ctx, r->arena, r->path, r->name, &stored, r->array);
}

static orr_status no_such_array(orr_store *store, orr_arena *arena, int64_t run, const char *name, int64_t step) {
    orr_context *ctx = orr_store_context(store);
    orr_array_row *rows;
    int64_t n;
    ORR_TRY(ctx, orr_query_arrays(store, arena, run, &rows, &n));
    if (n == 0) return orr_fail(ctx, ORR_EINPUT, "run %lld recorded no arrays", (long long)run);
    const char **names = ORR_NEW(arena, const char *, n);
    if (!names) return orr_fail(ctx, ORR_ENOMEM, "no memory for names");
    for (int64_t i = 0; i < n; i++) {
        names[i] = rows[i].name;
        if (strcmp(names[i], name) == 0)
            return orr_fail(ctx, ORR_EINPUT, "run %lld has no array '%s' at step %lld; it has it at step %lld, for one",
                            (long long)run, name, (long long)step, (long long)rows[i].step);
    }
    const char *near = orr_nearest(name, names, (int)n);
    return orr_fail(ctx, ORR_EINPUT, "run %lld has no array '%s'; %s '%s'", (long long)run, name,
                    near ? "did you mean" : "it has", near ? near : names[0]);
}

orr_status orr_query_array(orr_store *store, orr_arena *out_arena, int64_t run, const char *name, int64_t step,
                           orr_array *out, int64_t *at_step) {
    const orr_sql_value key[] = { orr_sql_int(run), orr_sql_text(name), orr_sql_int(step) };
    array_reader r = { orr_store_context(store), out_arena, orr_store_path(store), name, out, -1, false };
    ORR_TRY(r.ctx, orr_sql_run(orr_store_sql(store),
                               "SELECT step, dtype, shape, data FROM arrays WHERE run_id = ?1 AND name = ?2 "
                               "AND (?3 < 0 OR step = ?3) ORDER BY step DESC LIMIT 1",
                               key, 3, take_array, &r));
    *at_step = r.step;
    return r.found ? ORR_OK : no_such_array(store, out_arena, run, name, step);
}

/* ---- what was said and judged -------------------------------------------------------------------------------------- */

static orr_status take_prediction(void *user, const orr_sql_value *c, int n) {
    list *l = user;
    (void)n;
    orr_prediction_row *row = list_next(l);
    if (!row) return ORR_ENOMEM;
    *row = (orr_prediction_row){ text_of(l, &c[0]), text_of(l, &c[1]), text_of(l, &c[2]), text_of(l, &c[3]) };
    return list_status(l);
}

orr_status orr_query_predictions(orr_store *store, orr_arena *out_arena, int64_t experiment, orr_prediction_row **out,
                                 int64_t *n) {
    list l = list_of(store, out_arena, sizeof(orr_prediction_row));
    ORR_TRY(l.ctx,
            orr_sql_run(orr_store_sql(store),
                        "SELECT law, text, sha256, sealed_at FROM predictions WHERE experiment_id = ?1 ORDER BY id",
                        (const orr_sql_value[]){ orr_sql_int(experiment) }, 1, take_prediction, &l));
    *out = (orr_prediction_row *)(void *)l.rows;
    *n = l.n;
    return ORR_OK;
}

static orr_status take_verdict(void *user, const orr_sql_value *c, int n) {
    list *l = user;
    (void)n;
    orr_store_verdict *row = list_next(l);
    if (!row) return ORR_ENOMEM;
    *row = (orr_store_verdict){ .law = text_of(l, &c[0]),
                                .rank = c[1].integer,
                                .metric = text_of(l, &c[2]),
                                .verdict = text_of(l, &c[3]),
                                .value = c[4].real,
                                .tolerance = { c[5].real, c[6].real },
                                .interval = { c[7].real, c[8].real },
                                .seeds = text_of(l, &c[9]),
                                .note = text_of(l, &c[10]) };
    return list_status(l);
}

orr_status orr_query_verdicts(orr_store *store, orr_arena *out_arena, int64_t experiment, orr_store_verdict **out,
                              int64_t *n) {
    list l = list_of(store, out_arena, sizeof(orr_store_verdict));
    ORR_TRY(l.ctx, orr_sql_run(orr_store_sql(store),
                               "SELECT law, rank, metric, verdict, value, tolerance_low, tolerance_high, interval_low, "
                               "interval_high, seeds, note FROM verdicts WHERE experiment_id = ?1 ORDER BY law, rank",
                               (const orr_sql_value[]){ orr_sql_int(experiment) }, 1, take_verdict, &l));
    *out = (orr_store_verdict *)(void *)l.rows;
    *n = l.n;
    return ORR_OK;
}

static orr_status take_map(void *user, const orr_sql_value *c, int n) {
    list *l = user;
    (void)n;
    orr_store_map *row = list_next(l);
    if (!row) return ORR_ENOMEM;
    *row = (orr_store_map){ .law = text_of(l, &c[0]),
                            .axis = text_of(l, &c[1]),
                            .size = text_of(l, &c[2]),
                            .experiment = text_of(l, &c[3]),
                            .text = text_of(l, &c[4]),
                            .made_at = text_of(l, &c[5]) };
    return list_status(l);
}

orr_status orr_query_maps(orr_store *store, orr_arena *out_arena, const char *law, orr_store_map **out, int64_t *n) {
    list l = list_of(store, out_arena, sizeof(orr_store_map));
    ORR_TRY(l.ctx, orr_sql_run(orr_store_sql(store),
                               "SELECT law, axis, size, experiment, text, made_at FROM maps WHERE law = ?1 ORDER BY id",
                               (const orr_sql_value[]){ orr_sql_text(law) }, 1, take_map, &l));
    *out = (orr_store_map *)(void *)l.rows;
    *n = l.n;
    return ORR_OK;
}

/* ---- changes ---------------------------------------------------------------------------------------------------- */

orr_status orr_store_set_state(orr_store *store, int64_t run, const char *state) {
    return ORR_STORE_RUN(orr_store_sql(store), "UPDATE runs SET state = ?2 WHERE id = ?1", orr_sql_int(run),
                         orr_sql_text(state));
}

static orr_status delete_all(orr_store *store, const int64_t *experiment, int64_t n) {
    orr_context *ctx = orr_store_context(store);
    ORR_TRY(ctx, orr_sql_begin(orr_store_sql(store)));
    for (int64_t i = 0; i < n; i++)
        ORR_TRY(ctx, ORR_STORE_RUN(orr_store_sql(store), "DELETE FROM experiments WHERE id = ?1",
                                   orr_sql_int(experiment[i])));
    return orr_sql_commit(orr_store_sql(store));
}

orr_status orr_store_delete_experiments(orr_store *store, const int64_t *experiment, int64_t n) {
    ORR_TRY(orr_store_context(store), orr_store_commit(store));
    const orr_status status = delete_all(store, experiment, n);
    if (status != ORR_OK) orr_sql_rollback(orr_store_sql(store));
    return status;
}

static orr_status file_bytes(orr_store *store, int64_t *bytes) {
    return orr_sql_run(orr_store_sql(store), "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                       NULL, 0, orr_store_take_int, bytes);
}

orr_status orr_store_gc(orr_store *store, orr_gc_outcome *out) {
    orr_context *ctx = orr_store_context(store);
    orr_sql *sql = orr_store_sql(store);
    *out = (orr_gc_outcome){ 0 };
    ORR_TRY(ctx, orr_store_commit(store));
    ORR_TRY(ctx, file_bytes(store, &out->bytes_before));
    ORR_TRY(ctx, orr_sql_run(sql,
                             "DELETE FROM checkpoints WHERE run_id IN "
                             "(SELECT id FROM runs WHERE state IN ('finished', 'diverged'))",
                             NULL, 0, NULL, NULL));
    ORR_TRY(ctx, orr_sql_run(sql, "SELECT changes()", NULL, 0, orr_store_take_int, &out->checkpoints));
    ORR_TRY(ctx, orr_sql_script(sql, "VACUUM"));
    ORR_TRY(ctx, orr_sql_script(sql, "PRAGMA wal_checkpoint(TRUNCATE)"));
    return file_bytes(store, &out->bytes_after);
}
