#include "cli/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "base/context.h"

static const orr_cli_option *option_of(const orr_cli_option *options, const char *word) {
    for (const orr_cli_option *o = options; o->name; o++)
        if (strcmp(o->name, word) == 0 || (o->alias && strcmp(o->alias, word) == 0)) return o;
    return NULL;
}

static int unknown_option(const char *command, const char *word, const orr_cli_option *options) {
    const char *names[16] = { NULL };
    int n = 0;
    for (const orr_cli_option *o = options; o->name && n < 14; o++) names[n++] = o->name;
    names[n] = "--help";
    return orr_cli_unknown(command, "option", word, names);
}

int orr_cli_parse(const char *command, const char *usage, int argc, char **argv, const orr_cli_option *options,
                  const char **word, int most, int *n) {
    *n = 0;
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return printf("%s", usage) < 0 ? ORR_EXIT_OURS : ORR_EXIT_HOLDS;
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-') {
            if (*n == most)
                return most == 0 ? orr_cli_usage(command, "takes options only; met '%s'; see orrery %s --help", argv[i],
                                                 command)
                                 : orr_cli_usage(command, "takes at most %d run%s; met '%s' beyond", most,
                                                 most == 1 ? "" : "s", argv[i]);
            word[(*n)++] = argv[i];
            continue;
        }
        const orr_cli_option *o = option_of(options, argv[i]);
        if (!o) return unknown_option(command, argv[i], options);
        if (o->flag) *o->flag = true;
        else if (i + 1 < argc) *o->value = argv[++i];
        else return orr_cli_usage(command, "%s needs a value; see orrery %s --help", argv[i], command);
    }
    return ORR_CLI_GO;
}

int orr_cli_run_id(const char *command, const char *word, int64_t *out) {
    long long id;
    if (!orr_cli_int(word, 1, INT64_MAX, &id))
        return orr_cli_usage(command, "expected the number of a run, met '%s'; `orrery runs` lists them", word);
    *out = id;
    return ORR_CLI_GO;
}

int orr_cli_inspect(const char *command, const char *store, orr_status (*body)(orr_inspection *), void *user) {
    orr_inspection in = { .user = user, .code = ORR_EXIT_HOLDS };
    const char *named = getenv("ORRERY_STORE");
    const char *path = store ? store : named && named[0] ? named : "orrery.db";
    if (orr_context_new(&(orr_context_options){ .threads = 1, .log = stderr }, &in.ctx) != ORR_OK)
        return fprintf(stderr, "orrery %s: out of memory\n", command), ORR_EXIT_OURS;
    orr_status status = orr_arena_new(in.ctx, &in.arena);
    if (status == ORR_OK) status = orr_store_open_existing(in.ctx, path, &in.store);
    if (status == ORR_OK) status = body(&in);
    if (status != ORR_OK) in.code = orr_cli_fail(in.ctx, command, status);
    orr_store_close(in.store);
    orr_arena_free(in.arena);
    orr_context_free(in.ctx);
    return in.code;
}

orr_status orr_cli_run_row(orr_inspection *in, int64_t id, orr_run_row *out) {
    return id ? orr_query_run(in->store, in->arena, id, out) : orr_query_latest(in->store, in->arena, out);
}

orr_status orr_cli_print_json(orr_inspection *in, json_t *value) {
    char *text;
    const orr_status status = orr_json_text(in->ctx, in->arena, value, 17, &text);
    json_decref(value);
    if (status == ORR_OK) printf("%s\n", text);
    return status;
}

json_t *orr_cli_text_json(const char *text) { return text ? json_string(text) : json_null(); }

json_t *orr_cli_run_json(const orr_run_row *r) {
    return json_pack("{s:I, s:I, s:o, s:o, s:o, s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:o}", "run", (json_int_t)r->id,
                     "experiment", (json_int_t)r->experiment, "experiment_name", orr_cli_text_json(r->experiment_name),
                     "name", orr_cli_text_json(r->name), "size", orr_cli_text_json(r->size), "seed",
                     (json_int_t)r->seed, "state", orr_cli_text_json(r->state), "steps", (json_int_t)r->steps,
                     "opened_at", orr_cli_text_json(r->opened_at), "started_at", orr_cli_text_json(r->started_at),
                     "finished_at", orr_cli_text_json(r->finished_at), "checkpoint",
                     r->checkpoint < 0 ? json_null() : json_integer((json_int_t)r->checkpoint), "verdict",
                     orr_cli_text_json(r->verdict));
}

void orr_cli_bytes(int64_t bytes, char out[24]) {
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
    double value = (double)bytes;
    int unit = 0;
    for (; value >= 999.5 && unit < 4; unit++) value /= 1000;
    (void)snprintf(out, 24, unit == 0 || value >= 99.5 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}
