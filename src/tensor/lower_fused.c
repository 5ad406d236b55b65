/* From groups to fused launches: numbers for values, spreads for row values, outputs for what memory must hold. */
#define ORR_TENSOR_INSIDE
#include <string.h>

#include "tensor/builder.h"

/* A fused group under construction.  While inputs and constants are still being found, constant i is numbered -1 - i
 * and instruction i INSTRUCTION_BASE + i. */
enum { INSTRUCTION_BASE = 1000 };

typedef struct fusing {
    orr_fused *f;
    int32_t group;
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
        /* By their bits: -0 is not 0, and a NaN is itself.  NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
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

static orr_status input_number(orr_builder *b, fusing *x, int32_t node, int32_t k, bool row, int16_t *out) {
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
    ORR_TRY(b->ctx, orr_lower_show(b, input, arg, b->p->n_steps - 1, false));
    *input = view;
    return ORR_OK;
}

/* Number of argument k of a node among the values of its group. */
static orr_status fused_value(orr_builder *b, fusing *x, int32_t node, int32_t k, int16_t *out) {
    const orr_plan *plan = &b->plan;
    const int32_t arg = b->g->nodes[node].args[k].id, root = orr_plan_root(plan, arg);
    const orr_layout *l = &plan->layout[arg];
    const bool row = plan->is_row[node] && b->g->nodes[node].op->kind != ORR_KIND_REDUCTION;
    switch (orr_plan_reach(plan, node, k, x->group)) {
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

static orr_status add_output(orr_builder *b, orr_fused *f, int32_t node, orr_fused_output output) {
    orr_fused_output *o = &f->output[f->n_outputs++];
    *o = output;
    ORR_TRY(b->ctx, orr_lower_show(b, &o->view, node, b->p->n_steps - 1, true));
    if (output.row) o->view = row_view(f, &o->view);
    return ORR_OK;
}

/* A node of the group, or one of another that it computes again and keeps to itself. */
static orr_status fuse_node(orr_builder *b, fusing *x, int32_t node) {
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
    if (!b->plan.in_memory[node] || b->plan.group_of[node] != x->group) return ORR_OK;
    return add_output(b, x->f, node, (orr_fused_output){ .value = x->number[node], .row = row });
}

orr_status orr_lower_fused(orr_builder *b, const orr_group *group, int16_t *number) {
    orr_program *p = b->p;
    const int32_t at = p->n_steps++, first_relocation = p->n_relocations;
    fusing x = { .f = ORR_NEW(p->arena, orr_fused, 1), .group = b->plan.group_of[group->first], .number = number };
    orr_fused *f = x.f;
    if (!f) return orr_lower_no_memory(b);
    *f = (orr_fused){ .shape = group->shape, .reduced = group->reduced, .rows = uses_rows(&b->plan, group) };
    for (int32_t c = group->first_copy; c > 0; c = b->plan.copies[c].next)
        ORR_TRY(b->ctx, fuse_node(b, &x, b->plan.copies[c].node));
    for (int32_t i = group->first; i >= 0; i = b->plan.next_in_group[i]) {
        b->step_of[i] = at;
        ORR_TRY(b->ctx, fuse_node(b, &x, i));
    }
    for (int16_t i = 0; i < f->n_instructions; i++)
        for (int16_t k = 0; k < f->instruction[i].n_args; k++)
            f->instruction[i].args[k] = final_number(f, f->instruction[i].args[k]);
    for (int16_t i = 0; i < f->n_outputs; i++) f->output[i].value = final_number(f, f->output[i].value);
    p->steps[at] = (orr_step){ .fused = f, .node = group->last, .first_relocation = first_relocation };
    orr_count_fused(&p->steps[at]);
    return ORR_OK;
}
