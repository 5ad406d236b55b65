#define ORR_TENSOR_INSIDE
#include "tensor/op_index.h"

#include <string.h>

static orr_node call(orr_graph *g, orr_op_code code, orr_node a, orr_node index, int32_t n_batch, int64_t extent) {
    orr_attr_index attr;
    memset(&attr, 0, sizeof attr);
    attr.n_batch = n_batch;
    attr.extent = extent;
    return orr_graph_call(g, code, (const orr_node[]){ a, index }, 2, &attr);
}

orr_node orr_gather_call(orr_graph *g, orr_node a, orr_node index, int32_t n_batch) {
    return call(g, ORR_OP_gather, a, index, n_batch, 0);
}

orr_node orr_scatter_add_call(orr_graph *g, orr_node a, orr_node index, int32_t n_batch, int64_t extent) {
    return call(g, ORR_OP_scatter_add, a, index, n_batch, extent);
}

bool orr_index_check(orr_graph *g, const char *op, const orr_type *a, const orr_type *index, int32_t shared,
                     int32_t least) {
    bool fits = index->dtype == ORR_I32 && a->shape.rank >= least && index->shape.rank >= shared;
    for (int32_t i = 0; fits && i < shared; i++) fits = a->shape.size[i] == index->shape.size[i];
    if (fits) return true;
    char ta[ORR_TYPE_TEXT], ti[ORR_TYPE_TEXT];
    if (shared == 0)
        return orr_graph_fail(g, op, "needs an i32 index and values with an axis; got %s, %s",
                              orr_type_print(a, ta, sizeof ta), orr_type_print(index, ti, sizeof ti));
    return orr_graph_fail(g, op, "needs an i32 index whose first %d axes are those of the values; got %s, %s", shared,
                          orr_type_print(a, ta, sizeof ta), orr_type_print(index, ti, sizeof ti));
}
