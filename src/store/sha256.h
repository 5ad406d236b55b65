/* SHA-256 (FIPS 180-4), by OpenSSL's libcrypto. */
#ifndef ORR_STORE_SHA256_H
#define ORR_STORE_SHA256_H

#include "orrery.h"

enum { ORR_SHA256_SIZE = 65 };

/* 64 lower-case hexadecimal digits and a zero.  Fails: ORR_EINTERNAL where the library refuses. */
orr_status orr_sha256(orr_context *ctx, const void *bytes, size_t n, char out[ORR_SHA256_SIZE]) ORR_MUST_USE;

/* The same of bytes that come one after the other.  A failure sticks until the end; `end` gives the hash and ends `h`,
 * which may be NULL: out of memory. */
typedef struct orr_hash orr_hash;
orr_hash *orr_hash_begin(orr_context *ctx);
void orr_hash_add(orr_hash *h, const void *bytes, size_t n);
orr_status orr_hash_end(orr_context *ctx, orr_hash *h, char out[ORR_SHA256_SIZE]) ORR_MUST_USE;

#endif
