/* Mistakes in a graph: each is caught where it is made, in words that name the op, the shapes and the caller's line. */
#include "testing.h"

/* A graph with a few inputs, made anew after each mistake. */
typedef struct sheet {
    orr_context *ctx;
    orr_graph *g;
    orr_node x, y, v, w, i, b, s; /* f64[3, 4], f64[4, 5], f64[3], f32[3], i32[3], bool[3], f64[] */
} sheet;

static sheet sheet_new(orr_context *ctx) {
    sheet s = { .ctx = ctx };
    assert_ok(ctx, orr_graph_new(ctx, &s.g));
    s.x = orr_input(s.g, "x", ORR_F64, ORR_SHAPE(3, 4));
    s.y = orr_input(s.g, "y", ORR_F64, ORR_SHAPE(4, 5));
    s.v = orr_input(s.g, "v", ORR_F64, ORR_SHAPE(3));
    s.w = orr_input(s.g, "w", ORR_F32, ORR_SHAPE(3));
    s.i = orr_input(s.g, "i", ORR_I32, ORR_SHAPE(3));
    s.b = orr_input(s.g, "b", ORR_BOOL, ORR_SHAPE(3));
    s.s = orr_input(s.g, "s", ORR_F64, ORR_SCALAR);
    assert_int_equal(orr_graph_status(s.g), ORR_OK);
    return s;
}

/* The message is "test_errors.c:<line>: <text>"; then a fresh graph. */
static void said(sheet *s, int line, const char *text) {
    char expected[600];
    (void)snprintf(expected, sizeof expected, "test_errors.c:%d: %s", line, text);
    assert_int_equal(orr_graph_status(s->g), ORR_EINPUT);
    assert_string_equal(orr_graph_message(s->g), expected);
    orr_graph_free(s->g);
    *s = sheet_new(s->ctx);
}

static void elementwise_ops_name_types_and_shapes(void **state) {
    sheet s = sheet_new(*state);
    orr_add(s.g, s.x, s.y);
    said(&s, __LINE__ - 1, "add: shapes f64[3, 4] and f64[4, 5] don't broadcast");
    orr_mul(s.g, s.v, s.w);
    said(&s, __LINE__ - 1, "mul: needs arguments of one type, got f64[3] and f32[3]; see orr_cast");
    orr_gt(s.g, s.v, s.i);
    said(&s, __LINE__ - 1, "lt: needs arguments of one type, got i32[3] and f64[3]; see orr_cast");
    orr_exp(s.g, s.i);
    said(&s, __LINE__ - 1, "exp: argument 1 is i32[3], a type it doesn't take; see orr_cast");
    orr_not(s.g, s.v);
    said(&s, __LINE__ - 1, "not: argument 1 is f64[3], a type it doesn't take; see orr_cast");
    orr_sub(s.g, s.b, s.b);
    said(&s, __LINE__ - 1, "sub: argument 1 is bool[3], a type it doesn't take; see orr_cast");
    orr_and(s.g, s.b, s.i);
    said(&s, __LINE__ - 1, "and: argument 2 is i32[3], a type it doesn't take; see orr_cast");
    orr_rem(s.g, s.v, s.v);
    said(&s, __LINE__ - 1, "rem: argument 1 is f64[3], a type it doesn't take; see orr_cast");
    orr_select(s.g, s.v, s.v, s.v);
    said(&s, __LINE__ - 1, "select: needs bool and two of one type, one shape for all; got f64[3], f64[3], f64[3]");
    orr_select(s.g, s.b, s.x, s.x);
    said(&s, __LINE__ - 1, "select: shapes bool[3] and f64[3, 4] don't broadcast");
    orr_select(s.g, s.b, s.v, s.w);
    said(&s, __LINE__ - 1, "select: needs bool and two of one type, one shape for all; got bool[3], f64[3], f32[3]");
    orr_graph_free(s.g);
}

/* A function that failed or was never called gives ORR_NONE: whoever gets it says so under its own name. */
static void a_missing_argument_is_named(void **state) {
    sheet s = sheet_new(*state);
    orr_tanh(s.g, ORR_NONE);
    said(&s, __LINE__ - 1, "tanh: argument 1 is no node of this graph (ORR_NONE?)");
    orr_add(s.g, s.v, ORR_NONE);
    said(&s, __LINE__ - 1, "add: argument 2 is no node of this graph (ORR_NONE?)");
    orr_add(s.g, s.v, (orr_node){ 1000 });
    said(&s, __LINE__ - 1, "add: argument 2 is no node of this graph (ORR_NONE?)");
    orr_neg(s.g, (orr_node){ -1 });
    said(&s, __LINE__ - 1, "neg: argument 1 is no node of this graph (ORR_NONE?)");
    orr_select(s.g, s.b, ORR_NONE, s.v);
    said(&s, __LINE__ - 1, "select: argument 2 is no node of this graph (ORR_NONE?)");
    orr_sum(s.g, ORR_NONE, ORR_AXES(0));
    said(&s, __LINE__ - 1, "sum: an argument is no node of this graph (ORR_NONE?)");
    orr_reshape(s.g, ORR_NONE, ORR_SHAPE(3));
    said(&s, __LINE__ - 1, "reshape: an argument is no node of this graph (ORR_NONE?)");
    orr_gather(s.g, s.v, ORR_NONE, 0);
    said(&s, __LINE__ - 1, "gather: an argument is no node of this graph (ORR_NONE?)");
    orr_matmul(s.g, s.x, ORR_NONE);
    said(&s, __LINE__ - 1, "matmul: needs two tensors with an axis each at least");
    orr_scale(s.g, ORR_NONE, 2.0);
    said(&s, __LINE__ - 1, "scale: argument 1 is no node of this graph (ORR_NONE?)");
    orr_shift(s.g, ORR_NONE, 2.0);
    said(&s, __LINE__ - 1, "shift: argument 1 is no node of this graph (ORR_NONE?)");
    orr_reciprocal(s.g, ORR_NONE);
    said(&s, __LINE__ - 1, "reciprocal: argument 1 is no node of this graph (ORR_NONE?)");
    orr_cast(s.g, ORR_NONE, ORR_F32);
    said(&s, __LINE__ - 1, "cast: argument 1 is no node of this graph (ORR_NONE?)");
    orr_scale(s.g, s.i, 0.5);
    said(&s, __LINE__ - 1, "scale: 0.5 is no i32");
    orr_graph_free(s.g);
}

static void reductions_name_the_axis(void **state) {
    sheet s = sheet_new(*state);
    orr_sum(s.g, s.x, ORR_AXES(2));
    said(&s, __LINE__ - 1, "sum: axis 2 of a tensor with 2 axes; expected -2 to 1");
    orr_mean(s.g, s.x, ORR_AXES(0, -3));
    said(&s, __LINE__ - 1, "sum: axis -3 of a tensor with 2 axes; expected -2 to 1");
    orr_reduce_max_keep(s.g, s.x, ORR_AXES(1, -1));
    said(&s, __LINE__ - 1, "reduce_max: axis -1 is named twice");
    orr_sum_all(s.g, s.b);
    said(&s, __LINE__ - 1, "sum: argument 1 is bool[3], a type it doesn't take; see orr_cast");
    orr_argmax(s.g, s.v, 1);
    said(&s, __LINE__ - 1, "argmax: axis 1 of a tensor with 1 axes; expected -1 to 0");
    const orr_node nothing = orr_slice(s.g, s.v, 0, 0, 0, 1);
    orr_argmax(s.g, nothing, 0);
    said(&s, __LINE__ - 1, "argmax: an axis of extent 0");
    orr_graph_free(s.g);
}

static void movement_names_shapes_and_ranges(void **state) {
    sheet s = sheet_new(*state);
    orr_reshape(s.g, s.x, ORR_SHAPE(5, 2));
    said(&s, __LINE__ - 1, "reshape: f64[3, 4] doesn't fill f64[5, 2]");
    orr_reshape(s.g, s.x, ORR_SHAPE(-1, -1));
    said(&s, __LINE__ - 1, "reshape: two extents are -1; one can be worked out");
    orr_reshape(s.g, s.x, ORR_SHAPE(-1, 5));
    said(&s, __LINE__ - 1, "reshape: the extents given, 5 in all, don't divide f64[3, 4]");
    orr_reshape(s.g, s.x, ORR_SHAPE(-3, -4));
    said(&s, __LINE__ - 1, "reshape: axis 0 has extent -3");
    orr_broadcast(s.g, s.x, ORR_SHAPE(3, 8));
    said(&s, __LINE__ - 1, "broadcast: f64[3, 4] doesn't broadcast to f64[3, 8]");
    orr_broadcast(s.g, s.x, ORR_SHAPE(4));
    said(&s, __LINE__ - 1, "broadcast: f64[3, 4] doesn't broadcast to f64[4]");
    orr_transpose(s.g, s.x, ORR_AXES(0, 1, 2));
    said(&s, __LINE__ - 1, "transpose: an order of 3 axes for a tensor with 2");
    orr_transpose(s.g, s.x, ORR_AXES(1, 1));
    said(&s, __LINE__ - 1, "transpose: order is no permutation of the 2 axes");
    orr_swap_axes(s.g, s.x, 0, 2);
    said(&s, __LINE__ - 1, "swap_axes: axis 2 of a tensor with 2 axes; expected -2 to 1");
    orr_expand(s.g, s.x, 4);
    said(&s, __LINE__ - 1, "expand: axis 4 of a tensor with 3 axes; expected -3 to 2");
    orr_squeeze(s.g, s.x, 1);
    said(&s, __LINE__ - 1, "squeeze: axis 1 has extent 4, not 1");
    orr_slice(s.g, s.x, 1, 2, 5, 1);
    said(&s, __LINE__ - 1, "slice: 2:5:1 of an axis of 4; expected 0 <= start <= stop <= 4, step >= 1");
    orr_slice(s.g, s.x, 1, 3, 2, 1);
    said(&s, __LINE__ - 1, "slice: 3:2:1 of an axis of 4; expected 0 <= start <= stop <= 4, step >= 1");
    orr_slice(s.g, s.x, 1, 0, 4, 0);
    said(&s, __LINE__ - 1, "slice: 0:4:0 of an axis of 4; expected 0 <= start <= stop <= 4, step >= 1");
    orr_pad(s.g, s.v, 0, 1, 1, -1);
    said(&s, __LINE__ - 1, "pad: low 1, high 1, interior -1; interior is at least 0, all below 2^40");
    orr_pad(s.g, s.v, 0, -2, -2, 0);
    said(&s, __LINE__ - 1, "pad: low -2 and high -2 cut more than the axis of 3 has");
    orr_concat(s.g, (const orr_node[]){ s.x, s.y }, 2, 0);
    said(&s, __LINE__ - 1, "concat: along axis 0, f64[4, 5] doesn't go behind f64[3, 4]");
    orr_concat(s.g, (const orr_node[]){ s.v, s.w }, 2, 0);
    said(&s, __LINE__ - 1, "concat: along axis 0, f32[3] doesn't go behind f64[3]");
    orr_concat(s.g, NULL, 0, 0);
    said(&s, __LINE__ - 1, "concat: of nothing");
    orr_concat(s.g, (const orr_node[]){ s.s, s.s }, 2, 0);
    said(&s, __LINE__ - 1, "concat: axis 0 of a scalar; it has none");
    orr_graph_free(s.g);
}

static void indexing_names_the_index(void **state) {
    sheet s = sheet_new(*state);
    orr_gather(s.g, s.x, s.v, 0);
    said(&s, __LINE__ - 1, "gather: needs an i32 index and values with an axis; got f64[3, 4], f64[3]");
    orr_gather(s.g, s.x, s.i, 2);
    said(&s, __LINE__ - 1, "gather: axis 2 of a tensor with 2 axes; expected -2 to 1");
    orr_scatter_add(s.g, s.y, s.i, 0, 7);
    said(&s, __LINE__ - 1,
         "scatter_add: needs an i32 index whose first 1 axes are those of the values; got f64[4, 5], i32[3]");
    orr_scatter_add(s.g, s.x, s.i, 0, -1);
    said(&s, __LINE__ - 1, "scatter_add: extent -1");
    orr_graph_free(s.g);
}

static void contractions_name_equation_and_extents(void **state) {
    sheet s = sheet_new(*state);
    orr_matmul(s.g, s.y, s.x);
    said(&s, __LINE__ - 1, "matmul: f64[4, 5] @ f64[3, 4]: inner extents 5 and 3 differ");
    orr_matmul(s.g, s.v, s.w);
    said(&s, __LINE__ - 1, "einsum: needs operands of one type, got f64[3] and f32[3]; see orr_cast");
    orr_einsum(s.g, "ij,jk->ik", s.y, s.x);
    said(&s, __LINE__ - 1, "einsum: axes of one label have extents 5 and 3");
    orr_einsum(s.g, "ij,jk", s.x, s.y);
    said(&s, __LINE__ - 1, "einsum: \"ij,jk\" has no ->; written like \"bik,bkj->bij\"");
    orr_einsum(s.g, "i.,jk->ik", s.x, s.y);
    said(&s, __LINE__ - 1, "einsum: \"i.,jk->ik\": unexpected '.'; written like \"bik,bkj->bij\"");
    orr_einsum(s.g, "ijk,jk->i", s.x, s.y);
    said(&s, __LINE__ - 1, "einsum: \"ijk,jk->i\" names 3 axes of an operand that has 2");
    orr_einsum(s.g, "ij,jk->il", s.x, s.y);
    said(&s, __LINE__ - 1, "einsum: \"ij,jk->il\": 'l' of the result stands in no operand");
    orr_einsum(s.g, "ij,jk->ii", s.x, s.y);
    said(&s, __LINE__ - 1, "einsum: \"ij,jk->ii\": 'i' stands twice in the result");
    orr_einsum(s.g, "ii->i", s.x, ORR_NONE);
    said(&s, __LINE__ - 1, "einsum: label 'i' stands twice, on extents 3 and 4");
    orr_einsum(s.g, "ij->ji", s.x, s.y);
    said(&s, __LINE__ - 1, "einsum: \"ij->ji\" needs one operand, and ORR_NONE");
    orr_einsum(s.g, "ij,jk->ik", s.x, ORR_NONE);
    said(&s, __LINE__ - 1, "einsum: \"ij,jk->ik\" needs two operands");
    orr_graph_free(s.g);
}

static void matmul_names_both_shapes_where_batches_differ(void **state) {
    sheet s = sheet_new(*state);
    const orr_node a = orr_input(s.g, "a", ORR_F64, ORR_SHAPE(2, 3, 4)),
                   c = orr_input(s.g, "c", ORR_F64, ORR_SHAPE(5, 4, 3));
    orr_matmul(s.g, a, c);
    said(&s, __LINE__ - 1, "matmul: f64[2, 3, 4] @ f64[5, 4, 3]: batch extents 2 and 5 differ");
    orr_graph_free(s.g);
}

static void convolution_names_channels_and_windows(void **state) {
    sheet s = sheet_new(*state);
    const orr_convolution plain = { 0 };
    orr_node a = orr_input(s.g, "a", ORR_F64, ORR_SHAPE(2, 4, 5, 5)),
             k = orr_input(s.g, "k", ORR_F64, ORR_SHAPE(6, 3, 3, 3));
    orr_convolve(s.g, a, k, plain);
    said(&s, __LINE__ - 1, "convolve: channels of [2, 4, 5, 5] and [6, 3, 3, 3] don't fit 1 groups");
    a = orr_input(s.g, "a", ORR_F64, ORR_SHAPE(2, 3, 2, 5)), k = orr_input(s.g, "k", ORR_F64, ORR_SHAPE(6, 3, 3, 3));
    orr_convolve(s.g, a, k, plain);
    said(&s, __LINE__ - 1,
         "convolve: the window of [6, 3, 3, 3] is larger than the padded [2, 3, 2, 5] along spatial axis 0");
    orr_convolve(s.g, s.x, s.y, plain);
    said(&s, __LINE__ - 1,
         "convolve: needs a[n, c, x...] and w[d, c / groups, k...] with one to three spatial axes, got "
         "[3, 4], [4, 5]");
    a = orr_input(s.g, "a", ORR_F64, ORR_SHAPE(2, 3, 5)), k = orr_input(s.g, "k", ORR_F64, ORR_SHAPE(6, 3, 3));
    orr_convolve(s.g, a, k, (orr_convolution){ .low = { -1 } });
    said(&s, __LINE__ - 1, "convolve: stride and dilation are at least 1, padding at least 0, the window at least 1");
    a = orr_input(s.g, "a", ORR_F64, ORR_SHAPE(2, 3, 5)), k = orr_input(s.g, "k", ORR_F32, ORR_SHAPE(6, 3, 3));
    orr_convolve(s.g, a, k, plain);
    said(&s, __LINE__ - 1, "convolve: needs both arguments of one type; see orr_cast");
    orr_graph_free(s.g);
}

static void sources_name_what_is_wrong(void **state) {
    sheet s = sheet_new(*state);
    orr_input(s.g, "x", ORR_F32, ORR_SHAPE(2));
    said(&s, __LINE__ - 1, "input: \"x\" is the name of another input");
    orr_input(s.g, "z", ORR_F32, ORR_SHAPE(2, -7));
    said(&s, __LINE__ - 1, "input: axis 1 has extent -7");
    orr_fill(s.g, ORR_I32, ORR_SHAPE(2), 1e10);
    said(&s, __LINE__ - 1, "fill: 1e+10 is no i32");
    orr_fill(s.g, ORR_F32, (orr_shape){ .rank = 11 }, 0.0);
    said(&s, __LINE__ - 1, "fill: the result has 11 axes; at most 10 are possible");
    orr_literal(s.g, ORR_F64, ORR_SHAPE(-2, -3), (const double[]){ 1, 2, 3, 4, 5, 6 });
    said(&s, __LINE__ - 1, "literal: axis 0 has extent -2");
    orr_iota(s.g, ORR_BOOL, ORR_SHAPE(2), 0);
    said(&s, __LINE__ - 1, "iota: an index is no bool");
    orr_iota(s.g, ORR_I32, ORR_SHAPE(2, 3), 2);
    said(&s, __LINE__ - 1, "iota: axis 2 of a tensor with 2 axes; expected -2 to 1");
    orr_random_normal(s.g, s.i, ORR_F64, ORR_SHAPE(2));
    said(&s, __LINE__ - 1, "random: key is i32[..., 4]: seed low, seed high, purpose, step; got i32[3]");
    orr_random_normal(s.g, s.i, ORR_I32, ORR_SHAPE(2));
    said(&s, __LINE__ - 1, "random: draws f32 or f64, not i32");
    orr_random_int(s.g, s.i, 0, ORR_SHAPE(2));
    said(&s, __LINE__ - 1, "random: whole numbers below 0: there is none");
    orr_random_sign(s.g, s.v, ORR_F64, ORR_SHAPE(2));
    said(&s, __LINE__ - 1, "random: argument 1 is f64[3], a type it doesn't take; see orr_cast");
    orr_graph_free(s.g);
}

/* Sizes whose products don't fit 63 bits, in each op that multiplies some. */
static void sizes_that_overflow_are_refused(void **state) {
    const int64_t huge = INT64_C(1) << 40;
    sheet s = sheet_new(*state);
    orr_input(s.g, "z", ORR_F32, ORR_SHAPE(huge, huge));
    said(&s, __LINE__ - 1, "input: the result is too large to count");
    orr_broadcast(s.g, s.s, ORR_SHAPE(huge, huge));
    said(&s, __LINE__ - 1, "broadcast: the result is too large to count");
    orr_literal(s.g, ORR_F64, ORR_SHAPE(huge, huge), NULL);
    said(&s, __LINE__ - 1, "literal: the result is too large to count");
    orr_reshape(s.g, s.x, ORR_SHAPE(huge, huge));
    said(&s, __LINE__ - 1, "reshape: f64[3, 4] doesn't fill f64[1099511627776, 1099511627776]");
    orr_reshape(s.g, s.x, ORR_SHAPE(huge, huge, -1));
    said(&s, __LINE__ - 1, "reshape: the extents given, 9223372036854775807 in all, don't divide f64[3, 4]");
    const orr_node wide = orr_broadcast(s.g, s.s, ORR_SHAPE(huge));
    orr_pad(s.g, wide, 0, 0, 0, huge);
    said(&s, __LINE__ - 1, "pad: the result is too large to count");
    const orr_node again = orr_broadcast(s.g, s.s, ORR_SHAPE(huge));
    orr_einsum(s.g, "i,j->ij", again, again);
    said(&s, __LINE__ - 1, "einsum: the result is too large to count");
    const orr_node a = orr_broadcast(s.g, s.s, ORR_SHAPE(1, 1, 9)), w = orr_broadcast(s.g, s.s, ORR_SHAPE(1, 1, huge));
    orr_convolve(s.g, a, w, (orr_convolution){ .dilation = { INT64_C(1) << 30 } });
    said(&s, __LINE__ - 1,
         "convolve: the window of [1, 1, 1099511627776] is larger than the padded [1, 1, 9] along spatial axis 0");
    orr_graph_free(s.g);
}

/* Not a mistake: the last step reaches beyond the end. */
static void a_slice_may_step_as_far_as_it_likes(void **state) {
    sheet s = sheet_new(*state);
    const orr_node one = orr_slice(s.g, s.x, 1, 1, 4, INT64_MAX);
    orr_node gradient;
    orr_grad(s.g, orr_sum_all(s.g, one), &s.x, 1, &gradient);
    assert_string_equal(orr_graph_message(s.g), "");
    assert_int_equal(orr_node_shape(s.g, one).size[1], 1);
    orr_graph_free(s.g);
}

static void derivatives_name_the_argument(void **state) {
    sheet s = sheet_new(*state);
    orr_node out[2];
    orr_grad(s.g, s.x, &s.x, 1, out);
    said(&s, __LINE__ - 1, "grad: of a scalar; got f64[3, 4] (sum it first, or use orr_vjp)");
    orr_vjp(s.g, &(orr_node){ 99 }, NULL, 1, &s.x, 1, out);
    said(&s, __LINE__ - 1, "vjp: y[0] is no node of this graph");
    orr_vjp(s.g, &s.x, NULL, 1, (const orr_node[]){ s.x, ORR_NONE }, 2, out);
    said(&s, __LINE__ - 1, "vjp: x[1] is no node of this graph");
    orr_vjp(s.g, &s.x, &s.y, 1, &s.x, 1, out);
    said(&s, __LINE__ - 1, "vjp: ybar is f64[4, 5] where f64[3, 4] was expected");
    orr_jvp(s.g, &s.v, 1, &s.v, &s.w, 1, out);
    said(&s, __LINE__ - 1, "jvp: xdot is f32[3] where f64[3] was expected");
    orr_jvp(s.g, &s.v, 1, &s.v, &ORR_NONE, 1, out);
    said(&s, __LINE__ - 1, "jvp: xdot is no node of this graph");
    orr_vmap(s.g, &s.v, 1, NULL, NULL, 0, out);
    said(&s, __LINE__ - 1, "vmap: over no input");
    orr_vmap(s.g, &s.v, 1, &s.v, &s.x, 1, out);
    said(&s, __LINE__ - 1, "vmap: f64[3, 4] is no batch of f64[3] with the others' extent");
    orr_vmap(s.g, &s.v, 1, &s.v, &ORR_NONE, 1, out);
    said(&s, __LINE__ - 1, "vmap: x[0] or its batch is no node of this graph");
    orr_substitute(s.g, &s.v, 1, &s.v, &s.x, 1, out);
    said(&s, __LINE__ - 1, "substitute: value is f64[3, 4] where f64[3] was expected");
    orr_hvp(s.g, s.s, &s.s, &s.v, 1, out);
    said(&s, __LINE__ - 1, "jvp: xdot is f64[3] where f64[] was expected");
    orr_graph_free(s.g);
}

/* Axes are few; a batch axis more than fits is the mistake of the line that made the node, not of the line that asked
 * for the transformation, for that is where the remedy is. */
static void inside_transformations_a_mistake_keeps_the_line_of_its_node(void **state) {
    for (int nested = 0; nested < 3; nested++) {
        sheet s = sheet_new(*state);
        const orr_shape eight = ORR_SHAPE(1, 1, 1, 1, 1, 1, 1, 3);
        const orr_node one = orr_reshape(s.g, s.v, ORR_SHAPE(1, 1, 3));
        const orr_node x = orr_input(s.g, "x8", ORR_F64, eight);
        const orr_node wide = orr_mul(s.g, x, orr_tanh(s.g, orr_broadcast(s.g, one, eight)));
        const orr_node full = orr_reshape(s.g, wide, ORR_SHAPE(1, 1, 1, 1, 1, 1, 1, 1, 1, 3));
        const int line = __LINE__ - 1;
        orr_node y = full, batch = orr_input(s.g, "batch", ORR_F64, ORR_SHAPE(2, 1, 1, 1, 1, 1, 1, 1, 3));
        if (nested == 1) orr_vjp(s.g, &full, NULL, 1, &x, 1, &y); /* x's cotangent: needs tanh only, of 8 axes */
        if (nested == 2) orr_jvp(s.g, &full, 1, &x, &wide, 1, &y);
        assert_int_equal(orr_graph_status(s.g), ORR_OK);
        orr_vmap(s.g, &y, 1, &x, &batch, 1, &y);
        if (nested == 1) {
            assert_string_equal(orr_graph_message(s.g), "");
            orr_graph_free(s.g);
        } else {
            said(&s, line, "reshape: 11 axes; at most 10 are possible");
            orr_graph_free(s.g);
        }
    }
}

/* A transformation leaves the caller's line as it found it. */
static void after_a_transformation_the_line_is_the_callers(void **state) {
    sheet s = sheet_new(*state);
    orr_node out;
    const orr_node y = orr_tanh(s.g, s.x);
    orr_vjp(s.g, &y, &s.v, 1, &s.x, 1, &out);
    said(&s, __LINE__ - 1, "vjp: ybar is f64[3] where f64[3, 4] was expected");
    orr_graph_free(s.g);
}

static void the_first_mistake_sticks_and_later_ops_pass_through(void **state) {
    orr_context *ctx = *state;
    sheet s = sheet_new(ctx);
    const orr_node bad = orr_add(s.g, s.x, s.y);
    const int line = __LINE__ - 1;
    assert_int_equal(bad.id, 0);
    const int32_t size = orr_graph_size(s.g);
    orr_node out[2] = { { 7 }, { 7 } };
    const orr_node loss = orr_sum_all(s.g, orr_tanh(s.g, orr_matmul(s.g, bad, s.y)));
    assert_int_equal(loss.id, 0);
    assert_int_equal(orr_exp(s.g, s.v).id, 0); /* right in itself, but the graph has failed */
    assert_int_equal(orr_input(s.g, "late", ORR_F32, ORR_SCALAR).id, 0);
    assert_int_equal(orr_concat(s.g, (const orr_node[]){ bad, s.x }, 2, 0).id, 0);
    assert_int_equal(orr_einsum(s.g, "ij->ji", bad, ORR_NONE).id, 0);
    assert_int_equal(orr_convolve(s.g, bad, bad, (orr_convolution){ 0 }).id, 0);
    assert_int_equal(orr_gather(s.g, bad, s.i, 0).id, 0);
    assert_int_equal(orr_mean_keep(s.g, bad, ORR_AXES(5)).id, 0);
    orr_grad(s.g, loss, (const orr_node[]){ s.x, s.y }, 2, out);
    assert_int_equal(out[0].id, 0);
    assert_int_equal(out[1].id, 0);
    orr_jvp(s.g, &loss, 1, &s.x, &s.x, 1, out);
    orr_hvp(s.g, loss, &s.x, &s.x, 1, out);
    orr_vmap(s.g, &loss, 1, &s.x, &s.x, 1, out);
    orr_substitute(s.g, &loss, 1, &s.x, &s.x, 1, out);
    assert_int_equal(out[0].id, 0);
    assert_int_equal(orr_graph_size(s.g), size);

    char expected[200];
    (void)snprintf(expected, sizeof expected, "test_errors.c:%d: add: shapes f64[3, 4] and f64[4, 5] don't broadcast",
                   line);
    assert_string_equal(orr_graph_message(s.g), expected);
    assert_int_equal(orr_graph_status(s.g), ORR_EINPUT);

    orr_program *p = (orr_program *)&s;
    orr_context_clear(ctx);
    assert_int_equal(orr_compile(ctx, s.g, &(orr_compile_options){ .outputs = &s.x, .n_outputs = 1 }, &p), ORR_EINPUT);
    assert_null(p);
    assert_non_null(strstr(orr_context_message(ctx), expected));
    orr_context_clear(ctx);
    orr_graph_free(s.g);
}

static void compile_refuses(sheet *s, const orr_compile_options *options, const char *text) {
    orr_program *p = NULL;
    orr_context_clear(s->ctx);
    assert_int_equal(orr_compile(s->ctx, s->g, options, &p), ORR_EINPUT);
    assert_null(p);
    if (!strstr(orr_context_message(s->ctx), text))
        fail_msg("\"%s\" doesn't say \"%s\"", orr_context_message(s->ctx), text);
    orr_context_clear(s->ctx);
}

static void compile_names_what_it_can_not_do(void **state) {
    sheet s = sheet_new(*state);
    const orr_node y = orr_tanh(s.g, s.v);
    compile_refuses(&s, &(orr_compile_options){ .outputs = &y, .n_outputs = 1, .device = "abacus" }, "abacus");
    compile_refuses(&s, &(orr_compile_options){ .outputs = &ORR_NONE, .n_outputs = 1 }, "output");
    compile_refuses(&s, &(orr_compile_options){ .updates = &(orr_update){ s.v, s.x }, .n_updates = 1 }, "f64[3, 4]");
    compile_refuses(&s, &(orr_compile_options){ .updates = &(orr_update){ s.v, ORR_NONE }, .n_updates = 1 }, "update");
    compile_refuses(&s, &(orr_compile_options){ .updates = &(orr_update){ y, s.v }, .n_updates = 1 }, "input");
    compile_refuses(
        &s, &(orr_compile_options){ .updates = (const orr_update[]){ { s.v, y }, { s.v, s.v } }, .n_updates = 2 },
        "twice");
    orr_graph_free(s.g);
}

/* Index out of range: known only when it runs.  The whole run fails; nothing outside the tensors is touched. */
static void an_index_out_of_range_ends_the_run(void **state) {
    orr_context *ctx = *state;
    const char *devices[] = { "ref", "cpu" };
    const int32_t bad[] = { 4, -1, INT32_MAX, INT32_MIN };
    for (int d = 0; d < 2; d++)
        for (int scatter = 0; scatter < 2; scatter++) {
            sheet s = sheet_new(ctx);
            const orr_node rows = orr_reshape(s.g, s.x, ORR_SHAPE(4, 3));
            const orr_node y = scatter ? orr_scatter_add(s.g, s.x, s.i, 0, 4) : orr_gather(s.g, rows, s.i, 0);
            const int line = __LINE__ - 1;
            orr_program *p;
            assert_ok(ctx,
                      orr_compile(ctx, s.g,
                                  &(orr_compile_options){ .outputs = &y, .n_outputs = 1, .device = devices[d] }, &p));
            int32_t *index = orr_program_data(p, s.i);
            for (int k = 0; k < 4; k++) {
                index[0] = 0, index[1] = 3, index[2] = bad[k];
                char where[100], number[20];
                (void)snprintf(where, sizeof where, "test_errors.c:%d: %s", line, scatter ? "scatter_add" : "gather");
                (void)snprintf(number, sizeof number, "%d", bad[k]);
                assert_int_equal(orr_program_run(p), ORR_EINPUT);
                if (!strstr(orr_context_message(ctx), number))
                    fail_msg("\"%s\" doesn't say %s", orr_context_message(ctx), number);
                if (!strstr(orr_context_message(ctx), where))
                    fail_msg("\"%s\" doesn't say %s", orr_context_message(ctx), where);
                orr_context_clear(ctx);
            }
            index[2] = 1;
            assert_ok(ctx, orr_program_run(p)); /* nothing is broken for good */
            orr_program_free(p);
            orr_graph_free(s.g);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementwise_ops_name_types_and_shapes),
        cmocka_unit_test(a_missing_argument_is_named),
        cmocka_unit_test(reductions_name_the_axis),
        cmocka_unit_test(movement_names_shapes_and_ranges),
        cmocka_unit_test(indexing_names_the_index),
        cmocka_unit_test(contractions_name_equation_and_extents),
        cmocka_unit_test(matmul_names_both_shapes_where_batches_differ),
        cmocka_unit_test(convolution_names_channels_and_windows),
        cmocka_unit_test(sources_name_what_is_wrong),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(a_slice_may_step_as_far_as_it_likes),
        cmocka_unit_test(derivatives_name_the_argument),
        cmocka_unit_test(inside_transformations_a_mistake_keeps_the_line_of_its_node),
        cmocka_unit_test(after_a_transformation_the_line_is_the_callers),
        cmocka_unit_test(the_first_mistake_sticks_and_later_ops_pass_through),
        cmocka_unit_test(compile_names_what_it_can_not_do),
        cmocka_unit_test(an_index_out_of_range_ends_the_run),
    };
    return cmocka_run_group_tests_name("tensor/errors", tests, context_setup, context_teardown);
}
