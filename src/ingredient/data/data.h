/* Data: the second ingredient.  A kind of data is one file here, one row in data.def. */
#ifndef ORR_INGREDIENT_DATA_DATA_H
#define ORR_INGREDIENT_DATA_DATA_H

#include "base/arena.h"
#include "base/parameter.h"
#include "orrery.h"

/* Examples, prepared: what a network sees. */
typedef struct orr_dataset {
    int64_t n, features, classes;
    const double *x;      /* [n, features] */
    const int32_t *label; /* [n], each in [0, classes) */
    const char *source;   /* where they came from, for people */
} orr_dataset;

typedef struct orr_data {
    orr_kind kind;
    /* The dataset lives in out_arena.  Fails: ORR_EIO, ORR_EINPUT, ORR_ENOMEM, with the place and what to do. */
    orr_status (*load)(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, orr_dataset *out);
} orr_data;

const orr_data *orr_data_at(int i); /* the kinds in their order; NULL past the last */

#endif
