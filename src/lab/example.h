/* How a kind is written in a file: a line that can be read back, made from its table. */
#ifndef ORR_LAB_EXAMPLE_H
#define ORR_LAB_EXAMPLE_H

#include "lab/section.h"

/* "rule: { kind: gd, learning_rate: 0.1 }": what must be given is there.  NULL where memory is out. */
char *orr_kind_example(orr_arena *out_arena, const orr_section *section, const orr_kind *kind);

/* A whole experiment. */
extern const char orr_experiment_example[];

#endif
