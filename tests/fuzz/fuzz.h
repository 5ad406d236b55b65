/* What fuzz targets share. */
#ifndef ORR_TESTS_FUZZ_H
#define ORR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static inline void fuzz_fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    abort();
}

#endif
