#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = a^b;  dy/da = b a^(b-1), dy/db = y log a.
 *
 * A whole exponent c that is a constant lets a be negative or zero: c a^(c-1) with c - 1 constant again, so that derivatives
 * of every order stay free of logarithms; orr_pow turns c = 0, 1, 2 and 1/2 into 1, a, a a and sqrt a. */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    const orr_node a = call->args[0], b = call->args[1];
    if (arg == 1) return orr_mul(g, call->out, orr_log(g, a));
    double c;
    if (orr_graph_is_fill(g, b, &c)) return orr_scale(g, orr_pow(g, a, orr_fill_like(g, b, c - 1.0)), c);
    return orr_mul(g, b, orr_pow(g, a, orr_shift(g, b, -1.0)));
}

const orr_op orr_op_pow = {
    .code = ORR_OP_pow,
    .name = "pow",
    .equation = "y = a^b",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 2,
    .accepts = ORR_ACCEPT_FLOAT,
    .type = orr_type_elementwise,
    .partial = partial,
    .vjp = orr_vjp_partial,
    .jvp = orr_jvp_partial,
    .vmap = orr_vmap_elementwise,
    .low = 0.3,
    .high = 2.0,
};
