/* orrery resume: goes on with what was interrupted, from the last checkpoints. */
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "cli/session.h"
#include "store/reopen.h"

static const char usage[] =
    "usage: orrery resume [RUN] [options]\n"
    "\n"
    "  orrery resume                every experiment with a run that was killed or stopped\n"
    "  orrery resume 12             the experiment of run 12\n"
    "\n"
    "Every recorded value and final weight is the one, to the bit, that the run would have had without a break.  Laws "
    "judge by\n"
    "the predictions that were sealed before the first step.\n"
    "\n"
    "  --jobs N, --threads N, --checkpoint SECONDS, --no-ensemble, --store FILE, --json    as for orrery run\n"
    "                        (--no-ensemble must be as it was: the grouping of runs is part of their bits)\n";

typedef struct resume_options {
    const char *store;
    long long run, jobs, threads, checkpoint;
    bool json, no_ensemble;
} resume_options;

static const char *const flags[] = { "--jobs",  "--threads", "--checkpoint", "--no-ensemble",
                                     "--store", "--json",    "--help",       NULL };

static int parse(int argc, char **argv, resume_options *o) {
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        int flag = 0;
        while (flags[flag] && strcmp(flags[flag], word) != 0) flag++;
        if (word[0] != '-') {
            if (o->run || !orr_cli_int(word, 1, INT64_MAX, &o->run))
                return orr_cli_usage("resume", "expected the number of one run, met '%s'", word);
        } else if (!flags[flag]) {
            return orr_cli_unknown("resume", "option", word, flags);
        } else if (strcmp(word, "--json") == 0) {
            o->json = true;
        } else if (strcmp(word, "--no-ensemble") == 0) {
            o->no_ensemble = true;
        } else if (i + 1 == argc) {
            return orr_cli_usage("resume", "%s needs a value; see orrery resume --help", word);
        } else if (strcmp(word, "--store") == 0) {
            o->store = argv[++i];
        } else {
            long long *to = strcmp(word, "--jobs") == 0      ? &o->jobs
                            : strcmp(word, "--threads") == 0 ? &o->threads
                                                             : &o->checkpoint;
            if (!orr_cli_int(argv[++i], 1, 256, to))
                return orr_cli_usage("resume", "%s: expected a whole number from 1 to 256, met '%s'", word, argv[i]);
        }
    }
    return ORR_EXIT_HOLDS;
}

static orr_status resume_one(orr_context *ctx, orr_store *store, const resume_options *o, int64_t id, int *code) {
    orr_arena *arena = NULL;
    orr_experiment experiment;
    orr_laws_outcome outcome = { 0 };
    orr_status status;
    const orr_law_options options = { .stop = orr_cli_stop(),
                                      .train_anyway = true,
                                      .no_ensemble = o->no_ensemble,
                                      .jobs = (int)o->jobs,
                                      .checkpoint_seconds = (double)o->checkpoint };
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_laws_resume(ctx, arena, store, id, &options, &experiment, &outcome));
    if (orr_cli_verdict(&outcome) != ORR_EXIT_HOLDS) *code = ORR_EXIT_FAILS;
    ORR_TRY_DONE(ctx, orr_cli_print_outcome(ctx, arena, store, &experiment, &outcome, o->json));
done:
    for (int64_t i = 0; outcome.law && i < outcome.n_laws; i++) {
        json_decref(outcome.law[i].prediction);
        json_decref(outcome.law[i].measurement);
    }
    orr_arena_free(arena);
    return status;
}

static orr_status resume(orr_context *ctx, const resume_options *o, int *code) {
    orr_arena *arena = NULL;
    orr_store *store = NULL;
    orr_status status;
    const int64_t *ids;
    int64_t one, n = 1;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_store_open(ctx, orr_cli_store(o->store), &store));
    if (o->run) {
        ORR_TRY_DONE(ctx, orr_store_experiment_of(store, o->run, &one));
        ids = &one;
    } else {
        ORR_TRY_DONE(ctx, orr_store_unfinished(store, arena, &ids, &n));
    }
    if (n == 0 && !o->json) printf("nothing to resume in %s\n", orr_store_path(store));
    for (int64_t i = 0; i < n; i++) ORR_TRY_DONE(ctx, resume_one(ctx, store, o, ids[i], code));
done:
    orr_store_close(store);
    orr_arena_free(arena);
    return status;
}

int orr_cli_resume(int argc, char **argv) {
    resume_options o = { 0 };
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return printf("%s", usage) < 0 ? ORR_EXIT_OURS : ORR_EXIT_HOLDS;
    int code = parse(argc, argv, &o);
    if (code != ORR_EXIT_HOLDS) return code;
    orr_context *ctx;
    if (orr_context_new(&(orr_context_options){ .threads = (int)o.threads, .log = stderr }, &ctx) != ORR_OK)
        return fprintf(stderr, "orrery resume: could not start %lld threads\n", o.threads), ORR_EXIT_OURS;
    const orr_status status = resume(ctx, &o, &code);
    if (status != ORR_OK) code = orr_cli_fail(ctx, "resume", status);
    orr_context_free(ctx);
    return code;
}
