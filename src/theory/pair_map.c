#include "theory/pair_map.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define PI          3.14159265358979323846
#define SQRT_2      1.41421356237309504880
#define SQRT_2_PI   2.50662827463100050242 /* sqrt(2 pi) */
#define TWO_SQRT_PI 1.12837916709551257390 /* 2/sqrt(pi) */

static double Phi(double x) { return 0.5 * erfc(-x / SQRT_2); }
static double density(double x) { return exp(-0.5 * x * x) / SQRT_2_PI; }
static double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }

static double linear(double x) { return x; }
static double linear_slope(double x) { return (void)x, 1.0; }
static double relu(double x) { return x > 0 ? x : 0.0; }
static double relu_slope(double x) { return x > 0 ? 1.0 : 0.0; }
static double erf_slope(double x) { return TWO_SQRT_PI * exp(-x * x); }
static double erf_scaled(double x) { return erf(x / SQRT_2); }
static double erf_scaled_slope(double x) { return 2.0 * density(x); }
static double gelu(double x) { return x * Phi(x); }
static double gelu_slope(double x) { return Phi(x) + x * density(x); }
static double tanh_slope(double x) { return 1.0 - tanh(x) * tanh(x); }
static double silu(double x) { return x * sigmoid(x); }
static double silu_slope(double x) { return sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))); }
static double softplus(double x) { return fmax(x, 0.0) + log1p(exp(-fabs(x))); }
static double square(double x) { return x * x; }
static double square_slope(double x) { return 2.0 * x; }

/* ---- closed forms -------------------------------------------------------------------------------------------------- */

static orr_pair linear_pair(double k11, double k12, double k22) { return (void)k11, (void)k22, (orr_pair){ k12, 1.0 }; }

static orr_pair relu_pair(double k11, double k12, double k22) {
    const double s = sqrt(k11 * k22), c = s > 0 ? k12 / s : 1.0, t = acos(c), sine = sqrt((1.0 - c) * (1.0 + c));
    return (orr_pair){ s / (2 * PI) * (sine + (PI - t) * c), (PI - t) / (2 * PI) };
}

static orr_pair erf_pair(double k11, double k12, double k22) {
    const double p = (1 + 2 * k11) * (1 + 2 * k22);
    return (orr_pair){ 2 / PI * asin(2 * k12 / sqrt(p)), 4 / PI / sqrt(p - 4 * k12 * k12) };
}

static orr_pair erf_scaled_pair(double k11, double k12, double k22) {
    const orr_pair half = erf_pair(k11 / 2, k12 / 2, k22 / 2);
    return (orr_pair){ half.f, half.d / 2 };
}

/* p = (1 + k11)(1 + k22), q = p - k12^2, g = k11 k22, r = asin(k12/sqrt p):
 * F = [(k12^2 + g q)/(p sqrt q) + k12 r]/(2 pi) + k12/4
 * D = k12/(2 pi sqrt q) (1/q + (1 - g)/p + 1) + 1/4 + r/(2 pi) */
static orr_pair gelu_pair(double k11, double k12, double k22) {
    const double p = (1 + k11) * (1 + k22), q = p - k12 * k12, g = k11 * k22, r = asin(k12 / sqrt(p));
    return (orr_pair){ ((k12 * k12 + g * q) / (p * sqrt(q)) + k12 * r) / (2 * PI) + k12 / 4,
                       k12 / (2 * PI * sqrt(q)) * (1 / q + (1 - g) / p + 1) + 0.25 + r / (2 * PI) };
}

/* e^{-a} sinh b = (e^{b - a} - e^{-b - a})/2: no overflow, for |b| <= a */
static orr_pair sin_pair(double k11, double k12, double k22) {
    const double a = (k11 + k22) / 2, up = exp(k12 - a), down = exp(-k12 - a);
    return (orr_pair){ (up - down) / 2, (up + down) / 2 };
}

static orr_pair square_pair(double k11, double k12, double k22) {
    return (orr_pair){ k11 * k22 + 2 * k12 * k12, 4 * k12 };
}

static double no_mean(double k) { return (void)k, 0.0; } /* odd */
static double relu_mean(double k) { return sqrt(k / (2 * PI)); }
static double gelu_mean(double k) { return k / sqrt(2 * PI * (1 + k)); } /* E u Phi(u) = k E Phi'(u) */
static double square_mean(double k) { return k; }

/* Names: ingredient/architecture's ORR_ACTIVATIONS. */
static const orr_pair_map all[] = {
    { "linear", linear, linear_slope, linear_pair, no_mean },
    { "relu", relu, relu_slope, relu_pair, relu_mean },
    { "erf", erf, erf_slope, erf_pair, no_mean },
    { "erf-scaled", erf_scaled, erf_scaled_slope, erf_scaled_pair, no_mean },
    { "gelu", gelu, gelu_slope, gelu_pair, gelu_mean },
    { "sin", sin, cos, sin_pair, no_mean },
    { "quadratic", square, square_slope, square_pair, square_mean },
    { "tanh", tanh, tanh_slope, NULL, no_mean },
    { "silu", silu, silu_slope, NULL, NULL },
    { "softplus", softplus, sigmoid, NULL, NULL },
};

const orr_pair_map *orr_pair_map_find(const char *name) {
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i].name, name) == 0) return &all[i];
    return NULL;
}

/* ---- quadrature ------------------------------------------------------------------------------------------------------ */

/* The trapezoid rule of step h errs by e^{-2 pi d/h} of a function analytic within d of the real line; tanh(sqrt(k) z) has its
 * poles at d = pi/(2 sqrt k), so h = 0.25/sqrt k leaves e^{-39}, and up to k = 6 h = 0.1 leaves e^{-40} or less; beyond
 * |z| = 8.6 lies e^{-37} of the weight. */
static const double reach = 8.6;
static double step_of(double k) { return fmin(0.1, 0.25 / sqrt(k)); }

/* E phi(u) phi(v), u = sqrt(k11) z1, v = k12/sqrt(k11) z1 + sqrt(k22 - k12^2/k11) z2; with `gain` d is E u phi'(u) v phi'(v) */
static orr_pair quadrature_pair(const orr_pair_map *map, double k11, double k12, double k22, bool gain) {
    const double h = step_of(fmax(k11, k22)), a = sqrt(k11), b = a > 0 ? k12 / a : 0.0,
                 c = sqrt(fmax(0.0, k22 - b * b));
    const int half = (int)ceil(reach / h);
    orr_pair sum = { 0.0, 0.0 };
    double total = 0.0; /* of one axis; h times it is sqrt(2 pi) to rounding */
    for (int i = -half; i <= half; i++) {
        const double z1 = i * h, weight = exp(-0.5 * z1 * z1);
        orr_pair row = { 0.0, 0.0 };
        for (int j = -half; j <= half; j++) {
            const double z2 = j * h, w = exp(-0.5 * z2 * z2), v = b * z1 + c * z2;
            row.f += w * map->phi(v);
            row.d += w * map->slope(v) * (gain ? v : 1.0);
        }
        sum.f += weight * map->phi(a * z1) * row.f;
        sum.d += weight * map->slope(a * z1) * row.d * (gain ? a * z1 : 1.0);
        total += weight;
    }
    return (orr_pair){ sum.f / (total * total), sum.d / (total * total) };
}

/* The same in one variable, v = u; and the mean. */
static orr_pair quadrature_same(const orr_pair_map *map, double k, double *mean) {
    const double h = step_of(k), a = sqrt(k);
    const int half = (int)ceil(reach / h);
    double f = 0.0, d = 0.0, m = 0.0, total = 0.0;
    for (int i = -half; i <= half; i++) {
        const double z = i * h, weight = exp(-0.5 * z * z), y = map->phi(a * z), slope = map->slope(a * z);
        f += weight * y * y;
        d += weight * slope * slope;
        m += weight * y;
        total += weight;
    }
    *mean = m / total;
    return (orr_pair){ f / total, d / total };
}

orr_pair orr_pair_of(const orr_pair_map *map, double k11, double k12, double k22) {
    const double most = sqrt(k11 * k22);
    k12 = k12 > most ? most : k12 < -most ? -most : k12; /* NaN stays */
    return map->of ? map->of(k11, k12, k22) : quadrature_pair(map, k11, k12, k22, false);
}

orr_pair orr_pair_same(const orr_pair_map *map, double k) {
    double mean;
    if (!map->of) return quadrature_same(map, k, &mean);
    if (map->of == relu_pair) return (orr_pair){ k / 2, 0.5 }; /* acos loses half of the digits at c = 1 */
    return map->of(k, k, k);
}

double orr_pair_mean(const orr_pair_map *map, double k) {
    double mean;
    if (map->mean) return map->mean(k);
    (void)quadrature_same(map, k, &mean);
    return mean;
}

double orr_pair_gain(const orr_pair_map *map, double k11, double k12, double k22) {
    const double p = (1 + 2 * k11) * (1 + 2 * k22);
    if (map->of == linear_pair || map->of == relu_pair)
        return orr_pair_of(map, k11, k12, k22).f; /* u phi'(u) = phi(u) */
    if (map->of == square_pair) return 4 * square_pair(k11, k12, k22).f;
    if (map->of == erf_pair) return 4 / PI * k12 / pow(p - 4 * k12 * k12, 1.5);
    return quadrature_pair(map, k11, k12, k22, true).d;
}
