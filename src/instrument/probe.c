#include "instrument/probe.h"

#include <assert.h>
#include <string.h>

#include "base/context.h"

orr_status orr_probe_begin_empty(orr_context *ctx, const orr_subject *subject, orr_probe *p) {
    *p = (orr_probe){ .ctx = ctx, .dtype = subject->dtype };
    ORR_TRY(ctx, orr_arena_new(ctx, &p->arena));
    return orr_graph_new(ctx, &p->g);
}

orr_status orr_probe_begin(orr_context *ctx, const orr_subject *subject, orr_part part, orr_probe *p) {
    ORR_TRY(ctx, orr_probe_begin_empty(ctx, subject, p));
    p->part = part;
    p->examples = part == ORR_PART_TEST ? subject->test_examples : subject->examples;
    return subject->build(subject->self, p->arena, p->g, part, &p->graph);
}

/* [n, 1, one example's shape], or without the n */
static orr_shape behind(int64_t n, orr_shape one) {
    orr_shape shape = { .rank = one.rank + (n ? 2 : 1), .size = { n ? n : 1, 1 } };
    for (int32_t i = 0; i < one.rank; i++) shape.size[i + shape.rank - one.rank] = one.size[i];
    return shape;
}

orr_shape orr_probe_behind(int64_t n, orr_shape one) {
    orr_shape shape = { .rank = one.rank + 1, .size = { n } };
    for (int32_t i = 0; i < one.rank; i++) shape.size[i + 1] = one.size[i];
    return shape;
}

/* a program only reads its inputs, unless they are updated */
static orr_feed reading(orr_node input, const void *memory) { return (orr_feed){ input, (void *)(uintptr_t)memory }; }

orr_status orr_probe_begin_first(orr_context *ctx, const orr_subject *subject, int64_t n, orr_probe *p) {
    ORR_TRY(ctx, orr_probe_begin_empty(ctx, subject, p));
    const orr_node x = orr_input(p->g, "first.x", subject->x_type, orr_probe_behind(n, subject->input)),
                   target = subject->target ? orr_input(p->g, "first.target", subject->target_type,
                                                        orr_probe_behind(n, subject->target_of_one))
                                            : ORR_NONE;
    p->example[0] = reading(x, subject->x);
    p->example[1] = reading(target, subject->target);
    p->examples = n;
    return subject->build_on(subject->self, p->arena, p->g, n, x, target, &p->graph);
}

orr_status orr_probe_begin_examples(orr_context *ctx, const orr_subject *subject, int64_t n, orr_probe *p,
                                    orr_probe_examples *e) {
    ORR_TRY(ctx, orr_probe_begin_empty(ctx, subject, p));
    *e = (orr_probe_examples){ .n_inputs = subject->target ? 2 : 1 };
    e->one[0] = orr_input(p->g, "example.x", subject->x_type, behind(0, subject->input));
    e->many[0] = orr_input(p->g, "examples.x", subject->x_type, behind(n, subject->input));
    e->one[1] = e->many[1] = ORR_NONE;
    if (subject->target) {
        e->one[1] = orr_input(p->g, "example.target", subject->target_type, behind(0, subject->target_of_one));
        e->many[1] = orr_input(p->g, "examples.target", subject->target_type, behind(n, subject->target_of_one));
    }
    p->example[0] = reading(e->many[0], subject->x);
    p->example[1] = reading(e->many[1], subject->target);
    return subject->build_on(subject->self, p->arena, p->g, 1, e->one[0], e->one[1], &p->graph);
}

orr_status orr_probe_outputs(orr_probe *p, const char *what, orr_node *out, int64_t *n) {
    *out = orr_reshape(p->g, p->graph.output, ORR_SHAPE(-1));
    const orr_shape shape = orr_node_shape(p->g, *out);
    *n = orr_shape_count(&shape);
    if (*n <= ORR_PROBE_OUTPUTS_MAX) return ORR_OK;
    return orr_fail(p->ctx, ORR_EINPUT,
                    "%s: derives each output by itself, and an example has %lld of them; at most %d are taken", what,
                    (long long)*n, ORR_PROBE_OUTPUTS_MAX);
}

void orr_probe_map(orr_probe *p, const orr_probe_examples *e, const orr_node *y, int32_t n_y, orr_node *out) {
    orr_vmap(p->g, y, n_y, e->one, e->many, e->n_inputs, out);
}

orr_status orr_probe_compile(orr_probe *p, const orr_node *outputs, int32_t n) {
    const orr_compile_options options = { .outputs = outputs, .n_outputs = n };
    ORR_TRY(p->ctx, orr_compile(p->ctx, p->g, &options, &p->program));
    for (int i = 0; i < 2; i++)
        if (p->example[i].memory)
            ORR_TRY(p->ctx, orr_program_bind(p->program, p->example[i].input, p->example[i].memory));
    return orr_subject_attach(p->ctx, &p->graph, p->program);
}

orr_status orr_probe_share(orr_probe *p, const orr_subject *subject, const orr_node *outputs, int32_t n) {
    assert(p->examples > 0 && "the network over the first examples of a part");
    /* a mistake in the graph is told at once */
    if (!subject->shared || orr_graph_status(p->g) != ORR_OK) return orr_probe_compile(p, outputs, n);
    orr_node *output = ORR_NEW(p->arena, orr_node, n);
    if (!output) return orr_fail(p->ctx, ORR_ENOMEM, "instruments: out of memory");
    memcpy(output, outputs, (size_t)n * sizeof *output);
    p->output = output;
    p->n_outputs = n;
    return orr_pass_join(subject, p);
}

orr_status orr_probe_run(orr_probe *p) {
    if (p->pass) {
        ORR_TRY(p->ctx, orr_pass_prepare(p->pass));
        ORR_TRY(p->ctx, orr_pass_run(p->pass));
    }
    return p->program ? orr_program_run(p->program) : ORR_OK;
}

void orr_probe_widen(orr_dtype dtype, const void *from, int64_t n, double *out) {
    if (dtype == ORR_F64) memcpy(out, from, (size_t)n * sizeof *out);
    else
        for (int64_t i = 0; i < n; i++) out[i] = (double)((const float *)from)[i];
}

const void *orr_probe_data(const orr_probe *p, orr_node output) {
    int32_t i = 0;
    if (!p->formula) return orr_program_data(p->program, output);
    while (i < p->n_outputs && p->output[i].id != output.id) i++;
    assert(i < p->n_outputs && "an output of the probe");
    const void *value = orr_pass_value(p, p->formula[i]);
    return value ? value : orr_program_data(p->program, p->formula[i]);
}

void orr_probe_read(const orr_probe *p, orr_node output, int64_t n, double *out) {
    orr_probe_widen(p->dtype, orr_probe_data(p, output), n, out);
}

void orr_probe_write(const orr_probe *p, orr_node input, int64_t n, const double *from) {
    assert(!p->pass && "what is shared depends on live memory alone");
    void *to = orr_program_data(p->program, input);
    if (!to) return;
    if (p->dtype == ORR_F64) memcpy(to, from, (size_t)n * sizeof *from);
    else
        for (int64_t i = 0; i < n; i++) ((float *)to)[i] = (float)from[i];
}

void orr_probe_end(orr_probe *p) {
    orr_pass_leave(p);
    orr_program_free(p->program);
    orr_graph_free(p->g);
    orr_arena_free(p->arena);
    p->program = NULL;
    p->g = NULL;
    p->arena = NULL;
}

int64_t orr_probe_examples_of(const orr_settings *s, const orr_subject *subject) {
    const int64_t wanted = orr_int(s, "examples");
    return wanted < subject->examples ? wanted : subject->examples;
}

void orr_probe_parameter(const orr_subject *subject, int64_t tensor, double *out) {
    orr_probe_widen(subject->dtype, subject->parameter[tensor], orr_shape_count(&subject->shape[tensor]), out);
}
