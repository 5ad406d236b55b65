/* Near the teacher that made the data:  W_l = overlap B_l + noise deviation z,  B_l the fact "teacher.l.weight", z ~ N(0, 1).
 *
 * Unit i starts on the teacher's unit i; units and layers that the teacher lacks are noise alone.  So which unit of a student
 * learns which of the teacher's is settled before training (sheet solvable/saad-solla).  B_l as the network sees it. */
#include <string.h>

#include "base/context.h"
#include "ingredient/initial/initial.h"

static const orr_parameter parameters[] = {
    { "overlap", ORR_REAL, .fallback = "0.2", .help = "times the teacher's weights" },
    { "noise", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "in declared deviations, added to every element" },
    { 0 },
};

/* B_l; NULL where the data have none, or memory is out. */
static const orr_array *teacher_of(orr_arena *scratch, const orr_dataset *data, int64_t l) {
    const char *name = orr_arena_format(scratch, "teacher.%lld.weight", (long long)l);
    for (int i = 0; data && name && i < data->facts.n; i++)
        if (strcmp(data->facts.item[i].name, name) == 0) return &data->facts.item[i];
    return NULL;
}

/* w[i, j] += overlap B[i, j] where both have such an element */
static void plant(const orr_tensor *t, const orr_array *b, double overlap, double *w) {
    const double *from = b->data;
    const int64_t columns = t->shape.size[1], columns_b = b->shape.size[1];
    for (int64_t i = 0; i < t->shape.size[0] && i < b->shape.size[0]; i++)
        for (int64_t j = 0; j < columns && j < columns_b; j++)
            w[i * columns + j] += overlap * from[i * columns_b + j] / t->multiplier;
}

static orr_status draw(orr_context *ctx, orr_arena *scratch, const orr_settings *s, const orr_network *network,
                       const orr_dataset *data, uint64_t seed, double *w) {
    const double noise = orr_real(s, "noise");
    int64_t layer = 0;
    if (!teacher_of(scratch, data, 0))
        return orr_fail(ctx, ORR_EINPUT, "initial planted: these data were made by no teacher; data: teacher are");
    for (int64_t i = 0; i < network->n_tensors; i++) {
        const orr_tensor *t = &network->tensors[i];
        const int64_t n = orr_shape_count(&t->shape);
        orr_initial_normal_tensor(t, seed, w);
        if (orr_initial_is_map(t)) {
            const orr_array *b = teacher_of(scratch, data, layer++);
            if (t->shape.rank > 2)
                return orr_fail(ctx, ORR_EINPUT,
                                "initial planted: %s is no matrix; it starts layers of linear maps only", t->name);
            for (int64_t j = 0; j < n; j++) w[j] *= noise;
            if (b) plant(t, b, orr_real(s, "overlap"), w);
        }
        w += n;
    }
    return ORR_OK;
}

const orr_initial orr_initial_planted = {
    .kind = { "planted", "near the teacher that made the data", parameters },
    .draw = draw,
};
