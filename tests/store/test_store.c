#define _GNU_SOURCE /* RLIMIT, kill */
#include "testing.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "failing.h"
#include "files.h"
#include "raw.h"
#include "store/store.h"

static orr_arena *arena;

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

/* An experiment with two runs and one prediction. */
static orr_store_run two_runs[2];
static orr_store_prediction one_prediction;

static orr_store_experiment experiment(void) {
    two_runs[0] = (orr_store_run){ .name = "gd", .settings = "{}", .seed = 0 };
    two_runs[1] = (orr_store_run){ .name = "gd", .settings = "{}", .seed = 1 };
    one_prediction = (orr_store_prediction){ .law = "edge-of-stability", .text = "{\"threshold\":20.0}" };
    return (orr_store_experiment){ .name = "test",
                                   .size = "quick",
                                   .text = "name: test\n",
                                   .machine = "a machine",
                                   .runs = two_runs,
                                   .n_runs = 2,
                                   .predictions = &one_prediction,
                                   .n_predictions = 1 };
}

static orr_store *opened(orr_context *ctx, const char *path, orr_store_experiment *e) {
    orr_store *store;
    assert_ok(ctx, orr_store_open(ctx, path, &store));
    *e = experiment();
    assert_ok(ctx, orr_store_open_experiment(store, e));
    return store;
}

static void a_prediction_is_sealed_with_its_hash_before_the_runs_start(void **state) {
    const char *path = files_path("seal.db");
    orr_store_experiment e;
    orr_store *store = opened(*state, path, &e);
    char started_at[ORR_TIMESTAMP_SIZE], hash[ORR_SHA256_SIZE], *text;
    assert_ok(*state, orr_store_start_run(store, e.runs[0].id, started_at));
    assert_true(strcmp(one_prediction.sealed_at, started_at) < 0); /* ISO 8601 sorts by time */
    assert_int_equal(strlen(started_at), 27);
    assert_string_equal(query(path, "SELECT sha256 FROM predictions"), one_prediction.sha256);
    assert_ok(*state, orr_sha256(*state, one_prediction.text, strlen(one_prediction.text), hash));
    assert_string_equal(hash, one_prediction.sha256);
    assert_ok(*state, orr_store_prediction_of(store, arena, e.id, "edge-of-stability", &text, hash));
    assert_string_equal(text, one_prediction.text);
    assert_int_equal(orr_store_prediction_of(store, arena, e.id, "another", &text, hash), ORR_EINPUT);
    orr_context_clear(*state);
    orr_store_close(store);
}

/* The triggers stand in the file, so that no program can move a sealed prediction, ours or another. */
static void nothing_sealed_can_be_added_or_changed_by_anyone(void **state) {
    const char *path = files_path("sealed.db");
    orr_store_experiment e;
    orr_store_close(opened(*state, path, &e));
    static const struct {
        const char *sql, *says;
    } rows[] = {
        { "INSERT INTO predictions (experiment_id, law, text, sha256, sealed_at) VALUES (1, 'late', '{}', "
          "'0000000000000000000000000000000000000000000000000000000000000000', '')",
          "sealed: predictions are written only" },
        { "INSERT OR REPLACE INTO predictions (id, experiment_id, law, text, sha256, sealed_at) VALUES (1, 1, "
          "'edge-of-stability', "
          "'{}', '0000000000000000000000000000000000000000000000000000000000000000', '')",
          "sealed: predictions are written only" },
        { "UPDATE predictions SET text = '{\"threshold\":21.0}'", "sealed: a prediction can't be changed" },
        { "DELETE FROM predictions", "sealed: a prediction goes only with its whole experiment" },
        { "UPDATE experiments SET sealed_at = NULL", "sealed: this experiment" },
        { "UPDATE experiments SET text = ''", "sealed: this experiment" },
        { "INSERT INTO runs (experiment_id, name, seed, settings) VALUES (1, 'x', 7, '{}')",
          "sealed: a run can't join" },
        { "UPDATE runs SET seed = 5", "sealed: what a run was opened with" },
        { "INSERT INTO series VALUES (99, 'loss', 0, 1.0)", "nothing is recorded before" },
        { "INSERT INTO verdicts (experiment_id, law, rank, metric, verdict, seeds, note, judged_at) VALUES (77, 'l', "
          "0, 'm', "
          "'HOLDS', '[]', '', '')",
          "FOREIGN KEY" },
        { "UPDATE runs SET state = 'resting'", "CHECK" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = raw(path, rows[i].sql);
        if (!strstr(got, rows[i].says)) fail_msg("%s\n  expected \"%s\", got \"%s\"", rows[i].sql, rows[i].says, got);
    }
    assert_string_equal(query(path, "SELECT text FROM predictions"), "{\"threshold\":20.0}");
    /* a whole experiment may go, with all that hangs on it */
    assert_string_equal(raw(path, "DELETE FROM experiments"), "");
    assert_string_equal(query(path, "SELECT (SELECT count(*) FROM predictions) + (SELECT count(*) FROM runs)"), "0");
}

static void nothing_is_recorded_before_the_seal(void **state) {
    const char *path = files_path("early.db");
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, path, &store));
    orr_store_close(store);
    assert_string_equal(raw(path,
                            "INSERT INTO experiments (id, name, size, text, version, machine, opened_at) VALUES (1, "
                            "'x', 'q', '', '', '', '');"
                            "INSERT INTO runs (id, experiment_id, name, seed, settings) VALUES (1, 1, 'x', 0, '{}')"),
                        "");
    assert_non_null(strstr(raw(path, "INSERT INTO series VALUES (1, 'loss', 0, 1.0)"), "nothing is recorded before"));
}

static void what_is_recorded_is_read_back_to_the_bit(void **state) {
    const char *path = files_path("series.db");
    orr_store_experiment e;
    orr_store *store = opened(*state, path, &e);
    const double values[] = { 0.1, 1.0 / 3.0, 0x1p-1070, -0x1.fffffffffffffp1023, (double)INFINITY, (double)NAN };
    orr_series series;
    for (int64_t i = 5; i >= 0; i--)
        assert_ok(*state, orr_store_record(store, e.runs[1].id, "loss", 50 * i, values[i]));
    assert_ok(*state, orr_store_record(store, e.runs[0].id, "loss", 0, 7.0));
    assert_ok(*state, orr_store_series(store, arena, e.runs[1].id, "loss", &series));
    assert_int_equal(series.n, 6);
    for (int64_t i = 0; i < 6; i++) {
        assert_close(series.x[i], 50.0 * (double)i, 0);
        assert_true(series.y[i] == values[i] || (isnan(series.y[i]) && isnan(values[i])));
    }
    assert_ok(*state, orr_store_series(store, arena, e.runs[0].id, "sharpness", &series));
    assert_int_equal(series.n, 0);
    orr_store_close(store);
    assert_string_equal(raw(path, "UPDATE series SET value = 0"), "a recorded value can't be changed");
}

static void arrays_and_verdicts_are_kept(void **state) {
    const char *path = files_path("arrays.db");
    orr_store_experiment e;
    orr_store *store = opened(*state, path, &e);
    const double data[6] = { 1, 2, 3, 4, 5, 6 };
    const orr_store_verdict verdicts[] = {
        { .law = "edge-of-stability",
          .metric = "r",
          .verdict = "HOLDS",
          .note = "",
          .seeds = "[0,1]",
          .rank = 0,
          .value = 1.04,
          .tolerance = { 0.97, 1.08 },
          .interval = { 1.03, 1.05 } },
        { .law = "edge-of-stability",
          .metric = "crossing",
          .verdict = "FAILS",
          .note = "late",
          .seeds = "[0,1]",
          .rank = 1,
          .value = (double)NAN,
          .tolerance = { -(double)INFINITY, 100 },
          .interval = { (double)NAN, (double)NAN } },
    };
    assert_ok(*state, orr_store_record_array(store, e.runs[0].id, "hessian", 3, ORR_F64, &ORR_SHAPE(2, 3), data));
    assert_ok(*state, orr_store_record_array(store, e.runs[0].id, "nothing", 3, ORR_F64, &ORR_SHAPE(0), data));
    assert_ok(*state, orr_store_judge(store, e.id, verdicts, 2));
    orr_store_close(store);
    assert_string_equal(query(path, "SELECT shape || dtype || length(data) FROM arrays WHERE name = 'hessian'"),
                        "[2,3]f6448");
    assert_string_equal(query(path, "SELECT shape || length(data) FROM arrays WHERE name = 'nothing'"), "[0]0");
    assert_string_equal(query(path, "SELECT group_concat(verdict, ' ') FROM verdicts ORDER BY rank"), "HOLDS FAILS");
    assert_string_equal(query(path, "SELECT value FROM verdicts WHERE rank = 1"), "NULL");
}

static void refused(orr_context *ctx, const char *path, orr_status status, const char *says) {
    orr_store *store;
    const orr_status got = orr_store_open(ctx, path, &store);
    const char *message = orr_context_message(ctx);
    if (got != status || !strstr(message, says) || strchr(message, '\n') || !strstr(message, path))
        fail_msg("expected %s with \"%s\", got %s: %s", orr_status_name(status), says, orr_status_name(got), message);
    assert_null(store);
    orr_context_clear(ctx);
}

static void a_file_that_is_no_store_is_refused_and_left_alone(void **state) {
    char text[5000];
    size_t n;
    memset(text, 'x', sizeof text);
    const char *path = files_write("text.db", text, sizeof text);
    refused(*state, path, ORR_EINPUT, "is not a store of Orrery");
    unsigned char *after = files_read(path, &n);
    assert_int_equal(n, sizeof text);
    assert_memory_equal(after, text, n);
    free(after);
    path = files_path("other.db");
    assert_string_equal(raw(path, "CREATE TABLE songs (title TEXT)"), "");
    refused(*state, path, ORR_EINPUT, "a database of another program");
    path = files_path("newer.db");
    orr_store_experiment e;
    orr_store_close(opened(*state, path, &e));
    assert_string_equal(raw(path, "PRAGMA user_version = 4"), "");
    refused(*state, path, ORR_EINPUT, "was written by a newer Orrery (schema 4, this one knows 3)");
    refused(*state, files_folder, ORR_EINPUT, "can't be opened");
    refused(*state, files_path("no/such/folder.db"), ORR_EINPUT, "can't be opened");
}

static void a_damaged_store_is_told(void **state) {
    const char *path = files_path("damaged.db");
    orr_store_experiment e;
    orr_store_close(opened(*state, path, &e));
    size_t n;
    unsigned char *bytes = files_read(path, &n);
    assert_true(n > 3 * 4096);
    memset(bytes + 100, 0xff, 3996); /* the first page: the list of tables */
    path = files_write("damaged2.db", bytes, n);
    free(bytes);
    refused(*state, path, ORR_EIO, "the file is damaged");
}

static void a_read_only_file_or_folder_is_told(void **state) {
    const char *path = files_path("locked/store.db");
    if (geteuid() == 0) skip(); /* root writes everywhere; the command line's test does it as another user */
    assert_int_equal(mkdir(files_path("locked"), 0555), 0);
    refused(*state, path, ORR_EIO, "can't be opened");
}

/* In a child, since limits and locks of files belong to a process. */
static int in_child(int (*body)(void)) {
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(body());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int hold_the_lock(void) {
    sqlite3 *db;
    if (sqlite3_open(files_path("busy.db"), &db) != SQLITE_OK) return 1;
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) return 2;
    FILE *f = fopen(files_path("held"), "w");
    if (!f) return 3;
    fclose(f);
    for (int i = 0; i < 200 && access(files_path("release"), F_OK) != 0; i++) usleep(100000);
    return sqlite3_close(db) == SQLITE_BUSY ? 0 : 0;
}

static void a_store_that_another_process_writes_is_told_after_some_patience_and_nothing_is_lost(void **state) {
    const char *path = files_path("busy.db");
    char keep[512];
    (void)snprintf(keep, sizeof keep, "%s", path);
    orr_store_experiment e;
    orr_store *store = opened(*state, keep, &e);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(hold_the_lock());
    for (int i = 0; i < 100 && access(files_path("held"), F_OK) != 0; i++) usleep(20000);
    assert_ok(*state, orr_store_record(store, e.runs[0].id, "loss", 0, 1.0));
    assert_int_equal(orr_store_commit(store), ORR_EBUSY);
    assert_non_null(strstr(orr_context_message(*state), "another process is writing to it"));
    orr_context_clear(*state);
    (void)files_write("release", "", 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_ok(*state, orr_store_commit(store));
    orr_store_close(store);
    assert_string_equal(query(keep, "SELECT count(*) FROM series"), "1");
}

/* RLIMIT_FSIZE stands for a full disk: writes beyond 256 KiB fail. */
static int fill_the_disk(void) {
    orr_context *ctx;
    orr_store *store;
    orr_status status = ORR_OK;
    if (orr_context_new(NULL, &ctx) != ORR_OK || orr_store_open(ctx, files_path("full.db"), &store) != ORR_OK)
        return 10;
    orr_store_experiment e = experiment();
    if (orr_store_open_experiment(store, &e) != ORR_OK) return 11;
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 256 << 10, 256 << 10 }) != 0) return 12;
    for (int64_t i = 0; i < 100000 && status == ORR_OK; i++) {
        status = orr_store_record(store, e.runs[0].id, "loss", i, 1.0);
        if (status == ORR_OK && i % 500 == 499) status = orr_store_commit(store);
    }
    if (status != ORR_EIO || !strstr(orr_context_message(ctx), "the disk is full")) {
        fprintf(stderr, "%s: %s\n", orr_status_name(status), orr_context_message(ctx));
        return 13;
    }
    orr_store_close(store); /* tries once more, without luck */
    orr_context_free(ctx);
    return 0;
}

static void a_full_disk_is_told_and_what_was_committed_is_safe(void **state) {
    (void)state;
    assert_int_equal(in_child(fill_the_disk), 0);
    const char *path = files_path("full.db");
    assert_string_equal(query(path, "PRAGMA integrity_check"), "ok");
    assert_true(atoi(query(path, "SELECT count(*) FROM series")) >= 500);
    assert_string_equal(query(path, "SELECT count(*) % 500 FROM series"), "0");
}

static int record_until_killed(void) {
    orr_context *ctx;
    orr_store *store;
    if (orr_context_new(NULL, &ctx) != ORR_OK || orr_store_open(ctx, files_path("killed.db"), &store) != ORR_OK)
        return 10;
    orr_store_experiment e = experiment();
    if (orr_store_open_experiment(store, &e) != ORR_OK) return 11;
    for (int64_t i = 0;; i++) {
        if (orr_store_record(store, e.runs[0].id, "loss", i, (double)i) != ORR_OK) return 12;
        if (i % 100 == 99) {
            if (orr_store_commit(store) != ORR_OK) return 13;
            FILE *f = fopen(files_path("progress"), "w"); /* what is known to be safe */
            if (!f) return 14;
            fprintf(f, "%lld", (long long)(i + 1));
            fclose(f);
        }
    }
}

static void killing_the_writer_loses_nothing_that_was_committed(void **state) {
    (void)state;
    for (int round = 0; round < 5; round++) {
        (void)unlink(files_path("killed.db"));
        (void)unlink(files_path("progress"));
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) _exit(record_until_killed());
        for (int i = 0; i < 500 && access(files_path("progress"), F_OK) != 0; i++) usleep(10000);
        usleep((useconds_t)(7000 * (round + 1)));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        size_t n;
        unsigned char *safe = files_read(files_path("progress"), &n);
        const int64_t safe_steps = atoll((const char *)safe),
                      kept = atoll(query(files_path("killed.db"), "SELECT count(*) FROM series"));
        free(safe);
        if (kept < safe_steps) fail_msg("%lld steps were safe, %lld are left", (long long)safe_steps, (long long)kept);
        assert_int_equal(kept % 100, 0);
        assert_string_equal(query(files_path("killed.db"), "SELECT sum(value <> step) FROM series"), "0");
        assert_string_equal(query(files_path("killed.db"), "SELECT count(*) FROM predictions"), "1");
        assert_string_equal(query(files_path("killed.db"), "PRAGMA integrity_check"), "ok");
    }
}

static void a_reader_does_not_block_the_writer(void **state) {
    const char *path = files_path("reader.db");
    orr_store_experiment e;
    orr_store *store = opened(*state, path, &e);
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT * FROM runs", -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW); /* a read is under way */
    assert_ok(*state, orr_store_record(store, e.runs[0].id, "loss", 0, 1.0));
    assert_ok(*state, orr_store_commit(store));
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    orr_store_close(store);
}

static orr_status whole_life(orr_context *ctx, void *arg) {
    (void)arg;
    orr_store *store = NULL;
    orr_arena *own = NULL;
    orr_store_experiment e = experiment();
    orr_series series;
    orr_status status = orr_arena_new(ctx, &own);
    if (status == ORR_OK) status = orr_store_open(ctx, ":memory:", &store);
    if (status == ORR_OK) status = orr_store_open_experiment(store, &e);
    if (status == ORR_OK) status = orr_store_record(store, e.runs[0].id, "loss", 0, 1.0);
    if (status == ORR_OK) status = orr_store_series(store, own, e.runs[0].id, "loss", &series);
    orr_store_close(store);
    orr_arena_free(own);
    return status;
}

static void running_out_of_memory_is_told_and_leaks_nothing(void **state) {
    (void)state;
    assert_true(fail_each_allocation(whole_life, NULL) > 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prediction_is_sealed_with_its_hash_before_the_runs_start),
        cmocka_unit_test(nothing_sealed_can_be_added_or_changed_by_anyone),
        cmocka_unit_test(nothing_is_recorded_before_the_seal),
        cmocka_unit_test(what_is_recorded_is_read_back_to_the_bit),
        cmocka_unit_test(arrays_and_verdicts_are_kept),
        cmocka_unit_test(a_file_that_is_no_store_is_refused_and_left_alone),
        cmocka_unit_test(a_damaged_store_is_told),
        cmocka_unit_test(a_read_only_file_or_folder_is_told),
        cmocka_unit_test(a_store_that_another_process_writes_is_told_after_some_patience_and_nothing_is_lost),
        cmocka_unit_test(a_full_disk_is_told_and_what_was_committed_is_safe),
        cmocka_unit_test(killing_the_writer_loses_nothing_that_was_committed),
        cmocka_unit_test(a_reader_does_not_block_the_writer),
        cmocka_unit_test(running_out_of_memory_is_told_and_leaks_nothing),
    };
    return cmocka_run_group_tests_name("store/store", tests, setup, teardown);
}
