/* Fused groups: what is decided once. */
#include "device/cpu/fused_plan.h"

#include <string.h>

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

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

static size_t widest(const orr_fused *f) {
    size_t size = 1;
    for (int16_t i = 0; i < f->n_inputs; i++) size = most(size, orr_dtype_size(f->input[i].dtype));
    for (int16_t i = 0; i < f->n_constants; i++) size = most(size, orr_dtype_size(f->constant_dtype[i]));
    for (int16_t i = 0; i < f->n_instructions; i++) size = most(size, orr_dtype_size(f->instruction[i].dtype));
    return size;
}

static void choose_tile(const orr_fused *f, cpu_fused *p) {
    const int32_t last = p->rank - 1;
    const int64_t columns = p->size[last];
    p->inner = 1;
    p->tile = TILE_BYTES / (int64_t)widest(f);
    if (p->tile > TILE) p->tile = TILE;
    if (!f->rows && (columns >= p->tile || p->rank == 1)) {
        const int64_t n = (columns + p->tile - 1) / p->tile;
        p->cut = last;
        p->tile_columns = n > 1 ? ((columns + n - 1) / n + 63) / 64 * 64 : columns;
        p->tile_steps = p->tile_columns, p->tile_rows = 1;
    } else {
        p->cut = last - 1;
        p->tile_columns = columns;
        /* short axes, as windows of a pool have: several of them in a tile */
        while (!f->rows && p->cut > 0 && 2 * p->size[p->cut] * p->inner * columns <= p->tile)
            p->inner *= p->size[p->cut--];
        const int64_t each = p->inner * columns, fit = each < p->tile ? p->tile / each : 1;
        p->tile_steps = p->size[p->cut] < fit ? p->size[p->cut] : fit;
        p->tile_rows = p->tile_steps * p->inner;
    }
    p->tiles_per_step = p->size[p->cut] > 0 ? (p->size[p->cut] + p->tile_steps - 1) / p->tile_steps : 1;
    p->outer = 1;
    for (int32_t i = 0; i < p->cut; i++) p->outer *= p->size[i];
    p->n_tiles = p->outer * p->tiles_per_step;
    p->last_reduced = p->reduced[last];
    p->row_reduced = p->cut < last && p->reduced[last - 1];
}

/* Where each tile holds all that is reduced, and what is kept of it lies together, results go straight to the output. */
static bool results_are_direct(const orr_fused *f, const cpu_fused *p) {
    for (int32_t i = 0; i < p->cut; i++)
        if (p->reduced[i]) return false;
    if (p->reduced[p->cut] && p->tiles_per_step > 1) return false;
    for (int16_t o = 0; o < f->n_outputs; o++) {
        int64_t step = 1;
        for (int32_t i = p->rank - 1; f->output[o].reduction && i >= p->cut; i--) {
            if (p->reduced[i]) continue;
            if (p->out_stride[o][i] != step) return false;
            step *= p->size[i];
        }
    }
    return true;
}

static int64_t work_of(const orr_fused *f) {
    int64_t work = f->n_inputs + f->n_outputs;
    for (int16_t i = 0; i < f->n_instructions; i++) work += orr_fused_work(f->instruction[i].code);
    return work;
}

static void choose_tasks(const orr_fused *f, cpu_fused *p) {
    int64_t elements = 1;
    for (int32_t i = 0; i < p->rank; i++) elements *= p->size[i];
    const int64_t work = elements * work_of(f);
    int64_t tasks = work < SHARED_WORK ? 1 : work / TASK_WORK;
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

/* Whether a tile's rows follow one another in an input by `step` elements. */
static bool rows_follow(const cpu_fused *p, const value *v, int64_t step) {
    if (p->tile_rows == 1) return true;
    for (int32_t i = p->rank - 2; i >= p->cut; step *= p->size[i--])
        if (v->stride[i] != step && (i > p->cut || p->tile_steps > 1)) return false;
    return true;
}

/* An input's place: a scalar where no tile moves it, memory where the tile is contiguous in it, else a copy. */
static void place_input(cpu_fused *p, value *v) {
    const int32_t last = p->rank - 1;
    const int64_t column = v->stride[last], row = p->cut < last ? v->stride[last - 1] : 0;
    if (v->row) { /* rows in order, or one number */
        v->place = row == 0 || p->tile_rows == 1 ? SCALAR : IN_MEMORY;
        return;
    }
    if (column == 0 && rows_follow(p, v, 0)) v->place = SCALAR;
    else if (p->tile_columns == 1 && p->tile_rows == 1) v->place = SCALAR;
    else if (column == 1 && rows_follow(p, v, p->tile_columns)) v->place = IN_MEMORY;
    else if (p->tile_columns == 1 && rows_follow(p, v, 1)) v->place = IN_MEMORY;
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

static bool one_is_scalar(const orr_fused_instruction *x, const bool *scalar) {
    return x->code == ORR_OP_mul && !x->row && scalar[x->args[0]] != scalar[x->args[1]];
}

/* In c + s v, a v that is itself t u with no other use: a rate times an error times an input, as in online learning. */
static void fold_twice(const orr_fused *f, cpu_fused *p, int16_t i, const bool *scalar) {
    const int16_t base = orr_fused_first_instruction(f);
    const orr_fused_instruction *product = &f->instruction[p->factor[i]];
    const int16_t v = product->args[scalar[product->args[0]]];
    if (v < base || !one_is_scalar(&f->instruction[v - base], scalar) || count_uses(f, v) != 1 ||
        writes_between(f, (int16_t)(v - base), i))
        return;
    p->twice[i] = (int16_t)(v - base);
    p->folded_into[v - base] = i;
}

static void find_scalars(const orr_fused *f, const cpu_fused *p, bool *scalar) {
    const int16_t base = orr_fused_first_instruction(f);
    for (int16_t i = 0; i < base; i++) scalar[i] = p->value[i].place == SCALAR;
    for (int16_t i = 0; i < f->n_instructions; i++) {
        const orr_fused_instruction *x = &f->instruction[i];
        scalar[base + i] = true;
        for (int16_t k = 0; k < x->n_args; k++) scalar[base + i] = scalar[base + i] && scalar[x->args[k]];
        if (x->row || x->code == ORR_OP_broadcast) scalar[base + i] = scalar[base + i] || p->tile_rows == 1;
    }
}

/* Learning rates and momenta: c + s v in one pass, where the product s v, s a scalar, has no other use. */
static void fold_products(const orr_fused *f, cpu_fused *p, const bool *scalar) {
    const int16_t base = orr_fused_first_instruction(f);
    for (int16_t i = 0; i < f->n_instructions; i++) p->folded_into[i] = p->factor[i] = p->twice[i] = -1;
    for (int16_t i = 0; i < f->n_instructions; i++) {
        const orr_fused_instruction *sum = &f->instruction[i];
        if ((sum->code != ORR_OP_add && sum->code != ORR_OP_sub) || sum->dtype > ORR_F64 || sum->row) continue;
        for (int16_t k = 0; k < 2 && p->factor[i] < 0; k++) {
            const int16_t v = sum->args[k], other = sum->args[1 - k];
            const orr_fused_instruction *product = v >= base ? &f->instruction[v - base] : NULL;
            if (!product || !one_is_scalar(product, scalar) || scalar[other] || count_uses(f, v) != 1 ||
                p->folded_into[v - base] >= 0 || writes_between(f, (int16_t)(v - base), i))
                continue;
            p->factor[i] = (int16_t)(v - base);
            p->folded_into[v - base] = i;
            fold_twice(f, p, i, scalar);
        }
    }
}

static bool is_spread(const orr_fused *f, int16_t v) {
    const int16_t base = orr_fused_first_instruction(f);
    return v >= base && f->instruction[v - base].code == ORR_OP_broadcast;
}

/* Whether an instruction goes row by row, for a spread row value is a scalar in each: then nothing need be spread. */
static bool takes_rows(const orr_fused *f, const cpu_fused *p, int16_t i, const bool *scalar) {
    const orr_fused_instruction *x = &f->instruction[i];
    if (x->n_args != 2 || x->row || p->factor[i] >= 0 || p->folded_into[i] >= 0 || p->tile_columns < ROW_BY_ROW)
        return false;
    const int16_t a = x->args[0], b = x->args[1];
    return is_spread(f, a) != is_spread(f, b) && !scalar[a] && !scalar[b];
}

static bool all_take_rows(const orr_fused *f, const cpu_fused *p, int16_t spread, const bool *scalar) {
    for (int16_t i = 0; i < f->n_instructions; i++)
        for (int16_t k = 0; k < f->instruction[i].n_args; k++)
            if (f->instruction[i].args[k] == spread && !takes_rows(f, p, i, scalar)) return false;
    for (int16_t o = 0; o < f->n_outputs; o++)
        if (f->output[o].value == spread) return false;
    return !scalar[spread];
}

/* Which instructions are loops over the tile, and which are made of whole rows. */
static action action_of(const orr_fused *f, const cpu_fused *p, int16_t i, const bool *scalars) {
    const orr_fused_instruction *x = &f->instruction[i];
    bool scalar = true;
    for (int16_t k = 0; k < x->n_args; k++) scalar = scalar && p->value[x->args[k]].place == SCALAR;
    if (f->rows && (x->code == ORR_OP_sum || x->code == ORR_OP_reduce_max)) return ACT_REDUCE;
    if (x->code == ORR_OP_broadcast) {
        const int16_t spread = (int16_t)(orr_fused_first_instruction(f) + i);
        return scalar || all_take_rows(f, p, spread, scalars) ? ACT_NOTHING : ACT_SPREAD;
    }
    if (scalar) return ACT_ONE;
    if (x->row) return ACT_ROWS;
    for (int16_t k = 0; k < x->n_args; k++)
        if (is_spread(f, x->args[k]) && !scalars[x->args[k]] && p->value[x->args[k]].place == SCALAR)
            return ACT_ROW_BY_ROW;
    return ACT_TILE;
}

static void place_instruction(const orr_fused *f, cpu_fused *p, int16_t i, const bool *scalars, slots *s) {
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
    p->action[i] = action_of(f, p, i, scalars);
    const bool loops = p->action[i] == ACT_TILE || p->action[i] == ACT_ROW_BY_ROW || p->action[i] == ACT_ROWS;
    int32_t variant = ORR_VV, borrowed[11], n_borrowed = 0;
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
    const orr_fused_instruction *inner = p->twice[i] >= 0 ? &f->instruction[p->twice[i]] : NULL;
    const int sum = x->code == ORR_OP_add ? 0 : x->args[1] == base + p->factor[i] ? 1 : 2;
    if (product) p->run[i] = p->kernels->multiply_add[x->dtype][sum];
    if (inner) {
        p->run[i] = p->kernels->multiply_twice_add[x->dtype][sum];
        p->pair[i] = p->n_pairs++;
    }
    /* A single row value, be it computed or summed, is a scalar of its tile. */
    const bool scalar = p->action[i] == ACT_ONE || p->action[i] == ACT_NOTHING || (x->row && p->tile_rows == 1);
    for (int16_t o = 0; !scalar && o < f->n_outputs; o++)
        if (f->output[o].value == base + i && !f->output[o].reduction) v->output = o;
    /* Arguments that end here free their registers first: a kernel may write over what it reads, where elements match.
     */
    int16_t args[7], n_args = 0;
    for (int16_t k = 0; k < x->n_args; k++) args[n_args++] = x->args[k];
    for (int16_t k = 0; product && k < 2; k++) args[n_args++] = product->args[k];
    for (int16_t k = 0; inner && k < 2; k++) args[n_args++] = inner->args[k];
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

/* Whether a scalar of the tile is reduced or stored: it becomes a vector first. */
static bool needs_spare(const orr_fused *f, const cpu_fused *p) {
    for (int16_t i = 0; i < f->n_instructions; i++)
        if (p->action[i] == ACT_REDUCE && p->value[f->instruction[i].args[0]].place == SCALAR) return true;
    for (int16_t o = 0; o < f->n_outputs; o++)
        if (p->value[f->output[o].value].place == SCALAR) return true;
    return false;
}

/* False where an instruction has no kernel. */
static bool place_instructions(const orr_fused *f, cpu_fused *p) {
    slots s = { .n = 0 };
    bool scalar[VALUES];
    find_scalars(f, p, scalar);
    fold_products(f, p, scalar);
    for (int16_t i = 0; i < f->n_inputs; i++)
        if (p->value[i].loaded) p->value[i].slot = slot_take(&s);
    for (int16_t i = 0; i < f->n_instructions; i++) {
        place_instruction(f, p, i, scalar, &s);
        if (!p->run[i] && p->action[i] <= ACT_ONE) return false;
    }
    p->spare_slot = s.n;
    p->n_slots = s.n + needs_spare(f, p);
    return true;
}

/* What lies in registers lies there in every tile. */
static void find_moving(const orr_fused *f, cpu_fused *p) {
    const int16_t base = orr_fused_first_instruction(f);
    bool moving[VALUES] = { false };
    for (int16_t v = 0; v < f->n_inputs; v++) moving[v] = !p->value[v].loaded;
    for (int16_t i = 0; i < f->n_instructions; i++) {
        bool reads = false;
        for (int16_t k = 0; k < f->instruction[i].n_args; k++) reads = reads || moving[f->instruction[i].args[k]];
        p->moves[i] = reads || p->value[base + i].output >= 0;
        /* a product that is made later hands on what it would have read */
        moving[base + i] =
            p->value[base + i].output >= 0 || ((p->action[i] == ACT_NOTHING || p->action[i] == ACT_FOLDED) && reads);
    }
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

/* A group of one task and few tiles, of which nothing need be copied into registers, is walked through without a search for addresses;
 * sums over all tiles are added up in one place. */
static bool room_for_bound(orr_arena *arena, cpu_fused *p, const orr_fused *f) {
    bool loads = false;
    for (int16_t v = 0; v < f->n_inputs; v++) loads = loads || p->value[v].loaded;
    if (p->tasks > 1 || p->n_tiles > (loads ? 1 : BOUND_TILES)) return true;
    p->n_bound = (int32_t)p->n_tiles;
    p->at = ORR_NEW(arena, cursor, p->n_bound);
    p->bound = ORR_NEW(arena, addresses, p->n_bound);
    return p->at && p->bound;
}

orr_status orr_cpu_fused_prepare(orr_context *ctx, orr_arena *arena, const orr_fused *f, void **plan,
                                 size_t *workspace) {
    cpu_fused *p = ORR_NEW(arena, cpu_fused, 1);
    operands *x = ORR_NEW(arena, operands, 1);
    if (!p || !x) return orr_fail(ctx, ORR_ENOMEM, "fused group: no memory for its plan");
    p->kernels = orr_cpu_kernels_choose();
    for (int16_t i = 0; i < f->n_outputs; i++) p->has_reduction = p->has_reduction || f->output[i].reduction;
    *plan = p;
    if (orr_shape_count(&f->shape) == 0) { /* nothing to walk over; sums of nothing are written by run */
        for (int16_t i = 0; i < f->n_outputs; i++) p->kept[i] = orr_shape_count(&f->output[i].view.shape);
        return ORR_OK;
    }
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
    p->direct = p->has_reduction && results_are_direct(f, p);
    p->kept_inner = 1;
    for (int32_t i = p->cut + 1; i < p->rank; i++) p->kept_inner *= p->reduced[i] ? 1 : p->size[i];
    if (p->direct) p->acc_total = 0;
    if (!place_instructions(f, p)) return orr_fail(ctx, ORR_EINTERNAL, "fused group: an instruction has no kernel");
    find_moving(f, p);
    choose_tasks(f, p);
    if (!room_for_bound(arena, p, f)) return orr_fail(ctx, ORR_ENOMEM, "fused group: no memory for addresses");
    for (int16_t i = 0; i < f->n_constants; i++) put_constant(&p->constants[i], f->constant_dtype[i], f->constant[i]);
    p->workers = orr_parallel_workers(orr_context_pool(ctx), p->tasks);
    const int64_t tile = p->tile_rows * p->tile_columns;
    p->slot_bytes = ((size_t)(tile > 0 ? tile : 1) * widest(f) + 63) & ~(size_t)63;
    p->worker_bytes = (size_t)p->n_slots * p->slot_bytes + (((size_t)p->n_pairs * PAIR_BYTES + 63) & ~(size_t)63);
    *workspace =
        (size_t)p->workers * p->worker_bytes + (size_t)(p->acc_total * (p->partial ? p->tasks : 1)) * sizeof(double);
    return ORR_OK;
}
