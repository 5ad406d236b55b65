/* The population behind an experiment with kernel regression: what theory needs to know of it, found before anything is solved.
 *
 *   features  Gaussian inputs and the linear kernel: eigenvalues and teacher of the data
 *   sphere    inputs uniform on a sphere: eigenvalues by degree, 40 of them, and what they miss of the trace
 *   pool      any other data, or `test: pool`: all training examples, by the eigenvectors of their Gram matrix */
#ifndef ORR_LAW_KERNEL_POPULATION_H
#define ORR_LAW_KERNEL_POPULATION_H

#include "law/law.h"
#include "theory/kernel_regression.h"

typedef enum orr_population_kind {
    ORR_POPULATION_FEATURES = 0,
    ORR_POPULATION_SPHERE,
    ORR_POPULATION_POOL
} orr_population_kind;
extern const char *const orr_population_names[3];

/* The settings of the point's kernel-regression; NULL where it has none. */
const orr_settings *orr_kernel_settings(const orr_point *p);
orr_population_kind orr_population_kind_of(const orr_point *p);

/* Outputs of a target, one-hot where it is a label. */
int64_t orr_target_outputs(const orr_problem *p);

typedef struct orr_population {
    orr_kernel_spectrum spectrum;
    const double *coefficient2; /* [outputs, levels] */
    double noise;               /* variance of label noise; 0 in a pool, whose labels are functions on it */
} orr_population;

/* Cost: 4/3 n^3 and n^2 numbers, given back at once, for a pool of n.  Fails: ORR_ENOMEM, what LAPACK fails with. */
orr_status orr_population_find(orr_context *ctx, orr_arena *arena, const orr_point *point, const orr_problem *p,
                               orr_population *out) ORR_MUST_USE;
double orr_population_noise(const orr_problem *p); /* of data that have the setting `noise` */

#endif
