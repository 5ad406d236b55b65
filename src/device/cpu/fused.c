/* Fused groups on the CPU: the iteration shape is cut into tiles that fit the first cache; all instructions run over
 * one tile before the next is begun, so that intermediate values never see memory.
 *
 * prepare: collapse axes that every operand walks through as one; choose the tile (a stretch of the last axis, or
 * several whole rows of it); give each value a place (memory itself, a tile register, a scalar). bind:    a group of
 * one tile, as theory-sized networks have, gets its addresses worked out once. run:     tasks are ranges of tiles, cut
 * by the shape alone.  A reduction has accumulators in double, one set for each task where the outermost axis is
 * reduced; they are added in the order of tasks: threads change nothing. */
#include "device/cpu/cpu.h"

#include <math.h>
#include <string.h>

enum {
    TILE = 512,          /* elements; a group of ten float64 registers stays within 40 kB of first-level cache */
    TASK_WORK = 1 << 15, /* units of work (about a third of a nanosecond) that are worth a task */
    TASKS_MAX = 64,
    PARTIAL_TASKS_MAX = 16, /* tasks with accumulators of their own */
    SHORT_ROW = 24,
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
    const void *args[ORR_FUSED_INSTRUCTIONS][3];
    void *to[ORR_FUSED_INSTRUCTIONS];
} addresses;

/* What an instruction does: a loop over the tile or over its rows; or of the row values' own kind. */
typedef enum action { ACT_TILE, ACT_ROWS, ACT_ONE, ACT_REDUCE, ACT_SPREAD, ACT_NOTHING, ACT_FOLDED } action;

typedef struct cpu_fused {
    int32_t rank;
    int64_t size[AXES];
    bool reduced[AXES];
    bool last_reduced, row_reduced, has_reduction, direct;
    int64_t tile_rows, tile_columns; /* a tile is rows x columns of the last two axes */
    int64_t n_tiles, tiles_per_step; /* all; along the axis that is cut (the last, or the one before) */
    int32_t cut;                     /* the axis that tiles cut */
    int64_t outer;                   /* steps of the axes before */
    int64_t tasks, tiles_per_task;
    bool partial; /* each task has accumulators of its own */
    int32_t n_values, n_slots;
    value value[VALUES];
    int64_t out_stride[ORR_FUSED_NODES][AXES];
    int64_t kept[ORR_FUSED_NODES];   /* elements of a reduced output */
    int64_t acc_at[ORR_FUSED_NODES]; /* its accumulators in a set */
    int64_t acc_total;
    action action[ORR_FUSED_INSTRUCTIONS];
    int16_t folded_into[ORR_FUSED_INSTRUCTIONS]; /* a product that the sum after it makes itself: that one; else -1 */
    int16_t factor[ORR_FUSED_INSTRUCTIONS];      /* of such a sum: the product; else -1 */
    orr_tile_kernel *run[ORR_FUSED_INSTRUCTIONS];
    int16_t splat_slot[ORR_FUSED_INSTRUCTIONS][3]; /* argument that must become a vector first; -1 */
    bool splats[ORR_FUSED_INSTRUCTIONS];           /* whether there is one */
    const orr_cpu_kernels *kernels;
    int threads;
    size_t slot_bytes, worker_bytes;
    /* a group of one tile */
    bool single;
    cursor only;
    addresses bound;
    double constants[ORR_FUSED_READS];
} cpu_fused;

/* ---- prepare
 * ------------------------------------------------------------------------------------------------------------ */

/* Strides of a reduced output or a row value over the whole shape: none along the axes that go. */
static void reduced_strides(const orr_fused *f, const orr_view *view, int64_t *stride) {
    int32_t k = 0;
    for (int32_t i = 0; i < f->shape.rank; i++) stride[i] = f->reduced >> i & 1u ? 0 : view->stride[k++];
}

typedef struct operands {
    int64_t stride[ORR_FUSED_READS + ORR_FUSED_NODES][AXES];
    int32_t n;
} operands;

static void collect_operands(const orr_fused *f, operands *x) {
    x->n = 0;
    for (int16_t i = 0; i < f->n_inputs; i++)
        if (f->input_row[i]) reduced_strides(f, &f->input[i], x->stride[x->n++]);
        else memcpy(x->stride[x->n++], f->input[i].stride, sizeof x->stride[0]);
    for (int16_t i = 0; i < f->n_outputs; i++)
        if (f->output[i].reduction || f->output[i].row) reduced_strides(f, &f->output[i].view, x->stride[x->n++]);
        else memcpy(x->stride[x->n++], f->output[i].view.stride, sizeof x->stride[0]);
}

/* Leaves out axes of extent 1 and merges neighbours that all operands walk through as one. */
static void collapse(const orr_fused *f, cpu_fused *p, operands *x) {
    int32_t kept[AXES], n = 0;
    for (int32_t i = 0; i < f->shape.rank; i++)
        if (f->shape.size[i] != 1) kept[n++] = i;
    p->rank = 0;
    for (int32_t i = 0; i < n; i++) {
        const int32_t axis = kept[i];
        const bool goes = (p->has_reduction || f->rows) && (f->reduced >> axis & 1u);
        const int32_t last = p->rank - 1;
        if (last >= 0 && p->reduced[last] == goes) {
            bool merge = true;
            for (int32_t k = 0; k < x->n && merge; k++)
                merge = x->stride[k][last] == x->stride[k][axis] * f->shape.size[axis];
            if (merge) {
                p->size[last] *= f->shape.size[axis];
                for (int32_t k = 0; k < x->n; k++) x->stride[k][last] = x->stride[k][axis];
                continue;
            }
        }
        p->size[p->rank] = f->shape.size[axis];
        p->reduced[p->rank] = goes;
        for (int32_t k = 0; k < x->n; k++) x->stride[k][p->rank] = x->stride[k][axis];
        p->rank++;
    }
    if (f->rows && p->rank == 1) { /* a single row: an axis of one row in front */
        p->rank = 2;
        p->size[1] = p->size[0], p->size[0] = 1;
        p->reduced[1] = true, p->reduced[0] = false;
        for (int32_t k = 0; k < x->n; k++) x->stride[k][1] = x->stride[k][0], x->stride[k][0] = 0;
    }
    if (p->rank == 0) { /* a scalar: one axis of extent 1 */
        p->rank = 1;
        p->size[0] = 1;
        p->reduced[0] = false;
        for (int32_t k = 0; k < x->n; k++) x->stride[k][0] = 0;
    }
}

static void choose_tile(const orr_fused *f, cpu_fused *p) {
    const int32_t last = p->rank - 1;
    const int64_t columns = p->size[last];
    if (!f->rows && (columns >= TILE || p->rank == 1)) {
        p->tile_rows = 1;
        p->cut = last;
        const int64_t n = (columns + TILE - 1) / TILE;
        p->tile_columns = n > 1 ? ((columns + n - 1) / n + 63) / 64 * 64 : columns;
        p->tiles_per_step = n > 1 ? (columns + p->tile_columns - 1) / p->tile_columns : 1;
    } else {
        p->tile_columns = columns;
        p->cut = last - 1;
        const int64_t fit = columns < TILE ? TILE / columns : 1, rows = p->size[last - 1];
        p->tile_rows = rows < fit ? rows : fit;
        p->tiles_per_step = (rows + p->tile_rows - 1) / p->tile_rows;
    }
    p->outer = 1;
    for (int32_t i = 0; i < p->cut; i++) p->outer *= p->size[i];
    p->n_tiles = p->outer * p->tiles_per_step;
    p->last_reduced = p->reduced[last];
    p->row_reduced = p->cut < last && p->reduced[p->cut];
}

/* Where the tile holds all that is reduced, results go straight to the output. */
static bool results_are_direct(const cpu_fused *p) {
    if (!p->last_reduced || p->row_reduced || (p->cut == p->rank - 1 && p->tiles_per_step > 1)) return false;
    for (int32_t i = 0; i < p->rank - 1; i++)
        if (p->reduced[i]) return false;
    return true;
}

static int64_t work_of(const orr_fused *f) {
    int64_t work = f->n_inputs + f->n_outputs;
    for (int16_t i = 0; i < f->n_instructions; i++) switch (f->instruction[i].code) {
        case ORR_OP_exp:
        case ORR_OP_expm1:
        case ORR_OP_log:
        case ORR_OP_log1p:
        case ORR_OP_sin:
        case ORR_OP_cos:
        case ORR_OP_tanh:
        case ORR_OP_sigmoid:
        case ORR_OP_erf:
        case ORR_OP_pow: work += 8; break;
        default: work += 1;
        }
    return work;
}

static void choose_tasks(const orr_fused *f, cpu_fused *p) {
    int64_t elements = 1;
    for (int32_t i = 0; i < p->rank; i++) elements *= p->size[i];
    int64_t tasks = elements * work_of(f) / TASK_WORK;
    p->partial = false;
    int64_t unit = 1; /* tiles that must stay together */
    if (p->has_reduction && !p->direct) {
        if (p->reduced[0]) {
            p->partial = true;
            const int64_t room = (INT64_C(1) << 20) / (p->acc_total > 0 ? p->acc_total : 1);
            if (tasks > PARTIAL_TASKS_MAX) tasks = PARTIAL_TASKS_MAX;
            if (tasks > room) tasks = room;
        } else if (p->cut > 0) {
            unit = p->n_tiles / p->size[0];
        } /* else the outermost axis is the cut one, and kept: each tile has elements of its own */
    }
    const int64_t units = p->n_tiles / unit;
    if (tasks > TASKS_MAX) tasks = TASKS_MAX;
    if (tasks > units) tasks = units;
    if (tasks < 1) tasks = 1;
    const int64_t each = (units + tasks - 1) / tasks;
    p->tiles_per_task = each * unit;
    p->tasks = (units + each - 1) / each;
}

/* An input's place: a scalar where no tile moves it, memory where the tile is contiguous in it, else a copy. */
static void place_input(cpu_fused *p, value *v) {
    const int32_t last = p->rank - 1;
    const int64_t column = v->stride[last], row = p->cut < last ? v->stride[p->cut] : 0;
    if (v->row) { /* rows in order, or one number */
        v->place = row == 0 || p->tile_rows == 1 ? SCALAR : IN_MEMORY;
        return;
    }
    if (column == 0 && (row == 0 || p->tile_rows == 1)) v->place = SCALAR;
    else if (p->tile_columns == 1 && p->tile_rows == 1) v->place = SCALAR;
    else if (column == 1 && (p->tile_rows == 1 || row == p->tile_columns)) v->place = IN_MEMORY;
    else if (p->tile_columns == 1 && row == 1) v->place = IN_MEMORY;
    else v->place = IN_REGISTER, v->loaded = true;
}

static orr_tile_kernel *find_kernel(const cpu_fused *p, const orr_fused_instruction *x, int32_t variant) {
    const orr_dtype first = p->value[x->args[0]].dtype;
    if (x->code == ORR_OP_cast) return p->kernels->cast[first][x->dtype];
    if (x->code == ORR_OP_select) return p->kernels->select[x->dtype];
    return p->kernels->elementwise[x->code][first][variant];
}

typedef struct slots {
    int32_t free[VALUES], n_free, n;
} slots;

static int32_t slot_take(slots *s) { return s->n_free ? s->free[--s->n_free] : s->n++; }
static void slot_give(slots *s, int32_t slot) { s->free[s->n_free++] = slot; }

/* The last instruction that reads a value; also through a spread, which may be the value itself, or through a product
 * that is made later. */
static int16_t last_use(const orr_fused *f, const cpu_fused *p, int16_t v) {
    int16_t last = -1;
    for (int16_t i = 0; i < f->n_instructions; i++)
        for (int16_t k = 0; k < f->instruction[i].n_args; k++) {
            if (f->instruction[i].args[k] != v) continue;
            const bool spread = f->instruction[i].code == ORR_OP_broadcast;
            const int16_t folded = p->folded_into[i];
            const int16_t until = spread        ? last_use(f, p, (int16_t)(orr_fused_first_instruction(f) + i))
                                  : folded >= 0 ? folded
                                                : i;
            if (until > last) last = until;
        }
    for (int16_t i = 0; i < f->n_outputs; i++)
        if (f->output[i].value == v) last = f->n_instructions;
    return last;
}

static int32_t count_uses(const orr_fused *f, int16_t v) {
    int32_t n = 0;
    for (int16_t i = 0; i < f->n_instructions; i++)
        for (int16_t k = 0; k < f->instruction[i].n_args; k++) n += f->instruction[i].args[k] == v;
    for (int16_t i = 0; i < f->n_outputs; i++) n += f->output[i].value == v;
    return n;
}

/* Whether an instruction between two writes an output: it may write over the memory of an input that is no longer read.
 */
static bool writes_between(const orr_fused *f, int16_t first, int16_t last) {
    const int16_t base = orr_fused_first_instruction(f);
    for (int16_t o = 0; o < f->n_outputs; o++)
        if (!f->output[o].reduction && f->output[o].value > base + first && f->output[o].value < base + last)
            return true;
    return false;
}

/* Learning rates and momenta: c + s v in one pass, where the product s v, s a scalar, has no other use. */
static void fold_products(const orr_fused *f, cpu_fused *p) {
    const int16_t base = orr_fused_first_instruction(f);
    bool scalar[VALUES];
    for (int16_t i = 0; i < base; i++) scalar[i] = p->value[i].place == SCALAR;
    for (int16_t i = 0; i < f->n_instructions; i++) {
        const orr_fused_instruction *x = &f->instruction[i];
        scalar[base + i] = true;
        for (int16_t k = 0; k < x->n_args; k++) scalar[base + i] = scalar[base + i] && scalar[x->args[k]];
        if (x->row || x->code == ORR_OP_broadcast) scalar[base + i] = scalar[base + i] || p->tile_rows == 1;
        p->folded_into[i] = p->factor[i] = -1;
    }
    for (int16_t i = 0; i < f->n_instructions; i++) {
        const orr_fused_instruction *sum = &f->instruction[i];
        if ((sum->code != ORR_OP_add && sum->code != ORR_OP_sub) || sum->dtype > ORR_F64 || sum->row) continue;
        for (int16_t k = 0; k < 2 && p->factor[i] < 0; k++) {
            const int16_t v = sum->args[k], other = sum->args[1 - k];
            const orr_fused_instruction *product = v >= base ? &f->instruction[v - base] : NULL;
            if (!product || product->code != ORR_OP_mul || product->row || scalar[other] || count_uses(f, v) != 1)
                continue;
            if (scalar[product->args[0]] == scalar[product->args[1]] || p->factor[v - base] >= 0) continue;
            if (writes_between(f, (int16_t)(v - base), i)) continue;
            p->factor[i] = (int16_t)(v - base);
            p->folded_into[v - base] = i;
        }
    }
}

/* Which instructions are loops over the tile, and which are made of whole rows. */
static action action_of(const orr_fused *f, const cpu_fused *p, const orr_fused_instruction *x) {
    bool scalar = true;
    for (int16_t k = 0; k < x->n_args; k++) scalar = scalar && p->value[x->args[k]].place == SCALAR;
    if (f->rows && (x->code == ORR_OP_sum || x->code == ORR_OP_reduce_max)) return ACT_REDUCE;
    if (x->code == ORR_OP_broadcast) return scalar ? ACT_NOTHING : ACT_SPREAD;
    if (scalar) return ACT_ONE;
    return x->row ? ACT_ROWS : ACT_TILE;
}

static void place_instruction(const orr_fused *f, cpu_fused *p, int16_t i, slots *s) {
    const int16_t base = orr_fused_first_instruction(f);
    const orr_fused_instruction *x = &f->instruction[i];
    value *v = &p->value[base + i];
    *v = (value){ .dtype = x->dtype, .size = orr_dtype_size(x->dtype), .output = -1, .row = x->row };
    if (p->folded_into[i] >= 0) {
        p->action[i] = ACT_FOLDED;
        v->place = IN_REGISTER;
        v->slot = -1;
        return;
    }
    p->action[i] = action_of(f, p, x);
    const bool loops = p->action[i] == ACT_TILE || p->action[i] == ACT_ROWS;
    int32_t variant = ORR_VV, borrowed[8], n_borrowed = 0;
    for (int16_t k = 0; k < 3; k++) p->splat_slot[i][k] = -1;
    if (loops && x->n_args == 2 && p->value[x->args[1]].place == SCALAR) variant = ORR_VS;
    if (loops && x->n_args == 2 && p->value[x->args[0]].place == SCALAR) variant = ORR_SV;
    for (int16_t k = 0; loops && x->n_args == 3 && k < 3; k++) {
        if (p->value[x->args[k]].place != SCALAR) continue;
        borrowed[n_borrowed] = slot_take(s);
        p->splat_slot[i][k] = (int16_t)borrowed[n_borrowed++];
        p->splats[i] = true;
    }
    if (loops || p->action[i] == ACT_ONE) p->run[i] = find_kernel(p, x, variant);
    const orr_fused_instruction *product = p->factor[i] >= 0 ? &f->instruction[p->factor[i]] : NULL;
    if (product)
        p->run[i] = p->kernels->multiply_add[x->dtype][x->code == ORR_OP_add               ? 0
                                                       : x->args[1] == base + p->factor[i] ? 1
                                                                                           : 2];
    /* A single row value, be it computed or summed, is a scalar of its tile. */
    const bool scalar = p->action[i] == ACT_ONE || p->action[i] == ACT_NOTHING || (x->row && p->tile_rows == 1);
    for (int16_t o = 0; !scalar && o < f->n_outputs; o++)
        if (f->output[o].value == base + i && !f->output[o].reduction) v->output = o;
    /* Arguments that end here free their registers first: a kernel may write over what it reads, where elements match.
     */
    int16_t args[5], n_args = 0;
    for (int16_t k = 0; k < x->n_args; k++) args[n_args++] = x->args[k];
    for (int16_t k = 0; product && k < 2; k++) args[n_args++] = product->args[k];
    for (int16_t k = 0; k < n_args; k++) {
        const int16_t a = args[k];
        bool repeated = false;
        for (int16_t j = 0; j < k; j++) repeated = repeated || args[j] == a;
        if (repeated || a < base || p->value[a].place == IN_MEMORY || p->value[a].slot < 0 || last_use(f, p, a) != i)
            continue;
        if (loops && p->value[a].size == v->size && p->value[a].row == v->row) slot_give(s, p->value[a].slot);
        else borrowed[n_borrowed++] = p->value[a].slot;
    }
    v->place = scalar ? SCALAR : v->output >= 0 ? IN_MEMORY : IN_REGISTER;
    v->slot = p->action[i] == ACT_NOTHING || v->place == IN_MEMORY ? -1 : slot_take(s);
    for (int32_t k = 0; k < n_borrowed; k++) slot_give(s, borrowed[k]);
}

/* False where an instruction has no kernel. */
static bool place_instructions(const orr_fused *f, cpu_fused *p) {
    slots s = { .n = 0 };
    fold_products(f, p);
    for (int16_t i = 0; i < f->n_inputs; i++)
        if (p->value[i].loaded) p->value[i].slot = slot_take(&s);
    for (int16_t i = 0; i < f->n_instructions; i++) {
        place_instruction(f, p, i, &s);
        if (!p->run[i] && p->action[i] <= ACT_ONE) return false;
    }
    p->n_slots = s.n + 1; /* one more for scalars that are reduced or stored */
    return true;
}

static void put_constant(double *to, orr_dtype dtype, double x) {
    switch (dtype) {
    case ORR_F32: {
        const float y = (float)x;
        memcpy(to, &y, sizeof y);
        break;
    }
    case ORR_F64: *to = x; break;
    case ORR_I32: {
        const int32_t y = (int32_t)x;
        memcpy(to, &y, sizeof y);
        break;
    }
    case ORR_BOOL: {
        const uint8_t y = x != 0.0;
        memcpy(to, &y, sizeof y);
        break;
    }
    }
}

orr_status orr_cpu_fused_prepare(orr_context *ctx, orr_arena *arena, const orr_fused *f, void **plan,
                                 size_t *workspace) {
    cpu_fused *p = ORR_NEW(arena, cpu_fused, 1);
    operands *x = ORR_NEW(arena, operands, 1);
    if (!p || !x) return orr_fail(ctx, ORR_ENOMEM, "fused group: no memory for its plan");
    p->kernels = orr_cpu_kernels_choose();
    p->threads = orr_context_threads(ctx);
    for (int16_t i = 0; i < f->n_outputs; i++) p->has_reduction = p->has_reduction || f->output[i].reduction;
    collect_operands(f, x);
    collapse(f, p, x);
    choose_tile(f, p);
    p->n_values = f->n_inputs + f->n_constants + f->n_instructions;
    for (int16_t i = 0; i < f->n_inputs; i++) {
        value *v = &p->value[i];
        *v = (value){
            .dtype = f->input[i].dtype, .size = orr_dtype_size(f->input[i].dtype), .output = -1, .row = f->input_row[i]
        };
        memcpy(v->stride, x->stride[i], sizeof v->stride);
        place_input(p, v);
    }
    for (int16_t i = 0; i < f->n_constants; i++)
        p->value[f->n_inputs + i] = (value){
            .place = SCALAR, .dtype = f->constant_dtype[i], .size = orr_dtype_size(f->constant_dtype[i]), .output = -1
        };
    for (int16_t i = 0; i < f->n_outputs; i++) {
        memcpy(p->out_stride[i], x->stride[f->n_inputs + i], sizeof p->out_stride[i]);
        if (!f->output[i].reduction) continue;
        p->kept[i] = orr_shape_count(&f->output[i].view.shape);
        p->acc_at[i] = p->acc_total;
        p->acc_total += p->kept[i];
    }
    p->direct = p->has_reduction && results_are_direct(p);
    if (p->direct) p->acc_total = 0;
    if (!place_instructions(f, p)) return orr_fail(ctx, ORR_EINTERNAL, "fused group: an instruction has no kernel");
    choose_tasks(f, p);
    for (int16_t i = 0; i < f->n_constants; i++) put_constant(&p->constants[i], f->constant_dtype[i], f->constant[i]);
    const int64_t tile = p->tile_rows * p->tile_columns;
    p->slot_bytes = ((size_t)(tile > 0 ? tile : 1) * sizeof(double) + 63) & ~(size_t)63;
    p->worker_bytes = (size_t)p->n_slots * p->slot_bytes;
    *plan = p;
    *workspace =
        (size_t)p->threads * p->worker_bytes + (size_t)(p->acc_total * (p->partial ? p->tasks : 1)) * sizeof(double);
    return ORR_OK;
}

/* ---- run
 * ------------------------------------------------------------------------------------------------------------------ */

typedef struct job {
    const orr_fused *f;
    const cpu_fused *p;
    char *registers;
    double *acc;
} job;

static void *slot_at(const cpu_fused *p, char *registers, int32_t slot) {
    return registers + (size_t)slot * p->slot_bytes;
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
    const bool columns = p->cut == p->rank - 1;
    const int64_t whole = columns ? p->tile_columns : p->tile_rows, left = p->size[p->cut] - c->tile * whole;
    const int64_t here = left < whole ? left : whole;
    c->rows = columns ? 1 : here;
    c->columns = columns ? here : p->tile_columns;
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

/* rows x columns elements of an input into its register. */
static void load(const cpu_fused *p, const value *v, const char *from, int64_t rows, int64_t columns, char *to) {
    const int64_t column = v->stride[p->rank - 1], row = p->cut < p->rank - 1 ? v->stride[p->cut] : 0;
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

static void reduce_tile(const job *j, const cursor *c, int16_t o, const char *v, double *acc, int64_t cut_at) {
    const cpu_fused *p = j->p;
    const orr_fused_output *out = &j->f->output[o];
    const int kind = out->reduction == ORR_REDUCE_MAX;
    const orr_dtype dtype = out->view.dtype;
    const int64_t size = (int64_t)orr_dtype_size(dtype), columns = c->columns, rows = c->rows;
    const int32_t last = p->rank - 1;
    const int64_t row = p->cut < last ? p->out_stride[o][p->cut] : 0;
    const int64_t at = c->out_at[o] + cut_at * p->out_stride[o][p->cut];
    const double start = kind ? (double)-INFINITY : 0.0;
    if (p->direct) {
        double result[TILE];
        for (int64_t i = 0; i < rows; i++) result[i] = start;
        reduce_rows(p, kind, dtype, rows, columns, v, result, 1);
        if (row == 1 || rows == 1) {
            p->kernels->finish[dtype](rows, result, (char *)out->view.data + at * size);
        } else {
            for (int64_t i = 0; i < rows; i++)
                p->kernels->finish[dtype](1, &result[i], (char *)out->view.data + (at + i * row) * size);
        }
        return;
    }
    acc += p->acc_at[o] + at;
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

static int64_t cut_position(const cpu_fused *p, const cursor *c) {
    return c->tile * (p->cut == p->rank - 1 ? p->tile_columns : p->tile_rows);
}

/* Works out the addresses of the tile under the cursor; constants are in place already. */
static void find_addresses(const orr_fused *f, const cpu_fused *p, const cursor *c, char *registers, addresses *x) {
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
        if (p->action[i] == ACT_FOLDED) continue;
        if (p->factor[i] >= 0) { /* (v, s, c) */
            const orr_fused_instruction *product = &f->instruction[p->factor[i]];
            const int which = p->value[product->args[0]].place == SCALAR;
            x->args[i][0] = x->at[product->args[which]];
            x->args[i][1] = x->at[product->args[!which]];
            x->args[i][2] = x->at[instruction->args[instruction->args[0] == base + p->factor[i]]];
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
        load(p, x, from, c->rows, c->columns, slot_at(p, registers, x->slot));
        c->loaded[v] = from, c->loaded_n[v] = n;
    }
}

/* Each row's sum or maximum, through double. */
static void reduce_into(const cpu_fused *p, const cursor *c, orr_op_code code, orr_dtype dtype, const void *from,
                        void *to) {
    double result[TILE];
    const int kind = code == ORR_OP_reduce_max;
    for (int64_t i = 0; i < c->rows; i++) result[i] = kind ? (double)-INFINITY : 0.0;
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
    void *vector = slot_at(p, registers, p->n_slots - 1);
    splat(p, p->value[a].dtype, c->rows * c->columns, x->at[a], vector);
    return vector;
}

static void execute(const job *j, const cursor *c, const addresses *x, char *registers, double *acc) {
    const orr_fused *f = j->f;
    const cpu_fused *p = j->p;
    const int64_t n = c->rows * c->columns;
    const int16_t base = orr_fused_first_instruction(f);
    for (int16_t i = 0; i < f->n_instructions; i++) {
        const orr_fused_instruction *instruction = &f->instruction[i];
        const action act = p->action[i];
        const int64_t count = act == ACT_TILE ? n : act == ACT_ROWS ? c->rows : 1;
        if (p->splats[i])
            for (int16_t k = 0; k < 3; k++)
                if (p->splat_slot[i][k] >= 0)
                    splat(p, p->value[instruction->args[k]].dtype, count, x->at[instruction->args[k]],
                          slot_at(p, registers, p->splat_slot[i][k]));
        if (act <= ACT_ONE) p->run[i](count, x->args[i][0], x->args[i][1], x->args[i][2], x->to[i]);
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
            void *vector = slot_at(p, registers, p->n_slots - 1);
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
    const double start = f->output[o].reduction == ORR_REDUCE_MAX ? (double)-INFINITY : 0.0;
    for (int64_t i = 0; i < n; i++) acc[p->acc_at[o] + first + i] = start;
}

/* The part of a reduced output that belongs to the tiles of a task, where the outermost axis is kept. */
static void own_part(const cpu_fused *p, int16_t o, int64_t first_tile, int64_t n_tiles, int64_t *first, int64_t *n) {
    if (p->cut > 0) {
        const int64_t tiles = p->n_tiles / p->size[0], each = p->kept[o] / p->size[0];
        *first = first_tile / tiles * each;
        *n = n_tiles / tiles * each;
        return;
    }
    const int64_t cut = p->cut == p->rank - 1 ? p->tile_columns : p->tile_rows, each = p->kept[o] / p->size[0];
    int64_t end = (first_tile + n_tiles) * cut;
    if (end > p->size[0]) end = p->size[0];
    *first = first_tile * cut * each;
    *n = (end - first_tile * cut) * each;
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
        find_addresses(f, p, &c, registers, &x);
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
    p->single = p->n_tiles == 1 && orr_shape_count(&f->shape) > 0;
    if (!p->single) return;
    seek(f, p, 0, &p->only);
    size_tile(p, &p->only);
    for (int16_t i = 0; i < f->n_constants; i++) p->bound.at[f->n_inputs + i] = &p->constants[i];
    find_addresses(f, p, &p->only, workspace, &p->bound);
}

/* Everything is in its place: no pool, no cursor. */
static void run_single(const job *j, cpu_fused *p) {
    const orr_fused *f = j->f;
    const bool accumulates = p->has_reduction && !p->direct;
    for (int16_t o = 0; accumulates && o < f->n_outputs; o++)
        if (f->output[o].reduction) clear_accumulators(f, p, j->acc, 0, p->kept[o], o);
    for (int16_t v = 0; v < f->n_inputs; v++) p->only.loaded[v] = NULL;
    load_inputs(f, p, &p->only, j->registers);
    execute(j, &p->only, &p->bound, j->registers, j->acc);
    for (int16_t o = 0; accumulates && o < f->n_outputs; o++)
        if (f->output[o].reduction)
            p->kernels->finish[f->output[o].view.dtype](p->kept[o], j->acc + p->acc_at[o], f->output[o].view.data);
}

orr_status orr_cpu_fused_run(orr_context *ctx, const orr_fused *f, void *plan, void *workspace, orr_pool *pool) {
    cpu_fused *p = plan;
    (void)ctx;
    job j = { .f = f, .p = p, .registers = workspace };
    j.acc = (double *)(void *)(j.registers + (size_t)p->threads * p->worker_bytes);
    if (p->single) {
        run_single(&j, p);
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
