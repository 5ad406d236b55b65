#include "law/hyperparameters/batch_regression.h"

#include <string.h>

#include "base/context.h"
#include "theory/critical_batch.h"

static orr_status no_memory(orr_context *ctx, const orr_batch_regression *g) {
    return orr_fail(ctx, ORR_ENOMEM, "linear regression: no memory for %lld inputs", (long long)g->r.n);
}

bool orr_is_batch_regression(const orr_point *p, const orr_problem *problem) {
    return strcmp(p->architecture->kind.name, "linear") == 0 && problem->n_tensors == 1 &&
           strcmp(p->parameterization->kind.name, "standard") == 0 && strcmp(p->data->kind.name, "gaussian") == 0 &&
           orr_dataset_fact(&problem->data, "eigenvalues") && orr_dataset_fact(&problem->data, "teacher") &&
           strcmp(p->task->kind.name, "mse") == 0 && orr_settings_say(&p->task_settings, "examples", "mean") &&
           orr_real(&p->task_settings, "ridge") == 0.0 && orr_settings_has(&p->rule_settings, "sampling") &&
           orr_settings_say(&p->rule_settings, "sampling", "online");
}

orr_status orr_batch_regression_of(orr_context *ctx, orr_arena *arena, const orr_premises *in, int64_t point,
                                   orr_batch_regression *out) {
    const int64_t seeds = in->experiment->seeds;
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *const *problems = in->problems + point * seeds;
    const orr_dataset *data = &problems[0]->data;
    const orr_tensor *t = &problems[0]->tensors[0];
    const int64_t d = orr_dataset_features(data), outputs = orr_dataset_targets(data);
    const double s = orr_real(&p->task_settings, "target_scale"), deviation = orr_real(&p->data_settings, "noise");
    double *w = ORR_NEW(arena, double, outputs *d);
    *out = (orr_batch_regression){ .r = { d, orr_dataset_fact(data, "eigenvalues")->data,
                                          (double)outputs * s * s * deviation * deviation },
                                   .m_0 = ORR_NEW(arena, double, d),
                                   .scale = 2.0 * orr_real(&p->task_settings, "factor") };
    if (!w || !out->m_0) return no_memory(ctx, out);
    if (orr_settings_say(&p->task_settings, "outputs", "mean")) out->scale /= (double)outputs;
    out->rate = t->rate_gradient * t->multiplier * t->multiplier * out->scale;
    for (int64_t seed = 0; seed < seeds; seed++) {
        const double *teacher = orr_dataset_fact(&problems[seed]->data, "teacher")->data;
        ORR_TRY(ctx, orr_problem_initial(ctx, problems[seed], (uint64_t)seed, w));
        for (int64_t i = 0; i < outputs * d; i++) {
            const double u = t->multiplier * w[i] - s * teacher[i];
            out->m_0[i % d] += u * u / (double)seeds;
        }
    }
    return ORR_OK;
}

orr_status orr_batch_regression_updates(orr_context *ctx, orr_arena *arena, const orr_batch_regression *g, double batch,
                                        double rate, double target, double most, double *out) {
    const orr_arena_mark mark = orr_arena_here(arena);
    double *m = ORR_NEW(arena, double, g->r.n);
    if (!m) return no_memory(ctx, g);
    memcpy(m, g->m_0, (size_t)g->r.n * sizeof *m);
    *out = orr_updates_to_loss(&g->r, batch, rate * g->rate, target / g->scale, most, m);
    orr_arena_rewind(arena, mark);
    return ORR_OK;
}

orr_status orr_batch_regression_noise(orr_context *ctx, orr_arena *scratch, const orr_batch_regression *g, double batch,
                                      double rate, int64_t last, json_t **out) {
    double *m = ORR_NEW(scratch, double, g->r.n), *value[4];
    for (int k = 0; k < 4; k++) value[k] = ORR_NEW(scratch, double, last + 1);
    if (!m || !value[0] || !value[1] || !value[2] || !value[3]) return no_memory(ctx, g);
    memcpy(m, g->m_0, (size_t)g->r.n * sizeof *m);
    for (int64_t i = 0; i <= last; i++) {
        const orr_gradient_noise noise = orr_regression_noise(&g->r, m);
        value[0][i] = noise.signal * g->scale * g->scale;
        value[1][i] = noise.trace * g->scale * g->scale;
        value[2][i] = orr_noise_simple(&noise);
        value[3][i] = orr_noise_weighted(&noise);
        orr_sgd_moments_step(&g->r, rate * g->rate, batch, m);
    }
    *out = json_pack("{s:o, s:o, s:o, s:o}", "signal", orr_json_reals(value[0], last + 1), "trace",
                     orr_json_reals(value[1], last + 1), "simple", orr_json_reals(value[2], last + 1), "weighted",
                     orr_json_reals(value[3], last + 1));
    return *out ? ORR_OK : no_memory(ctx, g);
}
