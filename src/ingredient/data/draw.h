/* Pieces of the kinds that generate examples: what is drawn on the host once (facts), and targets as graphs. */
#ifndef ORR_INGREDIENT_DATA_DRAW_H
#define ORR_INGREDIENT_DATA_DRAW_H

#include "base/random.h"
#include "ingredient/data/data.h"

/* Parts of a sample's key, for orr_data_key. */
enum { ORR_DRAW_INPUT = 0, ORR_DRAW_NOISE, ORR_DRAW_LABEL, ORR_DRAW_TASK };

/* `rows` orthonormal rows of length n, rows <= n, uniformly drawn: Gram-Schmidt, twice, on the normal stream of key.
 * Exact to a few eps. */
void orr_draw_orthonormal(orr_key key, int64_t rows, int64_t n, double *a);

/* The dataset of ORR_DATA_GENERATED's rows, with inputs and targets of these shapes, and room for n_facts.
 * Fails: ORR_ENOMEM. */
orr_status orr_draw_describe(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, orr_shape input,
                             orr_shape target, int n_facts, const char *source, orr_dataset *out) ORR_MUST_USE;

/* y + deviation N(0, 1), by the part ORR_DRAW_NOISE of key; y itself where the deviation is 0. */
orr_node orr_draw_noise(orr_graph *g, orr_node key, orr_node y, double deviation);

/* sum_j c[j] h_j(z), 0 <= j < n, h_j = He_j / sqrt(j!): h_0 = 1, h_1 = z, sqrt(j+1) h_{j+1} = z h_j - sqrt(j) h_{j-1};
 * c[j] is element j of the node `c`. */
orr_node orr_draw_hermite(orr_graph *g, orr_node z, orr_node c);

/* ---- a linear teacher: y = W x + noise ------------------------------------------------------------------------------ */

#define ORR_DATA_LINEAR_TARGETS                                                                                        \
    { "targets", ORR_CHOICE, .fallback = "linear", .choices = "linear none",                                           \
      .help = "y = W x + noise, or none (for tasks that need none)" },                                                 \
        { "outputs", ORR_INT, .fallback = "1", .range = "[1, 1000000]", .help = "numbers in y" }, {                    \
        "noise", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "standard deviation of what is added to y"    \
    }

/* The shape of the targets: [outputs], or [0] where there are none. */
orr_shape orr_linear_target(const orr_settings *s);
/* The fact "teacher", W [outputs, features], entries N(0, 1/features). */
orr_status orr_linear_teacher(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t seed,
                              orr_dataset *d) ORR_MUST_USE;
/* y of x[n, features]; ORR_NONE where there are no targets. */
orr_node orr_linear_sample(orr_graph *g, const orr_settings *s, orr_node teacher, orr_node key, orr_node x);

#endif
