/* orrery law: list, show, run; `run all` is in law_all.c, `map` in law_map.c. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "cli/laws.h"
#include "report/page.h"

static const char usage[] =
    "usage: orrery law list | show LAW | run LAW|all [options] | map LAW [options]\n"
    "\n"
    "  orrery law run edge-of-stability                    quick size: under a minute on two cores\n"
    "  orrery law run edge-of-stability --size full\n"
    "  orrery law run edge-of-stability --seeds 5 -o page.html\n"
    "  orrery law run edge-of-stability --experiment my.yaml --json | jq .verdict\n"
    "  orrery law run all --size quick --json | jq '.laws[] | .law, .verdict, .seconds'\n"
    "  orrery law map edge-of-stability                    along the axis that breaks it\n"
    "  orrery law map edge-of-stability --axis data.n=50:2000:6,log --json\n"
    "\n"
    "`run` computes the prediction, seals it in the store (SQLite) with its SHA-256, and only then trains; it prints "
    "the verdict\n"
    "and writes a page with the figure.  `run all` (or `all`) does so for every law and prints a line each, with time "
    "and memory.\n"
    "`map` runs a law along an axis, also past its regime, and shows where it stops to hold.\n"
    "\n"
    "  --size quick|full     which size of the law's experiment (default: quick)\n"
    "  --experiment FILE     your own experiment instead of the law's (default size: as the file is)\n"
    "  --axis KEY=FROM:TO[:N][,log]\n"
    "                        of map: N values of a key of the experiment (default: 5, and the law's own axis)\n"
    "  --seeds N             initial draws 0 to N-1 instead of the experiment's; at least 3\n"
    "  --store FILE          default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "  -o, --page FILE       the page (default: orrery-LAW.html, orrery-map-LAW.html; - for none; `all` writes none)\n"
    "  --threads N           default: the cores that this process may use\n"
    "  --json                one JSON object instead of the table\n"
    "\n"
    "Exit codes: 0 the law holds (map: it was drawn), 1 it fails or is out of its regime, 2 wrong usage or bad input, "
    "3 the\n"
    "machine could not do it.\n";

/* ORR_CLI_GO and all options, or the exit code to end with. */
static int parse(int argc, char **argv, orr_cli_law_options *o) {
    const orr_cli_option table[] = {
        { .name = "--size", .value = &o->size, .choices = orr_cli_sizes },
        { .name = "--experiment", .value = &o->experiment },
        { .name = "--axis", .value = &o->axis },
        { .name = "--seeds", .number = &o->seeds, .least = ORR_LAW_SEEDS_MIN, .most = 100000 },
        { .name = "--store", .value = &o->store },
        { .name = "--page", .alias = "-o", .value = &o->page },
        { .name = "--threads", .number = &o->threads, .most = 256 },
        { .name = "--json", .flag = &o->json },
        { 0 },
    };
    int n;
    return orr_cli_parse("law", usage, "law", argc, argv, table, &o->law, 1, &n);
}

int orr_cli_unknown_law(const char *word) {
    const char *names[64] = { NULL };
    for (int i = 0; orr_law_at(i) && i < 63; i++) names[i] = orr_law_at(i)->id;
    return orr_cli_unknown("law", "law", word, names);
}

static int list(void) {
    for (int i = 0; orr_law_at(i); i++)
        printf("%-24s %-5s %s\n", orr_law_at(i)->id, orr_law_at(i)->section, orr_law_at(i)->title);
    return ORR_EXIT_HOLDS;
}

static int show(const char *id) {
    const orr_law *law = orr_law_find(id);
    if (!law) return orr_cli_unknown_law(id);
    printf("%s (%s, section %s)\n\n%s\n\nSources: %s\n\nRegime:\n", law->title, law->id, law->section, law->statement,
           law->sources);
    for (const orr_condition *c = law->regime; c->words; c++) printf("  - %s\n", c->words);
    printf("\nChecks, each over seeds:\n");
    for (const orr_check *c = law->checks; c->metric; c++) printf("  - %s in [%g, %g]\n", c->metric, c->low, c->high);
    printf("\nBreaks along: %s\n", law->breaks_along ? law->breaks_along : "-");
    printf("\nDefault experiment:\n\n%s", law->defaults);
    return ORR_EXIT_HOLDS;
}

/* ---- run ------------------------------------------------------------------------------------------------------------------ */

static void print_row(const orr_check *c, const orr_judgement *j) {
    printf("%s %-58s %9.4g   [%.4g, %.4g]   in [%g, %g]\n", orr_cli_verdict_cell(j->verdict), c->metric, j->value,
           j->interval[0], j->interval[1], c->low, c->high);
}

static void print_outcome(const orr_law_outcome *o, const char *store, const char *page) {
    printf("%s: %s\n\n", o->law->title, orr_verdict_words(o->verdict));
    if (o->note[0]) printf("%s\n", o->note);
    if (o->verdict != ORR_OUT_OF_REGIME) {
        printf("%-14s %-58s %9s   range over %lld seeds, tolerance\n", "", "", "mean", (long long)o->seeds);
        for (int64_t i = 0; i < o->n_checks; i++)
            if (o->check[i].n) print_row(&o->law->checks[i], &o->check[i]);
        printf("\nsealed %s, sha256 %s\ntrained %s to %s\nstore: %s, experiment %lld\n", o->sealed_at, o->sha256,
               o->started_at, o->finished_at, store, (long long)o->experiment);
    }
    if (page) printf("page: %s\n", page);
}

static orr_status print_json(orr_context *ctx, orr_arena *arena, const orr_law_outcome *o) {
    json_t *object = orr_law_outcome_json(o);
    char *text;
    const orr_status status = orr_json_text(ctx, arena, object, 9, &text);
    json_decref(object);
    if (status == ORR_OK) printf("%s\n", text);
    return status;
}

orr_status orr_cli_law_experiment(orr_context *ctx, orr_arena *arena, const orr_law *law, const orr_cli_law_options *o,
                                  const char *const *more, int n_more, orr_experiment *out) {
    orr_status status;
    const char *seeds = o->seeds ? orr_arena_format(arena, "seeds=%lld", o->seeds) : NULL;
    const char *sets[8];
    int n_set = 0;
    assert(n_more < 8);
    if (o->seeds && !seeds) return orr_fail(ctx, ORR_ENOMEM, "no memory for an experiment");
    if (seeds) sets[n_set++] = seeds;
    for (int i = 0; i < n_more; i++)
        if (more[i]) sets[n_set++] = more[i];
    const orr_experiment_options options = { .size = o->size         ? o->size
                                                     : o->experiment ? ""
                                                                     : "quick",
                                             .set = sets,
                                             .n_set = n_set };
    if (o->experiment) {
        status = orr_experiment_read(ctx, arena, o->experiment, &options, out);
    } else {
        const char *file = orr_arena_format(arena, "experiments/laws/%s.yaml (built in)", law->id);
        status =
            orr_experiment_parse(ctx, arena, file ? file : law->id, law->defaults, *law->defaults_size, &options, out);
    }
    return status;
}

static orr_status run_law(orr_context *ctx, const orr_law *law, const orr_cli_law_options *o, orr_verdict *verdict) {
    orr_arena *arena = NULL;
    orr_store *store = NULL;
    orr_experiment experiment;
    orr_law_outcome outcome = { 0 };
    orr_status status;
    const orr_law_options options = { .stop = orr_cli_stop() };
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_cli_law_experiment(ctx, arena, law, o, NULL, 0, &experiment));
    const char *page = o->page ? o->page : orr_arena_format(arena, "orrery-%s.html", law->id);
    if (!page || strcmp(page, "-") == 0) page = NULL;
    if (page) ORR_TRY_DONE(ctx, orr_page_try(ctx, arena, page));
    ORR_TRY_DONE(ctx, orr_store_open(ctx, orr_cli_store(o->store), &store));
    ORR_TRY_DONE(ctx, orr_law_run(ctx, arena, store, law, &experiment, &options, &outcome));
    *verdict = outcome.verdict;
    const char *command =
        orr_arena_format(arena, "orrery law run %s%s%s", law->id, o->experiment ? " --experiment " : " --size ",
                         o->experiment ? o->experiment : experiment.size);
    if (outcome.verdict == ORR_OUT_OF_REGIME) page = NULL;
    /* the verdict first: it must not be lost where the page can't be written */
    if (o->json) ORR_TRY_DONE(ctx, print_json(ctx, arena, &outcome));
    else print_outcome(&outcome, orr_cli_store(o->store), page);
    if (!o->json) ORR_TRY_DONE(ctx, orr_cli_plot(ctx, arena, &outcome));
    if (page) ORR_TRY_DONE(ctx, orr_law_write_page(ctx, arena, store, &outcome, &experiment, command, page));
done:
    json_decref(outcome.prediction);
    json_decref(outcome.measurement);
    orr_store_close(store);
    orr_arena_free(arena);
    return status;
}

/* A law of its own. */
static int run_one(const orr_cli_law_options *o, const orr_law *law) {
    orr_context *ctx;
    if (orr_context_new(&(orr_context_options){ .threads = (int)o->threads, .log = stderr }, &ctx) != ORR_OK)
        return fprintf(stderr, "orrery law: could not start %lld threads\n", o->threads), ORR_EXIT_OURS;
    orr_verdict verdict = ORR_FAILS;
    const orr_status status = run_law(ctx, law, o, &verdict);
    const int end = status != ORR_OK       ? orr_cli_fail(ctx, "law", status)
                    : verdict == ORR_HOLDS ? ORR_EXIT_HOLDS
                                           : ORR_EXIT_FAILS;
    orr_context_free(ctx);
    return end;
}

static int run(int argc, char **argv) {
    orr_cli_law_options o = { 0 };
    const int code = parse(argc, argv, &o);
    if (code != ORR_CLI_GO) return code;
    if (o.axis) return orr_cli_usage("law", "--axis is for `law map`; see orrery law --help");
    if (!o.law) return orr_cli_usage("law", "run needs the name of a law, or all; see orrery law list");
    if (strcmp(o.law, "all") == 0) {
        if (o.experiment) return orr_cli_usage("law", "--experiment is for one law; `laws: auto` in a file asks all");
        if (o.page) return orr_cli_usage("law", "--page is for one law");
        return orr_cli_law_all(&o);
    }
    const orr_law *law = orr_law_find(o.law);
    return law ? run_one(&o, law) : orr_cli_unknown_law(o.law);
}

static int map(int argc, char **argv) {
    orr_cli_law_options o = { 0 };
    const int code = parse(argc, argv, &o);
    if (code != ORR_CLI_GO) return code;
    if (!o.law) return orr_cli_usage("law", "map needs the name of a law; see orrery law list");
    return orr_law_find(o.law) ? orr_cli_law_map(&o) : orr_cli_unknown_law(o.law);
}

/* `law all --size quick` is short for `law run all --size quick`. */
static int all(int argc, char **argv) {
    char *words[64] = { (char *)"all" };
    if (argc > 63) return orr_cli_usage("law", "too many words; see orrery law --help");
    for (int i = 0; i < argc; i++) words[i + 1] = argv[i];
    return run(argc + 1, words);
}

int orr_cli_law(int argc, char **argv) {
    static const char *const verbs[] = { "list", "show", "run", "all", "map", NULL };
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return printf("%s", usage) < 0 ? ORR_EXIT_OURS : ORR_EXIT_HOLDS;
    if (argc == 0) return fprintf(stderr, "%s", usage), ORR_EXIT_USAGE;
    if (strcmp(argv[0], "list") == 0)
        return argc == 1 ? list() : orr_cli_usage("law", "list takes nothing; met '%s'", argv[1]);
    if (strcmp(argv[0], "show") == 0)
        return argc == 2 ? show(argv[1]) : orr_cli_usage("law", "show takes the name of one law; see orrery law list");
    if (strcmp(argv[0], "run") == 0) return run(argc - 1, argv + 1);
    if (strcmp(argv[0], "all") == 0) return all(argc - 1, argv + 1);
    if (strcmp(argv[0], "map") == 0) return map(argc - 1, argv + 1);
    return orr_cli_unknown("law", "verb", argv[0], verbs);
}
