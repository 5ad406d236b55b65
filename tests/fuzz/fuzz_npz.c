/* The ZIP and NPZ readers on any bytes: a refusal in words, or arrays that read back from what is written of them; and the
 * bytes themselves come out of an archive as they went in, stored and deflated. */
#include "base/file/npz.h"
#include "fuzz_file.h"

static void archive(fuzz_world w, orr_bytes plain, bool deflate) {
    static const char *const name = "any \xc3\xa9";
    orr_bytes packed, out;
    orr_zip zip;
    if (orr_zip_bytes(w.ctx, w.arena, &name, &plain, 1, deflate, &packed) != ORR_OK ||
        orr_zip_parse(w.ctx, w.arena, "fuzz", packed, &zip) != ORR_OK || zip.n != 1 ||
        orr_zip_extract(w.ctx, w.arena, &zip, 0, &out) != ORR_OK)
        fuzz_fail(orr_context_message(w.ctx));
    if (out.n != plain.n || (out.n && memcmp(out.data, plain.data, out.n) != 0)) fuzz_fail("other bytes came out");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    const fuzz_world w = fuzz_begin();
    const orr_bytes b = fuzz_bytes(bytes, n);
    orr_npz npz;
    if (fuzz_accepted(w, orr_npz_parse(w.ctx, w.arena, "fuzz", b, &npz))) {
        orr_arrays all = { .item = ORR_NEW(w.arena, orr_array, npz.zip.n) };
        for (int i = 0; i < npz.zip.n; i++)
            if (fuzz_accepted(w, orr_npz_array(w.ctx, w.scratch, w.arena, &npz, npz.name[i], &all.item[all.n])))
                all.n++;
        orr_bytes written;
        orr_npz back;
        orr_array a;
        const orr_status status = orr_npz_bytes(w.ctx, w.arena, &all, n % 2, &written);
        if (status == ORR_EINPUT) orr_context_clear(w.ctx); /* "a" beside "a.npy": one array under one name, twice */
        else if (status != ORR_OK || orr_npz_parse(w.ctx, w.arena, "fuzz", written, &back) != ORR_OK)
            fuzz_fail(orr_context_message(w.ctx));
        for (int i = 0; status == ORR_OK && i < all.n; i++) {
            if (orr_npz_array(w.ctx, w.scratch, w.arena, &back, all.item[i].name, &a) != ORR_OK)
                fuzz_fail(orr_context_message(w.ctx));
            fuzz_same_array(&all.item[i], &a);
        }
    }
    archive(w, b, false);
    archive(w, b, true);
    return fuzz_end(w);
}
