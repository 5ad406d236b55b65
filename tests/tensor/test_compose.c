/* Each composed function against its printed formula in extended precision: value, and derivatives of three orders by
 * differences of the formula; adjointness; vmap against a loop; float32 against float64.  On every device.
 *
 * Differences: central, the mixed d/de_i d^2/du^2 for third order, at steps h, h/2, h/4, h/8 with h = 0.06,
 * extrapolated in h^2 (Richardson).  What is left of the truncation is (h/r)^8 2^-12 times binomials where r, the
 * distance of the nearest singularity, is above 1 at these points: 1e-11 of the derivative.  Rounding is 2^-64 /
 * (h/8)^3 = 1e-13 of the function for third order, 1e-15 for second, 1e-17 for first.  Float64 itself makes some 1e-15
 * at each step of a formula.  Measured, as a share of the largest of its kind: 1e-15, 2e-12 and 4e-12 by order. */
#include <float.h>

#include "base/random.h"
#include "compose_reference.h"
#include "evaluate.h"

enum { MOST_X = 5, MOST = 160, LEVELS = 4, BATCH = 3 };

typedef struct composed {
    const char *name;
    int n_x;
    orr_shape x[MOST_X];
    orr_node (*build)(orr_graph *g, const orr_node *x);
    int (*reference)(const real *const *x, real *y); /* returns how many y there are */
    bool kinks; /* piecewise: points keep half a unit away from each other and a quarter from 0 */
} composed;

/* ---- the cases
 * ------------------------------------------------------------------------------------------------------- */

#define POINTWISE(name)                                                                                                \
    static orr_node b_##name(orr_graph *g, const orr_node *x) { return orr_##name(g, x[0]); }                          \
    static int c_##name(const real *const *x, real *y) {                                                               \
        for (int i = 0; i < 9; i++) y[i] = f_##name(x[0][i]);                                                          \
        return 9;                                                                                                      \
    }
POINTWISE(relu)
POINTWISE(softplus)
POINTWISE(silu)
POINTWISE(gelu)
POINTWISE(gelu_tanh)

static orr_node b_softmax(orr_graph *g, const orr_node *x) { return orr_softmax(g, x[0], -1); }
static int c_softmax(const real *const *x, real *y) { return r_softmax(x[0], 3, 4, 1, y), 12; }
static orr_node b_softmax_0(orr_graph *g, const orr_node *x) { return orr_softmax(g, x[0], 0); }
static int c_softmax_0(const real *const *x, real *y) { return r_softmax(x[0], 1, 3, 4, y), 12; }
static orr_node b_log_softmax(orr_graph *g, const orr_node *x) { return orr_log_softmax(g, x[0], 1); }
static int c_log_softmax(const real *const *x, real *y) {
    r_softmax(x[0], 2, 3, 2, y);
    for (int i = 0; i < 12; i++) y[i] = logl(y[i]);
    return 12;
}
static orr_node b_logsumexp(orr_graph *g, const orr_node *x) { return orr_logsumexp(g, x[0], -2); }
static int c_logsumexp(const real *const *x, real *y) { return r_logsumexp(x[0], 2, 3, 2, y), 4; }

static orr_node b_layer_norm(orr_graph *g, const orr_node *x) { return orr_layer_norm(g, x[0], x[1], x[2], 1e-3); }
static int c_layer_norm(const real *const *x, real *y) {
    return r_row_norm(x[0], 3, 5, true, x[1], x[2], 1e-3L, y), 15;
}
static orr_node b_layer_norm_plain(orr_graph *g, const orr_node *x) {
    return orr_layer_norm(g, x[0], ORR_NONE, ORR_NONE, 0.0);
}
static int c_layer_norm_plain(const real *const *x, real *y) {
    return r_row_norm(x[0], 4, 4, true, NULL, NULL, 0, y), 16;
}
static orr_node b_rms_norm(orr_graph *g, const orr_node *x) { return orr_rms_norm(g, x[0], x[1], 1e-3); }
static int c_rms_norm(const real *const *x, real *y) { return r_row_norm(x[0], 3, 5, false, x[1], NULL, 1e-3L, y), 15; }
static orr_node b_batch_norm(orr_graph *g, const orr_node *x) { return orr_batch_norm(g, x[0], x[1], x[2], 1e-3); }
static int c_batch_norm(const real *const *x, real *y) { return r_batch_norm(x[0], 4, 3, 2, x[1], x[2], 1e-3L, y), 24; }
static orr_node b_batch_norm_plain(orr_graph *g, const orr_node *x) {
    return orr_batch_norm(g, x[0], ORR_NONE, ORR_NONE, 1e-5);
}
static int c_batch_norm_plain(const real *const *x, real *y) {
    return r_batch_norm(x[0], 6, 2, 1, NULL, NULL, 1e-5L, y), 12;
}

static orr_node b_attention(orr_graph *g, const orr_node *x) { return orr_attention(g, x[0], x[1], x[2], false, 0.0); }
static int c_attention(const real *const *x, real *y) {
    for (int b = 0; b < 2; b++)
        r_attention(x[0] + 6 * b, x[1] + 8 * b, x[2] + 12 * b, 3, 4, 2, 3, false, 1 / sqrtl(2.0L), y + 9 * b);
    return 18;
}
/* keys and values shared by the batch, three queries, four keys */
static orr_node b_attention_causal(orr_graph *g, const orr_node *x) {
    return orr_attention(g, x[0], x[1], x[2], true, 0.8);
}
static int c_attention_causal(const real *const *x, real *y) {
    for (int b = 0; b < 2; b++) r_attention(x[0] + 8 * b, x[1], x[2], 4, 4, 2, 2, true, (real)0.8, y + 8 * b);
    return 16;
}

static orr_node b_linear(orr_graph *g, const orr_node *x) { return orr_linear(g, x[0], x[1], x[2]); }
static int c_linear(const real *const *x, real *y) { return r_linear(x[0], x[1], x[2], 4, 3, 2, y), 8; }
static orr_node b_linear_row(orr_graph *g, const orr_node *x) { return orr_linear(g, x[0], x[1], ORR_NONE); }
static int c_linear_row(const real *const *x, real *y) { return r_linear(x[0], x[1], NULL, 1, 3, 4, y), 4; }

static const int32_t six[6] = { 4, 0, 2, 2, 1, 4 };
static orr_node b_embedding(orr_graph *g, const orr_node *x) {
    return orr_embedding(g, x[0], orr_literal(g, ORR_I32, ORR_SHAPE(2, 3), six));
}
static int c_embedding(const real *const *x, real *y) {
    for (int i = 0; i < 12; i++) y[i] = x[0][six[i / 2] * 2 + i % 2];
    return 12;
}
static orr_node b_cross_entropy(orr_graph *g, const orr_node *x) {
    return orr_cross_entropy(g, x[0], orr_literal(g, ORR_I32, ORR_SHAPE(2, 3), six));
}
static int c_cross_entropy(const real *const *x, real *y) {
    r_logsumexp(x[0], 6, 5, 1, y);
    for (int i = 0; i < 6; i++) y[i] -= x[0][5 * i + six[i]];
    return 6;
}
static orr_node b_mse(orr_graph *g, const orr_node *x) { return orr_mse(g, x[0], x[1]); }
static int c_mse(const real *const *x, real *y) {
    y[0] = 0;
    for (int i = 0; i < 12; i++) y[0] += (x[0][i] - x[1][i]) * (x[0][i] - x[1][i]) / 8;
    return 1;
}
static orr_node b_dot(orr_graph *g, const orr_node *x) { return orr_dot(g, x, x + 2, 2); }
static int c_dot(const real *const *x, real *y) {
    y[0] = 0;
    for (int i = 0; i < 6; i++) y[0] += x[0][i] * x[2][i];
    for (int i = 0; i < 2; i++) y[0] += x[1][i] * x[3][i];
    return 1;
}

static orr_node b_conv1d(orr_graph *g, const orr_node *x) {
    return orr_conv1d(g, x[0], x[1], x[2],
                      (orr_convolution){ .stride = { 2 }, .low = { 1 }, .high = { 2 }, .groups = 2 });
}
static int c_conv1d(const real *const *x, real *y) {
    const int stride[2] = { 1, 2 }, low[2] = { 0, 1 }, high[2] = { 0, 2 }, dilation[2] = { 1, 1 };
    return r_conv(x[0], (r_image){ 2, 4, 1, 6 }, x[1], 4, 1, 3, x[2], stride, low, high, dilation, 2, y);
}
static orr_node b_conv2d(orr_graph *g, const orr_node *x) {
    const orr_convolution how = { .stride = { 1, 2 }, .low = { 2, 1 }, .high = { 1, 0 }, .dilation = { 2, 1 } };
    return orr_conv2d(g, x[0], x[1], x[2], how);
}
static int c_conv2d(const real *const *x, real *y) {
    const int stride[2] = { 1, 2 }, low[2] = { 2, 1 }, high[2] = { 1, 0 }, dilation[2] = { 2, 1 };
    return r_conv(x[0], (r_image){ 2, 2, 5, 4 }, x[1], 3, 3, 2, x[2], stride, low, high, dilation, 1, y);
}

static const orr_pooling tiling = { .window = { 2, 3 } }; /* leaves a row and a column over */
static const orr_pooling overlapping = { .window = { 3, 2 }, .stride = { 1, 2 }, .low = { 1, 0 }, .high = { 2, 1 } };
static const orr_pooling gaps = { .window = { 1, 2 }, .stride = { 2, 3 } };
static const orr_pooling padded_tiles = { .window = { 3, 3 }, .stride = { 3, 3 }, .low = { 1, 1 }, .high = { 0, 1 } };
static const r_image picture = { 1, 2, 5, 7 };
#define POOL(how)                                                                                                      \
    static orr_node b_average_##how(orr_graph *g, const orr_node *x) { return orr_average_pool(g, x[0], how); }        \
    static int c_average_##how(const real *const *x, real *y) { return r_pool(x[0], picture, how, false, y); }         \
    static orr_node b_max_##how(orr_graph *g, const orr_node *x) { return orr_max_pool(g, x[0], how); }                \
    static int c_max_##how(const real *const *x, real *y) { return r_pool(x[0], picture, how, true, y); }
POOL(tiling)
POOL(overlapping)
POOL(gaps)
POOL(padded_tiles)
static orr_node b_upsample(orr_graph *g, const orr_node *x) { return orr_upsample(g, x[0], 2); }
static int c_upsample(const real *const *x, real *y) { return r_upsample(x[0], (r_image){ 2, 1, 2, 3 }, 2, y); }

#define S(...)                                                                                                         \
    {                                                                                                                  \
        (int32_t)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), { __VA_ARGS__ }                               \
    }
static const composed cases[] = {
    // clang-format off
    { "linear", 3, { S(2, 2, 3), S(2, 3), S(2) }, b_linear, c_linear, false },
    { "linear of one row", 2, { S(3), S(4, 3) }, b_linear_row, c_linear_row, false },
    { "relu", 1, { S(9) }, b_relu, c_relu, true },
    { "softplus", 1, { S(9) }, b_softplus, c_softplus, false },
    { "silu", 1, { S(9) }, b_silu, c_silu, false },
    { "gelu", 1, { S(9) }, b_gelu, c_gelu, false },
    { "gelu_tanh", 1, { S(9) }, b_gelu_tanh, c_gelu_tanh, false },
    { "softmax", 1, { S(3, 4) }, b_softmax, c_softmax, false },
    { "softmax along axis 0", 1, { S(3, 4) }, b_softmax_0, c_softmax_0, false },
    { "log_softmax", 1, { S(2, 3, 2) }, b_log_softmax, c_log_softmax, false },
    { "logsumexp", 1, { S(2, 3, 2) }, b_logsumexp, c_logsumexp, false },
    { "layer_norm", 3, { S(3, 5), S(5), S(5) }, b_layer_norm, c_layer_norm, false },
    { "layer_norm, no gain, epsilon 0", 1, { S(2, 2, 4) }, b_layer_norm_plain, c_layer_norm_plain, false },
    { "rms_norm", 2, { S(3, 5), S(5) }, b_rms_norm, c_rms_norm, false },
    { "batch_norm", 3, { S(4, 3, 2), S(3), S(3) }, b_batch_norm, c_batch_norm, false },
    { "batch_norm of vectors, no gain", 1, { S(6, 2) }, b_batch_norm_plain, c_batch_norm_plain, false },
    { "attention", 3, { S(2, 3, 2), S(2, 4, 2), S(2, 4, 3) }, b_attention, c_attention, false },
    { "causal attention, shared keys", 3, { S(2, 4, 2), S(4, 2), S(4, 2) }, b_attention_causal, c_attention_causal, false },
    { "embedding", 1, { S(5, 2) }, b_embedding, c_embedding, false },
    { "cross_entropy", 1, { S(2, 3, 5) }, b_cross_entropy, c_cross_entropy, false },
    { "mse", 2, { S(4, 3), S(4, 3) }, b_mse, c_mse, false },
    { "dot", 4, { S(2, 3), S(2), S(2, 3), S(2) }, b_dot, c_dot, false },
    { "conv1d", 3, { S(2, 4, 6), S(4, 2, 3), S(4) }, b_conv1d, c_conv1d, false },
    { "conv2d", 3, { S(2, 2, 5, 4), S(3, 2, 3, 2), S(3) }, b_conv2d, c_conv2d, false },
    { "average_pool of tiles", 1, { S(1, 2, 5, 7) }, b_average_tiling, c_average_tiling, false },
    { "average_pool, overlapping", 1, { S(1, 2, 5, 7) }, b_average_overlapping, c_average_overlapping, false },
    { "average_pool with gaps", 1, { S(1, 2, 5, 7) }, b_average_gaps, c_average_gaps, false },
    { "average_pool of padded tiles", 1, { S(1, 2, 5, 7) }, b_average_padded_tiles, c_average_padded_tiles, false },
    { "max_pool of tiles", 1, { S(1, 2, 5, 7) }, b_max_tiling, c_max_tiling, true },
    { "max_pool, overlapping", 1, { S(1, 2, 5, 7) }, b_max_overlapping, c_max_overlapping, true },
    { "max_pool with gaps", 1, { S(1, 2, 5, 7) }, b_max_gaps, c_max_gaps, true },
    { "max_pool of padded tiles", 1, { S(1, 2, 5, 7) }, b_max_padded_tiles, c_max_padded_tiles, true },
    { "upsample", 1, { S(2, 1, 2, 3) }, b_upsample, c_upsample, false },
    // clang-format on
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

/* ---- points
 * ----------------------------------------------------------------------------------------------------------- */

static int count_x(const composed *c) {
    int64_t n = 0;
    for (int i = 0; i < c->n_x; i++) n += orr_shape_count(&c->x[i]);
    assert_true(n <= MOST);
    return (int)n;
}

/* member: another point for each */
static void draw_point(const composed *c, uint32_t member, double *x) {
    const orr_key key = { .seed = 7, .purpose = ORR_PURPOSE_TEST, .step = member };
    const int n = count_x(c);
    if (c->kinks) {
        int64_t order[MOST];
        orr_random_permutation(key, n, order);
        for (int i = 0; i < n; i++) x[i] = 0.5 * (double)(order[i] - n / 2) + 0.25;
        return;
    }
    orr_random_fill_uniform(key, 0, n, x);
    for (int i = 0; i < n; i++) x[i] = 4.0 * x[i] - 2.0;
}

static void draw_direction(const composed *c, uint32_t member, double *u) {
    const int n = count_x(c);
    orr_random_fill_uniform((orr_key){ .seed = 8, .purpose = ORR_PURPOSE_TEST, .step = member }, 0, n, u);
    for (int i = 0; i < n; i++) u[i] = 2.0 * u[i] - 1.0;
}

static double weight(int j) { return 0.5 + (double)(j * 7 % 11) / 11.0; }

/* ---- differences of the formula
 * --------------------------------------------------------------------------------------- */

/* F(x) = sum_j weight(j) sin y_j(x) */
static real objective(const composed *c, const real *flat) {
    const real *x[MOST_X];
    real y[MOST], f = 0;
    for (int i = 0; i < c->n_x; i++) x[i] = flat, flat += orr_shape_count(&c->x[i]);
    const int n = c->reference(x, y);
    assert_true(n <= MOST);
    for (int j = 0; j < n; j++) f += (real)weight(j) * sinl(y[j]);
    return f;
}

/* F(x + s e_i + t u) */
static real moved(const composed *c, const double *x, int i, real s, const double *u, real t) {
    real at[MOST];
    const int n = count_x(c);
    for (int k = 0; k < n; k++) at[k] = (real)x[k] + t * (real)u[k] + (k == i ? s : 0);
    return objective(c, at);
}

/* The difference quotient for d/de_i (d/du)^(order - 1) F, with an error in even powers of h */
static real quotient(const composed *c, const double *x, int i, const double *u, int order, real h) {
    static const int terms[4] = { 0, 1, 2, 3 };
    static const real place[4][3] = { { 0 }, { 0 }, { 1, -1 }, { 1, 0, -1 } },
                      factor[4][3] = { { 0 }, { 1 }, { 1, -1 }, { 1, -2, 1 } };
    static const real scale[4] = { 0, 1, 2, 1 };
    real sum = 0;
    for (int k = 0; k < terms[order]; k++)
        sum += factor[order][k] *
               (moved(c, x, i, h, u, place[order][k] * h) - moved(c, x, i, -h, u, place[order][k] * h)) / (2 * h);
    return sum / (scale[order] * powl(h, order - 1));
}

static double derivative(const composed *c, const double *x, int i, const double *u, int order) {
    real table[LEVELS];
    real h = 0.06L;
    for (int level = 0; level < LEVELS; level++, h /= 2) {
        table[level] = quotient(c, x, i, u, order, h);
        real power = 4;
        for (int k = level - 1; k >= 0; k--, power *= 4)
            table[k] = table[k + 1] + (table[k + 1] - table[k]) / (power - 1);
    }
    return (double)table[0];
}

/* Valgrind computes long double as double; the differences would be noise. */
static bool has_extended_precision(void) {
    volatile real one = 1, tiny = 0x1p-60L;
    return one + tiny != one;
}

/* ---- fixture: one case on one context
 * ----------------------------------------------------------------------------------- */

typedef struct fixture {
    orr_context *ctx;
    const composed *c;
    orr_graph *g;
    orr_node x[MOST_X], u[MOST_X]; /* point, direction */
    orr_node y, f;                 /* the function, sum of weight sin y */
    orr_node gradient[MOST_X], hu[MOST_X];
} fixture;

static orr_node declare(orr_graph *g, char prefix, int i, orr_dtype dtype, const orr_shape *shape, int64_t batch) {
    char name[16];
    orr_shape s = *shape;
    if (batch) {
        memmove(s.size + 1, s.size, (size_t)s.rank * sizeof *s.size);
        s.size[0] = batch;
        s.rank++;
    }
    snprintf(name, sizeof name, "%c%d", prefix, i);
    return orr_input(g, name, dtype, s);
}

static void build_case(fixture *t, orr_dtype dtype) {
    const composed *c = t->c;
    double weights[MOST];
    assert_ok(t->ctx, orr_graph_new(t->ctx, &t->g));
    for (int i = 0; i < c->n_x; i++) t->x[i] = declare(t->g, 'x', i, dtype, &c->x[i], 0);
    for (int i = 0; i < c->n_x; i++) t->u[i] = declare(t->g, 'u', i, dtype, &c->x[i], 0);
    t->y = c->build(t->g, t->x);
    assert_string_equal(orr_graph_message(t->g), "");
    const orr_shape shape = orr_node_shape(t->g, t->y);
    for (int j = 0; j < orr_shape_count(&shape); j++) weights[j] = weight(j);
    const orr_node w = orr_cast(t->g, orr_literal(t->g, ORR_F64, shape, weights), dtype);
    t->f = orr_sum_all(t->g, orr_mul(t->g, orr_sin(t->g, t->y), w));
    orr_grad(t->g, t->f, t->x, c->n_x, t->gradient);
    orr_hvp(t->g, t->f, t->x, t->u, c->n_x, t->hu);
    assert_string_equal(orr_graph_message(t->g), "");
}

/* Parts of a flat vector as the numbers of several inputs. */
static int give(const composed *c, const orr_node *node, const double *flat, int64_t batch, given *in) {
    for (int i = 0; i < c->n_x; i++) {
        in[i] = (given){ node[i], flat };
        flat += orr_shape_count(&c->x[i]) * batch;
    }
    return c->n_x;
}

static void run_case(const fixture *t, const char *device, const double *x, const double *u, const orr_node *out,
                     int n_out, double *result) {
    given in[2 * MOST_X];
    int n = give(t->c, t->x, x, 1, in);
    n += give(t->c, t->u, u, 1, in + n);
    evaluate(t->ctx, t->g, device, in, n, out, n_out, result);
}

static double largest(const double *x, int n) {
    double most = 1.0;
    for (int i = 0; i < n; i++) most = fmax(most, fabs(x[i]));
    return most;
}

static void assert_all_close(const char *what, const double *got, const double *expected, int n, double limit) {
    const double most = limit * largest(expected, n);
    for (int i = 0; i < n; i++)
        if (!(fabs(got[i] - expected[i]) <= most))
            fail_msg("%s[%d]: got %.17g, expected %.17g, differs by %.3g, limit %.3g", what, i, got[i], expected[i],
                     fabs(got[i] - expected[i]), most);
}

/* ---- what is claimed of every case
 * ---------------------------------------------------------------------------------------- */

static void value_is_that_of_the_formula(void **state) {
    fixture *t = *state;
    double x[MOST], u[MOST], y[MOST], expected[MOST];
    real flat[MOST], exact[MOST];
    const real *parts[MOST_X];
    build_case(t, ORR_F64);
    draw_point(t->c, 0, x), draw_direction(t->c, 0, u);
    for (int i = 0; i < count_x(t->c); i++) flat[i] = (real)x[i];
    for (int i = 0, at = 0; i < t->c->n_x; at += (int)orr_shape_count(&t->c->x[i]), i++) parts[i] = flat + at;
    const int n = t->c->reference(parts, exact);
    const orr_shape shape = orr_node_shape(t->g, t->y);
    assert_int_equal(orr_shape_count(&shape), n);
    for (int i = 0; i < n; i++) expected[i] = (double)exact[i];
    for (int d = 0; d < N_DEVICES; d++) {
        run_case(t, devices[d], x, u, &t->y, 1, y);
        assert_all_close("y", y, expected, n, 3e-15); /* some 20 roundings of 1.1e-16; measured 3e-16 */
    }
}

static void derivatives_of_three_orders_are_those_of_the_formula(void **state) {
    fixture *t = *state;
    static const double limits[4] = { 0, 2e-14, 1e-11, 5e-11 }; /* see the top of this file */
    double x[MOST], u[MOST], expected[4][MOST], got[6 * MOST];
    if (!has_extended_precision()) skip();
    build_case(t, ORR_F64);
    draw_point(t->c, 0, x), draw_direction(t->c, 0, u);
    const int n = count_x(t->c), n_x = t->c->n_x;
    for (int order = 1; order <= 3; order++)
        for (int i = 0; i < n; i++) expected[order][i] = derivative(t->c, x, i, u, order);
    /* second order as forward of reverse and as reverse of reverse; third as reverse of forward of reverse, as forward of
     * forward of reverse, and as reverse of reverse of reverse */
    orr_node out[6 * MOST_X];
    memcpy(out, t->gradient, sizeof t->gradient);
    memcpy(out + n_x, t->hu, sizeof t->hu);
    orr_grad(t->g, orr_dot(t->g, t->gradient, t->u, n_x), t->x, n_x, out + 2 * n_x);
    orr_grad(t->g, orr_dot(t->g, t->hu, t->u, n_x), t->x, n_x, out + 3 * n_x);
    orr_jvp(t->g, t->hu, n_x, t->x, t->u, n_x, out + 4 * n_x);
    orr_grad(t->g, orr_dot(t->g, out + 2 * n_x, t->u, n_x), t->x, n_x, out + 5 * n_x);
    for (int d = 0; d < N_DEVICES; d++) {
        run_case(t, devices[d], x, u, out, 6 * n_x, got);
        assert_all_close("gradient", got, expected[1], n, limits[1]);
        assert_all_close("H u", got + n, expected[2], n, limits[2]);
        assert_all_close("grad of gradient.u", got + 2 * n, expected[2], n, limits[2]);
        assert_all_close("grad of u'H u", got + 3 * n, expected[3], n, limits[3]);
        assert_all_close("jvp of H u", got + 4 * n, expected[3], n, limits[3]);
        assert_all_close("grad of grad of grad", got + 5 * n, expected[3], n, limits[3]);
    }
}

static void forward_and_reverse_are_adjoint(void **state) {
    fixture *t = *state;
    double x[MOST], u[MOST], v[MOST], got[2 * MOST];
    build_case(t, ORR_F64);
    draw_point(t->c, 1, x), draw_direction(t->c, 1, u);
    const int n = count_x(t->c), n_x = t->c->n_x;
    const orr_shape shape = orr_node_shape(t->g, t->y);
    const int m = (int)orr_shape_count(&shape);
    for (int j = 0; j < m; j++) v[j] = weight(j);
    orr_node out[1 + MOST_X];
    const orr_node ybar = orr_literal(t->g, ORR_F64, shape, v);
    orr_jvp(t->g, &t->y, 1, t->x, t->u, n_x, out);
    orr_vjp(t->g, &t->y, &ybar, 1, t->x, n_x, out + 1);
    for (int d = 0; d < N_DEVICES; d++) {
        run_case(t, devices[d], x, u, out, 1 + n_x, got);
        double forward = 0.0, reverse = 0.0, size = 1.0;
        for (int j = 0; j < m; j++) forward += v[j] * got[j], size += fabs(v[j] * got[j]);
        for (int i = 0; i < n; i++) reverse += u[i] * got[m + i];
        assert_close(forward, reverse, 1e-14 * size); /* rounding of some 20 steps, relative to the sum of sizes */
    }
}

/* Of the function, and of its Hessian-vector product: vmap of jvp of grad. */
static void vmap_is_a_loop(void **state) {
    fixture *t = *state;
    double x[BATCH][MOST], u[BATCH][MOST], flat[2][BATCH * MOST], loop[BATCH][2 * MOST], got[2 * BATCH * MOST];
    build_case(t, ORR_F64);
    const int n = count_x(t->c), n_x = t->c->n_x;
    const orr_shape shape = orr_node_shape(t->g, t->y);
    const int m = (int)orr_shape_count(&shape);
    orr_node out[1 + MOST_X] = { t->y }, mapped[1 + MOST_X], from[2 * MOST_X], batched[2 * MOST_X];
    memcpy(out + 1, t->hu, sizeof t->hu);
    for (int i = 0; i < n_x; i++) from[i] = t->x[i], from[n_x + i] = t->u[i];
    for (int i = 0; i < n_x; i++) batched[i] = declare(t->g, 'X', i, ORR_F64, &t->c->x[i], BATCH);
    for (int i = 0; i < n_x; i++) batched[n_x + i] = declare(t->g, 'U', i, ORR_F64, &t->c->x[i], BATCH);
    orr_vmap(t->g, out, 1 + n_x, from, batched, 2 * n_x, mapped);
    assert_string_equal(orr_graph_message(t->g), "");
    for (int b = 0; b < BATCH; b++)
        draw_point(t->c, 10u + (uint32_t)b, x[b]), draw_direction(t->c, 20u + (uint32_t)b, u[b]);
    for (int i = 0, at = 0, to = 0; i < n_x; i++) {
        const int size = (int)orr_shape_count(&t->c->x[i]);
        for (int b = 0; b < BATCH; b++)
            for (int k = 0; k < size; k++, to++) flat[0][to] = x[b][at + k], flat[1][to] = u[b][at + k];
        at += size;
    }
    for (int d = 0; d < N_DEVICES; d++) {
        given in[2 * MOST_X];
        for (int b = 0; b < BATCH; b++) run_case(t, devices[d], x[b], u[b], out, 1 + n_x, loop[b]);
        give(t->c, batched, flat[0], BATCH, in), give(t->c, batched + n_x, flat[1], BATCH, in + n_x);
        evaluate(t->ctx, t->g, devices[d], in, 2 * n_x, mapped, 1 + n_x, got);
        const double *at = got;
        for (int k = 0, first = 0; k <= n_x; k++) {
            const int size = k == 0 ? m : (int)orr_shape_count(&t->c->x[k - 1]);
            for (int b = 0; b < BATCH; b++, at += size)
                assert_all_close(k ? "H u" : "y", at, loop[b] + first, size, 1e-14); /* sums in another order */
            first += size;
        }
        assert_int_equal(at - got, BATCH * (n + m));
    }
}

static void float32_is_float64_to_its_rounding(void **state) {
    fixture *t = *state, narrow = { .ctx = t->ctx, .c = t->c };
    double x[MOST], u[MOST], wide_result[3 * MOST], narrow_result[3 * MOST];
    orr_node out[1 + 2 * MOST_X];
    const int n_x = t->c->n_x, n = count_x(t->c);
    draw_point(t->c, 2, x), draw_direction(t->c, 2, u);
    for (int i = 0; i < n; i++) x[i] = (double)(float)x[i], u[i] = (double)(float)u[i];
    build_case(t, ORR_F64), build_case(&narrow, ORR_F32);
    const orr_shape shape = orr_node_shape(t->g, t->y);
    const int m = (int)orr_shape_count(&shape);
    for (int d = 0; d < N_DEVICES; d++) {
        fixture *both[2] = { t, &narrow };
        double *results[2] = { wide_result, narrow_result };
        for (int k = 0; k < 2; k++) {
            out[0] = both[k]->y;
            memcpy(out + 1, both[k]->gradient, sizeof both[k]->gradient);
            memcpy(out + 1 + n_x, both[k]->hu, sizeof both[k]->hu);
            run_case(both[k], devices[d], x, u, out, 1 + 2 * n_x, results[k]);
        }
        /* roundings of 6e-8, some 20 for a value and more for a derivative; measured 1.5e-7, 4e-7, 7e-7 */
        assert_all_close("y", narrow_result, wide_result, m, 1e-6);
        assert_all_close("gradient", narrow_result + m, wide_result + m, n, 3e-6);
        assert_all_close("H u", narrow_result + m + n, wide_result + m + n, n, 1e-5);
    }
    orr_graph_free(narrow.g);
}

static int case_setup(void **state) {
    fixture *t = calloc(1, sizeof *t);
    if (!t) return -1;
    t->c = *state;
    *state = t;
    void *ctx = NULL;
    if (context_setup(&ctx) != 0) return -1;
    t->ctx = ctx;
    return 0;
}

static int case_teardown(void **state) {
    fixture *t = *state;
    orr_graph_free(t->g);
    orr_context_free(t->ctx);
    free(t);
    return 0;
}

int main(void) {
    static const struct {
        const char *claim;
        CMUnitTestFunction test;
    } claims[] = {
        { "value is that of the formula", value_is_that_of_the_formula },
        { "derivatives of three orders are those of the formula",
          derivatives_of_three_orders_are_those_of_the_formula },
        { "forward and reverse are adjoint", forward_and_reverse_are_adjoint },
        { "vmap is a loop", vmap_is_a_loop },
        { "float32 is float64 to its rounding", float32_is_float64_to_its_rounding },
    };
    enum { N_CLAIMS = sizeof claims / sizeof claims[0] };
    static struct CMUnitTest all[N_CASES * N_CLAIMS];
    static char names[N_CASES * N_CLAIMS][128];
    for (int c = 0; c < N_CASES; c++)
        for (int k = 0; k < N_CLAIMS; k++) {
            const int at = c * N_CLAIMS + k;
            snprintf(names[at], sizeof names[at], "%s: %s", cases[c].name, claims[k].claim);
            all[at] = (struct CMUnitTest){ .name = names[at],
                                           .test_func = claims[k].test,
                                           .setup_func = case_setup,
                                           .teardown_func = case_teardown,
                                           .initial_state = (void *)(uintptr_t)&cases[c] };
        }
    return cmocka_run_group_tests_name("composed functions", all, NULL, NULL);
}
