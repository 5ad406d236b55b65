/* Instruments made of derivatives of each output or each example, of a ReLU MLP 784-256-256-10.
 *
 * For a linear layer h = a w' + b, the derivative of f by w at one example is delta a', delta = df/dh: inner products
 * of such derivatives are products of inner products of the deltas and of the a, so no Jacobian needs to stand in
 * memory. */
#include "workloads/mlp.h"

enum { LAYERS = 3, CLASSES = 10 };
static const int64_t sizes[] = { 784, 256, 256, CLASSES };

/* [CLASSES, n, CLASSES]: for each class its unit vector, in every row */
static orr_node unit_rows(orr_graph *g, int64_t n) {
    const orr_node same = orr_one_hot(g, orr_iota(g, ORR_I32, ORR_SHAPE(CLASSES), 0), CLASSES, ORR_F32);
    return orr_broadcast(g, orr_expand(g, same, 1), ORR_SHAPE(CLASSES, n, CLASSES));
}

/* out[c, i, :] = d output[i, c] / d by[i, :], vmap over c of the reverse derivative */
static orr_node each_output_by(orr_workload_graph *w, orr_node output, orr_node by) {
    orr_graph *g = w->g;
    const orr_shape shape = orr_node_shape(g, output);
    char name[ORR_WORKLOAD_NAME];
    (void)snprintf(name, sizeof name, "cotangent %d", by.id);
    const orr_node bar = orr_input(g, name, ORR_F32, shape), unit = unit_rows(g, shape.size[0]);
    orr_node xbar, out;
    orr_vjp(g, &output, &bar, 1, &by, 1, &xbar);
    orr_vmap(g, &xbar, 1, &bar, &unit, 1, &out);
    return out;
}

/* K[i, j] = sum_c <df_c(x_i)/dtheta, df_c(x_j)/dtheta>
 *         = sum over layers of (a_i.a_j + 1) sum_c delta_ci.delta_cj,     the 1 for the bias */
static void build_ntk_gram(orr_workload_graph *w) {
    orr_graph *g = w->g;
    const orr_mlp net = orr_mlp_declare(w, orr_relu, LAYERS, sizes);
    const orr_node x = orr_workload_in(w, "x", ORR_F32, ORR_SHAPE(256, 784), ORR_LAW_NORMAL, 1.0);
    const orr_mlp_pass pass = orr_mlp_forward(g, &net, x);
    orr_node gram = ORR_NONE;
    for (int32_t l = 0; l < LAYERS; l++) {
        const orr_node delta = each_output_by(w, pass.h[LAYERS - 1], pass.h[l]);
        const orr_node inputs = orr_shift(g, orr_einsum(g, "id,jd->ij", pass.a[l], pass.a[l]), 1.0);
        const orr_node layer = orr_mul(g, inputs, orr_einsum(g, "cik,cjk->ij", delta, delta));
        gram = l == 0 ? layer : orr_add(g, gram, layer);
    }
    orr_workload_out(w, "gram", gram);
}

const orr_workload orr_workload_ntk_gram = {
    .name = "ntk_gram",
    .unit = "gram",
    .title = "the empirical NTK Gram, trace over 10 outputs, of a ReLU MLP 784-256-256-10 on n = 256 inputs",
    .dtype = ORR_F32,
    /* forward; deltas of layer 0; the symmetric products of inputs and of deltas, half of each */
    .flops = 2.0 * 256 * (784 * 256 + 256 * 256 + 2560) + 2.0 * 2560 * 256 * 256 +
             256.0 * 256 * (784 + 256 + 256 + 2560 + 2560),
    .units_per_call = 1,
    .build = build_ntk_gram,
};

/* |dloss_i/dtheta|^2 = sum over layers of (|a_i|^2 + 1) |delta_i|^2,   delta_i = dloss_i/dh_i */
static void build_per_example_grads(orr_workload_graph *w) {
    orr_graph *g = w->g;
    const orr_mlp net = orr_mlp_declare(w, orr_relu, LAYERS, sizes);
    const orr_node x = orr_workload_in(w, "x", ORR_F32, ORR_SHAPE(256, 784), ORR_LAW_NORMAL, 1.0);
    const orr_node y = orr_workload_in(w, "y", ORR_I32, ORR_SHAPE(256), ORR_LAW_INTEGER, CLASSES);
    const orr_mlp_pass pass = orr_mlp_forward(g, &net, x);
    const orr_node losses = orr_cross_entropy(g, pass.h[LAYERS - 1], y);
    orr_node norms = ORR_NONE;
    for (int32_t l = 0; l < LAYERS; l++) {
        orr_node delta;
        orr_vjp(g, &losses, NULL, 1, &pass.h[l], 1, &delta); /* example i's loss depends on row i alone */
        const orr_node inputs = orr_shift(g, orr_sum(g, orr_square(g, pass.a[l]), ORR_AXES(1)), 1.0);
        const orr_node layer = orr_mul(g, inputs, orr_sum(g, orr_square(g, delta), ORR_AXES(1)));
        norms = l == 0 ? layer : orr_add(g, norms, layer);
    }
    orr_workload_out(w, "norms", norms);
}

const orr_workload orr_workload_per_example_grads = {
    .name = "per_example_grads",
    .unit = "pass",
    .title = "squared norms of 256 per-example gradients, ReLU MLP 784-256-256-10, cross-entropy",
    .dtype = ORR_F32,
    .flops = 2.0 * 256 * (784 * 256 + 2 * (256 * 256 + 2560)), /* forward, and backward to the first layer */
    .units_per_call = 1,
    .build = build_per_example_grads,
};

/* G = 1/n sum_i sum_c g_ci g_ci',   g_ci = d f_c(x_i) / dx_i */
static void build_agop(orr_workload_graph *w) {
    orr_graph *g = w->g;
    const orr_mlp net = orr_mlp_declare(w, orr_relu, LAYERS, sizes);
    const orr_node x = orr_workload_in(w, "x", ORR_F32, ORR_SHAPE(1000, 784), ORR_LAW_NORMAL, 1.0);
    const orr_node jacobian = each_output_by(w, orr_mlp_output(g, &net, x), x);
    orr_workload_out(w, "agop", orr_scale(g, orr_einsum(g, "cia,cib->ab", jacobian, jacobian), 1e-3));
}

const orr_workload orr_workload_agop = {
    .name = "agop",
    .unit = "matrix",
    .title = "average gradient outer product of a ReLU MLP 784-256-256-10 over n = 1000 inputs (all 10 outputs)",
    .dtype = ORR_F32,
    /* forward; backward of 10 outputs; half of the symmetric product */
    .flops = 2e3 * (784 * 256 + 256 * 256 + 2560) + 2e4 * (784 * 256 + 256 * 256) + 1e4 * 784 * 784,
    .units_per_call = 1,
    .build = build_agop,
};
