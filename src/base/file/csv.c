#include "base/file/csv.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/nearest.h"
#include "base/number.h"
#include "base/utf8.h"
#include "base/words.h"

/* One walk over the file unquotes it into `text`, each field ended by '\0', and counts; a second one over `text`, which is
 * known to be whole, gathers the pointers. */
typedef struct reading {
    orr_context *ctx;
    const char *where;
    char separator;
    const unsigned char *p, *end;
    int64_t line, column; /* of p: lines from 1; fields of the record from 1 */
    char *text;
    size_t used;
    int64_t records, columns; /* columns: fields of the first record */
} reading;

static orr_status fail_here(const reading *r, const char *format) {
    return orr_fail(r->ctx, ORR_EINPUT, "%s:%" PRId64 ": column %" PRId64 ": %s", r->where, r->line, r->column, format);
}

static bool at_line_end(const reading *r) {
    return r->p == r->end || *r->p == '\n' || (*r->p == '\r' && r->end - r->p > 1 && r->p[1] == '\n');
}

static orr_status take_quoted(reading *r) {
    const int64_t started = r->line;
    r->p++;
    for (;; r->p++) {
        if (r->p == r->end)
            return orr_fail(r->ctx, ORR_EINPUT,
                            "%s:%" PRId64 ": column %" PRId64 ": a quote opens here and is never closed", r->where,
                            started, r->column);
        if (*r->p == '"') {
            if (r->end - r->p > 1 && r->p[1] == '"') r->p++;
            else break;
        }
        if (*r->p == '\0') return fail_here(r, "a zero byte; expected text");
        if (*r->p == '\n') r->line++;
        r->text[r->used++] = (char)*r->p;
    }
    r->p++;
    if (at_line_end(r) || *r->p == (unsigned char)r->separator) return ORR_OK;
    return fail_here(r, "text follows a closing quote (a quote inside a quoted field is doubled)");
}

static orr_status take_plain(reading *r) {
    for (; !at_line_end(r) && *r->p != (unsigned char)r->separator; r->p++) {
        if (*r->p == '"')
            return fail_here(r,
                             "a quote inside an unquoted field (put the field between quotes and double those inside)");
        if (*r->p == '\0') return fail_here(r, "a zero byte; expected text");
        if (*r->p == '\r') return fail_here(r, "a carriage return without a line feed; lines end with LF or CRLF");
        r->text[r->used++] = (char)*r->p;
    }
    return ORR_OK;
}

static orr_status take_record(reading *r) {
    const int64_t started = r->line;
    const bool blank = at_line_end(r);
    for (r->column = 1;; r->column++) {
        ORR_TRY(r->ctx, *r->p == '"' ? take_quoted(r) : take_plain(r));
        r->text[r->used++] = '\0';
        if (at_line_end(r)) break;
        r->p++; /* the separator; behind the last one an empty field follows, which has no byte of its own */
        if (r->p == r->end) {
            r->text[r->used++] = '\0';
            r->column++;
            break;
        }
    }
    if (r->p < r->end) {
        r->p += *r->p == '\r' ? 2 : 1;
        r->line++;
    }
    if (r->records++ == 0) r->columns = r->column;
    if (r->column == r->columns) return ORR_OK;
    if (blank)
        return orr_fail(r->ctx, ORR_EINPUT,
                        "%s:%" PRId64 ": a blank line; expected %" PRId64 " fields as in the first line", r->where,
                        started, r->columns);
    return orr_fail(r->ctx, ORR_EINPUT, "%s:%" PRId64 ": %" PRId64 " fields; expected %" PRId64 " as in the first line",
                    r->where, started, r->column, r->columns);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static orr_status check_names(orr_context *ctx, const char *where, const char *const *name, int n) {
    orr_arena *scratch;
    ORR_TRY(ctx, orr_arena_new(ctx, &scratch));
    orr_words words = orr_words_new(scratch);
    orr_status status = ORR_OK;
    for (int i = 0; i < n && status == ORR_OK; i++) {
        const int32_t index = orr_words_add(&words, name[i], strlen(name[i]));
        if (index < 0) status = orr_fail(ctx, ORR_ENOMEM, "%s: no memory for the names of its columns", where);
        else if (!*name[i])
            status =
                orr_fail(ctx, ORR_EINPUT, "%s:1: column %d has no name (is the first line a header?)", where, i + 1);
        else if (index < i)
            status =
                orr_fail(ctx, ORR_EINPUT, "%s:1: columns %d and %d are both named '%s' (is the first line a header?)",
                         where, index + 1, i + 1, orr_excerpt_of(name[i], strlen(name[i])).text);
    }
    orr_arena_free(scratch);
    return status;
}

/* Lines that a field spans beyond its first. */
static int64_t line_feeds(const char *field) {
    int64_t n = 0;
    for (; *field; field++) n += *field == '\n';
    return n;
}

static orr_status build(const reading *r, orr_arena *out_arena, bool no_header, const char *missing, orr_csv *out) {
    const int64_t cells = r->records * r->columns; /* each has a byte of the file, so this can't overflow */
    const char **field = ORR_NEW(out_arena, const char *, cells + (no_header ? r->columns : 0));
    int64_t *line = ORR_NEW(out_arena, int64_t, r->records);
    const char *at = r->text;
    int64_t here = 1;
    *out = (orr_csv){ .where = orr_arena_string(out_arena, r->where), .columns = (int)r->columns };
    if (missing) out->missing = orr_arena_string(out_arena, missing);
    if (!field || !line || !out->where || (missing && !out->missing)) goto no_memory;
    const char **cell = field + (no_header ? r->columns : 0);
    for (int64_t i = 0; i < r->records; i++) {
        line[i] = here++;
        for (int64_t j = 0; j < r->columns; j++) {
            cell[i * r->columns + j] = at;
            here += line_feeds(at);
            at += strlen(at) + 1;
        }
    }
    if (no_header)
        for (int j = 0; j < out->columns; j++) {
            field[j] = orr_arena_format(out_arena, "%d", j + 1);
            if (!field[j]) goto no_memory;
        }
    out->name = field;
    out->field = field + r->columns;
    out->line = no_header ? line : line + 1;
    out->rows = r->records - (no_header ? 0 : 1);
    return no_header ? ORR_OK : check_names(r->ctx, r->where, out->name, out->columns);
no_memory:
    return orr_fail(r->ctx, ORR_ENOMEM, "%s: no memory for %" PRId64 " fields", r->where, cells);
}

orr_status orr_csv_parse(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes bytes,
                         const orr_csv_options *options, orr_csv *out) {
    const orr_csv_options o = options ? *options : (orr_csv_options){ 0 };
    const unsigned char *p = bytes.data;
    size_t n = bytes.n;
    *out = (orr_csv){ 0 };
    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
        n -= 3;
    } else if (n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0)) {
        return orr_fail(ctx, ORR_EINPUT, "%s: UTF-16; expected UTF-8 (iconv -f UTF-16 -t UTF-8)", where);
    }
    if (n == 0) return orr_fail(ctx, ORR_EINPUT, "%s: the file is empty; expected CSV", where);
    reading r = {
        .ctx = ctx, .where = where, .separator = o.separator ? o.separator : ',', .p = p, .end = p + n, .line = 1
    };
    if (strchr("\"\r\n", r.separator))
        return orr_fail(ctx, ORR_EINPUT, "%s: a quote or a line end can't separate fields", where);
    r.text = ORR_NEW(out_arena, char, n + 2); /* an unquoted field is as long as its text and what ends it */
    if (!r.text) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %zu bytes of text", where, n);
    while (r.p < r.end) ORR_TRY(ctx, take_record(&r));
    if (r.columns > INT32_MAX / 2) return orr_fail(ctx, ORR_EINPUT, "%s: more than 2^30 columns", where);
    return build(&r, out_arena, o.no_header, o.missing, out);
}

orr_status orr_csv_read(orr_context *ctx, orr_arena *out_arena, const char *path, const orr_csv_options *options,
                        orr_csv *out) {
    orr_bytes bytes;
    *out = (orr_csv){ 0 };
    orr_status status = orr_file_read_plain(ctx, path, 0, &bytes);
    if (status == ORR_OK) status = orr_csv_parse(ctx, out_arena, path, bytes, options, out);
    orr_release(ctx, bytes.data);
    return status;
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

orr_status orr_csv_column(orr_context *ctx, const orr_csv *csv, const char *name, int *column) {
    for (*column = 0; *column < csv->columns; ++*column)
        if (strcmp(csv->name[*column], name) == 0) return ORR_OK;
    const char *near = orr_nearest(name, csv->name, csv->columns), *shown = near ? near : csv->name[0];
    return orr_fail(ctx, ORR_EINPUT,
                    near ? "%s: no column '%s' among its %d; did you mean '%s'?"
                         : "%s: no column '%s' among its %d; the first is '%s'",
                    csv->where, orr_excerpt_of(name, strlen(name)).text, csv->columns,
                    orr_excerpt_of(shown, strlen(shown)).text);
}

static orr_status fail_field(orr_context *ctx, const orr_csv *csv, int64_t row, int column, const char *expected) {
    const char *field = csv->field[row * csv->columns + column], *name = csv->name[column];
    if (!*field)
        return orr_fail(ctx, ORR_EINPUT,
                        "%s:%" PRId64 ": column '%s': missing; expected %s (or say that an empty field is "
                        "missing)",
                        csv->where, csv->line[row], orr_excerpt_of(name, strlen(name)).text, expected);
    return orr_fail(ctx, ORR_EINPUT, "%s:%" PRId64 ": column '%s': expected %s, met \"%s\"", csv->where, csv->line[row],
                    orr_excerpt_of(name, strlen(name)).text, expected, orr_excerpt_of(field, strlen(field)).text);
}

static bool is_missing(const orr_csv *csv, const char *field) {
    return csv->missing && strcmp(field, csv->missing) == 0;
}

orr_status orr_csv_numbers(orr_context *ctx, orr_arena *out_arena, const orr_csv *csv, const char *const *names, int n,
                           orr_array *out) {
    ORR_TRY(ctx, orr_array_new(ctx, out_arena, n == 1 ? names[0] : csv->where, ORR_F64, ORR_SHAPE(csv->rows, n), out));
    double *x = out->data;
    for (int j = 0; j < n; j++) {
        int column;
        ORR_TRY(ctx, orr_csv_column(ctx, csv, names[j], &column));
        for (int64_t i = 0; i < csv->rows; i++) {
            const char *field = csv->field[i * csv->columns + column], *expected = NULL;
            if (is_missing(csv, field)) x[i * n + j] = (double)NAN;
            else expected = orr_number_read(field, strlen(field), &x[i * n + j]);
            if (expected) return fail_field(ctx, csv, i, column, expected);
        }
    }
    return ORR_OK;
}

orr_status orr_csv_classes(orr_context *ctx, orr_arena *out_arena, const orr_csv *csv, const char *name, orr_array *out,
                           const char *const **words, int *n_words) {
    int column;
    orr_words known = orr_words_new(out_arena);
    *words = NULL;
    *n_words = 0;
    ORR_TRY(ctx, orr_csv_column(ctx, csv, name, &column));
    ORR_TRY(ctx, orr_array_new(ctx, out_arena, name, ORR_I32, ORR_SHAPE(csv->rows), out));
    for (int64_t i = 0; i < csv->rows; i++) {
        const char *field = csv->field[i * csv->columns + column];
        if (!*field || is_missing(csv, field)) return fail_field(ctx, csv, i, column, "the name of a class");
        const int32_t code = orr_words_add(&known, field, strlen(field));
        if (code < 0) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for its classes", csv->where);
        ((int32_t *)out->data)[i] = code;
    }
    const char **list = ORR_NEW(out_arena, const char *, known.n);
    if (!list) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for its classes", csv->where);
    for (int32_t i = 0; i < known.n; i++) list[i] = known.word[i].text;
    *words = list;
    *n_words = known.n;
    return ORR_OK;
}
