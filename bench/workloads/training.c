/* Networks of a usual size: a gradient step over all data, one over a small batch, a Hessian-vector product. */
#include "workloads/mlp.h"

/* mean over examples of 1/2 |net(x) - y|^2, tanh, 784-200-200-10, n = 1000 */
static orr_node full_batch_loss(orr_workload_graph *w, orr_mlp *net) {
    *net = orr_mlp_declare(w, (orr_tanh), 3, (const int64_t[]){ 784, 200, 200, 10 });
    const orr_node x = orr_workload_in(w, "x", ORR_F32, ORR_SHAPE(1000, 784), ORR_LAW_NORMAL, 1.0);
    const orr_node y = orr_workload_in(w, "y", ORR_F32, ORR_SHAPE(1000, 10), ORR_LAW_ONE_HOT, 1.0);
    return orr_mse(w->g, orr_mlp_output(w->g, net, x), y);
}

static void build_gd_fullbatch(orr_workload_graph *w) {
    orr_mlp net;
    const orr_node loss = full_batch_loss(w, &net);
    orr_workload_descend(w, loss, net.parameter, 6, 0.01);
}

const orr_workload orr_workload_gd_fullbatch = {
    .name = "gd_fullbatch",
    .unit = "step",
    .title = "one full-batch GD step: tanh MLP 784-200-200-10, n = 1000, MSE",
    .dtype = ORR_F32,
    .flops = 2e3 * (2 * (784 * 200) + 3 * (200 * 200 + 200 * 10)),
    .units_per_call = 5,
    .build = build_gd_fullbatch,
};

static void build_sgd_minibatch(orr_workload_graph *w) {
    const orr_mlp net = orr_mlp_declare(w, orr_relu, 3, (const int64_t[]){ 784, 1024, 1024, 10 });
    const orr_node x = orr_workload_in(w, "x", ORR_F32, ORR_SHAPE(128, 784), ORR_LAW_NORMAL, 1.0);
    const orr_node y = orr_workload_in(w, "y", ORR_I32, ORR_SHAPE(128), ORR_LAW_INTEGER, 10);
    const orr_node loss = orr_mean_all(w->g, orr_cross_entropy(w->g, orr_mlp_output(w->g, &net, x), y));
    orr_workload_descend(w, loss, net.parameter, 6, 0.01);
}

const orr_workload orr_workload_sgd_minibatch = {
    .name = "sgd_minibatch",
    .unit = "step",
    .title = "one SGD step: ReLU MLP 784-1024-1024-10, batch 128, cross-entropy",
    .dtype = ORR_F32,
    .flops = 2.0 * 128 * (2 * (784 * 1024) + 3 * (1024 * 1024 + 1024 * 10)),
    .units_per_call = 5,
    .build = build_sgd_minibatch,
};

static void build_hvp(orr_workload_graph *w) {
    orr_mlp net;
    const orr_node loss = full_batch_loss(w, &net);
    orr_node v[6], hv[6];
    for (int32_t i = 0; i < 6; i++) {
        const char *name[] = { "v.w0", "v.b0", "v.w1", "v.b1", "v.w2", "v.b2" };
        v[i] = orr_workload_in(w, name[i], ORR_F32, orr_node_shape(w->g, net.parameter[i]), ORR_LAW_NORMAL, 1.0);
    }
    orr_hvp(w->g, loss, net.parameter, v, 6, hv);
    for (int32_t i = 0; i < 6; i++) {
        const char *name[] = { "hv.w0", "hv.b0", "hv.w1", "hv.b1", "hv.w2", "hv.b2" };
        orr_workload_out(w, name[i], hv[i]);
    }
}

/* Forward, its tangent, backward, its tangent, and products with respect to the weights:
 * w0 stands in three of them (forward, tangent, Hv), w1 and w2 in eight. */
const orr_workload orr_workload_hvp = {
    .name = "hvp",
    .unit = "product",
    .title = "one Hessian-vector product of gd_fullbatch's loss",
    .dtype = ORR_F32,
    .flops = 2e3 * (3 * (784 * 200) + 8 * (200 * 200 + 200 * 10)),
    .units_per_call = 1,
    .build = build_hvp,
};
