#include "tensor/cases.h"

typedef struct list {
    op_case *c;
    int n;
    const orr_op *op;
} list;

#define SHAPE  ORR_SHAPE
#define SCALAR ORR_SCALAR

static op_case *push(list *l, const char *label, bool large) {
    if (l->n == CASES_MAX) fail_msg("%s: more than %d cases", l->op->name, CASES_MAX);
    op_case *c = &l->c[l->n++];
    memset(c, 0, sizeof *c); /* attributes are compared as bytes */
    c->op = l->op;
    c->dtype = ORR_F64;
    c->large = large;
    (void)snprintf(c->label, sizeof c->label, "%s", label);
    return c;
}

static void add_arg(op_case *c, argument_kind kind, orr_shape shape, double high) {
    argument *a = &c->arg[c->n_args++];
    *a = (argument){ .kind = kind, .shape = shape, .low = c->op->low, .high = c->op->high };
    if (c->op->code == ORR_OP_abs)
        a->low = -a->high; /* its row leaves out 0, where the kink is; so does case_draw_apart */
    if (kind == ARGUMENT_INDEX) a->high = high;
}
static void add_main(op_case *c, orr_shape shape) { add_arg(c, ARGUMENT_MAIN, shape, 0); }

static const char *label_of(char text[40], const char *format, ...) ORR_PRINTF(2, 3);
static const char *label_of(char text[40], const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, 40, format, args);
    va_end(args);
    return text;
}

/* Extents 0, 1, primes, and enough numbers for several threads and for a rest in every loop. */
static const struct {
    orr_shape shape;
    bool large;
} elementwise_shapes[] = {
    { { 0, { 0 } }, false },       { { 1, { 1 } }, false },       { { 1, { 7 } }, false },
    { { 2, { 3, 5 } }, false },    { { 3, { 2, 1, 3 } }, false }, { { 1, { 0 } }, false },
    { { 3, { 2, 0, 3 } }, false }, { { 1, { 100003 } }, true },   { { 2, { 251, 409 } }, true },
};
enum { N_ELEMENTWISE = sizeof elementwise_shapes / sizeof *elementwise_shapes };

static void elementwise(list *l) {
    for (int i = 0; i < N_ELEMENTWISE; i++) {
        op_case *c = push(l, "", elementwise_shapes[i].large);
        for (int32_t k = 0; k < l->op->arity; k++)
            add_arg(c, l->op->code == ORR_OP_select && k == 0 ? ARGUMENT_BOOL : ARGUMENT_MAIN,
                    elementwise_shapes[i].shape, 0);
    }
}

/* ---- sources ---------------------------------------------------------------------------------------------------------- */

static void input(list *l) {
    add_main(push(l, "", false), SCALAR);
    add_main(push(l, "", false), SHAPE(3, 5));
    add_main(push(l, "", false), SHAPE(2, 0));
}

static void put_type(orr_type *type, orr_dtype dtype, orr_shape shape) {
    type->dtype = dtype;
    type->shape.rank = shape.rank;
    for (int32_t i = 0; i < shape.rank; i++) type->shape.size[i] = shape.size[i];
}

static void fill(list *l) {
    const double values[] = { 0.0, -0.0, 1.0, -2.0, 0.1 };
    for (int dtype = ORR_F32; dtype <= ORR_BOOL; dtype++)
        for (int i = 0; i < 5; i++) {
            op_case *c = push(l, "", false);
            put_type(&c->attr.fill.type, (orr_dtype)dtype, i % 2 ? SHAPE(3, 5) : SHAPE(7));
            const double v = values[i];
            c->attr.fill.value = dtype == ORR_F64   ? v
                                 : dtype == ORR_F32 ? (double)(float)v
                                 : dtype == ORR_I32 ? trunc(v)
                                                    : v != 0;
        }
    put_type(&push(l, "scalar", false)->attr.fill.type, ORR_F64, SCALAR);
    put_type(&push(l, "nothing", false)->attr.fill.type, ORR_F64, SHAPE(0, 3));
    put_type(&push(l, "large", true)->attr.fill.type, ORR_F32, SHAPE(100003));
}

static void literal(list *l) {
    for (int dtype = ORR_F32; dtype <= ORR_BOOL; dtype++)
        put_type(&push(l, "", false)->attr.fill.type, (orr_dtype)dtype, SHAPE(2, 3));
    put_type(&push(l, "scalar", false)->attr.fill.type, ORR_F64, SCALAR);
    put_type(&push(l, "nothing", false)->attr.fill.type, ORR_F64, SHAPE(0, 3));
}

static void iota(list *l) {
    for (int dtype = ORR_F32; dtype <= ORR_I32; dtype++)
        for (int32_t axis = 0; axis < 3; axis++) {
            op_case *c = push(l, "", false);
            put_type(&c->attr.iota.type, (orr_dtype)dtype, SHAPE(2, 3, 5));
            c->attr.iota.axis = axis;
        }
    put_type(&push(l, "nothing", false)->attr.iota.type, ORR_I32, SHAPE(0));
    put_type(&push(l, "large", true)->attr.iota.type, ORR_F32, SHAPE(100003));
}

/* ---- one rule each ---------------------------------------------------------------------------------------------------- */

static void cast(list *l) {
    char text[40];
    for (int to = ORR_F32; to <= ORR_BOOL; to++)
        for (int i = 0; i < N_ELEMENTWISE; i++) {
            op_case *c = push(l, label_of(text, "to %s", orr_dtype_name((orr_dtype)to)), elementwise_shapes[i].large);
            add_main(c, elementwise_shapes[i].shape);
            c->attr.cast.dtype = (orr_dtype)to;
        }
}

static void reduction(list *l) {
    static const struct {
        orr_shape shape;
        uint32_t axes;
        bool large;
    } t[] = {
        { { 1, { 7 } }, 1, false },           { { 1, { 1 } }, 1, false },
        { { 2, { 3, 5 } }, 1, false },        { { 2, { 3, 5 } }, 2, false },
        { { 2, { 3, 5 } }, 3, false },        { { 3, { 2, 3, 5 } }, 2, false },
        { { 3, { 2, 3, 5 } }, 5, false },     { { 4, { 2, 3, 1, 5 } }, 6, false },
        { { 4, { 2, 3, 2, 3 } }, 10, false }, { { 1, { 0 } }, 1, false },
        { { 2, { 3, 0 } }, 2, false },        { { 2, { 3, 0 } }, 1, false },
        { { 3, { 0, 1, 2 } }, 3, false },     { { 1, { 100003 } }, 1, true },
        { { 2, { 317, 331 } }, 1, true },     { { 2, { 317, 331 } }, 2, true },
        { { 2, { 317, 331 } }, 3, true },     { { 2, { 5, 20011 } }, 2, true },
        { { 2, { 20011, 5 } }, 1, true },     { { 3, { 41, 53, 47 } }, 2, true },
        { { 3, { 41, 53, 47 } }, 5, true },   { { 4, { 11, 13, 17, 19 } }, 9, true },
    };
    char text[40];
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        op_case *c = push(l, label_of(text, "axes %x", t[i].axes), t[i].large);
        add_main(c, t[i].shape);
        c->attr.reduce.axes = t[i].axes;
    }
}

static void put_shape(list *l, orr_shape from, orr_shape to, bool large) {
    op_case *c = push(l, "", large);
    add_main(c, from);
    c->attr.shape.shape.rank = to.rank;
    for (int32_t i = 0; i < to.rank; i++) c->attr.shape.shape.size[i] = to.size[i];
    (void)snprintf(c->label, sizeof c->label, "to rank %d", to.rank);
}

static void reshape(list *l) {
    put_shape(l, SHAPE(2, 3), SHAPE(3, 2), false);
    put_shape(l, SHAPE(6), SHAPE(1, 2, 3), false);
    put_shape(l, SCALAR, SHAPE(1), false);
    put_shape(l, SHAPE(1, 1), SCALAR, false);
    put_shape(l, SHAPE(5, 1), SHAPE(5), false);
    put_shape(l, SHAPE(2, 3, 5), SHAPE(6, 5), false);
    put_shape(l, SHAPE(0, 3), SHAPE(7, 0), false);
    put_shape(l, SHAPE(317, 331), SHAPE(331, 317), true);
}

static void broadcast(list *l) {
    put_shape(l, SCALAR, SHAPE(3), false);
    put_shape(l, SHAPE(1), SHAPE(7), false);
    put_shape(l, SHAPE(3, 1), SHAPE(2, 3, 4), false);
    put_shape(l, SHAPE(1, 1), SHAPE(3, 5), false);
    put_shape(l, SHAPE(2, 1, 3), SHAPE(2, 5, 3), false);
    put_shape(l, SHAPE(3), SHAPE(1, 3), false);
    put_shape(l, SHAPE(3), SHAPE(0, 3), false);
    put_shape(l, SHAPE(1), SHAPE(0), false);
    put_shape(l, SHAPE(0), SHAPE(2, 0), false);
    put_shape(l, SHAPE(331), SHAPE(317, 331), true);
    put_shape(l, SHAPE(317, 1), SHAPE(317, 331), true);
}

static void transpose(list *l) {
    static const struct {
        orr_shape shape;
        int32_t order[4];
        bool large;
    } t[] = {
        { { 2, { 3, 5 } }, { 1, 0 }, false },
        { { 3, { 2, 3, 5 } }, { 2, 0, 1 }, false },
        { { 3, { 2, 3, 5 } }, { 1, 0, 2 }, false },
        { { 3, { 2, 3, 5 } }, { 2, 1, 0 }, false },
        { { 3, { 1, 1, 5 } }, { 1, 2, 0 }, false },
        { { 4, { 2, 3, 1, 5 } }, { 3, 1, 0, 2 }, false },
        { { 3, { 2, 0, 5 } }, { 2, 0, 1 }, false },
        { { 2, { 317, 331 } }, { 1, 0 }, true },
        { { 4, { 13, 11, 29, 31 } }, { 0, 2, 1, 3 }, true },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        op_case *c = push(l, "", t[i].large);
        add_main(c, t[i].shape);
        memcpy(c->attr.transpose.order, t[i].order, sizeof t[i].order);
        (void)snprintf(c->label, sizeof c->label, "order %d %d %d %d", t[i].order[0], t[i].order[1], t[i].order[2],
                       t[i].order[3]);
    }
}

static void slice(list *l) {
    static const struct {
        orr_shape shape;
        int32_t axis;
        int64_t start, stop, step;
        bool large;
    } t[] = {
        { { 1, { 7 } }, 0, 2, 5, 1, false },         { { 1, { 7 } }, 0, 0, 7, 2, false },
        { { 1, { 7 } }, 0, 1, 7, 3, false },         { { 1, { 7 } }, 0, 6, 7, 5, false },
        { { 1, { 7 } }, 0, 3, 3, 1, false },         { { 2, { 3, 5 } }, 1, 1, 5, 2, false },
        { { 2, { 3, 5 } }, 0, 1, 2, 1, false },      { { 3, { 2, 7, 3 } }, 1, 2, 6, 2, false },
        { { 2, { 0, 5 } }, 1, 1, 3, 1, false },      { { 1, { 0 } }, 0, 0, 0, 1, false },
        { { 2, { 317, 331 } }, 1, 3, 300, 7, true },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        op_case *c = push(l, "", t[i].large);
        add_main(c, t[i].shape);
        c->attr.slice.axis = t[i].axis;
        c->attr.slice.start = t[i].start;
        c->attr.slice.stop = t[i].stop;
        c->attr.slice.step = t[i].step;
        (void)snprintf(c->label, sizeof c->label, "%d:%d:%d of axis %d", (int)t[i].start, (int)t[i].stop,
                       (int)t[i].step, t[i].axis);
    }
}

static void pad(list *l) {
    static const struct {
        orr_shape shape;
        int32_t axis;
        int64_t low, high, interior;
        bool large;
    } t[] = {
        { { 1, { 5 } }, 0, 2, 3, 0, false },        { { 1, { 5 } }, 0, 0, 0, 2, false },
        { { 1, { 5 } }, 0, 1, 2, 1, false },        { { 1, { 5 } }, 0, -1, -2, 0, false },
        { { 1, { 5 } }, 0, -3, 1, 2, false },       { { 1, { 5 } }, 0, -5, 4, 1, false },
        { { 1, { 5 } }, 0, 4, -6, 1, false },       { { 1, { 5 } }, 0, -2, -3, 0, false },
        { { 1, { 5 } }, 0, -14, 3, 2, false },      { { 1, { 5 } }, 0, -1, -1, 3, false },
        { { 1, { 5 } }, 0, 3, -16, 2, false },      { { 2, { 3, 5 } }, 0, 1, 0, 1, false },
        { { 3, { 2, 3, 2 } }, 1, -1, 2, 1, false }, { { 1, { 0 } }, 0, 1, 2, 3, false },
        { { 1, { 1 } }, 0, 1, 0, 3, false },        { { 2, { 0, 3 } }, 1, 1, 1, 0, false },
        { { 2, { 317, 101 } }, 1, 5, -3, 2, true },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        op_case *c = push(l, "", t[i].large);
        add_main(c, t[i].shape);
        c->attr.pad.axis = t[i].axis;
        c->attr.pad.low = t[i].low;
        c->attr.pad.high = t[i].high;
        c->attr.pad.interior = t[i].interior;
        (void)snprintf(c->label, sizeof c->label, "low %d high %d interior %d of axis %d", (int)t[i].low,
                       (int)t[i].high, (int)t[i].interior, t[i].axis);
    }
}

static void concat(list *l) {
    for (int32_t axis = 0; axis < 3; axis++)
        for (int32_t n = 1; n <= 4; n += n == 1 ? 1 : 2) { /* 1, 2, 4 parts */
            char text[40];
            op_case *c = push(l, label_of(text, "axis %d", axis), false);
            for (int32_t i = 0; i < n; i++) {
                orr_shape s = SHAPE(2, 3, 1);
                s.size[axis] = i == 2 ? 0 : i + 1;
                add_main(c, s);
            }
            c->attr.concat.axis = axis;
        }
    op_case *many = push(l, "many", false);
    for (int32_t i = 0; i < CASE_ARGS; i++) add_main(many, SHAPE(1 + i % 2));
    op_case *large = push(l, "large", true);
    for (int32_t i = 0; i < 3; i++) add_main(large, SHAPE(101, 103, 7 + i));
    large->attr.concat.axis = 2;
}

/* ---- contractions and convolutions -------------------------------------------------------------------------------------- */

static void einsum_case(list *l, const char *equation, orr_shape a, orr_shape b, bool large) {
    op_case *c = push(l, equation, large);
    add_main(c, a);
    add_main(c, b);
    uint8_t *part[] = { c->attr.einsum.a, c->attr.einsum.b, c->attr.einsum.out };
    int p = 0, n = 0;
    for (const char *s = equation; *s; s++) {
        if (*s == ',') p = 1, n = 0;
        else if (*s == '-') p = 2, n = 0, s++;
        else part[p][n++] = (uint8_t)(*s - 'a');
    }
    c->attr.einsum.rank_out = n;
}

static void einsum(list *l) {
    einsum_case(l, "ij,jk->ik", SHAPE(3, 5), SHAPE(5, 2), false);
    einsum_case(l, "ji,jk->ik", SHAPE(5, 3), SHAPE(5, 2), false);
    einsum_case(l, "ij,kj->ik", SHAPE(3, 5), SHAPE(2, 5), false);
    einsum_case(l, "ji,kj->ki", SHAPE(5, 3), SHAPE(2, 5), false);
    einsum_case(l, "ij,jk->ik", SHAPE(1, 7), SHAPE(7, 1), false);
    einsum_case(l, "bij,bjk->bik", SHAPE(2, 3, 2), SHAPE(2, 2, 3), false);
    einsum_case(l, "bij,jbk->ibk", SHAPE(2, 3, 2), SHAPE(2, 2, 3), false);
    einsum_case(l, "bhij,bhjk->bhik", SHAPE(2, 1, 3, 2), SHAPE(2, 1, 2, 2), false);
    einsum_case(l, "i,j->ij", SHAPE(3), SHAPE(5), false);
    einsum_case(l, "i,i->", SHAPE(7), SHAPE(7), false);
    einsum_case(l, "ij,ij->", SHAPE(3, 2), SHAPE(3, 2), false);
    einsum_case(l, "ij,ji->", SHAPE(3, 2), SHAPE(2, 3), false);
    einsum_case(l, "ij,ij->ji", SHAPE(3, 2), SHAPE(3, 2), false);
    einsum_case(l, "ij,i->ji", SHAPE(3, 2), SHAPE(3), false);
    einsum_case(l, "ij,j->i", SHAPE(3, 5), SHAPE(5), false);
    einsum_case(l, "j,ij->i", SHAPE(5), SHAPE(3, 5), false);
    einsum_case(l, ",->", SCALAR, SCALAR, false);
    einsum_case(l, "ij,->ij", SHAPE(2, 3), SCALAR, false);
    einsum_case(l, "ijk,jkl->il", SHAPE(2, 3, 2), SHAPE(3, 2, 3), false);
    einsum_case(l, "ijk,lkj->il", SHAPE(2, 3, 2), SHAPE(3, 2, 3), false);
    einsum_case(l, "ijk,ljk->jil", SHAPE(2, 3, 2), SHAPE(3, 3, 2), false);
    einsum_case(l, "ij,jk->ik", SHAPE(0, 5), SHAPE(5, 2), false);
    einsum_case(l, "ij,jk->ik", SHAPE(3, 0), SHAPE(0, 2), false);
    einsum_case(l, "bij,bjk->bik", SHAPE(0, 3, 2), SHAPE(0, 2, 3), false);
    einsum_case(l, "i,i->", SHAPE(0), SHAPE(0), false);
    einsum_case(l, "i,i->", SHAPE(100003), SHAPE(100003), true);
    einsum_case(l, "ij,jk->ik", SHAPE(127, 131), SHAPE(131, 113), true);
    einsum_case(l, "ji,jk->ik", SHAPE(131, 127), SHAPE(131, 113), true);
    einsum_case(l, "ij,kj->ki", SHAPE(127, 131), SHAPE(113, 131), true);
    einsum_case(l, "ij,j->i", SHAPE(317, 331), SHAPE(331), true);
    einsum_case(l, "ij,i->j", SHAPE(317, 331), SHAPE(317), true);
    einsum_case(l, "i,j->ij", SHAPE(317), SHAPE(331), true);
    einsum_case(l, "bij,bjk->bik", SHAPE(37, 7, 11), SHAPE(37, 11, 5), true);
    einsum_case(l, "bihd,bjhd->bhij", SHAPE(3, 17, 4, 8), SHAPE(3, 19, 4, 8), true);
    einsum_case(l, "ij,jk->ik", SHAPE(3, 20011), SHAPE(20011, 2), true);
}

typedef struct convolution_case {
    const char *label;
    orr_shape a, w;
    orr_convolution how;
    bool large;
} convolution_case;

static const convolution_case convolutions[] = {
    { "plain", { 3, { 2, 2, 5 } }, { 3, { 3, 2, 2 } }, { { 1, 1, 1 }, { 0 }, { 0 }, { 1, 1, 1 }, 1 }, false },
    { "window of 1", { 3, { 2, 2, 3 } }, { 3, { 3, 2, 1 } }, { { 1, 1, 1 }, { 0 }, { 0 }, { 1, 1, 1 }, 1 }, false },
    { "whole window", { 3, { 1, 2, 3 } }, { 3, { 2, 2, 3 } }, { { 1, 1, 1 }, { 0 }, { 0 }, { 1, 1, 1 }, 1 }, false },
    { "stride", { 3, { 1, 2, 7 } }, { 3, { 2, 2, 2 } }, { { 3, 1, 1 }, { 0 }, { 0 }, { 1, 1, 1 }, 1 }, false },
    { "padding", { 3, { 1, 2, 3 } }, { 3, { 2, 2, 3 } }, { { 1, 1, 1 }, { 2 }, { 1 }, { 1, 1, 1 }, 1 }, false },
    { "dilation", { 3, { 1, 2, 7 } }, { 3, { 2, 2, 2 } }, { { 1, 1, 1 }, { 0 }, { 0 }, { 3, 1, 1 }, 1 }, false },
    { "groups", { 3, { 2, 4, 3 } }, { 3, { 6, 2, 2 } }, { { 1, 1, 1 }, { 0 }, { 0 }, { 1, 1, 1 }, 2 }, false },
    { "depthwise", { 3, { 1, 3, 4 } }, { 3, { 3, 1, 2 } }, { { 1, 1, 1 }, { 1 }, { 0 }, { 1, 1, 1 }, 3 }, false },
    { "all at once", { 3, { 1, 4, 6 } }, { 3, { 4, 2, 2 } }, { { 2, 1, 1 }, { 1 }, { 2 }, { 2, 1, 1 }, 2 }, false },
    { "two axes",
      { 4, { 1, 2, 4, 3 } },
      { 4, { 2, 2, 2, 3 } },
      { { 2, 1, 1 }, { 1, 0 }, { 0, 1 }, { 1, 1, 1 }, 1 },
      false },
    { "two axes, groups",
      { 4, { 2, 2, 3, 3 } },
      { 4, { 2, 1, 2, 2 } },
      { { 1, 2, 1 }, { 0, 1 }, { 1, 1 }, { 2, 1, 1 }, 2 },
      false },
    { "three axes",
      { 5, { 1, 2, 3, 2, 2 } },
      { 5, { 2, 2, 2, 1, 2 } },
      { { 1, 1, 2 }, { 1, 0, 1 }, { 0, 0, 0 }, { 1, 1, 1 }, 1 },
      false },
    { "all ones", { 3, { 1, 1, 1 } }, { 3, { 1, 1, 1 } }, { { 1, 1, 1 }, { 0 }, { 0 }, { 1, 1, 1 }, 1 }, false },
    { "no sample", { 3, { 0, 2, 5 } }, { 3, { 3, 2, 2 } }, { { 1, 1, 1 }, { 0 }, { 0 }, { 1, 1, 1 }, 1 }, false },
    { "no channel", { 3, { 2, 0, 5 } }, { 3, { 3, 0, 2 } }, { { 1, 1, 1 }, { 0 }, { 0 }, { 1, 1, 1 }, 1 }, false },
    { "no result channel",
      { 3, { 2, 2, 5 } },
      { 3, { 0, 2, 2 } },
      { { 1, 1, 1 }, { 0 }, { 0 }, { 1, 1, 1 }, 1 },
      false },
    { "large",
      { 4, { 3, 5, 29, 31 } },
      { 4, { 7, 5, 3, 3 } },
      { { 1, 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1 }, 1 },
      true },
    { "large stride",
      { 4, { 3, 4, 29, 31 } },
      { 4, { 6, 2, 5, 3 } },
      { { 2, 3, 1 }, { 2, 0 }, { 1, 2 }, { 1, 2, 1 }, 2 },
      true },
    { "long", { 3, { 2, 2, 5003 } }, { 3, { 3, 2, 7 } }, { { 1, 1, 1 }, { 3 }, { 3 }, { 1, 1, 1 }, 1 }, true },
};

/* The two of a, w, y that the op takes, and the shape of the third as attribute where the op needs it. */
static void convolution(list *l) {
    for (size_t i = 0; i < sizeof convolutions / sizeof *convolutions; i++) {
        const convolution_case *t = &convolutions[i];
        orr_shape y = { .rank = t->a.rank, .size = { t->a.size[0], t->w.size[0] } };
        for (int32_t k = 0; k < t->a.rank - 2; k++)
            y.size[k + 2] =
                (t->a.size[k + 2] + t->how.low[k] + t->how.high[k] - (t->w.size[k + 2] - 1) * t->how.dilation[k] - 1) /
                    t->how.stride[k] +
                1;
        op_case *c = push(l, t->label, t->large);
        c->attr.convolve.how = t->how;
        switch (l->op->code) {
        case ORR_OP_convolve: add_main(c, t->a), add_main(c, t->w); break;
        case ORR_OP_convolve_input: add_main(c, y), add_main(c, t->w), c->attr.convolve.shape = t->a; break;
        default: add_main(c, t->a), add_main(c, y), c->attr.convolve.shape = t->w; break;
        }
    }
}

/* ---- indices and random numbers ------------------------------------------------------------------------------------------ */

/* gather: a[batch, v, rest], index[batch, k];  scatter_add: a[batch, k, rest], index[batch, k], extent v. */
static void indexing(list *l) {
    static const struct {
        int32_t n_batch, n_k, n_rest;
        int64_t batch[2], v, k[2], rest[2];
        bool large;
    } t[] = {
        { 0, 1, 0, { 0 }, 5, { 7 }, { 0 }, false },    { 0, 1, 1, { 0 }, 3, { 5 }, { 2 }, false },
        { 0, 0, 1, { 0 }, 3, { 0 }, { 5 }, false },    { 0, 2, 1, { 0 }, 5, { 2, 3 }, { 2 }, false },
        { 0, 1, 2, { 0 }, 3, { 2 }, { 2, 3 }, false }, { 1, 1, 1, { 2 }, 3, { 5 }, { 2 }, false },
        { 1, 0, 1, { 3 }, 4, { 0 }, { 2 }, false },    { 1, 1, 0, { 3 }, 4, { 2 }, { 0 }, false },
        { 2, 1, 1, { 2, 3 }, 2, { 3 }, { 2 }, false }, { 0, 1, 0, { 0 }, 1, { 7 }, { 0 }, false },
        { 0, 1, 1, { 0 }, 5, { 0 }, { 2 }, false },    { 1, 1, 1, { 0 }, 5, { 2 }, { 2 }, false },
        { 0, 1, 1, { 0 }, 5, { 2 }, { 0 }, false },    { 0, 1, 1, { 0 }, 1009, { 3001 }, { 7 }, true },
        { 1, 1, 0, { 61 }, 97, { 331 }, { 0 }, true }, { 0, 1, 0, { 0 }, 13, { 100003 }, { 0 }, true },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        orr_shape full = { 0 }, index = { 0 }, picked = { 0 };
        for (int32_t k = 0; k < t[i].n_batch; k++)
            full.size[full.rank++] = index.size[index.rank++] = picked.size[picked.rank++] = t[i].batch[k];
        full.size[full.rank++] = t[i].v;
        for (int32_t k = 0; k < t[i].n_k; k++) index.size[index.rank++] = picked.size[picked.rank++] = t[i].k[k];
        for (int32_t k = 0; k < t[i].n_rest; k++) full.size[full.rank++] = picked.size[picked.rank++] = t[i].rest[k];
        const bool scatter = l->op->code == ORR_OP_scatter_add;
        char text[40];
        op_case *c = push(l, label_of(text, "%d batch axes", t[i].n_batch), t[i].large);
        add_main(c, scatter ? picked : full);
        add_arg(c, ARGUMENT_INDEX, index, (double)t[i].v);
        c->attr.index.n_batch = t[i].n_batch;
        if (scatter) c->attr.index.extent = t[i].v;
    }
}

static void random_numbers(list *l) {
    const orr_shape keys[] = { SHAPE(4), SHAPE(3, 4), SHAPE(2, 3, 4), SHAPE(0, 4), SHAPE(4), SHAPE(5, 4) };
    const orr_shape members[] = { SHAPE(5), SHAPE(3, 3), SCALAR, SHAPE(2), SHAPE(100003), SHAPE(20011) };
    static const char *const names[] = { "uniform", "normal", "sign", "int" };
    for (int distribution = ORR_UNIFORM; distribution <= ORR_INT; distribution++)
        for (int dtype = ORR_F32; dtype <= ORR_I32; dtype++) {
            if ((distribution == ORR_INT) != (dtype == ORR_I32)) continue;
            for (int i = 0; i < 6; i++) {
                op_case *c = push(l, names[distribution], i >= 4);
                c->dtype = ORR_I32;
                add_arg(c, ARGUMENT_KEY, keys[i], 0);
                put_type(&c->attr.random.type, (orr_dtype)dtype, members[i]);
                c->attr.random.distribution = (orr_distribution)distribution;
                c->attr.random.below = distribution == ORR_INT ? 7 : 0;
            }
        }
}

/* ---- the table -------------------------------------------------------------------------------------------------------- */

static void (*const generators[ORR_OP_COUNT])(list *l) = {
    [ORR_OP_input] = input,
    [ORR_OP_fill] = fill,
    [ORR_OP_literal] = literal,
    [ORR_OP_iota] = iota,
    [ORR_OP_cast] = cast,
    [ORR_OP_sum] = reduction,
    [ORR_OP_reduce_max] = reduction,
    [ORR_OP_reshape] = reshape,
    [ORR_OP_broadcast] = broadcast,
    [ORR_OP_transpose] = transpose,
    [ORR_OP_slice] = slice,
    [ORR_OP_pad] = pad,
    [ORR_OP_concat] = concat,
    [ORR_OP_einsum] = einsum,
    [ORR_OP_convolve] = convolution,
    [ORR_OP_convolve_input] = convolution,
    [ORR_OP_convolve_kernel] = convolution,
    [ORR_OP_gather] = indexing,
    [ORR_OP_scatter_add] = indexing,
    [ORR_OP_random] = random_numbers,
};

/* The attribute, not the argument, says the type. */
static bool has_own_type(orr_op_code code) {
    return code == ORR_OP_fill || code == ORR_OP_literal || code == ORR_OP_iota || code == ORR_OP_random;
}

int cases_of(orr_op_code code, op_case out[CASES_MAX]) {
    list l = { .c = out, .op = orr_ops[code] };
    if (generators[code]) generators[code](&l);
    else if (l.op->kind == ORR_KIND_ELEMENTWISE) elementwise(&l);
    const int n = l.n;
    const unsigned accepts = code == ORR_OP_input ? (unsigned)ORR_ACCEPT_ANY : l.op->accepts;
    if (has_own_type(code)) return n;
    int kept = 0;
    for (int dtype = ORR_F32; dtype <= ORR_BOOL; dtype++) /* copies first, the f64 originals last */
        for (int i = 0; i < n && dtype != ORR_F64; i++) {
            if (!(accepts >> dtype & 1u)) continue;
            op_case *c = push(&l, out[i].label, out[i].large);
            *c = out[i];
            c->dtype = (orr_dtype)dtype;
        }
    for (int i = 0; i < l.n; i++)
        if (accepts >> out[i].dtype & 1u) out[kept++] = out[i];
    return kept;
}

orr_type case_type(const op_case *c, int32_t arg) {
    const argument *a = &c->arg[arg];
    return (orr_type){ .dtype = a->kind == ARGUMENT_MAIN   ? c->dtype
                                : a->kind == ARGUMENT_BOOL ? ORR_BOOL
                                                           : ORR_I32,
                       .shape = a->shape };
}

const char *case_print(const op_case *c, char text[400]) {
    size_t used = (size_t)snprintf(text, 400, "%s %s%s", c->op->name, c->label, *c->label ? " " : "");
    for (int32_t i = 0; i < c->n_args && used < 300; i++) {
        char name[ORR_TYPE_TEXT];
        const orr_type t = case_type(c, i);
        used += (size_t)snprintf(text + used, 400 - used, "%s%s", i ? ", " : "", orr_type_print(&t, name, sizeof name));
    }
    return text;
}

void case_inputs(const op_case *c, orr_graph *g, orr_node *args) {
    for (int32_t i = 0; i < c->n_args; i++) {
        char name[20];
        const orr_type t = case_type(c, i);
        (void)snprintf(name, sizeof name, "a%d", i);
        args[i] = orr_input(g, name, t.dtype, t.shape);
    }
}

orr_node case_call(const op_case *c, orr_graph *g, const orr_node *args) {
    static const float f32[] = { 0.5F, -0.0F, 3.25F, 1e30F, -7.0F, 0.1F };
    static const double f64[] = { 0.5, -0.0, 3.25, 1e300, -7.0, 0.1 };
    static const int32_t i32[] = { 0, -1, 3, INT32_MAX, INT32_MIN, 7 };
    static const bool boolean[] = { true, false, false, true, true, false };
    const void *const data[] = { f32, f64, i32, boolean };
    switch (c->op->code) {
    case ORR_OP_input: return args[0];
    case ORR_OP_literal:
        return orr_literal(g, c->attr.fill.type.dtype, c->attr.fill.type.shape, data[c->attr.fill.type.dtype]);
    default: return orr_graph_call(g, c->op->code, args, c->n_args, c->op->attr_size ? &c->attr : NULL);
    }
}

void case_draw(const op_case *c, orr_arena *arena, dice *d, host *args) {
    for (int32_t i = 0; i < c->n_args; i++) {
        const argument *a = &c->arg[i];
        const orr_type t = case_type(c, i);
        args[i] = host_new(arena, t.dtype, t.shape);
        switch (a->kind) {
        case ARGUMENT_MAIN:
            host_draw(d, &args[i], t.dtype == ORR_I32 ? -9.0 : a->low, t.dtype == ORR_I32 ? 10.0 : a->high);
            break;
        case ARGUMENT_BOOL: host_draw(d, &args[i], 0.0, 1.0); break;
        case ARGUMENT_INDEX: host_draw(d, &args[i], 0.0, a->high); break;
        case ARGUMENT_KEY: host_draw(d, &args[i], INT32_MIN, INT32_MAX); break;
        }
    }
}

void case_draw_apart(const op_case *c, orr_arena *arena, dice *d, host *args) {
    case_draw(c, arena, d, args);
    if (c->op->kind != ORR_KIND_ELEMENTWISE && c->op->kind != ORR_KIND_REDUCTION) return; /* no kinks there */
    for (int32_t i = 0; i < c->n_args; i++)
        if (case_moves(c, i))
            host_draw_apart(d, &args[i], c->arg[i].low, c->arg[i].high, 0.021, args, i); /* > 2 steps */
}

bool case_moves(const op_case *c, int32_t arg) { return c->arg[arg].kind == ARGUMENT_MAIN && c->dtype <= ORR_F64; }

bool case_is_for_differences(const op_case *c) {
    if (c->dtype != ORR_F64 || c->large || c->op->code == ORR_OP_stop) return false; /* stop: zero by decree */
    for (int32_t i = 0; i < c->n_args; i++)
        if (case_moves(c, i)) return true;
    return false;
}

/* ---- rounding --------------------------------------------------------------------------------------------------------- */

/* Ops whose result is one of their arguments, or a whole number. */
static bool is_exact(const orr_op *op) {
    switch (op->kind) {
    case ORR_KIND_SOURCE:
    case ORR_KIND_MOVEMENT: return true;
    case ORR_KIND_INDEXING: return op->code == ORR_OP_gather;
    case ORR_KIND_REDUCTION: return op->code == ORR_OP_reduce_max;
    case ORR_KIND_ELEMENTWISE:
        switch (op->code) {
        case ORR_OP_neg:
        case ORR_OP_abs:
        case ORR_OP_sign:
        case ORR_OP_floor:
        case ORR_OP_stop:
        case ORR_OP_max:
        case ORR_OP_min:
        case ORR_OP_select: return true;
        default: return false;
        }
    default: return false;
    }
}

/* The op in f64 on |args|, or on ones: sum of the sizes of the summands, and their number. */
static host sizes(const op_case *c, orr_context *ctx, orr_arena *arena, const host *args, bool ones) {
    op_case wide = *c;
    orr_graph *g;
    orr_node a[CASE_ARGS];
    wide.dtype = ORR_F64;
    assert_ok(ctx, orr_graph_new(ctx, &g));
    case_inputs(&wide, g, a);
    const orr_node y = case_call(&wide, g, a);
    feed in = { 0 };
    for (int32_t i = 0; i < c->n_args; i++) {
        const orr_type t = case_type(&wide, i);
        host h = host_new(arena, t.dtype, t.shape);
        for (int64_t k = 0; k < h.n; k++)
            h.v[k] = c->arg[i].kind != ARGUMENT_MAIN ? args[i].v[k] : ones ? 1.0 : fabs(args[i].v[k]);
        feed_add(&in, a[i], h);
    }
    host out = host_like(arena, g, y);
    evaluate(ctx, g, "ref", &in, &y, 1, &out);
    orr_graph_free(g);
    return out;
}

double *case_limits(const op_case *c, orr_context *ctx, orr_arena *arena, const host *args, const host *result,
                    double unit) {
    double *limit = ORR_NEW(arena, double, result->n);
    assert_non_null(limit);
    const orr_op_kind kind = c->op->kind;
    const bool sums = (kind == ORR_KIND_REDUCTION || kind == ORR_KIND_CONTRACTION || kind == ORR_KIND_CONVOLUTION ||
                       kind == ORR_KIND_INDEXING) &&
                      !is_exact(c->op);
    if (is_exact(c->op) || unit == 0.0) return limit;
    if (kind == ORR_KIND_RANDOM) { /* r cos(2 pi u): the angle errs by a few units of 2 pi, r < 8.6 (f32: 5.8) */
        const bool normal = c->attr.random.distribution == ORR_NORMAL;
        for (int64_t i = 0; i < result->n; i++) limit[i] = normal ? 64.0 * unit + 8.0 * unit * fabs(result->v[i]) : 0.0;
        return limit;
    }
    if (sums) {
        /* n roundings of random signs add up to sqrt(n); 4 standard deviations on both sides, a few for short sums. */
        const host size = sizes(c, ctx, arena, args, false), terms = sizes(c, ctx, arena, args, true);
        for (int64_t i = 0; i < result->n; i++) limit[i] = (8.0 + 8.0 * sqrt(terms.v[i])) * unit * size.v[i];
    } else { /* 8 units: 4 ulp, what a vectorised exp, tanh or erf promises; arithmetic rounds once */
        const double summand = c->op->code == ORR_OP_normal_cdf ? 0.5 : 0.0; /* of 1/2 and erf/2, which cancel */
        for (int64_t i = 0; i < result->n; i++)
            limit[i] = isfinite(result->v[i]) ? 8.0 * unit * fmax(fabs(result->v[i]), summand) : 0.0;
    }
    return limit;
}
