/* The store's second schema: brought up from the first, the chain of seals, checkpoints, rewinding, many writers. */
#define _GNU_SOURCE
#include "testing.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "failing.h"
#include "files.h"
#include "raw.h"
#include "store/sql.h"
#include "store/store.h"

extern const char schema_1_store[];

static orr_arena *arena;

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

static orr_store *store_of(orr_context *ctx, const char *path) {
    orr_store *store;
    assert_ok(ctx, orr_store_open(ctx, path, &store));
    return store;
}

/* Opens an experiment of two runs; returns the first one's id. */
static int64_t opened(orr_context *ctx, orr_store *store, const char *prediction) {
    orr_store_run runs[2] = { { .name = "gd", .settings = "{}", .seed = 0 },
                              { .name = "gd", .settings = "{}", .seed = 1 } };
    orr_store_prediction one = { .law = "edge-of-stability", .text = prediction };
    orr_store_experiment e = { .name = "test",
                               .size = "quick",
                               .text = "name: test\n",
                               .machine = "a machine",
                               .runs = runs,
                               .n_runs = 2,
                               .predictions = &one,
                               .n_predictions = 1 };
    assert_ok(ctx, orr_store_open_experiment(store, &e));
    return runs[0].id;
}

/* ---- migration ------------------------------------------------------------------------------------------------- */

#define SCHEMA "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name)"

static void a_store_of_schema_1_is_brought_up_with_all_that_it_held(void **state) {
    const char *path = files_path("old.db"), *fresh = files_path("fresh.db");
    assert_string_equal(raw(path, schema_1_store), "");
    assert_string_equal(query(path, "PRAGMA user_version"), "1");
    orr_store *store = store_of(*state, path);
    orr_series loss;
    assert_ok(*state, orr_store_series(store, arena, 1, "loss", &loss));
    assert_int_equal(loss.n, 3);
    assert_true(loss.y[1] == 0.1 && isnan(loss.y[2]));
    orr_store_close(store);
    assert_string_equal(query(path, "PRAGMA user_version"), "3");
    assert_string_equal(query(path, "PRAGMA integrity_check"), "ok");
    assert_string_equal(query(path, "SELECT count(*) FROM experiments WHERE length(seal) = 64"), "2");
    assert_string_equal(query(path, "SELECT count(DISTINCT seal) FROM experiments"), "2");
    assert_string_equal(query(path, "SELECT name FROM experiments WHERE id = 2"), "zweite \xc3\xbc");
    assert_string_equal(query(path, "SELECT group_concat(state) FROM runs"), "finished,running,diverged");
    assert_string_equal(query(path, "SELECT verdict FROM verdicts"), "HOLDS");
    /* and has the very schema of a new one */
    orr_store_close(store_of(*state, fresh));
    sqlite3 *db;
    char old_schema[65536] = "", new_schema[65536] = "";
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(db, SCHEMA, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    (void)snprintf(old_schema, sizeof old_schema, "%s", (const char *)sqlite3_column_text(s, 0));
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    assert_int_equal(sqlite3_open(fresh, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, SCHEMA, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    (void)snprintf(new_schema, sizeof new_schema, "%s", (const char *)sqlite3_column_text(s, 0));
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    assert_string_equal(old_schema, new_schema);
}

/* In a child, since limits of files belong to a process. */
static int migrate_on_a_full_disk(const char *path) {
    orr_context *ctx;
    orr_store *store;
    (void)signal(SIGXFSZ, SIG_IGN);
    if (orr_context_new(NULL, &ctx) != ORR_OK) return 10;
    struct stat file;
    if (stat(path, &file) != 0) return 11;
    const rlim_t limit = (rlim_t)file.st_size; /* new tables need new pages */
    if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){ limit, limit }) != 0) return 11;
    const orr_status status = orr_store_open(ctx, path, &store);
    if (status != ORR_EIO || !strstr(orr_context_message(ctx), "the disk is full")) {
        fprintf(stderr, "%s: %s\n", orr_status_name(status), orr_context_message(ctx));
        return 12;
    }
    orr_context_free(ctx);
    return 0;
}

static void a_migration_that_fails_leaves_the_old_store(void **state) {
    (void)state;
    const char *path = files_path("half.db");
    assert_string_equal(raw(path, schema_1_store), "");
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(migrate_on_a_full_disk(path));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_string_equal(query(path, "PRAGMA user_version"), "1");
    assert_string_equal(query(path, "PRAGMA integrity_check"), "ok");
    assert_string_equal(query(path, "SELECT count(*) FROM pragma_table_info('experiments') WHERE name = 'seal'"), "0");
    orr_store_close(store_of(*state, path)); /* with room, it works */
    assert_string_equal(query(path, "PRAGMA user_version"), "3");
}

/* ---- seals ------------------------------------------------------------------------------------------------------ */

enum { CHAIN_MAX = 2048 };
static void netstring(char to[CHAIN_MAX], const char *text) {
    const size_t used = strlen(to);
    const int n = snprintf(to + used, CHAIN_MAX - used, "%zu:%s,", strlen(text), text);
    assert_true(n > 0 && (size_t)n < CHAIN_MAX - used);
}

/* The hash that docs/store.md describes, written out by hand. */
static void a_seal_is_the_hash_of_the_experiment_and_of_the_seal_before_it(void **state) {
    const char *path = files_path("chain.db");
    orr_store *store = store_of(*state, path);
    char previous[ORR_SHA256_SIZE] = "";
    for (int i = 1; i <= 2; i++) {
        static const char *const fields[] = { "SELECT opened_at FROM experiments ORDER BY id",
                                              "SELECT sealed_at FROM experiments ORDER BY id",
                                              "SELECT sha256 FROM predictions ORDER BY id",
                                              "SELECT sealed_at FROM predictions ORDER BY id" };
        char text[2048] = "", hash[ORR_SHA256_SIZE];
        (void)opened(*state, store, i == 1 ? "{\"a\":1}" : "{\"a\":2}");
        netstring(text, previous);
        netstring(text, "test");
        netstring(text, "quick");
        netstring(text, "name: test\n");
        netstring(text, ORR_VERSION);
        netstring(text, "a machine");
        netstring(text, query(path, fields[0]));
        netstring(text, query(path, fields[1]));
        (void)strcat(text, "1:2,2:gd,1:0,2:{},2:gd,1:1,2:{},1:1,17:edge-of-stability,");
        netstring(text, query(path, fields[2]));
        netstring(text, query(path, fields[3]));
        assert_ok(*state, orr_sha256(*state, text, strlen(text), hash));
        assert_string_equal(query(path, "SELECT seal FROM experiments ORDER BY id"), hash);
        memcpy(previous, hash, sizeof hash);
    }
    orr_store_close(store);
}

static void nobody_changes_what_is_sealed_or_finished(void **state) {
    const char *path = files_path("rules.db");
    orr_store *store = store_of(*state, path);
    char time[ORR_TIMESTAMP_SIZE];
    const double data[2] = { 1, 2 };
    const int64_t run = opened(*state, store, "{}");
    assert_ok(*state, orr_store_start_run(store, run, time));
    assert_ok(*state, orr_store_record(store, run, "loss", 0, 1.0));
    assert_ok(*state, orr_store_record_array(store, run, "w", 0, ORR_F64, &ORR_SHAPE(2), data));
    assert_ok(*state, orr_store_finish_run(store, run, "finished", 1, time));
    assert_ok(*state, orr_store_record(store, run + 1, "loss", 0, 1.0));
    orr_store_close(store);
    static const struct {
        const char *sql, *says;
    } rows[] = {
        { "UPDATE experiments SET seal = NULL", "sealed: this experiment" },
        { "UPDATE experiments SET seal = printf('%064d', 1)", "sealed: this experiment" },
        { "INSERT OR REPLACE INTO experiments (id, name, size, text, version, machine, opened_at) VALUES (1, '', '', "
          "'', '', "
          "'', '')",
          "sealed: this experiment" },
        { "INSERT OR REPLACE INTO runs (id, experiment_id, name, seed, settings) VALUES (1, 7, 'x', 7, '{}')",
          "sealed: what a run" },
        { "DELETE FROM runs WHERE id = 2", "sealed: a run goes only with its whole experiment" },
        { "DELETE FROM series WHERE run_id = 1", "what a finished run recorded can't be deleted" },
        { "DELETE FROM arrays", "what a finished run recorded can't be deleted" },
        { "INSERT OR REPLACE INTO series VALUES (1, 'loss', 0, 2.0)", "a recorded value can't be changed" },
        { "INSERT OR REPLACE INTO series VALUES (2, 'loss', 0, 2.0)", "a recorded value can't be changed" },
        { "INSERT OR REPLACE INTO arrays VALUES (1, 'w', 0, 'f64', '[0]', x'')", "a recorded array can't be changed" },
        { "UPDATE arrays SET data = x''", "a recorded array can't be changed" },
        { "UPDATE runs SET state = 'running' WHERE id = 1", "a finished run can't be changed" },
        { "UPDATE runs SET steps = 99 WHERE id = 1", "a finished run can't be changed" },
        { "INSERT INTO experiments (id, name, size, text, version, machine, opened_at) VALUES (5, '', '', '', '', '', "
          "'');"
          "UPDATE experiments SET sealed_at = 'now' WHERE id = 5",
          "an experiment is sealed with its hash" },
        { "DELETE FROM experiments WHERE id = 5", "" },
        { "DELETE FROM experiments WHERE id = 1", "" },
        { "DELETE FROM deletions", "sealed: what was deleted stays" },
        { "UPDATE deletions SET seal = printf('%064d', 1)", "sealed: what was deleted stays" },
        { "INSERT OR REPLACE INTO deletions VALUES (1, printf('%064d', 1), '')", "sealed: what was deleted stays" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = raw(path, rows[i].sql);
        if (!strstr(got, rows[i].says) || (!rows[i].says[0] && got[0]))
            fail_msg("%s\n  expected \"%s\", got \"%s\"", rows[i].sql, rows[i].says, got);
    }
    assert_string_equal(query(path, "SELECT (SELECT count(*) FROM series) + (SELECT count(*) FROM runs)"), "0");
    assert_string_equal(query(path, "SELECT count(*) FROM deletions WHERE experiment_id = 1"), "1");
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------ */

static void a_checkpoint_is_read_back_and_replaced_together_with_what_was_recorded(void **state) {
    const char *path = files_path("checkpoint.db");
    orr_store *store = store_of(*state, path);
    const int64_t run = opened(*state, store, "{}");
    const char first[] = "first\0state", second[] = "a second, longer state";
    const void *data;
    int64_t step;
    size_t bytes;
    assert_ok(*state, orr_store_checkpoint_of(store, arena, run, &step, &data, &bytes));
    assert_int_equal(step, -1);
    assert_int_equal(bytes, 0);
    assert_ok(*state, orr_store_record(store, run, "loss", 5, 1.5));
    assert_ok(*state, orr_store_checkpoint(store, run, 5, first, sizeof first));
    assert_string_equal(query(path, "SELECT count(*) FROM series"), "1"); /* it is on the disk already */
    assert_ok(*state, orr_store_checkpoint_of(store, arena, run, &step, &data, &bytes));
    assert_int_equal(step, 5);
    assert_int_equal(bytes, sizeof first);
    assert_memory_equal(data, first, bytes);
    assert_ok(*state, orr_store_checkpoint(store, run, 9, second, sizeof second));
    assert_ok(*state, orr_store_checkpoint_of(store, arena, run, &step, &data, &bytes));
    assert_int_equal(step, 9);
    assert_memory_equal(data, second, sizeof second);
    assert_ok(*state, orr_store_checkpoint(store, run + 1, 0, "", 0));
    assert_ok(*state, orr_store_checkpoint_of(store, arena, run + 1, &step, &data, &bytes));
    assert_int_equal(step, 0);
    assert_int_equal(bytes, 0);
    assert_int_equal(orr_store_checkpoint(store, run, 9, first, (size_t)1 << 30), ORR_EINPUT);
    orr_context_clear(*state);
    orr_store_close(store);
    assert_string_equal(query(path, "SELECT count(*) FROM checkpoints"), "2");
}

static void what_came_after_the_checkpoint_is_recorded_again_after_rewinding(void **state) {
    const char *path = files_path("rewind.db");
    orr_store *store = store_of(*state, path);
    const int64_t run = opened(*state, store, "{}");
    char time[ORR_TIMESTAMP_SIZE];
    const double data[2] = { 1, 2 };
    orr_series loss;
    for (int64_t i = 0; i < 10; i++) {
        assert_ok(*state, orr_store_record(store, run, "loss", i, (double)i));
        assert_ok(*state, orr_store_record(store, run + 1, "loss", i, (double)i));
        if (i % 3 == 0) assert_ok(*state, orr_store_record_array(store, run, "w", i, ORR_F64, &ORR_SHAPE(2), data));
        if (i == 4) assert_ok(*state, orr_store_checkpoint(store, run, i, "state", 5));
    }
    assert_ok(*state, orr_store_rewind(store, run, 4)); /* values that are pending still go as well */
    assert_ok(*state, orr_store_series(store, arena, run, "loss", &loss));
    assert_int_equal(loss.n, 5);
    assert_ok(*state, orr_store_series(store, arena, run + 1, "loss", &loss));
    assert_int_equal(loss.n, 10); /* another run's stay */
    assert_string_equal(query(path, "SELECT group_concat(step) FROM arrays"), "0,3");
    assert_string_equal(query(path, "SELECT count(*) FROM checkpoints"), "1");
    for (int64_t i = 5; i < 10; i++) {
        assert_ok(*state, orr_store_record(store, run, "loss", i, (double)i));
        if (i % 3 == 0) assert_ok(*state, orr_store_record_array(store, run, "w", i, ORR_F64, &ORR_SHAPE(2), data));
    }
    assert_ok(*state, orr_store_commit(store));
    assert_string_equal(query(path, "SELECT sum(value = step) FROM series WHERE run_id = 1"), "10");
    assert_ok(*state, orr_store_rewind(store, run, -1));
    assert_string_equal(query(path, "SELECT count(*) FROM series WHERE run_id = 1"), "0");
    assert_string_equal(query(path, "SELECT count(*) FROM checkpoints"), "0");
    assert_ok(*state, orr_store_finish_run(store, run + 1, "diverged", 10, time));
    assert_int_equal(orr_store_rewind(store, run + 1, -1), ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "run 2 is finished"));
    orr_context_clear(*state);
    assert_int_equal(orr_store_rewind(store, 77, -1), ORR_EINPUT);
    orr_context_clear(*state);
    orr_store_close(store);
    assert_string_equal(query(path, "SELECT count(*) FROM series WHERE run_id = 2"), "10");
}

/* ---- many writers ------------------------------------------------------------------------------------------------ */

enum { WRITERS = 64, VALUES = 20 };
static const char *shared_path;

static void *write_as_one_of_many(void *arg) {
    orr_context *ctx;
    orr_store *store = NULL;
    char time[ORR_TIMESTAMP_SIZE];
    const int64_t run = *(const int64_t *)arg;
    orr_status status = orr_context_new(&(orr_context_options){ .threads = 1 }, &ctx);
    if (status == ORR_OK) status = orr_store_open(ctx, shared_path, &store);
    if (status == ORR_OK) status = orr_store_start_run(store, run, time);
    for (int64_t i = 0; i < VALUES && status == ORR_OK; i++) {
        status = orr_store_record(store, run, "loss", i, (double)i);
        if (status == ORR_OK && i % 5 == 4) status = orr_store_checkpoint(store, run, i, time, sizeof time);
    }
    if (status == ORR_OK) status = orr_store_finish_run(store, run, "finished", VALUES, time);
    if (status != ORR_OK) fprintf(stderr, "%s\n", orr_context_message(ctx));
    orr_store_close(store);
    orr_context_free(ctx);
    return status == ORR_OK ? NULL : arg;
}

static void sixty_four_connections_write_at_once(void **state) {
    const char *path = files_path("many.db");
    orr_store_run runs[WRITERS];
    pthread_t threads[WRITERS];
    for (int i = 0; i < WRITERS; i++) runs[i] = (orr_store_run){ .name = "gd", .settings = "{}", .seed = i };
    orr_store_experiment e = { .name = "t", .size = "", .text = "", .machine = "", .runs = runs, .n_runs = WRITERS };
    orr_store *store = store_of(*state, path);
    assert_ok(*state, orr_store_open_experiment(store, &e));
    shared_path = path;
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_as_one_of_many, &runs[i].id), 0);
    int failed = 0;
    for (int i = 0; i < WRITERS; i++) {
        void *bad;
        assert_int_equal(pthread_join(threads[i], &bad), 0);
        failed += bad != NULL;
    }
    orr_store_close(store);
    assert_int_equal(failed, 0);
    assert_string_equal(query(path, "SELECT count(*) FROM series"), "1280");
    assert_string_equal(query(path, "SELECT count(*) FROM runs WHERE state = 'finished'"), "64");
    assert_string_equal(query(path, "SELECT count(*) FROM checkpoints WHERE step = 19"), "64");
}

static void *open_a_new_one(void *arg) {
    orr_context *ctx;
    orr_store *store = NULL;
    orr_status status = orr_context_new(&(orr_context_options){ .threads = 1 }, &ctx);
    if (status == ORR_OK) status = orr_store_open(ctx, shared_path, &store);
    if (status != ORR_OK) fprintf(stderr, "%s\n", orr_context_message(ctx));
    orr_store_close(store);
    orr_context_free(ctx);
    return status == ORR_OK ? NULL : arg;
}

static void many_may_make_or_migrate_one_store_at_once(void **state) {
    (void)state;
    for (int old = 0; old < 2; old++) {
        pthread_t threads[16];
        shared_path = files_path(old ? "race-old.db" : "race.db");
        if (old) assert_string_equal(raw(shared_path, schema_1_store), "");
        int failed = 0;
        for (int i = 0; i < 16; i++) assert_int_equal(pthread_create(&threads[i], NULL, open_a_new_one, threads), 0);
        for (int i = 0; i < 16; i++) {
            void *bad;
            assert_int_equal(pthread_join(threads[i], &bad), 0);
            failed += bad != NULL;
        }
        assert_int_equal(failed, 0);
        assert_string_equal(query(shared_path, "PRAGMA user_version"), "3");
    }
}

static orr_status whole_life(orr_context *ctx, void *arg) {
    (void)arg;
    orr_store *store = NULL;
    orr_arena *own = NULL;
    orr_store_run run = { .name = "gd", .settings = "{}" };
    orr_store_experiment e = { .name = "t", .size = "", .text = "", .machine = "", .runs = &run, .n_runs = 1 };
    const void *data;
    int64_t step;
    size_t bytes;
    orr_status status = orr_arena_new(ctx, &own);
    if (status == ORR_OK) status = orr_store_open(ctx, ":memory:", &store);
    if (status == ORR_OK) status = orr_store_open_experiment(store, &e);
    if (status == ORR_OK) status = orr_store_checkpoint(store, run.id, 1, "abc", 3);
    if (status == ORR_OK) status = orr_store_checkpoint_of(store, own, run.id, &step, &data, &bytes);
    if (status == ORR_OK) status = orr_store_rewind(store, run.id, 0);
    orr_store_close(store);
    orr_arena_free(own);
    return status;
}

static void running_out_of_memory_is_told_and_leaks_nothing(void **state) {
    (void)state;
    assert_true(fail_each_allocation(whole_life, NULL) > 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_of_schema_1_is_brought_up_with_all_that_it_held),
        cmocka_unit_test(a_migration_that_fails_leaves_the_old_store),
        cmocka_unit_test(a_seal_is_the_hash_of_the_experiment_and_of_the_seal_before_it),
        cmocka_unit_test(nobody_changes_what_is_sealed_or_finished),
        cmocka_unit_test(a_checkpoint_is_read_back_and_replaced_together_with_what_was_recorded),
        cmocka_unit_test(what_came_after_the_checkpoint_is_recorded_again_after_rewinding),
        cmocka_unit_test(sixty_four_connections_write_at_once),
        cmocka_unit_test(many_may_make_or_migrate_one_store_at_once),
        cmocka_unit_test(running_out_of_memory_is_told_and_leaks_nothing),
    };
    return cmocka_run_group_tests_name("store/schema", tests, setup, teardown);
}
