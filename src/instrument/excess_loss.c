/* The loss of a linear network over the whole distribution that Gaussian data were drawn from, less the loss of the teacher, exactly:
 *
 *     excess_loss = E l(f(x), W x),  x ~ N(0, diag lambda)
 *                 = (1/d) sum_j l(f(x_j), W x_j),  x_j = sqrt(d lambda_j) e_j
 *
 * for a loss that is quadratic in its outputs and a network that is linear in its inputs: the x_j have the same second moments.  In
 * the task's units, ridge left out.  Whether it is so is seen at 2 x_j, where the loss must be four times as large; if not, the
 * measurement fails.  `target` is for laws that ask how long a loss takes to reach. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("10"),
    ORR_INSTRUMENT_TARGET,
    { 0 },
};

typedef struct state {
    orr_probe probe;
    orr_subject own; /* a copy: it lives as long as this */
    int64_t d, outputs;
    orr_node x, target, each;        /* [2 d, d], [2 d, outputs], [2 d] */
    double *inputs, *answers, *loss; /* the same */
} state;

static void close_excess(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

static orr_status prepare(orr_context *ctx, state *s) {
    const orr_subject *of = &s->own;
    orr_probe *p = &s->probe;
    s->d = orr_shape_count(&of->input);
    s->outputs = orr_shape_count(&of->target_of_one);
    if (of->x_type == ORR_I32 || !of->target || of->target_type == ORR_I32)
        return orr_fail(ctx, ORR_EINPUT, "excess-loss: inputs and targets must be numbers, of data: gaussian");
    ORR_TRY(ctx, orr_probe_begin_empty(ctx, of, p));
    s->inputs = ORR_NEW(p->arena, double, 2 * s->d * s->d);
    s->answers = ORR_NEW(p->arena, double, 2 * s->d * s->outputs);
    s->loss = ORR_NEW(p->arena, double, 2 * s->d);
    if (!s->inputs || !s->answers || !s->loss)
        return orr_fail(ctx, ORR_ENOMEM, "excess-loss: no memory for %lld inputs", (long long)s->d);
    s->x = orr_input(p->g, "moments.x", of->x_type, orr_probe_behind(2 * s->d, of->input));
    s->target = orr_input(p->g, "moments.target", of->target_type, orr_probe_behind(2 * s->d, of->target_of_one));
    ORR_TRY(ctx, of->build_on(of->self, p->arena, p->g, 2 * s->d, s->x, s->target, &p->graph));
    if (!p->graph.each.id) return orr_fail(ctx, ORR_EINPUT, "excess-loss: this task's loss is no mean over examples");
    s->each = p->graph.each;
    return orr_probe_compile(p, &s->each, 1);
}

static orr_status open_excess(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    (void)settings;
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "excess-loss: out of memory");
    *s = (state){ .probe = { .ctx = ctx }, .own = *subject };
    const orr_status status = prepare(ctx, s);
    if (status == ORR_OK) *out = s;
    else close_excess(s);
    return status;
}

/* x_j and 2 x_j with the teacher's answers; a member has data of its own where they are drawn anew for each seed. */
static orr_status write_moments(state *s) {
    orr_context *ctx = s->probe.ctx;
    const orr_arrays *facts = s->own.facts(s->own.self);
    orr_array lambda, teacher;
    ORR_TRY(ctx, orr_arrays_find(ctx, "excess-loss", facts, "eigenvalues", &lambda));
    ORR_TRY(ctx, orr_arrays_find(ctx, "excess-loss", facts, "teacher", &teacher));
    if (orr_shape_count(&lambda.shape) != s->d || orr_shape_count(&teacher.shape) != s->d * s->outputs)
        return orr_fail(ctx, ORR_EINPUT, "excess-loss: these data have no linear teacher; data: gaussian have");
    for (int64_t j = 0; j < 2 * s->d; j++) {
        const int64_t e = j % s->d;
        const double size = (j < s->d ? 1.0 : 2.0) * sqrt((double)s->d * orr_array_value(&lambda, e));
        s->inputs[j * s->d + e] = size;
        for (int64_t o = 0; o < s->outputs; o++)
            s->answers[j * s->outputs + o] = size * orr_array_value(&teacher, o * s->d + e);
    }
    orr_probe_write(&s->probe, s->x, 2 * s->d * s->d, s->inputs);
    orr_probe_write(&s->probe, s->target, 2 * s->d * s->outputs, s->answers);
    return ORR_OK;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    orr_context *ctx = s->probe.ctx;
    double once = 0.0, twice = 0.0;
    (void)seed, (void)memory;
    ORR_TRY(ctx, write_moments(s));
    ORR_TRY(ctx, orr_probe_run(&s->probe));
    orr_probe_read(&s->probe, s->each, 2 * s->d, s->loss);
    for (int64_t j = 0; j < s->d; j++) {
        once += s->loss[j] / (double)s->d;
        twice += s->loss[j + s->d] / (double)s->d;
    }
    if (fabs(twice - 4.0 * once) > 1e-3 * twice) /* of numbers that are none nothing is said: the run diverges */
        return orr_fail(ctx, ORR_EINPUT,
                        "excess-loss: the network is not linear in its inputs, or the loss is not quadratic");
    return sink->record(sink->self, "excess_loss", step, once);
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    (void)s;
    return 2.0 * (double)orr_shape_count(&subject->input) / (double)subject->examples;
}

const orr_instrument orr_instrument_excess_loss = {
    .kind = { "excess-loss", "the loss of a linear network over the Gaussian distribution of its data, exactly",
              parameters },
    .cost = cost_of,
    .open = open_excess,
    .measure = measure,
    .close = close_excess,
};
