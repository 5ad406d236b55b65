#include "testing.h"

#include "base/array.h"
#include "base/words.h"
#include "failing.h"
#include "file/refused.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) == 0 && orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1; }

static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static orr_array reals(orr_context *ctx, const double *x, int n) {
    orr_array a;
    assert_ok(ctx, orr_array_new(ctx, arena, "x", ORR_F64, ORR_SHAPE(n), &a));
    memcpy(a.data, x, (size_t)n * sizeof *x);
    return a;
}

static void a_cast_keeps_every_value_or_names_the_one_it_would_lose(void **state) {
    orr_context *ctx = *state;
    orr_array b;
    static const double whole[3] = { -2147483648.0, 0, 2147483647.0 }, bits[2] = { 0, 1 };
    orr_array a = reals(ctx, whole, 3);
    assert_ok(ctx, orr_array_cast(ctx, arena, "here", &a, ORR_I32, &b));
    for (int i = 0; i < 3; i++) assert_close(orr_array_value(&b, i), whole[i], 0);
    orr_array i32 = b;
    assert_refused(
        ctx, orr_array_cast(ctx, arena, "here", &i32, ORR_F32, &b), ORR_EINPUT,
        "here: array 'x', element 2: ", "expected a whole number that a float holds exactly (as f32), met 2147483647");
    assert_ok(ctx, orr_array_cast(ctx, arena, "here", &i32, ORR_F64, &b));
    assert_close(orr_array_value(&b, 2), 2147483647.0, 0);
    a = reals(ctx, bits, 2);
    assert_ok(ctx, orr_array_cast(ctx, arena, "here", &a, ORR_BOOL, &b));
    assert_close(orr_array_value(&b, 1), 1, 0);
    assert_ok(ctx, orr_array_cast(ctx, arena, "here", &a, ORR_F64, &b));
    assert_ptr_equal(a.data, b.data);
#define REFUSED(value, dtype, says)                                                                                    \
    a = reals(ctx, &(double){ value }, 1);                                                                             \
    assert_refused(ctx, orr_array_cast(ctx, arena, "here", &a, dtype, &b), ORR_EINPUT,                                 \
                   "here: array 'x', element 0: ", says)
    REFUSED(0.5, ORR_I32, "expected a whole number from -2^31 to 2^31 - 1 (as i32), met 0.5");
    REFUSED(2147483648.0, ORR_I32, "met 2147483648");
    REFUSED((double)NAN, ORR_I32, "met nan");
    REFUSED(2, ORR_BOOL, "expected 0 or 1 (as bool), met 2");
    REFUSED(1e39, ORR_F32, "expected a number within +-3.4e38 (as f32)");
    REFUSED(0x1.ffffffp127, ORR_F32, "expected a number within");
#undef REFUSED
    a = reals(ctx, (const double[]){ 0x1.fffffefffffffp127, (double)INFINITY, 0.1 }, 3);
    assert_ok(ctx, orr_array_cast(ctx, arena, "here", &a, ORR_F32, &b));
    assert_close(orr_array_value(&b, 0), 0x1.fffffep127, 0); /* FLT_MAX: below half a place more */
    assert_close(orr_array_value(&b, 1), INFINITY, 0);
    assert_close(orr_array_value(&b, 2), (double)0.1f, 0);
}

static void bytes_are_counted_without_overflow(void **state) {
    (void)state;
    int64_t n = -1;
    assert_true(orr_element_bytes(ORR_ELEMENT_F64, &ORR_SHAPE(3, 5), &n) && n == 120);
    assert_true(orr_element_bytes(ORR_ELEMENT_F16, &ORR_SCALAR, &n) && n == 2);
    assert_true(orr_element_bytes(ORR_ELEMENT_I64, &ORR_SHAPE(0, 1000), &n) && n == 0);
    assert_false(orr_element_bytes(ORR_ELEMENT_U8, &ORR_SHAPE(INT64_MAX), &n));
    assert_false(orr_element_bytes(ORR_ELEMENT_U8, &ORR_SHAPE(0, INT64_MAX, INT64_MAX), &n));
    assert_false(orr_element_bytes(ORR_ELEMENT_F64, &ORR_SHAPE(INT64_C(1) << 32, INT64_C(1) << 32), &n));
}

static void words_are_numbered_by_first_appearance(void **state) {
    (void)state;
    orr_words words = orr_words_new(arena);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 5000; i++) {
            char text[16];
            const int n = snprintf(text, sizeof text, "w%d", i * 7919 % 5000);
            assert_int_equal(orr_words_add(&words, text, (size_t)n), i);
        }
    assert_int_equal(words.n, 5000);
    assert_int_equal(words.word[4999].count, 3);
    assert_string_equal(words.word[1].text, "w2919");
    assert_int_equal(orr_words_add(&words, "", 0), 5000);
    assert_int_equal(orr_words_add(&words, "a\0b", 3), 5001);
    assert_int_equal(orr_words_add(&words, "a", 1), 5002);
    assert_int_equal(words.word[5001].length, 3);
}

static orr_status use_words(orr_context *ctx, void *arg) {
    (void)arg;
    orr_arena *own;
    orr_status status = orr_arena_new(ctx, &own);
    if (status != ORR_OK) return status;
    orr_words words = orr_words_new(own);
    for (int i = 0; i < 2000 && status == ORR_OK; i++)
        if (orr_words_add(&words, &i, sizeof i) != i) status = orr_fail(ctx, ORR_ENOMEM, "words");
    orr_array a = { "x", ORR_F64, ORR_SCALAR, &(double){ 3 } }, b, c;
    if (status == ORR_OK) status = orr_array_cast(ctx, own, "here", &a, ORR_I32, &b);
    if (status == ORR_OK && orr_arrays_find(ctx, "here", &(orr_arrays){ &a, 1 }, "y", &c) == ORR_ENOMEM)
        status = ORR_ENOMEM;
    orr_arena_free(own);
    return status;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    assert_true(fail_each_allocation(use_words, NULL) > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cast_keeps_every_value_or_names_the_one_it_would_lose),
        cmocka_unit_test(bytes_are_counted_without_overflow),
        cmocka_unit_test(words_are_numbered_by_first_appearance),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("base/array", tests, setup, teardown);
}
