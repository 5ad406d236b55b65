#include "law/linear_network.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/task/mse.h"
#include "law/conditions.h"
#include "numeric/dense.h"
#include "theory/linear_richness.h"

/* Whether X'X/n = I over the training inputs. */
static bool is_white(const orr_dataset *d, double *room) {
    const int64_t k = orr_dataset_features(d);
    orr_dense_multiply(k, k, d->n, d->x, true, d->x, false, room);
    for (int64_t i = 0; i < k * k; i++)
        if (!(fabs(room[i] / (double)d->n - (i % (k + 1) == 0)) < 1e-9)) return false;
    return true;
}

bool orr_is_two_layer_linear(const orr_premises *in, int64_t point) {
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds];
    const orr_observation *ntk = orr_point_observation(p, "ntk");
    return strcmp(p->architecture->kind.name, "linear") == 0 && problem->network.n_tensors == 2 &&
           problem->signature.outputs == 1 && !problem->data.classes && ntk &&
           orr_int(&ntk->settings, "examples") >= problem->data.n && orr_dataset_features(&problem->data) <= 256;
}

static orr_status compute(orr_context *ctx, orr_arena *arena, orr_arena *scratch, const orr_premises *in, int64_t point,
                          int64_t seed, int64_t updates, double *change) {
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds + seed];
    const orr_dataset *data = &problem->data;
    const orr_tensor *t = problem->tensors;
    const int64_t n = t[0].shape.size[0], d = t[0].shape.size[1];
    double *w = ORR_NEW(arena, double, problem->n), *y = ORR_NEW(arena, double, data->n),
           *beta = ORR_NEW(arena, double, d), *k = ORR_NEW(arena, double, 2 * d * d);
    *change = (double)NAN;
    if (!w || !y || !beta || !k) return orr_fail(ctx, ORR_ENOMEM, "linear network: no memory");
    if (!is_white(data, k)) return ORR_OK;
    ORR_TRY(ctx, orr_problem_initial(ctx, problem, (uint64_t)seed, w));
    orr_mse_targets(&p->task_settings, data, 0, data->n, 1, y);
    orr_dense_multiply(1, d, data->n, y, false, data->x, false, beta); /* of white inputs: beta = X'y/n */
    for (int64_t i = 0; i < d; i++) beta[i] /= (double)data->n;
    orr_two_layer net;
    ORR_TRY(ctx, orr_two_layer_new(ctx, arena, n, d, w, w + n * d, t[0].multiplier * t[1].multiplier,
                                   t[0].rate_gradient, t[1].rate_gradient,
                                   orr_mse_curvature(&p->task_settings, data->n, 1) * (double)data->n, beta, &net));
    if (!orr_flag(&p->parameterization_settings, "centred")) memset(net.v_0, 0, (size_t)d * sizeof *net.v_0);
    orr_two_layer_kernel(&net, k);
    if (p->rule->flow)
        ORR_TRY(ctx,
                orr_two_layer_flow(ctx, scratch, &net, orr_real(&p->rule_settings, "time_step") * (double)updates));
    else ORR_TRY(ctx, orr_two_layer_descend(ctx, scratch, &net, orr_real(&p->rule_settings, "learning_rate"), updates));
    orr_two_layer_kernel(&net, k + d * d);
    double moved = 0.0, size = 0.0;
    for (int64_t i = 0; i < d * d; i++) {
        moved += (k[d * d + i] - k[i]) * (k[d * d + i] - k[i]);
        size += k[i] * k[i];
    }
    *change = sqrt(moved / size);
    return ORR_OK;
}

orr_status orr_two_layer_change(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                int64_t seed, int64_t updates, double *change) {
    orr_arena *arena;
    ORR_TRY(ctx, orr_arena_new(ctx, &arena));
    const orr_status status = compute(ctx, arena, scratch, in, point, seed, updates, change);
    orr_arena_free(arena);
    return status;
}

orr_status orr_linear_task_of(orr_context *ctx, orr_arena *out_arena, const orr_problem *problem,
                              orr_linear_task *out) {
    const orr_dataset *d = &problem->data;
    const int64_t outputs = problem->signature.outputs;
    orr_arena *work;
    ORR_TRY(ctx, orr_arena_new(ctx, &work));
    double *y = ORR_NEW(work, double, d->n *outputs);
    orr_status status = y ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "no memory for %lld targets", (long long)d->n);
    if (y) orr_dataset_answers(d, outputs, y);
    if (status == ORR_OK)
        status = orr_linear_task_new(ctx, out_arena, work, d->n, orr_dataset_features(d), outputs, d->x, y, out);
    orr_arena_free(work);
    return status;
}

orr_status orr_linear_chain_of(orr_context *ctx, orr_arena *out_arena, const orr_problem *problem, int64_t seed,
                               orr_linear_chain *out) {
    const int64_t layers = problem->n_tensors;
    double *w = ORR_NEW(out_arena, double, problem->n);
    int64_t *width = ORR_NEW(out_arena, int64_t, layers + 1);
    const double **matrix = ORR_NEW(out_arena, const double *, layers);
    if (!w || !width || !matrix)
        return orr_fail(ctx, ORR_ENOMEM, "no memory for %lld parameters", (long long)problem->n);
    ORR_TRY(ctx, orr_problem_initial(ctx, problem, (uint64_t)seed, w));
    width[0] = problem->tensors[0].shape.size[1];
    for (int64_t l = 0; l < layers; l++) {
        matrix[l] = w;
        width[l + 1] = problem->tensors[l].shape.size[0];
        w += orr_shape_count(&problem->tensors[l].shape);
    }
    *out = (orr_linear_chain){ layers, width, matrix };
    return ORR_OK;
}
