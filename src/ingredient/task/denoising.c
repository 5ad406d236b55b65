/* Denoising: the network sees x + sigma xi, xi ~ N(0, 1), and is asked for x;  l_i = factor |f(x_i + sigma xi_i) - x_i|^2. */
#include "ingredient/task/mse.h"

static const orr_parameter parameters[] = {
    { "sigma", ORR_REAL, .fallback = "0.1", .range = "[0, inf)", .help = "standard deviation of the noise" },
    ORR_MSE_PARAMETERS,
    ORR_TASK_CONVENTIONS,
    { 0 },
};

static bool signature(const orr_settings *s, const orr_dataset *d, orr_signature *out, const char **why) {
    (void)s;
    *out = (orr_signature){ .input = d->input, .outputs = orr_dataset_features(d) };
    *why = "needs inputs that are numbers; these are tokens";
    return d->vocabulary == 0;
}

static void corrupt(orr_graph *g, const orr_settings *s, orr_node key, orr_node *x, orr_node *target) {
    const orr_shape shape = orr_node_shape(g, *x);
    const orr_node xi = orr_random_normal(g, key, orr_node_dtype(g, *x), shape);
    *target = orr_reshape(g, *x, ORR_SHAPE(shape.size[0], -1));
    *x = orr_add(g, *x, orr_scale(g, xi, orr_real(s, "sigma")));
}

const orr_task orr_task_denoising = {
    .kind = { "denoising", "squared error of the clean input, from a noisy one", parameters },
    .signature = signature,
    .corrupt = corrupt,
    .each = orr_mse_each,
    .loss = orr_mse_loss,
};
