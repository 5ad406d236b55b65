#include "ingredient/architecture/architecture.h"

#include <stdio.h>
#include <string.h>

#define ORR_ARCHITECTURE(name) extern const orr_architecture orr_architecture_##name;
#include "ingredient/architecture/architecture.def"
#undef ORR_ARCHITECTURE

static const orr_architecture *const all[] = {
#define ORR_ARCHITECTURE(name) &orr_architecture_##name,
#include "ingredient/architecture/architecture.def"
#undef ORR_ARCHITECTURE
};

const orr_architecture *orr_architecture_at(int i) { return i < (int)(sizeof all / sizeof all[0]) ? all[i] : NULL; }

orr_tensor orr_tensor_of(const char *name, orr_shape shape, orr_role role, double deviation) {
    orr_tensor t = { .name = name, .shape = shape, .role = role, .deviation = deviation };
    t.fan_in = 1;
    t.fan_out = shape.rank > 0 ? shape.size[0] : 1;
    for (int32_t i = 1; i < shape.rank; i++) t.fan_in *= shape.size[i];
    t.multiplier = t.rate_gradient = t.rate_sign = t.epsilon = 1.0;
    return t;
}

void orr_tap(orr_taps *taps, const char *name, int64_t index, orr_node node) {
    if (!taps || taps->n == ORR_TAPS_MAX) return;
    char *to = taps->tap[taps->n].name;
    const size_t room = sizeof taps->tap[0].name;
    if (index) (void)snprintf(to, room, "%s%lld", name, (long long)index);
    else (void)snprintf(to, room, "%s", name);
    taps->tap[taps->n++].node = node;
}

orr_node orr_flat(orr_graph *g, const orr_signature *signature, orr_node x) {
    if (signature->input.rank == 1) return x;
    return orr_reshape(g, x, ORR_SHAPE(-1, orr_shape_count(&signature->input)));
}

/* ---- activations ------------------------------------------------------------------------------------------------------------ */

/* the header's macros name the caller's line; a table needs functions */
static orr_node tanh_activation(orr_graph *g, orr_node a) { return orr_tanh(g, a); }
static orr_node relu_activation(orr_graph *g, orr_node a) { return orr_relu(g, a); }
static orr_node erf_activation(orr_graph *g, orr_node a) { return orr_erf(g, a); }
static orr_node erf_scaled_activation(orr_graph *g, orr_node a) {
    return orr_erf(g, orr_scale(g, a, 0.70710678118654752440)); /* 1/sqrt 2 */
}
static orr_node gelu_activation(orr_graph *g, orr_node a) { return orr_gelu(g, a); }
static orr_node silu_activation(orr_graph *g, orr_node a) { return orr_silu(g, a); }
static orr_node softplus_activation(orr_graph *g, orr_node a) { return orr_softplus(g, a); }
static orr_node sin_activation(orr_graph *g, orr_node a) { return orr_sin(g, a); }
static orr_node quadratic_activation(orr_graph *g, orr_node a) { return orr_square(g, a); }
static orr_node linear_activation(orr_graph *g, orr_node a) {
    (void)g;
    return a;
}

/* ORDER activation: ORR_ACTIVATIONS */
static const struct {
    const char *name;
    orr_node (*apply)(orr_graph *g, orr_node a);
} activations[] = {
    { "tanh", tanh_activation },
    { "relu", relu_activation },
    { "erf", erf_activation },
    { "gelu", gelu_activation },
    { "erf-scaled", erf_scaled_activation },
    { "silu", silu_activation },
    { "sin", sin_activation },
    { "softplus", softplus_activation },
    { "quadratic", quadratic_activation },
    { "linear", linear_activation },
};

orr_node orr_activation(orr_graph *g, const char *name, orr_node a) {
    size_t i = 0;
    while (strcmp(activations[i].name, name) != 0) i++; /* the table of parameters lets no other name pass */
    return activations[i].apply(g, a);
}
