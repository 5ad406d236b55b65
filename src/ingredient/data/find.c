#define _POSIX_C_SOURCE 200809L /* access */
#include "ingredient/data/find.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/context.h"

enum { PLACES_MAX = 5 };

/* The places in order; *n of them.  False where memory is out. */
static bool list_places(orr_arena *arena, const char *dataset, const char *folder, const char **place, int *n) {
    const char *variable = getenv("ORRERY_DATA");
    *n = 0;
    if (*folder) {
        place[(*n)++] = folder;
    } else {
        if (variable && *variable) {
            place[(*n)++] = orr_arena_format(arena, "%s/%s", variable, dataset);
            place[(*n)++] = variable;
        }
        place[(*n)++] = orr_arena_format(arena, "/usr/share/datasets/%s", dataset);
        place[(*n)++] = orr_arena_format(arena, "data/%s", dataset);
        place[(*n)++] = "data";
    }
    for (int i = 0; i < *n; i++)
        if (!place[i]) return false;
    return true;
}

orr_status orr_data_find(orr_context *ctx, orr_arena *out_arena, const char *dataset, const char *folder,
                         const char *file, const char *remedy, const char **path) {
    static const char *const ending[] = { ".gz", "" };
    const char *place[PLACES_MAX];
    char *looked = NULL;
    int n;
    if (!list_places(out_arena, dataset, folder, place, &n)) goto no_memory;
    for (int i = 0; i < n; i++) {
        for (int e = 0; e < 2; e++) {
            *path = orr_arena_format(out_arena, "%s/%s%s", place[i], file, ending[e]);
            if (!*path) goto no_memory;
            if (access(*path, F_OK) == 0) return ORR_OK;
        }
        looked =
            looked ? orr_arena_format(out_arena, "%s, %s", looked, place[i]) : orr_arena_string(out_arena, place[i]);
        if (!looked) goto no_memory;
    }
    return orr_fail(ctx, ORR_EIO, "%s: neither %s.gz nor %s is in %s; %s", dataset, file, file, looked, remedy);
no_memory:
    return orr_fail(ctx, ORR_ENOMEM, "%s: no memory to look for the files", dataset);
}
