/* Parameterization: how initial size, multiplier and learning rate of each tensor go with width and depth.  Its own axis of an
 * experiment, one table of exponents (Yang, Hu 2021, 2011.14522; sheet laws/hyperparameters/mup-transfer). */
#ifndef ORR_INGREDIENT_PARAMETERIZATION_H
#define ORR_INGREDIENT_PARAMETERIZATION_H

#include "ingredient/architecture/architecture.h"

typedef struct orr_parameterization {
    orr_kind kind;
    /* Scales every tensor of a network: deviation, multiplier, rates, epsilon.  Fails: ORR_EINPUT where the settings don't go
     * with the network. */
    orr_status (*apply)(orr_context *ctx, const orr_settings *s, orr_network *network);
} orr_parameterization;

const orr_parameterization *
orr_parameterization_at(int i); /* the kinds in their order, standard first; NULL past the last */

#endif
