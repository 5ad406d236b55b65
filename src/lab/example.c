#include "lab/example.h"

#include <stdio.h>
#include <string.h>

const char orr_experiment_example[] =
    "name: widths\n"
    "architecture: { kind: mlp, widths: [32, 32] }\n"
    "data: { kind: fashion-mnist, n: 500 }\n"
    "task: mse\n"
    "rule: { kind: gd, learning_rate: 0.1 }\n"
    "steps: 2000\n"
    "observe: [ loss, { kind: sharpness, every: 50 } ]\n"
    "seeds: 3\n"
    "sweep:\n"
    "  grid: { rule.learning_rate: [0.05, 0.1], architecture.widths: [[32, 32], [64, 64]] }\n";

/* A value that the parameter takes, as it is written in a file; "" where none of the likely ones does. */
static const char *likely_value(orr_arena *arena, const orr_parameter *p) {
    static const char *const numbers[] = { "0.1", "10", "1", "2", "0.5", "3", "0", "-1" };
    const bool list = p->type == ORR_INTS || p->type == ORR_REALS;
    if (p->type == ORR_FLAG) return "true";
    if (p->type == ORR_TEXT) return "WORD";
    if (p->type == ORR_CHOICE) return orr_arena_format(arena, "%.*s", (int)strcspn(p->choices, " "), p->choices);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        orr_value value;
        const char *expected;
        if (orr_parameter_read(arena, p, &numbers[i], 1, list, &value, &expected))
            return list ? orr_arena_format(arena, "[%s, %s]", numbers[i], numbers[i]) : numbers[i];
    }
    return "";
}

char *orr_kind_example(orr_arena *out_arena, const orr_section *section, const orr_kind *kind) {
    char text[1000];
    (void)snprintf(text, sizeof text, "{ kind: %s", kind->name);
    for (const orr_parameter *p = kind->parameters; p->name; p++) {
        const size_t used = strlen(text);
        const char *value = p->fallback ? NULL : likely_value(out_arena, p);
        if (value) (void)snprintf(text + used, sizeof text - used, ", %s: %s", p->name, value);
    }
    const bool list = section == &orr_sections[ORR_SECTION_INSTRUMENT];
    return orr_arena_format(out_arena, "%s: %s%s }%s", section->key, list ? "[ " : "", text, list ? " ]" : "");
}
