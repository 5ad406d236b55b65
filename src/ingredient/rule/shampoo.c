/* Shampoo (Gupta, Koren, Singer 2018, 1802.09568).  A matrix W, or what is [m, ...] read as one, with gradient G:
 *
 *     L' = L + G G',   R' = R + G' G,   W' = W - eta (eps + L')^{-1/4} G (eps + R')^{-1/4}
 *
 * and a vector:  v' = v + g^2,  w' = w - eta g (eps + v')^{-1/2}  (diagonal AdaGrad).
 *
 * A^{-1/4} by the coupled Newton iteration (Iannazzo 2006; p = 4), all of it symmetric matrices that commute:
 *
 *     H = z^{1/p},  M = z A,  z = (1 + p)/(2 |A|_F);      T = ((1 + p) - M)/p,  H' = H T,  M' = T^p M
 *
 * M -> 1 and H -> A^{-1/p}; an eigenvalue of M far below 1 grows by ((1 + p)/p)^p = 2.44 each time, so `iterations` = 40 is
 * good for condition numbers up to 1e13. */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON,
    { "eps", ORR_REAL, .fallback = "1e-4", .range = "(0, inf)", .help = "added to the diagonals of L and R" },
    { "iterations", ORR_INT, .fallback = "40", .range = "[1, 100]", .help = "of Newton for the inverse roots" },
    { 0 },
};

static orr_node identity(orr_graph *g, orr_dtype dtype, int64_t n) {
    const orr_shape square = ORR_SHAPE(n, n);
    return orr_cast(g, orr_eq(g, orr_iota(g, ORR_I32, square, 0), orr_iota(g, ORR_I32, square, 1)), dtype);
}

/* (a + eps)^{-1/4} of a symmetric matrix a >= 0. */
static orr_node inverse_fourth_root(orr_graph *g, const orr_settings *s, orr_node a, double eps) {
    const double p = 4.0;
    const int64_t iterations = orr_int(s, "iterations");
    const orr_node one = identity(g, orr_node_dtype(g, a), orr_node_shape(g, a).size[0]);
    a = orr_add(g, a, orr_scale(g, one, eps));
    const orr_node z = orr_scale(g, orr_reciprocal(g, orr_sqrt(g, orr_dot(g, &a, &a, 1))), (1.0 + p) / 2.0);
    orr_node h = orr_mul(g, one, orr_sqrt(g, orr_sqrt(g, z))), m = orr_mul(g, a, z);
    for (int64_t i = 0; i < iterations; i++) {
        const orr_node t = orr_scale(g, orr_sub(g, orr_scale(g, one, 1.0 + p), m), 1.0 / p);
        const orr_node t2 = orr_matmul(g, t, t);
        h = orr_matmul(g, h, t);
        m = orr_matmul(g, orr_matmul(g, t2, t2), m);
    }
    return h;
}

static bool is_matrix(orr_shape shape) { return shape.rank >= 2; }

static orr_shape buffer_shape(const orr_settings *s, orr_shape parameter, int32_t b) {
    (void)s;
    if (!is_matrix(parameter)) return b == 0 ? parameter : ORR_SCALAR; /* a vector needs but one */
    const int64_t rows = parameter.size[0], columns = rows ? orr_shape_count(&parameter) / rows : 0;
    return b == 0 ? ORR_SHAPE(rows, rows) : ORR_SHAPE(columns, columns);
}

static void step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w, orr_node *new_buffer) {
    const double eps = orr_real(s, "eps") * t->tensor->epsilon;
    const orr_shape shape = orr_node_shape(g, t->w);
    orr_node along;
    if (is_matrix(shape)) {
        const orr_node matrix = orr_reshape(g, t->gradient, ORR_SHAPE(shape.size[0], -1));
        new_buffer[0] = orr_add(g, t->buffer[0], orr_einsum(g, "ik,jk->ij", matrix, matrix));
        new_buffer[1] = orr_add(g, t->buffer[1], orr_einsum(g, "ki,kj->ij", matrix, matrix));
        const orr_node left = inverse_fourth_root(g, s, new_buffer[0], eps);
        const orr_node right = inverse_fourth_root(g, s, new_buffer[1], eps);
        along = orr_reshape(g, orr_matmul(g, orr_matmul(g, left, matrix), right), shape);
    } else {
        new_buffer[0] = orr_add(g, t->buffer[0], orr_square(g, t->gradient));
        new_buffer[1] = t->buffer[1];
        along = orr_div(g, t->gradient, orr_sqrt(g, orr_shift(g, new_buffer[0], eps)));
    }
    *new_w = orr_sub(g, t->w, orr_mul(g, along, t->learning_rate));
}

const orr_rule orr_rule_shampoo = {
    .kind = { "shampoo", "preconditioned from both sides of each matrix", parameters },
    .buffers = 2,
    .divides = true,
    .buffer_shape = buffer_shape,
    .step = step,
};
