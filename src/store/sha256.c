#include "store/sha256.h"

#include <openssl/evp.h>

#include "base/context.h"

orr_status orr_sha256(orr_context *ctx, const void *bytes, size_t n, char out[ORR_SHA256_SIZE]) {
    static const char digit[] = "0123456789abcdef";
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(bytes, n, hash, &size, EVP_sha256(), NULL) != 1 || size != 32)
        return orr_fail(ctx, ORR_EINTERNAL, "libcrypto can't compute SHA-256");
    for (int i = 0; i < 32; i++) {
        out[2 * i] = digit[hash[i] >> 4];
        out[2 * i + 1] = digit[hash[i] & 15];
    }
    out[64] = '\0';
    return ORR_OK;
}
