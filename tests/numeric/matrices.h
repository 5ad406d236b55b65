/* Matrices that a test and make_goldens.py build alike, to the bit: whole numbers, then one division.
 * ORDER matrices: make_goldens.py */
#ifndef ORR_TESTS_NUMERIC_MATRICES_H
#define ORR_TESTS_NUMERIC_MATRICES_H

#include "failing.h"
#include "numeric/operator.h"
#include "testing.h"

/* A number in [-0.5, 0.5), different for each (seed, i, j) up to chance. */
static inline double scattered(int64_t seed, int64_t i, int64_t j) {
    return (double)((i * 7919 + j * 104729 + i * j * 1299709 + i * i * j * 611953 + seed * 15485863) % 32452843) /
               32452843 -
           0.5;
}

static inline void fill_general(int64_t seed, int64_t m, int64_t n, double *a) {
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) a[i * n + j] = scattered(seed, i, j);
}

static inline void fill_symmetric(int64_t seed, int64_t n, double *a) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) a[i * n + j] = i < j ? scattered(seed, i, j) : scattered(seed, j, i);
}

/* B B' + I / 4. */
static inline void fill_positive(int64_t seed, int64_t n, double *a) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            a[i * n + j] = i == j ? 0.25 : 0;
            for (int64_t k = 0; k < n; k++) a[i * n + j] += scattered(seed, i, k) * scattered(seed, j, k);
        }
}

/* A dense matrix as an operator that can break at a given product. */
typedef struct dense_operator {
    int64_t n;
    const double *a;
    int64_t products, nan_at, fail_at; /* counted from 1; 0: never */
    orr_context *ctx;
} dense_operator;

static inline orr_status dense_apply(void *self, const double *v, double *out) {
    dense_operator *d = self;
    d->products++;
    if (d->products == d->fail_at) return orr_fail(d->ctx, ORR_EINTERRUPTED, "operator: stopped on request");
    for (int64_t i = 0; i < d->n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < d->n; j++) sum += d->a[i * d->n + j] * v[j];
        out[i] = sum;
    }
    if (d->products == d->nan_at) out[d->n / 2] = (double)NAN;
    return ORR_OK;
}

static inline orr_operator operator_of(dense_operator *d) {
    return (orr_operator){ .n = d->n, .apply = dense_apply, .self = d };
}

/* n -> diagonal entry. */
typedef struct diagonal_operator {
    int64_t n;
    double (*entry)(int64_t i, int64_t n);
} diagonal_operator;

static inline orr_status diagonal_apply(void *self, const double *v, double *out) {
    const diagonal_operator *d = self;
    for (int64_t i = 0; i < d->n; i++) out[i] = d->entry(i, d->n) * v[i];
    return ORR_OK;
}

static inline orr_operator diagonal_of(diagonal_operator *d) {
    return (orr_operator){ .n = d->n, .apply = diagonal_apply, .self = d };
}

/* Two arenas for the length of a test. */
typedef struct arenas {
    orr_arena *out, *scratch;
} arenas;

static inline arenas arenas_new(orr_context *ctx) {
    arenas a;
    assert_ok(ctx, orr_arena_new(ctx, &a.out));
    assert_ok(ctx, orr_arena_new(ctx, &a.scratch));
    return a;
}

static inline void arenas_free(arenas a) {
    if (orr_arena_used(a.scratch)) fail_msg("scratch wasn't rewound: %zu bytes", orr_arena_used(a.scratch));
    orr_arena_free(a.out);
    orr_arena_free(a.scratch);
}

/* A computation between two arenas, for fail_each_allocation. */
typedef orr_status computation(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch);

static inline orr_status compute_between_arenas(orr_context *ctx, void *arg) {
    computation *const compute = *(computation **)arg;
    orr_arena *out_arena = NULL, *scratch = NULL;
    orr_status status;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &out_arena));
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &scratch));
    ORR_TRY_DONE(ctx, compute(ctx, out_arena, scratch));
done:
    if (scratch && orr_arena_used(scratch)) fail_msg("scratch wasn't rewound: %zu bytes", orr_arena_used(scratch));
    orr_arena_free(scratch);
    orr_arena_free(out_arena);
    return status;
}

/* More than the five allocations of a context and two arenas, and each of them may fail. */
static inline void assert_each_allocation_may_fail(computation *compute) {
    assert_true(fail_each_allocation(compute_between_arenas, &compute) > 5);
}

/* The call ends with the status, and its message holds the words; both are cleared. */
#define assert_refused(ctx, call, expected, words)                                                                     \
    do {                                                                                                               \
        const orr_status got_ = (call);                                                                                \
        if (got_ != (expected) || !strstr(orr_context_message(ctx), words))                                            \
            fail_msg("%s: got %s '%s', expected %s '%s'", #call, orr_status_name(got_), orr_context_message(ctx),      \
                     orr_status_name(expected), words);                                                                \
        orr_context_clear(ctx);                                                                                        \
    } while (0)

#endif
