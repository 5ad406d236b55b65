#include "ingredient/data/idx.h"

#include <string.h>
#include <zlib.h>

#include "base/context.h"
#include "base/file/file.h"

/* ORDER idx type: idx.h */
static const struct {
    const char *name;
    unsigned char code;
    int size;
} types[] = { { "u8", 0x08, 1 },  { "i8", 0x09, 1 },  { "i16", 0x0b, 2 },
              { "i32", 0x0c, 4 }, { "f32", 0x0d, 4 }, { "f64", 0x0e, 8 } };
enum { N_TYPES = sizeof types / sizeof types[0] };

/* The largest expansion of the deflate format is 1032 (zlib, "algorithm.txt"): a header that promises more than this is
 * refused before any memory is taken. */
enum { DEFLATE_MAX = 1032 };

/* Bytes to read from, as they are or through inflate. */
typedef struct source {
    orr_context *ctx;
    const char *name;
    bool gzipped, ended; /* ended: the gzip stream is over, its checksum verified */
    z_stream z;          /* where plain, next_in and avail_in alone are used */
    size_t left;         /* input that zlib's 32-bit counter has not been given yet */
} source;

static void refill(source *s) {
    if (s->z.avail_in) return;
    const size_t chunk = s->left < (1u << 30) ? s->left : (1u << 30);
    s->z.avail_in = (uInt)chunk;
    s->left -= chunk;
}

/* Up to n bytes into `to`; *got < n only where the source is over. */
static orr_status take(source *s, unsigned char *to, size_t n, size_t *got) {
    *got = 0;
    while (*got < n) {
        refill(s);
        const size_t want = n - *got < (1u << 30) ? n - *got : (1u << 30);
        if (!s->gzipped) {
            const size_t chunk = want < s->z.avail_in ? want : s->z.avail_in;
            if (!chunk) return ORR_OK;
            memcpy(to + *got, s->z.next_in, chunk);
            s->z.next_in += chunk;
            s->z.avail_in -= (uInt)chunk;
            *got += chunk;
            continue;
        }
        if (s->ended) return ORR_OK;
        s->z.next_out = to + *got;
        s->z.avail_out = (uInt)want;
        const int end = inflate(&s->z, Z_NO_FLUSH);
        *got += want - s->z.avail_out;
        if (end == Z_STREAM_END) {
            s->ended = true;
            if (s->z.avail_in || s->left)
                return orr_fail(s->ctx, ORR_EINPUT, "%s: bytes follow the end of the gzip stream", s->name);
        } else if (end == Z_MEM_ERROR) {
            return orr_fail(s->ctx, ORR_ENOMEM, "%s: no memory to decompress", s->name);
        } else if (end == Z_BUF_ERROR || (end == Z_OK && !s->z.avail_in && !s->left && s->z.avail_out)) {
            return orr_fail(s->ctx, ORR_EINPUT, "%s: the gzip stream ends in the middle (truncated file?)", s->name);
        } else if (end != Z_OK) {
            return orr_fail(s->ctx, ORR_EINPUT, "%s: the gzip stream is damaged (%s)", s->name,
                            s->z.msg ? s->z.msg : "bad data");
        }
    }
    return ORR_OK;
}

static orr_status take_header(source *s, unsigned char *to, size_t n, const char *what) {
    size_t got;
    ORR_TRY(s->ctx, take(s, to, n, &got));
    if (got == n) return ORR_OK;
    return orr_fail(s->ctx, ORR_EINPUT, "%s: ends inside the IDX header (%s needs %zu bytes, %zu are there)", s->name,
                    what, n, got);
}

static orr_status parse_header(source *s, size_t file_size, orr_idx *out, int64_t *bytes) {
    unsigned char magic[4], extent[4 * ORR_IDX_RANK_MAX] = { 0 };
    *bytes = 0;
    ORR_TRY(s->ctx, take_header(s, magic, 4, "the magic number"));
    if (magic[0] || magic[1])
        return orr_fail(s->ctx, ORR_EINPUT, "%s: not an IDX file (starts with %02x %02x; IDX starts with 00 00)",
                        s->name, magic[0], magic[1]);
    int type = 0;
    while (type < N_TYPES && types[type].code != magic[2]) type++;
    if (type == N_TYPES)
        return orr_fail(s->ctx, ORR_EINPUT,
                        "%s: IDX element type 0x%02x is unknown (08 u8, 09 i8, 0b i16, 0c i32, 0d f32, 0e f64)",
                        s->name, magic[2]);
    out->type = (orr_idx_type)type;
    out->rank = magic[3];
    if (out->rank < 1 || out->rank > ORR_IDX_RANK_MAX)
        return orr_fail(s->ctx, ORR_EINPUT, "%s: IDX with %d dimensions; 1 to %d are supported", s->name, out->rank,
                        ORR_IDX_RANK_MAX);
    ORR_TRY(s->ctx, take_header(s, extent, 4 * (size_t)out->rank, "the list of extents"));
    const int64_t limit =
        file_size < (size_t)INT64_MAX / DEFLATE_MAX ? (int64_t)file_size * (s->gzipped ? DEFLATE_MAX : 1) : INT64_MAX;
    bool empty = false, too_large = false;
    *bytes = types[type].size;
    for (int i = 0; i < out->rank; i++) {
        const unsigned char *e = extent + 4 * i;
        out->size[i] = (int64_t)e[0] << 24 | (int64_t)e[1] << 16 | (int64_t)e[2] << 8 | (int64_t)e[3];
        if (out->size[i] == 0) empty = true;
        else if (*bytes > limit / out->size[i]) too_large = true;
        else *bytes *= out->size[i];
    }
    if (empty) *bytes = 0;
    else if (too_large)
        return orr_fail(s->ctx, ORR_EINPUT,
                        "%s: the IDX header promises more data than a file of %zu bytes can hold (truncated file?)",
                        s->name, file_size);
    out->items = out->size[0];
    return ORR_OK;
}

/* What lies behind the kept items: `rest` bytes of items that nobody asked for, then nothing. */
static orr_status check_rest(source *s, int64_t bytes, int64_t rest) {
    unsigned char block[1 << 14];
    size_t got;
    while (rest > 0) {
        const size_t want = rest < (int64_t)sizeof block ? (size_t)rest : sizeof block;
        ORR_TRY(s->ctx, take(s, block, want, &got));
        rest -= (int64_t)got;
        if (got < want)
            return orr_fail(s->ctx, ORR_EINPUT, "%s: %lld bytes of data are promised by the IDX header, %lld are there",
                            s->name, (long long)bytes, (long long)(bytes - rest));
    }
    ORR_TRY(s->ctx, take(s, block, 1, &got));
    if (got)
        return orr_fail(s->ctx, ORR_EINPUT, "%s: data go on after the %lld bytes that the IDX header promises", s->name,
                        (long long)bytes);
    return ORR_OK;
}

static orr_status parse(source *s, orr_arena *out_arena, size_t file_size, int64_t items, orr_idx *out) {
    int64_t bytes = 0;
    size_t got = 0;
    ORR_TRY(s->ctx, parse_header(s, file_size, out, &bytes));
    if (items > out->items)
        return orr_fail(s->ctx, ORR_EINPUT, "%s: %lld items are asked for, the file holds %lld", s->name,
                        (long long)items, (long long)out->items);
    if (items > 0) out->size[0] = items;
    const int64_t keep = bytes ? bytes / out->items * out->size[0] : 0;
    unsigned char *data = ORR_NEW(out_arena, unsigned char, keep);
    if (!data) return orr_fail(s->ctx, ORR_ENOMEM, "%s: no memory for %lld bytes of data", s->name, (long long)keep);
    ORR_TRY(s->ctx, take(s, data, (size_t)keep, &got));
    /* a short read here is told by check_rest, in one place */
    ORR_TRY(s->ctx, check_rest(s, bytes, bytes - (int64_t)got));
    out->data = data;
    out->count = keep / types[out->type].size;
    return ORR_OK;
}

orr_status orr_idx_parse(orr_context *ctx, orr_arena *out_arena, const char *name, const unsigned char *bytes, size_t n,
                         int64_t items, orr_idx *out) {
    source s = { .ctx = ctx, .name = name, .gzipped = n >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b, .left = n };
    *out = (orr_idx){ 0 };
    if (n == 0) return orr_fail(ctx, ORR_EINPUT, "%s: the file is empty", name);
    s.z.next_in = (z_const Bytef *)bytes;
    if (s.gzipped && inflateInit2(&s.z, 15 + 16) != Z_OK) /* 15: the largest window; 16: gzip, not zlib */
        return orr_fail(ctx, ORR_ENOMEM, "%s: no memory to decompress", name);
    const orr_status status = parse(&s, out_arena, n, items, out);
    if (s.gzipped) (void)inflateEnd(&s.z);
    return status;
}

orr_status orr_idx_read(orr_context *ctx, orr_arena *out_arena, const char *path, int64_t items, orr_idx *out) {
    orr_bytes bytes;
    orr_status status = orr_file_read(ctx, path, &bytes);
    if (status == ORR_OK) status = orr_idx_parse(ctx, out_arena, path, bytes.data, bytes.n, items, out);
    orr_release(ctx, bytes.data);
    return status;
}

static uint64_t big_endian(const unsigned char *p, int n) {
    uint64_t value = 0;
    for (int i = 0; i < n; i++) value = value << 8 | p[i];
    return value;
}

double orr_idx_value(const orr_idx *idx, int64_t i) {
    const unsigned char *p = idx->data + i * types[idx->type].size;
    switch (idx->type) {
    case ORR_IDX_U8: return p[0];
    case ORR_IDX_I8: return (int8_t)p[0];
    case ORR_IDX_I16: return (int16_t)big_endian(p, 2);
    case ORR_IDX_I32: return (int32_t)big_endian(p, 4);
    case ORR_IDX_F32: {
        const uint32_t bits = (uint32_t)big_endian(p, 4);
        float value;
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    }
    case ORR_IDX_F64: {
        const uint64_t bits = big_endian(p, 8);
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    }
    return 0.0;
}

const char *orr_idx_type_name(orr_idx_type type) { return types[type].name; }
