/* What the files of compile share while a program is being made:
 *
 *   lower.c         nodes to launches over views, source buffers
 *   lower_fused.c   groups to fused launches
 *   cost.c          flops and bytes of a launch
 *   place.c         outputs, updates in place, memory, addresses */
#ifndef ORR_TENSOR_BUILDER_H
#define ORR_TENSOR_BUILDER_H

#include "tensor/program.h"

typedef struct orr_builder {
    orr_plan plan;
    orr_context *ctx;
    const orr_graph *g;
    const orr_compile_options *options;
    orr_program *p;
    int32_t *buffer_of; /* [nodes]: buffer of a root; -1 */
    int32_t *step_of;   /* [nodes]: step that computes a node; -1 */
    int32_t max_buffers, max_relocations, max_steps;
} orr_builder;

orr_status orr_lower_no_memory(orr_builder *b);
size_t orr_type_bytes(const orr_type *t);
int32_t orr_lower_buffer(orr_builder *b, orr_buffer_kind kind, int32_t node, size_t bytes);
/* *where follows the buffer, `bytes` behind its beginning, and the buffer lives until the step at least. */
void orr_lower_relocate(orr_builder *b, void **where, int32_t buffer, int64_t bytes, int32_t step, bool writes);
/* Lets `view` show a node and follow its buffer. */
orr_status orr_lower_show(orr_builder *b, orr_view *view, int32_t node, int32_t step, bool writes) ORR_MUST_USE;
orr_status orr_lower_sources(orr_builder *b) ORR_MUST_USE;
orr_status orr_lower_steps(orr_builder *b) ORR_MUST_USE;
/* A copy of what `from` shows into a buffer, contiguous: an output or an update that no launch writes where it belongs.
 */
orr_status orr_lower_copy(orr_builder *b, int32_t from, int32_t buffer) ORR_MUST_USE;
/* number: [nodes], scratch. */
orr_status orr_lower_fused(orr_builder *b, const orr_group *group, int16_t *number) ORR_MUST_USE;

void orr_count_launch(orr_step *s);
void orr_count_fused(orr_step *s);

orr_status orr_place_outputs(orr_builder *b) ORR_MUST_USE;
orr_status orr_place_updates(orr_builder *b) ORR_MUST_USE;
/* Fused launches write over temporaries that they are the last to read. */
void orr_place_shared(orr_builder *b);
orr_status orr_place_memory(orr_builder *b) ORR_MUST_USE;

#endif
