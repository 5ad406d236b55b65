/* The functions of OpenSSL 1.1.1, which are there in 3: the newer interface looks for providers and reads a configuration first, for
 * the same hash, and its pages are two MiB of every process. */
#define OPENSSL_API_COMPAT 10101
#include "store/sha256.h"

#include <openssl/sha.h>

#include "base/context.h"

struct orr_hash {
    SHA256_CTX sha;
    bool failed;
};

orr_hash *orr_hash_begin(orr_context *ctx) {
    orr_hash *h = orr_allocate(ctx, sizeof *h);
    if (h) h->failed = SHA256_Init(&h->sha) != 1;
    return h;
}

void orr_hash_add(orr_hash *h, const void *bytes, size_t n) {
    if (h && !h->failed) h->failed = SHA256_Update(&h->sha, bytes, n) != 1;
}

orr_status orr_hash_end(orr_context *ctx, orr_hash *h, char out[ORR_SHA256_SIZE]) {
    static const char digit[] = "0123456789abcdef";
    unsigned char hash[SHA256_DIGEST_LENGTH];
    if (!h) return orr_fail(ctx, ORR_ENOMEM, "no memory for SHA-256");
    const bool failed = h->failed || SHA256_Final(hash, &h->sha) != 1;
    orr_release(ctx, h);
    if (failed) return orr_fail(ctx, ORR_EINTERNAL, "libcrypto can't compute SHA-256");
    for (int i = 0; i < SHA256_DIGEST_LENGTH; i++) {
        out[2 * i] = digit[hash[i] >> 4];
        out[2 * i + 1] = digit[hash[i] & 15];
    }
    out[2 * SHA256_DIGEST_LENGTH] = '\0';
    return ORR_OK;
}

orr_status orr_sha256(orr_context *ctx, const void *bytes, size_t n, char out[ORR_SHA256_SIZE]) {
    orr_hash *h = orr_hash_begin(ctx);
    orr_hash_add(h, bytes, n);
    return orr_hash_end(ctx, h, out);
}
