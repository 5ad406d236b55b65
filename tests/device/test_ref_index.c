#include "launch.h"

/* [batch..., n, rest...] as three numbers. */
typedef struct sizes {
    int32_t n_batch, n_keys, n_rest;
    int64_t batch[2], keys[2], rest[2], extent;
} sizes;

static orr_shape shape_of(const sizes *s, bool keys, bool extent, bool rest) {
    orr_shape shape = { .rank = 0 };
    for (int i = 0; i < s->n_batch; i++) shape.size[shape.rank++] = s->batch[i];
    for (int i = 0; keys && i < s->n_keys; i++) shape.size[shape.rank++] = s->keys[i];
    if (extent) shape.size[shape.rank++] = s->extent;
    for (int i = 0; rest && i < s->n_rest; i++) shape.size[shape.rank++] = s->rest[i];
    return shape;
}

static int64_t product(int32_t n, const int64_t *sizes_) {
    int64_t count = 1;
    for (int i = 0; i < n; i++) count *= sizes_[i];
    return count;
}

static const sizes rows[] = {
    { 0, 1, 0, { 0 }, { 4 }, { 0 }, 5 },    { 0, 0, 1, { 0 }, { 0 }, { 3 }, 5 },
    { 0, 2, 1, { 0 }, { 2, 3 }, { 4 }, 3 }, { 1, 1, 1, { 2 }, { 4 }, { 3 }, 3 },
    { 1, 0, 2, { 3 }, { 0 }, { 2, 2 }, 4 }, { 2, 2, 2, { 2, 2 }, { 2, 3 }, { 3, 2 }, 3 },
    { 2, 1, 0, { 2, 3 }, { 2 }, { 0 }, 1 }, { 0, 1, 1, { 0 }, { 0 }, { 3 }, 5 },
    { 1, 1, 1, { 0 }, { 2 }, { 3 }, 5 },    { 0, 1, 1, { 0 }, { 3 }, { 0 }, 5 },
};

static tensor index_of(fixture *f, const sizes *s, layout how) {
    const tensor index = blank(f, ORR_I32, shape_of(s, true, false, false), how);
    for (int64_t i = 0; i < orr_shape_count(&index.view.shape); i++)
        put(&index.view, i, (double)((i * i + 2 * i + 1) % s->extent));
    return index;
}

static void gather_and_scatter_add_agree_with_loops_over_every_index(void **state) {
    fixture *f = *state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (size_t t = 0; t < 4; t++)
            for (int k = 0; k < LAYOUTS * LAYOUTS; k++) {
                const sizes *s = &rows[r];
                const layout la = (layout)(k % LAYOUTS), lo = (layout)(k / LAYOUTS);
                const orr_attr_index attr = { .extent = s->extent, .n_batch = s->n_batch };
                const tensor index = index_of(f, s, (layout)((k + 2) % LAYOUTS));
                const tensor lng = pattern(f, dtypes[t], shape_of(s, false, true, true), la, 1);
                const tensor listed = pattern(f, dtypes[t], shape_of(s, true, false, true), la, 2);
                const tensor got = blank(f, dtypes[t], listed.view.shape, lo),
                             added = blank(f, dtypes[t], lng.view.shape, lo);
                const int64_t nb = product(s->n_batch, s->batch), nk = product(s->n_keys, s->keys),
                              nr = product(s->n_rest, s->rest);
                double sums[256] = { 0 };

                assert_ok(f->ctx,
                          launch(f, ORR_OP_gather, &attr, (const orr_view[]){ lng.view, index.view }, 2, &got.view));
                if (dtypes[t] != ORR_BOOL)
                    assert_ok(f->ctx, launch(f, ORR_OP_scatter_add, &attr,
                                             (const orr_view[]){ listed.view, index.view }, 2, &added.view));
                for (int64_t b = 0; b < nb; b++)
                    for (int64_t i = 0; i < nk; i++)
                        for (int64_t j = 0; j < nr; j++) {
                            const int64_t v = (int64_t)get(&index.view, b * nk + i), at = (b * s->extent + v) * nr + j;
                            assert_true(get(&got.view, (b * nk + i) * nr + j) == get(&lng.view, at));
                            sums[at] += get(&listed.view, (b * nk + i) * nr + j);
                        }
                for (int64_t i = 0; dtypes[t] != ORR_BOOL && i < nb * s->extent * nr; i++)
                    assert_true(get(&added.view, i) == sums[i]);
                assert_nothing_else_written(&got);
                if (dtypes[t] != ORR_BOOL) assert_nothing_else_written(&added);
            }
}

static void scatter_add_adds_in_the_order_of_its_list(void **state) {
    fixture *f = *state;
    const double x[] = { 1, 0x1p24, 1, 1 },
                 at[] = { 1, 1, 1, 1 }; /* 1 + 2^24 is a tie that goes to 2^24, as do the rest */
    const tensor a = filled(f, ORR_F32, ORR_SHAPE(4), CONTIGUOUS, x),
                 index = filled(f, ORR_I32, ORR_SHAPE(4), CONTIGUOUS, at);
    const tensor out = blank(f, ORR_F32, ORR_SHAPE(3), CONTIGUOUS);
    const orr_attr_index attr = { .extent = 3 };
    assert_ok(f->ctx, launch(f, ORR_OP_scatter_add, &attr, (const orr_view[]){ a.view, index.view }, 2, &out.view));
    assert_true(get(&out.view, 0) == 0.0 && get(&out.view, 1) == 0x1p24 && get(&out.view, 2) == 0.0);
}

static void whole_sums_wrap(void **state) {
    fixture *f = *state;
    const double x[] = { (double)INT32_MAX, 2 }, at[] = { 0, 0 };
    const tensor a = filled(f, ORR_I32, ORR_SHAPE(2), CONTIGUOUS, x),
                 index = filled(f, ORR_I32, ORR_SHAPE(2), CONTIGUOUS, at);
    const tensor out = blank(f, ORR_I32, ORR_SHAPE(1), CONTIGUOUS);
    const orr_attr_index attr = { .extent = 1 };
    assert_ok(f->ctx, launch(f, ORR_OP_scatter_add, &attr, (const orr_view[]){ a.view, index.view }, 2, &out.view));
    assert_true(get(&out.view, 0) == (double)INT32_MIN + 1);
}

/* rest: 1, or 0 for rows without elements, whose indices are checked all the same. */
static void assert_refused(fixture *f, const double *at, int64_t extent, int64_t rest, const char *told) {
    const tensor index = filled(f, ORR_I32, ORR_SHAPE(2, 3), GAPPED, at),
                 lng = pattern(f, ORR_F32, ORR_SHAPE(2, extent, rest), CONTIGUOUS, 1);
    const tensor listed = pattern(f, ORR_F32, ORR_SHAPE(2, 3, rest), CONTIGUOUS, 1);
    const orr_attr_index attr = { .extent = extent, .n_batch = 1 };
    char expected[128];
    assert_int_equal(launch(f, ORR_OP_gather, &attr, (const orr_view[]){ lng.view, index.view }, 2, &listed.view),
                     ORR_EINPUT);
    snprintf(expected, sizeof expected, "gather: %s", told);
    assert_string_equal(orr_context_message(f->ctx), expected);
    orr_context_clear(f->ctx);
    assert_int_equal(launch(f, ORR_OP_scatter_add, &attr, (const orr_view[]){ listed.view, index.view }, 2, &lng.view),
                     ORR_EINPUT);
    snprintf(expected, sizeof expected, "scatter_add: %s", told);
    assert_string_equal(orr_context_message(f->ctx), expected);
    orr_context_clear(f->ctx);
}

static void an_index_out_of_range_is_refused_with_its_position(void **state) {
    for (int64_t rest = 0; rest < 2; rest++) {
        assert_refused(*state, (const double[]){ 0, 1, 4, 2, 7, 9 }, 5, rest,
                       "index 7 at position 4 is outside 0 to 4");
        assert_refused(*state, (const double[]){ 0, 5, 4, 2, 0, 0 }, 5, rest,
                       "index 5 at position 1 is outside 0 to 4");
        assert_refused(*state, (const double[]){ 0, 0, 0, 0, 0, -1 }, 5, rest,
                       "index -1 at position 5 is outside 0 to 4");
        assert_refused(*state, (const double[]){ INT32_MIN, 0, 0, 0, 0, 0 }, 1, rest,
                       "index -2147483648 at position 0 is outside 0 to 0");
        assert_refused(*state, (const double[]){ 0, 0, 0, 0, 0, 0 }, 0, rest,
                       "index 0 at position 0 of an axis that has no elements");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gather_and_scatter_add_agree_with_loops_over_every_index, setup, teardown),
        cmocka_unit_test_setup_teardown(scatter_add_adds_in_the_order_of_its_list, setup, teardown),
        cmocka_unit_test_setup_teardown(whole_sums_wrap, setup, teardown),
        cmocka_unit_test_setup_teardown(an_index_out_of_range_is_refused_with_its_position, setup, teardown),
    };
    return cmocka_run_group_tests_name("ref_index", tests, NULL, NULL);
}
