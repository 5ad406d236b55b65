/* Learning curve of kernel ridge regression (float64): the Laplace kernel on 2,000 inputs of dimension 784, then at six
 * sizes n the fit to the first n and its mean squared error on the others.
 *
 *     K_ij = exp(-|x_i - x_j| / 28),   (K[:n, :n] + 10^-3) a = y[:n],   error = mean (K[n:, :n] a - y[n:])^2
 *
 * The Cholesky factor of a leading block is the leading block of the factor, so the largest size's serves all six. */
#include <string.h>

#include "base/parallel.h"
#include "numeric/dense.h"
#include "workloads/workload.h"

enum { N = 2000, D = 784, SIZES = 6, LARGEST = 1500 };
static const int64_t sizes[SIZES] = { 50, 100, 200, 500, 1000, LARGEST };

typedef struct curve {
    orr_arena *scratch;
    orr_graph *g;
    orr_program *gram;        /* x -> K */
    const double *k;          /* [N, N] */
    double *y, *factor;       /* [N], [LARGEST, LARGEST] */
    double *a;                /* [N, SIZES]: that of size s in column s, then zeros */
    double *one, *prediction; /* [N]: a of one size, and what it predicts */
    double error[SIZES];
} curve;

/* |x_i - x_j|^2 = |x_i|^2 + |x_j|^2 - 2 x_i.x_j, as the peer's cdist: its rounding may fall below 0 */
static orr_node laplace_gram(orr_graph *g, orr_node x) {
    const orr_node square = orr_sum(g, orr_square(g, x), ORR_AXES(1));
    const orr_node sum = orr_add(g, orr_expand(g, square, 1), square);
    const orr_node distance2 = orr_sub(g, sum, orr_scale(g, orr_einsum(g, "id,jd->ij", x, x), 2.0));
    const orr_node distance = orr_sqrt(g, orr_max(g, distance2, orr_fill(g, ORR_F64, ORR_SCALAR, 0.0)));
    return orr_exp(g, orr_scale(g, distance, -1.0 / 28.0));
}

static orr_status build(orr_context *ctx, curve *c, bool reproducible) {
    ORR_TRY(ctx, orr_graph_new(ctx, &c->g));
    const orr_node x = orr_input(c->g, "x", ORR_F64, ORR_SHAPE(N, D)), k = laplace_gram(c->g, x);
    ORR_TRY(ctx, orr_compile(ctx, c->g, &(orr_compile_options){ .outputs = &k, .n_outputs = 1 }, &c->gram));
    const orr_workload_input inputs[] = {
        { .name = "x", .dtype = ORR_F64, .shape = ORR_SHAPE(N, D), .law = ORR_LAW_NORMAL, .scale = 1.0 },
        { .name = "y", .dtype = ORR_F64, .shape = ORR_SHAPE(N), .law = ORR_LAW_NORMAL, .scale = 1.0 },
    };
    orr_workload_fill("krr_curve", &inputs[0], reproducible, orr_program_data(c->gram, x));
    orr_workload_fill("krr_curve", &inputs[1], reproducible, c->y);
    c->k = orr_program_data(c->gram, k);
    return ORR_OK;
}

static void close(void *state) {
    curve *c = state;
    orr_program_free(c->gram);
    orr_graph_free(c->g);
    orr_arena_free(c->scratch);
}

static orr_status open(orr_context *ctx, orr_arena *arena, bool reproducible, void **state) {
    curve *c = ORR_NEW(arena, curve, 1);
    if (!c) return orr_fail(ctx, ORR_ENOMEM, "krr_curve: its head");
    c->y = ORR_NEW(arena, double, N);
    c->factor = ORR_NEW(arena, double, (int64_t)LARGEST *LARGEST);
    c->a = ORR_NEW(arena, double, N *SIZES);
    c->one = ORR_NEW(arena, double, N);
    c->prediction = ORR_NEW(arena, double, N);
    if (!c->y || !c->factor || !c->a || !c->one || !c->prediction)
        return orr_fail(ctx, ORR_ENOMEM, "krr_curve: a matrix of %d x %d", LARGEST, LARGEST);
    orr_status status = orr_arena_new(ctx, &c->scratch);
    if (status == ORR_OK) status = build(ctx, c, reproducible);
    if (status == ORR_OK) *state = c;
    else close(c);
    return status;
}

/* Row i of K + 10^-3, below the diagonal. */
static void copy_row(void *arg, int64_t i, int worker) {
    curve *c = arg;
    (void)worker;
    memcpy(c->factor + i * LARGEST, c->k + i * N, (size_t)(i + 1) * sizeof *c->k);
    c->factor[i * LARGEST + i] += 1e-3;
}

static double error_of(curve *c, int32_t s) {
    const int64_t n = sizes[s];
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) c->one[i] = c->a[i * SIZES + s];
    orr_dense_apply(N - n, n, c->k + n * N, N, c->one, c->prediction);
    for (int64_t i = n; i < N; i++) {
        const double residual = c->prediction[i - n] - c->y[i];
        sum += residual * residual;
    }
    return sum / (double)(N - n);
}

static orr_status fit(orr_context *ctx, curve *c) {
    orr_parallel(orr_context_pool(ctx), LARGEST, copy_row, c);
    ORR_TRY(ctx, orr_cholesky(ctx, LARGEST, c->factor, c->factor));
    ORR_TRY(ctx, orr_cholesky_solve_leading(ctx, c->scratch, LARGEST, c->factor, SIZES, sizes, c->y, c->a));
    for (int32_t s = 0; s < SIZES; s++) c->error[s] = error_of(c, s);
    return ORR_OK;
}

static orr_status run(orr_context *ctx, void *state, int64_t units) {
    curve *c = state;
    for (int64_t i = 0; i < units; i++) {
        ORR_TRY(ctx, orr_program_run(c->gram));
        ORR_TRY(ctx, fit(ctx, c));
    }
    return ORR_OK;
}

static double *find(void *state, const char *name, int64_t *count) {
    curve *c = state;
    *count = strcmp(name, "errors") == 0 ? SIZES : (int64_t)N * SIZES;
    return strcmp(name, "errors") == 0 ? c->error : strcmp(name, "a") == 0 ? c->a : NULL;
}

const orr_workload orr_workload_krr_curve = {
    .name = "krr_curve",
    .unit = "curve",
    .title = "kernel learning curve: Laplace Gram on n = 2000 inputs of dim 784, then solves at 6 sizes",
    .dtype = ORR_F64,
    /* half of the symmetric product, one Cholesky factor, the sum of (N - n) n of the predictions */
    .flops = 1.0 * N * N * D + 1.0 * LARGEST * LARGEST * LARGEST / 3 + 2.0 * 3147500,
    .units_per_call = 1,
    .open = open,
    .run = run,
    .find = find,
    .close = close,
};
