#include "tensor/random_graph.h"

typedef random_graph rg;

enum { COUNT_MAX = 240, RANK_MAX = 4 };

static int64_t below(rg *r, int64_t n) { return dice_below(&r->dice, n); }
static bool chance(rg *r, double p) { return dice_uniform(&r->dice, 0, 1) < p; }
static int64_t count_of(const rg *r, orr_node a) {
    const orr_shape s = orr_node_shape(r->g, a);
    return orr_shape_count(&s);
}
static int32_t rank_of(const rg *r, orr_node a) { return orr_node_shape(r->g, a).rank; }

static void put(rg *r, orr_node a) {
    if (!a.id || r->n_pool == GRAPH_POOL || count_of(r, a) > COUNT_MAX || rank_of(r, a) > RANK_MAX) return;
    r->pool[r->n_pool++] = a;
}

/* Later ones more often, so that graphs grow deep. */
static orr_node pick(rg *r) {
    const int64_t a = below(r, r->n_pool), b = below(r, r->n_pool);
    return r->pool[a > b ? a : b];
}

static orr_node bounded(rg *r, orr_node a) { return orr_tanh(r->g, a); }

static orr_node numbers(rg *r, orr_shape shape, double low, double high) {
    const int64_t n = orr_shape_count(&shape);
    const orr_arena_mark mark = orr_arena_here(r->arena);
    double *wide = ORR_NEW(r->arena, double, n);
    float *narrow = ORR_NEW(r->arena, float, n);
    for (int64_t i = 0; i < n; i++) wide[i] = dice_uniform(&r->dice, low, high), narrow[i] = (float)wide[i];
    const orr_node out =
        orr_literal(r->g, r->dtype, shape, r->dtype == ORR_F64 ? (const void *)wide : (const void *)narrow);
    orr_arena_rewind(r->arena, mark);
    return out;
}

/* Numbers of either sign and of this size: what is added to a bounded value so that it stays clear of zero. */
static orr_node signs(rg *r, orr_shape shape, double size) {
    const orr_node u = numbers(r, shape, -1, 1);
    return orr_scale(r->g,
                     orr_select(r->g, orr_lt(r->g, u, orr_fill(r->g, r->dtype, shape, 0)),
                                orr_fill(r->g, r->dtype, shape, -1), orr_fill(r->g, r->dtype, shape, 1)),
                     size);
}

static orr_node input(rg *r, orr_shape shape) {
    char name[20];
    if (r->n_x == GRAPH_INPUTS) return numbers(r, shape, -1, 1);
    (void)snprintf(name, sizeof name, "x%d", r->n_x);
    const orr_node x = orr_input(r->g, name, r->dtype, shape);
    r->at[r->n_x] = host_new(r->arena, r->dtype, shape);
    host_draw(&r->dice, &r->at[r->n_x], -1.0, 1.0);
    r->x[r->n_x++] = x;
    return x;
}

static orr_node held(rg *r, orr_dtype dtype, orr_shape shape, int64_t limit) {
    char name[20];
    (void)snprintf(name, sizeof name, "h%d", r->held.n);
    const orr_node x = orr_input(r->g, name, dtype, shape);
    host value = host_new(r->arena, dtype, shape);
    r->below[r->held.n] = limit;
    host_draw(&r->dice, &value, 0, (double)limit);
    feed_add(&r->held, x, value);
    return x;
}

static orr_shape shape_of(rg *r, int32_t rank) {
    static const int64_t extents[] = { 1, 2, 2, 3, 3, 4, 5, 7 };
    orr_shape s = { .rank = rank };
    for (int32_t i = 0; i < rank; i++) s.size[i] = extents[below(r, 8)];
    while (orr_shape_count(&s) > COUNT_MAX / 2) s.size[below(r, rank)] = 2;
    return s;
}

/* ---- steps: each adds a value or does nothing where it doesn't fit ---------------------------------------------------- */

static orr_node smooth(rg *r, orr_node a) {
    orr_graph *g = r->g;
    switch (below(r, 21)) {
    case 0: return orr_tanh(g, a);
    case 1: return orr_sin(g, a);
    case 2: return orr_cos(g, a);
    case 3: return orr_sigmoid(g, a);
    case 4: return orr_erf(g, a);
    case 5: return orr_exp(g, bounded(r, a));
    case 6: return orr_expm1(g, orr_scale(g, bounded(r, a), 0.5));
    case 7: return orr_log(g, orr_shift(g, orr_square(g, a), 1.5));
    case 8: return orr_log1p(g, orr_square(g, a));
    case 9: return orr_sqrt(g, orr_shift(g, orr_square(g, a), 0.5));
    case 10: return orr_reciprocal(g, orr_shift(g, orr_square(g, a), 1.0));
    case 11: return orr_neg(g, a);
    case 12: return orr_square(g, bounded(r, a));
    case 13: return orr_pow(g, orr_shift(g, orr_sigmoid(g, a), 0.5), orr_fill(g, r->dtype, ORR_SCALAR, -1.5));
    case 14: return orr_pow(g, bounded(r, a), orr_fill(g, r->dtype, ORR_SCALAR, 3.0));
    case 15: return orr_silu(g, a);
    case 16: return orr_gelu(g, a);
    case 17: return orr_softplus(g, a);
    case 18: return rank_of(r, a) ? orr_softmax(g, a, (int32_t)below(r, rank_of(r, a))) : a;
    case 19: return rank_of(r, a) ? orr_logsumexp(g, a, (int32_t)below(r, rank_of(r, a))) : a;
    default: return rank_of(r, a) ? orr_layer_norm(g, a, ORR_NONE, ORR_NONE, 0.3) : a;
    }
}

/* Another value that broadcasts with a: one of the pool, or a made to fit. */
static orr_node partner(rg *r, orr_node a) {
    const orr_shape s = orr_node_shape(r->g, a);
    for (int tries = 0; tries < 6; tries++) {
        const orr_node b = pick(r);
        const orr_shape t = orr_node_shape(r->g, b);
        const int32_t rank = s.rank > t.rank ? s.rank : t.rank;
        int64_t count = 1;
        bool fits = true;
        for (int32_t i = 1; i <= rank; i++) {
            const int64_t n = i <= s.rank ? s.size[s.rank - i] : 1, m = i <= t.rank ? t.size[t.rank - i] : 1;
            fits = fits && (n == m || n == 1 || m == 1);
            count *= n == 1 ? m : n;
        }
        if (fits && count <= COUNT_MAX) return b;
    }
    if (s.rank && chance(r, 0.5)) return orr_mean_keep(r->g, a, ORR_AXES((int32_t)below(r, s.rank)));
    orr_shape t = s;
    for (int32_t i = 0; i < t.rank; i++)
        if (chance(r, 0.4)) t.size[i] = 1;
    return chance(r, 0.5) ? numbers(r, t, -1, 1) : input(r, t);
}

static orr_node binary(rg *r, orr_node a, orr_node b) {
    orr_graph *g = r->g;
    switch (below(r, 7)) {
    case 0: return orr_scale(g, orr_add(g, a, b), 0.7);
    case 1: return orr_scale(g, orr_sub(g, a, b), 0.7);
    case 2: return orr_mul(g, a, bounded(r, b));
    case 3: return orr_mul(g, bounded(r, a), b);
    case 4: return orr_div(g, a, orr_shift(g, orr_square(g, b), 1.5));
    case 5: return orr_pow(g, orr_shift(g, orr_sigmoid(g, a), 0.7), bounded(r, b));
    default: return orr_mul(g, a, orr_sub(g, orr_fill(g, r->dtype, ORR_SCALAR, 1), orr_sigmoid(g, b)));
    }
}

/* Ops with kinks or jumps, away from them: bounded values in (-1, 1) are moved by 1.5 or more. */
static orr_node kinked(rg *r, orr_node a) {
    orr_graph *g = r->g;
    const orr_shape s = orr_node_shape(g, a);
    const orr_node clear = orr_add(g, bounded(r, a), signs(r, s, 1.5));
    const orr_node half = orr_shift(g, orr_scale(g, bounded(r, a), 0.3), 0.5); /* in (0.2, 0.8) */
    switch (below(r, 12)) {
    case 0: return orr_abs(g, clear);
    case 1: return orr_relu(g, clear);
    case 2: return orr_mul(g, a, orr_sign(g, clear));
    case 3: return orr_add(g, a, orr_floor(g, orr_add(g, half, orr_floor(g, numbers(r, s, -3, 3)))));
    case 4: return orr_max(g, bounded(r, partner(r, a)), orr_scale(g, clear, 2.5)); /* |2.5 clear| > 1.25 */
    case 5: return orr_min(g, orr_scale(g, clear, 2.5), bounded(r, partner(r, a)));
    case 6: return orr_select(g, held(r, ORR_BOOL, s, 2), a, orr_cos(g, a));
    case 7: return orr_select(g, orr_lt(g, clear, orr_fill(g, r->dtype, s, 0)), a, bounded(r, partner(r, a)));
    case 8: return orr_mul(g, a, orr_cast(g, orr_le(g, orr_fill(g, r->dtype, ORR_SCALAR, 0), clear), r->dtype));
    case 9: return orr_select(g, orr_is_finite(g, a), orr_cos(g, a), a);
    case 10: { /* logic, and every other element along an axis */
        orr_node mask = orr_and(g, held(r, ORR_BOOL, s, 2), orr_not(g, held(r, ORR_BOOL, s, 2)));
        if (s.rank > 0) {
            const orr_node at = orr_iota(g, ORR_I32, s, (int32_t)below(r, s.rank)),
                           two = orr_fill(g, ORR_I32, ORR_SCALAR, 2);
            mask = orr_or(g, mask, orr_eq(g, orr_rem(g, at, two), orr_fill(g, ORR_I32, ORR_SCALAR, 0)));
        }
        return orr_select(g, mask, a, orr_neg(g, a));
    }
    default: { /* whole numbers on the way */
        const orr_node whole = orr_cast(g, orr_add(g, half, numbers(r, s, 0, 0)), ORR_I32); /* 0 */
        const orr_node odd = orr_rem(g, orr_add(g, whole, held(r, ORR_I32, s, 7)), orr_fill(g, ORR_I32, ORR_SCALAR, 3));
        return orr_mul(g, a, orr_cast(g, odd, r->dtype));
    }
    }
}

static orr_axes some_axes(rg *r, int32_t rank) {
    orr_axes axes = { 0 };
    for (int32_t i = 0; i < rank; i++)
        if (chance(r, 0.5)) axes.axis[axes.n++] = chance(r, 0.3) ? i - rank : i;
    return axes;
}

static orr_node reduced(rg *r, orr_node a) {
    orr_graph *g = r->g;
    const orr_shape s = orr_node_shape(g, a);
    const orr_axes axes = some_axes(r, s.rank);
    switch (below(r, 6)) {
    case 0: return orr_scale(g, orr_sum(g, a, axes), 0.5);
    case 1: return orr_scale(g, orr_sum_keep(g, a, axes), 0.5);
    case 2: return orr_mean(g, a, axes);
    case 3: return orr_mul(g, a, bounded(r, orr_mean_keep(g, a, axes)));
    default: { /* values on a ladder with steps of 3, in random order along the axes: one clear maximum */
        const int64_t n = orr_shape_count(&s);
        int64_t order[COUNT_MAX];
        double ladder[COUNT_MAX];
        for (int64_t i = 0; i < n; i++) {
            const int64_t k = below(r, i + 1);
            order[i] = order[k];
            order[k] = i;
        }
        for (int64_t i = 0; i < n; i++) ladder[i] = 3.0 * (double)order[i] / 8.0 * 8.0;
        float narrow[COUNT_MAX];
        for (int64_t i = 0; i < n; i++) narrow[i] = (float)ladder[i];
        const orr_node rungs =
            orr_literal(g, r->dtype, s, r->dtype == ORR_F64 ? (const void *)ladder : (const void *)narrow);
        const orr_node top = orr_reduce_max(g, orr_add(g, bounded(r, a), rungs), axes);
        return orr_scale(g, top, 0.01);
    }
    }
}

static orr_node moved(rg *r, orr_node a) {
    orr_graph *g = r->g;
    const orr_shape s = orr_node_shape(g, a);
    if (s.rank == 0) return orr_broadcast(g, a, shape_of(r, 1 + (int32_t)below(r, 2)));
    const int32_t axis = (int32_t)below(r, s.rank);
    const int64_t n = s.size[axis];
    switch (below(r, 9)) {
    case 0: { /* any order of axes */
        orr_axes order = { .n = s.rank };
        for (int32_t i = 0; i < s.rank; i++) {
            const int32_t k = (int32_t)below(r, i + 1);
            order.axis[i] = order.axis[k];
            order.axis[k] = i;
        }
        return orr_transpose(g, a, order);
    }
    case 1: { /* two axes into one, or one into two */
        orr_shape t = { 0 };
        for (int32_t i = 0; i < s.rank; i++) {
            if (i == axis && n % 2 == 0) t.size[t.rank++] = 2, t.size[t.rank++] = n / 2;
            else if (i == axis && i + 1 < s.rank) t.size[t.rank++] = n * s.size[i + 1], i++;
            else t.size[t.rank++] = s.size[i];
        }
        return orr_reshape(g, a, t);
    }
    case 2: return orr_reshape(g, a, ORR_SHAPE(-1));
    case 3: {
        const int64_t start = below(r, n), stop = start + 1 + below(r, n - start);
        return orr_slice(g, a, axis, start, stop, 1 + below(r, 3));
    }
    case 4: return orr_pad(g, a, axis, below(r, 3), below(r, 3), below(r, 2));
    case 5: {
        const int64_t low = below(r, n), high = below(r, n - low);
        return orr_pad(g, a, axis, -low, -high, below(r, 2));
    }
    case 6: {
        orr_shape t = s;
        const int64_t lead = 2 + below(r, 2);
        t.rank++;
        for (int32_t i = s.rank; i > 0; i--) t.size[i] = s.size[i - 1];
        t.size[0] = lead;
        return orr_broadcast(g, a, t);
    }
    case 7: {
        const orr_node parts[] = { a, orr_neg(g, orr_slice(g, a, axis, 0, 1 + below(r, n), 1)), orr_sin(g, a) };
        return orr_concat(g, parts, 1 + (int32_t)below(r, 3), axis);
    }
    default:
        return chance(r, 0.5) ? orr_expand(g, a, (int32_t)below(r, s.rank + 1)) : n == 1 ? orr_squeeze(g, a, axis) : a;
    }
}

/* Axes of equal extents get one label by chance; a random part of all labels stands in the result. */
static orr_node contracted(rg *r, orr_node a, orr_node b) {
    char text[40], *at = text, la[RANK_MAX], lb[RANK_MAX], all[2 * RANK_MAX];
    const orr_shape s = orr_node_shape(r->g, a), t = orr_node_shape(r->g, b);
    int64_t extent[2 * RANK_MAX], count = 1, terms = 1;
    int n = 0;
    for (int32_t i = 0; i < s.rank; i++) la[i] = all[n] = (char)('a' + n), extent[n++] = s.size[i];
    for (int32_t k = 0; k < t.rank; k++) {
        lb[k] = 0;
        for (int32_t i = 0; i < s.rank && !lb[k]; i++) {
            bool taken = s.size[i] != t.size[k] || chance(r, 0.15);
            for (int32_t m = 0; m < k; m++) taken = taken || lb[m] == la[i];
            if (!taken) lb[k] = la[i];
        }
        if (!lb[k]) lb[k] = all[n] = (char)('a' + n), extent[n++] = t.size[k];
    }
    for (int32_t i = 0; i < s.rank; i++) *at++ = la[i];
    *at++ = ',';
    for (int32_t k = 0; k < t.rank; k++) *at++ = lb[k];
    *at++ = '-', *at++ = '>';
    for (int i = n - 1; i > 0; i--) { /* in random order */
        const int k = (int)below(r, i + 1);
        const char label = all[i];
        const int64_t e = extent[i];
        all[i] = all[k], extent[i] = extent[k];
        all[k] = label, extent[k] = e;
    }
    int kept = 0;
    for (int i = 0; i < n; i++) {
        if (kept < RANK_MAX && count * extent[i] <= COUNT_MAX && chance(r, 0.55))
            *at++ = all[i], count *= extent[i], kept++;
        else terms *= extent[i];
    }
    *at = '\0';
    return orr_scale(r->g, orr_einsum(r->g, text, bounded(r, a), b), 1.0 / sqrt((double)terms));
}

static orr_node convolved(rg *r, orr_node a) {
    orr_graph *g = r->g;
    const int64_t n = count_of(r, a);
    const orr_shape s = orr_node_shape(g, a);
    const int64_t groups = n % 2 == 0 && chance(r, 0.4) ? 2 : 1,
                  c = groups * (n % (2 * groups) == 0 ? 1 + below(r, 2) : 1);
    orr_convolution how = { .groups = groups };
    const int64_t d = groups * (1 + below(r, 2));
    for (int i = 0; i < 2; i++) {
        how.stride[i] = 1 + below(r, 2), how.dilation[i] = 1 + below(r, 2);
        how.low[i] = 2 + below(r, 2), how.high[i] = 2 + below(r, 2); /* wide enough for any window of 3 */
    }
    if (n % c) return ORR_NONE;
    if (s.rank >= 2 && s.size[s.rank - 1] > 1 && n / c % s.size[s.rank - 1] == 0 && n / c / s.size[s.rank - 1] <= 12)
        return orr_conv2d(g, orr_reshape(g, bounded(r, a), ORR_SHAPE(1, c, -1, s.size[s.rank - 1])),
                          input(r, ORR_SHAPE(d, c / groups, 1 + below(r, 3), 1 + below(r, 3))), ORR_NONE, how);
    return orr_convolve(g, orr_reshape(g, bounded(r, a), ORR_SHAPE(1, c, -1)),
                        input(r, ORR_SHAPE(d, c / groups, 1 + below(r, 3))), how);
}

static orr_node indexed(rg *r, orr_node a) {
    orr_graph *g = r->g;
    const orr_shape s = orr_node_shape(g, a);
    if (s.rank == 0) return ORR_NONE;
    const int32_t axis = (int32_t)below(r, s.rank);
    if (chance(r, 0.2)) return orr_gather(g, a, orr_argmax(g, numbers(r, ORR_SHAPE(2, s.size[axis]), 0, 1), 1), axis);
    if (chance(r, 0.5)) {
        const orr_shape k = shape_of(r, s.rank < RANK_MAX ? (int32_t)below(r, 3) : 1);
        if (orr_shape_count(&k) * (orr_shape_count(&s) / s.size[axis]) > COUNT_MAX) return ORR_NONE;
        return orr_gather(g, a, held(r, ORR_I32, k, s.size[axis]), axis);
    }
    const int64_t extent = 1 + below(r, 6);
    return orr_scatter_add(g, a, held(r, ORR_I32, ORR_SHAPE(s.size[axis]), extent), axis, extent);
}

static orr_node noisy(rg *r, orr_node a) {
    const orr_node key = held(r, ORR_I32, ORR_SHAPE(4), 1000);
    const orr_shape s = orr_node_shape(r->g, a);
    const int which = (int)below(r, 3);
    const orr_node noise = which == 0   ? orr_random_uniform(r->g, key, r->dtype, s)
                           : which == 1 ? orr_random_sign(r->g, key, r->dtype, s)
                                        : orr_scale(r->g, orr_random_normal(r->g, key, r->dtype, s), 0.3);
    return chance(r, 0.5) ? orr_mul(r->g, a, noise) : orr_add(r->g, a, noise);
}

static orr_node step(rg *r) {
    const orr_node a = pick(r);
    switch (below(r, 16)) {
    case 0:
    case 1:
    case 2: return smooth(r, a);
    case 3:
    case 4:
    case 5: return binary(r, a, partner(r, a));
    case 6: return kinked(r, a);
    case 7:
    case 8: return reduced(r, a);
    case 9:
    case 10:
    case 11: return moved(r, a);
    case 12:
    case 13: return contracted(r, a, chance(r, 0.2) ? a : pick(r));
    case 14: return chance(r, 0.4) ? convolved(r, a) : indexed(r, a);
    default: return chance(r, 0.3) ? noisy(r, a) : indexed(r, a);
    }
}

void random_graph_open(orr_context *ctx, uint64_t seed, int steps, orr_dtype dtype, random_graph *r) {
    memset(r, 0, sizeof *r);
    r->ctx = ctx, r->seed = seed, r->steps = steps, r->dtype = dtype;
    r->dice.state = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    assert_ok(ctx, orr_arena_new(ctx, &r->arena));
    assert_ok(ctx, orr_graph_new(ctx, &r->g));
    const int64_t n = 1 + below(r, 3);
    for (int64_t i = 0; i < n; i++) put(r, input(r, shape_of(r, (int32_t)below(r, 4))));
    for (int i = 0; i < steps; i++) put(r, step(r));
    r->n_y = r->n_pool < GRAPH_OUTPUTS ? r->n_pool : GRAPH_OUTPUTS;
    for (int i = 0; i < r->n_y; i++) {
        r->y[i] = r->pool[r->n_pool - 1 - i];
        const orr_node part =
            orr_mean_all(r->g, orr_add(r->g, r->y[i], orr_scale(r->g, orr_square(r->g, r->y[i]), 0.25)));
        r->loss = i ? orr_add(r->g, r->loss, part) : part;
    }
}

void random_graph_close(random_graph *r) {
    orr_graph_free(r->g);
    orr_arena_free(r->arena);
}

feed random_graph_feed(const random_graph *r) {
    feed in = r->held;
    for (int i = 0; i < r->n_x; i++) feed_add(&in, r->x[i], r->at[i]);
    return in;
}

void random_graph_draw_held(random_graph *r, int32_t i, host *out) { host_draw(&r->dice, out, 0, (double)r->below[i]); }
