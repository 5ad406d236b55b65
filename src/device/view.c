#include "device/device.h"

orr_view orr_view_contiguous(orr_dtype dtype, const orr_shape *shape) {
    orr_view v = { .dtype = dtype, .shape = *shape };
    int64_t stride = 1;
    for (int32_t i = shape->rank - 1; i >= 0; i--) {
        v.stride[i] = stride;
        stride *= shape->size[i];
    }
    return v;
}

bool orr_view_is_contiguous(const orr_view *view) {
    int64_t stride = 1;
    for (int32_t i = view->shape.rank - 1; i >= 0; i--) {
        if (view->shape.size[i] != 1 && view->stride[i] != stride) return false;
        stride *= view->shape.size[i];
    }
    return true;
}

const orr_kernel *orr_device_kernel(const orr_device *device, orr_op_code code) {
    return device->kernel[code].run ? &device->kernel[code] : &orr_device_ref.kernel[code];
}
