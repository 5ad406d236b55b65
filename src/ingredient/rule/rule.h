/* Learning rule: the fourth ingredient.  A kind is one file here, one row in rule.def. */
#ifndef ORR_INGREDIENT_RULE_RULE_H
#define ORR_INGREDIENT_RULE_RULE_H

#include "base/parameter.h"
#include "orrery.h"

enum { ORR_RULE_BUFFERS_MAX = 4 };

typedef struct orr_rule {
    orr_kind kind;
    int32_t buffers; /* for each parameter, of its shape; they start at 0 */
    /* One update of one parameter: w and buffer[] become *new_w and new_buffer[].  `updates` is the number of updates made
     * before this one, a scalar of w's type. */
    void (*step)(orr_graph *g, const orr_settings *s, orr_node updates, orr_node w, orr_node gradient,
                 const orr_node *buffer, orr_node *new_w, orr_node *new_buffer);
    /* The diagonal P by which the rule divides what it moves along, after `updates` updates; of the shape of a buffer.
     * NULL: the rule moves along the gradient as it is, P = 1. */
    orr_node (*preconditioner)(orr_graph *g, const orr_settings *s, orr_node updates, const orr_node *buffer);
} orr_rule;

const orr_rule *orr_rule_at(int i); /* the kinds in their order; NULL past the last */

#endif
