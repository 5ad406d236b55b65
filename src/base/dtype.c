#include "orrery.h"

/* ORDER dtype: include/orrery.h */
static const struct {
    const char *name;
    size_t size;
} dtypes[] = { { "f32", 4 }, { "f64", 8 }, { "i32", 4 }, { "bool", 1 } };

size_t orr_dtype_size(orr_dtype dtype) { return dtypes[dtype].size; }
const char *orr_dtype_name(orr_dtype dtype) { return dtypes[dtype].name; }

/* Saturates, so that the caller's extents can be compared before they are known to be countable. */
int64_t orr_shape_count(const orr_shape *shape) {
    int64_t n = 1;
    bool overflows = false, empty = false;
    for (int32_t i = 0; i < shape->rank && i < ORR_RANK_MAX; i++) {
        empty = empty || shape->size[i] == 0;
        overflows = __builtin_mul_overflow(n, shape->size[i], &n) || overflows;
    }
    return empty ? 0 : overflows ? INT64_MAX : n;
}

bool orr_shape_equal(const orr_shape *a, const orr_shape *b) {
    if (a->rank != b->rank) return false;
    for (int32_t i = 0; i < a->rank; i++)
        if (a->size[i] != b->size[i]) return false;
    return true;
}
