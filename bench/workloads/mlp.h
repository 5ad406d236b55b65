/* The peer's multilayer perceptrons: linear layers with an activation between them. */
#ifndef ORR_BENCH_MLP_H
#define ORR_BENCH_MLP_H

#include "workloads/workload.h"

enum { ORR_MLP_LAYERS = 4 };

typedef struct orr_mlp {
    int32_t layers;
    int64_t size[ORR_MLP_LAYERS + 1]; /* of the input, then of each layer's output */
    orr_node (*activation)(orr_graph *g, orr_node a);
    orr_node parameter[2 * ORR_MLP_LAYERS]; /* w0[size1, size0], b0[size1], w1, b1, ... */
} orr_mlp;

/* Declares parameters by PyTorch's law for a linear layer: weights and biases uniform within 1/sqrt(fan-in). */
orr_mlp orr_mlp_declare(orr_workload_graph *w, orr_node (*activation)(orr_graph *, orr_node), int32_t layers,
                        const int64_t *size);

/* What a pass through it leaves: a[l] enters layer l, h[l] = a[l] w[l]' + b[l] leaves it; h[layers - 1] is the output.
 */
typedef struct orr_mlp_pass {
    orr_node a[ORR_MLP_LAYERS], h[ORR_MLP_LAYERS];
} orr_mlp_pass;
orr_mlp_pass orr_mlp_forward(orr_graph *g, const orr_mlp *net, orr_node x);
orr_node orr_mlp_output(orr_graph *g, const orr_mlp *net, orr_node x);

#endif
