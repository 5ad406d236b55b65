/* Random numbers by counter: draw i of a stream is a function of (seed, purpose, step, i) and of nothing else, so that
 * no order of work, number of threads or restart can change it.
 *
 * Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), by Random123:
 *
 *     key     = { seed low, seed high }
 *     counter = { block low, block high, purpose, step }     four 32-bit words a block
 *     32-bit draw i = word i % 4 of block i / 4
 *     64-bit draw i = words 2 (i % 2), low, and 2 (i % 2) + 1, high, of block i / 2
 *
 * The tensor engine's random ops use the same mapping.  ORDER random: device/, tensor/op/random.
 * 32- and 64-bit draws of one key overlap: give each use a purpose of its own. */
#ifndef ORR_BASE_RANDOM_H
#define ORR_BASE_RANDOM_H

#include "orrery.h"

typedef struct orr_key {
    uint64_t seed;
    uint32_t purpose; /* an orr_purpose, or orr_purpose_of a name */
    uint32_t step;
} orr_key;

/* What a stream is for.  Stored experiments depend on the numbers: append only. */
typedef enum orr_purpose {
    ORR_PURPOSE_NONE = 0,
    ORR_PURPOSE_INIT = 1,     /* initial parameters; several parameters: orr_purpose_of their names */
    ORR_PURPOSE_DATA = 2,     /* synthetic data */
    ORR_PURPOSE_TEACHER = 3,  /* the target function of synthetic data */
    ORR_PURPOSE_NOISE = 4,    /* label noise, noise of a rule */
    ORR_PURPOSE_SPLIT = 5,    /* which examples train, which test */
    ORR_PURPOSE_BATCH = 6,    /* which examples a step sees */
    ORR_PURPOSE_PROBE = 7,    /* probe vectors of estimators (Lanczos, Hutchinson) */
    ORR_PURPOSE_RESAMPLE = 8, /* bootstrap intervals */
    ORR_PURPOSE_TEST = 9
} orr_purpose;

/* A purpose from a name ("layer1.weight"): FNV-1a of its bytes with the top bit set, so never one of the enum's. */
uint32_t orr_purpose_of(const char *name);

/* The four words of one block. */
void orr_random_block(orr_key key, uint64_t block, uint32_t word[4]);

/* out[j] = element first + j of the stream, 0 <= j < n.
 * uniform  f64: (64-bit draw >> 11) 2^-53;  f32: (32-bit draw >> 8) 2^-24;  in [0, 1)
 * normal   Box-Muller: with u1, u2 = uniforms 2 (i / 2) and 2 (i / 2) + 1 of the same type, r = sqrt(-2 log(1 - u1)),
 *          element i is r cos(2 pi u2) where i is even, r sin(2 pi u2) where it is odd; f32 is computed in float
 * sign     1 where the lowest bit of 32-bit draw i is 0, else -1
 * int      (32-bit draw i * below) >> 32, in [0, below); 0 < below.  Off uniform by less than below 2^-32. */
void orr_random_fill_uniform(orr_key key, uint64_t first, int64_t n, double *out);
void orr_random_fill_uniform_f32(orr_key key, uint64_t first, int64_t n, float *out);
void orr_random_fill_normal(orr_key key, uint64_t first, int64_t n, double *out);
void orr_random_fill_normal_f32(orr_key key, uint64_t first, int64_t n, float *out);
void orr_random_fill_sign(orr_key key, uint64_t first, int64_t n, double *out);
void orr_random_fill_sign_f32(orr_key key, uint64_t first, int64_t n, float *out);
void orr_random_fill_int(orr_key key, uint64_t first, int64_t n, int32_t below, int32_t *out);

/* A uniform permutation of 0 .. n-1, exactly so up to the generator: Fisher-Yates, draws rejected where they would
 * favour small values. */
void orr_random_permutation(orr_key key, int64_t n, int64_t *out);

#endif
