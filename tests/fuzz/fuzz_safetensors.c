/* The safetensors reader on any bytes: a refusal in words, or tensors that read back from what is written of them. */
#include "base/file/safetensors.h"
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    const fuzz_world w = fuzz_begin();
    orr_arrays all, back;
    if (fuzz_accepted(w, orr_safetensors_parse(w.ctx, w.arena, "fuzz", fuzz_bytes(bytes, n), &all))) {
        orr_bytes written;
        orr_array a;
        if (orr_safetensors_bytes(w.ctx, w.arena, &all, &written) != ORR_OK ||
            orr_safetensors_parse(w.ctx, w.arena, "fuzz", written, &back) != ORR_OK || back.n != all.n)
            fuzz_fail(orr_context_message(w.ctx));
        for (int i = 0; i < all.n; i++) { /* empty tensors may change their order */
            if (orr_arrays_find(w.ctx, "fuzz", &back, all.item[i].name, &a) != ORR_OK)
                fuzz_fail(orr_context_message(w.ctx));
            fuzz_same_array(&all.item[i], &a);
        }
    }
    return fuzz_end(w);
}
