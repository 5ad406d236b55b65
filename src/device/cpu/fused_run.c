/* Fused groups at work. */
#include "device/cpu/fused_plan.h"

#include <math.h>
#include <string.h>

typedef struct job {
    const orr_fused *f;
    const cpu_fused *p;
    char *registers;
    double *acc;
} job;

static void *slot_at(const cpu_fused *p, char *registers, int32_t slot) {
    return registers + (size_t)slot * p->slot_bytes;
}

static void *pair_at(const cpu_fused *p, char *registers, int32_t pair) {
    return registers + (size_t)p->n_slots * p->slot_bytes + (size_t)pair * PAIR_BYTES;
}

/* Points everything at tile number `tile`. */
static void seek(const orr_fused *f, const cpu_fused *p, int64_t tile, cursor *c) {
    int64_t step = tile / p->tiles_per_step;
    c->tile = tile % p->tiles_per_step;
    for (int32_t i = p->cut - 1; i >= 0; i--) {
        c->index[i] = step % p->size[i];
        step /= p->size[i];
    }
    for (int16_t v = 0; v < f->n_inputs; v++) {
        int64_t at = 0;
        for (int32_t i = 0; i < p->cut; i++) at += c->index[i] * p->value[v].stride[i];
        c->input[v] = (char *)f->input[v].data + at * (int64_t)p->value[v].size;
    }
    for (int16_t o = 0; o < f->n_outputs; o++) {
        c->out_at[o] = 0;
        for (int32_t i = 0; i < p->cut; i++) c->out_at[o] += c->index[i] * p->out_stride[o][i];
    }
}

/* The extent of the tile under the cursor: the last along its axis may be shorter. */
static void size_tile(const cpu_fused *p, cursor *c) {
    const int64_t left = p->size[p->cut] - c->tile * p->tile_steps, here = left < p->tile_steps ? left : p->tile_steps;
    c->rows = p->cut == p->rank - 1 ? 1 : here * p->inner;
    c->columns = p->cut == p->rank - 1 ? here : p->tile_columns;
}

/* The next step of the axes before the cut one. */
static void advance(const orr_fused *f, const cpu_fused *p, cursor *c) {
    for (int32_t i = p->cut - 1; i >= 0; i--) {
        const bool wraps = ++c->index[i] == p->size[i];
        const int64_t by = wraps ? 1 - p->size[i] : 1;
        if (wraps) c->index[i] = 0;
        for (int16_t v = 0; v < f->n_inputs; v++) c->input[v] += by * p->value[v].stride[i] * (int64_t)p->value[v].size;
        for (int16_t o = 0; o < f->n_outputs; o++) c->out_at[o] += by * p->out_stride[o][i];
        if (!wraps) return;
    }
}

/* A tile is planes of the last two axes, one behind the other: how many rows each has, and where plane k begins, by the
 * strides of an operand. */
static int64_t rows_of_plane(const cpu_fused *p, const cursor *c) {
    return p->cut < p->rank - 2 ? p->size[p->rank - 2] : c->rows;
}

static int64_t plane_at(const cpu_fused *p, int64_t k, const int64_t *stride) {
    int64_t at = 0;
    for (int32_t i = p->rank - 3; i > p->cut; i--) {
        at += k % p->size[i] * stride[i];
        k /= p->size[i];
    }
    return p->cut < p->rank - 2 ? at + k * stride[p->cut] : at;
}

/* rows x columns elements of an input into its register. */
static void load_plane(const cpu_fused *p, const value *v, const char *from, int64_t rows, int64_t columns, char *to) {
    const int64_t column = v->stride[p->rank - 1], row = p->cut < p->rank - 1 ? v->stride[p->rank - 2] : 0;
    const int64_t size = (int64_t)v->size;
    if (columns == 1) {
        p->kernels->gather[v->dtype](rows, row, from, to);
        return;
    }
    if (column == 0) {
        for (int64_t i = 0; i < rows; i++)
            p->kernels->splat[v->dtype](columns, from + i * row * size, NULL, NULL, to + i * columns * size);
        return;
    }
    if (column == 1) {
        for (int64_t i = 0; i < rows; i++)
            memcpy(to + i * columns * size, from + i * row * size, (size_t)(columns * size));
        return;
    }
    for (int64_t i = 0; i < rows; i++)
        p->kernels->gather[v->dtype](columns, column, from + i * row * size, to + i * columns * size);
}

static void load(const cpu_fused *p, const cursor *c, const value *v, const char *from, char *to) {
    const int64_t rows = rows_of_plane(p, c), size = (int64_t)v->size;
    for (int64_t k = 0; k * rows < c->rows; k++)
        load_plane(p, v, from + plane_at(p, k, v->stride) * size, rows, c->columns, to + k * rows * c->columns * size);
}

/* Each row of a tile into its own accumulator.  Short rows are summed abreast, long ones by themselves. */
static void reduce_rows(const cpu_fused *p, int kind, orr_dtype dtype, int64_t rows, int64_t columns, const char *v,
                        double *acc, int64_t stride) {
    if (columns < SHORT_ROW) {
        p->kernels->reduce_rows[kind][dtype](rows, columns, v, acc, stride);
        return;
    }
    const int64_t bytes = columns * (int64_t)orr_dtype_size(dtype);
    for (int64_t i = 0; i < rows; i++) p->kernels->reduce[kind][dtype](columns, v + i * bytes, acc + i * stride);
}

/* A plane's part of output o, whose first accumulator is acc[0]. */
static void reduce_plane(const job *j, const cursor *c, int16_t o, int64_t rows, const char *v, double *acc) {
    const cpu_fused *p = j->p;
    const orr_fused_output *out = &j->f->output[o];
    const int kind = out->reduction == ORR_REDUCE_MAX;
    const orr_dtype dtype = out->view.dtype;
    const int64_t size = (int64_t)orr_dtype_size(dtype), columns = c->columns;
    const int32_t last = p->rank - 1;
    const int64_t row = p->cut < last ? p->out_stride[o][last - 1] : 0;
    if (p->last_reduced && (p->row_reduced || rows == 1)) {
        p->kernels->reduce[kind][dtype](rows * columns, v, acc);
    } else if (p->last_reduced) {
        reduce_rows(p, kind, dtype, rows, columns, v, acc, row);
    } else if (p->out_stride[o][last] == 1) {
        for (int64_t i = 0; i < rows; i++)
            p->kernels->accumulate[kind][dtype](columns, v + i * columns * size, acc + i * row);
    } else { /* kept columns that don't lie together: rare */
        for (int64_t i = 0; i < rows; i++)
            for (int64_t k = 0; k < columns; k++)
                p->kernels->accumulate[kind][dtype](1, v + (i * columns + k) * size,
                                                    acc + i * row + k * p->out_stride[o][last]);
    }
}

static void clear(int kind, int64_t n, double *acc) {
    const double start = kind ? (double)-INFINITY : 0.0;
    for (int64_t i = 0; i < n; i++) acc[i] = start;
}

static void reduce_tile(const job *j, const cursor *c, int16_t o, const char *v, double *acc, int64_t cut_at) {
    const cpu_fused *p = j->p;
    const orr_fused_output *out = &j->f->output[o];
    const int kind = out->reduction == ORR_REDUCE_MAX;
    const orr_dtype dtype = out->view.dtype;
    const int32_t last = p->rank - 1;
    const int64_t rows = rows_of_plane(p, c), size = (int64_t)orr_dtype_size(dtype), bytes = c->columns * size;
    const int64_t at = c->out_at[o] + cut_at * p->out_stride[o][p->cut];
    const int64_t steps = p->cut == last ? c->columns : c->rows / p->inner; /* of the cut axis in this tile */
    const int64_t kept = (p->reduced[p->cut] ? 1 : steps) * p->kept_inner;
    double result[TILE], *to = p->direct ? result : acc + p->acc_at[o] + at;
    if (p->direct) clear(kind, kept, result);
    if (rows < c->rows && p->last_reduced && !p->row_reduced && c->columns < SHORT_ROW &&
        p->out_stride[o][last - 1] == 1) { /* windows of a pool: all rows of the tile abreast, then plane by plane */
        double sums[TILE];
        clear(kind, c->rows, sums);
        reduce_rows(p, kind, dtype, c->rows, c->columns, v, sums, 1);
        for (int64_t k = 0; k * rows < c->rows; k++)
            p->kernels->accumulate[kind][ORR_F64](rows, sums + k * rows, to + plane_at(p, k, p->out_stride[o]));
    } else {
        for (int64_t k = 0; k * rows < c->rows; k++)
            reduce_plane(j, c, o, rows, v + k * rows * bytes, to + plane_at(p, k, p->out_stride[o]));
    }
    if (p->direct) p->kernels->finish[dtype](kept, result, (char *)out->view.data + at * size);
}

static int64_t cut_position(const cpu_fused *p, const cursor *c) { return c->tile * p->tile_steps; }

/* Works out the addresses of the tile under the cursor, of all or of those that move; constants are in place already. */
static void find_addresses(const orr_fused *f, const cpu_fused *p, const cursor *c, bool all, char *registers,
                           addresses *x) {
    const int64_t cut_at = cut_position(p, c);
    const int16_t base = orr_fused_first_instruction(f);
    for (int16_t v = 0; v < f->n_inputs; v++) {
        const value *in = &p->value[v];
        x->at[v] = in->loaded ? slot_at(p, registers, in->slot)
                              : c->input[v] + cut_at * in->stride[p->cut] * (int64_t)in->size;
    }
    for (int16_t i = 0; i < f->n_instructions; i++) {
        const orr_fused_instruction *instruction = &f->instruction[i];
        const value *v = &p->value[base + i];
        if (p->action[i] == ACT_FOLDED || !(all || p->moves[i])) continue;
        if (p->factor[i] >= 0) { /* (v, s, c) */
            const orr_fused_instruction *product = &f->instruction[p->factor[i]];
            const int which = p->value[product->args[0]].place == SCALAR;
            x->args[i][0] = x->at[product->args[which]];
            x->args[i][1] = x->at[product->args[!which]];
            x->args[i][2] = x->at[instruction->args[instruction->args[0] == base + p->factor[i]]];
            if (p->twice[i] >= 0) { /* (u, s and t, c), s, t */
                const orr_fused_instruction *inner = &f->instruction[p->twice[i]];
                const int first = p->value[inner->args[0]].place == SCALAR;
                x->args[i][3] = x->args[i][1];
                x->args[i][4] = x->at[inner->args[!first]];
                x->args[i][0] = x->at[inner->args[first]];
                x->args[i][1] = pair_at(p, registers, p->pair[i]);
            }
        }
        for (int16_t k = 0; p->factor[i] < 0 && k < instruction->n_args; k++)
            x->args[i][k] =
                p->splat_slot[i][k] < 0 ? x->at[instruction->args[k]] : slot_at(p, registers, p->splat_slot[i][k]);
        if (p->action[i] == ACT_NOTHING) {
            x->at[base + i] = x->at[instruction->args[0]];
            continue;
        }
        if (v->output >= 0) {
            const orr_view *view = &f->output[v->output].view;
            x->to[i] = (char *)view->data +
                       (c->out_at[v->output] + cut_at * p->out_stride[v->output][p->cut]) * (int64_t)v->size;
        } else {
            x->to[i] = slot_at(p, registers, v->slot);
        }
        x->at[base + i] = x->to[i];
    }
}

/* Copies the inputs that aren't read where they stand; one that hasn't moved since the last tile stays. */
static void load_inputs(const orr_fused *f, const cpu_fused *p, cursor *c, char *registers) {
    const int64_t cut_at = cut_position(p, c), n = c->rows * c->columns;
    for (int16_t v = 0; v < f->n_inputs; v++) {
        const value *x = &p->value[v];
        if (!x->loaded) continue;
        const char *from = c->input[v] + cut_at * x->stride[p->cut] * (int64_t)x->size;
        if (c->loaded[v] == from && c->loaded_n[v] == n) continue;
        load(p, c, x, from, slot_at(p, registers, x->slot));
        c->loaded[v] = from, c->loaded_n[v] = n;
    }
}

/* Each row's sum or maximum, through double. */
static void reduce_into(const cpu_fused *p, const cursor *c, orr_op_code code, orr_dtype dtype, const void *from,
                        void *to) {
    double result[TILE];
    const int kind = code == ORR_OP_reduce_max;
    clear(kind, c->rows, result);
    reduce_rows(p, kind, dtype, c->rows, c->columns, from, result, 1);
    p->kernels->finish[dtype](c->rows, result, to);
}

static void splat(const cpu_fused *p, orr_dtype dtype, int64_t n, const void *from, void *to) {
    p->kernels->splat[dtype](n, from, NULL, NULL, to);
}

static void spread_rows(const cpu_fused *p, const cursor *c, const value *v, const char *from, char *to) {
    const int64_t bytes = c->columns * (int64_t)v->size;
    for (int64_t i = 0; i < c->rows; i++) splat(p, v->dtype, c->columns, from + i * (int64_t)v->size, to + i * bytes);
}

/* What a reduction reads: a tile, or a scalar made into one. */
static const void *reduced_argument(const cpu_fused *p, const orr_fused *f, const cursor *c, const addresses *x,
                                    int16_t i, char *registers) {
    const int16_t a = f->instruction[i].args[0];
    if (p->value[a].place != SCALAR) return x->at[a];
    void *vector = slot_at(p, registers, p->spare_slot);
    splat(p, p->value[a].dtype, c->rows * c->columns, x->at[a], vector);
    return vector;
}

/* An instruction of whose two arguments one is a value for each row. */
static void run_row_by_row(const orr_fused *f, const cpu_fused *p, const cursor *c, const addresses *x, int16_t i) {
    int64_t step[2];
    for (int k = 0; k < 2; k++) {
        const value *v = &p->value[f->instruction[i].args[k]];
        step[k] = (v->place == SCALAR ? 1 : c->columns) * (int64_t)v->size;
    }
    const int64_t to = c->columns * (int64_t)p->value[orr_fused_first_instruction(f) + i].size;
    for (int64_t row = 0; row < c->rows; row++)
        p->run[i](c->columns, (const char *)x->args[i][0] + row * step[0], (const char *)x->args[i][1] + row * step[1],
                  NULL, (char *)x->to[i] + row * to);
}

static void execute(const job *j, const cursor *c, const addresses *x, char *registers, double *acc) {
    const orr_fused *f = j->f;
    const cpu_fused *p = j->p;
    const int64_t n = c->rows * c->columns;
    const int16_t base = orr_fused_first_instruction(f);
    for (int16_t i = 0; i < f->n_instructions; i++) {
        const orr_fused_instruction *instruction = &f->instruction[i];
        const action act = p->action[i];
        const int64_t count = act <= ACT_ROW_BY_ROW ? n : act == ACT_ROWS ? c->rows : 1;
        if (p->splats[i])
            for (int16_t k = 0; k < 3; k++)
                if (p->splat_slot[i][k] >= 0)
                    splat(p, p->value[instruction->args[k]].dtype, count, x->at[instruction->args[k]],
                          slot_at(p, registers, p->splat_slot[i][k]));
        if (p->twice[i] >= 0) {
            const size_t size = p->value[base + i].size;
            char *pair = pair_at(p, registers, p->pair[i]);
            memcpy(pair, x->args[i][3], size);
            memcpy(pair + size, x->args[i][4], size);
        }
        if (act == ACT_ROW_BY_ROW) run_row_by_row(f, p, c, x, i);
        else if (act <= ACT_ONE) p->run[i](count, x->args[i][0], x->args[i][1], x->args[i][2], x->to[i]);
        else if (act == ACT_REDUCE)
            reduce_into(p, c, instruction->code, instruction->dtype, reduced_argument(p, f, c, x, i, registers),
                        x->to[i]);
        else if (act == ACT_SPREAD) spread_rows(p, c, &p->value[base + i], x->args[i][0], x->to[i]);
    }
    for (int16_t o = 0; o < f->n_outputs; o++) {
        const orr_fused_output *out = &f->output[o];
        const value *v = &p->value[out->value];
        if (!out->reduction && v->output == o) continue; /* written by its instruction */
        const int64_t count = out->row ? c->rows : n;
        const void *from = x->at[out->value];
        if (v->place == SCALAR && count > 1) {
            void *vector = slot_at(p, registers, p->spare_slot);
            splat(p, v->dtype, count, from, vector);
            from = vector;
        }
        const int64_t cut_at = cut_position(p, c);
        if (out->reduction) {
            reduce_tile(j, c, o, from, acc, cut_at);
            continue;
        }
        const size_t size = orr_dtype_size(out->view.dtype);
        memcpy((char *)out->view.data + (size_t)(c->out_at[o] + cut_at * p->out_stride[o][p->cut]) * size, from,
               (size_t)count * size);
    }
}

static void clear_accumulators(const orr_fused *f, const cpu_fused *p, double *acc, int64_t first, int64_t n,
                               int16_t o) {
    clear(f->output[o].reduction == ORR_REDUCE_MAX, n, acc + p->acc_at[o] + first);
}

/* The part of a reduced output that belongs to the tiles of a task, where the outermost axis is kept. */
static void own_part(const cpu_fused *p, int16_t o, int64_t first_tile, int64_t n_tiles, int64_t *first, int64_t *n) {
    if (p->cut > 0) {
        const int64_t tiles = p->n_tiles / p->size[0], each = p->kept[o] / p->size[0];
        *first = first_tile / tiles * each;
        *n = n_tiles / tiles * each;
        return;
    }
    const int64_t each = p->kept[o] / p->size[0];
    int64_t end = (first_tile + n_tiles) * p->tile_steps;
    if (end > p->size[0]) end = p->size[0];
    *first = first_tile * p->tile_steps * each;
    *n = (end - first_tile * p->tile_steps) * each;
}

static void run_task(void *arg, int64_t task, int worker) {
    const job *j = arg;
    const orr_fused *f = j->f;
    const cpu_fused *p = j->p;
    char *registers = j->registers + (size_t)worker * p->worker_bytes;
    const int64_t first = task * p->tiles_per_task;
    int64_t n = p->n_tiles - first;
    if (n > p->tiles_per_task) n = p->tiles_per_task;
    double *acc = j->acc + (p->partial ? task * p->acc_total : 0);
    const bool accumulates = p->has_reduction && !p->direct;
    for (int16_t o = 0; accumulates && o < f->n_outputs; o++) {
        if (!f->output[o].reduction) continue;
        int64_t from = 0, count = p->kept[o];
        if (!p->partial) own_part(p, o, first, n, &from, &count);
        clear_accumulators(f, p, acc, from, count, o);
    }
    cursor c;
    addresses x;
    for (int16_t i = 0; i < f->n_constants; i++) x.at[f->n_inputs + i] = &p->constants[i];
    for (int16_t v = 0; v < f->n_inputs; v++) c.loaded[v] = NULL;
    seek(f, p, first, &c);
    for (int64_t t = 0; t < n; t++) {
        size_tile(p, &c);
        load_inputs(f, p, &c, registers);
        find_addresses(f, p, &c, t == 0, registers, &x);
        execute(j, &c, &x, registers, acc);
        if (++c.tile < p->tiles_per_step) continue;
        c.tile = 0;
        advance(f, p, &c);
    }
    for (int16_t o = 0; accumulates && !p->partial && o < f->n_outputs; o++) {
        if (!f->output[o].reduction) continue;
        int64_t from = 0, count = 0;
        own_part(p, o, first, n, &from, &count);
        const orr_dtype dtype = f->output[o].view.dtype;
        p->kernels->finish[dtype](count, acc + p->acc_at[o] + from,
                                  (char *)f->output[o].view.data + (size_t)from * orr_dtype_size(dtype));
    }
}

/* Sums of no elements. */
static void run_empty(const orr_fused *f, const cpu_fused *p) {
    for (int16_t o = 0; o < f->n_outputs; o++) {
        if (!f->output[o].reduction) continue;
        const double start = f->output[o].reduction == ORR_REDUCE_MAX ? (double)-INFINITY : 0.0;
        const size_t size = orr_dtype_size(f->output[o].view.dtype);
        for (int64_t i = 0; i < p->kept[o]; i++)
            p->kernels->finish[f->output[o].view.dtype](1, &start, (char *)f->output[o].view.data + (size_t)i * size);
    }
}

/* Accumulators of all tasks, added in the order of tasks into the first. */
static void combine(const job *j) {
    const orr_fused *f = j->f;
    const cpu_fused *p = j->p;
    for (int16_t o = 0; o < f->n_outputs; o++) {
        if (!f->output[o].reduction) continue;
        const int kind = f->output[o].reduction == ORR_REDUCE_MAX;
        double *sum = j->acc + p->acc_at[o];
        for (int64_t t = 1; t < p->tasks; t++)
            p->kernels->accumulate[kind][ORR_F64](p->kept[o], j->acc + t * p->acc_total + p->acc_at[o], sum);
        p->kernels->finish[f->output[o].view.dtype](p->kept[o], sum, f->output[o].view.data);
    }
}

void orr_cpu_fused_bind(const orr_fused *f, void *plan, void *workspace) {
    cpu_fused *p = plan;
    for (int32_t t = 0; t < p->n_bound; t++) {
        addresses *x = &p->bound[t];
        seek(f, p, t, &p->at[t]);
        size_tile(p, &p->at[t]);
        for (int16_t i = 0; i < f->n_constants; i++) x->at[f->n_inputs + i] = &p->constants[i];
        find_addresses(f, p, &p->at[t], true, workspace, x);
    }
}

/* Everything is in its place: no pool, no search. */
static void run_bound(const job *j, const cpu_fused *p) {
    const orr_fused *f = j->f;
    const bool accumulates = p->has_reduction && !p->direct;
    for (int16_t o = 0; accumulates && o < f->n_outputs; o++)
        if (f->output[o].reduction) clear_accumulators(f, p, j->acc, 0, p->kept[o], o);
    for (int32_t t = 0; t < p->n_bound; t++) {
        for (int16_t v = 0; v < f->n_inputs; v++) p->at[t].loaded[v] = NULL;
        load_inputs(f, p, &p->at[t], j->registers);
        execute(j, &p->at[t], &p->bound[t], j->registers, j->acc);
    }
    for (int16_t o = 0; accumulates && o < f->n_outputs; o++)
        if (f->output[o].reduction)
            p->kernels->finish[f->output[o].view.dtype](p->kept[o], j->acc + p->acc_at[o], f->output[o].view.data);
}

orr_status orr_cpu_fused_run(orr_context *ctx, const orr_fused *f, void *plan, void *workspace, orr_pool *pool) {
    cpu_fused *p = plan;
    (void)ctx;
    job j = { .f = f, .p = p, .registers = workspace };
    j.acc = (double *)(void *)(j.registers + (size_t)p->workers * p->worker_bytes);
    if (p->n_bound) {
        run_bound(&j, p);
        return ORR_OK;
    }
    if (orr_shape_count(&f->shape) == 0) {
        run_empty(f, p);
        return ORR_OK;
    }
    orr_parallel(pool, p->tasks, run_task, &j);
    if (p->partial) combine(&j);
    return ORR_OK;
}
