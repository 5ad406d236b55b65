#include "failing.h"

static orr_status inner(orr_context *ctx) { return orr_fail(ctx, ORR_EIO, "data: %s: no such file", "a.gz"); }
static orr_status outer(orr_context *ctx) {
    ORR_TRY(ctx, inner(ctx));
    return ORR_OK;
}

static orr_status held(orr_context *ctx, bool *released) {
    orr_status status = ORR_OK;
    ORR_TRY_DONE(ctx, outer(ctx));
done:
    *released = true;
    return status;
}

static void the_first_message_is_the_one_kept(void **state) {
    orr_context *ctx = *state;
    assert_string_equal(orr_context_message(ctx), "");
    assert_int_equal(orr_fail(ctx, ORR_EINPUT, "first %d", 1), ORR_EINPUT);
    assert_int_equal(orr_fail(ctx, ORR_EIO, "second"), ORR_EIO);
    assert_string_equal(orr_context_message(ctx), "first 1");
    orr_context_clear(ctx);
    assert_string_equal(orr_context_message(ctx), "");
    (void)orr_fail(ctx, ORR_EIO, "third");
    assert_string_equal(orr_context_message(ctx), "third");
    orr_context_clear(ctx);
}

static void the_trace_names_each_line_passed(void **state) {
    orr_context *ctx = *state;
    bool released = false;
    assert_int_equal(held(ctx, &released), ORR_EIO);
    assert_true(released);
    assert_string_equal(orr_context_message(ctx), "data: a.gz: no such file");
    const char *trace = orr_context_trace(ctx);
    int lines = 0;
    for (const char *c = trace; *c; c++) lines += *c == '\n';
    assert_int_equal(lines, 2);
    assert_non_null(strstr(trace, "test_context.c:"));
    orr_context_clear(ctx);
    assert_string_equal(orr_context_trace(ctx), "");
}

static void long_messages_and_traces_are_cut_not_overrun(void **state) {
    orr_context *ctx = *state;
    char word[2 * ORR_MESSAGE_SIZE];
    memset(word, 'x', sizeof word);
    word[sizeof word - 1] = '\0';
    (void)orr_fail(ctx, ORR_EINPUT, "%s", word);
    const size_t length = strlen(orr_context_message(ctx));
    assert_int_equal(length, ORR_MESSAGE_SIZE - 1);
    for (int i = 0; i < 500; i++) (void)orr_passed(ctx, ORR_EINPUT, "some/file/with/a/long/name.c", i);
    assert_true(strlen(orr_context_trace(ctx)) < 500 * 28);
    orr_context_clear(ctx);
}

/* ORDER status: the rows of status.def stand in the order of the enum, so that a status indexes its words. */
static void every_status_of_the_enum_has_its_row(void **state) {
    (void)state;
    static const struct {
        orr_status status;
        const char *name;
        int exit_code;
    } expected[] = {
        { ORR_OK, "ORR_OK", 0 },
        { ORR_EINPUT, "ORR_EINPUT", 2 },
        { ORR_EIO, "ORR_EIO", 3 },
        { ORR_ENOMEM, "ORR_ENOMEM", 3 },
        { ORR_EBUSY, "ORR_EBUSY", 3 },
        { ORR_EINTERRUPTED, "ORR_EINTERRUPTED", 3 },
        { ORR_ENUMERIC, "ORR_ENUMERIC", 3 },
        { ORR_EINTERNAL, "ORR_EINTERNAL", 3 },
    };
    int rows = 0;
#define ORR_STATUS(name, exit_code, words) rows++;
#include "base/status.def"
#undef ORR_STATUS
    assert_int_equal(rows, sizeof expected / sizeof *expected);
    assert_int_equal(rows, ORR_EINTERNAL + 1); /* the enum's last */
    for (int i = 0; i < rows; i++) {
        assert_int_equal(expected[i].status, i);
        assert_string_equal(orr_status_name(expected[i].status), expected[i].name);
        assert_int_equal(orr_status_exit_code(expected[i].status), expected[i].exit_code);
        assert_true(strlen(orr_status_words(expected[i].status)) > 0);
    }
}

static void the_number_of_threads_is_the_one_asked_for(void **state) {
    (void)state;
    for (int threads = 1; threads <= 4; threads++) {
        orr_context *ctx;
        assert_int_equal(orr_context_new(&(orr_context_options){ .threads = threads }, &ctx), ORR_OK);
        assert_int_equal(orr_context_threads(ctx), threads);
        orr_context_free(ctx);
    }
    orr_context *ctx;
    assert_int_equal(orr_context_new(NULL, &ctx), ORR_OK);
    assert_true(orr_context_threads(ctx) >= 1);
    orr_context_free(ctx);
    assert_int_equal(orr_context_new(&(orr_context_options){ .threads = -1 }, &ctx), ORR_EINPUT);
    assert_null(ctx);
    orr_context_free(NULL);
}

static void allocations_are_counted_and_a_size_past_half_of_all_is_refused(void **state) {
    orr_context *ctx = *state;
    const int64_t before = orr_context_allocations(ctx);
    void *p = orr_allocate(ctx, 0), *q = orr_allocate(ctx, 65);
    assert_true(p && q && (uintptr_t)p % 64 == 0 && (uintptr_t)q % 64 == 0);
    assert_int_equal(orr_context_allocations(ctx), before + 2);
    assert_null(orr_allocate(ctx, SIZE_MAX - 8));
    orr_release(ctx, q);
    orr_release(ctx, p);
    orr_release(ctx, NULL);
}

static orr_status use_arena(orr_context *ctx, void *arg) {
    (void)arg;
    orr_arena *arena;
    orr_status status = ORR_OK;
    ORR_TRY(ctx, orr_arena_new(ctx, &arena));
    for (int64_t n = 1; n < 5000 && status == ORR_OK; n *= 3)
        if (!ORR_NEW(arena, double, n) || !orr_arena_format(arena, "%lld", (long long)n))
            status = orr_fail(ctx, ORR_ENOMEM, "test: %lld doubles", (long long)n);
    orr_arena_free(arena);
    return status;
}

static orr_status use_nothing(orr_context *ctx, void *arg) {
    (void)ctx, (void)arg;
    return ORR_OK;
}

static void each_allocation_may_fail_without_a_leak(void **state) {
    (void)state;
    const int64_t context_alone = fail_each_allocation(use_nothing, NULL);
    assert_true(context_alone >= 3); /* the context, its pool, the pool's workers */
    assert_true(fail_each_allocation(use_arena, NULL) > context_alone + 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_message_is_the_one_kept),
        cmocka_unit_test(the_trace_names_each_line_passed),
        cmocka_unit_test(long_messages_and_traces_are_cut_not_overrun),
        cmocka_unit_test(every_status_of_the_enum_has_its_row),
        cmocka_unit_test(the_number_of_threads_is_the_one_asked_for),
        cmocka_unit_test(allocations_are_counted_and_a_size_past_half_of_all_is_refused),
        cmocka_unit_test(each_allocation_may_fail_without_a_leak),
    };
    return cmocka_run_group_tests_name("base/context", tests, context_setup, context_teardown);
}
