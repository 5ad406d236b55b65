/* orrery transfer: the hyperparameters of a network of another width, by the maximal update parameterization. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "base/json.h"
#include "cli/options.h"
#include "cli/session.h"
#include "lab/execute.h"
#include "law/hyperparameters/mup_transfer.h"

static const char usage[] =
    "usage: orrery transfer FILE --width W [options]\n"
    "\n"
    "  orrery transfer mine.yaml --width 1024\n"
    "  orrery transfer mine.yaml --width 1024,4096         an mlp whose layers grow differently\n"
    "  orrery transfer mine.yaml --width 1024 --check      the coordinate check, measured\n"
    "\n"
    "Takes the network of an experiment file, with the learning rate that was tuned at its width, to another width: "
    "prints the\n"
    "initial variance, multiplier, learning rate and weight decay of every parameter there (muP; Yang et al. 2022), "
    "and the lines\n"
    "that make an experiment of it.  Where the file is muP already, its base width stays.\n"
    "\n"
    "  --width W[,W...]      of the first layer, the others in proportion; or of each width by itself\n"
    "  --check               trains the network for 4 updates at widths up to W, 3 seeds each, and measures how the "
    "change of each\n"
    "                        layer goes with the width: its exponent must be within 0.15 of 0\n"
    "  --set KEY=VALUE       changes the file for this call\n"
    "  --size quick|full     the file's changes for that size\n"
    "  --threads N           default: the cores that this process may use\n"
    "  --json                one JSON object instead of the table\n"
    "\n"
    "Exit codes: 0 done, 1 the check found a layer that drifts, 2 wrong usage or bad input, 3 the machine could not do "
    "it.\n";

enum { WIDTHS_MAX = 64, CHECKS_MAX = 6, SETS_MAX = ORR_CLI_LIST_MAX + 16 };

typedef struct transfer_options {
    const char *file, *width;
    orr_experiment_options experiment;
    orr_cli_list set;
    long long threads;
    bool check, json;
} transfer_options;

static int parse(int argc, char **argv, transfer_options *o) {
    const orr_cli_option table[] = {
        { .name = "--width", .value = &o->width },
        { .name = "--check", .flag = &o->check },
        { .name = "--set", .list = &o->set },
        { .name = "--size", .value = &o->experiment.size, .choices = orr_cli_sizes },
        { .name = "--threads", .number = &o->threads, .most = 256 },
        { .name = "--json", .flag = &o->json },
        { 0 },
    };
    int n;
    const int code = orr_cli_parse("transfer", usage, "file", argc, argv, table, &o->file, 1, &n);
    if (code != ORR_CLI_GO) return code;
    if (n == 0) return orr_cli_usage("transfer", "needs an experiment file; see orrery transfer --help");
    if (!o->width) return orr_cli_usage("transfer", "needs --width W, the width to go to");
    return ORR_CLI_GO;
}

/* The network at hand, and where it goes. */
typedef struct transfer {
    orr_context *ctx;
    orr_arena *arena;
    const transfer_options *options;
    const char *set[SETS_MAX]; /* the user's own, then ours */
    int n_set, n_user;
    const char *key;          /* of the architecture: "widths" */
    bool is_list;             /* whether it is a list of widths */
    int64_t base[WIDTHS_MAX]; /* at which all is as it was tuned */
    int64_t own[WIDTHS_MAX];  /* the setting in the file */
    int64_t to[WIDTHS_MAX];   /* the setting at W */
    int64_t n_base, n_own;
    orr_point tuned;
} transfer;

static orr_status no_memory(orr_context *ctx) { return orr_fail(ctx, ORR_ENOMEM, "transfer: no memory"); }

/* ---- what the file has ------------------------------------------------------------------------------------------------- */

/* The experiment with our changes, and the problem of its first point. */
static orr_status read(transfer *t, orr_experiment *e, const orr_problem ***problems) {
    const orr_experiment_options options = { .size = t->options->experiment.size, .set = t->set, .n_set = t->n_set };
    ORR_TRY(t->ctx, orr_experiment_read(t->ctx, t->arena, t->options->file, &options, e));
    return orr_lab_prepare(t->ctx, t->arena, e, problems);
}

static orr_status change(transfer *t, const char *set) {
    if (!set) return no_memory(t->ctx);
    if (t->n_set == SETS_MAX) return orr_fail(t->ctx, ORR_EINPUT, "transfer: too many --set");
    t->set[t->n_set++] = set;
    return ORR_OK;
}

/* Whether the file's parts have a transfer at all. */
static orr_status check_kinds(const transfer *t) {
    const orr_point *p = &t->tuned;
    const char *parameterization = p->parameterization->kind.name;
    const orr_settings *rule = &p->rule_settings;
    if (!p->architecture->width)
        return orr_fail(t->ctx, ORR_EINPUT, "transfer: the architecture %s has no width", p->architecture->kind.name);
    if (strcmp(parameterization, "standard") != 0 && strcmp(parameterization, "mup") != 0)
        return orr_fail(t->ctx, ORR_EINPUT, "transfer: the parameterization is %s; it starts from standard or mup",
                        parameterization);
    if (p->rule->flow || !orr_settings_has(rule, "learning_rate"))
        return orr_fail(t->ctx, ORR_EINPUT, "transfer: the rule %s has no learning rate", p->rule->kind.name);
    if (strcmp(p->rule->kind.name, "muon") == 0 || strcmp(p->rule->kind.name, "shampoo") == 0)
        return orr_fail(t->ctx, ORR_EINPUT,
                        "transfer: the table of muP is for rules element by element, as gd or adam; the rule is %s",
                        p->rule->kind.name);
    if (p->rule->divides && orr_settings_has(rule, "weight_decay") && orr_real(rule, "weight_decay") > 0 &&
        strcmp(orr_text(rule, "decay_coupling"), "gradient") == 0)
        return orr_fail(t->ctx, ORR_EINPUT,
                        "transfer: L2 inside %s doesn't transfer; use rule.decay_coupling: rate, or none",
                        p->rule->kind.name);
    return ORR_OK;
}

static orr_status read_tuned(transfer *t) {
    orr_experiment e;
    const orr_problem **problems;
    ORR_TRY(t->ctx, read(t, &e, &problems));
    if (e.n_points > 1) { /* its first point is the file without its sweep, where that is a whole one */
        ORR_TRY(t->ctx, change(t, "sweep=[{}]"));
        ORR_TRY(t->ctx, read(t, &e, &problems));
    }
    t->n_user = t->n_set;
    t->tuned = e.points[0];
    ORR_TRY(t->ctx, check_kinds(t));
    const orr_settings *a = &t->tuned.architecture_settings, *mup = &t->tuned.parameterization_settings;
    const orr_network *network = &problems[0]->network;
    t->key = t->tuned.architecture->width;
    t->is_list = a->table[orr_parameter_find(a->table, t->key)].type == ORR_INTS;
    const int64_t *list = t->is_list ? orr_ints(a, t->key, &t->n_own) : NULL;
    if (!t->is_list) t->n_own = 1;
    t->n_base = network->n_widths ? network->n_widths : 1;
    if (t->n_own == 0 || t->n_own > WIDTHS_MAX || t->n_base > WIDTHS_MAX)
        return orr_fail(t->ctx, ORR_EINPUT, "transfer: %s has %lld numbers; 1 to %d can be taken", t->key,
                        (long long)t->n_own, WIDTHS_MAX);
    for (int64_t i = 0; i < t->n_own; i++) t->own[i] = t->is_list ? list[i] : orr_int(a, t->key);
    int64_t n_given = 0;
    const bool is_mup = orr_settings_has(mup, "base_widths");
    const int64_t *given = is_mup ? orr_ints(mup, "base_widths", &n_given) : NULL;
    const int64_t base = is_mup ? orr_int(mup, "base_width") : 0;
    for (int64_t i = 0; i < t->n_base; i++) {
        const int64_t own = network->n_widths ? network->widths[i] : network->width;
        t->base[i] = n_given ? given[i] : base ? llround((double)own * (double)base / (double)network->width) : own;
        if (t->base[i] < 1) t->base[i] = 1;
    }
    return ORR_OK;
}

/* "64,128": the widths to go to. */
static orr_status read_width(transfer *t) {
    char *words = orr_arena_string(t->arena, t->options->width), *save;
    int64_t n = 0;
    if (!words) return no_memory(t->ctx);
    for (char *word = strtok_r(words, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        long long width;
        if (n == t->n_own || !orr_cli_int(word, 1, 100000000, &width))
            return orr_fail(t->ctx, ORR_EINPUT,
                            "transfer: --width takes a whole number, or %lld of them for %s; met '%s'",
                            (long long)t->n_own, t->key, t->options->width);
        t->to[n++] = width;
    }
    if (n != 1 && n != t->n_own)
        return orr_fail(t->ctx, ORR_EINPUT, "transfer: --width has %lld numbers; %s has %lld", (long long)n, t->key,
                        (long long)t->n_own);
    for (int64_t i = t->n_own - 1; n == 1 && i >= 0; i--) {
        t->to[i] = llround((double)t->own[i] * (double)t->to[0] / (double)t->own[0]);
        if (t->to[i] < 1) t->to[i] = 1;
    }
    return ORR_OK;
}

/* ---- the network at a width --------------------------------------------------------------------------------------------- */

/* "[64, 64]", or "64" for one that is no list. */
static const char *words_of(orr_arena *arena, const int64_t *list, int64_t n, bool is_list) {
    const char *text = is_list ? "[" : "";
    for (int64_t i = 0; i < n && text; i++)
        text = orr_arena_format(arena, "%s%s%lld", text, i ? ", " : "", (long long)list[i]);
    return text && is_list ? orr_arena_format(arena, "%s]", text) : text;
}

/* "parameterization={kind: mup, base_widths: [...], ...}", with what the file has of it. */
static const char *parameterization_of(const transfer *t) {
    static const char *const kept[] = { "output_scale", "initial_scale", "readout_scale" };
    static const char *const flags[] = { "matched_rate", "centred" };
    const orr_settings *s = &t->tuned.parameterization_settings;
    const char *text = orr_arena_format(t->arena, "parameterization={ kind: mup, base_widths: %s",
                                        words_of(t->arena, t->base, t->n_base, true));
    for (int i = 0; i < 3 && text; i++)
        if (orr_real(s, kept[i]) != 1)
            text = orr_arena_format(t->arena, "%s, %s: %.15g", text, kept[i], orr_real(s, kept[i]));
    for (int i = 0; i < 2 && text; i++)
        if (orr_flag(s, flags[i])) text = orr_arena_format(t->arena, "%s, %s: true", text, flags[i]);
    return text ? orr_arena_format(t->arena, "%s }", text) : NULL;
}

static bool attends(const transfer *t) { return orr_settings_has(&t->tuned.architecture_settings, "attention_scale"); }

/* Size of a head at the base: d_0. */
static int64_t base_head(const transfer *t) {
    const orr_settings *s = &t->tuned.architecture_settings;
    if (strcmp(orr_text(s, "attention_scale"), "1/d") == 0) return orr_int(s, "base_head");
    const int64_t head = t->base[0] / orr_int(s, "heads");
    return head > 0 ? head : 1;
}

/* The changes that make the file muP, in t->set behind the user's own. */
static orr_status become_mup(transfer *t) {
    t->n_set = t->n_user;
    ORR_TRY(t->ctx, change(t, parameterization_of(t)));
    if (!attends(t)) return ORR_OK;
    ORR_TRY(t->ctx, change(t, "architecture.attention_scale=1/d"));
    return change(t, orr_arena_format(t->arena, "architecture.base_head=%lld", (long long)base_head(t)));
}

static orr_status widen(transfer *t) {
    return change(
        t, orr_arena_format(t->arena, "architecture.%s=%s", t->key, words_of(t->arena, t->to, t->n_own, t->is_list)));
}

/* ---- the table ----------------------------------------------------------------------------------------------------------- */

static const char *class_of(const orr_tensor *w) {
    static const char *const names[] = { "input", "hidden", "readout", "vector", "fixed" };
    return names[w->role]; /* ORDER orr_role */
}

static const char *shape_of(orr_arena *arena, const orr_tensor *w) {
    const char *text = "";
    for (int32_t i = 0; i < w->shape.rank && text; i++)
        text = orr_arena_format(arena, "%s%s%lld", text, i ? " x " : "", (long long)w->shape.size[i]);
    return text;
}

static double rate_factor(const orr_point *p, const orr_tensor *w) {
    return w->frozen ? 0.0 : p->rule->divides ? w->rate_sign : w->rate_gradient;
}

/* As ingredient/rule/rule.c takes it: the rate times the decay of a tensor doesn't go with the width. */
static double decay_of(const orr_point *p, const orr_tensor *w) {
    const orr_settings *s = &p->rule_settings;
    const double decay = orr_settings_has(s, "weight_decay") ? orr_real(s, "weight_decay") : 0.0;
    if (decay == 0.0 || w->frozen) return 0.0;
    return strcmp(orr_text(s, "decay_coupling"), "none") == 0 ? decay : decay / rate_factor(p, w);
}

static json_t *row_of(orr_arena *arena, const orr_point *p, const orr_tensor *w) {
    const orr_settings *s = &p->rule_settings;
    json_t *row = json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:f}", "name", w->name, "shape", shape_of(arena, w),
                            "class", class_of(w), "initial_mean", w->mean, "initial_variance",
                            w->deviation * w->deviation, "multiplier", w->multiplier, "learning_rate",
                            orr_real(s, "learning_rate") * rate_factor(p, w), "weight_decay", decay_of(p, w));
    if (orr_settings_has(s, "eps") && p->rule->divides)
        (void)json_object_set_new(row, "epsilon", orr_json_real(orr_real(s, "eps") * w->epsilon));
    return row;
}

/* The lines of a file that make the network at W. */
static json_t *settings_of(const transfer *t) {
    json_t *list = json_array();
    for (int i = t->n_user; i < t->n_set; i++) (void)json_array_append_new(list, json_string(t->set[i]));
    return list;
}

static orr_status tabulate(transfer *t, json_t *out) {
    orr_experiment e;
    const orr_problem **problems;
    ORR_TRY(t->ctx, become_mup(t));
    ORR_TRY(t->ctx, widen(t));
    ORR_TRY(t->ctx, read(t, &e, &problems));
    json_t *rows = json_array();
    for (int64_t i = 0; i < problems[0]->n_tensors; i++)
        (void)json_array_append_new(rows, row_of(t->arena, &e.points[0], &problems[0]->tensors[i]));
    (void)json_object_set_new(out, "file", json_string(t->options->file));
    (void)json_object_set_new(out, "architecture", json_string(e.points[0].architecture->kind.name));
    (void)json_object_set_new(out, "rule", json_string(e.points[0].rule->kind.name));
    (void)json_object_set_new(out, "base_widths", json_string(words_of(t->arena, t->base, t->n_base, true)));
    (void)json_object_set_new(out, t->key, json_string(words_of(t->arena, t->to, t->n_own, t->is_list)));
    (void)json_object_set_new(out, "settings", settings_of(t));
    (void)json_object_set_new(out, "parameters", rows);
    return ORR_OK;
}

static void print_table(const transfer *t, const json_t *out) {
    const json_t *rows = json_object_get(out, "parameters"), *row, *set;
    size_t i;
    printf("%s: %s, %s: %s, tuned at %s\n\n", t->options->file, json_string_value(json_object_get(out, "architecture")),
           t->key, json_string_value(json_object_get(out, t->key)),
           json_string_value(json_object_get(out, "base_widths")));
    printf("%-26s %-16s %-8s %12s %12s %14s %12s\n", "parameter", "shape", "class", "variance", "multiplier",
           "learning rate", "weight decay");
    json_array_foreach(rows, i, row) printf(
        "%-26s %-16s %-8s %12.5g %12.5g %14.5g %12.5g\n", json_string_value(json_object_get(row, "name")),
        json_string_value(json_object_get(row, "shape")), json_string_value(json_object_get(row, "class")),
        json_number_value(json_object_get(row, "initial_variance")),
        json_number_value(json_object_get(row, "multiplier")), json_number_value(json_object_get(row, "learning_rate")),
        json_number_value(json_object_get(row, "weight_decay")));
    printf("\nThe file with these has them:\n\n");
    json_array_foreach(json_object_get(out, "settings"), i, set) printf("  --set '%s'\n", json_string_value(set));
}

/* ---- the check ------------------------------------------------------------------------------------------------------------ */

/* The sweep of the check: widths from the file's own to W in equal factors, no more than doubling where that is few enough. */
static const char *sweep_of(transfer *t) {
    const orr_settings *s = &t->tuned.architecture_settings;
    const int64_t heads = orr_settings_has(s, "heads") ? 2 * orr_int(s, "heads") : 1; /* rotary heads are even */
    const double span = (double)t->to[0] / (double)t->own[0];
    int n = (int)floor(log2(span) + 1e-9) + 1;
    n = n > CHECKS_MAX ? CHECKS_MAX : n;
    const char *text = orr_arena_format(t->arena, "sweep={ grid: { architecture.%s: [", t->key);
    for (int i = 0; i < n && text; i++) {
        int64_t width[WIDTHS_MAX];
        for (int64_t k = 0; k < t->n_own; k++) {
            const double at = (double)t->own[k] * pow((double)t->to[k] / (double)t->own[k], (double)i / (n - 1));
            width[k] = i == 0 ? t->own[k] : i == n - 1 ? t->to[k] : heads * llround(at / (double)heads);
        }
        text =
            orr_arena_format(t->arena, "%s%s%s", text, i ? ", " : "", words_of(t->arena, width, t->n_own, t->is_list));
    }
    return text ? orr_arena_format(t->arena, "%s] } }", text) : NULL;
}

static orr_status measure_check(transfer *t, orr_store *store, orr_experiment *e, json_t **slopes, json_t **widths) {
    const orr_law_options options = { .stop = orr_cli_stop(), .train_anyway = true };
    orr_laws_outcome outcome = { 0 };
    json_t *prediction = NULL, *measurement = NULL;
    const orr_problem **problems;
    orr_status status;
    ORR_TRY_DONE(t->ctx, orr_laws_run(t->ctx, t->arena, store, NULL, 0, e, &options, &outcome));
    ORR_TRY_DONE(t->ctx, orr_lab_prepare(t->ctx, t->arena, e, &problems));
    const orr_premises premises = { .experiment = e, .problems = problems };
    const orr_records records = { store, outcome.runs, outcome.points, outcome.seeds };
    ORR_TRY_DONE(t->ctx, orr_law_mup_transfer.predict(t->ctx, t->arena, &premises, &prediction));
    ORR_TRY_DONE(t->ctx, orr_law_mup_transfer.measure(t->ctx, t->arena, &records, &measurement));
    const json_t *group = json_array_get(json_object_get(prediction, "groups"), 0);
    *slopes = orr_mup_slopes(measurement, group);
    *widths = json_deep_copy(json_object_get(group, "widths"));
done:
    json_decref(prediction);
    json_decref(measurement);
    orr_cli_forget(&outcome);
    return status;
}

/* *drifts: a judged layer's exponent isn't within the law's tolerance. */
static orr_status check(transfer *t, json_t *out, bool *drifts) {
    static const char *const how[] = { "steps=4",
                                       "seeds=3",
                                       "until=0",
                                       "patience=0",
                                       "keep_parameters=false",
                                       "laws=[]",
                                       "observe=[ { kind: feature-drift, absolute: true, examples: 64, every: 1 } ]" };
    const orr_check *tolerance = &orr_law_mup_transfer.checks[0];
    orr_experiment e;
    orr_store *store = NULL;
    json_t *slopes = NULL, *widths = NULL, *row;
    size_t i;
    if (t->to[0] < 4 * t->own[0])
        return orr_fail(t->ctx, ORR_EINPUT, "transfer: --check needs a width of at least 4 times the file's, %lld",
                        (long long)(4 * t->own[0]));
    ORR_TRY(t->ctx, become_mup(t));
    for (i = 0; i < sizeof how / sizeof *how; i++) ORR_TRY(t->ctx, change(t, how[i]));
    ORR_TRY(t->ctx, change(t, sweep_of(t)));
    const orr_experiment_options options = { .size = t->options->experiment.size, .set = t->set, .n_set = t->n_set };
    ORR_TRY(t->ctx, orr_experiment_read(t->ctx, t->arena, t->options->file, &options, &e));
    ORR_TRY(t->ctx, orr_store_open(t->ctx, ":memory:", &store));
    const orr_status status = measure_check(t, store, &e, &slopes, &widths);
    orr_store_close(store);
    if (status != ORR_OK) return status;
    json_array_foreach(slopes, i, row) {
        const json_t *slope = json_object_get(row, "slope");
        const double x = json_is_number(slope) ? json_number_value(slope) : (double)NAN;
        const bool flat = x >= tolerance->low && x <= tolerance->high;
        const bool judged = json_is_true(json_object_get(row, "judged"));
        (void)json_object_set_new(row, "verdict", json_string(flat ? "flat" : judged ? "drifts" : "not judged"));
        *drifts = *drifts || (judged && !flat);
    }
    (void)json_object_set_new(out, "check",
                              json_pack("{s:o, s:[f,f], s:o}", "widths", widths, "tolerance", tolerance->low,
                                        tolerance->high, "slopes", slopes));
    return ORR_OK;
}

static void print_check(const json_t *check) {
    const json_t *widths = json_object_get(check, "widths"), *x, *row;
    size_t i;
    printf("\nCoordinate check, 3 seeds at widths");
    json_array_foreach(widths, i, x) printf(" %g", json_number_value(x));
    printf(": exponent of the width in the mean change after k updates, tolerance 0.15\n\n%-16s %3s %10s\n", "layer",
           "k", "exponent");
    json_array_foreach(json_object_get(check, "slopes"), i, row) {
        const json_t *slope = json_object_get(row, "slope");
        printf("%-16s %3g %10.3f   %s\n", json_string_value(json_object_get(row, "layer")),
               json_number_value(json_object_get(row, "step")),
               json_is_number(slope) ? json_number_value(slope) : (double)NAN,
               json_string_value(json_object_get(row, "verdict")));
    }
}

/* ---- all of it -------------------------------------------------------------------------------------------------------------- */

static orr_status run(transfer *t, json_t *out, bool *drifts) {
    ORR_TRY(t->ctx, read_tuned(t));
    ORR_TRY(t->ctx, read_width(t));
    ORR_TRY(t->ctx, tabulate(t, out));
    if (!t->options->json) print_table(t, out);
    if (t->options->check) ORR_TRY(t->ctx, check(t, out, drifts));
    if (t->options->check && !t->options->json) print_check(json_object_get(out, "check"));
    if (!t->options->json) return ORR_OK;
    char *text;
    ORR_TRY(t->ctx, orr_json_text(t->ctx, t->arena, out, 9, &text));
    printf("%s\n", text);
    return ORR_OK;
}

int orr_cli_transfer(int argc, char **argv) {
    transfer_options o = { 0 };
    bool drifts = false;
    const int code = parse(argc, argv, &o);
    if (code != ORR_CLI_GO) return code;
    transfer t = { .options = &o, .n_set = o.set.n };
    for (int i = 0; i < o.set.n; i++) t.set[i] = o.set.item[i];
    if (orr_context_new(&(orr_context_options){ .threads = (int)o.threads, .log = stderr }, &t.ctx) != ORR_OK)
        return fprintf(stderr, "orrery transfer: could not start\n"), ORR_EXIT_OURS;
    json_t *out = json_object();
    orr_status status = orr_arena_new(t.ctx, &t.arena);
    if (status == ORR_OK) status = run(&t, out, &drifts);
    const int end = status != ORR_OK ? orr_cli_fail(t.ctx, "transfer", status)
                    : drifts         ? ORR_EXIT_FAILS
                                     : ORR_EXIT_HOLDS;
    json_decref(out);
    orr_arena_free(t.arena);
    orr_context_free(t.ctx);
    return end;
}
