/* orrery runs: what is in the store. */
#include <stdio.h>
#include <string.h>

#include "cli/inspect.h"

static const char usage[] =
    "usage: orrery runs [options]\n"
    "\n"
    "  orrery runs                                   all runs of the store, the latest at the end\n"
    "  orrery runs --state interrupted               those that `orrery resume` can go on with\n"
    "  orrery runs --law edge-of-stability --last 5\n"
    "  orrery runs --json | jq '.[] | select(.steps > 1000) | .run'\n"
    "\n"
    "One line a run: its number, the experiment and the point of its sweep, the seed, how it ended, the updates made,\n"
    "when it was started (UTC), and the verdict of the experiment's first law.\n"
    "\n"
    "  --state STATE         open, running (or killed), finished, diverged or interrupted\n"
    "  --experiment NAME     of experiments of that name\n"
    "  --law LAW             of experiments about that law\n"
    "  --last N              only the last N\n"
    "  --store FILE          default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "  --json                an array with one object a run\n"
    "\n"
    "Exit codes: 0 done (also where no run fits), 2 wrong usage or bad input, 3 the machine could not do it.\n";

typedef struct options {
    orr_run_filter filter;
    bool json;
} options;

static void print(const orr_run_row *r, int64_t n) {
    int width = 10;
    for (int64_t i = 0; i < n; i++) {
        const int w = (int)(strlen(r[i].experiment_name) + strlen(r[i].name) + 1);
        if (w > width) width = w > 60 ? 60 : w;
    }
    printf("%6s  %-*s %6s  %-11s %9s  %-19s  %s\n", "run", width, "experiment", "seed", "state", "steps", "started",
           "verdict");
    for (int64_t i = 0; i < n; i++) {
        /* a run of an experiment with one point bears the experiment's name: once is enough */
        char name[256];
        const bool same = strcmp(r[i].name, r[i].experiment_name) == 0;
        (void)snprintf(name, sizeof name, "%s%s%s", r[i].experiment_name, same ? "" : "/", same ? "" : r[i].name);
        printf("%6lld  %-*s %6lld  %-11s %9lld  %-19.19s  %s\n", (long long)r[i].id, width, name, (long long)r[i].seed,
               r[i].state, (long long)r[i].steps, r[i].started_at ? r[i].started_at : "-",
               r[i].verdict ? r[i].verdict : "-");
    }
}

static orr_status list(orr_inspection *in) {
    const options *o = in->user;
    orr_run_row *rows;
    int64_t n;
    const orr_status status = orr_query_runs(in->store, in->arena, &o->filter, &rows, &n);
    if (status != ORR_OK) return status;
    if (!o->json) {
        if (n) print(rows, n);
        else
            printf("no runs%s in %s\n", o->filter.state || o->filter.experiment || o->filter.law ? " like that" : "",
                   orr_store_path(in->store));
        return ORR_OK;
    }
    json_t *all = json_array();
    for (int64_t i = 0; i < n && all; i++)
        if (json_array_append_new(all, orr_cli_run_json(&rows[i])) != 0) {
            json_decref(all);
            all = NULL;
        }
    return orr_cli_print_json(in, all);
}

int orr_cli_runs(int argc, char **argv) {
    options o = { 0 };
    const char *store = NULL, *last = NULL;
    const orr_cli_option table[] = { { .name = "--state", .value = &o.filter.state },
                                     { .name = "--experiment", .value = &o.filter.experiment },
                                     { .name = "--law", .value = &o.filter.law },
                                     { .name = "--last", .value = &last },
                                     { .name = "--store", .value = &store },
                                     { .name = "--json", .flag = &o.json },
                                     { 0 } };
    int n, code = orr_cli_parse("runs", usage, "run", argc, argv, table, NULL, 0, &n);
    if (code != ORR_CLI_GO) return code;
    long long most = 0;
    if (last && !orr_cli_int(last, 1, INT64_MAX, &most))
        return orr_cli_usage("runs", "--last: expected a whole number from 1, met '%s'", last);
    o.filter.last = most;
    bool known = !o.filter.state;
    for (int i = 0; orr_run_states[i] && !known; i++) known = strcmp(orr_run_states[i], o.filter.state) == 0;
    if (!known) return orr_cli_unknown("runs", "state", o.filter.state, orr_run_states);
    return orr_cli_inspect("runs", store, list, &o);
}
