/* Sections of an experiment file: what has kinds.  One table, which reading, help, reference pages and completion share. */
#ifndef ORR_LAB_SECTION_H
#define ORR_LAB_SECTION_H

#include "base/parameter.h"

/* ORDER section: section.c */
typedef enum orr_section_id {
    ORR_SECTION_ARCHITECTURE = 0,
    ORR_SECTION_PARAMETERIZATION,
    ORR_SECTION_INITIAL,
    ORR_SECTION_DATA,
    ORR_SECTION_TASK,
    ORR_SECTION_RULE,
    ORR_SECTION_INSTRUMENT,
    ORR_SECTIONS
} orr_section_id;

typedef struct orr_section {
    const char *name; /* the topic of help */
    const char *key;  /* in a file; `observe` is a list of them */
    const char *help;
    const char *fallback;           /* the kind where the file has none; NULL: one must be given */
    const orr_kind *(*kind)(int i); /* the kinds in their order; NULL past the last */
} orr_section;

extern const orr_section orr_sections[ORR_SECTIONS];

/* Keys of a file with one value each; ends with { 0 }.  The first ORR_POINT_KEYS may change from point to point. */
extern const orr_parameter orr_experiment_keys[];
enum { ORR_POINT_KEYS = 7 };

/* Keys with more inside that are no sections; each ends with a NULL name. */
typedef struct orr_part_of_file {
    const char *name, *help;
} orr_part_of_file;
extern const orr_part_of_file orr_experiment_parts[];

#endif
