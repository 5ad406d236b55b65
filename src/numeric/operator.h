/* A linear operator that is known only by its products, v -> A v: a Hessian is one jvp of a gradient.
 *
 * n      rows and columns; vectors are n contiguous doubles
 * apply  writes A v to out; v and out don't overlap; v is only read.  Its status is passed up by whatever calls it, and
 *        a NaN in out is the caller's to see: it ends an iteration with ORR_REASON_NONFINITE.
 * Symmetric unless the function that takes it says otherwise; nothing checks that. */
#ifndef ORR_NUMERIC_OPERATOR_H
#define ORR_NUMERIC_OPERATOR_H

#include <stdint.h>

#include "orrery.h"

typedef struct orr_operator {
    int64_t n;
    orr_status (*apply)(void *self, const double *v, double *out);
    void *self;
} orr_operator;

#endif
