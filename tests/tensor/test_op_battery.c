/* The battery: what holds for every primitive, tried on every row of orr_ops[]. */
#include "tensor/cases.h"
#include "tensor/differences.h"

static const char *const devices[] = { "ref", "cpu" };
enum { DEVICES = 2 };

typedef struct bench {
    orr_context *ctx;
    orr_arena *arena;
    dice dice;
    const op_case *c;
    orr_context *const *threaded; /* contexts of 1, 2 and 4 threads, for those that compare them */
    char what[420];
} bench;

typedef void check(bench *b);

/* A check on each case of each op, or of the one that ORRERY_OP names, with memory and dice of its own. */
static void on_each_case_threaded(orr_context *ctx, orr_context *const *threaded, check *body) {
    op_case *cases = malloc(CASES_MAX * sizeof *cases);
    const char *only = getenv("ORRERY_OP");
    assert_non_null(cases);
    for (int code = 0; code < ORR_OP_COUNT; code++) {
        if (only && strcmp(only, orr_ops[code]->name) != 0) continue;
        const int n = cases_of((orr_op_code)code, cases);
        for (int i = 0; i < n; i++) {
            bench b = { .ctx = ctx, .dice = { (uint64_t)(code * 1000 + i) }, .c = &cases[i], .threaded = threaded };
            (void)case_print(b.c, b.what);
            assert_ok(ctx, orr_arena_new(ctx, &b.arena));
            body(&b);
            orr_arena_free(b.arena);
        }
    }
    free(cases);
}
static void on_each_case(orr_context *ctx, check *body) { on_each_case_threaded(ctx, NULL, body); }

/* A graph with the case's arguments as inputs and its call. */
typedef struct scene {
    orr_graph *g;
    orr_node args[CASE_ARGS], y;
    host value[CASE_ARGS];
    feed in;
} scene;

static void scene_check(const bench *b, const scene *s) {
    if (orr_graph_status(s->g) != ORR_OK) fail_msg("%s: %s", b->what, orr_graph_message(s->g));
}

static void scene_open(bench *b, const op_case *c, scene *s) {
    memset(s, 0, sizeof *s);
    assert_ok(b->ctx, orr_graph_new(b->ctx, &s->g));
    case_inputs(c, s->g, s->args);
    s->y = case_call(c, s->g, s->args);
    scene_check(b, s);
}

static void scene_feed(const op_case *c, scene *s) {
    for (int32_t i = 0; i < c->n_args; i++) feed_add(&s->in, s->args[i], s->value[i]);
}

static host result_on(bench *b, const scene *s, const char *device) {
    host y = host_like(b->arena, s->g, s->y);
    evaluate(b->ctx, s->g, device, &s->in, &s->y, 1, &y);
    return y;
}

/* ---- every row ---------------------------------------------------------------------------------------------------------- */

static void every_primitive_has_cases_in_every_type_that_it_takes(void **state) {
    (void)state;
    op_case *cases = malloc(CASES_MAX * sizeof *cases);
    assert_non_null(cases);
    for (int code = 0; code < ORR_OP_COUNT; code++) {
        const orr_op *op = orr_ops[code];
        const int n = cases_of((orr_op_code)code, cases);
        if (n == 0) fail_msg("%s has no cases: give it a generator in cases.c", op->name);
        unsigned seen = 0;
        bool small = false, large = false;
        for (int i = 0; i < n; i++) {
            if (cases[i].n_args > 0)
                seen |= 1u << (cases[i].arg[0].kind == ARGUMENT_BOOL ? case_type(&cases[i], 1).dtype
                                                                     : case_type(&cases[i], 0).dtype);
            small = small || !cases[i].large;
            large = large || cases[i].large;
        }
        if (op->kind != ORR_KIND_SOURCE && seen != op->accepts)
            fail_msg("%s: types %x tried, %x taken", op->name, seen, op->accepts);
        if (!small || (!large && op->kind != ORR_KIND_SOURCE && op->kind != ORR_KIND_MOVEMENT))
            fail_msg("%s: small and large cases are needed", op->name);
    }
    free(cases);
}

static void every_row_is_filled_in(void **state) {
    (void)state;
    for (int code = 0; code < ORR_OP_COUNT; code++) {
        const orr_op *op = orr_ops[code];
        assert_int_equal(op->code, code);
        assert_true(*op->name && *op->equation);
        assert_non_null(op->type);
        assert_true((op->vjp == NULL) == (op->jvp == NULL));
        assert_true(op->kind == ORR_KIND_SOURCE || op->vmap);
        assert_true(op->partial == NULL || (op->vjp == orr_vjp_partial && op->jvp == orr_jvp_partial));
    }
}

/* ---- derivatives -------------------------------------------------------------------------------------------------------- */

/* The case as a function of its floating arguments, on a device. */
static bool function_of(bench *b, scene *s, const char *device, function *f) {
    if (!case_is_for_differences(b->c)) return false;
    scene_open(b, b->c, s);
    case_draw_apart(b->c, b->arena, &b->dice, s->value);
    *f = (function){ .ctx = b->ctx, .arena = b->arena, .g = s->g, .device = device, .what = b->what, .n_y = 1 };
    if (orr_node_dtype(s->g, s->y) > ORR_F64) { /* whole numbers and booleans: no derivative */
        orr_graph_free(s->g);
        return false;
    }
    f->y[0] = orr_cast(s->g, s->y, ORR_F64);
    /* A cast to f32 rounds by 2^-24: the step is as long as the room around the numbers allows, which casts don't need. */
    if (f->y[0].id != s->y.id) f->step = 0.5;
    for (int32_t i = 0; i < b->c->n_args; i++)
        if (case_moves(b->c, i)) {
            f->x[f->n_x] = s->args[i];
            f->at[f->n_x++] = s->value[i];
        } else feed_add(&f->held, s->args[i], s->value[i]);
    host y = host_like(b->arena, s->g, f->y[0]);
    for (int32_t i = 0; i < b->c->n_args; i++) feed_add(&s->in, s->args[i], s->value[i]);
    evaluate(b->ctx, s->g, "ref", &s->in, &f->y[0], 1, &y);
    for (int64_t i = 0; i < y.n; i++)
        if (!isfinite(y.v[i])) { /* the maximum of nothing */
            orr_graph_free(s->g);
            return false;
        }
    return true;
}

/* Truncation leaves 1e-11 and rounding 1e-13 (differences.h); at the edges of the ranges high derivatives grow, to some
 * 1e-9 for powers at 0.3.  The cast to f32: 4 roundings of 2^-24 over a step of 0.125. */
static double first_order_limit(const function *f) { return f->step > 0 ? 1e-5 : 1e-8; }

static void check_first_order(bench *b) {
    for (int d = 0; d < DEVICES; d++) {
        scene s;
        function f;
        if (!function_of(b, &s, devices[d], &f)) continue;
        assert_derivatives(&f, first_order_limit(&f));
        orr_graph_free(s.g);
    }
}
static void first_derivatives_agree_with_differences(void **state) { on_each_case(*state, check_first_order); }

/* jvp of vjp, vjp of vjp, jvp of jvp, vjp of jvp: each by both transformations of the first derivative. */
static void check_second_order(bench *b) {
    for (int d = 0; d < DEVICES; d++) {
        scene s;
        function f;
        if (!function_of(b, &s, devices[d], &f)) continue;
        const double limit = f.step > 0 ? 1e-5 : 1e-7;
        function of_vjp = function_vjp(&f, &b->dice), of_jvp = function_jvp(&f, &b->dice);
        assert_derivatives(&of_vjp, limit);
        assert_derivatives(&of_jvp, limit);
        orr_graph_free(s.g);
    }
}
static void second_derivatives_agree_with_differences_of_the_first(void **state) {
    on_each_case(*state, check_second_order);
}

static void check_third_order(bench *b) {
    scene s;
    function f;
    if (!function_of(b, &s, "ref", &f)) return;
    if (f.at[0].n <= 8) { /* the argument grows with each order: small cases say it all */
        const function once = function_vjp(&f, &b->dice), reverse = function_vjp(&once, &b->dice),
                       forward = function_jvp(&once, &b->dice);
        assert_derivatives(&reverse, f.step > 0 ? 1e-5 : 1e-6);
        assert_derivatives(&forward, f.step > 0 ? 1e-5 : 1e-6);
    }
    orr_graph_free(s.g);
}
static void third_derivatives_agree_with_differences_of_the_second(void **state) {
    on_each_case(*state, check_third_order);
}

/* orr_pow with a constant whole exponent at negative bases and at 0, to third order, also inside vmap, where the exponent
 * gets an axis. */
static void powers_of_any_base_by_whole_numbers(void **state) {
    orr_context *ctx = *state;
    const double exponents[] = { 0, 1, 2, 3, 4, 5, -1, -2, -3 };
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++)
        for (int zero = 0; zero < (exponents[i] >= 0 ? 2 : 1); zero++) {
            const double n = exponents[i], base[] = { -1.25, zero ? 0.0 : 0.5, 0.75 };
            orr_graph *g;
            assert_ok(ctx, orr_graph_new(ctx, &g));
            const orr_node x = orr_input(g, "x", ORR_F64, ORR_SHAPE(1)),
                           all = orr_input(g, "all", ORR_F64, ORR_SHAPE(3, 1));
            orr_node y[4], out[8];
            y[0] = orr_pow(g, x, orr_fill(g, ORR_F64, ORR_SHAPE(1), n));
            for (int k = 1; k < 4; k++) orr_grad(g, orr_sum_all(g, y[k - 1]), &x, 1, &y[k]);
            orr_vmap(g, y, 4, &x, &all, 1, out); /* derivatives, then the batch */
            out[4] = out[0];
            for (int k = 5; k < 8; k++)
                orr_grad(g, orr_sum_all(g, out[k - 1]), &all, 1, &out[k]); /* and the other way round */
            host got[8];
            feed in = { 0 };
            feed_add(&in, all, (host){ { ORR_F64, ORR_SHAPE(3, 1) }, 3, (double[]){ base[0], base[1], base[2] } });
            double room[8][3];
            for (int k = 0; k < 8; k++) got[k] = (host){ { ORR_F64, ORR_SHAPE(3, 1) }, 3, room[k] };
            evaluate(ctx, g, "cpu", &in, out, 8, got);
            for (int k = 0; k < 8; k++) {
                double factor = 1;
                for (int m = 0; m < k % 4; m++) factor *= n - m;
                for (int e = 0; e < 3; e++) {
                    const double expected = factor == 0 ? 0 : factor * pow(base[e], n - k % 4);
                    assert_close(got[k].v[e], expected, 1e-14 * fmax(1, fabs(expected)));
                }
            }
            orr_graph_free(g);
        }
}

/* Two operands of random shapes that broadcast: against the loop over the result; cotangents are summed over what was
 * repeated. */
static void operands_broadcast_as_in_numpy(void **state) {
    orr_context *ctx = *state;
    orr_node (*const ops[])(orr_graph *, orr_node, orr_node) = { (orr_add), (orr_sub), (orr_mul), (orr_div),
                                                                 (orr_max) };
    dice d = { 3 };
    for (int round = 0; round < 200; round++) {
        orr_arena *arena;
        orr_graph *g;
        orr_shape s = { .rank = (int32_t)dice_below(&d, 5) }, full = { 0 }, shape[2];
        for (int32_t i = 0; i < s.rank; i++)
            s.size[i] = (const int64_t[]){ 0, 1, 2, 3, 5 }[dice_below(&d, 20) ? 1 + dice_below(&d, 4) : 0];
        for (int k = 0; k < 2; k++) { /* leading axes left out, some of extent 1 */
            shape[k] = (orr_shape){ .rank = k == round % 2 ? s.rank : (int32_t)dice_below(&d, s.rank + 1) };
            for (int32_t i = 0; i < shape[k].rank; i++)
                shape[k].size[i] = dice_below(&d, 3) ? s.size[s.rank - shape[k].rank + i] : 1;
        }
        full.rank = s.rank;
        for (int32_t i = 0; i < s.rank; i++) {
            full.size[i] = 1;
            for (int k = 0; k < 2; k++) {
                const int32_t at = i - (s.rank - shape[k].rank);
                if (at >= 0 && shape[k].size[at] != 1) full.size[i] = shape[k].size[at];
            }
        }
        assert_ok(ctx, orr_arena_new(ctx, &arena));
        assert_ok(ctx, orr_graph_new(ctx, &g));
        const int which = round % 5;
        orr_node in[2], bar[2];
        in[0] = orr_input(g, "a", ORR_F64, shape[0]), in[1] = orr_input(g, "b", ORR_F64, shape[1]);
        const orr_node y = ops[which](g, in[0], in[1]);
        orr_vjp(g, &y, NULL, 1, in, 2, bar);
        assert_string_equal(orr_graph_message(g), "");
        const orr_shape made = orr_node_shape(g, y);
        assert_true(orr_shape_equal(&made, &full));
        const orr_node outputs[] = { y, bar[0], bar[1] };
        host value[2], got[3], expected[3];
        feed f = { 0 };
        for (int k = 0; k < 2; k++) {
            value[k] = host_new(arena, ORR_F64, shape[k]);
            host_draw(&d, &value[k], 0.5, 2.0);
            feed_add(&f, in[k], value[k]);
        }
        for (int k = 0; k < 3; k++)
            got[k] = host_like(arena, g, outputs[k]), expected[k] = host_like(arena, g, outputs[k]);
        evaluate(ctx, g, devices[round / 5 % 2], &f, outputs, 3, got);
        for (int64_t e = 0; e < expected[0].n; e++) {
            int64_t rest = e, at[ORR_RANK_MAX], offset[2] = { 0, 0 };
            for (int32_t i = full.rank - 1; i >= 0; i--) at[i] = rest % full.size[i], rest /= full.size[i];
            for (int k = 0; k < 2; k++)
                for (int32_t i = 0; i < shape[k].rank; i++)
                    offset[k] =
                        offset[k] * shape[k].size[i] + (shape[k].size[i] == 1 ? 0 : at[i + full.rank - shape[k].rank]);
            const double a = value[0].v[offset[0]], b = value[1].v[offset[1]];
            const double result[] = { a + b, a - b, a * b, a / b, fmax(a, b) };
            const double da[] = { 1, 1, b, 1 / b, a > b }, db[] = { 1, -1, a, -a / (b * b), b > a };
            expected[0].v[e] = result[which];
            expected[1].v[offset[0]] += da[which], expected[2].v[offset[1]] += db[which];
        }
        for (int k = 0; k < 3; k++)
            assert_near("broadcast operands", &got[k], &expected[k], 1e-13 * fmax(1, host_largest(&expected[k])));
        orr_graph_free(g);
        orr_arena_free(arena);
    }
}

static void stop_has_derivative_zero(void **state) {
    orr_context *ctx = *state;
    orr_graph *g;
    assert_ok(ctx, orr_graph_new(ctx, &g));
    const orr_node x = orr_input(g, "x", ORR_F64, ORR_SHAPE(3)), y = orr_stop(g, orr_exp(g, x));
    orr_node out[2];
    double zero = 1;
    orr_vjp(g, &y, NULL, 1, &x, 1, &out[0]);
    orr_jvp(g, &y, 1, &x, &x, 1, &out[1]);
    for (int i = 0; i < 2; i++) {
        assert_true(orr_graph_is_fill(g, out[i], &zero));
        assert_true(zero == 0.0);
    }
    orr_graph_free(g);
}

/* At a kink, what the header says: max and min share a tie, reduce_max shares it among all, |0| has slope 0. */
static void derivatives_at_kinks_are_the_stated_ones(void **state) {
    orr_context *ctx = *state;
    static const double x[] = { 0, 2, -1, 2, 2, 0 }, y[] = { 0, 2, 3, 1, 2, -0.0 };
    static const double of_max[] = { 0.5, 0.5, 0, 1, 0.5, 0.5 }, of_min[] = { 0.5, 0.5, 1, 0, 0.5, 0.5 },
                        of_abs[] = { 0, 1, -1, 1, 1, 0 }, of_relu[] = { 0, 1, 0, 1, 1, 0 },
                        of_rows[] = { 0, 1, 0, 0.5, 0.5, 0 }, of_all[] = { 0, 1 / 3.0, 0, 1 / 3.0, 1 / 3.0, 0 },
                        none[6] = { 0 };
    orr_graph *g;
    assert_ok(ctx, orr_graph_new(ctx, &g));
    const orr_node a = orr_input(g, "a", ORR_F64, ORR_SHAPE(2, 3)), b = orr_input(g, "b", ORR_F64, ORR_SHAPE(2, 3)),
                   u = orr_input(g, "u", ORR_F64, ORR_SHAPE(2, 3));
    const struct {
        orr_node y;
        const double *slope;
    } t[] = {
        { orr_max(g, a, b), of_max },
        { orr_min(g, a, b), of_min },
        { orr_max(g, b, a), of_max },
        { orr_abs(g, a), of_abs },
        { orr_relu(g, a), of_relu },
        { orr_reduce_max(g, a, ORR_AXES(1)), of_rows },
        { orr_reduce_max(g, a, ORR_AXES(0, 1)), of_all },
        { orr_sign(g, a), none },
        { orr_floor(g, a), none },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        for (int d = 0; d < DEVICES; d++) {
            orr_node bar, dot;
            host got = { .type = { ORR_F64, ORR_SHAPE(2, 3) }, .n = 6, .v = (double[6]){ 0 } };
            const host at = { got.type, 6, (double[]){ x[0], x[1], x[2], x[3], x[4], x[5] } },
                       other = { got.type, 6, (double[]){ y[0], y[1], y[2], y[3], y[4], y[5] } };
            feed in = { 0 };
            char what[80];
            orr_grad(g, orr_sum_all(g, t[i].y), &a, 1, &bar);
            orr_jvp(g, &t[i].y, 1, &a, &u, 1, &dot);
            dot = orr_sum_all(g, dot);
            feed_add(&in, a, at), feed_add(&in, b, other);
            evaluate(ctx, g, devices[d], &in, &bar, 1, &got);
            for (int k = 0; k < 6; k++) assert_close(got.v[k], t[i].slope[k], 1e-16);
            for (int k = 0; k < 6; k++) { /* one direction after the other */
                host unit = { got.type, 6, (double[6]){ 0 } }, slope = { { ORR_F64, ORR_SCALAR }, 1, (double[1]){ 0 } };
                feed along = in;
                unit.v[k] = 1;
                feed_add(&along, u, unit);
                evaluate(ctx, g, devices[d], &along, &dot, 1, &slope);
                (void)snprintf(what, sizeof what, "function %d, element %d", (int)i, k);
                assert_near(what, &slope, &(host){ slope.type, 1, (double[]){ t[i].slope[k] } }, 1e-16);
            }
        }
    orr_graph_free(g);
}

/* ---- float32 ------------------------------------------------------------------------------------------------------------ */

/* Arguments that are floats exactly, so that all that differs is the arithmetic of the op. */
static void check_float32(bench *b) {
    if (b->c->dtype != ORR_F64 || !(b->c->op->accepts & ORR_ACCEPT_F32) || b->c->op->code == ORR_OP_cast) return;
    op_case narrow = *b->c;
    narrow.dtype = ORR_F32;
    scene wide, s;
    scene_open(b, b->c, &wide);
    scene_open(b, &narrow, &s);
    case_draw(&narrow, b->arena, &b->dice, s.value);
    memcpy(wide.value, s.value, sizeof s.value);
    for (int32_t i = 0; i < b->c->n_args; i++) wide.value[i].type = case_type(b->c, i);
    scene_feed(&narrow, &s);
    scene_feed(b->c, &wide);
    const host expected = result_on(b, &wide, "ref");
    const double *limit = case_limits(b->c, b->ctx, b->arena, wide.value, &expected, unit_of(ORR_F32));
    for (int d = 0; d < DEVICES; d++) {
        char what[500];
        const host got = result_on(b, &s, devices[d]);
        (void)snprintf(what, sizeof what, "%s in f32 on %s", b->what, devices[d]);
        assert_within(what, &got, &expected, limit);
    }
    orr_graph_free(wide.g);
    orr_graph_free(s.g);
}
static void float32_agrees_with_float64_to_its_rounding(void **state) { on_each_case(*state, check_float32); }

/* ---- devices ------------------------------------------------------------------------------------------------------------ */

static void check_devices(bench *b) {
    scene s;
    char what[500];
    scene_open(b, b->c, &s);
    case_draw(b->c, b->arena, &b->dice, s.value);
    scene_feed(b->c, &s);
    const host expected = result_on(b, &s, "ref"), got = result_on(b, &s, "cpu");
    (void)snprintf(what, sizeof what, "%s on cpu against ref", b->what);
    assert_within(what, &got, &expected,
                  case_limits(b->c, b->ctx, b->arena, s.value, &expected, unit_of(expected.type.dtype)));
    orr_graph_free(s.g);
}
static void the_cpu_agrees_with_the_reference(void **state) { on_each_case(*state, check_devices); }

/* Zeros of both signs, infinities, NaN, the smallest and the largest: where approximations and reorderings go wrong. */
static const double special[] = { 0.0,
                                  -0.0,
                                  1.0,
                                  -1.0,
                                  0.5,
                                  -2.5,
                                  1e-40,
                                  -1e-40,
                                  1e30,
                                  -1e30,
                                  700.0,
                                  -700.0,
                                  88.0,
                                  -104.0,
                                  (double)INFINITY,
                                  -(double)INFINITY,
                                  (double)NAN,
                                  5e-324,
                                  1.7e308,
                                  0x1p-24,
                                  1e-5,
                                  30.0,
                                  -30.0,
                                  3.5,
                                  0.9999999 };
enum { SPECIAL = sizeof special / sizeof *special };

static void check_special_values(bench *b) {
    const op_case *c = b->c;
    if (c->op->kind != ORR_KIND_ELEMENTWISE || c->large || c->dtype > ORR_F64 || c->arg[0].shape.rank != 1 ||
        c->arg[0].shape.size[0] != 7)
        return;
    if (c->op->code == ORR_OP_cast && c->attr.cast.dtype == ORR_I32) return; /* out of range: not defined */
    op_case wide = *c;
    scene s;
    char what[500];
    for (int32_t i = 0; i < c->n_args; i++) wide.arg[i].shape = ORR_SHAPE(SPECIAL * SPECIAL);
    scene_open(b, &wide, &s);
    case_draw(&wide, b->arena, &b->dice, s.value);
    for (int32_t i = 0; i < c->n_args; i++)
        for (int64_t k = 0; k < SPECIAL * SPECIAL; k++) {
            const double v = special[i == c->n_args - 1 ? k % SPECIAL : k / SPECIAL];
            if (case_moves(c, i)) s.value[i].v[k] = c->dtype == ORR_F32 ? (double)(float)v : v;
        }
    scene_feed(&wide, &s);
    const host expected = result_on(b, &s, "ref"), got = result_on(b, &s, "cpu");
    double *limit = case_limits(&wide, b->ctx, b->arena, s.value, &expected, unit_of(expected.type.dtype));
    (void)snprintf(what, sizeof what, "%s on cpu at special values", b->what);
    for (int64_t k = 0; k < expected.n; k++) { /* results below the normal range have fewer digits; may flush to 0 */
        const double tiny = c->dtype == ORR_F32 ? 0x1p-126 : 0x1p-1022;
        if (isfinite(expected.v[k])) limit[k] = fmax(limit[k], unit_of(expected.type.dtype) > 0 ? tiny : 0.0);
    }
    for (int64_t k = 0; k < expected.n; k++)
        if (!(got.v[k] == expected.v[k] || (isnan(got.v[k]) && isnan(expected.v[k])) ||
              fabs(got.v[k] - expected.v[k]) <= limit[k]))
            fail_msg("%s: %s(%g, %g) is %.17g, expected %.17g", what, c->op->name, s.value[0].v[k],
                     s.value[c->n_args - 1].v[k], got.v[k], expected.v[k]);
    orr_graph_free(s.g);
}
static void infinities_nans_and_zeros_come_out_alike(void **state) { on_each_case(*state, check_special_values); }

/* ---- bits --------------------------------------------------------------------------------------------------------------- */

/* The op and, where it has one, its pull-back. */
static int32_t with_derivative(const bench *b, scene *s, orr_node out[CASE_ARGS + 1]) {
    int32_t n = 1, n_x = 0;
    orr_node x[CASE_ARGS];
    out[0] = s->y;
    if (b->c->dtype > ORR_F64 || orr_node_dtype(s->g, s->y) > ORR_F64) return 1;
    for (int32_t i = 0; i < b->c->n_args; i++)
        if (case_moves(b->c, i)) x[n_x++] = s->args[i];
    if (!n_x || !b->c->op->vjp) return 1;
    const orr_node v = orr_input(s->g, "v", orr_node_dtype(s->g, s->y), orr_node_shape(s->g, s->y));
    orr_vjp(s->g, &s->y, &v, 1, x, n_x, out + 1);
    n += n_x;
    scene_check(b, s);
    return n;
}

/* One program in one context: all outputs of two runs. */
static void run_twice(bench *b, orr_context *ctx, const host *values, host *first, host *second, int32_t *n) {
    const op_case *c = b->c;
    bench own = *b;
    own.ctx = ctx;
    scene s;
    orr_node out[CASE_ARGS + 1];
    scene_open(&own, c, &s);
    memcpy(s.value, values, sizeof s.value);
    *n = with_derivative(&own, &s, out);
    scene_feed(c, &s);
    if (*n > 1) {
        host v = host_like(b->arena, s.g, s.y);
        dice d = { 7 };
        host_draw(&d, &v, -1.0, 1.0);
        for (int32_t i = 1; i < orr_graph_size(s.g); i++) {
            const orr_call call = orr_graph_call_of(s.g, (orr_node){ i });
            if (call.op->code == ORR_OP_input && strcmp(((const orr_attr_input *)call.attr)->name, "v") == 0)
                feed_add(&s.in, (orr_node){ i }, v);
        }
    }
    orr_program *p = program_of(ctx, s.g, "cpu", out, *n);
    for (int32_t i = 0; i < s.in.n; i++) program_put(p, s.in.node[i], &s.in.value[i]);
    for (int time = 0; time < 2; time++) {
        program_go(ctx, p);
        for (int32_t i = 0; i < *n; i++) {
            host *to = time ? &second[i] : &first[i];
            *to = host_like(b->arena, s.g, out[i]);
            program_get(p, out[i], to);
        }
    }
    orr_program_free(p);
    orr_graph_free(s.g);
}

enum { TEAMS = 3 };
static const int team[TEAMS] = { 1, 2, 4 };

static void check_bits(bench *b) {
    host values[CASE_ARGS], first[CASE_ARGS + 1], got[CASE_ARGS + 1], again[CASE_ARGS + 1];
    int32_t n;
    memset(values, 0, sizeof values);
    case_draw(b->c, b->arena, &b->dice, values);
    for (int t = 0; t < TEAMS; t++) { /* each compiles anew */
        char what[500];
        run_twice(b, b->threaded[t], values, got, again, &n);
        for (int32_t i = 0; i < n; i++) {
            if (t == 0) first[i] = got[i];
            (void)snprintf(what, sizeof what, "%s, output %d, second run on %d threads", b->what, i, team[t]);
            assert_same_bits(what, &again[i], &got[i]);
            (void)snprintf(what, sizeof what, "%s, output %d, %d threads against 1", b->what, i, team[t]);
            assert_same_bits(what, &got[i], &first[i]);
        }
    }
}
static void bits_depend_on_no_thread_run_or_compilation(void **state) {
    orr_context *ctx[TEAMS];
    for (int t = 0; t < TEAMS; t++)
        assert_int_equal(orr_context_new(&(orr_context_options){ .threads = team[t] }, &ctx[t]), ORR_OK);
    on_each_case_threaded(*state, ctx, check_bits);
    for (int t = 0; t < TEAMS; t++) orr_context_free(ctx[t]);
}

/* ---- views -------------------------------------------------------------------------------------------------------------- */

typedef enum view_kind { VIEW_TRANSPOSED, VIEW_SLICED, VIEW_BROADCAST, VIEW_MIXED, VIEW_KINDS } view_kind;

/* An input whose view `out` is of the argument's type and has the argument's numbers; what the view doesn't show is NaN
 * or an index far out of range, so that a wrong stride is noticed. */
static bool view_of(bench *b, scene *s, int32_t i, view_kind kind, orr_node *out) {
    const orr_type t = case_type(b->c, i);
    const int32_t rank = t.shape.rank;
    host *value = &s->value[i];
    orr_shape base = t.shape;
    orr_axes reversed = { .n = rank };
    char name[20];
    (void)snprintf(name, sizeof name, "base%d", i);
    for (int32_t k = 0; k < rank; k++) {
        reversed.axis[k] = rank - 1 - k;
        if (kind == VIEW_TRANSPOSED || kind == VIEW_MIXED) base.size[k] = t.shape.size[rank - 1 - k];
    }
    for (int32_t k = 0; k < rank; k++)
        if (kind == VIEW_SLICED || kind == VIEW_MIXED) base.size[k] = 2 * base.size[k] + 3;
    if (kind == VIEW_BROADCAST) {
        if (rank == 0 || t.shape.size[0] == 0 || b->c->arg[i].kind == ARGUMENT_KEY) return false;
        base.size[0] = 1;
    }
    const orr_node input = orr_input(s->g, name, t.dtype, base);
    orr_node v = input;
    for (int32_t k = 0; k < rank; k++)
        if (kind == VIEW_SLICED || kind == VIEW_MIXED) v = orr_slice(s->g, v, k, 1 + k % 2, base.size[k] - 1, 2);
    for (int32_t k = 0; k < rank;
         k++) { /* 1 + 2 n + 1 or 2 + 2 n: n or n + 1 elements; the last goes where there is one more */
        const int64_t n = kind == VIEW_MIXED ? t.shape.size[rank - 1 - k] : t.shape.size[k];
        if (kind == VIEW_SLICED || kind == VIEW_MIXED) v = orr_slice(s->g, v, k, 0, n, 1);
    }
    if (kind == VIEW_TRANSPOSED || kind == VIEW_MIXED) v = orr_transpose(s->g, v, reversed);
    if (kind == VIEW_BROADCAST) v = orr_broadcast(s->g, v, t.shape);
    *out = v;

    host full = host_new(b->arena, t.dtype, base);
    for (int64_t k = 0; k < full.n; k++)
        full.v[k] = t.dtype <= ORR_F64 ? (double)NAN : t.dtype == ORR_I32 ? -123456789.0 : 1.0;
    int64_t at[ORR_RANK_MAX] = { 0 };
    for (int64_t e = 0; e < value->n; e++) {
        int64_t offset = 0;
        for (int32_t k = 0; k < rank; k++) { /* axis k of the base shows axis m of the argument */
            const int32_t m = kind == VIEW_TRANSPOSED || kind == VIEW_MIXED ? rank - 1 - k : k;
            int64_t index = at[m];
            if (kind == VIEW_SLICED || kind == VIEW_MIXED) index = 1 + k % 2 + 2 * index;
            if (kind == VIEW_BROADCAST && k == 0) index = 0;
            offset = offset * base.size[k] + index;
        }
        if (kind == VIEW_BROADCAST) {
            int64_t row = value->n / t.shape.size[0];
            value->v[e] = value->v[e % row];
        }
        full.v[offset] = value->v[e];
        for (int32_t k = rank - 1; k >= 0 && ++at[k] == t.shape.size[k]; k--) at[k] = 0;
    }
    feed_add(&s->in, input, full);
    return true;
}

static void check_views(bench *b) {
    if (b->c->large && b->c->dtype != ORR_F32) return;
    for (int kind = 0; kind < VIEW_KINDS; kind++)
        for (int32_t which = -1; which < (b->c->large ? 0 : b->c->n_args) && which < 3; which++) { /* all, or one */
            scene s;
            orr_node args[CASE_ARGS];
            bool any = false;
            scene_open(b, b->c, &s);
            case_draw(b->c, b->arena, &b->dice, s.value);
            for (int32_t i = 0; i < b->c->n_args; i++) {
                args[i] = s.args[i];
                if (which < 0 || which == i) any = view_of(b, &s, i, (view_kind)kind, &args[i]) || any;
            }
            if (any) {
                char what[500];
                scene_feed(b->c, &s);
                const host expected = result_on(b, &s, "ref");
                const double *limit =
                    case_limits(b->c, b->ctx, b->arena, s.value, &expected, unit_of(expected.type.dtype));
                s.y = case_call(b->c, s.g, args);
                scene_check(b, &s);
                for (int d = 0; d < DEVICES; d++) {
                    const host got = result_on(b, &s, devices[d]);
                    (void)snprintf(what, sizeof what, "%s on %s, view %d of argument %d", b->what, devices[d], kind,
                                   which);
                    assert_within(what, &got, &expected, limit);
                }
            }
            orr_graph_free(s.g);
        }
}
static void arguments_may_be_views_of_any_strides(void **state) { on_each_case(*state, check_views); }

/* ---- vmap --------------------------------------------------------------------------------------------------------------- */

/* One graph for a subset of batched arguments: inputs "b<i>" for them, vmap over them. */
typedef struct batch_scene {
    scene s;
    unsigned subset;
    int64_t n;
    int32_t n_batched;
    orr_node x[CASE_ARGS + 1], batched[CASE_ARGS + 1];
    host value[CASE_ARGS + 1];
} batch_scene;

static void batch_open(bench *b, unsigned subset, int64_t n, batch_scene *m) {
    memset(m, 0, sizeof *m);
    m->subset = subset;
    m->n = n;
    scene_open(b, b->c, &m->s);
    case_draw(b->c, b->arena, &b->dice, m->s.value);
    for (int32_t i = 0; i < b->c->n_args; i++) {
        if (!(subset >> i & 1u)) continue;
        const orr_type t = case_type(b->c, i);
        host whole = host_batch(b->arena, &t, n);
        char name[20];
        (void)snprintf(name, sizeof name, "b%d", i);
        for (int64_t e = 0; e < n; e++) { /* as the case draws: indices in range */
            host drawn[CASE_ARGS], to = host_entry(&whole, e);
            case_draw(b->c, b->arena, &b->dice, drawn);
            if (to.n) memcpy(to.v, drawn[i].v, (size_t)to.n * sizeof *to.v);
        }
        m->x[m->n_batched] = m->s.args[i];
        m->batched[m->n_batched] = orr_input(m->s.g, name, t.dtype, whole.type.shape);
        m->value[m->n_batched++] = whole;
    }
}

/* One more batched input: a cotangent of y. */
static orr_node batch_add(bench *b, batch_scene *m, orr_node like) {
    host whole;
    const orr_type t = { orr_node_dtype(m->s.g, like), orr_node_shape(m->s.g, like) };
    whole = host_batch(b->arena, &t, m->n);
    host_draw(&b->dice, &whole, -1.0, 1.0);
    const orr_node v = orr_input(m->s.g, "v", t.dtype, t.shape);
    m->x[m->n_batched] = v;
    m->batched[m->n_batched] = orr_input(m->s.g, "bv", t.dtype, whole.type.shape);
    m->value[m->n_batched++] = whole;
    return v;
}

/* The feed of example e: each batched input's entry for the single one. */
static feed batch_feed(const bench *b, const batch_scene *m, int64_t e) {
    feed in = { 0 };
    for (int32_t i = 0; i < b->c->n_args; i++)
        if (!(m->subset >> i & 1u)) feed_add(&in, m->s.args[i], m->s.value[i]);
    for (int32_t i = 0; i < m->n_batched; i++)
        if (e >= 0) feed_add(&in, m->x[i], host_entry(&m->value[i], e));
        else feed_add(&in, m->batched[i], m->value[i]);
    return in;
}

/* Results of the batch against a loop over examples. */
static void compare_with_loop(bench *b, const batch_scene *m, const orr_node *single, const orr_node *whole,
                              int32_t n_out, const char *device, const char *kind) {
    host got[CASE_ARGS + 1], one[CASE_ARGS + 1];
    char what[560];
    for (int32_t k = 0; k < n_out; k++) {
        got[k] = host_like(b->arena, m->s.g, whole[k]);
        one[k] = host_like(b->arena, m->s.g, single[k]);
        if (got[k].type.dtype != one[k].type.dtype || got[k].type.shape.rank != one[k].type.shape.rank + 1 ||
            got[k].type.shape.size[0] != m->n || got[k].n != m->n * one[k].n)
            fail_msg("%s, %s over subset %x: the batch has another type than the example", b->what, kind, m->subset);
    }
    const feed all = batch_feed(b, m, -1);
    evaluate(b->ctx, m->s.g, device, &all, whole, n_out, got);
    for (int64_t e = 0; e < m->n; e++) {
        const feed in = batch_feed(b, m, e);
        evaluate(b->ctx, m->s.g, device, &in, single, n_out, one);
        for (int32_t k = 0; k < n_out; k++) {
            const host part = host_entry(&got[k], e);
            (void)snprintf(what, sizeof what, "%s on %s, %s of %lld over subset %x, output %d, example %lld", b->what,
                           device, kind, (long long)m->n, m->subset, k, (long long)e);
            /* The batch may sum in another order: some ten terms, roundings relative to the largest. */
            const double unit = unit_of(part.type.dtype);
            assert_near(what, &part, &one[k], 64 * unit * fmax(host_largest(&one[k]), unit > 0 ? 1e-3 : 0.0));
        }
    }
}

static unsigned subsets_of(const op_case *c) { return c->n_args > 3 ? 4u : 1u << c->n_args; }
/* All subsets of three arguments; of many, none but the first, the second, and both. */

static void check_vmap(bench *b) {
    if (b->c->large || b->c->n_args == 0) return;
    const int64_t extents[] = { 3, 1, 0 };
    for (unsigned subset = 1; subset < subsets_of(b->c); subset++)
        for (int e = 0; e < (b->c->dtype == ORR_F64 ? 3 : 1); e++) {
            batch_scene m;
            orr_node out;
            batch_open(b, subset, extents[e], &m);
            orr_vmap(m.s.g, &m.s.y, 1, m.x, m.batched, m.n_batched, &out);
            scene_check(b, &m.s);
            for (int d = 0; d < DEVICES; d++) compare_with_loop(b, &m, &m.s.y, &out, 1, devices[d], "vmap");
            orr_graph_free(m.s.g);
        }
}
static void vmap_is_a_loop_over_examples(void **state) { on_each_case(*state, check_vmap); }

static int32_t moving_args(const bench *b, const scene *s, orr_node x[CASE_ARGS]) {
    int32_t n = 0;
    for (int32_t i = 0; i < b->c->n_args; i++)
        if (case_moves(b->c, i)) x[n++] = s->args[i];
    return n;
}

static bool is_differentiable(const op_case *c) { return c->dtype == ORR_F64 && !c->large && c->op->vjp; }
static bool is_differentiated(const bench *b, const scene *s) {
    return is_differentiable(b->c) && orr_node_dtype(s->g, s->y) == ORR_F64;
}

static void check_vmap_of_vjp(bench *b) {
    if (!is_differentiable(b->c)) return;
    for (unsigned subset = 0; subset < subsets_of(b->c); subset++) {
        batch_scene m;
        orr_node x[CASE_ARGS], xbar[CASE_ARGS], out[CASE_ARGS];
        batch_open(b, subset, 3, &m);
        if (is_differentiated(b, &m.s)) {
            const int32_t n = moving_args(b, &m.s, x);
            const orr_node v = batch_add(b, &m, m.s.y);
            orr_vjp(m.s.g, &m.s.y, &v, 1, x, n, xbar);
            orr_vmap(m.s.g, xbar, n, m.x, m.batched, m.n_batched, out);
            scene_check(b, &m.s);
            for (int d = 0; d < DEVICES; d++) compare_with_loop(b, &m, xbar, out, n, devices[d], "vmap of vjp");
        }
        orr_graph_free(m.s.g);
    }
}
static void vmap_of_vjp_is_a_loop_of_vjps(void **state) { on_each_case(*state, check_vmap_of_vjp); }

static void check_vmap_of_jvp(bench *b) {
    if (!is_differentiable(b->c)) return;
    for (unsigned subset = 1; subset < subsets_of(b->c); subset++) {
        batch_scene m;
        orr_node x[CASE_ARGS], ydot, out;
        batch_open(b, subset, 3, &m);
        if (is_differentiated(b, &m.s)) {
            const int32_t n = moving_args(b, &m.s, x);
            orr_jvp(m.s.g, &m.s.y, 1, x, x, n, &ydot); /* along x itself: the tangent is batched where x is */
            orr_vmap(m.s.g, &ydot, 1, m.x, m.batched, m.n_batched, &out);
            scene_check(b, &m.s);
            for (int d = 0; d < DEVICES; d++) compare_with_loop(b, &m, &ydot, &out, 1, devices[d], "vmap of jvp");
        }
        orr_graph_free(m.s.g);
    }
}
static void vmap_of_jvp_is_a_loop_of_jvps(void **state) { on_each_case(*state, check_vmap_of_jvp); }

/* The pull-back of the batch: batched arguments get what the loop gives, shared ones its sum. */
static void check_vjp_of_vmap(bench *b) {
    if (!is_differentiable(b->c)) return;
    for (unsigned subset = 1; subset < subsets_of(b->c); subset++) {
        batch_scene m;
        orr_node x[CASE_ARGS], xbar[CASE_ARGS], at[CASE_ARGS], out[CASE_ARGS], whole;
        batch_open(b, subset, 3, &m);
        if (!is_differentiated(b, &m.s)) {
            orr_graph_free(m.s.g);
            continue;
        }
        const int32_t n = moving_args(b, &m.s, x);
        orr_vmap(m.s.g, &m.s.y, 1, m.x, m.batched, m.n_batched, &whole);
        const orr_node v = batch_add(b, &m, m.s.y);
        orr_vjp(m.s.g, &m.s.y, &v, 1, x, n, xbar);
        for (int32_t i = 0; i < n; i++) { /* x_i's batch where it has one */
            at[i] = x[i];
            for (int32_t k = 0; k < m.n_batched; k++)
                if (m.x[k].id == x[i].id) at[i] = m.batched[k];
        }
        orr_vjp(m.s.g, &whole, &m.batched[m.n_batched - 1], 1, at, n, out);
        scene_check(b, &m.s);
        for (int d = 0; d < DEVICES; d++) {
            host got[CASE_ARGS], one[CASE_ARGS], expected[CASE_ARGS];
            for (int32_t i = 0; i < n; i++) {
                got[i] = host_like(b->arena, m.s.g, out[i]);
                expected[i] = host_like(b->arena, m.s.g, out[i]);
                one[i] = host_like(b->arena, m.s.g, xbar[i]);
            }
            const feed all = batch_feed(b, &m, -1);
            evaluate(b->ctx, m.s.g, devices[d], &all, out, n, got);
            for (int64_t e = 0; e < m.n; e++) {
                const feed in = batch_feed(b, &m, e);
                evaluate(b->ctx, m.s.g, devices[d], &in, xbar, n, one);
                for (int32_t i = 0; i < n; i++)
                    for (int64_t k = 0; k < one[i].n; k++)
                        expected[i].v[at[i].id == x[i].id ? k : e * one[i].n + k] += one[i].v[k];
            }
            for (int32_t i = 0; i < n; i++) {
                char what[500];
                (void)snprintf(what, sizeof what, "%s on %s, vjp of vmap over subset %x, argument %d", b->what,
                               devices[d], subset, i);
                assert_near(what, &got[i], &expected[i], 256 * 0x1p-53 * fmax(1e-3, host_largest(&expected[i])));
            }
        }
        orr_graph_free(m.s.g);
    }
}
static void vjp_of_vmap_is_the_loop_summed_where_arguments_are_shared(void **state) {
    on_each_case(*state, check_vjp_of_vmap);
}

/* vmap over the last argument of vmap over the first: every pair of examples. */
static void check_vmap_of_vmap(bench *b) {
    if (b->c->large || b->c->n_args < 1 || b->c->n_args > 3) return;
    const int32_t last = b->c->n_args - 1;
    scene s;
    orr_node inner, outer;
    scene_open(b, b->c, &s);
    case_draw(b->c, b->arena, &b->dice, s.value);
    const orr_type ta = case_type(b->c, 0), tb = case_type(b->c, last);
    host a = host_batch(b->arena, &ta, 2), z = host_batch(b->arena, &tb, 3);
    for (int64_t e = 0; e < 3; e++) {
        host drawn[CASE_ARGS];
        case_draw(b->c, b->arena, &b->dice, drawn);
        if (e < 2 && drawn[0].n) memcpy(host_entry(&a, e).v, drawn[0].v, (size_t)drawn[0].n * sizeof(double));
        if (drawn[last].n) memcpy(host_entry(&z, e).v, drawn[last].v, (size_t)drawn[last].n * sizeof(double));
    }
    orr_node first = orr_input(s.g, "first", ta.dtype, a.type.shape), second;
    orr_vmap(s.g, &s.y, 1, &s.args[0], &first, 1, &inner);
    if (last == 0) { /* one argument: a batch of batches */
        host two = host_batch(b->arena, &a.type, 3);
        for (int64_t k = 0; k < two.n; k++) two.v[k] = a.n ? a.v[k % a.n] : 0;
        z = two;
        second = orr_input(s.g, "second", ta.dtype, two.type.shape);
        orr_vmap(s.g, &inner, 1, &first, &second, 1, &outer);
    } else {
        second = orr_input(s.g, "second", tb.dtype, z.type.shape);
        orr_vmap(s.g, &inner, 1, &s.args[last], &second, 1, &outer);
    }
    scene_check(b, &s);
    for (int d = 0; d < DEVICES; d++) {
        host got = host_like(b->arena, s.g, outer), one = host_like(b->arena, s.g, s.y);
        feed in = { 0 };
        feed_add(&in, first, a);
        feed_add(&in, second, z);
        for (int32_t i = 1; i < last; i++) feed_add(&in, s.args[i], s.value[i]);
        evaluate(b->ctx, s.g, devices[d], &in, &outer, 1, &got);
        for (int64_t e = 0; e < 6; e++) {
            feed single = { 0 };
            feed_add(&single, s.args[0], host_entry(&a, e % 2));
            if (last > 0) feed_add(&single, s.args[last], host_entry(&z, e / 2));
            for (int32_t i = 1; i < last; i++) feed_add(&single, s.args[i], s.value[i]);
            evaluate(b->ctx, s.g, devices[d], &single, &s.y, 1, &one);
            host part = one;
            part.v = got.v + e * one.n;
            const double unit = unit_of(one.type.dtype);
            char what[500];
            (void)snprintf(what, sizeof what, "%s on %s, vmap of vmap, pair %lld", b->what, devices[d], (long long)e);
            assert_near(what, &part, &one, 64 * unit * fmax(host_largest(&one), unit > 0 ? 1e-3 : 0.0));
        }
    }
    orr_graph_free(s.g);
}
static void vmap_of_vmap_is_a_loop_over_pairs(void **state) { on_each_case(*state, check_vmap_of_vmap); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_filled_in),
        cmocka_unit_test(every_primitive_has_cases_in_every_type_that_it_takes),
        cmocka_unit_test(first_derivatives_agree_with_differences),
        cmocka_unit_test(second_derivatives_agree_with_differences_of_the_first),
        cmocka_unit_test(third_derivatives_agree_with_differences_of_the_second),
        cmocka_unit_test(stop_has_derivative_zero),
        cmocka_unit_test(derivatives_at_kinks_are_the_stated_ones),
        cmocka_unit_test(powers_of_any_base_by_whole_numbers),
        cmocka_unit_test(operands_broadcast_as_in_numpy),
        cmocka_unit_test(float32_agrees_with_float64_to_its_rounding),
        cmocka_unit_test(the_cpu_agrees_with_the_reference),
        cmocka_unit_test(infinities_nans_and_zeros_come_out_alike),
        cmocka_unit_test(bits_depend_on_no_thread_run_or_compilation),
        cmocka_unit_test(arguments_may_be_views_of_any_strides),
        cmocka_unit_test(vmap_is_a_loop_over_examples),
        cmocka_unit_test(vmap_of_vjp_is_a_loop_of_vjps),
        cmocka_unit_test(vmap_of_jvp_is_a_loop_of_jvps),
        cmocka_unit_test(vjp_of_vmap_is_the_loop_summed_where_arguments_are_shared),
        cmocka_unit_test(vmap_of_vmap_is_a_loop_over_pairs),
    };
    return cmocka_run_group_tests_name("tensor/op_battery", tests, context_setup, context_teardown);
}
