/* Learning rule: the fourth ingredient.  A kind is one file here, one row in rule.def. */
#ifndef ORR_INGREDIENT_RULE_RULE_H
#define ORR_INGREDIENT_RULE_RULE_H

#include "base/parameter.h"
#include "ingredient/architecture/architecture.h"
#include "orrery.h"

enum { ORR_RULE_BUFFERS_MAX = 4 };

/* One parameter tensor in the middle of an update, as nodes. */
typedef struct orr_rule_tensor {
    orr_node w, gradient;
    orr_node
        gradient_square; /* |gradient|^2 of all trained tensors together, before weight decay: scalar of w's type */
    const orr_node *buffer;
    const orr_tensor *tensor;
    orr_node
        learning_rate; /* scalar of w's type: schedule, and the parameterization's factor for this tensor, included */
    orr_node updates;  /* updates made before this one: scalar of w's type */
    orr_node key;      /* i32[4]: random numbers of this tensor in this update */
} orr_rule_tensor;

/* The loss's gradient at other parameters w, in the same batch; w and gradient may be one array. */
typedef struct orr_rule_gradient {
    void (*at)(void *self, orr_graph *g, const orr_node *w, orr_node *gradient);
    void *self;
} orr_rule_gradient;

typedef struct orr_rule {
    orr_kind kind;
    int32_t buffers;    /* for each parameter; they start at 0 */
    bool divides;       /* it divides by the gradient's size: takes rate_sign of a tensor, else rate_gradient */
    bool flow;          /* continuous time: no step; lab/ integrates */
    bool noisy_targets; /* lab/ adds N(0, noise^2) to the targets of each update */
    /* The shape of buffer b; NULL: that of the parameter. */
    orr_shape (*buffer_shape)(const orr_settings *s, orr_shape parameter, int32_t b);
    /* One update: t->w and t->buffer[] become *new_w and new_buffer[]. */
    void (*step)(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w, orr_node *new_buffer);
    /* The gradient to step along, from that at w; NULL: as it is.  gradient[n] is replaced. */
    void (*regradient)(orr_graph *g, const orr_settings *s, const orr_rule_gradient *of, const orr_node *w, int32_t n,
                       orr_node *gradient);
    /* The diagonal P by which the rule divides what it moves along, after `updates` updates; of the shape of a buffer.
     * NULL: the rule moves along the gradient as it is, P = 1. */
    orr_node (*preconditioner)(orr_graph *g, const orr_settings *s, const orr_tensor *tensor, orr_node updates,
                               const orr_node *buffer);
} orr_rule;

const orr_rule *orr_rule_at(int i); /* the kinds in their order; NULL past the last */

/* ---- what kinds share: rows, at the start of every discrete rule's table ----------------------------------------------------- */

#define ORR_RULE_COMMON ORR_RULE_COMMON_WITH("gradient")
/* With another decay_coupling by default. */
#define ORR_RULE_COMMON_WITH(coupling)                                                                                    \
    { "learning_rate", ORR_REAL, .range = "(0, inf)", .help = "eta" },                                                    \
        { "schedule", ORR_CHOICE, .fallback = "constant", .choices = "constant cosine linear wsd step",                   \
          .help = "of the learning rate after the warm-up; wsd: constant, then linear down over `decay` of the run" },    \
        { "warmup",          ORR_INT,                                                                                     \
          .fallback = "0",   .range = "[0, inf)",                                                                         \
          .unit = "updates", .help = "rate (k + 1)/warmup in update k" },                                                 \
        { "horizon",           ORR_INT,           .fallback = "0",                                                        \
          .range = "[0, inf)", .unit = "updates", .help = "length of the schedule; 0: the experiment's steps" },          \
        { "final", ORR_REAL, .fallback = "0", .range = "[0, 1]",                                                          \
          .help = "last learning rate of cosine, linear, wsd, in eta" },                                                  \
        { "decay", ORR_REAL, .fallback = "0.2", .range = "(0, 1]",                                                        \
          .help = "part of the run in which wsd comes down" },                                                            \
        { "drop_every", ORR_INT, .fallback = "100", .range = "[1, inf)", .unit = "updates", .help = "of schedule step" }, \
        { "drop", ORR_REAL, .fallback = "0.1", .range = "(0, 1]", .help = "factor at each drop of schedule step" },       \
        { "batch", ORR_INT, .fallback = "0", .range = "[0, inf)", .unit = "examples", .help = "of an update; 0: all" },   \
        { "sampling", ORR_CHOICE, .fallback = "shuffle", .choices = "shuffle replacement online",                         \
          .help =                                                                                                         \
              "of batches: a new order each epoch, drawn with replacement, or fresh examples from the generator" },       \
        { "weight_decay", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "wd" },                                 \
        { "decay_coupling", ORR_CHOICE, .fallback = coupling, .choices = "gradient rate none",                            \
          .help = "g + wd w (L2), w - eta wd w (AdamW), or w - wd w (independent of eta)" },                              \
    {                                                                                                                     \
        "clip", ORR_REAL, .fallback = "0", .range = "[0, inf)",                                                           \
                          .help = "largest norm of the whole gradient, which is scaled down to it; 0: no limit"           \
    }

/* Rows of rules that may be kicked at the edge of stability (lab/kick.c). */
#define ORR_RULE_KICK                                                                                                  \
    { "kick", ORR_REAL, .fallback = "0", .range = "[0, inf)",                                                          \
      .help = "once, when the sharpness first passes the edge of stability: a step along its eigenvector, by which a " \
              "quadratic loss would rise by this part of itself; 0: none" },                                           \
    {                                                                                                                  \
        "kick_after", ORR_INT, .fallback = "0", .range = "[0, inf)", .unit = "updates",                                \
                               .help = "before which the kick doesn't come"                                            \
    }

/* The factor of the learning rate in update k (scalar node of float type); `steps` is the experiment's. */
orr_node orr_rule_schedule(orr_graph *g, const orr_settings *s, orr_node k, int64_t steps);
/* Scales gradient[n] down to the norm `clip` where it is longer (as torch.nn.utils.clip_grad_norm_, without its 1e-6). */
void orr_rule_clip(orr_graph *g, const orr_settings *s, int32_t n, orr_node *gradient);
/* One update of one tensor with its weight decay around kind->step.  Frozen tensors keep w and buffers. */
void orr_rule_update(orr_graph *g, const orr_rule *rule, const orr_settings *s, const orr_rule_tensor *t,
                     orr_node *new_w, orr_node *new_buffer);

#endif
