#include "base/file/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "base/utf8.h"

static const char magic[] = "\x93NUMPY";
enum { MAGIC = 6, BEFORE_HEADER_1 = 10, BEFORE_HEADER_2 = 12, ALIGN = 64 };

/* ---- the header: a Python dictionary, of which exactly this is understood ---------------------------------------- */

typedef struct cursor {
    orr_context *ctx;
    const char *where;
    const char *p, *end;
} cursor;

static orr_status refuse(const cursor *c, const char *expected) {
    if (c->p == c->end)
        return orr_fail(c->ctx, ORR_EINPUT, "%s: NPY header: expected %s, met its end", c->where, expected);
    return orr_fail(c->ctx, ORR_EINPUT, "%s: NPY header: expected %s, met \"%s\"", c->where, expected,
                    orr_excerpt_of(c->p, (size_t)(c->end - c->p)).text);
}

static void skip_blanks(cursor *c) {
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r')) c->p++;
}

/* The next character, where it is `wanted`, blanks before it left out. */
static bool next_is(cursor *c, char wanted) {
    skip_blanks(c);
    if (c->p == c->end || *c->p != wanted) return false;
    c->p++;
    return true;
}

/* '...' or "..." without escapes. */
static orr_status take_string(cursor *c, const char *expected, const char **text, size_t *n) {
    skip_blanks(c);
    const char quote = c->p < c->end ? *c->p : '\0';
    if (quote != '\'' && quote != '"') return refuse(c, expected);
    const char *end = memchr(c->p + 1, quote, (size_t)(c->end - c->p - 1));
    if (!end || memchr(c->p, '\\', (size_t)(end - c->p))) return refuse(c, expected);
    *text = c->p + 1;
    *n = (size_t)(end - *text);
    c->p = end + 1;
    return ORR_OK;
}

/* '<f8', '|b1', '>i4' */
static orr_status take_descr(cursor *c, orr_stored *s) {
    static const struct {
        char kind, size;
        orr_element element;
    } known[] = { { 'b', '1', ORR_ELEMENT_BOOL }, { 'i', '1', ORR_ELEMENT_I8 },  { 'u', '1', ORR_ELEMENT_U8 },
                  { 'i', '2', ORR_ELEMENT_I16 },  { 'u', '2', ORR_ELEMENT_U16 }, { 'i', '4', ORR_ELEMENT_I32 },
                  { 'u', '4', ORR_ELEMENT_U32 },  { 'i', '8', ORR_ELEMENT_I64 }, { 'u', '8', ORR_ELEMENT_U64 },
                  { 'f', '2', ORR_ELEMENT_F16 },  { 'f', '4', ORR_ELEMENT_F32 }, { 'f', '8', ORR_ELEMENT_F64 } };
    const char *text;
    size_t n;
    skip_blanks(c);
    if (c->p < c->end && *c->p == '[')
        return orr_fail(c->ctx, ORR_EINPUT,
                        "%s: an NPY array of records; expected one of numbers (save its fields one by one)", c->where);
    ORR_TRY(c->ctx, take_string(c, "an element type such as '<f8'", &text, &n));
    const bool ordered = n > 0 && (text[0] == '<' || text[0] == '>' || text[0] == '|');
    for (size_t i = 0; ordered && n == 3 && i < sizeof known / sizeof known[0]; i++)
        if (text[1] == known[i].kind && text[2] == known[i].size && (text[0] != '|' || text[2] == '1')) {
            s->element = known[i].element;
            s->big_endian = text[0] == '>';
            return ORR_OK;
        }
    const char kind = n > 1 && ordered ? text[1] : n > 0 ? text[0] : '\0';
    const char *what = kind == 'O'                  ? "Python objects, which need Python to be read"
                       : kind == 'c'                ? "complex numbers"
                       : kind == 'U' || kind == 'S' ? "text"
                       : kind == 'M' || kind == 'm' ? "dates or times"
                       : kind == 'V'                ? "raw records"
                                                    : "an unknown type";
    return orr_fail(c->ctx, ORR_EINPUT,
                    "%s: NPY elements are '%s' (%s); expected bool, i1 to i8, u1 to u8, f2, f4 or f8 after <, > or | "
                    "(convert with .astype('<f8'))",
                    c->where, orr_excerpt_of(text, n).text, what);
}

static orr_status take_flag(cursor *c, bool *flag) {
    static const char *const words[] = { "False", "True" };
    skip_blanks(c);
    for (int i = 0; i < 2; i++) {
        const size_t n = strlen(words[i]);
        if ((size_t)(c->end - c->p) < n || memcmp(c->p, words[i], n) != 0) continue;
        c->p += n;
        *flag = i == 1;
        return ORR_OK;
    }
    return refuse(c, "True or False");
}

static orr_status take_extent(cursor *c, int64_t *extent) {
    const char *start = c->p;
    int64_t value = 0;
    for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
        if (value > (INT64_MAX - 9) / 10) {
            c->p = start;
            return refuse(c, "an extent below 2^63");
        }
        value = 10 * value + (*c->p - '0');
    }
    if (c->p == start) return refuse(c, "an extent or ')'");
    *extent = value;
    return ORR_OK;
}

/* () or (3,) or (3, 4) or (3, 4,) */
static orr_status take_shape(cursor *c, orr_shape *shape) {
    if (!next_is(c, '(')) return refuse(c, "a shape such as (3, 4)");
    shape->rank = 0;
    while (!next_is(c, ')')) {
        if (shape->rank == ORR_RANK_MAX)
            return orr_fail(c->ctx, ORR_EINPUT, "%s: an NPY array with more than %d dimensions", c->where,
                            ORR_RANK_MAX);
        ORR_TRY(c->ctx, take_extent(c, &shape->size[shape->rank]));
        shape->rank++;
        if (next_is(c, ',')) continue;
        if (shape->rank == 1) return refuse(c, "',' (a shape of one extent is written (3,))");
        if (!next_is(c, ')')) return refuse(c, "',' or ')'");
        break;
    }
    return ORR_OK;
}

static orr_status take_dictionary(cursor *c, orr_stored *s) {
    static const char *const keys[] = { "descr", "fortran_order", "shape" };
    static const char *const expected = "one of the keys 'descr', 'fortran_order', 'shape', each once";
    bool seen[3] = { false };
    if (!next_is(c, '{')) return refuse(c, "a dictionary, {'descr': ...}");
    while (!next_is(c, '}')) {
        const char *key;
        size_t n;
        int k = 0;
        skip_blanks(c);
        const char *const start = c->p;
        ORR_TRY(c->ctx, take_string(c, expected, &key, &n));
        while (k < 3 && (strlen(keys[k]) != n || memcmp(keys[k], key, n) != 0)) k++;
        if (k == 3 || seen[k]) {
            c->p = start;
            return refuse(c, expected);
        }
        seen[k] = true;
        if (!next_is(c, ':')) return refuse(c, "':'");
        ORR_TRY(c->ctx, k == 0 ? take_descr(c, s) : k == 1 ? take_flag(c, &s->column_major) : take_shape(c, &s->shape));
        if (next_is(c, ',')) continue;
        if (!next_is(c, '}')) return refuse(c, "',' or '}'");
        break;
    }
    for (int k = 0; k < 3; k++)
        if (!seen[k]) return orr_fail(c->ctx, ORR_EINPUT, "%s: the NPY header lacks the key '%s'", c->where, keys[k]);
    skip_blanks(c);
    return c->p == c->end ? ORR_OK : refuse(c, "nothing but blanks after the dictionary");
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

orr_status orr_npy_parse(orr_context *ctx, orr_arena *out_arena, const char *where, const char *name, orr_bytes bytes,
                         orr_array *out) {
    const unsigned char *b = bytes.data;
    orr_stored s = { 0 };
    int64_t need = 0;
    *out = (orr_array){ 0 };
    if (bytes.n == 0) return orr_fail(ctx, ORR_EINPUT, "%s: the file is empty; expected an NPY array", where);
    const size_t seen = bytes.n < MAGIC ? bytes.n : MAGIC;
    if (memcmp(b, magic, seen) != 0)
        return orr_fail(ctx, ORR_EINPUT, "%s: not an NPY file (starts with \"%s\"; NPY starts with \"\\x93NUMPY\")",
                        where, orr_excerpt_of(b, seen).text);
    const size_t start = bytes.n > MAGIC && b[MAGIC] > 1 ? BEFORE_HEADER_2 : BEFORE_HEADER_1;
    if (bytes.n < start)
        return orr_fail(ctx, ORR_EINPUT, "%s: ends after %zu bytes, before the NPY header (truncated file?)", where,
                        bytes.n);
    if (b[6] < 1 || b[6] > 3 || b[7] != 0)
        return orr_fail(ctx, ORR_EINPUT, "%s: NPY version %d.%d; 1.0, 2.0 and 3.0 are supported", where, b[6], b[7]);
    size_t header = (size_t)b[8] | (size_t)b[9] << 8;
    if (start == BEFORE_HEADER_2) header |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (header > bytes.n - start)
        return orr_fail(ctx, ORR_EINPUT, "%s: ends inside the NPY header (it needs %zu bytes, %zu are there)", where,
                        header, bytes.n - start);
    const char *text = (const char *)b + start;
    cursor c = { .ctx = ctx, .where = where, .p = text, .end = text + header };
    ORR_TRY(ctx, take_dictionary(&c, &s));
    const size_t there = bytes.n - start - header;
    const bool countable = orr_element_bytes(s.element, &s.shape, &need);
    if (!countable || (uint64_t)need > there)
        return orr_fail(ctx, ORR_EINPUT,
                        "%s: the NPY header promises %s%" PRId64 " bytes of data, %zu are there "
                        "(truncated file?)",
                        where, countable ? "" : "more than ", countable ? need : INT64_C(1) << 62, there);
    if ((uint64_t)need < there)
        return orr_fail(ctx, ORR_EINPUT, "%s: data go on after the %" PRId64 " bytes that the NPY header promises",
                        where, need);
    s.bytes = b + start + header;
    return orr_array_decode(ctx, out_arena, where, name, &s, out);
}

orr_status orr_npy_read(orr_context *ctx, orr_arena *out_arena, const char *path, orr_array *out) {
    orr_bytes bytes;
    *out = (orr_array){ 0 };
    orr_status status = orr_file_read(ctx, path, &bytes);
    if (status == ORR_OK) {
        const char *name = orr_file_stem(out_arena, path, ".npy");
        status = name ? orr_npy_parse(ctx, out_arena, path, name, bytes, out)
                      : orr_fail(ctx, ORR_ENOMEM, "%s: no memory", path);
    }
    orr_release(ctx, bytes.data);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* The header of version 1.0 in `to`; returns its length.  As NumPy does, blanks after it leave room for the first extent
 * to grow to 21 digits in place, and make the data start at a multiple of 64. */
static size_t format_header(const orr_array *a, char to[512]) {
    static const char *const descr[] = { "<f4", "<f8", "<i4", "|b1" }; /* ORDER dtype: include/orrery.h */
    const size_t size = 512;
    size_t n = (size_t)snprintf(to, size, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr[a->dtype]);
    for (int32_t i = 0; i < a->shape.rank; i++)
        n += (size_t)snprintf(to + n, size - n, i ? ", %" PRId64 : "%" PRId64, a->shape.size[i]);
    n += (size_t)snprintf(to + n, size - n, a->shape.rank == 1 ? ",), }" : "), }");
    if (a->shape.rank > 0) {
        const int digits = snprintf(NULL, 0, "%" PRId64, a->shape.size[0]);
        n += (size_t)snprintf(to + n, size - n, "%*s", 21 - digits, "");
    }
    while ((BEFORE_HEADER_1 + n + 1) % ALIGN != 0) to[n++] = ' ';
    to[n++] = '\n';
    return n;
}

orr_status orr_npy_bytes(orr_context *ctx, orr_arena *out_arena, const orr_array *a, orr_bytes *out) {
    char header[512]; /* 60 letters, 10 extents of at most 21, the room for growth */
    const size_t length = format_header(a, header);
    const int64_t n = orr_shape_count(&a->shape) * (int64_t)orr_dtype_size(a->dtype);
    out->n = BEFORE_HEADER_1 + length + (size_t)n;
    out->data = ORR_NEW(out_arena, unsigned char, out->n);
    if (!out->data) return orr_fail(ctx, ORR_ENOMEM, "npy: no memory for %zu bytes", out->n);
    memcpy(out->data, magic, MAGIC);
    memcpy(out->data + MAGIC, (const unsigned char[]){ 1, 0, (unsigned char)length, (unsigned char)(length >> 8) }, 4);
    memcpy(out->data + BEFORE_HEADER_1, header, length);
    orr_array_encode(a, out->data + BEFORE_HEADER_1 + length);
    return ORR_OK;
}

orr_status orr_npy_write(orr_context *ctx, const char *path, const orr_array *a) {
    orr_arena *scratch;
    orr_bytes bytes;
    ORR_TRY(ctx, orr_arena_new(ctx, &scratch));
    orr_status status = orr_npy_bytes(ctx, scratch, a, &bytes);
    if (status == ORR_OK) status = orr_file_write(ctx, path, bytes);
    orr_arena_free(scratch);
    return status;
}
