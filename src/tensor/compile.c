/* From a graph to a program: the passes of plan.h, then launches, buffers and addresses. */
#define ORR_TENSOR_INSIDE
#include <string.h>

#include "tensor/program.h"

typedef struct builder {
    orr_plan plan;
    orr_context *ctx;
    const orr_graph *g;
    const orr_compile_options *options;
    orr_program *p;
    int32_t *buffer_of; /* [nodes]: buffer of a root; -1 */
    int32_t *step_of;   /* [nodes]: step that computes a node; -1 */
    int32_t max_buffers, max_relocations, max_steps;
} builder;

static orr_status no_memory(builder *b) { return orr_fail(b->ctx, ORR_ENOMEM, "compile: no memory for the program"); }

static size_t bytes_of(const orr_type *t) { return (size_t)orr_shape_count(&t->shape) * orr_dtype_size(t->dtype); }

static int32_t add_buffer(builder *b, orr_buffer_kind kind, int32_t node, size_t bytes) {
    orr_program *p = b->p;
    p->buffers[p->n_buffers] = (orr_buffer){
        .kind = kind, .node = node, .bytes = bytes, .born = INT32_MAX, .dies = -1, .last_read = -1, .same_as = -1
    };
    return p->n_buffers++;
}

static void relocate(builder *b, void **where, int32_t buffer, int64_t bytes, int32_t step, bool writes) {
    orr_program *p = b->p;
    p->relocations[p->n_relocations++] =
        (orr_relocation){ .where = where, .buffer = buffer, .offset = bytes, .step = step, .writes = writes };
    orr_buffer *held = &p->buffers[buffer];
    if (step < held->born) held->born = step;
    if (step > held->dies) held->dies = step;
    if (!writes && step > held->last_read) held->last_read = step;
}

/* A buffer of one element that holds a constant, for launches that read a fill. */
static orr_status constant_buffer(builder *b, orr_dtype dtype, double value, int32_t *out) {
    void *data = orr_arena_take(b->p->arena, 1, 8);
    if (!data) return no_memory(b);
    switch (dtype) {
    case ORR_F32: *(float *)data = (float)value; break;
    case ORR_F64: *(double *)data = value; break;
    case ORR_I32: *(int32_t *)data = (int32_t)value; break;
    case ORR_BOOL: *(uint8_t *)data = value != 0.0; break;
    }
    *out = add_buffer(b, ORR_BUFFER_LITERAL, 0, orr_dtype_size(dtype));
    b->p->buffers[*out].data = data;
    return ORR_OK;
}

/* Lets `view` show node `node` and follow its buffer. */
static orr_status show(builder *b, orr_view *view, int32_t node, int32_t step, bool writes) {
    const orr_layout *l = &b->plan.layout[node];
    const orr_type *t = &b->g->nodes[node].type;
    if (l->holding == ORR_HOLD_FILL) {
        int32_t buffer = -1;
        ORR_TRY(b->ctx, constant_buffer(b, t->dtype, l->fill, &buffer));
        *view = (orr_view){ .dtype = t->dtype, .shape = t->shape };
        relocate(b, &view->data, buffer, 0, step, false);
        return ORR_OK;
    }
    *view = l->view;
    relocate(b, &view->data, b->buffer_of[l->root], l->offset * (int64_t)orr_dtype_size(t->dtype), step, writes);
    return ORR_OK;
}

/* ---- buffers
 * --------------------------------------------------------------------------------------------------------- */

static orr_status iota_data(builder *b, int32_t node, const void **out, size_t *bytes) {
    const orr_attr_iota *attr = b->g->nodes[node].attr;
    const int64_t n = attr->type.shape.size[attr->axis];
    void *data = orr_arena_take(b->p->arena, n, orr_dtype_size(attr->type.dtype));
    if (!data) return no_memory(b);
    for (int64_t i = 0; i < n; i++)
        if (attr->type.dtype == ORR_F32) ((float *)data)[i] = (float)i;
        else if (attr->type.dtype == ORR_F64) ((double *)data)[i] = (double)i;
        else ((int32_t *)data)[i] = (int32_t)i;
    *out = data;
    *bytes = (size_t)n * orr_dtype_size(attr->type.dtype);
    return ORR_OK;
}

static orr_status literal_data(builder *b, int32_t node, void **out, size_t *bytes) {
    const orr_graph_node *n = &b->g->nodes[node];
    *bytes = bytes_of(&n->type);
    *out = orr_arena_take(b->p->arena, (int64_t)*bytes, 1);
    if (!*out) return no_memory(b);
    if (*bytes) memcpy(*out, ((const orr_attr_literal *)n->attr)->data, *bytes);
    return ORR_OK;
}

static orr_status make_source_buffers(builder *b) {
    for (int32_t i = 1; i < b->g->n; i++) {
        if (b->plan.layout[i].holding != ORR_HOLD_BUFFER) continue;
        const orr_graph_node *n = &b->g->nodes[i];
        if (n->op->code == ORR_OP_input) {
            b->buffer_of[i] = add_buffer(b, ORR_BUFFER_INPUT, i, bytes_of(&n->type));
            b->p->inputs[b->p->n_inputs++] = (orr_binding){ i, b->buffer_of[i] };
        } else if (n->op->code == ORR_OP_literal || n->op->code == ORR_OP_iota) {
            size_t bytes = 0;
            void *data = NULL;
            const void *made = NULL;
            if (n->op->code == ORR_OP_literal) ORR_TRY(b->ctx, literal_data(b, i, &data, &bytes));
            else {
                ORR_TRY(b->ctx, iota_data(b, i, &made, &bytes));
                memcpy(&data, &made, sizeof data);
            }
            b->buffer_of[i] = add_buffer(b, ORR_BUFFER_LITERAL, i, bytes);
            b->p->buffers[b->buffer_of[i]].data = data;
        } else if (b->plan.in_memory[i]) {
            b->buffer_of[i] = add_buffer(b, ORR_BUFFER_TEMP, i, bytes_of(&n->type));
        }
    }
    return ORR_OK;
}

/* ---- costs
 * ------------------------------------------------------------------------------------------------------------ */

/* Bytes that a view touches, each once. */
static int64_t view_bytes(const orr_view *v) {
    int64_t n = (int64_t)orr_dtype_size(v->dtype);
    for (int32_t i = 0; i < v->shape.rank; i++)
        if (v->stride[i] != 0 || v->shape.size[i] == 0) n *= v->shape.size[i];
    return n;
}

static int64_t einsum_flops(const orr_attr_einsum *e, const orr_view *a, const orr_view *b) {
    int64_t n = 2;
    uint32_t seen = 0;
    for (int32_t i = 0; i < a->shape.rank; i++) n *= a->shape.size[i], seen |= 1u << e->a[i];
    for (int32_t i = 0; i < b->shape.rank; i++)
        if (!(seen >> e->b[i] & 1u)) n *= b->shape.size[i];
    return n;
}

static int64_t convolution_flops(const orr_launch *l) { /* 2 |y| (c / groups) |k| */
    const orr_shape *shape[3] = { &l->args[0].shape, &l->args[1].shape, &l->out.shape };
    const orr_shape *w = l->code == ORR_OP_convolve_kernel ? shape[2] : shape[1];
    const orr_shape *y = l->code == ORR_OP_convolve ? shape[2] : l->code == ORR_OP_convolve_input ? shape[0] : shape[1];
    return w->size[0] ? 2 * orr_shape_count(y) * (orr_shape_count(w) / w->size[0]) : 0;
}

static void count_launch(orr_step *s) {
    const orr_launch *l = &s->launch;
    const orr_op_kind kind = orr_ops[l->code]->kind;
    if (kind == ORR_KIND_CONTRACTION) s->flops = einsum_flops(l->attr, &l->args[0], &l->args[1]);
    else if (kind == ORR_KIND_CONVOLUTION) s->flops = convolution_flops(l);
    else if (kind == ORR_KIND_ELEMENTWISE || kind == ORR_KIND_REDUCTION)
        s->flops = l->code == ORR_OP_stop ? 0 : orr_shape_count(&l->args[0].shape);
    for (int32_t i = 0; i < l->n_args; i++) s->bytes += view_bytes(&l->args[i]);
    s->bytes += view_bytes(&l->out);
}

static void count_fused(orr_step *s) {
    const orr_fused *f = s->fused;
    const int64_t n = orr_shape_count(&f->shape), columns = f->rows ? f->shape.size[f->shape.rank - 1] : 1;
    for (int16_t i = 0; i < f->n_instructions; i++) {
        const orr_fused_instruction *x = &f->instruction[i];
        if (x->code == ORR_OP_broadcast) continue;
        s->flops += x->row && orr_ops[x->code]->kind != ORR_KIND_REDUCTION ? n / columns : n;
    }
    for (int16_t i = 0; i < f->n_inputs; i++) s->bytes += view_bytes(&f->input[i]);
    for (int16_t i = 0; i < f->n_outputs; i++) {
        s->bytes += view_bytes(&f->output[i].view);
        if (f->output[i].reduction) s->flops += n;
    }
}

/* ---- steps
 * ------------------------------------------------------------------------------------------------------------ */

static orr_status launch_step(builder *b, int32_t node) {
    orr_program *p = b->p;
    const orr_graph_node *n = &b->g->nodes[node];
    const int32_t at = p->n_steps++;
    orr_step *s = &p->steps[at];
    orr_view *args = ORR_NEW(p->arena, orr_view, n->n_args);
    void *attr = n->op->attr_size ? orr_arena_take(p->arena, 1, n->op->attr_size) : NULL;
    if (!args || (n->op->attr_size && !attr)) return no_memory(b);
    if (attr) memcpy(attr, n->attr, n->op->attr_size);
    *s = (orr_step){ .kernel = orr_device_kernel(p->device, n->op->code),
                     .node = node,
                     .first_relocation = p->n_relocations };
    s->launch = (orr_launch){
        .code = n->op->code, .attr = attr, .n_args = n->n_args, .args = args, .pool = orr_context_pool(b->ctx)
    };
    for (int32_t k = 0; k < n->n_args; k++) ORR_TRY(b->ctx, show(b, &args[k], n->args[k].id, at, false));
    ORR_TRY(b->ctx, show(b, &s->launch.out, node, at, true));
    b->step_of[node] = at;
    count_launch(s);
    return ORR_OK;
}

/* A copy of what `from` shows into a buffer, contiguous: an output or an update that no launch writes where it belongs.
 */
static orr_status copy_step(builder *b, int32_t from, int32_t buffer) {
    orr_program *p = b->p;
    const int32_t at = p->n_steps++;
    orr_step *s = &p->steps[at];
    orr_view *arg = ORR_NEW(p->arena, orr_view, 1);
    if (!arg) return no_memory(b);
    *s = (orr_step){ .kernel = orr_device_kernel(p->device, ORR_OP_stop), .first_relocation = p->n_relocations };
    s->launch = (orr_launch){ .code = ORR_OP_stop, .n_args = 1, .args = arg, .pool = orr_context_pool(b->ctx) };
    ORR_TRY(b->ctx, show(b, arg, from, at, false));
    s->launch.out = orr_view_contiguous(arg->dtype, &arg->shape);
    relocate(b, &s->launch.out.data, buffer, 0, at, true);
    count_launch(s);
    return ORR_OK;
}

/* A fused group under construction.  While inputs and constants are still being found, constant i is numbered -1 - i
 * and instruction i INSTRUCTION_BASE + i. */
enum { INSTRUCTION_BASE = 1000 };

typedef struct fusing {
    orr_fused *f;
    int16_t *number;                        /* [nodes]: of the nodes of this group */
    int32_t shown[ORR_FUSED_READS];         /* node of each input */
    int16_t spread[ORR_FUSED_INSTRUCTIONS]; /* instruction that spreads the result of instruction i; -1 */
} fusing;

static int16_t add_instruction(fusing *x, orr_fused_instruction instruction) {
    x->spread[x->f->n_instructions] = -1;
    x->f->instruction[x->f->n_instructions] = instruction;
    return (int16_t)(INSTRUCTION_BASE + x->f->n_instructions++);
}

static int16_t constant_number(fusing *x, orr_dtype dtype, double value) {
    orr_fused *f = x->f;
    for (int16_t i = 0; i < f->n_constants; i++)
        if (f->constant_dtype[i] == dtype && memcmp(&f->constant[i], &value, sizeof value) == 0)
            return (int16_t)(-1 - i);
    f->constant[f->n_constants] = value;
    f->constant_dtype[f->n_constants] = dtype;
    return (int16_t)(-1 - f->n_constants++);
}

/* What a row-level node reads from memory, over the shape without its last axis: contiguous, or one number. */
static orr_view row_view(const orr_fused *f, const orr_view *view) {
    orr_shape shape = f->shape;
    shape.rank--;
    orr_view out = orr_view_contiguous(view->dtype, &shape);
    bool one = true;
    for (int32_t i = 0; i < view->shape.rank; i++) one = one && (view->stride[i] == 0 || view->shape.size[i] == 1);
    for (int32_t i = 0; one && i < shape.rank; i++) out.stride[i] = 0;
    return out;
}

static orr_status input_number(builder *b, fusing *x, int32_t node, int32_t k, bool row, int16_t *out) {
    orr_fused *f = x->f;
    const int32_t arg = b->g->nodes[node].args[k].id;
    orr_view view = orr_plan_arg_view(&b->plan, node, k);
    if (row) view = row_view(f, &view);
    for (int16_t i = 0; i < f->n_inputs; i++)
        if (x->shown[i] == arg && f->input_row[i] == row &&
            memcmp(f->input[i].stride, view.stride, sizeof view.stride) == 0) {
            *out = i;
            return ORR_OK;
        }
    orr_view *input = &f->input[f->n_inputs];
    x->shown[f->n_inputs] = arg;
    f->input_row[f->n_inputs] = row;
    *out = f->n_inputs++;
    ORR_TRY(b->ctx, show(b, input, arg, b->p->n_steps - 1, false));
    *input = view;
    return ORR_OK;
}

/* Number of argument k of a node among the values of its group. */
static orr_status fused_value(builder *b, fusing *x, int32_t node, int32_t k, int16_t *out) {
    const orr_plan *plan = &b->plan;
    const int32_t arg = b->g->nodes[node].args[k].id, root = orr_plan_root(plan, arg);
    const orr_layout *l = &plan->layout[arg];
    const bool row = plan->is_row[node] && b->g->nodes[node].op->kind != ORR_KIND_REDUCTION;
    switch (orr_plan_reach(plan, node, k, plan->group_of[node])) {
    case ORR_REACH_MEMORY:
        if (l->holding != ORR_HOLD_FILL) return input_number(b, x, node, k, row, out);
        *out = constant_number(x, b->g->nodes[arg].type.dtype, l->fill);
        return ORR_OK;
    case ORR_REACH_SPREAD: {
        int16_t *spread = &x->spread[x->number[root] - INSTRUCTION_BASE];
        if (*spread < 0) {
            const orr_fused_instruction made = { .code = ORR_OP_broadcast,
                                                 .args = { x->number[root] },
                                                 .n_args = 1,
                                                 .dtype = b->g->nodes[root].type.dtype };
            *spread = add_instruction(x, made);
        }
        *out = *spread;
        return ORR_OK;
    }
    case ORR_REACH_SAME:
    case ORR_REACH_NEVER: break;
    }
    *out = x->number[root];
    return ORR_OK;
}

static int16_t final_number(const orr_fused *f, int16_t v) {
    if (v >= INSTRUCTION_BASE) return (int16_t)(orr_fused_first_instruction(f) + v - INSTRUCTION_BASE);
    return v < 0 ? (int16_t)(orr_fused_first_constant(f) - 1 - v) : v;
}

/* Whether row values are used inside the group, so that reductions become instructions. */
static bool uses_rows(const orr_plan *plan, const orr_group *group) {
    for (int32_t i = group->first; i >= 0; i = plan->next_in_group[i]) {
        if (plan->is_row[i] && plan->g->nodes[i].op->kind != ORR_KIND_REDUCTION) return true;
        for (int32_t k = 0; k < plan->g->nodes[i].n_args; k++)
            if (orr_plan_reach(plan, i, k, plan->group_of[i]) == ORR_REACH_SPREAD) return true;
    }
    return false;
}

static orr_status add_output(builder *b, orr_fused *f, int32_t node, orr_fused_output output) {
    orr_fused_output *o = &f->output[f->n_outputs++];
    *o = output;
    ORR_TRY(b->ctx, show(b, &o->view, node, b->p->n_steps - 1, true));
    if (output.row) o->view = row_view(f, &o->view);
    return ORR_OK;
}

static orr_status fuse_node(builder *b, fusing *x, int32_t node) {
    const orr_graph_node *n = &b->g->nodes[node];
    const bool reduction = n->op->kind == ORR_KIND_REDUCTION, row = x->f->rows && b->plan.is_row[node];
    int16_t args[3] = { 0 };
    for (int32_t k = 0; k < n->n_args; k++) ORR_TRY(b->ctx, fused_value(b, x, node, k, &args[k]));
    if (reduction && !x->f->rows) {
        const orr_fused_output made = { .value = args[0],
                                        .reduction = n->op->code == ORR_OP_sum ? ORR_REDUCE_SUM : ORR_REDUCE_MAX };
        return add_output(b, x->f, node, made);
    }
    orr_fused_instruction made = { .code = orr_plan_is_outer(b->g, node) ? ORR_OP_mul : n->op->code,
                                   .n_args = (int16_t)n->n_args,
                                   .dtype = n->type.dtype,
                                   .row = row };
    memcpy(made.args, args, sizeof made.args);
    x->number[node] = add_instruction(x, made);
    if (!b->plan.in_memory[node]) return ORR_OK;
    return add_output(b, x->f, node, (orr_fused_output){ .value = x->number[node], .row = row });
}

static orr_status fused_step(builder *b, const orr_group *group, int16_t *number) {
    orr_program *p = b->p;
    const int32_t at = p->n_steps++, first_relocation = p->n_relocations;
    fusing x = { .f = ORR_NEW(p->arena, orr_fused, 1), .number = number };
    orr_fused *f = x.f;
    if (!f) return no_memory(b);
    *f = (orr_fused){ .shape = group->shape, .reduced = group->reduced, .rows = uses_rows(&b->plan, group) };
    for (int32_t i = group->first; i >= 0; i = b->plan.next_in_group[i]) {
        b->step_of[i] = at;
        ORR_TRY(b->ctx, fuse_node(b, &x, i));
    }
    for (int16_t i = 0; i < f->n_instructions; i++)
        for (int16_t k = 0; k < f->instruction[i].n_args; k++)
            f->instruction[i].args[k] = final_number(f, f->instruction[i].args[k]);
    for (int16_t i = 0; i < f->n_outputs; i++) f->output[i].value = final_number(f, f->output[i].value);
    p->steps[at] = (orr_step){ .fused = f, .node = group->last, .first_relocation = first_relocation };
    count_fused(&p->steps[at]);
    return ORR_OK;
}

static orr_status make_steps(builder *b) {
    int16_t *number = ORR_NEW(b->plan.scratch, int16_t, b->g->n);
    if (!number) return no_memory(b);
    for (int32_t i = 0; i < b->plan.n_order; i++) {
        const orr_group *group = &b->plan.groups[b->plan.order[i]];
        if (group->fused) ORR_TRY(b->ctx, fused_step(b, group, number));
        else ORR_TRY(b->ctx, launch_step(b, group->first));
        b->p->steps[b->p->n_steps - 1].group = b->plan.order[i];
    }
    return ORR_OK;
}

/* ---- outputs and updates
 * ------------------------------------------------------------------------------------------------ */

static orr_status make_outputs(builder *b) {
    orr_program *p = b->p;
    for (int32_t i = 0; i < b->options->n_outputs; i++) {
        const int32_t node = b->options->outputs[i].id;
        const orr_layout *l = &b->plan.layout[node];
        int32_t buffer = -1;
        for (int32_t k = 0; k < p->n_outputs; k++)
            if (p->outputs[k].node == node) buffer = p->outputs[k].buffer;
        if (buffer < 0 && l->holding == ORR_HOLD_BUFFER && b->plan.group_of[node] >= 0) {
            buffer = b->buffer_of[node];
            p->buffers[buffer].kind = ORR_BUFFER_OUTPUT;
        } else if (buffer < 0) {
            buffer = add_buffer(b, ORR_BUFFER_OUTPUT, node, bytes_of(&b->g->nodes[node].type));
            ORR_TRY(b->ctx, copy_step(b, node, buffer));
        }
        p->outputs[p->n_outputs++] = (orr_binding){ node, buffer };
    }
    return ORR_OK;
}

static int32_t input_root(const builder *b, int32_t node) {
    const int32_t root = orr_plan_root(&b->plan, node);
    return root && b->g->nodes[root].op->code == ORR_OP_input ? root : 0;
}

static int32_t end_of_relocations(const orr_program *p, int32_t step) {
    return step + 1 < p->n_steps ? p->steps[step + 1].first_relocation : p->n_relocations;
}

/* Whether a fused step may write output `o` over the buffer behind its input views: every view of that buffer shows the
 * same elements in the same order, and no instruction reads them after the one that overwrites them. */
static bool fused_may_overwrite(const orr_program *p, int32_t step, int32_t read_buffer, int16_t o) {
    const orr_fused *f = p->steps[step].fused;
    const orr_fused_output *out = &f->output[o];
    const int16_t base = orr_fused_first_instruction(f);
    if (out->reduction || out->value < base || !orr_view_is_contiguous(&out->view)) return false;
    for (int32_t r = p->steps[step].first_relocation; r < end_of_relocations(p, step); r++) {
        const orr_relocation *x = &p->relocations[r];
        if (x->writes || x->buffer != read_buffer) continue;
        for (int16_t i = 0; i < f->n_inputs; i++) {
            if (x->where != &f->input[i].data) continue;
            if (x->offset != 0 || !orr_view_is_contiguous(&f->input[i]) ||
                orr_dtype_size(f->input[i].dtype) != orr_dtype_size(out->view.dtype))
                return false;
            for (int16_t k = 0; k < f->n_instructions; k++)
                for (int16_t a = 0; a < f->instruction[k].n_args; a++)
                    if (f->instruction[k].args[a] == i && base + k > out->value) return false;
            for (int16_t k = 0; k < f->n_outputs; k++)
                if (f->output[k].value == i) return false;
        }
    }
    return true;
}

static int16_t fused_output_of(const orr_program *p, int32_t step, int32_t buffer) {
    const orr_fused *f = p->steps[step].fused;
    for (int16_t o = 0; f && o < f->n_outputs; o++)
        for (int32_t r = p->steps[step].first_relocation; r < end_of_relocations(p, step); r++)
            if (p->relocations[r].where == &f->output[o].view.data && p->relocations[r].buffer == buffer) return o;
    return -1;
}

/* Whether the launch that makes `value` can write it into the input's own buffer. */
static bool update_in_place(const builder *b, int32_t input, int32_t value) {
    const orr_program *p = b->p;
    if (b->plan.layout[value].holding != ORR_HOLD_BUFFER || b->plan.group_of[value] < 0) return false;
    const orr_buffer *made = &p->buffers[b->buffer_of[value]];
    if (made->kind != ORR_BUFFER_TEMP || made->same_as >= 0) return false;
    const int32_t step = b->step_of[value], read = p->buffers[b->buffer_of[input]].last_read;
    if (read != step) return read < step;
    const int16_t o = fused_output_of(p, step, b->buffer_of[value]);
    return o >= 0 && fused_may_overwrite(p, step, b->buffer_of[input], o);
}

static orr_status make_updates(builder *b) {
    orr_program *p = b->p;
    const int32_t n = b->options->n_updates;
    int32_t *kept = ORR_NEW(b->plan.scratch, int32_t, n); /* buffer of a copy made before anything is overwritten */
    bool *done = ORR_NEW(b->plan.scratch, bool, n);
    if (!kept || !done) return no_memory(b);
    /* An update whose new value is (a view of) an input: that input may itself be updated, so it is copied first. */
    for (int32_t i = 0; i < n; i++) {
        const int32_t value = b->options->updates[i].value.id;
        kept[i] = -1;
        if (!input_root(b, value)) continue;
        kept[i] = add_buffer(b, ORR_BUFFER_TEMP, 0, bytes_of(&b->g->nodes[value].type));
        ORR_TRY(b->ctx, copy_step(b, value, kept[i]));
    }
    for (int32_t i = 0; i < n; i++) {
        const int32_t input = b->options->updates[i].input.id, value = b->options->updates[i].value.id;
        if (kept[i] >= 0 || !update_in_place(b, input, value)) continue;
        p->buffers[b->buffer_of[value]].same_as = b->buffer_of[input];
        done[i] = true;
    }
    for (int32_t i = 0; i < n; i++) {
        const int32_t input = b->options->updates[i].input.id, value = b->options->updates[i].value.id;
        if (done[i]) continue;
        ORR_TRY(b->ctx, copy_step(b, value, b->buffer_of[input]));
        if (kept[i] < 0) continue;
        orr_step *s = &p->steps[p->n_steps - 1]; /* from the copy, which is contiguous */
        orr_relocation *from = &p->relocations[p->n_relocations - 2];
        *(orr_view *)(uintptr_t)s->launch.args = orr_view_contiguous(s->launch.args[0].dtype, &s->launch.args[0].shape);
        from->buffer = kept[i];
        from->offset = 0;
        p->buffers[kept[i]].dies = from->step;
    }
    return ORR_OK;
}

/* A fused launch writes over a temporary that it is the last to read: half the traffic, less memory. */
static void share_in_place(builder *b) {
    orr_program *p = b->p;
    if (b->options->spill_everything) return;
    for (int32_t at = 0; at < p->n_steps; at++) {
        orr_step *s = &p->steps[at];
        if (!s->fused) continue;
        const int32_t first = s->first_relocation, end = end_of_relocations(p, at);
        for (int32_t r = first; r < end; r++) {
            const orr_relocation *w = &p->relocations[r];
            if (!w->writes) continue;
            orr_buffer *out = &p->buffers[w->buffer];
            if (out->kind != ORR_BUFFER_TEMP || out->same_as >= 0) continue;
            const int16_t o = fused_output_of(p, at, w->buffer);
            for (int32_t q = first; q < end; q++) {
                const orr_relocation *read = &p->relocations[q];
                if (read->writes || read->buffer == w->buffer) continue;
                int32_t owner = read->buffer;
                while (p->buffers[owner].same_as >= 0) owner = p->buffers[owner].same_as;
                orr_buffer *in = &p->buffers[owner];
                if (in->kind != ORR_BUFFER_TEMP || in->dies != at || in->bytes != out->bytes ||
                    !fused_may_overwrite(p, at, read->buffer, o))
                    continue;
                out->same_as = owner;
                in->dies = out->dies;
                break;
            }
        }
    }
}

/* ---- memory and text
 * ---------------------------------------------------------------------------------------------------- */

static size_t rounded(size_t n) { return (n + 63) & ~(size_t)63; }

static int32_t owner_of(const orr_program *p, int32_t buffer) {
    while (p->buffers[buffer].same_as >= 0) buffer = p->buffers[buffer].same_as;
    return buffer;
}

static void point(orr_program *p, int32_t buffer) {
    for (int32_t r = 0; r < p->n_relocations; r++) {
        const orr_relocation *x = &p->relocations[r];
        if (buffer >= 0 && owner_of(p, x->buffer) != buffer) continue;
        *x->where = (char *)p->buffers[owner_of(p, x->buffer)].data + x->offset;
    }
    for (int32_t i = 0; i < p->n_steps; i++)
        if (p->steps[i].fused && p->device->fused_bind)
            p->device->fused_bind(p->steps[i].fused, p->steps[i].plan, p->workspace);
}

static orr_status allocate(builder *b) {
    orr_program *p = b->p;
    for (int32_t i = 0; i < p->n_buffers; i++) { /* a temp that nothing reads still lives while it is written */
        orr_buffer *x = &p->buffers[i];
        if (x->kind == ORR_BUFFER_TEMP && (b->options->spill_everything || x->dies < x->born)) x->dies = INT32_MAX - 1;
        if (b->options->spill_everything) x->born = 0;
    }
    int32_t *order = ORR_NEW(b->plan.scratch, int32_t, p->n_buffers);
    if (!order) return no_memory(b);
    p->temp_bytes = orr_memory_pack(p->buffers, p->n_buffers, order);
    size_t end = rounded(p->temp_bytes);
    for (int32_t i = 0; i < p->n_buffers; i++) {
        orr_buffer *x = &p->buffers[i];
        if (x->kind == ORR_BUFFER_TEMP || x->same_as >= 0) continue;
        p->persistent_bytes += x->bytes;
        if (x->kind == ORR_BUFFER_LITERAL) continue;
        x->offset = end;
        end += rounded(x->bytes ? x->bytes : 1);
    }
    p->memory = orr_allocate(b->ctx, end ? end : 64);
    p->workspace = orr_allocate(b->ctx, p->workspace_bytes ? p->workspace_bytes : 64);
    if (!p->memory || !p->workspace)
        return orr_fail(b->ctx, ORR_ENOMEM, "compile: no memory for buffers of %zu bytes", end + p->workspace_bytes);
    /* Inputs start as zeros; temporaries are written before they are read, and touching them here would cost page
     * faults. */
    memset((char *)p->memory + rounded(p->temp_bytes), 0, end - rounded(p->temp_bytes));
    for (int32_t i = 0; i < p->n_buffers; i++)
        if (p->buffers[i].kind != ORR_BUFFER_LITERAL && p->buffers[i].same_as < 0)
            p->buffers[i].data = (char *)p->memory + p->buffers[i].offset;
    point(p, -1);
    for (int32_t i = 0; i < p->n_steps; i++) p->steps[i].launch.workspace = p->workspace;
    return ORR_OK;
}

static orr_status prepare_steps(builder *b) {
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

static const char *step_text(builder *b, const orr_step *s) {
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

static orr_status describe_steps(builder *b) {
    orr_program *p = b->p;
    p->step_text = ORR_NEW(p->arena, const char *, p->n_steps);
    p->step_where = ORR_NEW(p->arena, const char *, p->n_steps);
    if (!p->step_text || !p->step_where) return no_memory(b);
    for (int32_t i = 0; i < p->n_steps; i++) {
        const orr_graph_node *n = &b->g->nodes[p->steps[i].node];
        const char *file = p->steps[i].node ? n->file : "-", *slash = strrchr(file, '/');
        p->step_text[i] = step_text(b, &p->steps[i]);
        p->step_where[i] =
            orr_arena_format(p->arena, "%s:%d", slash ? slash + 1 : file, p->steps[i].node ? n->line : 0);
        if (!p->step_text[i] || !p->step_where[i]) return no_memory(b);
    }
    return ORR_OK;
}

/* ---- the whole
 * ---------------------------------------------------------------------------------------------------------- */

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

static orr_status reserve(builder *b) {
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
        return no_memory(b);
    for (int32_t i = 0; i < n; i++) b->buffer_of[i] = b->step_of[i] = -1;
    return ORR_OK;
}

static orr_status build(builder *b) {
    ORR_TRY(b->ctx, orr_plan_layout(&b->plan));
    ORR_TRY(b->ctx, orr_plan_fuse(&b->plan));
    ORR_TRY(b->ctx, orr_plan_schedule(&b->plan));
    ORR_TRY(b->ctx, reserve(b));
    ORR_TRY(b->ctx, make_source_buffers(b));
    ORR_TRY(b->ctx, make_steps(b));
    ORR_TRY(b->ctx, make_outputs(b));
    ORR_TRY(b->ctx, make_updates(b));
    share_in_place(b);
    ORR_TRY(b->ctx, prepare_steps(b));
    ORR_TRY(b->ctx, describe_steps(b));
    return allocate(b);
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
    builder b = { .plan = { .ctx = ctx, .g = g, .device = device, .options = &given, .scratch = scratch },
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
        point(p, p->inputs[i].buffer);
        return ORR_OK;
    }
    return ORR_OK; /* nothing that is computed depends on it */
}
