/* The CIFAR-10 reader on any bytes, gzipped ones decompressed: a refusal in words, or pictures with labels 0 to 9. */
#include "base/file/deflate.h"
#include "fuzz_file.h"
#include "ingredient/data/cifar10.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    const fuzz_world w = fuzz_begin();
    orr_bytes plain = fuzz_bytes(bytes, n), unpacked = { 0 };
    orr_cifar10 c;
    if (!orr_is_gzip(bytes, n) || fuzz_accepted(w, orr_gunzip(w.ctx, "fuzz", plain, 1 << 20, &unpacked))) {
        if (orr_is_gzip(bytes, n)) plain = unpacked;
        if (fuzz_accepted(w, orr_cifar10_parse(w.ctx, w.arena, "fuzz", plain, (int64_t)(n % 3), &c)))
            for (int64_t i = 0; i < c.n; i++) {
                if (c.label[i] < 0 || c.label[i] >= ORR_CIFAR10_CLASSES) fuzz_fail("a label out of range");
                if (memcmp(c.pixel + i * ORR_CIFAR10_PIXELS, plain.data + i * (ORR_CIFAR10_PIXELS + 1) + 1,
                           ORR_CIFAR10_PIXELS) != 0)
                    fuzz_fail("other pixels");
            }
    }
    orr_release(w.ctx, unpacked.data);
    return fuzz_end(w);
}
