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

orr_status orr_problem_new(orr_context *ctx, orr_arena *out_arena, const orr_architecture *architecture,
                           orr_settings architecture_settings, const orr_dataset *data, const orr_task *task,
                           orr_settings task_settings, orr_dtype dtype, orr_problem *out) {
    orr_tensor *tensors;
    *out = (orr_problem){ .architecture = architecture,
                          .task = task,
                          .architecture_settings = architecture_settings,
                          .task_settings = task_settings,
                          .dtype = dtype,
                          .data = *data };
    ORR_TRY(ctx, architecture->declare(ctx, out_arena, &out->architecture_settings, data->features, data->classes,
                                       &tensors, &out->n_tensors));
    out->tensors = tensors;
    for (int64_t t = 0; t < out->n_tensors; t++) out->n += orr_shape_count(&tensors[t].shape);
    const int64_t count = data->n * data->features;
    out->x = orr_arena_take(out_arena, count, orr_dtype_size(dtype));
    if (!out->x) return orr_fail(ctx, ORR_ENOMEM, "no memory for %lld examples", (long long)data->n);
    orr_to_dtype(dtype, count, data->x, out->x);
    return ORR_OK;
}

orr_status orr_problem_initial(orr_context *ctx, const orr_problem *p, uint64_t seed, double *w) {
    (void)ctx;
    for (int64_t t = 0; t < p->n_tensors; t++) {
        const orr_tensor *tensor = &p->tensors[t];
        const int64_t n = orr_shape_count(&tensor->shape);
        const orr_key key = { .seed = seed, .purpose = orr_purpose_of(tensor->name) };
        orr_random_fill_normal(key, 0, n, w);
        for (int64_t i = 0; i < n; i++) w[i] *= tensor->deviation;
        w += n;
    }
    return ORR_OK;
}

orr_status orr_problem_build(orr_context *ctx, orr_arena *out_arena, const orr_problem *p, orr_graph *g,
                             orr_problem_graph *out) {
    out->parameter = ORR_NEW(out_arena, orr_node, p->n_tensors);
    if (!out->parameter) return orr_fail(ctx, ORR_ENOMEM, "no memory for the nodes of a graph");
    for (int64_t t = 0; t < p->n_tensors; t++)
        out->parameter[t] = orr_input(g, p->tensors[t].name, p->dtype, p->tensors[t].shape);
    out->x = orr_input(g, "data.x", p->dtype, ORR_SHAPE(p->data.n, p->data.features));
    out->label = orr_input(g, "data.label", ORR_I32, ORR_SHAPE(p->data.n));
    out->output = p->architecture->forward(g, &p->architecture_settings, out->parameter, out->x);
    out->loss = p->task->loss(g, &p->task_settings, out->output, out->label, p->data.classes);
    return ORR_OK;
}

orr_status orr_problem_feed(orr_context *ctx, const orr_problem *p, const orr_problem_graph *nodes,
                            orr_program *program) {
    ORR_TRY(ctx, orr_program_bind(program, nodes->x, p->x));
    /* the program only reads its inputs, unless they are updated */
    ORR_TRY(ctx, orr_program_bind(program, nodes->label, (void *)(uintptr_t)p->data.label));
    return ORR_OK;
}

/* ---- the loss as theory sees it ------------------------------------------------------------------------------------------ */

struct orr_problem_landscape {
    orr_context *ctx;
    const orr_problem *p;
    orr_arena *arena;
    orr_graph *g;
    orr_problem_graph nodes;
    orr_node *gradient, *v, *product;
    orr_program *gradient_program, *product_program;
};

/* One vector of doubles from or to the tensors of a program. */
static void put(const orr_problem *p, orr_program *program, const orr_node *node, const double *w) {
    for (int64_t t = 0; t < p->n_tensors; t++) {
        const int64_t n = orr_shape_count(&p->tensors[t].shape);
        orr_to_dtype(p->dtype, n, w, orr_program_data(program, node[t]));
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

static orr_status make_landscape(orr_problem_landscape *l) {
    const orr_problem *p = l->p;
    const int32_t n = (int32_t)p->n_tensors;
    ORR_TRY(l->ctx, orr_arena_new(l->ctx, &l->arena));
    ORR_TRY(l->ctx, orr_graph_new(l->ctx, &l->g));
    ORR_TRY(l->ctx, orr_problem_build(l->ctx, l->arena, p, l->g, &l->nodes));
    l->gradient = ORR_NEW(l->arena, orr_node, n);
    l->v = ORR_NEW(l->arena, orr_node, n);
    l->product = ORR_NEW(l->arena, orr_node, n);
    if (!l->gradient || !l->v || !l->product) return orr_fail(l->ctx, ORR_ENOMEM, "no memory for the nodes of a graph");
    for (int32_t t = 0; t < n; t++) {
        const char *name = orr_arena_format(l->arena, "v.%s", p->tensors[t].name);
        if (!name) return orr_fail(l->ctx, ORR_ENOMEM, "no memory for the nodes of a graph");
        l->v[t] = orr_input(l->g, name, p->dtype, p->tensors[t].shape);
    }
    orr_grad(l->g, l->nodes.loss, l->nodes.parameter, n, l->gradient);
    orr_hvp(l->g, l->nodes.loss, l->nodes.parameter, l->v, n, l->product);
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
    return ORR_OK;
}

static orr_status landscape_product(void *self, const double *v, double *hv) {
    orr_problem_landscape *l = self;
    put(l->p, l->product_program, l->v, v);
    ORR_TRY(l->ctx, orr_program_run(l->product_program));
    get(l->p, l->product_program, l->product, hv);
    return ORR_OK;
}

orr_landscape orr_problem_landscape_view(orr_problem_landscape *l) {
    return (orr_landscape){ .n = l->p->n,
                            .gradient = landscape_gradient,
                            .hessian_product = landscape_product,
                            .at = landscape_at,
                            .self = l };
}
