/* What the machine can do, to measure the others by: a large matrix product, and copying. */
#include <string.h>

#include "base/parallel.h"
#include "workloads/workload.h"

enum { N = 2048 };

static void build_gemm(orr_workload_graph *w, orr_dtype dtype) {
    const orr_node a = orr_workload_in(w, "a", dtype, ORR_SHAPE(N, N), ORR_LAW_NORMAL, 1.0);
    const orr_node b = orr_workload_in(w, "b", dtype, ORR_SHAPE(N, N), ORR_LAW_NORMAL, 1.0);
    orr_workload_out(w, "c", orr_matmul(w->g, a, b));
}

static void build_gemm_f32(orr_workload_graph *w) { build_gemm(w, ORR_F32); }
static void build_gemm_f64(orr_workload_graph *w) { build_gemm(w, ORR_F64); }

const orr_workload orr_workload_gemm_f32 = {
    .name = "gemm_f32",
    .unit = "product",
    .title = "2048 x 2048 matrix product, float32",
    .dtype = ORR_F32,
    .flops = 2.0 * N * N * N,
    .units_per_call = 1,
    .build = build_gemm_f32,
};

const orr_workload orr_workload_gemm_f64 = {
    .name = "gemm_f64",
    .unit = "product",
    .title = "2048 x 2048 matrix product, float64",
    .dtype = ORR_F64,
    .flops = 2.0 * N * N * N,
    .units_per_call = 1,
    .build = build_gemm_f64,
};

/* ---- copying ----------------------------------------------------------------------------------------------------- */

enum { CHUNK = 1 << 20, CHUNKS = 256 }; /* 256 MiB: well beyond any cache */

typedef struct buffers {
    char *from, *to;
} buffers;

static orr_status open_copy(orr_context *ctx, orr_arena *arena, bool reproducible, void **state) {
    (void)reproducible;
    buffers *x = ORR_NEW(arena, buffers, 1);
    *state = x;
    if (x) x->from = ORR_NEW(arena, char, (int64_t)CHUNK *CHUNKS);
    if (x) x->to = ORR_NEW(arena, char, (int64_t)CHUNK *CHUNKS);
    if (!x || !x->from || !x->to) return orr_fail(ctx, ORR_ENOMEM, "copy: two buffers of %d MiB", CHUNKS);
    memset(x->from, 1, (size_t)CHUNK * CHUNKS); /* pages of its own, not the shared one of zeros */
    return ORR_OK;
}

static void copy_chunk(void *arg, int64_t task, int worker) {
    const buffers *x = arg;
    (void)worker;
    memcpy(x->to + task * CHUNK, x->from + task * CHUNK, CHUNK);
}

static orr_status run_copy(orr_context *ctx, void *state, int64_t units) {
    for (int64_t i = 0; i < units; i++) orr_parallel(orr_context_pool(ctx), CHUNKS, copy_chunk, state);
    return ORR_OK;
}

const orr_workload orr_workload_copy = {
    .name = "copy",
    .unit = "copy",
    .title = "256 MiB from one place in memory to another",
    .dtype = ORR_F32,
    .bytes = 2.0 * CHUNK * CHUNKS,
    .units_per_call = 1,
    .open = open_copy,
    .run = run_copy,
};
