/* Buffers share memory where they don't live at the same time: one after the other, each at the lowest place that is free
 * during its life.  The order decides how well that goes (Pisarchyk & Lee 2020, 2001.03288), and none is best for all
 * programs: largest first leaves holes where small ones live long.  So three are tried. */
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

typedef enum order { ORDER_SIZE, ORDER_SIZE_AND_LIFE, ORDER_BIRTH, ORDERS } order;

/* Higher comes first. */
static double rank_of(const orr_buffer *b, order by) {
    switch (by) {
    case ORDER_SIZE: return (double)b->bytes;
    case ORDER_SIZE_AND_LIFE: return (double)b->bytes * ((double)b->dies - b->born + 1);
    default: return -(double)b->born;
    }
}

static bool comes_before(const orr_buffer *a, const orr_buffer *b, order by) {
    const double x = rank_of(a, by), y = rank_of(b, by);
    return x != y ? x > y : a->bytes > b->bytes;
}

static size_t pack_in_order(orr_buffer *buffers, int32_t n, int32_t *placed, order by) {
    int32_t n_placed = 0;
    for (int32_t i = 0; i < n; i++) { /* insertion; ties by index */
        if (!owns_temp(&buffers[i])) continue;
        int32_t k = n_placed++;
        for (; k > 0 && comes_before(&buffers[i], &buffers[placed[k - 1]], by); k--) placed[k] = placed[k - 1];
        placed[k] = i;
    }
    size_t end = 0;
    for (int32_t i = 0; i < n_placed; i++) {
        orr_buffer *b = &buffers[placed[i]];
        b->offset = lowest_place(buffers, placed, i, b);
        if (b->offset + rounded(b->bytes) > end) end = b->offset + rounded(b->bytes);
    }
    return end;
}

/* The most bytes alive at once, which is reached where one is born. */
static size_t most_alive(const orr_buffer *buffers, int32_t n, bool aligned) {
    size_t most = 0;
    for (int32_t i = 0; i < n; i++) {
        size_t alive = 0;
        for (int32_t k = 0; k < n && owns_temp(&buffers[i]); k++)
            if (owns_temp(&buffers[k]) && buffers[k].born <= buffers[i].born && buffers[i].born <= buffers[k].dies)
                alive += aligned ? rounded(buffers[k].bytes) : buffers[k].bytes;
        if (alive > most) most = alive;
    }
    return most;
}

size_t orr_memory_pack(orr_buffer *buffers, int32_t n, int32_t *placed) {
    const size_t least = most_alive(buffers, n, true);
    size_t end = SIZE_MAX;
    order best = ORDER_SIZE, last = ORDER_SIZE;
    for (order by = ORDER_SIZE; by < ORDERS && end > least; by++) {
        const size_t with = pack_in_order(buffers, n, placed, by);
        if (with < end) best = by, end = with;
        last = by;
    }
    if (last != best) (void)pack_in_order(buffers, n, placed, best);
    return end;
}

size_t orr_memory_minimum(const orr_buffer *buffers, int32_t n) { return most_alive(buffers, n, false); }
