#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
/* What the store keeps of an experiment, and what resuming makes of it. */
#include "laboratory.h"

#include "lab/stored.h"
#include "law/run.h"
#include "store/reopen.h"

static orr_arena *arena;

static int setup(void **state) {
    return context_setup(state) || files_setup() || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0;
}
static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

static const char text[] = "name: kept\narchitecture: { kind: mlp, widths: [3] }\n"
                           "data: { kind: csv, path: '%s', inputs: 'a, b', target: c }\ntask: mse\n"
                           "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 30\nobserve: [ { kind: loss, every: 10 } ]\n"
                           "# set: rule.learning_rate=9 (a comment of the user's own)\n";

static void changes_and_grouping_come_back_as_they_were(void **state) {
    static const char plain[] = "name: kept\narchitecture: { kind: mlp, widths: [3] }\ndata: gaussian\ntask: mse\n"
                                "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 30\n# set: steps=9";
    const char *const set[] = { "rule.learning_rate=0.5", "seeds=4" };
    const orr_experiment_options options = { .set = set, .n_set = 2 };
    orr_experiment e, again;
    orr_stored_notes notes = { .no_ensemble = true, .data = "abc" }, read;
    const char *kept;
    assert_ok(*state, orr_experiment_parse(*state, arena, "x", plain, strlen(plain), &options, &e));
    assert_ok(*state, orr_stored_text(*state, arena, &e, &notes, &kept));
    assert_ok(*state, orr_stored_parse(*state, arena, "x", kept, "", &again, &read));
    assert_int_equal(again.seeds, 4);
    assert_int_equal(again.points[0].steps, 30); /* a comment of the file is no change */
    assert_string_equal(again.points[0].json, e.points[0].json);
    assert_string_equal(again.text, plain);
    assert_true(read.no_ensemble);
    assert_string_equal(read.data, "abc");
    const char *const lines[] = { "notes=\"a\nb\"" };
    const orr_experiment_options broken = { .set = lines, .n_set = 1 };
    assert_ok(*state, orr_experiment_parse(*state, arena, "x", plain, strlen(plain), &broken, &e));
    assert_int_equal(orr_stored_text(*state, arena, &e, &notes, &kept), ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "--set 1: one line"));
    orr_context_clear(*state);
}

static const volatile sig_atomic_t stop_at_once = 1;

/* Opens it, is stopped before the first update, and resumes after the data are as `after` has them. */
static orr_status stopped_and_resumed(orr_context *ctx, const char *store_name, const char *after) {
    static const char before[] = "a,b,c\n1,2,3\n4,5,6\n7,8,10\n";
    char words[1024];
    orr_experiment e;
    orr_store *store;
    orr_laws_outcome out;
    const char *path = files_write("data.csv", before, sizeof before - 1);
    (void)snprintf(words, sizeof words, text, path);
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "kept.yaml", words, strlen(words), NULL, &e));
    assert_ok(ctx, orr_store_open(ctx, files_path(store_name), &store));
    const orr_law_options stop = { .stop = &stop_at_once, .train_anyway = true };
    assert_int_equal(orr_laws_run(ctx, arena, store, NULL, 0, &e, &stop, &out), ORR_EINTERRUPTED);
    orr_context_clear(ctx);
    (void)files_write("data.csv", after, strlen(after));
    const orr_law_options go = { .train_anyway = true };
    const orr_status status = orr_laws_resume(ctx, arena, store, 1, &go, &e, &out);
    if (status == ORR_OK) assert_int_equal(out.run[0].steps, 30);
    orr_store_close(store);
    return status;
}

static void a_run_resumes_on_its_data_and_refuses_others(void **state) {
    assert_ok(*state, stopped_and_resumed(*state, "same.db", "a,b,c\n1,2,3\n4,5,6\n7,8,10\n"));
    assert_int_equal(stopped_and_resumed(*state, "other.db", "a,b,c\n1,2,3\n4,5,6\n7,8,11\n"), ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "the data are not those that it was opened with"));
    orr_context_clear(*state);
}

/* The option of the command line reaches the runs, and the store says so. */
static void runs_that_were_asked_to_go_alone_are_marked_so(void **state) {
    static const char plain[] = "name: alone\narchitecture: { kind: mlp, widths: [3] }\ndata: gaussian\ntask: mse\n"
                                "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 3\nseeds: 2\n";
    for (int alone = 0; alone < 2; alone++) {
        orr_experiment e, again;
        orr_store *store;
        orr_laws_outcome out;
        orr_stored_experiment stored;
        orr_stored_notes notes;
        const orr_law_options options = { .train_anyway = true, .no_ensemble = alone == 1 };
        assert_ok(*state, orr_experiment_parse(*state, arena, "x", plain, strlen(plain), NULL, &e));
        assert_ok(*state, orr_store_open(*state, ":memory:", &store));
        assert_ok(*state, orr_laws_run(*state, arena, store, NULL, 0, &e, &options, &out));
        assert_ok(*state, orr_store_reopen(store, arena, out.experiment, &stored));
        assert_ok(*state, orr_stored_parse(*state, arena, "x", stored.text, "", &again, &notes));
        assert_int_equal(notes.no_ensemble, alone == 1);
        assert_int_equal(strlen(notes.data), 64);
        orr_store_close(store);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_and_grouping_come_back_as_they_were),
        cmocka_unit_test(runs_that_were_asked_to_go_alone_are_marked_so),
        cmocka_unit_test(a_run_resumes_on_its_data_and_refuses_others),
    };
    return cmocka_run_group_tests_name("lab/stored", tests, setup, teardown);
}
