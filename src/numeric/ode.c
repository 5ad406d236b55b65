#include "numeric/ode.h"

#include <assert.h>
#include <cvode/cvode.h>
#include <limits.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <stdio.h>
#include <string.h>
#include <sundials/sundials_types.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunlinsol/sunlinsol_spgmr.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include "base/context.h"
#include "numeric/vector.h"

enum { IDLE_MOST = 100 }; /* idle steps that end a run; a few can happen at a rough start */

typedef struct solver {
    const orr_ode *ode;
    orr_status status; /* the first trouble of a callback */
    double *row_major; /* n x n: a given Jacobian on its way to SUNDIALS' columns */
    char message[200]; /* CVODE's last complaint */
    int idle_steps;    /* too short to change t */
    SUNContext sundials;
    N_Vector y;
    SUNMatrix matrix;
    SUNLinearSolver linear;
    SUNNonlinearSolver fixed_point;
    void *cvode;
} solver;

/* ---- callbacks: 0 is well, > 0 try a shorter step, < 0 stop ------------------------------------------------------
 * CVODE takes some failures of a difference quotient for a reason to try again: after a trouble nothing is called. */

static int passed(solver *s, orr_status status, int64_t n, const double *result) {
    if (status == ORR_OK) return orr_vector_is_finite(n, result) ? 0 : 1;
    s->status = status;
    return -1;
}

static int rate(realtype t, N_Vector y, N_Vector ydot, void *self) {
    solver *s = self;
    double *out = NV_DATA_S(ydot);
    if (s->status != ORR_OK || s->idle_steps >= IDLE_MOST) return -1;
    return passed(s, s->ode->rate(s->ode->self, t, NV_DATA_S(y), out), s->ode->n, out);
}

static int jacobian(realtype t, N_Vector y, N_Vector fy, SUNMatrix j, void *self, N_Vector a, N_Vector b, N_Vector c) {
    (void)fy, (void)a, (void)b, (void)c;
    solver *s = self;
    const int64_t n = s->ode->n;
    memset(s->row_major, 0, (size_t)(n * n) * sizeof(double));
    if (s->status != ORR_OK) return -1;
    const int failed = passed(s, s->ode->jacobian(s->ode->self, t, NV_DATA_S(y), s->row_major), n * n, s->row_major);
    if (failed) return failed;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++) SM_ELEMENT_D(j, i, k) = s->row_major[i * n + k];
    return 0;
}

static int jacobian_times(N_Vector v, N_Vector jv, realtype t, N_Vector y, N_Vector fy, void *self, N_Vector tmp) {
    (void)fy, (void)tmp;
    solver *s = self;
    double *out = NV_DATA_S(jv);
    if (s->status != ORR_OK) return -1;
    return passed(s, s->ode->jacobian_times(s->ode->self, t, NV_DATA_S(y), NV_DATA_S(v), out), s->ode->n, out);
}

static int event(realtype t, N_Vector y, realtype *g, void *self) {
    solver *s = self;
    if (s->status == ORR_OK) s->status = s->ode->event(s->ode->self, t, NV_DATA_S(y), g);
    return s->status == ORR_OK && orr_vector_is_finite(s->ode->events, g) ? 0 : -1;
}

/* Instead of lines on stderr.  CVODE warns of nothing but steps that leave t as it is. */
static void complaint(int code, const char *module, const char *function, char *message, void *self) {
    solver *s = self;
    if (code == CV_WARNING) s->idle_steps++;
    (void)snprintf(s->message, sizeof s->message, "%s, %s: %s", module, function, message);
}

/* ---- set-up ------------------------------------------------------------------------------------------------------ */

/* A NULL from SUNDIALS is a lack of memory. */
static orr_status made(orr_context *ctx, const void *p) {
    return p ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "ODE: no memory for CVODE");
}

/* A code of a set-up call. */
static orr_status well(orr_context *ctx, solver *s, int code) {
    if (code >= 0) return ORR_OK;
    if (code == CV_MEM_FAIL) return made(ctx, NULL);
    return orr_fail(ctx, ORR_EINTERNAL, "ODE: %s (%d)", s->message[0] ? s->message : "CVODE refused", code);
}

static orr_status attach_linear(orr_context *ctx, solver *s, const orr_ode_options *o) {
    if (o->solver == ORR_ODE_FIXED_POINT) {
        s->fixed_point = SUNNonlinSol_FixedPoint(s->y, 0, s->sundials);
        ORR_TRY(ctx, made(ctx, s->fixed_point));
        return well(ctx, s, CVodeSetNonlinearSolver(s->cvode, s->fixed_point));
    }
    if (o->solver == ORR_ODE_NEWTON_KRYLOV) {
        s->linear = SUNLinSol_SPGMR(s->y, SUN_PREC_NONE, 0, s->sundials);
        ORR_TRY(ctx, made(ctx, s->linear));
        ORR_TRY(ctx, well(ctx, s, CVodeSetLinearSolver(s->cvode, s->linear, NULL)));
        return s->ode->jacobian_times ? well(ctx, s, CVodeSetJacTimes(s->cvode, NULL, jacobian_times)) : ORR_OK;
    }
    s->matrix = SUNDenseMatrix(s->ode->n, s->ode->n, s->sundials);
    ORR_TRY(ctx, made(ctx, s->matrix));
    s->linear = SUNLinSol_Dense(s->y, s->matrix, s->sundials);
    ORR_TRY(ctx, made(ctx, s->linear));
    ORR_TRY(ctx, well(ctx, s, CVodeSetLinearSolver(s->cvode, s->linear, s->matrix)));
    return s->ode->jacobian ? well(ctx, s, CVodeSetJacFn(s->cvode, jacobian)) : ORR_OK;
}

static orr_status set_up(orr_context *ctx, solver *s, const orr_ode_options *o, double t_0, double last, double *y) {
    if (SUNContext_Create(NULL, &s->sundials) != 0) return made(ctx, NULL);
    s->y = N_VMake_Serial(s->ode->n, y, s->sundials);
    ORR_TRY(ctx, made(ctx, s->y));
    s->cvode = CVodeCreate(o->method == ORR_ODE_ADAMS ? CV_ADAMS : CV_BDF, s->sundials);
    ORR_TRY(ctx, made(ctx, s->cvode));
    ORR_TRY(ctx, well(ctx, s, CVodeSetErrHandlerFn(s->cvode, complaint, s)));
    ORR_TRY(ctx, well(ctx, s, CVodeInit(s->cvode, rate, t_0, s->y)));
    ORR_TRY(ctx, well(ctx, s, CVodeSStolerances(s->cvode, o->relative, o->absolute)));
    ORR_TRY(ctx, well(ctx, s, CVodeSetUserData(s->cvode, s)));
    ORR_TRY(ctx, attach_linear(ctx, s, o));
    ORR_TRY(ctx, well(ctx, s, CVodeSetMaxHnilWarns(s->cvode, 2 * IDLE_MOST)));
    if (last != t_0) ORR_TRY(ctx, well(ctx, s, CVodeSetStopTime(s->cvode, last)));
    if (o->max_step > 0) ORR_TRY(ctx, well(ctx, s, CVodeSetMaxStep(s->cvode, o->max_step)));
    if (o->first_step > 0)
        ORR_TRY(ctx, well(ctx, s, CVodeSetInitStep(s->cvode, last < t_0 ? -o->first_step : o->first_step)));
    if (s->ode->events > 0) {
        ORR_TRY(ctx, well(ctx, s, CVodeRootInit(s->cvode, s->ode->events, event)));
        ORR_TRY(ctx, well(ctx, s, CVodeSetNoInactiveRootWarn(s->cvode)));
    }
    return ORR_OK;
}

static void tear_down(solver *s) {
    if (s->cvode) CVodeFree(&s->cvode);
    if (s->fixed_point) SUNNonlinSolFree(s->fixed_point);
    if (s->linear) SUNLinSolFree(s->linear);
    if (s->matrix) SUNMatDestroy(s->matrix);
    if (s->y) N_VDestroy(s->y);
    if (s->sundials) SUNContext_Free(&s->sundials);
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

/* What a return of CVode() says about the system. */
static orr_status ended(orr_context *ctx, solver *s, int code, orr_reason *reason) {
    if (s->idle_steps >= IDLE_MOST) code = CV_ERR_FAILURE;
    switch (code) {
    case CV_TOO_MUCH_WORK: *reason = ORR_REASON_LIMIT; return ORR_OK;
    case CV_TOO_MUCH_ACC:
    case CV_ERR_FAILURE:
    case CV_CONV_FAILURE:
    case CV_NLS_FAIL:
    case CV_LSETUP_FAIL: *reason = ORR_REASON_STALLED; return ORR_OK;
    case CV_FIRST_RHSFUNC_ERR:
    case CV_REPTD_RHSFUNC_ERR:
    case CV_UNREC_RHSFUNC_ERR:
    case CV_RHSFUNC_FAIL:
    case CV_RTFUNC_FAIL: *reason = ORR_REASON_NONFINITE; return ORR_OK;
    case CV_TOO_CLOSE: return orr_fail(ctx, ORR_EINPUT, "ODE: the first time is too near the start to tell them apart");
    default: return well(ctx, s, code);
    }
}

static orr_status count_work(orr_context *ctx, solver *s, const orr_ode_options *o, orr_ode_path *out) {
    long steps = 0, rates = 0, extra = 0, jacobians = 0;
    ORR_TRY(ctx, well(ctx, s, CVodeGetNumSteps(s->cvode, &steps)));
    ORR_TRY(ctx, well(ctx, s, CVodeGetNumRhsEvals(s->cvode, &rates)));
    if (s->linear) {
        ORR_TRY(ctx, well(ctx, s, CVodeGetNumLinRhsEvals(s->cvode, &extra)));
        ORR_TRY(ctx, well(ctx, s,
                          o->solver == ORR_ODE_NEWTON_KRYLOV ? CVodeGetNumJtimesEvals(s->cvode, &jacobians)
                                                             : CVodeGetNumJacEvals(s->cvode, &jacobians)));
    }
    out->steps = steps;
    out->rate_calls = rates + extra;
    out->jacobian_calls = jacobians;
    return ORR_OK;
}

static orr_status integrate(orr_context *ctx, solver *s, const orr_ode_options *o, double t_0, const double *times,
                            int64_t count, orr_ode_path *out) {
    const size_t bytes = (size_t)s->ode->n * sizeof(double);
    out->t = t_0;
    out->reason = ORR_REASON_CONVERGED;
    while (out->reached < count && out->reason == ORR_REASON_CONVERGED) {
        if (times[out->reached] != t_0) { /* the start itself is no step of CVODE's */
            long made_so_far = 0;
            ORR_TRY(ctx, well(ctx, s, CVodeGetNumSteps(s->cvode, &made_so_far)));
            const long left = (long)o->max_steps - made_so_far;
            ORR_TRY(ctx, well(ctx, s, CVodeSetMaxNumSteps(s->cvode, left > 0 ? left : 1)));
            const int code = CVode(s->cvode, times[out->reached], s->y, &out->t, CV_NORMAL);
            if (s->status != ORR_OK) return s->status;
            if (code == CV_ROOT_RETURN) {
                int found[64] = { 0 };
                ORR_TRY(ctx, well(ctx, s, CVodeGetRootInfo(s->cvode, found)));
                for (out->event = 0; out->event + 1 < s->ode->events && !found[out->event];) out->event++;
                out->reason = ORR_REASON_EVENT;
            } else if (code < 0) ORR_TRY(ctx, ended(ctx, s, code, &out->reason));
        }
        if (out->reason == ORR_REASON_CONVERGED) memcpy(out->y + out->reached++ * s->ode->n, NV_DATA_S(s->y), bytes);
    }
    memcpy(out->y_end, NV_DATA_S(s->y), bytes);
    return count_work(ctx, s, o, out);
}

static orr_status check(orr_context *ctx, const orr_ode *ode, const orr_ode_options *o, double t_0, const double *y_0,
                        const double *times, int64_t count) {
    if (ode->n < 1 || count < 1)
        return orr_fail(ctx, ORR_EINPUT, "ODE: %lld variables, %lld times", (long long)ode->n, (long long)count);
    if (ode->events < 0 || ode->events > 64)
        return orr_fail(ctx, ORR_EINPUT, "ODE: %d events, at most 64", ode->events);
    if (!(o->relative > 0) || !(o->absolute > 0) || o->max_steps < 1 || o->max_steps > LONG_MAX)
        return orr_fail(ctx, ORR_EINPUT, "ODE: tolerances %g and %g, %lld steps; expected positive numbers",
                        o->relative, o->absolute, (long long)o->max_steps);
    if (!isfinite(t_0) || !orr_vector_is_finite(ode->n, y_0))
        return orr_fail(ctx, ORR_EINPUT, "ODE: the start is not finite");
    const double direction = times[count - 1] < t_0 ? -1 : 1;
    for (int64_t i = 0; i < count; i++) {
        const double before = i ? times[i - 1] : t_0, gap = direction * (times[i] - before);
        if (!(gap > 0 || (i == 0 && gap == 0)) || !isfinite(times[i]))
            return orr_fail(ctx, ORR_EINPUT, "ODE: time %lld is %g after %g, expected one direction", (long long)i,
                            times[i], before);
    }
    return ORR_OK;
}

static orr_ode_options with_defaults(const orr_ode_options *options) {
    orr_ode_options o = options ? *options : (orr_ode_options){ 0 };
    if (o.relative == 0) o.relative = 1e-8;
    if (o.absolute == 0) o.absolute = 1e-10;
    if (o.max_steps == 0) o.max_steps = 100000;
    return o;
}

orr_status orr_ode_solve(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_ode *ode,
                         const orr_ode_options *options, double t_0, const double *y_0, const double *times,
                         int64_t count, orr_ode_path *out) {
    assert(scratch != out_arena && "scratch gets rewound");
    const orr_ode_options o = with_defaults(options);
    const int64_t n = ode->n;
    *out = (orr_ode_path){ .n = n };
    ORR_TRY(ctx, check(ctx, ode, &o, t_0, y_0, times, count));
    const bool dense = o.solver == ORR_ODE_NEWTON_DENSE && ode->jacobian;
    const orr_arena_mark mark = orr_arena_here(scratch);
    solver s = { .ode = ode, .status = ORR_OK };
    orr_status status = ORR_OK;
    double *y = ORR_NEW(scratch, double, n);
    s.row_major = orr_arena_take(scratch, dense ? n : 0, (size_t)n * sizeof(double));
    out->y = orr_arena_take(out_arena, count, (size_t)n * sizeof(double));
    out->y_end = ORR_NEW(out_arena, double, n);
    if (!y || !s.row_major || !out->y || !out->y_end) {
        status = orr_fail(ctx, ORR_ENOMEM, "ODE: no memory for %lld states of %lld", (long long)count, (long long)n);
        goto done;
    }
    memcpy(y, y_0, (size_t)n * sizeof *y);
    ORR_TRY_DONE(ctx, set_up(ctx, &s, &o, t_0, times[count - 1], y));
    ORR_TRY_DONE(ctx, integrate(ctx, &s, &o, t_0, times, count, out));
done:
    tear_down(&s);
    orr_arena_rewind(scratch, mark);
    return status;
}
