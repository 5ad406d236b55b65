#include "theory/conservation.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/random.h"
#include "numeric/dense.h"

/* ---- which ---------------------------------------------------------------------------------------------------------------- */

typedef struct search {
    orr_arena *arena;
    int64_t n_tensors, heads;
    const char *const *name;
    const orr_shape *shape;
    const int64_t *offset;
    orr_balances *out;
} search;

static bool is_matrix(const search *s, int64_t t) { return s->shape[t].rank == 2 && s->shape[t].size[0] > 0; }

/* Whether two names differ in their last words alone, and those of `name` are "what": "block1.key.weight" and "key.weight". */
static bool is_beside(const char *name, const char *other, const char *from, const char *what) {
    const size_t n = strlen(name), m = strlen(other), tail = strlen(from), new_tail = strlen(what);
    return m >= tail && n >= new_tail && n - new_tail == m - tail && strncmp(name, other, m - tail) == 0 &&
           strcmp(other + m - tail, from) == 0 && strcmp(name + n - new_tail, what) == 0;
}

static int64_t find_beside(const search *s, int64_t t, const char *from, const char *what) {
    for (int64_t i = 0; i < s->n_tensors; i++)
        if (is_beside(s->name[i], s->name[t], from, what)) return i;
    return -1;
}

static bool in_block(const search *s, int64_t t) { return strncmp(s->name[t], "block", 5) == 0; }

static int64_t offset_of(const search *s, int64_t t) { return t < 0 ? -1 : s->offset[t]; }

/* Rows first .. of a matrix [., columns] as a block, and columns first .. of one, transposed. */
static orr_block rows_of(const search *s, int64_t t, int64_t first) {
    const int64_t columns = s->shape[t].size[1];
    return (orr_block){ s->offset[t] + first * columns, columns, 1, columns };
}
static orr_block columns_of(const search *s, int64_t t, int64_t first) {
    return (orr_block){ s->offset[t] + first, 1, s->shape[t].size[1], s->shape[t].size[0] };
}

static void keep(const search *s, orr_balance b, int64_t lower, int64_t head, int64_t heads) {
    b.degree = 1.0;
    b.name = heads == 1 ? s->name[lower] : orr_arena_format(s->arena, "%s.%lld", s->name[lower], (long long)head + 1);
    s->out->item[s->out->n++] = b;
}

/* W_1 = lower and W_2 = upper, cut into heads. */
static void keep_pair(const search *s, orr_balance_kind kind, int64_t lower, int64_t bias, int64_t upper,
                      int64_t heads) {
    const int64_t h = s->shape[lower].size[0] / heads;
    for (int64_t head = 0; head < heads; head++)
        keep(s,
             (orr_balance){ .kind = kind,
                            .h = h,
                            .plus = columns_of(s, upper, head * h),
                            .minus = rows_of(s, lower, head * h),
                            .plus_bias = -1,
                            .minus_bias = bias < 0 ? -1 : s->offset[bias] + head * h },
             lower, head, heads);
}

static void find_in_block(const search *s, int64_t lower) {
    const int64_t query = find_beside(s, lower, "key.weight", "query.weight"),
                  output = find_beside(s, lower, "value.weight", "output.weight"),
                  mlp2 = find_beside(s, lower, "mlp1.weight", "mlp2.weight");
    const int64_t heads = s->heads > 0 && s->shape[lower].size[0] % s->heads == 0 ? s->heads : 1,
                  h = s->shape[lower].size[0] / heads;
    if (output >= 0)
        keep_pair(s, ORR_BALANCE_VALUE, lower, find_beside(s, lower, "value.weight", "value.bias"), output, heads);
    if (mlp2 >= 0)
        keep_pair(s, ORR_BALANCE_PERCEPTRON, lower, find_beside(s, lower, "mlp1.weight", "mlp1.bias"), mlp2, 1);
    if (query < 0) return;
    const int64_t own = offset_of(s, find_beside(s, lower, "key.weight", "key.bias")),
                  others = offset_of(s, find_beside(s, lower, "key.weight", "query.bias"));
    for (int64_t head = 0; head < heads; head++)
        keep(s,
             (orr_balance){ .kind = ORR_BALANCE_QUERY_KEY,
                            .h = h,
                            .plus = rows_of(s, query, head * h),
                            .minus = rows_of(s, lower, head * h),
                            .plus_bias = others < 0 ? -1 : others + head * h,
                            .minus_bias = own < 0 ? -1 : own + head * h },
             lower, head, heads);
}

/* A norm's gain is as long as a bias, and makes another law: "layer1.bias" belongs to "layer1.weight". */
static bool is_bias_of(const char *name, const char *matrix) {
    const char *dot = strrchr(name, '.'), *other = strrchr(matrix, '.');
    return dot && other && strcmp(dot, ".bias") == 0 && dot - name == other - matrix &&
           strncmp(name, matrix, (size_t)(dot - name)) == 0;
}

static void find_in_chain(const search *s, int64_t lower) {
    int64_t upper = lower + 1;
    while (upper < s->n_tensors && s->shape[upper].rank == 1) upper++;
    if (upper == s->n_tensors || !is_matrix(s, upper) || in_block(s, upper)) return;
    const int64_t h = s->shape[lower].size[0], between = upper - lower - 1;
    if (s->shape[upper].size[1] != h || between > 1) return;
    if (between == 1 && (!is_bias_of(s->name[lower + 1], s->name[lower]) || s->shape[lower + 1].size[0] != h)) return;
    keep_pair(s, ORR_BALANCE_CHAIN, lower, between ? lower + 1 : -1, upper, 1);
}

orr_status orr_balances_find(orr_context *ctx, orr_arena *out_arena, int64_t n_tensors, const char *const *name,
                             const orr_shape *shape, int64_t heads, orr_balances *out) {
    int64_t *offset = ORR_NEW(out_arena, int64_t, n_tensors + 1);
    *out = (orr_balances){ 0, ORR_NEW(out_arena, orr_balance, n_tensors * (heads > 0 ? heads : 1)) };
    if (!offset || !out->item)
        return orr_fail(ctx, ORR_ENOMEM, "balances: no memory for %lld tensors", (long long)n_tensors);
    for (int64_t t = 0; t < n_tensors; t++) offset[t + 1] = offset[t] + orr_shape_count(&shape[t]);
    const search s = { out_arena, n_tensors, heads, name, shape, offset, out };
    for (int64_t t = 0; t < n_tensors; t++)
        if (is_matrix(&s, t)) (in_block(&s, t) ? find_in_block : find_in_chain)(&s, t);
    for (int64_t i = 0; i < out->n; i++)
        if (!out->item[i].name) return orr_fail(ctx, ORR_ENOMEM, "balances: no memory for their names");
    return ORR_OK;
}

/* ---- their values ---------------------------------------------------------------------------------------------------------- */

static void gather(const orr_block *b, int64_t h, const double *w, double *a) {
    for (int64_t i = 0; i < h; i++)
        for (int64_t j = 0; j < b->columns; j++) a[i * b->columns + j] = w[b->offset + i * b->row + j * b->column];
}

static void add_bias(int64_t h, double factor, const double *w, int64_t offset, double *q) {
    for (int64_t i = 0; offset >= 0 && i < h * h; i++) q[i] += factor * w[offset + i / h] * w[offset + i % h];
}

orr_status orr_balance_form(orr_context *ctx, orr_arena *scratch, const orr_balance *b, const double *w, double *q) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    const int64_t h = b->h, widest = b->plus.columns > b->minus.columns ? b->plus.columns : b->minus.columns;
    double *a = ORR_NEW(scratch, double, h *widest), *term = ORR_NEW(scratch, double, h *h);
    if (!a || !term) return orr_fail(ctx, ORR_ENOMEM, "balances: no memory for %lld units", (long long)h);
    gather(&b->plus, h, w, a);
    orr_dense_multiply(h, h, b->plus.columns, a, false, a, true, q);
    gather(&b->minus, h, w, a);
    orr_dense_multiply(h, h, b->minus.columns, a, false, a, true, term);
    for (int64_t i = 0; i < h * h; i++) q[i] -= term[i] / b->degree;
    add_bias(h, 1.0, w, b->plus_bias, q);
    add_bias(h, -1.0 / b->degree, w, b->minus_bias, q);
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}

void orr_balance_distance(int64_t h, const double *q, const double *other, double *whole, double *diagonal) {
    *whole = *diagonal = 0.0;
    for (int64_t i = 0; i < h * h; i++) {
        const double d = fabs(q[i] - (other ? other[i] : 0.0));
        *whole += d * d;
        if (i % (h + 1) == 0 && !(d <= *diagonal)) *diagonal = d;
    }
    *whole = sqrt(*whole);
}

orr_status orr_balance_drift(orr_context *ctx, orr_arena *scratch, const orr_landscape *landscape,
                             const orr_balances *balances, double time, int64_t steps, double *w,
                             double *const *drift) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    const double dt = time / (double)steps;
    int64_t h = 0;
    for (int64_t i = 0; i < balances->n; i++) {
        const int64_t own = balances->item[i].h;
        h = own > h ? own : h;
        memset(drift[i], 0, (size_t)(own * own) * sizeof *drift[i]);
    }
    double *g = ORR_NEW(scratch, double, landscape->n), *q = ORR_NEW(scratch, double, h *h), loss;
    if (!g || !q) return orr_fail(ctx, ORR_ENOMEM, "balances: no memory for %lld parameters", (long long)landscape->n);
    for (int64_t step = 0; step < steps; step++) {
        ORR_TRY(ctx, landscape->gradient(landscape->self, w, &loss, g));
        for (int64_t b = 0; b < balances->n; b++) {
            const int64_t n = balances->item[b].h * balances->item[b].h;
            ORR_TRY(ctx, orr_balance_form(ctx, scratch, &balances->item[b], g, q));
            for (int64_t i = 0; i < n; i++) drift[b][i] += dt * q[i];
        }
        for (int64_t i = 0; i < landscape->n; i++) w[i] -= dt * g[i];
    }
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}

/* ---- scale ----------------------------------------------------------------------------------------------------------------- */

double orr_scale_equilibrium(double learning_rate, double decay, double noise) {
    const double lost = learning_rate * decay; /* 1 - (1 - x)^2 = x (2 - x) */
    return learning_rate * learning_rate * noise / (lost * (2.0 - lost));
}

double orr_scale_rotation(double learning_rate, double decay) { return sqrt(2.0 * learning_rate * decay); }

double orr_fitted_power(int64_t n, const double *x, const double *y) {
    double mean_x = 0.0, mean_y = 0.0, xy = 0.0, xx = 0.0;
    for (int64_t i = 0; i < n; i++) {
        if (!(x[i] > 0.0 && y[i] > 0.0)) return (double)NAN;
        mean_x += log(x[i]) / (double)n;
        mean_y += log(y[i]) / (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        xy += (log(x[i]) - mean_x) * (log(y[i]) - mean_y);
        xx += (log(x[i]) - mean_x) * (log(x[i]) - mean_x);
    }
    return n < 2 ? (double)NAN : xy / xx;
}

/* ---- how many -------------------------------------------------------------------------------------------------------------- */

enum { COUNT_MAX = 64 };
static const double negligible = 1e-8; /* of a candidate of norm 1, and of the largest singular value */

/* Matrices [d, d] that are orthonormal in Frobenius' product. */
typedef struct closure {
    int64_t d, n, room;
    double *member; /* [n, d, d] */
} closure;

static double dot(int64_t n, const double *a, const double *b) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* Adds what of the candidate no member has: normalised first, Gram-Schmidt twice. */
static void add_member(closure *c, double *candidate) {
    const int64_t n = c->d * c->d;
    double length = sqrt(dot(n, candidate, candidate));
    if (!(length > 0.0) || c->n == c->room) return;
    for (int64_t i = 0; i < n; i++) candidate[i] /= length;
    for (int64_t pass = 0; pass < 2 * c->n; pass++) {
        const double *m = c->member + pass % c->n * n, along = dot(n, candidate, m);
        for (int64_t i = 0; i < n; i++) candidate[i] -= along * m[i];
    }
    length = sqrt(dot(n, candidate, candidate));
    if (length < negligible) return;
    for (int64_t i = 0; i < n; i++) c->member[c->n * n + i] = candidate[i] / length;
    c->n++;
}

static void bracket(int64_t d, const double *a, const double *b, double *work, double *out) {
    orr_dense_multiply(d, d, d, a, false, b, false, out);
    orr_dense_multiply(d, d, d, b, false, a, false, work);
    for (int64_t i = 0; i < d * d; i++) out[i] -= work[i];
}

/* The rank of { M theta } over n matrices. */
static orr_status rank_of(orr_context *ctx, orr_arena *scratch, int64_t d, int64_t n, const double *matrix,
                          const double *theta, int64_t *rank) {
    double *field = ORR_NEW(scratch, double, n *d);
    orr_arena *work;
    orr_svd svd;
    if (!field) return orr_fail(ctx, ORR_ENOMEM, "conserved count: no memory for %lld fields", (long long)n);
    orr_dense_multiply(n * d, 1, d, matrix, false, theta, false, field);
    ORR_TRY(ctx, orr_arena_new(ctx, &work));
    const orr_status status = orr_svd_thin(ctx, scratch, work, n, d, field, &svd);
    orr_arena_free(work);
    ORR_TRY(ctx, status);
    for (*rank = 0; *rank < svd.k && svd.s[*rank] > negligible * svd.s[0];) ++*rank;
    return ORR_OK;
}

orr_status orr_conserved_count_of(orr_context *ctx, orr_arena *scratch, int64_t d, int64_t n_generators,
                                  const double *generator, orr_conserved_count *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    const int64_t n = d * d;
    if (d < 1 || d > COUNT_MAX)
        return orr_fail(ctx, ORR_EINPUT, "conserved count: expected 1 to %d parameters, got %lld", COUNT_MAX,
                        (long long)d);
    closure c = { d, 0, n, ORR_NEW(scratch, double, n *n) };
    double *candidate = ORR_NEW(scratch, double, 2 * n), *theta = ORR_NEW(scratch, double, d);
    if (!c.member || !candidate || !theta)
        return orr_fail(ctx, ORR_ENOMEM, "conserved count: no memory for %lld parameters", (long long)d);
    for (int64_t a = 0; a < n_generators; a++) {
        memcpy(candidate, generator + a * n, (size_t)n * sizeof *candidate);
        add_member(&c, candidate);
    }
    for (int64_t m = 0; m < c.n; m++) /* members that come in are visited too */
        for (int64_t a = 0; a < n_generators; a++) {
            bracket(d, c.member + m * n, generator + a * n, candidate + n, candidate);
            add_member(&c, candidate);
        }
    orr_random_fill_normal((orr_key){ 1, ORR_PURPOSE_PROBE, 0 }, 0, d, theta);
    ORR_TRY(ctx, rank_of(ctx, scratch, d, c.n, c.member, theta, &out->rank));
    ORR_TRY(ctx, rank_of(ctx, scratch, d, n_generators, generator, theta, &out->generators_rank));
    out->algebra = c.n;
    out->count = d - out->rank;
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}

/* phi = sum_k U_ik V_jk: grad phi = A theta with ones where U_ik meets V_jk; relu: a phi for each k. */
orr_status orr_conserved_count_product(orr_context *ctx, orr_arena *scratch, int64_t n, int64_t m, int64_t r, bool relu,
                                       orr_conserved_count *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    const int64_t d = (n + m) * r, generators = n * m * (relu ? r : 1);
    double *a = ORR_NEW(scratch, double, generators *d *d);
    if (!a) return orr_fail(ctx, ORR_ENOMEM, "conserved count: no memory for %lld parameters", (long long)d);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++)
            for (int64_t k = 0; k < r; k++) {
                double *own = a + ((i * m + j) * (relu ? r : 1) + (relu ? k : 0)) * d * d;
                const int64_t u = i * r + k, v = (n + j) * r + k;
                own[u * d + v] = own[v * d + u] = 1.0;
            }
    ORR_TRY(ctx, orr_conserved_count_of(ctx, scratch, d, generators, a, out));
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}

int64_t orr_conserved_closed_form(int64_t n, int64_t m, int64_t r, bool relu) {
    if (relu) return r;
    return r <= n + m ? r * (r + 1) / 2 : (n + m) * r - (n + m) * (n + m - 1) / 2;
}
