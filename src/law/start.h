/* Where a run starts, as theory sees it: the loss of its problem as a landscape, and its initial parameters. */
#ifndef ORR_LAW_START_H
#define ORR_LAW_START_H

#include "law/law.h"
#include "theory/landscape.h"

typedef struct orr_start {
    orr_landscape landscape;
    int64_t n;
    double *w;        /* [n]: initial parameters, the caller's to change */
    orr_arena *arena; /* holds w, and whatever else is computed until the next run */
    /* behind them */
    orr_arena *held;
    const orr_problem *of, *problem; /* of the experiment, and as it is computed */
    orr_problem_landscape *loss;
} orr_start;

/* The start of one run after another: *s is zero at first, and whatever fails, orr_start_end may be called.  precise: in float64,
 * whatever the network computes in.  Runs that share a problem and come one after another share its landscape.
 * Fails: ORR_ENOMEM, and as a compilation does. */
orr_status orr_start_at(orr_context *ctx, const orr_premises *in, int64_t point, int64_t seed, bool precise,
                        orr_start *s) ORR_MUST_USE;
void orr_start_end(orr_start *s);

/* The largest eigenvalue of the Hessian there, in the units of the task's loss. */
orr_status orr_start_sharpness(orr_context *ctx, const orr_start *s, double *sharpness) ORR_MUST_USE;

#endif
