/* Training: parameters and a rule's buffers in memory, and the compiled update. */
#ifndef ORR_LAB_TRAINING_H
#define ORR_LAB_TRAINING_H

#include "base/arena.h"
#include "ingredient/problem.h"
#include "ingredient/rule/rule.h"
#include "instrument/instrument.h"
#include "orrery.h"

typedef struct orr_training orr_training;

/* At its initial parameters; the rule's buffers are 0. */
orr_status orr_training_new(orr_context *ctx, const orr_problem *problem, const orr_rule *rule,
                            const orr_settings *rule_settings, uint64_t seed, orr_training **out) ORR_MUST_USE;
void orr_training_free(orr_training *t);

/* `steps` updates.  No allocation. */
orr_status orr_training_advance(orr_training *t, int64_t steps) ORR_MUST_USE;
int64_t orr_training_steps(const orr_training *t);
/* The loss before the last update; NaN before the first. */
double orr_training_loss(const orr_training *t);
/* Parameter tensor i, in the problem's dtype. */
const void *orr_training_parameter(const orr_training *t, int64_t i);

/* The network as instruments see it; valid as long as t. */
orr_subject orr_training_subject(orr_training *t);

#endif
