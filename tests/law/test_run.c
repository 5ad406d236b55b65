#include "law/law.h"
#include "law/run.h"

#include "failing.h"

/* What an outcome on the stack would hold if nobody wrote to it. */
__attribute__((noinline)) static void leave_dirt_on_the_stack(void) {
    volatile unsigned char dirt[8192];
    for (size_t i = 0; i < sizeof dirt; i++) dirt[i] = 0xA5;
}

static void an_outcome_is_empty_where_memory_is_out_at_once(void **state) {
    failing f = { .fail_at = -1, .for_good = true };
    const orr_allocator allocator = { failing_allocate, failing_release, &f };
    const orr_law *law = orr_law_at(0);
    orr_context *ctx;
    orr_arena *arena;
    orr_experiment experiment = { 0 };
    orr_law_outcome out;
    (void)state;
    assert_int_equal(orr_context_new(&(orr_context_options){ .allocator = &allocator, .hostile = true }, &ctx), ORR_OK);
    assert_ok(ctx, orr_arena_new(ctx, &arena));
    f.fail_at = f.made;
    while (orr_arena_take(arena, 1, 1)) continue; /* until there is no room */
    leave_dirt_on_the_stack();
    assert_int_equal(orr_law_run(ctx, arena, NULL, law, &experiment, NULL, &out), ORR_ENOMEM);
    assert_ptr_equal(out.law, law);
    assert_null(out.prediction);
    assert_string_equal(out.note, "");
    orr_arena_free(arena);
    orr_context_free(ctx);
    assert_int_equal(f.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(an_outcome_is_empty_where_memory_is_out_at_once) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
