/* Loops over random draws, compiled once for each instruction set (draws.c) and chosen when a program runs. */
#ifndef ORR_DEVICE_CPU_DRAWS_H
#define ORR_DEVICE_CPU_DRAWS_H

#include <stdint.h>

/* Elements [first, first + n) of a Philox stream, as base/random.h draws them; first is a multiple of 4. */
typedef struct orr_cpu_draws {
    void (*normal_f64)(const uint32_t key[4], uint64_t first, int64_t n, double *out);
    void (*normal_f32)(const uint32_t key[4], uint64_t first, int64_t n, float *out);
} orr_cpu_draws;

/* The best set that this processor runs. */
const orr_cpu_draws *orr_cpu_draws_choose(void);

extern const orr_cpu_draws orr_cpu_draws_base;
#if defined(ORR_X86_LEVELS)
extern const orr_cpu_draws orr_cpu_draws_v3;
extern const orr_cpu_draws orr_cpu_draws_v4;
#endif

#endif
