#include "device/ref/ref.h"

/* ORDER op: device/ops.def.  Every op but the sources. */
#define ELEMENTWISE(name) [ORR_OP_##name] = { NULL, orr_ref_elementwise },
#define ROW(name)         [ORR_OP_##name] = { NULL, orr_ref_##name },

const orr_device orr_device_ref = {
    .name = "ref",
    .kernel = {
        // clang-format off
        ELEMENTWISE(neg) ELEMENTWISE(exp) ELEMENTWISE(expm1) ELEMENTWISE(log) ELEMENTWISE(log1p) ELEMENTWISE(sqrt)
        ELEMENTWISE(sin) ELEMENTWISE(cos) ELEMENTWISE(tanh) ELEMENTWISE(sigmoid) ELEMENTWISE(erf)
        ELEMENTWISE(normal_cdf) ELEMENTWISE(abs) ELEMENTWISE(sign) ELEMENTWISE(floor) ELEMENTWISE(is_finite) ELEMENTWISE(not) ELEMENTWISE(stop)
        ELEMENTWISE(add) ELEMENTWISE(sub) ELEMENTWISE(mul) ELEMENTWISE(div) ELEMENTWISE(rem) ELEMENTWISE(pow)
        ELEMENTWISE(max) ELEMENTWISE(min) ELEMENTWISE(lt) ELEMENTWISE(le) ELEMENTWISE(eq) ELEMENTWISE(and)
        ELEMENTWISE(or)
        ROW(select) ROW(cast)
        ROW(sum) ROW(reduce_max)
        ROW(reshape) ROW(broadcast) ROW(transpose) ROW(slice) ROW(pad) ROW(concat)
        ROW(einsum)
        ROW(convolve) ROW(convolve_input) ROW(convolve_kernel)
        ROW(gather) ROW(scatter_add)
        ROW(random)
        // clang-format on
    },
};
