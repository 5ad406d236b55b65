/* Which points of a sweep belong together: those that differ in some settings alone. */
#ifndef ORR_LAW_GROUPING_H
#define ORR_LAW_GROUPING_H

#include "law/law.h"

/* (*first)[i] is the first point that point i equals in all settings but these, which end with NULL: dotted keys, and "width" for
 * whatever the architecture calls its width.  Networks of several depths never are alike.  In out_arena.  Fails: ORR_ENOMEM. */
orr_status orr_points_alike(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, const char *const *but,
                            int64_t **first) ORR_MUST_USE;

/* The same for points whose network, parameterization and data differ by their width alone: task, rule and length may too. */
orr_status orr_points_by_network(orr_context *ctx, orr_arena *out_arena, const orr_experiment *e,
                                 int64_t **first) ORR_MUST_USE;

/* Puts x among the *n ascending numbers of a list that has room, if it isn't there: different widths, rates, batch sizes. */
void orr_insert_ascending(double *list, int64_t *n, double x);

/* The narrowest of what the architecture calls its width; 0 where nothing makes it wider. */
int64_t orr_point_width(const orr_point *point);

#endif
