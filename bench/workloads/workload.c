#include "workloads/workload.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/random.h"

/* ---- what enters and leaves -------------------------------------------------------------------------------------- */

static void put_name(char to[ORR_WORKLOAD_NAME], const char *name) {
    const size_t n = strlen(name);
    assert(n < ORR_WORKLOAD_NAME && "a name longer than its place");
    memcpy(to, name, n + 1);
}

orr_node orr_workload_in(orr_workload_graph *w, const char *name, orr_dtype dtype, orr_shape shape,
                         orr_workload_law law, double scale) {
    assert(w->n_inputs < ORR_WORKLOAD_INPUTS && "raise ORR_WORKLOAD_INPUTS");
    orr_workload_input *in = &w->inputs[w->n_inputs++];
    *in = (orr_workload_input){
        .node = orr_input(w->g, name, dtype, shape), .dtype = dtype, .shape = shape, .law = law, .scale = scale
    };
    put_name(in->name, name);
    return in->node;
}

void orr_workload_out(orr_workload_graph *w, const char *name, orr_node node) {
    assert(w->n_outputs < ORR_WORKLOAD_OUTPUTS && "raise ORR_WORKLOAD_OUTPUTS");
    orr_workload_output *out = &w->outputs[w->n_outputs++];
    out->node = node;
    put_name(out->name, name);
}

void orr_workload_update(orr_workload_graph *w, orr_node input, orr_node value) {
    assert(w->n_updates < ORR_WORKLOAD_INPUTS && "raise ORR_WORKLOAD_INPUTS");
    w->updates[w->n_updates++] = (orr_update){ .input = input, .value = value };
}

void orr_workload_descend(orr_workload_graph *w, orr_node loss, const orr_node *parameters, int32_t n, double rate) {
    orr_node gradient[ORR_WORKLOAD_INPUTS];
    orr_grad(w->g, loss, parameters, n, gradient);
    for (int32_t i = 0; i < n; i++)
        orr_workload_update(w, parameters[i], orr_sub(w->g, parameters[i], orr_scale(w->g, gradient[i], rate)));
    orr_workload_out(w, "loss", loss);
}

/* ---- numbers for the inputs -------------------------------------------------------------------------------------- */

uint64_t orr_reproducible_stream(const char *workload, const char *input) {
    const char *parts[] = { workload, ".", input };
    uint64_t hash = 14695981039346656037u; /* offset basis and prime of FNV-1a's definition */
    for (int p = 0; p < 3; p++)
        for (const char *c = parts[p]; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return hash;
}

double orr_reproducible(uint64_t stream, int64_t i) {
    uint64_t z = stream + ((uint64_t)i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Where the draws of one input come from. */
typedef struct source {
    orr_key key;
    uint64_t stream;
    bool reproducible;
} source;

static void draw_uniform(const source *s, int64_t first, int64_t n, double *out) {
    if (!s->reproducible) {
        orr_random_fill_uniform(s->key, (uint64_t)first, n, out);
        return;
    }
    for (int64_t j = 0; j < n; j++) out[j] = orr_reproducible(s->stream, first + j);
}

/* The reproducible stand-in is uniform on [-sqrt 3, sqrt 3]: variance 1, without a function whose last bit depends on a
 * library. */
static void draw_normal(const source *s, int64_t first, int64_t n, double *out) {
    if (!s->reproducible) {
        orr_random_fill_normal(s->key, (uint64_t)first, n, out);
        return;
    }
    const double sqrt_3 = 1.7320508075688772935;
    for (int64_t j = 0; j < n; j++) out[j] = sqrt_3 * (2.0 * orr_reproducible(s->stream, first + j) - 1.0);
}

static void draw(const source *s, orr_workload_law law, double scale, int64_t first, int64_t n, double *out) {
    switch (law) {
    case ORR_LAW_NORMAL:
        draw_normal(s, first, n, out);
        for (int64_t j = 0; j < n; j++) out[j] *= scale;
        return;
    case ORR_LAW_UNIFORM:
        draw_uniform(s, first, n, out);
        for (int64_t j = 0; j < n; j++) out[j] = scale * (2.0 * out[j] - 1.0);
        return;
    case ORR_LAW_INTEGER:
    case ORR_LAW_ONE_HOT:
        draw_uniform(s, first, n, out);
        for (int64_t j = 0; j < n; j++) out[j] = floor(scale * out[j]);
        return;
    case ORR_LAW_CONSTANT:
        for (int64_t j = 0; j < n; j++) out[j] = scale;
        return;
    }
}

static void put(void *data, orr_dtype dtype, int64_t i, double value) {
    if (dtype == ORR_F32) ((float *)data)[i] = (float)value;
    else if (dtype == ORR_F64) ((double *)data)[i] = value;
    else ((int32_t *)data)[i] = (int32_t)value;
}

void orr_workload_fill(const char *workload, const orr_workload_input *in, bool reproducible, void *data) {
    const source s = { .key = { .seed = 1, .purpose = orr_purpose_of(in->name) },
                       .stream = orr_reproducible_stream(workload, in->name),
                       .reproducible = reproducible };
    double block[1024];
    const bool one_hot = in->law == ORR_LAW_ONE_HOT;
    const int64_t row = one_hot ? in->shape.size[in->shape.rank - 1] : 1, n = orr_shape_count(&in->shape) / row;
    const double scale = one_hot ? (double)row : in->scale;
    for (int64_t first = 0; first < n; first += 1024) {
        const int64_t now = n - first < 1024 ? n - first : 1024;
        draw(&s, in->law, scale, first, now, block);
        for (int64_t j = 0; j < now; j++)
            if (!one_hot) put(data, in->dtype, first + j, block[j]);
            else
                for (int64_t c = 0; c < row; c++) put(data, in->dtype, (first + j) * row + c, c == (int64_t)block[j]);
    }
}

/* ---- compiled and filled ----------------------------------------------------------------------------------------- */

struct orr_instance {
    orr_context *ctx;
    const orr_workload *workload;
    orr_arena *arena;
    orr_graph *g;
    orr_workload_graph *graph;
    orr_program *program;
    void *state; /* of a workload without a graph */
    bool open;
};

static orr_status compile(orr_instance *x, const orr_instance_options *options) {
    orr_workload_graph *w = x->graph = ORR_NEW(x->arena, orr_workload_graph, 1);
    if (!w) return orr_fail(x->ctx, ORR_ENOMEM, "workload %s: its graph", x->workload->name);
    ORR_TRY(x->ctx, orr_graph_new(x->ctx, &x->g));
    w->g = x->g;
    w->given_data = options->given_data;
    x->workload->build(w);
    orr_node outputs[ORR_WORKLOAD_OUTPUTS];
    for (int32_t i = 0; i < w->n_outputs; i++) outputs[i] = w->outputs[i].node;
    const orr_compile_options how = { .outputs = outputs,
                                      .n_outputs = w->n_outputs,
                                      .updates = w->updates,
                                      .n_updates = w->n_updates,
                                      .device = options->device,
                                      .profile = options->profile };
    ORR_TRY(x->ctx, orr_compile(x->ctx, x->g, &how, &x->program));
    for (int32_t i = 0; i < w->n_inputs; i++) {
        const orr_workload_input *in = &w->inputs[i];
        void *data = orr_program_data(x->program, in->node);
        if (data)
            orr_workload_fill(x->workload->name, in, options->reproducible,
                              data); /* an input that nothing depends on has no memory */
    }
    return ORR_OK;
}

static orr_status start(orr_instance *x, const orr_instance_options *options) {
    ORR_TRY(x->ctx, orr_arena_new(x->ctx, &x->arena));
    if (x->workload->build) return compile(x, options);
    ORR_TRY(x->ctx, x->workload->open(x->ctx, x->arena, options->reproducible, &x->state));
    x->open = true;
    return ORR_OK;
}

orr_status orr_instance_new(orr_context *ctx, const orr_workload *workload, const orr_instance_options *options,
                            orr_instance **out) {
    *out = NULL;
    orr_instance *x = orr_allocate(ctx, sizeof *x);
    if (!x) return orr_fail(ctx, ORR_ENOMEM, "workload %s: its head", workload->name);
    *x = (orr_instance){ .ctx = ctx, .workload = workload };
    const orr_status status = start(x, options ? options : &(orr_instance_options){ 0 });
    if (status == ORR_OK) *out = x;
    else orr_instance_free(x);
    return status;
}

void orr_instance_free(orr_instance *x) {
    if (!x) return;
    if (x->open && x->workload->close) x->workload->close(x->state);
    orr_program_free(x->program);
    orr_graph_free(x->g);
    orr_arena_free(x->arena);
    orr_release(x->ctx, x);
}

orr_status orr_instance_run(orr_instance *x, int64_t units) {
    if (x->program) return orr_program_run_many(x->program, units, x->graph->counter);
    return x->workload->run(x->ctx, x->state, units);
}

void *orr_instance_data(orr_instance *x, const char *name, orr_dtype *dtype, int64_t *count) {
    if (!x->program) {
        *dtype = ORR_F64;
        return x->workload->find ? x->workload->find(x->state, name, count) : NULL;
    }
    orr_node node = ORR_NONE;
    for (int32_t i = 0; i < x->graph->n_inputs; i++)
        if (strcmp(x->graph->inputs[i].name, name) == 0) node = x->graph->inputs[i].node;
    for (int32_t i = 0; i < x->graph->n_outputs; i++)
        if (strcmp(x->graph->outputs[i].name, name) == 0) node = x->graph->outputs[i].node;
    if (!node.id) return NULL;
    const orr_shape shape = orr_node_shape(x->g, node);
    *dtype = orr_node_dtype(x->g, node);
    *count = orr_shape_count(&shape);
    return orr_program_data(x->program, node);
}

const orr_program *orr_instance_program(const orr_instance *x) { return x->program; }
