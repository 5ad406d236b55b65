/* orrery bench: times the workloads of bench/workloads, each compiled once and run many times. */
#define _GNU_SOURCE /* getrusage's ru_maxrss */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/context.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/progress.h"
#include "cli/cli.h"
#include "workloads/workload.h"

static const char usage[] =
    "usage: orrery bench NAME... [options]\n"
    "\n"
    "Times a workload and prints the median time of one unit.  NAME may be `all`.\n"
    "Figures of different runs or machines can't be compared: bench/compare alternates with PyTorch in one run.\n"
    "\n"
    "  --list        the workloads\n"
    "  --threads N   threads (default: the cores that this process may use)\n"
    "  --seconds S   time each for about S seconds (default 2)\n"
    "  --json        one JSON object a line\n"
    "  --plan        print what is run, kernel by kernel, instead of running it\n"
    "  --profile     print what is run with the time that each kernel takes\n"
    "  --device D    cpu (default) or ref\n";

typedef struct bench_options {
    int threads;
    double seconds;
    bool json, plan, profile;
    const char *device;
} bench_options;

/* ---- timing ------------------------------------------------------------------------------------------------------ */

typedef struct timing {
    double per_unit; /* seconds, median over the calls */
    int64_t units;
} timing;

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int64_t n) {
    qsort(x, (size_t)n, sizeof *x, by_value);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

/* One call to warm up, then calls of units_per_call units until the time is over, three at least: as the peer does. */
static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_workload *workload, orr_instance *x,
                          double seconds, timing *out) {
    enum { CALLS_MAX = 1 << 16 };
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *took = ORR_NEW(scratch, double, CALLS_MAX);
    if (!took) return orr_fail(ctx, ORR_ENOMEM, "bench: the times of %d calls", CALLS_MAX);
    ORR_TRY(ctx, orr_instance_run(x, workload->units_per_call));
    int64_t calls = 0;
    const double end = orr_now() + seconds;
    for (double start = orr_now(); (start < end || calls < 3) && calls < CALLS_MAX;) {
        ORR_TRY(ctx, orr_instance_run(x, workload->units_per_call));
        const double now = orr_now();
        took[calls++] = (now - start) / (double)workload->units_per_call;
        start = now;
    }
    *out = (timing){ .per_unit = median(took, calls), .units = calls * workload->units_per_call };
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

/* Largest memory of this process so far, bytes. */
static int64_t resident(void) {
    struct rusage used;
    return getrusage(RUSAGE_SELF, &used) == 0 ? (int64_t)used.ru_maxrss * 1024 : 0;
}

static orr_status print_json(orr_context *ctx, orr_arena *scratch, const orr_workload *w, const timing *t,
                             const orr_cost *cost) {
    json_t *o = json_pack("{s:s, s:s, s:f, s:I, s:i}", "name", w->name, "unit", w->unit, "per_unit_s", t->per_unit,
                          "units", (json_int_t)t->units, "threads", orr_context_threads(ctx));
    json_t *more = json_pack("{s:s, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I}", "dtype", orr_dtype_name(w->dtype),
                             "flops", w->flops, "bytes", w->bytes, "kernels", (json_int_t)cost->kernels, "peak_bytes",
                             (json_int_t)cost->peak_bytes, "minimum_bytes", (json_int_t)cost->minimum_bytes,
                             "persistent_bytes", (json_int_t)cost->persistent_bytes, "workspace_bytes",
                             (json_int_t)cost->workspace_bytes, "resident_bytes", (json_int_t)resident());
    char *text = NULL;
    orr_status status = o && more && json_object_update(o, more) == 0
                            ? orr_json_text(ctx, scratch, o, 9, &text)
                            : orr_fail(ctx, ORR_ENOMEM, "bench: a line of JSON");
    if (status == ORR_OK) printf("%s\n", text);
    json_decref(o);
    json_decref(more);
    return status;
}

static void print_line(const orr_workload *w, const timing *t, const orr_cost *cost) {
    static const char *const units[] = { "s", "ms", "us", "ns" };
    double shown = t->per_unit;
    int unit = 0;
    for (; shown < 1.0 && unit < 3; unit++) shown *= 1e3;
    printf("%-18s %8.4g %-2s a %s", w->name, shown, units[unit], w->unit);
    if (w->flops > 0) printf(", %.4g Gflop/s", w->flops / t->per_unit * 1e-9);
    if (w->bytes > 0) printf(", %.4g GB/s", w->bytes / t->per_unit * 1e-9);
    if (cost->kernels > 0)
        printf(", %.4g MiB", (double)(cost->peak_bytes + cost->persistent_bytes + cost->workspace_bytes) / 0x1p20);
    printf("\n");
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static orr_status run_compiled(orr_context *ctx, orr_arena *scratch, const orr_workload *w, orr_instance *x,
                               const bench_options *options) {
    const orr_program *program = orr_instance_program(x);
    const orr_cost cost = program ? orr_program_cost(program) : (orr_cost){ 0 };
    timing t = { 0 };
    if (options->plan) {
        if (program) orr_program_print(program, stdout);
        return ORR_OK;
    }
    ORR_TRY(ctx, measure(ctx, scratch, w, x, options->seconds, &t));
    if (options->profile && program) orr_program_print(program, stdout);
    if (options->json) return print_json(ctx, scratch, w, &t, &cost);
    print_line(w, &t, &cost);
    return ORR_OK;
}

static orr_status run(orr_context *ctx, const orr_workload *w, const bench_options *options) {
    orr_status status;
    orr_arena *scratch = NULL;
    orr_instance *x = NULL;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &scratch));
    ORR_TRY_DONE(
        ctx, orr_instance_new(ctx, w, &(orr_instance_options){ .device = options->device, .profile = options->profile },
                              &x));
    ORR_TRY_DONE(ctx, run_compiled(ctx, scratch, w, x, options));
done:
    orr_instance_free(x);
    orr_arena_free(scratch);
    (void)fflush(stdout);
    return status;
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

static int refuse(const char *format, const char *what, const char *nearest) {
    fprintf(stderr, format, what);
    if (nearest) fprintf(stderr, "; did you mean \"%s\"?", nearest);
    fprintf(stderr, "\n");
    return 2;
}

static int unknown_workload(const char *name) {
    const char *names[64];
    int n = 0;
    for (; orr_workloads[n] && n < 64; n++) names[n] = orr_workloads[n]->name;
    return refuse("bench: no workload \"%s\" (see orrery bench --list)", name, orr_nearest(name, names, n));
}

static bool number(const char *text, double low, double high, double *out) {
    char *end;
    *out = strtod(text, &end);
    return end != text && !*end && *out >= low && *out <= high;
}

/* Takes options out of argv, leaves names; -1 goes on, else the exit code. */
static int parse(int *argc, char **argv, bench_options *o) {
    static const char *const names[] = { "--list", "--threads", "--seconds", "--json",
                                         "--plan", "--profile", "--device",  "--help" };
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        const char *word = argv[i], *value = i + 1 < *argc ? argv[i + 1] : NULL;
        double x;
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return fputs(usage, stdout) < 0 ? 3 : 0;
        if (strcmp(word, "--list") == 0) {
            for (int w = 0; orr_workloads[w]; w++)
                printf("%-18s %s\n", orr_workloads[w]->name, orr_workloads[w]->title);
            return 0;
        }
        if (strcmp(word, "--json") == 0) o->json = true;
        else if (strcmp(word, "--plan") == 0) o->plan = true;
        else if (strcmp(word, "--profile") == 0) o->profile = true;
        else if (strcmp(word, "--threads") == 0 || strcmp(word, "--seconds") == 0 || strcmp(word, "--device") == 0) {
            if (!value) return refuse("bench: %s needs a value", word, NULL);
            i++;
            if (word[2] == 'd') o->device = value;
            else if (word[2] == 't' && number(value, 1, 256, &x)) o->threads = (int)x;
            else if (word[2] == 's' && number(value, 0, 1e6, &x)) o->seconds = x;
            else return refuse("bench: %s is out of range: threads 1 to 256, seconds 0 to 1e6", value, NULL);
        } else if (word[0] == '-') {
            return refuse("bench: unknown option \"%s\"", word,
                          orr_nearest(word, names, (int)(sizeof names / sizeof *names)));
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    return -1;
}

static orr_status run_names(orr_context *ctx, int n, char **names, const bench_options *o) {
    for (int i = 0; i < n; i++) {
        const bool all = strcmp(names[i], "all") == 0;
        for (int w = 0; all && orr_workloads[w]; w++) ORR_TRY(ctx, run(ctx, orr_workloads[w], o));
        if (!all) ORR_TRY(ctx, run(ctx, orr_workload_find(names[i]), o));
    }
    return ORR_OK;
}

int orr_cli_bench(int argc, char **argv) {
    bench_options o = { .seconds = 2.0 };
    const int code = parse(&argc, argv, &o);
    if (code >= 0) return code;
    if (argc == 0) return fputs(usage, stderr) < 0 ? 3 : 2;
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "all") != 0 && !orr_workload_find(argv[i])) return unknown_workload(argv[i]);
    orr_context *ctx;
    if (orr_context_new(&(orr_context_options){ .threads = o.threads, .log = stderr }, &ctx) != ORR_OK) {
        fprintf(stderr, "bench: could not start %d threads\n", o.threads);
        return 3;
    }
    const orr_status status = run_names(ctx, argc, argv, &o);
    if (status != ORR_OK) fprintf(stderr, "bench: %s\n", orr_context_message(ctx));
    orr_context_free(ctx);
    return orr_status_exit_code(status);
}
