/* A whole run along the central flow, or along the stable flow, update by update, with averages over windows of updates, as a
 * training run is averaged.
 *
 *     start       updates of the rule itself, before the flow begins: RMSProp's nu starts at 0, where s is huge, and needs its
 *                 memory's time 1/(1 - beta2) to become one
 *     substeps    of an update: dt = 1/substeps.  1 is the rule itself where X = 0, and keeps its finite steps; 4 is the flow
 *     stable      X = 0, substeps max(4, ceil(2 s_1)), for s_1 goes on rising; where s_1 > 100 it is held
 *
 * Sheet: laws/hyperparameters/central-flow.md, Prediction ("one step of the flow"). */
#ifndef ORR_THEORY_CENTRAL_PATH_H
#define ORR_THEORY_CENTRAL_PATH_H

#include "theory/central_flow.h"

enum { ORR_CENTRAL_SHOWN = 3 }; /* eigenvalues that a path keeps */

typedef struct orr_central_path_options {
    orr_central_options flow;
    int64_t updates, start, substeps, window;
    orr_status (*tick)(void *user); /* after each update; may be NULL */
    void *user;
} orr_central_path_options;

/* One entry for each update from 0 to updates - 1, at w_k before it; made: as many as were reached. */
typedef struct orr_central_path {
    int64_t n, made;
    int64_t edge; /* the first update with X > 0; -1: none */
    int64_t critical_most;
    double *loss, *loss_mean, *gradient2_mean, *trace_sigma; /* [updates] */
    double *s;                                               /* [updates, ORR_CENTRAL_SHOWN], NaN where unknown */
    int64_t windows;                                         /* whole ones that were reached */
    double *w; /* [windows, n]: averages over k = i window, ..., (i + 1) window - 1 */
} orr_central_path;

/* From w[n].  *out lives in out_arena.  A loss that is no number ends the path, and so does an X that has no solution.
 * Cost: of updates * substeps moments. */
orr_status orr_central_path_follow(orr_context *ctx, orr_arena *out_arena, const orr_landscape *landscape,
                                   const orr_central_path_options *options, const double *w,
                                   orr_central_path *out) ORR_MUST_USE;

/* The first update k >= 1/(1 - beta2) (0 for gd) of the rule at which s_1 < 2, of at most `most`; -1: none.  *s_1 there, or the
 * last one looked at. */
orr_status orr_central_path_start(orr_context *ctx, const orr_landscape *landscape, const orr_central_options *options,
                                  const double *w, int64_t most, int64_t *start, double *s_1) ORR_MUST_USE;

#endif
