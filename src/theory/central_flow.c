#include "theory/central_flow.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/block_krylov.h"
#include "numeric/vector.h"

enum { MAX = ORR_CENTRAL_TRACKED_MAX };
static const double eigen_tolerance = 1e-7; /* of the vectors; values are good to its square */

struct orr_central_flow {
    orr_context *ctx;
    orr_arena *arena, *scratch;
    orr_landscape landscape;
    orr_central_options o;
    int64_t n, n_nu, wanted; /* wanted: eigenpairs to ask for */
    double c;
    double *w, *nu, *g, *p, *root, *prime; /* [n]: P, P^-1/2, P' = dP/dnu */
    double *v;                             /* [MAX, n]: eigenvectors, the start of the next search */
    double *work;                          /* [n] */
    double *t, *m, *nn;                    /* of the pairs i <= j: [pairs, n]; [pairs, n_nu] */
    orr_central_moment moment;
};

int64_t orr_central_nu(orr_central_rule rule, int64_t n) {
    return rule == ORR_CENTRAL_GD ? 0 : rule == ORR_CENTRAL_SCALAR_RMSPROP ? 1 : n;
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

static orr_status no_memory(orr_context *ctx, int64_t n) {
    return orr_fail(ctx, ORR_ENOMEM, "central flow: no memory for %lld parameters", (long long)n);
}

static double *vector(orr_central_flow *f, int64_t rows) {
    return orr_arena_take(f->arena, rows, (size_t)f->n * sizeof(double));
}

static orr_status take(orr_central_flow *f) {
    orr_central_moment *m = &f->moment;
    ORR_TRY(f->ctx, orr_arena_new(f->ctx, &f->arena));
    ORR_TRY(f->ctx, orr_arena_new(f->ctx, &f->scratch));
    double **const vectors[] = { &f->w, &f->nu, &f->g, &f->p, &f->root, &f->prime, &f->work, &m->dw, &m->dnu };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        if (!(*vectors[i] = vector(f, 1))) return no_memory(f->ctx, f->n);
    f->v = vector(f, MAX);
    m->u = vector(f, MAX);
    m->s = ORR_NEW(f->arena, double, MAX);
    m->x = ORR_NEW(f->arena, double, MAX *MAX);
    m->z = ORR_NEW(f->arena, double, MAX *MAX);
    return f->v && m->u && m->s && m->x && m->z ? ORR_OK : no_memory(f->ctx, f->n);
}

orr_status orr_central_flow_new(orr_context *ctx, const orr_landscape *landscape, const orr_central_options *options,
                                const double *w, const double *nu, orr_central_flow **out) {
    *out = NULL;
    orr_central_flow *f = orr_allocate(ctx, sizeof *f);
    if (!f) return no_memory(ctx, landscape->n);
    *f = (orr_central_flow){ .ctx = ctx, .landscape = *landscape, .o = *options, .n = landscape->n, .wanted = 2 };
    if (f->o.critical == 0.0) f->o.critical = 1.95;
    if (f->o.tracked == 0.0) f->o.tracked = 1.5;
    if (f->o.stable) f->o.tracked = (double)INFINITY; /* the first pair is enough */
    f->n_nu = orr_central_nu(f->o.rule, f->n);
    f->c = f->n_nu ? (1.0 - f->o.beta2) / f->o.beta2 : 0.0;
    const orr_status status = take(f);
    if (status == ORR_OK) {
        memcpy(f->w, w, (size_t)f->n * sizeof *w);
        if (f->n_nu) memcpy(f->nu, nu, (size_t)f->n_nu * sizeof *nu);
        *out = f;
    } else orr_central_flow_free(f);
    return status;
}

void orr_central_flow_free(orr_central_flow *f) {
    if (!f) return;
    orr_arena_free(f->scratch);
    orr_arena_free(f->arena);
    orr_release(f->ctx, f);
}

double *orr_central_flow_w(orr_central_flow *f) { return f->w; }
double *orr_central_flow_nu(orr_central_flow *f) { return f->nu; }

/* ---- the effective Hessian ------------------------------------------------------------------------------------------------ */

/* P, P^-1/2 and P' from nu. */
static void precondition(orr_central_flow *f) {
    const double eta = f->o.learning_rate;
    for (int64_t a = 0; a < f->n; a++) {
        const double root = f->n_nu ? sqrt(f->nu[f->n_nu == 1 ? 0 : a]) : 1.0;
        f->p[a] = (f->n_nu ? root + f->o.eps : 1.0) / eta;
        f->root[a] = 1.0 / sqrt(f->p[a]);
        f->prime[a] = f->n_nu ? 1.0 / (2.0 * eta * root) : 0.0;
    }
}

/* P^-1/2 H P^-1/2 v */
static orr_status effective(void *self, const double *v, double *out) {
    orr_central_flow *f = self;
    for (int64_t a = 0; a < f->n; a++) f->work[a] = f->root[a] * v[a];
    ORR_TRY(f->ctx, f->landscape.hessian_product(f->landscape.self, f->work, out));
    for (int64_t a = 0; a < f->n; a++) out[a] *= f->root[a];
    return ORR_OK;
}

/* All s > `tracked`, and one below, so that it is known that there are no more. */
static orr_status eigenpairs(orr_central_flow *f) {
    orr_central_moment *m = &f->moment;
    const orr_operator a = { f->n, effective, f };
    const orr_block_options o = { .tolerance = eigen_tolerance, .above = f->o.tracked };
    const int64_t most = MAX < f->n ? MAX : f->n;
    double residual[MAX];
    ORR_TRY(f->ctx, f->landscape.at(f->landscape.self, f->w));
    for (f->wanted = f->wanted < most ? f->wanted : most;; f->wanted++) {
        orr_block_pairs pairs;
        ORR_TRY(f->ctx, orr_eigen_block(f->ctx, f->scratch, &a, &o, f->wanted, f->v, m->s, residual, &pairs));
        m->tracked = f->wanted;
        m->finite = pairs.reason != ORR_REASON_NONFINITE;
        if (!m->finite) return ORR_OK;
        if (m->s[m->tracked - 1] <= f->o.tracked || m->tracked == most) break;
        memset(f->v + m->tracked * f->n, 0, (size_t)f->n * sizeof *f->v); /* a random vector, next */
    }
    int64_t above = 0;
    while (above < m->tracked && m->s[above] > f->o.tracked) above++;
    if (m->s[m->tracked - 1] > f->o.critical && m->tracked == MAX)
        return orr_fail(f->ctx, ORR_ENUMERIC, "central flow: more than %d directions are critical", MAX - 1);
    f->wanted = above + 1 > 2 ? above + 1 : 2;
    return ORR_OK;
}

/* ---- X ---------------------------------------------------------------------------------------------------------------------- */

static int64_t pair_of(int64_t i, int64_t j) { return i < j ? j * (j + 1) / 2 + i : i * (i + 1) / 2 + j; }

/* U_i, T_ij, M_ij and N_ij of the critical directions, i <= j. */
static orr_status directions(orr_central_flow *f) {
    orr_central_moment *m = &f->moment;
    const int64_t k = m->k, pairs = k * (k + 1) / 2;
    f->t = orr_arena_take(f->scratch, pairs, (size_t)f->n * sizeof(double));
    f->m = ORR_NEW(f->scratch, double, pairs * f->n_nu);
    f->nn = ORR_NEW(f->scratch, double, pairs * f->n_nu);
    if (!f->t || !f->m || !f->nn) return no_memory(f->ctx, f->n);
    for (int64_t i = 0; i < k; i++)
        for (int64_t a = 0; a < f->n; a++) m->u[i * f->n + a] = f->root[a] * f->v[i * f->n + a];
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j <= i; j++) {
            const double *u = m->u + i * f->n, *v = m->u + j * f->n;
            const int64_t at = pair_of(i, j);
            ORR_TRY(f->ctx, f->landscape.third_product(f->landscape.self, u, v, f->t + at * f->n));
            for (int64_t a = 0; a < f->n && f->n_nu > 0; a++) { /* one number of nu: sums over a */
                const int64_t b = f->n_nu == 1 ? 0 : a;
                f->m[at * f->n_nu + b] += 2.0 * f->prime[a] * u[a] * v[a];
                f->nn[at * f->n_nu + b] += 4.0 * f->c * f->p[a] * f->p[a] * u[a] * v[a];
            }
        }
    return ORR_OK;
}

/* g^2 - nu */
static double nu_excess(const orr_central_flow *f, int64_t b) {
    return (f->n_nu == 1 ? f->moment.gradient2 : f->g[b] * f->g[b]) - f->nu[b];
}

static orr_status solve(orr_central_flow *f, double dt) {
    orr_central_moment *m = &f->moment;
    const int64_t k = m->k, n = f->n, pairs = k * (k + 1) / 2;
    double *z0 = ORR_NEW(f->scratch, double, k *k), *b = ORR_NEW(f->scratch, double, k *k *k *k);
    double *first = ORR_NEW(f->scratch, double, pairs), *second = ORR_NEW(f->scratch, double, pairs *pairs);
    if (!z0 || !b || !first || !second) return no_memory(f->ctx, n);
    for (int64_t i = 0; i < pairs; i++) {
        const double *t = f->t + i * n, *mi = f->m + i * f->n_nu;
        for (int64_t a = 0; a < n; a++) f->work[a] = t[a] / f->p[a];
        first[i] = orr_vector_dot(n, f->work, f->g);
        for (int64_t a = 0; a < f->n_nu; a++) first[i] += mi[a] * f->c * nu_excess(f, a);
        for (int64_t j = 0; j < pairs; j++)
            second[i * pairs + j] =
                0.5 * orr_vector_dot(n, f->work, f->t + j * n) + orr_vector_dot(f->n_nu, mi, f->nn + j * f->n_nu);
    }
    for (int64_t i = 0; i < k * k; i++) {
        const int64_t at = pair_of(i / k, i % k);
        z0[i] = first[at] + (i % (k + 1) == 0 ? (2.0 - m->s[i / k]) / dt : 0.0);
        for (int64_t j = 0; j < k * k; j++) b[i * k * k + j] = second[at * pairs + pair_of(j / k, j % k)];
    }
    return orr_complementarity_solve(f->ctx, f->scratch, k, b, z0, m->x, m->z, &m->solution);
}

/* ---- the flow ----------------------------------------------------------------------------------------------------------------- */

/* dw, dnu and the averages, from X. */
static void finish(orr_central_flow *f) {
    orr_central_moment *m = &f->moment;
    const int64_t n = f->n, k = m->k;
    memcpy(f->work, f->g, (size_t)n * sizeof *f->work);
    for (int64_t b = 0; b < f->n_nu; b++) m->dnu[b] = f->c * nu_excess(f, b);
    m->trace_x = m->trace_sigma = 0.0;
    m->gradient2_mean = m->gradient2;
    for (int64_t i = 0; i < k; i++) {
        m->trace_x += m->x[i * k + i];
        for (int64_t j = 0; j < k; j++) {
            const double x = m->x[i * k + j], *u = m->u + i * n, *v = m->u + j * n;
            const int64_t at = pair_of(i, j);
            orr_vector_axpy(n, 0.5 * x, f->t + at * n, f->work);
            orr_vector_axpy(f->n_nu, x, f->nn + at * f->n_nu, m->dnu);
            m->trace_sigma += x * orr_vector_dot(n, u, v);
            for (int64_t a = 0; a < n; a++) m->gradient2_mean += 4.0 * x * f->p[a] * u[a] * f->p[a] * v[a];
        }
    }
    m->loss_mean = m->loss + m->trace_x;
    for (int64_t a = 0; a < n; a++) m->dw[a] = -f->work[a] / f->p[a];
}

static orr_status gradient(orr_central_flow *f) {
    orr_central_moment *m = &f->moment;
    ORR_TRY(f->ctx, f->landscape.gradient(f->landscape.self, f->w, &m->loss, f->g));
    m->gradient2 = orr_vector_dot(f->n, f->g, f->g);
    m->finite = isfinite(m->loss) && isfinite(m->gradient2);
    return ORR_OK;
}

static orr_status moment(orr_central_flow *f, double dt) {
    orr_central_moment *m = &f->moment;
    m->k = m->tracked = 0;
    m->solution = (orr_complementarity){ 0 };
    precondition(f);
    ORR_TRY(f->ctx, gradient(f));
    if (m->finite && !f->o.stable) ORR_TRY(f->ctx, eigenpairs(f));
    if (!m->finite) return ORR_OK;
    while (m->k < m->tracked && m->s[m->k] > f->o.critical) m->k++;
    ORR_TRY(f->ctx, directions(f));
    ORR_TRY(f->ctx, solve(f, dt));
    finish(f);
    return ORR_OK;
}

orr_status orr_central_flow_moment(orr_central_flow *f, double dt, const orr_central_moment **out) {
    const orr_arena_mark mark = orr_arena_here(f->scratch);
    const orr_status status = moment(f, dt);
    orr_arena_rewind(f->scratch, mark);
    *out = &f->moment;
    return status;
}

orr_status orr_central_flow_plain_moment(orr_central_flow *f, const orr_central_moment **out) {
    orr_central_moment *m = &f->moment;
    ORR_TRY(f->ctx, gradient(f));
    m->k = m->tracked = 0;
    m->loss_mean = m->loss;
    m->gradient2_mean = m->gradient2;
    m->trace_x = m->trace_sigma = 0.0;
    *out = m;
    return ORR_OK;
}

void orr_central_flow_move(orr_central_flow *f, double dt) {
    orr_vector_axpy(f->n, dt, f->moment.dw, f->w);
    orr_vector_axpy(f->n_nu, dt, f->moment.dnu, f->nu);
}

orr_status orr_central_flow_update(orr_central_flow *f) {
    ORR_TRY(f->ctx, gradient(f));
    for (int64_t b = 0; b < f->n_nu; b++) f->nu[b] += (1.0 - f->o.beta2) * nu_excess(f, b);
    precondition(f);
    for (int64_t a = 0; a < f->n; a++) f->w[a] -= f->g[a] / f->p[a];
    return ORR_OK;
}

orr_status orr_central_flow_sharpness(orr_central_flow *f, double *s_1) {
    precondition(f);
    ORR_TRY(f->ctx, eigenpairs(f));
    *s_1 = f->moment.finite ? f->moment.s[0] : (double)NAN;
    return ORR_OK;
}
