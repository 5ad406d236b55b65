/* orrery: dispatches to its commands; what each takes stands in its own file. */
#define _XOPEN_SOURCE 700 /* SIGXFSZ */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "cli/cli.h"
#include "numeric/dense.h"

const orr_command orr_commands[] = {
#define ORR_COMMAND(name, help) { #name, help, orr_cli_##name },
#include "cli/commands.def"
#undef ORR_COMMAND
    { 0 },
};

const orr_command *orr_command_find(const char *name) {
    for (const orr_command *c = orr_commands; c->name; c++)
        if (strcmp(c->name, name) == 0) return c;
    return NULL;
}

int orr_cli_unknown(const char *command, const char *what, const char *word, const char *const *names) {
    int n = 0;
    while (names[n]) n++;
    const char *near = orr_nearest(word, names, n);
    fprintf(stderr, "orrery%s%s: no %s '%s'; ", command[0] ? " " : "", command, what, word);
    if (near) fprintf(stderr, "did you mean '%s'?\n", near);
    else {
        fprintf(stderr, "there %s", n == 1 ? "is" : "are");
        for (int i = 0; i < n; i++) fprintf(stderr, "%s %s", i ? "," : "", names[i]);
        fprintf(stderr, "\n");
    }
    return ORR_EXIT_USAGE;
}

int orr_cli_usage(const char *command, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "orrery %s: ", command);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    return ORR_EXIT_USAGE;
}

int orr_cli_fail(orr_context *ctx, const char *command, orr_status status) {
    fprintf(stderr, "orrery %s: %s\n", command, orr_context_message(ctx));
    if (status == ORR_EINTERNAL)
        fprintf(stderr, "This is a bug of Orrery's own; its way up:\n%s", orr_context_trace(ctx));
    return orr_status_exit_code(status);
}

bool orr_cli_int(const char *word, long long low, long long high, long long *out) {
    char *end;
    errno = 0;
    *out = strtoll(word, &end, 10);
    return end != word && *end == '\0' && errno == 0 && *out >= low && *out <= high;
}

int main(int argc, char **argv) {
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on files is told as a full disk is */
    orr_blas_threads_rest();
    if (argc < 2) return orr_cli_help(0, argv), ORR_EXIT_USAGE;
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) name = "version";
    const orr_command *command = orr_command_find(name);
    int code;
    if (command) {
        code = command->run(argc - 2, argv + 2);
    } else {
        const char *names[sizeof orr_commands / sizeof orr_commands[0]];
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) names[i] = orr_commands[i].name;
        code = orr_cli_unknown("", "command", name, names);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "orrery: standard output: %s\n", strerror(errno));
        if (code < ORR_EXIT_USAGE) code = ORR_EXIT_OURS;
    }
    return code;
}
