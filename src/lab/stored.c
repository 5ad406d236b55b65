#include "lab/stored.h"

#include <string.h>

#include "base/context.h"

static const char begin[] = "\n# orrery: what the runs depend on besides\n";
static const char set_mark[] = "# set: ", alone_mark[] = "# alone", data_mark[] = "# data: ";
enum { CHANGES_MAX = 256 };

/* ---- data ------------------------------------------------------------------------------------------------------------------------ */

static void add_examples(orr_hash *h, const orr_dataset *d) {
    const int64_t all = d->n + d->n_test, head[] = { d->n, d->n_test, d->vocabulary, d->classes };
    const size_t inputs = (size_t)(all * orr_dataset_features(d)), targets = (size_t)(all * orr_dataset_targets(d));
    orr_hash_add(h, head, sizeof head);
    if (d->vocabulary) orr_hash_add(h, d->token, inputs * sizeof *d->token);
    else orr_hash_add(h, d->x, inputs * sizeof *d->x);
    if (d->classes) orr_hash_add(h, d->label, targets * sizeof *d->label);
    else if (d->y) orr_hash_add(h, d->y, targets * sizeof *d->y);
}

static bool same_examples(const orr_dataset *a, const orr_dataset *b) {
    return a->x == b->x && a->token == b->token && a->y == b->y && a->label == b->label;
}

orr_status orr_stored_data(orr_context *ctx, const orr_problem *const *problems, int64_t n, char out[ORR_SHA256_SIZE]) {
    orr_hash *h = orr_hash_begin(ctx); /* NULL is told at the end */
    for (int64_t i = 0; h && i < n; i++) {
        int64_t j = 0;
        while (j < i && !same_examples(&problems[j]->data, &problems[i]->data)) j++;
        if (j == i) add_examples(h, &problems[i]->data);
    }
    return orr_hash_end(ctx, h, out);
}

/* ---- text ------------------------------------------------------------------------------------------------------------------------ */

static orr_status no_memory(orr_context *ctx) {
    return orr_fail(ctx, ORR_ENOMEM, "no memory for an experiment's text");
}

orr_status orr_stored_text(orr_context *ctx, orr_arena *out_arena, const orr_experiment *e,
                           const orr_stored_notes *notes, const char **text) {
    const char *t = orr_arena_format(out_arena, "%s%s", e->text, begin);
    for (int i = 0; t && i < e->n_set; i++) {
        if (strchr(e->set[i], '\n'))
            return orr_fail(ctx, ORR_EINPUT, "--set %d: one line is expected, this has several", i + 1);
        t = orr_arena_format(out_arena, "%s%s%s\n", t, set_mark, e->set[i]);
    }
    if (t && notes->no_ensemble) t = orr_arena_format(out_arena, "%s%s\n", t, alone_mark);
    if (t && notes->data[0]) t = orr_arena_format(out_arena, "%s%s%s\n", t, data_mark, notes->data);
    *text = t;
    return t ? ORR_OK : no_memory(ctx);
}

/* What stands behind the last line that begins the notes, for the file may have such a line too; NULL where there is none. */
static const char *notes_of(const char *text) {
    const char *found = NULL;
    for (const char *at = strstr(text, begin); at; at = strstr(at + 1, begin)) found = at + sizeof begin - 1;
    return found;
}

static bool starts(const char *line, const char *mark) { return strncmp(line, mark, strlen(mark)) == 0; }

orr_status orr_stored_parse(orr_context *ctx, orr_arena *out_arena, const char *name, const char *text,
                            const char *size, orr_experiment *out, orr_stored_notes *notes) {
    const char *set[CHANGES_MAX];
    orr_experiment_options options = { .size = size, .set = set };
    const char *line = notes_of(text), *file = text;
    *notes = (orr_stored_notes){ 0 };
    if (line) file = orr_arena_format(out_arena, "%.*s", (int)(line - text - (ptrdiff_t)(sizeof begin - 1)), text);
    if (!file) return no_memory(ctx);
    while (line && *line) {
        const size_t n = strcspn(line, "\n");
        const char *copy = orr_arena_format(out_arena, "%.*s", (int)n, line);
        if (!copy) return no_memory(ctx);
        if (starts(copy, set_mark) && options.n_set < CHANGES_MAX) set[options.n_set++] = copy + strlen(set_mark);
        if (starts(copy, alone_mark)) notes->no_ensemble = true;
        if (starts(copy, data_mark) && strlen(copy + strlen(data_mark)) < sizeof notes->data)
            memcpy(notes->data, copy + strlen(data_mark), strlen(copy + strlen(data_mark)) + 1);
        line += n + (line[n] == '\n');
    }
    return orr_experiment_parse(ctx, out_arena, name, file, strlen(file), &options, out);
}
