/* What composed functions ask of their arguments, so that messages speak of the function that was called. */
#define ORR_TENSOR_INSIDE
#include "tensor/compose/compose.h"

static bool present(orr_graph *g, const char *name, const char *what, orr_node a) {
    if (orr_graph_failed(g)) return false;
    if (a.id > 0 && a.id < g->n) return true;
    return orr_graph_fail(g, name, "%s is no node of this graph (ORR_NONE?)", what);
}

static bool refuse(orr_graph *g, const char *name, const char *what, orr_node a, const char *expected) {
    char text[ORR_TYPE_TEXT];
    return orr_graph_fail(g, name, "%s is %s; expected %s", what,
                          orr_type_print(orr_graph_type(g, a), text, sizeof text), expected);
}

bool orr_compose_float(orr_graph *g, const char *name, const char *what, orr_node a, int32_t least) {
    if (!present(g, name, what, a)) return false;
    if (orr_node_dtype(g, a) > ORR_F64) return refuse(g, name, what, a, "f32 or f64 (see orr_cast)");
    if (orr_node_shape(g, a).rank >= least) return true;
    return refuse(g, name, what, a, least == 1 ? "an axis at least" : least == 2 ? "two axes at least" : "more axes");
}

bool orr_compose_index(orr_graph *g, const char *name, const char *what, orr_node a) {
    if (!present(g, name, what, a)) return false;
    return orr_node_dtype(g, a) == ORR_I32 || refuse(g, name, what, a, "i32 (see orr_cast)");
}

bool orr_compose_type(orr_graph *g, const char *name, const char *what, orr_node a, orr_dtype dtype, orr_shape shape) {
    if (!present(g, name, what, a)) return false;
    const orr_type *got = orr_graph_type(g, a), expected = { .dtype = dtype, .shape = shape };
    if (got->dtype == dtype && orr_shape_equal(&got->shape, &shape)) return true;
    char text[ORR_TYPE_TEXT];
    return refuse(g, name, what, a, orr_type_print(&expected, text, sizeof text));
}

bool orr_compose_vector(orr_graph *g, const char *name, const char *what, orr_node a, orr_dtype dtype, int64_t n) {
    return !a.id || orr_compose_type(g, name, what, a, dtype, ORR_SHAPE(n));
}

orr_node orr_compose_peak(orr_graph *g, orr_node a, int32_t axis) {
    return orr_stop(g, orr_reduce_max_keep(g, a, ORR_AXES(axis)));
}
