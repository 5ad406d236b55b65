/* Initial: where parameters start.  A kind is one file here, one row in initial.def. */
#ifndef ORR_INGREDIENT_INITIAL_INITIAL_H
#define ORR_INGREDIENT_INITIAL_INITIAL_H

#include "base/arena.h"
#include "base/parameter.h"
#include "ingredient/architecture/architecture.h"
#include "ingredient/data/data.h"
#include "orrery.h"

typedef struct orr_initial {
    orr_kind kind;
    /* w[all tensors, one behind the other] for the run's seed; data are those that the network will be trained on.  Element i of a normal tensor is mean + deviation times element
     * i of the normal stream (seed, name of the tensor).
     * Fails: ORR_EINPUT with all mistakes where the kind can't start such a network; ORR_EIO, ORR_ENOMEM. */
    orr_status (*draw)(orr_context *ctx, orr_arena *scratch, const orr_settings *s, const orr_network *network,
                       const orr_dataset *data, uint64_t seed, double *w);
} orr_initial;

const orr_initial *orr_initial_at(int i); /* the kinds in their order, normal first; NULL past the last */

/* ---- what kinds share -------------------------------------------------------------------------------------------- */

/* One tensor as the normal kind starts it. */
void orr_initial_normal_tensor(const orr_tensor *t, uint64_t seed, double *w);

/* Whether a tensor is a map that a kind may shape: of two axes or more, around 0.  The others, vectors and what starts at
 * a value of its own (gains, a fixed head), start as in the normal kind. */
bool orr_initial_is_map(const orr_tensor *t);

/* A random m x n matrix of orthonormal rows (m <= n) or columns (m >= n), uniform (Haar): the polar factor of a matrix of
 * normal numbers.  Fails: ORR_ENOMEM. */
orr_status orr_initial_haar(orr_context *ctx, orr_arena *scratch, int64_t m, int64_t n, uint64_t seed,
                            const char *stream, double *q) ORR_MUST_USE;

#endif
