#include "base/random.h"

#include <assert.h>
#include <math.h>

#include <Random123/philox.h>

#define TWO_PI 6.283185307179586476925 /* C11 has no M_PI */

uint32_t orr_purpose_of(const char *name) {
    uint32_t hash = 2166136261u; /* FNV-1a, 32 bits: offset basis and prime of its definition */
    for (const char *c = name; *c; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
    return hash | 0x80000000u;
}

void orr_random_block(orr_key key, uint64_t block, uint32_t word[4]) {
    const philox4x32_ctr_t counter = { { (uint32_t)block, (uint32_t)(block >> 32), key.purpose, key.step } };
    const philox4x32_key_t philox_key = { { (uint32_t)key.seed, (uint32_t)(key.seed >> 32) } };
    const philox4x32_ctr_t out = philox4x32(counter, philox_key);
    for (int i = 0; i < 4; i++) word[i] = out.v[i];
}

/* The block at hand: neighbouring draws share one. */
typedef struct stream {
    orr_key key;
    uint64_t block;
    uint32_t word[4];
} stream;

static stream stream_at(orr_key key, uint64_t block) {
    stream s = { .key = key, .block = block };
    orr_random_block(key, block, s.word);
    return s;
}

static inline void load(stream *s, uint64_t block) {
    if (s->block == block) return;
    s->block = block;
    orr_random_block(s->key, block, s->word);
}

static inline uint32_t draw32(stream *s, uint64_t i) {
    load(s, i / 4);
    return s->word[i % 4];
}

static inline uint64_t draw64(stream *s, uint64_t i) {
    load(s, i / 2);
    const uint32_t *w = s->word + 2 * (i % 2);
    return w[0] | (uint64_t)w[1] << 32;
}

static inline float uniform_f32(stream *s, uint64_t i) { return (float)(draw32(s, i) >> 8) * 0x1p-24f; }
static inline double uniform_f64(stream *s, uint64_t i) { return (double)(draw64(s, i) >> 11) * 0x1p-53; }
static inline int32_t sign(stream *s, uint64_t i) { return draw32(s, i) & 1 ? -1 : 1; }

void orr_random_fill_uniform(orr_key key, uint64_t first, int64_t n, double *out) {
    stream s = stream_at(key, first / 2);
    for (int64_t j = 0; j < n; j++) out[j] = uniform_f64(&s, first + (uint64_t)j);
}

void orr_random_fill_uniform_f32(orr_key key, uint64_t first, int64_t n, float *out) {
    stream s = stream_at(key, first / 4);
    for (int64_t j = 0; j < n; j++) out[j] = uniform_f32(&s, first + (uint64_t)j);
}

/* Both elements of pair j.  1 - u1 is exact and in (0, 1]: no log of 0. */
static void normal_pair_f64(stream *s, uint64_t pair, double out[2]) {
    const double u1 = uniform_f64(s, 2 * pair), u2 = uniform_f64(s, 2 * pair + 1);
    const double r = sqrt(-2.0 * log(1.0 - u1)), angle = TWO_PI * u2;
    out[0] = r * cos(angle);
    out[1] = r * sin(angle);
}

static void normal_pair_f32(stream *s, uint64_t pair, float out[2]) {
    const float u1 = uniform_f32(s, 2 * pair), u2 = uniform_f32(s, 2 * pair + 1);
    const float r = sqrtf(-2.0f * logf(1.0f - u1)), angle = (float)TWO_PI * u2;
    out[0] = r * cosf(angle);
    out[1] = r * sinf(angle);
}

void orr_random_fill_normal(orr_key key, uint64_t first, int64_t n, double *out) {
    stream s = stream_at(key, first / 2);
    double pair[2] = { 0 };
    for (int64_t j = 0; j < n; j++) {
        const uint64_t i = first + (uint64_t)j;
        if (j == 0 || i % 2 == 0) normal_pair_f64(&s, i / 2, pair);
        out[j] = pair[i % 2];
    }
}

void orr_random_fill_normal_f32(orr_key key, uint64_t first, int64_t n, float *out) {
    stream s = stream_at(key, first / 4);
    float pair[2] = { 0 };
    for (int64_t j = 0; j < n; j++) {
        const uint64_t i = first + (uint64_t)j;
        if (j == 0 || i % 2 == 0) normal_pair_f32(&s, i / 2, pair);
        out[j] = pair[i % 2];
    }
}

void orr_random_fill_sign(orr_key key, uint64_t first, int64_t n, double *out) {
    stream s = stream_at(key, first / 4);
    for (int64_t j = 0; j < n; j++) out[j] = (double)sign(&s, first + (uint64_t)j);
}

void orr_random_fill_sign_f32(orr_key key, uint64_t first, int64_t n, float *out) {
    stream s = stream_at(key, first / 4);
    for (int64_t j = 0; j < n; j++) out[j] = (float)sign(&s, first + (uint64_t)j);
}

void orr_random_fill_int(orr_key key, uint64_t first, int64_t n, int32_t below, int32_t *out) {
    assert(below > 0 && "an integer below nothing");
    stream s = stream_at(key, first / 4);
    for (int64_t j = 0; j < n; j++)
        out[j] = (int32_t)(((uint64_t)draw32(&s, first + (uint64_t)j) * (uint64_t)below) >> 32);
}

/* Uniform below n by the next draws: the first 2^64 mod n values are passed over, so that n divides what is left. */
static uint64_t bounded(stream *s, uint64_t *i, uint64_t n) {
    const uint64_t least = (0 - n) % n; /* 2^64 mod n */
    uint64_t x;
    do x = draw64(s, (*i)++);
    while (x < least);
    return x % n;
}

void orr_random_permutation(orr_key key, int64_t n, int64_t *out) {
    stream s = stream_at(key, 0);
    uint64_t draws = 0;
    for (int64_t i = 0; i < n; i++) out[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = (int64_t)bounded(&s, &draws, (uint64_t)i + 1), kept = out[i];
        out[i] = out[j];
        out[j] = kept;
    }
}
