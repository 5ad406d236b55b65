/* What the files of training share: training.c (memory, programs, advance), update.c (the graph of an update), subject.c (the
 * network as instruments see it), evaluate.c (what they share of it), flow.c (continuous time), kick.c (a push at the edge of stability). */
#ifndef ORR_LAB_TRAINING_PRIVATE_H
#define ORR_LAB_TRAINING_PRIVATE_H

#include "instrument/probe.h"
#include "lab/training.h"

typedef struct orr_kick orr_kick;

/* The selected member's loss over the training examples and its gradient; opened when it is first asked for. */
typedef struct orr_gradient_evaluator {
    orr_probe network, loss; /* the loss is a formula of what the network evaluates */
    orr_node square;         /* |gradient|^2; ORR_NONE where nothing is trained */
} orr_gradient_evaluator;

/* Answers of the live memory, while it stays as it is. */
typedef struct orr_kept_answers {
    bool valid;
    orr_answers answers;
} orr_kept_answers;

struct orr_training {
    orr_context *ctx;
    orr_arena *arena;
    const orr_member *member;
    int64_t members, steps;
    const orr_problem *problem; /* the first member's: shapes are those of all */
    const orr_rule *rule;
    const orr_settings *rule_settings;
    bool own_data;     /* members have different data */
    int32_t n_buffers; /* of all tensors together */
    orr_shape *buffer_shape;

    void **parameter, **buffer;           /* [tensor], [tensor, rule's buffers]: each [members, shape] */
    void **live_parameter, **live_buffer; /* of the selected member; the same memory where there is one */
    void *live_x, *live_target, *live_test_x, *live_test_target;
    int64_t selected;
    int32_t *updates;
    void *rate;     /* [members] in dtype */
    int32_t *seed;  /* [members, 2] */
    int32_t *order; /* [members, n]: the order of examples in this epoch */
    void *x, *target, **fact;
    int64_t epoch;        /* that `order` belongs to; -1: none yet */
    int64_t *permutation; /* [n] */

    /* what instruments see: trained tensors only */
    int64_t n_trained, n_numbers;
    int64_t *trained; /* [n_trained]: index of the tensor */
    orr_shape *trained_shape;
    const char **trained_name;
    const void **trained_memory;

    orr_graph *g;
    orr_program *program;
    orr_node counter, loss;
    unsigned needs;
    bool yields;
    orr_node gradient_square; /* beside the loss, where it yields and is needed; or ORR_NONE */
    orr_gradient_evaluator gradient_of;
    orr_probe answers_of[2]; /* loss and accuracy over each part, formulas of what instruments share */
    orr_node accuracy[2];    /* ORR_NONE where answers are numbers */
    orr_kept_answers kept[2];
    orr_shared *shared; /* of instruments */
    orr_kick *kick;     /* NULL: none */
    /* where time is continuous */
    double *flow_loss; /* [members] */
    const orr_node *flow_parameter, *flow_gradient;
};

/* The inputs of a graph that stand for a member's memory. */
typedef struct orr_update_nodes {
    orr_problem_graph problem;
    orr_node *buffer, *fact;
    orr_node updates, updates_real; /* i32, and in the problem's dtype */
    orr_node rate, seed, order, x, target;
} orr_update_nodes;

/* Compiles t->program: one update of all members. */
orr_status orr_training_compile(orr_training *t) ORR_MUST_USE;
/* Compiles t->program: the gradient of one member, whose parameters are live; and follows -gradient. */
orr_status orr_training_compile_flow(orr_training *t) ORR_MUST_USE;
orr_status orr_training_flow(orr_training *t, int64_t steps) ORR_MUST_USE;

/* t->kick, where the rule's settings ask for one. */
orr_status orr_training_kick_new(orr_training *t) ORR_MUST_USE;
void orr_training_kick_free(orr_kick *k);
/* Before an update: kicks the members whose moment has come.  *waiting: some haven't been. */
orr_status orr_training_kick(orr_training *t, bool *waiting) ORR_MUST_USE;
bool orr_training_kicked(const orr_training *t, int64_t member);
void orr_training_set_kicked(orr_training *t, int64_t member, bool kicked);

orr_status orr_training_answers(orr_training *t, orr_part part, orr_answers *out) ORR_MUST_USE;
/* What is live has changed: nothing that was computed of it is kept. */
void orr_training_forget(orr_training *t);
void orr_training_evaluators_free(orr_training *t);

orr_status orr_training_no_memory(const orr_training *t);
/* Parameters, buffers and counter as inputs. */
orr_status orr_training_inputs(const orr_training *t, orr_arena *out_arena, orr_graph *g, orr_update_nodes *out);

#endif
