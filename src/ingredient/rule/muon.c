/* Muon (Jordan et al. 2024).  A matrix W, or what is [m, ...] read as one:
 *
 *     M' = mu M + G,   U = G + mu M' (Nesterov) or M',   W' = W - eta scale Newton-Schulz(U)
 *
 * Newton-Schulz:  X = U/(|U|_F + 1e-7), then five times  X' = a X + (b A + c A A) X,  A = X X',  with a quintic that takes
 * singular values to about 1 (0.7 to 1.2): nearly the orthogonal factor of U.  Everything else gets Adam. */
#include <math.h>
#include <string.h>

#include "ingredient/rule/adam.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON_WITH("rate"),
    { "momentum", ORR_REAL, .fallback = "0.95", .range = "[0, 1)", .help = "mu" },
    { "nesterov", ORR_FLAG, .fallback = "true", .help = "look ahead" },
    { "iterations", ORR_INT, .fallback = "5", .range = "[1, 100]", .help = "of Newton-Schulz" },
    { "scale", ORR_CHOICE, .fallback = "shape", .choices = "shape rms none",
      .help = "of a matrix [m, n]: sqrt(max(1, m/n)); rms: 0.2 sqrt(max(m, n)), Adam's size; or 1" },
    { "vector_rate", ORR_REAL, .fallback = "1", .range = "(0, inf)", .help = "times eta, for what gets Adam" },
    ORR_ADAM_PARAMETERS,
    { 0 },
};

static bool is_matrix(orr_shape shape) { return shape.rank >= 2; }

static orr_shape buffer_shape(const orr_settings *s, orr_shape parameter, int32_t b) {
    (void)s;
    return b == 1 && is_matrix(parameter) ? ORR_SCALAR : parameter; /* a matrix needs but one */
}

static orr_node orthogonalize(orr_graph *g, orr_node u, int64_t iterations) {
    const double a = 3.4445, b = -4.7750, c = 2.0315;
    const orr_shape shape = orr_node_shape(g, u);
    const bool tall = shape.size[0] > shape.size[1];
    orr_node x = orr_div(g, u, orr_shift(g, orr_sqrt(g, orr_dot(g, &u, &u, 1)), 1e-7));
    if (tall) x = orr_swap_axes(g, x, 0, 1); /* A is the smaller of the two squares */
    for (int64_t i = 0; i < iterations; i++) {
        const orr_node square = orr_einsum(g, "ik,jk->ij", x, x);
        const orr_node inner = orr_add(g, orr_scale(g, square, b), orr_scale(g, orr_matmul(g, square, square), c));
        x = orr_add(g, orr_scale(g, x, a), orr_matmul(g, inner, x));
    }
    return tall ? orr_swap_axes(g, x, 0, 1) : x;
}

static double scale_of(const char *scale, double rows, double columns) {
    if (strcmp(scale, "shape") == 0) return sqrt(fmax(1.0, rows / columns));
    return strcmp(scale, "rms") == 0 ? 0.2 * sqrt(fmax(rows, columns)) : 1.0;
}

static void step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w, orr_node *new_buffer) {
    const double mu = orr_real(s, "momentum");
    const orr_shape shape = orr_node_shape(g, t->w);
    if (!is_matrix(shape)) {
        orr_rule_tensor vector = *t;
        vector.learning_rate = orr_scale(g, t->learning_rate, orr_real(s, "vector_rate"));
        orr_adam_step(g, s, &vector, new_w, new_buffer);
        return;
    }
    new_buffer[0] = orr_add(g, orr_scale(g, t->buffer[0], mu), t->gradient);
    new_buffer[1] = t->buffer[1];
    orr_node u = new_buffer[0];
    if (orr_flag(s, "nesterov")) u = orr_add(g, t->gradient, orr_scale(g, u, mu));
    const orr_shape flat = ORR_SHAPE(shape.size[0], orr_shape_count(&shape) / (shape.size[0] > 0 ? shape.size[0] : 1));
    const double scale = scale_of(orr_text(s, "scale"), (double)flat.size[0], (double)flat.size[1]);
    const orr_node x = orthogonalize(g, orr_reshape(g, u, flat), orr_int(s, "iterations"));
    const orr_node along = orr_reshape(g, orr_scale(g, x, scale), shape);
    *new_w = orr_sub(g, t->w, orr_mul(g, along, t->learning_rate));
}

const orr_rule orr_rule_muon = {
    .kind = { "muon", "momentum made orthogonal for matrices, Adam for the rest", parameters },
    .buffers = 2,
    .divides = true,
    .buffer_shape = buffer_shape,
    .step = step,
};
