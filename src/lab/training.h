/* Training: parameters and a rule's buffers in memory, and the compiled update.  Several networks ("members") whose update is
 * the same graph train as one: the update is vmapped over what differs. */
#ifndef ORR_LAB_TRAINING_H
#define ORR_LAB_TRAINING_H

#include "base/arena.h"
#include "ingredient/problem.h"
#include "ingredient/rule/rule.h"
#include "instrument/instrument.h"
#include "orrery.h"

typedef struct orr_training orr_training;

/* One network: problems may differ in their data and in what their parameters start from, not in shapes. */
typedef struct orr_member {
    const orr_problem *problem;
    uint64_t seed;        /* of the initial parameters, batches and noise */
    double learning_rate; /* instead of the rule's own */
} orr_member;

typedef struct orr_training_options {
    const orr_rule *rule;
    const orr_settings *rule_settings;
    int64_t steps;  /* of the whole run, for schedules */
    unsigned needs; /* what instruments need of the shared evaluation (ORR_NEEDS_) */
} orr_training_options;

/* At the members' initial parameters; the rule's buffers are 0.  Fails: ORR_EINPUT where rule and data don't go together (a
 * batch larger than the data, fresh examples of data that can't be sampled), ORR_ENOMEM. */
orr_status orr_training_new(orr_context *ctx, const orr_member *member, int64_t members,
                            const orr_training_options *options, orr_training **out) ORR_MUST_USE;
void orr_training_free(orr_training *t);

/* `steps` updates of all members.  No allocation, but for gradient flow, and for a rule's kick until it is over. */
orr_status orr_training_advance(orr_training *t, int64_t steps) ORR_MUST_USE;
int64_t orr_training_steps(const orr_training *t);
/* A member's loss in the batch of the last update, before it; NaN before the first. */
double orr_training_loss(const orr_training *t, int64_t member);

/* The network over all training examples at the selected member's parameters.  `needs` are among those of the options. */
orr_status orr_training_evaluate(orr_training *t, unsigned needs, orr_evaluation *out) ORR_MUST_USE;
/* Whether each update computes just that on its way, of the parameters before it: where its loss is that of all examples as they
 * are, at parameters that nothing moves first. */
bool orr_training_yields(const orr_training *t);
/* What the last update has computed so. */
orr_evaluation orr_training_yield(const orr_training *t, int64_t member);

/* Makes a member the one that instruments and orr_training_parameter see. */
void orr_training_select(orr_training *t, int64_t member);
/* Parameter tensor i of the selected member, in the problem's dtype. */
const void *orr_training_parameter(const orr_training *t, int64_t i);

/* Everything that the further course of a member depends on: updates, parameters, buffers; as bytes for a checkpoint. */
size_t orr_training_state_bytes(const orr_training *t);
void orr_training_save(const orr_training *t, int64_t member, void *state);
void orr_training_load(orr_training *t, int64_t member, const void *state);

/* The selected member as instruments see it; valid as long as t. */
orr_subject orr_training_subject(orr_training *t);

/* The update's program and the graph of its loss, for `orrery plan`. */
orr_cost orr_training_cost(const orr_training *t);

/* Examples in one update, and updates in which each example is seen once. */
int64_t orr_training_batch(const orr_settings *rule_settings, int64_t n);
int64_t orr_training_epoch(const orr_settings *rule_settings, int64_t n);

#endif
