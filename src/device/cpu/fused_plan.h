/* Fused groups on the CPU: the iteration shape is cut into tiles that fit the first cache; all instructions run over one
 * tile before the next is begun, so that intermediate values never see memory.
 *
 *   prepare (fused_plan.c)   collapse axes that every operand walks through as one; choose the tile, a stretch of one axis,
 *                            the cut one, with all of the axes inside it; give each value a place: memory itself, a
 *                            register, a scalar
 *   bind    (fused_run.c)    a group of few tiles, as theory-sized networks have, gets its addresses worked out once
 *   run     (fused_run.c)    tasks are ranges of tiles, cut by the shape alone.  A reduction has accumulators in double, one
 *                            set for each task where the outermost axis is reduced, added in the order of tasks: threads
 *                            change nothing */
#ifndef ORR_DEVICE_CPU_FUSED_PLAN_H
#define ORR_DEVICE_CPU_FUSED_PLAN_H

#include "device/cpu/cpu.h"

enum {
    TILE_BYTES = 4096,   /* of the widest type: ten registers stay within 40 kB, about the first-level cache */
    TILE = 1024,         /* most elements */
    TASK_WORK = 1 << 15, /* units of work (orr_fused_work) of a task, so that tasks are evenly shared out */
    SHARED_WORK =
        1
        << 18, /* from which on sharing is worth while: to wake another thread and to wait for it takes microseconds */
    TASKS_MAX = 64,
    BOUND_TILES = 4,
    PARTIAL_TASKS_MAX = 16, /* tasks with accumulators of their own */
    SHORT_ROW = 24,
    PAIR_BYTES = 2 * sizeof(double),
    ROW_BY_ROW = 16, /* from so many columns on, a loop for each row costs less than a pass that spreads row values */
    VALUES = 2 * ORR_FUSED_READS + ORR_FUSED_INSTRUCTIONS,
    AXES = ORR_RANK_MAX
};

typedef enum place { IN_MEMORY, IN_REGISTER, SCALAR } place;

typedef struct value {
    place place;
    orr_dtype dtype;
    size_t size;
    int32_t slot;         /* IN_REGISTER: which */
    int32_t output;       /* IN_MEMORY and computed: the output that it is written to; -1: an input */
    int64_t stride[AXES]; /* input or output, elements, over the collapsed axes */
    bool loaded;          /* an input that is copied into its register */
    bool row;             /* one element a row of the tile */
} value;

typedef struct cursor {
    int64_t index[AXES];
    int64_t tile; /* along the cut axis */
    int64_t rows, columns;
    char *input[ORR_FUSED_READS];
    char *output[ORR_FUSED_NODES];
    int64_t out_at[ORR_FUSED_NODES]; /* elements from the output's beginning */
    const char *loaded[ORR_FUSED_READS];
    int64_t loaded_n[ORR_FUSED_READS];
} cursor;

/* The addresses of one tile: where each value stands, what each instruction reads and writes. */
typedef struct addresses {
    const void *at[VALUES];
    const void *args[ORR_FUSED_INSTRUCTIONS][5]; /* of a sum with two factors, the factors last */
    void *to[ORR_FUSED_INSTRUCTIONS];
} addresses;

/* What an instruction does: a loop over the tile, one for each of its rows, or one over the row values; or of the row values' own kind. */
typedef enum action {
    ACT_TILE,
    ACT_ROW_BY_ROW,
    ACT_ROWS,
    ACT_ONE,
    ACT_REDUCE,
    ACT_SPREAD,
    ACT_NOTHING,
    ACT_FOLDED
} action;

typedef struct cpu_fused {
    int32_t rank;
    int64_t size[AXES];
    bool reduced[AXES];
    bool last_reduced, row_reduced, has_reduction, direct;
    int64_t tile;                    /* most elements of a tile */
    int32_t cut;                     /* the axis that tiles cut: the last one, or one before, then the last is whole */
    int64_t tile_steps;              /* of a tile along the cut axis */
    int64_t inner;                   /* steps of all axes between the cut and the last */
    int64_t tile_rows, tile_columns; /* of the last axis: a tile is rows x columns */
    int64_t n_tiles, tiles_per_step; /* all; along the cut axis */
    int64_t outer;                   /* steps of the axes before */
    int64_t tasks, tiles_per_task;
    bool partial; /* each task has accumulators of its own */
    int32_t n_values, n_slots, n_pairs;
    int32_t spare_slot; /* where a scalar that is reduced or stored becomes a vector */
    value value[VALUES];
    int64_t out_stride[ORR_FUSED_NODES][AXES];
    int64_t kept[ORR_FUSED_NODES];   /* elements of a reduced output */
    int64_t acc_at[ORR_FUSED_NODES]; /* its accumulators in a set */
    int64_t acc_total;
    int64_t kept_inner; /* elements of a reduced output for a step of the cut axis */
    action action[ORR_FUSED_INSTRUCTIONS];
    int16_t folded_into[ORR_FUSED_INSTRUCTIONS]; /* a product that the sum after it makes itself: that one; else -1 */
    int16_t factor[ORR_FUSED_INSTRUCTIONS];      /* of such a sum: the product; else -1 */
    int16_t twice[ORR_FUSED_INSTRUCTIONS]; /* of such a product: the product that it multiplies once more; else -1 */
    int32_t pair[ORR_FUSED_INSTRUCTIONS];  /* where both factors stand together, behind the slots: which */
    orr_tile_kernel *run[ORR_FUSED_INSTRUCTIONS];
    int16_t splat_slot[ORR_FUSED_INSTRUCTIONS][3]; /* argument that must become a vector first; -1 */
    bool splats[ORR_FUSED_INSTRUCTIONS];           /* whether there is one */
    bool moves[ORR_FUSED_INSTRUCTIONS];            /* whether it reads or writes other memory in each tile */
    const orr_cpu_kernels *kernels;
    int workers; /* that have registers: threads, where there are tasks for more than one */
    size_t slot_bytes, worker_bytes;
    /* a group of few tiles: their cursors and addresses */
    int32_t n_bound; /* 0: they are found at each run */
    cursor *at;
    addresses *bound;
    double constants[ORR_FUSED_READS];
} cpu_fused;

#endif
