/* orrery run: seals what laws predict of an experiment, trains all its runs, records, judges. */
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "cli/session.h"
#include "lab/stored.h"

static const char usage[] =
    "usage: orrery run FILE [options]\n"
    "\n"
    "  orrery run mine.yaml\n"
    "  orrery run mine.yaml --set rule.learning_rate=0.2 --seeds 5\n"
    "  orrery run mine.yaml --jobs 2 --json | jq '.runs[].loss'\n"
    "\n"
    "Checks the file, seals the predictions of its laws in the store, trains every point and seed with the instruments "
    "on,\n"
    "and judges.  Runs with one graph train as one ensemble; the rest goes over cores.  Killed or stopped (Ctrl-C),\n"
    "`orrery resume` goes on from the last checkpoint, to the same bits.\n"
    "\n"
    "  --set KEY=VALUE       changes the file for this run; keys are dotted: --set rule.learning_rate=0.2\n"
    "  --seeds N             seeds 0 to N-1 instead of the file's\n"
    "  --size quick|full     the file's changes for that size\n"
    "  --jobs N              jobs at a time (default: the threads)\n"
    "  --threads N           default: the cores that this process may use\n"
    "  --no-ensemble         every run alone\n"
    "  --checkpoint SECONDS  between checkpoints (default: 10)\n"
    "  --device cpu          the only one in this build\n"
    "  --store FILE          default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "  --json                one JSON object instead of the table\n"
    "\n"
    "Exit codes: 0 done, and every law holds; 1 a law fails or is out of its regime; 2 wrong usage or bad input; 3 "
    "the\n"
    "machine could not do it.\n";

enum { SETS_MAX = 200, LAWS_MAX = 200 };

typedef struct run_options {
    const char *file, *store;
    orr_experiment_options experiment;
    const char *set[SETS_MAX + 1];
    char seeds[40];
    long long jobs, threads, checkpoint;
    bool json, no_ensemble;
} run_options;

static const char *const flags[] = { "--set",        "--seeds",  "--size",  "--jobs", "--threads", "--no-ensemble",
                                     "--checkpoint", "--device", "--store", "--json", "--help",    NULL };

static int read_count(const char *flag, const char *value, long long high, long long *out) {
    if (orr_cli_int(value, 1, high, out)) return ORR_EXIT_HOLDS;
    return orr_cli_usage("run", "%s: expected a whole number from 1 to %lld, met '%s'", flag, high, value);
}

/* An option with its value. */
static int read_option(run_options *o, const char *flag, const char *value) {
    static const char *const sizes[] = { "quick", "full", NULL }, *const devices[] = { "cpu", NULL };
    if (strcmp(flag, "--set") == 0) {
        if (o->experiment.n_set == SETS_MAX) return orr_cli_usage("run", "at most %d times --set", SETS_MAX);
        o->set[o->experiment.n_set++] = value;
    } else if (strcmp(flag, "--seeds") == 0) {
        long long n;
        const int code = read_count(flag, value, 100000, &n);
        if (code != ORR_EXIT_HOLDS) return code;
        (void)snprintf(o->seeds, sizeof o->seeds, "seeds=%lld", n);
    } else if (strcmp(flag, "--size") == 0) {
        o->experiment.size = value;
        if (strcmp(value, "quick") != 0 && strcmp(value, "full") != 0)
            return orr_cli_unknown("run", "size", value, sizes);
    } else if (strcmp(flag, "--device") == 0) {
        if (strcmp(value, "cpu") != 0) return orr_cli_unknown("run", "device", value, devices);
    } else if (strcmp(flag, "--store") == 0) {
        o->store = value;
    } else if (strcmp(flag, "--jobs") == 0) {
        return read_count(flag, value, 256, &o->jobs);
    } else if (strcmp(flag, "--checkpoint") == 0) {
        return read_count(flag, value, 1000000, &o->checkpoint);
    } else {
        return read_count(flag, value, 256, &o->threads);
    }
    return ORR_EXIT_HOLDS;
}

static int parse(int argc, char **argv, run_options *o) {
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        int flag = 0, code = ORR_EXIT_HOLDS;
        while (flags[flag] && strcmp(flags[flag], word) != 0) flag++;
        if (word[0] != '-') {
            if (o->file) return orr_cli_usage("run", "one file at a time; met '%s' after '%s'", word, o->file);
            o->file = word;
        } else if (!flags[flag]) {
            return orr_cli_unknown("run", "option", word, flags);
        } else if (strcmp(word, "--json") == 0) {
            o->json = true;
        } else if (strcmp(word, "--no-ensemble") == 0) {
            o->no_ensemble = true;
        } else if (i + 1 == argc) {
            return orr_cli_usage("run", "%s needs a value; see orrery run --help", word);
        } else {
            code = read_option(o, word, argv[++i]);
        }
        if (code != ORR_EXIT_HOLDS) return code;
    }
    if (o->seeds[0]) o->set[o->experiment.n_set++] = o->seeds;
    o->experiment.set = o->set;
    return o->file ? ORR_EXIT_HOLDS : orr_cli_usage("run", "needs an experiment file; see orrery run --help");
}

static orr_status find_laws(orr_context *ctx, orr_arena *arena, const orr_experiment *e, const orr_law ***laws) {
    *laws = ORR_NEW(arena, const orr_law *, e->n_laws);
    if (!*laws) return orr_fail(ctx, ORR_ENOMEM, "no memory for %lld laws", (long long)e->n_laws);
    for (int64_t i = 0; i < e->n_laws; i++)
        if (!((*laws)[i] = orr_law_find(e->laws[i])))
            return orr_fail(ctx, ORR_EINPUT, "no law '%s'; see orrery law list", e->laws[i]);
    return ORR_OK;
}

static orr_status run(orr_context *ctx, run_options *o, int *code) {
    orr_arena *arena = NULL;
    orr_store *store = NULL;
    orr_experiment experiment;
    orr_laws_outcome outcome = { 0 };
    const orr_law **laws;
    orr_status status;
    const orr_law_options options = { .stop = orr_cli_stop(),
                                      .train_anyway = true,
                                      .no_ensemble = o->no_ensemble,
                                      .jobs = (int)o->jobs,
                                      .checkpoint_seconds = (double)o->checkpoint };
    const char *ids[LAWS_MAX + 1] = { NULL };
    for (int i = 0; i < LAWS_MAX && orr_law_at(i); i++) ids[i] = orr_law_at(i)->id;
    o->experiment.laws = ids;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_experiment_read(ctx, arena, o->file, &o->experiment, &experiment));
    ORR_TRY_DONE(ctx, orr_stored_note(ctx, arena, &o->experiment, &experiment));
    ORR_TRY_DONE(ctx, find_laws(ctx, arena, &experiment, &laws));
    ORR_TRY_DONE(ctx, orr_store_open(ctx, orr_cli_store(o->store), &store));
    ORR_TRY_DONE(ctx, orr_laws_run(ctx, arena, store, laws, experiment.n_laws, &experiment, &options, &outcome));
    *code = orr_cli_verdict(&outcome);
    ORR_TRY_DONE(ctx, orr_cli_print_outcome(ctx, arena, store, &experiment, &outcome, o->json));
done:
    for (int64_t i = 0; outcome.law && i < outcome.n_laws; i++) {
        json_decref(outcome.law[i].prediction);
        json_decref(outcome.law[i].measurement);
    }
    orr_store_close(store);
    orr_arena_free(arena);
    return status;
}

int orr_cli_run(int argc, char **argv) {
    run_options o = { 0 };
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return printf("%s", usage) < 0 ? ORR_EXIT_OURS : ORR_EXIT_HOLDS;
    int code = parse(argc, argv, &o);
    if (code != ORR_EXIT_HOLDS) return code;
    orr_context *ctx;
    if (orr_context_new(&(orr_context_options){ .threads = (int)o.threads, .log = stderr }, &ctx) != ORR_OK)
        return fprintf(stderr, "orrery run: could not start %lld threads\n", o.threads), ORR_EXIT_OURS;
    const orr_status status = run(ctx, &o, &code);
    if (status != ORR_OK) code = orr_cli_fail(ctx, "run", status);
    orr_context_free(ctx);
    return code;
}
