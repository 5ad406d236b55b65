#include "lab/execute.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/context.h"
#include "base/progress.h"
#include "lab/stored.h"

static orr_status no_memory(orr_context *ctx) { return orr_fail(ctx, ORR_ENOMEM, "no memory for an experiment"); }

/* ---- what two points share ------------------------------------------------------------------------------------------------------ */

static bool same_value(const orr_value *a, const orr_value *b) {
    if (a->integer != b->integer || a->real != b->real || a->n != b->n || !a->text != !b->text) return false;
    if (a->text && strcmp(a->text, b->text) != 0) return false;
    for (int64_t i = 0; i < a->n; i++) {
        if (a->items && a->items[i] != b->items[i]) return false;
        if (a->reals && a->reals[i] != b->reals[i]) return false;
    }
    return true;
}

/* Equal but for the value of `but` (NULL: no exception). */
static bool same_settings(const orr_settings *a, const orr_settings *b, const char *but) {
    if (a->table != b->table) return false;
    for (int i = 0; a->table[i].name; i++)
        if ((!but || strcmp(a->table[i].name, but) != 0) && !same_value(&a->value[i], &b->value[i])) return false;
    return true;
}

static bool same_data(const orr_point *a, const orr_point *b) {
    return a->data == b->data && same_settings(&a->data_settings, &b->data_settings, NULL);
}

/* All but rule, seed, length and what is observed. */
static bool same_problem(const orr_point *a, const orr_point *b) {
    return a->architecture == b->architecture && a->task == b->task && a->precision == b->precision &&
           same_settings(&a->architecture_settings, &b->architecture_settings, NULL) &&
           same_settings(&a->parameterization_settings, &b->parameterization_settings, NULL) &&
           same_settings(&a->initial_settings, &b->initial_settings, NULL) &&
           same_settings(&a->task_settings, &b->task_settings, NULL) && same_data(a, b);
}

static bool same_observations(const orr_point *a, const orr_point *b) {
    if (a->n_observations != b->n_observations) return false;
    for (int64_t i = 0; i < a->n_observations; i++)
        if (!same_settings(&a->observations[i].settings, &b->observations[i].settings, NULL)) return false;
    return true;
}

/* Whether two runs' updates are one graph: what may differ is an input of it (learning rate, seed, data of the same shape) or
 * where the parameters start. */
static bool same_graph(const orr_point *a, const orr_point *b) {
    const char *rate = orr_settings_has(&a->rule_settings, "learning_rate") ? "learning_rate" : NULL;
    const char *seed = orr_settings_has(&a->data_settings, "seed") ? "seed" : NULL;
    return a->architecture == b->architecture && a->task == b->task && a->precision == b->precision &&
           a->rule == b->rule && a->steps == b->steps && a->until == b->until && a->patience == b->patience &&
           a->keep_parameters == b->keep_parameters && a->data == b->data &&
           same_settings(&a->architecture_settings, &b->architecture_settings, NULL) &&
           same_settings(&a->parameterization_settings, &b->parameterization_settings, NULL) &&
           same_settings(&a->task_settings, &b->task_settings, NULL) &&
           same_settings(&a->data_settings, &b->data_settings, seed) &&
           same_settings(&a->rule_settings, &b->rule_settings, rate) && same_observations(a, b);
}

static bool resamples(const orr_point *p) {
    return orr_settings_has(&p->data_settings, "resample") && orr_flag(&p->data_settings, "resample");
}

/* ---- problems ---------------------------------------------------------------------------------------------------------------------- */

static orr_status make_problem(orr_context *ctx, orr_arena *arena, const orr_point *p, uint64_t seed,
                               const orr_dataset *data, const orr_problem **out) {
    orr_dataset fresh;
    orr_problem *problem = ORR_NEW(arena, orr_problem, 1);
    if (!problem) return no_memory(ctx);
    if (!data) ORR_TRY(ctx, p->data->load(ctx, arena, &p->data_settings, seed, &fresh));
    const orr_ingredients kinds = { .architecture = p->architecture,
                                    .parameterization = p->parameterization,
                                    .initial = p->initial,
                                    .data = p->data,
                                    .task = p->task,
                                    .architecture_settings = p->architecture_settings,
                                    .parameterization_settings = p->parameterization_settings,
                                    .initial_settings = p->initial_settings,
                                    .data_settings = p->data_settings,
                                    .task_settings = p->task_settings };
    *out = problem;
    return orr_problem_new(ctx, arena, &kinds, data ? data : &fresh, p->precision, problem);
}

/* The problem of one run, or one that is there already. */
static orr_status prepare_run(orr_context *ctx, orr_arena *arena, const orr_experiment *e, int64_t i, int64_t seed,
                              const orr_problem **problems) {
    const orr_point *p = &e->points[i];
    const orr_problem **out = &problems[i * e->seeds + seed];
    const orr_dataset *data = NULL;
    const bool fresh = resamples(p);
    if (seed > 0 && !fresh) {
        *out = problems[i * e->seeds];
        return ORR_OK;
    }
    for (int64_t j = 0; j < i; j++) {
        const orr_problem *there = problems[j * e->seeds + seed];
        if (same_problem(p, &e->points[j])) {
            *out = there;
            return ORR_OK;
        }
        if (same_data(p, &e->points[j])) data = &there->data;
    }
    return make_problem(ctx, arena, p, (uint64_t)seed, data, out);
}

/* Epochs in updates, now that n is known. */
static orr_status settle_steps(orr_context *ctx, orr_arena *arena, orr_experiment *e,
                               const orr_problem *const *problems) {
    orr_point *points = ORR_NEW(arena, orr_point, e->n_points);
    if (!points) return no_memory(ctx);
    memcpy(points, e->points, (size_t)e->n_points * sizeof *points);
    for (int64_t i = 0; i < e->n_points; i++)
        if (points[i].epochs)
            points[i].steps =
                points[i].epochs * orr_training_epoch(&points[i].rule_settings, problems[i * e->seeds]->data.n);
    e->points = points;
    return ORR_OK;
}

/* Patience waits for the loss over test examples: without one a run would never end early. */
static orr_status check_patience(orr_context *ctx, const orr_point *p, const orr_problem *problem) {
    bool seen = p->patience == 0 || (p->steps == 0 && p->epochs == 0); /* nothing to end */
    for (int64_t i = 0; i < p->n_observations && !seen; i++)
        seen = strcmp(p->observations[i].instrument->kind.name, "loss") == 0 &&
               !orr_settings_say(&p->observations[i].settings, "part", "train") && problem->data.n_test > 0;
    return seen ? ORR_OK
                : orr_fail(ctx, ORR_EINPUT,
                           "%s: `patience` waits for the loss over test examples: it needs `observe: [loss]` and test "
                           "examples (`n_test`)",
                           p->name);
}

orr_status orr_lab_prepare(orr_context *ctx, orr_arena *out_arena, orr_experiment *experiment,
                           const orr_problem ***problems) {
    const int64_t runs = experiment->n_points * experiment->seeds;
    const orr_problem **all = ORR_NEW(out_arena, const orr_problem *, runs);
    if (!all) return no_memory(ctx);
    for (int64_t i = 0; i < runs; i++)
        ORR_TRY(ctx, prepare_run(ctx, out_arena, experiment, i / experiment->seeds, i % experiment->seeds, all));
    for (int64_t i = 0; i < experiment->n_points; i++)
        ORR_TRY(ctx, check_patience(ctx, &experiment->points[i], all[i * experiment->seeds]));
    *problems = all;
    return settle_steps(ctx, out_arena, experiment, all);
}

/* ---- the seal ------------------------------------------------------------------------------------------------------------------------ */

orr_status orr_lab_seal(orr_context *ctx, orr_arena *out_arena, orr_store *store, const orr_experiment *e,
                        const orr_problem *const *problems, bool no_ensemble, orr_store_prediction *predictions,
                        int64_t n_predictions, orr_sealed *out) {
    const int64_t n = e->n_points * e->seeds;
    orr_stored_notes notes = { .no_ensemble = no_ensemble };
    const char *text;
    orr_store_run *runs = ORR_NEW(out_arena, orr_store_run, n);
    out->run = ORR_NEW(out_arena, int64_t, n);
    struct utsname machine;
    const char *name = uname(&machine) == 0
                           ? orr_arena_format(out_arena, "%s %s %s", machine.sysname, machine.release, machine.machine)
                           : "?";
    if (!runs || !out->run || !name) return no_memory(ctx);
    ORR_TRY(ctx, orr_stored_data(ctx, problems, n, notes.data));
    ORR_TRY(ctx, orr_stored_text(ctx, out_arena, e, &notes, &text));
    for (int64_t i = 0; i < n; i++) {
        const orr_point *p = &e->points[i / e->seeds];
        runs[i] = (orr_store_run){ .name = p->name, .settings = p->json, .seed = i % e->seeds };
    }
    orr_store_experiment stored = { .name = e->name,
                                    .size = e->size,
                                    .text = text,
                                    .machine = name,
                                    .runs = runs,
                                    .n_runs = n,
                                    .predictions = predictions,
                                    .n_predictions = n_predictions };
    ORR_TRY(ctx, orr_store_open_experiment(store, &stored));
    out->experiment = stored.id;
    for (int64_t i = 0; i < n; i++) out->run[i] = runs[i].id;
    return ORR_OK;
}

/* What was in one place, for several problems perhaps. */
static void give_back(orr_arena *arena, const orr_problem *const *problems, int64_t n, const double *x,
                      const double *y) {
    for (int64_t i = 0; i < n; i++) {
        orr_dataset *d = &((orr_problem *)problems[i])->data; /* make_problem's, which are no constants */
        if (d->x == x) d->x = NULL;
        if (d->y == y) d->y = NULL;
    }
    orr_arena_give_back(arena, x);
    orr_arena_give_back(arena, y);
}

void orr_lab_give_back(orr_arena *out_arena, const orr_experiment *e, const orr_problem *const *problems) {
    const int64_t n = e->n_points * e->seeds;
    for (int64_t i = 0; i < n; i++) {
        const orr_dataset *d = &problems[i]->data;
        if (d->x || d->y) give_back(out_arena, problems + i, n - i, d->x, d->y);
    }
}

/* ---- jobs ----------------------------------------------------------------------------------------------------------------------------- */

/* Above this many operations an update, 6 a parameter and example as forward and backward take, runs go alone: their memory stays in a
 * core's first cache and each core has its own, where an ensemble walks through all members' memory at each step.  bench/laboratory
 * --ensembles measures it: 32 members on two cores took as long together as alone between 3.5e3 and 1.4e4 operations, a quarter less
 * at 3.5e3, twice to three times as long from 2e5 on. */
static const double ensemble_work_max = 5e3;
/* Numbers of all members' parameters and buffers together. */
static const double ensemble_numbers_max = 6.4e7;
enum { ENSEMBLE_MAX = 256 };

static double work_of(const orr_point *p, const orr_problem *problem) {
    return 6.0 * (double)problem->n * (double)orr_training_batch(&p->rule_settings, problem->data.n);
}

static bool joins(const orr_experiment *e, const orr_problem *const *problems, const int64_t *index, int64_t members,
                  int64_t i) {
    const orr_point *first = &e->points[index[0] / e->seeds], *p = &e->points[i / e->seeds];
    const orr_problem *problem = problems[i];
    if (members >= ENSEMBLE_MAX || work_of(p, problem) > ensemble_work_max) return false;
    if ((double)(members + 1) * (double)problem->n * (1.0 + first->rule->buffers) > ensemble_numbers_max) return false;
    return same_graph(first, p) && problems[index[0]]->data.n == problem->data.n &&
           problems[index[0]]->data.n_test == problem->data.n_test;
}

static orr_status fill_job(orr_context *ctx, orr_arena *arena, const orr_experiment *e,
                           const orr_problem *const *problems, const int64_t *run, const int64_t *index, orr_job *job) {
    orr_member *member = ORR_NEW(arena, orr_member, job->members);
    int64_t *ids = ORR_NEW(arena, int64_t, job->members);
    if (!member || !ids) return no_memory(ctx);
    for (int64_t m = 0; m < job->members; m++) {
        const orr_point *p = &e->points[index[m] / e->seeds];
        const bool rate = orr_settings_has(&p->rule_settings, "learning_rate");
        ids[m] = run ? run[index[m]] : 0;
        member[m] = (orr_member){ .problem = problems[index[m]],
                                  .seed = (uint64_t)(index[m] % e->seeds),
                                  .learning_rate = rate ? orr_real(&p->rule_settings, "learning_rate") : 0.0 };
    }
    job->point = &e->points[index[0] / e->seeds];
    job->member = member;
    job->run = ids;
    return ORR_OK;
}

orr_status orr_lab_group(orr_context *ctx, orr_arena *out_arena, const orr_experiment *e,
                         const orr_problem *const *problems, const int64_t *run, bool no_ensemble, orr_lab_jobs *out) {
    const int64_t runs = e->n_points * e->seeds;
    *out = (orr_lab_jobs){ .job = ORR_NEW(out_arena, orr_job, runs), .index = ORR_NEW(out_arena, int64_t *, runs) };
    if (!out->job || !out->index) return no_memory(ctx);
    for (int64_t i = 0; i < runs; i++) {
        int64_t j = no_ensemble ? out->n : 0;
        while (j < out->n && !joins(e, problems, out->index[j], out->job[j].members, i)) j++;
        if (j == out->n) {
            out->index[j] = ORR_NEW(out_arena, int64_t, ENSEMBLE_MAX);
            if (!out->index[j]) return no_memory(ctx);
            out->n++;
        }
        out->index[j][out->job[j].members++] = i;
    }
    for (int64_t j = 0; j < out->n; j++)
        ORR_TRY(ctx, fill_job(ctx, out_arena, e, problems, run, out->index[j], &out->job[j]));
    return ORR_OK;
}

/* ---- over cores ------------------------------------------------------------------------------------------------------------------------ */

typedef struct crew {
    const orr_lab_jobs *jobs;
    const orr_lab_options *options;
    const char *store; /* path */
    orr_run_outcome *outcome;
    atomic_llong next, done;
    atomic_int working, failed;
    volatile sig_atomic_t stop; /* asked for by the user, or after a failure */
    int threads;                /* of each worker's kernels */
} crew;

typedef struct worker {
    crew *crew;
    pthread_t thread;
    orr_run_time time;
    orr_status status;
    char message[1024];
} worker;

static bool is_skipped(const crew *c, int64_t j) {
    for (int64_t m = 0; m < c->jobs->job[j].members; m++)
        if (!c->options->finished || !c->options->finished[c->jobs->index[j][m]]) return false;
    return true;
}

static orr_status run_one(orr_context *ctx, orr_store *store, crew *c, int64_t j, orr_run_time *time) {
    orr_job job = c->jobs->job[j];
    if (is_skipped(c, j)) {
        (void)atomic_fetch_add(&c->done, (long long)(job.members * job.point->steps));
        return ORR_OK;
    }
    orr_run_outcome *outcome = orr_allocate(ctx, (size_t)job.members * sizeof *outcome);
    if (!outcome) return no_memory(ctx);
    bool *finished = orr_allocate(ctx, (size_t)job.members);
    if (!finished) {
        orr_release(ctx, outcome);
        return no_memory(ctx);
    }
    for (int64_t m = 0; m < job.members; m++)
        finished[m] = c->options->finished && c->options->finished[c->jobs->index[j][m]];
    job.finished = finished;
    const orr_job_options options = { .stop = &c->stop,
                                      .checkpoint_seconds = c->options->checkpoint_seconds,
                                      .resume = c->options->resume,
                                      .done = &c->done,
                                      .time = time };
    const orr_status status = orr_job_run(ctx, store, &job, &options, outcome);
    for (int64_t m = 0; m < job.members; m++) c->outcome[c->jobs->index[j][m]] = outcome[m];
    orr_release(ctx, finished);
    orr_release(ctx, outcome);
    return status;
}

static orr_status run_some(orr_context *ctx, orr_store *store, crew *c, orr_run_time *time) {
    for (;;) {
        const int64_t j = (int64_t)atomic_fetch_add(&c->next, 1);
        if (j >= c->jobs->n) return ORR_OK;
        ORR_TRY(ctx, run_one(ctx, store, c, j, time));
    }
}

static void *work(void *self) {
    worker *w = self;
    orr_context *ctx = NULL;
    orr_store *store = NULL;
    w->status = orr_context_new(&(orr_context_options){ .threads = w->crew->threads }, &ctx);
    if (w->status == ORR_OK) w->status = orr_store_open(ctx, w->crew->store, &store);
    if (w->status == ORR_OK) w->status = run_some(ctx, store, w->crew, &w->time);
    if (w->status != ORR_OK) {
        const char *message = ctx ? orr_context_message(ctx) : "no memory for a thread's context";
        const size_t n = strlen(message) < sizeof w->message - 1 ? strlen(message) : sizeof w->message - 1;
        memcpy(w->message, message, n);
        atomic_store(&w->crew->failed, 1);
    }
    orr_store_close(store);
    orr_context_free(ctx);
    (void)atomic_fetch_sub(&w->crew->working, 1);
    return NULL;
}

/* Shows progress and passes signals on until all are done. */
static void watch(crew *c, orr_progress *progress) {
    const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
    while (atomic_load(&c->working) > 0) {
        if ((c->options->stop && *c->options->stop) || atomic_load(&c->failed)) c->stop = 1;
        orr_progress_update(progress, (int64_t)atomic_load(&c->done));
        (void)nanosleep(&pause, NULL);
    }
}

static orr_status start_crew(orr_context *ctx, crew *c, worker *w, int jobs, int *started) {
    for (*started = 0; *started < jobs; ++*started) {
        w[*started] = (worker){ .crew = c };
        (void)atomic_fetch_add(&c->working, 1);
        if (pthread_create(&w[*started].thread, NULL, work, &w[*started]) != 0) {
            (void)atomic_fetch_sub(&c->working, 1);
            if (*started > 0) return ORR_OK; /* those that run do all the work */
            return orr_fail(ctx, ORR_ENOMEM, "a thread for a job could not be started");
        }
    }
    return ORR_OK;
}

/* A store in memory has one connection: its jobs run here, one after the other. */
static orr_status run_here(orr_context *ctx, orr_store *store, crew *c) {
    orr_status status = ORR_OK;
    for (int64_t j = 0; j < c->jobs->n && status == ORR_OK; j++) {
        if (c->options->stop && *c->options->stop) c->stop = 1;
        status = run_one(ctx, store, c, j, c->options->time);
    }
    return status;
}

static orr_status run_crew(orr_context *ctx, orr_arena *arena, crew *c, int jobs, orr_progress *progress) {
    worker *w = ORR_NEW(arena, worker, jobs);
    int started = 0;
    if (!w) return no_memory(ctx);
    orr_status status = start_crew(ctx, c, w, jobs, &started);
    watch(c, progress);
    for (int i = 0; i < started; i++) {
        if (pthread_join(w[i].thread, NULL) != 0) status = orr_fail(ctx, ORR_EINTERNAL, "a job's thread was lost");
        if (c->options->time) orr_run_time_add(c->options->time, &w[i].time);
        /* the failure that stopped the others, rather than their being stopped */
        if (w[i].status != ORR_OK && (status == ORR_OK || status == ORR_EINTERRUPTED)) {
            if (status != ORR_OK && w[i].status != ORR_EINTERRUPTED) orr_context_clear(ctx);
            status = orr_fail(ctx, w[i].status, "%s", w[i].message);
        }
    }
    return status;
}

orr_status orr_lab_execute(orr_context *ctx, orr_store *store, const orr_experiment *experiment,
                           const orr_problem *const *problems, const int64_t *run, const orr_lab_options *options,
                           orr_run_outcome *outcome) {
    static const orr_lab_options defaults = { 0 };
    orr_arena *arena = NULL;
    orr_status status;
    orr_lab_jobs jobs;
    int64_t total = 0;
    crew c = {
        .jobs = &jobs, .options = options ? options : &defaults, .store = orr_store_path(store), .outcome = outcome
    };
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_lab_group(ctx, arena, experiment, problems, run, c.options->no_ensemble, &jobs));
    for (int64_t p = 0; p < experiment->n_points; p++) total += experiment->seeds * experiment->points[p].steps;
    orr_progress progress = orr_progress_start(ctx, "training", "updates", total);
    const int threads = orr_context_threads(ctx);
    int n = c.options->jobs ? c.options->jobs : threads;
    if (n > jobs.n) n = (int)jobs.n;
    assert(n > 0); /* an experiment has a point, and a point a seed */
    c.threads = threads > n ? threads / n : 1;
    ORR_TRY_DONE(ctx, orr_store_commit(store)); /* nothing is held while others write */
    status = strcmp(c.store, ":memory:") == 0 ? run_here(ctx, store, &c) : run_crew(ctx, arena, &c, n, &progress);
    if (status == ORR_OK) orr_progress_end(&progress);
done:
    orr_arena_free(arena);
    return status;
}
