/* A sweep: the points of an experiment as changes of it. */
#ifndef ORR_LAB_SWEEP_H
#define ORR_LAB_SWEEP_H

#include "lab/overlay.h"

enum { ORR_SWEEP_POINTS_MAX = 10000 };

/* A list of changes: as the file has it, or made of { grid: ..., zip: ... }: the first key of the grid moves slowest, and what
 * is zipped fastest; an item of a list may be such a map as well, beside what it changes.  NULL where it is no sweep, with its mistakes. */
const orr_yaml *orr_sweep_points(orr_mistakes *m, const orr_yaml *sweep);

#endif
