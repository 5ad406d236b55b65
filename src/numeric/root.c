#include "numeric/root.h"

#include <math.h>

#include "base/context.h"

/* b is the best guess, a the one before, c the other side of the bracket: f(b), f(c) differ in sign, |f(b)| <= |f(c)|.
 * A step by secant or inverse quadratic interpolation p/q is taken where it stays well inside and shrinks fast enough,
 * else the bracket is halved. */
static void refine(double tolerance, orr_function *f, void *self, double a, double fa, double b, double fb,
                   orr_root *out) {
    double c = a, fc = fa, step = b - a, before = step;
    for (;;) {
        if (fabs(fc) < fabs(fb)) {
            a = b, b = c, c = a;
            fa = fb, fb = fc, fc = fa;
        }
        *out = (orr_root){ b, fb, fmin(b, c), fmax(b, c), out->evaluations, ORR_REASON_CONVERGED };
        const double near = 2 * 0x1p-52 * fabs(b) + 0.5 * tolerance, middle = 0.5 * (c - b);
        if (fabs(middle) <= near || fb == 0) return;
        if (out->evaluations >= 200) {
            out->reason = ORR_REASON_LIMIT;
            return;
        }
        double p = 0, q = 1;
        if (fabs(before) >= near && fabs(fa) > fabs(fb)) {
            const double s = fb / fa;
            if (a == c) { /* two points: secant */
                p = 2 * middle * s;
                q = 1 - s;
            } else { /* three points: inverse quadratic */
                const double r = fb / fc, t = fa / fc;
                p = s * (2 * middle * t * (t - r) - (b - a) * (r - 1));
                q = (t - 1) * (r - 1) * (s - 1);
            }
            if (p > 0) q = -q;
            else p = -p;
        }
        if (p > 0 && 2 * p < 3 * middle * q - fabs(near * q) && p < fabs(0.5 * before * q)) {
            before = step;
            step = p / q;
        } else before = step = middle;
        a = b;
        fa = fb;
        b += fabs(step) > near ? step : copysign(near, middle);
        fb = f(self, b);
        out->evaluations++;
        if (isnan(fb)) {
            *out = (orr_root){ b, fb, out->low, out->high, out->evaluations, ORR_REASON_NONFINITE };
            return;
        }
        if ((fb > 0) == (fc > 0)) {
            c = a;
            fc = fa;
            before = step = b - a;
        }
    }
}

orr_status orr_root_brent(orr_context *ctx, double a, double b, double tolerance, orr_function *f, void *self,
                          orr_root *out) {
    const double fa = f(self, a), fb = f(self, b);
    *out = (orr_root){ .evaluations = 2 };
    if (isnan(fa) || isnan(fb) || (fa > 0 && fb > 0) || (fa < 0 && fb < 0))
        return orr_fail(ctx, ORR_EINPUT, "root: expected a change of sign, f(%g) = %g and f(%g) = %g", a, fa, b, fb);
    if (fa == 0) *out = (orr_root){ a, fa, a, a, 2, ORR_REASON_CONVERGED };
    else refine(tolerance > 0 ? tolerance : 0, f, self, a, fa, b, fb, out);
    return ORR_OK;
}

bool orr_root_bracket(double *a, double *b, double least, double most, orr_function *f, void *self) {
    double fa = f(self, *a), fb = f(self, *b);
    for (int i = 0; i < 60; i++) {
        if (isnan(fa) || isnan(fb)) return false;
        if ((fa <= 0 && fb >= 0) || (fa >= 0 && fb <= 0)) return true;
        const double grow = 1.6 * (*b - *a);
        const bool left = *a > least && (fabs(fa) < fabs(fb) || *b >= most);
        if (!left && *b >= most) return false;
        if (left) fa = f(self, *a = fmax(*a - grow, least));
        else fb = f(self, *b = fmin(*b + grow, most));
    }
    return false;
}

/* x is the best point, w the second, v the w before.  A parabola through them where its step is less than half of the one
 * before last, else golden section of the larger part. */
orr_minimum orr_minimise_brent(double a, double b, double tolerance, orr_function *f, void *self) {
    const double golden = 0.5 * (3 - sqrt(5));
    if (tolerance <= 0) tolerance = 1e-10;
    if (b < a) {
        const double swap = a;
        a = b;
        b = swap;
    }
    double x = a + golden * (b - a), w = x, v = x, step = 0, before = 0;
    double fx = f(self, x), fw = fx, fv = fx;
    for (int64_t evaluations = 1;; evaluations++) {
        if (isnan(fx)) return (orr_minimum){ x, fx, evaluations, ORR_REASON_NONFINITE };
        const double middle = 0.5 * (a + b), near = 0x1p-26 * fabs(x) + tolerance / 3;
        if (fabs(x - middle) <= 2 * near - 0.5 * (b - a))
            return (orr_minimum){ x, fx, evaluations, ORR_REASON_CONVERGED };
        if (evaluations >= 500) return (orr_minimum){ x, fx, evaluations, ORR_REASON_LIMIT };
        double p = 0, q = 0, r = 0;
        if (fabs(before) > near) {
            r = (x - w) * (fx - fv);
            q = (x - v) * (fx - fw);
            p = (x - v) * q - (x - w) * r;
            q = 2 * (q - r);
            if (q > 0) p = -p;
            else q = -q;
            r = before;
            before = step;
        }
        if (fabs(p) < fabs(0.5 * q * r) && p > q * (a - x) && p < q * (b - x)) {
            step = p / q;
            if (x + step - a < 2 * near || b - x - step < 2 * near) step = x < middle ? near : -near;
        } else {
            before = (x < middle ? b : a) - x;
            step = golden * before;
        }
        const double u = x + (fabs(step) >= near ? step : copysign(near, step)), fu = f(self, u);
        if (isnan(fu)) return (orr_minimum){ u, fu, evaluations + 1, ORR_REASON_NONFINITE };
        if (fu <= fx) {
            *(u < x ? &b : &a) = x;
            v = w, fv = fw;
            w = x, fw = fx;
            x = u, fx = fu;
        } else {
            *(u < x ? &a : &b) = u;
            if (fu <= fw || w == x) {
                v = w, fv = fw;
                w = u, fw = fu;
            } else if (fu <= fv || v == x || v == w) v = u, fv = fu;
        }
    }
}
