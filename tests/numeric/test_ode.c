#include "numeric/ode.h"

#include "goldens.h"
#include "matrices.h"

typedef struct system_of {
    int64_t n, calls, jacobians;
    int64_t fail_at, nan_from; /* counted from 1; 0: never */
    orr_context *ctx;
} system_of;

static orr_status admit(system_of *s) {
    s->calls++;
    return s->calls == s->fail_at ? orr_fail(s->ctx, ORR_EINTERRUPTED, "rate: stopped on request") : ORR_OK;
}

/* y_i' = -(i + 1) y_i */
static orr_status decay(void *self, double t, const double *y, double *ydot) {
    (void)t;
    system_of *s = self;
    for (int64_t i = 0; i < s->n; i++) ydot[i] = -(double)(i + 1) * y[i];
    const orr_status status = admit(s);
    if (s->nan_from && s->calls >= s->nan_from) ydot[0] = (double)NAN;
    return status;
}

/* Robertson 1966: rates from 0.04 to 3e7. */
static orr_status robertson(void *self, double t, const double *y, double *ydot) {
    (void)t;
    ydot[0] = -0.04 * y[0] + 1e4 * y[1] * y[2];
    ydot[2] = 3e7 * y[1] * y[1];
    ydot[1] = -ydot[0] - ydot[2];
    return admit(self);
}

static orr_status robertson_jacobian(void *self, double t, const double *y, double *j) {
    (void)t;
    ((system_of *)self)->jacobians++;
    const double rows[] = {
        -0.04, 1e4 * y[2], 1e4 * y[1], 0.04, -1e4 * y[2] - 6e7 * y[1], -1e4 * y[1], 0, 6e7 * y[1], 0
    };
    memcpy(j, rows, sizeof rows);
    return ORR_OK;
}

static orr_status robertson_times(void *self, double t, const double *y, const double *v, double *jv) {
    double j[9];
    const orr_status status = robertson_jacobian(self, t, y, j);
    for (int i = 0; i < 3; i++) jv[i] = j[3 * i] * v[0] + j[3 * i + 1] * v[1] + j[3 * i + 2] * v[2];
    return status;
}

static orr_status lorenz(void *self, double t, const double *y, double *ydot) {
    (void)t;
    ydot[0] = 10 * (y[1] - y[0]);
    ydot[1] = y[0] * (28 - y[2]) - y[1];
    ydot[2] = y[0] * y[1] - 8.0 / 3 * y[2];
    return admit(self);
}

static orr_status oscillator(void *self, double t, const double *y, double *ydot) {
    (void)t;
    ydot[0] = y[1];
    ydot[1] = -y[0];
    return admit(self);
}

/* y' = y^2 from 1 is 1 / (1 - t): no further than t = 1. */
static orr_status blow_up(void *self, double t, const double *y, double *ydot) {
    (void)t;
    ydot[0] = y[0] * y[0];
    return admit(self);
}

/* 0.5 - t: fine to 0.5, NaN beyond. */
static orr_status root_of_time(void *self, double t, const double *y, double *ydot) {
    (void)y;
    ydot[0] = sqrt(0.5 - t);
    return admit(self);
}

static const struct {
    orr_ode_method method;
    orr_ode_solver solver;
} ways[] = {
    { ORR_ODE_BDF, ORR_ODE_NEWTON_DENSE },   { ORR_ODE_BDF, ORR_ODE_NEWTON_KRYLOV },
    { ORR_ODE_ADAMS, ORR_ODE_NEWTON_DENSE }, { ORR_ODE_ADAMS, ORR_ODE_NEWTON_KRYLOV },
    { ORR_ODE_ADAMS, ORR_ODE_FIXED_POINT },  { ORR_ODE_BDF, ORR_ODE_FIXED_POINT },
};
enum { WAYS = sizeof ways / sizeof *ways };

static void every_method_follows_exponentials(void **state) {
    const double times[] = { 0, 0.5, 1, 2 }, y0[] = { 1, 2, 3, 4, 5 };
    for (int w = 0; w < WAYS; w++) {
        system_of s = { .n = 5 };
        const orr_ode ode = { .n = 5, .rate = decay, .self = &s };
        arenas m = arenas_new(*state);
        orr_ode_path p;
        assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode,
                                        &(orr_ode_options){ .method = ways[w].method, .solver = ways[w].solver }, 0, y0,
                                        times, 4, &p));
        assert_int_equal(p.reason, ORR_REASON_CONVERGED);
        assert_int_equal(p.reached, 4);
        assert_true(p.t == 2 && p.steps > 10);
        assert_int_equal(p.rate_calls, s.calls);
        for (int k = 0; k < 4; k++)
            for (int i = 0; i < 5; i++) /* steps err by 1e-8 each; some hundred steps, contracting */
                assert_close(p.y[k * 5 + i], y0[i] * exp(-(i + 1) * times[k]), 3e-7);
        assert_memory_equal(p.y_end, p.y + 15, 5 * sizeof(double));
        assert_memory_equal(p.y, y0, sizeof y0);
        arenas_free(m);
    }
}

static void stiff_kinetics_are_scipys_with_each_jacobian(void **state) {
    const double times[] = { 0.4, 40, 4000 }, y0[] = { 1, 0, 0 };
    int64_t calls[4];
    for (int w = 0; w < 4; w++) { /* dense and Krylov, differences and given */
        system_of s = { .n = 3 };
        const bool krylov = w >= 2, given = w % 2;
        const orr_ode ode = { .n = 3,
                              .rate = robertson,
                              .self = &s,
                              .jacobian = given && !krylov ? robertson_jacobian : NULL,
                              .jacobian_times = given && krylov ? robertson_times : NULL };
        const orr_ode_options o = { .relative = 1e-9,
                                    .absolute = 1e-13,
                                    .solver = krylov ? ORR_ODE_NEWTON_KRYLOV : ORR_ODE_NEWTON_DENSE };
        arenas m = arenas_new(*state);
        orr_ode_path p;
        assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, &o, 0, y0, times, 3, &p));
        assert_int_equal(p.reason, ORR_REASON_CONVERGED);
        for (int i = 0; i < 9; i++) assert_close(p.y[i], golden_robertson[i], 1e-6 * golden_robertson[i] + 1e-12);
        for (int k = 0; k < 3; k++) assert_close(p.y[3 * k] + p.y[3 * k + 1] + p.y[3 * k + 2], 1, 1e-9); /* mass */
        if (given) assert_int_equal(s.jacobians, p.jacobian_calls);
        assert_int_equal(s.calls, p.rate_calls);
        calls[w] = p.rate_calls;
        arenas_free(m);
    }
    assert_true(calls[1] < calls[0] && calls[3] < calls[2]); /* a given Jacobian saves its differences */
}

static void a_chaotic_orbit_is_scipys_while_digits_last(void **state) {
    const double times[] = { 0.5, 1, 2 }, y0[] = { 1, 1, 1 };
    system_of s = { .n = 3 };
    const orr_ode ode = { .n = 3, .rate = lorenz, .self = &s };
    const orr_ode_options o = {
        .method = ORR_ODE_ADAMS, .solver = ORR_ODE_FIXED_POINT, .relative = 1e-12, .absolute = 1e-12
    };
    arenas m = arenas_new(*state);
    orr_ode_path p;
    assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, &o, 0, y0, times, 3, &p));
    /* errors of 1e-12 times 30 a step, a thousand steps, grown by e^{0.9 t} and the rough start */
    for (int i = 0; i < 9; i++) assert_close(p.y[i], golden_lorenz[i], 1e-7);
    arenas_free(m);
}

static void a_tighter_tolerance_is_nearer_and_dearer(void **state) {
    const double times[] = { 10 }, y0[] = { 1, 0 };
    double last = 1;
    int64_t steps = 0;
    for (double tolerance = 1e-4; tolerance > 1e-12; tolerance *= 1e-2) {
        system_of s = { .n = 2 };
        const orr_ode ode = { .n = 2, .rate = oscillator, .self = &s };
        arenas m = arenas_new(*state);
        orr_ode_path p;
        const orr_ode_options o = { .method = ORR_ODE_ADAMS, .relative = tolerance, .absolute = tolerance };
        assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, &o, 0, y0, times, 1, &p));
        const double error = hypot(p.y[0] - cos(10), p.y[1] + sin(10));
        assert_true(error < last && error < 300 * tolerance && p.steps > steps);
        last = error;
        steps = p.steps;
        arenas_free(m);
    }
}

static void time_may_run_backwards(void **state) {
    const double times[] = { -1, -2 }, y0[] = { 1, 0 };
    system_of s = { .n = 2 };
    const orr_ode ode = { .n = 2, .rate = oscillator, .self = &s };
    arenas m = arenas_new(*state);
    orr_ode_path p;
    assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, NULL, 0, y0, times, 2, &p));
    for (int k = 0; k < 2; k++) assert_close(p.y[2 * k], cos(times[k]), 1e-6);
    arenas_free(m);
}

static orr_status zeros(void *self, double t, const double *y, double *g) {
    (void)self, (void)t;
    g[0] = y[0] + 2; /* never */
    g[1] = y[0];     /* cos t = 0 at pi / 2 */
    return ORR_OK;
}

static void an_event_stops_where_it_happens(void **state) {
    const double times[] = { 1, 2, 3 }, y0[] = { 1, 0 };
    system_of s = { .n = 2 };
    const orr_ode ode = { .n = 2, .rate = oscillator, .events = 2, .event = zeros, .self = &s };
    arenas m = arenas_new(*state);
    orr_ode_path p;
    assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, NULL, 0, y0, times, 3, &p));
    assert_int_equal(p.reason, ORR_REASON_EVENT);
    assert_int_equal(p.event, 1);
    assert_int_equal(p.reached, 1);
    assert_close(p.t, acos(-1) / 2, 1e-6);
    assert_close(p.y_end[0], 0, 1e-6);
    assert_close(p.y_end[1], -1, 1e-6);
    assert_true(p.y[2] == 0 && p.y[3] == 0); /* not reached */
    arenas_free(m);
}

static void nothing_is_evaluated_beyond_the_last_time(void **state) {
    const double times[] = { 0.25, 0.5 }, y0[] = { 0 };
    system_of s = { .n = 1 };
    const orr_ode ode = { .n = 1, .rate = root_of_time, .self = &s };
    arenas m = arenas_new(*state);
    orr_ode_path p;
    assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, NULL, 0, y0, times, 2, &p));
    assert_int_equal(p.reason, ORR_REASON_CONVERGED);
    for (int k = 0; k < 2; k++) assert_close(p.y[k], 2.0 / 3 * (pow(0.5, 1.5) - pow(0.5 - times[k], 1.5)), 1e-6);
    arenas_free(m);
}

static void ends_before_the_last_time_are_reasons(void **state) {
    const double times[] = { 0.5, 2 }, y0[] = { 1, 1, 1, 1, 1 }, late[] = { 1 };
    arenas m = arenas_new(*state);
    orr_ode_path p;
    system_of s = { .n = 1 };
    orr_ode ode = { .n = 1, .rate = blow_up, .self = &s };
    assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, &(orr_ode_options){ .max_steps = 5000 }, 0, y0,
                                    times, 2, &p));
    assert_int_equal(p.reason, ORR_REASON_STALLED);
    assert_int_equal(p.reached, 1);
    assert_close(p.y[0], 2, 1e-5); /* an error at 0 is grown fourfold by 0.5 */
    assert_close(p.t, 1, 1e-6);    /* it comes up to the singularity and not through it */
    ode.rate = root_of_time;
    assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, NULL, 0, y0, late, 1, &p));
    assert_int_equal(p.reason, ORR_REASON_STALLED); /* a wall beyond which there is no rate */
    assert_true(p.t <= 0.5);
    assert_close(p.t, 0.5, 1e-6);
    s = (system_of){ .n = 5, .nan_from = 1 };
    ode = (orr_ode){ .n = 5, .rate = decay, .self = &s };
    assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, NULL, 0, y0, times, 2, &p));
    assert_int_equal(p.reason, ORR_REASON_NONFINITE);
    assert_int_equal(p.reached, 0);
    s = (system_of){ .n = 5 };
    assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, &(orr_ode_options){ .max_steps = 12 }, 0, y0, times,
                                    2, &p));
    assert_int_equal(p.reason, ORR_REASON_LIMIT);
    assert_int_equal(p.steps, 12);
    assert_close(p.y_end[0], exp(-p.t), 1e-6); /* the state where it stopped */
    arenas_free(m);
}

static void trouble_of_a_callback_is_passed_up(void **state) {
    const double times[] = { 0.5, 2 }, y0[] = { 1, 2, 3, 4, 5 };
    for (int w = 0; w < WAYS; w++)
        for (int64_t at = 1; at < 40; at += 6) {
            system_of s = { .n = 5, .fail_at = at, .ctx = *state };
            const orr_ode ode = { .n = 5, .rate = decay, .self = &s };
            arenas m = arenas_new(*state);
            orr_ode_path p;
            assert_refused(*state,
                           orr_ode_solve(*state, m.out, m.scratch, &ode,
                                         &(orr_ode_options){ .method = ways[w].method, .solver = ways[w].solver }, 0,
                                         y0, times, 2, &p),
                           ORR_EINTERRUPTED, "stopped");
            assert_int_equal(s.calls, at);
            arenas_free(m);
        }
}

static void wrong_questions_are_refused(void **state) {
    const double y0[] = { 1, (double)NAN }, times[] = { 1, 0.5 }, twice[] = { 1, 1 }, tiny[] = { 1e-300 };
    system_of s = { .n = 1 };
    const orr_ode ode = { .n = 1, .rate = decay, .self = &s }, two = { .n = 2, .rate = decay, .self = &s };
    const orr_ode none = { .n = 0 };
    arenas m = arenas_new(*state);
    orr_ode_path p;
    assert_refused(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, NULL, 0, y0, times, 2, &p), ORR_EINPUT,
                   "time 1 is 0.5 after 1");
    assert_refused(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, NULL, 0, y0, twice, 2, &p), ORR_EINPUT,
                   "one direction");
    assert_refused(*state, orr_ode_solve(*state, m.out, m.scratch, &none, NULL, 0, y0, times, 1, &p), ORR_EINPUT,
                   "0 variables");
    assert_refused(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, NULL, 0, y0, times, 0, &p), ORR_EINPUT,
                   "0 times");
    assert_refused(*state, orr_ode_solve(*state, m.out, m.scratch, &two, NULL, 0, y0, times, 1, &p), ORR_EINPUT,
                   "start is not finite");
    assert_refused(
        *state,
        orr_ode_solve(*state, m.out, m.scratch, &ode, &(orr_ode_options){ .relative = -1 }, 0, y0, times, 1, &p),
        ORR_EINPUT, "positive");
    assert_refused(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, NULL, 1, y0, tiny, 0, &p), ORR_EINPUT,
                   "times");
    const double next_to_one = nextafter(1, 2);
    assert_refused(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, NULL, 1, y0, &next_to_one, 1, &p), ORR_EINPUT,
                   "too near");
    /* the start alone is a fine question */
    const double at_start[] = { 3 };
    assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, NULL, 3, y0, at_start, 1, &p));
    assert_true(p.reached == 1 && p.y[0] == 1 && p.steps == 0);
    arenas_free(m);
}

static void the_same_run_twice_has_the_same_bits(void **state) {
    const double times[] = { 0.4, 40 }, y0[] = { 1, 0, 0 };
    orr_ode_path p[2];
    arenas m = arenas_new(*state);
    for (int again = 0; again < 2; again++) {
        system_of s = { .n = 3 };
        const orr_ode ode = { .n = 3, .rate = robertson, .self = &s };
        assert_ok(*state, orr_ode_solve(*state, m.out, m.scratch, &ode, NULL, 0, y0, times, 2, &p[again]));
    }
    assert_memory_equal(p[0].y, p[1].y, 6 * sizeof(double));
    arenas_free(m);
}

static orr_status solve(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch) {
    const double times[] = { 0.4, 40 }, y0[] = { 1, 0, 0 };
    system_of s = { .n = 3 };
    const orr_ode ode = { .n = 3, .rate = robertson, .jacobian = robertson_jacobian, .self = &s };
    orr_ode_path p;
    return orr_ode_solve(ctx, out_arena, scratch, &ode, NULL, 0, y0, times, 2, &p);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    assert_each_allocation_may_fail(solve);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_follows_exponentials),
        cmocka_unit_test(stiff_kinetics_are_scipys_with_each_jacobian),
        cmocka_unit_test(a_chaotic_orbit_is_scipys_while_digits_last),
        cmocka_unit_test(a_tighter_tolerance_is_nearer_and_dearer),
        cmocka_unit_test(time_may_run_backwards),
        cmocka_unit_test(an_event_stops_where_it_happens),
        cmocka_unit_test(nothing_is_evaluated_beyond_the_last_time),
        cmocka_unit_test(ends_before_the_last_time_are_reasons),
        cmocka_unit_test(trouble_of_a_callback_is_passed_up),
        cmocka_unit_test(wrong_questions_are_refused),
        cmocka_unit_test(the_same_run_twice_has_the_same_bits),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("numeric/ode", tests, context_setup, context_teardown);
}
