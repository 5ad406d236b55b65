/* orrery run: seals what laws predict of an experiment, trains all its runs, records, judges. */
#include <stdio.h>

#include "base/context.h"
#include "cli/options.h"
#include "cli/session.h"

static const char usage[] =
    "usage: orrery run FILE [options]\n"
    "\n"
    "  orrery run mine.yaml\n"
    "  orrery run mine.yaml --set rule.learning_rate=0.2 --seeds 5\n"
    "  orrery run mine.yaml --jobs 2 --json | jq '.runs[].loss'\n"
    "\n"
    "Checks the file, seals the predictions of its laws in the store, trains every point and seed with the instruments "
    "on,\n"
    "and judges.  Small runs with one graph train as one ensemble; the rest goes over cores.  Killed or stopped "
    "(Ctrl-C),\n"
    "`orrery resume` goes on from the last checkpoint, to the same bits.  `time` in what it prints are shares of the "
    "time\n"
    "of training: updates, each kind of instrument (what several share counts with the first that asks), the store.\n"
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

enum { LAWS_MAX = 200 };

typedef struct run_options {
    const char *file, *store;
    orr_experiment_options experiment;
    orr_cli_list set;
    char seeds_set[40];
    long long seeds, jobs, threads, checkpoint;
    bool json, no_ensemble;
} run_options;

/* ORR_CLI_GO and all options, or the exit code to end with. */
static int parse(int argc, char **argv, run_options *o) {
    static const char *const devices[] = { "cpu", NULL };
    const char *device = NULL;
    const orr_cli_option table[] = {
        { .name = "--set", .list = &o->set },
        { .name = "--seeds", .number = &o->seeds, .most = 100000 },
        { .name = "--size", .value = &o->experiment.size, .choices = orr_cli_sizes },
        { .name = "--jobs", .number = &o->jobs, .most = 256 },
        { .name = "--threads", .number = &o->threads, .most = 256 },
        { .name = "--no-ensemble", .flag = &o->no_ensemble },
        { .name = "--checkpoint", .number = &o->checkpoint, .most = 1000000 },
        { .name = "--device", .value = &device, .choices = devices },
        { .name = "--store", .value = &o->store },
        { .name = "--json", .flag = &o->json },
        { 0 },
    };
    int n;
    const int code = orr_cli_parse("run", usage, "file", argc, argv, table, &o->file, 1, &n);
    if (code != ORR_CLI_GO) return code;
    if (n == 0) return orr_cli_usage("run", "needs an experiment file; see orrery run --help");
    if (o->seeds) {
        if (o->set.n == ORR_CLI_LIST_MAX) return orr_cli_usage("run", "--seeds: too many --set beside it");
        (void)snprintf(o->seeds_set, sizeof o->seeds_set, "seeds=%lld", o->seeds);
        o->set.item[o->set.n++] = o->seeds_set;
    }
    o->experiment.set = o->set.item;
    o->experiment.n_set = o->set.n;
    return ORR_CLI_GO;
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
    orr_experiment_options changes = o->experiment;
    changes.laws = ids;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_experiment_read(ctx, arena, o->file, &changes, &experiment));
    ORR_TRY_DONE(ctx, find_laws(ctx, arena, &experiment, &laws));
    ORR_TRY_DONE(ctx, orr_store_open(ctx, orr_cli_store(o->store), &store));
    ORR_TRY_DONE(ctx, orr_laws_run(ctx, arena, store, laws, experiment.n_laws, &experiment, &options, &outcome));
    *code = orr_cli_verdict(&outcome, experiment.laws_auto);
    ORR_TRY_DONE(ctx, orr_cli_print_outcome(ctx, arena, store, &experiment, &outcome, o->json));
done:
    orr_cli_forget(&outcome);
    orr_store_close(store);
    orr_arena_free(arena);
    return status;
}

int orr_cli_run(int argc, char **argv) {
    run_options o = { 0 };
    int code = parse(argc, argv, &o);
    if (code != ORR_CLI_GO) return code;
    orr_context *ctx;
    if (orr_context_new(&(orr_context_options){ .threads = (int)o.threads, .log = stderr }, &ctx) != ORR_OK)
        return fprintf(stderr, "orrery run: could not start %lld threads\n", o.threads), ORR_EXIT_OURS;
    const orr_status status = run(ctx, &o, &code);
    if (status != ORR_OK) code = orr_cli_fail(ctx, "run", status);
    orr_context_free(ctx);
    return code;
}
