/* Buffers share memory where they don't live at the same time: the largest first, each at the lowest place that is free
 * during its life (greedy by size; Pisarchyk & Lee 2020, 2001.03288, find it within a few percent of the bound). */
#include "tensor/program.h"

static size_t rounded(size_t n) { return (n + 63) & ~(size_t)63; }

static bool overlap_in_time(const orr_buffer *a, const orr_buffer *b) {
    return a->born <= b->dies && b->born <= a->dies;
}

static bool owns_temp(const orr_buffer *b) { return b->kind == ORR_BUFFER_TEMP && b->same_as < 0; }

/* The lowest offset that is free of all placed buffers alive with b.  Each collision moves it up, so it ends. */
static size_t lowest_place(const orr_buffer *buffers, const int32_t *placed, int32_t n, const orr_buffer *b) {
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int32_t i = 0; i < n; i++) {
            const orr_buffer *p = &buffers[placed[i]];
            if (!overlap_in_time(p, b) || offset + rounded(b->bytes) <= p->offset ||
                p->offset + rounded(p->bytes) <= offset)
                continue;
            offset = p->offset + rounded(p->bytes);
            moved = true;
        }
    }
    return offset;
}

size_t orr_memory_pack(orr_buffer *buffers, int32_t n, int32_t *order) {
    int32_t n_order = 0;
    for (int32_t i = 0; i < n; i++) { /* insertion by falling size, ties by index */
        if (!owns_temp(&buffers[i])) continue;
        int32_t k = n_order++;
        for (; k > 0 && buffers[order[k - 1]].bytes < buffers[i].bytes; k--) order[k] = order[k - 1];
        order[k] = i;
    }
    size_t end = 0;
    for (int32_t i = 0; i < n_order; i++) {
        orr_buffer *b = &buffers[order[i]];
        b->offset = lowest_place(buffers, order, i, b);
        if (b->offset + rounded(b->bytes) > end) end = b->offset + rounded(b->bytes);
    }
    return end;
}

/* The most alive is reached where one is born. */
size_t orr_memory_minimum(const orr_buffer *buffers, int32_t n) {
    size_t most = 0;
    for (int32_t i = 0; i < n; i++) {
        size_t alive = 0;
        for (int32_t k = 0; k < n && owns_temp(&buffers[i]); k++)
            if (owns_temp(&buffers[k]) && buffers[k].born <= buffers[i].born && buffers[i].born <= buffers[k].dies)
                alive += buffers[k].bytes;
        if (alive > most) most = alive;
    }
    return most;
}
