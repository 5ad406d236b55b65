/* The reference device: plain loops, one kernel a primitive, over any views.  Made to be right and to be read; float32
 * sums are kept in float64 and rounded once.  One thread, no workspace, no preparation: a device may fall back on
 * orr_device_ref.kernel[code].run with the launch at hand. */
#ifndef ORR_DEVICE_REF_REF_H
#define ORR_DEVICE_REF_REF_H

#include "device/device.h"

/* Sources, for compile.  out: any strides, without repeats.
 * fill: every element is value: f32 rounded, i32 towards zero and saturating (NaN: 0), bool value != 0.
 * iota: the index along axis, not bool.
 * copy: from and to of one shape and dtype, not overlapping unless they are the same view. */
void orr_ref_fill(const orr_view *out, double value);
void orr_ref_iota(const orr_view *out, int32_t axis);
void orr_ref_copy(const orr_view *from, const orr_view *to);

/* Towards zero, saturating; NaN gives 0. */
int32_t orr_ref_to_i32(double a);

/* The rows of the table, ref.c. */
orr_status orr_ref_elementwise(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_select(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_cast(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_sum(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_reduce_max(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_reshape(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_broadcast(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_transpose(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_slice(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_pad(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_concat(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_einsum(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_convolve(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_convolve_input(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_convolve_kernel(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_gather(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_scatter_add(orr_context *ctx, const orr_launch *l);
orr_status orr_ref_random(orr_context *ctx, const orr_launch *l);

#endif
