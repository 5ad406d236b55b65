/* From a tree to checked values: one value, one table, one kind.  Mistakes are collected, reading goes on. */
#ifndef ORR_LAB_READING_H
#define ORR_LAB_READING_H

#include "lab/section.h"
#include "lab/yaml.h"

bool orr_read_is(orr_mistakes *m, const orr_yaml *node, orr_yaml_type type, const char *what);

/* Every key of a map is one of the names. */
void orr_read_keys(orr_mistakes *m, const orr_yaml *map, const char *what, const char *const *names, int n);

/* Whether a key of the map is no name, but was meant to be this one: it isn't missing then. */
bool orr_read_mistyped(const orr_yaml *map, const char *const *names, int n, const char *name);

/* The values of a table from a map; keys that the table lacks are left alone.  whole: what has no fallback must be there.
 * value: [the table], fallbacks first; NULL where memory is out. */
orr_settings orr_read_table(orr_mistakes *m, const char *what, const orr_parameter *table, const orr_yaml *map,
                            bool whole);

/* A kind with its values; -1 where it can't be told which, else its index.  node NULL: the section's fallback, or a mistake
 * at `parent` where it has none and `whole` is set. */
int orr_read_kind(orr_mistakes *m, const orr_section *section, const orr_yaml *node, const orr_yaml *parent, bool whole,
                  orr_settings *out);

#endif
