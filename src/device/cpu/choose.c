#include "device/cpu/kernels.h"

const orr_cpu_kernels *orr_cpu_kernels_choose(void) {
#if defined(ORR_X86_LEVELS)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return &orr_cpu_kernels_v4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma"))
        return &orr_cpu_kernels_v3;
#endif
    return &orr_cpu_kernels_base;
}
