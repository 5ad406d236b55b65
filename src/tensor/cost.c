/* What a launch costs. */
#define ORR_TENSOR_INSIDE
#include <string.h>

#include "tensor/builder.h"

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

void orr_count_launch(orr_step *s) {
    const orr_launch *l = &s->launch;
    const orr_op_kind kind = orr_ops[l->code]->kind;
    if (kind == ORR_KIND_CONTRACTION) s->flops = einsum_flops(l->attr, &l->args[0], &l->args[1]);
    else if (kind == ORR_KIND_CONVOLUTION) s->flops = convolution_flops(l);
    else if (kind == ORR_KIND_ELEMENTWISE || kind == ORR_KIND_REDUCTION)
        s->flops = l->code == ORR_OP_stop ? 0 : orr_shape_count(&l->args[0].shape);
    for (int32_t i = 0; i < l->n_args; i++) s->bytes += view_bytes(&l->args[i]);
    s->bytes += view_bytes(&l->out);
}

void orr_count_fused(orr_step *s) {
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
