#include "lab/run.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "lab/training.h"

/* ---- problems --------------------------------------------------------------------------------------------------------------- */

static bool same_value(const orr_value *a, const orr_value *b) {
    if (a->integer != b->integer || a->real != b->real || a->n != b->n || !a->text != !b->text) return false;
    if (a->text && strcmp(a->text, b->text) != 0) return false;
    return a->n == 0 || memcmp(a->items, b->items, (size_t)a->n * sizeof *a->items) == 0;
}

static bool same_settings(const orr_settings *a, const orr_settings *b) {
    if (a->table != b->table) return false;
    for (int i = 0; a->table[i].name; i++)
        if (!same_value(&a->value[i], &b->value[i])) return false;
    return true;
}

static bool same_problem(const orr_point *a, const orr_point *b) {
    return a->architecture == b->architecture && a->task == b->task && a->precision == b->precision &&
           same_settings(&a->architecture_settings, &b->architecture_settings) &&
           same_settings(&a->task_settings, &b->task_settings) && same_settings(&a->data_settings, &b->data_settings);
}

static orr_status prepare_point(orr_context *ctx, orr_arena *arena, const orr_experiment *e, int64_t i,
                                const orr_problem **problems) {
    const orr_point *point = &e->points[i];
    const orr_dataset *data = NULL;
    for (int64_t j = 0; j < i; j++) {
        if (same_problem(point, &e->points[j])) {
            problems[i] = problems[j];
            return ORR_OK;
        }
        if (same_settings(&point->data_settings, &e->points[j].data_settings)) data = &problems[j]->data;
    }
    orr_dataset fresh;
    orr_problem *problem = ORR_NEW(arena, orr_problem, 1);
    if (!problem) return orr_fail(ctx, ORR_ENOMEM, "no memory for a problem");
    if (!data) ORR_TRY(ctx, point->data->load(ctx, arena, &point->data_settings, &fresh));
    ORR_TRY(ctx, orr_problem_new(ctx, arena, point->architecture, point->architecture_settings, data ? data : &fresh,
                                 point->task, point->task_settings, point->precision, problem));
    problems[i] = problem;
    return ORR_OK;
}

orr_status orr_lab_prepare(orr_context *ctx, orr_arena *out_arena, const orr_experiment *experiment,
                           const orr_problem ***problems) {
    const orr_problem **all = ORR_NEW(out_arena, const orr_problem *, experiment->n_points);
    if (!all) return orr_fail(ctx, ORR_ENOMEM, "no memory for the problems");
    for (int64_t i = 0; i < experiment->n_points; i++) ORR_TRY(ctx, prepare_point(ctx, out_arena, experiment, i, all));
    *problems = all;
    return ORR_OK;
}

/* ---- one run ------------------------------------------------------------------------------------------------------------------ */

/* Updates between two looks at the clock, the signal and the loss. */
enum { CHUNK = 50 };

typedef struct session {
    orr_context *ctx;
    orr_store *store;
    int64_t run;
    const orr_point *point;
    orr_training *training;
    void **instruments;
    bool finite; /* everything recorded so far is a number */
} session;

static orr_status record(void *self, const char *series, int64_t step, double value) {
    session *s = self;
    s->finite = s->finite && isfinite(value);
    return orr_store_record(s->store, s->run, series, step, value);
}

static orr_status record_array(void *self, const char *name, int64_t step, orr_dtype dtype, const orr_shape *shape,
                               const void *data) {
    session *s = self;
    return orr_store_record_array(s->store, s->run, name, step, dtype, shape, data);
}

static int64_t every(const orr_observation *o) { return orr_int(&o->settings, "every"); }

static orr_status observe(session *s, int64_t step) {
    const orr_sink sink = { record, record_array, s };
    for (int64_t i = 0; i < s->point->n_observations; i++)
        if (step % every(&s->point->observations[i]) == 0)
            ORR_TRY(s->ctx, s->point->observations[i].instrument->measure(s->instruments[i], step, &sink));
    return ORR_OK;
}

/* Where the next chunk ends: at the next observation, or the end, or after CHUNK updates. */
static int64_t next_stop(const session *s, int64_t step) {
    int64_t next = step + CHUNK < s->point->steps ? step + CHUNK : s->point->steps;
    for (int64_t i = 0; i < s->point->n_observations; i++) {
        const int64_t e = every(&s->point->observations[i]), at = (step / e + 1) * e;
        if (at < next) next = at;
    }
    return next;
}

static orr_status train(session *s, const orr_run_options *options, orr_run_outcome *out) {
    ORR_TRY(s->ctx, observe(s, 0));
    for (int64_t step = 0; step < s->point->steps && s->finite;) {
        const int64_t next = next_stop(s, step);
        if (options->stop && *options->stop)
            return orr_fail(s->ctx, ORR_EINTERRUPTED, "interrupted after %lld updates; what was recorded is in %s",
                            (long long)step, orr_store_path(s->store));
        ORR_TRY(s->ctx, orr_training_advance(s->training, next - step));
        out->steps = step = next;
        ORR_TRY(s->ctx, observe(s, step));
        s->finite = s->finite && isfinite(orr_training_loss(s->training));
        if (options->tick) options->tick(options->user, step);
    }
    out->diverged = !s->finite;
    return ORR_OK;
}

static orr_status open_instruments(session *s, orr_arena *arena, const orr_subject *subject, uint64_t seed) {
    s->instruments = ORR_NEW(arena, void *, s->point->n_observations);
    if (!s->instruments) return orr_fail(s->ctx, ORR_ENOMEM, "no memory for the instruments");
    for (int64_t i = 0; i < s->point->n_observations; i++) {
        const orr_observation *o = &s->point->observations[i];
        ORR_TRY(s->ctx, o->instrument->open(s->ctx, &o->settings, subject, seed, &s->instruments[i]));
    }
    return ORR_OK;
}

static void close_instruments(session *s) {
    for (int64_t i = 0; s->instruments && i < s->point->n_observations; i++)
        s->point->observations[i].instrument->close(s->instruments[i]);
}

orr_status orr_lab_run(orr_context *ctx, orr_store *store, int64_t run, const orr_point *point,
                       const orr_problem *problem, uint64_t seed, const orr_run_options *options,
                       orr_run_outcome *out) {
    static const orr_run_options defaults = { 0 };
    session s = { .ctx = ctx, .store = store, .run = run, .point = point, .finite = true };
    orr_arena *arena = NULL;
    orr_status status;
    *out = (orr_run_outcome){ 0 };
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_training_new(ctx, problem, point->rule, &point->rule_settings, seed, &s.training));
    const orr_subject subject = orr_training_subject(s.training);
    ORR_TRY_DONE(ctx, open_instruments(&s, arena, &subject, seed));
    ORR_TRY_DONE(ctx, orr_store_start_run(store, run, out->started_at));
    status = train(&s, options ? options : &defaults, out);
    const char *state = status == ORR_EINTERRUPTED ? "interrupted" : out->diverged ? "diverged" : "finished";
    if (status == ORR_OK || status == ORR_EINTERRUPTED) {
        const orr_status finished = orr_store_finish_run(store, run, state, out->steps, out->finished_at);
        if (status == ORR_OK) status = finished;
    } else {
        const orr_status committed = orr_store_commit(store);
        (void)committed; /* the first failure is the one to tell */
    }
done:
    close_instruments(&s);
    orr_training_free(s.training);
    orr_arena_free(arena);
    return status;
}
