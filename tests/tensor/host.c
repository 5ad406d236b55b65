#include "tensor/host.h"

host host_new(orr_arena *arena, orr_dtype dtype, orr_shape shape) {
    host h = { .type = { .dtype = dtype, .shape = shape }, .n = orr_shape_count(&shape) };
    h.v = ORR_NEW(arena, double, h.n);
    assert_non_null(h.v);
    return h;
}

host host_batch(orr_arena *arena, const orr_type *type, int64_t n) {
    orr_shape shape = { .rank = type->shape.rank + 1, .size = { n } };
    for (int32_t i = 0; i < type->shape.rank; i++) shape.size[i + 1] = type->shape.size[i];
    return host_new(arena, type->dtype, shape);
}

host host_entry(const host *batch, int64_t b) {
    host h = { .type = { .dtype = batch->type.dtype, .shape = { .rank = batch->type.shape.rank - 1 } } };
    for (int32_t i = 0; i < h.type.shape.rank; i++) h.type.shape.size[i] = batch->type.shape.size[i + 1];
    h.n = orr_shape_count(&h.type.shape);
    h.v = batch->v + b * h.n;
    return h;
}

host host_like(orr_arena *arena, const orr_graph *g, orr_node node) {
    return host_new(arena, orr_node_dtype(g, node), orr_node_shape(g, node));
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t dice_bits(dice *d) {
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double dice_uniform(dice *d, double low, double high) {
    return low + (high - low) * ((double)(dice_bits(d) >> 11) * 0x1p-53);
}

int64_t dice_below(dice *d, int64_t n) { return (int64_t)(dice_bits(d) % (uint64_t)n); }

void host_draw(dice *d, host *h, double low, double high) {
    for (int64_t i = 0; i < h->n; i++) {
        const double u = dice_uniform(d, low, high);
        switch (h->type.dtype) {
        case ORR_F32: h->v[i] = (double)(float)u; break;
        case ORR_F64: h->v[i] = u; break;
        case ORR_I32: h->v[i] = floor(u); break;
        case ORR_BOOL: h->v[i] = (double)(dice_bits(d) & 1); break;
        }
    }
}

static bool crowded(double u, double apart, const host *all, int n_all, const host *h, int64_t n) {
    if (fabs(2 * u - round(2 * u)) < 2 * apart) return true;
    for (int k = 0; k < n_all; k++)
        for (int64_t i = 0; i < all[k].n; i++)
            if (fabs(all[k].v[i] - u) < apart) return true;
    for (int64_t i = 0; i < n; i++)
        if (fabs(h->v[i] - u) < apart) return true;
    return false;
}

void host_draw_apart(dice *d, host *h, double low, double high, double apart, host *all, int n_all) {
    for (int64_t i = 0; i < h->n; i++) {
        int tries = 0;
        do {
            if (++tries > 10000) fail_msg("no room for %lld numbers in [%g, %g]", (long long)h->n, low, high);
            h->v[i] = dice_uniform(d, low, high);
        } while (crowded(h->v[i], apart, all, n_all, h, i));
    }
}

/* ---- programs -------------------------------------------------------------------------------------------------------- */

orr_program *program_of(orr_context *ctx, const orr_graph *g, const char *device, const orr_node *outputs, int32_t n) {
    orr_program *p = NULL;
    const orr_compile_options options = { .outputs = outputs, .n_outputs = n, .device = device };
    assert_ok(ctx, orr_compile(ctx, g, &options, &p));
    return p;
}

void program_put(orr_program *p, orr_node input, const host *h) {
    void *data = orr_program_data(p, input);
    if (!data) return;
    for (int64_t i = 0; i < h->n; i++) switch (h->type.dtype) {
        case ORR_F32: ((float *)data)[i] = (float)h->v[i]; break;
        case ORR_F64: ((double *)data)[i] = h->v[i]; break;
        case ORR_I32: ((int32_t *)data)[i] = (int32_t)h->v[i]; break;
        case ORR_BOOL: ((bool *)data)[i] = h->v[i] != 0; break;
        }
}

void program_get(orr_program *p, orr_node node, host *h) {
    const void *data = orr_program_data(p, node);
    if (h->n) assert_non_null(data);
    for (int64_t i = 0; i < h->n; i++) switch (h->type.dtype) {
        case ORR_F32: h->v[i] = (double)((const float *)data)[i]; break;
        case ORR_F64: h->v[i] = ((const double *)data)[i]; break;
        case ORR_I32: h->v[i] = (double)((const int32_t *)data)[i]; break;
        case ORR_BOOL: h->v[i] = (double)((const unsigned char *)data)[i]; break; /* 0 or 1, or a mistake that shows */
        }
}

void program_go(orr_context *ctx, orr_program *p) { assert_ok(ctx, orr_program_run(p)); }

void feed_add(feed *f, orr_node node, host value) {
    assert_true(f->n < (int32_t)(sizeof f->node / sizeof *f->node));
    f->node[f->n] = node;
    f->value[f->n++] = value;
}

void evaluate(orr_context *ctx, const orr_graph *g, const char *device, const feed *in, const orr_node *outputs,
              int32_t n, host *results) {
    orr_program *p = program_of(ctx, g, device, outputs, n);
    for (int32_t i = 0; i < in->n; i++) program_put(p, in->node[i], &in->value[i]);
    program_go(ctx, p);
    for (int32_t i = 0; i < n; i++) program_get(p, outputs[i], &results[i]);
    orr_program_free(p);
}

/* ---- comparison ------------------------------------------------------------------------------------------------------- */

static double apart(double a, double b) {
    if (a == b || (isnan(a) && isnan(b))) return 0.0;
    return isfinite(a) && isfinite(b) ? fabs(a - b) : (double)INFINITY;
}

double host_distance(const host *a, const host *b, int64_t *at) {
    double worst = 0.0;
    assert_int_equal(a->n, b->n);
    *at = 0;
    for (int64_t i = 0; i < a->n; i++)
        if (apart(a->v[i], b->v[i]) > worst) {
            worst = apart(a->v[i], b->v[i]);
            *at = i;
        }
    return worst;
}

double host_largest(const host *a) {
    double largest = 0.0;
    for (int64_t i = 0; i < a->n; i++) largest = fmax(largest, fabs(a->v[i]));
    return largest;
}

/* NaNs count as equal whatever their payload: C doesn't say which of two NaNs a sum passes on. */
static bool same_bits(double a, double b) { return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0; }

bool host_same_bits(const host *a, const host *b) {
    for (int64_t i = 0; i < a->n; i++)
        if (!same_bits(a->v[i], b->v[i])) return false;
    return true;
}

void assert_same_bits(const char *what, const host *got, const host *expected) {
    assert_int_equal(got->n, expected->n);
    for (int64_t i = 0; i < got->n; i++)
        if (!same_bits(got->v[i], expected->v[i]))
            fail_msg("%s: element %lld of %lld: got %.17g, expected the bits of %.17g", what, (long long)i,
                     (long long)got->n, got->v[i], expected->v[i]);
}

void assert_near(const char *what, const host *got, const host *expected, double limit) {
    int64_t at;
    const double worst = host_distance(got, expected, &at);
    if (!(worst <= limit))
        fail_msg("%s: element %lld of %lld: got %.17g, expected %.17g, differs by %.3g, limit %.3g", what,
                 (long long)at, (long long)got->n, got->v[at], expected->v[at], worst, limit);
}

void assert_within(const char *what, const host *got, const host *expected, const double *limit) {
    assert_int_equal(got->n, expected->n);
    for (int64_t i = 0; i < got->n; i++)
        if (!(apart(got->v[i], expected->v[i]) <= limit[i]))
            fail_msg("%s: element %lld of %lld: got %.17g, expected %.17g, differs by %.3g, limit %.3g", what,
                     (long long)i, (long long)got->n, got->v[i], expected->v[i], got->v[i] - expected->v[i], limit[i]);
}

double unit_of(orr_dtype dtype) { return dtype == ORR_F64 ? 0x1p-53 : dtype == ORR_F32 ? 0x1p-24 : 0.0; }
