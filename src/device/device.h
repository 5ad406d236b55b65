/* The contract of a device: a table with a kernel for every primitive.
 *
 * Kernels see views: strided windows into buffers, so that most movement costs nothing.  A device starts as a copy of
 * device/ref (plain loops, one a primitive) and overrides entries; a missing fast kernel costs time, never a feature.
 */
#ifndef ORR_DEVICE_DEVICE_H
#define ORR_DEVICE_DEVICE_H

#include "base/arena.h"
#include "base/context.h"
#include "base/parallel.h"
#include "device/primitive.h"

/* Element [i0, i1, ...] is at data + (i0 stride[0] + i1 stride[1] + ...) elements.  A stride of 0 repeats. */
typedef struct orr_view {
    void *data;
    orr_dtype dtype;
    orr_shape shape;
    int64_t stride[ORR_RANK_MAX];
} orr_view;

/* One launch.  args may be any views; out is contiguous and overlaps no argument. */
typedef struct orr_launch {
    orr_op_code code;
    const void *attr;
    int32_t n_args;
    const orr_view *args;
    orr_view out;
    void *plan;      /* what prepare made, or NULL */
    void *workspace; /* private scratch of the size that prepare asked for, aligned to 64 */
    orr_pool *pool;
} orr_launch;

typedef struct orr_kernel {
    /* Once, when the program is compiled, with data pointers NULL: chooses a method.  *plan lives in the arena.  May be
     * NULL. */
    orr_status (*prepare)(orr_context *ctx, orr_arena *arena, const orr_launch *launch, void **plan, size_t *workspace);
    /* Each time.  Allocates nothing.  Fails: ORR_EINPUT for an index out of range. */
    orr_status (*run)(orr_context *ctx, const orr_launch *launch);
} orr_kernel;

/* A group of elementwise nodes and of reductions of them, in one pass over memory. */
struct orr_fused;

typedef struct orr_device {
    const char *name;
    orr_kernel kernel[ORR_OP_COUNT]; /* sources have none; one without .run is ref's */
    /* NULL: the device takes no fused groups, and every node is a launch of its own. */
    orr_status (*fused_prepare)(orr_context *ctx, orr_arena *arena, const struct orr_fused *group, void **plan,
                                size_t *workspace);
    /* After each change of the addresses in the group's views: what a device can work out once.  May be NULL. */
    void (*fused_bind)(const struct orr_fused *group, void *plan, void *workspace);
    orr_status (*fused_run)(orr_context *ctx, const struct orr_fused *group, void *plan, void *workspace,
                            orr_pool *pool);
} orr_device;

extern const orr_device orr_device_ref;
extern const orr_device orr_device_cpu;

/* NULL where there is no device of this name. */
const orr_device *orr_device_find(const char *name);
/* The kernel for a primitive: the device's own, or ref's. */
const orr_kernel *orr_device_kernel(const orr_device *device, orr_op_code code);

orr_view orr_view_contiguous(orr_dtype dtype, const orr_shape *shape);
bool orr_view_is_contiguous(const orr_view *view);

#endif
