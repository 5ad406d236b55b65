/* What the files of the CPU device share. */
#ifndef ORR_DEVICE_CPU_CPU_H
#define ORR_DEVICE_CPU_CPU_H

#include "device/cpu/kernels.h"
#include "device/fused.h"

orr_status orr_cpu_fused_prepare(orr_context *ctx, orr_arena *arena, const orr_fused *f, void **plan,
                                 size_t *workspace);
void orr_cpu_fused_bind(const orr_fused *f, void *plan, void *workspace);
orr_status orr_cpu_fused_run(orr_context *ctx, const orr_fused *f, void *plan, void *workspace, orr_pool *pool);

/* Elements of one view into another of the same shape and dtype.  pool may be NULL: on the caller alone. */
void orr_cpu_copy_view(orr_pool *pool, const orr_view *from, const orr_view *to);

orr_status orr_cpu_einsum_prepare(orr_context *ctx, orr_arena *arena, const orr_launch *l, void **plan,
                                  size_t *workspace);
orr_status orr_cpu_einsum_run(orr_context *ctx, const orr_launch *l);
orr_status orr_cpu_convolve_prepare(orr_context *ctx, orr_arena *arena, const orr_launch *l, void **plan,
                                    size_t *workspace);
orr_status orr_cpu_convolve_run(orr_context *ctx, const orr_launch *l); /* all three of convolve.h */
orr_status orr_cpu_copy_run(orr_context *ctx, const orr_launch *l);     /* stop, reshape */
orr_status orr_cpu_pad_run(orr_context *ctx, const orr_launch *l);
orr_status orr_cpu_concat_run(orr_context *ctx, const orr_launch *l);
orr_status orr_cpu_random_run(orr_context *ctx, const orr_launch *l);
orr_status orr_cpu_gather_run(orr_context *ctx, const orr_launch *l);
orr_status orr_cpu_scatter_add_run(orr_context *ctx, const orr_launch *l);

#endif
