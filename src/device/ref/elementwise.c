/* Elementwise primitives: out[i] = f(a[i], b[i], c[i]), the expressions of device/scalar.def in one loop each.  An
 * element is read before it is written, so out may be an argument. */
#include <math.h>

#include "device/ref/ref.h"
#include "device/ref/walk.h"

typedef void loop(const orr_launch *l);

/* at[0] is the result, at[1] to at[3] the arguments. */
static orr_walk walk_launch(const orr_launch *l) {
    orr_walk w = orr_walk_over(&l->out.shape);
    orr_walk_with(&w, l->out.stride);
    for (int32_t i = 0; i < l->n_args; i++) orr_walk_with(&w, l->args[i].stride);
    return w;
}

int32_t orr_ref_to_i32(double a) {
    if (isnan(a)) return 0;
    if (a <= (double)INT32_MIN) return INT32_MIN;
    return a >= (double)INT32_MAX ? INT32_MAX : (int32_t)a;
}

#define LOOP_1(name, TYPE, OUT, expression)                                                                            \
    static void name(const orr_launch *l) {                                                                            \
        const TYPE *x = l->args[0].data;                                                                               \
        OUT *out = l->out.data;                                                                                        \
        for (orr_walk w = walk_launch(l); w.left > 0; orr_walk_next(&w)) {                                             \
            const TYPE a = x[w.at[1]];                                                                                 \
            out[w.at[0]] = (OUT)(expression);                                                                          \
        }                                                                                                              \
    }

#define LOOP_2(name, TYPE, OUT, expression)                                                                            \
    static void name(const orr_launch *l) {                                                                            \
        const TYPE *x = l->args[0].data, *y = l->args[1].data;                                                         \
        OUT *out = l->out.data;                                                                                        \
        for (orr_walk w = walk_launch(l); w.left > 0; orr_walk_next(&w)) {                                             \
            const TYPE a = x[w.at[1]], b = y[w.at[2]];                                                                 \
            out[w.at[0]] = (OUT)(expression);                                                                          \
        }                                                                                                              \
    }

#define LOOP_SELECT(name, TYPE)                                                                                        \
    static void name(const orr_launch *l) {                                                                            \
        const uint8_t *condition = l->args[0].data;                                                                    \
        const TYPE *x = l->args[1].data, *y = l->args[2].data;                                                         \
        TYPE *out = l->out.data;                                                                                       \
        for (orr_walk w = walk_launch(l); w.left > 0; orr_walk_next(&w))                                               \
            out[w.at[0]] = condition[w.at[1]] ? x[w.at[2]] : y[w.at[3]];                                               \
    }

/* ---- floats ---------------------------------------------------------------------------------------------------- */

#define REAL     float
#define F(fn)    fn##f
#define NAME(op) f32_##op
#include "device/ref/elementwise.inc"

#define REAL     double
#define F(fn)    fn
#define NAME(op) f64_##op
#include "device/ref/elementwise.inc"

LOOP_1(f32_to_f64, float, double, a)
LOOP_1(f64_to_f32, double, float, a)

/* ---- whole numbers and booleans -------------------------------------------------------------------------------- */

#define ORR_SCALAR_FLOAT(name, arity, expression)
#define ORR_SCALAR_INT(name, arity, expression)  LOOP_##arity(i32_##name, int32_t, int32_t, expression)
#define ORR_SCALAR_BOOL(name, arity, expression) LOOP_##arity(bool_##name, uint8_t, uint8_t, expression)
#define ORR_SCALAR_COMPARE(name, expression)     LOOP_2(i32_##name, int32_t, uint8_t, expression)
#include "device/scalar.def"
#undef ORR_SCALAR_FLOAT
#undef ORR_SCALAR_INT
#undef ORR_SCALAR_BOOL
#undef ORR_SCALAR_COMPARE

LOOP_1(i32_stop, int32_t, int32_t, a)
LOOP_1(i32_to_f32, int32_t, float, a)
LOOP_1(i32_to_f64, int32_t, double, a)
LOOP_1(i32_to_bool, int32_t, uint8_t, a != 0)
LOOP_SELECT(i32_select, int32_t)

LOOP_1(bool_stop, uint8_t, uint8_t, a)
LOOP_2(bool_eq, uint8_t, uint8_t, !a == !b)
LOOP_1(bool_to_f32, uint8_t, float, a != 0)
LOOP_1(bool_to_f64, uint8_t, double, a != 0)
LOOP_1(bool_to_i32, uint8_t, int32_t, a != 0)
LOOP_1(bool_to_bool, uint8_t, uint8_t, a != 0)
LOOP_SELECT(bool_select, uint8_t)

/* ---- which loop ------------------------------------------------------------------------------------------------ */

/* By op and dtype of the arguments; NULL where the op doesn't take it. */
static loop *const loops[ORR_OP_COUNT][4] = {
#define ORR_SCALAR_FLOAT(name, arity, expression)                                                                      \
    [ORR_OP_##name][ORR_F32] = f32_##name, [ORR_OP_##name][ORR_F64] = f64_##name,
#define ORR_SCALAR_INT(name, arity, expression)  [ORR_OP_##name][ORR_I32] = i32_##name,
#define ORR_SCALAR_BOOL(name, arity, expression) [ORR_OP_##name][ORR_BOOL] = bool_##name,
#define ORR_SCALAR_COMPARE(name, expression)                                                                           \
    [ORR_OP_##name][ORR_F32] = f32_##name, [ORR_OP_##name][ORR_F64] = f64_##name, [ORR_OP_##name][ORR_I32] = i32_##name,
#include "device/scalar.def"
#undef ORR_SCALAR_FLOAT
#undef ORR_SCALAR_INT
#undef ORR_SCALAR_BOOL
#undef ORR_SCALAR_COMPARE
    [ORR_OP_eq][ORR_BOOL] = bool_eq,
    [ORR_OP_is_finite][ORR_F32] = f32_is_finite,
    [ORR_OP_is_finite][ORR_F64] = f64_is_finite,
    [ORR_OP_stop] = { f32_stop, f64_stop, i32_stop, bool_stop }, /* ORDER dtype */
};

/* ORDER dtype: from, to */
static loop *const casts[4][4] = {
    { f32_stop, f32_to_f64, f32_to_i32, f32_to_bool },
    { f64_to_f32, f64_stop, f64_to_i32, f64_to_bool },
    { i32_to_f32, i32_to_f64, i32_stop, i32_to_bool },
    { bool_to_f32, bool_to_f64, bool_to_i32, bool_to_bool },
};

static loop *const selects[4] = { f32_select, f64_select, i32_select, bool_select };

orr_status orr_ref_elementwise(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    loop *const run = loops[l->code][l->args[0].dtype];
    assert(run && "an op over a type that it doesn't accept");
    run(l);
    return ORR_OK;
}

orr_status orr_ref_cast(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    casts[l->args[0].dtype][l->out.dtype](l);
    return ORR_OK;
}

orr_status orr_ref_select(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    selects[l->out.dtype](l);
    return ORR_OK;
}
