#include "ingredient/initial/initial.h"

#include "base/random.h"

#define ORR_INITIAL(name) extern const orr_initial orr_initial_##name;
#include "ingredient/initial/initial.def"
#undef ORR_INITIAL

static const orr_initial *const all[] = {
#define ORR_INITIAL(name) &orr_initial_##name,
#include "ingredient/initial/initial.def"
#undef ORR_INITIAL
};

const orr_initial *orr_initial_at(int i) { return i < (int)(sizeof all / sizeof all[0]) ? all[i] : NULL; }

void orr_initial_normal_tensor(const orr_tensor *t, uint64_t seed, double *w) {
    const int64_t n = orr_shape_count(&t->shape);
    orr_random_fill_normal((orr_key){ .seed = seed, .purpose = orr_purpose_of(t->name) }, 0, n, w);
    for (int64_t i = 0; i < n; i++) w[i] = t->mean + t->deviation * w[i];
}
