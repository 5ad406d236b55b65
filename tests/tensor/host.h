/* Tensors of the tests, on the host: every type held as double, which is exact for f32, i32 and bool; so that one
 * comparison serves all, and equal doubles are equal bits. */
#ifndef ORR_TESTS_TENSOR_HOST_H
#define ORR_TESTS_TENSOR_HOST_H

#include "testing.h"

#include "tensor/op.h"

typedef struct host {
    orr_type type;
    int64_t n;
    double *v; /* [n] */
} host;

host host_new(orr_arena *arena, orr_dtype dtype, orr_shape shape);
/* A batch of n such tensors; entry b of a batch, sharing its numbers. */
host host_batch(orr_arena *arena, const orr_type *type, int64_t n);
host host_entry(const host *batch, int64_t b);

/* Numbers that depend on the seed alone. */
typedef struct dice {
    uint64_t state;
} dice;
uint64_t dice_bits(dice *d);
double dice_uniform(dice *d, double low, double high);
int64_t dice_below(dice *d, int64_t n);

/* Uniform numbers of its type: floats in [low, high), whole numbers in [low, high), booleans. */
void host_draw(dice *d, host *h, double low, double high);
/* Uniform floats in [low, high), at least `apart` from each other, from those in `all` and from every multiple of 1/2, so
 * that a small step crosses no kink. */
void host_draw_apart(dice *d, host *h, double low, double high, double apart, host *all, int n_all);

/* ---- programs -------------------------------------------------------------------------------------------------------- */

orr_program *program_of(orr_context *ctx, const orr_graph *g, const char *device, const orr_node *outputs, int32_t n);
/* Fills an input; nothing where the program doesn't read it. */
void program_put(orr_program *p, orr_node input, const host *h);
/* The tensor of an input or output. */
void program_get(orr_program *p, orr_node node, host *h);
void program_go(orr_context *ctx, orr_program *p);

/* A graph's inputs with their numbers, evaluated once on a device. */
typedef struct feed {
    int32_t n;
    orr_node node[64];
    host value[64];
} feed;
void feed_add(feed *f, orr_node node, host value);
void evaluate(orr_context *ctx, const orr_graph *g, const char *device, const feed *in, const orr_node *outputs,
              int32_t n, host *results);
host host_like(orr_arena *arena, const orr_graph *g, orr_node node);

/* ---- comparison ------------------------------------------------------------------------------------------------------- */

/* max |a - b|, and where; infinity where one is NaN or infinite and the other isn't the same. */
double host_distance(const host *a, const host *b, int64_t *at);
double host_largest(const host *a); /* max |a|, 0 for none */
bool host_same_bits(const host *a, const host *b);
/* Says what differs and where. */
void assert_same_bits(const char *what, const host *got, const host *expected);
void assert_near(const char *what, const host *got, const host *expected, double limit);
/* |got - expected| <= limit[i] for each. */
void assert_within(const char *what, const host *got, const host *expected, const double *limit);

/* 2^-53 or 2^-24: the relative error of one rounding; 0 for whole numbers and booleans. */
double unit_of(orr_dtype dtype);

#endif
