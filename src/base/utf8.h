/* UTF-8 (RFC 3629): one code point at a time, and text of a stranger made fit to stand in a message. */
#ifndef ORR_BASE_UTF8_H
#define ORR_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { ORR_UTF8_MAX = 4 };

/* The code point at the start of n bytes; returns how many bytes it has, 0 where they are not UTF-8 (a stray or missing
 * continuation byte, an overlong form, a surrogate, beyond U+10FFFF) or n = 0. */
int orr_utf8_decode(const void *bytes, size_t n, uint32_t *code);
/* Its bytes; returns how many.  code must be one that orr_utf8_decode can give. */
int orr_utf8_encode(uint32_t code, unsigned char out[ORR_UTF8_MAX]);

/* At most 40 characters of n bytes in one line: what is no letter is written \n, \t or \x1b, and "..." tells that there
 * was more.  Use it inside the call that needs it: orr_fail(..., orr_excerpt_of(field, n).text). */
typedef struct orr_excerpt {
    char text[40 * 4 + 4];
} orr_excerpt;
orr_excerpt orr_excerpt_of(const void *bytes, size_t n);

#endif
