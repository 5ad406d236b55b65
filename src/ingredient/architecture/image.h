/* What architectures of images share: how an input is an image, and the padding that keeps its size. */
#ifndef ORR_INGREDIENT_ARCHITECTURE_IMAGE_H
#define ORR_INGREDIENT_ARCHITECTURE_IMAGE_H

#include "ingredient/architecture/architecture.h"

/* The input as [channels, y, x]: itself; [y, x] with one channel; [features] as a square of grey pixels.
 * Fails: ORR_EINPUT for other inputs, for tokens and where each position wants an answer; `name` is the architecture's. */
orr_status orr_image_shape(orr_context *ctx, const char *name, const orr_signature *signature,
                           orr_shape *out) ORR_MUST_USE;

/* The same for a signature that passed: x[n, input] -> [n, channels, y, x]. */
orr_node orr_image(orr_graph *g, const orr_signature *signature, orr_node x);

/* A square kernel.  same: zeros around, floor((kernel - 1) / 2) before and the rest behind on each axis, so that an axis of
 * n numbers leaves ceil(n / stride); else none. */
orr_convolution orr_image_convolution(int64_t kernel, int64_t stride, bool same);
/* Numbers that it leaves of n along an axis; 0 or less: the kernel doesn't fit. */
int64_t orr_image_extent(int64_t n, int64_t kernel, int64_t stride, bool same);

#endif
