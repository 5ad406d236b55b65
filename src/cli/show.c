/* orrery show: one run, all that the store knows about it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "cli/inspect.h"

static const char usage[] =
    "usage: orrery show [RUN] [options]\n"
    "\n"
    "  orrery show                    the latest run: settings, what it recorded, predictions, verdicts\n"
    "  orrery show 12\n"
    "  orrery show 12 --text          the experiment's file as it was read: it can be run again\n"
    "  orrery show 12 --json | jq .settings.rule\n"
    "\n"
    "  --text           only the experiment's text\n"
    "  --store FILE     default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "  --json           one object\n"
    "\n"
    "Exit codes: 0 done, 2 wrong usage, or no such run, 3 the machine could not do it.\n";

typedef struct options {
    int64_t run;
    bool text, json;
} options;

typedef struct facts {
    orr_run_row run;
    orr_experiment_row experiment;
    orr_series_row *series;
    orr_array_row *arrays;
    orr_prediction_row *predictions;
    orr_store_verdict *verdicts;
    int64_t n_series, n_arrays, n_predictions, n_verdicts;
} facts;

static orr_status gather(orr_inspection *in, int64_t id, facts *f) {
    ORR_TRY(in->ctx, orr_cli_run_row(in, id, &f->run));
    const int64_t e = f->run.experiment;
    ORR_TRY(in->ctx, orr_query_experiment(in->store, in->arena, e, &f->experiment));
    ORR_TRY(in->ctx, orr_query_series(in->store, in->arena, f->run.id, &f->series, &f->n_series));
    ORR_TRY(in->ctx, orr_query_arrays(in->store, in->arena, f->run.id, &f->arrays, &f->n_arrays));
    ORR_TRY(in->ctx, orr_query_predictions(in->store, in->arena, e, &f->predictions, &f->n_predictions));
    return orr_query_verdicts(in->store, in->arena, e, &f->verdicts, &f->n_verdicts);
}

/* ---- for people --------------------------------------------------------------------------------------------------- */

/* "rule  kind gd, learning_rate 0.1" for each ingredient; what isn't an object stands as it is. */
static void print_settings(const char *text) {
    json_t *all = json_loads(text, JSON_DECODE_ANY, NULL);
    const char *key;
    json_t *value;
    if (!json_is_object(all)) printf("  %s\n", text);
    json_object_foreach(all, key, value) {
        if (json_is_array(value) && json_array_size(value) == 0) continue;
        char *words = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        printf("  %-17s %s\n", key, words ? words : "?");
        free(words);
    }
    json_decref(all);
}

static void print_series(const facts *f) {
    if (f->n_series == 0) {
        printf("\nseries: none\n");
        return;
    }
    printf("\n%-36s %8s  %-19s %s\n", "series", "values", "steps", "last");
    for (int64_t i = 0; i < f->n_series; i++) {
        const orr_series_row *s = &f->series[i];
        char steps[48];
        (void)snprintf(steps, sizeof steps, "%lld to %lld", (long long)s->first, (long long)s->last);
        printf("%-36s %8lld  %-19s %.6g\n", s->name, (long long)s->n, steps, s->value);
    }
}

static void print_arrays(const facts *f) {
    if (f->n_arrays == 0) return;
    printf("\n%-36s %8s  %-19s %s\n", "arrays", "step", "shape", "type");
    for (int64_t i = 0; i < f->n_arrays; i++)
        printf("%-36s %8lld  %-19s %s\n", f->arrays[i].name, (long long)f->arrays[i].step, f->arrays[i].shape,
               f->arrays[i].dtype);
}

static void print_laws(const facts *f) {
    for (int64_t i = 0; i < f->n_predictions; i++) {
        const orr_prediction_row *p = &f->predictions[i];
        printf("\nprediction of %s, sealed %s\n  sha256 %s\n  %.300s%s\n", p->law, p->sealed_at, p->sha256, p->text,
               strlen(p->text) > 300 ? " ... (whole with --json)" : "");
    }
    if (f->n_verdicts) printf("\nverdicts\n");
    for (int64_t i = 0; i < f->n_verdicts; i++) {
        const orr_store_verdict *v = &f->verdicts[i];
        printf("  %-14s %-20s %-46s %9.4g  in [%g, %g]%s%s\n", v->verdict, v->law, v->metric, v->value,
               isnan(v->tolerance[0]) ? (double)-INFINITY : v->tolerance[0],
               isnan(v->tolerance[1]) ? (double)INFINITY : v->tolerance[1], v->note[0] ? "  " : "", v->note);
    }
}

static void print(const facts *f) {
    const orr_run_row *r = &f->run;
    printf("run %lld: %s, seed %lld: %s after %lld updates\n", (long long)r->id, r->name, (long long)r->seed, r->state,
           (long long)r->steps);
    printf("  started           %s\n  finished          %s\n", r->started_at ? r->started_at : "-",
           r->finished_at ? r->finished_at : "-");
    if (r->checkpoint >= 0) printf("  checkpoint        at step %lld\n", (long long)r->checkpoint);
    printf("  experiment        %lld, %s%s%s (%lld run%s), Orrery %s\n", (long long)f->experiment.id,
           f->experiment.name, f->experiment.size[0] ? ", size " : "", f->experiment.size,
           (long long)f->experiment.n_runs, f->experiment.n_runs == 1 ? "" : "s", f->experiment.version);
    printf("  machine           %s\n", f->experiment.machine);
    printf("  sealed            %s\n  seal              %s\n", f->experiment.sealed_at ? f->experiment.sealed_at : "-",
           f->experiment.seal ? f->experiment.seal : "-");
    print_settings(r->settings);
    print_series(f);
    print_arrays(f);
    print_laws(f);
}

/* ---- for programs ------------------------------------------------------------------------------------------------- */

static json_t *parsed(const char *text) {
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    return value ? value : json_string(text);
}

static json_t *facts_json(const facts *f) {
    json_t *all = orr_cli_run_json(&f->run), *series = json_array(), *arrays = json_array(),
           *predictions = json_array(), *verdicts = json_array();
    for (int64_t i = 0; i < f->n_series; i++) {
        const orr_series_row *s = &f->series[i];
        (void)json_array_append_new(series, json_pack("{s:s, s:I, s:I, s:I, s:o}", "name", s->name, "n",
                                                      (json_int_t)s->n, "first_step", (json_int_t)s->first, "last_step",
                                                      (json_int_t)s->last, "last_value", orr_json_real(s->value)));
    }
    for (int64_t i = 0; i < f->n_arrays; i++) {
        const orr_array_row *a = &f->arrays[i];
        (void)json_array_append_new(arrays,
                                    json_pack("{s:s, s:I, s:s, s:o}", "name", a->name, "step", (json_int_t)a->step,
                                              "dtype", a->dtype, "shape", parsed(a->shape)));
    }
    for (int64_t i = 0; i < f->n_predictions; i++) {
        const orr_prediction_row *p = &f->predictions[i];
        (void)json_array_append_new(predictions, json_pack("{s:s, s:s, s:s, s:o}", "law", p->law, "sha256", p->sha256,
                                                           "sealed_at", p->sealed_at, "prediction", parsed(p->text)));
    }
    for (int64_t i = 0; i < f->n_verdicts; i++) {
        const orr_store_verdict *v = &f->verdicts[i];
        (void)json_array_append_new(
            verdicts, json_pack("{s:s, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "law", v->law, "rank",
                                (json_int_t)v->rank, "metric", v->metric, "verdict", v->verdict, "value",
                                orr_json_real(v->value), "tolerance", orr_json_reals(v->tolerance, 2), "interval",
                                orr_json_reals(v->interval, 2), "seeds", parsed(v->seeds), "note", v->note));
    }
    const int bad = json_object_set_new(all, "settings", parsed(f->run.settings)) |
                    json_object_set_new(all, "text", json_string(f->experiment.text)) |
                    json_object_set_new(all, "version", json_string(f->experiment.version)) |
                    json_object_set_new(all, "machine", json_string(f->experiment.machine)) |
                    json_object_set_new(all, "sealed_at", orr_cli_text_json(f->experiment.sealed_at)) |
                    json_object_set_new(all, "seal", orr_cli_text_json(f->experiment.seal)) |
                    json_object_set_new(all, "series", series) | json_object_set_new(all, "arrays", arrays) |
                    json_object_set_new(all, "predictions", predictions) |
                    json_object_set_new(all, "verdicts", verdicts);
    if (!bad) return all;
    json_decref(all);
    return NULL;
}

static orr_status show(orr_inspection *in) {
    const options *o = in->user;
    facts f = { 0 };
    ORR_TRY(in->ctx, gather(in, o->run, &f));
    if (o->json) return orr_cli_print_json(in, facts_json(&f));
    if (o->text) printf("%s", f.experiment.text);
    else print(&f);
    return ORR_OK;
}

int orr_cli_show(int argc, char **argv) {
    options o = { 0 };
    const char *store = NULL, *word = NULL;
    const orr_cli_option table[] = { { .name = "--text", .flag = &o.text },
                                     { .name = "--store", .value = &store },
                                     { .name = "--json", .flag = &o.json },
                                     { 0 } };
    int n, code = orr_cli_parse("show", usage, "run", argc, argv, table, &word, 1, &n);
    if (code == ORR_CLI_GO && n) code = orr_cli_run_id("show", word, &o.run);
    return code == ORR_CLI_GO ? orr_cli_inspect("show", store, show, &o) : code;
}
