/* w_i = mean + deviation z_i, z_i ~ N(0, 1): what architecture and parameterization declare. */
#include "ingredient/initial/initial.h"

static const orr_parameter parameters[] = { { 0 } };

static orr_status draw(orr_context *ctx, orr_arena *scratch, const orr_settings *s, const orr_network *network,
                       const orr_dataset *data, uint64_t seed, double *w) {
    (void)ctx, (void)scratch, (void)s, (void)data;
    for (int64_t i = 0; i < network->n_tensors; i++) {
        orr_initial_normal_tensor(&network->tensors[i], seed, w);
        w += orr_shape_count(&network->tensors[i].shape);
    }
    return ORR_OK;
}

const orr_initial orr_initial_normal = {
    .kind = { "normal", "independent normal numbers of the declared deviations", parameters },
    .draw = draw,
};
