#define _POSIX_C_SOURCE 200809L /* newlocale */
#define _GNU_SOURCE             /* strtod_l */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static const char *const expected = "a number such as -1.5e3";

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* What is between sign and end: the digits as a whole number and a power of ten, exact while there are at most 18. */
typedef struct decimal {
    uint64_t digits;
    int64_t exponent;
    int n_digits; /* significant ones */
} decimal;

static const char *scan_digits(const char *p, const char *end, bool fraction, decimal *d) {
    for (; p < end && is_digit(*p); p++) {
        if (d->n_digits < 19) {
            d->digits = 10 * d->digits + (uint64_t)(*p - '0');
            if (d->digits) d->n_digits++;
        }
        if (fraction) d->exponent--;
    }
    return p;
}

static const char *scan_exponent(const char *p, const char *end, decimal *d) {
    const bool negative = p < end && *p == '-';
    int64_t value = 0;
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end || !is_digit(*p)) return NULL;
    for (; p < end && is_digit(*p); p++)
        if (value < 1000000) value = 10 * value + (*p - '0');
    d->exponent += negative ? -value : value;
    return p;
}

static bool is_inf(const char *p, const char *end) {
    return end - p == 3 && (p[0] | 0x20) == 'i' && (p[1] | 0x20) == 'n' && (p[2] | 0x20) == 'f';
}

const char *orr_number_read(const char *text, size_t n, double *out) {
    /* exact in double, so that one multiplication or division of exact numbers rounds once (Clinger 1990) */
    static const double ten_to[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    const char *p = text, *const end = text + n;
    const bool negative = p < end && *p == '-';
    decimal d = { 0 };
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (is_inf(p, end)) {
        *out = negative ? -(double)INFINITY : (double)INFINITY;
        return NULL;
    }
    const char *whole = p;
    p = scan_digits(p, end, false, &d);
    bool any = p > whole;
    if (p < end && *p == '.') {
        const char *part = ++p;
        p = scan_digits(p, end, true, &d);
        any = any || p > part;
    }
    if (!any) return expected;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p = scan_exponent(p + 1, end, &d);
        if (!p) return expected;
    }
    if (p != end) return expected;
    double value;
    if (d.n_digits < 16 && d.exponent >= -22 && d.exponent <= 22) {
        value = (double)d.digits;
        value = d.exponent < 0 ? value / ten_to[-d.exponent] : value * ten_to[d.exponent];
        *out = negative ? -value : value;
        return NULL;
    }
    const locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* glibc: a constant, never out of memory */
    if (c_locale == (locale_t)0) return expected;
    value = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    if (isinf(value)) return "a number of at most 1.8e308, the largest that a double holds";
    *out = value;
    return NULL;
}
