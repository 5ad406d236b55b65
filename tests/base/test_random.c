#include "base/random.h"
#include "testing.h"

enum { N = 100000 };
static const orr_key key = { .seed = 0x123456789abcdef0u, .purpose = ORR_PURPOSE_TEST, .step = 7 };

/* kat_vectors of Random123 (D. E. Shaw Research), lines "philox4x32 10": counter, key, result. */
static void blocks_are_the_known_answers_of_random123(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], word[4];
    } known[] = {
        { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
          { 0xffffffff, 0xffffffff },
          { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
          { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t word[4];
        orr_random_block((orr_key){ .seed = known[i].key[0] | (uint64_t)known[i].key[1] << 32,
                                    .purpose = known[i].counter[2],
                                    .step = known[i].counter[3] },
                         known[i].counter[0] | (uint64_t)known[i].counter[1] << 32, word);
        for (int w = 0; w < 4; w++) assert_int_equal(word[w], known[i].word[w]);
    }
}

static uint32_t word_of(uint64_t i) {
    uint32_t word[4];
    orr_random_block(key, i / 4, word);
    return word[i % 4];
}

static uint64_t long_word_of(uint64_t i) { return word_of(2 * i) | (uint64_t)word_of(2 * i + 1) << 32; }

/* The mapping of random.h, written out a second time: other engines are held to it. */
static void elements_follow_the_stated_mapping(void **state) {
    (void)state;
    const uint64_t first = 4000000001u; /* odd, and beyond what fits 32 bits once doubled */
    double u[9], z[9], s[9];
    float u32[9], z32[9], s32[9];
    int32_t below[9];
    orr_random_fill_uniform(key, first, 9, u);
    orr_random_fill_normal(key, first, 9, z);
    orr_random_fill_sign(key, first, 9, s);
    orr_random_fill_uniform_f32(key, first, 9, u32);
    orr_random_fill_normal_f32(key, first, 9, z32);
    orr_random_fill_sign_f32(key, first, 9, s32);
    orr_random_fill_int(key, first, 9, 1000, below);
    for (int j = 0; j < 9; j++) {
        const uint64_t i = first + (uint64_t)j, a = i - i % 2, b = a + 1;
        assert_true(u[j] == (double)(long_word_of(i) >> 11) * 0x1p-53);
        assert_true(u32[j] == (float)(word_of(i) >> 8) * 0x1p-24f);
        assert_true(s[j] == (word_of(i) & 1 ? -1.0 : 1.0) && s32[j] == (float)s[j]);
        assert_int_equal(below[j], (int32_t)((uint64_t)word_of(i) * 1000 >> 32));
        const double angle = 6.283185307179586 * ((double)(long_word_of(b) >> 11) * 0x1p-53);
        const double r = sqrt(-2 * log(1 - (double)(long_word_of(a) >> 11) * 0x1p-53));
        assert_close(z[j], i % 2 ? r * sin(angle) : r * cos(angle), 1e-15); /* r < 9: a few last bits */
        const double angle32 = 6.283185307179586 * ((double)(word_of(b) >> 8) * 0x1p-24);
        const double r32 = sqrt(-2 * log(1 - (double)(word_of(a) >> 8) * 0x1p-24));
        /* The angle in float errs by 2^-24 of 2 pi, log and sqrt by an ulp or two: r (4e-7 + 4e-7), r < 5.8. */
        assert_close(z32[j], i % 2 ? r32 * sin(angle32) : r32 * cos(angle32), 4e-6);
    }
}

static void a_split_fill_is_the_whole_fill(void **state) {
    (void)state;
    enum { WHOLE = 67 };
    double a[WHOLE], b[WHOLE];
    float c[WHOLE], d[WHOLE];
    int32_t e[WHOLE], f[WHOLE];
    for (int64_t k = 0; k <= WHOLE; k++) {
        for (uint64_t first = 0; first < 4; first++) {
            const uint64_t middle = first + (uint64_t)k;
#define ASSERT_SPLIT(fill, whole, part)                                                                                \
    do {                                                                                                               \
        fill(key, first, WHOLE, whole);                                                                                \
        fill(key, first, k, part);                                                                                     \
        fill(key, middle, WHOLE - k, (part) + k);                                                                      \
        assert_memory_equal(whole, part, sizeof(whole));                                                               \
    } while (0)
            ASSERT_SPLIT(orr_random_fill_uniform, a, b);
            ASSERT_SPLIT(orr_random_fill_normal, a, b);
            ASSERT_SPLIT(orr_random_fill_sign, a, b);
            ASSERT_SPLIT(orr_random_fill_uniform_f32, c, d);
            ASSERT_SPLIT(orr_random_fill_normal_f32, c, d);
            ASSERT_SPLIT(orr_random_fill_sign_f32, c, d);
            orr_random_fill_int(key, first, WHOLE, 10, e);
            orr_random_fill_int(key, first, k, 10, f);
            orr_random_fill_int(key, middle, WHOLE - k, 10, f + k);
            assert_memory_equal(e, f, sizeof e);
        }
    }
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double cdf_uniform(double x) { return x; }
static double cdf_normal(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }

/* Kolmogorov's distance between the empirical and the stated distribution.  Sorts x. */
static double distance_ks(double *x, int64_t n, double (*cdf)(double)) {
    double d = 0;
    qsort(x, (size_t)n, sizeof *x, ascending);
    for (int64_t i = 0; i < n; i++) {
        const double f = cdf(x[i]), below = f - (double)i / (double)n, above = (double)(i + 1) / (double)n - f;
        d = fmax(d, fmax(below, above));
    }
    return d;
}

static double moment(const double *x, int64_t n, int power) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += pow(x[i], power);
    return sum / (double)n;
}

/* Seeds are fixed, so a limit that holds once holds always: moments at 4 standard errors, sqrt(Var x^p / n);
 * Kolmogorov at 1.95 / sqrt(n), which one sample in a thousand would pass. */
static void uniforms_have_the_moments_and_the_shape(double *u) {
    double power[3];
    for (int p = 1; p <= 3; p++) {
        const double mean = 1.0 / (p + 1), variance = 1.0 / (2 * p + 1) - mean * mean;
        power[p - 1] = moment(u, N, p);
        assert_close(power[p - 1], mean, 4 * sqrt(variance / N));
    }
    for (int64_t i = 0; i < N; i++) assert_true(u[i] >= 0 && u[i] < 1);
    assert_true(distance_ks(u, N, cdf_uniform) < 1.95 / sqrt(N));
}

static void normals_have_the_moments_and_the_shape(double *z) {
    static const double mean[] = { 1, 0, 1, 0, 3, 0, 15, 0, 105 }; /* E z^p */
    for (int p = 1; p <= 4; p++)
        assert_close(moment(z, N, p), mean[p], 4 * sqrt((mean[2 * p] - mean[p] * mean[p]) / N));
    assert_true(distance_ks(z, N, cdf_normal) < 1.95 / sqrt(N));
}

static void fills_have_the_moments_and_the_shape(void **state) {
    (void)state;
    double *x = malloc(N * sizeof *x);
    float *y = malloc(N * sizeof *y);
    assert_true(x && y);
    orr_random_fill_uniform(key, 0, N, x);
    uniforms_have_the_moments_and_the_shape(x);
    orr_random_fill_normal(key, 0, N, x);
    normals_have_the_moments_and_the_shape(x);
    orr_random_fill_uniform_f32(key, 0, N, y);
    for (int64_t i = 0; i < N; i++) x[i] = (double)y[i];
    uniforms_have_the_moments_and_the_shape(x);
    orr_random_fill_normal_f32(key, 0, N, y);
    for (int64_t i = 0; i < N; i++) x[i] = (double)y[i];
    normals_have_the_moments_and_the_shape(x);
    orr_random_fill_sign(key, 0, N, x);
    assert_close(moment(x, N, 1), 0, 4 / sqrt(N));
    assert_true(moment(x, N, 2) == 1);
    free(y);
    free(x);
}

static void integers_below_n_are_equally_often_each(void **state) {
    (void)state;
    static int32_t x[N];
    int64_t count[10] = { 0 };
    orr_random_fill_int(key, 0, N, 10, x);
    for (int64_t i = 0; i < N; i++) {
        assert_in_range(x[i], 0, 9);
        count[x[i]]++;
    }
    double chi2 = 0;
    for (int k = 0; k < 10; k++) chi2 += pow((double)count[k] - N / 10.0, 2) / (N / 10.0);
    assert_true(chi2 < 27.88); /* chi^2 with 9 degrees of freedom: 0.1 % above */
    orr_random_fill_int(key, 0, N, 1, x);
    for (int64_t i = 0; i < N; i++) assert_int_equal(x[i], 0);
    orr_random_fill_int(key, 0, N, INT32_MAX, x);
    for (int64_t i = 0; i < N; i++) assert_in_range(x[i], 0, INT32_MAX - 1);
}

/* Any change of the key gives another stream, as good as independent: the correlation is below 4 / sqrt(n). */
static void seed_purpose_and_step_all_matter(void **state) {
    (void)state;
    static double a[N], b[N];
    orr_random_fill_normal(key, 0, N, a);
    orr_key other[] = { key, key, key, key, key };
    other[0].seed ^= 1;
    other[1].seed ^= (uint64_t)1 << 32;
    other[2].purpose ^= 1;
    other[3].step ^= 1;
    other[4].step ^= 0x80000000u;
    for (size_t k = 0; k < sizeof other / sizeof *other; k++) {
        double covariance = 0;
        orr_random_fill_normal(other[k], 0, N, b);
        for (int64_t i = 0; i < N; i++) covariance += a[i] * b[i] / N;
        assert_close(covariance, 0, 4 / sqrt(N));
    }
    double lagged = 0;
    for (int64_t i = 0; i + 1 < N; i++) lagged += a[i] * a[i + 1] / N; /* cos and sin of one pair included */
    assert_close(lagged, 0, 4 / sqrt(N));
}

static void the_order_of_four_is_each_permutation_equally_often(void **state) {
    (void)state;
    enum { TRIALS = 24000 };
    int64_t count[256] = { 0 }, order[4];
    for (uint32_t step = 0; step < TRIALS; step++) {
        orr_random_permutation((orr_key){ .seed = 1, .purpose = ORR_PURPOSE_TEST, .step = step }, 4, order);
        count[order[0] | order[1] << 2 | order[2] << 4 | order[3] << 6]++;
    }
    double chi2 = 0;
    int seen = 0;
    for (int code = 0; code < 256; code++)
        if (count[code]) {
            seen++;
            chi2 += pow((double)count[code] - TRIALS / 24.0, 2) / (TRIALS / 24.0);
        }
    assert_int_equal(seen, 24);
    assert_true(chi2 < 49.73); /* chi^2 with 23 degrees of freedom: 0.1 % above */
}

static void a_permutation_has_every_number_once(void **state) {
    (void)state;
    static int64_t order[1009];
    static bool seen[1009];
    orr_random_permutation(key, 0, order);
    orr_random_permutation(key, 1, order);
    assert_int_equal(order[0], 0);
    orr_random_permutation(key, 1009, order);
    int fixed = 0;
    for (int64_t i = 0; i < 1009; i++) {
        assert_in_range(order[i], 0, 1008);
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
        fixed += order[i] == i;
    }
    assert_true(fixed < 8); /* about Poisson(1): 8 or more once in 100,000 */
}

static void a_named_purpose_is_stable_and_none_of_the_enum(void **state) {
    (void)state;
    /* FNV-1a, 32 bits, of "" and "foobar": 811c9dc5 and bf9cf968 (the algorithm's published test vectors). */
    assert_int_equal(orr_purpose_of(""), 0x811c9dc5);
    assert_int_equal(orr_purpose_of("foobar"), 0xbf9cf968);
    assert_int_equal(orr_purpose_of("a"), 0xe40c292c);
    assert_int_not_equal(orr_purpose_of("layer1.weight"), orr_purpose_of("layer2.weight"));
    assert_true(orr_purpose_of("layer1.weight") > ORR_PURPOSE_TEST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_the_known_answers_of_random123),
        cmocka_unit_test(elements_follow_the_stated_mapping),
        cmocka_unit_test(a_split_fill_is_the_whole_fill),
        cmocka_unit_test(fills_have_the_moments_and_the_shape),
        cmocka_unit_test(integers_below_n_are_equally_often_each),
        cmocka_unit_test(seed_purpose_and_step_all_matter),
        cmocka_unit_test(the_order_of_four_is_each_permutation_equally_often),
        cmocka_unit_test(a_permutation_has_every_number_once),
        cmocka_unit_test(a_named_purpose_is_stable_and_none_of_the_enum),
    };
    return cmocka_run_group_tests_name("base/random", tests, NULL, NULL);
}
