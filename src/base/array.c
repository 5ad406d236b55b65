#include "base/array.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/nearest.h"
#include "base/utf8.h"

/* ORDER element: array.h */
static const struct {
    const char *name;
    size_t size;
    orr_dtype dtype;
} elements[] = {
    { "bool", 1, ORR_BOOL }, { "i8", 1, ORR_I32 },  { "u8", 1, ORR_I32 },  { "i16", 2, ORR_I32 }, { "u16", 2, ORR_I32 },
    { "i32", 4, ORR_I32 },   { "u32", 4, ORR_I32 }, { "i64", 8, ORR_I32 }, { "u64", 8, ORR_I32 }, { "f16", 2, ORR_F32 },
    { "bf16", 2, ORR_F32 },  { "f32", 4, ORR_F32 }, { "f64", 8, ORR_F64 },
};

static const bool little_endian_host = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

size_t orr_element_size(orr_element element) { return elements[element].size; }
const char *orr_element_name(orr_element element) { return elements[element].name; }
orr_dtype orr_element_dtype(orr_element element) { return elements[element].dtype; }

orr_element orr_element_of_dtype(orr_dtype dtype) {
    static const orr_element of[] = { ORR_ELEMENT_F32, ORR_ELEMENT_F64, ORR_ELEMENT_I32, ORR_ELEMENT_BOOL };
    return of[dtype]; /* ORDER dtype: include/orrery.h */
}

bool orr_element_bytes(orr_element element, const orr_shape *shape, int64_t *bytes) {
    int64_t product = (int64_t)elements[element].size;
    bool empty = false;
    for (int32_t i = 0; i < shape->rank; i++) {
        if (shape->size[i] == 0) empty = true;
        else if (product > (INT64_C(1) << 62) / shape->size[i]) return false;
        else product *= shape->size[i];
    }
    *bytes = empty ? 0 : product;
    return true;
}

orr_status orr_array_new(orr_context *ctx, orr_arena *out_arena, const char *name, orr_dtype dtype, orr_shape shape,
                         orr_array *out) {
    const int64_t n = orr_shape_count(&shape);
    *out = (orr_array){ .name = orr_arena_string(out_arena, name), .dtype = dtype, .shape = shape };
    out->data = out->name ? orr_arena_take(out_arena, n, orr_dtype_size(dtype)) : NULL;
    if (out->data) return ORR_OK;
    return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %" PRId64 " elements", orr_excerpt_of(name, strlen(name)).text,
                    n);
}

double orr_array_value(const orr_array *a, int64_t i) {
    switch (a->dtype) {
    case ORR_F32: return (double)((const float *)a->data)[i];
    case ORR_F64: return ((const double *)a->data)[i];
    case ORR_I32: return ((const int32_t *)a->data)[i];
    case ORR_BOOL: return ((const unsigned char *)a->data)[i] != 0;
    }
    return 0.0;
}

orr_status orr_arrays_find(orr_context *ctx, const char *where, const orr_arrays *arrays, const char *name,
                           orr_array *out) {
    const char *near = NULL;
    for (int i = 0; i < arrays->n; i++)
        if (strcmp(arrays->item[i].name, name) == 0) {
            *out = arrays->item[i];
            return ORR_OK;
        }
    orr_arena *scratch;
    ORR_TRY(ctx, orr_arena_new(ctx, &scratch));
    const char **names = ORR_NEW(scratch, const char *, arrays->n);
    for (int i = 0; names && i < arrays->n; i++) names[i] = arrays->item[i].name;
    if (names) near = orr_nearest(name, names, arrays->n);
    const orr_excerpt wanted = orr_excerpt_of(name, strlen(name));
    const orr_status status =
        !names ? orr_fail(ctx, ORR_ENOMEM, "%s: no memory to look for an array", where)
        : near ? orr_fail(ctx, ORR_EINPUT, "%s: no array '%s' among its %d; did you mean '%s'?", where, wanted.text,
                          arrays->n, orr_excerpt_of(near, strlen(near)).text)
        : arrays->n == 0 ? orr_fail(ctx, ORR_EINPUT, "%s: no array '%s': it holds none", where, wanted.text)
                         : orr_fail(ctx, ORR_EINPUT, "%s: no array '%s' among its %d; the first is '%s'", where,
                                    wanted.text, arrays->n, orr_excerpt_of(names[0], strlen(names[0])).text);
    orr_arena_free(scratch);
    return status;
}

/* ---- from one type to another ------------------------------------------------------------------------------------ */

/* NULL, or what the type would take in place of x. */
static const char *store_value(orr_dtype dtype, orr_dtype from, double x, void *to, int64_t i) {
    switch (dtype) {
    case ORR_F64: ((double *)to)[i] = x; return NULL;
    case ORR_F32:
        /* (double)FLT_MAX + half a last place: the least that rounds to infinity */
        if (from == ORR_F64 && isfinite(x) && fabs(x) >= 0x1.ffffffp127) return "a number within +-3.4e38";
        if (from == ORR_I32 && (double)(float)x != x) return "a whole number that a float holds exactly";
        ((float *)to)[i] = (float)x;
        return NULL;
    case ORR_I32:
        if (isnan(x) || x < -0x1p31 || x >= 0x1p31 || x != floor(x)) return "a whole number from -2^31 to 2^31 - 1";
        ((int32_t *)to)[i] = (int32_t)x;
        return NULL;
    case ORR_BOOL:
        if (x != 0.0 && x != 1.0) return "0 or 1";
        ((unsigned char *)to)[i] = x != 0.0;
        return NULL;
    }
    return "a known type";
}

orr_status orr_array_cast(orr_context *ctx, orr_arena *out_arena, const char *where, const orr_array *a,
                          orr_dtype dtype, orr_array *out) {
    if (dtype == a->dtype) {
        *out = *a;
        return ORR_OK;
    }
    ORR_TRY(ctx, orr_array_new(ctx, out_arena, a->name, dtype, a->shape, out));
    const int64_t n = orr_shape_count(&a->shape);
    for (int64_t i = 0; i < n; i++) {
        const double x = orr_array_value(a, i);
        const char *expected = store_value(dtype, a->dtype, x, out->data, i);
        if (expected)
            return orr_fail(ctx, ORR_EINPUT, "%s: array '%s', element %" PRId64 ": expected %s (as %s), met %.17g",
                            where, orr_excerpt_of(a->name, strlen(a->name)).text, i, expected, orr_dtype_name(dtype),
                            x);
    }
    return ORR_OK;
}

/* ---- from and to bytes ------------------------------------------------------------------------------------------- */

static uint64_t load(const unsigned char *p, size_t size, bool big_endian) {
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++) bits |= (uint64_t)p[i] << 8 * (big_endian ? size - 1 - i : i);
    return bits;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction; subnormals are fraction 2^-24. */
static float float_of_half(uint32_t h) {
    const uint32_t sign = (h & 0x8000u) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    if (exponent == 31) return float_of(sign | 0x7f800000u | fraction << 13);
    if (exponent > 0) return float_of(sign | (exponent + 127 - 15) << 23 | fraction << 13);
    const float value = (float)fraction * 0x1p-24f;
    return sign ? -value : value;
}

/* A whole number of a file as i32; false where it does not fit. */
static bool int_of(orr_element element, uint64_t bits, int32_t *out) {
    int64_t value;
    switch (element) {
    case ORR_ELEMENT_I8: value = (int8_t)bits; break;
    case ORR_ELEMENT_I16: value = (int16_t)bits; break;
    case ORR_ELEMENT_I32: value = (int32_t)bits; break;
    case ORR_ELEMENT_U64:
        if (bits > INT32_MAX) return false;
        value = (int64_t)bits;
        break;
    default: value = (int64_t)bits; break; /* i64, and the unsigned ones, which are padded with zeros */
    }
    *out = (int32_t)value;
    return value >= INT32_MIN && value <= INT32_MAX;
}

static bool store_bits(orr_element element, uint64_t bits, void *to, int64_t i) {
    switch (element) {
    case ORR_ELEMENT_BOOL: ((unsigned char *)to)[i] = (unsigned char)bits; return bits <= 1;
    case ORR_ELEMENT_F16: ((float *)to)[i] = float_of_half((uint32_t)bits); return true;
    case ORR_ELEMENT_BF16: ((float *)to)[i] = float_of((uint32_t)bits << 16); return true;
    case ORR_ELEMENT_F32: ((float *)to)[i] = float_of((uint32_t)bits); return true;
    case ORR_ELEMENT_F64: memcpy((double *)to + i, &bits, sizeof bits); return true;
    default: return int_of(element, bits, (int32_t *)to + i);
    }
}

static orr_status fail_element(orr_context *ctx, const char *where, const orr_stored *s, int64_t i, uint64_t bits) {
    if (s->element == ORR_ELEMENT_BOOL)
        return orr_fail(ctx, ORR_EINPUT, "%s: element %" PRId64 " of a bool array is byte %" PRIu64 "; expected 0 or 1",
                        where, i, bits);
    if (s->element == ORR_ELEMENT_I64)
        return orr_fail(ctx, ORR_EINPUT,
                        "%s: element %" PRId64 " is %" PRId64
                        "; whole numbers are read as i32, -2^31 to 2^31 - 1 (store "
                        "larger ones as f64)",
                        where, i, (int64_t)bits);
    return orr_fail(ctx, ORR_EINPUT,
                    "%s: element %" PRId64 " is %" PRIu64
                    "; whole numbers are read as i32, -2^31 to 2^31 - 1 (store larger "
                    "ones as f64)",
                    where, i, bits);
}

/* at[i]: the next row-major index; returns how far the source moves, stride[i] elements along axis i. */
static int64_t step(const orr_shape *shape, const int64_t *stride, int64_t *at) {
    int64_t moved = 0;
    for (int32_t i = shape->rank; i-- > 0;) {
        moved += stride[i];
        if (++at[i] < shape->size[i]) break;
        moved -= at[i] * stride[i];
        at[i] = 0;
    }
    return moved;
}

orr_status orr_array_decode(orr_context *ctx, orr_arena *out_arena, const char *where, const char *name,
                            const orr_stored *s, orr_array *out) {
    const size_t size = elements[s->element].size;
    const orr_dtype dtype = elements[s->element].dtype;
    int64_t stride[ORR_RANK_MAX], at[ORR_RANK_MAX] = { 0 }, product = 1;
    ORR_TRY(ctx, orr_array_new(ctx, out_arena, name, dtype, s->shape, out));
    const int64_t n = orr_shape_count(&s->shape);
    if (n == 0) return ORR_OK;
    for (int32_t i = 0; i < s->shape.rank; i++) {
        const int32_t axis = s->column_major ? i : s->shape.rank - 1 - i;
        stride[axis] = product;
        product *= s->shape.size[axis];
    }
    const bool as_is = little_endian_host && !s->big_endian && !s->column_major;
    if (as_is && (s->element == ORR_ELEMENT_F32 || s->element == ORR_ELEMENT_F64 || s->element == ORR_ELEMENT_I32)) {
        memcpy(out->data, s->bytes, (size_t)n * size);
        return ORR_OK;
    }
    for (int64_t i = 0, from = 0; i < n; i++, from += s->column_major ? step(&s->shape, stride, at) : 1) {
        const uint64_t bits = load(s->bytes + (size_t)from * size, size, s->big_endian);
        if (!store_bits(s->element, bits, out->data, i)) return fail_element(ctx, where, s, i, bits);
    }
    return ORR_OK;
}

void orr_array_encode(const orr_array *a, unsigned char *to) {
    const size_t size = orr_dtype_size(a->dtype), n = (size_t)orr_shape_count(&a->shape) * size;
    const unsigned char *from = a->data;
    if (n) memcpy(to, from, n);
    if (little_endian_host) return;
    for (size_t i = 0; i < n; i += size)
        for (size_t j = 0; j < size; j++) to[i + j] = from[i + size - 1 - j];
}
