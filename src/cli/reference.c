#include "cli/reference.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lab/example.h"

const char *orr_reference_type(const orr_parameter *p) {
    /* ORDER orr_parameter_type: base/parameter.h */
    static const char *const words[] = { "whole number",          "number",         "true or false", "choice", "text",
                                         "list of whole numbers", "list of numbers" };
    return words[p->type];
}

static bool is_list(const orr_parameter *p) { return p->type == ORR_INTS || p->type == ORR_REALS; }

/* "32 16" of a list is written "[32, 16]". */
static void print_fallback(const orr_parameter *p) {
    if (!is_list(p)) {
        printf("%s", p->fallback[0] ? p->fallback : "\"\"");
        return;
    }
    printf("[");
    for (const char *c = p->fallback; *c; c++) *c == ' ' ? printf(", ") : printf("%c", *c);
    printf("]");
}

/* ---- on a terminal -------------------------------------------------------------------------------------------------------------- */

static void print_parameter(const orr_parameter *p) {
    printf("  %-20s %s", p->name, orr_reference_type(p));
    if (p->choices) printf(": %s", p->choices);
    if (p->range) printf("%s in %s", is_list(p) ? ", each" : "", p->range);
    if (p->unit) printf(", %s", p->unit);
    if (p->fallback) {
        printf("; default ");
        print_fallback(p);
    } else {
        printf("; must be given");
    }
    printf("\n");
    if (p->help) printf("  %-20s   %s\n", "", p->help);
}

int orr_reference_kind(orr_context *ctx, orr_arena *scratch, const orr_section *section, const orr_kind *kind) {
    (void)ctx;
    const char *example = orr_kind_example(scratch, section, kind);
    if (!example) return ORR_EXIT_OURS;
    printf("%s %s: %s\n\n  %s\n\n", section->name, kind->name, kind->help, example);
    for (const orr_parameter *p = kind->parameters; p->name; p++) print_parameter(p);
    if (!kind->parameters[0].name) printf("  It has no parameters.\n");
    return ORR_EXIT_HOLDS;
}

int orr_reference_topic(orr_context *ctx, orr_arena *scratch, const orr_section *section) {
    (void)ctx;
    (void)scratch;
    printf("%s: %s\n\n", section->name, section->help);
    for (int i = 0; section->kind(i); i++) printf("  %-24s %s\n", section->kind(i)->name, section->kind(i)->help);
    if (section->fallback) printf("\nLeft out, it is %s.\n", section->fallback);
    printf("\n`orrery help %s KIND` says what a kind takes.\n", section->name);
    return ORR_EXIT_HOLDS;
}

int orr_reference_experiment(void) {
    printf("experiment: a YAML file; `orrery check FILE` reads it and tells every mistake\n\n");
    for (const char *line = orr_experiment_example; *line;) {
        const size_t n = strcspn(line, "\n");
        printf("  %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
    printf("\nKeys:\n");
    for (int s = 0; s < ORR_SECTIONS; s++)
        printf("  %-20s %s (`orrery help %s`)%s\n", orr_sections[s].key, orr_sections[s].help, orr_sections[s].name,
               s == ORR_SECTION_INSTRUMENT || orr_sections[s].fallback ? "" : "; must be given");
    for (const orr_parameter *p = orr_experiment_keys; p->name; p++) print_parameter(p);
    for (const orr_part_of_file *p = orr_experiment_parts; p->name; p++) printf("  %-20s %s\n", p->name, p->help);
    printf("\nThe name of a kind alone is that kind with its defaults: `task: mse`, `observe: [ loss ]`.\n"
           "`--set KEY=VALUE` changes a key for one call: --set rule.learning_rate=0.2 --set observe.loss.every=10\n");
    return ORR_EXIT_HOLDS;
}

/* ---- pages -------------------------------------------------------------------------------------------------------------------------- */

/* Text in a cell of a table. */
static void print_cell(const char *text) {
    for (const char *c = text; *c; c++) {
        if (strchr("|<>*_`\\", *c)) printf("\\");
        printf("%c", *c);
    }
}

static void print_row(const orr_parameter *p) {
    printf("| `%s` | %s | ", p->name, orr_reference_type(p));
    if (p->fallback) {
        printf("`");
        print_fallback(p);
        printf("`");
    } else {
        printf("*must be given*");
    }
    printf(" | ");
    for (const char *at = p->choices; at && *at;) {
        const size_t n = strcspn(at, " ");
        printf("%s`%.*s`", at == p->choices ? "" : " ", (int)n, at);
        at += n + (at[n] == ' ');
    }
    if (p->range) printf("%s`%s`", is_list(p) ? "each in " : "", p->range);
    printf(" | ");
    print_cell(p->unit ? p->unit : "");
    printf(" | ");
    print_cell(p->help ? p->help : "");
    printf(" |\n");
}

static void print_table(const orr_parameter *table) {
    if (!table[0].name) {
        printf("No parameters.\n");
        return;
    }
    printf("| parameter | type | default | range or choices | unit | meaning |\n|---|---|---|---|---|---|\n");
    for (const orr_parameter *p = table; p->name; p++) print_row(p);
}

static void print_experiment_page(void) {
    printf(
        "# The experiment file\n\nMade by `make docs` from the program's own tables. `orrery check FILE` reads a file "
        "and tells every mistake in it.\n\n```yaml\n%s```\n\n## Sections\n\n| key | what it is | left out "
        "|\n|---|---|---|\n",
        orr_experiment_example);
    for (int s = 0; s < ORR_SECTIONS; s++) {
        printf("| [`%s`](%s.md) | ", orr_sections[s].key, orr_sections[s].name);
        print_cell(orr_sections[s].help);
        if (orr_sections[s].fallback) printf(" | `%s` |\n", orr_sections[s].fallback);
        else printf(" | %s |\n", s == ORR_SECTION_INSTRUMENT ? "nothing is measured" : "*must be given*");
    }
    for (const orr_part_of_file *p = orr_experiment_parts; p->name; p++) {
        printf("| `%s` | ", p->name);
        print_cell(p->help);
        printf(" | none |\n");
    }
    printf("\n## Keys with one value\n\n");
    print_table(orr_experiment_keys);
    printf(
        "\nOne of `steps` and `epochs` must be given. The name of a kind alone is that kind with its defaults: `task: "
        "mse`, `observe: [ loss ]`.\n");
}

int orr_reference_markdown(orr_context *ctx, orr_arena *scratch, const orr_section *section) {
    (void)ctx;
    if (!section) {
        print_experiment_page();
        return ORR_EXIT_HOLDS;
    }
    printf("# %s\n\nMade by `make docs` from the program's own tables. In an [experiment file](experiment.md), under "
           "`%s`: %s.\n",
           section->name, section->key, section->help);
    if (section->fallback) printf("\nLeft out, it is `%s`.\n", section->fallback);
    for (int i = 0; section->kind(i); i++) {
        const orr_kind *kind = section->kind(i);
        const char *example = orr_kind_example(scratch, section, kind);
        if (!example) return ORR_EXIT_OURS;
        printf("\n## %s\n\n%c%s.\n\n```yaml\n%s\n```\n\n", kind->name,
               kind->help[0] >= 'a' && kind->help[0] <= 'z' ? kind->help[0] - 'a' + 'A' : kind->help[0], kind->help + 1,
               example);
        print_table(kind->parameters);
    }
    return ORR_EXIT_HOLDS;
}

/* ---- completion ------------------------------------------------------------------------------------------------------------------ */

int orr_reference_completion(bool zsh) {
    printf("%s# Completion of orrery's words, made from its tables.  %s\n"
           "_orrery() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
           "    COMPREPLY=()\n"
           "    if [ \"$COMP_CWORD\" = 1 ]; then words=\"",
           zsh ? "#compdef orrery\nautoload -U +X bashcompinit && bashcompinit\n" : "",
           zsh ? "orrery help --completion zsh >~/.zfunc/_orrery" : "eval \"$(orrery help --completion bash)\"");
    for (const orr_command *c = orr_commands; c->name; c++) printf("%s%s", c == orr_commands ? "" : " ", c->name);
    printf("\"\n    elif [ \"$before\" = --set ]; then words=\"");
    for (const orr_parameter *p = orr_experiment_keys; p->name; p++) printf("%s= ", p->name);
    for (int s = 0; s < ORR_SECTIONS; s++)
        for (int i = 0; orr_sections[s].kind(i); i++) {
            const orr_kind *kind = orr_sections[s].kind(i);
            for (const orr_parameter *p = kind->parameters; p->name; p++) {
                if (s == ORR_SECTION_INSTRUMENT) printf("observe.%s.%s= ", kind->name, p->name);
                else printf("%s.%s= ", orr_sections[s].key, p->name);
            }
        }
    printf("\"; compopt -o nospace 2>/dev/null\n"
           "    elif [ \"${COMP_WORDS[1]}\" = help ] && [ \"$COMP_CWORD\" = 2 ]; then words=\"experiment");
    for (int s = 0; s < ORR_SECTIONS; s++) printf(" %s", orr_sections[s].name);
    for (const orr_command *c = orr_commands; c->name; c++) printf(" %s", c->name);
    printf("\"\n    elif [ \"${COMP_WORDS[1]}\" = help ] && [ \"$COMP_CWORD\" = 3 ]; then\n"
           "        case ${COMP_WORDS[2]} in\n");
    for (int s = 0; s < ORR_SECTIONS; s++) {
        printf("        %s) words=\"", orr_sections[s].name);
        for (int i = 0; orr_sections[s].kind(i); i++) printf("%s%s", i ? " " : "", orr_sections[s].kind(i)->name);
        printf("\" ;;\n");
    }
    printf("        esac\n"
           "    elif [[ $word == -* ]]; then words=$(orrery \"${COMP_WORDS[1]}\" --help 2>/dev/null | grep -oE -- "
           "'--[a-z][a-z-]*' | sort -u)\n"
           "    fi\n"
           "    local IFS=$' \\n'\n"
           "    if [ -n \"$words\" ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "    else COMPREPLY=($(compgen -f -- \"$word\")); fi\n"
           "}\n"
           "complete -o filenames -F _orrery orrery\n");
    return ORR_EXIT_HOLDS;
}

/* A text between quotes of fish. */
static void print_quoted(const char *text) {
    putchar('\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') putchar('\\');
        putchar(*text);
    }
    putchar('\'');
}

int orr_reference_completion_fish(void) {
    printf("# Completion of orrery's words, made from its tables.  orrery help --completion fish "
           ">~/.config/fish/completions/orrery.fish\n"
           "function __orrery_options\n"
           "    set -l words (commandline -opc)\n"
           "    test (count $words) -gt 1; and orrery $words[2] --help 2>/dev/null | string match -ar -- "
           "'--[a-z][a-z-]*' | sort -u\n"
           "end\n"
           "complete -c orrery -n 'string match -q -- \"-*\" (commandline -ct)' -a '(__orrery_options)'\n");
    for (const orr_command *c = orr_commands; c->name; c++) {
        printf("complete -c orrery -n __fish_use_subcommand -f -a %s -d ", c->name);
        print_quoted(c->help);
        printf("\ncomplete -c orrery -n '__fish_seen_subcommand_from help' -f -a %s\n", c->name);
    }
    for (int s = 0; s < ORR_SECTIONS; s++) {
        printf("complete -c orrery -n '__fish_seen_subcommand_from help' -f -a %s -d ", orr_sections[s].name);
        print_quoted(orr_sections[s].help);
        printf("\n");
        for (int i = 0; orr_sections[s].kind(i); i++) {
            printf("complete -c orrery -n '__fish_seen_subcommand_from %s' -f -a %s -d ", orr_sections[s].name,
                   orr_sections[s].kind(i)->name);
            print_quoted(orr_sections[s].kind(i)->help);
            printf("\n");
        }
    }
    return ORR_EXIT_HOLDS;
}
