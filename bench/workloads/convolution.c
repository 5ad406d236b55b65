/* A small convolutional net on 28 x 28 pictures: conv 1-32, ReLU, pool, conv 32-64, ReLU, pool, linear. */
#include <math.h>

#include "workloads/workload.h"

enum { BATCH = 64 };

/* 3 x 3, padding 1, then ReLU, then the mean of 2 x 2 */
static orr_node layer(orr_graph *g, orr_node a, orr_node w, orr_node b) {
    const orr_node h = orr_conv2d(g, a, w, b, (orr_convolution){ .low = { 1, 1 }, .high = { 1, 1 } });
    return orr_average_pool(g, orr_relu(g, h), (orr_pooling){ .window = { 2, 2 } });
}

static void build(orr_workload_graph *w) {
    orr_graph *g = w->g;
    const double bound[] = { 1.0 / sqrt(9.0), 1.0 / sqrt(288.0), 1.0 / sqrt(3136.0) }; /* 1/sqrt(fan-in) */
    const orr_node p[] = {
        orr_workload_in(w, "w0", ORR_F32, ORR_SHAPE(32, 1, 3, 3), ORR_LAW_UNIFORM, bound[0]),
        orr_workload_in(w, "b0", ORR_F32, ORR_SHAPE(32), ORR_LAW_UNIFORM, bound[0]),
        orr_workload_in(w, "w1", ORR_F32, ORR_SHAPE(64, 32, 3, 3), ORR_LAW_UNIFORM, bound[1]),
        orr_workload_in(w, "b1", ORR_F32, ORR_SHAPE(64), ORR_LAW_UNIFORM, bound[1]),
        orr_workload_in(w, "w2", ORR_F32, ORR_SHAPE(10, 3136), ORR_LAW_UNIFORM, bound[2]),
        orr_workload_in(w, "b2", ORR_F32, ORR_SHAPE(10), ORR_LAW_UNIFORM, bound[2]),
    };
    const orr_node x = orr_workload_in(w, "x", ORR_F32, ORR_SHAPE(BATCH, 1, 28, 28), ORR_LAW_NORMAL, 1.0);
    const orr_node y = orr_workload_in(w, "y", ORR_I32, ORR_SHAPE(BATCH), ORR_LAW_INTEGER, 10);
    const orr_node features = layer(g, layer(g, x, p[0], p[1]), p[2], p[3]);
    const orr_node logits = orr_linear(g, orr_reshape(g, features, ORR_SHAPE(BATCH, 3136)), p[4], p[5]);
    orr_workload_descend(w, orr_mean_all(g, orr_cross_entropy(g, logits, y)), p, 6, 0.01);
}

const orr_workload orr_workload_cnn_step = {
    .name = "cnn_step",
    .unit = "step",
    .title = "one SGD step: conv 1-32-64 (3x3), average pool 2 after each, linear 3136-10, ReLU, batch 64 of 28x28",
    .dtype = ORR_F32,
    /* the first layer needs no derivative by its input */
    .flops = 2.0 * BATCH * (2 * (784 * 32 * 9) + 3 * (196 * 64 * 288 + 3136 * 10)),
    .units_per_call = 1,
    .build = build,
};
