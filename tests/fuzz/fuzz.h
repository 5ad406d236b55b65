/* A fuzzer is one function over bytes: libFuzzer calls it with what it invents (make fuzz), replay.c with the committed
 * corpus, as a test of every build. */
#ifndef ORR_TESTS_FUZZ_H
#define ORR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
