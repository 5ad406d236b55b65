#include "device/ref/ref.h"
#include "launch.h"

/* Index of element i along each axis of a shape, and back. */
static void split(const orr_shape *shape, int64_t i, int64_t *index) {
    for (int32_t k = shape->rank - 1; k >= 0; k--) {
        index[k] = i % shape->size[k];
        i /= shape->size[k];
    }
}

static int64_t join(const orr_shape *shape, const int64_t *index) {
    int64_t i = 0;
    for (int32_t k = 0; k < shape->rank; k++) i = i * shape->size[k] + index[k];
    return i;
}

/* Every dtype and every pair of layouts: body sees dtypes[t], from and to. */
#define FOR_EACH_VIEW(t, from, to)                                                                                     \
    for (size_t t = 0; t < 4; t++)                                                                                     \
        for (layout from = CONTIGUOUS; from < LAYOUTS; from++)                                                         \
            for (layout to = CONTIGUOUS; to < LAYOUTS; to++)

static void fill_sets_every_element_in_its_type(void **state) {
    fixture *f = *state;
    static const double values[] = { 0.0, 1.0, -2.75, 0.1, 1e300 };
    FOR_EACH_VIEW(t, from, to) {
        (void)from;
        for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
            const double x = values[k];
            const double expected[] = { (double)(float)x, x, x > 1e9 ? (double)INT32_MAX : trunc(x),
                                        (double)(x != 0.0) };
            const tensor out = blank(f, dtypes[t], ORR_SHAPE(2, 3), to);
            orr_ref_fill(&out.view, x);
            for (int i = 0; i < 6; i++) assert_true(get(&out.view, i) == expected[t]); /* ORDER dtype */
            assert_nothing_else_written(&out);
        }
    }
}

static void iota_is_the_index_along_its_axis(void **state) {
    fixture *f = *state;
    const orr_shape shape = ORR_SHAPE(2, 3, 4);
    for (size_t t = 0; t < 3; t++)
        for (layout to = CONTIGUOUS; to < LAYOUTS; to++)
            for (int32_t axis = 0; axis < 3; axis++) {
                const tensor out = blank(f, dtypes[t], shape, to);
                orr_ref_iota(&out.view, axis);
                for (int64_t i = 0; i < 24; i++) {
                    int64_t index[3];
                    split(&shape, i, index);
                    assert_true(get(&out.view, i) == (double)index[axis]);
                }
                assert_nothing_else_written(&out);
            }
}

static void a_copy_moves_every_bit(void **state) {
    fixture *f = *state;
    FOR_EACH_VIEW(t, from, to) {
        const tensor a = pattern(f, dtypes[t], ORR_SHAPE(3, 1, 4), from, 3),
                     out = blank(f, dtypes[t], ORR_SHAPE(3, 1, 4), to);
        orr_ref_copy(&a.view, &out.view);
        for (int i = 0; i < 12; i++) assert_true(get(&out.view, i) == get(&a.view, i));
        assert_nothing_else_written(&out);
    }
    const double odd[] = { (double)NAN, -0.0 };
    const tensor a = filled(f, ORR_F64, ORR_SHAPE(2), CONTIGUOUS, odd),
                 out = blank(f, ORR_F64, ORR_SHAPE(2), CONTIGUOUS);
    orr_ref_copy(&a.view, &out.view);
    assert_memory_equal(out.view.data, a.view.data, 2 * sizeof(double));
    orr_ref_copy(&a.view, &a.view); /* onto itself */
    assert_memory_equal(out.view.data, a.view.data, 2 * sizeof(double));
}

static void a_reshape_keeps_row_major_order(void **state) {
    fixture *f = *state;
    const orr_shape shapes[] = { ORR_SHAPE(24), ORR_SHAPE(2, 3, 4), ORR_SHAPE(4, 6), ORR_SHAPE(1, 8, 1, 3) };
    FOR_EACH_VIEW(t, from, to)
    for (size_t p = 0; p < 4; p++)
        for (size_t q = 0; q < 4; q++) {
            const tensor a = pattern(f, dtypes[t], shapes[p], from, 1), out = blank(f, dtypes[t], shapes[q], to);
            assert_ok(f->ctx, launch(f, ORR_OP_reshape, &(orr_attr_shape){ shapes[q] }, &a.view, 1, &out.view));
            for (int64_t i = 0; i < 24; i++) assert_true(get(&out.view, i) == get(&a.view, i));
            assert_nothing_else_written(&out);
        }
}

static void a_broadcast_repeats_along_new_axes_and_those_of_extent_1(void **state) {
    fixture *f = *state;
    const orr_shape to_shape = ORR_SHAPE(2, 3, 4);
    const orr_shape shapes[] = { ORR_SCALAR,         ORR_SHAPE(4),       ORR_SHAPE(3, 1),
                                 ORR_SHAPE(2, 1, 1), ORR_SHAPE(1, 3, 4), ORR_SHAPE(2, 3, 4) };
    FOR_EACH_VIEW(t, from, to)
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const tensor a = pattern(f, dtypes[t], shapes[s], from, 1), out = blank(f, dtypes[t], to_shape, to);
        assert_ok(f->ctx, launch(f, ORR_OP_broadcast, &(orr_attr_shape){ to_shape }, &a.view, 1, &out.view));
        for (int64_t i = 0; i < 24; i++) {
            int64_t index[3], mine[3] = { 0 };
            split(&to_shape, i, index);
            const int32_t lead = 3 - shapes[s].rank;
            for (int32_t k = 0; k < shapes[s].rank; k++) mine[k] = shapes[s].size[k] == 1 ? 0 : index[k + lead];
            assert_true(get(&out.view, i) == get(&a.view, join(&shapes[s], mine)));
        }
        assert_nothing_else_written(&out);
    }
}

static void a_transpose_permutes_axes(void **state) {
    fixture *f = *state;
    const orr_shape shape = ORR_SHAPE(2, 3, 4);
    static const int32_t orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    FOR_EACH_VIEW(t, from, to)
    for (int o = 0; o < 6; o++) {
        orr_attr_transpose attr = { { 0 } };
        orr_shape turned = { .rank = 3 };
        for (int k = 0; k < 3; k++) attr.order[k] = orders[o][k], turned.size[k] = shape.size[orders[o][k]];
        const tensor a = pattern(f, dtypes[t], shape, from, 1), out = blank(f, dtypes[t], turned, to);
        assert_ok(f->ctx, launch(f, ORR_OP_transpose, &attr, &a.view, 1, &out.view));
        for (int64_t i = 0; i < 24; i++) {
            int64_t index[3], mine[3];
            split(&turned, i, index);
            for (int k = 0; k < 3; k++) mine[orders[o][k]] = index[k];
            assert_true(get(&out.view, i) == get(&a.view, join(&shape, mine)));
        }
        assert_nothing_else_written(&out);
    }
}

static void a_slice_takes_every_step_th_element(void **state) {
    fixture *f = *state;
    const orr_shape shape = ORR_SHAPE(2, 7, 3);
    static const int64_t rows[][3] = { { 0, 7, 1 }, { 1, 6, 2 }, { 0, 7, 3 }, { 6, 7, 1 },
                                       { 2, 2, 1 }, { 7, 7, 2 }, { 0, 1, 9 } };
    FOR_EACH_VIEW(t, from, to)
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const orr_attr_slice attr = { .start = rows[r][0], .stop = rows[r][1], .step = rows[r][2], .axis = 1 };
        orr_shape cut = shape;
        cut.size[1] = 0;
        for (int64_t i = attr.start; i < attr.stop; i += attr.step) cut.size[1]++;
        const tensor a = pattern(f, dtypes[t], shape, from, 1), out = blank(f, dtypes[t], cut, to);
        assert_ok(f->ctx, launch(f, ORR_OP_slice, &attr, &a.view, 1, &out.view));
        for (int64_t i = 0; i < orr_shape_count(&cut); i++) {
            int64_t index[3];
            split(&cut, i, index);
            index[1] = attr.start + index[1] * attr.step;
            assert_true(get(&out.view, i) == get(&a.view, join(&shape, index)));
        }
        assert_nothing_else_written(&out);
    }
}

static void a_pad_puts_zeros_around_and_between_and_cuts_where_negative(void **state) {
    fixture *f = *state;
    static const int64_t rows[][3] = {
        /* low, high, interior */
        { 0, 0, 0 },   { 1, 2, 0 },   { 0, 0, 2 },   { 2, 1, 1 },   { -1, 0, 0 },
        { 0, -2, 0 },  { -2, 3, 1 },  { 3, -1, 2 },  { -1, -1, 1 }, { -4, 0, 0 },
        { -10, 9, 2 }, { -9, -1, 2 }, { -7, 20, 1 }, { 5, -9, 0 },  { 9, -9, 0 },
    };
    FOR_EACH_VIEW(t, from, to)
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int64_t n = 0; n <= 4; n++) {
            const orr_attr_pad attr = { .low = rows[r][0], .high = rows[r][1], .interior = rows[r][2], .axis = 1 };
            const orr_shape shape = ORR_SHAPE(2, n, 3);
            orr_shape wide = shape;
            wide.size[1] = n + (n > 0 ? (n - 1) * attr.interior : 0) + attr.low + attr.high;
            if (wide.size[1] < 0) continue; /* refused when the graph is built */
            const tensor a = pattern(f, dtypes[t], shape, from, 1), out = blank(f, dtypes[t], wide, to);
            assert_ok(f->ctx, launch(f, ORR_OP_pad, &attr, &a.view, 1, &out.view));
            for (int64_t i = 0; i < orr_shape_count(&wide); i++) {
                int64_t index[3];
                split(&wide, i, index);
                double expected = 0.0;
                for (int64_t k = 0; k < n; k++)
                    if (attr.low + k * (attr.interior + 1) == index[1])
                        expected = get(&a.view, join(&shape, (const int64_t[]){ index[0], k, index[2] }));
                assert_true(get(&out.view, i) == expected);
            }
            assert_nothing_else_written(&out);
        }
}

static void a_concat_puts_its_parts_one_after_the_other(void **state) {
    fixture *f = *state;
    static const int64_t extents[] = { 2, 0, 3, 1 };
    FOR_EACH_VIEW(t, from, to)
    for (int32_t axis = 0; axis < 3; axis++) {
        tensor parts[4];
        orr_view args[4];
        orr_shape whole = ORR_SHAPE(2, 3, 2);
        whole.size[axis] = 0;
        for (int p = 0; p < 4; p++) {
            orr_shape shape = whole;
            shape.size[axis] = extents[p];
            parts[p] = pattern(f, dtypes[t], shape, (layout)(((int)from + p) % LAYOUTS), p);
            args[p] = parts[p].view;
        }
        whole.size[axis] = 6;
        const tensor out = blank(f, dtypes[t], whole, to);
        assert_ok(f->ctx, launch(f, ORR_OP_concat, &(orr_attr_concat){ axis }, args, 4, &out.view));
        for (int64_t i = 0; i < orr_shape_count(&whole); i++) {
            int64_t index[3];
            int p = 0;
            split(&whole, i, index);
            for (; index[axis] >= extents[p]; p++) index[axis] -= extents[p];
            assert_true(get(&out.view, i) == get(&args[p], join(&args[p].shape, index)));
        }
        assert_nothing_else_written(&out);
    }
}

static void nothing_moves_where_there_are_no_elements(void **state) {
    fixture *f = *state;
    const orr_shape none = ORR_SHAPE(2, 0), turned = ORR_SHAPE(0, 2), flat = ORR_SHAPE(0), more = ORR_SHAPE(3, 2, 0);
    const orr_view a = orr_view_contiguous(ORR_F32, &none),
                   b = orr_view_contiguous(ORR_F32, &turned); /* data is NULL */
    const orr_view c = orr_view_contiguous(ORR_F32, &flat), d = orr_view_contiguous(ORR_F32, &more);
    assert_ok(f->ctx, launch(f, ORR_OP_reshape, &(orr_attr_shape){ flat }, &a, 1, &c));
    assert_ok(f->ctx, launch(f, ORR_OP_broadcast, &(orr_attr_shape){ more }, &a, 1, &d));
    assert_ok(f->ctx, launch(f, ORR_OP_transpose, &(orr_attr_transpose){ { 1, 0 } }, &a, 1, &b));
    assert_ok(f->ctx, launch(f, ORR_OP_slice, &(orr_attr_slice){ .step = 1, .axis = 1 }, &a, 1, &a));
    assert_ok(f->ctx, launch(f, ORR_OP_pad, &(orr_attr_pad){ .axis = 1 }, &a, 1, &a));
    assert_ok(f->ctx, launch(f, ORR_OP_concat, &(orr_attr_concat){ 1 }, (const orr_view[]){ a, a }, 2, &a));
    orr_ref_fill(&a, 1.0);
    orr_ref_iota(&a, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fill_sets_every_element_in_its_type, setup, teardown),
        cmocka_unit_test_setup_teardown(iota_is_the_index_along_its_axis, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_moves_every_bit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reshape_keeps_row_major_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broadcast_repeats_along_new_axes_and_those_of_extent_1, setup, teardown),
        cmocka_unit_test_setup_teardown(a_transpose_permutes_axes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slice_takes_every_step_th_element, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pad_puts_zeros_around_and_between_and_cuts_where_negative, setup, teardown),
        cmocka_unit_test_setup_teardown(a_concat_puts_its_parts_one_after_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_moves_where_there_are_no_elements, setup, teardown),
    };
    return cmocka_run_group_tests_name("ref_movement", tests, NULL, NULL);
}
