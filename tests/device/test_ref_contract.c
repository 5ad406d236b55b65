/* einsum and the convolutions against loops over every index at once, written from their equations. */
#include "launch.h"

/* ---- einsum --------------------------------------------------------------------------------------------------------
 */

enum { LETTERS = 26 };

/* "ij,jk->ik" as the attribute; a label is its letter's place, so that they are far apart too. */
static orr_attr_einsum parse(const char *text, char parts[3][ORR_RANK_MAX + 1]) {
    orr_attr_einsum e = { .rank_out = 0 };
    int part = 0, n = 0;
    memset(parts, 0, 3 * (ORR_RANK_MAX + 1));
    for (; *text; text++) {
        if (*text == ',' || *text == '>') part++, n = 0;
        else if (*text != '-') parts[part][n++] = *text;
    }
    for (int i = 0; parts[0][i]; i++) e.a[i] = (uint8_t)(parts[0][i] - 'a');
    for (int i = 0; parts[1][i]; i++) e.b[i] = (uint8_t)(parts[1][i] - 'a');
    for (int i = 0; parts[2][i]; i++) e.out[e.rank_out++] = (uint8_t)(parts[2][i] - 'a');
    return e;
}

static orr_shape shape_of(const char *letters, const int64_t *extent) {
    orr_shape s = { .rank = 0 };
    for (; *letters; letters++) s.size[s.rank++] = extent[*letters - 'a'];
    return s;
}

static int64_t place(const char *letters, const int64_t *extent, const int64_t *index) {
    int64_t i = 0;
    for (; *letters; letters++) i = i * extent[*letters - 'a'] + index[*letters - 'a'];
    return i;
}

/* Whole numbers of at most 8: exact sums. */
static void einsum_agrees_with_a_loop_over_all_labels(void **state) {
    fixture *f = *state;
    static const char *const equations[] = { "ij,jk->ik",       "ij,kj->ki",    "bij,bjk->bik", "i,j->ij",
                                             "i,j->ji",         "ij,ij->",      "ij,ji->",      "ij,ij->ij",
                                             "i,i->",           ",->",          ",ij->ji",      "ij,j->i",
                                             "bhid,bhjd->bhij", "zaij,zj->iaz", "abcd,dcba->",  "abcd,bc->da" };
    const int64_t extent[LETTERS] = { ['a' - 'a'] = 2, ['b' - 'a'] = 3, ['c' - 'a'] = 1,
                                      ['d' - 'a'] = 4, ['h' - 'a'] = 2, ['i' - 'a'] = 3,
                                      ['j' - 'a'] = 5, ['k' - 'a'] = 2, ['z' - 'a'] = 3 };
    for (size_t q = 0; q < sizeof equations / sizeof *equations; q++)
        for (orr_dtype t = ORR_F32; t <= ORR_F64; t++)
            for (int k = 0; k < LAYOUTS * LAYOUTS; k++) {
                char parts[3][ORR_RANK_MAX + 1];
                const orr_attr_einsum e = parse(equations[q], parts);
                const tensor a = pattern(f, t, shape_of(parts[0], extent), (layout)(k % LAYOUTS), 1);
                const tensor b = pattern(f, t, shape_of(parts[1], extent), (layout)(k / LAYOUTS), 2);
                const tensor out = blank(f, t, shape_of(parts[2], extent), (layout)((k + 1) % LAYOUTS));
                double expected[256] = { 0 };
                int64_t combinations = 1, used[LETTERS];
                for (int i = 0; i < LETTERS; i++) {
                    const char letter = (char)('a' + i);
                    used[i] = strchr(parts[0], letter) || strchr(parts[1], letter) ? extent[i] : 1;
                    combinations *= used[i];
                }
                for (int64_t c = 0; c < combinations; c++) {
                    int64_t index[LETTERS], rest = c;
                    for (int i = 0; i < LETTERS; i++) index[i] = rest % used[i], rest /= used[i];
                    expected[place(parts[2], extent, index)] +=
                        get(&a.view, place(parts[0], extent, index)) * get(&b.view, place(parts[1], extent, index));
                }
                assert_ok(f->ctx, launch(f, ORR_OP_einsum, &e, (const orr_view[]){ a.view, b.view }, 2, &out.view));
                for (int64_t i = 0; i < orr_shape_count(&out.view.shape); i++)
                    if (get(&out.view, i) != expected[i])
                        fail_msg("%s: element %d: got %g, expected %g", equations[q], (int)i, get(&out.view, i),
                                 expected[i]);
                assert_nothing_else_written(&out);
            }
}

static void a_contraction_over_nothing_is_0(void **state) {
    fixture *f = *state;
    const orr_attr_einsum e = { .a = { 0, 29 }, .b = { 29, 1 }, .out = { 0, 1 }, .rank_out = 2 };
    const orr_shape left = ORR_SHAPE(2, 0), right = ORR_SHAPE(0, 3), none = ORR_SHAPE(0, 5);
    for (orr_dtype t = ORR_F32; t <= ORR_F64; t++) {
        const orr_view a = orr_view_contiguous(t, &left), b = orr_view_contiguous(t, &right),
                       c = orr_view_contiguous(t, &none);
        const tensor out = blank(f, t, ORR_SHAPE(2, 3), GAPPED), w = pattern(f, t, ORR_SHAPE(5, 3), GAPPED, 1);
        assert_ok(f->ctx, launch(f, ORR_OP_einsum, &e, (const orr_view[]){ a, b }, 2, &out.view));
        for (int i = 0; i < 6; i++) assert_true(get(&out.view, i) == 0.0);
        assert_ok(f->ctx, launch(f, ORR_OP_einsum, &e, (const orr_view[]){ c, w.view }, 2, &b)); /* [0, 5] [5, 3] */
    }
}

/* 2^24 + 1 isn't a float, so that the ones would be lost in a float32 sum. */
static void float32_contractions_are_rounded_once(void **state) {
    fixture *f = *state;
    const orr_attr_einsum e = { .rank_out = 0 };
    const double x[] = { 0x1p24, 1, 1, 1, 1 }, ones[] = { 1, 1, 1, 1, 1 };
    const tensor a = filled(f, ORR_F32, ORR_SHAPE(5), CONTIGUOUS, x),
                 b = filled(f, ORR_F32, ORR_SHAPE(5), CONTIGUOUS, ones);
    const tensor out = blank(f, ORR_F32, ORR_SCALAR, CONTIGUOUS);
    assert_ok(f->ctx, launch(f, ORR_OP_einsum, &e, (const orr_view[]){ a.view, b.view }, 2, &out.view));
    assert_true(get(&out.view, 0) == 0x1p24 + 4);
}

/* ---- convolution ---------------------------------------------------------------------------------------------------
 */

typedef struct sizes {
    int32_t spatial;
    int64_t n, c, d, groups; /* channels in all */
    int64_t x[3], k[3], stride[3], low[3], high[3], dilation[3];
} sizes;

static int64_t extent_of(const sizes *s, int i) {
    return (s->x[i] + s->low[i] + s->high[i] - ((s->k[i] - 1) * s->dilation[i] + 1)) / s->stride[i] + 1;
}

static orr_shape with_spatial(const sizes *s, int64_t first, int64_t second, const int64_t *spatial) {
    orr_shape shape = { .rank = 2 + s->spatial, .size = { first, second } };
    for (int i = 0; i < s->spatial; i++) shape.size[2 + i] = spatial[i];
    return shape;
}

/* Adds to each of a, w, y (unless NULL) its partial derivative of
 *   T = sum over n, d, x, c, k of y[n, d, x] w[d, c, k] a[n, c', s x + r k - low]
 * one term after the other: scattering, where the kernels gather. */
static void add_derivatives(const sizes *s, const orr_view *a, const orr_view *w, const orr_view *y, double *abar,
                            double *wbar, double *ybar) {
    int64_t o[3] = { 1, 1, 1 }, x[3] = { 1, 1, 1 }, k[3] = { 1, 1, 1 };
    for (int i = 0; i < s->spatial; i++) o[i] = extent_of(s, i), x[i] = s->x[i], k[i] = s->k[i];
    const int64_t c_group = s->c / s->groups, outer = o[0] * o[1] * o[2], window = k[0] * k[1] * k[2];
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t d = 0; d < s->d; d++)
            for (int64_t c = 0; c < c_group; c++)
                for (int64_t i = 0; i < outer; i++)
                    for (int64_t j = 0; j < window; j++) {
                        const int64_t at[3] = { i / o[2] / o[1], i / o[2] % o[1], i % o[2] };
                        const int64_t in[3] = { j / k[2] / k[1], j / k[2] % k[1], j % k[2] };
                        int64_t p[3] = { 0 };
                        bool inside = true;
                        for (int q = 0; q < s->spatial; q++) {
                            p[q] = at[q] * s->stride[q] + in[q] * s->dilation[q] - s->low[q];
                            inside = inside && p[q] >= 0 && p[q] < x[q];
                        }
                        if (!inside) continue;
                        const int64_t c_all = d / (s->d / s->groups) * c_group + c;
                        const int64_t ia = (((n * s->c + c_all) * x[0] + p[0]) * x[1] + p[1]) * x[2] + p[2];
                        const int64_t iw = (d * c_group + c) * window + j, iy = (n * s->d + d) * outer + i;
                        if (ybar) ybar[iy] += get(w, iw) * get(a, ia);
                        if (abar) abar[ia] += get(w, iw) * get(y, iy);
                        if (wbar) wbar[iw] += get(y, iy) * get(a, ia);
                    }
}

static void assert_elements(const tensor *t, const double *expected, const char *what) {
    for (int64_t i = 0; i < orr_shape_count(&t->view.shape); i++)
        if (get(&t->view, i) != expected[i])
            fail_msg("%s: element %d: got %g, expected %g", what, (int)i, get(&t->view, i), expected[i]);
    assert_nothing_else_written(t);
}

/* Small whole numbers: exact in float32, in any order. */
static void convolutions_are_the_derivatives_of_their_trilinear_form(void **state) {
    fixture *f = *state;
    static const sizes rows[] = {
        { 1, 2, 3, 2, 1, { 7 }, { 3 }, { 1 }, { 0 }, { 0 }, { 1 } },
        { 1, 1, 2, 4, 2, { 9 }, { 2 }, { 3 }, { 2 }, { 1 }, { 2 } },
        { 1, 2, 1, 1, 1, { 3 }, { 5 }, { 1 }, { 1 }, { 2 }, { 1 } },
        { 1, 1, 2, 2, 1, { 5 }, { 1 }, { 4 }, { 0 }, { 0 }, { 1 } }, /* a stride that skips inputs */
        { 2, 2, 2, 3, 1, { 5, 4 }, { 3, 2 }, { 1, 1 }, { 1, 0 }, { 1, 1 }, { 1, 1 } },
        { 2, 1, 4, 6, 2, { 6, 5 }, { 2, 3 }, { 2, 1 }, { 0, 3 }, { 2, 0 }, { 3, 2 } },
        { 2, 2, 3, 3, 3, { 4, 4 }, { 3, 3 }, { 2, 3 }, { 1, 2 }, { 1, 2 }, { 1, 1 } },
        { 3, 1, 2, 2, 1, { 3, 4, 3 }, { 2, 2, 2 }, { 1, 2, 1 }, { 1, 0, 1 }, { 0, 1, 1 }, { 1, 1, 2 } },
        { 3, 2, 2, 4, 2, { 4, 3, 3 }, { 1, 3, 2 }, { 2, 1, 1 }, { 0, 2, 0 }, { 1, 0, 0 }, { 1, 1, 1 } },
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (orr_dtype t = ORR_F32; t <= ORR_F64; t++)
            for (int k = 0; k < LAYOUTS * LAYOUTS; k++) {
                const sizes *s = &rows[r];
                const layout la = (layout)(k % LAYOUTS), lb = (layout)(k / LAYOUTS), lo = (layout)((k + 1) % LAYOUTS);
                int64_t o[3] = { 0 };
                for (int i = 0; i < s->spatial; i++) o[i] = extent_of(s, i);
                orr_attr_convolve attr = { .how = { .groups = s->groups } };
                memcpy(attr.how.stride, s->stride, sizeof s->stride);
                memcpy(attr.how.low, s->low, sizeof s->low);
                memcpy(attr.how.high, s->high, sizeof s->high);
                memcpy(attr.how.dilation, s->dilation, sizeof s->dilation);
                const orr_shape sa = with_spatial(s, s->n, s->c, s->x),
                                sw = with_spatial(s, s->d, s->c / s->groups, s->k), sy = with_spatial(s, s->n, s->d, o);
                const tensor a = pattern(f, t, sa, la, 1), w = pattern(f, t, sw, lb, 2), y = pattern(f, t, sy, lb, 3);
                const tensor abar = blank(f, t, sa, lo), wbar = blank(f, t, sw, lo), ybar = blank(f, t, sy, lo);
                double ea[512] = { 0 }, ew[512] = { 0 }, ey[512] = { 0 };
                add_derivatives(s, &a.view, &w.view, &y.view, ea, ew, ey);

                assert_ok(f->ctx,
                          launch(f, ORR_OP_convolve, &attr, (const orr_view[]){ a.view, w.view }, 2, &ybar.view));
                assert_elements(&ybar, ey, "convolve");
                attr.shape = sa;
                assert_ok(f->ctx,
                          launch(f, ORR_OP_convolve_input, &attr, (const orr_view[]){ y.view, w.view }, 2, &abar.view));
                assert_elements(&abar, ea, "convolve_input");
                attr.shape = sw;
                assert_ok(f->ctx, launch(f, ORR_OP_convolve_kernel, &attr, (const orr_view[]){ a.view, y.view }, 2,
                                         &wbar.view));
                assert_elements(&wbar, ew, "convolve_kernel");
            }
}

/* [1 2 3 4] with [1 -1]: cross-correlation, as in the field; a true convolution would give the other sign. */
static void a_window_is_not_turned_around(void **state) {
    fixture *f = *state;
    const orr_attr_convolve attr = { .how = { .stride = { 1 }, .low = { 1 }, .dilation = { 1 }, .groups = 1 } };
    const double x[] = { 1, 2, 3, 4 }, window[] = { 1, -1 }, expected[] = { -1, -1, -1, -1 };
    const tensor a = filled(f, ORR_F64, ORR_SHAPE(1, 1, 4), CONTIGUOUS, x),
                 w = filled(f, ORR_F64, ORR_SHAPE(1, 1, 2), CONTIGUOUS, window);
    const tensor y = blank(f, ORR_F64, ORR_SHAPE(1, 1, 4), GAPPED);
    assert_ok(f->ctx, launch(f, ORR_OP_convolve, &attr, (const orr_view[]){ a.view, w.view }, 2, &y.view));
    assert_elements(&y, expected, "convolve");
}

static orr_view window_onto_nothing(orr_dtype t, orr_shape shape) { return orr_view_contiguous(t, &shape); }

static void a_convolution_over_nothing_is_0(void **state) {
    fixture *f = *state;
    orr_attr_convolve attr = { .how = { .stride = { 1 }, .dilation = { 1 }, .groups = 1 } };
    for (orr_dtype t = ORR_F32; t <= ORR_F64; t++) {
        const orr_view no_channels = window_onto_nothing(t, ORR_SHAPE(2, 0, 5)),
                       no_window = window_onto_nothing(t, ORR_SHAPE(3, 0, 2));
        const orr_view no_samples = window_onto_nothing(t, ORR_SHAPE(0, 2, 5)),
                       no_result = window_onto_nothing(t, ORR_SHAPE(0, 3, 4));
        const tensor y = blank(f, t, ORR_SHAPE(2, 3, 4), GAPPED), w = pattern(f, t, ORR_SHAPE(3, 2, 2), GAPPED, 1);
        const tensor wbar = blank(f, t, ORR_SHAPE(3, 2, 2), CONTIGUOUS);
        assert_ok(f->ctx, launch(f, ORR_OP_convolve, &attr, (const orr_view[]){ no_channels, no_window }, 2, &y.view));
        for (int i = 0; i < 24; i++) assert_true(get(&y.view, i) == 0.0);
        assert_ok(f->ctx, launch(f, ORR_OP_convolve, &attr, (const orr_view[]){ no_samples, w.view }, 2, &no_result));
        assert_ok(f->ctx,
                  launch(f, ORR_OP_convolve_input, &attr, (const orr_view[]){ no_result, w.view }, 2, &no_samples));
        assert_ok(f->ctx,
                  launch(f, ORR_OP_convolve_kernel, &attr, (const orr_view[]){ no_samples, no_result }, 2, &wbar.view));
        for (int i = 0; i < 12; i++) assert_true(get(&wbar.view, i) == 0.0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(einsum_agrees_with_a_loop_over_all_labels, setup, teardown),
        cmocka_unit_test_setup_teardown(a_contraction_over_nothing_is_0, setup, teardown),
        cmocka_unit_test_setup_teardown(float32_contractions_are_rounded_once, setup, teardown),
        cmocka_unit_test_setup_teardown(convolutions_are_the_derivatives_of_their_trilinear_form, setup, teardown),
        cmocka_unit_test_setup_teardown(a_window_is_not_turned_around, setup, teardown),
        cmocka_unit_test_setup_teardown(a_convolution_over_nothing_is_0, setup, teardown),
    };
    return cmocka_run_group_tests_name("ref_contract", tests, NULL, NULL);
}
