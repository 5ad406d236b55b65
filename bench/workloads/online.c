/* Online learning of a committee machine by another, one fresh Gaussian input a step (float64):
 *
 *     error = sum_k v_k erf(w_k.x / sqrt(2d)) - sum_m a_m erf(b_m.x / sqrt(2d)),   loss = error^2 / 2
 *     w <- w - 1/2 dloss/dw     v <- v - 1/(2d) dloss/dv
 *
 * x is drawn inside the step: element i of the stream (seed, purpose, step). */
#include <math.h>

#include "workloads/workload.h"

enum { D = 500, K = 4, M = 2 };

static orr_node committee(orr_graph *g, orr_node w, orr_node v, orr_node x) {
    const orr_node field = orr_scale(g, orr_einsum(g, "ki,i->k", w, x), 1.0 / sqrt(2.0 * D));
    return orr_sum_all(g, orr_mul(g, v, orr_erf(g, field)));
}

static orr_node fresh_input(orr_workload_graph *w) {
    if (w->given_data) return orr_workload_in(w, "x", ORR_F64, ORR_SHAPE(D), ORR_LAW_NORMAL, 1.0);
    w->counter = orr_workload_in(w, "step", ORR_I32, ORR_SCALAR, ORR_LAW_CONSTANT, 0.0);
    const orr_node parts[] = { orr_literal(w->g, ORR_I32, ORR_SHAPE(3), (const int32_t[]){ 1, 0, 2 }),
                               orr_reshape(w->g, w->counter, ORR_SHAPE(1)) };
    return orr_random_normal(w->g, orr_concat(w->g, parts, 2, 0), ORR_F64, ORR_SHAPE(D));
}

static void build(orr_workload_graph *w) {
    orr_graph *g = w->g;
    const orr_node student[] = { orr_workload_in(w, "w", ORR_F64, ORR_SHAPE(K, D), ORR_LAW_NORMAL, 1.0),
                                 orr_workload_in(w, "v", ORR_F64, ORR_SHAPE(K), ORR_LAW_CONSTANT, 1.0) };
    const orr_node b = orr_workload_in(w, "b", ORR_F64, ORR_SHAPE(M, D), ORR_LAW_NORMAL, 1.0);
    const orr_node a = orr_workload_in(w, "a", ORR_F64, ORR_SHAPE(M), ORR_LAW_CONSTANT, 1.0);
    const orr_node x = fresh_input(w);
    const orr_node error = orr_sub(g, committee(g, student[0], student[1], x), committee(g, b, a, x));
    const orr_node loss = orr_scale(g, orr_square(g, error), 0.5);
    const double rate[] = { 0.5, 0.5 / D };
    orr_node gradient[2];
    orr_grad(g, loss, student, 2, gradient);
    for (int i = 0; i < 2; i++)
        orr_workload_update(w, student[i], orr_sub(g, student[i], orr_scale(g, gradient[i], rate[i])));
    orr_workload_out(w, "loss", loss);
}

const orr_workload orr_workload_online_sgd = {
    .name = "online_sgd",
    .unit = "step",
    .title = "one online (batch 1) SGD step of an erf committee, d = 500, K = 4 student, M = 2 teacher",
    .dtype = ORR_F64,
    .units_per_call = 200,
    .build = build,
};
