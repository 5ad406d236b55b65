/* Instruments that look at layers, matrices and gradients, against sums written out by hand, differences, NumPy and exact laws. */
#include "instrument/measuring.h"

#include "base/random.h"
#include "instrument/goldens.h"
#include "numeric/dense.h"

/* The toy network: f = B tanh(A x + a) + b, its tensors in this order. */
enum { F = TOY_FEATURES, H = TOY_WIDTH, C = TOY_CLASSES, N = TOY_N };
enum { A = 0, BIAS_A = A + H * F, B = BIAS_A + H, BIAS_B = B + C * H, P = BIAS_B + C };

static orr_arena *arena;
static orr_problem problem;
static double w[P];
static notes t;

static int setup(void **state) {
    orr_context *ctx;
    if (orr_context_new(NULL, &ctx) != ORR_OK || orr_arena_new(ctx, &arena) != ORR_OK) return -1;
    problem = toy_problem(ctx, arena, "mse", ORR_F64);
    assert_int_equal(problem.n, P);
    assert_ok(ctx, orr_problem_initial(ctx, &problem, NOTE_SEED, w));
    *state = ctx;
    return 0;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    orr_context_free(*state);
    return 0;
}

/* The parameters after that many updates. */
static void weights_after(orr_context *ctx, const orr_problem *of, int64_t steps, double *out) {
    orr_training *training = start_training(ctx, arena, of);
    const orr_subject subject = orr_training_subject(training);
    if (steps) assert_ok(ctx, orr_training_advance(training, steps));
    for (int64_t i = 0; i < subject.n_tensors; i++) {
        const int64_t n = orr_shape_count(&subject.shape[i]);
        memcpy(out, subject.parameter[i], (size_t)n * sizeof *out);
        out += n;
    }
    orr_training_free(training);
}

static double x_of(int i, int k) { return ((const double *)problem.x)[i * F + k]; }

/* x is one example; h and f are what comes of it */
static void forward(const double *v, const double *x, double *h, double *f) {
    for (int j = 0; j < H; j++) {
        double sum = v[BIAS_A + j];
        for (int k = 0; k < F; k++) sum += v[A + j * F + k] * x[k];
        h[j] = tanh(sum);
    }
    for (int c = 0; c < C; c++) {
        f[c] = v[BIAS_B + c];
        for (int j = 0; j < H; j++) f[c] += v[B + c * H + j] * h[j];
    }
}

static void forward_of(const double *v, int i, double *h, double *f) {
    double x[F];
    for (int k = 0; k < F; k++) x[k] = x_of(i, k);
    forward(v, x, h, f);
}

/* Of 1/2 |f - y|^2 of one example, by the chain rule. */
static void gradient_of(const double *v, int i, double *g) {
    double h[H], f[C];
    forward_of(v, i, h, f);
    for (int c = 0; c < C; c++) {
        g[BIAS_B + c] = f[c] - (toy_label[i] == c);
        for (int j = 0; j < H; j++) g[B + c * H + j] = g[BIAS_B + c] * h[j];
    }
    for (int j = 0; j < H; j++) {
        double back = 0.0;
        for (int c = 0; c < C; c++) back += g[BIAS_B + c] * v[B + c * H + j];
        g[BIAS_A + j] = back * (1 - h[j] * h[j]);
        for (int k = 0; k < F; k++) g[A + j * F + k] = g[BIAS_A + j] * x_of(i, k);
    }
}

static double square(int n, const double *a) {
    double sum = 0.0;
    for (int i = 0; i < n; i++) sum += a[i] * a[i];
    return sum;
}

static const double rounding = 1e-13; /* sums of tens of products of numbers near 1 */

static void activations_are_the_values_of_layers(void **state) {
    measure_with(*state, arena, &problem, "activations", (const choice[]){ { "examples", 3 }, { 0 } }, 4, &t);
    double v[P], h[H], f[C];
    assert_int_equal(t.arrays, 4);
    for (int when = 0; when < 2; when++) {
        const note_of_array *layer = &t.array[2 * when], *output = &t.array[2 * when + 1];
        weights_after(*state, &problem, 4 * when, v);
        assert_string_equal(layer->name, "activation.layer1");
        assert_string_equal(output->name, "activation.output");
        assert_int_equal(layer->dtype, ORR_F64);
        assert_true(orr_shape_equal(&layer->shape, &ORR_SHAPE(3, H)));
        assert_true(orr_shape_equal(&output->shape, &ORR_SHAPE(3, C)));
        for (int i = 0; i < 3; i++) {
            forward_of(v, i, h, f);
            for (int j = 0; j < H; j++) assert_close(layer->data[i * H + j], h[j], rounding);
            for (int c = 0; c < C; c++) assert_close(output->data[i * C + c], f[c], rounding);
        }
    }
}

static void features_drift_by_the_distance_from_those_of_the_first_parameters(void **state) {
    double v[P], h[H], f[C], h_0[H], f_0[C], moved = 0.0, size = 0.0, moved_f = 0.0, size_f = 0.0;
    weights_after(*state, &problem, 5, v);
    for (int i = 0; i < N; i++) {
        forward_of(v, i, h, f);
        forward_of(w, i, h_0, f_0);
        size += square(H, h_0);
        size_f += square(C, f_0);
        for (int j = 0; j < H; j++) moved += (h[j] - h_0[j]) * (h[j] - h_0[j]);
        for (int c = 0; c < C; c++) moved_f += (f[c] - f_0[c]) * (f[c] - f_0[c]);
    }
    measure_with(*state, arena, &problem, "feature-drift", NULL, 0, &t);
    assert_close(noted(&t, "feature_drift.layer1"), 0.0, rounding);
    measure_with(*state, arena, &problem, "feature-drift", NULL, 5, &t);
    assert_true(moved > 1e-6);
    assert_close(noted(&t, "feature_drift.layer1"), sqrt(moved / size), rounding);
    assert_close(noted(&t, "feature_drift.output"), sqrt(moved_f / size_f), rounding);
}

static void features_change_by_the_mean_of_their_distances(void **state) {
    const choice absolute[] = { { "absolute", 1 }, { 0 } };
    double v[P], h[H], f[C], h_0[H], f_0[C], moved = 0.0, moved_f = 0.0;
    weights_after(*state, &problem, 5, v);
    for (int i = 0; i < N; i++) {
        forward_of(v, i, h, f);
        forward_of(w, i, h_0, f_0);
        for (int j = 0; j < H; j++) moved += fabs(h[j] - h_0[j]) / (N * H);
        for (int c = 0; c < C; c++) moved_f += fabs(f[c] - f_0[c]) / (N * C);
    }
    measure_with(*state, arena, &problem, "feature-drift", absolute, 5, &t);
    assert_close(noted(&t, "feature_change.layer1"), moved, rounding);
    assert_close(noted(&t, "feature_change.output"), moved_f, rounding);
}

/* det(a a' - value^2) = 0 for 3 x n matrices; the scale of the determinant is |a|^6. */
static double determinant(const double *a, int n, double value) {
    double m[3][3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            m[i][j] = i == j ? -value * value : 0.0;
            for (int k = 0; k < n; k++) m[i][j] += a[i * n + k] * a[j * n + k];
        }
    return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
           m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

static void assert_singular_values(const char *of, const double *a, int n) {
    char name[64];
    (void)snprintf(name, sizeof name, "singular_values.%s", of);
    const note_of_array *values = noted_array(&t, name);
    double sum = 0.0;
    assert_true(orr_shape_equal(&values->shape, &ORR_SHAPE(3)));
    for (int i = 0; i < 3; i++) {
        assert_close(determinant(a, n, values->data[i]), 0.0, rounding * pow(square(3 * n, a), 3));
        assert_true(i == 0 || values->data[i] < values->data[i - 1]);
        sum += values->data[i] * values->data[i];
    }
    assert_close(sum, square(3 * n, a), rounding * sum);
    (void)snprintf(name, sizeof name, "spectral_norm.%s", of);
    assert_close(noted(&t, name), values->data[0], 0.0);
    (void)snprintf(name, sizeof name, "stable_rank.%s", of);
    assert_close(noted(&t, name), sum / (values->data[0] * values->data[0]), rounding);
}

static void singular_values_are_roots_of_the_characteristic_polynomial(void **state) {
    double product[C * F] = { 0 };
    measure_with(*state, arena, &problem, "singular-values", (const choice[]){ { "end_to_end", 1 }, { 0 } }, 0, &t);
    for (int c = 0; c < C; c++)
        for (int k = 0; k < F; k++)
            for (int j = 0; j < H; j++) product[c * F + k] += w[B + c * H + j] * w[A + j * F + k];
    assert_singular_values("layer1.weight", w + A, F);
    assert_singular_values("layer2.weight", w + B, H);
    assert_singular_values("end_to_end", product, F);
    measure_with(*state, arena, &problem, "singular-values", (const choice[]){ { "top", 2 }, { 0 } }, 0, &t);
    assert_int_equal(t.arrays, 2);
    assert_true(orr_shape_equal(&t.array[0].shape, &ORR_SHAPE(2)));
}

static const double h_x = 1e-5; /* central differences: h^2 of truncation, 1e-16 / h of rounding: both about 1e-10 */

static void the_spectrum_of_the_hessian_is_that_of_the_dense_one(void **state) {
    static double hessian[P * P];
    double up[P], down[P], at[P], loss;
    orr_problem_landscape *l;
    orr_arena *scratch;
    orr_symmetric_eigen dense;
    assert_ok(*state, orr_arena_new(*state, &scratch));
    assert_ok(*state, orr_problem_landscape_new(*state, &problem, &l));
    const orr_landscape view = orr_problem_landscape_view(l);
    for (int p = 0; p < P; p++) {
        memcpy(at, w, sizeof at);
        at[p] = w[p] + h_x;
        assert_ok(*state, view.gradient(view.self, at, &loss, up));
        at[p] = w[p] - h_x;
        assert_ok(*state, view.gradient(view.self, at, &loss, down));
        for (int q = 0; q < P; q++) hessian[p * P + q] = (up[q] - down[q]) / (2 * h_x);
    }
    orr_problem_landscape_free(l);
    assert_ok(*state, orr_eigen_symmetric(*state, arena, scratch, P, hessian, &dense));
    orr_arena_free(scratch);

    measure_with(*state, arena, &problem, "hessian-spectrum", (const choice[]){ { "steps", 200 }, { 0 } }, 0, &t);
    assert_close(noted(&t, "hessian_highest"), dense.value[P - 1], 1e-8);
    assert_close(noted(&t, "hessian_lowest"), dense.value[0], 1e-8);
    const note_of_array *rule = noted_array(&t, "hessian_spectrum_rule"),
                        *density = noted_array(&t, "hessian_spectrum");
    const int64_t n = rule->shape.size[1], points = density->shape.size[1];
    double weights = 0.0, area = 0.0;
    for (int64_t i = 0; i < n; i++) { /* as many steps as dimensions: each node of weight is an eigenvalue */
        double nearest = (double)INFINITY;
        for (int p = 0; p < P; p++) nearest = fmin(nearest, fabs(rule->data[i] - dense.value[p]));
        if (rule->data[n + i] > 1e-10) assert_close(nearest, 0.0, 1e-7);
        weights += rule->data[n + i];
    }
    for (int64_t i = 1; i < points; i++)
        area += 0.5 * (density->data[points + i] + density->data[points + i - 1]) *
                (density->data[i] - density->data[i - 1]);
    assert_close(weights, 1.0, 1e-12);
    assert_close(area, 1.0, 1e-3); /* what lies past four widths: 6e-5; points a fifth of a width apart: less */
}

static void the_agop_is_that_of_differences(void **state) {
    double g[F * F] = { 0 }, trace = 0.0, x[F], h[H], up[C], down[C], j[C][F];
    orr_arena *scratch;
    orr_symmetric_eigen dense;
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < F; k++) {
            for (int m = 0; m < F; m++) x[m] = x_of(i, m) + (m == k ? h_x : 0);
            forward(w, x, h, up);
            x[k] -= 2 * h_x;
            forward(w, x, h, down);
            for (int c = 0; c < C; c++) j[c][k] = (up[c] - down[c]) / (2 * h_x);
        }
        for (int a = 0; a < F * F; a++)
            for (int c = 0; c < C; c++) g[a] += j[c][a / F] * j[c][a % F] / N;
    }
    for (int k = 0; k < F; k++) trace += g[k * F + k];
    measure_with(*state, arena, &problem, "agop", (const choice[]){ { "matrix", 1 }, { 0 } }, 0, &t);
    assert_true(orr_shape_equal(&noted_array(&t, "agop")->shape, &ORR_SHAPE(F, F)));
    for (int a = 0; a < F * F; a++) assert_close(noted_array(&t, "agop")->data[a], g[a], 1e-9);
    assert_close(noted(&t, "agop_trace"), trace, 1e-9);
    assert_ok(*state, orr_arena_new(*state, &scratch));
    assert_ok(*state, orr_eigen_symmetric(*state, arena, scratch, F, g, &dense));
    orr_arena_free(scratch);
    assert_true(orr_shape_equal(&noted_array(&t, "agop_values")->shape, &ORR_SHAPE(F)));
    for (int k = 0; k < F; k++) assert_close(noted_array(&t, "agop_values")->data[k], dense.value[F - 1 - k], 1e-9);
    assert_close(noted(&t, "agop_top"), dense.value[F - 1], 1e-9);
}

/* B'B - AA' - aa' */
static void balance(const double *v, double *q) {
    for (int i = 0; i < H; i++)
        for (int j = 0; j < H; j++) {
            double sum = -v[BIAS_A + i] * v[BIAS_A + j];
            for (int c = 0; c < C; c++) sum += v[B + c * H + i] * v[B + c * H + j];
            for (int k = 0; k < F; k++) sum -= v[A + i * F + k] * v[A + j * F + k];
            q[i * H + j] = sum;
        }
}

/* The exact law of one step of a linear network: Q changes by the same form of the update (its linear terms cancel). */
static void balance_changes_by_that_of_the_update_where_the_network_is_linear(void **state) {
    orr_problem linear = toy_problem(*state, arena, "mse", ORR_F64);
    const orr_settings *s = &linear.kind.architecture_settings;
    double v[P], v_0[P], q[H * H], q_0[H * H], change[H * H], whole = 0.0, diagonal = 0.0;
    ((orr_value *)(uintptr_t)s->value)[orr_parameter_find(s->table, "activation")].text = "linear";
    weights_after(*state, &linear, 0, v_0);
    weights_after(*state, &linear, 1, v);
    balance(v, q);
    balance(v_0, q_0);
    for (int p = 0; p < P; p++) v[p] -= v_0[p];
    assert_true(square(P, v) > 1e-4);
    balance(v, change);
    for (int i = 0; i < H * H; i++) {
        whole += change[i] * change[i];
        if (i % (H + 1) == 0) diagonal = fmax(diagonal, fabs(change[i]));
    }
    measure_with(*state, arena, &linear, "conserved", (const choice[]){ { "matrix", 1 }, { 0 } }, 1, &t);
    assert_int_equal(t.arrays, 2); /* one pair, twice */
    assert_close(noted(&t, "balance.layer1.weight"), sqrt(square(H * H, q)), rounding);
    assert_close(noted(&t, "balance_drift.layer1.weight"), sqrt(whole), rounding);
    assert_close(noted(&t, "neuron_balance_drift.layer1.weight"), diagonal, rounding);
    for (int i = 0; i < H * H; i++) {
        assert_close(t.array[0].data[i], q_0[i], rounding);
        assert_close(t.array[1].data[i] - t.array[0].data[i], change[i], rounding);
    }
    measure_with(*state, arena, &problem, "conserved", NULL, 1, &t); /* tanh: nothing is kept */
    assert_true(noted(&t, "balance_drift.layer1.weight") > 10 * sqrt(whole));
}

/* Two batches of two, drawn as the header says, and gradients by the chain rule. */
static void batches_of_two_sizes_give_signal_and_noise(void **state) {
    const orr_key key = { .seed = NOTE_SEED, .purpose = orr_purpose_of("gradient-noise"), .step = 0 };
    double g[P], batch[2][P] = { { 0 } }, all[P], small = 0.0;
    int64_t order[N];
    orr_random_permutation(key, N, order);
    for (int i = 0; i < 4; i++) {
        gradient_of(w, (int)order[i], g);
        for (int p = 0; p < P; p++) batch[i / 2][p] += g[p] / 2;
    }
    for (int p = 0; p < P; p++) all[p] = (batch[0][p] + batch[1][p]) / 2;
    small = (square(P, batch[0]) + square(P, batch[1])) / 2;
    const choice twos[] = { { "size", 2 }, { "batches", 100 }, { 0 } },
                 ones[] = { { "size", 1 }, { "batches", N }, { 0 } };
    measure_with(*state, arena, &problem, "gradient-noise", twos, 0, &t);
    assert_close(noted(&t, "batch_noise_trace"), (small - square(P, all)) / (1 / 2.0 - 1 / 4.0), 1e-12);
    assert_close(noted(&t, "batch_noise_signal"), (4 * square(P, all) - 2 * small) / (4 - 2), 1e-12);
    /* with batches of one, and all of them, it is what single gradients say */
    measure_with(*state, arena, &problem, "gradient-noise", ones, 0, &t);
    const double trace = noted(&t, "batch_noise_trace");
    const bool is_positive = noted(&t, "batch_noise_signal") > 0.0;
    const double scale = is_positive ? noted(&t, "batch_noise_scale") : 0.0;
    measure_with(*state, arena, &problem, "per-example-gradients", NULL, 0, &t);
    assert_close(noted(&t, "gradient_noise_trace"), trace, 1e-12);
    assert_int_equal(is_noted(&t, "gradient_noise_scale"), is_positive);
    if (is_positive) assert_close(noted(&t, "gradient_noise_scale"), scale, 1e-10 * scale);
}

/* df_c/db_k = delta_ck, df_c/dB_kj = delta_ck h_j; the parts of all tensors sum to the whole. */
static void the_ntk_of_a_readout_is_the_kernel_of_what_it_reads(void **state) {
    static const char *const name[] = { "layer1.weight", "layer1.bias", "layer2.weight", "layer2.bias" };
    double h[N][H], f[C], whole = 0.0;
    for (int i = 0; i < N; i++) forward_of(w, i, h[i], f);
    measure_with(*state, arena, &problem, "ntk", (const choice[]){ { "layers", 1 }, { "gram", 1 }, { 0 } }, 3, &t);
    assert_int_equal(t.arrays, 2 * 5);
    for (int a = 0; a < N * N; a++) {
        double product = 0.0, sum = 0.0;
        for (int j = 0; j < H; j++) product += h[a / N][j] * h[a % N][j];
        assert_close(t.array[3].data[a], C * product, 1e-12);
        assert_close(t.array[4].data[a], C, 0.0);
        for (int i = 1; i < 5; i++) sum += t.array[i].data[a];
        assert_close(t.array[0].data[a], sum, 1e-12);
    }
    for (int i = 0; i < 4; i++) {
        char series[64];
        (void)snprintf(series, sizeof series, "ntk_trace.%s", name[i]);
        whole += noted(&t, series);
    }
    assert_close(noted(&t, "ntk_trace"), whole, 1e-12);
    assert_close(noted(&t, "ntk_trace.layer2.bias"), C * N, 0.0);
    assert_close(noted(&t, "ntk_drift.layer2.bias"), 0.0, 0.0);
    assert_true(noted(&t, "ntk_drift.layer2.weight") > 1e-6);
}

/* H_ij = h_i.h_j / n of the hidden layer, which is also the only one that is tapped. */
static void the_nngp_kernel_is_the_covariance_of_what_the_readout_sees(void **state) {
    double h[N][H], f[C], trace = 0.0;
    for (int i = 0; i < N; i++) forward_of(w, i, h[i], f);
    measure_with(*state, arena, &problem, "nngp", (const choice[]){ { "layers", 1 }, { 0 } }, 0, &t);
    assert_int_equal(t.arrays, 2);
    for (int a = 0; a < N * N; a++) {
        double product = 0.0;
        for (int j = 0; j < H; j++) product += h[a / N][j] * h[a % N][j] / H;
        assert_close(noted_array(&t, "nngp")->data[a], product, 1e-14); /* rounding */
        assert_close(noted_array(&t, "nngp.layer1")->data[a], product, 1e-14);
        if (a / N == a % N) trace += product;
    }
    assert_close(noted(&t, "nngp_trace"), trace, 1e-13);
}

/* ---- features that are given ------------------------------------------------------------------------------------------------- */

/* A network whose last layer is what it is given, read out by a matrix: output = h W'. */
enum { GIVEN_N = 12, GIVEN_D = 6, GIVEN_K = 4 };
typedef struct given {
    double h[GIVEN_N * GIVEN_D];
    double *w; /* live */
} given;

static orr_status build_given(void *self, orr_arena *out_arena, orr_graph *g, int64_t n, orr_node x, orr_node target,
                              orr_subject_graph *out) {
    given *s = self;
    orr_node *parameter = ORR_NEW(out_arena, orr_node, 1);
    orr_feed *feed = ORR_NEW(out_arena, orr_feed, 1);
    orr_subject_tap *tap = ORR_NEW(out_arena, orr_subject_tap, 1);
    assert_true(parameter && feed && tap);
    assert_int_equal(n, GIVEN_N);
    parameter[0] = orr_input(g, "readout", ORR_F64, ORR_SHAPE(GIVEN_K, GIVEN_D));
    *feed = (orr_feed){ parameter[0], s->w };
    *tap = (orr_subject_tap){ "given", orr_literal(g, ORR_F64, ORR_SHAPE(GIVEN_N, GIVEN_D), s->h) };
    *out = (orr_subject_graph){ .parameter = parameter,
                                .effective = parameter,
                                .x = x,
                                .target = target,
                                .output = orr_linear(g, tap->node, parameter[0], ORR_NONE),
                                .tap = tap,
                                .n_taps = 1,
                                .feeds = feed,
                                .n_feeds = 1 };
    return ORR_OK;
}

static void measure_given(orr_context *ctx, given *s, const int32_t *label, const char *kind, const choice *choices) {
    static const orr_shape shape[] = { { 2, { GIVEN_K, GIVEN_D } } };
    static const char *const name[] = { "readout" };
    const void *const parameter[] = { s->w };
    const orr_instrument *instrument = instrument_called(kind);
    const orr_settings settings = choose(arena, instrument, choices);
    const orr_subject subject = { .dtype = ORR_F64,
                                  .shape = shape,
                                  .name = name,
                                  .n_tensors = 1,
                                  .n = GIVEN_K * GIVEN_D,
                                  .members = 1,
                                  .examples = GIVEN_N,
                                  .classes = GIVEN_K,
                                  .outputs = GIVEN_K,
                                  .parameter = parameter,
                                  .x = s->h,
                                  .target = label,
                                  .x_type = ORR_F64,
                                  .target_type = ORR_I32,
                                  .input = ORR_SHAPE(GIVEN_D),
                                  .build_on = build_given,
                                  .self = s };
    void *self;
    memset(&t, 0, sizeof t);
    assert_ok(ctx, instrument->open(ctx, &settings, &subject, &self));
    assert_ok(ctx, instrument->measure(self, 0, NOTE_SEED, NULL, &(orr_sink){ note, note_array, &t }));
    instrument->close(self);
}

/* ORDER given: make_goldens.py */
static given *golden_features(void) {
    given *s = ORR_NEW(arena, given, 1);
    assert_non_null(s);
    s->w = ORR_NEW(arena, double, GIVEN_K *GIVEN_D);
    assert_non_null(s->w);
    for (int i = 0; i < GIVEN_N; i++)
        for (int j = 0; j < GIVEN_D; j++) s->h[i * GIVEN_D + j] = sin(1 + 1.3 * i + 2.1 * j + 0.37 * i * j);
    for (int k = 0; k < GIVEN_K; k++)
        for (int j = 0; j < GIVEN_D; j++) s->w[k * GIVEN_D + j] = cos(0.5 + 1.7 * k + 0.9 * j * (1 + 0.3 * k));
    return s;
}

static const int32_t every_class[GIVEN_N] = { 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3 };
static const int32_t without_a_class[GIVEN_N] = { 0, 3, 2, 3, 0, 3, 2, 3, 0, 3, 2, 3 };

static void assert_collapse(const double *expected) {
    static const char *const name[] = { "nc1", "nc2_norm", "nc2_angle", "nc2_norm_readout", "nc2_angle_readout",
                                        "nc3", "nc4" };
    for (int i = 0; i < 7; i++) assert_close(noted(&t, name[i]), expected[i], 1e-12 * fmax(1.0, expected[i]));
}

static void neural_collapse_is_what_its_definitions_say(void **state) {
    measure_given(*state, golden_features(), every_class, "neural-collapse", NULL);
    assert_collapse(golden_collapse);
    measure_given(*state, golden_features(), without_a_class, "neural-collapse", NULL);
    assert_collapse(golden_collapse_without_a_class);
}

/* Features at e_k - 1/K + c, the same for all of a class, and the readout along them: all is 0.  Swapped, nc4 tells. */
static void a_collapsed_network_has_collapsed(void **state) {
    given *s = golden_features();
    static const double zero[7] = { 0 };
    for (int i = 0; i < GIVEN_N; i++)
        for (int j = 0; j < GIVEN_D; j++)
            s->h[i * GIVEN_D + j] = 0.25 * j + 3.0 * ((every_class[i] == j) - (j < GIVEN_K ? 0.25 : 0.0));
    for (int k = 0; k < GIVEN_K; k++)
        for (int j = 0; j < GIVEN_D; j++) s->w[k * GIVEN_D + j] = j < GIVEN_K ? 10.0 * ((k == j) - 0.25) : 0.0;
    measure_given(*state, s, every_class, "neural-collapse", NULL);
    assert_collapse(zero);
    for (int j = 0; j < GIVEN_D; j++) { /* rows 0 and 1 */
        const double row = s->w[j];
        s->w[j] = s->w[GIVEN_D + j];
        s->w[GIVEN_D + j] = row;
    }
    measure_given(*state, s, every_class, "neural-collapse", NULL);
    assert_close(noted(&t, "nc4"), 0.5, 0.0);
    assert_close(noted(&t, "nc1"), 0.0, 1e-12);
    assert_true(noted(&t, "nc3") > 0.5);
}

static void similarity_is_that_of_the_definitions(void **state) {
    measure_given(*state, golden_features(), every_class, "cka", NULL);
    assert_close(noted(&t, "cka.given_output"), golden_cka, 1e-12);
    const note_of_array *all = noted_array(&t, "cka");
    assert_true(orr_shape_equal(&all->shape, &ORR_SHAPE(2, 2)));
    assert_close(all->data[0], 1.0, 0.0);
    assert_close(all->data[1], golden_cka, 1e-12);
    assert_close(all->data[2], all->data[1], 0.0);
    measure_given(*state, golden_features(), every_class, "cka", (const choice[]){ { "unbiased", 1 }, { 0 } });
    assert_close(noted(&t, "cka.given_output"), golden_cka_unbiased, 1e-12);
}

/* ---- what is refused, what runs out ------------------------------------------------------------------------------------------ */

static void what_cannot_be_measured_is_refused_in_words(void **state) {
    given *s = golden_features();
    static const orr_shape shape[] = { { 2, { GIVEN_K, GIVEN_D } } };
    static const char *const name[] = { "readout" };
    const void *const parameter[] = { s->w };
    const orr_subject numbers = { .shape = shape,
                                  .name = name,
                                  .n_tensors = 1,
                                  .n = GIVEN_K * GIVEN_D,
                                  .examples = GIVEN_N,
                                  .parameter = parameter,
                                  .x_type = ORR_I32,
                                  .build_on = build_given,
                                  .self = s };
    static const struct {
        const char *kind, *words;
    } refused[] = { { "neural-collapse", "no classes" },
                    { "agop", "tokens" },
                    { "conserved", "no two matrices" },
                    { "gradient-noise", "needs two batches of 16, there are 12 examples" } };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const orr_instrument *instrument = instrument_called(refused[i].kind);
        const orr_settings settings = choose(arena, instrument, NULL);
        void *self = s;
        assert_int_equal(instrument->open(*state, &settings, &numbers, &self), ORR_EINPUT);
        assert_null(self);
        assert_non_null(strstr(orr_context_message(*state), refused[i].words));
        orr_context_clear(*state);
    }
}

/* A network that is no number is a result: its measurements are none, and nothing fails. */
static void where_the_network_is_no_number_neither_are_its_measurements(void **state) {
    static const char *const kind[] = { "singular-values", "hessian-spectrum", "agop", "conserved", "cka",
                                        "neural-collapse", "activations" };
    static const char *const series[] = { "spectral_norm.layer2.weight", "hessian_highest",   "agop_top",
                                          "balance.layer1.weight",       "cka.layer1_output", "nc1" };
    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++) {
        const orr_instrument *instrument = instrument_called(kind[i]);
        const orr_settings settings = choose(arena, instrument, NULL);
        orr_training *training = start_training(*state, arena, &problem);
        const orr_subject subject = orr_training_subject(training);
        void *self,
            *memory = orr_arena_take(arena, 1, instrument->memory ? instrument->memory(&settings, &subject) : 1);
        for (int64_t tensor = 0; tensor < subject.n_tensors; tensor++)
            ((double *)(uintptr_t)subject.parameter[tensor])[0] = (double)NAN;
        memset(&t, 0, sizeof t);
        assert_ok(*state, instrument->open(*state, &settings, &subject, &self));
        assert_ok(*state, instrument->measure(self, 0, NOTE_SEED, memory, &(orr_sink){ note, note_array, &t }));
        if (i < sizeof series / sizeof series[0]) assert_true(isnan(noted(&t, series[i])));
        instrument->close(self);
        orr_training_free(training);
    }
}

/* Allocations that fail after the first `left`. */
typedef struct failing {
    int64_t left;
} failing;
static void *allocate_or_fail(void *user, size_t bytes) {
    failing *f = user;
    return f->left-- > 0 ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
}
static void release(void *user, void *memory) {
    (void)user;
    free(memory);
}

/* Each allocation of opening and of a measurement fails in turn: a status, nothing left behind (seen by the sanitizer). */
static void where_memory_runs_out_an_instrument_says_so(void **state) {
    static const char *const kind[] = { "singular-values", "hessian-spectrum", "hessian-trace", "agop",
                                        "conserved",       "feature-drift",    "activations",   "cka",
                                        "gradient-noise",  "neural-collapse",  "ntk",           "nngp",
                                        "sharpness" };
    (void)state;
    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++) {
        const orr_instrument *instrument = instrument_called(kind[i]);
        failing budget = { INT64_MAX };
        const orr_allocator allocator = { allocate_or_fail, release, &budget };
        orr_context *ctx;
        orr_arena *own;
        orr_training *training;
        assert_int_equal(orr_context_new(&(orr_context_options){ .threads = 1, .allocator = &allocator }, &ctx),
                         ORR_OK);
        assert_ok(ctx, orr_arena_new(ctx, &own));
        const orr_problem toy = toy_problem(ctx, own, "mse", ORR_F64);
        const orr_settings settings = choose(own, instrument, (const choice[]){ { 0 } });
        const int size = orr_parameter_find(settings.table, "size");
        if (size >= 0) ((orr_value *)(uintptr_t)settings.value)[size].integer = 1;
        training = start_training(ctx, own, &toy);
        const orr_subject subject = orr_training_subject(training);
        void *memory = orr_arena_take(own, 1, instrument->memory ? instrument->memory(&settings, &subject) : 1);
        int failures = 0;
        for (bool done = false; !done; failures++) {
            void *self;
            budget.left = failures;
            orr_status status = instrument->open(ctx, &settings, &subject, &self);
            if (status == ORR_OK) {
                memset(&t, 0, sizeof t);
                status = instrument->measure(self, 0, NOTE_SEED, memory, &(orr_sink){ note, note_array, &t });
            }
            budget.left = INT64_MAX;
            instrument->close(self);
            if (status != ORR_OK) assert_int_equal(status, ORR_ENOMEM);
            orr_context_clear(ctx);
            done = status == ORR_OK;
        }
        assert_true(failures > 1);
        orr_training_free(training);
        orr_arena_free(own);
        orr_context_free(ctx);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_are_the_values_of_layers),
        cmocka_unit_test(features_change_by_the_mean_of_their_distances),
        cmocka_unit_test(features_drift_by_the_distance_from_those_of_the_first_parameters),
        cmocka_unit_test(singular_values_are_roots_of_the_characteristic_polynomial),
        cmocka_unit_test(the_spectrum_of_the_hessian_is_that_of_the_dense_one),
        cmocka_unit_test(the_agop_is_that_of_differences),
        cmocka_unit_test(balance_changes_by_that_of_the_update_where_the_network_is_linear),
        cmocka_unit_test(batches_of_two_sizes_give_signal_and_noise),
        cmocka_unit_test(the_ntk_of_a_readout_is_the_kernel_of_what_it_reads),
        cmocka_unit_test(the_nngp_kernel_is_the_covariance_of_what_the_readout_sees),
        cmocka_unit_test(neural_collapse_is_what_its_definitions_say),
        cmocka_unit_test(a_collapsed_network_has_collapsed),
        cmocka_unit_test(similarity_is_that_of_the_definitions),
        cmocka_unit_test(what_cannot_be_measured_is_refused_in_words),
        cmocka_unit_test(where_the_network_is_no_number_neither_are_its_measurements),
        cmocka_unit_test(where_memory_runs_out_an_instrument_says_so),
    };
    return cmocka_run_group_tests_name("instrument/layers", tests, setup, teardown);
}
