#include "law/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "base/progress.h"
#include "lab/execute.h"
#include "lab/stored.h"
#include "law/convention.h"
#include "store/query.h"
#include "store/reopen.h"

orr_status orr_records_series(const orr_records *records, orr_arena *out_arena, int64_t point, int64_t seed,
                              const char *name, orr_series *out) {
    return orr_store_series(records->store, out_arena, records->run[point * records->seeds + seed], name, out);
}

orr_status orr_records_array(const orr_records *records, orr_arena *out_arena, int64_t point, int64_t seed,
                             const char *name, int64_t step, orr_array *out) {
    int64_t at;
    return orr_query_array(records->store, out_arena, records->run[point * records->seeds + seed], name, step, out,
                           &at);
}

typedef struct session {
    orr_context *ctx;
    orr_arena *arena;
    orr_store *store;
    const orr_law *law;
    orr_experiment *experiment;
    const orr_law_options *options;
    const orr_problem **problems;
    bool no_ensemble;
    bool only_predict; /* no verdict will follow: any number of seeds will do */
    orr_progress progress;
} session;

static bool stopped(const session *s) { return s->options->stop && *s->options->stop; }

static orr_status no_memory(session *s) { return orr_fail(s->ctx, ORR_ENOMEM, "%s: no memory", s->law->id); }

/* ---- before training ---------------------------------------------------------------------------------------------------- */

static orr_status tick_prediction(void *user) {
    session *s = user;
    if (stopped(s)) return orr_fail(s->ctx, ORR_EINTERRUPTED, "interrupted while predicting; nothing was trained yet");
    orr_progress_update(&s->progress, s->progress.done + 1);
    return ORR_OK;
}

/* A condition of points, at the first that doesn't meet it. */
static orr_status check_points(session *s, const orr_premises *in, const orr_condition *c, bool *holds,
                               const char **why) {
    *holds = true;
    for (int64_t i = 0; i < in->experiment->n_points && *holds; i++) {
        const orr_point *p = &in->experiment->points[i];
        const char *reason = "";
        *holds = c->point(s->arena, p, in->problems[i * in->experiment->seeds], &reason);
        if (!*holds) *why = reason ? orr_arena_format(s->arena, "%s: %s", p->name, reason) : NULL;
    }
    return *why ? ORR_OK : no_memory(s);
}

/* A condition of runs, likewise. */
static orr_status check_runs(session *s, const orr_premises *in, const orr_condition *c, bool *holds,
                             const char **why) {
    const orr_experiment *e = in->experiment;
    orr_status status = ORR_OK;
    orr_arena *scratch;
    *holds = true;
    ORR_TRY(s->ctx, orr_arena_new(s->ctx, &scratch));
    for (int64_t i = 0; status == ORR_OK && *holds && i < e->n_points * e->seeds; i++) {
        const orr_arena_mark mark = orr_arena_here(scratch);
        const int64_t point = i / e->seeds, seed = i % e->seeds;
        const char *reason = "";
        status = c->run(s->ctx, scratch, in, point, seed, holds, &reason);
        if (status == ORR_OK && !*holds)
            *why = reason ? orr_arena_format(s->arena, "%s: with seed %lld %s", e->points[point].name, (long long)seed,
                                             reason)
                          : NULL;
        orr_arena_rewind(scratch, mark);
    }
    orr_arena_free(scratch);
    return status != ORR_OK || *why ? status : no_memory(s);
}

static orr_status refuse(session *s, orr_law_outcome *out, const char *note) {
    out->verdict = ORR_OUT_OF_REGIME;
    out->note = note;
    return note ? ORR_OK : no_memory(s);
}

static orr_status check_regime(session *s, const orr_premises *in, orr_law_outcome *out) {
    if (in->experiment->seeds < ORR_LAW_SEEDS_MIN && !s->only_predict)
        return refuse(s, out,
                      orr_arena_format(s->arena, "condition not met: a verdict needs at least %d seeds (it has %lld)",
                                       ORR_LAW_SEEDS_MIN, (long long)in->experiment->seeds));
    for (const orr_condition *c = s->law->regime; c->words; c++) {
        bool holds = false;
        const char *why = "";
        if (c->point) ORR_TRY(s->ctx, check_points(s, in, c, &holds, &why));
        else if (c->run) ORR_TRY(s->ctx, check_runs(s, in, c, &holds, &why));
        else ORR_TRY(s->ctx, c->check(s->ctx, s->arena, in, &holds, &why));
        if (holds) continue;
        const char *note = why ? orr_arena_format(s->arena, "condition not met: %s (%s)", c->words, why) : NULL;
        if (!c->beyond || !s->options->past_regime) return refuse(s, out, note);
        if (!note) return no_memory(s);
        if (!out->outside[0]) out->outside = note;
    }
    return ORR_OK;
}

static orr_status predict(session *s, const orr_premises *in, char **text) {
    json_t *prediction = NULL;
    s->progress = orr_progress_start(s->ctx, "predicting", "records", 0);
    orr_status status = s->law->predict(s->ctx, s->arena, in, &prediction);
    orr_progress_end(&s->progress);
    ORR_TRY(s->ctx, status);
    if (json_object_set_new(prediction, "conventions", orr_conventions_of(s->ctx, s->experiment)) != 0) {
        json_decref(prediction);
        return no_memory(s);
    }
    status = orr_json_text(s->ctx, s->arena, prediction, 17, text);
    json_decref(prediction);
    return status;
}

/* ---- after training ----------------------------------------------------------------------------------------------------- */

static orr_status read_sealed(session *s, orr_law_outcome *out) {
    char *text, sha256[ORR_SHA256_SIZE];
    ORR_TRY(s->ctx, orr_store_prediction_of(s->store, s->arena, out->experiment, s->law->id, &text, sha256));
    if (strcmp(sha256, out->sha256) != 0)
        return orr_fail(s->ctx, ORR_EIO, "%s: the prediction of experiment %lld is not the one that was sealed",
                        orr_store_path(s->store), (long long)out->experiment);
    out->prediction = json_loads(text, 0, NULL);
    return out->prediction ? ORR_OK : no_memory(s);
}

static int64_t count_checks(const orr_law *law) {
    int64_t n = 0;
    while (law->checks[n].metric) n++;
    return n;
}

static orr_status judge(session *s, orr_law_outcome *out) {
    const orr_records records = { s->store, out->runs, out->points, out->seeds };
    orr_check_values *values = ORR_NEW(s->arena, orr_check_values, out->n_checks);
    if (!values) return no_memory(s);
    ORR_TRY(s->ctx, read_sealed(s, out));
    ORR_TRY(s->ctx, orr_conventions_check(s->ctx, s->arena, s->law->id, json_object_get(out->prediction, "conventions"),
                                          &records));
    ORR_TRY(s->ctx, s->law->measure(s->ctx, s->arena, &records, &out->measurement));
    ORR_TRY(s->ctx, s->law->judge(s->ctx, s->arena, out->prediction, out->measurement, values));
    out->verdict = ORR_HOLDS;
    out->headline = -1;
    for (int64_t i = 0; i < out->n_checks; i++) {
        if (values[i].n == 0) continue;
        if (out->headline < 0) out->headline = i;
        out->check[i] = orr_judge(&s->law->checks[i], &values[i]);
        if (out->check[i].verdict == ORR_HOLDS) continue;
        if (out->verdict == ORR_HOLDS)
            out->note = orr_arena_format(s->arena, "fails first: %s", s->law->checks[i].metric);
        if (!out->note) return no_memory(s);
        out->verdict = ORR_FAILS;
    }
    if (out->headline >= 0) return ORR_OK;
    /* what nothing speaks about was not shown to hold */
    out->headline = 0;
    out->verdict = ORR_OUT_OF_REGIME;
    out->note = "no check of the law speaks about this experiment";
    return ORR_OK;
}

static orr_status store_verdicts(session *s, const orr_law_outcome *out) {
    orr_store_verdict *rows = ORR_NEW(s->arena, orr_store_verdict, out->n_checks + 1);
    const char *seeds = orr_arena_format(s->arena, "%lld", (long long)out->seeds);
    int64_t n = 0;
    if (!rows || !seeds) return no_memory(s);
    for (int64_t i = 0; i < out->n_checks || n == 0; i++) {
        const orr_check *c = &s->law->checks[i];
        const orr_judgement *j = &out->check[i];
        if (i != out->headline && j->n == 0) continue;
        const orr_verdict verdict = n == 0 ? out->verdict : j->verdict; /* rank 0: the law's own */
        rows[n] = (orr_store_verdict){ .law = s->law->id,
                                       .metric = c->metric,
                                       .verdict = orr_verdict_words(verdict),
                                       .note = out->note,
                                       .seeds = seeds,
                                       .rank = n,
                                       .value = j->n ? j->value : (double)NAN,
                                       .tolerance = { c->low, c->high },
                                       .interval = { j->n ? j->interval[0] : (double)NAN,
                                                     j->n ? j->interval[1] : (double)NAN } };
        n++;
    }
    return orr_store_judge(s->store, out->experiment, rows, n);
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------- */

static session session_of(orr_context *ctx, orr_arena *arena, orr_store *store, orr_experiment *experiment,
                          const orr_law_options *options) {
    static const orr_law_options defaults = { 0 };
    const orr_law_options *o = options ? options : &defaults;
    return (session){ .ctx = ctx,
                      .arena = arena,
                      .store = store,
                      .experiment = experiment,
                      .options = o,
                      .no_ensemble = o->no_ensemble };
}

static orr_status new_outcomes(session *s, const orr_law *const *laws, int64_t n, orr_laws_outcome *out) {
    const orr_experiment *e = s->experiment;
    *out = (orr_laws_outcome){ .law = ORR_NEW(s->arena, orr_law_outcome, n),
                               .n_laws = n,
                               .points = e->n_points,
                               .seeds = e->seeds,
                               .run = ORR_NEW(s->arena, orr_run_outcome, e->n_points * e->seeds) };
    if (!out->law || !out->run)
        return orr_fail(s->ctx, ORR_ENOMEM, "no memory for the outcomes of %lld laws", (long long)n);
    for (int64_t i = 0; i < n; i++) {
        s->law = laws[i];
        out->law[i] = (orr_law_outcome){ .law = laws[i],
                                         .note = "",
                                         .outside = "",
                                         .n_checks = count_checks(laws[i]),
                                         .points = e->n_points,
                                         .seeds = e->seeds };
        out->law[i].check = ORR_NEW(s->arena, orr_judgement, out->law[i].n_checks);
        if (!out->law[i].check) return no_memory(s);
        if (e->seeds < ORR_LAW_SEEDS_MIN && !e->laws_auto && !s->only_predict)
            return orr_fail(s->ctx, ORR_EINPUT, "%s: %lld seed%s; a verdict needs at least %d", laws[i]->id,
                            (long long)e->seeds, e->seeds == 1 ? "" : "s", ORR_LAW_SEEDS_MIN);
    }
    return ORR_OK;
}

/* What each law says, where it speaks at all: predictions[*n], in the order of the laws. */
static orr_status predict_all(session *s, orr_laws_outcome *out, orr_store_prediction *predictions, int64_t *n) {
    const orr_premises premises = {
        .experiment = s->experiment, .problems = s->problems, .tick = tick_prediction, .user = s
    };
    *n = 0;
    for (int64_t i = 0; i < out->n_laws; i++) {
        char *text;
        s->law = out->law[i].law;
        ORR_TRY(s->ctx, check_regime(s, &premises, &out->law[i]));
        if (out->law[i].verdict == ORR_OUT_OF_REGIME) continue;
        ORR_TRY(s->ctx, predict(s, &premises, &text));
        predictions[(*n)++] = (orr_store_prediction){ .law = s->law->id, .text = text };
    }
    return ORR_OK;
}

/* Runs and predictions enter the store in one transaction; where nothing will be trained, no runs do. */
static orr_status seal(session *s, orr_store_prediction *predictions, int64_t n, orr_laws_outcome *out) {
    orr_experiment opened = *s->experiment;
    orr_sealed sealed;
    out->trained = n > 0 || s->options->train_anyway;
    if (!out->trained) opened.n_points = 0;
    ORR_TRY(s->ctx,
            orr_lab_seal(s->ctx, s->arena, s->store, &opened, s->problems, s->no_ensemble, predictions, n, &sealed));
    out->experiment = sealed.experiment;
    out->runs = sealed.run;
    for (int64_t i = 0, at = 0; i < out->n_laws; i++) {
        out->law[i].experiment = sealed.experiment;
        out->law[i].runs = sealed.run;
        if (out->law[i].verdict == ORR_OUT_OF_REGIME) continue;
        memcpy(out->law[i].sealed_at, predictions[at].sealed_at, sizeof out->law[i].sealed_at);
        memcpy(out->law[i].sha256, predictions[at].sha256, sizeof out->law[i].sha256);
        at++;
    }
    return ORR_OK;
}

static orr_status train(session *s, orr_laws_outcome *out, const bool *finished) {
    const int64_t n = out->points * out->seeds;
    const orr_lab_options options = { .stop = s->options->stop,
                                      .jobs = s->options->jobs,
                                      .no_ensemble = s->no_ensemble,
                                      .checkpoint_seconds = s->options->checkpoint_seconds,
                                      .resume = finished != NULL,
                                      .finished = finished,
                                      .time = &out->time };
    orr_lab_give_back(s->arena, s->experiment, s->problems);
    ORR_TRY(s->ctx, orr_lab_execute(s->ctx, s->store, s->experiment, s->problems, out->runs, &options, out->run));
    for (int64_t l = 0; l < out->n_laws; l++) {
        orr_law_outcome *law = &out->law[l];
        for (int64_t i = 0; i < n;
             i++) { /* times in text order are in time order; "" where a run was finished before */
            const orr_run_outcome *run = &out->run[i];
            if (run->started_at[0] && (!law->started_at[0] || strcmp(run->started_at, law->started_at) < 0))
                memcpy(law->started_at, run->started_at, sizeof law->started_at);
            if (strcmp(run->finished_at, law->finished_at) > 0)
                memcpy(law->finished_at, run->finished_at, sizeof law->finished_at);
        }
    }
    return ORR_OK;
}

static orr_status judge_all(session *s, orr_laws_outcome *out) {
    for (int64_t i = 0; i < out->n_laws; i++) {
        s->law = out->law[i].law;
        if (out->law[i].verdict != ORR_OUT_OF_REGIME) ORR_TRY(s->ctx, judge(s, &out->law[i]));
        ORR_TRY(s->ctx, store_verdicts(s, &out->law[i]));
    }
    return ORR_OK;
}

orr_status orr_laws_run(orr_context *ctx, orr_arena *out_arena, orr_store *store, const orr_law *const *laws,
                        int64_t n_laws, orr_experiment *experiment, const orr_law_options *options,
                        orr_laws_outcome *out) {
    session s = session_of(ctx, out_arena, store, experiment, options);
    orr_store_prediction *predictions = ORR_NEW(out_arena, orr_store_prediction, n_laws);
    int64_t n = 0;
    if (!predictions) return orr_fail(ctx, ORR_ENOMEM, "no memory for %lld predictions", (long long)n_laws);
    ORR_TRY(ctx, new_outcomes(&s, laws, n_laws, out));
    ORR_TRY(ctx, orr_lab_prepare(ctx, out_arena, experiment, &s.problems));
    ORR_TRY(ctx, predict_all(&s, out, predictions, &n));
    ORR_TRY(ctx, seal(&s, predictions, n, out));
    if (out->trained) ORR_TRY(ctx, train(&s, out, NULL));
    return judge_all(&s, out);
}

orr_status orr_laws_predict(orr_context *ctx, orr_arena *out_arena, const orr_law *const *laws, int64_t n_laws,
                            orr_experiment *experiment, const orr_law_options *options, orr_laws_outcome *out) {
    session s = session_of(ctx, out_arena, NULL, experiment, options);
    orr_store_prediction *predictions = ORR_NEW(out_arena, orr_store_prediction, n_laws);
    int64_t n = 0;
    s.only_predict = true;
    if (!predictions) return orr_fail(ctx, ORR_ENOMEM, "no memory for %lld predictions", (long long)n_laws);
    ORR_TRY(ctx, new_outcomes(&s, laws, n_laws, out));
    ORR_TRY(ctx, orr_lab_prepare(ctx, out_arena, experiment, &s.problems));
    ORR_TRY(ctx, predict_all(&s, out, predictions, &n));
    for (int64_t i = 0, at = 0; i < n_laws; i++) {
        if (out->law[i].verdict == ORR_OUT_OF_REGIME) continue;
        out->law[i].prediction = json_loads(predictions[at++].text, 0, NULL);
        s.law = laws[i];
        if (!out->law[i].prediction) return no_memory(&s);
    }
    return ORR_OK;
}

orr_status orr_law_run(orr_context *ctx, orr_arena *out_arena, orr_store *store, const orr_law *law,
                       orr_experiment *experiment, const orr_law_options *options, orr_law_outcome *out) {
    orr_laws_outcome all = { 0 };
    *out = (orr_law_outcome){ .law = law, .note = "", .outside = "" };
    const orr_status status = orr_laws_run(ctx, out_arena, store, &law, 1, experiment, options, &all);
    if (all.law) *out = all.law[0];
    return status;
}

/* ---- going on ---------------------------------------------------------------------------------------------------------------- */

/* What was opened must be what would be opened now: else the rest of it would be another experiment. */
static orr_status check_same(session *s, const orr_stored_experiment *stored, const orr_stored_notes *notes) {
    const orr_experiment *e = s->experiment;
    char data[ORR_SHA256_SIZE];
    if (stored->n_runs != e->n_points * e->seeds)
        return orr_fail(s->ctx, ORR_EINPUT, "experiment %lld: has %lld runs, its text says %lld now",
                        (long long)stored->id, (long long)stored->n_runs, (long long)(e->n_points * e->seeds));
    for (int64_t i = 0; i < stored->n_runs; i++)
        if (strcmp(stored->settings[i], e->points[i / e->seeds].json) != 0)
            return orr_fail(s->ctx, ORR_EINPUT,
                            "experiment %lld: run %lld was opened with other settings than its text gives now (another "
                            "version of Orrery?); it can't be resumed",
                            (long long)stored->id, (long long)stored->run[i]);
    ORR_TRY(s->ctx, orr_stored_data(s->ctx, s->problems, stored->n_runs, data));
    if (notes->data[0] && strcmp(data, notes->data) != 0)
        return orr_fail(
            s->ctx, ORR_EINPUT,
            "experiment %lld: the data are not those that it was opened with (SHA-256 %.12s..., now %.12s...); "
            "it can't be resumed",
            (long long)stored->id, notes->data, data);
    return ORR_OK;
}

orr_status orr_laws_resume(orr_context *ctx, orr_arena *out_arena, orr_store *store, int64_t id,
                           const orr_law_options *options, orr_experiment *experiment, orr_laws_outcome *out) {
    session s = session_of(ctx, out_arena, store, experiment, options);
    orr_stored_experiment stored;
    orr_stored_notes notes;
    ORR_TRY(ctx, orr_store_reopen(store, out_arena, id, &stored));
    const char *name = orr_arena_format(out_arena, "experiment %lld", (long long)id);
    const orr_law **laws = ORR_NEW(out_arena, const orr_law *, stored.n_laws);
    if (!name || !laws) return orr_fail(ctx, ORR_ENOMEM, "no memory to resume an experiment");
    ORR_TRY(ctx, orr_stored_parse(ctx, out_arena, name, stored.text, stored.size, experiment, &notes));
    s.no_ensemble = notes.no_ensemble; /* the grouping of runs is part of their bits */
    for (int64_t i = 0; i < stored.n_laws; i++) {
        laws[i] = orr_law_find(stored.law[i]);
        if (!laws[i]) return orr_fail(ctx, ORR_EINPUT, "%s: this version has no law '%s'", name, stored.law[i]);
    }
    ORR_TRY(ctx, new_outcomes(&s, laws, stored.n_laws, out));
    ORR_TRY(ctx, orr_lab_prepare(ctx, out_arena, experiment, &s.problems));
    ORR_TRY(ctx, check_same(&s, &stored, &notes));
    out->experiment = id;
    out->trained = true;
    out->runs = ORR_NEW(out_arena, int64_t, stored.n_runs);
    if (!out->runs) return orr_fail(ctx, ORR_ENOMEM, "no memory to resume an experiment");
    for (int64_t i = 0; i < stored.n_runs; i++) out->runs[i] = stored.run[i];
    for (int64_t i = 0; i < out->n_laws; i++) {
        char *text;
        out->law[i].experiment = id;
        out->law[i].runs = out->runs;
        ORR_TRY(ctx, orr_store_prediction_of(store, out_arena, id, laws[i]->id, &text, out->law[i].sha256));
    }
    ORR_TRY(ctx, train(&s, out, stored.finished));
    return stored.n_verdicts ? ORR_OK : judge_all(&s, out);
}

/* ---- looking back ------------------------------------------------------------------------------------------------------------ */

/* When it was sealed, and when its runs began and ended. */
static orr_status recall_times(session *s, orr_law_outcome *out) {
    orr_prediction_row *sealed;
    int64_t n;
    ORR_TRY(s->ctx, orr_query_predictions(s->store, s->arena, out->experiment, &sealed, &n));
    for (int64_t i = 0; i < n; i++)
        if (strcmp(sealed[i].law, s->law->id) == 0)
            (void)snprintf(out->sealed_at, sizeof out->sealed_at, "%s", sealed[i].sealed_at);
    for (int64_t i = 0; i < out->points * out->seeds; i++) {
        orr_run_row run;
        ORR_TRY(s->ctx, orr_query_run(s->store, s->arena, out->runs[i], &run));
        if (run.started_at && (!out->started_at[0] || strcmp(run.started_at, out->started_at) < 0))
            (void)snprintf(out->started_at, sizeof out->started_at, "%s", run.started_at);
        if (run.finished_at && strcmp(run.finished_at, out->finished_at) > 0)
            (void)snprintf(out->finished_at, sizeof out->finished_at, "%s", run.finished_at);
    }
    return ORR_OK;
}

orr_status orr_law_recall(orr_context *ctx, orr_arena *out_arena, orr_store *store, const orr_law *law, int64_t id,
                          orr_experiment *experiment, orr_law_outcome *out) {
    session s = session_of(ctx, out_arena, store, experiment, NULL);
    orr_stored_experiment stored;
    orr_stored_notes notes;
    orr_laws_outcome all = { 0 };
    char *text;
    *out = (orr_law_outcome){ .law = law, .note = "", .outside = "" };
    ORR_TRY(ctx, orr_store_reopen(store, out_arena, id, &stored));
    const char *name = orr_arena_format(out_arena, "experiment %lld", (long long)id);
    if (!name) return orr_fail(ctx, ORR_ENOMEM, "no memory to look at an experiment");
    ORR_TRY(ctx, orr_stored_parse(ctx, out_arena, name, stored.text, stored.size, experiment, &notes));
    if (stored.n_runs != experiment->n_points * experiment->seeds)
        return orr_fail(ctx, ORR_EINPUT, "%s: has %lld runs, its text says %lld now", name, (long long)stored.n_runs,
                        (long long)(experiment->n_points * experiment->seeds));
    for (int64_t i = 0; i < stored.n_runs; i++)
        if (!stored.finished[i])
            return orr_fail(ctx, ORR_EINPUT, "%s: run %lld isn't at its end; `orrery resume` goes on with it", name,
                            (long long)stored.run[i]);
    ORR_TRY(ctx, new_outcomes(&s, &law, 1, &all));
    *out = all.law[0];
    out->experiment = id;
    out->runs = ORR_NEW(out_arena, int64_t, stored.n_runs);
    if (!out->runs) return orr_fail(ctx, ORR_ENOMEM, "no memory to look at an experiment");
    memcpy(out->runs, stored.run, sizeof *stored.run * (size_t)stored.n_runs);
    ORR_TRY(ctx, orr_store_prediction_of(store, out_arena, id, law->id, &text, out->sha256));
    ORR_TRY(ctx, recall_times(&s, out));
    return judge(&s, out);
}
