#include "ingredient/problem.h"

#include <string.h>

#include "base/context.h"
#include "base/random.h"

void orr_to_dtype(orr_dtype dtype, int64_t n, const double *from, void *to) {
    if (dtype == ORR_F64) memcpy(to, from, (size_t)n * sizeof *from);
    else
        for (int64_t i = 0; i < n; i++) ((float *)to)[i] = (float)from[i];
}

void orr_from_dtype(orr_dtype dtype, int64_t n, const void *from, double *to) {
    if (dtype == ORR_F64) memcpy(to, from, (size_t)n * sizeof *to);
    else
        for (int64_t i = 0; i < n; i++) to[i] = (double)((const float *)from)[i];
}

static orr_status no_memory(orr_context *ctx) { return orr_fail(ctx, ORR_ENOMEM, "no memory for a problem"); }

static orr_settings no_settings(orr_arena *arena, const orr_kind *kind) {
    return (orr_settings){ kind->parameters, orr_parameter_fallbacks(arena, kind->parameters) };
}

/* What the file left out. */
static orr_status complete(orr_context *ctx, orr_arena *out_arena, orr_ingredients *k) {
    if (!k->parameterization) {
        k->parameterization = orr_parameterization_at(0);
        k->parameterization_settings = no_settings(out_arena, &k->parameterization->kind);
    }
    if (!k->initial) {
        k->initial = orr_initial_at(0);
        k->initial_settings = no_settings(out_arena, &k->initial->kind);
    }
    return k->parameterization_settings.value && k->initial_settings.value ? ORR_OK : no_memory(ctx);
}

/* Numbers in dtype: never the dataset's own memory, which goes before training begins. */
static orr_status take_numbers(orr_context *ctx, orr_arena *out_arena, orr_dtype dtype, int64_t n, const double *from,
                               void **out) {
    *out = orr_arena_take(out_arena, n, orr_dtype_size(dtype));
    if (!*out) return orr_fail(ctx, ORR_ENOMEM, "no memory for %lld numbers of data", (long long)n);
    orr_to_dtype(dtype, n, from, *out);
    return ORR_OK;
}

static orr_status take_labels(orr_context *ctx, orr_arena *out_arena, int64_t n, const int32_t *from, void **out) {
    int32_t *copy = ORR_NEW(out_arena, int32_t, n); /* aligned, as programs ask */
    if (!copy) return orr_fail(ctx, ORR_ENOMEM, "no memory for %lld labels", (long long)n);
    memcpy(copy, from, (size_t)n * sizeof *copy);
    *out = copy;
    return ORR_OK;
}

/* Examples first .. first + n - 1 of the inputs. */
static orr_status take_x(orr_context *ctx, orr_arena *out_arena, const orr_problem *p, int64_t first, int64_t n,
                         void **out) {
    const orr_dataset *d = &p->data;
    const int64_t one = orr_dataset_features(d);
    return d->vocabulary ? take_labels(ctx, out_arena, n * one, d->token + first * one, out)
                         : take_numbers(ctx, out_arena, p->dtype, n * one, d->x + first * one, out);
}

static orr_status take_target(orr_context *ctx, orr_arena *out_arena, const orr_problem *p, int64_t first, int64_t n,
                              void **out) {
    const orr_dataset *d = &p->data;
    const int64_t one = orr_dataset_targets(d);
    *out = NULL;
    if (d->classes) return take_labels(ctx, out_arena, n * one, d->label + first * one, out);
    return d->y ? take_numbers(ctx, out_arena, p->dtype, n * one, d->y + first * one, out) : ORR_OK;
}

static orr_status take_data(orr_context *ctx, orr_arena *out_arena, orr_problem *p) {
    const orr_dataset *d = &p->data;
    ORR_TRY(ctx, take_x(ctx, out_arena, p, 0, d->n, &p->x));
    ORR_TRY(ctx, take_target(ctx, out_arena, p, 0, d->n, &p->target));
    if (d->n_test) ORR_TRY(ctx, take_x(ctx, out_arena, p, d->n, d->n_test, &p->test_x));
    if (d->n_test) ORR_TRY(ctx, take_target(ctx, out_arena, p, d->n, d->n_test, &p->test_target));
    p->fact = ORR_NEW(out_arena, void *, d->facts.n);
    if (!p->fact) return no_memory(ctx);
    for (int i = 0; i < d->facts.n; i++)
        ORR_TRY(ctx, take_numbers(ctx, out_arena, p->dtype, orr_shape_count(&d->facts.item[i].shape),
                                  d->facts.item[i].data, &p->fact[i]));
    return ORR_OK;
}

static bool is_centred(const orr_problem *p) { return p->n_tensors > p->network.n_tensors; }

/* The network's tensors; where the output is centred, f = F(w) - F(w_0), another of each for w_0. */
static orr_status take_tensors(orr_context *ctx, orr_arena *out_arena, orr_problem *p) {
    const int64_t own = p->network.n_tensors;
    p->tensors = p->network.tensors;
    p->n_tensors = own;
    if (orr_flag(&p->kind.parameterization_settings, "centred")) {
        orr_tensor *all = ORR_NEW(out_arena, orr_tensor, 2 * own);
        if (!all) return no_memory(ctx);
        for (int64_t t = 0; t < 2 * own; t++) all[t] = p->network.tensors[t % own];
        for (int64_t t = own; t < 2 * own; t++) {
            all[t].name = orr_arena_format(out_arena, "origin.%s", all[t].name);
            all[t].frozen = true;
            if (!all[t].name) return no_memory(ctx);
        }
        p->tensors = all;
        p->n_tensors = 2 * own;
    }
    for (int64_t t = 0; t < p->n_tensors; t++) p->n += orr_shape_count(&p->tensors[t].shape);
    return ORR_OK;
}

orr_status orr_problem_new(orr_context *ctx, orr_arena *out_arena, const orr_ingredients *ingredients,
                           const orr_dataset *data, orr_dtype dtype, orr_problem *out) {
    const char *why = "";
    *out = (orr_problem){ .kind = *ingredients, .dtype = dtype, .data = *data };
    orr_ingredients *k = &out->kind;
    ORR_TRY(ctx, complete(ctx, out_arena, k));
    if (!k->task->signature(&k->task_settings, data, &out->signature, &why))
        return orr_fail(ctx, ORR_EINPUT, "task %s with data %s: %s", k->task->kind.name,
                        k->data ? k->data->kind.name : "given as arrays", why);
    ORR_TRY(ctx, k->architecture->declare(ctx, out_arena, &k->architecture_settings, &out->signature, &out->network));
    ORR_TRY(ctx, k->parameterization->apply(ctx, &k->parameterization_settings, &out->network));
    ORR_TRY(ctx, take_tensors(ctx, out_arena, out));
    return take_data(ctx, out_arena, out);
}

orr_status orr_problem_initial(orr_context *ctx, const orr_problem *p, uint64_t seed, double *w) {
    orr_arena *scratch = NULL;
    orr_status status;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &scratch));
    ORR_TRY_DONE(ctx, p->kind.initial->draw(ctx, scratch, &p->kind.initial_settings, &p->network, &p->data, seed, w));
    if (is_centred(p)) memcpy(w + p->n / 2, w, (size_t)(p->n / 2) * sizeof *w);
done:
    orr_arena_free(scratch);
    return status;
}

/* ---- the graph --------------------------------------------------------------------------------------------------------------- */

orr_status orr_problem_parameters(orr_context *ctx, orr_arena *out_arena, const orr_problem *p, orr_graph *g,
                                  orr_problem_graph *out) {
    out->parameter = ORR_NEW(out_arena, orr_node, p->n_tensors);
    out->effective = ORR_NEW(out_arena, orr_node, p->n_tensors);
    if (!out->parameter || !out->effective) return no_memory(ctx);
    for (int64_t t = 0; t < p->n_tensors; t++) {
        out->parameter[t] = orr_input(g, p->tensors[t].name, p->dtype, p->tensors[t].shape);
        out->effective[t] = orr_scale(g, out->parameter[t], p->tensors[t].multiplier);
    }
    return ORR_OK;
}

/* lambda/2 |w|^2 over what is trained, times n where the conventions say so. */
static orr_node add_ridge(const orr_problem *p, orr_graph *g, const orr_node *parameter, orr_node loss) {
    const orr_settings *s = &p->kind.task_settings;
    double lambda = orr_settings_has(s, "ridge") ? orr_real(s, "ridge") : 0.0;
    if (lambda == 0.0) return loss;
    if (strcmp(orr_text(s, "ridge_times"), "n") == 0) lambda *= (double)p->data.n;
    for (int64_t t = 0; t < p->n_tensors; t++)
        if (!p->tensors[t].frozen)
            loss = orr_add(g, loss, orr_scale(g, orr_sum_all(g, orr_square(g, parameter[t])), lambda / 2));
    return loss;
}

static orr_node half_square(orr_graph *g, orr_node a, double lambda) {
    return orr_scale(g, orr_sum_all(g, orr_square(g, a)), lambda / 2);
}

/* lw/2 |W|^2 of the readout, and lh/2 |h|^2 summed over all training examples, of which n are at hand. */
static orr_node add_decays(const orr_problem *p, orr_graph *g, int64_t n, const orr_problem_graph *nodes,
                           orr_node loss) {
    const orr_settings *s = &p->kind.task_settings;
    if (!orr_settings_has(s, "feature_decay")) return loss;
    const double lw = orr_real(s, "readout_decay"), lh = orr_real(s, "feature_decay");
    for (int64_t t = 0; lw > 0 && t < p->n_tensors; t++)
        if (p->tensors[t].role == ORR_ROLE_READOUT) loss = orr_add(g, loss, half_square(g, nodes->effective[t], lw));
    if (lh > 0 && nodes->taps.n > 0)
        loss = orr_add(g, loss,
                       half_square(g, nodes->taps.tap[nodes->taps.n - 1].node, lh * (double)p->data.n / (double)n));
    return loss;
}

void orr_problem_forward(const orr_problem *p, orr_graph *g, int64_t n, orr_node x, orr_node target, orr_node key,
                         orr_problem_graph *out) {
    const orr_ingredients *k = &p->kind;
    const orr_settings *s = &k->task_settings;
    const int64_t classes = p->data.classes;
    out->x = x;
    out->target = target;
    out->taps.n = 0;
    if (k->task->corrupt) k->task->corrupt(g, s, key, &x, &target);
    out->output = k->architecture->forward(g, &k->architecture_settings, &p->signature, out->effective, x, &out->taps);
    if (is_centred(p)) {
        const orr_node *w_0 = out->effective + p->network.n_tensors;
        out->output = orr_sub(g, out->output,
                              k->architecture->forward(g, &k->architecture_settings, &p->signature, w_0, x, NULL));
    }
    out->each = k->task->each ? k->task->each(g, s, out->output, target, classes) : ORR_NONE;
    out->correct = k->task->correct ? k->task->correct(g, s, out->output, target, classes) : ORR_NONE;
    out->loss = add_ridge(p, g, out->parameter, orr_task_loss(g, k->task, s, out->output, target, classes));
    out->loss = add_decays(p, g, n, out, out->loss);
}

/* [n, one example's shape] */
static orr_shape behind(int64_t n, orr_shape one) {
    orr_shape shape = { .rank = one.rank + 1, .size = { n } };
    for (int32_t i = 0; i < one.rank; i++) shape.size[i + 1] = one.size[i];
    return shape;
}

orr_node orr_problem_x_input(const orr_problem *p, orr_graph *g, const char *name, int64_t n) {
    return orr_input(g, name, p->data.vocabulary ? ORR_I32 : p->dtype, behind(n, p->data.input));
}

orr_node orr_problem_target_input(const orr_problem *p, orr_graph *g, const char *name, int64_t n) {
    if (!p->target) return ORR_NONE;
    return orr_input(g, name, p->data.classes ? ORR_I32 : p->dtype, behind(n, p->data.target));
}

orr_node orr_problem_evaluation_key(orr_graph *g) {
    const int32_t word[4] = { 0, 0, ORR_PURPOSE_NOISE, 0 };
    return orr_literal(g, ORR_I32, ORR_SHAPE(4), word);
}

orr_status orr_problem_build(orr_context *ctx, orr_arena *out_arena, const orr_problem *p, orr_graph *g,
                             orr_problem_graph *out) {
    ORR_TRY(ctx, orr_problem_parameters(ctx, out_arena, p, g, out));
    const orr_node x = orr_problem_x_input(p, g, "data.x", p->data.n),
                   target = orr_problem_target_input(p, g, "data.target", p->data.n);
    orr_problem_forward(p, g, p->data.n, x, target, orr_problem_evaluation_key(g), out);
    return ORR_OK;
}

orr_status orr_problem_feed(orr_context *ctx, const orr_problem *p, const orr_problem_graph *nodes,
                            orr_program *program) {
    ORR_TRY(ctx, orr_program_bind(program, nodes->x, p->x));
    return nodes->target.id ? orr_program_bind(program, nodes->target, p->target) : ORR_OK;
}

/* ---- derivatives over what is trained --------------------------------------------------------------------------------------- */

/* The trained tensors' nodes; *n of them. */
static orr_node *trained(orr_arena *scratch, const orr_problem *p, const orr_node *all, int32_t *n) {
    orr_node *some = ORR_NEW(scratch, orr_node, p->n_tensors);
    *n = 0;
    for (int64_t t = 0; some && t < p->n_tensors; t++)
        if (!p->tensors[t].frozen) some[(*n)++] = all[t];
    return some;
}

static void spread(const orr_problem *p, orr_graph *g, const orr_node *some, orr_node *all) {
    int32_t n = 0;
    for (int64_t t = 0; t < p->n_tensors; t++)
        all[t] = p->tensors[t].frozen ? orr_fill(g, p->dtype, p->tensors[t].shape, 0.0) : some[n++];
}

orr_status orr_problem_grad(orr_context *ctx, orr_arena *scratch, const orr_problem *p, orr_graph *g, orr_node loss,
                            const orr_node *parameter, orr_node *gradient) {
    int32_t n;
    orr_node *x = trained(scratch, p, parameter, &n), *dx = ORR_NEW(scratch, orr_node, p->n_tensors);
    if (!x || !dx) return no_memory(ctx);
    orr_grad(g, loss, x, n, dx);
    spread(p, g, dx, gradient);
    return ORR_OK;
}

orr_status orr_problem_hvp(orr_context *ctx, orr_arena *scratch, const orr_problem *p, orr_graph *g, orr_node loss,
                           const orr_node *parameter, const orr_node *v, orr_node *product) {
    int32_t n, n_v;
    orr_node *x = trained(scratch, p, parameter, &n), *u = trained(scratch, p, v, &n_v),
             *hu = ORR_NEW(scratch, orr_node, p->n_tensors);
    if (!x || !u || !hu) return no_memory(ctx);
    orr_hvp(g, loss, x, u, n, hu);
    spread(p, g, hu, product);
    return ORR_OK;
}

orr_status orr_problem_third(orr_context *ctx, orr_arena *scratch, const orr_problem *p, orr_graph *g, orr_node loss,
                             const orr_node *parameter, const orr_node *u, const orr_node *v, orr_node *product) {
    int32_t n, n_u;
    orr_node *hv = ORR_NEW(scratch, orr_node, p->n_tensors);
    if (!hv) return no_memory(ctx);
    ORR_TRY(ctx, orr_problem_hvp(ctx, scratch, p, g, loss, parameter, v, hv));
    const orr_node *some_hv = trained(scratch, p, hv, &n), *some_u = trained(scratch, p, u, &n_u);
    if (!some_hv || !some_u) return no_memory(ctx);
    return orr_problem_grad(ctx, scratch, p, g, orr_dot(g, some_u, some_hv, n), parameter, product);
}

/* ---- the loss as theory sees it ------------------------------------------------------------------------------------------ */

struct orr_problem_landscape {
    orr_context *ctx;
    const orr_problem *p;
    orr_arena *arena;
    orr_graph *g;
    orr_problem_graph nodes;
    double *w; /* where products are taken */
    orr_node *gradient, *u, *v, *product, *third;
    orr_program *gradient_program, *product_program, *third_program; /* the last: NULL until it is asked for */
};

/* One vector of doubles from or to the tensors of a program. */
static void put(const orr_problem *p, orr_program *program, const orr_node *node, const double *w) {
    for (int64_t t = 0; t < p->n_tensors; t++) {
        const int64_t n = orr_shape_count(&p->tensors[t].shape);
        void *to = orr_program_data(program, node[t]); /* NULL where nothing depends on it */
        if (to) orr_to_dtype(p->dtype, n, w, to);
        w += n;
    }
}

static void get(const orr_problem *p, orr_program *program, const orr_node *node, double *w) {
    for (int64_t t = 0; t < p->n_tensors; t++) {
        const int64_t n = orr_shape_count(&p->tensors[t].shape);
        orr_from_dtype(p->dtype, n, orr_program_data(program, node[t]), w);
        w += n;
    }
}

static orr_status compile_gradient(orr_problem_landscape *l) {
    const int32_t n = (int32_t)l->p->n_tensors;
    orr_node *outputs = ORR_NEW(l->arena, orr_node, n + 1);
    if (!outputs) return orr_fail(l->ctx, ORR_ENOMEM, "no memory for the nodes of a graph");
    memcpy(outputs, l->gradient, (size_t)n * sizeof *outputs);
    outputs[n] = l->nodes.loss;
    const orr_compile_options options = { .outputs = outputs, .n_outputs = n + 1 };
    ORR_TRY(l->ctx, orr_compile(l->ctx, l->g, &options, &l->gradient_program));
    return orr_problem_feed(l->ctx, l->p, &l->nodes, l->gradient_program);
}

static orr_status compile_product(orr_problem_landscape *l) {
    const orr_compile_options options = { .outputs = l->product, .n_outputs = (int32_t)l->p->n_tensors };
    ORR_TRY(l->ctx, orr_compile(l->ctx, l->g, &options, &l->product_program));
    return orr_problem_feed(l->ctx, l->p, &l->nodes, l->product_program);
}

/* An input of each tensor's shape: PREFIX.NAME. */
static orr_status add_vector(orr_problem_landscape *l, const char *prefix, orr_node *v) {
    for (int64_t t = 0; t < l->p->n_tensors; t++) {
        const char *name = orr_arena_format(l->arena, "%s.%s", prefix, l->p->tensors[t].name);
        if (!name) return no_memory(l->ctx);
        v[t] = orr_input(l->g, name, l->p->dtype, l->p->tensors[t].shape);
    }
    return ORR_OK;
}

static orr_status compile_third(orr_problem_landscape *l) {
    const orr_problem *p = l->p;
    l->u = ORR_NEW(l->arena, orr_node, p->n_tensors);
    l->third = ORR_NEW(l->arena, orr_node, p->n_tensors);
    if (!l->u || !l->third) return no_memory(l->ctx);
    ORR_TRY(l->ctx, add_vector(l, "u", l->u));
    ORR_TRY(l->ctx,
            orr_problem_third(l->ctx, l->arena, p, l->g, l->nodes.loss, l->nodes.parameter, l->u, l->v, l->third));
    const orr_compile_options options = { .outputs = l->third, .n_outputs = (int32_t)p->n_tensors };
    ORR_TRY(l->ctx, orr_compile(l->ctx, l->g, &options, &l->third_program));
    return orr_problem_feed(l->ctx, p, &l->nodes, l->third_program);
}

static orr_status make_landscape(orr_problem_landscape *l) {
    const orr_problem *p = l->p;
    const int32_t n = (int32_t)p->n_tensors;
    ORR_TRY(l->ctx, orr_arena_new(l->ctx, &l->arena));
    ORR_TRY(l->ctx, orr_graph_new(l->ctx, &l->g));
    ORR_TRY(l->ctx, orr_problem_build(l->ctx, l->arena, p, l->g, &l->nodes));
    l->gradient = ORR_NEW(l->arena, orr_node, n);
    l->v = ORR_NEW(l->arena, orr_node, n);
    l->product = ORR_NEW(l->arena, orr_node, n);
    l->w = ORR_NEW(l->arena, double, p->n);
    if (!l->gradient || !l->v || !l->product || !l->w)
        return orr_fail(l->ctx, ORR_ENOMEM, "no memory for the nodes of a graph");
    ORR_TRY(l->ctx, add_vector(l, "v", l->v));
    ORR_TRY(l->ctx, orr_problem_grad(l->ctx, l->arena, p, l->g, l->nodes.loss, l->nodes.parameter, l->gradient));
    ORR_TRY(l->ctx, orr_problem_hvp(l->ctx, l->arena, p, l->g, l->nodes.loss, l->nodes.parameter, l->v, l->product));
    ORR_TRY(l->ctx, compile_gradient(l));
    return compile_product(l);
}

orr_status orr_problem_landscape_new(orr_context *ctx, const orr_problem *p, orr_problem_landscape **out) {
    *out = NULL;
    orr_problem_landscape *l = orr_allocate(ctx, sizeof *l);
    if (!l) return orr_fail(ctx, ORR_ENOMEM, "no memory for a loss landscape");
    memset(l, 0, sizeof *l);
    l->ctx = ctx;
    l->p = p;
    const orr_status status = make_landscape(l);
    if (status == ORR_OK) *out = l;
    else orr_problem_landscape_free(l);
    return status;
}

void orr_problem_landscape_free(orr_problem_landscape *l) {
    if (!l) return;
    orr_program_free(l->third_program);
    orr_program_free(l->product_program);
    orr_program_free(l->gradient_program);
    orr_graph_free(l->g);
    orr_arena_free(l->arena);
    orr_release(l->ctx, l);
}

static orr_status landscape_gradient(void *self, const double *w, double *loss, double *gradient) {
    orr_problem_landscape *l = self;
    put(l->p, l->gradient_program, l->nodes.parameter, w);
    ORR_TRY(l->ctx, orr_program_run(l->gradient_program));
    orr_from_dtype(l->p->dtype, 1, orr_program_data(l->gradient_program, l->nodes.loss), loss);
    get(l->p, l->gradient_program, l->gradient, gradient);
    return ORR_OK;
}

static orr_status landscape_at(void *self, const double *w) {
    orr_problem_landscape *l = self;
    put(l->p, l->product_program, l->nodes.parameter, w);
    memcpy(l->w, w, (size_t)l->p->n * sizeof *w);
    return ORR_OK;
}

static orr_status landscape_product(void *self, const double *v, double *hv) {
    orr_problem_landscape *l = self;
    put(l->p, l->product_program, l->v, v);
    ORR_TRY(l->ctx, orr_program_run(l->product_program));
    get(l->p, l->product_program, l->product, hv);
    return ORR_OK;
}

/* A program of its own, compiled at the first call: few ask for it. */
static orr_status landscape_third(void *self, const double *u, const double *v, double *out) {
    orr_problem_landscape *l = self;
    if (!l->third_program) ORR_TRY(l->ctx, compile_third(l));
    put(l->p, l->third_program, l->nodes.parameter, l->w);
    put(l->p, l->third_program, l->u, u);
    put(l->p, l->third_program, l->v, v);
    ORR_TRY(l->ctx, orr_program_run(l->third_program));
    get(l->p, l->third_program, l->third, out);
    return ORR_OK;
}

orr_landscape orr_problem_landscape_view(orr_problem_landscape *l) {
    return (orr_landscape){ .n = l->p->n,
                            .gradient = landscape_gradient,
                            .hessian_product = landscape_product,
                            .at = landscape_at,
                            .self = l,
                            .third_product = landscape_third };
}
