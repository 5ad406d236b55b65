/* Settings of a kind as a user would write them, for tests of kinds of data. */
#ifndef ORR_TESTS_DATA_SETTINGS_H
#define ORR_TESTS_DATA_SETTINGS_H

#include "ingredient/data/data.h"
#include "testing.h"

/* words: name, value, name, value, ..., NULL.  A value of a list parameter is several words between blanks. */
static inline orr_settings settings_of(orr_arena *arena, const orr_parameter *table, const char *const *words) {
    orr_value *value = orr_parameter_fallbacks(arena, table);
    assert_non_null(value);
    for (; *words; words += 2) {
        const int i = orr_parameter_find(table, words[0]);
        const char *list[64], *expected = "";
        int n = 0;
        if (i < 0) fail_msg("no parameter %s", words[0]);
        const bool is_list = table[i].type == ORR_INTS || table[i].type == ORR_REALS;
        char *text = orr_arena_string(arena, words[1]);
        assert_non_null(text);
        if (is_list)
            for (char *word = strtok(text, " "); word && n < 64; word = strtok(NULL, " ")) list[n++] = word;
        else list[n++] = text;
        if (!orr_parameter_read(arena, &table[i], list, n, is_list, &value[i], &expected))
            fail_msg("%s: %s expected, met %s", words[0], expected, words[1]);
    }
    return (orr_settings){ .table = table, .value = value };
}

/* SETTINGS(arena, kind, "n", "10", "seed", "1") */
#define SETTINGS(arena, which, ...)                                                                                    \
    settings_of((arena), (which)->kind.parameters, (const char *const[]){ __VA_ARGS__, NULL })

static inline const orr_data *data_of(const char *name) {
    for (int i = 0; orr_data_at(i); i++)
        if (strcmp(orr_data_at(i)->kind.name, name) == 0) return orr_data_at(i);
    fail_msg("no data of kind %s", name);
    return NULL;
}

static inline const double *fact_of(const orr_dataset *d, const char *name) {
    for (int i = 0; i < d->facts.n; i++)
        if (strcmp(d->facts.item[i].name, name) == 0) return d->facts.item[i].data;
    fail_msg("no fact %s", name);
    return NULL;
}

#endif
