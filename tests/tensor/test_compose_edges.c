/* Composed functions where formulas are delicate: at 0, at ties, far out, under masks; closed forms of high
 * derivatives; and what is said about arguments that don't fit. */
#include <float.h>

#include "evaluate.h"

enum { POINTS = 7 };

static orr_graph *new_graph(orr_context *ctx) {
    orr_graph *g;
    assert_ok(ctx, orr_graph_new(ctx, &g));
    return g;
}

/* y and its derivatives up to order n - 1 of a pointwise function: out[k][i] = y^(k)(x_i).  Reverse and forward take
 * turns. */
static void towers(orr_context *ctx, const char *device, orr_dtype dtype, orr_node (*f)(orr_graph *, orr_node),
                   const double *x, int n, double out[][POINTS]) {
    orr_graph *g = new_graph(ctx);
    orr_node in = orr_input(g, "x", dtype, ORR_SHAPE(POINTS)), d[8] = { f(g, in) };
    const orr_node ones = orr_fill(g, dtype, ORR_SHAPE(POINTS), 1.0);
    for (int k = 1; k < n; k++) {
        if (k % 2) orr_vjp(g, &d[k - 1], NULL, 1, &in, 1, &d[k]);
        else orr_jvp(g, &d[k - 1], 1, &in, &ones, 1, &d[k]);
    }
    evaluate(ctx, g, device, &(given){ in, x }, 1, d, n, out[0]);
    orr_graph_free(g);
}

/* Parenthesised: the function, not the macro that records a line. */
static orr_node softplus(orr_graph *g, orr_node a) { return orr_softplus(g, a); }
static orr_node relu(orr_graph *g, orr_node a) { return orr_relu(g, a); }
static orr_node silu(orr_graph *g, orr_node a) { return orr_silu(g, a); }
static orr_node gelu(orr_graph *g, orr_node a) { return orr_gelu(g, a); }
static orr_node gelu_tanh(orr_graph *g, orr_node a) { return orr_gelu_tanh(g, a); }

/* ---- activations
 * --------------------------------------------------------------------------------------------------------- */

/* y' = s, y'' = s (1 - s), y''' = s (1 - s) (1 - 2s), y'''' = s (1 - s) (1 - 6s (1 - s)),  s = 1/(1 + e^-x) */
static void softplus_has_the_derivatives_of_log_1_plus_exp_also_at_0_and_far_out(void **state) {
    const double x[POINTS] = { 0.0, -0.0, 1.5, -1.5, -40.0, 40.0, -700.0 };
    double out[5][POINTS];
    for (int d = 0; d < N_DEVICES; d++) {
        towers(*state, devices[d], ORR_F64, softplus, x, 5, out);
        for (int i = 0; i < POINTS; i++) {
            const double s = 1.0 / (1.0 + exp(-x[i])),
                         t = exp(-fabs(x[i])) / (1.0 + exp(-fabs(x[i]))); /* t = min(s, 1 - s) */
            const double v = t * (1.0 - t), odd = x[i] > 0 ? -1.0 : 1.0;  /* 1 - 2s = odd (1 - 2t) */
            const double expected[5] = { x[i] > 0 ? x[i] + log1p(exp(-x[i])) : log1p(exp(x[i])), s, v,
                                         odd * v * (1.0 - 2.0 * t), v * (1.0 - 6.0 * v) };
            for (int k = 0; k < 5; k++) {
                /* some ten roundings, relative up to second order also where y = e^-40; e^x itself is off by |x| eps /
                 * 2 */
                const double relative = k <= 2 ? fabs(expected[k]) : v;
                assert_close(out[k][i], expected[k], 30.0 * DBL_EPSILON * relative + (x[i] > 30 ? DBL_EPSILON : 0.0));
            }
        }
        const double at_0[5] = { log(2.0), 0.5, 0.25, 0.0, -0.125 };
        for (int k = 0; k < 5; k++)
            for (int i = 0; i < 2; i++) assert_close(out[k][i], at_0[k], 2.0 * DBL_EPSILON);
    }
}

static void softplus_and_its_slope_stay_finite_where_exp_does_not(void **state) {
    const double x[POINTS] = { 1e4, -1e4, 1e300, -1e300, 88.8, -104.0, 0.0 };
    double out[3][POINTS];
    for (int d = 0; d < N_DEVICES; d++)
        for (int narrow = 0; narrow < 2; narrow++) {
            towers(*state, devices[d], ORR_F64, softplus, x, 3, out);
            if (narrow) {
                const double small[POINTS] = { 1e4, -1e4, 1e38, -1e38, 88.8, -104.0, 0.0 };
                towers(*state, devices[d], ORR_F32, softplus, small, 3, out);
            }
            for (int k = 0; k < 3; k++)
                for (int i = 0; i < POINTS; i++) assert_true(isfinite(out[k][i]));
            assert_true(out[0][0] == 1e4 && out[1][0] == 1.0 && out[2][0] == 0.0);
            assert_true(out[0][1] == 0.0 && out[1][1] == 0.0);
        }
}

static void relu_has_slope_0_at_0_and_passes_nan_on(void **state) {
    const double x[POINTS] = { 0.0, -0.0, 1.0, -1.0, (double)NAN, (double)INFINITY, -(double)INFINITY };
    double out[3][POINTS];
    for (int d = 0; d < N_DEVICES; d++) {
        towers(*state, devices[d], ORR_F64, relu, x, 3, out);
        for (int i = 0; i < 4; i++) {
            assert_true(out[0][i] == (x[i] > 0 ? x[i] : 0.0));
            assert_true(out[1][i] == (x[i] > 0 ? 1.0 : 0.0));
            assert_true(out[2][i] == 0.0);
        }
        assert_true(isnan(out[0][4]) && out[0][5] == (double)INFINITY && out[0][6] == 0.0);
    }
}

/* y' = Phi + x phi, y'' = phi (2 - x^2), y''' = phi (x^3 - 4x), y'''' = phi (-x^4 + 7x^2 - 4) */
static void gelu_has_the_closed_forms_of_four_derivatives(void **state) {
    const double x[POINTS] = { 0.0, 0.5, -0.5, 1.0, -2.0, 3.0, -6.0 };
    double out[5][POINTS];
    for (int d = 0; d < N_DEVICES; d++) {
        towers(*state, devices[d], ORR_F64, gelu, x, 5, out);
        for (int i = 0; i < POINTS; i++) {
            const double a = x[i], a2 = a * a, phi = exp(-0.5 * a2) / sqrt(2.0 * 3.14159265358979323846);
            const double Phi = 0.5 * erfc(-a / sqrt(2.0));
            const double expected[5] = { a * Phi, Phi + a * phi, phi * (2.0 - a2), phi * (a2 * a - 4.0 * a),
                                         phi * (-a2 * a2 + 7.0 * a2 - 4.0) };
            /* absolute: 1 + erf cancels for x << 0; some ten roundings of terms up to 10 */
            for (int k = 0; k < 5; k++) assert_close(out[k][i], expected[k], 1e-14);
        }
    }
}

/* y' = s + x v, y'' = 2 v + x w, y''' = 3 w + x v (1 - 6v),   s = sigmoid, v = s (1 - s), w = v (1 - 2s) */
static void silu_has_the_closed_forms_of_three_derivatives(void **state) {
    const double x[POINTS] = { 0.0, 0.5, -0.5, 1.0, -2.0, 3.0, -30.0 };
    double out[4][POINTS];
    for (int d = 0; d < N_DEVICES; d++) {
        towers(*state, devices[d], ORR_F64, silu, x, 4, out);
        for (int i = 0; i < POINTS; i++) {
            const double a = x[i], s = 1.0 / (1.0 + exp(-a)), v = s * (1.0 - s), w = v * (1.0 - 2.0 * s);
            const double expected[4] = { a * s, s + a * v, 2.0 * v + a * w, 3.0 * w + a * v * (1.0 - 6.0 * v) };
            for (int k = 0; k < 4; k++) assert_close(out[k][i], expected[k], 1e-14); /* some ten roundings */
        }
    }
}

/* For x << 0 the printed a/2 (1 + tanh u) has no digits left; a e^{2u} / (1 + e^{2u}) has all. */
static void gelu_tanh_keeps_its_digits_in_the_left_tail(void **state) {
    const double x[POINTS] = { -3.0, -5.0, -7.0, -8.0, -9.0, 0.0, 8.0 };
    double out[1][POINTS];
    for (int d = 0; d < N_DEVICES; d++) {
        towers(*state, devices[d], ORR_F64, gelu_tanh, x, 1, out);
        for (int i = 0; i < POINTS; i++) {
            const double a = x[i], u = sqrt(2.0 / 3.14159265358979323846) * (a + 0.044715 * a * a * a);
            const double expected = a * exp(2.0 * u) / (1.0 + exp(2.0 * u));
            assert_close(out[0][i], expected,
                         400.0 * DBL_EPSILON * fabs(expected)); /* e^2u: |2u| < 70 roundings, twice */
        }
    }
}

/* ---- softmax
 * ---------------------------------------------------------------------------------------------------------- */

/* Along v, the derivatives of log sum e^x are the cumulants of v under p = softmax x. */
static void derivatives_of_logsumexp_are_cumulants(void **state) {
    orr_context *ctx = *state;
    enum { N = 6 };
    const double x[N] = { 0.3, -1.0, 2.0, 0.0, 1.1, -0.4 }, v[N] = { 1.0, -2.0, 0.5, 0.0, 3.0, -1.0 };
    orr_graph *g = new_graph(ctx);
    const orr_node in = orr_input(g, "x", ORR_F64, ORR_SHAPE(N)), along = orr_input(g, "v", ORR_F64, ORR_SHAPE(N));
    orr_node d[5] = { orr_logsumexp(g, in, 0) };
    for (int k = 1; k < 5; k++) orr_jvp(g, &d[k - 1], 1, &in, &along, 1, &d[k]);
    double sum = 0.0, p[N], mean = 0.0, moment[5] = { 0 }, got[5];
    for (int i = 0; i < N; i++) sum += exp(x[i]);
    for (int i = 0; i < N; i++) p[i] = exp(x[i]) / sum, mean += p[i] * v[i];
    for (int i = 0; i < N; i++)
        for (int k = 2; k < 5; k++) moment[k] += p[i] * pow(v[i] - mean, k);
    const double expected[5] = { log(sum), mean, moment[2], moment[3], moment[4] - 3.0 * moment[2] * moment[2] };
    for (int device = 0; device < N_DEVICES; device++) {
        evaluate(ctx, g, devices[device], (const given[]){ { in, x }, { along, v } }, 2, d, 5, got);
        for (int k = 0; k < 5; k++) assert_close(got[k], expected[k], 1e-13); /* |v|^4 = 81 times some ten roundings */
    }
    orr_graph_free(g);
}

/* Also in derivatives: bit for bit where the shift itself is exact. */
static void softmax_does_not_see_a_shift_of_1024(void **state) {
    orr_context *ctx = *state;
    enum { N = 4 };
    const double x[N] = { 0.5, -1.25, 2.0, 0.75 };
    double moved[N], near[3 * N + 1], far[3 * N + 1];
    orr_graph *g = new_graph(ctx);
    const orr_node in = orr_input(g, "x", ORR_F64, ORR_SHAPE(N)), label = orr_fill(g, ORR_I32, ORR_SCALAR, 2.0);
    orr_node out[4] = { orr_softmax(g, in, 0), orr_log_softmax(g, in, 0), orr_cross_entropy(g, in, label) };
    orr_grad(g, orr_sum_all(g, orr_square(g, out[0])), &in, 1, &out[3]);
    for (int i = 0; i < N; i++) moved[i] = x[i] + 1024.0;
    for (int d = 0; d < N_DEVICES; d++) {
        evaluate(ctx, g, devices[d], &(given){ in, x }, 1, out, 4, near);
        evaluate(ctx, g, devices[d], &(given){ in, moved }, 1, out, 4, far);
        for (int i = 0; i < 2 * N; i++) assert_true(near[i] == far[i]);
        assert_close(near[2 * N], far[2 * N], 1024.0 * DBL_EPSILON); /* r = 1024 + log sum - 1026 is rounded at 1024 */
        for (int i = 0; i < N; i++) assert_true(near[2 * N + 1 + i] == far[2 * N + 1 + i]);
    }
    orr_graph_free(g);
}

static void logsumexp_of_nothing_or_of_minus_infinities_is_minus_infinity(void **state) {
    orr_context *ctx = *state;
    const double inf = (double)INFINITY, x[6] = { -inf, -inf, -inf, 3.0, inf, 0.0 };
    double got[5];
    orr_graph *g = new_graph(ctx);
    const orr_node in = orr_input(g, "x", ORR_F64, ORR_SHAPE(3, 2)), none = orr_input(g, "e", ORR_F64, ORR_SHAPE(2, 0));
    const orr_node out[2] = { orr_logsumexp(g, in, -1), orr_logsumexp(g, none, 1) };
    for (int d = 0; d < N_DEVICES; d++) {
        evaluate(ctx, g, devices[d], &(given){ in, x }, 1, out, 2, got);
        assert_true(got[0] == -inf && got[1] == 3.0 && got[2] == inf && got[3] == -inf && got[4] == -inf);
    }
    orr_graph_free(g);
}

/* ---- losses
 * --------------------------------------------------------------------------------------------------------------- */

/* loss = log(1 + 2 e^-z): relative to itself, where a log of a softmax has lost everything. */
static void cross_entropy_of_a_confident_right_answer_keeps_its_digits(void **state) {
    orr_context *ctx = *state;
    const double z[4] = { 5.0, 40.0, 300.0, 700.0 };
    double logits[12] = { 0 }, got[16];
    orr_graph *g = new_graph(ctx);
    const orr_node in = orr_input(g, "a", ORR_F64, ORR_SHAPE(4, 3));
    orr_node out[2] = { orr_cross_entropy(g, in, orr_fill(g, ORR_I32, ORR_SHAPE(4), 1.0)) };
    orr_grad(g, orr_sum_all(g, out[0]), &in, 1, &out[1]);
    for (int i = 0; i < 4; i++) logits[3 * i + 1] = z[i];
    for (int d = 0; d < N_DEVICES; d++) {
        evaluate(ctx, g, devices[d], &(given){ in, logits }, 1, out, 2, got);
        for (int i = 0; i < 4; i++) {
            const double q = exp(-z[i]), loss = log1p(2.0 * q), slope = q / (1.0 + 2.0 * q);
            const double relative =
                (8.0 + z[i]) * DBL_EPSILON; /* log 2 - z is rounded at z before it is exponentiated */
            assert_close(got[i], loss, relative * loss);
            assert_close(got[4 + 3 * i], slope, relative * slope);
            assert_close(got[4 + 3 * i + 1], -2.0 * slope, relative * 2.0 * slope);
        }
    }
    orr_graph_free(g);
}

static void cross_entropy_of_a_label_that_is_no_class_is_nan(void **state) {
    orr_context *ctx = *state;
    const double logits[9] = { 1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0, 3.0 }, labels[3] = { -1.0, 2.0, 3.0 };
    double got[12];
    orr_graph *g = new_graph(ctx);
    const orr_node a = orr_input(g, "a", ORR_F64, ORR_SHAPE(3, 3)), y = orr_input(g, "y", ORR_I32, ORR_SHAPE(3));
    orr_node out[2] = { orr_cross_entropy(g, a, y) };
    orr_vjp(g, out, NULL, 1, &a, 1, out + 1);
    for (int d = 0; d < N_DEVICES; d++) {
        evaluate(ctx, g, devices[d], (const given[]){ { a, logits }, { y, labels } }, 2, out, 2, got);
        assert_true(isnan(got[0]) && isfinite(got[1]) && isnan(got[2]));
        assert_true(isnan(got[3]) && isfinite(got[6]) && isnan(got[9]));
    }
    orr_graph_free(g);
}

static void cross_entropy_of_one_class_is_0(void **state) {
    orr_context *ctx = *state;
    const double logits[2] = { 3.0, -3.0 };
    double got[4];
    orr_graph *g = new_graph(ctx);
    const orr_node a = orr_input(g, "a", ORR_F32, ORR_SHAPE(2, 1));
    orr_node out[2] = { orr_cross_entropy(g, a, orr_fill(g, ORR_I32, ORR_SHAPE(2), 0.0)) };
    orr_vjp(g, out, NULL, 1, &a, 1, out + 1);
    for (int d = 0; d < N_DEVICES; d++) {
        evaluate(ctx, g, devices[d], &(given){ a, logits }, 1, out, 2, got);
        for (int i = 0; i < 4; i++) assert_true(got[i] == 0.0);
    }
    orr_graph_free(g);
}

static void one_hot_has_a_one_at_the_index_and_zeros_for_none(void **state) {
    orr_context *ctx = *state;
    const double index[4] = { 2.0, 0.0, -1.0, 3.0 };
    const double expected[12] = { 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
    static const orr_dtype dtypes[4] = { ORR_F32, ORR_F64, ORR_I32, ORR_BOOL };
    double got[48];
    orr_graph *g = new_graph(ctx);
    const orr_node in = orr_input(g, "index", ORR_I32, ORR_SHAPE(2, 2));
    orr_node out[4];
    for (int k = 0; k < 4; k++) {
        out[k] = orr_one_hot(g, in, 3, dtypes[k]);
        const orr_shape shape = orr_node_shape(g, out[k]);
        assert_true(orr_shape_equal(&shape, &ORR_SHAPE(2, 2, 3)) && orr_node_dtype(g, out[k]) == dtypes[k]);
    }
    for (int d = 0; d < N_DEVICES; d++) {
        evaluate(ctx, g, devices[d], &(given){ in, index }, 1, out, 4, got);
        for (int i = 0; i < 48; i++) assert_true(got[i] == expected[i % 12]);
    }
    orr_graph_free(g);
}

/* ---- norms
 * ------------------------------------------------------------------------------------------------------------------ */

/* Far from the origin: the variance of 1e8 + {-1, 0, 1} is 2/3, and a one-pass variance would be 0 or negative. */
static void layer_norm_of_numbers_far_from_0_is_that_of_their_differences(void **state) {
    orr_context *ctx = *state;
    const double x[3] = { 1e8 - 1.0, 1e8, 1e8 + 1.0 };
    double got[3];
    orr_graph *g = new_graph(ctx);
    const orr_node in = orr_input(g, "x", ORR_F64, ORR_SHAPE(3));
    const orr_node y = orr_layer_norm(g, in, ORR_NONE, ORR_NONE, 0.0);
    for (int d = 0; d < N_DEVICES; d++) {
        evaluate(ctx, g, devices[d], &(given){ in, x }, 1, &y, 1, got);
        for (int i = 0; i < 3; i++) assert_close(got[i], (i - 1) * sqrt(1.5), 1e-15); /* the differences are exact */
    }
    orr_graph_free(g);
}

/* Batch norm with epsilon 0 is blind to a shift and to a scale of a channel: its Jacobian sends both directions to 0.
 */
static void batch_norm_is_blind_to_shift_and_scale(void **state) {
    orr_context *ctx = *state;
    double x[24], ones[24], got[48];
    orr_graph *g = new_graph(ctx);
    const orr_shape shape = ORR_SHAPE(4, 3, 2);
    const orr_node in = orr_input(g, "x", ORR_F64, shape), one = orr_input(g, "one", ORR_F64, shape);
    const orr_node y = orr_batch_norm(g, in, ORR_NONE, ORR_NONE, 0.0);
    orr_node out[2];
    orr_jvp(g, &y, 1, &in, &one, 1, &out[0]);
    orr_jvp(g, &y, 1, &in, &in, 1, &out[1]);
    for (int i = 0; i < 24; i++) x[i] = sin(1.0 + 3.0 * i), ones[i] = 1.0;
    for (int d = 0; d < N_DEVICES; d++) {
        evaluate(ctx, g, devices[d], (const given[]){ { in, x }, { one, ones } }, 2, out, 2, got);
        for (int i = 0; i < 48; i++) assert_close(got[i], 0.0, 1e-14); /* some 20 roundings of terms of size 1 */
    }
    orr_graph_free(g);
}

/* ---- attention
 * ------------------------------------------------------------------------------------------------------------- */

/* Values, keys and their huge scores behind t change nothing at t, not a bit; derivatives with respect to them are 0;
 * and nothing on the way is infinite. */
static void causal_attention_does_not_see_what_comes_later(void **state) {
    orr_context *ctx = *state;
    enum { T = 3, D = 2, N = T * D };
    double q[N], k[N], v[N], first[3 * N], second[3 * N];
    for (int dtype = ORR_F32; dtype <= ORR_F64; dtype++)
        for (int d = 0; d < N_DEVICES; d++) {
            orr_graph *g = new_graph(ctx);
            orr_node in[3], out[3];
            const char *names[3] = { "q", "k", "v" };
            for (int i = 0; i < 3; i++) in[i] = orr_input(g, names[i], (orr_dtype)dtype, ORR_SHAPE(T, D));
            out[0] = orr_attention(g, in[0], in[1], in[2], true, 0.0);
            orr_grad(g, orr_sum_all(g, orr_slice(g, orr_square(g, out[0]), 0, 0, 2, 1)), &in[1], 2, &out[1]);
            for (int i = 0; i < N; i++) q[i] = sin(1.0 + i), k[i] = cos(2.0 * i), v[i] = sin(3.0 * i);
            orr_program *p;
            const orr_compile_options options = {
                .outputs = out, .n_outputs = 3, .device = devices[d], .find_non_finite = true
            };
            assert_ok(ctx, orr_compile(ctx, g, &options, &p));
            for (int round = 0; round < 2; round++) {
                const double *values[3] = { q, k, v };
                for (int i = 0; i < 3; i++) put_input(g, p, (given){ in[i], values[i] });
                assert_ok(ctx, orr_program_run(p));
                get_outputs(g, p, out, 3, round ? second : first);
                k[4] = 3e4, k[5] = 2e4, v[4] = -5e4;
            }
            for (int i = 0; i < 2 * D; i++) assert_true(first[i] == second[i]);
            for (int i = 0; i < 2 * D; i++)
                assert_true(first[N + i] == second[N + i] && first[2 * N + i] == second[2 * N + i]);
            for (int i = 2 * D; i < N; i++) assert_true(second[N + i] == 0.0 && second[2 * N + i] == 0.0);
            orr_program_free(p);
            orr_graph_free(g);
        }
}

/* ---- pooling
 * ---------------------------------------------------------------------------------------------------------------- */

static void max_pool_shares_the_derivative_at_a_tie_in_every_geometry(void **state) {
    orr_context *ctx = *state;
    const double x[8] = { 5, 5, 1, 2, 5, 0, 2, 2 }; /* [1, 1, 2, 4] */
    const double expected[8] = { 1.0 / 3, 1.0 / 3, 0, 1.0 / 3, 1.0 / 3, 0, 1.0 / 3, 1.0 / 3 };
    double got[16];
    orr_graph *g = new_graph(ctx);
    const orr_node in = orr_input(g, "x", ORR_F64, ORR_SHAPE(1, 1, 2, 4));
    const orr_node tiles = orr_max_pool(g, in, (orr_pooling){ .window = { 2, 2 } });
    /* with a column of padding the same two windows come as slices, among two more */
    const orr_node slices = orr_max_pool(g, in, (orr_pooling){ .window = { 2, 2 }, .stride = { 1, 1 } });
    const orr_node same = orr_slice(g, slices, 3, 0, 3, 2);
    orr_node out[2];
    orr_vjp(g, &tiles, NULL, 1, &in, 1, &out[0]);
    orr_vjp(g, &same, NULL, 1, &in, 1, &out[1]);
    for (int d = 0; d < N_DEVICES; d++) {
        evaluate(ctx, g, devices[d], &(given){ in, x }, 1, out, 2, got);
        for (int i = 0; i < 16; i++) assert_close(got[i], expected[i % 8], DBL_EPSILON); /* one division */
    }
    orr_graph_free(g);
}

static void padding_never_wins_a_max_pool_and_makes_no_infinity(void **state) {
    orr_context *ctx = *state;
    const double x[4] = { -1.0, -2.0, -3.0, -1e30 };
    for (int dtype = ORR_F32; dtype <= ORR_F64; dtype++)
        for (int d = 0; d < N_DEVICES; d++) {
            double got[4];
            orr_graph *g = new_graph(ctx);
            const orr_node in = orr_input(g, "x", (orr_dtype)dtype, ORR_SHAPE(1, 1, 2, 2));
            const orr_pooling how = { .window = { 2, 2 }, .low = { 1, 1 }, .high = { 1, 1 } };
            const orr_node y = orr_max_pool(g, in, how);
            orr_program *p;
            const orr_compile_options options = {
                .outputs = &y, .n_outputs = 1, .device = devices[d], .find_non_finite = true
            };
            assert_ok(ctx, orr_compile(ctx, g, &options, &p));
            put_input(g, p, (given){ in, x });
            assert_ok(ctx, orr_program_run(p));
            get_outputs(g, p, &y, 1, got);
            for (int i = 0; i < 4; i++)
                assert_close(got[i], x[i], 1e30 * (double)FLT_EPSILON * (i == 3)); /* 1e30 is no float */
            orr_program_free(p);
            orr_graph_free(g);
        }
}

/* ---- messages
 * ------------------------------------------------------------------------------------------------------------------ */

typedef struct mistake {
    orr_node (*make)(orr_graph *g, orr_node f, orr_node i);
    const char *says; /* behind "test_compose_edges.c:<line>: " */
} mistake;

static orr_node input(orr_graph *g, const char *name, orr_shape shape) { return orr_input(g, name, ORR_F32, shape); }

/* f is f32[2, 3, 4, 5], i is i32[2, 3] */
#define MISTAKE(name, expression)                                                                                      \
    static orr_node m_##name(orr_graph *g, orr_node f, orr_node i) {                                                   \
        (void)f, (void)i;                                                                                              \
        return expression;                                                                                             \
    }
MISTAKE(linear, orr_linear(g, f, input(g, "w", ORR_SHAPE(7, 4)), ORR_NONE))
MISTAKE(linear_bias, orr_linear(g, f, input(g, "w", ORR_SHAPE(7, 5)), input(g, "b", ORR_SHAPE(5))))
MISTAKE(relu, orr_relu(g, i))
MISTAKE(none, orr_softplus(g, ORR_NONE))
MISTAKE(softmax, orr_softmax(g, f, 4))
MISTAKE(layer_norm, orr_layer_norm(g, f, input(g, "gain", ORR_SHAPE(4)), ORR_NONE, 1e-5))
MISTAKE(epsilon, orr_rms_norm(g, f, ORR_NONE, -1.0))
MISTAKE(batch_norm, orr_batch_norm(g, f, ORR_NONE, input(g, "bias", ORR_SHAPE(5)), 1e-5))
MISTAKE(batch_norm_rank, orr_batch_norm(g, input(g, "v", ORR_SHAPE(5)), ORR_NONE, ORR_NONE, 1e-5))
MISTAKE(attention, orr_attention(g, f, f, input(g, "v", ORR_SHAPE(2, 3, 5, 5)), false, 0.0))
MISTAKE(attention_batch, orr_attention(g, f, input(g, "k", ORR_SHAPE(2, 4, 5)), f, false, 0.0))
MISTAKE(one_hot, orr_one_hot(g, f, 3, ORR_F32))
MISTAKE(one_hot_classes, orr_one_hot(g, i, 0, ORR_F32))
MISTAKE(cross_entropy, orr_cross_entropy(g, f, i))
MISTAKE(conv1d, orr_conv1d(g, f, f, ORR_NONE, (orr_convolution){ 0 }))
MISTAKE(conv2d, orr_conv2d(g, f, input(g, "w", ORR_SHAPE(6, 2, 3, 3)), ORR_NONE, (orr_convolution){ 0 }))
MISTAKE(conv2d_bias,
        orr_conv2d(g, f, input(g, "w", ORR_SHAPE(6, 3, 3, 3)), input(g, "b", ORR_SHAPE(3)), (orr_convolution){ 0 }))
MISTAKE(window, orr_average_pool(g, f, (orr_pooling){ .window = { 5, 1 } }))
MISTAKE(padding, orr_max_pool(g, f, (orr_pooling){ .window = { 2, 2 }, .low = { 0, 2 } }))
MISTAKE(upsample, orr_upsample(g, f, 0))
MISTAKE(embedding, orr_embedding(g, f, i))
MISTAKE(mse, orr_mse(g, f, orr_slice(g, f, 0, 0, 1, 1)))
MISTAKE(dot, orr_dot(g, &f, &i, 1))
MISTAKE(dot_none, orr_dot(g, &f, &f, 0))

static const mistake mistakes[] = {
    // clang-format off
    { m_linear, "linear: w is f32[7, 4]; expected f32[7, 5]" },
    { m_linear_bias, "linear: b is f32[5]; expected f32[7]" },
    { m_relu, "relu: the argument is i32[2, 3]; expected f32 or f64 (see orr_cast)" },
    { m_none, "softplus: the argument is no node of this graph (ORR_NONE?)" },
    { m_softmax, "softmax: axis 4 of a tensor with 4 axes; expected -4 to 3" },
    { m_layer_norm, "layer_norm: the gain is f32[4]; expected f32[5]" },
    { m_epsilon, "rms_norm: epsilon is -1; expected at least 0" },
    { m_batch_norm, "batch_norm: the bias is f32[5]; expected f32[3]" },
    { m_batch_norm_rank, "batch_norm: the argument is f32[5]; expected two axes at least" },
    { m_attention, "attention: needs q[..., t, d], k[..., s, d], v[..., s, e] of one type; got f32[2, 3, 4, 5], f32[2, 3, 4, 5], f32[2, 3, 5, 5]" },
    { m_attention_batch, "attention: shapes f32[2, 3] and f32[2] don't broadcast" },
    { m_one_hot, "one_hot: the index is f32[2, 3, 4, 5]; expected i32 (see orr_cast)" },
    { m_one_hot_classes, "one_hot: 0 classes; expected 1 at least, and as many as an i32 counts" },
    { m_cross_entropy, "cross_entropy: labels is i32[2, 3]; expected i32[2, 3, 4]" },
    { m_conv1d, "conv1d: needs a[n, c, x], w[d, c / groups, k] of one type, got f32[2, 3, 4, 5] and f32[2, 3, 4, 5]" },
    { m_conv2d, "conv2d: channels of [2, 3, 4, 5] and [6, 2, 3, 3] don't fit 1 groups" },
    { m_conv2d_bias, "conv2d: b is f32[3]; expected f32[6]" },
    { m_window, "average_pool: a window of 5 along y is larger than the image of 4 with its padding" },
    { m_padding, "max_pool: along x: window 2, stride 2, padding 2 and 0; expected a window and a stride of 1 at least, and padding from 0 to less than the window" },
    { m_upsample, "upsample: needs a[n, c, y, x] and a factor of 1 at least, got f32[2, 3, 4, 5] and 0" },
    { m_embedding, "embedding: the table has 4 axes; expected table[v, d]" },
    { m_mse, "mse: the target is f32[1, 3, 4, 5]; expected f32[2, 3, 4, 5]" },
    { m_dot, "dot: the second of a pair is i32[2, 3]; expected f32[2, 3, 4, 5]" },
    { m_dot_none, "dot: of 0 pairs; expected one at least" },
    // clang-format on
};

static void a_mistake_names_the_function_the_shapes_and_the_line(void **state) {
    for (size_t k = 0; k < sizeof mistakes / sizeof mistakes[0]; k++) {
        orr_graph *g = new_graph(*state);
        const orr_node f = input(g, "f", ORR_SHAPE(2, 3, 4, 5)), i = orr_input(g, "i", ORR_I32, ORR_SHAPE(2, 3));
        const orr_node y = mistakes[k].make(g, f, i);
        assert_int_equal(y.id, 0);
        assert_int_equal(orr_graph_status(g), ORR_EINPUT);
        const char *message = orr_graph_message(g), *file = "test_compose_edges.c:", *text = strstr(message, ": ");
        if (strncmp(message, file, strlen(file)) != 0 || !text || strcmp(text + 2, mistakes[k].says) != 0)
            fail_msg("got \"%s\", expected \"%s<line>: %s\"", message, file, mistakes[k].says);
        orr_graph_free(g);
    }
}

/* Every function, called on a graph that has failed, leaves it as it is. */
static void a_failed_graph_passes_through_every_function(void **state) {
    orr_graph *g = new_graph(*state);
    const orr_node x = input(g, "x", ORR_SHAPE(2, 3)), bad = orr_add(g, x, input(g, "y", ORR_SHAPE(4)));
    char before[256];
    snprintf(before, sizeof before, "%s", orr_graph_message(g));
    const orr_convolution how = { 0 };
    const orr_pooling pool = { .window = { 2, 2 } };
    const orr_node all[] = { orr_linear(g, bad, x, x),
                             orr_relu(g, bad),
                             orr_softplus(g, bad),
                             orr_silu(g, bad),
                             orr_gelu(g, bad),
                             orr_gelu_tanh(g, bad),
                             orr_softmax(g, bad, 0),
                             orr_log_softmax(g, bad, 0),
                             orr_logsumexp(g, bad, 0),
                             orr_layer_norm(g, bad, x, x, 0.0),
                             orr_rms_norm(g, bad, x, 0.0),
                             orr_batch_norm(g, bad, x, x, 0.0),
                             orr_attention(g, bad, x, x, true, 0.0),
                             orr_one_hot(g, bad, 3, ORR_F32),
                             orr_cross_entropy(g, bad, x),
                             orr_conv1d(g, bad, x, x, how),
                             orr_conv2d(g, bad, x, x, how),
                             orr_average_pool(g, bad, pool),
                             orr_max_pool(g, bad, pool),
                             orr_upsample(g, bad, 2),
                             orr_embedding(g, bad, x),
                             orr_mse(g, bad, x),
                             orr_dot(g, &bad, &x, 1) };
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) assert_int_equal(all[k].id, 0);
    assert_string_equal(orr_graph_message(g), before);
    orr_graph_free(g);
}

int main(void) {
#define TEST(claim) cmocka_unit_test_setup_teardown(claim, context_setup, context_teardown)
    const struct CMUnitTest all[] = {
        TEST(softplus_has_the_derivatives_of_log_1_plus_exp_also_at_0_and_far_out),
        TEST(softplus_and_its_slope_stay_finite_where_exp_does_not),
        TEST(relu_has_slope_0_at_0_and_passes_nan_on),
        TEST(gelu_has_the_closed_forms_of_four_derivatives),
        TEST(silu_has_the_closed_forms_of_three_derivatives),
        TEST(gelu_tanh_keeps_its_digits_in_the_left_tail),
        TEST(derivatives_of_logsumexp_are_cumulants),
        TEST(softmax_does_not_see_a_shift_of_1024),
        TEST(logsumexp_of_nothing_or_of_minus_infinities_is_minus_infinity),
        TEST(cross_entropy_of_a_confident_right_answer_keeps_its_digits),
        TEST(cross_entropy_of_a_label_that_is_no_class_is_nan),
        TEST(cross_entropy_of_one_class_is_0),
        TEST(one_hot_has_a_one_at_the_index_and_zeros_for_none),
        TEST(layer_norm_of_numbers_far_from_0_is_that_of_their_differences),
        TEST(batch_norm_is_blind_to_shift_and_scale),
        TEST(causal_attention_does_not_see_what_comes_later),
        TEST(max_pool_shares_the_derivative_at_a_tie_in_every_geometry),
        TEST(padding_never_wins_a_max_pool_and_makes_no_infinity),
        TEST(a_mistake_names_the_function_the_shapes_and_the_line),
        TEST(a_failed_graph_passes_through_every_function),
    };
    return cmocka_run_group_tests_name("composed functions at their edges", all, NULL, NULL);
}
