/* A graph compiled and run in one call, on numbers given as doubles. */
#ifndef ORR_TESTS_TENSOR_EVALUATE_H
#define ORR_TESTS_TENSOR_EVALUATE_H

#include "testing.h"

typedef struct given {
    orr_node input;
    const double *value; /* converted to the input's type */
} given;

static inline double element(const void *data, orr_dtype dtype, int64_t i) {
    if (dtype == ORR_F32) return (double)((const float *)data)[i];
    if (dtype == ORR_F64) return ((const double *)data)[i];
    return dtype == ORR_I32 ? (double)((const int32_t *)data)[i] : (double)((const uint8_t *)data)[i];
}

static inline void put_element(void *data, orr_dtype dtype, int64_t i, double value) {
    if (dtype == ORR_F32) ((float *)data)[i] = (float)value;
    else if (dtype == ORR_F64) ((double *)data)[i] = value;
    else if (dtype == ORR_I32) ((int32_t *)data)[i] = (int32_t)value;
    else ((uint8_t *)data)[i] = value != 0.0;
}

static inline orr_program *compile_for(orr_context *ctx, const orr_graph *g, const char *device, const orr_node *out,
                                       int n) {
    orr_program *p;
    const orr_compile_options options = { .outputs = out, .n_outputs = n, .device = device };
    assert_ok(ctx, orr_compile(ctx, g, &options, &p));
    return p;
}

static inline void put_input(const orr_graph *g, orr_program *p, given in) {
    const orr_shape shape = orr_node_shape(g, in.input);
    void *data = orr_program_data(p, in.input);
    for (int64_t i = 0; data && i < orr_shape_count(&shape); i++)
        put_element(data, orr_node_dtype(g, in.input), i, in.value[i]);
}

/* result[0..]: the elements of out[0], then of out[1], ... */
static inline void get_outputs(const orr_graph *g, orr_program *p, const orr_node *out, int n, double *result) {
    for (int k = 0; k < n; k++) {
        const orr_shape shape = orr_node_shape(g, out[k]);
        const void *data = orr_program_data(p, out[k]);
        assert_non_null(data);
        for (int64_t i = 0; i < orr_shape_count(&shape); i++) *result++ = element(data, orr_node_dtype(g, out[k]), i);
    }
}

static inline void evaluate(orr_context *ctx, const orr_graph *g, const char *device, const given *in, int n_in,
                            const orr_node *out, int n_out, double *result) {
    orr_program *p = compile_for(ctx, g, device, out, n_out);
    for (int i = 0; i < n_in; i++) put_input(g, p, in[i]);
    assert_ok(ctx, orr_program_run(p));
    get_outputs(g, p, out, n_out, result);
    orr_program_free(p);
}

static const char *const devices[] = { "ref", "cpu" };
enum { N_DEVICES = 2 };

#endif
