#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const orr_cli_sizes[] = { "quick", "full", NULL };

static const orr_cli_option *option_of(const orr_cli_option *options, const char *word) {
    for (const orr_cli_option *o = options; o->name; o++)
        if (strcmp(o->name, word) == 0 || (o->alias && strcmp(o->alias, word) == 0)) return o;
    return NULL;
}

static int unknown_option(const char *command, const char *word, const orr_cli_option *options) {
    const char *names[20] = { NULL };
    int n = 0;
    for (const orr_cli_option *o = options; o->name && n < 18; o++) names[n++] = o->name;
    names[n] = "--help";
    return orr_cli_unknown(command, "option", word, names);
}

static int too_many(const char *command, const char *what, int most, const char *word) {
    if (most == 0) return orr_cli_usage(command, "takes options only; met '%s'; see orrery %s --help", word, command);
    if (most == 1) return orr_cli_usage(command, "one %s at a time; met '%s' beyond", what, word);
    return orr_cli_usage(command, "takes at most %d %ss; met '%s' beyond", most, what, word);
}

static int read_value(const char *command, const orr_cli_option *o, const char *value) {
    if (o->list) {
        if (o->list->n == ORR_CLI_LIST_MAX)
            return orr_cli_usage(command, "at most %d times %s", ORR_CLI_LIST_MAX, o->name);
        o->list->item[o->list->n++] = value;
    } else if (o->number) {
        const long long least = o->least ? o->least : 1;
        if (!orr_cli_int(value, least, o->most, o->number))
            return orr_cli_usage(command, "%s: expected a whole number from %lld to %lld, met '%s'", o->name, least,
                                 o->most, value);
    } else {
        int i = 0;
        while (o->choices && o->choices[i] && strcmp(o->choices[i], value) != 0) i++;
        if (o->choices && !o->choices[i]) return orr_cli_unknown(command, o->name + 2, value, o->choices);
        *o->value = value;
    }
    return ORR_CLI_GO;
}

int orr_cli_parse(const char *command, const char *usage, const char *what, int argc, char **argv,
                  const orr_cli_option *options, const char **word, int most, int *n) {
    *n = 0;
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return printf("%s", usage) < 0 ? ORR_EXIT_OURS : ORR_EXIT_HOLDS;
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-') {
            if (*n == most) return too_many(command, what, most, argv[i]);
            word[(*n)++] = argv[i];
            continue;
        }
        const orr_cli_option *o = option_of(options, argv[i]);
        if (!o) return unknown_option(command, argv[i], options);
        if (o->flag) {
            *o->flag = true;
            continue;
        }
        if (i + 1 == argc) return orr_cli_usage(command, "%s needs a value; see orrery %s --help", argv[i], command);
        const int code = read_value(command, o, argv[++i]);
        if (code != ORR_CLI_GO) return code;
    }
    return ORR_CLI_GO;
}

const char *orr_cli_store(const char *option) {
    const char *named = getenv("ORRERY_STORE");
    return option ? option : named && named[0] ? named : "orrery.db";
}
