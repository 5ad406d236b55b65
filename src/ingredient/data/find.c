#define _POSIX_C_SOURCE 200809L /* access */
#include "ingredient/data/find.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/context.h"

enum { PLACES_MAX = 12 };

typedef struct places {
    orr_arena *arena;
    const char *below;
    const char *place[PLACES_MAX];
    int n;
    bool complete; /* false where memory is out */
} places;

static void add(places *p, const char *place) {
    const char *below = place && p->below ? orr_arena_format(p->arena, "%s/%s", place, p->below) : NULL;
    if (!place || (p->below && !below)) p->complete = false;
    if (below) p->place[p->n++] = below;
    p->place[p->n++] = place;
}

/* The places in order. */
static places list_places(orr_arena *arena, const char *dataset, const char *folder, const char *below,
                          const char *last) {
    const char *variable = getenv("ORRERY_DATA");
    places p = { .arena = arena, .below = below, .complete = true };
    if (*folder) {
        add(&p, folder);
        return p;
    }
    if (variable && *variable) {
        add(&p, orr_arena_format(arena, "%s/%s", variable, dataset));
        add(&p, variable);
    }
    add(&p, orr_arena_format(arena, "/usr/share/datasets/%s", dataset));
    add(&p, orr_arena_format(arena, "data/%s", dataset));
    add(&p, "data");
    if (last) p.place[p.n++] = last;
    return p;
}

orr_status orr_data_find_below(orr_context *ctx, orr_arena *out_arena, const char *dataset, const char *folder,
                               const char *file, const char *below, const char *last, const char *remedy,
                               const char **path) {
    static const char *const ending[] = { ".gz", "" };
    char *looked = NULL;
    const places p = list_places(out_arena, dataset, folder, below, last);
    if (!p.complete) goto no_memory;
    for (int i = 0; i < p.n; i++) {
        for (int e = 0; e < 2; e++) {
            *path = orr_arena_format(out_arena, "%s/%s%s", p.place[i], file, ending[e]);
            if (!*path) goto no_memory;
            if (access(*path, F_OK) == 0) return ORR_OK;
        }
        looked = looked ? orr_arena_format(out_arena, "%s, %s", looked, p.place[i])
                        : orr_arena_string(out_arena, p.place[i]);
        if (!looked) goto no_memory;
    }
    return orr_fail(ctx, ORR_EIO, "%s: neither %s.gz nor %s is in %s; %s", dataset, file, file, looked, remedy);
no_memory:
    return orr_fail(ctx, ORR_ENOMEM, "%s: no memory to look for the files", dataset);
}

orr_status orr_data_find(orr_context *ctx, orr_arena *out_arena, const char *dataset, const char *folder,
                         const char *file, const char *remedy, const char **path) {
    return orr_data_find_below(ctx, out_arena, dataset, folder, file, NULL, NULL, remedy, path);
}
