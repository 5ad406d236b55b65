/* Normalisations.  The variance is the mean of squares of what is centred already: two passes, no cancellation. */
#define ORR_TENSOR_INSIDE
#include "tensor/compose/compose.h"

static bool check_epsilon(orr_graph *g, const char *name, double epsilon) {
    return epsilon >= 0.0 || orr_graph_fail(g, name, "epsilon is %g; expected at least 0", epsilon);
}

/* 1 / sqrt(mean of a^2 + epsilon), axes kept */
static orr_node inverse_rms(orr_graph *g, orr_node a, orr_axes axes, double epsilon) {
    return orr_reciprocal(g, orr_sqrt(g, orr_shift(g, orr_mean_keep(g, orr_square(g, a), axes), epsilon)));
}

static orr_node centre(orr_graph *g, orr_node a, orr_axes axes) { return orr_sub(g, a, orr_mean_keep(g, a, axes)); }

static orr_node add_bias(orr_graph *g, orr_node y, orr_node bias) { return bias.id ? orr_add(g, y, bias) : y; }

/* Over the last axis:  y = gain (a - mean a) / sqrt(var a + epsilon) + bias,  var = mean (a - mean a)^2 */
orr_node orr_layer_norm(orr_graph *g, orr_node a, orr_node gain, orr_node bias, double epsilon) {
    if (!orr_compose_float(g, "layer_norm", "the argument", a, 1) || !check_epsilon(g, "layer_norm", epsilon))
        return ORR_NONE;
    const orr_type t = *orr_graph_type(g, a);
    const int64_t n = t.shape.size[t.shape.rank - 1];
    if (!orr_compose_vector(g, "layer_norm", "the gain", gain, t.dtype, n) ||
        !orr_compose_vector(g, "layer_norm", "the bias", bias, t.dtype, n))
        return ORR_NONE;
    const orr_node c = centre(g, a, ORR_AXES(-1));
    const orr_node y = orr_mul(g, c, inverse_rms(g, c, ORR_AXES(-1), epsilon));
    return add_bias(g, gain.id ? orr_mul(g, y, gain) : y, bias);
}

/* Over the last axis:  y = gain a / sqrt(mean a^2 + epsilon) */
orr_node orr_rms_norm(orr_graph *g, orr_node a, orr_node gain, double epsilon) {
    if (!orr_compose_float(g, "rms_norm", "the argument", a, 1) || !check_epsilon(g, "rms_norm", epsilon))
        return ORR_NONE;
    const orr_type t = *orr_graph_type(g, a);
    if (!orr_compose_vector(g, "rms_norm", "the gain", gain, t.dtype, t.shape.size[t.shape.rank - 1])) return ORR_NONE;
    const orr_node y = orr_mul(g, a, inverse_rms(g, a, ORR_AXES(-1), epsilon));
    return gain.id ? orr_mul(g, y, gain) : y;
}

/* [c] -> [c, 1, ...], to stand under a[n, c, ...] */
static orr_node under_channels(orr_graph *g, orr_node v, const orr_shape *a) {
    orr_shape s = { .rank = a->rank - 1 };
    for (int32_t i = 0; i < s.rank; i++) s.size[i] = i == 0 ? a->size[1] : 1;
    return v.id ? orr_reshape(g, v, s) : v;
}

/* Over all axes but 1:  y = (a - mean a) gain / sqrt(var a + epsilon) + bias.  The factor is one number a channel. */
orr_node orr_batch_norm(orr_graph *g, orr_node a, orr_node gain, orr_node bias, double epsilon) {
    if (!orr_compose_float(g, "batch_norm", "the argument", a, 2) || !check_epsilon(g, "batch_norm", epsilon))
        return ORR_NONE;
    const orr_type t = *orr_graph_type(g, a);
    if (!orr_compose_vector(g, "batch_norm", "the gain", gain, t.dtype, t.shape.size[1]) ||
        !orr_compose_vector(g, "batch_norm", "the bias", bias, t.dtype, t.shape.size[1]))
        return ORR_NONE;
    orr_axes axes = { 0 };
    for (int32_t i = 0; i < t.shape.rank; i++)
        if (i != 1) axes.axis[axes.n++] = i;
    const orr_node c = centre(g, a, axes);
    const orr_node inverse = inverse_rms(g, c, axes, epsilon);
    const orr_node factor = gain.id ? orr_mul(g, inverse, under_channels(g, gain, &t.shape)) : inverse;
    return add_bias(g, orr_mul(g, c, factor), under_channels(g, bias, &t.shape));
}
