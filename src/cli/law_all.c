/* orrery law run all: every law at its default experiment, with time and memory. */
#include <stdio.h>

#include "base/context.h"
#include "base/memory.h"
#include "base/progress.h"
#include "cli/laws.h"

/* What became of one law. */
typedef struct entry {
    const orr_law *law;
    orr_status status; /* not ORR_OK: it could not be run */
    orr_verdict verdict;
    json_t *json; /* all of it */
    double seconds;
    int64_t peak_bytes;
} entry;

typedef struct suite {
    orr_context *ctx;
    orr_arena *arena;
    orr_store *store;
    const orr_cli_law_options *options;
    entry *entry;
    int64_t n;
    double seconds;
} suite;

static const char *verdict_of(const entry *e) {
    return e->status == ORR_OK ? orr_verdict_words(e->verdict) : "NOT RUN";
}

static void print_entry(const entry *e, const orr_law_outcome *o, const char *message) {
    printf("%-28s %-14s %7.1f %8.0f  ", e->law->id, verdict_of(e), e->seconds, (double)e->peak_bytes / 1048576.0);
    const orr_judgement *j = e->status == ORR_OK && o->check ? &o->check[o->headline] : NULL;
    const orr_check *c = &e->law->checks[o->headline];
    if (j && j->n)
        printf("%s = %.4g [%.4g, %.4g] in [%g, %g]", c->metric, j->value, j->interval[0], j->interval[1], c->low,
               c->high);
    const char *note = e->status == ORR_OK ? o->note : message;
    printf("%s%s\n", j && j->n && note[0] ? "; " : "", note);
    (void)fflush(stdout);
}

/* The outcome lives in an arena of its own: what one law held in memory is given back before the next. */
static orr_status run_in(suite *s, orr_arena *arena, entry *e) {
    orr_experiment experiment;
    orr_law_outcome outcome = { .law = e->law, .note = "", .outside = "" };
    const orr_law_options options = { .stop = orr_cli_stop() };
    const double start = orr_now();
    const char *message = "";
    e->status = orr_cli_law_experiment(s->ctx, arena, e->law, s->options, NULL, 0, &experiment);
    if (e->status == ORR_OK) e->status = orr_law_run(s->ctx, arena, s->store, e->law, &experiment, &options, &outcome);
    e->verdict = outcome.verdict;
    e->seconds = orr_now() - start;
    e->peak_bytes = orr_memory_peak();
    json_decref(outcome.prediction);
    json_decref(outcome.measurement);
    if (e->status == ORR_EINTERRUPTED) return e->status;
    if (e->status == ORR_OK) {
        e->json = orr_law_outcome_json(&outcome);
    } else {
        message = orr_arena_string(arena, orr_context_message(s->ctx));
        orr_context_clear(s->ctx);
        if (message)
            e->json = json_pack("{s:s, s:s, s:s}", "law", e->law->id, "verdict", verdict_of(e), "note", message);
    }
    if (json_object_set_new(e->json, "seconds", orr_json_real(e->seconds)) != 0 ||
        json_object_set_new(e->json, "peak_bytes", json_integer((json_int_t)e->peak_bytes)) != 0)
        return orr_fail(s->ctx, ORR_ENOMEM, "no memory for an outcome");
    if (!s->options->json) print_entry(e, &outcome, message);
    return ORR_OK;
}

/* One law; that it fails or can't be run doesn't end the others. */
static orr_status run_entry(suite *s, const orr_law *law, entry *e) {
    orr_arena *arena = NULL;
    orr_memory_reset_peak();
    e->law = law;
    ORR_TRY(s->ctx, orr_arena_new(s->ctx, &arena));
    const orr_status status = run_in(s, arena, e);
    orr_arena_free(arena);
    return status;
}

static orr_status print_json(suite *s) {
    json_t *laws = json_array();
    char *text;
    for (int64_t i = 0; i < s->n; i++) (void)json_array_append(laws, s->entry[i].json);
    json_t *all = json_pack("{s:s, s:f, s:o}", "size", s->options->size ? s->options->size : "quick", "seconds",
                            s->seconds, "laws", laws);
    const orr_status status = orr_json_text(s->ctx, s->arena, all, 9, &text);
    json_decref(all);
    if (status == ORR_OK) printf("%s\n", text);
    return status;
}

static orr_status run_all(suite *s) {
    orr_status status = ORR_OK;
    const double start = orr_now();
    while (orr_law_at((int)s->n)) s->n++;
    s->entry = ORR_NEW(s->arena, entry, s->n);
    if (!s->entry) return orr_fail(s->ctx, ORR_ENOMEM, "no memory for %lld laws", (long long)s->n);
    if (!s->options->json) printf("%-28s %-14s %7s %8s  %s\n", "law", "verdict", "seconds", "MiB", "headline");
    for (int64_t i = 0; i < s->n && status == ORR_OK; i++) {
        status = run_entry(s, orr_law_at((int)i), &s->entry[i]);
    }
    s->seconds = orr_now() - start;
    if (status == ORR_OK && s->options->json) status = print_json(s);
    else if (status == ORR_OK)
        printf("\n%lld laws in %.0f s; store: %s\n", (long long)s->n, s->seconds, orr_store_path(s->store));
    return status;
}

/* The worst of what became of them. */
static int code_of(const suite *s) {
    int code = ORR_EXIT_HOLDS;
    for (int64_t i = 0; i < s->n; i++) {
        const entry *e = &s->entry[i];
        const int own = e->status == ORR_EINPUT   ? ORR_EXIT_USAGE
                        : e->status != ORR_OK     ? ORR_EXIT_OURS
                        : e->verdict == ORR_HOLDS ? ORR_EXIT_HOLDS
                                                  : ORR_EXIT_FAILS;
        code = own > code ? own : code;
    }
    return code;
}

int orr_cli_law_all(const orr_cli_law_options *o) {
    suite s = { .options = o };
    orr_status status;
    int code = ORR_EXIT_OURS;
    if (orr_context_new(&(orr_context_options){ .threads = (int)o->threads, .log = stderr }, &s.ctx) != ORR_OK)
        return fprintf(stderr, "orrery law: could not start %lld threads\n", o->threads), ORR_EXIT_OURS;
    ORR_TRY_DONE(s.ctx, orr_arena_new(s.ctx, &s.arena));
    ORR_TRY_DONE(s.ctx, orr_store_open(s.ctx, orr_cli_store(o->store), &s.store));
    ORR_TRY_DONE(s.ctx, run_all(&s));
    code = code_of(&s);
done:
    for (int64_t i = 0; s.entry && i < s.n; i++) json_decref(s.entry[i].json);
    if (status != ORR_OK) code = orr_cli_fail(s.ctx, "law", status);
    orr_store_close(s.store);
    orr_arena_free(s.arena);
    orr_context_free(s.ctx);
    return code;
}
