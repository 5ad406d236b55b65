/* Convolution: windows as columns, and back. */
#include "device/cpu/convolve_plan.h"

#include <string.h>

/* A row of col, for a band of rows: those and the x whose element lies inside, and where the first would lie. */
typedef struct row_of_columns {
    int64_t rows, first, end, x_first, x_end, at;
} row_of_columns;

/* i from `first` to `end`, of n, have an element s i + shift of `all`. */
static void inside(int64_t n, int64_t s, int64_t shift, int64_t all, int64_t *first, int64_t *end) {
    *first = shift >= 0 ? 0 : least(over(-shift, s), n);
    *end = shift >= all ? 0 : least((all - 1 - shift) / s + 1, n);
    if (*end < *first) *end = *first;
}

static row_of_columns find_row(const conv *c, int64_t tap, int64_t plane, int64_t row, int64_t rows) {
    int64_t shift[SPATIAL] = { plane * c->stride[0] - c->low[0], row * c->stride[ROWS] - c->low[ROWS], -c->low[2] };
    for (int i = SPATIAL - 1; i >= 0; i--) {
        if (i == ROWS && c->shifts > 1) continue;
        shift[i] += tap % c->k[i] * c->dilation[i];
        tap /= c->k[i];
    }
    row_of_columns r = { .rows = rows, .at = (shift[0] * c->in[ROWS] + shift[ROWS]) * c->in[2] + shift[2] };
    inside(rows, c->stride[ROWS], shift[ROWS], c->in[ROWS], &r.first, &r.end);
    inside(c->out[2], c->stride[2], shift[2], c->in[2], &r.x_first, &r.x_end);
    if (shift[0] < 0 || shift[0] >= c->in[0] || r.x_first == r.x_end) r.first = r.end = 0;
    return r;
}

#define COLUMNS(TYPE)                                                                                                  \
    static void gather_##TYPE(const conv *c, const row_of_columns *r, const TYPE *channel, TYPE *col) {                \
        const int64_t row = c->out[2], step = c->stride[ROWS] * c->in[2], s = c->stride[2], end = r->end * row;        \
        const int64_t n = r->x_end - r->x_first, at = r->first * row + r->x_first;                                     \
        const TYPE *from = channel + r->at + r->first * step + r->x_first * s;                                         \
        if (r->first > 0) memset(col, 0, (size_t)(r->first * row) * sizeof *col);                                      \
        if (r->rows > r->end) memset(col + end, 0, (size_t)(r->rows * row - end) * sizeof *col);                       \
        if (r->first == r->end) return;                                                                                \
        if (s == 1 && step == row) /* one row lies behind the other here as there */                                   \
            memcpy(col + at, from, (size_t)(end - row + r->x_end - at) * sizeof *col);                                 \
        else if (s == 1)                                                                                               \
            for (TYPE *to = col + at; to < col + end; to += row, from += step)                                         \
                memcpy(to, from, (size_t)n * sizeof *to);                                                              \
        else                                                                                                           \
            for (TYPE *to = col + at; to < col + end; to += row, from += step)                                         \
                for (int64_t x = 0; x < n; x++) to[x] = from[x * s];                                                   \
        for (int64_t x = 0; x < r->x_first; x++)                                                                       \
            for (int64_t i = r->first * row + x; i < end; i += row) col[i] = 0;                                        \
        for (int64_t x = r->x_end; x < row; x++)                                                                       \
            for (int64_t i = r->first * row + x; i < end; i += row) col[i] = 0;                                        \
    }                                                                                                                  \
    static void scatter_##TYPE(const conv *c, const row_of_columns *r, const TYPE *col, TYPE *channel) {               \
        const int64_t row = c->out[2], step = c->stride[ROWS] * c->in[2], s = c->stride[2];                            \
        for (int64_t y = r->first; y < r->end; y++) {                                                                  \
            const TYPE *from = col + y * row;                                                                          \
            TYPE *to = channel + r->at + y * step;                                                                     \
            for (int64_t x = r->x_first; x < r->x_end; x++) to[x * s] += from[x];                                      \
        }                                                                                                              \
    }
COLUMNS(float)
COLUMNS(double)

void orr_cpu_convolve_gather(const conv *c, int64_t plane, int64_t at, int64_t rows, const char *from, int64_t n,
                             char *col) {
    const size_t channel = (size_t)c->in_count * c->size, pitch = (size_t)c->pitch * c->size;
    for (int64_t tap = 0; tap < c->taps; tap++) {
        const row_of_columns r = find_row(c, tap, plane, at, orr_cpu_convolve_rows_of_columns(c, rows));
        for (int64_t i = 0; i < n; i++) {
            const void *a = from + (size_t)i * channel;
            void *row = col + (size_t)(i * c->taps + tap) * pitch;
            if (c->dtype == ORR_F64) gather_double(c, &r, a, row);
            else gather_float(c, &r, a, row);
        }
    }
}

void orr_cpu_convolve_scatter(const conv *c, int64_t plane, int64_t at, int64_t rows, const char *col, int64_t n,
                              char *to) {
    const size_t channel = (size_t)c->in_count * c->size, pitch = (size_t)c->pitch * c->size;
    for (int64_t tap = 0; tap < c->taps; tap++) {
        const row_of_columns r = find_row(c, tap, plane, at, rows);
        for (int64_t i = 0; i < n; i++) {
            void *a = to + (size_t)i * channel;
            const void *row = col + (size_t)(i * c->taps + tap) * pitch;
            if (c->dtype == ORR_F64) scatter_double(c, &r, row, a);
            else scatter_float(c, &r, row, a);
        }
    }
}
