/* Shape arithmetic that several ops share. */
#ifndef ORR_TENSOR_OP_SHAPE_H
#define ORR_TENSOR_OP_SHAPE_H

#include "tensor/op.h"

bool orr_type_reduce(orr_graph *g, const orr_call *call, orr_type *out);
orr_node orr_vmap_reduce(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n);
/* A value of the reduction's result type, repeated along the axes that went. */
orr_node orr_spread(orr_graph *g, orr_node a, const orr_call *reduction);

/* n in front of, or at `axis` of, a shape; an axis less; an order of axes that moves `from` to `to`. */
orr_shape orr_shape_insert(orr_shape shape, int32_t axis, int64_t n);
orr_shape orr_shape_remove(orr_shape shape, int32_t axis);
orr_axes orr_axes_move(int32_t rank, int32_t from, int32_t to);
orr_node orr_move_axis(orr_graph *g, orr_node a, int32_t from, int32_t to);

/* axis in [0, rank) from one that may count from the end; -1 after orr_graph_fail. */
int32_t orr_axis_resolve(orr_graph *g, const char *op, int32_t axis, int32_t rank);

/* How arguments of an op broadcast as in NumPy; false after orr_graph_fail. */
bool orr_shape_broadcast(orr_graph *g, const char *op, const orr_type *a, const orr_type *b, orr_shape *out);

#endif
