#include "instrument/hessian.h"

#include <stdio.h>

#include "base/context.h"

struct orr_hessian {
    orr_probe probe;
    orr_subject own; /* a copy: it lives as long as this */
    orr_hessian **kept;
    int64_t users;
    orr_node *v, *product; /* of each tensor */
};

static orr_status build(orr_context *ctx, orr_hessian *h, bool preconditioned) {
    const int32_t n = (int32_t)h->own.n_tensors;
    orr_probe *p = &h->probe;
    ORR_TRY(ctx, orr_probe_begin(ctx, &h->own, ORR_PART_TRAIN, p));
    orr_node *factor = preconditioned ? p->graph.preconditioner : NULL;
    h->v = ORR_NEW(p->arena, orr_node, n);
    h->product = ORR_NEW(p->arena, orr_node, n);
    if (!h->v || !h->product) return orr_fail(ctx, ORR_ENOMEM, "Hessian: no memory for %d tensors", n);
    orr_node *u = h->product; /* holds the scaled v until it holds the product */
    for (int32_t t = 0; t < n; t++) {
        char name[32];
        (void)snprintf(name, sizeof name, "hessian.v%d", t);
        h->v[t] = orr_input(p->g, name, h->own.dtype, h->own.shape[t]);
        if (factor) factor[t] = orr_reciprocal(p->g, orr_sqrt(p->g, factor[t]));
        u[t] = factor ? orr_mul(p->g, h->v[t], factor[t]) : h->v[t];
    }
    orr_hvp(p->g, p->graph.loss, p->graph.parameter, u, n, h->product);
    for (int32_t t = 0; factor && t < n; t++) h->product[t] = orr_mul(p->g, h->product[t], factor[t]);
    return orr_probe_compile(p, h->product, n);
}

orr_status orr_hessian_open(orr_context *ctx, const orr_subject *subject, bool preconditioned, orr_hessian **out) {
    orr_hessian **kept = subject->shared ? orr_shared_hessian(subject->shared, preconditioned) : NULL;
    *out = kept ? *kept : NULL;
    if (*out) {
        (*out)->users++;
        return ORR_OK;
    }
    orr_hessian *h = orr_allocate(ctx, sizeof *h);
    if (!h) return orr_fail(ctx, ORR_ENOMEM, "Hessian: out of memory");
    *h = (orr_hessian){ .probe = { .ctx = ctx }, .own = *subject, .users = 1 };
    const orr_status status = build(ctx, h, preconditioned);
    if (status == ORR_OK) {
        *out = h;
        h->kept = kept;
        if (kept) *kept = h;
    } else {
        orr_hessian_close(h);
    }
    return status;
}

void orr_hessian_close(orr_hessian *h) {
    if (!h || --h->users > 0) return;
    orr_context *ctx = h->probe.ctx;
    if (h->kept) *h->kept = NULL;
    orr_probe_end(&h->probe);
    orr_release(ctx, h);
}

static orr_status apply(void *self, const double *v, double *out) {
    orr_hessian *h = self;
    for (int64_t t = 0; t < h->own.n_tensors; t++) { /* where the loss is linear in a tensor, its v isn't needed */
        const int64_t n = orr_shape_count(&h->own.shape[t]);
        orr_probe_write(&h->probe, h->v[t], n, v);
        v += n;
    }
    ORR_TRY(h->probe.ctx, orr_probe_run(&h->probe));
    for (int64_t t = 0; t < h->own.n_tensors; t++) {
        const int64_t n = orr_shape_count(&h->own.shape[t]);
        orr_probe_read(&h->probe, h->product[t], n, out);
        out += n;
    }
    return ORR_OK;
}

orr_operator orr_hessian_operator(orr_hessian *h) { return (orr_operator){ h->own.n, apply, h }; }
