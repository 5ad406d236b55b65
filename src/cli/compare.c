/* orrery compare: how alike two representations are, by runs of the store or by files from anywhere. */
#define _POSIX_C_SOURCE 200809L /* access */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/context.h"
#include "base/file/npy.h"
#include "base/file/npz.h"
#include "base/file/safetensors.h"
#include "cli/inspect.h"
#include "numeric/similarity.h"

static const char usage[] =
    "usage: orrery compare A B [options]\n"
    "\n"
    "  orrery compare 12 13                              layers that two runs recorded (observe: activations)\n"
    "  orrery compare a.npy b.npy --metric cka --metric mutual-knn --neighbours 20\n"
    "  orrery compare a.npz model.safetensors --a layer3 --b h.2 --json\n"
    "\n"
    "A and B are each the number of a run, or a .npy, .npz or .safetensors file: arrays [inputs, ...] of the same "
    "inputs in\n"
    "the same order.  Compared are arrays of the same name, or the only ones.  Each score stands beside its null, the "
    "same\n"
    "with the inputs of B permuted: a raw score alone means nothing.\n"
    "\n"
    "  cka cka-unbiased cka-rbf     linear, unbiased and Gaussian kernels\n"
    "  svcca cca pwcca              canonical correlations; they need more than 5 inputs a feature\n"
    "  procrustes angle             distances: 0 is the same but for rotation and scale\n"
    "  rsa mutual-knn               correlation of distances; neighbours that both have\n"
    "\n"
    "  --metric METRIC      one of these, several times for several; default: all\n"
    "  --permutations N     of the null; default 200, 0: none\n"
    "  --neighbours K       of mutual-knn; default 10, half of the others where there are fewer\n"
    "  --bandwidth F        of cka-rbf, over the median distance; default 1\n"
    "  --median pairs|all   of cka-rbf: over pairs (default), or over all entries, zeros included, as published code "
    "has it\n"
    "  --a NAME, --b NAME   which array of A and of B\n"
    "  --step STEP          of runs; default: the last that was recorded\n"
    "  --store FILE         default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "  --json               one object\n"
    "\n"
    "calibrated = (score - null)/(1 - null): 0 is chance, 1 the same (of distances 1 - score/null).  p: the part of\n"
    "permutations that are as alike.\n"
    "\n"
    "Exit codes: 0 done, 2 wrong usage or bad input, 3 the machine could not do it.\n";

typedef struct options {
    const char *word[2], *name[2], *store;
    orr_similarity_options how;
    bool metric[ORR_SIMILARITY_METRICS];
    long long permutations, step;
    bool json;
} options;

/* Arrays of one side. */
typedef struct side {
    const char *word; /* "run 12", "a.npy": stands in messages */
    orr_arrays arrays;
} side;

typedef struct session {
    orr_context *ctx;
    orr_arena *arena, *scratch;
    orr_store *store;
    const options *o;
    side side[2];
} session;

/* ---- what is compared ----------------------------------------------------------------------------------------------------- */

static bool is_run(const char *word) {
    for (const char *c = word; *c; c++)
        if (!isdigit((unsigned char)*c)) return false;
    return *word != 0;
}

static bool ends_with(const char *word, const char *ending) {
    const size_t n = strlen(word), m = strlen(ending);
    return n > m && strcmp(word + n - m, ending) == 0;
}

/* Arrays of a run at the step, or at the last: those of activations, or the one that was named. */
static orr_status read_run(session *s, int k, side *out) {
    const char *wanted = s->o->name[k];
    orr_array_row *rows;
    int64_t n, id = strtoll(s->o->word[k], NULL, 10), step = s->o->step;
    orr_run_row run;
    if (!s->store) ORR_TRY(s->ctx, orr_store_open_existing(s->ctx, orr_cli_store(s->o->store), &s->store));
    ORR_TRY(s->ctx, orr_query_run(s->store, s->arena, id, &run));
    ORR_TRY(s->ctx, orr_query_arrays(s->store, s->arena, id, &rows, &n));
    out->arrays.item = ORR_NEW(s->arena, orr_array, n);
    out->word = orr_arena_format(s->arena, "run %lld", (long long)id);
    if (!out->arrays.item || !out->word) return orr_fail(s->ctx, ORR_ENOMEM, "no memory for the arrays of a run");
    for (int64_t i = 0; i < n; i++) {
        const bool mine = wanted ? strcmp(rows[i].name, wanted) == 0 : strncmp(rows[i].name, "activation", 10) == 0;
        bool last = mine;
        for (int64_t j = 0; j < n && last; j++)
            last = s->o->step >= 0 ? rows[i].step == s->o->step
                                   : strcmp(rows[i].name, rows[j].name) != 0 || rows[j].step <= rows[i].step;
        if (last)
            ORR_TRY(s->ctx, orr_query_array(s->store, s->arena, id, rows[i].name, rows[i].step,
                                            &out->arrays.item[out->arrays.n++], &step));
    }
    if (out->arrays.n > 0) return ORR_OK;
    if (wanted)
        return orr_fail(s->ctx, ORR_EINPUT, "%s recorded no array '%s'%s; `orrery show %lld` lists what it has",
                        out->word, wanted, s->o->step >= 0 ? " at that step" : "", (long long)id);
    return orr_fail(s->ctx, ORR_EINPUT, "%s recorded no activations%s; its experiment needs observe: activations",
                    out->word, s->o->step >= 0 ? " at that step" : "");
}

static orr_status read_file(session *s, int k, side *out) {
    const char *path = out->word = s->o->word[k], *wanted = s->o->name[k];
    if (access(path, F_OK) != 0 &&
        (errno == ENOENT || errno == ENOTDIR)) /* a wrong name is the user's, all else the machine's */
        return orr_fail(s->ctx, ORR_EINPUT, "%s: neither the number of a run nor a file (%s)", path, strerror(errno));
    if (ends_with(path, ".npz")) ORR_TRY(s->ctx, orr_npz_read(s->ctx, s->arena, path, &out->arrays));
    else if (ends_with(path, ".safetensors"))
        ORR_TRY(s->ctx, orr_safetensors_read(s->ctx, s->arena, path, &out->arrays));
    else if (ends_with(path, ".npy")) {
        out->arrays = (orr_arrays){ ORR_NEW(s->arena, orr_array, 1), 1 };
        if (!out->arrays.item) return orr_fail(s->ctx, ORR_ENOMEM, "%s: no memory for an array", path);
        ORR_TRY(s->ctx, orr_npy_read(s->ctx, s->arena, path, out->arrays.item));
    } else
        return orr_fail(s->ctx, ORR_EINPUT, "%s: expected the number of a run, or a .npy, .npz or .safetensors file",
                        path);
    if (out->arrays.n == 0) return orr_fail(s->ctx, ORR_EINPUT, "%s: holds no array", path);
    if (!wanted) return ORR_OK;
    orr_array *one = ORR_NEW(s->arena, orr_array, 1);
    if (!one) return orr_fail(s->ctx, ORR_ENOMEM, "%s: no memory for an array", path);
    ORR_TRY(s->ctx, orr_arrays_find(s->ctx, path, &out->arrays, wanted, one));
    out->arrays = (orr_arrays){ one, 1 };
    return ORR_OK;
}

/* One pair of arrays as features. */
typedef struct pair {
    const char *name[2];
    int64_t n, p[2];
    const double *x[2];
    orr_calibration result[ORR_SIMILARITY_METRICS];
} pair;

/* [inputs, ...] as doubles. */
static orr_status read_features(session *s, int k, const orr_array *a, pair *out) {
    const char *word = s->side[k].word;
    orr_array doubles;
    if (a->shape.rank < 1)
        return orr_fail(s->ctx, ORR_EINPUT, "%s: %s is one number; expected [inputs, features]", word, a->name);
    const int64_t n = a->shape.size[0], count = orr_shape_count(&a->shape);
    if (n < 4 || count == 0)
        return orr_fail(s->ctx, ORR_EINPUT, "%s: %s has %lld inputs%s; at least 4 are needed", word, a->name,
                        (long long)n, n > 0 && count == 0 ? " without features" : "");
    ORR_TRY(s->ctx, orr_array_cast(s->ctx, s->arena, word, a, ORR_F64, &doubles));
    out->name[k] = a->name;
    out->p[k] = count / n;
    out->x[k] = doubles.data;
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(out->x[k][i]))
            return orr_fail(s->ctx, ORR_EINPUT, "%s: %s: input %lld, feature %lld is %g; features must be finite", word,
                            a->name, (long long)(i / out->p[k]), (long long)(i % out->p[k]), out->x[k][i]);
    if (k == 1 && n != out->n)
        return orr_fail(s->ctx, ORR_EINPUT,
                        "%s of %s has %lld inputs, %s of %s has %lld; features must be of the same inputs",
                        out->name[0], s->side[0].word, (long long)out->n, a->name, word, (long long)n);
    out->n = n;
    return ORR_OK;
}

static orr_status one_pair(session *s, const orr_array *a, const orr_array *b, pair *out) {
    ORR_TRY(s->ctx, read_features(s, 0, a, out));
    return read_features(s, 1, b, out);
}

/* The only ones, or those of the same name. */
static orr_status pairs_of(session *s, pair **out, int64_t *n) {
    const orr_arrays *a = &s->side[0].arrays, *b = &s->side[1].arrays;
    *n = 0;
    *out = ORR_NEW(s->arena, pair, a->n);
    if (!*out) return orr_fail(s->ctx, ORR_ENOMEM, "no memory for a comparison");
    if (a->n == 1 && b->n == 1) {
        *n = 1;
        return one_pair(s, &a->item[0], &b->item[0], &(*out)[0]);
    }
    for (int i = 0; i < a->n; i++)
        for (int j = 0; j < b->n; j++)
            if (strcmp(a->item[i].name, b->item[j].name) == 0)
                ORR_TRY(s->ctx, one_pair(s, &a->item[i], &b->item[j], &(*out)[(*n)++]));
    if (*n > 0) return ORR_OK;
    return orr_fail(s->ctx, ORR_EINPUT,
                    "%s (%s%s) and %s (%s%s) have no array of the same name; choose with --a and --b", s->side[0].word,
                    a->item[0].name, a->n > 1 ? ", ..." : "", s->side[1].word, b->item[0].name,
                    b->n > 1 ? ", ..." : "");
}

static orr_status compare(session *s, pair *p) {
    orr_similarity_options how = s->o->how;
    if (how.neighbours == 0 && p->n <= 10) how.neighbours = (p->n - 1) / 2;
    for (int m = 0; m < ORR_SIMILARITY_METRICS; m++) {
        orr_representation r[2];
        const orr_arena_mark mark = orr_arena_here(s->arena);
        if (!s->o->metric[m]) continue;
        for (int k = 0; k < 2; k++)
            ORR_TRY(s->ctx, orr_representation_new(s->ctx, s->arena, s->scratch, (orr_similarity_metric)m, &how, p->n,
                                                   p->p[k], p->x[k], &r[k]));
        ORR_TRY(s->ctx,
                orr_similarity_calibrate(s->ctx, s->scratch, &r[0], &r[1], s->o->permutations, 0, &p->result[m]));
        orr_arena_rewind(s->arena, mark);
    }
    return ORR_OK;
}

/* ---- printing --------------------------------------------------------------------------------------------------------------- */

/* Why canonical correlations say little here; NULL where they do say something. */
static const char *note_of(const session *s, const pair *p) {
    const int64_t most = p->p[0] > p->p[1] ? p->p[0] : p->p[1];
    const bool asked =
        s->o->metric[ORR_SIMILARITY_SVCCA] || s->o->metric[ORR_SIMILARITY_CCA] || s->o->metric[ORR_SIMILARITY_PWCCA];
    return asked && p->n <= 5 * most
               ? "svcca, cca and pwcca are high for any features here: they need more than 5 inputs "
                 "a feature"
               : NULL;
}

static void print_number(double x) {
    if (isnan(x)) printf("%12s", "-");
    else printf("%12.4f", x);
}

static void print(const session *s, const pair *p) {
    const char *note = note_of(s, p);
    printf("%s of %s [%lld, %lld] and %s of %s [%lld, %lld]\n", p->name[0], s->side[0].word, (long long)p->n,
           (long long)p->p[0], p->name[1], s->side[1].word, (long long)p->n, (long long)p->p[1]);
    printf("  %-14s%12s%12s%12s%12s%12s%10s\n", "", "score", "null, exact", "permuted", "deviation", "calibrated", "p");
    for (int m = 0; m < ORR_SIMILARITY_METRICS; m++) {
        const orr_calibration *c = &p->result[m];
        if (!s->o->metric[m]) continue;
        printf("  %-14s", orr_similarity_name((orr_similarity_metric)m));
        const double numbers[] = { c->score, c->null_exact, c->null_mean, c->null_sd, c->calibrated };
        for (int i = 0; i < 5; i++) print_number(numbers[i]);
        if (isnan(c->p)) printf("%10s", "-");
        else printf("%10.3g", c->p);
        printf("%s\n", orr_similarity_is_distance((orr_similarity_metric)m) ? "  distance" : "");
    }
    if (note) printf("  %s\n", note);
    printf("\n");
}

static json_t *pair_json(const session *s, const pair *p) {
    json_t *list = json_array();
    const char *note = note_of(s, p);
    for (int m = 0; m < ORR_SIMILARITY_METRICS; m++) {
        const orr_calibration *c = &p->result[m];
        if (!s->o->metric[m]) continue;
        (void)json_array_append_new(list, json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "metric",
                                                    orr_similarity_name((orr_similarity_metric)m), "distance",
                                                    orr_similarity_is_distance((orr_similarity_metric)m), "score",
                                                    orr_json_real(c->score), "null_exact", orr_json_real(c->null_exact),
                                                    "null_mean", orr_json_real(c->null_mean), "null_sd",
                                                    orr_json_real(c->null_sd), "calibrated",
                                                    orr_json_real(c->calibrated), "p", orr_json_real(c->p)));
    }
    return json_pack("{s:s, s:s, s:I, s:[I,I], s:o, s:o}", "a", p->name[0], "b", p->name[1], "inputs", (json_int_t)p->n,
                     "features", (json_int_t)p->p[0], (json_int_t)p->p[1], "metrics", list, "note",
                     orr_cli_text_json(note));
}

static orr_status print_json(const session *s, const pair *p, int64_t n) {
    json_t *list = json_array();
    char *text;
    for (int64_t i = 0; i < n; i++) (void)json_array_append_new(list, pair_json(s, &p[i]));
    json_t *all = json_pack("{s:s, s:s, s:I, s:o}", "a", s->side[0].word, "b", s->side[1].word, "permutations",
                            (json_int_t)s->o->permutations, "comparisons", list);
    const orr_status status = orr_json_text(s->ctx, s->arena, all, 17, &text);
    json_decref(all);
    if (status == ORR_OK) printf("%s\n", text);
    return status;
}

static orr_status run(session *s) {
    pair *p;
    int64_t n;
    for (int k = 0; k < 2; k++)
        ORR_TRY(s->ctx, is_run(s->o->word[k]) ? read_run(s, k, &s->side[k]) : read_file(s, k, &s->side[k]));
    ORR_TRY(s->ctx, pairs_of(s, &p, &n));
    for (int64_t i = 0; i < n; i++) {
        ORR_TRY(s->ctx, compare(s, &p[i]));
        if (!s->o->json) print(s, &p[i]);
    }
    return s->o->json ? print_json(s, p, n) : ORR_OK;
}

/* ---- the command line --------------------------------------------------------------------------------------------------------- */

static int choose_metrics(const orr_cli_list *list, options *o) {
    const char *names[ORR_SIMILARITY_METRICS + 1] = { 0 };
    for (int m = 0; m < ORR_SIMILARITY_METRICS; m++) {
        names[m] = orr_similarity_name((orr_similarity_metric)m);
        o->metric[m] = list->n == 0;
    }
    for (int i = 0; i < list->n; i++) {
        int m = 0;
        while (names[m] && strcmp(names[m], list->item[i]) != 0) m++;
        if (!names[m]) return orr_cli_unknown("compare", "metric", list->item[i], names);
        o->metric[m] = true;
    }
    return ORR_CLI_GO;
}

static int parse(int argc, char **argv, options *o) {
    static const char *const medians[] = { "pairs", "all", NULL };
    const char *bandwidth = NULL, *median = NULL, *permutations = NULL, *step = NULL;
    long long neighbours = 0;
    orr_cli_list metric = { .n = 0 };
    const orr_cli_option table[] = { { .name = "--metric", .list = &metric },
                                     { .name = "--permutations", .value = &permutations },
                                     { .name = "--neighbours", .number = &neighbours, .most = 1000000 },
                                     { .name = "--bandwidth", .value = &bandwidth },
                                     { .name = "--median", .value = &median, .choices = medians },
                                     { .name = "--a", .value = &o->name[0] },
                                     { .name = "--b", .value = &o->name[1] },
                                     { .name = "--step", .value = &step },
                                     { .name = "--store", .value = &o->store },
                                     { .name = "--json", .flag = &o->json },
                                     { 0 } };
    int n;
    *o = (options){ .permutations = 200, .step = -1 };
    int code = orr_cli_parse("compare", usage, "run or file", argc, argv, table, o->word, 2, &n);
    if (code != ORR_CLI_GO) return code;
    if (n != 2) return orr_cli_usage("compare", "needs two runs or files; see orrery compare --help");
    if (permutations && !orr_cli_int(permutations, 0, 1000000, &o->permutations))
        return orr_cli_usage("compare", "--permutations: expected a whole number in [0, 1000000], met '%s'",
                             permutations);
    if (step && !orr_cli_int(step, 0, INT64_MAX, &o->step))
        return orr_cli_usage("compare", "--step: expected a whole number that isn't negative, met '%s'", step);
    char *end = NULL;
    if (bandwidth) o->how.bandwidth = strtod(bandwidth, &end);
    if (bandwidth && (*end || end == bandwidth || !(o->how.bandwidth > 0) || !isfinite(o->how.bandwidth)))
        return orr_cli_usage("compare", "--bandwidth: expected a positive number, met '%s'", bandwidth);
    o->how.neighbours = neighbours;
    o->how.median_of_all = median && strcmp(median, "all") == 0;
    return choose_metrics(&metric, o);
}

int orr_cli_compare(int argc, char **argv) {
    options o;
    session s = { .o = &o };
    int code = parse(argc, argv, &o);
    if (code != ORR_CLI_GO) return code;
    if (orr_context_new(&(orr_context_options){ .threads = 1, .log = stderr }, &s.ctx) != ORR_OK)
        return fprintf(stderr, "orrery compare: out of memory\n"), ORR_EXIT_OURS;
    orr_status status = orr_arena_new(s.ctx, &s.arena);
    if (status == ORR_OK) status = orr_arena_new(s.ctx, &s.scratch);
    if (status == ORR_OK) status = run(&s);
    code = status == ORR_OK ? ORR_EXIT_HOLDS : orr_cli_fail(s.ctx, "compare", status);
    orr_store_close(s.store);
    orr_arena_free(s.scratch);
    orr_arena_free(s.arena);
    orr_context_free(s.ctx);
    return code;
}
