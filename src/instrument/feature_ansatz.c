/* The neural feature ansatz, layer by layer: W_l' W_l against powers of the average gradient outer product with respect to the
 * layer's input a_l, over the first `examples` training examples (Radhakrishnan et al. 2024, 2212.13881):
 *
 *     AGOP_l = 1/n sum_i J_il' J_il,  J_il = df(x_i)/da_l, W_l included      powers s: 1/(L - l + 1) of the depth, then `powers`
 *
 *     ansatz_correlation.layerl   Pearson's correlation of the entries of W_l' W_l and AGOP_l^s, s by depth
 *     ansatz_correlation, ansatz_cosine, ansatz_difference   arrays [L, 1 + powers]: that, <A, B>/(|A| |B|) and
 *                                 |A - B|/|A|, A = W_l' W_l
 *     ansatz_entries.layerl       array [2, n]: entries of W_l' W_l and of AGOP_l^s, s by depth and scaled by least squares, at most
 *                                 400 of them, evenly taken, diagonal entries among them
 *
 * Layers are the trained matrices that follow each other: the first reads x, the next what the layer before it gives.  Cost: one
 * backward pass an output over those examples, and eigenvalue problems of the size of the layers' inputs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "instrument/probe.h"
#include "numeric/vector.h"
#include "theory/feature_ansatz.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("1000"),
    { "examples", ORR_INT, .fallback = "1000", .range = "[1, 1000000]", .help = "the first ones, at most all" },
    { "powers", ORR_REALS, .fallback = "0.25 0.5 1", .range = "(0, inf)", .help = "s, beside that of the depth" },
    { 0 },
};

enum { LAYERS_MAX = 32, ENTRIES_MAX = 400 };

typedef struct state {
    orr_probe probe;
    orr_arena *scratch;
    int64_t layers, n_powers;
    const double *powers;
    int64_t d[LAYERS_MAX]; /* of a layer's input */
    orr_node agop[LAYERS_MAX], gram[LAYERS_MAX];
} state;

static void close_ansatz(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_arena_free(s->scratch);
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

/* The matrices and what they read, [n, d] each. */
static orr_status find_layers(state *s, const orr_subject *subject, orr_node *weight, orr_node *input) {
    orr_probe *p = &s->probe;
    s->layers = 0;
    for (int64_t t = 0; t < subject->n_tensors; t++) {
        if (subject->shape[t].rank != 2) continue;
        const int64_t l = s->layers;
        if (l == LAYERS_MAX || l > p->graph.n_taps) break;
        input[l] = l == 0 ? p->graph.x : p->graph.tap[l - 1].node;
        const orr_shape read = orr_node_shape(p->g, input[l]);
        if (orr_shape_count(&read) / read.size[0] != subject->shape[t].size[1]) break;
        weight[l] = p->graph.effective[t];
        s->d[l] = subject->shape[t].size[1];
        s->layers++;
    }
    if (s->layers == p->graph.n_taps + 1) return ORR_OK;
    return orr_fail(
        p->ctx, ORR_EINPUT,
        "feature-ansatz: needs a network whose matrices follow each other, each reading the layer before it");
}

static orr_status prepare(orr_context *ctx, state *s, const orr_subject *subject, int64_t n) {
    orr_probe *p = &s->probe;
    orr_node weight[LAYERS_MAX], input[LAYERS_MAX], both[2 * LAYERS_MAX];
    if (subject->x_type == ORR_I32)
        return orr_fail(ctx, ORR_EINPUT, "feature-ansatz: inputs are tokens, by which nothing can be derived");
    ORR_TRY(ctx, orr_arena_new(ctx, &s->scratch));
    ORR_TRY(ctx, orr_probe_begin_first(ctx, subject, n, p));
    ORR_TRY(ctx, find_layers(s, subject, weight, input));
    const orr_node output = orr_reshape(p->g, p->graph.output, ORR_SHAPE(n, -1));
    const int64_t outputs = orr_node_shape(p->g, output).size[1];
    for (int64_t l = 0; l < s->layers; l++)
        s->agop[l] = orr_fill(p->g, subject->dtype, ORR_SHAPE(s->d[l], s->d[l]), 0.0);
    for (int64_t c = 0; c < outputs; c++) { /* examples don't see each other: row i is df_c(x_i)/da */
        const orr_node one = orr_sum_all(p->g, orr_slice(p->g, output, 1, c, c + 1, 1));
        for (int64_t l = 0; l < s->layers; l++) {
            orr_node
                gradient; /* one input at a time: asked for together, each would be by itself with the others held fixed */
            orr_grad(p->g, one, &input[l], 1, &gradient);
            const orr_node j = orr_reshape(p->g, gradient, ORR_SHAPE(n, -1));
            s->agop[l] = orr_add(p->g, s->agop[l], orr_einsum(p->g, "ni,nj->ij", j, j));
        }
    }
    for (int64_t l = 0; l < s->layers; l++) {
        both[2 * l] = s->agop[l] = orr_scale(p->g, s->agop[l], 1.0 / (double)n);
        both[2 * l + 1] = s->gram[l] = orr_einsum(p->g, "oi,oj->ij", weight[l], weight[l]);
    }
    return orr_probe_compile(p, both, 2 * (int32_t)s->layers);
}

static orr_status open_ansatz(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "feature-ansatz: out of memory");
    *s = (state){ .probe = { .ctx = ctx } };
    s->powers = orr_reals(settings, "powers", &s->n_powers);
    const orr_status status = prepare(ctx, s, subject, orr_probe_examples_of(settings, subject));
    if (status == ORR_OK) *out = s;
    else close_ansatz(s);
    return status;
}

static orr_status record_entries(state *s, int64_t step, int64_t l, const double *gram, const double *power,
                                 const orr_sink *sink) {
    const int64_t all = s->d[l] * s->d[l], n = all < ENTRIES_MAX ? all : ENTRIES_MAX;
    double both[2 * ENTRIES_MAX], scale = 0.0, under = 0.0;
    char name[32];
    for (int64_t i = 0; i < all; i++) scale += gram[i] * power[i], under += power[i] * power[i];
    for (int64_t i = 0; i < n; i++) {
        /* every fourth one from the diagonal */
        const int64_t at = i % 4 == 0 ? i * s->d[l] / n * (s->d[l] + 1) : i * all / n;
        both[i] = gram[at];
        both[n + i] = scale / under * power[at];
    }
    (void)snprintf(name, sizeof name, "ansatz_entries.layer%d", (int)l + 1);
    return sink->record_array(sink->self, name, step, ORR_F64, &ORR_SHAPE(2, n), both);
}

/* Layer l: agreement[1 + powers]. */
static orr_status compare(state *s, int64_t step, int64_t l, orr_agreement *agreement, const orr_sink *sink) {
    orr_context *ctx = s->probe.ctx;
    const int64_t d = s->d[l];
    double *gram = ORR_NEW(s->scratch, double, d *d), *agop = ORR_NEW(s->scratch, double, d *d);
    double *power = ORR_NEW(s->scratch, double, d *d);
    char name[40];
    if (!gram || !agop || !power)
        return orr_fail(ctx, ORR_ENOMEM, "feature-ansatz: no memory for inputs of %lld numbers", (long long)d);
    orr_probe_read(&s->probe, s->gram[l], d * d, gram);
    orr_probe_read(&s->probe, s->agop[l], d * d, agop);
    const bool finite = orr_vector_is_finite(d * d, gram) && orr_vector_is_finite(d * d, agop);
    for (int64_t k = 0; k <= s->n_powers; k++) {
        agreement[k] = (orr_agreement){ (double)NAN, (double)NAN, (double)NAN }; /* of a network that is no number */
        if (!finite) continue;
        const double exponent = k == 0 ? orr_ansatz_power(s->layers, l + 1) : s->powers[k - 1];
        ORR_TRY(ctx, orr_matrix_power(ctx, s->scratch, d, agop, exponent, power));
        agreement[k] = orr_agreement_of(d * d, gram, power);
        if (k == 0) ORR_TRY(ctx, record_entries(s, step, l, gram, power, sink));
    }
    (void)snprintf(name, sizeof name, "ansatz_correlation.layer%d", (int)l + 1);
    return sink->record(sink->self, name, step, agreement[0].correlation);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    orr_context *ctx = s->probe.ctx;
    const orr_arena_mark mark = orr_arena_here(s->scratch);
    const int64_t columns = 1 + s->n_powers, n = s->layers * columns;
    (void)seed, (void)memory;
    orr_agreement *all = ORR_NEW(s->scratch, orr_agreement, n);
    double *one = ORR_NEW(s->scratch, double, n);
    if (!all || !one) return orr_fail(ctx, ORR_ENOMEM, "feature-ansatz: no memory for %lld numbers", (long long)n);
    ORR_TRY(ctx, orr_probe_run(&s->probe));
    for (int64_t l = 0; l < s->layers; l++) ORR_TRY(ctx, compare(s, step, l, all + l * columns, sink));
    const orr_shape shape = ORR_SHAPE(s->layers, columns);
    for (int64_t i = 0; i < n; i++) one[i] = all[i].correlation;
    ORR_TRY(ctx, sink->record_array(sink->self, "ansatz_correlation", step, ORR_F64, &shape, one));
    for (int64_t i = 0; i < n; i++) one[i] = all[i].cosine;
    ORR_TRY(ctx, sink->record_array(sink->self, "ansatz_cosine", step, ORR_F64, &shape, one));
    for (int64_t i = 0; i < n; i++) one[i] = all[i].difference;
    const orr_status status = sink->record_array(sink->self, "ansatz_difference", step, ORR_F64, &shape, one);
    orr_arena_rewind(s->scratch, mark);
    return status;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    return 3.0 * (double)subject->outputs * (double)orr_probe_examples_of(s, subject) / (double)subject->examples;
}

const orr_instrument orr_instrument_feature_ansatz = {
    .kind = { "feature-ansatz", "W'W of each layer against powers of the average gradient outer product", parameters },
    .cost = cost_of,
    .open = open_ansatz,
    .measure = measure,
    .close = close_ansatz,
};
