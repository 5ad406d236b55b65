#include "ingredient/rule/rule.h"

#include <math.h>
#include <string.h>

#define ORR_RULE(name) extern const orr_rule orr_rule_##name;
#include "ingredient/rule/rule.def"
#undef ORR_RULE

static const orr_rule *const all[] = {
#define ORR_RULE(name) &orr_rule_##name,
#include "ingredient/rule/rule.def"
#undef ORR_RULE
};

const orr_rule *orr_rule_at(int i) { return i < (int)(sizeof all / sizeof all[0]) ? all[i] : NULL; }

/* ---- schedules -------------------------------------------------------------------------------------------------------------- */

static orr_node constant(orr_graph *g, orr_node like, double value) {
    return orr_fill(g, orr_node_dtype(g, like), ORR_SCALAR, value);
}

/* How far k is from `from` to `from + length`, in [0, 1]; a length of nothing counts as one update. */
static orr_node progress(orr_graph *g, orr_node k, double from, double length) {
    const orr_node part = orr_div(g, orr_shift(g, k, -from), constant(g, k, fmax(length, 1.0)));
    return orr_min(g, orr_max(g, part, constant(g, k, 0.0)), constant(g, k, 1.0));
}

/* With p in [0, 1] the progress from the end of the warm-up to the horizon T:
 *
 *     cosine   final + (1 - final) (1 + cos(pi p))/2        linear   1 - (1 - final) p
 *     wsd      1 - (1 - final) q, q the progress from (1 - decay) T to T
 *     step     drop^floor((k - warmup)/drop_every) */
static orr_node shape_of(orr_graph *g, const orr_settings *s, const char *schedule, orr_node k, double horizon) {
    const double pi = 3.14159265358979323846, warmup = orr_real(s, "warmup"), final = orr_real(s, "final");
    const orr_node p = progress(g, k, warmup, horizon - warmup);
    if (strcmp(schedule, "cosine") == 0) {
        const orr_node half = orr_scale(g, orr_shift(g, orr_cos(g, orr_scale(g, p, pi)), 1.0), 0.5);
        return orr_shift(g, orr_scale(g, half, 1.0 - final), final);
    }
    if (strcmp(schedule, "linear") == 0) return orr_shift(g, orr_scale(g, p, final - 1.0), 1.0);
    if (strcmp(schedule, "wsd") == 0) {
        const double decay = orr_real(s, "decay");
        const orr_node q = progress(g, k, (1.0 - decay) * horizon, decay * horizon);
        return orr_shift(g, orr_scale(g, q, final - 1.0), 1.0);
    }
    const orr_node after = orr_max(g, orr_shift(g, k, -warmup), constant(g, k, 0.0));
    const orr_node drops = orr_floor(g, orr_div(g, after, constant(g, k, orr_real(s, "drop_every"))));
    return orr_pow(g, constant(g, k, orr_real(s, "drop")), drops);
}

orr_node orr_rule_schedule(orr_graph *g, const orr_settings *s, orr_node k, int64_t steps) {
    const char *schedule = orr_text(s, "schedule");
    const double warmup = orr_real(s, "warmup"), horizon = orr_real(s, "horizon");
    orr_node factor = constant(g, k, 1.0);
    if (strcmp(schedule, "constant") != 0)
        factor = shape_of(g, s, schedule, k, horizon > 0.0 ? horizon : (double)steps);
    if (warmup <= 0.0) return factor;
    const orr_node risen = orr_div(g, orr_shift(g, k, 1.0), constant(g, k, warmup));
    return orr_mul(g, factor, orr_min(g, risen, constant(g, k, 1.0)));
}

/* ---- around a step ---------------------------------------------------------------------------------------------------------- */

/* g clip / max(|g|, clip): the factor is exactly 1 where the gradient is short enough. */
void orr_rule_clip(orr_graph *g, const orr_settings *s, int32_t n, orr_node *gradient) {
    const double clip = orr_real(s, "clip");
    if (clip <= 0.0 || n == 0) return;
    const orr_node length = orr_sqrt(g, orr_dot(g, gradient, gradient, n));
    const orr_node limit = constant(g, length, clip), factor = orr_div(g, limit, orr_max(g, length, limit));
    for (int32_t i = 0; i < n; i++) gradient[i] = orr_mul(g, gradient[i], factor);
}

void orr_rule_update(orr_graph *g, const orr_rule *rule, const orr_settings *s, const orr_rule_tensor *t,
                     orr_node *new_w, orr_node *new_buffer) {
    if (t->tensor->frozen) {
        *new_w = t->w;
        for (int32_t b = 0; b < rule->buffers; b++) new_buffer[b] = t->buffer[b];
        return;
    }
    orr_rule_tensor decayed = *t;
    const double decay = orr_real(s, "weight_decay");
    const char *coupling = orr_text(s, "decay_coupling");
    /* learning rate times decay of a tensor keeps clear of the parameterization (sheet mup-transfer, its rows of wd); L2 inside a
     * rule that divides has no such factor there */
    const double factor = rule->divides ? t->tensor->rate_sign : t->tensor->rate_gradient;
    if (decay > 0.0) {
        if (strcmp(coupling, "gradient") == 0)
            decayed.gradient = orr_add(g, t->gradient, orr_scale(g, t->w, rule->divides ? decay : decay / factor));
        else if (strcmp(coupling, "rate") == 0) /* w (1 - eta wd), in PyTorch's order: before the step */
            decayed.w = orr_mul(g, t->w, orr_shift(g, orr_scale(g, t->learning_rate, -decay / factor), 1.0));
        else decayed.w = orr_scale(g, t->w, 1.0 - decay);
    }
    rule->step(g, s, &decayed, new_w, new_buffer);
}
