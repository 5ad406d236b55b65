/* Where temporaries are placed: buffers that live at once don't overlap, and known lists need no more than the least. */
#include "tensor/program.h"
#include "testing.h"

enum { MOST = 40 };

typedef struct list {
    const char *label;
    int32_t n;
    size_t least; /* alive at once, in units of 64 bytes */
    struct {
        size_t units;
        int32_t born, dies;
    } buffer[MOST];
} list;

static const list known[] = {
    { "one", 1, 5, { { 5, 0, 0 } } },
    { "one behind the other", 3, 9, { { 5, 0, 1 }, { 4, 1, 2 }, { 5, 2, 3 } } },
    /* A step of a small convolutional network: largest first, small ones that live long split what is free. */
    { "small ones that live long: largest first, they split what is free",
      12,
      13,
      { { 8, 0, 2 },
        { 2, 1, 22 },
        { 2, 2, 19 },
        { 4, 4, 6 },
        { 1, 5, 17 },
        { 1, 6, 14 },
        { 1, 13, 16 },
        { 4, 16, 19 },
        { 2, 18, 21 },
        { 8, 21, 23 },
        { 1, 19, 26 },
        { 1, 22, 25 } } },
    { "in order of birth alone", 5, 7, { { 4, 3, 5 }, { 1, 4, 6 }, { 1, 0, 2 }, { 5, 0, 0 }, { 3, 2, 3 } } },
};

static size_t place(orr_buffer *buffers, int32_t n) {
    int32_t order[MOST];
    const size_t end = orr_memory_pack(buffers, n, order);
    for (int32_t i = 0; i < n; i++) {
        const orr_buffer *a = &buffers[i];
        assert_true(a->offset % 64 == 0 && a->offset + a->bytes <= end);
        for (int32_t k = 0; k < i; k++) {
            const orr_buffer *b = &buffers[k];
            const bool together = a->born <= b->dies && b->born <= a->dies;
            const bool apart = a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset;
            if (together && !apart) fail_msg("buffers %d and %d of %d live at once and overlap", k, i, n);
        }
    }
    return end;
}

static void known_lists_need_the_least(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const list *l = &known[i];
        orr_buffer buffers[MOST] = { 0 };
        for (int32_t k = 0; k < l->n; k++)
            buffers[k] = (orr_buffer){ .kind = ORR_BUFFER_TEMP,
                                       .bytes = l->buffer[k].units * 64,
                                       .born = l->buffer[k].born,
                                       .dies = l->buffer[k].dies,
                                       .same_as = -1 };
        const size_t end = place(buffers, l->n);
        if (end != l->least * 64 || orr_memory_minimum(buffers, l->n) != l->least * 64)
            fail_msg("%s: placed in %zu units, the least is %zu, expected %zu", l->label, end / 64,
                     orr_memory_minimum(buffers, l->n) / 64, l->least);
    }
}

static uint32_t next(uint32_t *seed) { return *seed = *seed * 1664525u + 1013904223u, *seed >> 8; }

static void random_lists_never_overlap(void **state) {
    (void)state;
    uint32_t seed = 1;
    for (int trial = 0; trial < 2000; trial++) {
        const int32_t n = 1 + (int32_t)(next(&seed) % MOST);
        orr_buffer buffers[MOST] = { 0 }, again[MOST];
        size_t sum = 0;
        for (int32_t k = 0; k < n; k++) {
            const int32_t born = (int32_t)(next(&seed) % 30);
            buffers[k] = (orr_buffer){ .kind = ORR_BUFFER_TEMP,
                                       .bytes = next(&seed) % (next(&seed) % 4 ? 200 : 5000),
                                       .born = born,
                                       .dies = born + (int32_t)(next(&seed) % 12),
                                       .same_as = -1 };
            sum += (buffers[k].bytes + 63) & ~(size_t)63;
        }
        memcpy(again, buffers, sizeof again);
        const size_t end = place(buffers, n);
        assert_true(end >= orr_memory_minimum(buffers, n) && end <= sum);
        assert_true(place(again, n) == end);
        assert_memory_equal(again, buffers, sizeof again);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_lists_need_the_least),
        cmocka_unit_test(random_lists_never_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
