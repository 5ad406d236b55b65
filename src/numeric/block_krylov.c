#include "numeric/block_krylov.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/dense.h"
#include "numeric/vector.h"

typedef struct space {
    orr_context *ctx;
    orr_arena *scratch, *pairs;
    const orr_operator *a;
    orr_block_options o;
    int64_t n, m, size, known; /* rows of q; those of them whose product is known */
    double *q, *aq, *t;        /* [basis, n] orthonormal; A q; [basis, basis] */
    double *c, *partial, *u;   /* [basis]; scratch of projections; [m, n] */
    int64_t randoms, products;
} space;

/* v, orthonormal to the rows of q, becomes one of them.  False where nothing is left of it but rounding. */
static bool add(space *s, const double *v) {
    double *row = s->q + s->size * s->n;
    const double before = orr_vector_norm(s->n, v);
    memcpy(row, v, (size_t)s->n * sizeof *row);
    for (int pass = 0; pass < 3; pass++) {
        orr_vector_project_out(orr_context_pool(s->ctx), s->size, s->n, s->q, row, s->c, s->partial);
        const double norm = orr_vector_norm(s->n, row);
        if (!(norm > (pass ? 0.5 : 1e-14 * before))) return false;
        orr_vector_scale(s->n, 1.0 / norm, row);
    }
    s->size++;
    return true;
}

/* The same, with a random vector where v has nothing new. */
static void add_or_random(space *s, const double *v) {
    for (int tries = 0; tries < 3 && !add(s, v); tries++) {
        orr_random_fill_normal(s->o.key, (uint64_t)(s->randoms++ * s->n), s->n, s->u);
        v = s->u;
    }
}

/* Products of the rows that have none, and T with them.  *finite: all were numbers. */
static orr_status multiply(space *s, bool *finite) {
    for (; s->known < s->size; s->known++) {
        const int64_t i = s->known;
        ORR_TRY(s->ctx, s->a->apply(s->a->self, s->q + i * s->n, s->aq + i * s->n));
        s->products++;
        *finite = orr_vector_is_finite(s->n, s->aq + i * s->n);
        if (!*finite) return ORR_OK;
        for (int64_t j = 0; j <= i; j++)
            s->t[i * s->o.basis + j] = orr_vector_dot(s->n, s->q + j * s->n, s->aq + i * s->n);
    }
    return ORR_OK;
}

/* The m best pairs of the space: value, coefficients c[m, size] (in s->pairs). */
static orr_status rayleigh_ritz(space *s, double *value, const double **c) {
    double *t = ORR_NEW(s->pairs, double, s->size * s->size);
    orr_symmetric_eigen e;
    if (!t) return orr_fail(s->ctx, ORR_ENOMEM, "block Krylov: no memory for a space of %lld", (long long)s->size);
    for (int64_t i = 0; i < s->size; i++) memcpy(t + i * s->size, s->t + i * s->o.basis, (size_t)(i + 1) * sizeof *t);
    ORR_TRY(s->ctx, orr_eigen_symmetric_range(s->ctx, s->pairs, s->scratch, s->size, t, s->size - s->m, s->m, &e));
    for (int64_t i = 0; i < s->m; i++) value[i] = e.value[s->m - 1 - i];
    for (int64_t i = 0; i < s->m / 2; i++) /* descending */
        for (int64_t j = 0; j < s->size; j++) {
            double *low = &e.vector[i * s->size + j], *high = &e.vector[(s->m - 1 - i) * s->size + j], keep = *low;
            *low = *high;
            *high = keep;
        }
    *c = e.vector;
    return ORR_OK;
}

/* residual_i = |sum_j c_ij (A q_j - value_i q_j)|; whether those that matter are small. */
static bool measure(space *s, const double *c, const double *value, double *residual) {
    bool good = true;
    for (int64_t i = 0; i < s->m; i++) {
        double *r = s->u, *uq = s->u + s->n;
        orr_vector_combine(orr_context_pool(s->ctx), s->size, s->n, s->aq, c + i * s->size, r);
        orr_vector_combine(orr_context_pool(s->ctx), s->size, s->n, s->q, c + i * s->size, uq);
        orr_vector_axpy(s->n, -value[i], uq, r);
        residual[i] = orr_vector_norm(s->n, r);
        if (i == 0 || value[i] > s->o.above) good = good && residual[i] <= s->o.tolerance * fabs(value[0]);
    }
    return good;
}

/* to <- the combinations c of the rows of from; to and from may be one. */
static void combine(space *s, const double *c, const double *from, double *to) {
    for (int64_t i = 0; i < s->m; i++)
        orr_vector_combine(orr_context_pool(s->ctx), s->size, s->n, from, c + i * s->size, s->u + i * s->n);
    memcpy(to, s->u, (size_t)(s->m * s->n) * sizeof *to);
}

/* The space shrinks to the best m, whose products are known. */
static void restart(space *s, const double *c, const double *value) {
    combine(s, c, s->aq, s->aq);
    combine(s, c, s->q, s->q);
    memset(s->t, 0, (size_t)(s->o.basis * s->o.basis) * sizeof *s->t);
    for (int64_t i = 0; i < s->m; i++) s->t[i * s->o.basis + i] = value[i];
    s->size = s->known = s->m;
}

static orr_status iterate(space *s, double *vector, double *value, double *residual, orr_reason *reason) {
    for (int64_t from = 0;;) {
        const orr_arena_mark mark = orr_arena_here(s->pairs);
        const double *c = NULL;
        bool finite = true;
        ORR_TRY(s->ctx, multiply(s, &finite));
        *reason = ORR_REASON_NONFINITE;
        if (!finite) return ORR_OK;
        ORR_TRY(s->ctx, rayleigh_ritz(s, value, &c));
        const bool good = measure(s, c, value, residual);
        *reason = good || s->size == s->n ? ORR_REASON_CONVERGED : ORR_REASON_LIMIT;
        if (*reason == ORR_REASON_CONVERGED || s->products >= s->o.max_products) {
            combine(s, c, s->q, vector);
            return ORR_OK;
        }
        if (s->size == s->o.basis) {
            restart(s, c, value);
            from = 0;
        }
        orr_arena_rewind(s->pairs, mark);
        const int64_t to = s->size;
        for (int64_t i = from; i < to && s->size < s->o.basis; i++) add_or_random(s, s->aq + i * s->n);
        from = to;
        if (s->size == to) return ORR_OK; /* not even a random vector is new: n is exhausted */
    }
}

static orr_status run(space *s, double *vector, double *value, double *residual, orr_reason *reason) {
    const int64_t b = s->o.basis, spare = s->m > 2 ? s->m : 2;
    s->q = orr_arena_take(s->scratch, b, (size_t)s->n * sizeof(double));
    s->aq = orr_arena_take(s->scratch, b, (size_t)s->n * sizeof(double));
    s->u = orr_arena_take(s->scratch, spare, (size_t)s->n * sizeof(double));
    s->t = ORR_NEW(s->scratch, double, b *b);
    s->c = ORR_NEW(s->scratch, double, b);
    s->partial = ORR_NEW(s->scratch, double, orr_vector_project_scratch(b, s->n));
    if (!s->q || !s->aq || !s->u || !s->t || !s->c || !s->partial)
        return orr_fail(s->ctx, ORR_ENOMEM, "block Krylov: no memory for %lld vectors of %lld", (long long)b,
                        (long long)s->n);
    for (int64_t i = 0; i < s->m; i++) add_or_random(s, vector + i * s->n);
    return iterate(s, vector, value, residual, reason);
}

orr_status orr_eigen_block(orr_context *ctx, orr_arena *scratch, const orr_operator *a,
                           const orr_block_options *options, int64_t m, double *vector, double *value, double *residual,
                           orr_block_pairs *out) {
    space s = { .ctx = ctx, .scratch = scratch, .a = a, .o = *options, .n = a->n, .m = m };
    *out = (orr_block_pairs){ 0, ORR_REASON_NONFINITE };
    if (m < 1 || m > a->n)
        return orr_fail(ctx, ORR_EINPUT, "block Krylov: %lld pairs of an operator of %lld rows", (long long)m,
                        (long long)a->n);
    if (!orr_vector_is_finite(m * a->n, vector))
        return orr_fail(ctx, ORR_EINPUT, "block Krylov: a start vector is no number");
    if (s.o.tolerance == 0.0) s.o.tolerance = 1e-10;
    if (s.o.basis == 0) s.o.basis = 8 * m;
    if (s.o.basis < 2 * m) s.o.basis = 2 * m;
    if (s.o.basis > a->n) s.o.basis = a->n;
    if (s.o.max_products == 0) s.o.max_products = 3000;
    if (!s.o.key.purpose) s.o.key.purpose = ORR_PURPOSE_PROBE;
    const orr_arena_mark mark = orr_arena_here(scratch);
    ORR_TRY(ctx, orr_arena_new(ctx, &s.pairs));
    const orr_status status = run(&s, vector, value, residual, &out->reason);
    out->products = s.products;
    orr_arena_free(s.pairs);
    orr_arena_rewind(scratch, mark);
    return status;
}
