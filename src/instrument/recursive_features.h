/* The gradient of a Laplace kernel machine, for recursive feature machines. */
#ifndef ORR_INSTRUMENT_RECURSIVE_FEATURES_H
#define ORR_INSTRUMENT_RECURSIVE_FEATURES_H

#include "base/arena.h"
#include "orrery.h"

/* f(x) = sum_i alpha_i exp(-r_i/bandwidth), r_i^2 = (x - x_i)' M (x - x_i): at each centre x_j (row j of x [n, d]) its gradient
 * without the term i = j, which has a kink there:
 *
 *     -sum_{i != j} alpha_i K_ji/(bandwidth r_ji) M (x_j - x_i) = (S X - X rowsum(S)) M,  S_ji = alpha_i K_ji/(bandwidth r_ji)
 *
 * terms with r < 1e-10 are 0.  gradient [n, d].  Fails: ORR_ENOMEM. */
orr_status orr_recursive_gradients(orr_context *ctx, orr_arena *scratch, int64_t n, int64_t d, const double *x,
                                   const double *m, const double *alpha, double bandwidth,
                                   double *gradient) ORR_MUST_USE;

#endif
