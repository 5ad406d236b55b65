#include "law/kernel_population.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "theory/kernel_function.h"
#include "theory/kernel_spectrum.h"

const orr_settings *orr_kernel_settings(const orr_point *p) {
    const orr_observation *o = orr_point_observation(p, "kernel-regression");
    return o ? &o->settings : NULL;
}

static orr_kernel kernel_of(const orr_settings *s) {
    static const char *const kinds[] = { "linear", "ntk", "laplace", "rbf" }; /* ORDER orr_kernel_kind */
    orr_kernel k = { .bandwidth = orr_real(s, "bandwidth") };
    for (int i = 0; i < 4; i++)
        if (orr_settings_say(s, "kernel", kinds[i])) k.kind = (orr_kernel_kind)i;
    return k;
}

int64_t orr_target_outputs(const orr_problem *p) {
    return p->data.classes ? p->data.classes : orr_dataset_targets(&p->data);
}

const char *const orr_population_names[3] = { "features", "sphere", "pool" };

orr_population_kind orr_population_kind_of(const orr_point *p) {
    const orr_settings *s = orr_kernel_settings(p);
    const bool whole = orr_settings_say(s, "test", "pool");
    const char *data = p->data->kind.name;
    if (!whole && strcmp(data, "gaussian") == 0 && orr_settings_say(s, "kernel", "linear"))
        return ORR_POPULATION_FEATURES;
    if (!whole && strcmp(data, "hypersphere") == 0) return ORR_POPULATION_SPHERE;
    return ORR_POPULATION_POOL;
}

/* ---- what theory needs -------------------------------------------------------------------------------------------------------- */

static orr_status no_memory(orr_context *ctx) { return orr_fail(ctx, ORR_ENOMEM, "kernel population: no memory"); }

double orr_population_noise(const orr_problem *p) {
    const double deviation = orr_real(&p->kind.data_settings, "noise");
    return deviation * deviation;
}

/* K = sum_j lambda_j phi_j phi_j', phi_j = x_j/sqrt(lambda_j), y = sum_j W_j sqrt(lambda_j) phi_j */
static orr_status features(orr_context *ctx, orr_arena *arena, const orr_problem *p, orr_population *out) {
    const int64_t d = orr_dataset_features(&p->data), outputs = orr_target_outputs(p);
    const double *lambda = orr_dataset_fact(&p->data, "eigenvalues")->data,
                 *teacher = orr_dataset_fact(&p->data, "teacher")->data;
    double *v2 = ORR_NEW(arena, double, outputs *d);
    if (!v2) return no_memory(ctx);
    for (int64_t i = 0; i < outputs * d; i++) v2[i] = teacher[i] * teacher[i] * lambda[i % d];
    *out = (orr_population){ { .n = d, .value = lambda }, v2, orr_population_noise(p) };
    return ORR_OK;
}

typedef struct on_sphere {
    orr_kernel kernel;
    double r2; /* squared radius */
} on_sphere;

static double kernel_on_sphere(void *self, double t) {
    const on_sphere *s = self;
    return orr_kernel_of(&s->kernel, s->r2, s->r2 * t, s->r2);
}

/* v_ol^2 = 1 at the degree of a harmonic; |W_o|^2 r^2/d at degree 1 of a linear target. */
static void coefficients_on_sphere(const orr_problem *p, const orr_settings *s, int64_t levels, double r2, double *v2) {
    const bool harmonic = orr_settings_say(s, "targets", "harmonic");
    const int64_t d = orr_dataset_features(&p->data);
    int64_t n;
    const int64_t *degree = orr_ints(s, "degrees", &n);
    for (int64_t o = 0; o < orr_target_outputs(p); o++) {
        if (harmonic) {
            v2[o * levels + degree[o]] = 1.0;
            continue;
        }
        const double *w = (const double *)orr_dataset_fact(&p->data, "teacher")->data + o * d;
        for (int64_t j = 0; j < d; j++) v2[o * levels + 1] += w[j] * w[j] * r2 / (double)d;
    }
}

static orr_status sphere(orr_context *ctx, orr_arena *arena, const orr_point *point, const orr_problem *p,
                         orr_population *out) {
    const orr_settings *s = &p->kind.data_settings;
    const int64_t d = orr_dataset_features(&p->data);
    const double radius = orr_real(s, "radius");
    on_sphere k = { kernel_of(orr_kernel_settings(point)), radius * radius };
    int64_t levels = 41, n_degrees; /* degrees to 40; the rest of the trace is the tail */
    const int64_t *degree = orr_ints(s, "degrees", &n_degrees);
    for (int64_t i = 0; i < n_degrees && orr_settings_say(s, "targets", "harmonic"); i++)
        levels = degree[i] >= levels ? degree[i] + 1 : levels;
    double *value = ORR_NEW(arena, double, levels), *g = ORR_NEW(arena, double, levels);
    double *v2 = ORR_NEW(arena, double, orr_target_outputs(p) * levels);
    if (!value || !g || !v2) return no_memory(ctx);
    orr_sphere_eigenvalues(d, levels, kernel_on_sphere, &k, value);
    const double whole = kernel_on_sphere(&k, 1.0);
    double trace = 0.0;
    for (int64_t l = 0; l < levels; l++) {
        g[l] = orr_sphere_multiplicity(d, l);
        trace += g[l] * value[l];
    }
    coefficients_on_sphere(p, s, levels, k.r2, v2);
    const double tail = whole - trace; /* below 1e-9 of the trace it is the quadrature's error */
    *out = (orr_population){ { levels, value, g, tail > 1e-9 * whole ? tail : 0.0 }, v2, orr_population_noise(p) };
    return ORR_OK;
}

static orr_status pool(orr_context *ctx, orr_arena *arena, const orr_point *point, const orr_problem *p,
                       orr_population *out) {
    const int64_t n = p->data.n, outputs = orr_target_outputs(p);
    const orr_kernel kernel = kernel_of(orr_kernel_settings(point));
    orr_pool_spectrum s;
    orr_arena *big = NULL; /* freed before anything is trained: n^2 numbers */
    orr_status status = ORR_OK;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &big));
    double *gram = orr_arena_take(big, n, (size_t)n * sizeof *gram), *y = ORR_NEW(big, double, n *outputs);
    if (!gram || !y) {
        status = no_memory(ctx);
        goto done;
    }
    for (int64_t i = 0; i < n * outputs && p->data.y; i++) y[i] = p->data.y[i];
    for (int64_t i = 0; i < n && !p->data.y; i++) y[i * outputs + p->data.label[i]] = 1.0;
    ORR_TRY_DONE(
        ctx, orr_kernel_matrix(ctx, big, &kernel, n, n, orr_dataset_features(&p->data), p->data.x, p->data.x, gram));
    ORR_TRY_DONE(ctx, orr_pool_spectrum_of(ctx, arena, big, n, outputs, gram, y, &s));
    *out = (orr_population){ { .n = n, .value = s.value }, s.coefficient2, 0.0 };
done:
    orr_arena_free(big);
    return status;
}

orr_status orr_population_find(orr_context *ctx, orr_arena *arena, const orr_point *point, const orr_problem *p,
                               orr_population *out) {
    switch (orr_population_kind_of(point)) {
    case ORR_POPULATION_FEATURES: return features(ctx, arena, p, out);
    case ORR_POPULATION_SPHERE: return sphere(ctx, arena, point, p, out);
    case ORR_POPULATION_POOL: break;
    }
    return pool(ctx, arena, point, p, out);
}
