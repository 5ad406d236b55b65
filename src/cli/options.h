/* What commands were given on their line: options from a table, and words. */
#ifndef ORR_CLI_OPTIONS_H
#define ORR_CLI_OPTIONS_H

#include "cli/cli.h"

enum { ORR_CLI_GO = -1, ORR_CLI_LIST_MAX = 256 };

/* Values of an option that may stand several times. */
typedef struct orr_cli_list {
    const char *item[ORR_CLI_LIST_MAX];
    int n;
} orr_cli_list;

/* An option: one of a flag, a text, one of some words, a whole number from least (1 where it is 0) to most, or a list of texts.  Tables end with { 0 }. */
typedef struct orr_cli_option {
    const char *name, *alias; /* "--output", "-o"; the alias may be NULL */
    bool *flag;
    const char **value;
    const char *const *choices; /* of value; ends with NULL; NULL: any text */
    long long *number, least, most;
    orr_cli_list *list;
} orr_cli_option;

extern const char *const orr_cli_sizes[]; /* quick, full */

/* Sorts what was typed into options and other words, at most `most` of them, each a `what` ("run", "file").  ORR_CLI_GO, or the
 * exit code to end with, after the help or a line about what is wrong. */
int orr_cli_parse(const char *command, const char *usage, const char *what, int argc, char **argv,
                  const orr_cli_option *options, const char **word, int most, int *n);

/* The store's path: what --store says, else ORRERY_STORE, else orrery.db. */
const char *orr_cli_store(const char *option);

#endif
