/* Random graphs: what holds for each primitive must hold for all that is made of them, on every way through the compiler.
 *
 * ORRERY_SEED=17 runs one graph and prints it, ORRERY_GRAPHS=50 as many from there on; ORRERY_STEPS=3 grows them less far:
 * the way to a small graph that fails. */
#include "tensor/random_graph.h"

enum { GRAPHS = 2000, STEPS_MIN = 3, STEPS_MAX = 13 };

typedef struct team {
    orr_context *ctx, *one, *four; /* 2, 1 and 4 threads */
    int fused;                     /* graphs whose fused bits differ from the unfused ones: for the record */
} team;

/* One of every four in f32: no differences there. */
static orr_dtype dtype_of(uint64_t seed) { return seed % 4 == 3 ? ORR_F32 : ORR_F64; }

static void say(const random_graph *r) {
    (void)printf("seed %llu, %d steps:\n", (unsigned long long)r->seed, r->steps);
    orr_graph_print(r->g, stdout);
    (void)fflush(stdout);
}

/* A test that prints the graph before it fails. */
static void expect_near(const random_graph *r, const char *what, const host *got, const host *expected, double limit) {
    int64_t at;
    const double d = host_distance(got, expected, &at);
    if (d <= limit) return;
    say(r);
    fail_msg("seed %llu, %d steps: %s: element %lld of %lld: got %.17g, expected %.17g, differs by %.3g, limit %.3g",
             (unsigned long long)r->seed, r->steps, what, (long long)at, (long long)got->n, got->v[at], expected->v[at],
             d, limit);
}

static void expect_bits(const random_graph *r, const char *what, const host *got, const host *expected) {
    if (host_same_bits(got, expected)) return;
    say(r);
    fail_msg("seed %llu, %d steps: %s: other bits", (unsigned long long)r->seed, r->steps, what);
}

static orr_program *compile(const random_graph *r, orr_context *ctx, const orr_compile_options *options) {
    orr_program *p = NULL;
    if (orr_graph_status(r->g) != ORR_OK) {
        say(r);
        fail_msg("seed %llu: %s", (unsigned long long)r->seed, orr_graph_message(r->g));
    }
    const orr_status status = orr_compile(ctx, r->g, options, &p);
    if (status != ORR_OK) {
        say(r);
        fail_msg("seed %llu: %s", (unsigned long long)r->seed, orr_context_message(ctx));
    }
    return p;
}

static void run(const random_graph *r, orr_context *ctx, orr_program *p, const feed *in, const orr_node *out, int32_t n,
                host *results) {
    for (int32_t i = 0; i < in->n; i++) program_put(p, in->node[i], &in->value[i]);
    const orr_status status = orr_program_run(p);
    if (status != ORR_OK) {
        say(r);
        fail_msg("seed %llu: %s", (unsigned long long)r->seed, orr_context_message(ctx));
    }
    for (int32_t i = 0; i < n; i++) program_get(p, out[i], &results[i]);
}

enum { RESULTS = GRAPH_OUTPUTS + GRAPH_INPUTS + 1 };

typedef struct results {
    orr_node node[RESULTS];
    host value[RESULTS];
    int32_t n;
} results;

/* Outputs, loss and gradient. */
static results results_of(const random_graph *r) {
    results all = { 0 };
    for (int i = 0; i < r->n_y; i++) all.node[all.n++] = r->y[i];
    all.node[all.n++] = r->loss;
    orr_grad(r->g, r->loss, r->x, r->n_x, all.node + all.n);
    all.n += r->n_x;
    return all;
}

static void results_room(const random_graph *r, const results *like, results *out) {
    *out = *like;
    for (int32_t i = 0; i < like->n; i++) out->value[i] = host_like(r->arena, r->g, like->node[i]);
}

/* Roundings of some tens of ops, each passed on by derivatives of size about 1: a hundred units of the largest; of the
 * gradient, twice the ops. */
static double rounding(const random_graph *r, const host *like) {
    return 4000 * unit_of(r->dtype) * fmax(1.0, host_largest(like));
}

static void compare_ways(team *t, const random_graph *r, const results *all, const feed *in, results *expected) {
    static const struct {
        const char *name, *device;
        bool no_fusion, spill_everything;
        int threads;
    } ways[] = {
        { "cpu, fused", "cpu", false, false, 2 },          { "cpu, unfused", "cpu", true, false, 2 },
        { "cpu, compiled again", "cpu", false, false, 2 }, { "cpu, 1 thread", "cpu", false, false, 1 },
        { "cpu, 4 threads", "cpu", false, false, 4 },      { "cpu, nothing reused", "cpu", false, true, 2 },
    };
    results got, first;
    results_room(r, all, expected);
    orr_program *p =
        compile(r, t->ctx, &(orr_compile_options){ .outputs = all->node, .n_outputs = all->n, .device = "ref" });
    run(r, t->ctx, p, in, all->node, all->n, expected->value);
    orr_program_free(p);
    results_room(r, all, &first);
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        orr_context *ctx = ways[w].threads == 1 ? t->one : ways[w].threads == 4 ? t->four : t->ctx;
        if (ways[w].threads == 4 && r->seed % 4) continue; /* bits that 1 and 2 threads agree on: a part suffices */
        results_room(r, all, &got);
        p = compile(r, ctx,
                    &(orr_compile_options){ .outputs = all->node,
                                            .n_outputs = all->n,
                                            .device = ways[w].device,
                                            .no_fusion = ways[w].no_fusion,
                                            .spill_everything = ways[w].spill_everything });
        run(r, ctx, p, in, all->node, all->n, got.value);
        for (int32_t i = 0; i < all->n; i++) {
            char what[80];
            (void)snprintf(what, sizeof what, "%s, result %d", ways[w].name, i);
            if (w == 0) memcpy(first.value[i].v, got.value[i].v, (size_t)got.value[i].n * sizeof(double));
            if (w < 2) expect_near(r, what, &got.value[i], &expected->value[i], rounding(r, &expected->value[i]));
            else expect_bits(r, what, &got.value[i], &first.value[i]);
        }
        if (w == 0) { /* the same program once more */
            run(r, ctx, p, in, all->node, all->n, got.value);
            for (int32_t i = 0; i < all->n; i++) expect_bits(r, "second run", &got.value[i], &first.value[i]);
        }
        orr_program_free(p);
    }
}

/* ---- gradient against differences -------------------------------------------------------------------------------------- */

static void move(orr_program *p, const random_graph *r, const host *u, double h) {
    for (int i = 0; i < r->n_x; i++) {
        double *data = orr_program_data(p, r->x[i]);
        for (int64_t k = 0; data && k < r->at[i].n; k++) data[k] = r->at[i].v[k] + h * u[i].v[k];
    }
}

/* d/dh of all outputs along u, by central differences at h, h/2, h/4, extrapolated; *error: what the last extrapolation
 * changed. */
static void slope(const random_graph *r, orr_context *ctx, orr_program *p, const host *u, const orr_node *out,
                  int32_t n, double h, host *d, double *error) {
    const feed none = { 0 };
    host up[RESULTS], down[RESULTS], level[3][RESULTS];
    *error = 0;
    for (int32_t i = 0; i < n; i++)
        up[i] = host_like(r->arena, r->g, out[i]), down[i] = host_like(r->arena, r->g, out[i]);
    for (int k = 0; k < 3; k++) {
        const double step = ldexp(h, -k);
        move(p, r, u, step);
        run(r, ctx, p, &none, out, n, up);
        move(p, r, u, -step);
        run(r, ctx, p, &none, out, n, down);
        for (int32_t i = 0; i < n; i++) {
            level[k][i] = host_like(r->arena, r->g, out[i]);
            for (int64_t e = 0; e < up[i].n; e++) level[k][i].v[e] = (up[i].v[e] - down[i].v[e]) / (2 * step);
        }
    }
    move(p, r, u, 0);
    for (int32_t i = 0; i < n; i++)
        for (int64_t e = 0; e < up[i].n; e++) {
            const double once = (4 * level[1][i].v[e] - level[0][i].v[e]) / 3,
                         twice = (4 * level[2][i].v[e] - level[1][i].v[e]) / 3;
            d[i].v[e] = (16 * twice - once) / 15;
            *error = fmax(*error, fabs(d[i].v[e] - twice));
        }
}

/* The slope at the step whose own error estimate is smallest, of those down from 0.01 until it is below `enough`; returns
 * what rounding may have done to it: some units of the values over the step. */
static double best_slope(const random_graph *r, orr_context *ctx, orr_program *p, const host *u, const orr_node *out,
                         int32_t n, double largest, double enough, host *d) {
    host tried[RESULTS];
    double best = (double)INFINITY, step = 0, h = 0.01;
    for (int32_t i = 0; i < n; i++) tried[i] = host_like(r->arena, r->g, out[i]);
    for (int tries = 0; tries < 5 && best > enough; tries++, h /= 4) {
        double error;
        slope(r, ctx, p, u, out, n, h, tried, &error);
        if (!(error < best)) continue;
        best = error, step = h;
        for (int32_t i = 0; i < n; i++) memcpy(d[i].v, tried[i].v, (size_t)d[i].n * sizeof(double));
    }
    return 100 * unit_of(ORR_F64) * fmax(1.0, largest) / step;
}

static void check_gradient(team *t, random_graph *r, const results *expected) {
    host u[GRAPH_INPUTS], d[RESULTS];
    orr_node tangent[GRAPH_INPUTS], ldot, hu[GRAPH_INPUTS];
    const bool second = r->seed % 8 == 0;
    const int32_t first = r->n_y + 1;
    double along = 0, size = 0;
    feed in = random_graph_feed(r);
    for (int i = 0; i < r->n_x; i++) {
        char name[20];
        (void)snprintf(name, sizeof name, "u%d", i);
        u[i] = host_like(r->arena, r->g, r->x[i]);
        host_draw(&r->dice, &u[i], -1, 1);
        tangent[i] = orr_input(r->g, name, r->dtype, u[i].type.shape);
        feed_add(&in, tangent[i], u[i]);
        for (int64_t k = 0; k < u[i].n; k++) {
            along += expected->value[first + i].v[k] * u[i].v[k];
            size += fabs(expected->value[first + i].v[k] * u[i].v[k]);
        }
    }
    /* <gradient, u> by jvp: the same number, summed in another order */
    orr_jvp(r->g, &r->loss, 1, r->x, tangent, r->n_x, &ldot);
    host by_jvp = host_like(r->arena, r->g, ldot), by_vjp = host_like(r->arena, r->g, ldot);
    orr_program *p = compile(r, t->ctx, &(orr_compile_options){ .outputs = &ldot, .n_outputs = 1 });
    run(r, t->ctx, p, &in, &ldot, 1, &by_jvp);
    orr_program_free(p);
    by_vjp.v[0] = along;
    expect_near(r, "jvp against vjp", &by_jvp, &by_vjp, 1e-12 * fmax(1.0, size));

    /* Differences of the loss. */
    p = compile(r, t->ctx, &(orr_compile_options){ .outputs = &r->loss, .n_outputs = 1 });
    const feed point = random_graph_feed(r);
    run(r, t->ctx, p, &point, &r->loss, 1, &by_jvp);
    d[0] = host_like(r->arena, r->g, r->loss);
    double noise = best_slope(r, t->ctx, p, u, &r->loss, 1, host_largest(&by_jvp), 1e-8 * size, d);
    orr_program_free(p);
    expect_near(r, "differences against the gradient", &d[0], &by_vjp, 1e-7 * size + noise);

    if (!second) return;
    orr_node gradient[GRAPH_INPUTS];
    for (int i = 0; i < r->n_x; i++) gradient[i] = expected->node[first + i];
    orr_hvp(r->g, r->loss, r->x, tangent, r->n_x, hu);
    host hv[GRAPH_INPUTS];
    double largest = 0;
    for (int i = 0; i < r->n_x; i++) hv[i] = host_like(r->arena, r->g, hu[i]), d[i] = host_like(r->arena, r->g, hu[i]);
    p = compile(r, t->ctx, &(orr_compile_options){ .outputs = hu, .n_outputs = r->n_x });
    run(r, t->ctx, p, &in, hu, r->n_x, hv);
    orr_program_free(p);
    for (int i = 0; i < r->n_x; i++) largest = fmax(largest, host_largest(&hv[i]));
    p = compile(r, t->ctx, &(orr_compile_options){ .outputs = gradient, .n_outputs = r->n_x });
    host scrap[GRAPH_INPUTS];
    for (int i = 0; i < r->n_x; i++) scrap[i] = host_like(r->arena, r->g, gradient[i]);
    run(r, t->ctx, p, &point, gradient, r->n_x, scrap);
    double of_gradient = 0;
    for (int i = 0; i < r->n_x; i++) of_gradient = fmax(of_gradient, host_largest(&scrap[i]));
    noise = best_slope(r, t->ctx, p, u, gradient, r->n_x, of_gradient, 1e-7 * largest, d);
    orr_program_free(p);
    for (int i = 0; i < r->n_x; i++)
        expect_near(r, "differences of the gradient against hvp", &d[i], &hv[i], 1e-6 * largest + noise);
}

/* ---- vmap --------------------------------------------------------------------------------------------------------------- */

enum { BATCH = 3 };

/* A batch of some inputs, moving and held: outputs and gradient of the batch against one example at a time. */
static void check_vmap(team *t, random_graph *r, const results *all, const results *expected) {
    orr_node x[64], batched[64], out[RESULTS];
    host value[64];
    int32_t n = 0;
    for (int32_t i = 0; i < r->n_x + r->held.n; i++) {
        const bool moves = i < r->n_x;
        const orr_node node = moves ? r->x[i] : r->held.node[i - r->n_x];
        if (n > 0 && dice_below(&r->dice, 2)) continue;
        const orr_type type = { orr_node_dtype(r->g, node), orr_node_shape(r->g, node) };
        char name[20];
        (void)snprintf(name, sizeof name, "batch%d", i);
        value[n] = host_batch(r->arena, &type, BATCH);
        if (moves) host_draw(&r->dice, &value[n], -1, 1);
        else random_graph_draw_held(r, i - r->n_x, &value[n]);
        x[n] = node;
        batched[n] = orr_input(r->g, name, type.dtype, value[n].type.shape);
        n++;
    }
    if (n == 0) return;
    orr_vmap(r->g, all->node, all->n, x, batched, n, out);
    feed in = random_graph_feed(r);
    for (int32_t i = 0; i < n; i++) feed_add(&in, batched[i], value[i]);
    host got[RESULTS];
    orr_program *p = compile(r, t->ctx, &(orr_compile_options){ .outputs = out, .n_outputs = all->n });
    for (int32_t i = 0; i < all->n; i++) got[i] = host_like(r->arena, r->g, out[i]);
    run(r, t->ctx, p, &in, out, all->n, got);
    orr_program_free(p);
    p = compile(r, t->ctx, &(orr_compile_options){ .outputs = all->node, .n_outputs = all->n });
    results one;
    results_room(r, expected, &one);
    for (int64_t b = 0; b < BATCH; b++) {
        feed single = random_graph_feed(r);
        for (int32_t i = 0; i < n; i++) feed_add(&single, x[i], host_entry(&value[i], b));
        run(r, t->ctx, p, &single, all->node, all->n, one.value);
        for (int32_t i = 0; i < all->n; i++) {
            const host part = host_entry(&got[i], b);
            char what[80];
            (void)snprintf(what, sizeof what, "vmap over %d inputs, result %d, example %d", n, i, (int)b);
            expect_near(r, what, &part, &one.value[i], rounding(r, &one.value[i]));
        }
    }
    orr_program_free(p);
}

/* ---- updates ------------------------------------------------------------------------------------------------------------ */

/* Random new values for random inputs: gradient steps, other inputs, anything of that shape; against the same values as
 * outputs of a program without updates. */
static void check_updates(team *t, random_graph *r, const results *all) {
    orr_update updates[GRAPH_INPUTS];
    orr_node value[GRAPH_INPUTS];
    int32_t n = 0;
    for (int i = 0; i < r->n_x; i++) {
        const orr_shape s = orr_node_shape(r->g, r->x[i]);
        orr_node v = orr_sub(r->g, r->x[i], orr_scale(r->g, all->node[r->n_y + 1 + i], 0.1));
        if (dice_below(&r->dice, 3) == 0)
            for (int k = 0; k < r->n_pool; k++) {
                const orr_node candidate = r->pool[dice_below(&r->dice, r->n_pool)];
                const orr_shape c = orr_node_shape(r->g, candidate);
                if (orr_shape_equal(&c, &s)) v = candidate;
                else if (orr_shape_count(&c) == orr_shape_count(&s)) v = orr_reshape(r->g, candidate, s);
            }
        if (dice_below(&r->dice, 5) == 0) continue;
        updates[n].input = r->x[i];
        updates[n].value = value[n] = v;
        n++;
    }
    if (n == 0) return;
    host expected[GRAPH_INPUTS], got[GRAPH_INPUTS], loss[2];
    const feed in = random_graph_feed(r);
    for (int i = 0; i < n; i++)
        expected[i] = host_like(r->arena, r->g, value[i]), got[i] = host_like(r->arena, r->g, value[i]);
    for (int k = 0; k < 2; k++) loss[k] = host_like(r->arena, r->g, r->loss);
    orr_program *p = compile(r, t->ctx, &(orr_compile_options){ .outputs = value, .n_outputs = n, .device = "ref" });
    run(r, t->ctx, p, &in, value, n, expected);
    orr_program_free(p);
    for (int no_fusion = 0; no_fusion < 2; no_fusion++) {
        p = compile(
            r, t->ctx,
            &(orr_compile_options){
                .outputs = &r->loss, .n_outputs = 1, .updates = updates, .n_updates = n, .no_fusion = no_fusion != 0 });
        run(r, t->ctx, p, &in, &r->loss, 1, &loss[no_fusion]);
        for (int i = 0; i < n; i++) {
            char what[60];
            (void)snprintf(what, sizeof what, "%s update of input %d", no_fusion ? "unfused" : "fused",
                           updates[i].input.id);
            program_get(p, updates[i].input, &got[i]);
            expect_near(r, what, &got[i], &expected[i], rounding(r, &expected[i]));
        }
        orr_program_free(p);
    }
    expect_near(r, "loss of a program with updates, fused against unfused", &loss[0], &loss[1], rounding(r, &loss[1]));
}

static int steps_of(uint64_t seed) { return STEPS_MIN + (int)(seed * 7 % (STEPS_MAX - STEPS_MIN + 1)); }

/* stop has a derivative by decree, which differences don't see. */
static bool is_left_to_the_battery(orr_op_code code) { return code == ORR_OP_stop; }

/* ---- all ---------------------------------------------------------------------------------------------------------------- */

static void check_graph(team *t, uint64_t seed, int steps) {
    random_graph r;
    results all, expected;
    random_graph_open(t->ctx, seed, steps, dtype_of(seed), &r);
    all = results_of(&r);
    const feed in = random_graph_feed(&r);
    if (getenv("ORRERY_SEED") && !getenv("ORRERY_GRAPHS")) say(&r);
    compare_ways(t, &r, &all, &in, &expected);
    for (int32_t i = 0; i < expected.n; i++)
        for (int64_t k = 0; k < expected.value[i].n; k++)
            if (!(fabs(expected.value[i].v[k]) < 1e6)) {
                say(&r);
                fail_msg("seed %llu: the generator let a number grow to %g", (unsigned long long)seed,
                         expected.value[i].v[k]);
            }
    if (r.dtype == ORR_F64) check_gradient(t, &r, &expected);
    check_vmap(t, &r, &all, &expected);
    check_updates(t, &r, &all);
    random_graph_close(&r);
}

/* A generator that never makes an op would test nothing of it. */
static void together_they_hold_every_primitive(void **state) {
    int64_t seen[ORR_OP_COUNT] = { 0 };
    for (uint64_t seed = 0; seed < GRAPHS / 4; seed++) {
        random_graph r;
        random_graph_open(*state, seed, steps_of(seed), dtype_of(seed), &r);
        (void)results_of(&r);
        for (int32_t i = 1; i < orr_graph_size(r.g); i++) seen[orr_graph_call_of(r.g, (orr_node){ i }).op->code]++;
        random_graph_close(&r);
    }
    for (int code = 0; code < ORR_OP_COUNT; code++)
        if (seen[code] < 10 && !is_left_to_the_battery((orr_op_code)code))
            fail_msg("%s stands in %lld of the nodes", orr_ops[code]->name, (long long)seen[code]);
}

static void random_graphs_agree_on_every_way_through_the_compiler(void **state) {
    team t = { .ctx = *state };
    const char *seed = getenv("ORRERY_SEED"), *steps = getenv("ORRERY_STEPS"), *graphs = getenv("ORRERY_GRAPHS");
    assert_int_equal(orr_context_new(&(orr_context_options){ .threads = 1 }, &t.one), ORR_OK);
    assert_int_equal(orr_context_new(&(orr_context_options){ .threads = 4 }, &t.four), ORR_OK);
    const uint64_t first = seed ? strtoull(seed, NULL, 10) : 0, n = graphs ? strtoull(graphs, NULL, 10) : GRAPHS;
    for (uint64_t s = first; s < (seed && !graphs ? first + 1 : first + n); s++)
        check_graph(&t, s, steps ? atoi(steps) : steps_of(s));
    orr_context_free(t.one);
    orr_context_free(t.four);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(together_they_hold_every_primitive),
        cmocka_unit_test(random_graphs_agree_on_every_way_through_the_compiler),
    };
    return cmocka_run_group_tests_name("tensor/random_small", tests, context_setup, context_teardown);
}
