/* orrery doctor: what is here, what is missing, and what each missing part would give. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/context.h"
#include "cli/options.h"
#include "lab/execute.h"
#include "law/law.h"
#include "numeric/dense.h"
#include "store/store.h"

static const char usage[] =
    "usage: orrery doctor [options]\n"
    "\n"
    "Says what is installed: BLAS and its kernels, threads, devices, datasets, the store, and what each missing part "
    "would give.\n"
    "\n"
    "  --store FILE     the store to look at; default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "  --json           one JSON object: a list of { part, ok, words }\n"
    "\n"
    "Exit codes: 0 all that laws need is here, 1 something that a law needs is missing, 2 wrong usage, 3 the machine "
    "could not say.\n";

typedef struct visit {
    orr_context *ctx;
    orr_arena *arena;
    bool json, healthy;
    json_t *parts;
} visit;

/* needed: laws don't run without it. */
static void tell(visit *v, const char *part, bool ok, bool needed, const char *words) {
    if (v->json)
        (void)json_array_append_new(
            v->parts, json_pack("{s:s, s:b, s:b, s:s}", "part", part, "ok", ok, "needed", needed, "words", words));
    else printf("%-9s %-16s %s\n", ok ? "ok" : needed ? "MISSING" : "-", part, words);
    if (!ok && needed) v->healthy = false;
}

/* Whether the data of one line of YAML can be read; what to do where they can't. */
static void look_for_data(visit *v, const char *kind, const char *settings, bool needed, const char *gives) {
    orr_experiment e;
    const orr_problem **problems;
    const char *text = orr_arena_format(v->arena,
                                        "name: doctor\narchitecture: { kind: linear }\ndata: { kind: %s, %s }\n"
                                        "task: { kind: mse }\nrule: { kind: gd, learning_rate: 0.1 }\nsteps: 1\n",
                                        kind, settings);
    orr_status status = text ? orr_experiment_parse(v->ctx, v->arena, "doctor", text, strlen(text), NULL, &e)
                             : orr_fail(v->ctx, ORR_ENOMEM, "no memory");
    if (status == ORR_OK) status = orr_lab_prepare(v->ctx, v->arena, &e, &problems);
    if (status == ORR_OK) {
        tell(v, kind, true, needed, "can be read");
        return;
    }
    const char *words = orr_arena_format(v->arena, "%s; %s", gives, orr_context_message(v->ctx));
    orr_context_clear(v->ctx);
    tell(v, kind, false, needed, words ? words : gives);
}

static void look_at_store(visit *v, const char *path) {
    orr_store *store;
    if (access(path, F_OK) != 0) {
        tell(v, "store", true, true, orr_arena_format(v->arena, "%s: not there yet; the first run makes it", path));
        return;
    }
    if (orr_store_open(v->ctx, path, &store) == ORR_OK) {
        tell(v, "store", true, true, orr_arena_format(v->arena, "%s, schema %d", path, ORR_STORE_SCHEMA));
        orr_store_close(store);
        return;
    }
    const char *words = orr_arena_string(v->arena, orr_context_message(v->ctx));
    orr_context_clear(v->ctx);
    tell(v, "store", false, true, words ? words : path);
}

static bool is_on_path(const char *program) {
    char command[128];
    (void)snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", program);
    return system(command) == 0; /* the program's name is ours */
}

static orr_status look(visit *v, const char *store) {
    char blas[256];
    int laws = 0;
    while (orr_law_at(laws)) laws++;
    tell(v, "orrery", true, true, orr_arena_format(v->arena, ORR_VERSION ", %d laws", laws));
    orr_blas_words(blas);
    tell(v, "BLAS", true, true, blas);
    tell(v, "threads", true, true,
         orr_arena_format(v->arena, "%d of %ld cores", orr_context_threads(v->ctx), sysconf(_SC_NPROCESSORS_ONLN)));
    tell(v, "device cpu", true, true, "fused kernels on the cores");
    tell(v, "device cuda", false, false,
         "this build has no CUDA device; a GPU would give larger widths and batches in the same time");
    look_for_data(v, "fashion-mnist", "n: 10", true, "images for the laws on real data");
    look_for_data(v, "mnist", "n: 10", false, "handwritten digits");
    look_for_data(v, "cifar10", "n: 10", false, "colour pictures, for networks with convolutions");
    tell(v, "chromium", is_on_path("chromium"), false, "draws pages in the tests; readers need any browser");
    look_at_store(v, store);
    if (!v->json) {
        printf("\n%s\n", v->healthy ? "all that the laws need is here" : "laws that need what is missing can't run");
        return ORR_OK;
    }
    char *text;
    ORR_TRY(v->ctx, orr_json_text(v->ctx, v->arena, v->parts, 9, &text));
    printf("%s\n", text);
    return ORR_OK;
}

int orr_cli_doctor(int argc, char **argv) {
    visit v = { .healthy = true };
    const char *store = NULL, *word;
    const orr_cli_option table[] = {
        { .name = "--store", .value = &store },
        { .name = "--json", .flag = &v.json },
        { 0 },
    };
    orr_status status;
    int n, code = orr_cli_parse("doctor", usage, "word", argc, argv, table, &word, 0, &n);
    if (code != ORR_CLI_GO) return code;
    /* what can't be read is told in the table, not in the log */
    if (orr_context_new(&(orr_context_options){ 0 }, &v.ctx) != ORR_OK)
        return fprintf(stderr, "orrery doctor: could not start threads\n"), ORR_EXIT_OURS;
    v.parts = json_array();
    ORR_TRY_DONE(v.ctx, orr_arena_new(v.ctx, &v.arena));
    ORR_TRY_DONE(v.ctx, look(&v, orr_cli_store(store)));
done:
    code = status != ORR_OK ? orr_cli_fail(v.ctx, "doctor", status) : v.healthy ? ORR_EXIT_HOLDS : ORR_EXIT_FAILS;
    json_decref(v.parts);
    orr_arena_free(v.arena);
    orr_context_free(v.ctx);
    return code;
}
