/* Settings of a table from names and words, as a file would give them. */
#ifndef ORR_TESTS_INGREDIENT_SETTINGS_H
#define ORR_TESTS_INGREDIENT_SETTINGS_H

#include "base/parameter.h"
#include "testing.h"

/* settings_of(arena, table, "widths", "3 4", "bias", "false", NULL): the rest falls back. */
static inline orr_settings settings_of(orr_arena *a, const orr_parameter *table, ...) {
    orr_value *value = orr_parameter_fallbacks(a, table);
    va_list list;
    assert_non_null(value);
    va_start(list, table);
    for (const char *name; (name = va_arg(list, const char *)) != NULL;) {
        const int i = orr_parameter_find(table, name);
        if (i < 0) fail_msg("no parameter %s", name);
        const char *words[16], *expected;
        int n = 0;
        char *text = orr_arena_string(a, va_arg(list, const char *));
        const bool is_list = table[i].type == ORR_INTS || table[i].type == ORR_REALS;
        if (!is_list) words[n++] = text;
        else
            for (char *save, *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
                words[n++] = word;
        if (!orr_parameter_read(a, &table[i], words, n, is_list, &value[i], &expected))
            fail_msg("%s: expected %s", name, expected);
    }
    va_end(list);
    return (orr_settings){ table, value };
}

#endif
