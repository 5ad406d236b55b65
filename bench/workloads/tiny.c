/* The solvable model's workhorse: a two-layer linear net 16-32-16 on n = 64, float64; one, and 64 seeds of it. */
#include "workloads/workload.h"

enum { SEEDS = 64 };

/* loss = 1/2 sum |x w1' w2' - y|^2 / 64;   w <- w - 0.01 dloss/dw */
static void step(orr_graph *g, orr_node w1, orr_node w2, orr_node x, orr_node y, orr_node after[3]) {
    const orr_node parameter[] = { w1, w2 };
    orr_node gradient[2];
    const orr_node output = orr_linear(g, orr_linear(g, x, w1, ORR_NONE), w2, ORR_NONE);
    const orr_node loss = orr_mse(g, output, y);
    orr_grad(g, loss, parameter, 2, gradient);
    for (int i = 0; i < 2; i++) after[i] = orr_sub(g, parameter[i], orr_scale(g, gradient[i], 0.01));
    after[2] = loss;
}

static void data(orr_workload_graph *w, orr_node *x, orr_node *y) {
    *x = orr_workload_in(w, "x", ORR_F64, ORR_SHAPE(64, 16), ORR_LAW_NORMAL, 1.0);
    *y = orr_workload_in(w, "y", ORR_F64, ORR_SHAPE(64, 16), ORR_LAW_NORMAL, 1.0);
}

static void build_tiny_net(orr_workload_graph *w) {
    orr_node x, y, after[3];
    const orr_node w1 = orr_workload_in(w, "w1", ORR_F64, ORR_SHAPE(32, 16), ORR_LAW_NORMAL, 0.1);
    const orr_node w2 = orr_workload_in(w, "w2", ORR_F64, ORR_SHAPE(16, 32), ORR_LAW_NORMAL, 0.1);
    data(w, &x, &y);
    step(w->g, w1, w2, x, y, after);
    orr_workload_update(w, w1, after[0]);
    orr_workload_update(w, w2, after[1]);
    orr_workload_out(w, "loss", after[2]);
}

const orr_workload orr_workload_tiny_net = {
    .name = "tiny_net",
    .unit = "step",
    .title = "one GD step of a two-layer linear net 16-32-16 on n = 64",
    .dtype = ORR_F64,
    .flops = 2.0 * 64 * 5 * (16 * 32),
    .units_per_call = 200,
    .build = build_tiny_net,
};

/* vmap of the same step over the weights; x and y are shared. */
static void build_tiny_ensemble(orr_workload_graph *w) {
    orr_graph *g = w->g;
    orr_node x, y, after[3], all_after[3];
    const orr_node one[] = { orr_input(g, "one seed's w1", ORR_F64, ORR_SHAPE(32, 16)),
                             orr_input(g, "one seed's w2", ORR_F64, ORR_SHAPE(16, 32)) };
    const orr_node all[] = { orr_workload_in(w, "w1", ORR_F64, ORR_SHAPE(SEEDS, 32, 16), ORR_LAW_NORMAL, 0.1),
                             orr_workload_in(w, "w2", ORR_F64, ORR_SHAPE(SEEDS, 16, 32), ORR_LAW_NORMAL, 0.1) };
    data(w, &x, &y);
    step(g, one[0], one[1], x, y, after);
    orr_vmap(g, after, 3, one, all, 2, all_after);
    for (int i = 0; i < 2; i++) orr_workload_update(w, all[i], all_after[i]);
    orr_workload_out(w, "loss", all_after[2]);
}

const orr_workload orr_workload_tiny_ensemble = {
    .name = "tiny_ensemble",
    .unit = "step of 64 nets",
    .title = "one GD step of 64 such nets at once (64 seeds)",
    .dtype = ORR_F64,
    .flops = SEEDS * 2.0 * 64 * 5 * (16 * 32),
    .units_per_call = 50,
    .build = build_tiny_ensemble,
};
