#include "law/run.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/progress.h"
#include "lab/execute.h"

orr_status orr_records_series(const orr_records *records, orr_arena *out_arena, int64_t point, int64_t seed,
                              const char *name, orr_series *out) {
    return orr_store_series(records->store, out_arena, records->run[point * records->seeds + seed], name, out);
}

typedef struct session {
    orr_context *ctx;
    orr_arena *arena;
    orr_store *store;
    const orr_law *law;
    orr_experiment *experiment;
    const orr_law_options *options;
    const orr_problem **problems;
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

static orr_status check_regime(session *s, const orr_premises *in, orr_law_outcome *out) {
    for (const orr_condition *c = s->law->regime; c->words; c++) {
        bool holds = false;
        const char *why = "";
        ORR_TRY(s->ctx, c->check(s->ctx, s->arena, in, &holds, &why));
        if (holds) continue;
        out->verdict = ORR_OUT_OF_REGIME;
        out->note = orr_arena_format(s->arena, "condition not met: %s (%s)", c->words, why ? why : "");
        return out->note ? ORR_OK : no_memory(s);
    }
    return ORR_OK;
}

static orr_status predict(session *s, const orr_premises *in, char **text) {
    json_t *prediction = NULL;
    s->progress = orr_progress_start(s->ctx, "predicting", "records", 0);
    orr_status status = s->law->predict(s->ctx, s->arena, in, &prediction);
    orr_progress_end(&s->progress);
    ORR_TRY(s->ctx, status);
    status = orr_json_text(s->ctx, s->arena, prediction, 17, text);
    json_decref(prediction);
    return status;
}

/* Runs and predictions enter the store in one transaction; where nothing is predicted, nothing will run. */
static orr_status seal(session *s, char *text, orr_law_outcome *out) {
    orr_store_prediction prediction = { .law = s->law->id, .text = text };
    orr_experiment without_runs = *s->experiment;
    orr_sealed sealed;
    if (!text) without_runs.n_points = 0;
    ORR_TRY(s->ctx, orr_lab_seal(s->ctx, s->arena, s->store, text ? s->experiment : &without_runs, &prediction,
                                 text ? 1 : 0, &sealed));
    out->experiment = sealed.experiment;
    out->runs = sealed.run;
    memcpy(out->sealed_at, prediction.sealed_at, sizeof out->sealed_at);
    memcpy(out->sha256, prediction.sha256, sizeof out->sha256);
    return ORR_OK;
}

/* ---- training ----------------------------------------------------------------------------------------------------------- */

static orr_status train(session *s, orr_law_outcome *out) {
    const int64_t n = s->experiment->n_points * s->experiment->seeds;
    orr_run_outcome *run = ORR_NEW(s->arena, orr_run_outcome, n);
    if (!run) return no_memory(s);
    const orr_lab_options options = { .stop = s->options->stop };
    ORR_TRY(s->ctx, orr_lab_execute(s->ctx, s->store, s->experiment, s->problems, out->runs, &options, run));
    memcpy(out->started_at, run[0].started_at, sizeof out->started_at);
    memcpy(out->finished_at, run[0].finished_at, sizeof out->finished_at);
    for (int64_t i = 0; i < n; i++) { /* times in text order are in time order */
        if (strcmp(run[i].started_at, out->started_at) < 0)
            memcpy(out->started_at, run[i].started_at, sizeof out->started_at);
        if (strcmp(run[i].finished_at, out->finished_at) > 0)
            memcpy(out->finished_at, run[i].finished_at, sizeof out->finished_at);
    }
    return ORR_OK;
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

orr_status orr_law_run(orr_context *ctx, orr_arena *out_arena, orr_store *store, const orr_law *law,
                       orr_experiment *experiment, const orr_law_options *options, orr_law_outcome *out) {
    static const orr_law_options defaults = { 0 };
    session s = { .ctx = ctx,
                  .arena = out_arena,
                  .store = store,
                  .law = law,
                  .experiment = experiment,
                  .options = options ? options : &defaults };
    *out = (orr_law_outcome){ .law = law,
                              .note = "",
                              .n_checks = count_checks(law),
                              .points = experiment->n_points,
                              .seeds = experiment->seeds };
    out->check = ORR_NEW(out_arena, orr_judgement, out->n_checks);
    if (!out->check) return no_memory(&s);
    if (experiment->seeds < ORR_LAW_SEEDS_MIN)
        return orr_fail(ctx, ORR_EINPUT, "%s: %lld seed%s; a verdict needs at least %d", law->id,
                        (long long)experiment->seeds, experiment->seeds == 1 ? "" : "s", ORR_LAW_SEEDS_MIN);
    ORR_TRY(ctx, orr_lab_prepare(ctx, out_arena, experiment, &s.problems));
    const orr_premises premises = {
        .experiment = experiment, .problems = s.problems, .tick = tick_prediction, .user = &s
    };
    ORR_TRY(ctx, check_regime(&s, &premises, out));
    if (out->verdict == ORR_OUT_OF_REGIME) {
        ORR_TRY(ctx, seal(&s, NULL, out));
        return store_verdicts(&s, out);
    }
    char *text;
    ORR_TRY(ctx, predict(&s, &premises, &text));
    ORR_TRY(ctx, seal(&s, text, out));
    ORR_TRY(ctx, train(&s, out));
    ORR_TRY(ctx, judge(&s, out));
    return store_verdicts(&s, out);
}
