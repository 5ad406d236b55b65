/* Compiled programs at work: updates in place, memory, counting, NaN hunting, the plan, and memory that runs out. */
#include "failing.h"

#include "tensor/host.h"

/* ---- every allocation of the process is counted: a step makes none, neither ours nor a library's ------------------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS_MALLOC 0
#endif
#endif
#if !defined(COUNTS_MALLOC) && defined(__GLIBC__)
#define COUNTS_MALLOC 1
#elif !defined(COUNTS_MALLOC)
#define COUNTS_MALLOC 0
#endif

#if COUNTS_MALLOC
/* glibc's own entry points, which its malloc is a name for. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

static int64_t mallocs; /* of all threads; atomically */
static void *counted(void *p) {
    (void)__atomic_fetch_add(&mallocs, 1, __ATOMIC_RELAXED);
    return p;
}
void *malloc(size_t size) { return counted(__libc_malloc(size)); }
void *calloc(size_t n, size_t size) { return counted(__libc_calloc(n, size)); }
void *realloc(void *p, size_t size) { return counted(__libc_realloc(p, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
int posix_memalign(void **out, size_t alignment, size_t size);
int posix_memalign(void **out, size_t alignment, size_t size) {
    *out = counted(__libc_memalign(alignment, size));
    return *out ? 0 : 12;
}
void free(void *p) { __libc_free(p); }
static int64_t allocations_of_the_process(void) { return __atomic_load_n(&mallocs, __ATOMIC_RELAXED); }
#else
static int64_t allocations_of_the_process(void) { return 0; }
#endif

static orr_graph *graph_new(orr_context *ctx) {
    orr_graph *g;
    assert_ok(ctx, orr_graph_new(ctx, &g));
    return g;
}

static orr_program *compile(orr_context *ctx, const orr_graph *g, const orr_compile_options *options) {
    orr_program *p = NULL;
    assert_ok(ctx, orr_compile(ctx, g, options, &p));
    return p;
}

static void set(orr_program *p, orr_node node, const double *values, int64_t n) {
    double *data = orr_program_data(p, node);
    assert_non_null(data);
    memcpy(data, values, (size_t)n * sizeof *values);
}

static void expect(orr_program *p, orr_node node, const double *values, int64_t n, double limit) {
    const double *data = orr_program_data(p, node);
    assert_non_null(data);
    for (int64_t i = 0; i < n; i++) assert_close(data[i], values[i], limit);
}

static const char *const devices[] = { "cpu", "ref" };

/* A test for each device, fused and not, with buffers reused and not. */
static void each_way(orr_context *ctx, void (*body)(orr_context *ctx, const orr_compile_options *way)) {
    for (int d = 0; d < 2; d++)
        for (int k = 0; k < 4; k++)
            body(ctx, &(orr_compile_options){
                          .device = devices[d], .no_fusion = (k & 1) != 0, .spill_everything = (k & 2) != 0 });
}

/* ---- updates ------------------------------------------------------------------------------------------------------------ */

static void swap(orr_context *ctx, const orr_compile_options *way) {
    orr_graph *g = graph_new(ctx);
    const orr_node a = orr_input(g, "a", ORR_F64, ORR_SHAPE(3)), b = orr_input(g, "b", ORR_F64, ORR_SHAPE(3));
    orr_compile_options options = *way;
    options.updates = (const orr_update[]){ { a, b }, { b, a } };
    options.n_updates = 2;
    orr_program *p = compile(ctx, g, &options);
    const double x[] = { 1, 2, 3 }, y[] = { 4, 5, 6 };
    set(p, a, x, 3), set(p, b, y, 3);
    assert_ok(ctx, orr_program_run(p));
    expect(p, a, y, 3, 0), expect(p, b, x, 3, 0);
    assert_ok(ctx, orr_program_run_many(p, 3, ORR_NONE));
    expect(p, a, x, 3, 0), expect(p, b, y, 3, 0);
    orr_program_free(p);
    orr_graph_free(g);
}
static void two_parameters_can_swap(void **state) { each_way(*state, swap); }

/* a <- a + b, b <- a b, c <- c of the old a: everyone reads old values. */
static void entangled(orr_context *ctx, const orr_compile_options *way) {
    orr_graph *g = graph_new(ctx);
    const orr_node a = orr_input(g, "a", ORR_F64, ORR_SHAPE(5)), b = orr_input(g, "b", ORR_F64, ORR_SHAPE(5)),
                   c = orr_input(g, "c", ORR_F64, ORR_SCALAR);
    const orr_node sum = orr_add(g, a, b), product = orr_mul(g, a, b),
                   dot = orr_add(g, c, orr_sum_all(g, orr_mul(g, product, sum)));
    orr_compile_options options = *way;
    options.updates = (const orr_update[]){ { a, sum }, { b, product }, { c, dot } };
    options.n_updates = 3;
    options.outputs = (const orr_node[]){ a, sum, dot };
    options.n_outputs = 3;
    orr_program *p = compile(ctx, g, &options);
    double x[] = { 0.5, -1, 2, 0.25, 3 }, y[] = { 1, 0.5, -0.125, 2, -1 }, z = 0.75;
    set(p, a, x, 5), set(p, b, y, 5), set(p, c, &z, 1);
    for (int step = 0; step < 3; step++) {
        assert_ok(ctx, orr_program_run(p));
        double old[5], total = z;
        memcpy(old, x, sizeof old);
        for (int i = 0; i < 5; i++) {
            const double s = x[i] + y[i], m = x[i] * y[i];
            total += m * s;
            x[i] = s, y[i] = m;
        }
        z = total;
        expect(p, a, x, 5, 0), expect(p, b, y, 5, 0), expect(p, sum, x, 5, 0);
        expect(p, c, &z, 1, 1e-12 * fabs(z)), expect(p, dot, &z, 1, 1e-12 * fabs(z));
        z = *(const double *)orr_program_data(p, c);
    }
    orr_program_free(p);
    orr_graph_free(g);
}
static void updates_that_read_each_other_see_old_values(void **state) { each_way(*state, entangled); }

/* New values that are views of inputs: transposed, reversed in order, a part of another, a constant, one for two. */
static void views(orr_context *ctx, const orr_compile_options *way) {
    orr_graph *g = graph_new(ctx);
    const orr_node a = orr_input(g, "a", ORR_F64, ORR_SHAPE(3, 3)), b = orr_input(g, "b", ORR_F64, ORR_SHAPE(3)),
                   c = orr_input(g, "c", ORR_F64, ORR_SHAPE(3)), d = orr_input(g, "d", ORR_F64, ORR_SHAPE(3)),
                   e = orr_input(g, "e", ORR_F64, ORR_SHAPE(3));
    const orr_node turned = orr_transpose(g, a, ORR_AXES(1, 0)), row = orr_squeeze(g, orr_slice(g, a, 0, 1, 2, 1), 0),
                   spread = orr_broadcast(g, orr_slice(g, b, 0, 2, 3, 1), ORR_SHAPE(3)),
                   seven = orr_fill(g, ORR_F64, ORR_SHAPE(3), 7);
    orr_compile_options options = *way;
    options.updates = (const orr_update[]){ { a, turned }, { b, row }, { c, spread }, { d, seven }, { e, e } };
    options.n_updates = 5;
    orr_program *p = compile(ctx, g, &options);
    set(p, a, (const double[]){ 1, 2, 3, 4, 5, 6, 7, 8, 9 }, 9);
    set(p, b, (const double[]){ 10, 11, 12 }, 3), set(p, e, (const double[]){ 13, 14, 15 }, 3);
    assert_ok(ctx, orr_program_run(p));
    expect(p, a, (const double[]){ 1, 4, 7, 2, 5, 8, 3, 6, 9 }, 9, 0);
    expect(p, b, (const double[]){ 4, 5, 6 }, 3, 0), expect(p, c, (const double[]){ 12, 12, 12 }, 3, 0);
    expect(p, d, (const double[]){ 7, 7, 7 }, 3, 0), expect(p, e, (const double[]){ 13, 14, 15 }, 3, 0);
    assert_ok(ctx, orr_program_run(p));
    expect(p, a, (const double[]){ 1, 2, 3, 4, 5, 6, 7, 8, 9 }, 9, 0);
    expect(p, b, (const double[]){ 2, 5, 8 }, 3, 0), expect(p, c, (const double[]){ 6, 6, 6 }, 3, 0);
    orr_program_free(p);
    orr_graph_free(g);
}
static void a_new_value_may_be_a_view_of_an_old_one(void **state) { each_way(*state, views); }

/* One value for two inputs, and asked for as output too. */
static void shared(orr_context *ctx, const orr_compile_options *way) {
    orr_graph *g = graph_new(ctx);
    const orr_node a = orr_input(g, "a", ORR_F64, ORR_SHAPE(2)), b = orr_input(g, "b", ORR_F64, ORR_SHAPE(2)),
                   t = orr_add(g, orr_exp(g, a), b), turned = orr_reshape(g, t, ORR_SHAPE(1, 2)),
                   c = orr_input(g, "c", ORR_F64, ORR_SHAPE(1, 2));
    orr_compile_options options = *way;
    options.updates = (const orr_update[]){ { a, t }, { b, t }, { c, turned } };
    options.n_updates = 3;
    options.outputs = (const orr_node[]){ t, t, turned, b };
    options.n_outputs = 4;
    orr_program *p = compile(ctx, g, &options);
    set(p, b, (const double[]){ 3, 4 }, 2);
    assert_ok(ctx, orr_program_run(p));
    const double value[] = { 4, 5 };
    expect(p, a, value, 2, 0), expect(p, b, value, 2, 0), expect(p, c, value, 2, 0), expect(p, t, value, 2, 0),
        expect(p, turned, value, 2, 0);
    orr_program_free(p);
    orr_graph_free(g);
}
static void one_value_may_update_several_inputs(void **state) { each_way(*state, shared); }

/* ---- a training step ------------------------------------------------------------------------------------------------------ */

enum { N = 12, D = 4, H = 5 }; /* examples, inputs, hidden units */

typedef struct net {
    orr_graph *g;
    orr_node x, y, w, v, loss, grad[2], m[2], s[2], t;
} net;

/* Mean square of y - v tanh(w x), gradients, and Adam's moments as inputs. */
static net net_new(orr_context *ctx) {
    net t = { .g = graph_new(ctx) };
    orr_graph *g = t.g;
    t.x = orr_input(g, "x", ORR_F64, ORR_SHAPE(N, D)), t.y = orr_input(g, "y", ORR_F64, ORR_SHAPE(N));
    t.w = orr_input(g, "w", ORR_F64, ORR_SHAPE(H, D)), t.v = orr_input(g, "v", ORR_F64, ORR_SHAPE(H));
    t.t = orr_input(g, "t", ORR_I32, ORR_SCALAR);
    const orr_node hidden = orr_tanh(g, orr_einsum(g, "nd,hd->nh", t.x, t.w)), out = orr_matmul(g, hidden, t.v);
    t.loss = orr_mean_all(g, orr_square(g, orr_sub(g, out, t.y)));
    orr_grad(g, t.loss, (const orr_node[]){ t.w, t.v }, 2, t.grad);
    t.m[0] = orr_input(g, "mw", ORR_F64, ORR_SHAPE(H, D)), t.m[1] = orr_input(g, "mv", ORR_F64, ORR_SHAPE(H));
    t.s[0] = orr_input(g, "sw", ORR_F64, ORR_SHAPE(H, D)), t.s[1] = orr_input(g, "sv", ORR_F64, ORR_SHAPE(H));
    return t;
}

/* Adam (Kingma & Ba 2014, 1412.6980) with the step counted by the input t, from 0. */
static int32_t adam_updates(const net *t, orr_update out[6]) {
    orr_graph *g = t->g;
    const orr_node param[] = { t->w, t->v };
    const orr_node k = orr_shift(g, orr_cast(g, t->t, ORR_F64), 1.0);
    const orr_node c1 = orr_sub(g, orr_fill(g, ORR_F64, ORR_SCALAR, 1),
                                orr_pow(g, orr_fill(g, ORR_F64, ORR_SCALAR, 0.9), k)),
                   c2 = orr_sub(g, orr_fill(g, ORR_F64, ORR_SCALAR, 1),
                                orr_pow(g, orr_fill(g, ORR_F64, ORR_SCALAR, 0.99), k));
    for (int i = 0; i < 2; i++) {
        const orr_node m = orr_add(g, orr_scale(g, t->m[i], 0.9), orr_scale(g, t->grad[i], 0.1));
        const orr_node s = orr_add(g, orr_scale(g, t->s[i], 0.99), orr_scale(g, orr_square(g, t->grad[i]), 0.01));
        const orr_node step = orr_div(g, orr_div(g, m, c1), orr_shift(g, orr_sqrt(g, orr_div(g, s, c2)), 1e-8));
        out[3 * i] = (orr_update){ t->m[i], m };
        out[3 * i + 1] = (orr_update){ t->s[i], s };
        out[3 * i + 2] = (orr_update){ param[i], orr_sub(g, param[i], orr_scale(g, step, 0.05)) };
    }
    return 6;
}

typedef struct numbers {
    double x[N * D], y[N], w[H * D], v[H], mw[H * D], mv[H], sw[H * D], sv[H];
} numbers;

static void numbers_draw(numbers *n) {
    dice d = { 5 };
    memset(n, 0, sizeof *n);
    for (int i = 0; i < N * D; i++) n->x[i] = dice_uniform(&d, -1, 1);
    for (int i = 0; i < N; i++) n->y[i] = dice_uniform(&d, -1, 1);
    for (int i = 0; i < H * D; i++) n->w[i] = dice_uniform(&d, -1, 1);
    for (int i = 0; i < H; i++) n->v[i] = dice_uniform(&d, -1, 1);
}

static void net_fill(orr_program *p, const net *t, const numbers *n) {
    set(p, t->x, n->x, N * D), set(p, t->y, n->y, N), set(p, t->w, n->w, H * D), set(p, t->v, n->v, H);
}

/* The same in plain C. */
static double plain_gradient(const numbers *n, double *gw, double *gv) {
    double loss = 0;
    memset(gw, 0, H * D * sizeof *gw), memset(gv, 0, H * sizeof *gv);
    for (int e = 0; e < N; e++) {
        double h[H], out = 0;
        for (int i = 0; i < H; i++) {
            double u = 0;
            for (int k = 0; k < D; k++) u += n->w[i * D + k] * n->x[e * D + k];
            h[i] = tanh(u);
            out += n->v[i] * h[i];
        }
        const double r = out - n->y[e];
        loss += r * r / N;
        for (int i = 0; i < H; i++) {
            gv[i] += 2 * r * h[i] / N;
            for (int k = 0; k < D; k++) gw[i * D + k] += 2 * r * n->v[i] * (1 - h[i] * h[i]) * n->x[e * D + k] / N;
        }
    }
    return loss;
}

static void plain_adam(double *param, double *m, double *s, const double *g, int n, int k) {
    for (int i = 0; i < n; i++) {
        m[i] = 0.9 * m[i] + 0.1 * g[i];
        s[i] = 0.99 * s[i] + 0.01 * g[i] * g[i];
        param[i] -= 0.05 * (m[i] / (1 - pow(0.9, k))) / (sqrt(s[i] / (1 - pow(0.99, k))) + 1e-8);
    }
}

static void adam(orr_context *ctx, const orr_compile_options *way) {
    net t = net_new(ctx);
    orr_update updates[6];
    numbers n;
    orr_compile_options options = *way;
    options.updates = updates;
    options.n_updates = adam_updates(&t, updates);
    options.outputs = &t.loss;
    options.n_outputs = 1;
    orr_program *p = compile(ctx, t.g, &options);
    numbers_draw(&n);
    net_fill(p, &t, &n);
    for (int k = 1; k <= 30; k++) {
        double gw[H * D], gv[H];
        assert_ok(ctx, orr_program_run_many(p, 1, t.t));
        const double loss = plain_gradient(&n, gw, gv);
        plain_adam(n.w, n.mw, n.sw, gw, H * D, k), plain_adam(n.v, n.mv, n.sv, gv, H, k);
        /* Early steps divide by |g|: roundings of 1e-16 of gradients near 1e-4 grow to 1e-12, and add up over 30. */
        expect(p, t.loss, &loss, 1, 1e-10);
        expect(p, t.w, n.w, H * D, 1e-10), expect(p, t.v, n.v, H, 1e-10);
        expect(p, t.m[0], n.mw, H * D, 1e-10), expect(p, t.s[1], n.sv, H, 1e-10);
    }
    assert_int_equal(*(const int32_t *)orr_program_data(p, t.t), 30);
    orr_program_free(p);
    orr_graph_free(t.g);
}
static void adam_is_the_plain_loop(void **state) { each_way(*state, adam); }

/* Heavy ball: velocity and parameters from old values of both; run_many is a loop of runs. */
static void momentum(orr_context *ctx, const orr_compile_options *way) {
    net t = net_new(ctx);
    orr_graph *g = t.g;
    orr_update updates[4];
    numbers n;
    const orr_node param[] = { t.w, t.v };
    for (int i = 0; i < 2; i++) {
        const orr_node m = orr_sub(g, orr_scale(g, t.m[i], 0.8), orr_scale(g, t.grad[i], 0.1));
        updates[2 * i] = (orr_update){ param[i], orr_add(g, param[i], m) };
        updates[2 * i + 1] = (orr_update){ t.m[i], m };
    }
    orr_compile_options options = *way;
    options.updates = updates, options.n_updates = 4;
    orr_program *p = compile(ctx, g, &options);
    numbers_draw(&n);
    net_fill(p, &t, &n);
    assert_ok(ctx, orr_program_run_many(p, 20, ORR_NONE));
    for (int k = 0; k < 20; k++) {
        double gw[H * D], gv[H];
        (void)plain_gradient(&n, gw, gv);
        for (int i = 0; i < H * D; i++) n.mw[i] = 0.8 * n.mw[i] - 0.1 * gw[i], n.w[i] += n.mw[i];
        for (int i = 0; i < H; i++) n.mv[i] = 0.8 * n.mv[i] - 0.1 * gv[i], n.v[i] += n.mv[i];
    }
    expect(p, t.w, n.w, H * D, 1e-12), expect(p, t.v, n.v, H, 1e-12), expect(p, t.m[0], n.mw, H * D, 1e-12);
    orr_program_free(p);
    orr_graph_free(g);
}
static void momentum_is_the_plain_loop(void **state) { each_way(*state, momentum); }

/* ---- memory -------------------------------------------------------------------------------------------------------------- */

/* A convolution, an attention-like product, gather, random numbers and a reduction beside the net: one of each kind of
 * kernel. */
static void a_step_allocates_nothing(void **state) {
    orr_context *ctx = *state;
    for (int d = 0; d < 2; d++)
        for (int wide = 0; wide < 2; wide++) {
            orr_graph *g = graph_new(ctx);
            const int64_t n = wide ? 48 : 4; /* wide: several threads and BLAS */
            const orr_node a = orr_input(g, "a", ORR_F32, ORR_SHAPE(2, n, n)),
                           w = orr_input(g, "w", ORR_F32, ORR_SHAPE(n, n, 3)),
                           q = orr_input(g, "q", ORR_F32, ORR_SHAPE(8, n, n)),
                           index = orr_input(g, "i", ORR_I32, ORR_SHAPE(n)),
                           key = orr_input(g, "key", ORR_I32, ORR_SHAPE(4));
            const orr_node conv = orr_tanh(g, orr_convolve(g, a, w, (orr_convolution){ .low = { 1 }, .high = { 1 } }));
            const orr_node part = orr_einsum(g, "bij,bkj->bik", q, q), rows = orr_gather(g, part, index, 1);
            const orr_node noise = orr_random_normal(g, key, ORR_F32, ORR_SHAPE(n, n));
            const orr_node loss = orr_add(g, orr_mean_all(g, conv),
                                          orr_mean_all(g, orr_mul(g, orr_exp(g, orr_scale(g, rows, 0.01)), noise)));
            orr_node grad[3];
            orr_grad(g, loss, (const orr_node[]){ a, w, q }, 3, grad);
            const orr_node in[] = { a, w, q };
            orr_update updates[3];
            for (int i = 0; i < 3; i++)
                updates[i] = (orr_update){ in[i], orr_sub(g, in[i], orr_scale(g, grad[i], 0.01)) };
            orr_program *p = compile(
                ctx, g,
                &(orr_compile_options){
                    .outputs = &loss, .n_outputs = 1, .updates = updates, .n_updates = 3, .device = devices[d] });
            assert_ok(ctx, orr_program_run(p)); /* what a library sets up once */
            const int64_t ours = orr_context_allocations(ctx), all = allocations_of_the_process();
            assert_ok(ctx, orr_program_run_many(p, 5, ORR_NONE));
            const int64_t ours_after = orr_context_allocations(ctx), all_after = allocations_of_the_process();
            assert_int_equal(ours_after - ours, 0);
            if (all_after != all)
                fail_msg("%s, n = %d: a step allocates %.1f times", devices[d], (int)n, (double)(all_after - all) / 5);
            orr_program_free(p);
            orr_graph_free(g);
        }
}

static void programs_share_parameters_that_are_bound(void **state) {
    orr_context *ctx = *state;
    for (int d = 0; d < 2; d++) {
        orr_graph *g = graph_new(ctx);
        const orr_node w = orr_input(g, "w", ORR_F64, ORR_SHAPE(4)), twice = orr_scale(g, w, 2.0),
                       sum = orr_sum_all(g, w), part = orr_slice(g, w, 0, 1, 3, 1);
        orr_program *step = compile(
            ctx, g,
            &(orr_compile_options){ .updates = &(orr_update){ w, twice }, .n_updates = 1, .device = devices[d] });
        orr_program *look = compile(
            ctx, g,
            &(orr_compile_options){ .outputs = (const orr_node[]){ sum, part }, .n_outputs = 2, .device = devices[d] });
        double *memory = orr_allocate(ctx, 2 * 64);
        double *other = memory + 8;
        assert_non_null(memory);
        for (int i = 0; i < 4; i++) memory[i] = i + 1, other[i] = -1;
        assert_ok(ctx, orr_program_bind(step, w, memory));
        assert_ok(ctx, orr_program_bind(look, w, memory));
        assert_ptr_equal(orr_program_data(step, w), memory);
        assert_ok(ctx, orr_program_run_many(step, 3, ORR_NONE));
        assert_ok(ctx, orr_program_run(look));
        expect(look, sum, (const double[]){ 80 }, 1, 0);
        expect(look, part, (const double[]){ 16, 24 }, 2, 0);
        assert_ok(ctx, orr_program_bind(look, w, other)); /* again, elsewhere */
        assert_ok(ctx, orr_program_run(look));
        expect(look, sum, (const double[]){ -4 }, 1, 0);
        assert_int_equal(orr_program_bind(look, w, memory + 1), ORR_EINPUT);
        assert_non_null(strstr(orr_context_message(ctx), "64"));
        orr_context_clear(ctx);
        assert_int_equal(orr_program_bind(look, w, NULL), ORR_EINPUT);
        orr_context_clear(ctx);
        orr_program_free(step);
        orr_program_free(look);
        orr_release(ctx, memory);
        orr_graph_free(g);
    }
}

static void inputs_start_as_zeros_and_stay(void **state) {
    orr_context *ctx = *state;
    orr_graph *g = graph_new(ctx);
    const orr_node a = orr_input(g, "a", ORR_F64, ORR_SHAPE(3)), unused = orr_input(g, "unused", ORR_F64, ORR_SHAPE(3)),
                   y = orr_shift(g, a, 1.0), hidden = orr_exp(g, y), z = orr_neg(g, hidden);
    orr_program *p =
        compile(ctx, g, &(orr_compile_options){ .outputs = (const orr_node[]){ y, a, z }, .n_outputs = 3 });
    assert_ok(ctx, orr_program_run(p));
    expect(p, y, (const double[]){ 1, 1, 1 }, 3, 0);
    assert_true(orr_program_reads(p, a));
    assert_false(orr_program_reads(p, unused));
    assert_false(orr_program_reads(p, y)); /* no input */
    assert_null(orr_program_data(p, unused));
    assert_null(orr_program_data(p, hidden));
    assert_null(orr_program_data(p, ORR_NONE));
    set(p, a, (const double[]){ 1, 2, 3 }, 3);
    for (int i = 0; i < 2; i++) {
        assert_ok(ctx, orr_program_run(p));
        expect(p, y, (const double[]){ 2, 3, 4 }, 3, 0), expect(p, a, (const double[]){ 1, 2, 3 }, 3, 0);
    }
    orr_program_free(p);
    orr_program_free(NULL);
    orr_graph_free(g);
}

static void a_program_outlives_its_graph(void **state) {
    orr_context *ctx = *state;
    for (int d = 0; d < 2; d++) {
        orr_graph *g = graph_new(ctx);
        const orr_node a = orr_input(g, "a", ORR_F64, ORR_SHAPE(2, 3)),
                       c = orr_literal(g, ORR_F64, ORR_SHAPE(3, 2), (const double[]){ 1, 2, 3, 4, 5, 6 });
        const orr_node y = orr_pad(g, orr_matmul(g, orr_exp(g, a), c), 1, 1, 0, 0);
        orr_program *p = compile(ctx, g, &(orr_compile_options){ .outputs = &y, .n_outputs = 1, .device = devices[d] });
        orr_graph_free(g);
        assert_ok(ctx, orr_program_run(p));
        expect(p, y, (const double[]){ 0, 9, 12, 0, 9, 12 }, 6, 0);
        FILE *to = tmpfile();
        assert_non_null(to);
        orr_program_print(p, to);
        (void)fclose(to);
        orr_program_free(p);
    }
}

/* ---- counting and looking -------------------------------------------------------------------------------------------------- */

static void run_many_counts_the_runs(void **state) {
    orr_context *ctx = *state;
    orr_graph *g = graph_new(ctx);
    const orr_node t = orr_input(g, "t", ORR_I32, ORR_SCALAR), sum = orr_input(g, "sum", ORR_I32, ORR_SCALAR);
    orr_program *p = compile(
        ctx, g,
        &(orr_compile_options){
            .updates = &(orr_update){ sum, orr_add(g, sum, t) }, .n_updates = 1, .outputs = &t, .n_outputs = 1 });
    int32_t *count = orr_program_data(p, t), *total = orr_program_data(p, sum);
    assert_ok(ctx, orr_program_run_many(p, 10, t));
    assert_int_equal(*count, 10);
    assert_int_equal(*total, 45);
    assert_ok(ctx, orr_program_run_many(p, 0, t));
    assert_ok(ctx, orr_program_run_many(p, 2, ORR_NONE));
    assert_int_equal(*count, 10);
    assert_int_equal(*total, 65);
    orr_program_free(p);
    orr_graph_free(g);
}

static void non_finite_values_are_traced_to_the_op_that_made_them(void **state) {
    orr_context *ctx = *state;
    for (int d = 0; d < 2; d++)
        for (int f32 = 0; f32 < 2; f32++) {
            const orr_dtype dtype = f32 ? ORR_F32 : ORR_F64;
            orr_graph *g = graph_new(ctx);
            const orr_node a = orr_input(g, "a", dtype, ORR_SHAPE(3)), b = orr_exp(g, a);
            const orr_node c = orr_log(g, orr_shift(g, a, -1.0));
            const int line = __LINE__ - 1;
            const orr_node y = orr_sum_all(g, orr_mul(g, b, orr_sqrt(g, c)));
            orr_program *p = compile(
                ctx, g,
                &(orr_compile_options){ .outputs = &y, .n_outputs = 1, .device = devices[d], .find_non_finite = true });
            for (int i = 0; i < 3; i++) {
                if (f32) ((float *)orr_program_data(p, a))[i] = 3.0F;
                else ((double *)orr_program_data(p, a))[i] = 3.0;
            }
            assert_ok(ctx, orr_program_run(p));
            if (f32) ((float *)orr_program_data(p, a))[1] = 1.0F; /* log 0 */
            else ((double *)orr_program_data(p, a))[1] = 1.0;
            char where[60];
            (void)snprintf(where, sizeof where, "test_program.c:%d", line);
            assert_int_equal(orr_program_run(p), ORR_ENUMERIC);
            assert_non_null(strstr(orr_context_message(ctx), where));
            assert_non_null(strstr(orr_context_message(ctx), "log"));
            assert_null(strstr(orr_context_message(ctx), "sqrt"));
            orr_context_clear(ctx);
            orr_program_free(p);
            orr_graph_free(g);
        }
}

/* An input that is not finite is the caller's; it is said of the first op that passes it on. */
static void a_nan_in_an_input_is_found_too(void **state) {
    orr_context *ctx = *state;
    orr_graph *g = graph_new(ctx);
    const orr_node a = orr_input(g, "a", ORR_F64, ORR_SHAPE(3)), y = orr_sum_all(g, orr_tanh(g, a));
    orr_program *p = compile(ctx, g, &(orr_compile_options){ .outputs = &y, .n_outputs = 1, .find_non_finite = true });
    set(p, a, (const double[]){ 0, (double)NAN, 0 }, 3);
    assert_int_equal(orr_program_run(p), ORR_ENUMERIC);
    assert_non_null(strstr(orr_context_message(ctx), "tanh"));
    orr_context_clear(ctx);
    orr_program_free(p);
    orr_graph_free(g);
}

static void costs_are_those_counted_by_hand(void **state) {
    orr_context *ctx = *state;
    for (int d = 0; d < 2; d++) {
        orr_graph *g = graph_new(ctx);
        const orr_node a = orr_input(g, "a", ORR_F32, ORR_SHAPE(7, 11)),
                       b = orr_input(g, "b", ORR_F32, ORR_SHAPE(11, 13)), y = orr_matmul(g, a, b);
        orr_program *p = compile(ctx, g, &(orr_compile_options){ .outputs = &y, .n_outputs = 1, .device = devices[d] });
        orr_cost cost = orr_program_cost(p);
        assert_int_equal(cost.kernels, 1);
        assert_int_equal(cost.flops, 2 * 7 * 11 * 13);
        assert_int_equal(cost.bytes, 4 * (7 * 11 + 11 * 13 + 7 * 13));
        assert_int_equal(cost.peak_bytes, 0);
        assert_int_equal(cost.persistent_bytes, 4 * (7 * 11 + 11 * 13 + 7 * 13));
        orr_program_free(p);

        const orr_node x = orr_input(g, "x", ORR_F64, ORR_SHAPE(2, 4, 9)),
                       w = orr_input(g, "w", ORR_F64, ORR_SHAPE(6, 2, 3)),
                       z = orr_convolve(g, x, w, (orr_convolution){ .groups = 2 });
        p = compile(ctx, g, &(orr_compile_options){ .outputs = &z, .n_outputs = 1, .device = devices[d] });
        assert_int_equal(orr_program_cost(p).flops,
                         2 * (2 * 6 * 7) * (2 * 3)); /* |y| (c / groups) k, multiply and add */
        orr_program_free(p);

        const orr_node s = orr_sum_all(g, orr_tanh(g, orr_mul(g, x, x)));
        p = compile(ctx, g, &(orr_compile_options){ .outputs = &s, .n_outputs = 1, .device = devices[d] });
        cost = orr_program_cost(p);
        assert_int_equal(cost.flops, 3 * 2 * 4 * 9); /* mul, tanh, sum: one an element each */
        if (d == 0) {                                /* one pass: x is read, the sum is written */
            assert_int_equal(cost.kernels, 1);
            assert_int_equal(cost.bytes, 8 * (2 * 4 * 9 + 1));
            assert_int_equal(cost.peak_bytes, 0);
        } else { /* every node a pass; two temporaries at once, rounded up to 64 bytes each */
            assert_int_equal(cost.kernels, 3);
            assert_int_equal(cost.bytes, 8 * (72 + 72 + 72 + 72 + 72 + 72 + 1));
            assert_int_equal(cost.peak_bytes, 2 * 576);
        }
        orr_program_free(p);
        orr_graph_free(g);
    }
}

static void the_plan_names_ops_costs_and_what_was_fused(void **state) {
    orr_context *ctx = *state;
    orr_graph *g = graph_new(ctx);
    const orr_node a = orr_input(g, "a", ORR_F32, ORR_SHAPE(7, 11)), b = orr_input(g, "b", ORR_F32, ORR_SHAPE(11, 13));
    const orr_node y = orr_sum_all(g, orr_exp(g, orr_tanh(g, orr_matmul(g, a, b))));
    orr_program *p = compile(ctx, g, &(orr_compile_options){ .outputs = &y, .n_outputs = 1 });
    char text[4000] = "";
    FILE *to = tmpfile();
    assert_non_null(to);
    orr_program_print(p, to);
    rewind(to);
    assert_true(fread(text, 1, sizeof text - 1, to) > 0);
    (void)fclose(to);
    const char *const words[] = { "einsum", "f32[7, 13]",      "2002",  "fused", "tanh", "exp",
                                  "sum",    "test_program.c:", "flops", "bytes", "peak", "cpu" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strstr(text, words[i])) fail_msg("the plan doesn't say \"%s\":\n%s", words[i], text);
    orr_program_free(p);
    orr_graph_free(g);
}

/* Temporaries that don't live at the same time share memory: a chain needs no more than two, however long. */
static void a_chain_of_temporaries_needs_memory_for_two(void **state) {
    orr_context *ctx = *state;
    for (int d = 0; d < 2; d++) {
        orr_graph *g = graph_new(ctx);
        const orr_node x = orr_input(g, "x", ORR_F64, ORR_SHAPE(16, 16));
        orr_node y = x;
        for (int i = 0; i < 12; i++) y = orr_matmul(g, orr_tanh(g, y), x);
        orr_program *p = compile(ctx, g, &(orr_compile_options){ .outputs = &y, .n_outputs = 1, .device = devices[d] });
        const int64_t shared_bytes = orr_program_cost(p).peak_bytes;
        assert_true(shared_bytes <= 2 * 16 * 16 * 8);
        assert_int_equal(orr_program_cost(p).minimum_bytes, 2 * 16 * 16 * 8);
        orr_program_free(p);
        p = compile(
            ctx, g,
            &(orr_compile_options){ .outputs = &y, .n_outputs = 1, .device = devices[d], .spill_everything = true });
        assert_true(orr_program_cost(p).peak_bytes >= 23 * 16 * 16 * 8);
        assert_true(orr_program_cost(p).minimum_bytes >= 23 * 16 * 16 * 8);
        orr_program_free(p);
        orr_graph_free(g);
    }
}

/* A product with a vector that has no gaps, and an update w - rate e x' in place, need next to no scratch of their own. */
static void a_step_on_one_example_needs_no_scratch(void **state) {
    enum { WIDTH = 500, FIELDS = 4 };
    orr_context *ctx = *state;
    orr_graph *g = graph_new(ctx);
    const orr_node w = orr_input(g, "w", ORR_F64, ORR_SHAPE(FIELDS, WIDTH)),
                   x = orr_input(g, "x", ORR_F64, ORR_SHAPE(WIDTH)), e = orr_einsum(g, "ki,i->k", w, x),
                   step = orr_scale(g, orr_einsum(g, "k,i->ki", e, x), 0.25);
    const orr_update update = { w, orr_sub(g, w, step) };
    orr_program *p = compile(ctx, g, &(orr_compile_options){ .updates = &update, .n_updates = 1 });
    assert_true(orr_program_cost(p).workspace_bytes < WIDTH * (int64_t)sizeof(double));
    double *weights = orr_program_data(p, w), *input = orr_program_data(p, x);
    for (int i = 0; i < WIDTH; i++) {
        input[i] = i % 7 - 3;
        for (int k = 0; k < FIELDS; k++) weights[k * WIDTH + i] = (i + k) % 5 - 2;
    }
    double field[FIELDS] = { 0 };
    for (int k = 0; k < FIELDS; k++)
        for (int i = 0; i < WIDTH; i++) field[k] += weights[k * WIDTH + i] * input[i];
    assert_ok(ctx, orr_program_run(p));
    for (int k = 0; k < FIELDS; k++)
        for (int i = 0; i < WIDTH; i++)
            assert_true(weights[k * WIDTH + i] == (i + k) % 5 - 2 - 0.25 * field[k] * input[i]);
    orr_program_free(p);
    orr_graph_free(g);
}

/* Two layers of tanh backwards need both activations, which the products keep, but not their derivatives 1 - h^2: those
 * wait until the backward pass multiplies by them.  [N, H] arrays at once: two activations and a gradient. */
static void derivatives_of_activations_are_not_kept(void **state) {
    enum { ROWS = 512, WIDTH = 32 };
    orr_context *ctx = *state;
    orr_graph *g = graph_new(ctx);
    const orr_node x = orr_input(g, "x", ORR_F32, ORR_SHAPE(ROWS, WIDTH)),
                   w[] = { orr_input(g, "u", ORR_F32, ORR_SHAPE(WIDTH, WIDTH)),
                           orr_input(g, "w", ORR_F32, ORR_SHAPE(WIDTH, WIDTH)) };
    const orr_node h = orr_tanh(g, orr_matmul(g, orr_tanh(g, orr_matmul(g, x, w[0])), w[1]));
    orr_node grad[2];
    orr_grad(g, orr_sum_all(g, orr_square(g, orr_sub(g, h, x))), w, 2, grad);
    orr_program *p = compile(ctx, g, &(orr_compile_options){ .outputs = grad, .n_outputs = 2 });
    const int64_t most = (int64_t)sizeof(float) * WIDTH * (3 * ROWS + 4 * WIDTH);
    assert_true(orr_program_cost(p).minimum_bytes <= most);
    orr_program_free(p);
    orr_graph_free(g);
}

/* c + s (t v), c - s (t v), s (t v) - c: one pass, each operation rounded as it would be alone. */
static void sums_with_twice_scaled_products_round_as_their_parts_do(void **state) {
    enum { ROWS = 5 };
    orr_context *ctx = *state;
    for (int single = 0; single < 2; single++)
        for (int columns = 1; columns < 1200; columns += 397) {
            const orr_dtype dtype = single ? ORR_F32 : ORR_F64;
            orr_graph *g = graph_new(ctx);
            const orr_node a = orr_input(g, "a", dtype, ORR_SHAPE(ROWS)),
                           x = orr_input(g, "x", dtype, ORR_SHAPE(columns)),
                           w = orr_input(g, "w", dtype, ORR_SHAPE(ROWS, columns)),
                           twice = orr_scale(g, orr_einsum(g, "k,i->ki", a, x), 0.3),
                           other = orr_scale(g, orr_einsum(g, "k,i->ki", a, x), 0.7),
                           third = orr_scale(g, orr_einsum(g, "k,i->ki", a, x), 0.9);
            const orr_node y[] = { orr_add(g, twice, w), orr_sub(g, w, other), orr_sub(g, third, w) };
            orr_program *p[2];
            for (int plain = 0; plain < 2; plain++) {
                p[plain] = compile(ctx, g, &(orr_compile_options){ .outputs = y, .n_outputs = 3, .no_fusion = plain });
                const orr_node in[] = { a, x, w };
                for (int i = 0; i < 3; i++) {
                    const int n = i == 0 ? ROWS : i == 1 ? columns : ROWS * columns;
                    void *data = orr_program_data(p[plain], in[i]);
                    for (int k = 0; k < n; k++)
                        if (single) ((float *)data)[k] = sinf((float)(k + i));
                        else ((double *)data)[k] = sin(k + i);
                }
                assert_ok(ctx, orr_program_run(p[plain]));
            }
            for (int i = 0; i < 3; i++)
                assert_memory_equal(orr_program_data(p[0], y[i]), orr_program_data(p[1], y[i]),
                                    (size_t)(ROWS * columns) * (single ? sizeof(float) : sizeof(double)));
            orr_program_free(p[0]);
            orr_program_free(p[1]);
            orr_graph_free(g);
        }
}

/* 1 - h^2 follows from h, which the products keep alive: two groups read it, and it is never in memory. */
static void what_follows_from_what_is_kept_is_computed_again(void **state) {
    enum { ROWS = 512, WIDTH = 32 };
    orr_context *ctx = *state;
    orr_graph *g = graph_new(ctx);
    const orr_node x = orr_input(g, "x", ORR_F32, ORR_SHAPE(ROWS, WIDTH)),
                   w = orr_input(g, "w", ORR_F32, ORR_SHAPE(WIDTH, WIDTH));
    const orr_node h = orr_tanh(g, orr_matmul(g, x, w)), slope = orr_sub(g, orr_fill_like(g, h, 1.0), orr_square(g, h)),
                   first = orr_matmul(g, orr_mul(g, slope, orr_matmul(g, h, w)), w),
                   y = orr_matmul(g, orr_add(g, orr_mul(g, slope, first), h), w);
    orr_program *p = compile(ctx, g, &(orr_compile_options){ .outputs = &y, .n_outputs = 1 });
    const int64_t array = (int64_t)sizeof(float) * ROWS * WIDTH;
    assert_int_equal(orr_program_cost(p).minimum_bytes, 3 * array); /* h, and a product's operand and result */
    orr_program_free(p);
    orr_graph_free(g);
}

/* Parameters are overwritten as soon as they have been read, so no two gradients are alive at once. */
static void gradients_go_as_soon_as_they_can(void **state) {
    enum { ROWS = 4, WIDTH = 64, LAYERS = 6 };
    orr_context *ctx = *state;
    orr_graph *g = graph_new(ctx);
    const orr_node x = orr_input(g, "x", ORR_F64, ORR_SHAPE(ROWS, WIDTH));
    orr_node w[LAYERS], grad[LAYERS], h = x;
    for (int i = 0; i < LAYERS; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "w%d", i);
        w[i] = orr_input(g, name, ORR_F64, ORR_SHAPE(WIDTH, WIDTH));
        h = orr_tanh(g, orr_matmul(g, h, w[i]));
    }
    orr_grad(g, orr_sum_all(g, orr_square(g, h)), w, LAYERS, grad);
    orr_update updates[LAYERS];
    for (int i = 0; i < LAYERS; i++) updates[i] = (orr_update){ w[i], orr_sub(g, w[i], orr_scale(g, grad[i], 0.1)) };
    orr_program *p = compile(ctx, g, &(orr_compile_options){ .updates = updates, .n_updates = LAYERS });
    const int64_t gradient = (int64_t)sizeof(double) * WIDTH * WIDTH;
    assert_true(orr_program_cost(p).minimum_bytes < 2 * gradient);
    orr_program_free(p);
    orr_graph_free(g);
}

/* Three products, each seen with its axes in another order, one after the other: written where they belong, as long as nobody else wants
 * one of them. */
static void parts_of_a_concatenation_are_written_where_they_belong(void **state) {
    enum { HEADS = 3, ROWS = 5, INNER = 4, WIDTH = 8, PARTS = 3, LAST = 2 };
    orr_context *ctx = *state;
    orr_graph *g = graph_new(ctx);
    orr_node input[PARTS + 2], product[PARTS], part[PARTS];
    const orr_node s = orr_input(g, "s", ORR_F64, ORR_SHAPE(HEADS, ROWS, INNER)),
                   w = orr_input(g, "w", ORR_F64, ORR_SHAPE(PARTS * HEADS * WIDTH, LAST));
    input[PARTS] = s, input[PARTS + 1] = w;
    for (int i = 0; i < PARTS; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "v%d", i);
        input[i] = orr_input(g, name, ORR_F64, ORR_SHAPE(HEADS, INNER, WIDTH));
        product[i] = orr_einsum(g, "hti,hid->htd", s, input[i]);
        const orr_node rows = orr_transpose(g, product[i], ORR_AXES(1, 0, 2));
        part[i] = orr_reshape(g, rows, ORR_SHAPE(ROWS, 1, HEADS, WIDTH));
    }
    const orr_node joined = orr_reshape(g, orr_concat(g, part, PARTS, 1), ORR_SHAPE(ROWS, PARTS * HEADS * WIDTH));
    const orr_node outputs[] = { orr_matmul(g, joined, w), product[1] };
    for (int n = 1; n <= 2; n++) {
        orr_program *p[2];
        for (int plain = 0; plain < 2; plain++) {
            p[plain] =
                compile(ctx, g, &(orr_compile_options){ .outputs = outputs, .n_outputs = n, .no_fusion = plain });
            for (int i = 0; i < PARTS + 2; i++) {
                const orr_shape shape = orr_node_shape(g, input[i]);
                double *data = orr_program_data(p[plain], input[i]);
                for (int64_t k = 0; k < orr_shape_count(&shape); k++) data[k] = sin((double)(7 * k + i));
            }
            assert_ok(ctx, orr_program_run(p[plain]));
        }
        assert_memory_equal(orr_program_data(p[0], outputs[0]), orr_program_data(p[1], outputs[0]),
                            ROWS * LAST * sizeof(double));
        assert_int_equal(orr_program_cost(p[0]).kernels, n == 1 ? PARTS + 1 : PARTS + 2);
        orr_program_free(p[0]);
        orr_program_free(p[1]);
    }
    orr_graph_free(g);
}

/* Nodes that wait for one another end somewhere: a chain of any length compiles, in time and on the stack. */
static void a_long_chain_compiles(void **state) {
    enum { LINKS = 100000 };
    orr_context *ctx = *state;
    orr_graph *g = graph_new(ctx);
    const orr_node x = orr_input(g, "x", ORR_F64, ORR_SHAPE(3));
    orr_node y = x;
    for (int i = 0; i < LINKS; i++) y = orr_sub(g, x, y);
    orr_program *p = compile(ctx, g, &(orr_compile_options){ .outputs = &y, .n_outputs = 1 });
    set(p, x, (const double[]){ 1, 2, 3 }, 3);
    assert_ok(ctx, orr_program_run(p));
    expect(p, y, (const double[]){ 1, 2, 3 }, 3, 0.0);
    orr_program_free(p);
    orr_graph_free(g);
}

/* ---- memory that runs out ------------------------------------------------------------------------------------------------- */

static orr_status build_and_run(orr_context *ctx, void *arg) {
    const char *device = arg;
    orr_graph *g = NULL;
    orr_program *p = NULL;
    orr_status status = orr_graph_new(ctx, &g);
    if (status != ORR_OK) return status;
    const orr_node x = orr_input(g, "x", ORR_F64, ORR_SHAPE(4, 3)), w = orr_input(g, "w", ORR_F64, ORR_SHAPE(3, 5)),
                   i = orr_input(g, "i", ORR_I32, ORR_SHAPE(2)),
                   batch = orr_input(g, "batch", ORR_F64, ORR_SHAPE(2, 3, 5)),
                   k = orr_input(g, "k", ORR_F64, ORR_SHAPE(2, 1, 3)),
                   c = orr_literal(g, ORR_F64, ORR_SHAPE(3), (const double[]){ 1, 2, 3 });
    const orr_node h = orr_tanh(g, orr_matmul(g, orr_add(g, x, c), w)), rows = orr_gather(g, h, i, 0),
                   many = orr_concat(
                       g, (const orr_node[]){ rows, rows, h, rows, h, h, h, h, h, h, h, h, h, h, h, h, h, h, h, h }, 20,
                       0),
                   conv =
                       orr_convolve(g, orr_reshape(g, many, ORR_SHAPE(1, 1, -1)), k, (orr_convolution){ .low = { 1 } }),
                   loss = orr_add(g, orr_sum_all(g, orr_square(g, conv)), orr_mean_all(g, orr_softmax(g, many, 1)));
    orr_node grad, hv, per[2];
    orr_grad(g, loss, &w, 1, &grad);
    orr_hvp(g, loss, &w, &w, 1, &hv);
    orr_vmap(g, (const orr_node[]){ grad, loss }, 2, &w, &batch, 1, per);
    const orr_node outputs[] = { loss, hv, per[0], per[1] };
    const orr_update update = { w, orr_sub(g, w, grad) };
    status = orr_compile(ctx, g,
                         &(orr_compile_options){
                             .outputs = outputs, .n_outputs = 4, .updates = &update, .n_updates = 1, .device = device },
                         &p);
    if (status == ORR_OK) status = orr_program_run(p);
    orr_program_free(p);
    orr_graph_free(g);
    return status;
}

static void when_memory_runs_out_compile_says_so_and_leaks_nothing(void **state) {
    (void)state;
    for (int d = 0; d < 2; d++) {
        char device[4];
        (void)snprintf(device, sizeof device, "%s", devices[d]);
        assert_true(fail_each_allocation(build_and_run, device) > 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_parameters_can_swap),
        cmocka_unit_test(updates_that_read_each_other_see_old_values),
        cmocka_unit_test(a_new_value_may_be_a_view_of_an_old_one),
        cmocka_unit_test(one_value_may_update_several_inputs),
        cmocka_unit_test(adam_is_the_plain_loop),
        cmocka_unit_test(momentum_is_the_plain_loop),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(programs_share_parameters_that_are_bound),
        cmocka_unit_test(inputs_start_as_zeros_and_stay),
        cmocka_unit_test(a_program_outlives_its_graph),
        cmocka_unit_test(run_many_counts_the_runs),
        cmocka_unit_test(non_finite_values_are_traced_to_the_op_that_made_them),
        cmocka_unit_test(a_nan_in_an_input_is_found_too),
        cmocka_unit_test(costs_are_those_counted_by_hand),
        cmocka_unit_test(the_plan_names_ops_costs_and_what_was_fused),
        cmocka_unit_test(a_chain_of_temporaries_needs_memory_for_two),
        cmocka_unit_test(derivatives_of_activations_are_not_kept),
        cmocka_unit_test(sums_with_twice_scaled_products_round_as_their_parts_do),
        cmocka_unit_test(what_follows_from_what_is_kept_is_computed_again),
        cmocka_unit_test(gradients_go_as_soon_as_they_can),
        cmocka_unit_test(parts_of_a_concatenation_are_written_where_they_belong),
        cmocka_unit_test(a_step_on_one_example_needs_no_scratch),
        cmocka_unit_test(a_long_chain_compiles),
        cmocka_unit_test(when_memory_runs_out_compile_says_so_and_leaks_nothing),
    };
    return cmocka_run_group_tests_name("tensor/program", tests, context_setup, context_teardown);
}
