#include "ingredient/architecture/image.h"

#include "base/context.h"

/* the side of a square of n pixels; 0 where n is none */
static int64_t side_of(int64_t n) {
    int64_t side = 0;
    while (side * side < n) side++;
    return side * side == n ? side : 0;
}

static bool image_of(const orr_shape *input, orr_shape *out) {
    *out = *input;
    if (input->rank == 2) *out = ORR_SHAPE(1, input->size[0], input->size[1]);
    if (input->rank == 1) *out = ORR_SHAPE(1, side_of(input->size[0]), side_of(input->size[0]));
    return out->rank == 3 && orr_shape_count(out) > 0;
}

orr_status orr_image_shape(orr_context *ctx, const char *name, const orr_signature *signature, orr_shape *out) {
    const orr_shape *in = &signature->input;
    if (signature->vocabulary || signature->sequence)
        return orr_fail(ctx, ORR_EINPUT, "%s: takes images and gives one answer an image, no tokens", name);
    if (image_of(in, out)) return ORR_OK;
    if (in->rank == 1)
        return orr_fail(ctx, ORR_EINPUT,
                        "%s: takes images, [channels, y, x] or a square of grey pixels; the data has %lld features, "
                        "which is no square",
                        name, (long long)in->size[0]);
    return orr_fail(ctx, ORR_EINPUT,
                    "%s: takes images, [channels, y, x] or a square of grey pixels; the data has %d axes", name,
                    (int)in->rank);
}

orr_node orr_image(orr_graph *g, const orr_signature *signature, orr_node x) {
    orr_shape image;
    if (signature->input.rank == 3) return x;
    (void)image_of(&signature->input, &image);
    return orr_reshape(g, x, ORR_SHAPE(-1, image.size[0], image.size[1], image.size[2]));
}

orr_convolution orr_image_convolution(int64_t kernel, int64_t stride, bool same) {
    const int64_t low = same ? (kernel - 1) / 2 : 0, high = same ? kernel / 2 : 0;
    return (orr_convolution){ .stride = { stride, stride }, .low = { low, low }, .high = { high, high } };
}

int64_t orr_image_extent(int64_t n, int64_t kernel, int64_t stride, bool same) {
    const int64_t places = same ? n : n - kernel + 1;
    return places > 0 ? (places - 1) / stride + 1 : 0;
}
