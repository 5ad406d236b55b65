#include "instrument/hessian.h"

#include <stdio.h>

#include "base/context.h"

orr_status orr_hessian_begin(orr_context *ctx, const orr_subject *subject, orr_hessian *h) {
    const int32_t n = (int32_t)subject->n_tensors;
    orr_probe *p = &h->probe;
    *h = (orr_hessian){ .probe = { .ctx = ctx }, .own = *subject };
    ORR_TRY(ctx, orr_probe_begin(ctx, &h->own, ORR_PART_TRAIN, p));
    h->v = ORR_NEW(p->arena, orr_node, n);
    h->hv = ORR_NEW(p->arena, orr_node, n);
    if (!h->v || !h->hv) return orr_fail(ctx, ORR_ENOMEM, "Hessian: no memory for %d tensors", n);
    for (int32_t t = 0; t < n; t++) {
        char name[32];
        (void)snprintf(name, sizeof name, "hessian.v%d", t);
        h->v[t] = orr_input(p->g, name, h->own.dtype, h->own.shape[t]);
    }
    orr_hvp(p->g, p->graph.loss, p->graph.parameter, h->v, n, h->hv);
    return orr_probe_compile(p, h->hv, n);
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
        orr_probe_read(&h->probe, h->hv[t], n, out);
        out += n;
    }
    return ORR_OK;
}

orr_operator orr_hessian_operator(orr_hessian *h) { return (orr_operator){ h->own.n, apply, h }; }

void orr_hessian_end(orr_hessian *h) { orr_probe_end(&h->probe); }
