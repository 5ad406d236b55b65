/* YAML as a tree that knows where each word stood, through libyaml. */
#ifndef ORR_LAB_YAML_H
#define ORR_LAB_YAML_H

#include "base/arena.h"
#include "orrery.h"

typedef enum orr_yaml_type { ORR_YAML_WORD = 0, ORR_YAML_LIST, ORR_YAML_MAP } orr_yaml_type;

typedef struct orr_yaml orr_yaml;
struct orr_yaml {
    orr_yaml_type type;
    int line, column;       /* from 1 */
    const char *word;       /* ORR_YAML_WORD */
    int64_t n;              /* items of a list, pairs of a map */
    const orr_yaml **key;   /* ORR_YAML_MAP: words */
    const orr_yaml **value; /* ORR_YAML_MAP, ORR_YAML_LIST */
};

/* One document; `name` stands in messages.  Fails, with name, line and column: ORR_EINPUT (a mistake of YAML, no document
 * or several, a key that is no word or stands twice, a zero byte, more than 1 MiB), ORR_ENOMEM. */
orr_status orr_yaml_parse(orr_context *ctx, orr_arena *out_arena, const char *name, const char *text, size_t n,
                          const orr_yaml **out) ORR_MUST_USE;

/* The value of a key; NULL where there is none. */
const orr_yaml *orr_yaml_get(const orr_yaml *map, const char *key);

const char *orr_yaml_type_words(orr_yaml_type type); /* "a list" */

#endif
