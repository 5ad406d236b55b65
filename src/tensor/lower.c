/* From nodes to launches: every launch sees its arguments and its result as views that follow buffers. */
#define ORR_TENSOR_INSIDE
#include <string.h>

#include "tensor/builder.h"

orr_status orr_lower_no_memory(orr_builder *b) {
    return orr_fail(b->ctx, ORR_ENOMEM, "compile: no memory for the program");
}

size_t orr_type_bytes(const orr_type *t) { return (size_t)orr_shape_count(&t->shape) * orr_dtype_size(t->dtype); }

int32_t orr_lower_buffer(orr_builder *b, orr_buffer_kind kind, int32_t node, size_t bytes) {
    orr_program *p = b->p;
    p->buffers[p->n_buffers] = (orr_buffer){
        .kind = kind, .node = node, .bytes = bytes, .born = INT32_MAX, .dies = -1, .last_read = -1, .same_as = -1
    };
    return p->n_buffers++;
}

void orr_lower_relocate(orr_builder *b, void **where, int32_t buffer, int64_t bytes, int32_t step, bool writes) {
    orr_program *p = b->p;
    p->relocations[p->n_relocations++] =
        (orr_relocation){ .where = where, .buffer = buffer, .offset = bytes, .step = step, .writes = writes };
    orr_buffer *held = &p->buffers[buffer];
    if (step < held->born) held->born = step;
    if (step > held->dies) held->dies = step;
    if (!writes && step > held->last_read) held->last_read = step;
}

/* A buffer of one element that holds a constant, for launches that read a fill. */
static orr_status constant_buffer(orr_builder *b, orr_dtype dtype, double value, int32_t *out) {
    void *data = orr_arena_take(b->p->arena, 1, 8);
    if (!data) return orr_lower_no_memory(b);
    switch (dtype) {
    case ORR_F32: *(float *)data = (float)value; break;
    case ORR_F64: *(double *)data = value; break;
    case ORR_I32: *(int32_t *)data = (int32_t)value; break;
    case ORR_BOOL: *(uint8_t *)data = value != 0.0; break;
    }
    *out = orr_lower_buffer(b, ORR_BUFFER_LITERAL, 0, orr_dtype_size(dtype));
    b->p->buffers[*out].data = data;
    return ORR_OK;
}

/* Lets `view` show node `node` and follow its buffer. */
orr_status orr_lower_show(orr_builder *b, orr_view *view, int32_t node, int32_t step, bool writes) {
    const orr_layout *l = &b->plan.layout[node];
    const orr_type *t = &b->g->nodes[node].type;
    if (l->holding == ORR_HOLD_FILL) {
        int32_t buffer = -1;
        ORR_TRY(b->ctx, constant_buffer(b, t->dtype, l->fill, &buffer));
        *view = (orr_view){ .dtype = t->dtype, .shape = t->shape };
        orr_lower_relocate(b, &view->data, buffer, 0, step, false);
        return ORR_OK;
    }
    *view = l->view;
    orr_lower_relocate(b, &view->data, b->buffer_of[l->root], l->offset * (int64_t)orr_dtype_size(t->dtype), step,
                       writes);
    return ORR_OK;
}

/* ---- buffers --------------------------------------------------------------------------------------------------- */

static orr_status iota_data(orr_builder *b, int32_t node, const void **out, size_t *bytes) {
    const orr_attr_iota *attr = b->g->nodes[node].attr;
    const int64_t n = attr->type.shape.size[attr->axis];
    void *data = orr_arena_take(b->p->arena, n, orr_dtype_size(attr->type.dtype));
    if (!data) return orr_lower_no_memory(b);
    for (int64_t i = 0; i < n; i++)
        if (attr->type.dtype == ORR_F32) ((float *)data)[i] = (float)i;
        else if (attr->type.dtype == ORR_F64) ((double *)data)[i] = (double)i;
        else ((int32_t *)data)[i] = (int32_t)i;
    *out = data;
    *bytes = (size_t)n * orr_dtype_size(attr->type.dtype);
    return ORR_OK;
}

static orr_status literal_data(orr_builder *b, int32_t node, void **out, size_t *bytes) {
    const orr_graph_node *n = &b->g->nodes[node];
    *bytes = orr_type_bytes(&n->type);
    *out = orr_arena_take(b->p->arena, (int64_t)*bytes, 1);
    if (!*out) return orr_lower_no_memory(b);
    if (*bytes) memcpy(*out, ((const orr_attr_literal *)n->attr)->data, *bytes);
    return ORR_OK;
}

orr_status orr_lower_sources(orr_builder *b) {
    for (int32_t i = 1; i < b->g->n; i++) {
        if (b->plan.layout[i].holding != ORR_HOLD_BUFFER) continue;
        const orr_graph_node *n = &b->g->nodes[i];
        if (n->op->code == ORR_OP_input) {
            b->buffer_of[i] = orr_lower_buffer(b, ORR_BUFFER_INPUT, i, orr_type_bytes(&n->type));
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
            b->buffer_of[i] = orr_lower_buffer(b, ORR_BUFFER_LITERAL, i, bytes);
            b->p->buffers[b->buffer_of[i]].data = data;
        } else if (b->plan.in_memory[i]) {
            b->buffer_of[i] = orr_lower_buffer(b, ORR_BUFFER_TEMP, i, orr_type_bytes(&n->type));
        }
    }
    return ORR_OK;
}

/* ---- steps ----------------------------------------------------------------------------------------------------- */

static orr_status launch_step(orr_builder *b, int32_t node) {
    orr_program *p = b->p;
    const orr_graph_node *n = &b->g->nodes[node];
    const int32_t at = p->n_steps++;
    orr_step *s = &p->steps[at];
    orr_view *args = ORR_NEW(p->arena, orr_view, n->n_args);
    void *attr = n->op->attr_size ? orr_arena_take(p->arena, 1, n->op->attr_size) : NULL;
    if (!args || (n->op->attr_size && !attr)) return orr_lower_no_memory(b);
    if (attr) memcpy(attr, n->attr, n->op->attr_size);
    *s = (orr_step){ .kernel = orr_device_kernel(p->device, n->op->code),
                     .node = node,
                     .first_relocation = p->n_relocations };
    s->launch = (orr_launch){
        .code = n->op->code, .attr = attr, .n_args = n->n_args, .args = args, .pool = orr_context_pool(b->ctx)
    };
    for (int32_t k = 0; k < n->n_args; k++) ORR_TRY(b->ctx, orr_lower_show(b, &args[k], n->args[k].id, at, false));
    ORR_TRY(b->ctx, orr_lower_show(b, &s->launch.out, node, at, true));
    b->step_of[node] = at;
    orr_count_launch(s);
    return ORR_OK;
}

/* A copy of what `from` shows into a buffer, contiguous: an output or an update that no launch writes where it belongs.
 */
orr_status orr_lower_copy(orr_builder *b, int32_t from, int32_t buffer) {
    orr_program *p = b->p;
    const int32_t at = p->n_steps++;
    orr_step *s = &p->steps[at];
    orr_view *arg = ORR_NEW(p->arena, orr_view, 1);
    if (!arg) return orr_lower_no_memory(b);
    *s = (orr_step){ .kernel = orr_device_kernel(p->device, ORR_OP_stop), .first_relocation = p->n_relocations };
    s->launch = (orr_launch){ .code = ORR_OP_stop, .n_args = 1, .args = arg, .pool = orr_context_pool(b->ctx) };
    ORR_TRY(b->ctx, orr_lower_show(b, arg, from, at, false));
    s->launch.out = orr_view_contiguous(arg->dtype, &arg->shape);
    orr_lower_relocate(b, &s->launch.out.data, buffer, 0, at, true);
    orr_count_launch(s);
    return ORR_OK;
}

orr_status orr_lower_steps(orr_builder *b) {
    int16_t *number = ORR_NEW(b->plan.scratch, int16_t, b->g->n);
    if (!number) return orr_lower_no_memory(b);
    for (int32_t i = 0; i < b->plan.n_order; i++) {
        const orr_group *group = &b->plan.groups[b->plan.order[i]];
        if (b->plan.joined[group->first]) continue;
        if (group->fused) ORR_TRY(b->ctx, orr_lower_fused(b, group, number));
        else ORR_TRY(b->ctx, launch_step(b, group->first));
        b->p->steps[b->p->n_steps - 1].group = b->plan.order[i];
    }
    return ORR_OK;
}
