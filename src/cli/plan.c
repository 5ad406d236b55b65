/* orrery plan: what an experiment would cost, before it runs. */
#include <stdio.h>

#include "base/context.h"
#include "base/json.h"
#include "base/progress.h"
#include "cli/options.h"
#include "lab/plan.h"

static const char usage[] =
    "usage: orrery plan FILE [--set KEY=VALUE]... [--size quick|full] [--no-ensemble] [--json]\n"
    "\n"
    "  orrery plan mine.yaml\n"
    "  orrery plan mine.yaml --set architecture.widths=[512,512]\n"
    "\n"
    "For each job: networks that train together, parameters of one, operations and memory of an update, measurements, "
    "and an\n"
    "estimate of the time on one job at a time, for which some updates of a copy are timed.  Nothing is recorded.\n";

typedef struct plan_options {
    const char *file;
    orr_experiment_options experiment;
    orr_cli_list set;
    bool json, no_ensemble;
} plan_options;

/* ORR_CLI_GO and all options, or the exit code to end with. */
static int parse(int argc, char **argv, plan_options *o) {
    const orr_cli_option table[] = {
        { .name = "--set", .list = &o->set },
        { .name = "--size", .value = &o->experiment.size, .choices = orr_cli_sizes },
        { .name = "--no-ensemble", .flag = &o->no_ensemble },
        { .name = "--json", .flag = &o->json },
        { 0 },
    };
    int n;
    const int code = orr_cli_parse("plan", usage, "file", argc, argv, table, &o->file, 1, &n);
    if (code == ORR_CLI_GO && n == 0) return orr_cli_usage("plan", "needs an experiment file; see orrery plan --help");
    o->experiment.set = o->set.item;
    o->experiment.n_set = o->set.n;
    return code;
}

static double mebibytes(const orr_job_plan *p) {
    return (double)(p->cost.peak_bytes + p->cost.persistent_bytes + p->cost.workspace_bytes) / (1024.0 * 1024.0);
}

static orr_status print_json(orr_context *ctx, orr_arena *arena, const orr_job_plan *plan, int64_t n) {
    json_t *list = json_array();
    char *text;
    for (int64_t i = 0; i < n; i++) {
        const orr_job_plan *p = &plan[i];
        (void)json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:f, s:f}", "point",
                                                    p->point->name, "members", (json_int_t)p->members, "parameters",
                                                    (json_int_t)p->parameters, "examples", (json_int_t)p->examples,
                                                    "batch", (json_int_t)p->batch, "steps", (json_int_t)p->steps,
                                                    "measurements", (json_int_t)p->measurements, "forward_passes",
                                                    p->forward_passes, "flops_per_update", (json_int_t)p->cost.flops,
                                                    "memory_mib", mebibytes(p), "seconds", p->seconds));
    }
    const orr_status status = orr_json_text(ctx, arena, list, 6, &text);
    json_decref(list);
    if (status == ORR_OK) printf("%s\n", text);
    return status;
}

static void print_table(const orr_job_plan *plan, int64_t n) {
    double total = 0.0;
    char words[32];
    printf("%-36s %8s %11s %9s %12s %10s %13s  %s\n", "job (its first point)", "networks", "parameters", "updates",
           "flops/update", "MiB", "measurements", "time");
    for (int64_t i = 0; i < n; i++) {
        const orr_job_plan *p = &plan[i];
        orr_seconds_in_words(p->seconds, words);
        total += p->seconds;
        printf("%-36s %8lld %11lld %9lld %12.3g %10.1f %13lld  %s\n", p->point->name, (long long)p->members,
               (long long)p->parameters, (long long)p->steps, (double)p->cost.flops, mebibytes(p),
               (long long)p->measurements, words);
    }
    orr_seconds_in_words(total, words);
    printf("\n%lld job%s, about %s one after the other\n", (long long)n, n == 1 ? "" : "s", words);
}

static orr_status plan(orr_context *ctx, const plan_options *o) {
    orr_arena *arena = NULL;
    orr_status status;
    orr_experiment experiment;
    const orr_problem **problems;
    orr_job_plan *jobs;
    int64_t n;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_experiment_read(ctx, arena, o->file, &o->experiment, &experiment));
    ORR_TRY_DONE(ctx, orr_lab_prepare(ctx, arena, &experiment, &problems));
    ORR_TRY_DONE(ctx, orr_lab_plan(ctx, arena, &experiment, problems, o->no_ensemble, &jobs, &n));
    if (o->json) status = print_json(ctx, arena, jobs, n);
    else print_table(jobs, n);
done:
    orr_arena_free(arena);
    return status;
}

int orr_cli_plan(int argc, char **argv) {
    plan_options o = { 0 };
    const int code = parse(argc, argv, &o);
    if (code != ORR_CLI_GO) return code;
    orr_context *ctx;
    if (orr_context_new(&(orr_context_options){ .log = stderr }, &ctx) != ORR_OK)
        return fprintf(stderr, "orrery plan: could not start\n"), ORR_EXIT_OURS;
    const orr_status status = plan(ctx, &o);
    const int end = status == ORR_OK ? ORR_EXIT_HOLDS : orr_cli_fail(ctx, "plan", status);
    orr_context_free(ctx);
    return end;
}
