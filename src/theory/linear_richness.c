#include "theory/linear_richness.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/dense.h"
#include "numeric/ode.h"

/* sqrt(1 + z) - 1 without cancellation */
static double root_less_one(double z) { return z / (1.0 + sqrt(1.0 + z)); }

double orr_richness_kernel_change(double richness, double b, int64_t d) {
    return root_less_one(richness * richness * b * b) * sqrt((double)d + 3.0) / (2.0 * sqrt((double)d));
}

/* ---- infinite width -------------------------------------------------------------------------------------------------------- */

typedef struct learning {
    double richness, b;
} learning;

static orr_status learned_rate(void *self, double t, const double *y, double *ydot) {
    const learning *l = self;
    (void)t;
    ydot[0] = 2.0 * sqrt(1.0 + l->richness * l->richness * y[0] * y[0]) * (l->b - y[0]);
    return ORR_OK;
}

/* out[count, n]: y at the times. */
static orr_status integrate(orr_context *ctx, orr_arena *scratch, const orr_ode *ode, const orr_ode_options *options,
                            const double *start, const double *times, int64_t count, double *out) {
    orr_arena *arena = NULL;
    orr_ode_path path = { 0 };
    orr_status status;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_ode_solve(ctx, arena, scratch, ode, options, 0.0, start, times, count, &path));
    if (path.reason == ORR_REASON_CONVERGED) memcpy(out, path.y, (size_t)(count * ode->n) * sizeof *out);
    else status = orr_fail(ctx, ORR_ENUMERIC, "linear richness: the flow could be followed to time %g only", path.t);
done:
    orr_arena_free(arena);
    return status;
}

orr_status orr_richness_learned(orr_context *ctx, orr_arena *scratch, double richness, double b, const double *times,
                                int64_t count, double *out) {
    learning l = { richness, b };
    const orr_ode ode = { .n = 1, .rate = learned_rate, .self = &l };
    const orr_ode_options options = {
        .method = ORR_ODE_ADAMS, .solver = ORR_ODE_FIXED_POINT, .relative = 1e-13, .absolute = 1e-14
    };
    const double start = 0.0;
    return integrate(ctx, scratch, &ode, &options, &start, times, count, out);
}

/* ---- finite width ---------------------------------------------------------------------------------------------------------- */

orr_status orr_two_layer_new(orr_context *ctx, orr_arena *out_arena, int64_t n, int64_t d, const double *w,
                             const double *a, double scale, double rate_w, double rate_a, double curvature,
                             const double *beta, orr_two_layer *out) {
    *out = (orr_two_layer){ .d = d,
                            .scale = scale,
                            .rate_w = rate_w,
                            .rate_a = rate_a,
                            .curvature = curvature,
                            .beta = beta,
                            .v_0 = ORR_NEW(out_arena, double, d),
                            .v = ORR_NEW(out_arena, double, d),
                            .m = ORR_NEW(out_arena, double, d *d) };
    if (!out->v_0 || !out->v || !out->m) return orr_fail(ctx, ORR_ENOMEM, "linear richness: no memory");
    orr_dense_multiply(d, d, n, w, true, w, false, out->m);
    orr_dense_multiply(1, d, n, a, false, w, false, out->v);
    memcpy(out->v_0, out->v, (size_t)d * sizeof *out->v);
    for (int64_t i = 0; i < n; i++) out->c += a[i] * a[i];
    return ORR_OK;
}

static double dot(int64_t d, const double *a, const double *b) {
    double sum = 0.0;
    for (int64_t i = 0; i < d; i++) sum += a[i] * b[i];
    return sum;
}

/* State and its change as one vector: v, M, c. */
static int64_t size_of(const orr_two_layer *t) { return t->d + t->d * t->d + 1; }

/* change = eta times the flow's rate at y, and with `step` the terms of eta^2; g[2 d]: room. */
static void change_of(const orr_two_layer *t, const double *y, double eta, bool step, double *g, double *change) {
    const int64_t d = t->d;
    const double *v = y, *m = y + d, c = y[d + d * d], s = eta * t->scale;
    double *mg = g + d, *dv = change, *dm = change + d;
    for (int64_t i = 0; i < d; i++) g[i] = t->curvature * (t->beta[i] - t->scale * (v[i] - t->v_0[i]));
    for (int64_t i = 0; i < d; i++) mg[i] = dot(d, m + i * d, g);
    const double vg = dot(d, v, g), square = step ? s * s : 0.0;
    for (int64_t i = 0; i < d; i++) {
        dv[i] = s * (t->rate_w * c * g[i] + t->rate_a * mg[i]) + square * t->rate_w * t->rate_a * vg * g[i];
        for (int64_t j = 0; j < d; j++)
            dm[i * d + j] =
                s * t->rate_w * (v[i] * g[j] + g[i] * v[j]) + square * t->rate_w * t->rate_w * c * g[i] * g[j];
    }
    change[d + d * d] = 2.0 * s * t->rate_a * vg + square * t->rate_a * t->rate_a * dot(d, g, mg);
}

static void put(const orr_two_layer *t, double *y) {
    memcpy(y, t->v, (size_t)t->d * sizeof *y);
    memcpy(y + t->d, t->m, (size_t)(t->d * t->d) * sizeof *y);
    y[t->d + t->d * t->d] = t->c;
}

static void get(orr_two_layer *t, const double *y) {
    memcpy(t->v, y, (size_t)t->d * sizeof *y);
    memcpy(t->m, y + t->d, (size_t)(t->d * t->d) * sizeof *y);
    t->c = y[t->d + t->d * t->d];
}

static orr_status no_memory(orr_context *ctx, int64_t d) {
    return orr_fail(ctx, ORR_ENOMEM, "linear richness: no memory for the state of %lld inputs", (long long)d);
}

orr_status orr_two_layer_descend(orr_context *ctx, orr_arena *scratch, orr_two_layer *t, double eta, int64_t updates) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    const int64_t n = size_of(t);
    double *y = ORR_NEW(scratch, double, n), *change = ORR_NEW(scratch, double, n),
           *g = ORR_NEW(scratch, double, 2 * t->d);
    const bool room = y && change && g;
    if (room) put(t, y);
    for (int64_t k = 0; room && k < updates; k++) {
        change_of(t, y, eta, true, g, change);
        for (int64_t i = 0; i < n; i++) y[i] += change[i];
    }
    if (room) get(t, y);
    orr_arena_rewind(scratch, mark);
    return room ? ORR_OK : no_memory(ctx, t->d);
}

typedef struct flow {
    const orr_two_layer *t;
    double *g;
} flow;

static orr_status flow_rate(void *self, double time, const double *y, double *ydot) {
    const flow *f = self;
    (void)time;
    change_of(f->t, y, 1.0, false, f->g, ydot);
    return ORR_OK;
}

orr_status orr_two_layer_flow(orr_context *ctx, orr_arena *scratch, orr_two_layer *t, double time) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    flow f = { t, ORR_NEW(scratch, double, 2 * t->d) };
    double *y = ORR_NEW(scratch, double, size_of(t));
    orr_status status = ORR_OK;
    if (!f.g || !y) status = no_memory(ctx, t->d);
    if (status == ORR_OK && time > 0.0) {
        const orr_ode ode = { .n = size_of(t), .rate = flow_rate, .self = &f };
        const orr_ode_options options = {
            .method = ORR_ODE_BDF, .solver = ORR_ODE_NEWTON_DENSE, .relative = 1e-10, .absolute = 1e-12
        };
        put(t, y);
        status = integrate(ctx, scratch, &ode, &options, y, &time, 1, y);
        if (status == ORR_OK) get(t, y);
    }
    orr_arena_rewind(scratch, mark);
    return status;
}

void orr_two_layer_kernel(const orr_two_layer *t, double *k) {
    memcpy(k, t->m, (size_t)(t->d * t->d) * sizeof *k);
    for (int64_t i = 0; i < t->d; i++) k[i * t->d + i] += t->c;
}
