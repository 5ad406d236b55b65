#include "store/sha256.h"

#include <openssl/evp.h>

#include "base/context.h"

struct orr_hash {
    EVP_MD_CTX *evp;
    bool failed;
};

orr_hash *orr_hash_begin(orr_context *ctx) {
    orr_hash *h = orr_allocate(ctx, sizeof *h);
    if (!h) return NULL;
    h->evp = EVP_MD_CTX_new();
    h->failed = !h->evp || EVP_DigestInit_ex(h->evp, EVP_sha256(), NULL) != 1;
    return h;
}

void orr_hash_add(orr_hash *h, const void *bytes, size_t n) {
    if (h && !h->failed) h->failed = EVP_DigestUpdate(h->evp, bytes, n) != 1;
}

orr_status orr_hash_end(orr_context *ctx, orr_hash *h, char out[ORR_SHA256_SIZE]) {
    static const char digit[] = "0123456789abcdef";
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!h) return orr_fail(ctx, ORR_ENOMEM, "no memory for SHA-256");
    const bool failed = h->failed || EVP_DigestFinal_ex(h->evp, hash, &size) != 1 || size != 32;
    EVP_MD_CTX_free(h->evp);
    orr_release(ctx, h);
    if (failed) return orr_fail(ctx, ORR_EINTERNAL, "libcrypto can't compute SHA-256");
    for (int i = 0; i < 32; i++) {
        out[2 * i] = digit[hash[i] >> 4];
        out[2 * i + 1] = digit[hash[i] & 15];
    }
    out[64] = '\0';
    return ORR_OK;
}

orr_status orr_sha256(orr_context *ctx, const void *bytes, size_t n, char out[ORR_SHA256_SIZE]) {
    orr_hash *h = orr_hash_begin(ctx);
    orr_hash_add(h, bytes, n);
    return orr_hash_end(ctx, h, out);
}
