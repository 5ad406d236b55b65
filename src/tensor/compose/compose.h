/* Composed functions: made of primitives alone, so derivatives of every order and vmap come from those of the
 * primitives.
 *
 * Three habits keep those derivatives exact as well as stable:
 *   - a maximum is subtracted through orr_stop only where the result doesn't depend on it, identically: then a
 * derivative that takes it for a constant is the derivative, to every order;
 *   - a branch is an orr_select between forms that are one analytic function, or that define the function piece by
 * piece; max and abs, which share the derivative at a tie, stay out of smooth functions;
 *   - what a select drops is finite, for 0 times infinity would come back in the derivative. */
#ifndef ORR_TENSOR_COMPOSE_H
#define ORR_TENSOR_COMPOSE_H

#include "tensor/graph.h"
#include "tensor/op_shape.h"

/* False, after orr_graph_fail in the name of the composed function, where the graph is broken, a is no node of it, no
 * floating one, or has fewer than `least` axes. */
bool orr_compose_float(orr_graph *g, const char *name, const char *what, orr_node a, int32_t least);
/* The same for i32. */
bool orr_compose_index(orr_graph *g, const char *name, const char *what, orr_node a);
/* a has this type. */
bool orr_compose_type(orr_graph *g, const char *name, const char *what, orr_node a, orr_dtype dtype, orr_shape shape);
/* a is ORR_NONE, or a vector of n elements of this type: a gain or a bias. */
bool orr_compose_vector(orr_graph *g, const char *name, const char *what, orr_node a, orr_dtype dtype, int64_t n);

/* Stands for minus infinity in a sum of exponentials and in a maximum: finite, so that a hunt for non-finite values
 * doesn't stop at it, and so low that e^(it - anything) = 0 in both floating types. */
#define ORR_COMPOSE_MASKED (-1e30)

/* max over the axis, extent 1 kept, as a constant to derivatives. */
orr_node orr_compose_peak(orr_graph *g, orr_node a, int32_t axis);

#endif
