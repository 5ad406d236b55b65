#include "ingredient/initial/initial.h"

#include "base/context.h"
#include "base/random.h"
#include "numeric/dense.h"

#define ORR_INITIAL(name) extern const orr_initial orr_initial_##name;
#include "ingredient/initial/initial.def"
#undef ORR_INITIAL

static const orr_initial *const all[] = {
#define ORR_INITIAL(name) &orr_initial_##name,
#include "ingredient/initial/initial.def"
#undef ORR_INITIAL
};

const orr_initial *orr_initial_at(int i) { return i < (int)(sizeof all / sizeof all[0]) ? all[i] : NULL; }

void orr_initial_normal_tensor(const orr_tensor *t, uint64_t seed, double *w) {
    const int64_t n = orr_shape_count(&t->shape);
    orr_random_fill_normal((orr_key){ .seed = seed, .purpose = orr_purpose_of(t->name) }, 0, n, w);
    for (int64_t i = 0; i < n; i++) w[i] = t->mean + t->deviation * w[i];
}

bool orr_initial_is_map(const orr_tensor *t) { return t->shape.rank >= 2 && t->mean == 0.0; }

/* A = U S V' of normal numbers is as likely as any rotation of it, so U V' is uniform. */
orr_status orr_initial_haar(orr_context *ctx, orr_arena *scratch, int64_t m, int64_t n, uint64_t seed,
                            const char *stream, double *q) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    orr_arena *work = NULL;
    orr_svd svd;
    orr_status status;
    double *a = ORR_NEW(scratch, double, m *n);
    if (!a)
        return orr_fail(ctx, ORR_ENOMEM, "no memory for an orthogonal matrix of %lld x %lld", (long long)m,
                        (long long)n);
    orr_random_fill_normal((orr_key){ .seed = seed, .purpose = orr_purpose_of(stream) }, 0, m * n, a);
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &work));
    ORR_TRY_DONE(ctx, orr_svd_thin(ctx, scratch, work, m, n, a, &svd));
    orr_dense_multiply(m, n, svd.k, svd.u, false, svd.vt, false, q);
done:
    orr_arena_free(work);
    orr_arena_rewind(scratch, mark);
    return status;
}
