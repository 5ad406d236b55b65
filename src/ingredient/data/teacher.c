/* Gaussian inputs labelled by a network.
 *
 *   committee   y = r sum_k g(B_k . x) + noise, one hidden layer of K = widths[0] units; the rows B_k are orthonormal
 *   mlp         y = W_L g(W_{L-1} ... g(W_1 x)) + noise, entries of W_l N(0, gain / fan_in)
 *
 * The weights are the facts "teacher.0.weight" [K, d], "teacher.1.weight" [outputs, K], and so on.  A committee's read-out
 * has all entries r = 1 (sum), 1/K (mean) or 1/sqrt K (normalised).  x ~ N(0, I_d).  Saad and Solla's is committee,
 * erf-scaled (g(u) = erf(u / sqrt 2)), sum. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/architecture/architecture.h"
#include "ingredient/data/draw.h"

extern const orr_data orr_data_teacher;

static const orr_parameter parameters[] = {
    ORR_DATA_GENERATED,
    { "dimension", ORR_INT, .fallback = "100", .range = "[1, 1000000]", .help = "d: numbers in x" },
    { "network", ORR_CHOICE, .fallback = "committee", .choices = "committee mlp", .help = "the teacher" },
    { "widths", ORR_INTS, .fallback = "2", .range = "[1, 1000000]", .help = "of its hidden layers" },
    { "activation", ORR_CHOICE, .fallback = "erf-scaled", .choices = ORR_ACTIVATIONS, .help = "g" },
    { "readout", ORR_CHOICE, .fallback = "sum", .choices = "sum mean normalised",
      .help = "a committee's: every entry 1, 1/K or 1/sqrt K" },
    { "gain", ORR_REAL, .fallback = "1", .range = "[0, inf)", .help = "an mlp's: variance of a weight times fan-in" },
    { "outputs", ORR_INT, .fallback = "1", .range = "[1, 1000000]", .help = "an mlp's: numbers in y" },
    { "noise", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "standard deviation of what is added to y" },
    { 0 },
};

static bool is_committee(const orr_settings *s) { return strcmp(orr_text(s, "network"), "committee") == 0; }

static orr_status check(orr_context *ctx, const orr_settings *s, const int64_t *widths, int64_t hidden) {
    if (hidden < 1) return orr_fail(ctx, ORR_EINPUT, "teacher: widths: at least one hidden layer is needed");
    if (!is_committee(s)) return ORR_OK;
    if (hidden != 1 || orr_int(s, "outputs") != 1)
        return orr_fail(ctx, ORR_EINPUT,
                        "teacher: a committee has one hidden layer and one output; network: mlp has more");
    if (widths[0] > orr_int(s, "dimension"))
        return orr_fail(ctx, ORR_EINPUT, "teacher: %lld units of a committee can't be orthogonal in dimension %lld",
                        (long long)widths[0], (long long)orr_int(s, "dimension"));
    return ORR_OK;
}

/* The weights of layer l, rows x columns. */
static void draw_layer(const orr_settings *s, uint64_t seed, int64_t l, int64_t rows, int64_t columns, double *w) {
    const orr_key key = { seed, ORR_PURPOSE_TEACHER, (uint32_t)l };
    const char *readout = orr_text(s, "readout");
    if (!is_committee(s)) {
        const double deviation = sqrt(orr_real(s, "gain") / (double)columns);
        orr_random_fill_normal(key, 0, rows * columns, w);
        for (int64_t i = 0; i < rows * columns; i++) w[i] *= deviation;
    } else if (l == 0) {
        orr_draw_orthonormal(key, rows, columns, w);
    } else {
        const double k = (double)columns;
        for (int64_t i = 0; i < columns; i++)
            w[i] = strcmp(readout, "sum") == 0 ? 1.0 : strcmp(readout, "mean") == 0 ? 1.0 / k : 1.0 / sqrt(k);
    }
}

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t run_seed,
                       orr_dataset *out) {
    const uint64_t seed = orr_data_seed(s, run_seed);
    int64_t hidden, fan_in = orr_int(s, "dimension");
    const int64_t *widths = orr_ints(s, "widths", &hidden);
    const char *source =
        orr_arena_format(out_arena, "Gaussian inputs, labelled by a teacher (%s)", orr_text(s, "network"));
    ORR_TRY(ctx, check(ctx, s, widths, hidden));
    ORR_TRY(ctx, orr_draw_describe(ctx, out_arena, s, ORR_SHAPE(fan_in), ORR_SHAPE(orr_int(s, "outputs")),
                                   (int)hidden + 1, source, out));
    for (int64_t l = 0; l <= hidden; l++) {
        const int64_t rows = l < hidden ? widths[l] : orr_int(s, "outputs");
        const char *name = orr_arena_format(out_arena, "teacher.%lld.weight", (long long)l);
        double *w;
        if (!name) return orr_fail(ctx, ORR_ENOMEM, "teacher: no memory");
        ORR_TRY(ctx, orr_data_fact(ctx, out_arena, out, name, ORR_SHAPE(rows, fan_in), &w));
        draw_layer(s, seed, l, rows, fan_in, w);
        fan_in = rows;
    }
    return orr_data_generate(ctx, out_arena, &orr_data_teacher, s, seed, out);
}

static void sample(orr_graph *g, const orr_settings *s, const orr_dataset *d, const orr_node *fact, orr_node key,
                   int64_t n, orr_dtype dtype, orr_node *x, orr_node *y) {
    *x = orr_random_normal(g, key, dtype, ORR_SHAPE(n, d->input.size[0]));
    orr_node h = *x;
    for (int l = 0; l < d->facts.n; l++) {
        if (l > 0) h = orr_activation(g, orr_text(s, "activation"), h);
        h = orr_linear(g, h, fact[l], ORR_NONE);
    }
    *y = orr_draw_noise(g, key, h, orr_real(s, "noise"));
}

const orr_data orr_data_teacher = {
    .kind = { "teacher", "Gaussian inputs, targets from a committee or another network", parameters },
    .load = load,
    .sample = sample,
};
