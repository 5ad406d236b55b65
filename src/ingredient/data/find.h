/* Where a dataset's files are looked for. */
#ifndef ORR_INGREDIENT_DATA_FIND_H
#define ORR_INGREDIENT_DATA_FIND_H

#include "base/arena.h"
#include "orrery.h"

/* The folder that holds `file` or `file`.gz, in this order:
 *   `folder` alone, where it is not ""
 *   $ORRERY_DATA/<dataset>, $ORRERY_DATA, where the variable is set
 *   /usr/share/datasets/<dataset>
 *   ./data/<dataset>, ./data
 * *path gets the whole path of the file, in out_arena.
 * Fails: ORR_EIO, with every place that was looked at and `remedy`; ORR_ENOMEM. */
orr_status orr_data_find(orr_context *ctx, orr_arena *out_arena, const char *dataset, const char *folder,
                         const char *file, const char *remedy, const char **path) ORR_MUST_USE;

/* The same with a folder `below`, which is looked into before each of those places themselves (an archive unpacks into a
 * folder of its own), and a `last` place after them; either may be NULL. */
orr_status orr_data_find_below(orr_context *ctx, orr_arena *out_arena, const char *dataset, const char *folder,
                               const char *file, const char *below, const char *last, const char *remedy,
                               const char **path) ORR_MUST_USE;

#endif
