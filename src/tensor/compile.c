/* From a graph to a program: the passes of plan.h, then launches, buffers and addresses. */
#define ORR_TENSOR_INSIDE
#include <string.h>

#include "tensor/builder.h"

static orr_status prepare_steps(orr_builder *b) {
    orr_program *p = b->p;
    for (int32_t i = 0; i < p->n_steps; i++) {
        orr_step *s = &p->steps[i];
        if (s->fused) ORR_TRY(b->ctx, p->device->fused_prepare(b->ctx, p->arena, s->fused, &s->plan, &s->workspace));
        else if (s->kernel->prepare)
            ORR_TRY(b->ctx, s->kernel->prepare(b->ctx, p->arena, &s->launch, &s->launch.plan, &s->workspace));
        if (s->workspace > p->workspace_bytes) p->workspace_bytes = s->workspace;
    }
    return ORR_OK;
}

static const char *step_text(orr_builder *b, const orr_step *s) {
    char type[ORR_TYPE_TEXT];
    if (!s->node) return orr_arena_format(b->p->arena, "copy");
    const char *text = NULL;
    if (!s->fused)
        return orr_arena_format(b->p->arena, "%s %s", b->g->nodes[s->node].op->name,
                                orr_type_print(&b->g->nodes[s->node].type, type, sizeof type));
    for (int32_t i = b->plan.groups[s->group].first; i >= 0; i = b->plan.next_in_group[i]) {
        const orr_graph_node *n = &b->g->nodes[i];
        const char *mark = b->plan.in_memory[i] ? "*" : "";
        text = text ? orr_arena_format(b->p->arena, "%s+%s%s", text, n->op->name, mark)
                    : orr_arena_format(b->p->arena, "%s%s", n->op->name, mark);
        if (!text) return NULL;
    }
    const orr_type over = { .dtype = b->g->nodes[s->node].type.dtype, .shape = b->plan.groups[s->group].shape };
    return orr_arena_format(b->p->arena, "%s over %s", text, orr_type_print(&over, type, sizeof type));
}

static orr_status describe_steps(orr_builder *b) {
    orr_program *p = b->p;
    p->step_text = ORR_NEW(p->arena, const char *, p->n_steps);
    p->step_where = ORR_NEW(p->arena, const char *, p->n_steps);
    if (!p->step_text || !p->step_where) return orr_lower_no_memory(b);
    for (int32_t i = 0; i < p->n_steps; i++) {
        const orr_graph_node *n = &b->g->nodes[p->steps[i].node];
        const char *file = p->steps[i].node ? n->file : "-", *slash = strrchr(file, '/');
        p->step_text[i] = step_text(b, &p->steps[i]);
        p->step_where[i] =
            orr_arena_format(p->arena, "%s:%d", slash ? slash + 1 : file, p->steps[i].node ? n->line : 0);
        if (!p->step_text[i] || !p->step_where[i]) return orr_lower_no_memory(b);
    }
    return ORR_OK;
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

static bool in_graph(const orr_graph *g, orr_node a) { return a.id > 0 && a.id < g->n; }

static orr_status check_options(orr_context *ctx, const orr_graph *g, const orr_compile_options *o) {
    if (g->status != ORR_OK) return orr_fail(ctx, g->status, "%s", g->message);
    if (o->n_outputs < 0 || o->n_updates < 0 || o->n_outputs + o->n_updates == 0)
        return orr_fail(ctx, ORR_EINPUT, "compile: nothing to compute: name an output or an update");
    for (int32_t i = 0; i < o->n_outputs; i++)
        if (!in_graph(g, o->outputs[i]))
            return orr_fail(ctx, ORR_EINPUT, "compile: output %d is no node of this graph", i);
    for (int32_t i = 0; i < o->n_updates; i++) {
        const orr_update *u = &o->updates[i];
        if (!in_graph(g, u->input) || !in_graph(g, u->value) || g->nodes[u->input.id].op->code != ORR_OP_input)
            return orr_fail(ctx, ORR_EINPUT, "compile: update %d needs an input and a value of this graph", i);
        const orr_type *a = &g->nodes[u->input.id].type, *b = &g->nodes[u->value.id].type;
        char ta[ORR_TYPE_TEXT], tb[ORR_TYPE_TEXT];
        if (a->dtype != b->dtype || !orr_shape_equal(&a->shape, &b->shape))
            return orr_fail(ctx, ORR_EINPUT, "compile: update %d gives %s to the input \"%s\", which is %s", i,
                            orr_type_print(b, tb, sizeof tb),
                            ((const orr_attr_input *)g->nodes[u->input.id].attr)->name,
                            orr_type_print(a, ta, sizeof ta));
        for (int32_t k = 0; k < i; k++)
            if (o->updates[k].input.id == u->input.id)
                return orr_fail(ctx, ORR_EINPUT, "compile: the input \"%s\" is updated twice",
                                ((const orr_attr_input *)g->nodes[u->input.id].attr)->name);
    }
    return ORR_OK;
}

static orr_status reserve(orr_builder *b) {
    orr_program *p = b->p;
    const int32_t n = b->g->n, extra = b->options->n_outputs + 2 * b->options->n_updates;
    int64_t reads = 0;
    for (int32_t i = 1; i < n; i++) reads += b->g->nodes[i].n_args;
    b->buffer_of = ORR_NEW(b->plan.scratch, int32_t, n);
    b->step_of = ORR_NEW(b->plan.scratch, int32_t, n);
    p->buffers = ORR_NEW(p->arena, orr_buffer, n + reads + 2 * extra);
    p->relocations = ORR_NEW(p->arena, orr_relocation, n + reads + 2 * extra);
    p->steps = ORR_NEW(p->arena, orr_step, n + extra);
    p->inputs = ORR_NEW(p->arena, orr_binding, n);
    p->outputs = ORR_NEW(p->arena, orr_binding, b->options->n_outputs);
    if (!b->buffer_of || !b->step_of || !p->buffers || !p->relocations || !p->steps || !p->inputs || !p->outputs)
        return orr_lower_no_memory(b);
    for (int32_t i = 0; i < n; i++) b->buffer_of[i] = b->step_of[i] = -1;
    return ORR_OK;
}

static orr_status build(orr_builder *b) {
    ORR_TRY(b->ctx, orr_plan_layout(&b->plan));
    ORR_TRY(b->ctx, orr_plan_fuse(&b->plan));
    ORR_TRY(b->ctx, orr_plan_recompute(&b->plan));
    ORR_TRY(b->ctx, orr_plan_schedule(&b->plan));
    ORR_TRY(b->ctx, orr_plan_join(&b->plan));
    ORR_TRY(b->ctx, reserve(b));
    ORR_TRY(b->ctx, orr_lower_sources(b));
    ORR_TRY(b->ctx, orr_lower_steps(b));
    ORR_TRY(b->ctx, orr_place_outputs(b));
    ORR_TRY(b->ctx, orr_place_updates(b));
    orr_place_shared(b);
    ORR_TRY(b->ctx, prepare_steps(b));
    ORR_TRY(b->ctx, describe_steps(b));
    return orr_place_memory(b);
}

orr_status orr_compile(orr_context *ctx, const orr_graph *g, const orr_compile_options *options, orr_program **out) {
    orr_arena *arena = NULL, *scratch = NULL;
    *out = NULL;
    ORR_TRY(ctx, check_options(ctx, g, options));
    const orr_device *device = orr_device_find(options->device ? options->device : "cpu");
    if (!device)
        return orr_fail(ctx, ORR_EINPUT, "compile: no device \"%s\" in this build; there are \"cpu\" and \"ref\"",
                        options->device);
    orr_compile_options given = *options;
    given.no_fusion = given.no_fusion || given.find_non_finite; /* so that the op that is named is the one */
    orr_status status = ORR_OK;
    orr_program *p = NULL;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &scratch));
    p = ORR_NEW(arena, orr_program, 1);
    if (!p) {
        status = orr_fail(ctx, ORR_ENOMEM, "compile: no memory for a program");
        goto done;
    }
    *p = (orr_program){
        .ctx = ctx, .arena = arena, .device = device, .find_non_finite = given.find_non_finite, .profile = given.profile
    };
    orr_builder b = { .plan = { .ctx = ctx, .g = g, .device = device, .options = &given, .scratch = scratch },
                      .ctx = ctx,
                      .g = g,
                      .options = &given,
                      .p = p };
    ORR_TRY_DONE(ctx, build(&b));
    *out = p;
done:
    orr_arena_free(scratch);
    if (status != ORR_OK) {
        if (p) orr_program_free(p);
        else orr_arena_free(arena);
    }
    return status;
}

orr_status orr_program_bind(orr_program *p, orr_node input, void *data) {
    for (int32_t i = 0; i < p->n_inputs; i++) {
        if (p->inputs[i].node != input.id) continue;
        if ((uintptr_t)data % 64 != 0 || !data)
            return orr_fail(p->ctx, ORR_EINPUT, "bind: the memory of an input is aligned to 64 bytes");
        p->buffers[p->inputs[i].buffer].data = data;
        p->buffers[p->inputs[i].buffer].ready = true;
        p->ready = false;
        return ORR_OK;
    }
    return ORR_OK; /* nothing that is computed depends on it */
}
