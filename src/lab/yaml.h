/* YAML as a tree that knows where each word stood, through libyaml; and the few ways in which such trees are changed. */
#ifndef ORR_LAB_YAML_H
#define ORR_LAB_YAML_H

#include "base/utf8.h"
#include "lab/mistakes.h"

typedef enum orr_yaml_type { ORR_YAML_WORD = 0, ORR_YAML_LIST, ORR_YAML_MAP } orr_yaml_type;

/* Never written to after it was made; trees share their branches. */
typedef struct orr_yaml orr_yaml;
struct orr_yaml {
    orr_yaml_type type;
    orr_place at;
    const char *word;       /* ORR_YAML_WORD */
    int64_t n;              /* items of a list, pairs of a map */
    const orr_yaml **key;   /* ORR_YAML_MAP: words, no two alike */
    const orr_yaml **value; /* ORR_YAML_MAP, ORR_YAML_LIST */
};

/* One document; NULL where there is none to be read.  Mistakes: of YAML, no document or several, a key that is no word or
 * stands twice, a zero byte, an alias inside its anchor, nesting deeper than 16, a map of more than 200 keys, more than
 * 1 MiB.  source: orr_place. */
const orr_yaml *orr_yaml_parse(orr_mistakes *m, const char *text, size_t n, int source);

/* The value of a key; NULL where there is none or the tree is no map. */
const orr_yaml *orr_yaml_get(const orr_yaml *map, const char *key);

/* New nodes; NULL, and m->no_memory, where memory is out. */
const orr_yaml *orr_yaml_word(orr_mistakes *m, orr_place at, const char *word);
/* A map that has another's pairs, but for one key, which gets the value (NULL: which goes).  map NULL: an empty one. */
const orr_yaml *orr_yaml_with(orr_mistakes *m, const orr_yaml *map, const orr_yaml *key, const orr_yaml *value);
/* Both maps' pairs, and so on inside where both have a map; where they disagree, b's. */
const orr_yaml *orr_yaml_join(orr_mistakes *m, const orr_yaml *a, const orr_yaml *b);
/* "rule.learning_rate" and a value: { rule: { learning_rate: value } }.  NULL, with a mistake, where a part is empty. */
const orr_yaml *orr_yaml_dotted(orr_mistakes *m, const orr_yaml *key, const orr_yaml *value);

const char *orr_yaml_type_words(orr_yaml_type type); /* "a list" */
/* At most 40 characters of a word, fit for a message. */
#define ORR_SHOWN(word) (orr_excerpt_of((word), strlen(word)).text)
/* "a list", "a map of keys and values", "nothing", "'word'" (in the mistakes' arena) */
const char *orr_yaml_words(orr_mistakes *m, const orr_yaml *node);

#endif
