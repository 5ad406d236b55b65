#include "device/ref/ref.h"
#include "launch.h"

#include <float.h>

/* One op on scalars of a type. */
static double apply(fixture *f, orr_op_code code, orr_dtype dtype, orr_dtype to, int32_t n, double a, double b) {
    const tensor x = filled(f, dtype, ORR_SCALAR, CONTIGUOUS, &a), y = filled(f, dtype, ORR_SCALAR, CONTIGUOUS, &b);
    const tensor out = blank(f, to, ORR_SCALAR, CONTIGUOUS);
    const orr_view args[] = { x.view, y.view };
    const orr_attr_cast attr = { .dtype = to };
    assert_ok(f->ctx, launch(f, code, code == ORR_OP_cast ? &attr : NULL, args, n, &out.view));
    return get(&out.view, 0);
}

static double apply_i32(fixture *f, orr_op_code code, int32_t a, int32_t b) {
    return apply(f, code, ORR_I32, ORR_I32, 2, (double)a, (double)b);
}

/* ---- floats: against long double, which has 64 bits of mantissa here -----------------------------------------------
 */

static long double sigmoid(long double a) { return 1 / (1 + expl(-a)); }
static long double minus(long double a) { return -a; }
static long double sign_of(long double a) { return a > 0 ? 1 : a < 0 ? -1 : 0; }
static long double sum(long double a, long double b) { return a + b; }
static long double difference(long double a, long double b) { return a - b; }
static long double product(long double a, long double b) { return a * b; }
static long double quotient(long double a, long double b) { return a / b; }
static long double larger(long double a, long double b) { return a > b ? a : b; }
static long double smaller(long double a, long double b) { return a < b ? a : b; }

static const double points[] = { -87.25, -3.5, -2.0, -1.0, -0.875, -0x1p-20, 0.0,  0x1p-20,
                                 0.125,  0.5,  1.0,  1.5,  2.0,    3.25,     20.0, 80.5 };
enum { N_POINTS = sizeof points / sizeof *points };

/* glibc states at most 4 units in the last place for these; sigmoid adds a sum and a quotient to exp. */
static const double ulps = 4.0;

static void check(const char *name, orr_dtype dtype, double got, long double expected, double a, double b) {
    const double unit = dtype == ORR_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    const double least = dtype == ORR_F32 ? (double)FLT_MIN : DBL_MIN; /* subnormal results are rounded to this unit */
    const double e = dtype == ORR_F32 ? (double)(float)expected : (double)expected;
    if ((isnan(e) && isnan(got)) || e == got) return;
    if (!(fabs(got - e) <= ulps * unit * fmax(fabs(e), least)))
        fail_msg("%s %s(%.17g, %.17g): got %.17g, expected %.17g", orr_dtype_name(dtype), name, a, b, got, e);
}

static void functions_of_one_float_agree_with_long_double(void **state) {
    static const struct {
        const char *name;
        orr_op_code code;
        long double (*f)(long double);
    } rows[] = {
        { "neg", ORR_OP_neg, minus },      { "exp", ORR_OP_exp, expl },
        { "expm1", ORR_OP_expm1, expm1l }, { "log", ORR_OP_log, logl },
        { "log1p", ORR_OP_log1p, log1pl }, { "sqrt", ORR_OP_sqrt, sqrtl },
        { "sin", ORR_OP_sin, sinl },       { "cos", ORR_OP_cos, cosl },
        { "tanh", ORR_OP_tanh, tanhl },    { "sigmoid", ORR_OP_sigmoid, sigmoid },
        { "erf", ORR_OP_erf, erfl },       { "abs", ORR_OP_abs, fabsl },
        { "sign", ORR_OP_sign, sign_of },  { "floor", ORR_OP_floor, floorl },
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int i = 0; i < N_POINTS; i++)
            for (orr_dtype t = ORR_F32; t <= ORR_F64; t++) {
                const double got = apply(*state, rows[r].code, t, t, 1, points[i], 0.0);
                check(rows[r].name, t, got, rows[r].f((long double)points[i]), points[i], 0.0);
            }
}

static void functions_of_two_floats_agree_with_long_double(void **state) {
    static const struct {
        const char *name;
        orr_op_code code;
        long double (*f)(long double, long double);
    } rows[] = {
        { "add", ORR_OP_add, sum },      { "sub", ORR_OP_sub, difference }, { "mul", ORR_OP_mul, product },
        { "div", ORR_OP_div, quotient }, { "pow", ORR_OP_pow, powl },       { "max", ORR_OP_max, larger },
        { "min", ORR_OP_min, smaller },
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int i = 0; i < N_POINTS; i++)
            for (int j = 0; j < N_POINTS; j++)
                for (orr_dtype t = ORR_F32; t <= ORR_F64; t++) {
                    const double got = apply(*state, rows[r].code, t, t, 2, points[i], points[j]);
                    const long double e = rows[r].f((long double)points[i], (long double)points[j]);
                    check(rows[r].name, t, got, e, points[i], points[j]);
                }
}

static void limits_and_nan_follow_ieee_754(void **state) {
    for (orr_dtype t = ORR_F32; t <= ORR_F64; t++) {
        const double inf = (double)INFINITY, nan = (double)NAN;
        assert_true(apply(*state, ORR_OP_log, t, t, 1, 0.0, 0.0) == -inf);
        assert_true(isnan(apply(*state, ORR_OP_log, t, t, 1, -1.0, 0.0)));
        assert_true(isnan(apply(*state, ORR_OP_sqrt, t, t, 1, -1.0, 0.0)));
        assert_true(apply(*state, ORR_OP_exp, t, t, 1, -inf, 0.0) == 0.0);
        assert_true(apply(*state, ORR_OP_exp, t, t, 1, 1e4, 0.0) == inf);
        assert_true(apply(*state, ORR_OP_sigmoid, t, t, 1, -inf, 0.0) == 0.0);
        assert_true(apply(*state, ORR_OP_sigmoid, t, t, 1, -1e4, 0.0) == 0.0);
        assert_true(apply(*state, ORR_OP_sigmoid, t, t, 1, 1e4, 0.0) == 1.0);
        assert_true(apply(*state, ORR_OP_tanh, t, t, 1, inf, 0.0) == 1.0);
        assert_true(apply(*state, ORR_OP_erf, t, t, 1, -inf, 0.0) == -1.0);
        assert_true(apply(*state, ORR_OP_div, t, t, 2, -1.0, 0.0) == -inf);
        assert_true(isnan(apply(*state, ORR_OP_div, t, t, 2, 0.0, 0.0)));
        assert_true(apply(*state, ORR_OP_pow, t, t, 2, 0.0, 0.0) == 1.0);
        assert_true(apply(*state, ORR_OP_pow, t, t, 2, -2.0, 3.0) == -8.0);
        assert_true(isnan(apply(*state, ORR_OP_pow, t, t, 2, -2.0, 0.5)));
        assert_true(isnan(apply(*state, ORR_OP_sign, t, t, 1, nan, 0.0)));
        assert_true(apply(*state, ORR_OP_floor, t, t, 1, -0.25, 0.0) == -1.0);
    }
}

static void max_and_min_are_nan_where_either_is(void **state) {
    const double nan = (double)NAN;
    for (orr_dtype t = ORR_F32; t <= ORR_F64; t++)
        for (int i = 0; i < 3; i++) {
            const double a = i == 0 ? 1.0 : nan, b = i == 1 ? 1.0 : nan;
            assert_true(isnan(apply(*state, ORR_OP_max, t, t, 2, a, b)));
            assert_true(isnan(apply(*state, ORR_OP_min, t, t, 2, a, b)));
        }
}

static void comparisons_order_numbers_and_are_false_of_nan(void **state) {
    const double nan = (double)NAN;
    for (orr_dtype t = ORR_F32; t <= ORR_I32; t++)
        for (int a = -1; a <= 1; a++)
            for (int b = -1; b <= 1; b++) {
                assert_true(apply(*state, ORR_OP_lt, t, ORR_BOOL, 2, a, b) == (double)(a < b));
                assert_true(apply(*state, ORR_OP_le, t, ORR_BOOL, 2, a, b) == (double)(a <= b));
                assert_true(apply(*state, ORR_OP_eq, t, ORR_BOOL, 2, a, b) == (double)(a == b));
            }
    for (orr_dtype t = ORR_F32; t <= ORR_F64; t++)
        for (int i = 0; i < 3; i++) {
            const double a = i == 0 ? 1.0 : nan, b = i == 1 ? 1.0 : nan;
            assert_true(apply(*state, ORR_OP_lt, t, ORR_BOOL, 2, a, b) == 0.0);
            assert_true(apply(*state, ORR_OP_le, t, ORR_BOOL, 2, a, b) == 0.0);
            assert_true(apply(*state, ORR_OP_eq, t, ORR_BOOL, 2, a, b) == 0.0);
        }
}

static void is_finite_tells_numbers_from_infinities_and_nan(void **state) {
    for (orr_dtype t = ORR_F32; t <= ORR_F64; t++) {
        const double largest = t == ORR_F32 ? (double)FLT_MAX : DBL_MAX;
        assert_true(apply(*state, ORR_OP_is_finite, t, ORR_BOOL, 1, largest, 0.0) == 1.0);
        assert_true(apply(*state, ORR_OP_is_finite, t, ORR_BOOL, 1, 0.0, 0.0) == 1.0);
        assert_true(apply(*state, ORR_OP_is_finite, t, ORR_BOOL, 1, (double)-INFINITY, 0.0) == 0.0);
        assert_true(apply(*state, ORR_OP_is_finite, t, ORR_BOOL, 1, (double)NAN, 0.0) == 0.0);
    }
}

/* ---- whole numbers and booleans ------------------------------------------------------------------------------------
 */

static void whole_numbers_wrap(void **state) {
    assert_true(apply_i32(*state, ORR_OP_add, INT32_MAX, 1) == (double)INT32_MIN);
    assert_true(apply_i32(*state, ORR_OP_sub, INT32_MIN, 1) == (double)INT32_MAX);
    assert_true(apply_i32(*state, ORR_OP_mul, 65536, 65536) == 0.0);
    assert_true(apply_i32(*state, ORR_OP_mul, INT32_MIN, -1) == (double)INT32_MIN);
    assert_true(apply(*state, ORR_OP_neg, ORR_I32, ORR_I32, 1, (double)INT32_MIN, 0.0) == (double)INT32_MIN);
    assert_true(apply(*state, ORR_OP_abs, ORR_I32, ORR_I32, 1, (double)INT32_MIN, 0.0) == (double)INT32_MIN);
    assert_true(apply(*state, ORR_OP_abs, ORR_I32, ORR_I32, 1, -7.0, 0.0) == 7.0);
    assert_true(apply(*state, ORR_OP_neg, ORR_I32, ORR_I32, 1, -7.0, 0.0) == 7.0);
    for (int a = -1; a <= 1; a++) assert_true(apply(*state, ORR_OP_sign, ORR_I32, ORR_I32, 1, 9.0 * a, 0.0) == a);
}

static void whole_division_goes_towards_zero_and_has_no_exceptions(void **state) {
    static const int32_t rows[][4] = {
        /* a, b, a / b, a rem b */
        { 7, 2, 3, 1 },
        { -7, 2, -3, -1 },
        { 7, -2, -3, 1 },
        { -7, -2, 3, -1 },
        { 5, 0, 0, 0 },
        { 0, 0, 0, 0 },
        { INT32_MIN, -1, 0, 0 },
        { INT32_MIN, 0, 0, 0 },
        { 5, -1, -5, 0 },
        { INT32_MIN, 1, INT32_MIN, 0 },
        { INT32_MIN, 2, INT32_MIN / 2, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(apply_i32(*state, ORR_OP_div, rows[i][0], rows[i][1]) == (double)rows[i][2]);
        assert_true(apply_i32(*state, ORR_OP_rem, rows[i][0], rows[i][1]) == (double)rows[i][3]);
    }
}

static void max_and_min_of_whole_numbers_reach_the_ends(void **state) {
    assert_true(apply_i32(*state, ORR_OP_max, INT32_MIN, INT32_MAX) == (double)INT32_MAX);
    assert_true(apply_i32(*state, ORR_OP_min, INT32_MIN, INT32_MAX) == (double)INT32_MIN);
    assert_true(apply_i32(*state, ORR_OP_max, -3, -4) == -3.0);
}

static void booleans_follow_their_truth_tables_and_any_byte_but_0_is_true(void **state) {
    for (int a = 0; a < 3; a++) {
        assert_true(apply(*state, ORR_OP_not, ORR_BOOL, ORR_BOOL, 1, a, 0.0) == (double)(a == 0));
        for (int b = 0; b < 3; b++) {
            assert_true(apply(*state, ORR_OP_and, ORR_BOOL, ORR_BOOL, 2, a, b) == (double)(a > 0 && b > 0));
            assert_true(apply(*state, ORR_OP_or, ORR_BOOL, ORR_BOOL, 2, a, b) == (double)(a > 0 || b > 0));
            assert_true(apply(*state, ORR_OP_eq, ORR_BOOL, ORR_BOOL, 2, a, b) == (double)((a > 0) == (b > 0)));
        }
    }
}

/* ---- types that differ ---------------------------------------------------------------------------------------------
 */

static void casts_go_towards_zero_and_saturate(void **state) {
    const double inf = (double)INFINITY, nan = (double)NAN, low = (double)INT32_MIN, high = (double)INT32_MAX;
    const struct {
        orr_dtype from, to;
        double a, expected;
    } rows[] = {
        { ORR_F64, ORR_I32, 2.75, 2 },
        { ORR_F64, ORR_I32, -2.75, -2 },
        { ORR_F64, ORR_I32, -0.5, 0 },
        { ORR_F64, ORR_I32, high, high },
        { ORR_F64, ORR_I32, high + 0.5, high },
        { ORR_F64, ORR_I32, high + 1, high },
        { ORR_F64, ORR_I32, high - 0.5, high - 1 },
        { ORR_F64, ORR_I32, low, low },
        { ORR_F64, ORR_I32, low - 0.5, low },
        { ORR_F64, ORR_I32, low + 0.5, low + 1 },
        { ORR_F64, ORR_I32, 1e300, high },
        { ORR_F64, ORR_I32, -inf, low },
        { ORR_F64, ORR_I32, nan, 0 },
        { ORR_F32, ORR_I32, 2147483648.0, high },
        { ORR_F32, ORR_I32, -2147483648.0, low },
        { ORR_F32, ORR_I32, 2147483520.0, 2147483520.0 },
        { ORR_F32, ORR_I32, inf, high },
        { ORR_F32, ORR_I32, nan, 0 },
        { ORR_F32, ORR_I32, -1.5, -1 },
        { ORR_F64, ORR_BOOL, 0.0, 0 },
        { ORR_F64, ORR_BOOL, -0.0, 0 },
        { ORR_F64, ORR_BOOL, 1e-300, 1 },
        { ORR_F64, ORR_BOOL, nan, 1 },
        { ORR_F32, ORR_BOOL, -2.0, 1 },
        { ORR_F32, ORR_BOOL, 0.0, 0 },
        { ORR_I32, ORR_BOOL, low, 1 },
        { ORR_I32, ORR_BOOL, 0, 0 },
        { ORR_I32, ORR_F32, 16777217.0, 16777216.0 },
        { ORR_I32, ORR_F64, low, low },
        { ORR_BOOL, ORR_F32, 2, 1 },
        { ORR_BOOL, ORR_F64, 1, 1 },
        { ORR_BOOL, ORR_I32, 2, 1 },
        { ORR_BOOL, ORR_I32, 0, 0 },
        { ORR_F64, ORR_F32, 0.1, (double)0.1f },
        { ORR_F64, ORR_F32, 1e300, inf },
        { ORR_F64, ORR_F32, nan, nan },
        { ORR_F32, ORR_F64, 0.1, (double)0.1f },
        { ORR_F32, ORR_F32, 0.5, 0.5 },
        { ORR_F64, ORR_F64, 0.1, 0.1 },
        { ORR_I32, ORR_I32, low, low },
        { ORR_BOOL, ORR_BOOL, 1, 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double got = apply(*state, ORR_OP_cast, rows[i].from, rows[i].to, 1, rows[i].a, 0.0);
        if (got != rows[i].expected && !(isnan(got) && isnan(rows[i].expected)))
            fail_msg("%s to %s of %.17g: got %.17g, expected %.17g", orr_dtype_name(rows[i].from),
                     orr_dtype_name(rows[i].to), rows[i].a, got, rows[i].expected);
    }
}

static void select_takes_one_and_leaves_the_other_unread(void **state) {
    fixture *f = *state;
    const double condition[] = { 0, 1, 2, 0 }, a[] = { (double)NAN, 1, 1, (double)INFINITY },
                 b[] = { 0, (double)NAN, (double)NAN, 0 };
    const double expected[] = { 0, 1, 1, 0 };
    for (size_t t = 0; t < 4; t++) {
        const bool real = dtypes[t] == ORR_F32 || dtypes[t] == ORR_F64;
        double x[4], y[4];
        for (int i = 0; i < 4; i++) x[i] = real ? a[i] : (double)(i > 0 && i < 3), y[i] = real ? b[i] : 1.0 - x[i];
        const tensor c = filled(f, ORR_BOOL, ORR_SHAPE(4), GAPPED, condition);
        const tensor p = filled(f, dtypes[t], ORR_SHAPE(4), BACKWARDS, x),
                     q = filled(f, dtypes[t], ORR_SHAPE(4), CONTIGUOUS, y);
        const tensor out = blank(f, dtypes[t], ORR_SHAPE(4), GAPPED);
        assert_ok(f->ctx, launch(f, ORR_OP_select, NULL, (orr_view[]){ c.view, p.view, q.view }, 3, &out.view));
        for (int i = 0; i < 4; i++)
            assert_true(get(&out.view, i) == (real ? expected[i] : (condition[i] != 0 ? x[i] : y[i])));
        assert_nothing_else_written(&out);
    }
}

static void stop_is_the_identity_of_every_type(void **state) {
    fixture *f = *state;
    for (size_t t = 0; t < 4; t++) {
        const tensor a = pattern(f, dtypes[t], ORR_SHAPE(3, 5), REVERSED, 3),
                     out = blank(f, dtypes[t], ORR_SHAPE(3, 5), GAPPED);
        assert_ok(f->ctx, launch(f, ORR_OP_stop, NULL, &a.view, 1, &out.view));
        for (int i = 0; i < 15; i++) assert_true(get(&out.view, i) == get(&a.view, i));
    }
}

/* ---- views ---------------------------------------------------------------------------------------------------------
 */

static void every_layout_gives_the_same_elements(void **state) {
    fixture *f = *state;
    const orr_shape shapes[] = { ORR_SCALAR, ORR_SHAPE(1), ORR_SHAPE(7), ORR_SHAPE(2, 3, 4),
                                 ORR_SHAPE(1, 2, 1, 3, 1, 2, 1, 1, 2, 1) };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t t = 0; t < 3; t++)
            for (int k = 0; k < LAYOUTS * LAYOUTS * LAYOUTS; k++) {
                const tensor a = pattern(f, dtypes[t], shapes[s], (layout)(k % LAYOUTS), 1);
                const tensor b = pattern(f, dtypes[t], shapes[s], (layout)(k / LAYOUTS % LAYOUTS), 2);
                const tensor out = blank(f, dtypes[t], shapes[s], (layout)(k / LAYOUTS / LAYOUTS));
                assert_ok(f->ctx, launch(f, ORR_OP_sub, NULL, (orr_view[]){ a.view, b.view }, 2, &out.view));
                for (int64_t i = 0; i < orr_shape_count(&shapes[s]); i++)
                    assert_true(get(&out.view, i) == get(&a.view, i) - get(&b.view, i));
                assert_nothing_else_written(&out);
            }
}

static void a_stride_of_0_repeats_an_element(void **state) {
    fixture *f = *state;
    tensor row = pattern(f, ORR_F64, ORR_SHAPE(4), CONTIGUOUS, 1),
           column = pattern(f, ORR_F64, ORR_SHAPE(3), GAPPED, 2);
    orr_view a = { row.view.data, ORR_F64, ORR_SHAPE(3, 4), { 0, row.view.stride[0] } };
    orr_view b = { column.view.data, ORR_F64, ORR_SHAPE(3, 4), { column.view.stride[0], 0 } };
    const tensor out = blank(f, ORR_F64, ORR_SHAPE(3, 4), REVERSED);
    assert_ok(f->ctx, launch(f, ORR_OP_mul, NULL, (orr_view[]){ a, b }, 2, &out.view));
    for (int i = 0; i < 12; i++) assert_true(get(&out.view, i) == get(&row.view, i % 4) * get(&column.view, i / 4));
}

static void a_result_may_stand_where_an_argument_stood(void **state) {
    fixture *f = *state;
    const tensor a = pattern(f, ORR_F32, ORR_SHAPE(3, 4), REVERSED, 1),
                 b = pattern(f, ORR_F32, ORR_SHAPE(3, 4), GAPPED, 2);
    const tensor kept = pattern(f, ORR_F32, ORR_SHAPE(3, 4), CONTIGUOUS, 1);
    assert_ok(f->ctx, launch(f, ORR_OP_sub, NULL, (orr_view[]){ b.view, a.view }, 2, &a.view));
    for (int i = 0; i < 12; i++) assert_true(get(&a.view, i) == get(&b.view, i) - get(&kept.view, i));
}

static void nothing_is_touched_where_there_are_no_elements(void **state) {
    fixture *f = *state;
    const orr_shape none = ORR_SHAPE(3, 0, 2);
    orr_view a = orr_view_contiguous(ORR_F32, &none), out = a, c = orr_view_contiguous(ORR_BOOL, &none);
    assert_ok(f->ctx, launch(f, ORR_OP_exp, NULL, &a, 1, &out)); /* data is NULL */
    assert_ok(f->ctx, launch(f, ORR_OP_add, NULL, (orr_view[]){ a, a }, 2, &out));
    assert_ok(f->ctx, launch(f, ORR_OP_lt, NULL, (orr_view[]){ a, a }, 2, &c));
    assert_ok(f->ctx, launch(f, ORR_OP_select, NULL, (orr_view[]){ c, a, a }, 3, &out));
    assert_ok(f->ctx, launch(f, ORR_OP_cast, &(orr_attr_cast){ ORR_BOOL }, &a, 1, &c));
}

/* ---- the table -----------------------------------------------------------------------------------------------------
 */

static void every_primitive_but_the_sources_has_a_kernel(void **state) {
    (void)state;
    for (int code = 0; code < ORR_OP_COUNT; code++) {
        const bool source =
            code == ORR_OP_input || code == ORR_OP_fill || code == ORR_OP_literal || code == ORR_OP_iota;
        if ((orr_device_ref.kernel[code].run == NULL) != source)
            fail_msg("op %d %s", code, source ? "has one" : "has none");
    }
}

static void devices_are_found_by_name(void **state) {
    (void)state;
    assert_ptr_equal(orr_device_find("ref"), &orr_device_ref);
    assert_ptr_equal(orr_device_find("cpu"), &orr_device_cpu);
    assert_null(orr_device_find("abacus"));
    assert_null(orr_device_find(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(functions_of_one_float_agree_with_long_double, setup, teardown),
        cmocka_unit_test_setup_teardown(functions_of_two_floats_agree_with_long_double, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_and_nan_follow_ieee_754, setup, teardown),
        cmocka_unit_test_setup_teardown(max_and_min_are_nan_where_either_is, setup, teardown),
        cmocka_unit_test_setup_teardown(comparisons_order_numbers_and_are_false_of_nan, setup, teardown),
        cmocka_unit_test_setup_teardown(is_finite_tells_numbers_from_infinities_and_nan, setup, teardown),
        cmocka_unit_test_setup_teardown(whole_numbers_wrap, setup, teardown),
        cmocka_unit_test_setup_teardown(whole_division_goes_towards_zero_and_has_no_exceptions, setup, teardown),
        cmocka_unit_test_setup_teardown(max_and_min_of_whole_numbers_reach_the_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(booleans_follow_their_truth_tables_and_any_byte_but_0_is_true, setup, teardown),
        cmocka_unit_test_setup_teardown(casts_go_towards_zero_and_saturate, setup, teardown),
        cmocka_unit_test_setup_teardown(select_takes_one_and_leaves_the_other_unread, setup, teardown),
        cmocka_unit_test_setup_teardown(stop_is_the_identity_of_every_type, setup, teardown),
        cmocka_unit_test_setup_teardown(every_layout_gives_the_same_elements, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stride_of_0_repeats_an_element, setup, teardown),
        cmocka_unit_test_setup_teardown(a_result_may_stand_where_an_argument_stood, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_touched_where_there_are_no_elements, setup, teardown),
        cmocka_unit_test(every_primitive_but_the_sources_has_a_kernel),
        cmocka_unit_test(devices_are_found_by_name),
    };
    return cmocka_run_group_tests_name("ref_elementwise", tests, NULL, NULL);
}
