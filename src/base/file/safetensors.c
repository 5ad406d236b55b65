#include "base/file/safetensors.h"

#include <inttypes.h>
#include <string.h>

#include "base/context.h"
#include "base/json.h"
#include "base/utf8.h"

enum { HEADER_MAX = 100000000, LENGTH = 8, ALIGN = 8 };

static const struct {
    const char *name;
    orr_element element;
} dtypes[] = {
    { "BOOL", ORR_ELEMENT_BOOL }, { "I8", ORR_ELEMENT_I8 },   { "U8", ORR_ELEMENT_U8 },     { "I16", ORR_ELEMENT_I16 },
    { "U16", ORR_ELEMENT_U16 },   { "I32", ORR_ELEMENT_I32 }, { "U32", ORR_ELEMENT_U32 },   { "I64", ORR_ELEMENT_I64 },
    { "U64", ORR_ELEMENT_U64 },   { "F16", ORR_ELEMENT_F16 }, { "BF16", ORR_ELEMENT_BF16 }, { "F32", ORR_ELEMENT_F32 },
    { "F64", ORR_ELEMENT_F64 },
};
enum { N_DTYPES = sizeof dtypes / sizeof dtypes[0] };

/* ---- reading ----------------------------------------------------------------------------------------------------- */

typedef struct tensor {
    const char *name; /* borrowed from the JSON */
    orr_stored stored;
    int64_t begin, end;
} tensor;

typedef struct reading {
    orr_context *ctx;
    const char *where;
    orr_bytes data; /* what follows the header */
} reading;

static orr_status refuse(const reading *r, const char *name, const char *expected) {
    return orr_fail(r->ctx, ORR_EINPUT, "%s: tensor '%s': expected %s", r->where,
                    orr_excerpt_of(name, strlen(name)).text, expected);
}

static orr_status read_dtype(const reading *r, const char *name, const json_t *value, orr_element *element) {
    const char *text = json_string_value(value);
    if (!text) return refuse(r, name, "a \"dtype\" such as \"F32\"");
    for (int i = 0; i < N_DTYPES; i++)
        if (strcmp(text, dtypes[i].name) == 0) {
            *element = dtypes[i].element;
            return ORR_OK;
        }
    return orr_fail(
        r->ctx, ORR_EINPUT,
        "%s: tensor '%s': dtype '%s' can't be read; expected BOOL, I8 to I64, U8 to U64, F16, BF16, F32 or F64",
        r->where, orr_excerpt_of(name, strlen(name)).text, orr_excerpt_of(text, strlen(text)).text);
}

static orr_status read_shape(const reading *r, const char *name, const json_t *value, orr_shape *shape) {
    if (!json_is_array(value)) return refuse(r, name, "a \"shape\" such as [3, 4]");
    if (json_array_size(value) > ORR_RANK_MAX)
        return orr_fail(r->ctx, ORR_EINPUT, "%s: tensor '%s' has %zu dimensions; at most %d are supported", r->where,
                        orr_excerpt_of(name, strlen(name)).text, json_array_size(value), ORR_RANK_MAX);
    shape->rank = (int32_t)json_array_size(value);
    for (int32_t i = 0; i < shape->rank; i++) {
        const json_t *extent = json_array_get(value, (size_t)i);
        if (!json_is_integer(extent) || json_integer_value(extent) < 0)
            return refuse(r, name, "a \"shape\" of whole numbers from 0 on");
        shape->size[i] = json_integer_value(extent);
    }
    return ORR_OK;
}

static orr_status read_offsets(const reading *r, const char *name, const json_t *value, tensor *t) {
    const json_t *begin = json_array_get(value, 0), *end = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return refuse(r, name, "\"data_offsets\" of two whole numbers, begin and end");
    t->begin = json_integer_value(begin);
    t->end = json_integer_value(end);
    if (t->begin < 0 || t->begin > t->end || (uint64_t)t->end > r->data.n)
        return orr_fail(r->ctx, ORR_EINPUT,
                        "%s: tensor '%s': data_offsets [%" PRId64 ", %" PRId64
                        "] are not in order within the %zu bytes of "
                        "data (truncated file?)",
                        r->where, orr_excerpt_of(name, strlen(name)).text, t->begin, t->end, r->data.n);
    return ORR_OK;
}

static orr_status read_tensor(const reading *r, const char *name, json_t *value, tensor *t) {
    int64_t bytes = 0;
    *t = (tensor){ .name = name };
    if (json_object_size(value) != 3)
        return refuse(r, name, "an object with the keys \"dtype\", \"shape\" and \"data_offsets\" and no other");
    ORR_TRY(r->ctx, read_dtype(r, name, json_object_get(value, "dtype"), &t->stored.element));
    ORR_TRY(r->ctx, read_shape(r, name, json_object_get(value, "shape"), &t->stored.shape));
    ORR_TRY(r->ctx, read_offsets(r, name, json_object_get(value, "data_offsets"), t));
    if (!orr_element_bytes(t->stored.element, &t->stored.shape, &bytes) || bytes != t->end - t->begin)
        return orr_fail(
            r->ctx, ORR_EINPUT,
            "%s: tensor '%s': its shape and dtype %s do not need the %" PRId64 " bytes that data_offsets give it",
            r->where, orr_excerpt_of(name, strlen(name)).text, orr_element_name(t->stored.element), t->end - t->begin);
    t->stored.bytes = r->data.data + t->begin;
    return ORR_OK;
}

static orr_status check_metadata(const reading *r, json_t *value) {
    const char *key;
    json_t *text;
    if (!json_is_object(value))
        return orr_fail(r->ctx, ORR_EINPUT, "%s: expected \"__metadata__\" to be an object of texts", r->where);
    json_object_foreach(value, key, text) if (!json_is_string(text)) return orr_fail(
        r->ctx, ORR_EINPUT, "%s: expected \"__metadata__\" to be an object of texts; '%s' is none", r->where,
        orr_excerpt_of(key, strlen(key)).text);
    return ORR_OK;
}

static bool before(const tensor *a, const tensor *b) {
    return a->begin < b->begin || (a->begin == b->begin && a->end < b->end);
}

/* By merging; equal ones keep their order. */
static void sort(tensor *t, tensor *spare, int n) {
    if (n < 2) return;
    const int half = n / 2;
    sort(t, spare, half);
    sort(t + half, spare, n - half);
    for (int i = 0, left = 0, right = half; i < n; i++)
        spare[i] = right == n || (left < half && !before(&t[right], &t[left])) ? t[left++] : t[right++];
    memcpy(t, spare, (size_t)n * sizeof *t);
}

/* The tensors, one behind the other, are the data. */
static orr_status check_layout(const reading *r, const tensor *t, int n) {
    int64_t at = 0;
    for (int i = 0; i < n; i++) {
        const orr_excerpt shown = orr_excerpt_of(t[i].name, strlen(t[i].name));
        if (t[i].begin < at)
            return orr_fail(r->ctx, ORR_EINPUT, "%s: tensors '%s' and '%s' overlap", r->where,
                            orr_excerpt_of(t[i - 1].name, strlen(t[i - 1].name)).text, shown.text);
        if (t[i].begin > at)
            return orr_fail(r->ctx, ORR_EINPUT, "%s: %" PRId64 " bytes in front of tensor '%s' belong to none",
                            r->where, t[i].begin - at, shown.text);
        at = t[i].end;
    }
    if ((uint64_t)at == r->data.n) return ORR_OK;
    return orr_fail(r->ctx, ORR_EINPUT, "%s: %zu bytes of data, of which the tensors take %" PRId64, r->where,
                    r->data.n, at);
}

static orr_status read_tensors(const reading *r, orr_arena *scratch, orr_arena *out_arena, json_t *header,
                               orr_arrays *out) {
    const int64_t most = (int64_t)json_object_size(header);
    tensor *t = ORR_NEW(scratch, tensor, most), *spare = ORR_NEW(scratch, tensor, most);
    const char *name;
    json_t *value;
    int n = 0;
    if (!t || !spare) return orr_fail(r->ctx, ORR_ENOMEM, "%s: no memory for %" PRId64 " tensors", r->where, most);
    json_object_foreach(header, name, value) {
        if (strcmp(name, "__metadata__") == 0) ORR_TRY(r->ctx, check_metadata(r, value));
        else ORR_TRY(r->ctx, read_tensor(r, name, value, &t[n++]));
    }
    sort(t, spare, n);
    ORR_TRY(r->ctx, check_layout(r, t, n));
    orr_array *item = ORR_NEW(out_arena, orr_array, n);
    if (!item) return orr_fail(r->ctx, ORR_ENOMEM, "%s: no memory for %d tensors", r->where, n);
    for (int i = 0; i < n; i++) {
        const char *where =
            orr_arena_format(scratch, "%s: tensor '%s'", r->where, orr_excerpt_of(t[i].name, strlen(t[i].name)).text);
        if (!where) return orr_fail(r->ctx, ORR_ENOMEM, "%s: no memory", r->where);
        ORR_TRY(r->ctx, orr_array_decode(r->ctx, out_arena, where, t[i].name, &t[i].stored, &item[i]));
    }
    *out = (orr_arrays){ item, n };
    return ORR_OK;
}

static orr_status load_header(orr_context *ctx, const char *where, const char *text, size_t n, json_t **header) {
    json_error_t error;
    *header = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (*header && json_is_object(*header)) return ORR_OK;
    if (*header) return orr_fail(ctx, ORR_EINPUT, "%s: the safetensors header is no JSON object", where);
    if (json_error_code(&error) == json_error_out_of_memory)
        return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for its header", where);
    /* Jansson's own words, which may quote the file */
    char words[4 * JSON_ERROR_TEXT_LENGTH];
    size_t used = 0;
    for (size_t i = 0; error.text[i] && used + 5 < sizeof words;) {
        const orr_excerpt piece = orr_excerpt_of(error.text + i, 1);
        const bool plain = (unsigned char)error.text[i] < 0x80;
        const size_t m = plain ? strlen(piece.text) : 1;
        memcpy(words + used, plain ? piece.text : "?", m);
        used += m;
        i++;
    }
    words[used] = '\0';
    return orr_fail(ctx, ORR_EINPUT, "%s: the safetensors header is no JSON (%s, line %d, column %d)", where, words,
                    error.line, error.column);
}

orr_status orr_safetensors_parse(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes bytes,
                                 orr_arrays *out) {
    orr_arena *scratch = NULL;
    json_t *header = NULL;
    orr_status status;
    uint64_t n = 0;
    *out = (orr_arrays){ 0 };
    if (bytes.n < LENGTH)
        return orr_fail(ctx, ORR_EINPUT, "%s: %zu bytes; a safetensors file has at least the 8 of its header's length",
                        where, bytes.n);
    for (int i = LENGTH - 1; i >= 0; i--) n = n << 8 | bytes.data[i];
    if (n > HEADER_MAX || n > bytes.n - LENGTH)
        return orr_fail(ctx, ORR_EINPUT,
                        "%s: not a whole safetensors file (a header of %" PRIu64
                        " bytes is promised, %zu bytes follow)",
                        where, n, bytes.n - LENGTH);
    const char *text = (const char *)bytes.data + LENGTH;
    if (n == 0 || text[0] != '{')
        return orr_fail(ctx, ORR_EINPUT, "%s: not a safetensors file (its header starts with \"%s\"; expected '{')",
                        where, orr_excerpt_of(text, n < 8 ? n : 8).text);
    const reading r = { ctx, where, { bytes.data + LENGTH + n, bytes.n - LENGTH - n } };
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &scratch));
    ORR_TRY_DONE(ctx, load_header(ctx, where, text, n, &header));
    ORR_TRY_DONE(ctx, read_tensors(&r, scratch, out_arena, header, out));
done:
    json_decref(header);
    orr_arena_free(scratch);
    return status;
}

orr_status orr_safetensors_read(orr_context *ctx, orr_arena *out_arena, const char *path, orr_arrays *out) {
    orr_bytes bytes;
    *out = (orr_arrays){ 0 };
    orr_status status = orr_file_read(ctx, path, &bytes);
    if (status == ORR_OK) status = orr_safetensors_parse(ctx, out_arena, path, bytes, out);
    orr_release(ctx, bytes.data);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int64_t bytes_of(const orr_array *a) { return orr_shape_count(&a->shape) * (int64_t)orr_dtype_size(a->dtype); }

/* {"dtype": ..., "shape": ..., "data_offsets": ...} (new), or NULL */
static json_t *describe(const orr_array *a, int64_t at) {
    static const char *const names[] = { "F32", "F64", "I32", "BOOL" }; /* ORDER dtype: include/orrery.h */
    json_t *shape = json_array();
    for (int32_t i = 0; i < a->shape.rank; i++)
        if (json_array_append_new(shape, json_integer(a->shape.size[i])) != 0) {
            json_decref(shape);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", names[a->dtype], "shape", shape, "data_offsets", (json_int_t)at,
                     (json_int_t)at + bytes_of(a));
}

static orr_status build_header(orr_context *ctx, const orr_arrays *arrays, json_t *header) {
    int64_t at = 0;
    for (int i = 0; i < arrays->n; i++) {
        const orr_array *a = &arrays->item[i];
        const orr_excerpt shown = orr_excerpt_of(a->name, strlen(a->name));
        uint32_t code;
        for (size_t j = 0, n = strlen(a->name); j < n;) {
            const int length = orr_utf8_decode(a->name + j, n - j, &code);
            if (length == 0) return orr_fail(ctx, ORR_EINPUT, "safetensors: the name '%s' is not UTF-8", shown.text);
            j += (size_t)length;
        }
        if (strcmp(a->name, "__metadata__") == 0 || json_object_get(header, a->name))
            return orr_fail(ctx, ORR_EINPUT, "safetensors: the name '%s' %s", shown.text,
                            json_object_get(header, a->name) ? "occurs twice" : "means something else in the format");
        if (json_object_set_new(header, a->name, describe(a, at)) != 0)
            return orr_fail(ctx, ORR_ENOMEM, "safetensors: no memory for a header of %d tensors", arrays->n);
        at += bytes_of(a);
    }
    return ORR_OK;
}

static orr_status put_file(orr_context *ctx, orr_arena *out_arena, const orr_arrays *arrays, const char *text,
                           orr_bytes *out) {
    const size_t letters = strlen(text), n = (letters + ALIGN - 1) / ALIGN * ALIGN;
    out->n = LENGTH + n;
    for (int i = 0; i < arrays->n; i++) out->n += (size_t)bytes_of(&arrays->item[i]);
    out->data = ORR_NEW(out_arena, unsigned char, out->n);
    if (!out->data) return orr_fail(ctx, ORR_ENOMEM, "safetensors: no memory for %zu bytes", out->n);
    for (int i = 0; i < LENGTH; i++) out->data[i] = (unsigned char)((uint64_t)n >> 8 * i);
    memset(out->data + LENGTH, ' ', n);
    memcpy(out->data + LENGTH, text, letters);
    unsigned char *to = out->data + LENGTH + n;
    for (int i = 0; i < arrays->n; to += bytes_of(&arrays->item[i++])) orr_array_encode(&arrays->item[i], to);
    return ORR_OK;
}

orr_status orr_safetensors_bytes(orr_context *ctx, orr_arena *out_arena, const orr_arrays *arrays, orr_bytes *out) {
    char *text;
    orr_status status;
    json_t *header = json_object();
    *out = (orr_bytes){ 0 };
    if (!header) return orr_fail(ctx, ORR_ENOMEM, "safetensors: no memory for a header");
    ORR_TRY_DONE(ctx, build_header(ctx, arrays, header));
    ORR_TRY_DONE(ctx, orr_json_text(ctx, out_arena, header, 17, &text));
    ORR_TRY_DONE(ctx, put_file(ctx, out_arena, arrays, text, out));
done:
    json_decref(header);
    return status;
}

orr_status orr_safetensors_write(orr_context *ctx, const char *path, const orr_arrays *arrays) {
    orr_arena *scratch;
    orr_bytes bytes;
    ORR_TRY(ctx, orr_arena_new(ctx, &scratch));
    orr_status status = orr_safetensors_bytes(ctx, scratch, arrays, &bytes);
    if (status == ORR_OK) status = orr_file_write(ctx, path, bytes);
    orr_arena_free(scratch);
    return status;
}
