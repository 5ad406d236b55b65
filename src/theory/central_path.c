#include "theory/central_path.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/vector.h"

static const double stable_end = 100.0; /* of s_1 */
enum { LOOK_EVERY = 5 };                /* updates of the stable flow between two looks at s_1 */

typedef struct walk {
    orr_context *ctx;
    const orr_central_path_options *o;
    orr_central_flow *f;
    orr_central_path *path;
    double s_1; /* of the stable flow */
    bool held;  /* it is past stable_end, and stays where it is */
} walk;

static orr_status take(orr_context *ctx, orr_arena *arena, int64_t n, const orr_central_path_options *o,
                       orr_central_path *out) {
    *out = (orr_central_path){ .n = n, .edge = -1 };
    out->loss = ORR_NEW(arena, double, o->updates);
    out->loss_mean = ORR_NEW(arena, double, o->updates);
    out->gradient2_mean = ORR_NEW(arena, double, o->updates);
    out->trace_sigma = ORR_NEW(arena, double, o->updates);
    out->s = ORR_NEW(arena, double, o->updates *ORR_CENTRAL_SHOWN);
    out->w = orr_arena_take(arena, o->updates / o->window, (size_t)n * sizeof(double));
    if (out->loss && out->loss_mean && out->gradient2_mean && out->trace_sigma && out->s && out->w) return ORR_OK;
    return orr_fail(ctx, ORR_ENOMEM, "central flow: no memory for %lld updates", (long long)o->updates);
}

/* Entry k, from the moment at its beginning; s of the central flow's eigenpairs. */
static void note(walk *a, int64_t k, const orr_central_moment *m) {
    orr_central_path *p = a->path;
    p->loss[k] = m->loss;
    p->loss_mean[k] = m->loss_mean;
    p->gradient2_mean[k] = m->gradient2_mean;
    p->trace_sigma[k] = m->trace_sigma;
    for (int64_t i = 0; i < ORR_CENTRAL_SHOWN; i++)
        p->s[k * ORR_CENTRAL_SHOWN + i] = i < m->tracked ? m->s[i] : (double)NAN;
    if (a->o->flow.stable) p->s[k * ORR_CENTRAL_SHOWN] = a->s_1;
    if (p->edge < 0 && m->trace_x > 0.0) p->edge = k;
    if (m->k > p->critical_most) p->critical_most = m->k;
    const int64_t window = k / a->o->window;
    if (window < a->o->updates / a->o->window)
        orr_vector_axpy(p->n, 1.0 / (double)a->o->window, orr_central_flow_w(a->f), p->w + window * p->n);
    p->made = k + 1;
    p->windows = p->made / a->o->window;
}

/* *goes_on: whether everything is a number, and within reach. */
static orr_status update(walk *a, int64_t k, bool *goes_on) {
    const bool early = k < a->o->start, stable = a->o->flow.stable;
    int64_t substeps = a->o->substeps;
    if (stable && !early && !a->held && (k % LOOK_EVERY == 0 || k == a->o->start)) {
        ORR_TRY(a->ctx, orr_central_flow_sharpness(a->f, &a->s_1));
        a->held = !(a->s_1 <= stable_end); /* also where s_1 is no number */
    }
    if (stable) substeps = a->s_1 > 2.0 ? (int64_t)ceil(2.0 * a->s_1) : 4;
    *goes_on = true;
    for (int64_t i = 0; i < substeps; i++) {
        const orr_central_moment *m;
        if (early || a->held) ORR_TRY(a->ctx, orr_central_flow_plain_moment(a->f, &m));
        else ORR_TRY(a->ctx, orr_central_flow_moment(a->f, 1.0 / (double)substeps, &m));
        *goes_on = m->finite;
        if (!m->finite) return ORR_OK;
        if (i == 0) note(a, k, m);
        if (early) return orr_central_flow_update(a->f);
        if (a->held) return ORR_OK;
        orr_central_flow_move(a->f, 1.0 / (double)substeps);
    }
    return ORR_OK;
}

orr_status orr_central_path_follow(orr_context *ctx, orr_arena *out_arena, const orr_landscape *landscape,
                                   const orr_central_path_options *options, const double *w, orr_central_path *out) {
    walk a = { .ctx = ctx, .o = options, .path = out, .s_1 = (double)NAN };
    orr_status status = take(ctx, out_arena, landscape->n, options, out);
    if (status != ORR_OK) return status;
    const int64_t n_nu = orr_central_nu(options->flow.rule, landscape->n);
    double *nu = ORR_NEW(out_arena, double, n_nu); /* 0 */
    if (!nu) return orr_fail(ctx, ORR_ENOMEM, "central flow: no memory for %lld numbers", (long long)n_nu);
    ORR_TRY(ctx, orr_central_flow_new(ctx, landscape, &options->flow, w, nu, &a.f));
    bool goes_on = true;
    for (int64_t k = 0; k < options->updates && goes_on && status == ORR_OK; k++) {
        status = update(&a, k, &goes_on);
        if (status == ORR_ENUMERIC) { /* no X: a result, not a failure */
            orr_context_clear(ctx);
            status = ORR_OK;
            break;
        }
        if (status == ORR_OK && options->tick) status = options->tick(options->user);
    }
    orr_central_flow_free(a.f);
    return status;
}

orr_status orr_central_path_start(orr_context *ctx, const orr_landscape *landscape, const orr_central_options *options,
                                  const double *w, int64_t most, int64_t *start, double *s_1) {
    orr_arena *arena = NULL;
    orr_central_flow *f = NULL;
    orr_status status;
    const int64_t n_nu = orr_central_nu(options->rule, landscape->n);
    const int64_t first = n_nu ? (int64_t)ceil(1.0 / (1.0 - options->beta2) - 1e-9) : 0;
    *start = -1;
    *s_1 = (double)NAN;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    double *nu = ORR_NEW(arena, double, n_nu);
    if (!nu) {
        status = orr_fail(ctx, ORR_ENOMEM, "central flow: no memory for %lld numbers", (long long)n_nu);
        goto done;
    }
    const orr_central_options stable = {
        options->rule, options->learning_rate, options->beta2, options->eps, 0, 0, true
    };
    ORR_TRY_DONE(ctx, orr_central_flow_new(ctx, landscape, &stable, w, nu, &f));
    for (int64_t k = 0; k <= most && *start < 0; k++) {
        if (k >= first) ORR_TRY_DONE(ctx, orr_central_flow_sharpness(f, s_1));
        if (k >= first && *s_1 < 2.0) *start = k;
        else ORR_TRY_DONE(ctx, orr_central_flow_update(f));
    }
done:
    orr_central_flow_free(f);
    orr_arena_free(arena);
    return status;
}
