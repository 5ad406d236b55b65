#include "law/wide_network.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/architecture/image.h"

/* Layers are written down in the order in which the architecture's forward() takes its tensors. */
typedef struct walk {
    orr_arena *arena;
    const orr_settings *s;
    const orr_problem *problem;
    const orr_tensor *tensor; /* the next one */
    orr_wide_layer *layer;    /* the next one, of room for all */
    orr_wide_network *out;
    const char *why; /* what stands in the way */
    bool stuck, bias;
    int64_t size[2]; /* the image so far */
} walk;

static void stuck(walk *w, const char *why) {
    w->stuck = true;
    w->why = why;
}

static orr_wide_layer *add(walk *w, orr_wide_kind kind) {
    orr_wide_layer *layer = w->layer++;
    layer->kind = kind;
    return layer;
}

static double square(double x) { return x * x; }

static double seen_variance(const orr_tensor *t) { return square(t->multiplier * t->deviation); }
static double seen_rate(const orr_tensor *t) { return t->frozen ? 0.0 : square(t->multiplier); }

/* The next matrix and, where the architecture has them, its bias. */
static orr_wide_map next_map(walk *w) {
    const orr_tensor *t = w->tensor++;
    orr_wide_map map = { .variance = seen_variance(t) * (double)t->fan_in, .rate = seen_rate(t) * (double)t->fan_in };
    if (!w->bias) return map;
    map.bias_variance = seen_variance(w->tensor);
    map.bias_rate = seen_rate(w->tensor++);
    return map;
}

static void add_linear(walk *w) { add(w, ORR_WIDE_LINEAR)->map = next_map(w); }

/* The next gain and shift. */
static void add_norm(walk *w, double epsilon, bool joint, bool shift) {
    orr_wide_layer *layer = add(w, ORR_WIDE_NORM);
    layer->epsilon = epsilon;
    layer->joint = joint;
    layer->map.rate = seen_rate(w->tensor++);
    if (!shift) return;
    layer->map.bias_variance = seen_variance(w->tensor);
    layer->map.bias_rate = seen_rate(w->tensor++);
}

static void add_activation(walk *w) {
    const char *name = orr_text(w->s, "activation");
    const orr_pair_map *phi = orr_pair_map_find(name);
    if (!phi) stuck(w, orr_arena_format(w->arena, "the activation %s has no pair map", name));
    else w->out->closed = w->out->closed && phi->of;
    add(w, ORR_WIDE_ACTIVATION)->phi = phi;
}

/* A branch of its own array: end it, then hang it into a sum. */
static void end(walk *w) { add(w, ORR_WIDE_END); }

static void add_sum(walk *w, const orr_wide_layer *branch, const orr_wide_layer *shortcut, double scale) {
    orr_wide_layer *sum = add(w, ORR_WIDE_SUM);
    sum->branch = branch;
    sum->shortcut = shortcut;
    sum->scale = scale;
}

/* Room for n layers behind what is written; the walk goes on there until it comes back. */
static orr_wide_layer *leave(walk *w, int64_t n, orr_wide_layer **back) {
    orr_wide_layer *room = ORR_NEW(w->arena, orr_wide_layer, n);
    *back = w->layer;
    if (room) w->layer = room;
    else stuck(w, NULL);
    return room;
}

static void add_window(walk *w, orr_wide_kind kind, int64_t kernel, int64_t stride, int64_t low, const int64_t out[2]) {
    orr_wide_layer *layer = add(w, kind);
    layer->window =
        (orr_wide_window){ { kernel, kernel }, { stride, stride }, { low, low }, { out[0], out[1] }, false };
    w->size[0] = out[0];
    w->size[1] = out[1];
}

static void add_convolution(walk *w, int64_t kernel, int64_t stride, bool same) {
    const int64_t out[2] = { orr_image_extent(w->size[0], kernel, stride, same),
                             orr_image_extent(w->size[1], kernel, stride, same) };
    orr_wide_layer *layer = w->layer;
    add_window(w, ORR_WIDE_CONVOLUTION, kernel, stride, same ? (kernel - 1) / 2 : 0, out);
    layer->map = next_map(w);
}

/* The mean over all positions. */
static void add_mean(walk *w) {
    orr_wide_layer *pool = add(w, ORR_WIDE_POOL);
    pool->window = (orr_wide_window){ { w->size[0], w->size[1] }, { 1, 1 }, { 0, 0 }, { 1, 1 }, false };
    w->size[0] = w->size[1] = 1;
    w->out->all = true;
}

static int64_t narrowest(const orr_settings *s, const char *name) {
    int64_t n;
    const int64_t *widths = orr_ints(s, name, &n);
    int64_t least = n ? widths[0] : 0;
    for (int64_t i = 1; i < n; i++) least = widths[i] < least ? widths[i] : least;
    return least;
}

/* ---- architectures --------------------------------------------------------------------------------------------------------- */

static void read_vector(walk *w) {
    w->out->height = w->out->image_width = 1;
    w->out->channels = orr_shape_count(&w->problem->signature.input);
}

static void read_image(walk *w) {
    const orr_shape in = w->problem->signature.input; /* as orr_image_shape reads it */
    const int64_t side = (int64_t)llround(sqrt((double)in.size[0]));
    w->out->channels = in.rank == 3 ? in.size[0] : 1;
    w->out->height = w->size[0] = in.rank == 1 ? side : in.size[in.rank - 2];
    w->out->image_width = w->size[1] = in.rank == 1 ? side : in.size[in.rank - 1];
    w->out->convolution = true;
}

static void walk_mlp(walk *w) {
    const orr_settings *s = w->s;
    const bool norm = orr_settings_say(s, "norm", "layer"), residual = !orr_settings_say(s, "residual", "none"),
               twice = orr_settings_say(s, "residual", "double");
    const double epsilon = orr_real(s, "norm_epsilon");
    int64_t depth;
    (void)orr_ints(s, "widths", &depth);
    read_vector(w);
    w->out->width = narrowest(s, "widths");
    w->bias = orr_flag(s, "bias");
    if (orr_settings_say(s, "norm", "batch")) stuck(w, "batch norm mixes examples");
    if (depth == 0) stuck(w, "there is no hidden layer");
    for (int64_t l = 0; l < depth && !w->stuck; l++) {
        if (!residual) {
            add_linear(w);
            if (norm) add_norm(w, epsilon, false, true);
            add_activation(w);
        } else if (l == 0) add_linear(w);
        else {
            orr_wide_layer *back, *branch = leave(w, 5, &back);
            if (!branch) return;
            if (norm) add_norm(w, epsilon, false, true);
            if (twice) add_linear(w);
            add_activation(w);
            add_linear(w);
            end(w);
            w->layer = back;
            add_sum(w, branch, NULL,
                    orr_real(s, "branch_scale") * pow((double)(depth - 1), -orr_real(s, "branch_exponent")));
        }
    }
    if (w->stuck) return;
    if (residual && norm) add_norm(w, epsilon, false, true);
    add_linear(w);
}

static void walk_random_features(walk *w) {
    read_vector(w);
    w->out->width = orr_int(w->s, "features");
    w->bias = orr_flag(w->s, "bias");
    add_linear(w);
    add_activation(w);
    w->bias = false;
    add_linear(w);
}

static int64_t of_layer(const orr_settings *s, const char *name, int64_t l) {
    int64_t n;
    const int64_t *items = orr_ints(s, name, &n);
    return items[n == 1 ? 0 : l];
}

static void walk_cnn(walk *w) {
    const orr_settings *s = w->s;
    const bool same = !orr_settings_say(s, "padding", "valid"), pools = !orr_settings_say(s, "pooling", "none");
    int64_t depth;
    (void)orr_ints(s, "channels", &depth);
    read_image(w);
    w->out->width = narrowest(s, "channels");
    w->bias = orr_flag(s, "bias");
    if (orr_settings_say(s, "pooling", "max"))
        stuck(w, "the maximum of a Gaussian field has no closed form: pooling is max");
    if (depth == 0) stuck(w, "there is no hidden layer");
    for (int64_t l = 0; l < depth && !w->stuck; l++) {
        add_convolution(w, of_layer(s, "kernel_size", l), of_layer(s, "stride", l), same);
        w->layer[-1].window.circular = orr_settings_say(s, "padding", "circular");
        add_activation(w);
        const int64_t pool = pools ? of_layer(s, "pooling_size", l) : 1;
        const int64_t out[2] = { w->size[0] / pool, w->size[1] / pool };
        if (pool == 1) continue;
        add_window(w, ORR_WIDE_POOL, pool, pool, 0, out);
        w->out->all = true;
    }
    if (w->stuck) return;
    if (orr_settings_say(s, "readout", "average")) add_mean(w);
    else add(w, ORR_WIDE_FLATTEN);
    add_linear(w);
}

#define EPSILON 1e-5 /* of norms in resnet and transformer */

/* A convolution and the norm behind it, as resnet has them. */
static void add_normed(walk *w, int64_t kernel, int64_t stride, bool norm) {
    w->bias = !norm && orr_flag(w->s, "bias");
    add_convolution(w, kernel, stride, true);
    if (norm) add_norm(w, EPSILON, true, true);
}

static void walk_block(walk *w, int64_t in, int64_t out, int64_t stride, double scale) {
    const bool norm = orr_settings_say(w->s, "norm", "layer");
    const int64_t size[2] = { w->size[0], w->size[1] };
    orr_wide_layer *back, *shortcut = NULL, *branch = leave(w, 6, &back);
    if (!branch) return;
    add_normed(w, 3, stride, norm);
    add_activation(w);
    add_normed(w, 3, 1, norm);
    end(w);
    if (stride != 1 || in != out) {
        orr_wide_layer *unused;
        shortcut = leave(w, 3, &unused);
        if (!shortcut) return;
        memcpy(w->size, size, sizeof w->size);
        add_normed(w, 1, stride, norm);
        end(w);
    }
    w->layer = back;
    add_sum(w, branch, shortcut, scale);
    if (!orr_flag(w->s, "sum_activation")) return;
    /* what comes in is an activation's output, which stays what it is in the sum */
    if (!shortcut)
        stuck(w,
              "behind an activation and a shortcut the sum isn't Gaussian; it has a limit with sum_activation: false");
    add_activation(w);
}

static void walk_resnet(walk *w) {
    const orr_settings *s = w->s;
    int64_t stages, total = 0;
    const int64_t *channels = orr_ints(s, "channels", &stages);
    read_image(w);
    w->out->width = narrowest(s, "channels");
    if (orr_settings_say(s, "norm", "batch")) stuck(w, "batch norm mixes examples");
    else if (orr_settings_say(s, "norm", "layer") &&
             (orr_flag(s, "sum_activation") || orr_real(s, "bias_variance") > 0))
        stuck(w,
              "the gains of a norm before a sum and an activation have no closed form; they have with sum_activation: "
              "false and bias_variance: 0");
    for (int64_t i = 0; i < stages; i++) total += of_layer(s, "blocks", i);
    if (w->stuck) return;
    add_normed(w, orr_int(s, "stem_size"), orr_int(s, "stem_stride"), orr_settings_say(s, "norm", "layer"));
    add_activation(w);
    for (int64_t i = 0; i < stages; i++)
        for (int64_t b = 0; b < of_layer(s, "blocks", i) && !w->stuck; b++) {
            const bool first = b == 0 && i > 0;
            walk_block(w, channels[first ? i - 1 : i], channels[i], first ? 2 : 1,
                       pow((double)total, -orr_real(s, "branch_exponent")));
        }
    if (w->stuck) return;
    add_mean(w);
    w->bias = orr_flag(s, "bias");
    add_linear(w);
}

static void add_attention(walk *w) {
    orr_wide_attention *how = &add(w, ORR_WIDE_ATTENTION)->attention;
    *how = (orr_wide_attention){ .query = next_map(w), .key = next_map(w) };
    how->value = next_map(w);
    how->output = next_map(w);
    how->random = orr_settings_say(w->s, "attention", "linear");
    how->zeta = how->random ? ORR_ZETA_IDENTITY : ORR_ZETA_SOFTMAX;
    how->score =
        how->random ? 1.0 / (double)w->size[1] : 0.0; /* averaged over T; q.k/d vanishes: all tokens are seen alike */
}

static void add_perceptron(walk *w) {
    add_linear(w);
    add_activation(w);
    add_linear(w);
}

/* h + a branch(h) with its norm, whose tensors stand before the branch's. */
static void add_residual(walk *w, void (*content)(walk *), double scale) {
    const bool pre = orr_settings_say(w->s, "norm", "pre"), post = orr_settings_say(w->s, "norm", "post");
    orr_wide_layer *back, *branch = leave(w, 5, &back), norm[2] = { { 0 } };
    if (!branch) return;
    if (pre) add_norm(w, EPSILON, false, w->bias);
    if (post) {
        w->layer = norm;
        add_norm(w, EPSILON, false, w->bias);
        w->layer = branch;
    }
    content(w);
    end(w);
    w->layer = back;
    add_sum(w, branch, NULL, scale);
    if (post) *w->layer++ = norm[0];
}

static void walk_transformer(walk *w) {
    const orr_settings *s = w->s;
    const orr_signature *signature = &w->problem->signature;
    const int64_t depth = orr_int(s, "depth"), positions = signature->input.size[0];
    const double scale = depth ? pow((double)depth, -orr_real(s, "branch_exponent")) : 1.0;
    const bool linear = orr_settings_say(s, "attention", "linear"),
               by_size = orr_settings_say(s, "attention_scale", "1/d");
    w->out->height = w->size[0] = 1;
    w->out->image_width = w->size[1] = positions;
    w->out->channels = signature->vocabulary ? signature->vocabulary : signature->input.size[1];
    w->out->width = orr_int(s, "width");
    w->out->attention = w->out->all = true;
    if (signature->sequence) stuck(w, "a decoder answers at each position");
    else if (depth > 0 && linear == by_size)
        stuck(w, linear ? "linear attention vanishes with attention_scale 1/d; it needs 1/sqrt-d"
                        : "softmax has a closed form with attention_scale 1/d only (or attention: linear)");
    else if (orr_settings_say(s, "positions", "sinusoidal") || orr_settings_say(s, "positions", "rotary"))
        stuck(w, orr_arena_format(w->arena, "positions are %s", orr_text(s, "positions")));
    if (w->stuck) return;
    w->bias = orr_flag(s, "bias") && !signature->vocabulary;
    add_linear(w);
    w->bias = orr_flag(s, "bias");
    if (orr_settings_say(s, "positions", "learned")) {
        orr_wide_layer *position = add(w, ORR_WIDE_POSITION);
        position->map = (orr_wide_map){ .variance = seen_variance(w->tensor), .rate = seen_rate(w->tensor) };
        w->tensor++;
    }
    for (int64_t l = 0; l < depth && !w->stuck; l++) {
        add_residual(w, add_attention, scale);
        if (!orr_flag(s, "attention_only")) add_residual(w, add_perceptron, scale);
    }
    if (w->stuck) return;
    if (orr_settings_say(s, "norm", "pre")) add_norm(w, EPSILON, false, w->bias);
    if (orr_settings_say(s, "pooling", "mean")) add_mean(w);
    else add(w, ORR_WIDE_SELECT)->position = orr_settings_say(s, "pooling", "first") ? 0 : positions - 1;
    add_linear(w);
}

static const struct {
    const char *kind;
    void (*walk)(walk *w);
} architectures[] = { { "mlp", walk_mlp },
                      { "random-features", walk_random_features },
                      { "cnn", walk_cnn },
                      { "resnet", walk_resnet },
                      { "transformer", walk_transformer } };

/* ---- what others see ------------------------------------------------------------------------------------------------------- */

bool orr_wide_network_of(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, orr_wide_network *out,
                         const char **why) {
    walk w = { out_arena, &p->architecture_settings, problem, problem->tensors, NULL, out, .bias = false };
    orr_wide_layer *layers =
        ORR_NEW(out_arena, orr_wide_layer, 3 * problem->n_tensors + 16); /* each tensor brings three at most */
    size_t i = 0;
    *out = (orr_wide_network){ .layers = layers, .closed = true };
    *why = NULL;
    if (!layers) return false;
    w.layer = layers;
    const size_t n = sizeof architectures / sizeof architectures[0];
    while (i < n && strcmp(architectures[i].kind, p->architecture->kind.name) != 0) i++;
    if (i < n) architectures[i].walk(&w);
    else
        stuck(&w, orr_arena_format(out_arena, "%s is none of mlp, random-features, cnn, resnet and transformer",
                                   p->architecture->kind.name));
    *why = w.why;
    if (w.stuck) return false;
    out->readout = w.layer[-1].map;
    return true;
}

double orr_wide_network_pairs(const orr_wide_network *network, int64_t n) {
    const double positions = (double)(network->height * network->image_width),
                 pairs = (double)n * (double)n * positions;
    return network->all ? pairs * positions : pairs;
}

orr_status orr_wide_network_kernels(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch,
                                    const orr_wide_network *network, const orr_problem *problem, int64_t n, double **k,
                                    double **theta) {
    const int64_t positions = network->height * network->image_width, channels = network->channels,
                  size = orr_shape_count(&problem->signature.input), vocabulary = problem->signature.vocabulary;
    const double *x = problem->data.x;
    orr_wide_kernels s;
    if (vocabulary) { /* one-hot, of a length that makes x.x'/channels 1 where two are the same */
        double *hot = ORR_NEW(scratch, double, n *size *vocabulary);
        if (!hot) return orr_fail(ctx, ORR_ENOMEM, "infinite width: no memory for tokens");
        for (int64_t i = 0; i < n * size; i++) hot[i * vocabulary + problem->data.token[i]] = sqrt((double)vocabulary);
        x = hot;
    }
    const bool last = network->attention; /* [positions, channels]; else [channels, positions] */
    const orr_wide_inputs in = { .x = x,
                                 .inputs = n,
                                 .height = network->height,
                                 .width = network->image_width,
                                 .channels = channels,
                                 .example = positions * channels,
                                 .position = last ? channels : 1,
                                 .channel = last ? 1 : positions };
    ORR_TRY(ctx, orr_wide_start(ctx, scratch, &in, network->all, &s));
    ORR_TRY(ctx, orr_wide_through(ctx, scratch, network->layers, &s));
    *k = ORR_NEW(out_arena, double, n *n);
    *theta = ORR_NEW(out_arena, double, n *n);
    if (!*k || !*theta) return orr_fail(ctx, ORR_ENOMEM, "infinite width: no memory for two kernels");
    memcpy(*k, s.k, (size_t)(n * n) * sizeof(double));
    memcpy(*theta, s.theta, (size_t)(n * n) * sizeof(double));
    return ORR_OK;
}
