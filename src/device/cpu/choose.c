#include "device/cpu/draws.h"
#include "device/cpu/kernels.h"
#include "simd/simd.h"

const orr_cpu_kernels *orr_cpu_kernels_choose(void) {
#if defined(ORR_X86_LEVELS)
    static const orr_cpu_kernels *const kernels[ORR_SIMD_LEVELS] = { &orr_cpu_kernels_base, &orr_cpu_kernels_v3,
                                                                     &orr_cpu_kernels_v4 };
    return kernels[orr_simd_choose()];
#else
    return &orr_cpu_kernels_base;
#endif
}

const orr_cpu_draws *orr_cpu_draws_choose(void) {
#if defined(ORR_X86_LEVELS)
    static const orr_cpu_draws *const draws[ORR_SIMD_LEVELS] = { &orr_cpu_draws_base, &orr_cpu_draws_v3,
                                                                 &orr_cpu_draws_v4 };
    return draws[orr_simd_choose()];
#else
    return &orr_cpu_draws_base;
#endif
}
