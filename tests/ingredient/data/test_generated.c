#include "testing.h"

#include "base/file/refused.h"
#include "settings.h"

static orr_arena *arena;

static int setup(void **state) {
    if (context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

/* LOAD("gaussian", 0, &d, "n", "10"): a dataset for a run's seed. */
#define LOAD(name, run_seed, out, ...)                                                                                 \
    do {                                                                                                               \
        const orr_data *kind_ = data_of(name);                                                                         \
        const orr_settings settings_ = SETTINGS(arena, kind_, __VA_ARGS__);                                            \
        assert_ok(*state, kind_->load(*state, arena, &settings_, (run_seed), (out)));                                  \
    } while (0)

#define REFUSED(name, says, ...)                                                                                       \
    do {                                                                                                               \
        const orr_data *kind_ = data_of(name);                                                                         \
        const orr_settings settings_ = SETTINGS(arena, kind_, __VA_ARGS__);                                            \
        orr_dataset refused_;                                                                                          \
        assert_refused(*state, kind_->load(*state, arena, &settings_, 0, &refused_), ORR_EINPUT, name ": ", says);     \
    } while (0)

/* E x_j, E x_j x_k over all examples. */
static double mean_of(const orr_dataset *d, const double *x, int64_t width, int64_t j) {
    double sum = 0.0;
    for (int64_t i = 0; i < d->n; i++) sum += x[i * width + j];
    return sum / (double)d->n;
}

static double moment(const orr_dataset *d, const double *x, int64_t width, int64_t j, int64_t k) {
    double sum = 0.0;
    for (int64_t i = 0; i < d->n; i++) sum += x[i * width + j] * x[i * width + k];
    return sum / (double)d->n;
}

/* h_j(z) from the definition: He_j / sqrt(j!), for j <= 4. */
static double hermite(int j, double z) {
    const double z2 = z * z;
    const double he[5] = { 1.0, z, z2 - 1.0, z * (z2 - 3.0), z2 * z2 - 6.0 * z2 + 3.0 };
    const double root[5] = { 1.0, 1.0, sqrt(2.0), sqrt(6.0), sqrt(24.0) };
    return he[j] / root[j];
}

static void gaussian_inputs_have_the_covariance_that_is_asked_for(void **state) {
    orr_dataset d;
    LOAD("gaussian", 0, &d, "n", "40000", "covariance", "eigenvalues", "eigenvalues", "4 1 0.25 0");
    assert_int_equal(orr_dataset_features(&d), 4);
    assert_int_equal(orr_dataset_targets(&d), 1);
    const double lambda[4] = { 4.0, 1.0, 0.25, 0.0 };
    for (int j = 0; j < 4; j++) {
        assert_close(fact_of(&d, "eigenvalues")[j], lambda[j], 0.0);
        for (int k = 0; k < 4; k++) /* 5 standard deviations: sqrt(2/n) lambda at most */
            assert_close(moment(&d, d.x, 4, j, k), j == k ? lambda[j] : 0.0,
                         5.0 * sqrt(2.0 * lambda[j] * lambda[k] / 40000.0));
    }
    LOAD("gaussian", 0, &d, "n", "20000", "covariance", "power-law", "exponent", "1.5", "dimension", "6");
    for (int j = 0; j < 6; j++)
        assert_close(moment(&d, d.x, 6, j, j) * pow(j + 1.0, 1.5), 1.0, 5.0 * sqrt(2.0 / 20000.0));
    REFUSED("gaussian", "needs a list of them", "covariance", "eigenvalues");
}

static void a_linear_teacher_is_recomputed_from_its_facts(void **state) {
    orr_dataset d;
    LOAD("gaussian", 0, &d, "n", "50", "n_test", "20", "dimension", "7", "outputs", "3");
    const double *w = fact_of(&d, "teacher");
    for (int i = 0; i < 70; i++)
        for (int o = 0; o < 3; o++) {
            double y = 0.0;
            for (int j = 0; j < 7; j++) y += w[o * 7 + j] * d.x[i * 7 + j];
            assert_close(d.y[i * 3 + o], y, 1e-14); /* a sum of 7 in another order */
        }
    LOAD("gaussian", 0, &d, "n", "5", "dimension", "7", "targets", "none");
    assert_null(d.y);
    assert_null(d.label);
    assert_int_equal(orr_dataset_targets(&d), 0);
    /* source and capacity: W_j sqrt(lambda_j) = j^(-b/2) */
    LOAD("gaussian", 0, &d, "n", "5", "dimension", "7", "covariance", "power-law", "exponent", "2", "teacher",
         "power-law", "teacher_exponent", "3");
    for (int j = 0; j < 7; j++) assert_close(fact_of(&d, "teacher")[j] / (j + 1.0), pow(j + 1.0, -1.5), 1e-15);
    orr_dataset louder;
    LOAD("gaussian", 0, &d, "n", "5", "dimension", "7");
    LOAD("gaussian", 0, &louder, "n", "5", "dimension", "7", "teacher_gain", "4");
    for (int i = 0; i < 5; i++) assert_close(louder.y[i], 2.0 * d.y[i], 1e-15);
    LOAD("gaussian", 0, &d, "n", "5", "dimension", "7", "teacher_gain", "0");
    for (int i = 0; i < 5; i++) assert_close(d.y[i], 0.0, 0.0);
}

static void noise_has_its_deviation_and_leaves_the_inputs_alone(void **state) {
    orr_dataset clean, noisy;
    LOAD("gaussian", 0, &clean, "n", "20000", "dimension", "3");
    LOAD("gaussian", 0, &noisy, "n", "20000", "dimension", "3", "noise", "0.5");
    assert_memory_equal(clean.x, noisy.x, 60000 * sizeof(double));
    double sum = 0.0, with_x = 0.0;
    for (int i = 0; i < 20000; i++) {
        const double noise = noisy.y[i] - clean.y[i];
        sum += noise * noise;
        with_x += noise * noisy.x[3 * i];
    }
    assert_close(sum / 20000.0, 0.25, 5.0 * 0.25 * sqrt(2.0 / 20000.0));
    assert_close(with_x / 20000.0, 0.0, 5.0 * 0.5 / sqrt(20000.0));
}

static void the_same_seed_gives_the_same_bits_and_another_one_others(void **state) {
    orr_dataset a, b;
    for (int i = 0; orr_data_at(i); i++) {
        const orr_data *kind = orr_data_at(i);
        if (orr_parameter_find(kind->kind.parameters, "resample") < 0) continue;
        if (orr_parameter_find(kind->kind.parameters, "path") >= 0) continue; /* read from a file */
        const orr_settings s = settings_of(arena, kind->kind.parameters, (const char *const[]){ NULL });
        const orr_settings fresh =
            settings_of(arena, kind->kind.parameters, (const char *const[]){ "resample", "true", NULL });
        assert_ok(*state, kind->load(*state, arena, &s, 0, &a));
        assert_ok(*state, kind->load(*state, arena, &s, 1, &b)); /* the run's seed doesn't matter */
        const void *x = a.token ? (const void *)a.token : a.x, *other = b.token ? (const void *)b.token : b.x;
        const size_t bytes = (size_t)(a.n * orr_dataset_features(&a)) * (a.token ? 4 : 8);
        assert_memory_equal(x, other, bytes);
        assert_ok(*state, kind->load(*state, arena, &fresh, 0, &b));
        assert_memory_not_equal(x, b.token ? (const void *)b.token : b.x, bytes);
        x = b.token ? (const void *)b.token : b.x;
        assert_ok(*state, kind->load(*state, arena, &fresh, 1, &a));
        assert_memory_not_equal(x, a.token ? (const void *)a.token : a.x, bytes);
    }
}

static void more_examples_begin_with_the_fewer_and_test_ones_are_others(void **state) {
    orr_dataset few, many;
    LOAD("hypersphere", 0, &few, "n", "10");
    LOAD("hypersphere", 0, &many, "n", "20", "n_test", "10");
    assert_memory_equal(few.x, many.x, 100 * sizeof(double));
    assert_memory_equal(few.y, many.y, 10 * sizeof(double));
    assert_memory_not_equal(many.x, many.x + 200, 100 * sizeof(double));
}

static void points_of_the_sphere_have_its_radius_and_no_direction(void **state) {
    orr_dataset d;
    LOAD("hypersphere", 0, &d, "n", "20000", "dimension", "5", "radius", "3");
    for (int i = 0; i < 20000; i++) {
        double square = 0.0;
        for (int j = 0; j < 5; j++) square += d.x[5 * i + j] * d.x[5 * i + j];
        assert_close(square, 9.0, 1e-13); /* 9 times tens of eps */
    }
    for (int j = 0; j < 5; j++) { /* E x_j = 0, E x_j^2 = 9/5; both bounds above 5 standard deviations */
        assert_close(mean_of(&d, d.x, 5, j), 0.0, 5.0 * sqrt(1.8 / 20000.0));
        assert_close(moment(&d, d.x, 5, j, j), 1.8, 5.0 * 1.8 * sqrt(2.0 / 20000.0));
    }
}

/* sqrt(g_l) P_l with d = 5: l = 1: sqrt(5) t; l = 2: sqrt(14) (5 t^2 - 1)/4; l = 3: sqrt(30) (7 t^3 - 3 t)/4. */
static void harmonic_targets_are_polynomials_of_the_first_coordinate_with_mean_square_1(void **state) {
    orr_dataset d;
    LOAD("hypersphere", 0, &d, "n", "20000", "dimension", "5", "radius", "3", "targets", "harmonic", "degrees",
         "3 0 1 2");
    assert_int_equal(d.target.size[0], 4);
    double square[4] = { 0 };
    for (int i = 0; i < 20000; i++) {
        const double t = d.x[5 * i] / 3, *y = d.y + 4 * i;
        assert_close(y[0], sqrt(30) * (7 * t * t * t - 3 * t) / 4, 1e-13);
        assert_close(y[1], 1.0, 0.0);
        assert_close(y[2], sqrt(5) * t, 1e-14);
        assert_close(y[3], sqrt(14) * (5 * t * t - 1) / 4, 1e-13);
        for (int o = 0; o < 4; o++) square[o] += y[o] * y[o] / 20000;
    }
    for (int o = 0; o < 4; o++) assert_close(square[o], 1.0, 0.08); /* 5 standard deviations of y^2, kurtosis below 6 */
}

static void whitened_inputs_are_exactly_white_and_the_map_has_its_singular_values(void **state) {
    orr_dataset d;
    LOAD("whitened-linear", 0, &d, "n", "40", "n_test", "9", "dimension", "6", "outputs", "5", "singular_values",
         "3 2 0.5");
    const double *u = fact_of(&d, "U"), *s = fact_of(&d, "S"), *v = fact_of(&d, "V");
    for (int j = 0; j < 6; j++)
        for (int k = 0; k < 6; k++) assert_close(moment(&d, d.x, 6, j, k), j == k, 1e-14); /* tens of eps */
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            double uu = 0.0, vv = 0.0, usv = 0.0;
            for (int o = 0; o < 5; o++) uu += u[o * 3 + a] * u[o * 3 + b];
            for (int j = 0; j < 6; j++) vv += v[j * 3 + a] * v[j * 3 + b];
            assert_close(uu, a == b, 1e-14);
            assert_close(vv, a == b, 1e-14);
            for (int i = 0; i < 40; i++) /* u_a' (Y'X / n) v_b */
                for (int o = 0; o < 5; o++)
                    for (int j = 0; j < 6; j++)
                        usv += u[o * 3 + a] * d.y[i * 5 + o] * d.x[i * 6 + j] * v[j * 3 + b] / 40.0;
            assert_close(usv, a == b ? s[a] : 0.0, 1e-13);
        }
    for (int i = 0; i < 49; i++) /* test examples pass through the same map */
        for (int o = 0; o < 5; o++) {
            double y = 0.0;
            for (int k = 0; k < 3; k++)
                for (int j = 0; j < 6; j++) y += u[o * 3 + k] * s[k] * v[j * 3 + k] * d.x[i * 6 + j];
            assert_close(d.y[i * 5 + o], y, 1e-13);
        }
    LOAD("whitened-linear", 0, &d, "n", "6", "dimension", "6", "outputs", "5", "modes", "axes");
    assert_close(fact_of(&d, "U")[0], 1.0, 0.0);
    REFUSED("whitened-linear", "need as many examples", "n", "5", "dimension", "6");
    REFUSED("whitened-linear", "has 1 to 3", "dimension", "6", "outputs", "3");
}

static void a_committee_is_recomputed_from_its_facts(void **state) {
    orr_dataset d;
    LOAD("teacher", 0, &d, "n", "30", "dimension", "9", "widths", "3");
    const double *b = fact_of(&d, "teacher.0.weight"), *r = fact_of(&d, "teacher.1.weight");
    for (int k = 0; k < 3; k++) {
        assert_close(r[k], 1.0, 0.0);
        for (int l = 0; l < 3; l++) {
            double dot = 0.0;
            for (int j = 0; j < 9; j++) dot += b[k * 9 + j] * b[l * 9 + j];
            assert_close(dot, k == l, 1e-14);
        }
    }
    for (int i = 0; i < 30; i++) {
        double y = 0.0;
        for (int k = 0; k < 3; k++) {
            double field = 0.0;
            for (int j = 0; j < 9; j++) field += b[k * 9 + j] * d.x[i * 9 + j];
            y += erf(field / sqrt(2.0));
        }
        assert_close(d.y[i], y, 1e-13); /* our erf and libm's, a few eps apart, and sums in another order */
    }
    REFUSED("teacher", "can't be orthogonal", "dimension", "2", "widths", "3");
    REFUSED("teacher", "one hidden layer", "widths", "3 2");
}

static void a_deep_teacher_is_recomputed_from_its_facts(void **state) {
    orr_dataset d;
    LOAD("teacher", 0, &d, "n", "20", "dimension", "4", "network", "mlp", "widths", "6 5", "outputs", "2", "activation",
         "tanh", "gain", "2");
    const double *w0 = fact_of(&d, "teacher.0.weight"), *w1 = fact_of(&d, "teacher.1.weight");
    const double *w2 = fact_of(&d, "teacher.2.weight");
    for (int i = 0; i < 20; i++) {
        double h[6] = { 0 }, k[5] = { 0 };
        for (int a = 0; a < 6; a++) {
            for (int j = 0; j < 4; j++) h[a] += w0[a * 4 + j] * d.x[i * 4 + j];
            h[a] = tanh(h[a]);
        }
        for (int a = 0; a < 5; a++) {
            for (int j = 0; j < 6; j++) k[a] += w1[a * 6 + j] * h[j];
            k[a] = tanh(k[a]);
        }
        for (int o = 0; o < 2; o++) {
            double y = 0.0;
            for (int j = 0; j < 5; j++) y += w2[o * 5 + j] * k[j];
            assert_close(d.y[i * 2 + o], y, 1e-13);
        }
    }
}

static void a_single_index_target_is_its_hermite_sum(void **state) {
    orr_dataset d;
    LOAD("single-index", 0, &d, "n", "20000", "dimension", "5", "coefficients", "0.5 -1 0 0.25 2");
    const double *w = fact_of(&d, "direction"), c[5] = { 0.5, -1.0, 0.0, 0.25, 2.0 };
    double overlap = 0.0, length = 0.0;
    for (int j = 0; j < 5; j++) length += w[j] * w[j];
    assert_close(length, 1.0, 1e-15);
    for (int i = 0; i < 20000; i++) {
        double z = 0.0, y = 0.0;
        for (int j = 0; j < 5; j++) z += w[j] * d.x[i * 5 + j];
        for (int j = 0; j < 5; j++) y += c[j] * hermite(j, z);
        assert_close(d.y[i], y, 1e-12 * (1.0 + z * z * z * z)); /* cancellation in h_4 */
        overlap += d.y[i] * z / 20000.0;
    }
    assert_close(overlap, c[1], 0.15); /* E y h_1 = c_1; the standard deviation of the mean is near 0.03 */
    LOAD("single-index", 0, &d, "n", "9", "dimension", "5", "link", "relu", "direction", "axis");
    for (int i = 0; i < 9; i++) assert_close(d.y[i], fmax(d.x[5 * i], 0.0), 0.0);
}

static void a_multi_index_target_is_made_of_its_directions(void **state) {
    orr_dataset d;
    LOAD("multi-index", 0, &d, "n", "30", "dimension", "6", "rank", "3", "degrees", "1 2 4", "coefficients", "1 2 -1");
    const double *u = fact_of(&d, "directions"), c[3] = { 1.0, 2.0, -1.0 };
    const int degree[3] = { 1, 2, 4 };
    for (int i = 0; i < 30; i++) {
        double y = 0.0;
        for (int k = 0; k < 3; k++) {
            double z = 0.0;
            for (int j = 0; j < 6; j++) z += u[k * 6 + j] * d.x[i * 6 + j];
            y += c[k] * hermite(degree[k], z);
        }
        assert_close(d.y[i], y, 1e-12);
    }
    LOAD("multi-index", 0, &d, "n", "30", "dimension", "6", "inputs", "signs", "directions", "axes", "link", "parity");
    for (int i = 0; i < 30; i++) {
        const double *x = d.x + i * 6;
        for (int j = 0; j < 6; j++) assert_close(fabs(x[j]), 1.0, 0.0);
        assert_close(d.y[i], x[0] * x[1] * x[2], 0.0);
    }
    LOAD("multi-index", 0, &d, "n", "30", "dimension", "6", "inputs", "signs", "directions", "axes", "link",
         "staircase");
    for (int i = 0; i < 30; i++) {
        const double *x = d.x + i * 6;
        assert_close(d.y[i], x[0] + x[0] * x[1] + x[0] * x[1] * x[2], 0.0);
    }
    REFUSED("multi-index", "2 degrees for 3 directions", "degrees", "1 2");
    REFUSED("multi-index", "above the dimension", "dimension", "2");
}

static void clouds_lie_around_their_means(void **state) {
    orr_dataset d;
    LOAD("gaussian-mixture", 0, &d, "n", "30000", "dimension", "4", "classes", "3", "means", "simplex", "separation",
         "2", "deviation", "0.5");
    const double *mu = fact_of(&d, "means");
    double mean[3][4] = { { 0 } }, square[3] = { 0 }, count[3] = { 0 };
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) { /* a simplex: cosine -1/2 */
            double dot = 0.0;
            for (int j = 0; j < 4; j++) dot += mu[a * 4 + j] * mu[b * 4 + j];
            assert_close(dot, a == b ? 4.0 : -2.0, 1e-14);
        }
    for (int i = 0; i < 30000; i++) {
        const int c = d.label[i];
        assert_true(0 <= c && c < 3);
        count[c]++;
        for (int j = 0; j < 4; j++) {
            const double off = d.x[i * 4 + j] - mu[c * 4 + j];
            mean[c][j] += off;
            square[c] += off * off / 4.0;
        }
    }
    for (int c = 0; c < 3; c++) { /* 5 standard deviations each */
        assert_close(count[c], 10000.0, 5.0 * sqrt(30000.0 * 2.0 / 9.0));
        assert_close(square[c] / count[c], 0.25, 5.0 * 0.25 * sqrt(2.0 / 40000.0));
        for (int j = 0; j < 4; j++) assert_close(mean[c][j] / count[c], 0.0, 5.0 * 0.5 / sqrt(10000.0));
    }
    LOAD("gaussian-mixture", 0, &d, "n", "10", "dimension", "4", "targets", "sign", "deviation", "0");
    mu = fact_of(&d, "means");
    assert_null(d.label);
    for (int i = 0; i < 10; i++)
        for (int j = 0; j < 4; j++) assert_close(d.x[i * 4 + j], d.y[i] * mu[j], 0.0); /* x = y mu */
    REFUSED("gaussian-mixture", "is for two classes", "classes", "3");
}

static void modular_arithmetic_has_every_pair_once(void **state) {
    const char *const operation[4] = { "add", "subtract", "multiply", "divide" };
    for (int o = 0; o < 4; o++) {
        orr_dataset d;
        bool seen[7][7] = { { false } };
        LOAD("modular-arithmetic", 0, &d, "modulus", "7", "operation", operation[o], "train_fraction", "0.6");
        const int64_t pairs = o == 3 ? 42 : 49;
        assert_int_equal(d.n + d.n_test, pairs);
        assert_int_equal(d.n, llround(0.6 * (double)pairs));
        assert_int_equal(d.vocabulary, 8);
        assert_int_equal(d.classes, 7);
        for (int64_t i = 0; i < pairs; i++) {
            const int a = d.token[3 * i], b = d.token[3 * i + 1], c = d.label[i];
            assert_int_equal(d.token[3 * i + 2], 7);
            assert_true(0 <= a && a < 7 && 0 <= b && b < 7 && !seen[a][b]);
            seen[a][b] = true;
            const int expected[3] = { (a + b) % 7, (a - b + 7) % 7, a * b % 7 };
            if (o < 3) assert_int_equal(c, expected[o]);
            else assert_true(b != 0 && c * b % 7 == a); /* c is a / b where c b = a */
        }
    }
    orr_dataset d;
    LOAD("modular-arithmetic", 0, &d, "modulus", "5", "inputs", "one-hot", "train_fraction", "1");
    assert_int_equal(d.n_test, 0);
    for (int i = 0; i < 25; i++) {
        int a = -1, b = -1;
        double sum = 0.0;
        for (int j = 0; j < 5; j++) {
            if (d.x[i * 10 + j] == 1.0) a = j;
            if (d.x[i * 10 + 5 + j] == 1.0) b = j;
            sum += d.x[i * 10 + j] + d.x[i * 10 + 5 + j];
        }
        assert_close(sum, 2.0, 0.0);
        assert_int_equal(d.label[i], (a + b) % 5);
    }
    REFUSED("modular-arithmetic", "needs a prime modulus", "modulus", "9", "operation", "divide");
}

/* The vector w of a sequence is found from its first D examples by elimination; it must explain the others. */
static void sequences_show_a_linear_map_and_ask_for_one_more_value(void **state) {
    orr_dataset d;
    LOAD("in-context-regression", 0, &d, "n", "4000", "context", "5", "eigenvalues", "2 0.5");
    assert_int_equal(d.input.rank, 2);
    assert_int_equal(d.input.size[0], 6);
    assert_int_equal(d.input.size[1], 3);
    double square[2] = { 0 }, w_square = 0.0;
    int used = 0;
    for (int i = 0; i < 4000; i++) {
        const double(*at)[3] = (const double(*)[3])(d.x + i * 18);
        const double det = at[0][0] * at[1][1] - at[0][1] * at[1][0];
        square[0] += at[3][0] * at[3][0] / 4000.0;
        square[1] += at[5][1] * at[5][1] / 4000.0;
        assert_close(at[5][2], 0.0, 0.0);
        if (fabs(det) < 0.1) continue;
        const double w0 = (at[0][2] * at[1][1] - at[0][1] * at[1][2]) / det;
        const double w1 = (at[0][0] * at[1][2] - at[0][2] * at[1][0]) / det;
        for (int p = 2; p < 5; p++) assert_close(at[p][2], w0 * at[p][0] + w1 * at[p][1], 1e-12); /* det > 0.1 */
        assert_close(d.y[i], w0 * at[5][0] + w1 * at[5][1], 1e-12);
        w_square += w0 * w0 + w1 * w1;
        used++;
    }
    assert_close(square[0], 2.0, 5.0 * 2.0 * sqrt(2.0 / 4000.0));
    assert_close(square[1], 0.5, 5.0 * 0.5 * sqrt(2.0 / 4000.0));
    assert_close(w_square / used, 2.0, 5.0 * 2.0 / sqrt(used)); /* w does not depend on det; the variance is 4 */
}

static void sparse_features_are_active_as_often_as_asked(void **state) {
    orr_dataset d;
    LOAD("sparse-features", 0, &d, "n", "20000", "features", "4", "probability", "0.3");
    assert_memory_equal(d.x, d.y, 80000 * sizeof(double));
    double active = 0.0, sum = 0.0, both = 0.0;
    for (int i = 0; i < 80000; i++) {
        assert_true(d.x[i] >= 0.0 && d.x[i] < 1.0);
        active += d.x[i] > 0.0;
        sum += d.x[i];
        both += i % 4 == 0 && d.x[i] > 0.0 && d.x[i + 1] > 0.0;
    }
    assert_close(active / 80000.0, 0.3, 5.0 * sqrt(0.21 / 80000.0));
    assert_close(sum / active, 0.5, 5.0 * sqrt(1.0 / 12.0 / active));
    assert_close(both / 20000.0, 0.09, 5.0 * sqrt(0.09 * 0.91 / 20000.0));
}

/* What online training does: another step of the key draws other examples of the same facts. */
static void a_sample_follows_the_step_of_its_key(void **state) {
    orr_context *ctx = *state;
    for (int i = 0; orr_data_at(i); i++) {
        const orr_data *kind = orr_data_at(i);
        if (!kind->sample) continue;
        for (int f = 0; f < 2; f++) {
            const orr_dtype dtype = f ? ORR_F32 : ORR_F64;
            const orr_settings s = settings_of(arena, kind->kind.parameters, (const char *const[]){ NULL });
            orr_dataset d;
            orr_graph *g;
            orr_program *p;
            orr_node fact[4], x = ORR_NONE, y = ORR_NONE;
            assert_ok(ctx, kind->load(ctx, arena, &s, 0, &d));
            assert_ok(ctx, orr_graph_new(ctx, &g));
            const orr_node key = orr_input(g, "key", ORR_I32, ORR_SHAPE(4));
            assert_true(d.facts.n <= 4);
            for (int k = 0; k < d.facts.n; k++)
                fact[k] = orr_input(g, d.facts.item[k].name, dtype, d.facts.item[k].shape);
            kind->sample(g, &s, &d, fact, key, 8, dtype, &x, &y);
            const orr_node outputs[2] = { x, y };
            assert_int_equal(orr_node_dtype(g, x), d.vocabulary ? ORR_I32 : dtype);
            assert_int_equal(orr_node_dtype(g, y), d.classes ? ORR_I32 : dtype);
            assert_ok(ctx, orr_compile(ctx, g, &(orr_compile_options){ .outputs = outputs, .n_outputs = 2 }, &p));
            for (int k = 0; k < d.facts.n; k++) {
                void *to = orr_program_data(p, fact[k]);
                const int64_t n = orr_shape_count(&d.facts.item[k].shape);
                for (int64_t j = 0; to && j < n; j++) {
                    const double value = ((const double *)d.facts.item[k].data)[j];
                    if (f) ((float *)to)[j] = (float)value;
                    else ((double *)to)[j] = value;
                }
            }
            const size_t bytes = (size_t)(8 * orr_dataset_features(&d)) * (f ? 4 : 8);
            void *first = orr_arena_take(arena, (int64_t)bytes, 1);
            int32_t *word = orr_program_data(p, key);
            word[2] = 7;
            assert_ok(ctx, orr_program_run(p));
            memcpy(first, orr_program_data(p, x), bytes);
            assert_ok(ctx, orr_program_run(p));
            assert_memory_equal(first, orr_program_data(p, x), bytes);
            word[3] = 1;
            assert_ok(ctx, orr_program_run(p));
            assert_memory_not_equal(first, orr_program_data(p, x), bytes);
            orr_program_free(p);
            orr_graph_free(g);
        }
    }
}

/* What an ensemble does: the same sampler over a batch of keys draws for each member what it would draw alone. */
static void a_batch_of_keys_draws_what_each_key_draws_alone(void **state) {
    orr_context *ctx = *state;
    for (int i = 0; orr_data_at(i); i++) {
        const orr_data *kind = orr_data_at(i);
        if (!kind->sample) continue;
        const orr_settings s = settings_of(arena, kind->kind.parameters, (const char *const[]){ NULL });
        orr_dataset d;
        orr_graph *g;
        orr_program *p;
        orr_node fact[4], alone[2], together[2];
        assert_ok(ctx, kind->load(ctx, arena, &s, 0, &d));
        assert_ok(ctx, orr_graph_new(ctx, &g));
        const orr_node key = orr_input(g, "key", ORR_I32, ORR_SHAPE(4)),
                       keys = orr_input(g, "keys", ORR_I32, ORR_SHAPE(3, 4));
        for (int k = 0; k < d.facts.n; k++)
            fact[k] = orr_literal(g, ORR_F64, d.facts.item[k].shape, d.facts.item[k].data);
        kind->sample(g, &s, &d, fact, key, 8, ORR_F64, &alone[0], &alone[1]);
        orr_vmap(g, alone, 2, &key, &keys, 1, together);
        const orr_node outputs[4] = { alone[0], alone[1], together[0], together[1] };
        assert_ok(ctx, orr_compile(ctx, g, &(orr_compile_options){ .outputs = outputs, .n_outputs = 4 }, &p));
        int32_t *one = orr_program_data(p, key), *all = orr_program_data(p, keys);
        for (int m = 0; m < 3; m++) all[m * 4] = m, all[m * 4 + 2] = 7, all[m * 4 + 3] = m;
        for (int m = 0; m < 3; m++) {
            memcpy(one, all + m * 4, 4 * sizeof *one);
            assert_ok(ctx, orr_program_run(p));
            const int64_t count[2] = { 8 * orr_dataset_features(&d), 8 * orr_dataset_targets(&d) };
            for (int o = 0; o < 2; o++)
                for (int64_t j = 0; j < count[o]; j++) {
                    const void *a = orr_program_data(p, alone[o]), *b = orr_program_data(p, together[o]);
                    if (orr_node_dtype(g, alone[o]) == ORR_I32)
                        assert_int_equal(((const int32_t *)a)[j], ((const int32_t *)b)[m * count[o] + j]);
                    else /* sums of up to 100 terms may be taken in another order */
                        assert_close(((const double *)b)[m * count[o] + j], ((const double *)a)[j], 1e-12);
                }
        }
        orr_program_free(p);
        orr_graph_free(g);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(gaussian_inputs_have_the_covariance_that_is_asked_for),
        TEST(a_linear_teacher_is_recomputed_from_its_facts),
        TEST(noise_has_its_deviation_and_leaves_the_inputs_alone),
        TEST(the_same_seed_gives_the_same_bits_and_another_one_others),
        TEST(more_examples_begin_with_the_fewer_and_test_ones_are_others),
        TEST(points_of_the_sphere_have_its_radius_and_no_direction),
        TEST(harmonic_targets_are_polynomials_of_the_first_coordinate_with_mean_square_1),
        TEST(whitened_inputs_are_exactly_white_and_the_map_has_its_singular_values),
        TEST(a_committee_is_recomputed_from_its_facts),
        TEST(a_deep_teacher_is_recomputed_from_its_facts),
        TEST(a_single_index_target_is_its_hermite_sum),
        TEST(a_multi_index_target_is_made_of_its_directions),
        TEST(clouds_lie_around_their_means),
        TEST(modular_arithmetic_has_every_pair_once),
        TEST(sequences_show_a_linear_map_and_ask_for_one_more_value),
        TEST(sparse_features_are_active_as_often_as_asked),
        TEST(a_sample_follows_the_step_of_its_key),
        TEST(a_batch_of_keys_draws_what_each_key_draws_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
