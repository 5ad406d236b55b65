/* The trace of a symmetric operator from products with random vectors. */
#ifndef ORR_NUMERIC_TRACE_H
#define ORR_NUMERIC_TRACE_H

#include "base/arena.h"
#include "base/random.h"
#include "numeric/operator.h"
#include "numeric/reason.h"
#include "orrery.h"

typedef enum orr_trace_method {
    ORR_TRACE_AUTO = 0,
    ORR_TRACE_HUTCHINSON, /* the mean of s' A s over vectors s of random signs */
    ORR_TRACE_HUTCHPP,    /* exact on a subspace that holds the large eigenvalues, Hutchinson on the rest */
    ORR_TRACE_EXACT       /* n products with unit vectors; chosen wherever n <= products */
} orr_trace_method;

/* A zero means the default. */
typedef struct orr_trace_options {
    int64_t products; /* how many are made; default 60, at least 2 (Hutch++: 6) */
    orr_trace_method method;
    orr_key key; /* purpose 0 means ORR_PURPOSE_PROBE; probe i reads elements i n .. of its stream of signs */
} orr_trace_options;

typedef struct orr_trace_estimate {
    double value;
    double standard_error; /* from the spread of the probes; 0 where exact */
    int64_t products;
    orr_trace_method method; /* the one used */
    double captured;         /* AUTO: share of |A|_F^2 that the pilot's subspace held, 0 to 1; else 0 */
    orr_reason reason;       /* CONVERGED, or NONFINITE: a product was not finite, and no number is given */
} orr_trace_estimate;

/* Hutchinson 1990 with random signs: variance V/m, V = 2 (|A|_F^2 - sum a_ii^2).  Hutch++ (Meyer, Musco, Musco, Woodruff
 * 2021, 2010.09649) spends m/3 products to find a subspace Q, m/3 for tr Q'AQ, and m/3 on probes with Q taken out: their
 * variance is at most 2 R / (m/3), R the part of |A|_F^2 outside Q.  So it wins where 6 R < V: where more than two thirds
 * of |A|_F^2 lie inside Q, unless A is nearly diagonal, when signs alone are better still.
 *
 * AUTO asks A itself.  A pilot multiplies m/3 sign vectors.  Half of the products span a subspace and the other half,
 * independent, give R for it; all of them give V as the spread of Hutchinson's samples.  Hutch++ goes on with all of
 * them as its Q, Hutchinson with all of them as its first probes: nothing is spent in vain.  Q being twice the pilot's
 * subspace, the rule errs towards Hutchinson.
 *
 * Equal bits for any number of threads.  Scratch: products / 3 + 3 vectors.
 * Fails: ORR_EINPUT (n < 1, too few products), ORR_ENOMEM, what apply fails with. */
orr_status orr_trace(orr_context *ctx, orr_arena *scratch, const orr_operator *a, const orr_trace_options *options,
                     orr_trace_estimate *out) ORR_MUST_USE;

#endif
