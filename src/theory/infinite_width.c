#include "theory/infinite_width.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/context.h"

static int64_t positions_of(const orr_wide_kernels *s) { return s->height * s->width; }
static int64_t pages_of(const orr_wide_kernels *s) { return s->all ? 1 : positions_of(s); }
static int64_t points_of(const orr_wide_kernels *s) { return s->all ? s->inputs * positions_of(s) : s->inputs; }
static int64_t entries_of(const orr_wide_kernels *s) { return pages_of(s) * points_of(s) * points_of(s); }
static int64_t means_of(const orr_wide_kernels *s) { return s->inputs * positions_of(s); }

static orr_status room(orr_context *ctx, orr_arena *arena, orr_wide_kernels *s) {
    s->k = ORR_NEW(arena, double, entries_of(s));
    s->theta = ORR_NEW(arena, double, entries_of(s));
    s->mean = ORR_NEW(arena, double, means_of(s));
    if (s->k && s->theta && s->mean) return ORR_OK;
    return orr_fail(ctx, ORR_ENOMEM, "infinite width: no memory for kernels of %lld inputs with %lld positions",
                    (long long)s->inputs, (long long)positions_of(s));
}

static void copy(const orr_wide_kernels *from, orr_wide_kernels *to) {
    memcpy(to->k, from->k, (size_t)entries_of(from) * sizeof(double));
    memcpy(to->theta, from->theta, (size_t)entries_of(from) * sizeof(double));
    memcpy(to->mean, from->mean, (size_t)means_of(from) * sizeof(double));
    to->height = from->height;
    to->width = from->width;
}

static orr_status copy_new(orr_context *ctx, orr_arena *arena, const orr_wide_kernels *from, orr_wide_kernels *to) {
    *to = *from;
    ORR_TRY(ctx, room(ctx, arena, to));
    copy(from, to);
    return ORR_OK;
}

orr_status orr_wide_start(orr_context *ctx, orr_arena *out_arena, const orr_wide_inputs *in, bool all,
                          orr_wide_kernels *out) {
    *out = (orr_wide_kernels){ .inputs = in->inputs, .height = in->height, .width = in->width, .all = all };
    ORR_TRY(ctx, room(ctx, out_arena, out));
    const int64_t positions = positions_of(out), points = points_of(out);
    for (int64_t page = 0; page < pages_of(out); page++)
        for (int64_t a = 0; a < points; a++)
            for (int64_t b = 0; b < points; b++) {
                const int64_t i = all ? a / positions : a, p = all ? a % positions : page, j = all ? b / positions : b,
                              q = all ? b % positions : page;
                const double *x = in->x + i * in->example + p * in->position,
                             *y = in->x + j * in->example + q * in->position;
                double sum = 0.0;
                for (int64_t c = 0; c < in->channels; c++) sum += x[c * in->channel] * y[c * in->channel];
                out->k[(page * points + a) * points + b] = sum / (double)in->channels;
            }
    return ORR_OK;
}

/* ---- layers that act on each pair of points ------------------------------------------------------------------------ */

static void linear(const orr_wide_map *w, orr_wide_kernels *s) {
    for (int64_t i = 0; i < entries_of(s); i++) {
        s->theta[i] = w->rate * s->k[i] + w->bias_rate + w->variance * s->theta[i];
        s->k[i] = w->variance * s->k[i] + w->bias_variance;
    }
    memset(s->mean, 0, (size_t)means_of(s) * sizeof(double));
}

/* gain: the rate of one that stands before it */
static void activation(const orr_pair_map *phi, double gain, orr_wide_kernels *s) {
    const int64_t n = points_of(s);
    for (int64_t page = 0; page < pages_of(s); page++) {
        double *k = s->k + page * n * n, *theta = s->theta + page * n * n;
        for (int64_t a = 0; a < n; a++) /* above the diagonal, which they all need, first */
            for (int64_t b = a + 1; b < n; b++) {
                const double k11 = k[a * n + a], k12 = k[a * n + b], k22 = k[b * n + b];
                const orr_pair pair = orr_pair_of(phi, k11, k12, k22);
                const double more = gain > 0 ? gain * orr_pair_gain(phi, k11, k12, k22) : 0.0;
                k[a * n + b] = k[b * n + a] = pair.f;
                theta[a * n + b] = theta[b * n + a] = theta[a * n + b] * pair.d + more;
            }
        for (int64_t a = 0; a < n; a++) {
            const double k11 = k[a * n + a];
            const orr_pair pair = orr_pair_same(phi, k11);
            s->mean[page * n + a] = orr_pair_mean(phi, k11);
            k[a * n + a] = pair.f;
            theta[a * n + a] = theta[a * n + a] * pair.d + (gain > 0 ? gain * orr_pair_gain(phi, k11, k11, k11) : 0.0);
        }
    }
}

/* v of each point, which is where `mean` has m; both averaged over positions where the norm is joint. */
static void variances(const orr_wide_layer *layer, orr_wide_kernels *s, double *v) {
    const int64_t n = points_of(s), positions = positions_of(s);
    for (int64_t page = 0; page < pages_of(s); page++)
        for (int64_t a = 0; a < n; a++) v[page * n + a] = s->k[(page * n + a) * n + a];
    for (int64_t i = 0; layer->joint && i < s->inputs; i++) {
        const int64_t first = s->all ? i * positions : i, stride = s->all ? 1 : s->inputs;
        double k = 0.0, m = 0.0;
        for (int64_t p = 0; p < positions; p++) k += v[first + p * stride], m += s->mean[first + p * stride];
        for (int64_t p = 0; p < positions; p++) {
            v[first + p * stride] = k / (double)positions;
            s->mean[first + p * stride] = m / (double)positions;
        }
    }
    for (int64_t i = 0; i < means_of(s); i++) v[i] += layer->epsilon - s->mean[i] * s->mean[i];
}

static orr_status norm(orr_context *ctx, orr_arena *scratch, const orr_wide_layer *layer, orr_wide_kernels *s) {
    const orr_wide_map *w = &layer->map;
    const double gain = layer[1].kind == ORR_WIDE_ACTIVATION ? 0.0 : w->rate;
    const int64_t n = points_of(s);
    double *v = ORR_NEW(scratch, double, means_of(s));
    if (!v) return orr_fail(ctx, ORR_ENOMEM, "infinite width: no memory for a norm");
    variances(layer, s, v);
    for (int64_t page = 0; page < pages_of(s); page++) {
        const double *m = s->mean + page * n, *u = v + page * n;
        for (int64_t a = 0; a < n; a++)
            for (int64_t b = 0; b < n; b++) {
                double *k = &s->k[(page * n + a) * n + b], *theta = &s->theta[(page * n + a) * n + b];
                const double size = sqrt(u[a] * u[b]), hat = (*k - m[a] * m[b]) / size;
                *theta = *theta / size + gain * hat + w->bias_rate;
                *k = hat + w->bias_variance;
            }
    }
    memset(s->mean, 0, (size_t)means_of(s) * sizeof(double));
    return ORR_OK;
}

/* ---- layers that mix positions --------------------------------------------------------------------------------------- */

/* source[p out, delta]: the position that output p sees at delta, -1 for a zero outside. */
static orr_status sources_of(orr_context *ctx, orr_arena *scratch, const orr_wide_window *w, int64_t height,
                             int64_t width, int64_t **out) {
    const int64_t extent[2] = { height, width };
    int64_t *to = *out = ORR_NEW(scratch, int64_t, w->out[0] * w->out[1] * w->kernel[0] * w->kernel[1]);
    if (!to) return orr_fail(ctx, ORR_ENOMEM, "infinite width: no memory for a window");
    for (int64_t p = 0; p < w->out[0] * w->out[1]; p++)
        for (int64_t delta = 0; delta < w->kernel[0] * w->kernel[1]; delta++) {
            int64_t at[2] = { p / w->out[1] * w->stride[0] - w->low[0] + delta / w->kernel[1],
                              p % w->out[1] * w->stride[1] - w->low[1] + delta % w->kernel[1] };
            bool inside = true;
            for (int axis = 0; axis < 2; axis++) {
                if (w->circular) at[axis] = (at[axis] % extent[axis] + extent[axis]) % extent[axis];
                inside = inside && at[axis] >= 0 && at[axis] < extent[axis];
            }
            *to++ = inside ? at[0] * width + at[1] : -1;
        }
    return ORR_OK;
}

/* M[p + delta, q + delta'] averaged over windows of `all` kernels that move together (a convolution) or not (a pool). */
static double over_windows(const double *m, int64_t stride, const int64_t *p, const int64_t *q, int64_t size,
                           bool together) {
    double sum = 0.0;
    for (int64_t d = 0; d < size; d++)
        for (int64_t e = together ? d : 0; e < (together ? d + 1 : size); e++)
            if (p[d] >= 0 && q[e] >= 0) sum += m[p[d] * stride + q[e]];
    return sum / (double)(together ? size : size * size);
}

/* M[p + delta] of kernels of equal positions, `stride` apart. */
static double over_window(const double *m, int64_t stride, const int64_t *p, int64_t size) {
    double sum = 0.0;
    for (int64_t d = 0; d < size; d++)
        if (p[d] >= 0) sum += m[p[d] * stride];
    return sum / (double)size;
}

/* (i, p) x (j, q) of `all` kernels */
static double *block(double *m, int64_t inputs, int64_t positions, int64_t i, int64_t j) {
    return m + i * positions * inputs * positions + j * positions;
}

static orr_status through_windows(orr_context *ctx, orr_arena *scratch, const orr_wide_window *w, bool together,
                                  orr_wide_kernels *s) {
    const int64_t size = w->kernel[0] * w->kernel[1], b = s->inputs, from = positions_of(s), to = w->out[0] * w->out[1];
    int64_t *source;
    orr_wide_kernels out = *s;
    out.height = w->out[0];
    out.width = w->out[1];
    if (!together && !s->all)
        return orr_fail(ctx, ORR_EINPUT, "infinite width: a pool needs the kernels of all pairs of positions");
    ORR_TRY(ctx, room(ctx, scratch, &out));
    ORR_TRY(ctx, sources_of(ctx, scratch, w, s->height, s->width, &source));
    double *const before[2] = { s->k, s->theta }, *const after[2] = { out.k, out.theta };
    for (int which = 0; which < 2; which++)
        for (int64_t i = 0; i < b; i++)
            for (int64_t j = 0; j < b; j++)
                for (int64_t p = 0; p < to; p++) {
                    if (!s->all)
                        after[which][(p * b + i) * b + j] =
                            over_window(before[which] + i * b + j, b * b, &source[p * size], size);
                    for (int64_t q = 0; s->all && q < to; q++)
                        block(after[which], b, to, i, j)[p * b * to + q] =
                            over_windows(block(before[which], b, from, i, j), b * from, &source[p * size],
                                         &source[q * size], size, together);
                }
    /* means: only a pool keeps them, for a convolution's weights have mean 0 */
    for (int64_t i = 0; !together && i < b; i++)
        for (int64_t p = 0; p < to; p++)
            for (int64_t d = 0; d < size; d++)
                if (source[p * size + d] >= 0)
                    out.mean[i * to + p] += s->mean[i * from + source[p * size + d]] / (double)size;
    copy(&out, s);
    return ORR_OK;
}

/* K(x, x')[p, q] averaged over equal positions, or of one position only (position >= 0); one is left. */
static void to_one_position(orr_wide_kernels *s, int64_t position) {
    const int64_t b = s->inputs, n = positions_of(s);
    const int64_t first = position < 0 ? 0 : position, end = position < 0 ? n : position + 1;
    double *const matrix[2] = { s->k, s->theta };
    for (int which = 0; which < 2; which++)
        for (int64_t i = 0; i < b; i++)
            for (int64_t j = 0; j < b; j++) { /* what is written lies before what is read next */
                double sum = 0.0;
                for (int64_t p = first; p < end; p++)
                    sum +=
                        s->all ? block(matrix[which], b, n, i, j)[p * b * n + p] : matrix[which][(p * b + i) * b + j];
                matrix[which][i * b + j] = sum / (double)(end - first);
            }
    for (int64_t i = 0; i < b; i++) {
        double sum = 0.0;
        for (int64_t p = first; p < end; p++) sum += s->mean[s->all ? i * n + p : p * b + i];
        s->mean[i] = sum / (double)(end - first);
    }
    s->height = s->width = 1;
}

/* A vector of each position, N(0, variance), that all inputs share. */
static void add_positions(const orr_wide_map *w, orr_wide_kernels *s) {
    const int64_t n = points_of(s), positions = positions_of(s);
    for (int64_t i = 0; i < entries_of(s); i++)
        if (!s->all || i / n % positions == i % n % positions) {
            s->k[i] += w->variance;
            s->theta[i] += w->rate;
        }
}

/* ---- attention ----------------------------------------------------------------------------------------------------------- */

static double zeta_of(orr_wide_zeta zeta, double x) {
    return zeta == ORR_ZETA_RELU ? fmax(x, 0.0) : zeta == ORR_ZETA_ABS ? fabs(x) : x;
}

/* One row of A = zeta(G), masked. */
static void attend_row(const orr_wide_attention *how, int64_t row, int64_t n, double *g) {
    const int64_t seen = how->causal ? row + 1 : n;
    double peak = g[0], sum = 0.0;
    for (int64_t t = 0; t < seen; t++) peak = fmax(peak, g[t]);
    for (int64_t t = 0; t < n; t++) {
        if (t >= seen) g[t] = 0.0;
        else if (how->zeta == ORR_ZETA_SOFTMAX) g[t] = exp(g[t] - peak);
        else g[t] = zeta_of(how->zeta, g[t]);
        sum += g[t];
    }
    for (int64_t t = 0; how->zeta == ORR_ZETA_SOFTMAX && t < n; t++) g[t] /= sum;
}

/* A(x) for each input, [inputs, T, T] */
static void weights_of(const orr_wide_attention *how, const orr_wide_kernels *s, double *a) {
    const int64_t b = s->inputs, n = positions_of(s);
    for (int64_t i = 0; i < b; i++)
        for (int64_t t = 0; t < n; t++) {
            double *row = a + (i * n + t) * n;
            for (int64_t u = 0; u < n; u++) row[u] = how->score * block(s->k, b, n, i, i)[t * b * n + u];
            attend_row(how, t, n, row);
        }
}

/* M(x, x') <- A(x) M(x, x') A(x')' */
static void mix(const double *a, int64_t b, int64_t n, double *m, double *half) {
    for (int64_t i = 0; i < b; i++)
        for (int64_t j = 0; j < b; j++) {
            double *to = block(m, b, n, i, j);
            for (int64_t t = 0; t < n; t++)
                for (int64_t u = 0; u < n; u++) {
                    half[t * n + u] = 0.0;
                    for (int64_t w = 0; w < n; w++) half[t * n + u] += a[(i * n + t) * n + w] * to[w * b * n + u];
                }
            for (int64_t t = 0; t < n; t++)
                for (int64_t u = 0; u < n; u++) {
                    double sum = 0.0;
                    for (int64_t w = 0; w < n; w++) sum += half[t * n + w] * a[(j * n + u) * n + w];
                    to[t * b * n + u] = sum;
                }
        }
}

static orr_status attend_fixed(orr_context *ctx, orr_arena *scratch, const orr_wide_attention *how,
                               orr_wide_kernels *s) {
    const int64_t b = s->inputs, n = positions_of(s);
    double *a = ORR_NEW(scratch, double, b *n *n), *half = ORR_NEW(scratch, double, n *n);
    if (!a || !half) return orr_fail(ctx, ORR_ENOMEM, "infinite width: no memory for attention");
    weights_of(how, s, a);
    linear(&how->value, s);
    mix(a, b, n, s->k, half);
    mix(a, b, n, s->theta, half);
    linear(&how->output, s);
    return ORR_OK;
}

/* <M, N> over a block */
static double inner(const double *m, const double *n, int64_t stride, int64_t positions) {
    double sum = 0.0;
    for (int64_t t = 0; t < positions; t++)
        for (int64_t u = 0; u < positions; u++) sum += m[t * stride + u] * n[t * stride + u];
    return sum;
}

static orr_status attend_random(orr_context *ctx, orr_arena *scratch, const orr_wide_attention *how,
                                orr_wide_kernels *s) {
    const int64_t b = s->inputs, n = positions_of(s);
    const double c = how->score * how->score;
    orr_wide_kernels key, value;
    if (how->causal || how->zeta != ORR_ZETA_IDENTITY)
        return orr_fail(ctx, ORR_EINPUT,
                        "infinite width: random attention weights have a closed form without mask "
                        "and softmax only");
    ORR_TRY(ctx, copy_new(ctx, scratch, s, &key));
    ORR_TRY(ctx, copy_new(ctx, scratch, s, &value));
    linear(&how->key, &key);
    linear(&how->value, &value);
    linear(&how->query, s);
    for (int64_t i = 0; i < b; i++)
        for (int64_t j = 0; j < b; j++) {
            const double *kk = block(key.k, b, n, i, j), *tk = block(key.theta, b, n, i, j),
                         *kv = block(value.k, b, n, i, j), *tv = block(value.theta, b, n, i, j);
            const double both = c * inner(kk, kv, b * n, n),
                         moved = c * (inner(tk, kv, b * n, n) + inner(kk, tv, b * n, n));
            double *k = block(s->k, b, n, i, j), *theta = block(s->theta, b, n, i, j);
            for (int64_t t = 0; t < n; t++)
                for (int64_t u = 0; u < n; u++) {
                    theta[t * b * n + u] = both * theta[t * b * n + u] + moved * k[t * b * n + u];
                    k[t * b * n + u] *= both;
                }
        }
    linear(&how->output, s);
    return ORR_OK;
}

static orr_status attention(orr_context *ctx, orr_arena *scratch, const orr_wide_attention *how, orr_wide_kernels *s) {
    if (!s->all)
        return orr_fail(ctx, ORR_EINPUT, "infinite width: attention needs the kernels of all pairs of positions");
    return how->random ? attend_random(ctx, scratch, how, s) : attend_fixed(ctx, scratch, how, s);
}

/* ---- a network -------------------------------------------------------------------------------------------------------------- */

static orr_status sum(orr_context *ctx, orr_arena *scratch, const orr_wide_layer *layer, orr_wide_kernels *s) {
    const double a2 = layer->scale * layer->scale;
    orr_wide_kernels branch;
    ORR_TRY(ctx, copy_new(ctx, scratch, s, &branch));
    ORR_TRY(ctx, orr_wide_through(ctx, scratch, layer->branch, &branch));
    if (layer->shortcut) ORR_TRY(ctx, orr_wide_through(ctx, scratch, layer->shortcut, s));
    assert(s->height == branch.height && s->width == branch.width && "branch and shortcut leave the same image");
    for (int64_t i = 0; i < entries_of(s); i++) {
        s->k[i] += a2 * branch.k[i];
        s->theta[i] += a2 * branch.theta[i];
    }
    for (int64_t i = 0; i < means_of(s); i++) s->mean[i] += layer->scale * branch.mean[i];
    return ORR_OK;
}

/* The two halves were summed in different orders. */
static void symmetrise(orr_wide_kernels *s) {
    const int64_t n = points_of(s);
    double *const matrix[2] = { s->k, s->theta };
    for (int which = 0; which < 2; which++)
        for (int64_t page = 0; page < pages_of(s); page++)
            for (int64_t a = 0; a < n; a++)
                for (int64_t b = 0; b < a; b++) {
                    double *x = &matrix[which][(page * n + a) * n + b], *y = &matrix[which][(page * n + b) * n + a];
                    *x = *y = 0.5 * (*x + *y);
                }
}

static orr_status through(orr_context *ctx, orr_arena *scratch, const orr_wide_layer *layer, bool first,
                          orr_wide_kernels *s) {
    const double gain = !first && layer[-1].kind == ORR_WIDE_NORM ? layer[-1].map.rate : 0.0;
    switch (layer->kind) {
    case ORR_WIDE_END: break;
    case ORR_WIDE_LINEAR: linear(&layer->map, s); break;
    case ORR_WIDE_CONVOLUTION:
        ORR_TRY(ctx, through_windows(ctx, scratch, &layer->window, true, s));
        linear(&layer->map, s);
        break;
    case ORR_WIDE_ACTIVATION: activation(layer->phi, gain, s); break;
    case ORR_WIDE_NORM: return norm(ctx, scratch, layer, s);
    case ORR_WIDE_SUM: return sum(ctx, scratch, layer, s);
    case ORR_WIDE_POOL: return through_windows(ctx, scratch, &layer->window, false, s);
    case ORR_WIDE_SELECT: to_one_position(s, layer->position); break;
    case ORR_WIDE_FLATTEN: to_one_position(s, -1); break;
    case ORR_WIDE_POSITION: add_positions(&layer->map, s); break;
    case ORR_WIDE_ATTENTION: return attention(ctx, scratch, &layer->attention, s);
    }
    return ORR_OK;
}

orr_status orr_wide_through(orr_context *ctx, orr_arena *scratch, const orr_wide_layer *layers, orr_wide_kernels *io) {
    for (const orr_wide_layer *layer = layers; layer->kind != ORR_WIDE_END; layer++) {
        const orr_arena_mark mark = orr_arena_here(scratch);
        const orr_status status = through(ctx, scratch, layer, layer == layers, io);
        orr_arena_rewind(scratch, mark);
        if (status != ORR_OK) return status;
        symmetrise(io);
    }
    return ORR_OK;
}
