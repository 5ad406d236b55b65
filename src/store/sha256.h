/* SHA-256 (FIPS 180-4), by OpenSSL's libcrypto. */
#ifndef ORR_STORE_SHA256_H
#define ORR_STORE_SHA256_H

#include "orrery.h"

enum { ORR_SHA256_SIZE = 65 };

/* 64 lower-case hexadecimal digits and a zero.  Fails: ORR_EINTERNAL where the library refuses. */
orr_status orr_sha256(orr_context *ctx, const void *bytes, size_t n, char out[ORR_SHA256_SIZE]) ORR_MUST_USE;

#endif
