#include "numeric/matrix_function.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/dense.h"

/* ---- symmetric --------------------------------------------------------------------------------------------------- */

/* Rows of `vector` are eigenvectors v_i: out = sum_i f_i v_i v_i' = (f V)' V. */
static orr_status by_eigenvalues(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, const char *what,
                                 orr_function *f, void *self, double *out) {
    orr_symmetric_eigen e;
    ORR_TRY(ctx, orr_eigen_symmetric(ctx, scratch, scratch, n, a, &e));
    double *scaled = orr_arena_take(scratch, n, (size_t)n * sizeof *scaled);
    if (!scaled) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %lld x %lld", what, (long long)n, (long long)n);
    for (int64_t i = 0; i < n; i++) {
        const double fi = f(self, e.value[i]);
        if (!isfinite(fi))
            return orr_fail(ctx, ORR_ENUMERIC, "%s: is %g at eigenvalue %lld of %lld, which is %g", what, fi,
                            (long long)i, (long long)n, e.value[i]);
        for (int64_t j = 0; j < n; j++) scaled[i * n + j] = fi * e.vector[i * n + j];
    }
    orr_dense_multiply(n, n, n, scaled, true, e.vector, false, out);
    for (int64_t i = 0; i < n; i++) /* symmetric to the bit */
        for (int64_t j = 0; j < i; j++) out[j * n + i] = out[i * n + j];
    return ORR_OK;
}

orr_status orr_matrix_function(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, const char *what,
                               orr_function *f, void *self, double *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status = by_eigenvalues(ctx, scratch, n, a, what, f, self, out);
    orr_arena_rewind(scratch, mark);
    return status;
}

/* self: the magnitude that counts as 0. */
static double root(void *self, double x) { return fabs(x) <= *(double *)self ? sqrt(fmax(x, 0)) : sqrt(x); }

static double inverse_root(void *self, double x) {
    (void)self;
    return x > 0 ? 1 / sqrt(x) : (double)NAN;
}

static double logarithm(void *self, double x) {
    (void)self;
    return x > 0 ? log(x) : (double)NAN;
}

static double exponential(void *self, double x) {
    (void)self;
    return exp(x);
}

orr_status orr_matrix_sqrt(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, double *out) {
    double norm = 0; /* |A| <= the Frobenius norm <= sqrt(n) |A| */
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) norm = hypot(norm, i == j ? a[i * n + j] : sqrt(2) * a[i * n + j]);
    double rounding = (double)n * 0x1p-52 * norm;
    return orr_matrix_function(ctx, scratch, n, a, "matrix square root", root, &rounding, out);
}

orr_status orr_matrix_inverse_sqrt(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, double *out) {
    return orr_matrix_function(ctx, scratch, n, a, "matrix inverse square root", inverse_root, NULL, out);
}

orr_status orr_matrix_log(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, double *out) {
    return orr_matrix_function(ctx, scratch, n, a, "matrix logarithm", logarithm, NULL, out);
}

orr_status orr_matrix_exp_symmetric(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, double *out) {
    return orr_matrix_function(ctx, scratch, n, a, "matrix exponential", exponential, NULL, out);
}

/* ---- exponential of any matrix ----------------------------------------------------------------------------------- */

/* The largest |A|_1 for which the Pade approximant of that degree has a backward error below eps: Higham 2005, table 2.3 */
static const struct {
    int degree;
    double norm;
} pade[] = {
    { 3, 1.495585217958292e-2 }, { 5, 2.539398330063230e-1 }, { 7, 9.504178996162932e-1 },
    { 9, 2.097847961257068 },    { 13, 5.371920351148152 },
};
enum { PADE_LAST = sizeof pade / sizeof *pade - 1 };

static double norm_1(int64_t n, const double *a) {
    double norm = 0;
    for (int64_t j = 0; j < n; j++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) sum += fabs(a[i * n + j]);
        if (!(sum <= norm)) norm = sum; /* keeps a NaN */
    }
    return norm;
}

/* e^A = (V - U)^-1 (V + U):  V = sum of b_j A^j over even j, U over odd j, b_0 = 1,
 * b_{j+1} = b_j (q - j) / ((2 q - j) (j + 1)), q the degree. */
static orr_status exp_pade(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, int q, double *out) {
    const int64_t size = n * n;
    double *square = ORR_NEW(scratch, double, size), *power = ORR_NEW(scratch, double, size);
    double *even = ORR_NEW(scratch, double, size), *odd = ORR_NEW(scratch, double, size);
    double *next = ORR_NEW(scratch, double, size);
    if (!square || !power || !even || !odd || !next)
        return orr_fail(ctx, ORR_ENOMEM, "matrix exponential: no memory for %lld x %lld", (long long)n, (long long)n);
    orr_dense_multiply(n, n, n, a, false, a, false, square);
    for (int64_t i = 0; i < n; i++) power[i * n + i] = 1; /* A^0 */
    double b = 1;
    for (int j = 0; j < q; j += 2) {
        const double b_odd = b * (q - j) / ((2.0 * q - j) * (j + 1));
        for (int64_t i = 0; i < size; i++) {
            even[i] += b * power[i];
            odd[i] += b_odd * power[i];
        }
        b = b_odd * (q - j - 1) / ((2.0 * q - j - 1) * (j + 2));
        if (j + 2 > q) break;
        orr_dense_multiply(n, n, n, power, false, square, false, next);
        memcpy(power, next, (size_t)size * sizeof *power);
    }
    orr_dense_multiply(n, n, n, a, false, odd, false, power); /* U */
    for (int64_t i = 0; i < size; i++) {
        next[i] = even[i] + power[i];
        even[i] -= power[i];
    }
    return orr_solve(ctx, scratch, n, even, n, next, out, NULL);
}

static orr_status exp_scaled(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, double *out) {
    const double norm = norm_1(n, a);
    if (!isfinite(norm)) return orr_fail(ctx, ORR_EINPUT, "matrix exponential: the 1-norm of the matrix is %g", norm);
    int choice = 0, halvings = 0;
    while (choice < PADE_LAST && norm > pade[choice].norm) choice++;
    if (norm > pade[PADE_LAST].norm) (void)frexp(norm / pade[PADE_LAST].norm, &halvings);
    double *scaled = ORR_NEW(scratch, double, n *n), *squared = ORR_NEW(scratch, double, n *n);
    if (!scaled || !squared)
        return orr_fail(ctx, ORR_ENOMEM, "matrix exponential: no memory for %lld x %lld", (long long)n, (long long)n);
    for (int64_t i = 0; i < n * n; i++) scaled[i] = ldexp(a[i], -halvings);
    ORR_TRY(ctx, exp_pade(ctx, scratch, n, scaled, pade[choice].degree, out));
    for (int i = 0; i < halvings; i++) { /* e^A = (e^{A/2})^2 */
        orr_dense_multiply(n, n, n, out, false, out, false, squared);
        memcpy(out, squared, (size_t)(n * n) * sizeof *out);
    }
    if (isfinite(norm_1(n, out))) return ORR_OK;
    return orr_fail(ctx, ORR_ENUMERIC, "matrix exponential: overflows, the 1-norm of the matrix is %g", norm);
}

orr_status orr_matrix_exp(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, double *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status = exp_scaled(ctx, scratch, n, a, out);
    orr_arena_rewind(scratch, mark);
    return status;
}

/* ---- polar ------------------------------------------------------------------------------------------------------- */

orr_status orr_matrix_polar(orr_context *ctx, orr_arena *scratch, int64_t m, int64_t n, const double *a, double *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    orr_svd svd;
    orr_status status = orr_svd_thin(ctx, scratch, scratch, m, n, a, &svd);
    if (status == ORR_OK) {
        const double smallest = svd.k ? svd.s[svd.k - 1] : 1, largest = svd.k ? svd.s[0] : 1;
        if (smallest > 0x1p-52 * (double)(m > n ? m : n) * largest)
            orr_dense_multiply(m, n, svd.k, svd.u, false, svd.vt, false, out);
        else
            status = orr_fail(ctx, ORR_ENUMERIC, "polar factor: rank below %lld, singular values %g to %g",
                              (long long)svd.k, smallest, largest);
    }
    orr_arena_rewind(scratch, mark);
    return status;
}
