#include "law/conditions.h"

#include <string.h>

#include "base/context.h"

bool orr_is_full_batch(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_settings *s = &p->rule_settings;
    if (!orr_settings_has(s, "batch")) return true; /* continuous time */
    const int64_t batch = orr_int(s, "batch"), n = problem->data.n;
    const char *sampling = orr_text(s, "sampling");
    *why = batch && batch != n ? orr_arena_format(out_arena, "a batch is %lld of %lld", (long long)batch, (long long)n)
                               : orr_arena_format(out_arena, "sampling is %s", sampling);
    return (batch == 0 || batch == n) && strcmp(sampling, "shuffle") == 0;
}

bool orr_has_constant_rate(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_settings *s = &p->rule_settings;
    (void)problem;
    if (!orr_settings_has(s, "schedule")) return true;
    const char *schedule = orr_text(s, "schedule");
    const int64_t warmup = orr_int(s, "warmup");
    const bool constant = strcmp(schedule, "constant") == 0;
    *why = constant ? orr_arena_format(out_arena, "warmup is %lld", (long long)warmup)
                    : orr_arena_format(out_arena, "schedule is %s", schedule);
    return constant && warmup == 0;
}

bool orr_is_bare_rule(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    static const char *const names[] = { "weight_decay", "clip" };
    const orr_settings *s = &p->rule_settings;
    (void)problem;
    for (int i = 0; i < 2; i++) {
        if (!orr_settings_has(s, names[i]) || orr_real(s, names[i]) == 0.0) continue;
        *why = orr_arena_format(out_arena, "%s is %g", names[i], orr_real(s, names[i]));
        return false;
    }
    return true;
}

bool orr_is_plain_descent(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const char *kind = p->rule->kind.name;
    const double momentum = strcmp(kind, "sgd") == 0 ? orr_real(&p->rule_settings, "momentum") : 0.0;
    (void)problem;
    *why = momentum > 0.0 ? orr_arena_format(out_arena, "momentum is %g", momentum)
                          : orr_arena_format(out_arena, "the rule is %s", kind);
    return (strcmp(kind, "gd") == 0 || strcmp(kind, "sgd") == 0) && momentum == 0.0;
}

bool orr_has_one_rate(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    for (int64_t i = 0; i < problem->n_tensors; i++) {
        const orr_tensor *t = &problem->tensors[i];
        const double rate = t->frozen ? 0.0 : p->rule->divides ? t->rate_sign : t->rate_gradient;
        if (rate == 1.0) continue;
        *why = orr_arena_format(out_arena, "%s learns at %g times the rate", t->name, rate);
        return false;
    }
    return true;
}

bool orr_runs_to_its_end(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = p->patience ? orr_arena_format(out_arena, "patience is %lld", (long long)p->patience)
                       : orr_arena_format(out_arena, "until is %g", p->until);
    return p->until == 0.0 && p->patience == 0;
}

bool orr_draws_independently(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "sampling is shuffle");
    return !orr_settings_has(&p->rule_settings, "sampling") ||
           !orr_settings_say(&p->rule_settings, "sampling", "shuffle");
}

bool orr_is_online(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const char *sampling =
        orr_settings_has(&p->rule_settings, "sampling") ? orr_text(&p->rule_settings, "sampling") : "none";
    (void)problem;
    *why = orr_arena_format(out_arena, "sampling is %s", sampling);
    return strcmp(sampling, "online") == 0;
}

bool orr_is_smooth(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_settings *s = &p->architecture_settings;
    (void)problem;
    *why = orr_arena_string(out_arena, "relu has a kink");
    return !orr_settings_has(s, "activation") || !orr_settings_say(s, "activation", "relu");
}

bool orr_has_squared_error(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_format(out_arena, "the task is %s", p->task->kind.name);
    return strcmp(p->task->kind.name, "mse") == 0;
}

bool orr_has_no_ridge(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const double ridge = orr_settings_has(&p->task_settings, "ridge") ? orr_real(&p->task_settings, "ridge") : 0.0;
    (void)problem;
    *why = orr_arena_format(out_arena, "ridge is %g", ridge);
    return ridge == 0.0;
}

bool orr_has_no_batch_norm(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_settings *s = &p->architecture_settings;
    (void)problem;
    *why = orr_arena_string(out_arena, "norm is batch");
    return !orr_settings_has(s, "norm") || strcmp(orr_text(s, "norm"), "batch") != 0;
}

const orr_observation *orr_point_observation(const orr_point *p, const char *instrument) {
    for (int64_t i = 0; i < p->n_observations; i++)
        if (strcmp(p->observations[i].instrument->kind.name, instrument) == 0) return &p->observations[i];
    return NULL;
}

bool orr_is_periodic(const orr_observation *o) {
    int64_t n;
    (void)orr_ints(&o->settings, "at", &n);
    return n == 0 && orr_int(&o->settings, "per_decade") == 0;
}

int64_t orr_observed_updates(const orr_point *p, const orr_observation *o, double *step) {
    const orr_settings *s = &o->settings;
    int64_t n = 0;
    for (int64_t k = orr_instrument_due(s, 0) ? 0 : orr_instrument_next(s, 0); k <= p->steps;
         k = orr_instrument_next(s, k), n++)
        if (step) step[n] = (double)k;
    return n;
}
