#include "base/file/npz.h"

#include <string.h>

#include "base/context.h"
#include "base/file/npy.h"
#include "base/nearest.h"
#include "base/utf8.h"

enum { NAME_MAX_BYTES = 65000 };

static bool is_npy(const char *name) {
    const size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".npy") == 0;
}

orr_status orr_npz_parse(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes bytes, orr_npz *out) {
    *out = (orr_npz){ 0 };
    ORR_TRY(ctx, orr_zip_parse(ctx, out_arena, where, bytes, &out->zip));
    const int n = out->zip.n;
    const char **name = ORR_NEW(out_arena, const char *, n);
    for (int i = 0; name && i < n; i++) {
        const char *member = out->zip.member[i].name;
        name[i] = is_npy(member) ? orr_arena_format(out_arena, "%.*s", (int)strlen(member) - 4, member) : member;
        if (!name[i]) name = NULL;
    }
    if (!name) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %d names", where, n);
    out->name = name;
    return ORR_OK;
}

orr_status orr_npz_open(orr_context *ctx, orr_arena *out_arena, const char *path, orr_npz *out) {
    orr_bytes bytes;
    *out = (orr_npz){ 0 };
    orr_status status = orr_file_read(ctx, path, &bytes);
    unsigned char *copy = status == ORR_OK ? ORR_NEW(out_arena, unsigned char, bytes.n) : NULL;
    if (status == ORR_OK && !copy) status = orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %zu bytes", path, bytes.n);
    if (copy && bytes.n) memcpy(copy, bytes.data, bytes.n);
    orr_release(ctx, bytes.data);
    if (status != ORR_OK) return status;
    return orr_npz_parse(ctx, out_arena, path, (orr_bytes){ copy, bytes.n }, out);
}

static orr_status read_member(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const orr_npz *npz, int i,
                              orr_array *out) {
    const char *name = npz->name[i];
    const orr_excerpt shown = orr_excerpt_of(name, strlen(name));
    const orr_arena_mark mark = orr_arena_here(scratch);
    orr_bytes bytes;
    if (!is_npy(npz->zip.member[i].name))
        return orr_fail(ctx, ORR_EINPUT, "%s: member '%s' is no array; expected a name that ends with .npy",
                        npz->zip.where, shown.text);
    const char *where = orr_arena_format(scratch, "%s: '%s'", npz->zip.where, shown.text);
    orr_status status = where ? orr_zip_extract(ctx, scratch, &npz->zip, i, &bytes)
                              : orr_fail(ctx, ORR_ENOMEM, "%s: no memory", npz->zip.where);
    if (status == ORR_OK) status = orr_npy_parse(ctx, out_arena, where, name, bytes, out);
    orr_arena_rewind(scratch, mark);
    return status;
}

orr_status orr_npz_array(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const orr_npz *npz,
                         const char *name, orr_array *out) {
    const orr_excerpt wanted = orr_excerpt_of(name, strlen(name));
    *out = (orr_array){ 0 };
    for (int arrays = 1; arrays >= 0; arrays--) /* "a.npy" is a, and comes before a member that is named "a" itself */
        for (int i = 0; i < npz->zip.n; i++)
            if (is_npy(npz->zip.member[i].name) == (arrays == 1) && strcmp(npz->name[i], name) == 0)
                return read_member(ctx, scratch, out_arena, npz, i, out);
    if (npz->zip.n == 0)
        return orr_fail(ctx, ORR_EINPUT, "%s: no array '%s': the archive is empty", npz->zip.where, wanted.text);
    const char *near = orr_nearest(name, npz->name, npz->zip.n), *shown = near ? near : npz->name[0];
    return orr_fail(ctx, ORR_EINPUT,
                    near ? "%s: no array '%s' among its %d; did you mean '%s'?"
                         : "%s: no array '%s' among its %d; the first is '%s'",
                    npz->zip.where, wanted.text, npz->zip.n, orr_excerpt_of(shown, strlen(shown)).text);
}

static orr_status read_all(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const char *path,
                           orr_arrays *out) {
    orr_npz npz;
    ORR_TRY(ctx, orr_npz_open(ctx, scratch, path, &npz));
    *out = (orr_arrays){ .item = ORR_NEW(out_arena, orr_array, npz.zip.n), .n = npz.zip.n };
    if (!out->item) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %d arrays", path, npz.zip.n);
    for (int i = 0; i < out->n; i++) ORR_TRY(ctx, read_member(ctx, scratch, out_arena, &npz, i, &out->item[i]));
    return ORR_OK;
}

orr_status orr_npz_read(orr_context *ctx, orr_arena *out_arena, const char *path, orr_arrays *out) {
    orr_arena *scratch;
    *out = (orr_arrays){ 0 };
    ORR_TRY(ctx, orr_arena_new(ctx, &scratch));
    const orr_status status = read_all(ctx, scratch, out_arena, path, out);
    orr_arena_free(scratch);
    return status;
}

orr_status orr_npz_bytes(orr_context *ctx, orr_arena *out_arena, const orr_arrays *arrays, bool deflate,
                         orr_bytes *out) {
    const char **names = ORR_NEW(out_arena, const char *, arrays->n);
    orr_bytes *plain = ORR_NEW(out_arena, orr_bytes, arrays->n);
    for (int i = 0; names && plain && i < arrays->n; i++) {
        const char *name = arrays->item[i].name;
        if (!*name || strlen(name) > NAME_MAX_BYTES)
            return orr_fail(ctx, ORR_EINPUT, "npz: array %d has a name of %zu bytes; expected 1 to %d", i, strlen(name),
                            NAME_MAX_BYTES);
        for (int j = 0; j < i; j++)
            if (strcmp(name, arrays->item[j].name) == 0)
                return orr_fail(ctx, ORR_EINPUT, "npz: two arrays are named '%s'",
                                orr_excerpt_of(name, strlen(name)).text);
        names[i] = orr_arena_format(out_arena, "%s.npy", name);
        if (!names[i]) names = NULL;
        else ORR_TRY(ctx, orr_npy_bytes(ctx, out_arena, &arrays->item[i], &plain[i]));
    }
    if (!names || !plain) return orr_fail(ctx, ORR_ENOMEM, "npz: no memory for %d arrays", arrays->n);
    return orr_zip_bytes(ctx, out_arena, names, plain, arrays->n, deflate, out);
}

orr_status orr_npz_write(orr_context *ctx, const char *path, const orr_arrays *arrays, bool deflate) {
    orr_arena *scratch;
    orr_bytes bytes;
    ORR_TRY(ctx, orr_arena_new(ctx, &scratch));
    orr_status status = orr_npz_bytes(ctx, scratch, arrays, deflate, &bytes);
    if (status == ORR_OK) status = orr_file_write(ctx, path, bytes);
    orr_arena_free(scratch);
    return status;
}
