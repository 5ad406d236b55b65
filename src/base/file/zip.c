#include "base/file/zip.h"

#include <inttypes.h>
#include <string.h>

#include "base/context.h"
#include "base/file/deflate.h"
#include "base/utf8.h"

enum {
    LOCAL = 30, /* bytes of the fixed part of each record */
    CENTRAL = 46,
    END = 22,
    END_64 = 56,
    LOCATOR_64 = 20,
    EXTRA_64 = 20, /* id, length, two sizes */
    STORED = 0,
    DEFLATED = 8
};

static uint64_t get(const unsigned char *p, int n) {
    uint64_t value = 0;
    for (int i = n - 1; i >= 0; i--) value = value << 8 | p[i];
    return value;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

typedef struct directory {
    uint64_t at, size, n;
} directory;

static orr_status fail_at(orr_context *ctx, const char *where, const char *what) {
    return orr_fail(ctx, ORR_EINPUT, "%s: %s (truncated or damaged ZIP file?)", where, what);
}

/* The end record lies behind everything but its comment, of at most 65535 bytes. */
static orr_status find_end(orr_context *ctx, const char *where, orr_bytes b, uint64_t *at) {
    if (b.n == 0) return orr_fail(ctx, ORR_EINPUT, "%s: the file is empty; expected a ZIP archive", where);
    for (uint64_t comment = 0; comment <= 65535 && comment + END <= b.n; comment++) {
        const unsigned char *p = b.data + (b.n - END - comment);
        if (memcmp(p, "PK\5\6", 4) == 0 && get(p + 20, 2) == comment) {
            *at = b.n - END - comment;
            return ORR_OK;
        }
    }
    if (b.n < 4 || memcmp(b.data, "PK", 2) != 0)
        return orr_fail(ctx, ORR_EINPUT, "%s: not a ZIP archive (starts with \"%s\"; ZIP starts with \"PK\")", where,
                        orr_excerpt_of(b.data, b.n < 4 ? b.n : 4).text);
    return fail_at(ctx, where, "the end of the central directory is missing");
}

static orr_status find_directory(orr_context *ctx, const char *where, orr_bytes b, directory *out) {
    uint64_t end = 0;
    ORR_TRY(ctx, find_end(ctx, where, b, &end));
    const unsigned char *p = b.data + end;
    bool parts = get(p + 4, 2) != 0 || get(p + 6, 2) != 0 || get(p + 8, 2) != get(p + 10, 2);
    *out = (directory){ .n = get(p + 10, 2), .size = get(p + 12, 4), .at = get(p + 16, 4) };
    if (end >= LOCATOR_64 && memcmp(p - LOCATOR_64, "PK\6\7", 4) == 0) {
        const uint64_t end_64 = get(p - LOCATOR_64 + 8, 8);
        if (end < LOCATOR_64 + END_64 || end_64 != end - LOCATOR_64 - END_64 ||
            memcmp(b.data + end_64, "PK\6\6", 4) != 0)
            return fail_at(ctx, where, "the ZIP64 end record is not where its locator says");
        p = b.data + end_64;
        parts = get(p + 16, 4) != 0 || get(p + 20, 4) != 0 || get(p + 24, 8) != get(p + 32, 8);
        *out = (directory){ .n = get(p + 32, 8), .size = get(p + 40, 8), .at = get(p + 48, 8) };
        end = end_64;
    }
    if (parts) return orr_fail(ctx, ORR_EINPUT, "%s: a ZIP archive in several parts; expected one file", where);
    if (out->at > end || out->size != end - out->at)
        return fail_at(ctx, where, "the central directory is not where the end record says");
    if (out->n > out->size / CENTRAL) return fail_at(ctx, where, "the central directory is too short for its members");
    return ORR_OK;
}

/* Sizes of 0xffffffff stand in the ZIP64 extra field, in this order: size, packed, at; others are left out there. */
static bool widen(const unsigned char *extra, uint64_t length, orr_zip_member *m) {
    uint64_t *const field[] = { &m->size, &m->packed, &m->at };
    for (uint64_t at = 0; at + 4 <= length;) {
        const uint64_t id = get(extra + at, 2), n = get(extra + at + 2, 2);
        if (n > length - at - 4) return false;
        if (id == 1) {
            uint64_t used = 0;
            for (int i = 0; i < 3; i++)
                if (*field[i] == UINT32_MAX) {
                    if (used + 8 > n) return false;
                    *field[i] = get(extra + at + 4 + used, 8);
                    used += 8;
                }
            return true;
        }
        at += 4 + n;
    }
    return m->size != UINT32_MAX && m->packed != UINT32_MAX && m->at != UINT32_MAX;
}

/* One record of the directory at p, of which `left` bytes are there; *used of them are its own. */
static orr_status parse_central(orr_context *ctx, orr_arena *out_arena, const char *where, const unsigned char *p,
                                uint64_t left, orr_zip_member *m, uint64_t *used) {
    if (left < CENTRAL || memcmp(p, "PK\1\2", 4) != 0)
        return fail_at(ctx, where, "a record of the central directory is missing");
    const uint64_t name = get(p + 28, 2), extra = get(p + 30, 2), comment = get(p + 32, 2);
    *used = CENTRAL + name + extra + comment;
    if (*used > left) return fail_at(ctx, where, "a record of the central directory is cut");
    const orr_excerpt shown = orr_excerpt_of(p + CENTRAL, name);
    if (name == 0 || memchr(p + CENTRAL, 0, name))
        return orr_fail(ctx, ORR_EINPUT, "%s: a ZIP member has no name or a zero byte in it, \"%s\"", where,
                        shown.text);
    char *text = ORR_NEW(out_arena, char, name + 1);
    if (!text) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for the names of its members", where);
    memcpy(text, p + CENTRAL, name);
    *m = (orr_zip_member){ .name = text,
                           .method = (int)get(p + 10, 2),
                           .crc = (uint32_t)get(p + 16, 4),
                           .packed = get(p + 20, 4),
                           .size = get(p + 24, 4),
                           .at = get(p + 42, 4) };
    if (get(p + 8, 2) & 1)
        return orr_fail(ctx, ORR_EINPUT, "%s: member '%s' is encrypted; decrypt it first", where, shown.text);
    if (m->method != STORED && m->method != DEFLATED)
        return orr_fail(ctx, ORR_EINPUT,
                        "%s: member '%s' is packed by method %d; stored (0) and deflate (8) are supported", where,
                        shown.text, m->method);
    if (!widen(p + CENTRAL + name, extra, m))
        return orr_fail(ctx, ORR_EINPUT, "%s: member '%s' lacks its ZIP64 sizes or has a damaged extra field", where,
                        shown.text);
    return ORR_OK;
}

/* The local header names the same member, and its bytes end before `limit`. */
static orr_status check_local(orr_context *ctx, const char *where, orr_bytes b, uint64_t limit, orr_zip_member *m) {
    const unsigned char *p = b.data + m->at;
    const size_t n = strlen(m->name);
    const orr_excerpt shown = orr_excerpt_of(m->name, n);
    const bool there = m->at <= limit && limit - m->at >= LOCAL + n;
    if (!there || memcmp(p, "PK\3\4", 4) != 0 || get(p + 26, 2) != n || memcmp(p + LOCAL, m->name, n) != 0 ||
        get(p + 8, 2) != (uint64_t)m->method)
        return orr_fail(ctx, ORR_EINPUT, "%s: no local header of member '%s' at byte %" PRIu64 " (damaged ZIP file?)",
                        where, shown.text, m->at);
    m->data = m->at + LOCAL + n + get(p + 28, 2);
    if (m->data > limit || m->packed > limit - m->data)
        return orr_fail(ctx, ORR_EINPUT, "%s: member '%s' promises %" PRIu64 " bytes, more than there are", where,
                        shown.text, m->packed);
    if (m->method == STORED ? m->size != m->packed : m->size / ORR_DEFLATE_MAX > m->packed)
        return orr_fail(ctx, ORR_EINPUT,
                        "%s: member '%s' promises %" PRIu64 " bytes out of %" PRIu64 ", which can't be", where,
                        shown.text, m->size, m->packed);
    return ORR_OK;
}

/* order[0 .. n-1]: the members by `before`, by merging. */
static void sort(const orr_zip_member *m, int *order, int *spare, int n,
                 bool (*before)(const orr_zip_member *a, const orr_zip_member *b)) {
    if (n < 2) return;
    const int half = n / 2;
    sort(m, order, spare, half, before);
    sort(m, order + half, spare, n - half, before);
    for (int i = 0, left = 0, right = half; i < n; i++)
        spare[i] =
            right == n || (left < half && !before(&m[order[right]], &m[order[left]])) ? order[left++] : order[right++];
    memcpy(order, spare, (size_t)n * sizeof *order);
}

static bool before_by_place(const orr_zip_member *a, const orr_zip_member *b) { return a->at < b->at; }
static bool before_by_name(const orr_zip_member *a, const orr_zip_member *b) { return strcmp(a->name, b->name) < 0; }

static orr_status check_members(orr_context *ctx, const orr_zip *zip, int *order, int *spare) {
    const orr_zip_member *m = zip->member;
    for (int i = 0; i < zip->n; i++) order[i] = i;
    sort(m, order, spare, zip->n, before_by_name);
    for (int i = 1; i < zip->n; i++) {
        const char *name = m[order[i]].name;
        if (strcmp(name, m[order[i - 1]].name) == 0)
            return orr_fail(ctx, ORR_EINPUT, "%s: two members are named '%s'", zip->where,
                            orr_excerpt_of(name, strlen(name)).text);
    }
    sort(m, order, spare, zip->n, before_by_place);
    for (int i = 0; i < zip->n; i++) {
        const orr_zip_member *here = &m[order[i]], *last = i ? &m[order[i - 1]] : NULL;
        if (!last && here->at != 0)
            return orr_fail(ctx, ORR_EINPUT, "%s: %" PRIu64 " bytes stand in front of the first ZIP member", zip->where,
                            here->at);
        if (last && here->at < last->data + last->packed)
            return orr_fail(ctx, ORR_EINPUT, "%s: members '%s' and '%s' overlap", zip->where,
                            orr_excerpt_of(last->name, strlen(last->name)).text,
                            orr_excerpt_of(here->name, strlen(here->name)).text);
    }
    return ORR_OK;
}

orr_status orr_zip_parse(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes bytes, orr_zip *out) {
    directory d;
    *out = (orr_zip){ 0 };
    ORR_TRY(ctx, find_directory(ctx, where, bytes, &d));
    if (d.n > INT32_MAX) return orr_fail(ctx, ORR_EINPUT, "%s: more than 2^31 ZIP members", where);
    orr_zip zip = { .where = orr_arena_string(out_arena, where), .bytes = bytes, .n = (int)d.n };
    zip.member = ORR_NEW(out_arena, orr_zip_member, d.n);
    int *order = ORR_NEW(out_arena, int, 2 * d.n);
    if (!zip.where || !zip.member || !order)
        return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %" PRIu64 " members", where, d.n);
    uint64_t at = d.at;
    for (int i = 0; i < zip.n; i++) {
        uint64_t used = 0;
        ORR_TRY(ctx, parse_central(ctx, out_arena, where, bytes.data + at, d.at + d.size - at, &zip.member[i], &used));
        ORR_TRY(ctx, check_local(ctx, where, bytes, d.at, &zip.member[i]));
        at += used;
    }
    if (at != d.at + d.size) return fail_at(ctx, where, "the central directory goes on after its last member");
    ORR_TRY(ctx, check_members(ctx, &zip, order, order + d.n));
    *out = zip;
    return ORR_OK;
}

orr_status orr_zip_extract(orr_context *ctx, orr_arena *out_arena, const orr_zip *zip, int i, orr_bytes *out) {
    const orr_zip_member *m = &zip->member[i];
    const orr_bytes packed = { zip->bytes.data + m->data, (size_t)m->packed };
    const char *where =
        orr_arena_format(out_arena, "%s: '%s'", zip->where, orr_excerpt_of(m->name, strlen(m->name)).text);
    *out = packed;
    if (!where) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory", zip->where);
    if (m->method == DEFLATED) {
        *out = (orr_bytes){ ORR_NEW(out_arena, unsigned char, m->size), (size_t)m->size };
        if (!out->data) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %" PRIu64 " bytes", where, m->size);
        ORR_TRY(ctx, orr_inflate(ctx, where, packed, *out));
    }
    const uint32_t crc = orr_crc32(*out);
    if (crc == m->crc) return ORR_OK;
    return orr_fail(ctx, ORR_EINPUT, "%s: damaged: its CRC is %08" PRIx32 ", the archive says %08" PRIx32, where, crc,
                    m->crc);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

typedef struct sink {
    unsigned char *data;
    size_t n;
} sink;

static void put(sink *s, uint64_t value, int n) {
    for (int i = 0; i < n; i++) s->data[s->n++] = (unsigned char)(value >> 8 * i);
}

static void put_bytes(sink *s, const void *bytes, size_t n) {
    if (n) memcpy(s->data + s->n, bytes, n);
    s->n += n;
}

static bool needs_64(const orr_zip_member *m) {
    return m->size >= UINT32_MAX || m->packed >= UINT32_MAX || m->at >= UINT32_MAX;
}

/* What both headers say of a member: method, the first day that DOS knows, CRC. */
static void put_common(sink *s, const orr_zip_member *m) {
    bool ascii = true;
    for (const char *p = m->name; *p; p++) ascii = ascii && (unsigned char)*p < 0x80;
    put(s, needs_64(m) ? 45 : 20, 2); /* version needed: 4.5 for ZIP64, 2.0 for deflate */
    put(s, ascii ? 0 : 1 << 11, 2);   /* the name is UTF-8 */
    put(s, (uint64_t)m->method, 2);
    put(s, 0, 2);          /* 00:00:00 */
    put(s, 1 << 5 | 1, 2); /* 1980-01-01 */
    put(s, m->crc, 4);
}

static void put_local(sink *s, orr_zip_member *m, const unsigned char *packed) {
    const size_t name = strlen(m->name);
    m->at = s->n;
    put_bytes(s, "PK\3\4", 4);
    put_common(s, m);
    put(s, needs_64(m) ? UINT32_MAX : m->packed, 4);
    put(s, needs_64(m) ? UINT32_MAX : m->size, 4);
    put(s, name, 2);
    put(s, EXTRA_64, 2);
    put_bytes(s, m->name, name);
    put(s, 1, 2);
    put(s, 16, 2);
    put(s, m->size, 8);
    put(s, m->packed, 8);
    put_bytes(s, packed, m->packed);
}

static void put_central(sink *s, const orr_zip_member *m) {
    const size_t name = strlen(m->name);
    const bool wide = needs_64(m);
    put_bytes(s, "PK\1\2", 4);
    put(s, 3 << 8 | (wide ? 45 : 20), 2); /* made by: Unix */
    put_common(s, m);
    put(s, wide ? UINT32_MAX : m->packed, 4);
    put(s, wide ? UINT32_MAX : m->size, 4);
    put(s, name, 2);
    put(s, wide ? 28 : 0, 2); /* extra */
    put(s, 0, 2);             /* comment */
    put(s, 0, 2);             /* part */
    put(s, 0, 2);             /* internal attributes */
    put(s, 0600u << 16, 4);   /* external ones: rw for the owner */
    put(s, wide ? UINT32_MAX : m->at, 4);
    put_bytes(s, m->name, name);
    if (!wide) return;
    put(s, 1, 2);
    put(s, 24, 2);
    put(s, m->size, 8);
    put(s, m->packed, 8);
    put(s, m->at, 8);
}

static void put_end(sink *s, uint64_t n, uint64_t at) {
    const uint64_t size = s->n - at, end_64 = s->n;
    const bool wide = n >= UINT16_MAX || at >= UINT32_MAX || size >= UINT32_MAX;
    if (wide) {
        put_bytes(s, "PK\6\6", 4);
        put(s, END_64 - 12, 8);
        put(s, 3 << 8 | 45, 2);
        put(s, 45, 2);
        put(s, 0, 8);
        put(s, n, 8);
        put(s, n, 8);
        put(s, size, 8);
        put(s, at, 8);
        put_bytes(s, "PK\6\7", 4);
        put(s, 0, 4);
        put(s, end_64, 8);
        put(s, 1, 4);
    }
    put_bytes(s, "PK\5\6", 4);
    put(s, 0, 4);
    put(s, n >= UINT16_MAX ? UINT16_MAX : n, 2);
    put(s, n >= UINT16_MAX ? UINT16_MAX : n, 2);
    put(s, size >= UINT32_MAX ? UINT32_MAX : size, 4);
    put(s, at >= UINT32_MAX ? UINT32_MAX : at, 4);
    put(s, 0, 2);
}

orr_status orr_zip_bytes(orr_context *ctx, orr_arena *out_arena, const char *const *names, const orr_bytes *plain,
                         int n, bool deflate, orr_bytes *out) {
    orr_zip_member *m = ORR_NEW(out_arena, orr_zip_member, n);
    orr_bytes *packed = ORR_NEW(out_arena, orr_bytes, n);
    size_t total = END_64 + LOCATOR_64 + END;
    if (!m || !packed) return orr_fail(ctx, ORR_ENOMEM, "zip: no memory for %d members", n);
    for (int i = 0; i < n; i++) {
        packed[i] = plain[i];
        if (deflate) ORR_TRY(ctx, orr_deflate(ctx, out_arena, names[i], plain[i], &packed[i]));
        m[i] = (orr_zip_member){ .name = names[i],
                                 .packed = packed[i].n,
                                 .size = plain[i].n,
                                 .crc = orr_crc32(plain[i]),
                                 .method = deflate ? DEFLATED : STORED };
        total += LOCAL + EXTRA_64 + packed[i].n + CENTRAL + 28 + 2 * strlen(names[i]);
    }
    sink s = { .data = ORR_NEW(out_arena, unsigned char, total) };
    if (!s.data) return orr_fail(ctx, ORR_ENOMEM, "zip: no memory for %zu bytes", total);
    for (int i = 0; i < n; i++) put_local(&s, &m[i], packed[i].data);
    const size_t at = s.n;
    for (int i = 0; i < n; i++) put_central(&s, &m[i]);
    put_end(&s, (uint64_t)n, at);
    *out = (orr_bytes){ s.data, s.n };
    return ORR_OK;
}
