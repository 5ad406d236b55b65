/* Where results stand: outputs, new values of inputs, temporaries, and the addresses of all. */
#define ORR_TENSOR_INSIDE
#include <string.h>

#include "tensor/builder.h"

/* ---- outputs and updates --------------------------------------------------------------------------------------- */

orr_status orr_place_outputs(orr_builder *b) {
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
            buffer = orr_lower_buffer(b, ORR_BUFFER_OUTPUT, node, orr_type_bytes(&b->g->nodes[node].type));
            ORR_TRY(b->ctx, orr_lower_copy(b, node, buffer));
        }
        p->outputs[p->n_outputs++] = (orr_binding){ node, buffer };
    }
    return ORR_OK;
}

static int32_t input_root(const orr_builder *b, int32_t node) {
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
static bool update_in_place(const orr_builder *b, int32_t input, int32_t value) {
    const orr_program *p = b->p;
    if (b->plan.layout[value].holding != ORR_HOLD_BUFFER || b->plan.group_of[value] < 0) return false;
    const orr_buffer *made = &p->buffers[b->buffer_of[value]];
    if (made->kind != ORR_BUFFER_TEMP || made->same_as >= 0) return false;
    const int32_t step = b->step_of[value], read = p->buffers[b->buffer_of[input]].last_read;
    if (read != step) return read < step;
    const int16_t o = fused_output_of(p, step, b->buffer_of[value]);
    return o >= 0 && fused_may_overwrite(p, step, b->buffer_of[input], o);
}

orr_status orr_place_updates(orr_builder *b) {
    orr_program *p = b->p;
    const int32_t n = b->options->n_updates;
    int32_t *kept = ORR_NEW(b->plan.scratch, int32_t, n); /* buffer of a copy made before anything is overwritten */
    bool *done = ORR_NEW(b->plan.scratch, bool, n);
    if (!kept || !done) return orr_lower_no_memory(b);
    /* An update whose new value is (a view of) an input: that input may itself be updated, so it is copied first. */
    for (int32_t i = 0; i < n; i++) {
        const int32_t value = b->options->updates[i].value.id;
        kept[i] = -1;
        if (!input_root(b, value)) continue;
        kept[i] = orr_lower_buffer(b, ORR_BUFFER_TEMP, 0, orr_type_bytes(&b->g->nodes[value].type));
        ORR_TRY(b->ctx, orr_lower_copy(b, value, kept[i]));
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
        ORR_TRY(b->ctx, orr_lower_copy(b, value, b->buffer_of[input]));
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
void orr_place_shared(orr_builder *b) {
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
                in->dies = out->dies > at ? out->dies : at + 1; /* taken: no second output may have it */
                break;
            }
        }
    }
}

/* ---- memory and text ------------------------------------------------------------------------------------------- */

static size_t rounded(size_t n) { return (n + 63) & ~(size_t)63; }

static int32_t owner_of(const orr_program *p, int32_t buffer) {
    while (p->buffers[buffer].same_as >= 0) buffer = p->buffers[buffer].same_as;
    return buffer;
}

void orr_place_point(orr_program *p) {
    for (int32_t r = 0; r < p->n_relocations; r++) {
        const orr_relocation *x = &p->relocations[r];
        *x->where = (char *)p->buffers[owner_of(p, x->buffer)].data + x->offset;
    }
    for (int32_t i = 0; i < p->n_steps; i++)
        if (p->steps[i].fused && p->device->fused_bind)
            p->device->fused_bind(p->steps[i].fused, p->steps[i].plan, p->workspace);
}

orr_status orr_place_memory(orr_builder *b) {
    orr_program *p = b->p;
    for (int32_t i = 0; i < p->n_buffers; i++) { /* a temp that nothing reads still lives while it is written */
        orr_buffer *x = &p->buffers[i];
        if (x->kind == ORR_BUFFER_TEMP && (b->options->spill_everything || x->dies < x->born)) x->dies = INT32_MAX - 1;
        if (b->options->spill_everything) x->born = 0;
    }
    int32_t *order = ORR_NEW(b->plan.scratch, int32_t, p->n_buffers);
    if (!order) return orr_lower_no_memory(b);
    p->minimum_bytes = orr_memory_minimum(p->buffers, p->n_buffers);
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
    for (int32_t i = 0; i < p->n_buffers; i++)
        if (p->buffers[i].kind != ORR_BUFFER_LITERAL && p->buffers[i].same_as < 0)
            p->buffers[i].data = (char *)p->memory + p->buffers[i].offset;
    for (int32_t i = 0; i < p->n_steps; i++) p->steps[i].launch.workspace = p->workspace;
    return ORR_OK;
}
