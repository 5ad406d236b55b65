#include "base/json.h"

#include <math.h>
#include <stdarg.h>

#include "base/context.h"

json_t *orr_json_real(double x) { return isfinite(x) ? json_real(x) : json_null(); }

json_t *orr_json_reals(const double *x, int64_t n) {
    json_t *array = json_array();
    for (int64_t i = 0; i < n; i++)
        if (json_array_append_new(array, orr_json_real(x[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

void orr_json_add(json_t *list, json_t *value) { (void)json_array_append_new(list, value); }

void orr_json_row(json_t *list, const char *format, ...) {
    va_list values;
    va_start(values, format);
    orr_json_add(list, json_vpack_ex(NULL, 0, format, values));
    va_end(values);
}

orr_status orr_json_text(orr_context *ctx, orr_arena *out_arena, const json_t *value, int digits, char **text) {
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION((size_t)digits);
    const size_t n = value ? json_dumpb(value, NULL, 0, flags) : 0;
    *text = n ? ORR_NEW(out_arena, char, n + 1) : NULL;
    if (!*text || json_dumpb(value, *text, n, flags) != n)
        return orr_fail(ctx, ORR_ENOMEM, "no memory for a JSON text");
    return ORR_OK;
}
