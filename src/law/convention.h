/* Conventions that papers differ in: the factor 1/2, sums or means, erf(x) or erf(x/sqrt 2), the parameterization, the scale of
 * the output.  They are parameters of the ingredients; a prediction is sealed with those that it was made under, and is judged
 * only against runs that were made under the same. */
#ifndef ORR_LAW_CONVENTION_H
#define ORR_LAW_CONVENTION_H

#include "law/law.h"

/* (new) For each point: architecture, parameterization, task and rule with all values, defaults included. */
json_t *orr_conventions_of(orr_context *ctx, const orr_experiment *experiment);

/* Whether each run [points, seeds] has the conventions of its point.  Fails: ORR_EINPUT with the first that differs. */
orr_status orr_conventions_check(orr_context *ctx, orr_arena *scratch, const char *law, const json_t *conventions,
                                 const orr_records *records) ORR_MUST_USE;

#endif
