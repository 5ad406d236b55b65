/* How each tensor goes with the widths and the depth of a network: one table of exponents.
 *
 *   r_in, r_out = fan-in, fan-out over what they are in the base network, where they grow      m = L / base_depth
 *   what stands in the table are the exponents of r_in and r_out
 *
 *   multiplier   the network sees r^. w
 *   deviation    of w, beside the standard one at the same width, sqrt(variance / fan_in)
 *   gradient     learning rate of rules that follow the gradient's size
 *   sign         learning rate of rules that divide by it
 *   epsilon      eps of the latter, which goes as the gradient's entries do
 * With r = 1 every row is the standard one.  A kind whose base_width is 1 by default scales by the width itself.
 *
 * Rows of muP: sheet laws/hyperparameters/mup-transfer (practical table); depth: sheet depth-mup-completep. */
#include "ingredient/parameterization.h"

#include <math.h>

#include "base/context.h"

typedef struct power {
    double in, out;
} power;

typedef struct exponents {
    power multiplier, deviation, gradient, sign, epsilon;
} exponents;

enum { ROLES = ORR_ROLE_FIXED + 1 };

// clang-format off
static const exponents mup_rows[ROLES] = {
    /*                       multiplier     deviation    gradient    sign         epsilon */
    [ORR_ROLE_INPUT]   = { { 0, 0 },      { 0, 0 },    { 0, 1 },  { 0, 0 },    { 0, -1 } },
    [ORR_ROLE_HIDDEN]  = { { 0, 0 },      { 0, 0 },    { -1, 1 }, { -1, 0 },   { 0, -1 } },
    [ORR_ROLE_READOUT] = { { -1, 0 },     { 0.5, 0 },  { 1, 0 },  { 0, 0 },    { -1, 0 } },
    [ORR_ROLE_VECTOR]  = { { 0, 0 },      { 0, 0 },    { 0, 1 },  { 0, 0 },    { 0, -1 } },
};

/* a = (0, 1/2, 1), b = 0, c = -1: muP with hidden layers shifted by t = 1/2 (a + t, b - t, c - 2t; sign c - t). */
static const exponents mean_field_rows[ROLES] = {
    [ORR_ROLE_INPUT]   = { { 0, 0 },      { 0, 0 },    { 0, 1 },  { 0, 0 },    { 0, -1 } },
    [ORR_ROLE_HIDDEN]  = { { -0.5, 0 },   { 0.5, 0 },  { 0, 1 },  { -0.5, 0 }, { -0.5, -1 } },
    [ORR_ROLE_READOUT] = { { -1, 0 },     { 0.5, 0 },  { 1, 0 },  { 0, 0 },    { -1, 0 } },
    [ORR_ROLE_VECTOR]  = { { 0, 0 },      { 0, 0 },    { 0, 1 },  { 0, 0 },    { 0, -1 } },
};
// clang-format on

#define BASE_WIDTH(own)                                                                                                \
    { "base_width",        ORR_INT,         .fallback = own,                                                           \
      .range = "[0, inf)", .unit = "units", .help = "width at which all is as in standard; 0: the network's own" },    \
    {                                                                                                                  \
        "base_widths", ORR_INTS, .fallback = "", .range = "[1, inf)", .unit = "units",                                 \
                                 .help = "of each width that grows by itself (layers, channels; stream and "           \
                                         "perceptron of a transformer); empty: all go as the first"                    \
    }
#define SCALES                                                                                                         \
    { "output_scale", ORR_REAL, .fallback = "1", .range = "(0, inf)",                                                  \
      .help = "alpha: the network's output is alpha times what it would be" },                                         \
        { "initial_scale", ORR_REAL, .fallback = "1", .range = "[0, inf)", .help = "times every initial deviation" },  \
        { "readout_scale", ORR_REAL, .fallback = "1", .range = "[0, inf)",                                             \
          .help = "times the readout's once more; 0: outputs start at 0" },                                            \
        { "matched_rate", ORR_FLAG, .fallback = "false",                                                               \
          .help = "divide learning rates by output_scale^2, so that outputs move as fast whatever it is" },            \
    {                                                                                                                  \
        "centred", ORR_FLAG,                                                                                           \
            .fallback = "false",                                                                                       \
            .help = "take off the output at the initial parameters, so that every network starts at 0"                 \
    }

static const orr_parameter plain_parameters[] = { SCALES, { 0 } };
static const orr_parameter mean_field_parameters[] = { BASE_WIDTH("1"), SCALES, { 0 } };
static const orr_parameter mup_parameters[] = { BASE_WIDTH("0"), SCALES, { 0 } };
static const orr_parameter depth_mup_parameters[] = {
    BASE_WIDTH("0"),
    { "base_depth", ORR_INT, .fallback = "0", .range = "[0, inf)", .unit = "blocks",
      .help = "depth at which all is as in standard; 0: the network's own" },
    { "branch_exponent", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "residual branches are multiplied by (depth/base_depth)^-this; 1: CompleteP" },
    SCALES,
    { 0 },
};
#define EXPONENT(name, standard, words)                                                                                \
    { name, ORR_REAL, .fallback = standard, .range = "[-4, 4]", .help = words }
static const orr_parameter abc_parameters[] = {
    BASE_WIDTH("1"),
    EXPONENT("a_input", "0", "input weights are r^-a w, r = width / base_width"),
    EXPONENT("a_hidden", "0", "the same of hidden matrices"),
    EXPONENT("a_readout", "0", "the same of the readout"),
    EXPONENT("b_input", "0", "initial input weights have deviation r^-b times that at the base width"),
    EXPONENT("b_hidden", "0.5", "the same of hidden matrices"),
    EXPONENT("b_readout", "0.5", "the same of the readout"),
    EXPONENT("c_input", "0", "input weights have learning rate r^-c eta"),
    EXPONENT("c_hidden", "0", "the same of hidden matrices"),
    EXPONENT("c_readout", "0", "the same of the readout"),
    SCALES,
    { 0 },
};

/* Moves a tensor by its ratios to its exponents.  Gains keep the mean that the network sees. */
static void scale_tensor(orr_tensor *t, double r_in, double r_out, const exponents *e) {
#define SCALE(what) (pow(r_in, e->what.in) * pow(r_out, e->what.out))
    t->multiplier *= SCALE(multiplier);
    t->mean /= SCALE(multiplier);
    t->deviation *= SCALE(deviation);
    t->rate_gradient *= SCALE(gradient);
    t->rate_sign *= SCALE(sign);
    t->epsilon *= SCALE(epsilon);
#undef SCALE
}

static double ratio(int64_t size, int64_t base) { return base > 0 ? (double)size / (double)base : 1.0; }

/* Of a width over its own base where there are base_widths, else of the first one, with which all go. */
static double width_ratio(const orr_settings *s, const orr_network *network, int64_t which) {
    int64_t n;
    const int64_t *base = orr_ints(s, "base_widths", &n);
    if (n == 0) return ratio(network->width, orr_int(s, "base_width"));
    return ratio(network->n_widths ? network->widths[which] : network->width, base[which]);
}

static orr_status scale_by_width(orr_context *ctx, const orr_settings *s, orr_network *network,
                                 const exponents rows[ROLES]) {
    const int64_t widths = network->n_widths ? network->n_widths : 1;
    int64_t n;
    (void)orr_ints(s, "base_widths", &n);
    if (n != 0 && n != widths)
        return orr_fail(ctx, ORR_EINPUT, "parameterization.base_widths has %lld numbers; this network has %lld width%s",
                        (long long)n, (long long)widths, widths == 1 ? "" : "s");
    for (int64_t i = 0; i < network->n_tensors; i++) {
        orr_tensor *t = &network->tensors[i];
        const bool in = t->role == ORR_ROLE_HIDDEN || t->role == ORR_ROLE_READOUT;
        const bool out = t->role != ORR_ROLE_READOUT && t->role != ORR_ROLE_FIXED;
        scale_tensor(t, in ? width_ratio(s, network, t->width_in) : 1.0,
                     out ? width_ratio(s, network, t->width_out) : 1.0, &rows[t->role]);
    }
    return ORR_OK;
}

/* What all kinds end with: alpha on everything that makes the output, sigma on everything that is drawn.  A step of w moves the
 * output by alpha times as much, the gradient is alpha times as long: rules that follow it move the output alpha^2 times as
 * fast, rules that divide by its size alpha times.  `centred` is problem.c's. */
static void scale_ends(const orr_settings *s, orr_network *network) {
    const double alpha = orr_flag(s, "matched_rate") ? orr_real(s, "output_scale") : 1.0;
    for (int64_t i = 0; i < network->n_tensors; i++) {
        orr_tensor *t = &network->tensors[i];
        if (t->role == ORR_ROLE_READOUT || t->role == ORR_ROLE_FIXED) t->multiplier *= orr_real(s, "output_scale");
        t->deviation *=
            orr_real(s, "initial_scale") * (t->role == ORR_ROLE_READOUT ? orr_real(s, "readout_scale") : 1.0);
        t->rate_gradient /= alpha * alpha;
        t->rate_sign /= alpha;
    }
}

static orr_status apply_standard(orr_context *ctx, const orr_settings *s, orr_network *network) {
    (void)ctx;
    scale_ends(s, network);
    return ORR_OK;
}

/* Every tensor that is drawn is its standard deviation times a w of N(0, 1): sigma_w / sqrt(fan_in) w, sigma_b b (Jacot et
 * al. 2018, 1806.07572; sheet limits/infinite-width-kernels).  What starts at 0 has no size to take out: a matrix is then
 * fan_in^{-1/2} w, a bias or a gain itself. */
static orr_status apply_ntk(orr_context *ctx, const orr_settings *s, orr_network *network) {
    (void)ctx;
    for (int64_t i = 0; i < network->n_tensors; i++) {
        orr_tensor *t = &network->tensors[i];
        if (t->deviation > 0) {
            t->multiplier *= t->deviation;
            t->mean /= t->deviation;
            t->deviation = 1.0;
        } else if (t->shape.rank > 1 && t->role != ORR_ROLE_VECTOR && t->mean == 0)
            t->multiplier /= sqrt((double)t->fan_in);
    }
    scale_ends(s, network);
    return ORR_OK;
}

static orr_status apply_mean_field(orr_context *ctx, const orr_settings *s, orr_network *network) {
    ORR_TRY(ctx, scale_by_width(ctx, s, network, mean_field_rows));
    scale_ends(s, network);
    return ORR_OK;
}

static orr_status apply_mup(orr_context *ctx, const orr_settings *s, orr_network *network) {
    ORR_TRY(ctx, scale_by_width(ctx, s, network, mup_rows));
    scale_ends(s, network);
    return ORR_OK;
}

/* muP in the width; in the depth, alpha = branch_exponent:
 *
 *   branch m^{-alpha}    blocks: gradient m^{2 alpha - 1}, sign m^{alpha - 1}, epsilon m^{-alpha}
 *
 * A network without residual branches has no blocks and stays as it is. */
static orr_status apply_depth_mup(orr_context *ctx, const orr_settings *s, orr_network *network) {
    const double alpha = orr_real(s, "branch_exponent"), m = ratio(network->depth, orr_int(s, "base_depth"));
    const exponents block = { .gradient.in = 2 * alpha - 1, .sign.in = alpha - 1, .epsilon.in = -alpha };
    bool residual = false;
    for (int64_t i = 0; i < network->n_tensors; i++) residual = residual || network->tensors[i].branch;
    for (int64_t i = 0; residual && i < network->n_tensors; i++) {
        orr_tensor *t = &network->tensors[i];
        if (t->role == ORR_ROLE_HIDDEN || t->block) scale_tensor(t, m, 1.0, &block);
        if (t->branch) t->multiplier *= pow(m, -alpha);
    }
    ORR_TRY(ctx, scale_by_width(ctx, s, network, mup_rows));
    scale_ends(s, network);
    return ORR_OK;
}

/* W = r^-a w, w ~ N(0, r^{-2b}), rate r^-c eta (Yang, Hu 2021), r of the side that grows, of the fan-in where both do.  Vectors go
 * as input weights do. */
static orr_status apply_abc(orr_context *ctx, const orr_settings *s, orr_network *network) {
    exponents rows[ROLES] = { 0 };
    /* the standard deviation goes as r^{-standard_b} already */
#define ROW(side, layer, standard_b)                                                                                   \
    (exponents){ .multiplier.side = -orr_real(s, "a_" layer),                                                          \
                 .deviation.side = (standard_b)-orr_real(s, "b_" layer),                                               \
                 .gradient.side = -orr_real(s, "c_" layer),                                                            \
                 .sign.side = -orr_real(s, "c_" layer) }
    rows[ORR_ROLE_INPUT] = rows[ORR_ROLE_VECTOR] = ROW(out, "input", 0.0);
    rows[ORR_ROLE_HIDDEN] = ROW(in, "hidden", 0.5);
    rows[ORR_ROLE_READOUT] = ROW(in, "readout", 0.5);
#undef ROW
    ORR_TRY(ctx, scale_by_width(ctx, s, network, rows));
    scale_ends(s, network);
    return ORR_OK;
}

static const orr_parameterization all[] = {
    { { "standard", "as the architecture says: variance / fan_in, one learning rate", plain_parameters },
      apply_standard },
    { { "ntk", "sigma / sqrt(fan_in) times weights of N(0, 1): the kernel stands still as the width grows",
        plain_parameters },
      apply_ntk },
    { { "mean-field", "1/width times the last layer and width times the learning rate", mean_field_parameters },
      apply_mean_field },
    { { "mup", "maximal updates: the best learning rate stays where it is as the width grows", mup_parameters },
      apply_mup },
    { { "depth-mup", "mup in the width and the depth of residual networks", depth_mup_parameters }, apply_depth_mup },
    { { "abc", "free exponents of width for multiplier, deviation and learning rate", abc_parameters }, apply_abc },
};

const orr_parameterization *orr_parameterization_at(int i) {
    return i < (int)(sizeof all / sizeof all[0]) ? &all[i] : NULL;
}
