/* Convolution and its two adjoints are the three partial derivatives of one trilinear form
 *
 *     T(a, w, y) = sum over n, d, x, c, k of  y[n, d, x] w[d, c, k] a[n, c', s x + r k - low]     (c' = c within d's group)
 *
 *     convolve(a, w) = dT/dy    convolve_input(y, w) = dT/da    convolve_kernel(a, y) = dT/dw
 *
 * so the derivative of each with respect to an argument is one of the three again. */
#ifndef ORR_TENSOR_OP_CONVOLVE_H
#define ORR_TENSOR_OP_CONVOLVE_H

#include "tensor/op_shape.h"

/* Extent of the result along spatial axis i: (n + low + high - ((k - 1) r + 1)) / s + 1; negative where the window
 * doesn't fit. */
int64_t orr_convolution_extent(const orr_convolution *how, int32_t i, int64_t n, int64_t k);

/* Calls of the three, and what they check of each other's shapes. */
orr_node orr_convolve_forward(orr_graph *g, orr_node a, orr_node w, const orr_convolution *how);
orr_node orr_convolve_input(orr_graph *g, orr_node y, orr_node w, const orr_convolution *how, orr_shape shape);
orr_node orr_convolve_kernel(orr_graph *g, orr_node a, orr_node y, const orr_convolution *how, orr_shape shape);

/* Whether the shapes of a, w and y (in dT) fit; y may be NULL and is then written through `made`. */
bool orr_convolution_check(orr_graph *g, const char *op, const orr_convolution *how, const orr_shape *a,
                           const orr_shape *w, const orr_shape *y, orr_shape *made);

/* vmap of all three: the roles of the two arguments and of the result in T. */
typedef enum orr_conv_role { ORR_ROLE_A, ORR_ROLE_W, ORR_ROLE_Y } orr_conv_role;
orr_node orr_vmap_convolution(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n,
                              const orr_conv_role role[3]);

#endif
