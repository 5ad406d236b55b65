/* A learner beside the network: kernel ridge regression on samples of the training examples, drawn anew `draws` times.
 *
 *     f(x) = K(x, X) (K(X, X) + delta I)^-1 y,   X: n of the training examples, without replacement
 *
 * K is not divided by n, nor delta multiplied by it; 1e-12 tr K(X, X)/n is added to delta for the Cholesky factor.  With S the
 * number of `samples`, D of `ridges`, R of draws and C of outputs, for each output the mean over examples of (y - f)^2:
 *
 *     kernel_regression_test          array [S, D, R, C], over what `test` says:
 *                                       pool   all training examples: they are the population that the n are drawn from
 *                                       test   `tested` of the test examples, the next ones in turn for each draw
 *                                       exact  the Gaussian distribution that the data were drawn from, for the linear kernel and a
 *                                              linear teacher W without its noise: sum_j eigenvalue_j (w_j - W_j)^2
 *     kernel_regression_train         the same over the n themselves
 *     kernel_regression_learned       array [S, D, R]: tr K(X, X) (K(X, X) + delta I)^-1
 *     kernel_regression_learnability  array [S, D, modes], mean over draws, of the largest eigenfunctions phi_i of the kernel on the
 *                                     pool (pool) or of the coordinates (exact): the coefficient of phi_i in what is learned of the
 *                                     target phi_i, lambda_i phi_i(X)' (K(X, X) + delta I)^-1 phi_i(X)
 *     kernel_regression_values        array [modes]: lambda_i
 *
 * Labels are one-hot targets.  It says nothing about the network, and is the same after any step.  Memory: with `pool` all pairs of
 * training examples.  Cost: S D R Cholesky factors. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/random.h"
#include "instrument/probe.h"
#include "numeric/dense.h"
#include "numeric/eigen.h"
#include "theory/kernel_function.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("1000000"),
    { "kernel", ORR_CHOICE, .fallback = "ntk", .choices = ORR_KERNEL_KINDS,
      .help = "linear: x.z; ntk: of relu(W x) with a linear readout; laplace: exp(-r/bandwidth); rbf: "
              "exp(-r^2/(2 bandwidth^2))" },
    { "bandwidth", ORR_REAL, .fallback = "1", .range = "(0, inf)", .help = "of laplace and rbf" },
    { "samples", ORR_INTS, .fallback = "16 32 64", .range = "[1, 100000]", .help = "n: how many examples are learned" },
    { "ridges", ORR_REALS, .fallback = "0", .range = "[0, inf)", .help = "delta" },
    { "draws", ORR_INT, .fallback = "24", .range = "[1, 1000000]", .help = "of samples, for each n" },
    { "test", ORR_CHOICE, .fallback = "pool", .choices = "pool test exact",
      .help = "errors are over all training examples, over the test examples, or exact under Gaussian data" },
    { "tested", ORR_INT, .fallback = "0", .range = "[0, 100000000]", .unit = "test examples",
      .help = "that `test: test` takes for each draw, in turn; 0: all" },
    { "modes", ORR_INT, .fallback = "0", .range = "[0, 10000]",
      .help = "eigenfunctions whose learnability is measured" },
    { 0 },
};

typedef enum test_kind { POOL = 0, TEST, EXACT } test_kind; /* in the order of the choices */

typedef struct state {
    orr_context *ctx;
    orr_arena *arena, *scratch; /* arena: of one measurement */
    orr_subject own;            /* a copy: it lives as long as this */
    orr_kernel kernel;
    test_kind test;
    int64_t n_samples, n_ridges, draws, tested, modes, n, d, outputs; /* n: training examples */
    const int64_t *samples;
    const double *ridges;
    /* of one measurement */
    int64_t n_test;                  /* of all; s->tested of them are tested for a draw */
    double *x, *y, *test_x, *test_y; /* [n, d], [n, outputs], [n_test, d], [n_test, outputs] */
    int64_t *order;                  /* [n]: training examples in the order in which they are drawn */
    double *gram;                    /* pool: [n, n] */
    double *values, *phi;            /* [modes], [modes, n]: eigenfunctions at the training examples */
    const double *lambda, *teacher;  /* exact: [d], [outputs, d] */
} state;

/* What is recorded. */
typedef struct record {
    double *test, *train, *learned, *learnability;
} record;

static void close_regression(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->ctx;
    orr_arena_free(s->scratch);
    orr_arena_free(s->arena);
    orr_release(ctx, s);
}

static orr_status no_memory(const state *s) {
    return orr_fail(s->ctx, ORR_ENOMEM, "kernel-regression: no memory for %lld examples", (long long)s->n);
}

static orr_status check(orr_context *ctx, const state *s) {
    const orr_subject *subject = &s->own;
    if (subject->x_type == ORR_I32) return orr_fail(ctx, ORR_EINPUT, "kernel-regression: inputs are tokens");
    if (!subject->target) return orr_fail(ctx, ORR_EINPUT, "kernel-regression: the data have no targets");
    if (s->test == TEST && subject->test_examples == 0)
        return orr_fail(ctx, ORR_EINPUT, "kernel-regression: `test: test` needs test examples (`n_test`)");
    if (s->n_samples == 0 || s->n_ridges == 0)
        return orr_fail(ctx, ORR_EINPUT, "kernel-regression: `samples` and `ridges` may not be empty");
    for (int64_t i = 0; i < s->n_samples; i++)
        if (s->samples[i] > s->n)
            return orr_fail(ctx, ORR_EINPUT, "kernel-regression: %lld samples of %lld training examples",
                            (long long)s->samples[i], (long long)s->n);
    if (s->test == TEST && s->modes > 0)
        return orr_fail(ctx, ORR_EINPUT, "kernel-regression: `test: test` knows no eigenfunctions; take `modes: 0`");
    if (s->modes > (s->test == EXACT ? s->d : s->n))
        return orr_fail(ctx, ORR_EINPUT, "kernel-regression: there are no %lld modes", (long long)s->modes);
    return ORR_OK;
}

static orr_status open_regression(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                  void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "kernel-regression: out of memory");
    *s = (state){ .ctx = ctx,
                  .own = *subject,
                  .draws = orr_int(settings, "draws"),
                  .modes = orr_int(settings, "modes"),
                  .tested = orr_int(settings, "tested"),
                  .n = subject->examples,
                  .d = orr_shape_count(&subject->input),
                  .kernel.bandwidth = orr_real(settings, "bandwidth") };
    static const char *const kernels[] = { "linear", "ntk", "laplace", "rbf" }; /* ORDER orr_kernel_kind */
    static const char *const tests[] = { "pool", "test", "exact" };
    for (int i = 0; i < 4; i++)
        if (strcmp(orr_text(settings, "kernel"), kernels[i]) == 0) s->kernel.kind = (orr_kernel_kind)i;
    for (int i = 0; i < 3; i++)
        if (strcmp(orr_text(settings, "test"), tests[i]) == 0) s->test = (test_kind)i;
    s->samples = orr_ints(settings, "samples", &s->n_samples);
    s->ridges = orr_reals(settings, "ridges", &s->n_ridges);
    s->outputs = subject->classes ? subject->classes : orr_shape_count(&subject->target_of_one);
    orr_status status = check(ctx, s);
    if (status == ORR_OK) status = orr_arena_new(ctx, &s->arena);
    if (status == ORR_OK) status = orr_arena_new(ctx, &s->scratch);
    if (status == ORR_OK) *out = s;
    else close_regression(s);
    return status;
}

/* ---- the data as doubles ------------------------------------------------------------------------------------------------- */

static void widen(orr_dtype dtype, const void *from, int64_t n, double *to) {
    for (int64_t i = 0; i < n; i++)
        to[i] = dtype == ORR_F64 ? ((const double *)from)[i] : (double)((const float *)from)[i];
}

static orr_status read_examples(state *s, const void *x, const void *target, int64_t n, double **xs, double **ys) {
    *xs = ORR_NEW(s->arena, double, n * s->d);
    *ys = ORR_NEW(s->arena, double, n * s->outputs);
    if (!*xs || !*ys) return no_memory(s);
    widen(s->own.x_type, x, n * s->d, *xs);
    if (s->own.classes == 0) widen(s->own.target_type, target, n * s->outputs, *ys);
    for (int64_t i = 0; i < n && s->own.classes; i++) (*ys)[i * s->outputs + ((const int32_t *)target)[i]] = 1.0;
    return ORR_OK;
}

static orr_status read_facts(state *s) {
    orr_array values, teacher;
    ORR_TRY(s->ctx, orr_arrays_find(s->ctx, "kernel-regression: exact errors", s->own.facts(s->own.self), "eigenvalues",
                                    &values));
    ORR_TRY(s->ctx,
            orr_arrays_find(s->ctx, "kernel-regression: exact errors", s->own.facts(s->own.self), "teacher", &teacher));
    if (s->kernel.kind != ORR_KERNEL_LINEAR || orr_shape_count(&values.shape) != s->d ||
        orr_shape_count(&teacher.shape) != s->d * s->outputs)
        return orr_fail(s->ctx, ORR_EINPUT,
                        "kernel-regression: errors are exact for the linear kernel and the data gaussian");
    s->lambda = values.data;
    s->teacher = teacher.data;
    return ORR_OK;
}

/* G v */
static orr_status gram_product(void *self, const double *v, double *gv) {
    const state *s = self;
    orr_dense_multiply(s->n, 1, s->n, s->gram, false, v, false, gv);
    return ORR_OK;
}

/* Pool: lambda_i = mu_i/n, phi_i(x_j) = sqrt(n) u_ij of the Gram matrix.  Exact: phi_i(x) = x_i/sqrt(lambda_i). */
static orr_status find_modes(state *s) {
    s->values = ORR_NEW(s->arena, double, s->modes);
    s->phi = ORR_NEW(s->arena, double, s->modes * s->n);
    if (!s->values || !s->phi) return no_memory(s);
    if (s->test == EXACT) {
        for (int64_t i = 0; i < s->modes; i++) {
            s->values[i] = s->lambda[i];
            for (int64_t j = 0; j < s->n; j++) s->phi[i * s->n + j] = s->x[j * s->d + i] / sqrt(s->lambda[i]);
        }
        return ORR_OK;
    }
    const orr_operator gram = { .n = s->n, .apply = gram_product, .self = s };
    orr_eigenpairs pairs;
    if (s->modes > 0)
        ORR_TRY(s->ctx, orr_eigen_arpack(s->ctx, s->arena, s->scratch, &gram,
                                         &(orr_eigen_options){ .pairs = s->modes, .tolerance = 1e-8 }, &pairs));
    for (int64_t i = 0; i < s->modes; i++) {
        if (i >= pairs.k)
            return orr_fail(s->ctx, ORR_ENUMERIC, "kernel-regression: ARPACK found %lld modes", (long long)i);
        s->values[i] = pairs.value[i] / (double)s->n;
        for (int64_t j = 0; j < s->n; j++) s->phi[i * s->n + j] = sqrt((double)s->n) * pairs.vector[i * s->n + j];
    }
    return ORR_OK;
}

static orr_status prepare(state *s) {
    const orr_subject *of = &s->own;
    ORR_TRY(s->ctx, read_examples(s, of->x, of->target, s->n, &s->x, &s->y));
    s->n_test = s->n, s->test_x = s->x, s->test_y = s->y;
    if (s->test == TEST) {
        s->n_test = of->test_examples;
        ORR_TRY(s->ctx, read_examples(s, of->test_x, of->test_target, s->n_test, &s->test_x, &s->test_y));
    }
    if (s->test != TEST || s->tested == 0 || s->tested > s->n_test) s->tested = s->n_test;
    s->order = ORR_NEW(s->arena, int64_t, s->n);
    if (!s->order) return no_memory(s);
    if (s->test == EXACT) ORR_TRY(s->ctx, read_facts(s));
    if (s->test == POOL) {
        s->gram = orr_arena_take(s->arena, s->n, (size_t)s->n * sizeof(double));
        if (!s->gram) return no_memory(s);
        ORR_TRY(s->ctx, orr_kernel_matrix(s->ctx, s->scratch, &s->kernel, s->n, s->n, s->d, s->x, s->x, s->gram));
    }
    return find_modes(s);
}

/* ---- one draw ---------------------------------------------------------------------------------------------------------------- */

typedef struct draw {
    int64_t n;
    const int64_t *index;         /* [n] of the training examples */
    int64_t first;                /* of the test examples */
    double *x, *y, *k, *l;        /* [n, d], [n, outputs], [n, n]: K(X, X) and the Cholesky factor of K + delta I */
    double *alpha, *phi, *solved; /* [n, outputs], [n, modes] */
    double jitter;
} draw;

/* out[i, :] = from[index[i], :] */
static void gather(int64_t n, const int64_t *index, int64_t columns, const double *from, double *out) {
    for (int64_t i = 0; i < n; i++) memcpy(out + i * columns, from + index[i] * columns, (size_t)columns * sizeof *out);
}

/* Draw k of n: the next n in a random order, so that draws have no example in common; a new order where they run out. */
static const int64_t *next_examples(state *s, uint64_t seed, int64_t sample, int64_t k) {
    const int64_t n = s->samples[sample], whole = s->n / n; /* draws of one order */
    const orr_key key = { seed, orr_purpose_of("kernel-regression"), (uint32_t)(sample * s->draws + k) };
    if (k % whole == 0) orr_random_permutation(key, s->n, s->order);
    return s->order + k % whole * n;
}

static orr_status take_sample(state *s, uint64_t seed, int64_t sample, int64_t k, draw *d) {
    const int64_t n = s->samples[sample], *order = next_examples(s, seed, sample, k);
    *d = (draw){ .n = n,
                 .index = order,
                 .first = k * s->tested % (s->n_test - s->n_test % s->tested),
                 .x = ORR_NEW(s->arena, double, n * s->d),
                 .y = ORR_NEW(s->arena, double, n * s->outputs),
                 .k = ORR_NEW(s->arena, double, n *n),
                 .l = ORR_NEW(s->arena, double, n *n),
                 .alpha = ORR_NEW(s->arena, double, n * s->outputs),
                 .phi = ORR_NEW(s->arena, double, n * s->modes),
                 .solved = ORR_NEW(s->arena, double, n * s->modes) };
    if (!d->x || !d->y || !d->k || !d->l || !d->alpha || !d->phi || !d->solved) return no_memory(s);
    gather(n, order, s->d, s->x, d->x);
    gather(n, order, s->outputs, s->y, d->y);
    for (int64_t i = 0; i < n; i++)
        for (int64_t m = 0; m < s->modes; m++) d->phi[i * s->modes + m] = s->phi[m * s->n + order[i]];
    if (s->gram)
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) d->k[i * n + j] = s->gram[order[i] * s->n + order[j]];
    else ORR_TRY(s->ctx, orr_kernel_matrix(s->ctx, s->scratch, &s->kernel, n, n, s->d, d->x, d->x, d->k));
    double trace = 0.0;
    for (int64_t i = 0; i < n; i++) trace += d->k[i * n + i];
    d->jitter = 1e-12 * trace / (double)n;
    return ORR_OK;
}

/* f[tested, outputs] = K(test, X) alpha */
static orr_status predict(state *s, const draw *d, double *f) {
    const int64_t outputs = s->outputs;
    memset(f, 0, (size_t)(s->tested * outputs) * sizeof *f);
    if (s->gram) { /* rows of the Gram matrix, which lie in one piece */
        for (int64_t i = 0; i < d->n; i++)
            for (int64_t t = 0; t < s->tested; t++)
                for (int64_t c = 0; c < outputs; c++)
                    f[t * outputs + c] += s->gram[d->index[i] * s->n + t] * d->alpha[i * outputs + c];
        return ORR_OK;
    }
    double *k = ORR_NEW(s->arena, double, s->tested * d->n);
    if (!k) return no_memory(s);
    ORR_TRY(s->ctx, orr_kernel_matrix(s->ctx, s->scratch, &s->kernel, s->tested, d->n, s->d,
                                      s->test_x + d->first * s->d, d->x, k));
    orr_dense_multiply(s->tested, outputs, d->n, k, false, d->alpha, false, f);
    return ORR_OK;
}

/* out[c] = sum_j lambda_j (w_cj - W_cj)^2, w = alpha' X */
static orr_status exact_errors(state *s, const draw *d, double *out) {
    double *w = ORR_NEW(s->arena, double, s->outputs * s->d);
    if (!w) return no_memory(s);
    orr_dense_multiply(s->outputs, s->d, d->n, d->alpha, true, d->x, false, w);
    for (int64_t c = 0; c < s->outputs; c++) {
        out[c] = 0.0;
        for (int64_t j = 0; j < s->d; j++) {
            const double e = w[c * s->d + j] - s->teacher[c * s->d + j];
            out[c] += s->lambda[j] * e * e;
        }
    }
    return ORR_OK;
}

/* out[c] = mean over examples of (y - f)^2 */
static orr_status test_errors(state *s, const draw *d, double *out) {
    if (s->test == EXACT) return exact_errors(s, d, out);
    double *f = ORR_NEW(s->arena, double, s->tested * s->outputs);
    if (!f) return no_memory(s);
    ORR_TRY(s->ctx, predict(s, d, f));
    for (int64_t c = 0; c < s->outputs; c++) {
        double sum = 0.0;
        for (int64_t t = 0; t < s->tested; t++) {
            const double e = s->test_y[(d->first + t) * s->outputs + c] - f[t * s->outputs + c];
            sum += e * e;
        }
        out[c] = sum / (double)s->tested;
    }
    return ORR_OK;
}

/* out[m] += lambda_m phi_m(X)' (K + delta I)^-1 phi_m(X)/draws */
static orr_status add_learnabilities(state *s, const draw *d, double *out) {
    ORR_TRY(s->ctx, orr_cholesky_solve(s->ctx, s->scratch, d->n, d->l, s->modes, d->phi, d->solved));
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t m = 0; m < s->modes; m++)
            out[m] += s->values[m] * d->phi[i * s->modes + m] * d->solved[i * s->modes + m] / (double)s->draws;
    return ORR_OK;
}

/* One ridge: test[outputs], train[outputs], learned[1], learnability[modes].  The residual on the sample is delta alpha. */
static orr_status solve(state *s, draw *d, double ridge, record at) {
    const double delta = ridge + d->jitter;
    double inverse_trace;
    for (int64_t i = 0; i < d->n; i++) {
        memcpy(d->l + i * d->n, d->k + i * d->n, (size_t)(i + 1) * sizeof *d->l);
        d->l[i * d->n + i] += delta;
    }
    ORR_TRY(s->ctx, orr_cholesky(s->ctx, d->n, d->l, d->l));
    ORR_TRY(s->ctx, orr_cholesky_solve(s->ctx, s->scratch, d->n, d->l, s->outputs, d->y, d->alpha));
    ORR_TRY(s->ctx, orr_cholesky_inverse_trace(s->ctx, s->scratch, d->n, d->l, &inverse_trace));
    *at.learned = (double)d->n - delta * inverse_trace; /* K (K + delta)^-1 = I - delta (K + delta)^-1 */
    for (int64_t c = 0; c < s->outputs; c++) {
        at.train[c] = 0.0;
        for (int64_t i = 0; i < d->n; i++) {
            const double e = delta * d->alpha[i * s->outputs + c];
            at.train[c] += e * e / (double)d->n;
        }
    }
    ORR_TRY(s->ctx, test_errors(s, d, at.test));
    return add_learnabilities(s, d, at.learnability);
}

/* ---- all of them ---------------------------------------------------------------------------------------------------------- */

static orr_status regress(state *s, uint64_t seed, record r) {
    for (int64_t i = 0; i < s->n_samples; i++)
        for (int64_t k = 0; k < s->draws; k++) {
            const orr_arena_mark mark = orr_arena_here(s->arena);
            draw d;
            ORR_TRY(s->ctx, take_sample(s, seed, i, k, &d));
            for (int64_t j = 0; j < s->n_ridges; j++) {
                const int64_t at = (i * s->n_ridges + j) * s->draws + k;
                ORR_TRY(s->ctx, solve(s, &d, s->ridges[j],
                                      (record){ r.test + at * s->outputs, r.train + at * s->outputs, r.learned + at,
                                                r.learnability + (i * s->n_ridges + j) * s->modes }));
            }
            orr_arena_rewind(s->arena, mark);
        }
    return ORR_OK;
}

static orr_status write_down(const state *s, int64_t step, record r, const orr_sink *sink) {
    const int64_t n = s->n_samples, m = s->n_ridges;
    const orr_shape each = ORR_SHAPE(n, m, s->draws, s->outputs), traces = ORR_SHAPE(n, m, s->draws);
    ORR_TRY(s->ctx, sink->record_array(sink->self, "kernel_regression_test", step, ORR_F64, &each, r.test));
    ORR_TRY(s->ctx, sink->record_array(sink->self, "kernel_regression_train", step, ORR_F64, &each, r.train));
    ORR_TRY(s->ctx, sink->record_array(sink->self, "kernel_regression_learned", step, ORR_F64, &traces, r.learned));
    if (s->modes == 0) return ORR_OK;
    ORR_TRY(s->ctx, sink->record_array(sink->self, "kernel_regression_learnability", step, ORR_F64,
                                       &ORR_SHAPE(n, m, s->modes), r.learnability));
    return sink->record_array(sink->self, "kernel_regression_values", step, ORR_F64, &ORR_SHAPE(s->modes), s->values);
}

static orr_status measure_all(state *s, int64_t step, uint64_t seed, const orr_sink *sink) {
    const int64_t cells = s->n_samples * s->n_ridges;
    record r = { ORR_NEW(s->arena, double, cells * s->draws * s->outputs),
                 ORR_NEW(s->arena, double, cells * s->draws * s->outputs), ORR_NEW(s->arena, double, cells * s->draws),
                 ORR_NEW(s->arena, double, cells * s->modes) };
    if (!r.test || !r.train || !r.learned || !r.learnability) return no_memory(s);
    ORR_TRY(s->ctx, prepare(s));
    ORR_TRY(s->ctx, regress(s, seed, r));
    return write_down(s, step, r, sink);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    (void)memory;
    const orr_arena_mark mark = orr_arena_here(s->arena);
    const orr_status status = measure_all(s, step, seed, sink);
    orr_arena_rewind(s->arena, mark);
    return status;
}

/* Cholesky factors and their inverses, 2/3 n^3 each, over two operations a parameter and example. */
static double cost_of(const orr_settings *s, const orr_subject *subject) {
    int64_t n_samples, n_ridges;
    const int64_t *samples = orr_ints(s, "samples", &n_samples);
    double work = 0.0;
    (void)orr_reals(s, "ridges", &n_ridges);
    for (int64_t i = 0; i < n_samples; i++) work += 2.0 / 3.0 * pow((double)samples[i], 3.0);
    return work * (double)(n_ridges * orr_int(s, "draws")) / (2.0 * (double)subject->n * (double)subject->examples);
}

const orr_instrument orr_instrument_kernel_regression = {
    .kind = { "kernel-regression", "kernel ridge regression on samples of the training examples", parameters },
    .cost = cost_of,
    .open = open_regression,
    .measure = measure,
    .close = close_regression,
};
