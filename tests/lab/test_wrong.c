/* Wrong experiment files and what is said about them: each wrong/NAME.yaml has its messages in wrong/NAME.txt.
 *   test_wrong FOLDER            compares
 *   test_wrong FOLDER --write    writes the .txt anew (make golden) */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "base/file/file.h"
#include "lab/experiment.h"

static orr_status message_of(orr_context *ctx, orr_arena *arena, const char *name, const char *path,
                             const char **message) {
    orr_experiment experiment;
    char *text;
    size_t n;
    ORR_TRY(ctx, orr_experiment_load(ctx, arena, path, &text, &n));
    const orr_status status = orr_experiment_parse(ctx, arena, name, text, n, NULL, &experiment);
    *message = orr_arena_format(arena, "%s\n", orr_context_message(ctx));
    orr_context_clear(ctx);
    return status == ORR_EINPUT ? ORR_OK : orr_fail(ctx, ORR_EINTERNAL, "%s: no mistake is found in it", name);
}

static orr_status one(orr_context *ctx, orr_arena *arena, const char *folder, const char *name, bool write,
                      bool *same) {
    const char *message = NULL;
    char *yaml = orr_arena_format(arena, "%s/%s", folder, name), *expected;
    char *txt = orr_arena_format(arena, "%s/%.*s.txt", folder, (int)(strlen(name) - 5), name);
    size_t n;
    ORR_TRY(ctx, message_of(ctx, arena, name, yaml, &message));
    if (write)
        return orr_file_write(ctx, txt,
                              (orr_bytes){ (unsigned char *)orr_arena_string(arena, message), strlen(message) });
    ORR_TRY(ctx, orr_experiment_load(ctx, arena, txt, &expected, &n));
    *same = strcmp(expected, message) == 0;
    if (!*same) printf("%s\n--- expected\n%s--- got (make golden writes it anew)\n%s\n", name, expected, message);
    return ORR_OK;
}

static orr_status all(orr_context *ctx, const char *folder, bool write, int *seen, int *wrong) {
    orr_arena *arena = NULL;
    orr_status status;
    DIR *open = NULL;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    open = opendir(folder);
    for (const struct dirent *entry; open && (entry = readdir(open));) {
        const size_t length = strlen(entry->d_name);
        bool same = true;
        if (length < 6 || strcmp(entry->d_name + length - 5, ".yaml") != 0) continue;
        ORR_TRY_DONE(ctx, one(ctx, arena, folder, entry->d_name, write, &same));
        *seen += 1;
        *wrong += !same;
    }
done:
    if (open) (void)closedir(open);
    orr_arena_free(arena);
    return status;
}

int main(int argc, char **argv) {
    enum { FILES_MIN = 25 };
    int seen = 0, wrong = 0;
    orr_context *ctx;
    if (argc < 2 || orr_context_new(&(orr_context_options){ .threads = 1 }, &ctx) != ORR_OK) return 2;
    const orr_status status = all(ctx, argv[1], argc > 2 && strcmp(argv[2], "--write") == 0, &seen, &wrong);
    if (status != ORR_OK) fprintf(stderr, "%s\n", orr_context_message(ctx));
    orr_context_free(ctx);
    printf("%d wrong files, %d with other messages than their golden\n", seen, wrong);
    return status == ORR_OK && wrong == 0 && seen >= FILES_MIN ? 0 : 1;
}
