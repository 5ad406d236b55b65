/* Changes of an experiment: a tree laid over another one, from --set, from `sizes`, or from a point of the sweep. */
#ifndef ORR_LAB_OVERLAY_H
#define ORR_LAB_OVERLAY_H

#include "lab/section.h"
#include "lab/yaml.h"

/* { kind: word } for the short form of a section, or the section as it is: `rule: gd`, and `initial: a.npz`, which is
 * { kind: file, path: a.npz }. */
const orr_yaml *orr_overlay_expand(orr_mistakes *m, const orr_section *section, const orr_yaml *value);

/* A new tree.  Sections are changed key by key, but another `kind` replaces the whole section; `observe` given as a map
 * changes the instruments that its keys name; steps and epochs replace each other; all else is replaced.
 * base and change are maps; NULL comes back where memory is out. */
const orr_yaml *orr_overlay(orr_mistakes *m, const orr_yaml *base, const orr_yaml *change);

/* "learning_rate=0.1 widths=32,32": what a change says, for people; in the mistakes' arena, "" for an empty one. */
const char *orr_overlay_name(orr_mistakes *m, const orr_yaml *change);

#endif
