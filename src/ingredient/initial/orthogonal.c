/* W = s Q, Q uniform among matrices with orthonormal rows or columns: all singular values are s.
 *
 *   s   the parameter `scale`, or 0: such that elements keep their declared variance,
 *       |W|^2 = s^2 min(m, n) = deviation^2 m n,  s = deviation sqrt(max(m, n))
 * A kernel of a convolution is taken as the matrix [fan_out, fan_in].  Vectors start as in the normal kind. */
#include <math.h>

#include "base/context.h"
#include "ingredient/initial/initial.h"

static const orr_parameter parameters[] = {
    { "scale", ORR_REAL, .fallback = "0", .range = "[0, inf)",
      .help = "singular values of every matrix that the network sees; 0: elements keep their declared variance" },
    { 0 },
};

static orr_status draw(orr_context *ctx, orr_arena *scratch, const orr_settings *s, const orr_network *network,
                       const orr_dataset *data, uint64_t seed, double *w) {
    (void)data;
    const double scale = orr_real(s, "scale");
    for (int64_t i = 0; i < network->n_tensors; i++) {
        const orr_tensor *t = &network->tensors[i];
        const int64_t n = orr_shape_count(&t->shape);
        if (!orr_initial_is_map(t) || n == 0) orr_initial_normal_tensor(t, seed, w);
        else {
            const int64_t rows = t->shape.size[0], columns = n / rows;
            const double gain =
                scale > 0 ? scale / t->multiplier : t->deviation * sqrt((double)(rows > columns ? rows : columns));
            ORR_TRY(ctx, orr_initial_haar(ctx, scratch, rows, columns, seed, t->name, w));
            for (int64_t j = 0; j < n; j++) w[j] *= gain;
        }
        w += n;
    }
    return ORR_OK;
}

const orr_initial orr_initial_orthogonal = {
    .kind = { "orthogonal", "random rotations: every singular value of a layer is the same", parameters },
    .draw = draw,
};
