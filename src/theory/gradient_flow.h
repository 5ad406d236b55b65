/* Gradient flow dw/dt = -grad L(w), followed with its sharpness. */
#ifndef ORR_THEORY_GRADIENT_FLOW_H
#define ORR_THEORY_GRADIENT_FLOW_H

#include "base/series.h"
#include "orrery.h"
#include "theory/landscape.h"

typedef struct orr_flow_options {
    double step;              /* of Euler's method, in units of time */
    int64_t steps_per_record; /* records stand that many steps apart, the first at time 0 */
    int64_t records;          /* at most */
    double stop_above;        /* stops at the first record whose sharpness is above; 0: never */
    /* called after each record, for progress; may be NULL.  A status other than ORR_OK ends the flow with it. */
    orr_status (*tick)(void *user, int64_t record);
    void *user;
} orr_flow_options;

/* w -> w - step grad L(w), again and again, from w[n], which ends where the flow ended.
 * sharpness, loss: x is the time, one point a record, in out_arena.  They end early at stop_above, or where a value is no
 * longer a number (which is then the last point).  Cost: one gradient a step, 16 Hessian products a record.
 * Error: of first order in `step`; the law that uses it states what it costs. */
orr_status orr_gradient_flow(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_landscape *landscape,
                             const orr_flow_options *options, double *w, orr_series *sharpness,
                             orr_series *loss) ORR_MUST_USE;

#endif
