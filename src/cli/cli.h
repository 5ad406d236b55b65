/* What commands share. */
#ifndef ORR_CLI_CLI_H
#define ORR_CLI_CLI_H

#include "orrery.h"

/* A command: the words behind its name.  Returns the exit code: 0 holds, 1 a law failed, 2 usage or bad input, 3 ours. */
typedef int orr_command_main(int argc, char **argv);

typedef struct orr_command {
    const char *name, *help;
    orr_command_main *run;
} orr_command;

#define ORR_COMMAND(name, help) int orr_cli_##name(int argc, char **argv);
#include "cli/commands.def"
#undef ORR_COMMAND

extern const orr_command orr_commands[]; /* ends with { 0 } */
const orr_command *orr_command_find(const char *name);

enum { ORR_EXIT_HOLDS = 0, ORR_EXIT_FAILS = 1, ORR_EXIT_USAGE = 2, ORR_EXIT_OURS = 3 };

/* "orrery: law: no option '--sise'; did you mean '--size'?" on stderr; returns ORR_EXIT_USAGE.  names ends with NULL. */
int orr_cli_unknown(const char *command, const char *what, const char *word, const char *const *names);
/* One line on stderr; returns ORR_EXIT_USAGE. */
int orr_cli_usage(const char *command, const char *format, ...) ORR_PRINTF(2, 3);
/* The context's message on stderr; returns the exit code of a status. */
int orr_cli_fail(orr_context *ctx, const char *command, orr_status status);
/* A whole number in [low, high]; false where the word is none. */
bool orr_cli_int(const char *word, long long low, long long high, long long *out);

#endif
