#include "workloads/mlp.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

orr_mlp orr_mlp_declare(orr_workload_graph *w, orr_node (*activation)(orr_graph *, orr_node), int32_t layers,
                        const int64_t *size) {
    assert(layers <= ORR_MLP_LAYERS && "raise ORR_MLP_LAYERS");
    orr_mlp net = { .layers = layers, .activation = activation };
    for (int32_t l = 0; l <= layers; l++) net.size[l] = size[l];
    for (int32_t l = 0; l < layers; l++) {
        const double bound = 1.0 / sqrt((double)size[l]);
        char name[8];
        (void)snprintf(name, sizeof name, "w%d", l);
        net.parameter[2 * l] =
            orr_workload_in(w, name, ORR_F32, ORR_SHAPE(size[l + 1], size[l]), ORR_LAW_UNIFORM, bound);
        (void)snprintf(name, sizeof name, "b%d", l);
        net.parameter[2 * l + 1] = orr_workload_in(w, name, ORR_F32, ORR_SHAPE(size[l + 1]), ORR_LAW_UNIFORM, bound);
    }
    return net;
}

orr_mlp_pass orr_mlp_forward(orr_graph *g, const orr_mlp *net, orr_node x) {
    orr_mlp_pass pass = { 0 };
    for (int32_t l = 0; l < net->layers; l++) {
        pass.a[l] = l == 0 ? x : net->activation(g, pass.h[l - 1]);
        pass.h[l] = orr_linear(g, pass.a[l], net->parameter[2 * l], net->parameter[2 * l + 1]);
    }
    return pass;
}

orr_node orr_mlp_output(orr_graph *g, const orr_mlp *net, orr_node x) {
    return orr_mlp_forward(g, net, x).h[net->layers - 1];
}
