#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

int orr_cli_help(int argc, char **argv) {
    if (argc > 0) {
        const char *names[16] = { NULL };
        const orr_command *command = orr_command_find(argv[0]);
        char help[] = "--help", *words[] = { help, NULL };
        for (int i = 0; orr_commands[i].name && i < 15; i++) names[i] = orr_commands[i].name;
        if (!command) return orr_cli_unknown("help", "command", argv[0], names);
        if (strcmp(command->name, "help") != 0) return command->run(1, words);
    }
    printf("orrery: predicts what a network will do while it learns, seals the prediction, trains the real one, and "
           "judges.\n\n"
           "  orrery law run edge-of-stability              the first law, on real images, in under a minute\n"
           "  orrery law run edge-of-stability --json       the same for a program\n"
           "  orrery law list                               what there is\n\n");
    for (const orr_command *c = orr_commands; c->name; c++) printf("  %-10s %s\n", c->name, c->help);
    printf("\n`orrery COMMAND --help` says what a command takes.  Exit codes: 0 the law holds, 1 it fails or is out of "
           "its regime,\n"
           "2 wrong usage or bad input, 3 the machine could not do it.\n");
    return ORR_EXIT_HOLDS;
}
