/* CSV: records of comma-separated fields, RFC 4180, read strictly.
 *
 *   name,height        a line is a record and ends with LF or CRLF (the last may lack it)
 *   "Dupont, A.",1.8   a field that holds commas, quotes or line ends stands between quotes,
 *   "say ""a""",1.7    a quote inside is doubled; outside, a quote is a mistake
 *
 * All records have the same number of fields; a UTF-8 mark at the start (ef bb bf) is left out; a gzipped file is
 * decompressed.  Numbers are decimal with a point, whatever the locale.  Messages name line and column. */
#ifndef ORR_BASE_FILE_CSV_H
#define ORR_BASE_FILE_CSV_H

#include "base/array.h"
#include "base/file/file.h"

/* A zero means the default. */
typedef struct orr_csv_options {
    char separator;      /* ',' */
    bool no_header;      /* the first record is data; columns are named "1", "2", ... */
    const char *missing; /* a field that equals this word ("" for an empty one, "NA", ...) is missing and reads as NaN;
                            default: none, and an empty field is refused in a column of numbers */
} orr_csv_options;

typedef struct orr_csv {
    const char *where; /* begins messages */
    const char *missing;
    int64_t rows;
    int columns;
    const char *const *name;  /* [columns] */
    const char *const *field; /* [rows, columns] */
    const int64_t *line;      /* [rows]: where each record starts, counted from 1 */
} orr_csv;

/* options NULL: the defaults.  Fails, with the path, line and column: ORR_EIO, ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_csv_read(orr_context *ctx, orr_arena *out_arena, const char *path, const orr_csv_options *options,
                        orr_csv *out) ORR_MUST_USE;
/* The same from bytes in memory, which are read only during the call. */
orr_status orr_csv_parse(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes bytes,
                         const orr_csv_options *options, orr_csv *out) ORR_MUST_USE;

/* The index of a column.  Fails: ORR_EINPUT, with the nearest name. */
orr_status orr_csv_column(orr_context *ctx, const orr_csv *csv, const char *name, int *column) ORR_MUST_USE;

/* Columns of numbers as one f64 array [rows, n].  Fails: ORR_EINPUT for an unknown column, a field that is no number and
 * a missing one where none may be; ORR_ENOMEM. */
orr_status orr_csv_numbers(orr_context *ctx, orr_arena *out_arena, const orr_csv *csv, const char *const *names, int n,
                           orr_array *out) ORR_MUST_USE;

/* A column of words as i32 codes [rows]; code c is the word (*words)[c], in the order of first appearance.  Fails:
 * ORR_EINPUT for an unknown column and a missing field; ORR_ENOMEM. */
orr_status orr_csv_classes(orr_context *ctx, orr_arena *out_arena, const orr_csv *csv, const char *name, orr_array *out,
                           const char *const **words, int *n_words) ORR_MUST_USE;

#endif
