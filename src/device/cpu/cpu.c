#include "device/cpu/cpu.h"

/* What isn't named here runs as on ref.  Elementwise nodes and reductions always come as fused groups. */
const orr_device orr_device_cpu = {
    .name = "cpu",
    .kernel = {
        [ORR_OP_stop] = { NULL, orr_cpu_copy_run },
        [ORR_OP_reshape] = { NULL, orr_cpu_copy_run },
        [ORR_OP_pad] = { NULL, orr_cpu_pad_run },
        [ORR_OP_concat] = { NULL, orr_cpu_concat_run },
        [ORR_OP_einsum] = { orr_cpu_einsum_prepare, orr_cpu_einsum_run },
        [ORR_OP_convolve] = { orr_cpu_convolve_prepare, orr_cpu_convolve_run },
        [ORR_OP_convolve_input] = { orr_cpu_convolve_prepare, orr_cpu_convolve_run },
        [ORR_OP_convolve_kernel] = { orr_cpu_convolve_prepare, orr_cpu_convolve_run },
        [ORR_OP_gather] = { NULL, orr_cpu_gather_run },
        [ORR_OP_scatter_add] = { NULL, orr_cpu_scatter_add_run },
        [ORR_OP_random] = { NULL, orr_cpu_random_run },
    },
    .fused_prepare = orr_cpu_fused_prepare,
    .fused_bind = orr_cpu_fused_bind,
    .fused_run = orr_cpu_fused_run,
};
