/* Pictures with labels, from arrays of files to a dataset; for the kinds that read them. */
#ifndef ORR_INGREDIENT_DATA_PICTURES_H
#define ORR_INGREDIENT_DATA_PICTURES_H

#include "ingredient/data/data.h"
#include "ingredient/data/idx.h"

/* A row for ORR_DATA_PREPARATION: the training examples' mean is taken off. */
#define ORR_DATA_CENTER                                                                                                \
    {                                                                                                                  \
        "center", ORR_CHOICE, .fallback = "mean-image", .choices = "mean-image none",                                  \
                              .help = "what is taken off the numbers: the training examples' mean, or nothing"         \
    }

/* Another: smaller pictures. */
#define ORR_DATA_POOL                                                                                                  \
    {                                                                                                                  \
        "pool", ORR_INT, .fallback = "1", .range = "[1, 1000]", .unit = "pixels",                                      \
                         .help = "side of the squares whose mean becomes one pixel; a square that isn't full is left " \
                                 "out"                                                                                 \
    }

/* One part of a dataset as it lies in files; n = 0: there is none. */
typedef struct orr_pictures {
    int64_t n;
    orr_idx images, labels;
} orr_pictures;

/* Checks that images and labels are as many, and sets n.  where: begins the message. */
orr_status orr_pictures_match(orr_context *ctx, const char *where, orr_pictures *p) ORR_MUST_USE;

/* x = element / divisor, labels in [0, classes) (classes 0: as many as the largest label needs), prepared.  Numbers are made of the
 * pictures that stay alone.
 * An item [y, x] becomes [1, y, x], and is pooled where the settings have `pool`.  The arrays of images are given back to out_arena,
 * where they are its own.  Fails: ORR_EINPUT for a label that is no class, parts of different shapes, and what orr_data_select and
 * orr_data_transform refuse; ORR_ENOMEM. */
orr_status orr_pictures_dataset(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const char *source,
                                const orr_pictures *train, const orr_pictures *test, double divisor, int64_t classes,
                                orr_dataset *out) ORR_MUST_USE;

#endif
