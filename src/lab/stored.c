#include "lab/stored.h"

#include <string.h>

#include "base/context.h"

static const char mark[] = "\n# --set ";
enum { CHANGES_MAX = 256 };

orr_status orr_stored_note(orr_context *ctx, orr_arena *out_arena, const orr_experiment_options *options,
                           orr_experiment *experiment) {
    for (int i = 0; options && i < options->n_set; i++) {
        experiment->text = orr_arena_format(out_arena, "%s%s%s", experiment->text, mark, options->set[i]);
        if (!experiment->text) return orr_fail(ctx, ORR_ENOMEM, "no memory for an experiment's text");
    }
    return ORR_OK;
}

orr_status orr_stored_parse(orr_context *ctx, orr_arena *out_arena, const char *name, const char *text,
                            const char *size, orr_experiment *out) {
    const char *set[CHANGES_MAX];
    orr_experiment_options options = { .size = size, .set = set };
    for (const char *at = strstr(text, mark); at && options.n_set < CHANGES_MAX; at = strstr(at, mark)) {
        at += sizeof mark - 1;
        set[options.n_set] = orr_arena_format(out_arena, "%.*s", (int)strcspn(at, "\n"), at);
        if (!set[options.n_set++]) return orr_fail(ctx, ORR_ENOMEM, "no memory for an experiment's text");
    }
    ORR_TRY(ctx, orr_experiment_parse(ctx, out_arena, name, text, strlen(text), &options, out));
    out->text = text;
    return ORR_OK;
}
