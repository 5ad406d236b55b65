/* orrery predict: what the laws say about an experiment, before anything is trained. */
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "cli/options.h"
#include "cli/session.h"

static const char usage[] =
    "usage: orrery predict FILE [options]\n"
    "\n"
    "  orrery predict mine.yaml\n"
    "  orrery predict mine.yaml --law edge-of-stability --json | jq '.laws[].prediction'\n"
    "  orrery predict mine.yaml --set rule.learning_rate=0.2\n"
    "\n"
    "Every law is asked whether its regime admits the experiment; those that it admits compute their prediction from "
    "the data,\n"
    "the initial parameters and the hyperparameters.  Nothing is trained and nothing stored: `orrery run` seals and "
    "judges.\n"
    "\n"
    "  --law ID              ask this law only; may stand several times\n"
    "  --set KEY=VALUE       changes the file for this call; keys are dotted: --set rule.learning_rate=0.2\n"
    "  --seeds N             initial draws 0 to N-1 instead of the file's\n"
    "  --size quick|full     the file's changes for that size\n"
    "  --threads N           default: the cores that this process may use\n"
    "  --json                one JSON object with the whole predictions instead of the table\n"
    "\n"
    "Exit codes: 0 done (also where no law speaks), 2 wrong usage or bad input, 3 the machine could not do it.\n";

enum { LAWS_MAX = 200, LINES_MAX = 30 };

typedef struct predict_options {
    const char *file;
    orr_experiment_options experiment;
    orr_cli_list set, law;
    char seeds_set[40];
    long long seeds, threads;
    bool json;
} predict_options;

/* ORR_CLI_GO and all options, or the exit code to end with. */
static int parse(int argc, char **argv, predict_options *o) {
    const orr_cli_option table[] = {
        { .name = "--law", .list = &o->law },
        { .name = "--set", .list = &o->set },
        { .name = "--seeds", .number = &o->seeds, .most = 100000 },
        { .name = "--size", .value = &o->experiment.size, .choices = orr_cli_sizes },
        { .name = "--threads", .number = &o->threads, .most = 256 },
        { .name = "--json", .flag = &o->json },
        { 0 },
    };
    int n;
    const int code = orr_cli_parse("predict", usage, "file", argc, argv, table, &o->file, 1, &n);
    if (code != ORR_CLI_GO) return code;
    if (n == 0) return orr_cli_usage("predict", "needs an experiment file; see orrery predict --help");
    if (o->seeds) {
        if (o->set.n == ORR_CLI_LIST_MAX) return orr_cli_usage("predict", "--seeds: too many --set beside it");
        (void)snprintf(o->seeds_set, sizeof o->seeds_set, "seeds=%lld", o->seeds);
        o->set.item[o->set.n++] = o->seeds_set;
    }
    o->experiment.set = o->set.item;
    o->experiment.n_set = o->set.n;
    return ORR_CLI_GO;
}

/* ---- the table ------------------------------------------------------------------------------------------------------------ */

/* A prediction is a tree of JSON; each number, word or list of numbers in it is a line. */
typedef struct table {
    orr_context *ctx;
    orr_arena *arena;
    int64_t lines;
} table;

static bool is_list_of_numbers(const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *x = json_array_get(list, i);
        if (!json_is_number(x) && !json_is_null(x)) return false;
    }
    return json_array_size(list) > 0;
}

static void print_value(const json_t *x) {
    if (json_is_string(x)) printf("%s", json_string_value(x));
    else if (json_is_number(x)) printf("%.6g", json_number_value(x));
    else printf("%s", json_is_true(x) ? "yes" : json_is_false(x) ? "no" : "-");
}

static void print_line(table *t, const char *path, const json_t *value) {
    if (++t->lines > LINES_MAX) return;
    printf("  %-48s ", path[0] ? path : "value");
    const size_t n = json_array_size(value);
    for (size_t i = 0; i < n && (n <= 6 || i < 3); i++) {
        print_value(json_array_get(value, i));
        if (i + 1 < n) printf(", ");
    }
    if (n > 6) printf("..., "), print_value(json_array_get(value, n - 1)), printf("  (%zu numbers)", n);
    if (!json_is_array(value)) print_value(value);
    printf("\n");
}

/* The name of an element of a list: what it calls itself, else its index. */
static const char *name_of(table *t, const json_t *element, size_t i) {
    static const char *const keys[] = { "point", "name" };
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
        if (json_is_string(json_object_get(element, keys[k])))
            return json_string_value(json_object_get(element, keys[k]));
    const json_t *seed = json_object_get(element, "seed");
    if (json_is_integer(seed)) return orr_arena_format(t->arena, "seed %lld", (long long)json_integer_value(seed));
    return orr_arena_format(t->arena, "%zu", i);
}

static orr_status print_tree(table *t, const char *path, const json_t *tree);

static orr_status print_child(table *t, const char *path, const char *name, const json_t *child) {
    const char *own = name ? path[0] ? orr_arena_format(t->arena, "%s, %s", path, name) : name : NULL;
    if (!own) return orr_fail(t->ctx, ORR_ENOMEM, "no memory for a table");
    return print_tree(t, own, child);
}

static bool is_label(const char *key) {
    return strcmp(key, "law") == 0 || strcmp(key, "conventions") == 0 || strcmp(key, "point") == 0 ||
           strcmp(key, "name") == 0 || strcmp(key, "seed") == 0;
}

static orr_status print_tree(table *t, const char *path, const json_t *tree) {
    if (json_is_object(tree)) {
        const char *key;
        json_t *child;
        json_object_foreach((json_t *)tree, key, child) if (!is_label(key))
            ORR_TRY(t->ctx, print_child(t, path, key, child));
    } else if (json_is_array(tree) && !is_list_of_numbers(tree)) {
        for (size_t i = 0; i < json_array_size(tree); i++) {
            const json_t *child = json_array_get(tree, i);
            ORR_TRY(t->ctx, print_child(t, strcmp(path, "points") == 0 ? "" : path, name_of(t, child, i), child));
        }
    } else {
        print_line(t, path, tree);
    }
    return ORR_OK;
}

static orr_status print_table(orr_context *ctx, orr_arena *arena, const orr_experiment *e, const orr_laws_outcome *o) {
    int64_t silent = 0;
    printf("%s: %lld %s, %lld %s each\n", e->name, (long long)e->n_points, e->n_points == 1 ? "point" : "points",
           (long long)e->seeds, e->seeds == 1 ? "seed" : "seeds");
    for (int64_t i = 0; i < o->n_laws; i++) {
        table t = { .ctx = ctx, .arena = arena };
        if (o->law[i].verdict == ORR_OUT_OF_REGIME) {
            silent++;
            continue;
        }
        printf("\n%s: %s\n", o->law[i].law->id, o->law[i].law->title);
        ORR_TRY(ctx, print_tree(&t, "", o->law[i].prediction));
        if (t.lines > LINES_MAX) printf("  and %lld lines more; --json has them all\n", (long long)t.lines - LINES_MAX);
    }
    if (silent) printf("\nout of regime:\n");
    for (int64_t i = 0; i < o->n_laws; i++)
        if (o->law[i].verdict == ORR_OUT_OF_REGIME) printf("  %-28s %s\n", o->law[i].law->id, o->law[i].note);
    return ORR_OK;
}

static orr_status print_json(orr_context *ctx, orr_arena *arena, const orr_experiment *e, const orr_laws_outcome *o) {
    json_t *laws = json_array();
    char *text;
    for (int64_t i = 0; i < o->n_laws; i++) {
        const bool in = o->law[i].verdict != ORR_OUT_OF_REGIME;
        json_t *prediction = in ? json_incref(o->law[i].prediction) : json_null();
        (void)json_array_append_new(laws, json_pack("{s:s, s:b, s:s, s:o}", "law", o->law[i].law->id, "in_regime", in,
                                                    "note", o->law[i].note, "prediction", prediction));
    }
    json_t *all = json_pack("{s:s, s:I, s:I, s:o}", "experiment", e->name, "points", (json_int_t)e->n_points, "seeds",
                            (json_int_t)e->seeds, "laws", laws);
    const orr_status status = orr_json_text(ctx, arena, all, 17, &text);
    json_decref(all);
    if (status == ORR_OK) printf("%s\n", text);
    return status;
}

/* ---- the command ---------------------------------------------------------------------------------------------------------- */

/* Those that were named, or all. */
static int find_laws(const predict_options *o, const orr_law *laws[LAWS_MAX], int64_t *n) {
    const char *ids[LAWS_MAX + 1] = { NULL };
    *n = 0;
    for (int i = 0; i < LAWS_MAX && orr_law_at(i); i++) ids[i] = orr_law_at(i)->id;
    for (int i = 0; i < o->law.n && i < LAWS_MAX; i++)
        if (!(laws[(*n)++] = orr_law_find(o->law.item[i])))
            return orr_cli_unknown("predict", "law", o->law.item[i], ids);
    if (o->law.n == 0)
        for (int i = 0; ids[i]; i++) laws[(*n)++] = orr_law_at(i);
    return ORR_CLI_GO;
}

static orr_status predict(orr_context *ctx, const predict_options *o, const orr_law *const *laws, int64_t n) {
    orr_arena *arena = NULL;
    orr_experiment experiment;
    orr_laws_outcome outcome = { 0 };
    orr_status status;
    const orr_law_options options = { .stop = orr_cli_stop() };
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_experiment_read(ctx, arena, o->file, &o->experiment, &experiment));
    ORR_TRY_DONE(ctx, orr_laws_predict(ctx, arena, laws, n, &experiment, &options, &outcome));
    ORR_TRY_DONE(ctx, o->json ? print_json(ctx, arena, &experiment, &outcome)
                              : print_table(ctx, arena, &experiment, &outcome));
done:
    orr_cli_forget(&outcome);
    orr_arena_free(arena);
    return status;
}

int orr_cli_predict(int argc, char **argv) {
    predict_options o = { 0 };
    const orr_law *laws[LAWS_MAX];
    int64_t n;
    int code = parse(argc, argv, &o);
    if (code == ORR_CLI_GO) code = find_laws(&o, laws, &n);
    if (code != ORR_CLI_GO) return code;
    orr_context *ctx;
    if (orr_context_new(&(orr_context_options){ .threads = (int)o.threads, .log = stderr }, &ctx) != ORR_OK)
        return fprintf(stderr, "orrery predict: could not start %lld threads\n", o.threads), ORR_EXIT_OURS;
    const orr_status status = predict(ctx, &o, laws, n);
    code = status == ORR_OK ? ORR_EXIT_HOLDS : orr_cli_fail(ctx, "predict", status);
    orr_context_free(ctx);
    return code;
}
