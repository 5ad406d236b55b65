/* What gather and its adjoint share. */
#ifndef ORR_TENSOR_OP_INDEX_H
#define ORR_TENSOR_OP_INDEX_H

#include "tensor/op_shape.h"

orr_node orr_gather_call(orr_graph *g, orr_node a, orr_node index, int32_t n_batch);
orr_node orr_scatter_add_call(orr_graph *g, orr_node a, orr_node index, int32_t n_batch, int64_t extent);
/* index is i32 and its first `shared` axes are a's; a has at least `least` axes.  False after orr_graph_fail. */
bool orr_index_check(orr_graph *g, const char *op, const orr_type *a, const orr_type *index, int32_t shared,
                     int32_t least);

#endif
