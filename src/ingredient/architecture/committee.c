/* Committee machine: f = sum_k a_k phi(w_k.x + b_k), heads a trained, or fixed at 1 or 1/K (the soft committee of Saad and
 * Solla 1995: phi = erf(x / sqrt 2), a = 1, no biases; sheet solvable/saad-solla). */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/architecture/architecture.h"

static const orr_parameter parameters[] = {
    { "units", ORR_INT, .fallback = "3", .range = "[1, 10000000]", .unit = "units", .help = "K" },
    { "activation", ORR_CHOICE, .fallback = "erf-scaled", .choices = ORR_ACTIVATIONS,
      .help = "phi; erf-scaled is erf(x/sqrt 2)" },
    { "head", ORR_CHOICE, .fallback = "one", .choices = "one mean trained",
      .help = "a: fixed at 1, fixed at 1/K, or trained" },
    { "head_variance", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "of a trained head: variance of an initial weight times K" },
    { "bias", ORR_FLAG, .fallback = "false", .help = "whether units have biases b" },
    { "weight_variance", ORR_REAL, .fallback = "1", .range = "[0, inf)", .help = "E |w_k(0)|^2" },
    { "bias_variance", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "variance of an initial bias" },
    { "root", ORR_FLAG, .fallback = "false",
      .help = "whether units see w.x / sqrt(inputs), their weights then being N(0, weight_variance)" },
    { 0 },
};

static orr_status declare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_signature *signature,
                          orr_network *out) {
    const int64_t units = orr_int(s, "units"), features = orr_shape_count(&signature->input);
    const char *head = orr_text(s, "head");
    const bool trained = strcmp(head, "trained") == 0, root = orr_flag(s, "root");
    if (signature->vocabulary || signature->sequence)
        return orr_fail(ctx, ORR_EINPUT, "committee: takes numbers and gives one answer an example, no tokens");
    if (!trained && signature->outputs != 1)
        return orr_fail(ctx, ORR_EINPUT, "committee: head %s gives 1 output, not %lld; head: trained gives any", head,
                        (long long)signature->outputs);
    orr_tensor *tensor = ORR_NEW(out_arena, orr_tensor, 3);
    if (!tensor) return orr_fail(ctx, ORR_ENOMEM, "committee: no memory for three tensors");
    *out = (orr_network){ .tensors = tensor, .width = units, .depth = 1 };
    tensor[out->n_tensors++] = orr_tensor_of("layer1.weight", ORR_SHAPE(units, features), ORR_ROLE_INPUT,
                                             sqrt(orr_real(s, "weight_variance") / (root ? 1.0 : (double)features)));
    if (orr_flag(s, "bias"))
        tensor[out->n_tensors++] =
            orr_tensor_of("layer1.bias", ORR_SHAPE(units), ORR_ROLE_VECTOR, sqrt(orr_real(s, "bias_variance")));
    orr_tensor *a = &tensor[out->n_tensors++];
    *a = orr_tensor_of("head.weight", ORR_SHAPE(signature->outputs, units), ORR_ROLE_READOUT,
                       trained ? sqrt(orr_real(s, "head_variance") / (double)units) : 0.0);
    a->frozen = !trained;
    if (!trained) a->mean = strcmp(head, "mean") == 0 ? 1.0 / (double)units : 1.0;
    return ORR_OK;
}

static orr_node forward(orr_graph *g, const orr_settings *s, const orr_signature *signature, const orr_node *parameter,
                        orr_node x, orr_taps *taps) {
    orr_node h = orr_flat(g, signature, x);
    if (orr_flag(s, "root")) h = orr_scale(g, h, 1.0 / sqrt((double)orr_shape_count(&signature->input)));
    const orr_node w = *parameter++, b = orr_flag(s, "bias") ? *parameter++ : ORR_NONE;
    h = orr_activation(g, orr_text(s, "activation"), orr_linear(g, h, w, b));
    orr_tap(taps, "layer", 1, h);
    return orr_linear(g, h, *parameter, ORR_NONE);
}

const orr_architecture orr_architecture_committee = {
    .width = "units",
    .kind = { "committee", "two layers, the second trained or a plain sum or mean of units", parameters },
    .declare = declare,
    .forward = forward,
};
