/* Double exponential quadrature: x(t) carries the real line to the interval so that x'(t) f(x(t)) falls like
 * exp(-exp|t|); the trapezoid rule in t then gains twice the digits for half the step. */
#include <math.h>

#include "numeric/quadrature.h"

typedef struct interval {
    double a, b;
    double reach; /* |t| up to there */
    /* The node x(t), the weight x'(t).  False where x can't be told from an end. */
    bool (*substitute)(const struct interval *s, double t, double *x, double *weight);
} interval;

/* u = pi/2 sinh t, x = (a + b)/2 + (b - a)/2 tanh u, as its distance (b - a) / (1 + e^{2|u|}) from the nearer end. */
static bool tanh_sinh(const interval *s, double t, double *x, double *weight) {
    const double half_pi = 0.5 * acos(-1), u = half_pi * sinh(fabs(t)), e = exp(-2 * u), width = s->b - s->a;
    const double distance = width * (e / (1 + e));
    *x = t < 0 ? s->a + distance : s->b - distance;
    *weight = width * half_pi * cosh(t) * 2 * e / ((1 + e) * (1 + e));
    return *x > s->a && *x < s->b;
}

/* x = a + e^{pi/2 sinh t} */
static bool exp_sinh(const interval *s, double t, double *x, double *weight) {
    const double half_pi = 0.5 * acos(-1), distance = exp(half_pi * sinh(t));
    *x = s->a + distance;
    *weight = half_pi * cosh(t) * distance;
    return *x > s->a;
}

/* x = sinh(pi/2 sinh t) */
static bool sinh_sinh(const interval *s, double t, double *x, double *weight) {
    (void)s;
    const double half_pi = 0.5 * acos(-1), u = half_pi * sinh(t);
    *x = sinh(u);
    *weight = half_pi * cosh(t) * cosh(u);
    return true;
}

typedef struct sums {
    double signed_sum, absolute;
    int64_t evaluations;
    bool finite;
} sums;

/* Adds the nodes t = first, first + step, ... up to the reach, and their mirror images. */
static void add(const interval *s, double sign, double first, double step, orr_function *f, void *self, sums *out) {
    for (int64_t k = 0; first + (double)k * step <= s->reach; k++)
        for (int side = -1; side <= 1; side += 2) {
            const double t = side * (first + (double)k * step);
            double x, weight;
            if (!s->substitute(s, t, &x, &weight) || (t == 0 && side > 0)) continue;
            const double y = weight * f(self, sign * x);
            out->evaluations++;
            if (!isfinite(y)) out->finite = false;
            out->signed_sum += y;
            out->absolute += fabs(y);
        }
}

orr_integral orr_integrate(double a, double b, double tolerance, orr_function *f, void *self) {
    enum { LEVELS = 11, LEAST = 3 };
    if (tolerance <= 0) tolerance = 1e-12;
    if (isnan(a) || isnan(b)) return (orr_integral){ (double)NAN, (double)NAN, 0, ORR_REASON_NONFINITE };
    if (a == b) return (orr_integral){ 0 };
    const double direction = b < a ? -1 : 1;
    interval s = { .a = fmin(a, b), .b = fmax(a, b), .reach = 6, .substitute = tanh_sinh };
    double sign = 1; /* of x: (-inf, b] is mirrored to [-b, inf) */
    if (isinf(s.a) || isinf(s.b)) {
        s.reach = 4.5; /* x from 1e-31 to 1e31: a tail like x^-1.5 leaves 1e-15, and x^9 does not overflow */
        s.substitute = isinf(s.a) && isinf(s.b) ? sinh_sinh : exp_sinh;
        if (isinf(s.a) && !isinf(s.b)) {
            sign = -1;
            s.a = -s.b;
        }
    }
    orr_integral out = { .reason = ORR_REASON_LIMIT };
    sums total = { .finite = true };
    double step = 1;
    add(&s, sign, 0, step, f, self, &total);
    out.value = step * total.signed_sum;
    for (int level = 1; level <= LEVELS && total.finite; level++) {
        add(&s, sign, step / 2, step, f, self, &total); /* the new nodes lie half-way between the old */
        step /= 2;
        const double value = step * total.signed_sum;
        out.error = fabs(value - out.value);
        out.value = value;
        if (level >= LEAST && out.error <= tolerance * step * total.absolute) {
            out.reason = ORR_REASON_CONVERGED;
            break;
        }
    }
    out.value *= direction;
    out.evaluations = total.evaluations;
    if (!total.finite) out.reason = ORR_REASON_NONFINITE;
    return out;
}
