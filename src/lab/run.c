#include "lab/run.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/progress.h"

/* Updates between two looks at the clock, the signal and the loss. */
enum { CHUNK = 50 };
static const double default_checkpoint_seconds = 10.0;

/* What `patience` remembers of a member. */
typedef struct waiting {
    double least;  /* loss_test so far; infinite where there was none */
    int64_t since; /* measurements that were no new minimum */
} waiting;

typedef struct session {
    orr_context *ctx;
    orr_store *store;
    orr_arena *arena;
    const orr_job *job;
    const orr_job_options *options;
    orr_training *training;
    void **instrument;   /* [observations] */
    double **spent;      /* [observations]: the time of its kind */
    size_t *memory_size; /* [observations]: bytes a member */
    char **memory;       /* [observations]: [members, bytes] */
    bool *done;          /* [members]: no longer trained nor recorded */
    waiting *waiting;    /* [members] */
    orr_run_outcome *outcome;
    int64_t member, observation; /* that is being measured, and what measures */
    int64_t pending;             /* the step whose evaluation the next update will yield; -1: none */
    char *checkpoint;            /* room for one */
    double saved;                /* when the last checkpoint was written */
    orr_run_time time;
    double charged;   /* up to when time is in there */
    double stop_seen; /* when it was first seen, while measuring, that the job is to stop; 0: not yet */
} session;

static bool was_finished(const session *s, int64_t m) { return s->job->finished && s->job->finished[m]; }

static orr_status no_memory(const session *s) { return orr_fail(s->ctx, ORR_ENOMEM, "no memory for a run"); }

/* ---- time ------------------------------------------------------------------------------------------------------------------------- */

void orr_run_time_add(orr_run_time *sum, const orr_run_time *more) {
    sum->updates += more->updates;
    for (int i = 0; i < ORR_INSTRUMENTS; i++) sum->instrument[i] += more->instrument[i];
    sum->store += more->store;
    sum->rest += more->rest;
}

double orr_run_time_instruments(const orr_run_time *t) {
    double all = 0.0;
    for (int i = 0; i < ORR_INSTRUMENTS; i++) all += t->instrument[i];
    return all;
}

double orr_run_time_whole(const orr_run_time *t) {
    return t->updates + orr_run_time_instruments(t) + t->store + t->rest;
}

/* The time since the last call is that of `to`. */
static void charge(session *s, double *to) {
    const double now = orr_now();
    *to += now - s->charged;
    s->charged = now;
}

/* ---- observing -------------------------------------------------------------------------------------------------------------------- */

static void wait_for(waiting *w, double loss) {
    w->since = loss < w->least ? 0 : w->since + 1;
    if (loss < w->least) w->least = loss;
}

static orr_status record(void *self, const char *series, int64_t step, double value) {
    session *s = self;
    if (s->job->point->patience && strcmp(series, "loss_test") == 0) wait_for(&s->waiting[s->member], value);
    charge(s, s->spent[s->observation]);
    const orr_status status = orr_store_record(s->store, s->job->run[s->member], series, step, value);
    charge(s, &s->time.store);
    return status;
}

static orr_status record_array(void *self, const char *name, int64_t step, orr_dtype dtype, const orr_shape *shape,
                               const void *data) {
    session *s = self;
    charge(s, s->spent[s->observation]);
    const orr_status status = orr_store_record_array(s->store, s->job->run[s->member], name, step, dtype, shape, data);
    charge(s, &s->time.store);
    return status;
}

/* What an instrument measures of the initial network to compare with it later, where no record of it is due. */
static orr_status leave_out(void *self, const char *series, int64_t step, double value) {
    (void)self, (void)series, (void)step, (void)value;
    return ORR_OK;
}

static orr_status leave_out_array(void *self, const char *name, int64_t step, orr_dtype dtype, const orr_shape *shape,
                                  const void *data) {
    (void)self, (void)name, (void)step, (void)dtype, (void)shape, (void)data;
    return ORR_OK;
}

static bool measures(const orr_observation *o, int64_t step) {
    const bool starts = step == 0 && o->instrument->from_start && o->instrument->from_start(&o->settings);
    return starts || orr_instrument_due(&o->settings, step);
}

static bool any_measures(const session *s, int64_t step) {
    for (int64_t i = 0; i < s->job->point->n_observations; i++)
        if (measures(&s->job->point->observations[i], step)) return true;
    return false;
}

/* Between two measurements.  Those of a step that take no longer are finished, so that a checkpoint can be written behind them; else
 * what the step has recorded goes when the run is resumed from its last checkpoint. */
static const double patience_seconds = 2.0;
static orr_status check_stop_measuring(session *s, int64_t step) {
    if (!s->options->stop || !*s->options->stop) return ORR_OK;
    if (s->stop_seen == 0.0) s->stop_seen = orr_now();
    if (orr_now() - s->stop_seen < patience_seconds) return ORR_OK;
    return orr_fail(
        s->ctx, ORR_EINTERRUPTED,
        "interrupted while measuring after %lld updates; `orrery resume` goes on from the last checkpoint in %s",
        (long long)step, orr_store_path(s->store));
}

static orr_status observe_member(session *s, int64_t step) {
    const orr_sink sink = { record, record_array, s }, nowhere = { leave_out, leave_out_array, NULL };
    const uint64_t seed = s->job->member[s->member].seed;
    for (int64_t i = 0; i < s->job->point->n_observations; i++) {
        const orr_observation *o = &s->job->point->observations[i];
        void *memory = s->memory[i] + (size_t)s->member * s->memory_size[i];
        if (!measures(o, step)) continue;
        const orr_sink *to = orr_instrument_due(&o->settings, step) ? &sink : &nowhere;
        ORR_TRY(s->ctx, check_stop_measuring(s, step));
        s->observation = i;
        ORR_TRY(s->ctx, o->instrument->measure(s->instrument[i], step, seed, memory, to));
        charge(s, s->spent[i]);
    }
    return ORR_OK;
}

/* ---- the shared evaluation --------------------------------------------------------------------------------------------------------- */

/* What an instrument needs after `step` updates, where it is due; a negative step: what it ever needs. */
static unsigned needs_of(const orr_observation *o, int64_t step) {
    const bool due = o->instrument->needs && (step < 0 || orr_instrument_due(&o->settings, step));
    return due ? o->instrument->needs(&o->settings) : ORR_NEEDS_NOTHING;
}

static unsigned needs_at(const orr_point *point, int64_t step) {
    unsigned needs = ORR_NEEDS_NOTHING;
    for (int64_t i = 0; i < point->n_observations; i++) needs |= needs_of(&point->observations[i], step);
    return needs;
}

static int64_t first_that_needs(const orr_point *point, int64_t step, unsigned need) {
    int64_t i = 0;
    while (!(needs_of(&point->observations[i], step) & need)) i++;
    return i;
}

static orr_status give(session *s, int64_t m, int64_t step, const orr_evaluation *e) {
    const orr_sink sink = { record, record_array, s };
    s->member = m;
    for (int64_t i = 0; i < s->job->point->n_observations; i++) {
        const orr_observation *o = &s->job->point->observations[i];
        if (!needs_of(o, step)) continue;
        s->observation = i;
        ORR_TRY(s->ctx, o->instrument->take(s->instrument[i], step, e, &sink));
        charge(s, s->spent[i]);
    }
    return ORR_OK;
}

/* After the members' ends are known: those that go on have their next update, the others have not. */
static orr_status evaluate(session *s, int64_t step) {
    const unsigned needs = needs_at(s->job->point, step);
    orr_evaluation e;
    if (!needs) return ORR_OK;
    for (int64_t m = 0; m < s->job->members; m++) {
        if (s->done[m] && (was_finished(s, m) || s->outcome[m].steps < step)) continue; /* had ended before */
        if (!s->done[m] && orr_training_yields(s->training)) {
            s->pending = step;
            continue;
        }
        ORR_TRY(s->ctx, check_stop_measuring(s, step));
        charge(s, &s->time.rest);
        orr_training_select(s->training, m);
        ORR_TRY(s->ctx, orr_training_evaluate(s->training, needs, &e));
        charge(s, s->spent[first_that_needs(s->job->point, step,
                                            needs & ORR_NEEDS_GRADIENT ? ORR_NEEDS_GRADIENT : ORR_NEEDS_LOSS)]);
        ORR_TRY(s->ctx, give(s, m, step, &e));
    }
    return ORR_OK;
}

/* After the update that followed. */
static orr_status collect(session *s) {
    const int64_t step = s->pending;
    s->pending = -1;
    for (int64_t m = 0; step >= 0 && m < s->job->members; m++) {
        if (s->done[m]) continue;
        const orr_evaluation e = orr_training_yield(s->training, m);
        ORR_TRY(s->ctx, give(s, m, step, &e));
    }
    return ORR_OK;
}

/* ---- observing all members ------------------------------------------------------------------------------------------------------------ */

static orr_status observe(session *s, int64_t step) {
    if (!any_measures(s, step)) return ORR_OK;
    for (int64_t m = 0; m < s->job->members; m++) {
        if (s->done[m]) continue;
        s->member = m;
        orr_training_select(s->training, m);
        ORR_TRY(s->ctx, observe_member(s, step));
    }
    return ORR_OK;
}

/* Where the next chunk ends: at the next observation, or the end, or after CHUNK updates; after one that yields an evaluation. */
static int64_t next_stop(const session *s, int64_t step) {
    const int64_t steps = s->job->point->steps;
    if (s->pending >= 0) return step + 1;
    int64_t next = step + CHUNK < steps ? step + CHUNK : steps;
    for (int64_t i = 0; i < s->job->point->n_observations; i++) {
        const int64_t at = orr_instrument_next(&s->job->point->observations[i].settings, step);
        if (at < next) next = at;
    }
    return next;
}

static orr_status open_instruments(session *s) {
    const orr_point *point = s->job->point;
    const orr_subject subject = orr_training_subject(s->training);
    s->instrument = ORR_NEW(s->arena, void *, point->n_observations);
    s->spent = ORR_NEW(s->arena, double *, point->n_observations);
    s->memory = ORR_NEW(s->arena, char *, point->n_observations);
    s->memory_size = ORR_NEW(s->arena, size_t, point->n_observations);
    if (!s->instrument || !s->spent || !s->memory || !s->memory_size) return no_memory(s);
    for (int64_t i = 0; i < point->n_observations; i++) {
        const orr_observation *o = &point->observations[i];
        int kind = 0;
        while (orr_instrument_at(kind) != o->instrument) kind++;
        s->spent[i] = &s->time.instrument[kind];
        /* whole lines, so that each member's memory is aligned */
        const size_t size = o->instrument->memory ? o->instrument->memory(&o->settings, &subject) : 0;
        s->memory_size[i] = (size + 63) / 64 * 64;
        s->memory[i] = orr_arena_take(s->arena, s->job->members, s->memory_size[i]);
        if (!s->memory[i]) return no_memory(s);
        ORR_TRY(s->ctx, o->instrument->open(s->ctx, &o->settings, &subject, &s->instrument[i]));
    }
    return ORR_OK;
}

static void close_instruments(session *s) {
    for (int64_t i = 0; s->instrument && i < s->job->point->n_observations; i++)
        s->job->point->observations[i].instrument->close(s->instrument[i]);
}

/* ---- checkpoints --------------------------------------------------------------------------------------------------------------------- */

/* A checkpoint of a job, kept with its first run: for each member
 *     i64 updates made, u8 done, u8 diverged, 6 bytes of 0, f64 least, i64 since
 *     the training's state, then each instrument's memory */
enum { HEAD = 32 };

static size_t checkpoint_bytes(const session *s) {
    size_t one = HEAD + orr_training_state_bytes(s->training);
    for (int64_t i = 0; i < s->job->point->n_observations; i++) one += s->memory_size[i];
    return one * (size_t)s->job->members;
}

static void write_checkpoint(const session *s, char *to) {
    const size_t state = orr_training_state_bytes(s->training);
    for (int64_t m = 0; m < s->job->members; m++) {
        memset(to, 0, HEAD);
        memcpy(to, &s->outcome[m].steps, sizeof(int64_t));
        to[8] = (char)s->done[m];
        to[9] = (char)s->outcome[m].diverged;
        memcpy(to + 16, &s->waiting[m].least, sizeof(double));
        memcpy(to + 24, &s->waiting[m].since, sizeof(int64_t));
        orr_training_save(s->training, m, to + HEAD);
        to += HEAD + state;
        for (int64_t i = 0; i < s->job->point->n_observations; i++) {
            memcpy(to, s->memory[i] + (size_t)m * s->memory_size[i], s->memory_size[i]);
            to += s->memory_size[i];
        }
    }
}

static void read_checkpoint(session *s, const char *from) {
    const size_t state = orr_training_state_bytes(s->training);
    for (int64_t m = 0; m < s->job->members; m++) {
        memcpy(&s->outcome[m].steps, from, sizeof(int64_t));
        s->done[m] = from[8] != 0;
        s->outcome[m].diverged = from[9] != 0;
        memcpy(&s->waiting[m].least, from + 16, sizeof(double));
        memcpy(&s->waiting[m].since, from + 24, sizeof(int64_t));
        orr_training_load(s->training, m, from + HEAD);
        from += HEAD + state;
        for (int64_t i = 0; i < s->job->point->n_observations; i++) {
            memcpy(s->memory[i] + (size_t)m * s->memory_size[i], from, s->memory_size[i]);
            from += s->memory_size[i];
        }
    }
}

/* The state after `step` updates, kept in memory until what was recorded of that step is whole. */
static orr_status keep_checkpoint(session *s) {
    if (!s->checkpoint) s->checkpoint = orr_allocate(s->ctx, checkpoint_bytes(s));
    if (!s->checkpoint) return no_memory(s);
    write_checkpoint(s, s->checkpoint);
    return ORR_OK;
}

static orr_status save(session *s, int64_t step) {
    s->saved = orr_now();
    return orr_store_checkpoint(s->store, s->job->run[0], step, s->checkpoint, checkpoint_bytes(s));
}

/* Goes back to the last checkpoint, or to the start: *step updates are made, and what was recorded later is gone. */
static orr_status restore(session *s, int64_t *step) {
    const void *data;
    size_t bytes;
    int64_t saved;
    ORR_TRY(s->ctx, orr_store_checkpoint_of(s->store, s->arena, s->job->run[0], &saved, &data, &bytes));
    if (saved >= 0 && bytes != checkpoint_bytes(s))
        return orr_fail(
            s->ctx, ORR_EINPUT,
            "store %s: the checkpoint of run %lld has %zu bytes, this program would write %zu; it can't be resumed",
            orr_store_path(s->store), (long long)s->job->run[0], bytes, checkpoint_bytes(s));
    if (saved >= 0) read_checkpoint(s, data);
    for (int64_t m = 0; m < s->job->members; m++) {
        s->done[m] = s->done[m] || was_finished(s, m);
        if (!was_finished(s, m)) ORR_TRY(s->ctx, orr_store_rewind(s->store, s->job->run[m], saved));
    }
    *step = saved;
    return ORR_OK;
}

/* ---- training ---------------------------------------------------------------------------------------------------------------------------- */

static orr_status record_parameters(session *s, int64_t m, int64_t step) {
    const orr_problem *p = s->job->member[m].problem;
    orr_training_select(s->training, m);
    for (int64_t i = 0; i < p->n_tensors; i++) {
        const char *name = orr_arena_format(s->arena, "parameter.%s", p->tensors[i].name);
        if (!name) return no_memory(s);
        ORR_TRY(s->ctx, orr_store_record_array(s->store, s->job->run[m], name, step, p->dtype, &p->tensors[i].shape,
                                               orr_training_parameter(s->training, i)));
    }
    return ORR_OK;
}

/* Of the selected member. */
static bool has_finite_parameters(const session *s, int64_t m) {
    const orr_problem *p = s->job->member[m].problem;
    for (int64_t i = 0; i < p->n_tensors; i++) {
        const int64_t n = orr_shape_count(&p->tensors[i].shape);
        const void *w = orr_training_parameter(s->training, i);
        for (int64_t j = 0; j < n; j++)
            if (!isfinite(p->dtype == ORR_F32 ? (double)((const float *)w)[j] : ((const double *)w)[j])) return false;
    }
    return true;
}

/* Which members are at their end after `step` updates; *left of them go on. */
static orr_status close_members(session *s, int64_t step, int64_t *left) {
    const orr_point *point = s->job->point;
    *left = 0;
    for (int64_t m = 0; m < s->job->members; m++) {
        if (s->done[m]) continue;
        const double loss = orr_training_loss(s->training, m);
        s->outcome[m].steps = step;
        s->outcome[m].diverged = step > 0 && !isfinite(loss);
        const bool early =
            (point->until > 0.0 && loss < point->until) || (point->patience && s->waiting[m].since >= point->patience);
        if (s->outcome[m].diverged || step >= point->steps || early) {
            s->done[m] = true;
            /* an initial network comes again from its seed: many wide ones would fill the store */
            if (step > 0 && point->keep_parameters) {
                charge(s, &s->time.rest);
                ORR_TRY(s->ctx, record_parameters(s, m, step));
                charge(s, &s->time.store);
            }
            /* the last update came after the last loss */
            s->outcome[m].diverged = s->outcome[m].diverged || !has_finite_parameters(s, m);
        } else {
            ++*left;
        }
    }
    return ORR_OK;
}

static void tick(const session *s, int64_t steps) {
    if (s->options->done) (void)atomic_fetch_add(s->options->done, (long long)(steps * s->job->members));
}

static orr_status interrupted(const session *s, int64_t step) {
    return orr_fail(s->ctx, ORR_EINTERRUPTED,
                    "interrupted after %lld updates; %s keeps what was recorded: `orrery resume` goes on from here",
                    (long long)step, orr_store_path(s->store));
}

/* The updates from *step to the next stop, with a checkpoint of *step where it is time for one.  Where an update yields what is
 * still to be recorded of *step, the checkpoint is written behind it, so that a resumed run has nothing to catch up on. */
static orr_status advance(session *s, double pause, int64_t *step) {
    const bool stop = s->options->stop && *s->options->stop,
               saves = stop || (*step > 0 && orr_now() - s->saved >= pause);
    const int64_t next = next_stop(s, *step);
    if (saves) ORR_TRY(s->ctx, keep_checkpoint(s));
    charge(s, saves ? &s->time.store : &s->time.rest);
    if (!stop || s->pending >= 0) ORR_TRY(s->ctx, orr_training_advance(s->training, next - *step));
    charge(s, &s->time.updates);
    ORR_TRY(s->ctx, collect(s));
    if (saves) {
        ORR_TRY(s->ctx, save(s, *step));
        charge(s, &s->time.store);
    }
    if (stop) return interrupted(s, *step);
    tick(s, next - *step);
    *step = next;
    return ORR_OK;
}

static orr_status train(session *s) {
    const double pause =
        s->options->checkpoint_seconds > 0.0 ? s->options->checkpoint_seconds : default_checkpoint_seconds;
    int64_t step = -1, left = 0;
    if (s->options->resume) ORR_TRY(s->ctx, restore(s, &step));
    if (step < 0) {
        step = 0;
        ORR_TRY(s->ctx, observe(s, 0));
        ORR_TRY(s->ctx, close_members(s, 0, &left));
        ORR_TRY(s->ctx, evaluate(s, 0));
    } else {
        for (int64_t m = 0; m < s->job->members; m++) left += !s->done[m];
    }
    tick(s, step);
    s->saved = orr_now();
    while (left > 0) {
        ORR_TRY(s->ctx, advance(s, pause, &step));
        ORR_TRY(s->ctx, observe(s, step));
        ORR_TRY(s->ctx, close_members(s, step, &left));
        ORR_TRY(s->ctx, evaluate(s, step));
    }
    tick(s, s->job->point->steps - step);
    return ORR_OK;
}

static orr_status start_runs(session *s) {
    for (int64_t m = 0; m < s->job->members; m++)
        if (!was_finished(s, m))
            ORR_TRY(s->ctx, orr_store_start_run(s->store, s->job->run[m], s->outcome[m].started_at));
    return ORR_OK;
}

static orr_status finish_runs(session *s, bool interrupted) {
    for (int64_t m = 0; m < s->job->members; m++) {
        if (was_finished(s, m)) continue;
        const char *state = interrupted ? "interrupted" : s->outcome[m].diverged ? "diverged" : "finished";
        ORR_TRY(s->ctx,
                orr_store_finish_run(s->store, s->job->run[m], state, s->outcome[m].steps, s->outcome[m].finished_at));
    }
    return ORR_OK;
}

static orr_status open_session(session *s) {
    const orr_point *point = s->job->point;
    const orr_training_options options = {
        .rule = point->rule, .rule_settings = &point->rule_settings, .steps = point->steps, .needs = needs_at(point, -1)
    };
    ORR_TRY(s->ctx, orr_arena_new(s->ctx, &s->arena));
    s->done = ORR_NEW(s->arena, bool, s->job->members);
    s->waiting = ORR_NEW(s->arena, waiting, s->job->members);
    if (!s->done || !s->waiting) return no_memory(s);
    for (int64_t m = 0; m < s->job->members; m++) s->waiting[m].least = (double)INFINITY;
    ORR_TRY(s->ctx, orr_training_new(s->ctx, s->job->member, s->job->members, &options, &s->training));
    return open_instruments(s);
}

orr_status orr_job_run(orr_context *ctx, orr_store *store, const orr_job *job, const orr_job_options *options,
                       orr_run_outcome *outcome) {
    static const orr_job_options defaults = { 0 };
    session s = { .ctx = ctx,
                  .store = store,
                  .job = job,
                  .options = options ? options : &defaults,
                  .outcome = outcome,
                  .pending = -1 };
    memset(outcome, 0, (size_t)job->members * sizeof *outcome);
    orr_status status = open_session(&s);
    if (status == ORR_OK) status = start_runs(&s);
    s.charged = orr_now();
    if (status == ORR_OK) {
        status = train(&s);
        charge(&s, &s.time.rest);
        if (status == ORR_OK || status == ORR_EINTERRUPTED) {
            const orr_status finished = finish_runs(&s, status != ORR_OK);
            if (status == ORR_OK) status = finished;
        } else {
            const orr_status committed = orr_store_commit(store);
            (void)committed; /* the first failure is the one to tell */
        }
    }
    charge(&s, &s.time.store);
    if (s.options->time) orr_run_time_add(s.options->time, &s.time);
    close_instruments(&s);
    orr_training_free(s.training);
    orr_arena_free(s.arena);
    orr_release(ctx, s.checkpoint);
    return status;
}
