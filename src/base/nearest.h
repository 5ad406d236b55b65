/* "Did you mean": the nearest of a list of names. */
#ifndef ORR_BASE_NEAREST_H
#define ORR_BASE_NEAREST_H

/* The name that takes the fewest edits (insert, delete, replace, swap of neighbours) to become `word`, or NULL where
 * none is near: more edits than a third of the longer of the two, rounded up.  Ties: the first in the list. */
const char *orr_nearest(const char *word, const char *const *names, int n);

#endif
