/* orrery check: reads an experiment file and tells every mistake in it; nothing runs. */
#include <stdio.h>

#include "base/context.h"
#include "cli/options.h"
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
    orr_cli_list set;
    bool json;
} check_options;

enum { LAWS_MAX = 256 };

/* ORR_CLI_GO and all options, or the exit code to end with. */
static int parse(int argc, char **argv, check_options *o) {
    const orr_cli_option table[] = {
        { .name = "--set", .list = &o->set },
        { .name = "--size", .value = &o->experiment.size, .choices = orr_cli_sizes },
        { .name = "--json", .flag = &o->json },
        { 0 },
    };
    int n;
    const int code = orr_cli_parse("check", usage, "file", argc, argv, table, &o->file, 1, &n);
    if (code == ORR_CLI_GO && n == 0) return orr_cli_usage("check", "needs a file; see orrery check --help");
    o->experiment.set = o->set.item;
    o->experiment.n_set = o->set.n;
    return code;
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
    check_options o = { 0 };
    orr_context *ctx;
    orr_arena *arena = NULL;
    const int code = parse(argc, argv, &o);
    if (code != ORR_CLI_GO) return code;
    if (orr_context_new(&(orr_context_options){ .threads = 1, .log = stderr }, &ctx) != ORR_OK) return ORR_EXIT_OURS;
    const orr_status status = orr_arena_new(ctx, &arena);
    const int end = status == ORR_OK ? check(ctx, arena, &o) : orr_cli_fail(ctx, "check", status);
    orr_arena_free(arena);
    orr_context_free(ctx);
    return end;
}
