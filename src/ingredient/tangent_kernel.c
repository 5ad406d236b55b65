#include "ingredient/tangent_kernel.h"

#include <assert.h>
#include <string.h>

#include "base/context.h"

/* Columns of Theta = J C J': one at a time is C J' e_b, a vjp, and J of that, a jvp; `columns` of them in a run. */
typedef struct work {
    orr_context *ctx;
    const orr_problem *p;
    orr_arena *arena;
    orr_graph *g;
    orr_program *program;
    int64_t columns;
    orr_node many;      /* [columns, training outputs]: unit vectors */
    orr_node output[4]; /* f of training and test examples, and their columns [columns, outputs] */
    int32_t parts;      /* 1 without test examples */
    orr_problem_graph nodes[2];
} work;

static int64_t examples(const orr_problem *p, int part) { return part ? p->data.n_test : p->data.n; }

/* As many columns in a run as keep parameters times columns within 32 MiB of doubles. */
static int64_t columns_of(const orr_problem *p, int64_t n) {
    const int64_t room = ((int64_t)1 << 22) / (p->n > 0 ? p->n : 1), most = room < 16 ? room : 16;
    return most < 1 ? 1 : most < n ? most : n;
}

static orr_status build(work *k) {
    const orr_problem *p = k->p;
    orr_node f[2], column[2], v;
    const int32_t parts = k->parts;
    assert(parts == 1 || parts == 2);
    ORR_TRY(k->ctx, orr_problem_parameters(k->ctx, k->arena, p, k->g, &k->nodes[0]));
    k->nodes[1] = k->nodes[0];
    for (int i = 0; i < parts; i++) {
        const orr_node x = orr_problem_x_input(p, k->g, i ? "kernel.test" : "kernel.train", examples(p, i)),
                       y = orr_problem_target_input(p, k->g, i ? "kernel.test_target" : "kernel.target",
                                                    examples(p, i));
        orr_problem_forward(p, k->g, examples(p, i), x, y, orr_problem_evaluation_key(k->g), &k->nodes[i]);
        f[i] = orr_reshape(k->g, k->nodes[i].output, ORR_SHAPE(-1));
    }
    int32_t n = 0;
    orr_node *w = ORR_NEW(k->arena, orr_node, p->n_tensors), *u = ORR_NEW(k->arena, orr_node, p->n_tensors);
    if (!w || !u) return orr_fail(k->ctx, ORR_ENOMEM, "tangent kernel: no memory");
    for (int64_t t = 0; t < p->n_tensors; t++)
        if (!p->tensors[t].frozen) w[n++] = k->nodes[0].parameter[t];
    const orr_shape shape = orr_node_shape(k->g, f[0]);
    v = orr_input(k->g, "kernel.unit", p->dtype, shape);
    k->columns = columns_of(p, shape.size[0]);
    k->many = orr_input(k->g, "kernel.units", p->dtype, ORR_SHAPE(k->columns, shape.size[0]));
    orr_vjp(k->g, f, &v, 1, w, n, u);
    n = 0;
    for (int64_t t = 0; t < p->n_tensors; t++)
        if (!p->tensors[t].frozen) u[n] = orr_scale(k->g, u[n], p->tensors[t].rate_gradient), n++;
    orr_jvp(k->g, f, parts, w, u, n, column);
    orr_vmap(k->g, column, parts, &v, &k->many, 1, k->output + parts);
    for (int i = 0; i < parts; i++) k->output[i] = f[i];
    return ORR_OK;
}

static orr_status compile(work *k, const double *w) {
    const orr_problem *p = k->p;
    const orr_compile_options options = { .outputs = k->output, .n_outputs = 2 * k->parts };
    ORR_TRY(k->ctx, orr_compile(k->ctx, k->g, &options, &k->program));
    for (int i = 0; i < k->parts; i++)
        ORR_TRY(k->ctx, orr_program_bind(k->program, k->nodes[i].x, i ? p->test_x : p->x));
    for (int64_t t = 0; t < p->n_tensors; t++) {
        const int64_t n = orr_shape_count(&p->tensors[t].shape);
        void *to = orr_program_data(k->program, k->nodes[0].parameter[t]); /* NULL where nothing depends on it */
        if (to) orr_to_dtype(p->dtype, n, w, to);
        w += n;
    }
    return ORR_OK;
}

/* Columns first .. first + columns - 1, those of them that there are. */
static orr_status run(work *k, int64_t first, orr_tangent_kernel *out) {
    const orr_problem *p = k->p;
    const int64_t n = out->n, count = first + k->columns < n ? k->columns : n - first;
    const size_t one = orr_dtype_size(p->dtype);
    char *unit = orr_program_data(k->program, k->many);
    const double value = 1.0;
    if (!unit) return ORR_OK; /* outputs don't depend on any trained parameter */
    memset(unit, 0, (size_t)(k->columns * n) * one);
    for (int64_t i = 0; i < count; i++) orr_to_dtype(p->dtype, 1, &value, unit + (size_t)(i * n + first + i) * one);
    ORR_TRY(k->ctx, orr_program_run(k->program));
    for (int part = 0; part < k->parts; part++) {
        const char *from = orr_program_data(k->program, k->output[k->parts + part]);
        const int64_t rows = part ? out->m : n;
        double *to = part ? out->test : out->train;
        for (int64_t i = 0; i < count; i++)
            for (int64_t a = 0; a < rows; a++)
                orr_from_dtype(p->dtype, 1, from + (size_t)(i * rows + a) * one, &to[a * n + first + i]);
    }
    return ORR_OK;
}

/* What rounding leaves of asymmetry goes. */
static void symmetrise(int64_t n, double *a) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) a[i * n + j] = a[j * n + i] = 0.5 * (a[i * n + j] + a[j * n + i]);
}

static orr_status compute(work *k, orr_arena *out_arena, const double *w, orr_status (*tick)(void *user), void *user,
                          orr_tangent_kernel *out) {
    ORR_TRY(k->ctx, orr_arena_new(k->ctx, &k->arena));
    ORR_TRY(k->ctx, orr_graph_new(k->ctx, &k->g));
    ORR_TRY(k->ctx, build(k));
    const orr_shape train = orr_node_shape(k->g, k->output[0]);
    const int64_t n = train.size[0], m = k->parts > 1 ? orr_node_shape(k->g, k->output[1]).size[0] : 0;
    *out = (orr_tangent_kernel){ .n = n,
                                 .m = m,
                                 .train = ORR_NEW(out_arena, double, n *n),
                                 .test = ORR_NEW(out_arena, double, m *n),
                                 .f = ORR_NEW(out_arena, double, n),
                                 .f_test = ORR_NEW(out_arena, double, m),
                                 .w = w };
    if (!out->train || !out->test || !out->f || !out->f_test)
        return orr_fail(k->ctx, ORR_ENOMEM, "tangent kernel: no memory for %lld x %lld numbers", (long long)(n + m),
                        (long long)n);
    ORR_TRY(k->ctx, compile(k, w));
    for (int64_t first = 0; first < n; first += k->columns) {
        ORR_TRY(k->ctx, run(k, first, out));
        if (tick) ORR_TRY(k->ctx, tick(user));
    }
    orr_from_dtype(k->p->dtype, n, orr_program_data(k->program, k->output[0]), out->f);
    if (m) orr_from_dtype(k->p->dtype, m, orr_program_data(k->program, k->output[1]), out->f_test);
    symmetrise(n, out->train);
    return ORR_OK;
}

orr_status orr_tangent_kernel_new(orr_context *ctx, orr_arena *out_arena, const orr_problem *p, const double *w,
                                  orr_status (*tick)(void *user), void *user, orr_tangent_kernel *out) {
    work k = { .ctx = ctx, .p = p, .parts = p->data.n_test > 0 ? 2 : 1 };
    const orr_status status = compute(&k, out_arena, w, tick, user, out);
    orr_program_free(k.program);
    orr_graph_free(k.g);
    orr_arena_free(k.arena);
    return status;
}
