/* dy/dt = rate(t, y) from t_0 through given times, by SUNDIALS CVODE: variable order, variable step, error control.
 *
 *     orr_ode flow = { .n = n, .rate = gradient_flow, .self = &net };
 *     orr_ode_solve(ctx, arena, scratch, &flow, &(orr_ode_options){ .relative = 1e-8 }, 0, y0, times, count, &path);
 */
#ifndef ORR_NUMERIC_ODE_H
#define ORR_NUMERIC_ODE_H

#include "base/arena.h"
#include "numeric/reason.h"
#include "orrery.h"

/* The system.  Outputs don't overlap inputs; a status is passed up; a rate that isn't finite makes the solver try a shorter
 * step.  NULL: not given. */
typedef struct orr_ode {
    int64_t n;
    orr_status (*rate)(void *self, double t, const double *y, double *ydot);
    orr_status (*jacobian)(void *self, double t, const double *y, double *j); /* j[i n + k] = d ydot_i / d y_k */
    orr_status (*jacobian_times)(void *self, double t, const double *y, const double *v, double *jv);
    int32_t events;                                                        /* functions below */
    orr_status (*event)(void *self, double t, const double *y, double *g); /* a zero of g[i] is an event */
    void *self;
} orr_ode;

typedef enum orr_ode_method {
    ORR_ODE_BDF = 0, /* stiff systems: gradient flow near a minimum */
    ORR_ODE_ADAMS    /* smooth systems that aren't stiff */
} orr_ode_method;

/* How a step's nonlinear equation is solved. */
typedef enum orr_ode_solver {
    ORR_ODE_NEWTON_DENSE = 0, /* LU of the Jacobian: the given one, or differences (n extra calls of rate) */
    ORR_ODE_NEWTON_KRYLOV,    /* GMRES on products: jacobian_times, or one extra call of rate each; no n x n matrix */
    ORR_ODE_FIXED_POINT       /* no Jacobian at all; goes with ADAMS */
} orr_ode_solver;

/* A zero means the default. */
typedef struct orr_ode_options {
    orr_ode_method method;
    orr_ode_solver solver;
    double relative;   /* error of a step at most relative |y_i| + absolute, root mean square over i; default 1e-8 */
    double absolute;   /* default 1e-10 */
    double max_step;   /* default: no limit */
    double first_step; /* default: CVODE's choice */
    int64_t max_steps; /* in all; default 100,000 */
} orr_ode_options;

typedef struct orr_ode_path {
    int64_t n, reached; /* times that were reached */
    double *y;          /* count x n; rows beyond `reached` are 0 */
    double t;           /* where the solver ended: the last time, or where it gave up, or the event */
    double *y_end;      /* n: the state there */
    int32_t event;      /* EVENT: which g was 0 */
    int64_t steps, rate_calls, jacobian_calls; /* products where Krylov */
    orr_reason reason; /* CONVERGED: all times reached; EVENT: the first zero of a g stops it; LIMIT: max_steps;
                           STALLED: no step is short enough (a singularity, a wall of
                           rates that aren't finite, a tolerance too strict for rounding);
                           NONFINITE: rate is not finite from the start */
} orr_ode_path;

/* times: count of them, strictly increasing from t_0 or strictly decreasing; the first may be t_0 itself.  The solver never
 * evaluates beyond the last.  Values between steps are CVODE's interpolants, as exact as the steps.
 * Repeatable, one thread.  CVODE takes its vectors (about 10 + order; n x n where dense) from malloc, not from the context.
 * Fails: ORR_EINPUT (n < 1, times out of order, y0 not finite, tolerances), ORR_ENOMEM, what a callback fails with. */
orr_status orr_ode_solve(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_ode *ode,
                         const orr_ode_options *options, double t_0, const double *y_0, const double *times,
                         int64_t count, orr_ode_path *out) ORR_MUST_USE;

#endif
