#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

enum { EXCERPT_CHARACTERS = 40 };

/*   bytes   code points          first byte
 *   1       0 .. 7f              0xxxxxxx
 *   2       80 .. 7ff            110xxxxx
 *   3       800 .. ffff          1110xxxx     without the surrogates d800 .. dfff
 *   4       10000 .. 10ffff      11110xxx     and 10xxxxxx for each byte that follows */
int orr_utf8_decode(const void *bytes, size_t n, uint32_t *code) {
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *p = bytes;
    if (n == 0) return 0;
    if (p[0] < 0x80) {
        *code = p[0];
        return 1;
    }
    const int length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc0 ? 2 : 0;
    if (length == 0 || p[0] >= 0xf8 || n < (size_t)length) return 0;
    uint32_t value = p[0] & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        value = value << 6 | (p[i] & 0x3fu);
    }
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return 0;
    *code = value;
    return length;
}

int orr_utf8_encode(uint32_t code, unsigned char out[ORR_UTF8_MAX]) {
    const int length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (length == 1) {
        out[0] = (unsigned char)code;
        return 1;
    }
    for (int i = length - 1; i > 0; i--, code >>= 6) out[i] = (unsigned char)(0x80 | (code & 0x3f));
    out[0] = (unsigned char)((0xf00 >> length & 0xff) | code);
    return length;
}

orr_excerpt orr_excerpt_of(const void *bytes, size_t n) {
    orr_excerpt out = { "" };
    const unsigned char *p = bytes;
    size_t at = 0, used = 0;
    for (int i = 0; at < n; i++) {
        uint32_t code = 0;
        const int length = orr_utf8_decode(p + at, n - at, &code);
        char *to = out.text + used;
        if (i == EXCERPT_CHARACTERS) {
            memcpy(to, "...", 4);
            break;
        }
        if (length == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0)) { /* C0 and C1 control characters */
            if (p[at] == '\n' || p[at] == '\r' || p[at] == '\t')
                (void)snprintf(to, 5, "\\%c", p[at] == '\n' ? 'n' : p[at] == '\r' ? 'r' : 't');
            else (void)snprintf(to, 5, "\\x%02x", p[at]);
            used += strlen(to);
            at++;
            continue;
        }
        memcpy(to, p + at, (size_t)length);
        used += (size_t)length;
        at += (size_t)length;
    }
    return out;
}
