/* A law along an axis, also past its regime: where it holds, measured. */
#ifndef ORR_LAW_MAP_H
#define ORR_LAW_MAP_H

#include "law/run.h"

/* Values of one key of an experiment: from ... to, evenly spaced, or by equal factors (log). */
typedef struct orr_axis {
    const char *key; /* dotted: rule.learning_rate */
    double from, to;
    int64_t n;
    bool log;
} orr_axis;

enum { ORR_AXIS_VALUES = 5, ORR_AXIS_VALUES_MAX = 1000 };

/* From KEY=FROM:TO[:N][,log].  Fails: ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_axis_parse(orr_context *ctx, orr_arena *out_arena, const char *text, orr_axis *out) ORR_MUST_USE;

/* The i-th value, in the form that the key has in `base`: a whole number stays whole, a list of numbers gets it in each place.
 * *set is KEY=VALUE for orr_experiment_options.  Fails: ORR_EINPUT where no point of base has such a number. */
orr_status orr_axis_set(orr_context *ctx, orr_arena *out_arena, const orr_axis *axis, int64_t i,
                        const orr_experiment *base, double *value, const char **set) ORR_MUST_USE;
/* Whether all points have that value: a sweep may change the key itself, and is stronger.  Fails: ORR_EINPUT where one hasn't. */
orr_status orr_axis_check(orr_context *ctx, const orr_axis *axis, double value, const orr_experiment *e) ORR_MUST_USE;

/* What became of the law at a value. */
typedef struct orr_map_point {
    double value;
    orr_law_outcome outcome;
    const char *trouble; /* why nothing could be measured there; NULL: it was, or the law is out of regime */
} orr_map_point;

/* Whether the law holds there. */
bool orr_map_holds(const orr_map_point *p);
/* Between the i-th and the next value the verdict changes: where, halfway on the axis. */
double orr_map_boundary(const orr_axis *axis, const orr_map_point *p, int64_t i);

/* The map as JSON (new): law, axis, words (as orr_map_words), points with all checks, boundaries.  words are borrowed. */
json_t *orr_map_json(const orr_law *law, const orr_axis *axis, const char *words, const orr_map_point *p, int64_t n);
/* "holds from 16 to 256; not at 512, 1024" */
const char *orr_map_words(orr_arena *out_arena, const orr_map_point *p, int64_t n);
/* The panels of such JSON (new array): agreement against the axis, a panel for each check that spoke. */
json_t *orr_map_panels(const orr_law *law, const json_t *map);
/* Keeps a map in the store; orr_map_recall finds it again.  base: the experiment that the axis changes, as it is without. */
orr_status orr_map_keep(orr_context *ctx, orr_arena *scratch, orr_store *store, const orr_law *law, const char *axis,
                        const orr_experiment *base, const json_t *map) ORR_MUST_USE;
/* The newest map that the store keeps of a law with that experiment, along any axis (new); *axis as --axis takes it.  *map = NULL
 * where there is none. */
orr_status orr_map_recall(orr_context *ctx, orr_arena *out_arena, orr_store *store, const orr_law *law,
                          const orr_experiment *base, const char **axis, json_t **map) ORR_MUST_USE;
/* A page with agreement against the axis. */
orr_status orr_map_write_page(orr_context *ctx, orr_arena *scratch, const orr_law *law, const json_t *map,
                              const char *command, const char *path) ORR_MUST_USE;

#endif
