/* A table of numbers from a CSV file (base/file/csv.h): some columns are inputs, some are targets. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/file/csv.h"
#include "ingredient/data/data.h"

static const orr_parameter parameters[] = {
    { "n", ORR_INT, .fallback = "0", .range = "[0, inf)", .unit = "rows", .help = "to train on; 0: all" },
    { "n_test", ORR_INT, .fallback = "0", .range = "[0, inf)", .unit = "rows",
      .help = "to test on, behind those to train on" },
    { "path", ORR_TEXT, .help = "of the file, plain or gzipped" },
    { "inputs", ORR_TEXT, .fallback = "", .help = "columns between commas, as in \"age, height\"; empty: all others" },
    { "target", ORR_TEXT, .fallback = "", .help = "columns between commas; empty: the last one" },
    { "targets", ORR_CHOICE, .fallback = "numbers", .choices = "numbers classes none",
      .help = "what the target is: numbers, or words or numbers that name classes, in the order of first appearance" },
    { "separator", ORR_CHOICE, .fallback = "comma", .choices = "comma semicolon tab", .help = "between fields" },
    { "header", ORR_FLAG, .fallback = "true", .help = "the first line names the columns; else they are 1, 2, ..." },
    ORR_DATA_PREPARATION,
    { 0 },
};

/* Names of columns; a list within a string. */
typedef struct columns {
    const char **name;
    int n;
} columns;

/* The parts of text between commas, without blanks around them. */
static orr_status split(orr_context *ctx, orr_arena *out_arena, const char *text, columns *out) {
    int64_t most = 1;
    for (const char *c = text; *c; c++) most += *c == ',';
    char *copy = orr_arena_string(out_arena, text);
    *out = (columns){ .name = ORR_NEW(out_arena, const char *, most) };
    if (!copy || !out->name) return orr_fail(ctx, ORR_ENOMEM, "csv: no memory");
    for (char *at = copy, *next; at; at = next) {
        next = strchr(at, ',');
        if (next) *next++ = '\0';
        at += strspn(at, " \t");
        size_t length = strlen(at);
        while (length > 0 && strchr(" \t", at[length - 1])) at[--length] = '\0';
        if (length > 0) out->name[out->n++] = at;
    }
    return ORR_OK;
}

static bool contains(const columns *c, const char *name) {
    for (int i = 0; i < c->n; i++)
        if (strcmp(c->name[i], name) == 0) return true;
    return false;
}

static orr_status choose_columns(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_csv *csv,
                                 columns *inputs, columns *targets) {
    ORR_TRY(ctx, split(ctx, out_arena, orr_text(s, "target"), targets));
    ORR_TRY(ctx, split(ctx, out_arena, orr_text(s, "inputs"), inputs));
    if (strcmp(orr_text(s, "targets"), "none") == 0) targets->n = 0;
    else if (targets->n == 0 && csv->columns > 0) targets->name[targets->n++] = csv->name[csv->columns - 1];
    for (int i = 0; i < inputs->n; i++)
        if (contains(targets, inputs->name[i]))
            return orr_fail(ctx, ORR_EINPUT, "%s: column \"%s\" is both input and target", csv->where, inputs->name[i]);
    if (inputs->n > 0) return ORR_OK;
    inputs->name = ORR_NEW(out_arena, const char *, csv->columns);
    if (!inputs->name) return orr_fail(ctx, ORR_ENOMEM, "csv: no memory");
    for (int i = 0; i < csv->columns; i++)
        if (!contains(targets, csv->name[i])) inputs->name[inputs->n++] = csv->name[i];
    if (inputs->n > 0) return ORR_OK;
    return orr_fail(ctx, ORR_EINPUT, "%s: no column is left for the inputs", csv->where);
}

static orr_status take_targets(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_csv *csv,
                               const columns *targets, orr_dataset *out) {
    orr_array array;
    const char *const *words;
    int n_words;
    if (strcmp(orr_text(s, "targets"), "classes") == 0) {
        if (targets->n != 1)
            return orr_fail(ctx, ORR_EINPUT, "%s: classes come from one column, %d are named", csv->where, targets->n);
        ORR_TRY(ctx, orr_csv_classes(ctx, out_arena, csv, targets->name[0], &array, &words, &n_words));
        out->label = array.data;
        out->classes = n_words;
        out->target = ORR_SCALAR;
    } else if (targets->n > 0) {
        ORR_TRY(ctx, orr_csv_numbers(ctx, out_arena, csv, targets->name, targets->n, &array));
        out->y = array.data;
        out->target = ORR_SHAPE(targets->n);
    }
    return ORR_OK;
}

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t seed, orr_dataset *out) {
    static const char separators[] = { ',', ';', '\t' };
    const char *separator = orr_text(s, "separator");
    const int which = strcmp(separator, "comma") == 0 ? 0 : strcmp(separator, "semicolon") == 0 ? 1 : 2;
    orr_csv csv;
    columns inputs, targets;
    orr_array x;
    (void)seed;
    ORR_TRY(ctx, orr_csv_read(ctx, out_arena, orr_text(s, "path"),
                              &(orr_csv_options){ .separator = separators[which], .no_header = !orr_flag(s, "header") },
                              &csv));
    ORR_TRY(ctx, choose_columns(ctx, out_arena, s, &csv, &inputs, &targets));
    ORR_TRY(ctx, orr_csv_numbers(ctx, out_arena, &csv, inputs.name, inputs.n, &x));
    *out = (orr_dataset){
        .n = csv.rows, .input = ORR_SHAPE(inputs.n), .target = ORR_SHAPE(0), .x = x.data, .source = orr_text(s, "path")
    };
    ORR_TRY(ctx, take_targets(ctx, out_arena, s, &csv, &targets, out));
    return orr_data_prepare(ctx, out_arena, s, out);
}

const orr_data orr_data_csv = {
    .kind = { "csv", "columns of a CSV file", parameters },
    .load = load,
};
