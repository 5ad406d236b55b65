/* The NPY reader on any bytes: a refusal in words, or an array that reads back from what is written of it. */
#include "base/file/npy.h"
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    const fuzz_world w = fuzz_begin();
    orr_array a, back;
    if (fuzz_accepted(w, orr_npy_parse(w.ctx, w.arena, "fuzz", "a", fuzz_bytes(bytes, n), &a))) {
        orr_bytes written;
        if (orr_npy_bytes(w.ctx, w.arena, &a, &written) != ORR_OK ||
            orr_npy_parse(w.ctx, w.arena, "fuzz", "a", written, &back) != ORR_OK)
            fuzz_fail(orr_context_message(w.ctx));
        fuzz_same_array(&a, &back);
    }
    return fuzz_end(w);
}
