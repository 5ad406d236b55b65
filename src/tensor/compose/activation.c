/* Activations. */
#define ORR_TENSOR_INSIDE
#include "tensor/compose/compose.h"

/* y = max(a, 0), derivative 0 at 0: a select, for max shares the derivative at a tie.  NaN stays NaN. */
orr_node orr_relu(orr_graph *g, orr_node a) {
    if (!orr_compose_float(g, "relu", "the argument", a, 0)) return ORR_NONE;
    const orr_node zero = orr_fill_like(g, a, 0.0);
    return orr_select(g, orr_le(g, a, zero), zero, a);
}

/* y = log(1 + e^a)
 *   = log(1 + e^z) + (a where a > 0, else 0),   z = -a where a > 0, else a:   e^z <= 1 never overflows
 *
 * For a > 0 this is a + log(1 + e^-a), for a <= 0 log(1 + e^a): one analytic function written twice, so at 0, and
 * everywhere, derivatives of every order are those of log(1 + e^a).  max(a, 0) + log1p(e^-|a|) has equal values, but
 * its derivatives at 0 are put together from half of max and sign(0) = 0 of abs: the second comes out 0, not 1/4. */
orr_node orr_softplus(orr_graph *g, orr_node a) {
    if (!orr_compose_float(g, "softplus", "the argument", a, 0)) return ORR_NONE;
    const orr_node zero = orr_fill_like(g, a, 0.0), positive = orr_lt(g, zero, a);
    const orr_node z = orr_select(g, positive, orr_neg(g, a), a);
    return orr_add(g, orr_select(g, positive, a, zero), orr_log1p(g, orr_exp(g, z)));
}

/* y = a / (1 + e^-a) */
orr_node orr_silu(orr_graph *g, orr_node a) {
    if (!orr_compose_float(g, "silu", "the argument", a, 0)) return ORR_NONE;
    return orr_mul(g, a, orr_sigmoid(g, a));
}

/* y = a Phi(a) = a/2 (1 + erf(a / sqrt 2)).  For a << 0 the sum in Phi cancels: the error is |a| eps there, absolute. */
orr_node orr_gelu(orr_graph *g, orr_node a) {
    if (!orr_compose_float(g, "gelu", "the argument", a, 0)) return ORR_NONE;
    return orr_mul(g, a, orr_normal_cdf(g, a));
}

/* y = a/2 (1 + tanh u),  u = sqrt(2/pi) (a + 0.044715 a^3)      Hendrycks & Gimpel 2016, 1606.08415
 *   = a sigmoid(2u)      the same without the cancellation for a << 0 */
orr_node orr_gelu_tanh(orr_graph *g, orr_node a) {
    if (!orr_compose_float(g, "gelu_tanh", "the argument", a, 0)) return ORR_NONE;
    const double twice_sqrt_2_by_pi = 1.59576912160573071176;
    const orr_node bent = orr_shift(g, orr_scale(g, orr_square(g, a), 0.044715), 1.0); /* 1 + 0.044715 a^2 */
    return orr_mul(g, a, orr_sigmoid(g, orr_mul(g, orr_scale(g, a, twice_sqrt_2_by_pi), bent)));
}
