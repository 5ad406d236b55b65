#include "law/empirical/symmetry.h"

#include <string.h>

#include "base/context.h"

static bool is_architecture(const orr_point *p, const char *kind) {
    return strcmp(p->architecture->kind.name, kind) == 0;
}

double orr_kept_degree(const orr_point *p) {
    const orr_settings *s = &p->architecture_settings;
    if (!orr_settings_has(s, "activation") || orr_settings_say(s, "activation", "linear") ||
        orr_settings_say(s, "activation", "relu"))
        return 1.0;
    return orr_settings_say(s, "activation", "quadratic") ? 2.0 : 0.0;
}

bool orr_is_plain_chain(const orr_point *p) {
    const orr_settings *s = &p->architecture_settings;
    return is_architecture(p, "linear") || (is_architecture(p, "mlp") && orr_settings_say(s, "norm", "none") &&
                                            orr_settings_say(s, "residual", "none"));
}

orr_kept orr_kept_of_balance(const orr_point *p, const orr_balance *b) {
    const orr_settings *s = &p->architecture_settings;
    const bool transformer = is_architecture(p, "transformer");
    if (b->kind == ORR_BALANCE_VALUE) return transformer ? ORR_KEPT_ATTENTION : ORR_KEPT_NOTHING;
    if (b->kind == ORR_BALANCE_QUERY_KEY)
        return transformer && !orr_settings_say(s, "positions", "rotary") ? ORR_KEPT_ATTENTION : ORR_KEPT_NOTHING;
    if (b->kind == ORR_BALANCE_CHAIN ? !orr_is_plain_chain(p) : !transformer) return ORR_KEPT_NOTHING;
    if (!orr_settings_has(s, "activation") || orr_settings_say(s, "activation", "linear")) return ORR_KEPT_LINEAR;
    return orr_kept_degree(p) > 0.0 ? ORR_KEPT_UNITS : ORR_KEPT_NOTHING;
}

int64_t orr_kept_heads(const orr_point *p) {
    return is_architecture(p, "transformer") ? orr_int(&p->architecture_settings, "heads") : 1;
}

orr_status orr_kept_balances(orr_context *ctx, orr_arena *arena, const orr_point *p, const orr_problem *problem,
                             orr_balances *out) {
    const char **name = ORR_NEW(arena, const char *, problem->n_tensors);
    orr_shape *shape = ORR_NEW(arena, orr_shape, problem->n_tensors);
    if (!name || !shape) return orr_fail(ctx, ORR_ENOMEM, "conservation: no memory for the names of tensors");
    for (int64_t t = 0; t < problem->n_tensors; t++) {
        name[t] = problem->tensors[t].name;
        shape[t] = problem->tensors[t].shape;
    }
    ORR_TRY(ctx, orr_balances_find(ctx, arena, problem->n_tensors, name, shape, orr_kept_heads(p), out));
    for (int64_t i = 0; i < out->n; i++)
        if (orr_kept_of_balance(p, &out->item[i]) == ORR_KEPT_UNITS) out->item[i].degree = orr_kept_degree(p);
    return ORR_OK;
}

bool orr_has_norm(const orr_point *p) {
    const orr_settings *s = &p->architecture_settings;
    return is_architecture(p, "mlp") && !orr_settings_say(s, "norm", "none") && orr_settings_say(s, "residual", "none");
}

bool orr_has_scale(const orr_point *p, const orr_problem *problem, int64_t t) {
    if (problem->tensors[t].shape.rank != 2) return false;
    return is_architecture(p, "direction") || (orr_has_norm(p) && problem->tensors[t].role != ORR_ROLE_READOUT &&
                                               problem->tensors[t].role != ORR_ROLE_FIXED);
}

bool orr_has_softmax(const orr_point *p) {
    return strcmp(p->task->kind.name, "cross-entropy") == 0 || strcmp(p->task->kind.name, "next-token") == 0;
}
