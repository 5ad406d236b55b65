#include "theory/deep_linear.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/dense.h"
#include "numeric/ode.h"
#include "numeric/quadrature.h"

/* ---- the task ------------------------------------------------------------------------------------------------------------ */

orr_status orr_linear_task_new(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n, int64_t inputs,
                               int64_t outputs, const double *x, const double *y, orr_linear_task *out) {
    orr_svd svd;
    *out = (orr_linear_task){ .inputs = inputs, .outputs = outputs, .c = ORR_NEW(out_arena, double, inputs *inputs) };
    double *correlation = ORR_NEW(scratch, double, outputs *inputs);
    if (!out->c || !correlation)
        return orr_fail(ctx, ORR_ENOMEM, "linear task: no memory for %lld inputs", (long long)inputs);
    orr_dense_multiply(inputs, inputs, n, x, true, x, false, out->c);
    orr_dense_multiply(outputs, inputs, n, y, true, x, false, correlation);
    for (int64_t i = 0; i < inputs * inputs; i++) out->c[i] /= (double)n;
    for (int64_t i = 0; i < outputs * inputs; i++) correlation[i] /= (double)n;
    for (int64_t i = 0; i < n * outputs; i++) out->squares += y[i] * y[i] / (double)n;
    ORR_TRY(ctx, orr_svd_thin(ctx, out_arena, scratch, outputs, inputs, correlation, &svd));
    out->modes = svd.k;
    out->s = svd.s;
    out->v = svd.vt;
    out->u = ORR_NEW(out_arena, double, svd.k *outputs);
    if (!out->u) return orr_fail(ctx, ORR_ENOMEM, "linear task: no memory for %lld outputs", (long long)outputs);
    for (int64_t k = 0; k < svd.k; k++)
        for (int64_t o = 0; o < outputs; o++) out->u[k * outputs + o] = svd.u[o * svd.k + k];
    return ORR_OK;
}

double orr_linear_task_colour(const orr_linear_task *task, int64_t modes) {
    const int64_t d = task->inputs;
    double worst = 0.0;
    for (int64_t k = 0; k < modes; k++) {
        double square = 0.0;
        for (int64_t i = 0; i < d; i++) {
            double residual = -task->v[k * d + i];
            for (int64_t j = 0; j < d; j++) residual += task->c[i * d + j] * task->v[k * d + j];
            square += residual * residual;
        }
        worst = fmax(worst, sqrt(square));
    }
    return worst;
}

/* ---- one mode ------------------------------------------------------------------------------------------------------------ */

double orr_mode_flow_two(double s, double a_0, double t) {
    if (a_0 == 0.0) return 0.0;
    return s / (1.0 + (s / a_0 - 1.0) * exp(-2.0 * s * t)); /* never e^{+2 s t}, which overflows */
}

typedef struct mode {
    double layers, s;
} mode;

static double log_rate(const mode *m, double x) {
    return m->layers * exp(x * (1.0 - 2.0 / m->layers)) * (m->s - exp(x));
}

static orr_status rate(void *self, double t, const double *y, double *ydot) {
    (void)t;
    ydot[0] = log_rate(self, y[0]);
    return ORR_OK;
}

/* d/dx of the rate, p = 1 - 2/L:  L (p s e^{p x} - (1 + p) e^{(1 + p) x}) */
static orr_status rate_slope(void *self, double t, const double *y, double *j) {
    const mode *m = self;
    const double p = 1.0 - 2.0 / m->layers;
    (void)t;
    j[0] = m->layers * (p * m->s * exp(p * y[0]) - (1.0 + p) * exp((1.0 + p) * y[0]));
    return ORR_OK;
}

static orr_status flow_deep(orr_context *ctx, orr_arena *scratch, mode m, double a_0, const double *t, int64_t n,
                            double *a) {
    const orr_ode ode = { .n = 1, .rate = rate, .jacobian = rate_slope, .self = &m };
    const double x_0 = log(a_0);
    orr_arena *path_arena;
    orr_ode_path path;
    ORR_TRY(ctx, orr_arena_new(ctx, &path_arena));
    const orr_status status =
        orr_ode_solve(ctx, path_arena, scratch, &ode, &(orr_ode_options){ .relative = 1e-12, .absolute = 1e-12 }, 0.0,
                      &x_0, t, n, &path);
    for (int64_t i = 0; status == ORR_OK && i < n; i++) a[i] = i < path.reached ? exp(path.y[i]) : (double)NAN;
    orr_arena_free(path_arena);
    return status;
}

orr_status orr_mode_flow(orr_context *ctx, orr_arena *scratch, int64_t layers, double s, double a_0, const double *t,
                         int64_t n, double *a) {
    if (layers > 2 && a_0 > 0.0 && n > 0) return flow_deep(ctx, scratch, (mode){ (double)layers, s }, a_0, t, n, a);
    for (int64_t i = 0; i < n; i++) a[i] = orr_mode_flow_two(s, a_0, t[i]);
    return ORR_OK;
}

static double time_density(void *self, double x) { return 1.0 / log_rate(self, x); }

double orr_mode_time(int64_t layers, double s, double a_0, double a) {
    if (!(a_0 > 0.0) || !(a < s)) return (double)INFINITY;
    if (a <= a_0) return 0.0;
    if (layers == 2) return log(a * (s - a_0) / (a_0 * (s - a))) / (2.0 * s);
    mode m = { (double)layers, s };
    return orr_integrate(log(a_0), log(a), 1e-13, time_density, &m).value;
}

double orr_mode_update(int64_t layers, double s, double learning_rate, double w) {
    const double others = pow(w, (double)(layers - 1)); /* an integer power: w may be negative, after too long a step */
    return w + learning_rate * others * (s - others * w);
}

void orr_mode_descent(int64_t layers, double s, double a_0, double learning_rate, const double *update, int64_t n,
                      double *a) {
    double w = pow(a_0, 1.0 / (double)layers);
    int64_t made = 0;
    for (int64_t i = 0; i < n; i++) {
        for (; (double)made < update[i]; made++) w = orr_mode_update(layers, s, learning_rate, w);
        a[i] = pow(w, (double)layers);
    }
}

/* ---- the start ----------------------------------------------------------------------------------------------------------- */

/* y = W x, or W' x */
static void apply(const orr_linear_chain *chain, int64_t l, bool transpose, const double *x, double *y) {
    const int64_t rows = chain->width[l + 1], columns = chain->width[l];
    orr_dense_multiply(transpose ? columns : rows, 1, transpose ? rows : columns, chain->w[l], transpose, x, false, y);
}

static double norm(int64_t n, const double *x) {
    double square = 0.0;
    for (int64_t i = 0; i < n; i++) square += x[i] * x[i];
    return sqrt(square);
}

/* |x - scale y| */
static double distance(int64_t n, const double *x, double scale, const double *y) {
    double square = 0.0;
    for (int64_t i = 0; i < n; i++) square += (x[i] - scale * y[i]) * (x[i] - scale * y[i]);
    return sqrt(square);
}

/* w of the mode and the largest residual on the way from v to u; below, above, back: room for the widest layer. */
static double walk(const orr_linear_chain *chain, const double *u, const double *v, double *below, double *above,
                   double *back, double *w) {
    double worst = 0.0;
    memcpy(below, v, (size_t)chain->width[0] * sizeof *below);
    for (int64_t l = 0; l < chain->layers; l++) {
        const int64_t rows = chain->width[l + 1], columns = chain->width[l];
        apply(chain, l, false, below, above);
        const double length = norm(rows, above);
        if (l == 0) *w = length;
        worst = fmax(worst, fabs(length - *w));
        for (int64_t i = 0; i < rows; i++) above[i] = length > 0.0 ? above[i] / length : 0.0;
        if (l == chain->layers - 1) {
            worst = fmax(worst, *w * distance(rows, above, 1.0, u));
            memcpy(above, u, (size_t)rows * sizeof *above);
        }
        apply(chain, l, true, above, back);
        worst = fmax(worst, distance(columns, back, *w, below));
        memcpy(below, above, (size_t)rows * sizeof *below);
    }
    return worst;
}

static int64_t widest(const orr_linear_chain *chain) {
    int64_t n = 0;
    for (int64_t l = 0; l <= chain->layers; l++) n = chain->width[l] > n ? chain->width[l] : n;
    return n;
}

orr_status orr_linear_start_spectral(orr_context *ctx, orr_arena *scratch, const orr_linear_chain *chain,
                                     const orr_linear_task *task, int64_t modes, double *a_0, double *deviation) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    const int64_t n = widest(chain);
    double *work = ORR_NEW(scratch, double, 3 * n), residual = 0.0, largest = 0.0;
    if (!work) return orr_fail(ctx, ORR_ENOMEM, "deep linear: no memory for layers of %lld units", (long long)n);
    for (int64_t k = 0; k < modes; k++) {
        double w = 0.0;
        const double worst =
            walk(chain, task->u + k * task->outputs, task->v + k * task->inputs, work, work + n, work + 2 * n, &w);
        residual = fmax(residual, worst);
        largest = fmax(largest, w);
        a_0[k] = pow(w, (double)chain->layers);
    }
    *deviation = largest > 0.0 ? residual / largest : (double)INFINITY;
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}

orr_status orr_linear_start_random(orr_context *ctx, orr_arena *scratch, const orr_linear_chain *chain,
                                   const orr_linear_task *task, int64_t modes, double *a_0) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    const int64_t h = chain->width[1];
    double *q = ORR_NEW(scratch, double, modes *h), *other = ORR_NEW(scratch, double, h);
    if (!q || !other) return orr_fail(ctx, ORR_ENOMEM, "deep linear: no memory for %lld units", (long long)h);
    for (int64_t k = 0; k < modes; k++) {
        double *c = q + k * h;
        apply(chain, 0, false, task->v + k * task->inputs, c);
        apply(chain, 1, true, task->u + k * task->outputs, other);
        for (int64_t i = 0; i < h; i++) c[i] = 0.5 * (c[i] + other[i]);
        for (int twice = 0; twice < 2; twice++) /* the second pass takes off what rounding left */
            for (int64_t j = 0; j < k; j++) {
                double along = 0.0;
                for (int64_t i = 0; i < h; i++) along += q[j * h + i] * c[i];
                for (int64_t i = 0; i < h; i++) c[i] -= along * q[j * h + i];
            }
        const double length = norm(h, c);
        a_0[k] = length * length;
        for (int64_t i = 0; i < h; i++) c[i] = length > 0.0 ? c[i] / length : 0.0;
    }
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}
