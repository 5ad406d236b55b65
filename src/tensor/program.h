/* The inside of a program: launches over views into buffers. */
#ifndef ORR_TENSOR_PROGRAM_H
#define ORR_TENSOR_PROGRAM_H

#include "tensor/plan.h"

typedef enum orr_buffer_kind {
    ORR_BUFFER_TEMP,
    ORR_BUFFER_INPUT,
    ORR_BUFFER_OUTPUT,
    ORR_BUFFER_LITERAL
} orr_buffer_kind;

typedef struct orr_buffer {
    orr_buffer_kind kind;
    int32_t node; /* whose elements it holds; 0: a constant or a copy */
    size_t bytes;
    int32_t born, dies; /* steps, for temps */
    int32_t last_read;  /* step; -1: none */
    int32_t same_as;    /* lives in the memory of that buffer; -1: in its own */
    size_t offset;      /* in the block of temps or of persistent ones */
    void *data;
    bool ready; /* an input or output: bound, or set to zero */
} orr_buffer;

typedef struct orr_step {
    const orr_kernel *kernel; /* NULL: a fused group */
    orr_launch launch;
    orr_fused *fused;
    void *plan;
    size_t workspace;
    int32_t node; /* the last that it computes, for messages; 0: a copy */
    int32_t group;
    int32_t first_relocation; /* its relocations stand together */
    int64_t flops, bytes;
    double seconds; /* in all runs, where they are timed */
} orr_step;

/* A pointer inside a view that follows a buffer. */
typedef struct orr_relocation {
    void **where;
    int32_t buffer;
    int64_t offset; /* bytes */
    int32_t step;
    bool writes;
} orr_relocation;

typedef struct orr_binding {
    int32_t node, buffer;
} orr_binding;

struct orr_program {
    orr_context *ctx;
    orr_arena *arena;
    const orr_device *device;
    bool find_non_finite, profile;
    int64_t runs;
    orr_step *steps;
    int32_t n_steps;
    orr_buffer *buffers;
    int32_t n_buffers;
    orr_relocation *relocations;
    int32_t n_relocations;
    orr_binding *inputs, *outputs;
    int32_t n_inputs, n_outputs;
    void *memory, *workspace;
    bool ready; /* all inputs and outputs are, and views point at them */
    size_t temp_bytes, minimum_bytes, persistent_bytes, workspace_bytes;
    /* for messages: names of what a step computes, copied so that the graph may go */
    const char **step_text;  /* "exp f32[3]" */
    const char **step_where; /* "model.c:88" */
};

/* Sets the memory of an input or output to zero before it is first seen: what is bound to the caller's is never touched. */
void orr_program_make_ready(orr_program *p, int32_t buffer);

/* Sets the addresses in all views: once before the first run, and again after something was bound. */
void orr_place_point(orr_program *p);

/* Gives temps their offsets so that those that live at once don't overlap; returns the size of the block. */
size_t orr_memory_pack(orr_buffer *buffers, int32_t n, int32_t *order_scratch);
/* What temps need that are alive at one step, at their most: a lower bound of any packing. */
size_t orr_memory_minimum(const orr_buffer *buffers, int32_t n);

#endif
