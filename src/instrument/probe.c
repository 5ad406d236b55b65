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

/* ---- formulas of values ---------------------------------------------------------------------------------------------------- */

static orr_status no_memory(const orr_probe *p) { return orr_fail(p->ctx, ORR_ENOMEM, "instruments: out of memory"); }

int64_t orr_probe_values(const orr_probe *p) { return p->graph.n_taps + 1; }

orr_node orr_probe_value(const orr_probe *p, int64_t i) {
    return i < p->graph.n_taps ? p->graph.tap[i].node : p->graph.output;
}

static orr_status keep_outputs(orr_probe *p, const orr_node *outputs, int32_t n) {
    orr_node *output = ORR_NEW(p->arena, orr_node, n);
    if (!output) return no_memory(p);
    memcpy(output, outputs, (size_t)n * sizeof *output);
    p->output = output;
    p->n_outputs = n;
    return ORR_OK;
}

/* Inputs in place of the values. */
static orr_status name_values(orr_probe *p, orr_node *from, orr_node *to) {
    for (int64_t i = 0; i < orr_probe_values(p); i++) {
        const char *name = orr_arena_format(p->arena, "value.%d", (int)i);
        if (!name) return no_memory(p);
        from[i] = orr_probe_value(p, i);
        to[i] = orr_input(p->g, name, orr_node_dtype(p->g, from[i]), orr_node_shape(p->g, from[i]));
    }
    return ORR_OK;
}

/* Whether a formula is one of the values itself, which is then read as it is. */
static bool is_value(const orr_probe *p, orr_node formula) {
    for (int64_t i = 0; i < orr_probe_values(p); i++)
        if (formula.id == p->value[i].id) return p->reads[i] = true;
    return false;
}

orr_status orr_probe_compile_formulas(orr_probe *p, const orr_node *outputs, int32_t n) {
    const int64_t values = orr_probe_values(p);
    orr_node *from = ORR_NEW(p->arena, orr_node, values), *to = ORR_NEW(p->arena, orr_node, values),
             *formula = ORR_NEW(p->arena, orr_node, n), *computed = ORR_NEW(p->arena, orr_node, n);
    int32_t n_computed = 0;
    p->reads = ORR_NEW(p->arena, bool, values);
    if (!from || !to || !formula || !computed || !p->reads) return no_memory(p);
    if (outputs != p->output) ORR_TRY(p->ctx, keep_outputs(p, outputs, n));
    ORR_TRY(p->ctx, name_values(p, from, to));
    orr_substitute(p->g, outputs, n, from, to, (int32_t)values, formula);
    p->value = to;
    for (int32_t k = 0; k < n; k++)
        if (!is_value(p, formula[k])) computed[n_computed++] = formula[k];
    if (n_computed > 0) ORR_TRY(p->ctx, orr_probe_compile(p, computed, n_computed));
    for (int64_t i = 0; i < values && n_computed > 0; i++)
        p->reads[i] = p->reads[i] || orr_program_reads(p->program, to[i]);
    p->formula = formula;
    return ORR_OK;
}

orr_status orr_probe_read_from(orr_probe *p, orr_probe *network) {
    p->network = network;
    for (int64_t i = 0; i < orr_probe_values(p) && p->program; i++)
        if (p->reads[i])
            ORR_TRY(p->ctx, orr_program_bind(p->program, p->value[i],
                                             orr_program_data(network->program, orr_probe_value(network, i))));
    return ORR_OK;
}

orr_status orr_probe_share(orr_probe *p, const orr_subject *subject, const orr_node *outputs, int32_t n) {
    assert(p->examples > 0 && "the network over the first examples of a part");
    /* a mistake in the graph is told at once */
    if (!subject->shared || orr_graph_status(p->g) != ORR_OK) return orr_probe_compile(p, outputs, n);
    ORR_TRY(p->ctx, keep_outputs(p, outputs, n));
    return orr_pass_join(subject, p);
}

orr_status orr_probe_ready(orr_probe *p) { return p->pass ? orr_pass_prepare(p->pass) : ORR_OK; }

orr_status orr_probe_run(orr_probe *p) {
    ORR_TRY(p->ctx, orr_probe_ready(p));
    if (p->pass) ORR_TRY(p->ctx, orr_pass_run(p->pass));
    return p->program ? orr_program_run(p->program) : ORR_OK;
}

void orr_probe_widen(orr_dtype dtype, const void *from, int64_t n, double *out) {
    if (dtype == ORR_F64) memcpy(out, from, (size_t)n * sizeof *out);
    else
        for (int64_t i = 0; i < n; i++) out[i] = (double)((const float *)from)[i];
}

const void *orr_probe_data(const orr_probe *p, orr_node output) {
    int32_t k = 0;
    if (!p->formula) return orr_program_data(p->program, output);
    while (k < p->n_outputs && p->output[k].id != output.id) k++;
    assert(k < p->n_outputs && "an output of the probe");
    for (int64_t i = 0; i < orr_probe_values(p); i++)
        if (p->formula[k].id == p->value[i].id)
            return orr_program_data(p->network->program, orr_probe_value(p->network, i));
    return orr_program_data(p->program, p->formula[k]);
}

void orr_probe_read(const orr_probe *p, orr_node output, int64_t n, double *out) {
    orr_probe_widen(p->dtype, orr_probe_data(p, output), n, out);
}

void orr_probe_write(const orr_probe *p, orr_node input, int64_t n, const double *from) {
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
