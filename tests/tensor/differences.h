/* Derivatives against differences: a function of f64 inputs, written into a graph, at a point. */
#ifndef ORR_TESTS_TENSOR_DIFFERENCES_H
#define ORR_TESTS_TENSOR_DIFFERENCES_H

#include "tensor/host.h"

enum { FUNCTION_INPUTS = 48 };

typedef struct function {
    orr_context *ctx;
    orr_arena *arena;
    orr_graph *g;
    const char *device, *what;
    double step; /* of the differences; 0: 0.01 */
    int32_t n_x, n_y;
    orr_node x[FUNCTION_INPUTS], y[FUNCTION_INPUTS];
    host at[FUNCTION_INPUTS];
    feed held; /* inputs that stay: indices, booleans */
} function;

/* A Jacobian, dense: entry (i, j) at v[i * n_x + j], over all elements of all y and all x in order. */
typedef struct jacobian {
    int64_t n_y, n_x;
    double *v;
} jacobian;

/* By central differences at steps h, h/2, h/4, extrapolated twice: error h^6 f^(7)/(64 7!), about 1e-11 of a smooth
 * function of scale 1 at h = 0.01, and rounding 2^-53/(h/4), about 1e-13. */
jacobian jacobian_by_differences(const function *f);
jacobian jacobian_by_jvp(const function *f); /* column by column */
jacobian jacobian_by_vjp(const function *f); /* row by row */

/* max |a - b| / max |b| (max |b| taken as 1 where it is 0). */
double jacobian_distance(const jacobian *a, const jacobian *b);

/* All entries of both against differences (relative to the largest) and, at 1e-12, against each other: that is
 * <v, J u> = <J'v, u> for all u and v. */
void assert_derivatives(const function *f, double limit);

/* v -> J'v as a function of (x, v), and u -> J u as a function of (x, u), at random v, u. */
function function_vjp(const function *f, dice *d);
function function_jvp(const function *f, dice *d);

#endif
