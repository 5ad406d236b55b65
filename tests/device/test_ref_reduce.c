#include "launch.h"

#include <float.h>

/* The shape without the axes of a mask, and the row-major place that element i of the whole has in it. */
static orr_shape without(const orr_shape *shape, uint32_t axes) {
    orr_shape kept = { .rank = 0 };
    for (int32_t i = 0; i < shape->rank; i++)
        if (!(axes >> i & 1u)) kept.size[kept.rank++] = shape->size[i];
    return kept;
}

static int64_t place(const orr_shape *shape, uint32_t axes, int64_t i) {
    int64_t at = 0, scale = 1;
    for (int32_t k = shape->rank - 1; k >= 0; k--) {
        if (!(axes >> k & 1u)) {
            at += i % shape->size[k] * scale;
            scale *= shape->size[k];
        }
        i /= shape->size[k];
    }
    return at;
}

/* Small whole numbers: sums are exact in every type, in any order. */
static void reductions_over_any_axes_agree_with_a_loop(void **state) {
    fixture *f = *state;
    const orr_shape shape = ORR_SHAPE(3, 2, 4);
    for (size_t t = 0; t < 3; t++)
        for (uint32_t axes = 0; axes < 8; axes++)
            for (int k = 0; k < LAYOUTS * LAYOUTS; k++) {
                const orr_attr_reduce attr = { .axes = axes };
                const orr_shape kept = without(&shape, axes);
                const tensor a = pattern(f, dtypes[t], shape, (layout)(k % LAYOUTS), 5);
                const tensor total = blank(f, dtypes[t], kept, (layout)(k / LAYOUTS)),
                             top = blank(f, dtypes[t], kept, (layout)(k / LAYOUTS));
                double sum[24] = { 0 }, max[24];
                for (int i = 0; i < 24; i++) max[i] = (double)-INFINITY;
                for (int64_t i = 0; i < 24; i++) {
                    const int64_t j = place(&shape, axes, i);
                    sum[j] += get(&a.view, i);
                    max[j] = fmax(max[j], get(&a.view, i));
                }
                assert_ok(f->ctx, launch(f, ORR_OP_sum, &attr, &a.view, 1, &total.view));
                assert_ok(f->ctx, launch(f, ORR_OP_reduce_max, &attr, &a.view, 1, &top.view));
                for (int64_t i = 0; i < orr_shape_count(&kept); i++) {
                    assert_true(get(&total.view, i) == sum[i]);
                    assert_true(get(&top.view, i) == max[i]);
                }
                assert_nothing_else_written(&total);
                assert_nothing_else_written(&top);
            }
}

static double reduced(fixture *f, orr_op_code code, orr_dtype dtype, int64_t n, const double *values) {
    const tensor a = filled(f, dtype, ORR_SHAPE(n), CONTIGUOUS, values), out = blank(f, dtype, ORR_SCALAR, CONTIGUOUS);
    assert_ok(f->ctx, launch(f, code, &(orr_attr_reduce){ 1u }, &a.view, 1, &out.view));
    return get(&out.view, 0);
}

static void a_repeated_element_is_summed_as_often_as_it_stands(void **state) {
    fixture *f = *state;
    const tensor row = pattern(f, ORR_F64, ORR_SHAPE(4), GAPPED, 1), out = blank(f, ORR_F64, ORR_SHAPE(4), CONTIGUOUS);
    const orr_view a = { row.view.data, ORR_F64, ORR_SHAPE(1000, 4), { 0, row.view.stride[0] } };
    assert_ok(f->ctx, launch(f, ORR_OP_sum, &(orr_attr_reduce){ 1u }, &a, 1, &out.view));
    for (int i = 0; i < 4; i++) assert_true(get(&out.view, i) == 1000.0 * get(&row.view, i));
}

/* 2^24 + 1 isn't a float: added one by one in float32, the ones would be lost. */
static void float32_sums_are_rounded_once(void **state) {
    assert_true(reduced(*state, ORR_OP_sum, ORR_F32, 5, (const double[]){ 0x1p24, 1, 1, 1, 1 }) == 0x1p24 + 4);
    assert_true(reduced(*state, ORR_OP_sum, ORR_F32, 3, (const double[]){ 0x1p40, 1, -0x1p40 }) == 1.0);
    assert_true(reduced(*state, ORR_OP_sum, ORR_F32, 2, (const double[]){ (double)FLT_MAX, (double)FLT_MAX }) ==
                (double)INFINITY);
}

static void whole_sums_wrap(void **state) {
    const double a[] = { (double)INT32_MAX, 1, 5 };
    assert_true(reduced(*state, ORR_OP_sum, ORR_I32, 3, a) == (double)INT32_MIN + 5);
}

static void the_sum_over_nothing_is_0_and_the_maximum_the_least(void **state) {
    fixture *f = *state;
    for (size_t t = 0; t < 3; t++) {
        const double least = dtypes[t] == ORR_I32 ? (double)INT32_MIN : (double)-INFINITY;
        const orr_shape shape = ORR_SHAPE(2, 0, 3);
        const orr_view a = orr_view_contiguous(dtypes[t], &shape);
        const tensor out = blank(f, dtypes[t], ORR_SHAPE(2, 3), GAPPED);
        assert_ok(f->ctx, launch(f, ORR_OP_sum, &(orr_attr_reduce){ 2u }, &a, 1, &out.view));
        for (int i = 0; i < 6; i++) assert_true(get(&out.view, i) == 0.0);
        assert_ok(f->ctx, launch(f, ORR_OP_reduce_max, &(orr_attr_reduce){ 2u }, &a, 1, &out.view));
        for (int i = 0; i < 6; i++) assert_true(get(&out.view, i) == least);
        const orr_shape empty = ORR_SHAPE(0, 3);
        const orr_view none = orr_view_contiguous(dtypes[t], &empty); /* nothing asked for, of nothing */
        assert_ok(f->ctx, launch(f, ORR_OP_sum, &(orr_attr_reduce){ 1u }, &a, 1, &none));
        assert_ok(f->ctx, launch(f, ORR_OP_reduce_max, &(orr_attr_reduce){ 1u }, &a, 1, &none));
    }
}

static void a_nan_anywhere_makes_the_maximum_nan(void **state) {
    for (orr_dtype t = ORR_F32; t <= ORR_F64; t++)
        for (int i = 0; i < 3; i++) {
            double a[] = { 1, 3, 2 };
            assert_true(reduced(*state, ORR_OP_reduce_max, t, 3, a) == 3.0);
            a[i] = (double)NAN;
            assert_true(isnan(reduced(*state, ORR_OP_reduce_max, t, 3, a)));
            assert_true(isnan(reduced(*state, ORR_OP_sum, t, 3, a)));
        }
}

static void the_maximum_of_the_least_is_the_least(void **state) {
    assert_true(reduced(*state, ORR_OP_reduce_max, ORR_I32, 2, (const double[]){ INT32_MIN, INT32_MIN }) ==
                (double)INT32_MIN);
    assert_true(reduced(*state, ORR_OP_reduce_max, ORR_F64, 2, (const double[]){ (double)-INFINITY, -1e300 }) ==
                -1e300);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reductions_over_any_axes_agree_with_a_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(a_repeated_element_is_summed_as_often_as_it_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(float32_sums_are_rounded_once, setup, teardown),
        cmocka_unit_test_setup_teardown(whole_sums_wrap, setup, teardown),
        cmocka_unit_test_setup_teardown(the_sum_over_nothing_is_0_and_the_maximum_the_least, setup, teardown),
        cmocka_unit_test_setup_teardown(a_nan_anywhere_makes_the_maximum_nan, setup, teardown),
        cmocka_unit_test_setup_teardown(the_maximum_of_the_least_is_the_least, setup, teardown),
    };
    return cmocka_run_group_tests_name("ref_reduce", tests, NULL, NULL);
}
