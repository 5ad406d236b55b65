/* A compiled program at work. */
#define _POSIX_C_SOURCE 199309L /* clock_gettime */
#define ORR_TENSOR_INSIDE
#include <math.h>
#include <string.h>
#include <time.h>

#include "tensor/program.h"

void orr_program_free(orr_program *p) {
    if (!p) return;
    orr_release(p->ctx, p->memory);
    orr_release(p->ctx, p->workspace);
    orr_arena_free(p->arena);
}

static int32_t buffer_of(const orr_program *p, orr_node node) {
    for (int32_t i = 0; i < p->n_inputs; i++)
        if (p->inputs[i].node == node.id) return p->inputs[i].buffer;
    for (int32_t i = 0; i < p->n_outputs; i++)
        if (p->outputs[i].node == node.id) return p->outputs[i].buffer;
    return -1;
}

bool orr_program_reads(const orr_program *p, orr_node input) {
    for (int32_t i = 0; i < p->n_inputs; i++)
        if (p->inputs[i].node == input.id) return true;
    return false;
}

void orr_program_make_ready(orr_program *p, int32_t buffer) {
    orr_buffer *x = &p->buffers[buffer];
    while (x->same_as >= 0) x = &p->buffers[x->same_as];
    if (!x->ready && x->bytes) memset(x->data, 0, x->bytes);
    x->ready = true;
}

static void make_all_ready(orr_program *p) {
    for (int32_t i = 0; i < p->n_inputs; i++) orr_program_make_ready(p, p->inputs[i].buffer);
    for (int32_t i = 0; i < p->n_outputs; i++) orr_program_make_ready(p, p->outputs[i].buffer);
    orr_place_point(p);
    p->ready = true;
}

void *orr_program_data(orr_program *p, orr_node node) {
    const int32_t buffer = buffer_of(p, node);
    if (buffer < 0) return NULL;
    orr_program_make_ready(p, buffer);
    return p->buffers[buffer].data;
}

/* ---- finding where a NaN comes from ---------------------------------------------------------------------------- */

static bool all_finite(const orr_view *v) { /* outputs are contiguous */
    const int64_t n = orr_shape_count(&v->shape);
    bool finite = true;
    if (v->dtype == ORR_F32)
        for (int64_t i = 0; i < n; i++) finite = finite && isfinite(((const float *)v->data)[i]);
    else if (v->dtype == ORR_F64)
        for (int64_t i = 0; i < n; i++) finite = finite && isfinite(((const double *)v->data)[i]);
    return finite;
}

static orr_status check_finite(orr_program *p, int32_t at) {
    const orr_step *s = &p->steps[at];
    bool finite = s->fused || all_finite(&s->launch.out);
    for (int16_t o = 0; s->fused && o < s->fused->n_outputs; o++)
        finite = finite && all_finite(&s->fused->output[o].view);
    if (finite) return ORR_OK;
    orr_break();
    return orr_fail(p->ctx, ORR_ENUMERIC, "%s: %s is the first to make a NaN or an infinity", p->step_where[at],
                    p->step_text[at]);
}

/* ---- running --------------------------------------------------------------------------------------------------- */

static orr_status run_step(orr_program *p, int32_t at) {
    const orr_step *s = &p->steps[at];
    return s->fused ? p->device->fused_run(p->ctx, s->fused, s->plan, p->workspace, orr_context_pool(p->ctx))
                    : s->kernel->run(p->ctx, &s->launch);
}

/* Puts the line of the graph in front of what the kernel said: an index out of range is a mistake of the caller's. */
static orr_status fail_at(orr_program *p, int32_t at, orr_status status) {
    char said[512];
    (void)snprintf(said, sizeof said, "%s", orr_context_message(p->ctx));
    orr_context_clear(p->ctx);
    return orr_fail(p->ctx, status, "%s: %s", p->step_where[at], said);
}

static double seconds_now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

orr_status orr_program_run(orr_program *p) {
    if (!p->ready) make_all_ready(p);
    for (int32_t i = 0; i < p->n_steps; i++) {
        const double before = p->profile ? seconds_now() : 0.0;
        const orr_status status = run_step(p, i);
        if (status != ORR_OK) return fail_at(p, i, status);
        /* the first run makes code and touches memory for the first time: no time of a kernel */
        if (p->profile && p->runs > 0) p->steps[i].seconds += seconds_now() - before;
        if (p->find_non_finite) ORR_TRY(p->ctx, check_finite(p, i));
    }
    p->runs++;
    return ORR_OK;
}

orr_status orr_program_run_many(orr_program *p, int64_t times, orr_node counter) {
    int32_t *count = counter.id ? orr_program_data(p, counter) : NULL;
    for (int64_t i = 0; i < times; i++) {
        ORR_TRY(p->ctx, orr_program_run(p));
        if (count) ++*count;
    }
    return ORR_OK;
}

/* ---- seeing inside --------------------------------------------------------------------------------------------- */

orr_cost orr_program_cost(const orr_program *p) {
    orr_cost cost = { .kernels = p->n_steps,
                      .peak_bytes = (int64_t)p->temp_bytes,
                      .minimum_bytes = (int64_t)p->minimum_bytes,
                      .persistent_bytes = (int64_t)p->persistent_bytes,
                      .workspace_bytes = (int64_t)p->workspace_bytes };
    for (int32_t i = 0; i < p->n_steps; i++) {
        cost.flops += p->steps[i].flops;
        cost.bytes += p->steps[i].bytes;
    }
    return cost;
}

void orr_program_print(const orr_program *p, FILE *to) {
    const orr_cost cost = orr_program_cost(p);
    double seconds = 0.0;
    const double timed = (double)(p->runs > 1 ? p->runs - 1 : 1);
    for (int32_t i = 0; i < p->n_steps; i++) seconds += p->steps[i].seconds;
    if (p->profile) fprintf(to, "%6s %8s ", "time", "Gflop/s");
    fprintf(to, "%5s %14s %14s  %-14s %s\n", "step", "flops", "bytes", "line", "ops (* goes to memory)");
    for (int32_t i = 0; i < p->n_steps; i++) {
        const orr_step *s = &p->steps[i];
        if (p->profile)
            fprintf(to, "%5.1f%% %8.2f ", seconds > 0 ? 100 * s->seconds / seconds : 0.0,
                    s->seconds > 0 ? 1e-9 * (double)s->flops * timed / s->seconds : 0.0);
        fprintf(to, "%5d %14lld %14lld  %-14s %s%s\n", i, (long long)s->flops, (long long)s->bytes, p->step_where[i],
                s->fused ? "fused " : "", p->step_text[i]);
    }
    fprintf(to,
            "device %s: %lld launches, %lld flops, %lld bytes moved; memory: peak %lld of temporaries, %lld "
            "persistent, %lld workspace\n",
            p->device->name, (long long)cost.kernels, (long long)cost.flops, (long long)cost.bytes,
            (long long)cost.peak_bytes, (long long)cost.persistent_bytes, (long long)cost.workspace_bytes);
}
