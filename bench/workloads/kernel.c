/* Learning curve of kernel ridge regression (float64): the Laplace kernel on 2,000 inputs of dimension 784, then at six
 * sizes n the fit to the first n and its mean squared error on the others.
 *
 *     K_ij = exp(-|x_i - x_j| / 28),   (K[:n, :n] + 10^-3) a = y[:n],   error = mean (K[n:, :n] a - y[n:])^2
 *
 * Columns beyond the largest size, K between two inputs that are never fitted, are in neither and aren't computed.  The
 * Cholesky factor of a leading block is the leading block of the factor, so the largest size's serves all six.  It takes the
 * place of K's lower triangle; predictions read the upper one, which has the same numbers. */
#include <string.h>

#include "base/parallel.h"
#include "numeric/dense.h"
#include "theory/kernel_function.h"
#include "workloads/workload.h"

enum { N = 2000, D = 784, SIZES = 6, LARGEST = 1500, COLUMNS = 125 };
static const int64_t sizes[SIZES] = { 50, 100, 200, 500, 1000, LARGEST };

typedef struct curve {
    orr_arena *scratch;
    double *x, *y, *k;  /* [N, D], [N], [N, LARGEST] */
    double *a, *one;    /* [N, SIZES]: that of size s in column s, then zeros; the same by rows */
    double *prediction; /* [SIZES, N] */
    double error[SIZES];
} curve;

static void close(void *state) {
    curve *c = state;
    orr_arena_free(c->scratch);
}

static orr_status open(orr_context *ctx, orr_arena *arena, bool reproducible, void **state) {
    curve *c = ORR_NEW(arena, curve, 1);
    if (!c) return orr_fail(ctx, ORR_ENOMEM, "krr_curve: its head");
    c->x = ORR_NEW(arena, double, (int64_t)N *D);
    c->y = ORR_NEW(arena, double, N);
    c->k = ORR_NEW(arena, double, (int64_t)N *LARGEST);
    c->a = ORR_NEW(arena, double, N *SIZES);
    c->one = ORR_NEW(arena, double, N *SIZES);
    c->prediction = ORR_NEW(arena, double, N *SIZES);
    if (!c->x || !c->y || !c->k || !c->a || !c->one || !c->prediction)
        return orr_fail(ctx, ORR_ENOMEM, "krr_curve: a matrix of %d x %d", N, LARGEST);
    const orr_workload_input inputs[] = {
        { .name = "x", .dtype = ORR_F64, .shape = ORR_SHAPE(N, D), .law = ORR_LAW_NORMAL, .scale = 1.0 },
        { .name = "y", .dtype = ORR_F64, .shape = ORR_SHAPE(N), .law = ORR_LAW_NORMAL, .scale = 1.0 },
    };
    orr_workload_fill("krr_curve", &inputs[0], reproducible, c->x);
    orr_workload_fill("krr_curve", &inputs[1], reproducible, c->y);
    orr_blas_threads_set(1); /* tasks are those of the context, as in a compiled program */
    ORR_TRY(ctx, orr_arena_new(ctx, &c->scratch));
    *state = c;
    return ORR_OK;
}

/* What each size predicts for COLUMNS of the inputs, of those that it wasn't fitted to. */
static void predict_some(void *arg, int64_t task, int worker) {
    const curve *c = arg;
    const int64_t end = (task + 1) * COLUMNS;
    (void)worker;
    for (int s = 0; s < SIZES; s++) {
        const int64_t first = task * COLUMNS > sizes[s] ? task * COLUMNS : sizes[s];
        if (first >= end) continue;
        if (first < LARGEST) /* K[:n, first:end] for its transpose */
            orr_dense_apply(sizes[s], end - first, c->k + first, LARGEST, true, c->one + s * N,
                            c->prediction + s * N + first);
        else
            orr_dense_apply(end - first, sizes[s], c->k + first * LARGEST, LARGEST, false, c->one + s * N,
                            c->prediction + s * N + first);
    }
}
_Static_assert(LARGEST % COLUMNS == 0 && N % COLUMNS == 0,
               "a task's inputs are all fitted by the largest size, or none");

static double error_of(const curve *c, int s) {
    double sum = 0.0;
    for (int64_t i = sizes[s]; i < N; i++) {
        const double residual = c->prediction[s * N + i] - c->y[i];
        sum += residual * residual;
    }
    return sum / (double)(N - sizes[s]);
}

static orr_status fit(orr_context *ctx, curve *c) {
    for (int64_t i = 0; i < LARGEST; i++) c->k[i * LARGEST + i] += 1e-3;
    ORR_TRY(ctx, orr_cholesky_in_place(ctx, LARGEST, c->k, LARGEST));
    ORR_TRY(ctx, orr_cholesky_solve_leading(ctx, c->scratch, LARGEST, c->k, LARGEST, SIZES, sizes, c->y, c->a));
    for (int64_t i = 0; i < LARGEST; i++)
        for (int s = 0; s < SIZES; s++) c->one[s * N + i] = c->a[i * SIZES + s];
    orr_parallel(orr_context_pool(ctx), N / COLUMNS, predict_some, c);
    for (int s = 0; s < SIZES; s++) c->error[s] = error_of(c, s);
    return ORR_OK;
}

static orr_status run(orr_context *ctx, void *state, int64_t units) {
    static const orr_kernel laplace = { ORR_KERNEL_LAPLACE, 28.0 };
    curve *c = state;
    for (int64_t i = 0; i < units; i++) {
        ORR_TRY(ctx, orr_kernel_matrix(ctx, c->scratch, &laplace, N, LARGEST, D, c->x, c->x, c->k));
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
    /* the product without what lies above the diagonal, one Cholesky factor, the sum of (N - n) n of the predictions */
    .flops =
        2.0 * N * LARGEST * D - 1.0 * LARGEST * LARGEST * D + 1.0 * LARGEST * LARGEST * LARGEST / 3 + 2.0 * 3147500,
    .units_per_call = 1,
    .open = open,
    .run = run,
    .find = find,
    .close = close,
};
