/* Scaled dot-product attention. */
#define ORR_TENSOR_INSIDE
#include <math.h>
#include <string.h>

#include "tensor/compose/compose.h"

/* Leading axes of q, k and v (all but two) broadcast to one shape; false after orr_graph_fail. */
static bool align_batches(orr_graph *g, orr_node *x[3], int32_t *rank) {
    orr_type batch = { .dtype = orr_node_dtype(g, *x[0]) };
    for (int i = 0; i < 3; i++) {
        orr_type t = *orr_graph_type(g, *x[i]);
        t.shape.rank -= 2;
        const orr_type so_far = batch;
        if (!orr_shape_broadcast(g, "attention", &so_far, &t, &batch.shape)) return false;
    }
    for (int i = 0; i < 3; i++) {
        const orr_shape own = orr_node_shape(g, *x[i]);
        orr_shape full = batch.shape;
        for (int k = 2; k > 0; k--) full.size[full.rank++] = own.size[own.rank - k];
        *x[i] = orr_broadcast(g, *x[i], full);
    }
    *rank = batch.shape.rank;
    return !orr_graph_failed(g);
}

/* einsum over the last two axes of each, whose letters are given: "td", "sd", "ts". */
static orr_node contract(orr_graph *g, int32_t batch, const char *a, const char *b, const char *out, orr_node x,
                         orr_node y) {
    char letters[ORR_RANK_MAX + 1] = "ABCDEFGHIJ", equation[3 * ORR_RANK_MAX + 4];
    letters[batch] = '\0';
    (void)snprintf(equation, sizeof equation, "%s%s,%s%s->%s%s", letters, a, letters, b, letters, out);
    return orr_einsum(g, equation, x, y);
}

static bool check(orr_graph *g, orr_node q, orr_node k, orr_node v) {
    if (!orr_compose_float(g, "attention", "q", q, 2) || !orr_compose_float(g, "attention", "k", k, 2) ||
        !orr_compose_float(g, "attention", "v", v, 2))
        return false;
    const orr_type *tq = orr_graph_type(g, q), *tk = orr_graph_type(g, k), *tv = orr_graph_type(g, v);
    const int32_t rq = tq->shape.rank, rk = tk->shape.rank, rv = tv->shape.rank;
    if (tq->dtype == tk->dtype && tk->dtype == tv->dtype && tq->shape.size[rq - 1] == tk->shape.size[rk - 1] &&
        tk->shape.size[rk - 2] == tv->shape.size[rv - 2])
        return true;
    char xq[ORR_TYPE_TEXT], xk[ORR_TYPE_TEXT], xv[ORR_TYPE_TEXT];
    return orr_graph_fail(g, "attention", "needs q[..., t, d], k[..., s, d], v[..., s, e] of one type; got %s, %s, %s",
                          orr_type_print(tq, xq, sizeof xq), orr_type_print(tk, xk, sizeof xk),
                          orr_type_print(tv, xv, sizeof xv));
}

/* out[t, :] = sum_s p[t, s] v[s, :],   p[t, :] = softmax over s of  z[t, s] = scale q[t, :] . k[s, :]
 *           = (sum_s e[t, s] v[s, :]) / sum_s e[t, s],    e[t, s] = exp(z[t, s] - m[t]), 0 where t doesn't see s
 *
 * Divided after the product: the largest matrix that stands in memory is e, once, also in the derivatives. */
orr_node orr_attention(orr_graph *g, orr_node q, orr_node k, orr_node v, bool causal, double scale) {
    int32_t batch;
    if (!check(g, q, k, v) || !align_batches(g, (orr_node *[]){ &q, &k, &v }, &batch)) return ORR_NONE;
    const orr_shape sq = orr_node_shape(g, q), sk = orr_node_shape(g, k);
    const int64_t d = sq.size[sq.rank - 1];
    if (scale == 0.0) scale = 1.0 / sqrt((double)(d > 0 ? d : 1));
    /* scaled after the product: that joins a pass over z which is made anyway, also in the derivatives */
    orr_node z = orr_scale(g, contract(g, batch, "td", "sd", "ts", q, k), scale), e;
    if (causal) {
        const orr_shape ts = ORR_SHAPE(sq.size[batch], sk.size[batch]);
        const orr_node sees = orr_le(g, orr_iota(g, ORR_I32, ts, 1), orr_iota(g, ORR_I32, ts, 0)); /* s <= t */
        if (orr_graph_failed(g)) return ORR_NONE;
        /* What isn't seen stands at the peak, exp(0), before it is set to 0: vector exponentials are slow far below 0. */
        const orr_node peak = orr_compose_peak(g, orr_select(g, sees, z, orr_fill_like(g, z, ORR_COMPOSE_MASKED)), -1);
        e = orr_exp(g, orr_sub(g, orr_select(g, sees, z, peak), peak));
        if (orr_graph_failed(g)) return ORR_NONE;
        e = orr_select(g, sees, e, orr_fill_like(g, e, 0.0));
    } else {
        e = orr_exp(g, orr_sub(g, z, orr_compose_peak(g, z, -1)));
    }
    return orr_div(g, contract(g, batch, "ts", "se", "te", e, v), orr_sum_keep(g, e, ORR_AXES(-1)));
}
