#include "theory/committee.h"

#include <math.h>

#include "base/context.h"
#include "numeric/ode.h"

static const double two_over_pi = 0.63661977236758134308;

static double asin_of(double x) { return asin(x > 1.0 ? 1.0 : x < -1.0 ? -1.0 : x); } /* rounding may pass 1 */

double orr_committee_i2(const double *c, int64_t n, int64_t a, int64_t b) {
    return two_over_pi * asin_of(c[a * n + b] / sqrt((1.0 + c[a * n + a]) * (1.0 + c[b * n + b])));
}

double orr_committee_i3(const double *c, int64_t n, int64_t a, int64_t b, int64_t d) {
    const double aa = 1.0 + c[a * n + a], ab = c[a * n + b], ad = c[a * n + d], bd = c[b * n + d];
    const double l3 = aa * (1.0 + c[d * n + d]) - ad * ad;
    return two_over_pi * (bd * aa - ab * ad) / (aa * sqrt(l3));
}

/* L4 = (1 + C_aa)(1 + C_bb) - C_ab^2 */
static double l4_of(const double *c, int64_t n, int64_t a, int64_t b) {
    return (1.0 + c[a * n + a]) * (1.0 + c[b * n + b]) - c[a * n + b] * c[a * n + b];
}

double orr_committee_j2(const double *c, int64_t n, int64_t a, int64_t b) {
    return two_over_pi / sqrt(l4_of(c, n, a, b));
}

/* L4 (1 + C_dd) - C_bd^2 (1 + C_aa) - C_ad^2 (1 + C_bb) + 2 C_ab C_ad C_bd: L1 of the sheet; L2 with e for d. */
static double l1_of(const double *c, int64_t n, int64_t a, int64_t b, int64_t d) {
    const double ab = c[a * n + b], ad = c[a * n + d], bd = c[b * n + d];
    return l4_of(c, n, a, b) * (1.0 + c[d * n + d]) - bd * bd * (1.0 + c[a * n + a]) - ad * ad * (1.0 + c[b * n + b]) +
           2.0 * ab * ad * bd;
}

double orr_committee_i4(const double *c, int64_t n, int64_t a, int64_t b, int64_t d, int64_t e) {
    const double l4 = l4_of(c, n, a, b), ab = c[a * n + b];
    const double ad = c[a * n + d], ae = c[a * n + e], bd = c[b * n + d], be = c[b * n + e];
    const double l0 = l4 * c[d * n + e] - bd * be * (1.0 + c[a * n + a]) - ad * ae * (1.0 + c[b * n + b]) +
                      ab * ad * be + ab * ae * bd;
    return two_over_pi * two_over_pi * asin_of(l0 / sqrt(l1_of(c, n, a, b, d) * l1_of(c, n, a, b, e))) / sqrt(l4);
}

static double sign_of(const orr_committee *m, int64_t j) {
    return j < m->students ? -m->student_head : m->teacher_head;
}

double orr_committee_error(const orr_committee *m, const double *c) {
    const int64_t n = m->students + m->teachers;
    double sum = 0.0;
    for (int64_t j = 0; j < n; j++)
        for (int64_t l = 0; l < n; l++) sum += sign_of(m, j) * sign_of(m, l) * orr_committee_i2(c, n, j, l);
    return 0.5 * sum;
}

/* sum_j v_j I3(i,b,j) */
static double drift(const orr_committee *m, const double *c, int64_t i, int64_t b) {
    const int64_t n = m->students + m->teachers;
    double sum = 0.0;
    for (int64_t j = 0; j < n; j++) sum += sign_of(m, j) * orr_committee_i3(c, n, i, b, j);
    return sum;
}

/* sum_jl v_j v_l I4(i,k,j,l) + s2 J2(i,k); I4 is symmetric in j and l. */
static double diffusion(const orr_committee *m, const double *c, int64_t i, int64_t k) {
    const int64_t n = m->students + m->teachers;
    double sum = 0.0;
    for (int64_t j = 0; j < n; j++)
        for (int64_t l = 0; l <= j; l++)
            sum += (l < j ? 2.0 : 1.0) * sign_of(m, j) * sign_of(m, l) * orr_committee_i4(c, n, i, k, j, l);
    return sum + m->noise * orr_committee_j2(c, n, i, k);
}

void orr_committee_rate(const orr_committee *m, const double *c, double *rate) {
    const int64_t K = m->students, n = K + m->teachers;
    const double eta = m->learning_rate * m->student_head;
    for (int64_t i = 0; i < n * n; i++) rate[i] = 0.0;
    for (int64_t i = 0; i < K; i++) {
        for (int64_t k = 0; k <= i; k++)
            rate[i * n + k] = rate[k * n + i] =
                eta * (drift(m, c, i, k) + drift(m, c, k, i)) + eta * eta / m->batch * diffusion(m, c, i, k);
        for (int64_t j = K; j < n; j++) rate[i * n + j] = rate[j * n + i] = eta * drift(m, c, i, j);
    }
}

/* ---- the path: y holds what moves, for each student i its row C_ij, j <= i, and j >= K ---------------------------------------- */

typedef struct flow {
    const orr_committee *m;
    double *c, *rate; /* [n, n] */
} flow;

static void pack(const orr_committee *m, const double *c, double *y) {
    const int64_t K = m->students, n = K + m->teachers;
    for (int64_t i = 0; i < K; i++)
        for (int64_t j = 0; j < n; j++)
            if (j <= i || j >= K) *y++ = c[i * n + j];
}

static void unpack(const orr_committee *m, const double *y, double *c) {
    const int64_t K = m->students, n = K + m->teachers;
    for (int64_t i = 0; i < K; i++)
        for (int64_t j = 0; j < n; j++)
            if (j <= i || j >= K) c[i * n + j] = c[j * n + i] = *y++;
}

static orr_status rate_of(void *self, double t, const double *y, double *ydot) {
    flow *f = self;
    (void)t;
    unpack(f->m, y, f->c);
    orr_committee_rate(f->m, f->c, f->rate);
    pack(f->m, f->rate, ydot);
    return ORR_OK;
}

orr_status orr_committee_path(orr_context *ctx, orr_arena *scratch, const orr_committee *m, const double *c_0,
                              int64_t count, const double *alpha, double *path, double *error) {
    const int64_t K = m->students, M = m->teachers, n = K + M, n_y = K * (K + 1) / 2 + K * M;
    const orr_arena_mark mark = orr_arena_here(scratch);
    orr_arena *work = NULL;
    orr_status status;
    orr_ode_path found;
    flow f = { m, ORR_NEW(scratch, double, n *n), ORR_NEW(scratch, double, n *n) };
    double *y_0 = ORR_NEW(scratch, double, n_y);
    if (!f.c || !f.rate || !y_0) {
        status = orr_fail(ctx, ORR_ENOMEM, "committee: no memory for %lld units", (long long)n);
        goto done;
    }
    for (int64_t i = 0; i < n * n; i++) f.c[i] = c_0[i];
    pack(m, c_0, y_0);
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &work));
    const orr_ode ode = { .n = n_y, .rate = rate_of, .self = &f };
    /* not stiff: all rates are of the order of eta; e_g may fall to 1e-12 of its start, so absolutely tighter than that */
    const orr_ode_options options = {
        .method = ORR_ODE_ADAMS, .solver = ORR_ODE_FIXED_POINT, .relative = 1e-10, .absolute = 1e-14
    };
    ORR_TRY_DONE(ctx, orr_ode_solve(ctx, scratch, work, &ode, &options, 0.0, y_0, alpha, count, &found));
    for (int64_t s = 0; s < count; s++) {
        double *c = path + s * n * n;
        const bool reached = s < found.reached;
        for (int64_t i = 0; i < n * n; i++) c[i] = reached ? c_0[i] : (double)NAN;
        if (reached) unpack(m, found.y + s * n_y, c);
        error[s] = reached ? orr_committee_error(m, c) : (double)NAN;
    }
done:
    orr_arena_free(work);
    orr_arena_rewind(scratch, mark);
    return status;
}
