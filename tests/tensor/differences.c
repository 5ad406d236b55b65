#include "tensor/differences.h"

static int64_t count(const orr_graph *g, const orr_node *nodes, int32_t n) {
    int64_t sum = 0;
    for (int32_t i = 0; i < n; i++) {
        const orr_shape shape = orr_node_shape(g, nodes[i]);
        sum += orr_shape_count(&shape);
    }
    return sum;
}

static jacobian jacobian_new(const function *f) {
    jacobian j = { .n_y = count(f->g, f->y, f->n_y), .n_x = count(f->g, f->x, f->n_x) };
    j.v = ORR_NEW(f->arena, double, j.n_y *j.n_x);
    assert_non_null(j.v);
    return j;
}

static void check_graph(const function *f) {
    if (orr_graph_status(f->g) != ORR_OK) fail_msg("%s: %s", f->what, orr_graph_message(f->g));
}

/* Compiles outputs and sets all inputs to the point. */
static orr_program *program_at(const function *f, const orr_node *outputs, int32_t n) {
    check_graph(f);
    orr_program *p = program_of(f->ctx, f->g, f->device, outputs, n);
    for (int32_t i = 0; i < f->n_x; i++) program_put(p, f->x[i], &f->at[i]);
    for (int32_t i = 0; i < f->held.n; i++) program_put(p, f->held.node[i], &f->held.value[i]);
    return p;
}

/* One element of an input of a program. */
static void set(const function *f, orr_program *p, int32_t i, int64_t k, double value) {
    double *data = orr_program_data(p, f->x[i]);
    if (data) data[k] = value;
}

/* All elements of the outputs, one after the other. */
static void run(const function *f, orr_program *p, const orr_node *y, int32_t n, double *out) {
    program_go(f->ctx, p);
    for (int32_t i = 0; i < n; i++) {
        const orr_shape shape = orr_node_shape(f->g, y[i]);
        host h = { .type = { orr_node_dtype(f->g, y[i]), shape }, .n = orr_shape_count(&shape), .v = out };
        program_get(p, y[i], &h);
        out += h.n;
    }
}

/* f(x + h e) - f(x - h e) over the step that was really taken. */
static void central(const function *f, orr_program *p, int32_t i, int64_t k, double h, int64_t n_y, double *work,
                    double *out) {
    const double x = f->at[i].v[k], up = x + h, down = x - h;
    set(f, p, i, k, up);
    run(f, p, f->y, f->n_y, out);
    set(f, p, i, k, down);
    run(f, p, f->y, f->n_y, work);
    set(f, p, i, k, x);
    for (int64_t m = 0; m < n_y; m++) out[m] = (out[m] - work[m]) / (up - down);
}

jacobian jacobian_by_differences(const function *f) {
    jacobian j = jacobian_new(f);
    orr_program *p = program_at(f, f->y, f->n_y);
    const double h = f->step > 0 ? f->step : 0.01;
    const orr_arena_mark mark = orr_arena_here(f->arena);
    double *work = ORR_NEW(f->arena, double, j.n_y), *d[3];
    for (int r = 0; r < 3; r++) d[r] = ORR_NEW(f->arena, double, j.n_y);
    int64_t column = 0;
    for (int32_t i = 0; i < f->n_x; i++)
        for (int64_t k = 0; k < f->at[i].n; k++, column++) {
            for (int r = 0; r < 3; r++) central(f, p, i, k, ldexp(h, -r), j.n_y, work, d[r]);
            for (int64_t m = 0; m < j.n_y; m++) { /* Richardson: the h^2 term, then the h^4 term goes */
                const double once = (4 * d[1][m] - d[0][m]) / 3, twice = (4 * d[2][m] - d[1][m]) / 3;
                j.v[m * j.n_x + column] = (16 * twice - once) / 15;
            }
        }
    orr_arena_rewind(f->arena, mark);
    orr_program_free(p);
    return j;
}

/* Inputs for cotangents or tangents, of the types of `like`; names must differ from all others in the graph. */
static void inputs_like(const function *f, const char *kind, const orr_node *like, int32_t n, orr_node *out) {
    for (int32_t i = 0; i < n; i++) {
        char name[60];
        (void)snprintf(name, sizeof name, "%s%d of %d", kind, i, orr_graph_size(f->g));
        out[i] = orr_input(f->g, name, orr_node_dtype(f->g, like[i]), orr_node_shape(f->g, like[i]));
    }
}

/* The program's outputs with each element of each direction set to 1 in turn: one line of results for each. */
static void sweep(const function *f, orr_program *p, const orr_node *direction, int32_t n_direction,
                  const orr_node *out, int32_t n_out, int64_t length, double *lines) {
    int64_t line = 0;
    for (int32_t i = 0; i < n_direction; i++) {
        const int64_t n = count(f->g, &direction[i], 1);
        double *data = orr_program_data(p, direction[i]);
        for (int64_t k = 0; k < n; k++, line++) {
            if (data) data[k] = 1.0;
            run(f, p, out, n_out, lines + line * length);
            if (data) data[k] = 0.0;
        }
    }
}

jacobian jacobian_by_jvp(const function *f) {
    jacobian j = jacobian_new(f);
    orr_node u[FUNCTION_INPUTS], ydot[FUNCTION_INPUTS];
    inputs_like(f, "u", f->x, f->n_x, u);
    orr_jvp(f->g, f->y, f->n_y, f->x, u, f->n_x, ydot);
    orr_program *p = program_at(f, ydot, f->n_y);
    double *columns = ORR_NEW(f->arena, double, j.n_x *j.n_y);
    sweep(f, p, u, f->n_x, ydot, f->n_y, j.n_y, columns);
    for (int64_t m = 0; m < j.n_y; m++)
        for (int64_t k = 0; k < j.n_x; k++) j.v[m * j.n_x + k] = columns[k * j.n_y + m];
    orr_program_free(p);
    return j;
}

jacobian jacobian_by_vjp(const function *f) {
    jacobian j = jacobian_new(f);
    orr_node v[FUNCTION_INPUTS], xbar[FUNCTION_INPUTS];
    inputs_like(f, "v", f->y, f->n_y, v);
    orr_vjp(f->g, f->y, v, f->n_y, f->x, f->n_x, xbar);
    orr_program *p = program_at(f, xbar, f->n_x);
    sweep(f, p, v, f->n_y, xbar, f->n_x, j.n_x, j.v);
    orr_program_free(p);
    return j;
}

double jacobian_distance(const jacobian *a, const jacobian *b) {
    double worst = 0.0, largest = 0.0;
    for (int64_t i = 0; i < b->n_x * b->n_y; i++) {
        largest = fmax(largest, fabs(b->v[i]));
        const double d = fabs(a->v[i] - b->v[i]);
        worst = isfinite(d) ? fmax(worst, d) : (double)INFINITY;
    }
    return worst / (largest > 0 ? largest : 1.0);
}

void assert_derivatives(const function *f, double limit) {
    const jacobian differences = jacobian_by_differences(f), forward = jacobian_by_jvp(f), reverse = jacobian_by_vjp(f);
    const double of_forward = jacobian_distance(&forward, &differences),
                 of_reverse = jacobian_distance(&reverse, &differences),
                 of_each_other = jacobian_distance(&reverse, &forward);
    if (!(of_forward <= limit))
        fail_msg("%s on %s: jvp differs from differences by %.3g of the largest, limit %.3g", f->what, f->device,
                 of_forward, limit);
    if (!(of_reverse <= limit))
        fail_msg("%s on %s: vjp differs from differences by %.3g of the largest, limit %.3g", f->what, f->device,
                 of_reverse, limit);
    /* Both multiply the same partials in another order: a few roundings of 1e-16, sums of up to some ten terms. */
    if (!(of_each_other <= 1e-12))
        fail_msg("%s on %s: vjp and jvp are no adjoints: %.3g of the largest, limit 1e-12", f->what, f->device,
                 of_each_other);
}

static void add_direction(function *to, const function *f, const orr_node *direction, int32_t n, dice *d) {
    for (int32_t i = 0; i < n; i++) {
        assert_true(to->n_x < FUNCTION_INPUTS);
        host value = host_like(f->arena, f->g, direction[i]);
        host_draw(d, &value, -1.0, 1.0);
        to->x[to->n_x] = direction[i];
        to->at[to->n_x++] = value;
    }
}

function function_vjp(const function *f, dice *d) {
    function out = *f;
    orr_node v[FUNCTION_INPUTS];
    inputs_like(f, "vbar", f->y, f->n_y, v);
    orr_vjp(f->g, f->y, v, f->n_y, f->x, f->n_x, out.y);
    out.n_y = f->n_x;
    add_direction(&out, f, v, f->n_y, d);
    return out;
}

function function_jvp(const function *f, dice *d) {
    function out = *f;
    orr_node u[FUNCTION_INPUTS];
    inputs_like(f, "udot", f->x, f->n_x, u);
    orr_jvp(f->g, f->y, f->n_y, f->x, u, f->n_x, out.y);
    add_direction(&out, f, u, f->n_x, d);
    return out;
}
