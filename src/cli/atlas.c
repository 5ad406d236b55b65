#define _POSIX_C_SOURCE 200809L /* stat */
/* orrery atlas: one page with every law beside its experiment. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/context.h"
#include "cli/laws.h"
#include "law/map.h"
#include "report/page.h"
#include "store/query.h"
#include "store/reopen.h"

static const char usage[] =
    "usage: orrery atlas [LAW...] [options]\n"
    "\n"
    "  orrery atlas                                  every law, on one page that works offline: orrery-atlas.html\n"
    "  orrery atlas edge-of-stability lazy-rich -o two.html\n"
    "  orrery atlas --size full\n"
    "\n"
    "What the store holds already of a law's default experiment is drawn from there; the rest is predicted, sealed, "
    "trained and\n"
    "judged first.  The page shows each law's statement, equation, experiment, figures with their data, verdict, seal "
    "and the map\n"
    "of its regime, where one was made.\n"
    "\n"
    "  --size quick|full     which size of the laws' experiments (default: quick)\n"
    "  --fresh               runs all of them, whatever the store holds\n"
    "  --maps                also runs each law along the axis that breaks it (orrery law map), where the store keeps "
    "no "
    "map of it\n"
    "  -o, --page FILE       default: orrery-atlas.html\n"
    "  --store FILE          default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "  --threads N           default: the cores that this process may use\n"
    "  --json                one JSON object: page, laws with their verdicts\n"
    "\n"
    "Exit codes: 0 the page is written and every law holds, 1 one fails or is out of its regime, 2 wrong usage or bad "
    "input, 3 the\n"
    "machine could not do it.\n";

static const orr_page_approach approaches[] = {
    { "solvable", "Solvable settings", "Simple models whose learning can be worked out exactly." },
    { "limits", "Insightful limits", "What networks become as width, depth or scale go to a limit." },
    { "empirical", "Simple empirical laws", "Regularities that real training keeps to." },
    { "hyperparameters", "Theories of hyperparameters",
      "What learning rate, batch and width do, and how to set them." },
    { "universal", "Universal phenomena", "What different networks and data have in common." },
    { "mechanisms", "Mechanisms", "How networks do what they do." },
    { 0 },
};

enum { LAWS_MAX = 200 };

typedef struct atlas_options {
    orr_cli_law_options law; /* size, store, page, threads, json */
    const char *word[LAWS_MAX];
    int n_words;
    bool fresh, maps;
} atlas_options;

/* ORR_CLI_GO and all options, or the exit code to end with. */
static int parse(int argc, char **argv, atlas_options *o) {
    const orr_cli_option table[] = {
        { .name = "--size", .value = &o->law.size, .choices = orr_cli_sizes },
        { .name = "--fresh", .flag = &o->fresh },
        { .name = "--maps", .flag = &o->maps },
        { .name = "--page", .alias = "-o", .value = &o->law.page },
        { .name = "--store", .value = &o->law.store },
        { .name = "--threads", .number = &o->law.threads, .most = 256 },
        { .name = "--json", .flag = &o->law.json },
        { 0 },
    };
    const int code = orr_cli_parse("atlas", usage, "law", argc, argv, table, o->word, LAWS_MAX, &o->n_words);
    if (code != ORR_CLI_GO) return code;
    for (int i = 0; i < o->n_words; i++)
        if (!orr_law_find(o->word[i])) return orr_cli_unknown_law(o->word[i]);
    if (!o->law.size) o->law.size = "quick";
    if (!o->law.page) o->law.page = "orrery-atlas.html";
    return ORR_CLI_GO;
}

typedef struct session {
    orr_context *ctx;
    orr_arena *arena;
    orr_store *store;
    const atlas_options *options;
    json_t *entries, *verdicts;
    int holds, laws;
} session;

/* Whether a stored text is the law's default experiment as it is now, with nothing set. */
static bool is_default(const orr_law *law, const orr_stored_experiment *e, const char *size) {
    return strcmp(e->size, size) == 0 && strncmp(e->text, law->defaults, *law->defaults_size) == 0 &&
           !strstr(e->text + *law->defaults_size, "# set:");
}

/* The newest experiment that is the law's default and is at its end; 0: there is none. */
static orr_status find_stored(session *s, orr_arena *arena, const orr_law *law, int64_t *id) {
    const orr_run_filter filter = { .law = law->id };
    orr_run_row *run;
    int64_t n;
    *id = 0;
    ORR_TRY(s->ctx, orr_query_runs(s->store, arena, &filter, &run, &n));
    for (int64_t i = n - 1, seen = 0; i >= 0 && *id == 0; i--) {
        orr_stored_experiment e;
        bool finished = true;
        if (run[i].experiment == seen) continue;
        seen = run[i].experiment;
        ORR_TRY(s->ctx, orr_store_reopen(s->store, arena, seen, &e));
        for (int64_t k = 0; k < e.n_runs; k++) finished = finished && e.finished[k];
        if (finished && is_default(law, &e, s->options->law.size)) *id = seen;
    }
    return ORR_OK;
}

static orr_status outcome_of(session *s, orr_arena *arena, const orr_law *law, orr_experiment *experiment,
                             orr_law_outcome *outcome) {
    const orr_law_options options = { .stop = orr_cli_stop() };
    int64_t id = 0;
    if (!s->options->fresh) ORR_TRY(s->ctx, find_stored(s, arena, law, &id));
    if (id) {
        const orr_status status = orr_law_recall(s->ctx, arena, s->store, law, id, experiment, outcome);
        if (status != ORR_EINPUT) return status;
        orr_context_clear(s->ctx); /* of another version: it is run anew */
    }
    ORR_TRY(s->ctx, orr_cli_law_experiment(s->ctx, arena, law, &s->options->law, NULL, 0, experiment));
    return orr_law_run(s->ctx, arena, s->store, law, experiment, &options, outcome);
}

/* A map of the law, where the store keeps none. */
static orr_status make_map(session *s, orr_arena *arena, const orr_law *law, const orr_experiment *experiment) {
    orr_cli_law_options options = s->options->law;
    const char *axis;
    json_t *map;
    ORR_TRY(s->ctx, orr_map_recall(s->ctx, arena, s->store, law, experiment, &axis, &map));
    if (!map && law->breaks_along) {
        options.law = law->id;
        ORR_TRY(s->ctx, orr_cli_make_map(s->ctx, arena, s->store, &options, NULL, false));
    }
    json_decref(map);
    return ORR_OK;
}

static void print_law(const orr_law_outcome *o) {
    const orr_judgement *j = &o->check[o->headline];
    printf("%-28s %-14s", o->law->id, orr_verdict_words(o->verdict));
    if (j->n) printf("%s = %.4g", o->law->checks[o->headline].metric, j->value);
    printf("%s%s\n", j->n && o->note[0] ? "; " : "", o->note);
    (void)fflush(stdout);
}

static orr_status add_in(session *s, orr_arena *arena, const orr_law *law) {
    orr_experiment experiment;
    orr_law_outcome outcome = { .note = "", .outside = "" };
    json_t *entry = NULL;
    const char *command = orr_arena_format(arena, "orrery law run %s --size %s", law->id, s->options->law.size);
    if (!command) return orr_fail(s->ctx, ORR_ENOMEM, "no memory for an atlas");
    orr_status status = outcome_of(s, arena, law, &experiment, &outcome);
    if (status == ORR_OK && s->options->maps) status = make_map(s, arena, law, &experiment);
    if (status == ORR_OK) status = orr_law_entry(s->ctx, arena, s->store, &outcome, &experiment, command, &entry);
    json_decref(outcome.prediction);
    json_decref(outcome.measurement);
    ORR_TRY(s->ctx, status);
    if (json_array_append_new(s->entries, entry) != 0 ||
        json_array_append_new(s->verdicts, orr_law_outcome_json(&outcome)) != 0)
        return orr_fail(s->ctx, ORR_ENOMEM, "no memory for an atlas");
    s->laws++;
    s->holds += outcome.verdict == ORR_HOLDS;
    if (!s->options->law.json) print_law(&outcome);
    return ORR_OK;
}

/* What a law held in memory is given back before the next. */
static orr_status add_law(session *s, const orr_law *law) {
    orr_arena *arena = NULL;
    ORR_TRY(s->ctx, orr_arena_new(s->ctx, &arena));
    const orr_status status = add_in(s, arena, law);
    orr_arena_free(arena);
    return status;
}

static orr_status print_json(session *s) {
    json_t *all = json_pack("{s:s, s:O}", "page", s->options->law.page, "laws", s->verdicts);
    char *text;
    const orr_status status = orr_json_text(s->ctx, s->arena, all, 9, &text);
    json_decref(all);
    if (status == ORR_OK) printf("%s\n", text);
    return status;
}

static orr_status make(session *s) {
    const atlas_options *o = s->options;
    ORR_TRY(s->ctx, orr_page_try(s->ctx, s->arena, o->law.page));
    ORR_TRY(s->ctx, orr_store_open(s->ctx, orr_cli_store(o->law.store), &s->store));
    for (int i = 0; i < o->n_words; i++) ORR_TRY(s->ctx, add_law(s, orr_law_find(o->word[i])));
    for (int i = 0; o->n_words == 0 && orr_law_at(i); i++) ORR_TRY(s->ctx, add_law(s, orr_law_at(i)));
    ORR_TRY(s->ctx, orr_page_write_atlas(s->ctx, s->arena, "The atlas of learning",
                                         "What theory says that a network will do while it learns, beside what it did: "
                                         "each prediction was sealed before the network was trained.",
                                         approaches, s->entries, o->law.page));
    if (o->law.json) return print_json(s);
    struct stat file;
    const double megabytes = stat(o->law.page, &file) == 0 ? (double)file.st_size / 1e6 : 0.0;
    printf("\n%d of %d laws hold\npage: %s (%.2f MB)\n", s->holds, s->laws, o->law.page, megabytes);
    return ORR_OK;
}

int orr_cli_atlas(int argc, char **argv) {
    atlas_options o = { .fresh = false };
    session s = { .options = &o };
    orr_status status;
    int code = parse(argc, argv, &o);
    if (code != ORR_CLI_GO) return code;
    if (orr_context_new(&(orr_context_options){ .threads = (int)o.law.threads, .log = stderr }, &s.ctx) != ORR_OK)
        return fprintf(stderr, "orrery atlas: could not start %lld threads\n", o.law.threads), ORR_EXIT_OURS;
    s.entries = json_array();
    s.verdicts = json_array();
    ORR_TRY_DONE(s.ctx, orr_arena_new(s.ctx, &s.arena));
    ORR_TRY_DONE(s.ctx, make(&s));
done:
    code = status != ORR_OK    ? orr_cli_fail(s.ctx, "atlas", status)
           : s.holds == s.laws ? ORR_EXIT_HOLDS
                               : ORR_EXIT_FAILS;
    json_decref(s.entries);
    json_decref(s.verdicts);
    orr_store_close(s.store);
    orr_arena_free(s.arena);
    orr_context_free(s.ctx);
    return code;
}
