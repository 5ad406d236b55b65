/* orrery resume: goes on with what was interrupted, from the last checkpoints. */
#include <stdio.h>

#include "base/context.h"
#include "cli/inspect.h"
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
    "  --jobs N, --threads N, --checkpoint SECONDS, --store FILE, --json    as for orrery run\n";

typedef struct resume_options {
    const char *store;
    int64_t run;
    long long jobs, threads, checkpoint;
    bool json;
} resume_options;

/* ORR_CLI_GO and all options, or the exit code to end with. */
static int parse(int argc, char **argv, resume_options *o) {
    const orr_cli_option table[] = {
        { .name = "--jobs", .number = &o->jobs, .most = 256 },
        { .name = "--threads", .number = &o->threads, .most = 256 },
        { .name = "--checkpoint", .number = &o->checkpoint, .most = 1000000 },
        { .name = "--store", .value = &o->store },
        { .name = "--json", .flag = &o->json },
        { 0 },
    };
    const char *word;
    int n;
    const int code = orr_cli_parse("resume", usage, "run", argc, argv, table, &word, 1, &n);
    return code == ORR_CLI_GO && n ? orr_cli_run_id("resume", word, &o->run) : code;
}

static orr_status resume_one(orr_context *ctx, orr_store *store, const resume_options *o, int64_t id, int *code) {
    orr_arena *arena = NULL;
    orr_experiment experiment;
    orr_laws_outcome outcome = { 0 };
    orr_status status;
    const orr_law_options options = {
        .stop = orr_cli_stop(), .train_anyway = true, .jobs = (int)o->jobs, .checkpoint_seconds = (double)o->checkpoint
    };
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_laws_resume(ctx, arena, store, id, &options, &experiment, &outcome));
    if (orr_cli_verdict(&outcome, experiment.laws_auto) != ORR_EXIT_HOLDS) *code = ORR_EXIT_FAILS;
    ORR_TRY_DONE(ctx, orr_cli_print_outcome(ctx, arena, store, &experiment, &outcome, o->json));
done:
    orr_cli_forget(&outcome);
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
    ORR_TRY_DONE(ctx, orr_store_open_existing(ctx, orr_cli_store(o->store), &store));
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
    int code = parse(argc, argv, &o);
    if (code != ORR_CLI_GO) return code;
    code = ORR_EXIT_HOLDS;
    orr_context *ctx;
    if (orr_context_new(&(orr_context_options){ .threads = (int)o.threads, .log = stderr }, &ctx) != ORR_OK)
        return fprintf(stderr, "orrery resume: could not start %lld threads\n", o.threads), ORR_EXIT_OURS;
    const orr_status status = resume(ctx, &o, &code);
    if (status != ORR_OK) code = orr_cli_fail(ctx, "resume", status);
    orr_context_free(ctx);
    return code;
}
