/* Random graphs: what holds for every graph is asked of 2,000 and more.
 *
 *   ref = fused = unfused = without shared buffers   to 1e-9 of the largest element: the graphs amplify rounding (one that
 *                                                    squares and multiplies for thirty nodes has conditions of 1e5)
 *   gradient . v = jvp v                             to 1e-10
 *   gradient . v = central difference                to 1e-5, where halving the step agrees: at the jump of a select or the
 *                                                    kink of a maximum a difference says nothing
 *   vmap = a loop over the batch                     to 1e-10
 *   compiled twice, run again                        the same bits
 *
 * A failure prints the seed; ORRERY_TEST_SEED=n runs that graph alone and prints it. */
#include "testing.h"

#include <stdio.h>

enum { GRAPHS = 2000, INPUTS = 4, POOL = 40, OUTPUTS = 24, ELEMENTS_MAX = 60000, RANK_MAX = 5, BATCH = 3 };

/* ---- a stream of its own, so that a seed is a graph for ever --------------------------------------------------------- */

typedef struct stream {
    uint64_t state;
} stream;

static uint32_t draw(stream *s) {
    s->state = s->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(s->state >> 33);
}
static int below(stream *s, int n) { return (int)(draw(s) % (uint32_t)n); }
static double uniform(stream *s) { return draw(s) / 2147483648.0; }

/* ---- graphs ----------------------------------------------------------------------------------------------------------- */

typedef struct maker {
    orr_graph *g;
    stream s;
    orr_node pool[POOL];
    int n;
    orr_node input[INPUTS];
    orr_shape shape[INPUTS];
} maker;

static orr_node pick(maker *m) { return m->pool[below(&m->s, m->n)]; }

/* a brought to a shape: summed, averaged and broadcast as it needs. */
static orr_node fit(maker *m, orr_node a, orr_shape to) {
    orr_shape s = orr_node_shape(m->g, a);
    for (; s.rank > to.rank; s = orr_node_shape(m->g, a)) a = orr_sum(m->g, a, ORR_AXES(0));
    for (int i = 0; i < s.rank; i++)
        if (s.size[i] != to.size[to.rank - s.rank + i] && s.size[i] != 1) a = orr_mean_keep(m->g, a, ORR_AXES(i));
    return orr_broadcast(m->g, a, to);
}

static orr_node other(maker *m, orr_shape shape) { return fit(m, pick(m), shape); }

static orr_node elementwise(maker *m, orr_node a, orr_shape s) {
    orr_graph *g = m->g;
    switch (below(&m->s, 12)) {
    case 0: return orr_tanh(g, a);
    case 1: return orr_sin(g, a);
    case 2: return orr_sigmoid(g, a);
    case 3: return orr_exp(g, orr_scale(g, orr_tanh(g, a), 0.5));
    case 4: return orr_erf(g, a);
    case 5: return orr_log1p(g, orr_square(g, a));
    case 6: return orr_softplus(g, a);
    case 7: return orr_add(g, a, other(m, s));
    case 8: return orr_mul(g, a, orr_tanh(g, other(m, s)));
    case 9: return orr_div(g, a, orr_shift(g, orr_square(g, other(m, s)), 1.0));
    case 10: return orr_sub(g, orr_scale(g, a, 0.3), other(m, s));
    default: {
        const orr_node threshold = orr_fill(g, ORR_F64, ORR_SCALAR, uniform(&m->s) - 0.5);
        return orr_select(g, orr_lt(g, fit(m, m->pool[0], s), threshold), a, other(m, s));
    }
    }
}

static orr_node shuffle(maker *m, orr_node a, int rank) {
    orr_axes order = { .n = rank };
    for (int i = 0; i < rank; i++) order.axis[i] = i;
    for (int i = rank - 1; i > 0; i--) {
        const int k = below(&m->s, i + 1);
        const int32_t t = order.axis[i];
        order.axis[i] = order.axis[k];
        order.axis[k] = t;
    }
    return orr_transpose(m->g, a, order);
}

static orr_node cut(maker *m, orr_node a, orr_shape s) {
    const int axis = below(&m->s, s.rank), n = (int)s.size[axis];
    if (n < 2) return a;
    const int start = below(&m->s, n - 1), stop = start + 1 + below(&m->s, n - start);
    return orr_slice(m->g, a, axis, start, stop > n ? n : stop, 1 + below(&m->s, 2));
}

static orr_node movement(maker *m, orr_node a, orr_shape s) {
    orr_graph *g = m->g;
    const int axis = below(&m->s, s.rank);
    switch (below(&m->s, 6)) {
    case 0: return shuffle(m, a, s.rank);
    case 1: return orr_reshape(g, a, ORR_SHAPE(orr_shape_count(&s)));
    case 2: return cut(m, a, s);
    case 3: return orr_pad(g, a, axis, below(&m->s, 3) - (s.size[axis] > 1), 1 + below(&m->s, 2), below(&m->s, 2));
    case 4: {
        const orr_node parts[] = { a, other(m, s), a };
        return orr_concat(g, parts, 2 + below(&m->s, 2), axis);
    }
    default: {
        if (s.size[axis] == 0) return a;
        const int n = (int)s.size[axis];
        const int32_t index[3] = { below(&m->s, n), below(&m->s, n), below(&m->s, n) };
        return orr_gather(g, a, orr_literal(g, ORR_I32, ORR_SHAPE(3), index), axis);
    }
    }
}

static orr_node reduction(maker *m, orr_node a, orr_shape s) {
    orr_graph *g = m->g;
    const int axis = below(&m->s, s.rank);
    switch (below(&m->s, 7)) {
    case 0: return orr_sum(g, a, ORR_AXES(axis));
    case 1: return orr_mean_keep(g, a, ORR_AXES(-1));
    case 2: return orr_reduce_max(g, a, ORR_AXES(s.rank - 1));
    case 3: return orr_mean_all(g, a);
    case 4: return orr_softmax(g, a, below(&m->s, 2) ? -1 : axis);
    case 5: return orr_logsumexp(g, a, axis);
    default: return orr_layer_norm(g, a, ORR_NONE, ORR_NONE, 0.1);
    }
}

static orr_node contraction(maker *m, orr_node a, orr_shape s) {
    orr_graph *g = m->g;
    const int64_t last = s.size[s.rank - 1];
    switch (below(&m->s, 4)) {
    case 0: return orr_matmul(g, a, orr_swap_axes(g, other(m, ORR_SHAPE(3, last)), 0, 1));
    case 1: return s.rank < 2 ? a : orr_matmul(g, a, orr_swap_axes(g, orr_tanh(g, other(m, s)), -1, -2));
    case 2: return orr_einsum(g, "i,j->ij", orr_reshape(g, a, ORR_SHAPE(orr_shape_count(&s))), other(m, ORR_SHAPE(4)));
    default: {
        if (last < 3 || orr_shape_count(&s) == 0) return orr_cos(g, a);
        const orr_convolution how = { .low = { 1 }, .high = { below(&m->s, 2) }, .stride = { 1 + below(&m->s, 2) } };
        return orr_convolve(g, orr_reshape(g, a, ORR_SHAPE(-1, 1, last)), orr_tanh(g, other(m, ORR_SHAPE(2, 1, 3))),
                            how);
    }
    }
}

static orr_node grow(maker *m) {
    const orr_node a = pick(m);
    const orr_shape s = orr_node_shape(m->g, a);
    if (s.rank == 0) return elementwise(m, a, s);
    switch (below(&m->s, 8)) {
    case 0:
    case 1: return movement(m, a, s);
    case 2:
    case 3: return reduction(m, a, s);
    case 4: return contraction(m, a, s);
    default: return elementwise(m, a, s);
    }
}

/* Mostly small; now and then long rows, a long vector, or nothing at all. */
static void make_inputs(maker *m) {
    stream *s = &m->s;
    m->shape[0] = ORR_SHAPE(1 + below(s, 7));
    m->shape[1] = ORR_SHAPE(1 + below(s, 4), 1 + below(s, 5));
    m->shape[2] = ORR_SHAPE(1 + below(s, 3), 1 + below(s, 4), 1 + below(s, 12));
    m->shape[3] = ORR_SCALAR;
    if (below(s, 6) == 0) m->shape[2] = ORR_SHAPE(2, 3, 700 + below(s, 900));
    if (below(s, 12) == 0) m->shape[0] = ORR_SHAPE(40000);
    if (below(s, 30) == 0) m->shape[1] = ORR_SHAPE(0, 3);
    for (int i = 0; i < INPUTS; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "x%d", i);
        m->pool[m->n++] = m->input[i] = orr_input(m->g, name, ORR_F64, m->shape[i]);
    }
}

static orr_node make_loss(maker *m) {
    const int n = 6 + below(&m->s, 26);
    for (int i = 0; i < n && m->n < POOL; i++) {
        const orr_node y = grow(m);
        if (orr_graph_status(m->g) != ORR_OK) return ORR_NONE;
        const orr_shape s = orr_node_shape(m->g, y);
        if (orr_shape_count(&s) <= ELEMENTS_MAX && s.rank <= RANK_MAX) m->pool[m->n++] = y;
    }
    orr_node loss = orr_fill(m->g, ORR_F64, ORR_SCALAR, 0.0);
    for (int i = m->n - 1; i >= INPUTS && i > m->n - 5; i--)
        loss = orr_add(m->g, loss, orr_sum_all(m->g, orr_sin(m->g, m->pool[i])));
    return loss;
}

/* ---- what is asked of a graph ------------------------------------------------------------------------------------------ */

typedef struct question {
    maker m;
    uint64_t seed;
    orr_context *ctx;
    orr_node loss, jvp, gradient[INPUTS], v[INPUTS], batch, batch_loss, batch_gradient;
    orr_node output[OUTPUTS];
    int n_outputs;
    double *reference[OUTPUTS]; /* what ref computes */
    double largest[OUTPUTS];
} question;

static void build(question *q) {
    orr_graph *g = q->m.g;
    make_inputs(&q->m);
    q->loss = make_loss(&q->m);
    if (orr_graph_status(g) != ORR_OK) return;
    orr_node hv[INPUTS];
    for (int i = 0; i < INPUTS; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "v%d", i);
        q->v[i] = orr_input(g, name, ORR_F64, q->m.shape[i]);
    }
    orr_grad(g, q->loss, q->m.input, INPUTS, q->gradient);
    orr_jvp(g, &q->loss, 1, q->m.input, q->v, INPUTS, &q->jvp);
    orr_hvp(g, q->loss, q->m.input, q->v, INPUTS, hv);
    orr_shape batch = { .rank = q->m.shape[1].rank + 1, .size = { BATCH } };
    memcpy(batch.size + 1, q->m.shape[1].size, (size_t)q->m.shape[1].rank * sizeof(int64_t));
    q->batch = orr_input(g, "batch", ORR_F64, batch);
    const orr_node mapped[2] = { q->loss, q->gradient[1] };
    orr_node out[2];
    orr_vmap(g, mapped, 2, &q->m.input[1], &q->batch, 1, out);
    q->batch_loss = out[0], q->batch_gradient = out[1];
    orr_node *o = q->output;
    *o++ = q->loss, *o++ = q->jvp, *o++ = q->batch_loss, *o++ = q->batch_gradient;
    for (int i = 0; i < INPUTS; i++) *o++ = q->gradient[i], *o++ = hv[i];
    for (int i = q->m.n - 1; i >= INPUTS && i > q->m.n - 8; i--) *o++ = q->m.pool[i];
    q->n_outputs = (int)(o - q->output);
}

static int64_t count_of(const question *q, orr_node a) {
    const orr_shape s = orr_node_shape(q->m.g, a);
    return orr_shape_count(&s);
}

static void put_random(const question *q, orr_program *p, orr_node a, double width, stream *s) {
    double *x = orr_program_data(p, a);
    for (int64_t k = 0; k < count_of(q, a); k++) {
        const double value = (uniform(s) - 0.5) * width;
        if (x) x[k] = value;
    }
}

static void put_inputs(const question *q, orr_program *p) {
    stream s = { q->seed * 31 + 5 };
    for (int i = 0; i < INPUTS; i++) put_random(q, p, q->m.input[i], 2.0, &s), put_random(q, p, q->v[i], 1.0, &s);
    put_random(q, p, q->batch, 2.0, &s);
}

static orr_program *compiled(const question *q, orr_compile_options options) {
    orr_program *p;
    options.outputs = q->output;
    options.n_outputs = q->n_outputs;
    assert_ok(q->ctx, orr_compile(q->ctx, q->m.g, &options, &p));
    put_inputs(q, p);
    assert_ok(q->ctx, orr_program_run(p));
    return p;
}

/* True where everything agrees with ref; a value that isn't finite must be the same value. */
static bool agrees(question *q, orr_program *p, const char *how) {
    for (int o = 0; o < q->n_outputs; o++) {
        const double *x = orr_program_data(p, q->output[o]), *y = q->reference[o];
        const double limit = 1e-9 * (1e-2 + q->largest[o]);
        for (int64_t k = 0; k < count_of(q, q->output[o]); k++) {
            if (fabs(x[k] - y[k]) <= limit || x[k] == y[k] || (isnan(x[k]) && isnan(y[k]))) continue;
            print_message("seed %llu, %s: output %d [%lld] is %.17g, ref has %.17g\n", (unsigned long long)q->seed, how,
                          o, (long long)k, x[k], y[k]);
            return false;
        }
    }
    return true;
}

static void keep_reference(question *q, orr_program *p) {
    for (int o = 0; o < q->n_outputs; o++) {
        const int64_t n = count_of(q, q->output[o]);
        q->reference[o] = malloc((size_t)n * sizeof(double) + 8);
        assert_non_null(q->reference[o]);
        if (n) memcpy(q->reference[o], orr_program_data(p, q->output[o]), (size_t)n * sizeof(double));
        for (int64_t k = 0; k < n; k++) q->largest[o] = fmax(q->largest[o], fabs(q->reference[o][k]));
    }
}

/* The loss at x + step v. */
static double loss_at(const question *q, orr_program *p, double step) {
    put_inputs(q, p);
    for (int i = 0; i < INPUTS; i++) {
        double *x = orr_program_data(p, q->m.input[i]);
        const double *v = orr_program_data(p, q->v[i]);
        for (int64_t k = 0; x && v && k < count_of(q, q->m.input[i]); k++) x[k] += step * v[k];
    }
    assert_ok(q->ctx, orr_program_run(p));
    return *(double *)orr_program_data(p, q->loss);
}

static bool derivatives_agree(question *q, orr_program *p) {
    double along = 0.0, size = 1.0 + fabs(*(double *)orr_program_data(p, q->loss));
    for (int i = 0; i < INPUTS; i++) {
        const double *g = orr_program_data(p, q->gradient[i]), *v = orr_program_data(p, q->v[i]);
        for (int64_t k = 0; v && k < count_of(q, q->m.input[i]); k++) along += g[k] * v[k], size += fabs(g[k] * v[k]);
    }
    const double forward = *(double *)orr_program_data(p, q->jvp), e = 1e-5;
    const double wide = (loss_at(q, p, e) - loss_at(q, p, -e)) / (2 * e);
    const double narrow = (loss_at(q, p, e / 2) - loss_at(q, p, -e / 2)) / e;
    const bool smooth = fabs(wide - narrow) <= 1e-5 * size;
    if (!isfinite(size) || (fabs(along - forward) <= 1e-10 * size && (!smooth || fabs(along - narrow) <= 1e-5 * size)))
        return true;
    print_message("seed %llu: gradient %.12g, jvp %.12g, differences %.12g and %.12g\n", (unsigned long long)q->seed,
                  along, forward, wide, narrow);
    return false;
}

static bool vmap_is_a_loop(question *q, orr_program *p) {
    put_inputs(q, p);
    assert_ok(q->ctx, orr_program_run(p));
    double *x = orr_program_data(p, q->m.input[1]);
    const double *batch = orr_program_data(p, q->batch), *gradient = orr_program_data(p, q->gradient[1]);
    const int64_t n = count_of(q, q->m.input[1]);
    double loss[BATCH], *gradients = malloc((size_t)(BATCH * n) * sizeof(double) + 8);
    assert_non_null(gradients);
    memcpy(loss, orr_program_data(p, q->batch_loss), sizeof loss);
    if (n) memcpy(gradients, orr_program_data(p, q->batch_gradient), (size_t)(BATCH * n) * sizeof(double));
    bool same = true;
    for (int64_t b = 0; x && batch && b < BATCH && same; b++) {
        if (n) memcpy(x, batch + b * n, (size_t)n * sizeof(double));
        assert_ok(q->ctx, orr_program_run(p));
        const double alone = *(double *)orr_program_data(p, q->loss);
        double largest = 1.0;
        for (int64_t k = 0; k < n; k++) largest = fmax(largest, fabs(gradient[k]));
        if (isfinite(alone)) same = fabs(alone - loss[b]) <= 1e-9 * (1 + fabs(alone));
        for (int64_t k = 0; isfinite(largest) && k < n; k++)
            same = same && fabs(gradient[k] - gradients[b * n + k]) <= 1e-9 * largest;
        if (!same) print_message("seed %llu: member %lld of vmap differs\n", (unsigned long long)q->seed, (long long)b);
    }
    free(gradients);
    return same;
}

static bool same_bits(question *q, orr_program *a, orr_program *b) {
    for (int o = 0; o < q->n_outputs; o++) {
        const size_t n = (size_t)count_of(q, q->output[o]) * sizeof(double);
        if (n == 0 || memcmp(orr_program_data(a, q->output[o]), orr_program_data(b, q->output[o]), n) == 0) continue;
        print_message("seed %llu: compiled twice, output %d differs\n", (unsigned long long)q->seed, o);
        return false;
    }
    return true;
}

static bool all_hold(question *q) {
    orr_program *ref = compiled(q, (orr_compile_options){ .device = "ref" });
    keep_reference(q, ref);
    orr_program_free(ref);
    orr_program *fused = compiled(q, (orr_compile_options){ 0 }), *again = compiled(q, (orr_compile_options){ 0 });
    assert_ok(q->ctx, orr_program_run(again)); /* and a second run is the first */
    bool good = agrees(q, fused, "fused") && same_bits(q, fused, again);
    orr_program_free(again);
    good = good && derivatives_agree(q, fused) && vmap_is_a_loop(q, fused);
    orr_program_free(fused);
    orr_program *plain = compiled(q, (orr_compile_options){ .no_fusion = true });
    good = good && agrees(q, plain, "unfused");
    orr_program_free(plain);
    orr_program *spilled = compiled(q, (orr_compile_options){ .spill_everything = true });
    good = good && agrees(q, spilled, "without shared buffers");
    orr_program_free(spilled);
    for (int o = 0; o < q->n_outputs; o++) free(q->reference[o]);
    return good;
}

static bool holds(orr_context *ctx, uint64_t seed, bool show) {
    question q = { .seed = seed, .ctx = ctx };
    assert_ok(ctx, orr_graph_new(ctx, &q.m.g));
    q.m.s.state = seed * 7919 + 13;
    build(&q);
    bool good = orr_graph_status(q.m.g) == ORR_OK;
    if (!good) print_message("seed %llu makes no graph: %s\n", (unsigned long long)seed, orr_graph_message(q.m.g));
    good = good && all_hold(&q);
    if (!good && show) orr_graph_print(q.m.g, stderr);
    orr_graph_free(q.m.g);
    return good;
}

static void what_holds_for_a_graph_holds_for_random_ones(void **state) {
    const char *one = getenv("ORRERY_TEST_SEED");
    int failures = 0;
    if (one) {
        assert_true(holds(*state, strtoull(one, NULL, 10), true));
        return;
    }
    for (uint64_t seed = 0; seed < GRAPHS && failures < 5; seed++) failures += !holds(*state, seed, false);
    if (failures) fail_msg("ORRERY_TEST_SEED=n runs one graph and prints it");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_for_a_graph_holds_for_random_ones),
    };
    return cmocka_run_group_tests_name("tensor/random_graphs", tests, context_setup, context_teardown);
}
