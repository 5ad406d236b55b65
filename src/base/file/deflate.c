#include "base/file/deflate.h"

#include <string.h>
#include <zlib.h>

#include "base/context.h"

enum {
    LARGEST_WINDOW = 15,
    GZIP = 16,          /* added to the window: the gzip format, header and checksum */
    CHUNK_MAX = 1 << 30 /* zlib counts in 32 bits */
};

static void *allocate(void *ctx, unsigned items, unsigned size) { return orr_allocate(ctx, (size_t)items * size); }
static void release(void *ctx, void *p) { orr_release(ctx, p); }

/* Gives zlib input and room while it has used up its own; *left and *room: what it has not been given yet. */
static void feed(z_stream *z, size_t *left, size_t *room) {
    if (!z->avail_in) {
        z->avail_in = (uInt)(*left < CHUNK_MAX ? *left : CHUNK_MAX);
        *left -= z->avail_in;
    }
    if (!z->avail_out) {
        z->avail_out = (uInt)(*room < CHUNK_MAX ? *room : CHUNK_MAX);
        *room -= z->avail_out;
    }
}

bool orr_is_gzip(const unsigned char *bytes, size_t n) { return n >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b; }

static orr_status no_memory(orr_context *ctx, const char *name) {
    return orr_fail(ctx, ORR_ENOMEM, "%s: no memory to decompress", name);
}

static orr_status damaged(orr_context *ctx, const char *name, const char *format, const z_stream *z) {
    return orr_fail(ctx, ORR_EINPUT, "%s: the %s stream is damaged (%s)", name, format, z->msg ? z->msg : "bad data");
}

/* Twice the room, and what was there. */
static bool grow(orr_context *ctx, orr_bytes *out, size_t *capacity) {
    const size_t larger = 2 * *capacity;
    unsigned char *data = larger > *capacity ? orr_allocate(ctx, larger) : NULL;
    if (!data) return false;
    if (out->n) memcpy(data, out->data, out->n);
    orr_release(ctx, out->data);
    out->data = data;
    *capacity = larger;
    return true;
}

static orr_status gunzip(orr_context *ctx, const char *name, z_stream *z, size_t left, size_t limit, orr_bytes *out) {
    size_t capacity = 1 << 15;
    out->data = orr_allocate(ctx, capacity);
    if (!out->data) return no_memory(ctx, name);
    for (;;) {
        if (out->n == capacity && !grow(ctx, out, &capacity)) return no_memory(ctx, name);
        const size_t want = capacity - out->n < CHUNK_MAX ? capacity - out->n : CHUNK_MAX;
        size_t room = 0;
        z->next_out = out->data + out->n;
        z->avail_out = (uInt)want;
        feed(z, &left, &room);
        const int end = inflate(z, Z_NO_FLUSH);
        out->n += want - z->avail_out;
        if (limit && out->n > limit)
            return orr_fail(ctx, ORR_EINPUT, "%s: more than %zu bytes when decompressed", name, limit);
        if (end == Z_STREAM_END) {
            feed(z, &left, &room);
            if (!z->avail_in) return ORR_OK;
            if (z->next_in[0] != 0x1f) /* else another member follows, which gzip joins to the first */
                return orr_fail(ctx, ORR_EINPUT, "%s: bytes follow the end of the gzip stream", name);
            if (inflateReset(z) != Z_OK) return no_memory(ctx, name);
        } else if (end == Z_MEM_ERROR) {
            return no_memory(ctx, name);
        } else if (end != Z_OK && end != Z_BUF_ERROR) {
            return damaged(ctx, name, "gzip", z);
        } else if (!z->avail_in && !left && z->avail_out) {
            return orr_fail(ctx, ORR_EINPUT, "%s: the gzip stream ends in the middle (truncated file?)", name);
        }
    }
}

orr_status orr_gunzip(orr_context *ctx, const char *name, orr_bytes packed, size_t limit, orr_bytes *out) {
    z_stream z = { .zalloc = allocate, .zfree = release, .opaque = ctx, .next_in = packed.data };
    *out = (orr_bytes){ 0 };
    if (inflateInit2(&z, LARGEST_WINDOW + GZIP) != Z_OK) return no_memory(ctx, name);
    const orr_status status = gunzip(ctx, name, &z, packed.n, limit, out);
    (void)inflateEnd(&z);
    return status;
}

orr_status orr_inflate(orr_context *ctx, const char *name, orr_bytes packed, orr_bytes out) {
    unsigned char none = 0;
    z_stream z = { .zalloc = allocate, .zfree = release, .opaque = ctx, .next_in = packed.data };
    size_t left = packed.n, room = out.n;
    int end = Z_OK;
    if (inflateInit2(&z, -LARGEST_WINDOW) != Z_OK) return no_memory(ctx, name);
    z.next_out = out.n ? out.data : &none; /* zlib wants a pointer for nothing too */
    while (end == Z_OK) {
        feed(&z, &left, &room);
        end = inflate(&z, Z_NO_FLUSH);
    }
    const size_t unused = z.avail_in + left, missing = z.avail_out + room;
    orr_status status = ORR_OK;
    if (end == Z_MEM_ERROR) status = no_memory(ctx, name);
    else if (end == Z_BUF_ERROR && !unused)
        status = orr_fail(ctx, ORR_EINPUT, "%s: the deflate stream ends in the middle", name);
    else if (end == Z_BUF_ERROR)
        status =
            orr_fail(ctx, ORR_EINPUT, "%s: the deflate stream holds more than the %zu bytes promised", name, out.n);
    else if (end != Z_STREAM_END) status = damaged(ctx, name, "deflate", &z);
    else if (missing)
        status = orr_fail(ctx, ORR_EINPUT, "%s: %zu bytes are promised, the deflate stream holds %zu", name, out.n,
                          out.n - missing);
    else if (unused)
        status = orr_fail(ctx, ORR_EINPUT, "%s: %zu bytes follow the end of the deflate stream", name, unused);
    (void)inflateEnd(&z);
    return status;
}

orr_status orr_deflate(orr_context *ctx, orr_arena *out_arena, const char *name, orr_bytes plain, orr_bytes *packed) {
    unsigned char none = 0;
    z_stream z = { .zalloc = allocate, .zfree = release, .opaque = ctx, .next_in = plain.n ? plain.data : &none };
    int end = Z_OK;
    *packed = (orr_bytes){ 0 };
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -LARGEST_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return orr_fail(ctx, ORR_ENOMEM, "%s: no memory to compress", name);
    const size_t bound = deflateBound(&z, plain.n);
    size_t left = plain.n, room = bound;
    packed->data = ORR_NEW(out_arena, unsigned char, bound);
    z.next_out = packed->data;
    while (packed->data && end == Z_OK) {
        feed(&z, &left, &room);
        end = deflate(&z, left ? Z_NO_FLUSH : Z_FINISH);
    }
    packed->n = bound - room - z.avail_out;
    (void)deflateEnd(&z);
    if (packed->data && end == Z_STREAM_END) return ORR_OK;
    return orr_fail(ctx, ORR_ENOMEM, "%s: no memory to compress %zu bytes", name, plain.n);
}

uint32_t orr_crc32(orr_bytes bytes) { return (uint32_t)crc32_z(crc32_z(0, Z_NULL, 0), bytes.data, bytes.n); }
