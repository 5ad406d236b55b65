#include "simd/simd.h"

extern const orr_simd_loops orr_simd_loops_base;
#if defined(ORR_X86_LEVELS)
extern const orr_simd_loops orr_simd_loops_v3, orr_simd_loops_v4;
#endif

orr_simd_level orr_simd_choose(void) {
#if defined(ORR_X86_LEVELS)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return ORR_SIMD_V4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma"))
        return ORR_SIMD_V3;
#endif
    return ORR_SIMD_BASE;
}

const orr_simd_loops *orr_simd(void) {
#if defined(ORR_X86_LEVELS)
    static const orr_simd_loops *const loops[ORR_SIMD_LEVELS] = { &orr_simd_loops_base, &orr_simd_loops_v3,
                                                                  &orr_simd_loops_v4 };
    return loops[orr_simd_choose()];
#else
    return &orr_simd_loops_base;
#endif
}
