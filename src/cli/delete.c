/* orrery delete: takes experiments out of the store. */
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "cli/inspect.h"

static const char usage[] =
    "usage: orrery delete RUN... [options]\n"
    "\n"
    "  orrery delete 12 13 14         an experiment, by all its runs\n"
    "  orrery delete 12 --whole       the same: run 12 and those that were sealed with it\n"
    "  orrery delete 12 --force       also where a run is still going on, or was killed\n"
    "\n"
    "The runs of one experiment were sealed together and go together, with all that they recorded, the predictions and "
    "the\n"
    "verdicts; only the experiment's seal stays, so that `orrery verify` still works. Nothing is deleted unless all "
    "can be.\n"
    "There is no way back. `orrery gc` gives the room back to the disk.\n"
    "\n"
    "  --whole          the other runs of the experiment, too\n"
    "  --force          runs that are running, or were killed\n"
    "  --store FILE     default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "  --json           one object\n"
    "\n"
    "Exit codes: 0 done, 2 wrong usage, or no such run: nothing was deleted, 3 the machine could not do it.\n";

enum { RUNS_MAX = 1000 };

typedef struct options {
    int64_t run[RUNS_MAX];
    int64_t experiment[RUNS_MAX]; /* each once */
    int n, n_experiments;
    bool whole, force, json;
} options;

static bool has(const int64_t *list, int n, int64_t id) {
    for (int i = 0; i < n; i++)
        if (list[i] == id) return true;
    return false;
}

/* All runs of an experiment are named, and none is at work. */
static orr_status may_go(orr_inspection *in, const options *o, int64_t experiment) {
    orr_run_row *rows;
    int64_t n;
    ORR_TRY(in->ctx, orr_query_runs(in->store, in->arena, &(orr_run_filter){ .experiment_id = experiment }, &rows, &n));
    for (int64_t i = 0; i < n; i++) {
        if (!o->whole && !has(o->run, o->n, rows[i].id))
            return orr_fail(
                in->ctx, ORR_EINPUT,
                "experiment %lld has %lld runs, %lld to %lld, that go together: run %lld was not named; name "
                "all, or add --whole",
                (long long)experiment, (long long)n, (long long)rows[0].id, (long long)rows[n - 1].id,
                (long long)rows[i].id);
        if (!o->force && strcmp(rows[i].state, "running") == 0)
            return orr_fail(in->ctx, ORR_EINPUT,
                            "run %lld is running, or was killed; add --force to delete it all the same",
                            (long long)rows[i].id);
    }
    return ORR_OK;
}

static orr_status delete (orr_inspection *in) {
    options *o = in->user;
    for (int i = 0; i < o->n; i++) {
        orr_run_row run;
        ORR_TRY(in->ctx, orr_query_run(in->store, in->arena, o->run[i], &run));
        if (!has(o->experiment, o->n_experiments, run.experiment)) o->experiment[o->n_experiments++] = run.experiment;
    }
    for (int i = 0; i < o->n_experiments; i++) ORR_TRY(in->ctx, may_go(in, o, o->experiment[i]));
    ORR_TRY(in->ctx, orr_store_delete_experiments(in->store, o->experiment, o->n_experiments));
    if (o->json) {
        json_t *ids = json_array();
        for (int i = 0; i < o->n_experiments; i++)
            (void)json_array_append_new(ids, json_integer((json_int_t)o->experiment[i]));
        return orr_cli_print_json(in, json_pack("{s:o}", "deleted_experiments", ids));
    }
    for (int i = 0; i < o->n_experiments; i++)
        printf("experiment %lld is deleted with all its runs\n", (long long)o->experiment[i]);
    return ORR_OK;
}

int orr_cli_delete(int argc, char **argv) {
    options o = { 0 };
    const char *store = NULL, *word[RUNS_MAX];
    const orr_cli_option table[] = { { .name = "--whole", .flag = &o.whole },
                                     { .name = "--force", .flag = &o.force },
                                     { .name = "--store", .value = &store },
                                     { .name = "--json", .flag = &o.json },
                                     { 0 } };
    int code = orr_cli_parse("delete", usage, "run", argc, argv, table, word, RUNS_MAX, &o.n);
    if (code == ORR_CLI_GO && o.n == 0)
        return orr_cli_usage("delete", "needs the number of a run; `orrery runs` lists them");
    for (int i = 0; i < o.n && code == ORR_CLI_GO; i++) code = orr_cli_run_id("delete", word[i], &o.run[i]);
    return code == ORR_CLI_GO ? orr_cli_inspect("delete", store, delete, &o) : code;
}
