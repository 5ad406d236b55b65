#include "cli/inspect.h"

#include <string.h>

#include "base/context.h"

int orr_cli_run_id(const char *command, const char *word, int64_t *out) {
    long long id;
    if (!orr_cli_int(word, 1, INT64_MAX, &id))
        return orr_cli_usage(command, "expected the number of a run, met '%s'; `orrery runs` lists them", word);
    *out = id;
    return ORR_CLI_GO;
}

int orr_cli_inspect(const char *command, const char *store, orr_status (*body)(orr_inspection *), void *user) {
    orr_inspection in = { .user = user, .code = ORR_EXIT_HOLDS };
    if (orr_context_new(&(orr_context_options){ .threads = 1, .log = stderr }, &in.ctx) != ORR_OK)
        return fprintf(stderr, "orrery %s: out of memory\n", command), ORR_EXIT_OURS;
    orr_status status = orr_arena_new(in.ctx, &in.arena);
    if (status == ORR_OK) status = orr_store_open_existing(in.ctx, orr_cli_store(store), &in.store);
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
