/* W_ij = scale delta_ij + noise deviation z_ij, also where W is not square.  Vectors start as in the normal kind. */
#include "base/context.h"
#include "ingredient/initial/initial.h"

static const orr_parameter parameters[] = {
    { "scale", ORR_REAL, .fallback = "1", .help = "on the diagonal of every matrix that the network sees" },
    { "noise", ORR_REAL, .fallback = "0", .range = "[0, inf)",
      .help = "in declared deviations, added to every element" },
    { 0 },
};

static orr_status draw(orr_context *ctx, orr_arena *scratch, const orr_settings *s, const orr_network *network,
                       const orr_dataset *data, uint64_t seed, double *w) {
    (void)scratch, (void)data;
    const double noise = orr_real(s, "noise"), scale = orr_real(s, "scale");
    for (int64_t i = 0; i < network->n_tensors; i++) {
        const orr_tensor *t = &network->tensors[i];
        const int64_t n = orr_shape_count(&t->shape);
        if (orr_initial_is_map(t) && t->shape.rank > 2)
            return orr_fail(ctx, ORR_EINPUT, "initial identity: %s is no matrix; it starts layers of linear maps only",
                            t->name);
        orr_initial_normal_tensor(t, seed, w);
        if (orr_initial_is_map(t)) {
            const int64_t rows = t->shape.size[0], columns = t->shape.size[1];
            for (int64_t j = 0; j < n; j++) w[j] *= noise;
            for (int64_t j = 0; j < rows && j < columns; j++) w[j * columns + j] += scale / t->multiplier;
        }
        w += n;
    }
    return ORR_OK;
}

const orr_initial orr_initial_identity = {
    .kind = { "identity", "a multiple of the identity, and noise", parameters },
    .draw = draw,
};
