/* orrery check: reads an experiment file and tells every mistake in it; nothing runs. */
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "cli/cli.h"
#include "lab/experiment.h"
#include "law/law.h"

static const char usage[] =
    "usage: orrery check FILE [options]\n"
    "\n"
    "Reads an experiment file, with all its sizes and all points of its sweep, and tells every mistake: file, line, "
    "column,\n"
    "what was expected, the nearest valid name.  Nothing runs.\n"
    "\n"
    "  --set KEY=VALUE       changes the file for this call; keys are dotted: --set rule.learning_rate=0.2\n"
    "  --size quick|full     counts the points of that size (default: as the file is)\n"
    "  --json                one JSON object instead: file, ok, mistakes, or the points with all their values\n"
    "\n"
    "Exit codes: 0 good, 2 wrong usage or mistakes, 3 the machine could not read it.\n";

typedef struct check_options {
    const char *file;
    orr_experiment_options experiment;
    bool json;
} check_options;

enum { SETS_MAX = 256, LAWS_MAX = 256 };

/* ORR_EXIT_HOLDS and all options, or the exit code to end with.  set: [SETS_MAX] */
static int parse(int argc, char **argv, const char **set, check_options *o) {
    static const char *const flags[] = { "--set", "--size", "--json", "--help", NULL };
    static const char *const sizes[] = { "quick", "full", NULL };
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        int flag = 0;
        while (flags[flag] && strcmp(flags[flag], word) != 0) flag++;
        if (word[0] != '-') {
            if (o->file) return orr_cli_usage("check", "one file at a time; met '%s' after '%s'", word, o->file);
            o->file = word;
        } else if (!flags[flag]) {
            return orr_cli_unknown("check", "option", word, flags);
        } else if (strcmp(word, "--json") == 0) {
            o->json = true;
        } else if (i + 1 == argc) {
            return orr_cli_usage("check", "%s needs a value; see orrery check --help", word);
        } else if (strcmp(word, "--size") == 0) {
            o->experiment.size = argv[++i];
            if (strcmp(argv[i], sizes[0]) != 0 && strcmp(argv[i], sizes[1]) != 0)
                return orr_cli_unknown("check", "size", argv[i], sizes);
        } else if (o->experiment.n_set == SETS_MAX) {
            return orr_cli_usage("check", "at most %d times --set", SETS_MAX);
        } else {
            set[o->experiment.n_set++] = argv[++i];
        }
    }
    o->experiment.set = set;
    return o->file ? ORR_EXIT_HOLDS : orr_cli_usage("check", "needs a file; see orrery check --help");
}

static json_t *as_json(const orr_mistakes *m, const orr_experiment *e) {
    json_t *mistakes = json_array(), *points = json_array();
    for (int64_t i = 0; i < m->n; i++) {
        const orr_mistake *one = &m->item[i];
        (void)json_array_append_new(mistakes, json_pack("{s:i, s:i, s:i, s:s}", "set", one->at.source, "line",
                                                        one->at.line, "column", one->at.column, "text", one->text));
    }
    for (int64_t i = 0; m->n == 0 && i < e->n_points; i++)
        (void)json_array_append_new(points, json_pack("{s:s, s:o}", "name", e->points[i].name, "settings",
                                                      json_loads(e->points[i].json, 0, NULL)));
    if (m->n > 0) {
        json_decref(points);
        return json_pack("{s:s, s:b, s:o, s:I}", "file", m->file, "ok", 0, "mistakes", mistakes, "left_out",
                         (json_int_t)m->left_out);
    }
    return json_pack("{s:s, s:b, s:o, s:s, s:I, s:o}", "file", m->file, "ok", 1, "mistakes", mistakes, "name", e->name,
                     "seeds", (json_int_t)e->seeds, "points", points);
}

static orr_status print_json(orr_mistakes *m, const orr_experiment *e) {
    json_t *object = as_json(m, e);
    char *text;
    const orr_status status = orr_json_text(m->ctx, m->arena, object, 17, &text);
    json_decref(object);
    if (status == ORR_OK) printf("%s\n", text);
    return status;
}

static void print_good(const char *file, const orr_experiment *e) {
    printf("%s: %s: %lld %s, %lld %s each\n", file, e->name, (long long)e->n_points,
           e->n_points == 1 ? "point" : "points", (long long)e->seeds, e->seeds == 1 ? "seed" : "seeds");
    for (int64_t i = 0; e->n_points > 1 && i < e->n_points && i < 20; i++) printf("  %s\n", e->points[i].name);
    if (e->n_points > 20) printf("  and %lld more\n", (long long)e->n_points - 20);
}

static int check(orr_context *ctx, orr_arena *arena, const check_options *o) {
    const char *laws[LAWS_MAX] = { NULL };
    orr_mistakes m = { .ctx = ctx, .arena = arena, .file = o->file };
    orr_experiment_options options = o->experiment;
    orr_experiment experiment;
    char *text;
    size_t n;
    for (int i = 0; orr_law_at(i) && i < LAWS_MAX - 1; i++) laws[i] = orr_law_at(i)->id;
    options.laws = laws;
    const orr_status loaded = orr_experiment_load(ctx, arena, o->file, &text, &n);
    if (loaded != ORR_OK) return orr_cli_fail(ctx, "check", loaded);
    orr_experiment_check(&m, text, n, &options, &experiment);
    const orr_status told = orr_mistakes_tell(&m);
    if (told == ORR_ENOMEM) return orr_cli_fail(ctx, "check", told);
    if (o->json) {
        const orr_status printed = print_json(&m, &experiment);
        if (printed != ORR_OK) return orr_cli_fail(ctx, "check", printed);
    } else if (told == ORR_OK) {
        print_good(o->file, &experiment);
    } else {
        fprintf(stderr, "%s\n", orr_context_message(ctx)); /* as compilers do, for editors that jump to it */
    }
    return orr_status_exit_code(told);
}

int orr_cli_check(int argc, char **argv) {
    const char *set[SETS_MAX];
    check_options o = { 0 };
    orr_context *ctx;
    orr_arena *arena = NULL;
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return printf("%s", usage) < 0 ? ORR_EXIT_OURS : ORR_EXIT_HOLDS;
    const int code = parse(argc, argv, set, &o);
    if (code != ORR_EXIT_HOLDS) return code;
    if (orr_context_new(&(orr_context_options){ .threads = 1, .log = stderr }, &ctx) != ORR_OK) return ORR_EXIT_OURS;
    const orr_status status = orr_arena_new(ctx, &arena);
    const int end = status == ORR_OK ? check(ctx, arena, &o) : orr_cli_fail(ctx, "check", status);
    orr_arena_free(arena);
    orr_context_free(ctx);
    return end;
}
