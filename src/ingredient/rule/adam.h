/* Adam's update, for the rules that are made of it: adam, adamw, and muon for what isn't a matrix. */
#ifndef ORR_INGREDIENT_RULE_ADAM_H
#define ORR_INGREDIENT_RULE_ADAM_H

#include "ingredient/rule/rule.h"

#define ORR_ADAM_PARAMETERS                                                                                            \
    { "beta1", ORR_REAL, .fallback = "0.9", .range = "[0, 1)", .help = "memory of the mean gradient" },                \
        { "beta2", ORR_REAL, .fallback = "0.999", .range = "[0, 1)", .help = "memory of the mean squared gradient" },  \
    {                                                                                                                  \
        "eps", ORR_REAL, .fallback = "1e-8", .range = "[0, inf)",                                                      \
                         .help = "added to the root of the mean squared gradient"                                      \
    }

/* What a step and a preconditioner of orr_rule do; buffer 0 is m, buffer 1 is v. */
void orr_adam_step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w,
                   orr_node *new_buffer);
orr_node orr_adam_preconditioner(orr_graph *g, const orr_settings *s, const orr_tensor *tensor, orr_node updates,
                                 const orr_node *buffer);

#endif
