/* orrery help: what there is, the help of a command, and what the tables of kinds say. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "cli/cli.h"
#include "cli/reference.h"

enum { NAMES_MAX = 256 };

static const char experiment[] = "experiment";

static int unknown_topic(const char *word) {
    const char *names[NAMES_MAX] = { experiment };
    int n = 1;
    for (int s = 0; s < ORR_SECTIONS; s++) names[n++] = orr_sections[s].name;
    for (const orr_command *c = orr_commands; c->name && n < NAMES_MAX - 1; c++) names[n++] = c->name;
    return orr_cli_unknown("help", "topic", word, names);
}

/* By its name or by its key in a file; NULL where there is none. */
static const orr_section *find_section(const char *word) {
    for (int s = 0; s < ORR_SECTIONS; s++)
        if (strcmp(orr_sections[s].name, word) == 0 || strcmp(orr_sections[s].key, word) == 0) return &orr_sections[s];
    return NULL;
}

static int help_section(orr_context *ctx, orr_arena *scratch, const orr_section *section, const char *kind) {
    const char *names[NAMES_MAX] = { NULL };
    if (!kind) return orr_reference_topic(ctx, scratch, section);
    for (int i = 0; section->kind(i) && i < NAMES_MAX - 1; i++) {
        names[i] = section->kind(i)->name;
        if (strcmp(names[i], kind) == 0) return orr_reference_kind(ctx, scratch, section, section->kind(i));
    }
    return orr_cli_unknown("help", section->name, kind, names);
}

static int help_topic(orr_context *ctx, orr_arena *scratch, int argc, char **argv) {
    const bool markdown = strcmp(argv[0], "--markdown") == 0;
    const char *word = markdown ? argv[1] : argv[0];
    const orr_section *section = find_section(word);
    if (!section && strcmp(word, experiment) != 0) return unknown_topic(word);
    if (markdown) return orr_reference_markdown(ctx, scratch, section);
    if (section) return help_section(ctx, scratch, section, argc > 1 ? argv[1] : NULL);
    return orr_reference_experiment();
}

static int overview(void) {
    printf("orrery: predicts what a network will do while it learns, seals the prediction, trains the real one, and "
           "judges.\n\n"
           "  orrery law run edge-of-stability              the first law, on real images, in under a minute\n"
           "  orrery law run edge-of-stability --json       the same for a program\n"
           "  orrery law list                               what there is\n\n");
    for (const orr_command *c = orr_commands; c->name; c++) printf("  %-10s %s\n", c->name, c->help);
    printf("\n`orrery COMMAND --help` says what a command takes.  What stands in an experiment file:\n\n");
    printf("  orrery help %-18s %s\n", experiment, "the file as a whole");
    for (int s = 0; s < ORR_SECTIONS; s++)
        printf("  orrery help %-18s %s\n", orr_sections[s].name, orr_sections[s].help);
    printf(
        "  orrery help architecture mlp   one kind, with everything that it takes\n"
        "\nExit codes: 0 the law holds, 1 it fails or is out of its regime, 2 wrong usage or bad input, 3 the machine "
        "could not\ndo it.\n");
    return ORR_EXIT_HOLDS;
}

int orr_cli_help(int argc, char **argv) {
    static const char *const shells[] = { "bash", "zsh", "fish", NULL };
    char help[] = "--help", *words[] = { help, NULL };
    orr_context *ctx;
    orr_arena *scratch = NULL;
    if (argc == 0) return overview();
    if (strcmp(argv[0], "--topics") == 0) { /* for make docs */
        printf("%s\n", experiment);
        for (int s = 0; s < ORR_SECTIONS; s++) printf("%s\n", orr_sections[s].name);
        return ORR_EXIT_HOLDS;
    }
    if (strcmp(argv[0], "--completion") == 0) {
        if (argc != 2) return orr_cli_usage("help", "--completion needs the name of a shell: bash, zsh or fish");
        if (strcmp(argv[1], shells[2]) == 0) return orr_reference_completion_fish();
        const bool zsh = strcmp(argv[1], shells[1]) == 0;
        return zsh || strcmp(argv[1], shells[0]) == 0 ? orr_reference_completion(zsh)
                                                      : orr_cli_unknown("help", "shell", argv[1], shells);
    }
    if (strcmp(argv[0], "--markdown") == 0 && argc != 2) return orr_cli_usage("help", "--markdown needs a topic");
    const orr_command *command = orr_command_find(argv[0]);
    if (command) return strcmp(command->name, "help") == 0 ? overview() : command->run(1, words);
    if (orr_context_new(&(orr_context_options){ .threads = 1 }, &ctx) != ORR_OK) return ORR_EXIT_OURS;
    const orr_status status = orr_arena_new(ctx, &scratch);
    const int code = status == ORR_OK ? help_topic(ctx, scratch, argc, argv) : orr_cli_fail(ctx, "help", status);
    orr_arena_free(scratch);
    orr_context_free(ctx);
    return code;
}
