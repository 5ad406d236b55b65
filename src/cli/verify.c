/* orrery verify: were the sealed predictions changed? */
#include <stdio.h>

#include "base/context.h"
#include "cli/inspect.h"

static const char usage[] =
    "usage: orrery verify [RUN] [options]\n"
    "\n"
    "  orrery verify          every experiment of the store, and the file itself\n"
    "  orrery verify 12       the experiment of run 12\n"
    "\n"
    "Derives again the SHA-256 of each sealed prediction and the chain of seals, in which each experiment hashes its "
    "text,\n"
    "runs and predictions together with the seal before it, and says which differ (docs/store.md). The last seal that "
    "it\n"
    "prints vouches for everything before: keep it elsewhere to be able to prove that nothing was rewritten.\n"
    "\n"
    "  --store FILE     default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "  --json           one object\n"
    "\n"
    "Exit codes: 0 all is as it was sealed, 1 something was changed, 2 wrong usage, 3 the machine could not do it.\n";

typedef struct options {
    int64_t run;
    bool json;
} options;

static orr_status print_findings(orr_inspection *in, const orr_verification *v, const char *seal, int64_t sealed) {
    const options *o = in->user;
    if (o->json) {
        json_t *findings = json_array();
        for (int64_t i = 0; i < v->n; i++)
            (void)json_array_append_new(findings,
                                        json_pack("{s:I, s:s}", "experiment", (json_int_t)v->finding[i].experiment,
                                                  "words", v->finding[i].words));
        return orr_cli_print_json(in, json_pack("{s:b, s:I, s:I, s:o, s:o}", "unchanged", v->n == 0, "experiments",
                                                (json_int_t)v->experiments, "predictions", (json_int_t)v->predictions,
                                                "last_seal", orr_cli_text_json(seal), "findings", findings));
    }
    for (int64_t i = 0; i < v->n; i++) {
        if (v->finding[i].experiment) printf("experiment %lld: ", (long long)v->finding[i].experiment);
        printf("%s\n", v->finding[i].words);
    }
    printf("%lld experiment%s, %lld prediction%s: %s\n", (long long)v->experiments, v->experiments == 1 ? "" : "s",
           (long long)v->predictions, v->predictions == 1 ? "" : "s", v->n ? "CHANGED" : "all as they were sealed");
    if (seal && !v->n) printf("seal of experiment %lld: %s\n", (long long)sealed, seal);
    return ORR_OK;
}

static orr_status verify(orr_inspection *in) {
    const options *o = in->user;
    orr_run_row run = { 0 };
    orr_experiment_row experiment = { 0 };
    orr_run_row *last;
    int64_t n;
    orr_verification v;
    if (o->run) ORR_TRY(in->ctx, orr_query_run(in->store, in->arena, o->run, &run));
    ORR_TRY(in->ctx, orr_store_verify(in->store, in->arena, run.experiment, &v));
    ORR_TRY(in->ctx, orr_query_runs(in->store, in->arena, &(orr_run_filter){ .last = 1 }, &last, &n));
    const int64_t sealed = o->run ? run.experiment : n ? last->experiment : 0;
    if (sealed) ORR_TRY(in->ctx, orr_query_experiment(in->store, in->arena, sealed, &experiment));
    if (v.n) in->code = ORR_EXIT_FAILS;
    return print_findings(in, &v, experiment.seal, sealed);
}

int orr_cli_verify(int argc, char **argv) {
    options o = { 0 };
    const char *store = NULL, *word = NULL;
    const orr_cli_option table[] = { { .name = "--store", .value = &store },
                                     { .name = "--json", .flag = &o.json },
                                     { 0 } };
    int n, code = orr_cli_parse("verify", usage, "run", argc, argv, table, &word, 1, &n);
    if (code == ORR_CLI_GO && n) code = orr_cli_run_id("verify", word, &o.run);
    return code == ORR_CLI_GO ? orr_cli_inspect("verify", store, verify, &o) : code;
}
