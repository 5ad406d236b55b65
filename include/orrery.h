/* Orrery: a laboratory for the theory of deep learning.
 *
 * An orrery predicts where the planets will be.  This one predicts what a network will do while it learns: it seals the
 * prediction, trains the real network with every instrument on, and shows the two side by side with a verdict.
 *
 * A tour, in the order in which things are used:
 *   context   who may use how many threads, where messages go          orr_context_new
 *   graph     a tensor program, built once                             orr_input, orr_add, orr_einsum, ...
 *   derive    graph to graph, composable to any depth                  orr_vjp, orr_jvp, orr_vmap, orr_grad
 *   program   the graph compiled for a device, run many times          orr_compile, orr_program_run
 *
 * A whole program, the derivative of sum x^2:
 *
 *   orr_context *ctx; orr_graph *g; orr_program *p;
 *   if (orr_context_new(NULL, &ctx) != ORR_OK || orr_graph_new(ctx, &g) != ORR_OK) return 1;
 *   orr_node x = orr_input(g, "x", ORR_F64, ORR_SHAPE(3)), dx;
 *   orr_grad(g, orr_sum_all(g, orr_mul(g, x, x)), &x, 1, &dx);
 *   orr_compile_options options = { .outputs = &dx, .n_outputs = 1 };
 *   if (orr_compile(ctx, g, &options, &p) != ORR_OK) { puts(orr_context_message(ctx)); return 2; }
 *   double *data = orr_program_data(p, x);
 *   data[0] = 1; data[1] = 2; data[2] = 3;
 *   if (orr_program_run(p) != ORR_OK) return 3;
 *   printf("%g\n", ((const double *)orr_program_data(p, dx))[2]);     // 6
 *   orr_program_free(p); orr_graph_free(g); orr_context_free(ctx);
 *
 * Ownership: what a function writes through `T **out` is the caller's, to be ended by the matching _free; a returned
 * pointer is borrowed from the object that it was asked of.  Threads: an object belongs to its context, and a context
 * to one thread at a time; kernels use a pool of the context's own.  There is no global state. */
#ifndef ORRERY_H
#define ORRERY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ORR_VERSION "0.1.0"

#if defined(__GNUC__)
#define ORR_MUST_USE            __attribute__((warn_unused_result))
#define ORR_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define ORR_MUST_USE
#define ORR_PRINTF(text, first)
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* ---- status and context ------------------------------------------------------------------------------------------ */

/* How a call ended.  ORDER status: base/status.def. */
typedef enum orr_status {
    ORR_OK = 0,
    ORR_EINPUT,       /* the user's: bad input; the message says where, what was expected, what to do */
    ORR_EIO,          /* a file could not be read or written */
    ORR_ENOMEM,       /* out of memory */
    ORR_EBUSY,        /* held by another process */
    ORR_EINTERRUPTED, /* stopped on request */
    ORR_ENUMERIC,     /* a numerical method broke down where it must not */
    ORR_EINTERNAL     /* a bug of ours */
} orr_status;

typedef struct orr_context orr_context;

typedef struct orr_allocator {
    void *(*allocate)(void *user, size_t bytes); /* aligned to 64; NULL where memory is out */
    void (*release)(void *user, void *p);
    void *user;
} orr_allocator;

typedef enum orr_log_level {
    ORR_LOG_DEBUG = -1, /* how a decision fell */
    ORR_LOG_INFO = 0,
    ORR_LOG_WARNING = 1,
    ORR_LOG_ERROR = 2
} orr_log_level;

/* A zero means the default. */
typedef struct orr_context_options {
    int threads;                    /* threads that kernels may use; default: the cores that this process may use */
    FILE *log;                      /* progress and log lines; default: nowhere */
    const orr_allocator *allocator; /* default: aligned_alloc */
    bool hostile;                   /* tiny first buffers, poisoned freed memory */
    orr_log_level log_level;        /* log lines below it are dropped; default: ORR_LOG_INFO */
    bool log_is_terminal;           /* draw progress though isatty(log) says no */
} orr_context_options;

orr_status orr_context_new(const orr_context_options *options, orr_context **out) ORR_MUST_USE;
void orr_context_free(orr_context *ctx);

/* The first failure since the last clear, in one line; "" where there was none.  Borrowed until the next failure. */
const char *orr_context_message(const orr_context *ctx);
/* The source lines through which that failure passed, one a line; for bug reports. */
const char *orr_context_trace(const orr_context *ctx);
void orr_context_clear(orr_context *ctx);

const char *orr_status_name(orr_status status);  /* "ORR_EINPUT" */
const char *orr_status_words(orr_status status); /* "bad input" */
int orr_status_exit_code(orr_status status);     /* 0, 2 or 3 */

/* ---- tensors: types ---------------------------------------------------------------------------------------------- */

enum { ORR_RANK_MAX = 10 };

/* ORDER dtype: base/dtype.c */
typedef enum orr_dtype { ORR_F32 = 0, ORR_F64, ORR_I32, ORR_BOOL } orr_dtype;

/* Row-major extents.  rank 0 is a scalar; an extent may be 0. */
typedef struct orr_shape {
    int32_t rank;
    int64_t size[ORR_RANK_MAX];
} orr_shape;

/* ORR_SHAPE(64, 10); the scalar shape is ORR_SCALAR. */
#ifdef __cplusplus
extern "C++" template <class... T> inline orr_shape orr_shape_of(T... size) {
    return orr_shape{ (int32_t)sizeof...(size), { (int64_t)size... } };
}
#define ORR_SHAPE(...) orr_shape_of(__VA_ARGS__)
#define ORR_SCALAR     (orr_shape{ 0, { 0 } })
#else
#define ORR_SHAPE(...)                                                                                                 \
    ((orr_shape){ .rank = (int32_t)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), .size = { __VA_ARGS__ } })
#define ORR_SCALAR ((orr_shape){ .rank = 0 })
#endif

/* Axes of a reduction or an order of axes; negative ones count from the end.  ORR_AXES(0, -1). */
typedef struct orr_axes {
    int32_t n;
    int32_t axis[ORR_RANK_MAX];
} orr_axes;
#ifdef __cplusplus
extern "C++" template <class... T> inline orr_axes orr_axes_of(T... axis) {
    return orr_axes{ (int32_t)sizeof...(axis), { (int32_t)axis... } };
}
#define ORR_AXES(...) orr_axes_of(__VA_ARGS__)
#else
#define ORR_AXES(...)                                                                                                  \
    ((orr_axes){ .n = (int32_t)(sizeof((int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t)), .axis = { __VA_ARGS__ } })
#endif

size_t orr_dtype_size(orr_dtype dtype);
const char *orr_dtype_name(orr_dtype dtype); /* "f32" */
int64_t orr_shape_count(const orr_shape *shape);
bool orr_shape_equal(const orr_shape *a, const orr_shape *b);

/* A value in a graph.  Copy it freely; it is valid as long as its graph.  { 0 } is no node (ORR_NONE). */
typedef struct orr_node {
    int32_t id;
} orr_node;
#ifdef __cplusplus
#define ORR_NONE (orr_node{ 0 })
#else
#define ORR_NONE ((orr_node){ 0 })
#endif

/* ---- graph: build ---------------------------------------------------------------------------------------------------
 * A mistake of shape, type or domain sticks to the graph: the message names the op, the shapes and the line that
 * called; later ops pass through, and orr_compile (or orr_graph_status) reports it.  So mathematics needs no check on
 * every line. */

typedef struct orr_graph orr_graph;

orr_status orr_graph_new(orr_context *ctx, orr_graph **out) ORR_MUST_USE;
void orr_graph_free(orr_graph *g);
orr_status orr_graph_status(const orr_graph *g);
const char *orr_graph_message(const orr_graph *g); /* "" where all is well */
void orr_graph_print(const orr_graph *g, FILE *to);
int32_t orr_graph_size(const orr_graph *g); /* number of nodes */

/* Remembers the caller's line for messages; the macros at the end of this header call it. */
orr_graph *orr_here(orr_graph *g, const char *file, int line);

orr_dtype orr_node_dtype(const orr_graph *g, orr_node a);
orr_shape orr_node_shape(const orr_graph *g, orr_node a);

/* Sources */
orr_node orr_input(orr_graph *g, const char *name, orr_dtype dtype, orr_shape shape); /* names are unique in a graph */
orr_node orr_fill(orr_graph *g, orr_dtype dtype, orr_shape shape, double value);      /* every element is value */
orr_node orr_literal(orr_graph *g, orr_dtype dtype, orr_shape shape, const void *data); /* copies the data */
orr_node orr_iota(orr_graph *g, orr_dtype dtype, orr_shape shape, int32_t axis); /* the index along axis; not bool */

/* Elementwise; two operands of one type, broadcast as in NumPy. */
orr_node orr_neg(orr_graph *g, orr_node a);
orr_node orr_exp(orr_graph *g, orr_node a);
orr_node orr_expm1(orr_graph *g, orr_node a);
orr_node orr_log(orr_graph *g, orr_node a);
orr_node orr_log1p(orr_graph *g, orr_node a);
orr_node orr_sqrt(orr_graph *g, orr_node a);
orr_node orr_sin(orr_graph *g, orr_node a);
orr_node orr_cos(orr_graph *g, orr_node a);
orr_node orr_tanh(orr_graph *g, orr_node a);
orr_node orr_sigmoid(orr_graph *g, orr_node a);    /* 1 / (1 + e^-a) */
orr_node orr_erf(orr_graph *g, orr_node a);        /* 2/sqrt(pi) int_0^a e^{-t^2} dt */
orr_node orr_normal_cdf(orr_graph *g, orr_node a); /* (1 + erf(a/sqrt 2)) / 2, P(N(0, 1) < a): to eps, absolute */
orr_node orr_abs(orr_graph *g, orr_node a);        /* derivative sign(a), 0 at 0 */
orr_node orr_sign(orr_graph *g, orr_node a);       /* -1, 0, 1; derivative 0 */
orr_node orr_floor(orr_graph *g, orr_node a);      /* derivative 0 */
orr_node orr_is_finite(orr_graph *g, orr_node a);
orr_node orr_not(orr_graph *g, orr_node a);  /* bool */
orr_node orr_stop(orr_graph *g, orr_node a); /* a itself, with derivative 0 */
orr_node orr_add(orr_graph *g, orr_node a, orr_node b);
orr_node orr_sub(orr_graph *g, orr_node a, orr_node b);
orr_node orr_mul(orr_graph *g, orr_node a, orr_node b);
orr_node orr_div(orr_graph *g, orr_node a, orr_node b); /* i32: towards zero; a / 0 and INT_MIN / -1 give 0 */
orr_node orr_rem(orr_graph *g, orr_node a, orr_node b); /* i32 remainder with the sign of a; a rem 0 = 0 */
orr_node orr_pow(orr_graph *g, orr_node a, orr_node b); /* a > 0, or b a constant whole number */
orr_node orr_max(orr_graph *g, orr_node a, orr_node b); /* derivative at a tie: one half each */
orr_node orr_min(orr_graph *g, orr_node a, orr_node b);
orr_node orr_lt(orr_graph *g, orr_node a, orr_node b); /* bool, as the four below */
orr_node orr_le(orr_graph *g, orr_node a, orr_node b);
orr_node orr_gt(orr_graph *g, orr_node a, orr_node b);
orr_node orr_ge(orr_graph *g, orr_node a, orr_node b);
orr_node orr_eq(orr_graph *g, orr_node a, orr_node b);
orr_node orr_and(orr_graph *g, orr_node a, orr_node b); /* bool */
orr_node orr_or(orr_graph *g, orr_node a, orr_node b);
orr_node orr_select(orr_graph *g, orr_node condition, orr_node a, orr_node b); /* condition ? a : b */
orr_node orr_cast(orr_graph *g, orr_node a, orr_dtype dtype); /* float to i32: towards zero; to bool: a != 0 */
orr_node orr_scale(orr_graph *g, orr_node a, double factor);  /* factor a */
orr_node orr_shift(orr_graph *g, orr_node a, double term);    /* a + term */
orr_node orr_square(orr_graph *g, orr_node a);
orr_node orr_reciprocal(orr_graph *g, orr_node a);

/* Reductions: the axes go (keep: stay with extent 1).  The sum over nothing is 0, the maximum -infinity (INT_MIN). */
orr_node orr_sum(orr_graph *g, orr_node a, orr_axes axes);
orr_node orr_sum_keep(orr_graph *g, orr_node a, orr_axes axes);
orr_node orr_sum_all(orr_graph *g, orr_node a);
orr_node orr_mean(orr_graph *g, orr_node a, orr_axes axes);
orr_node orr_mean_keep(orr_graph *g, orr_node a, orr_axes axes);
orr_node orr_mean_all(orr_graph *g, orr_node a);
orr_node orr_reduce_max(orr_graph *g, orr_node a, orr_axes axes); /* derivative at ties: shared equally */
orr_node orr_reduce_max_keep(orr_graph *g, orr_node a, orr_axes axes);
orr_node orr_argmax(orr_graph *g, orr_node a, int32_t axis); /* i32; the first of equals */

/* Movement */
orr_node orr_reshape(orr_graph *g, orr_node a, orr_shape shape);   /* one extent may be -1: what is left */
orr_node orr_broadcast(orr_graph *g, orr_node a, orr_shape shape); /* as NumPy's broadcast_to */
orr_node orr_transpose(orr_graph *g, orr_node a, orr_axes order);  /* out axis i is a's axis order[i] */
orr_node orr_swap_axes(orr_graph *g, orr_node a, int32_t first, int32_t second);
orr_node orr_expand(orr_graph *g, orr_node a, int32_t axis); /* a new axis of extent 1, at `axis` of the result */
orr_node orr_squeeze(orr_graph *g, orr_node a, int32_t axis);
/* a[start:stop:step] along one axis, 0 <= start <= stop <= extent, step >= 1 */
orr_node orr_slice(orr_graph *g, orr_node a, int32_t axis, int64_t start, int64_t stop, int64_t step);
/* zeros before, after and between elements; negative low or high cuts */
orr_node orr_pad(orr_graph *g, orr_node a, int32_t axis, int64_t low, int64_t high, int64_t interior);
orr_node orr_concat(orr_graph *g, const orr_node *parts, int32_t n, int32_t axis);
orr_node orr_gather(orr_graph *g, orr_node a, orr_node index, int32_t axis); /* NumPy's take; index i32, in range */
/* out of `extent` zeros along axis, out[index[j]] += a[j]: the adjoint of orr_gather */
orr_node orr_scatter_add(orr_graph *g, orr_node a, orr_node index, int32_t axis, int64_t extent);

/* Contractions */
orr_node orr_einsum(orr_graph *g, const char *equation, orr_node a, orr_node b); /* "bik,bkj->bij"; b may be ORR_NONE */
orr_node orr_matmul(orr_graph *g, orr_node a, orr_node b);                       /* NumPy's @, batches broadcast */

/* Convolution, channels first: a[n, c, x...], w[d, c / groups, k...] -> [n, d, ...] (cross-correlation, as in the
 * field). One to three spatial axes. */
typedef struct orr_convolution {
    int64_t stride[3], low[3], high[3], dilation[3]; /* zeros mean stride 1, no padding, dilation 1 */
    int64_t groups;                                  /* 0 means 1 */
} orr_convolution;
orr_node orr_convolve(orr_graph *g, orr_node a, orr_node w, orr_convolution how);

/* Random numbers, counter-based (Philox 4x32-10): element i of member m is a function of key[m, :] and i alone.
 * key is i32[..., 4]: seed low, seed high, purpose, step.  Result [..., shape]. */
orr_node orr_random_uniform(orr_graph *g, orr_node key, orr_dtype dtype, orr_shape shape); /* [0, 1) */
orr_node orr_random_normal(orr_graph *g, orr_node key, orr_dtype dtype, orr_shape shape);  /* N(0, 1) */
orr_node orr_random_sign(orr_graph *g, orr_node key, orr_dtype dtype, orr_shape shape);    /* -1 or 1 */
orr_node orr_random_int(orr_graph *g, orr_node key, int32_t below, orr_shape shape);       /* i32 in [0, below) */

/* ---- composed functions (tensor/compose) ------------------------------------------------------------------------- */

orr_node orr_linear(orr_graph *g, orr_node x, orr_node w, orr_node b); /* x[..., i] w[o, i] + b[o]; b may be ORR_NONE */
orr_node orr_relu(orr_graph *g, orr_node a);                           /* derivative at 0: 0 */
orr_node orr_softplus(orr_graph *g, orr_node a);
orr_node orr_silu(orr_graph *g, orr_node a);
orr_node orr_gelu(orr_graph *g, orr_node a);      /* a Phi(a) */
orr_node orr_gelu_tanh(orr_graph *g, orr_node a); /* Hendrycks & Gimpel's approximation */
orr_node orr_softmax(orr_graph *g, orr_node a, int32_t axis);
orr_node orr_log_softmax(orr_graph *g, orr_node a, int32_t axis);
orr_node orr_logsumexp(orr_graph *g, orr_node a, int32_t axis); /* the axis goes */
/* Over the last axis; gain and bias [last axis] may be ORR_NONE. */
orr_node orr_layer_norm(orr_graph *g, orr_node a, orr_node gain, orr_node bias, double epsilon);
orr_node orr_rms_norm(orr_graph *g, orr_node a, orr_node gain, double epsilon);
/* Training mode: statistics of this batch over all axes but 1 (biased variance). a[n, c, ...], gain[c], bias[c]. */
orr_node orr_batch_norm(orr_graph *g, orr_node a, orr_node gain, orr_node bias, double epsilon);
/* softmax(scale q k' + mask) v; q[..., t, d], k[..., s, d], v[..., s, e].  causal: position t sees s <= t.
 * scale 0 means 1/sqrt(d). */
orr_node orr_attention(orr_graph *g, orr_node q, orr_node k, orr_node v, bool causal, double scale);
orr_node orr_one_hot(orr_graph *g, orr_node index, int64_t classes, orr_dtype dtype); /* [..., classes] */
/* -log softmax(logits)[label] for each example; logits[..., c], labels i32[...].  A label that is no class makes NaN. */
orr_node orr_cross_entropy(orr_graph *g, orr_node logits, orr_node labels);
orr_node orr_conv1d(orr_graph *g, orr_node a, orr_node w, orr_node b, orr_convolution how); /* b[d] may be ORR_NONE */
orr_node orr_conv2d(orr_graph *g, orr_node a, orr_node w, orr_node b, orr_convolution how);
typedef struct orr_pooling {
    int64_t window[2], stride[2], low[2], high[2]; /* stride 0 means the window; average counts padding, as PyTorch */
} orr_pooling;
orr_node orr_average_pool(orr_graph *g, orr_node a, orr_pooling how); /* a[n, c, y, x] */
orr_node orr_max_pool(orr_graph *g, orr_node a, orr_pooling how);
orr_node orr_upsample(orr_graph *g, orr_node a, int64_t factor);      /* nearest; a[n, c, y, x] */
orr_node orr_embedding(orr_graph *g, orr_node table, orr_node index); /* table[v, d], index i32[...] -> [..., d] */
orr_node orr_mse(orr_graph *g, orr_node output, orr_node target);     /* 1/(2n) sum |output - target|^2, n = axis 0 */
orr_node orr_dot(orr_graph *g, const orr_node *a, const orr_node *b, int32_t n); /* sum over all elements of n pairs */

/* ---- derive: graph to graph -----------------------------------------------------------------------------------------
 * Each appends nodes to the same graph and may be applied to its own results, to any depth and in any order.  The xs
 * are taken as independent variables: a path from one x through another is cut. */

/* Reverse: xbar[j] = sum_i (dy_i/dx_j)' ybar_i.  ybar NULL means ones. */
void orr_vjp(orr_graph *g, const orr_node *y, const orr_node *ybar, int32_t n_y, const orr_node *x, int32_t n_x,
             orr_node *xbar);
/* Forward: ydot[i] = sum_j (dy_i/dx_j) xdot_j. */
void orr_jvp(orr_graph *g, const orr_node *y, int32_t n_y, const orr_node *x, const orr_node *xdot, int32_t n_x,
             orr_node *ydot);
/* A batch axis: out[i][b] = y_i with every x_j replaced by batched_j[b].  batched_j has x_j's shape behind a leading
 * axis, whose extent is the same for all; results carry it in front. */
void orr_vmap(orr_graph *g, const orr_node *y, int32_t n_y, const orr_node *x, const orr_node *batched, int32_t n_x,
              orr_node *out);
/* y again, with every x_j replaced by value_j of the same type (vmap without the axis). */
void orr_substitute(orr_graph *g, const orr_node *y, int32_t n_y, const orr_node *x, const orr_node *value, int32_t n_x,
                    orr_node *out);
/* Gradient of a scalar. */
void orr_grad(orr_graph *g, orr_node y, const orr_node *x, int32_t n_x, orr_node *gradient);
/* Hessian-vector product of a scalar: jvp of grad. */
void orr_hvp(orr_graph *g, orr_node y, const orr_node *x, const orr_node *v, int32_t n_x, orr_node *out);

/* ---- program: compile once, run many times ----------------------------------------------------------------------- */

typedef struct orr_program orr_program;

/* After a run, the buffer of `input` holds `value` (same type and shape): how parameters are updated in place. */
typedef struct orr_update {
    orr_node input, value;
} orr_update;

/* A zero means the default. */
typedef struct orr_compile_options {
    const orr_node *outputs;
    const orr_update *updates;
    int32_t n_outputs, n_updates;
    const char *device;    /* "cpu" (default), "ref": plain loops, one kernel a node, for comparison */
    bool no_fusion;        /* every elementwise node its own pass */
    bool find_non_finite;  /* a run ends with ORR_ENUMERIC at the first op that makes a NaN or an infinity, naming it */
    bool profile;          /* time each launch: orr_program_print shows where the time goes */
    bool spill_everything; /* no buffer is reused: to see whether liveness is at fault */
} orr_compile_options;

/* Fails: ORR_EINPUT with the graph's first mistake; ORR_ENOMEM. */
orr_status orr_compile(orr_context *ctx, const orr_graph *g, const orr_compile_options *options,
                       orr_program **out) ORR_MUST_USE;
void orr_program_free(orr_program *program);

/* Contiguous row-major storage of an input or an output; NULL for any other node, also for an input on which nothing that
 * was asked for depends.  Inputs start as zeros and keep their contents between runs; outputs are valid until the next. */
void *orr_program_data(orr_program *program, orr_node node);
/* Lets an input live in the caller's memory (aligned to 64, size of the whole tensor), so that programs share
 * parameters.  Nothing happens where nothing that was asked for depends on it. */
orr_status orr_program_bind(orr_program *program, orr_node input, void *data) ORR_MUST_USE;
/* Whether anything that was asked for depends on an input. */
bool orr_program_reads(const orr_program *program, orr_node input);
/* One evaluation, then the updates.  No allocation.  Fails: ORR_EINPUT for an index out of range, ORR_ENUMERIC. */
orr_status orr_program_run(orr_program *program) ORR_MUST_USE;
/* `times` evaluations; a `counter` input (i32 scalar, or ORR_NONE) is increased by one after each. */
orr_status orr_program_run_many(orr_program *program, int64_t times, orr_node counter) ORR_MUST_USE;

typedef struct orr_cost {
    int64_t kernels;       /* launched in one run */
    int64_t flops;         /* multiply and add count as two; an elementwise op as one */
    int64_t bytes;         /* read and written by kernels */
    int64_t peak_bytes;    /* temporaries at their largest, inputs and outputs not counted */
    int64_t minimum_bytes; /* of temporaries alive at one time, at their most: no placement needs less in this order */
    int64_t persistent_bytes; /* inputs, outputs, literals */
    int64_t workspace_bytes;  /* private scratch of kernels */
} orr_cost;
orr_cost orr_program_cost(const orr_program *program);
/* The plan, one kernel a line: ops, shapes, flops, bytes, what was fused, its share of the time where that was measured;
 * then totals. */
void orr_program_print(const orr_program *program, FILE *to);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

/* ---- the caller's line, for messages ----------------------------------------------------------------------------- */
#ifndef ORR_TENSOR_INSIDE
// clang-format off
#define ORR_AT(g) orr_here((g), __FILE__, __LINE__)
#define orr_input(g, ...) orr_input(ORR_AT(g), __VA_ARGS__)
#define orr_fill(g, ...) orr_fill(ORR_AT(g), __VA_ARGS__)
#define orr_literal(g, ...) orr_literal(ORR_AT(g), __VA_ARGS__)
#define orr_iota(g, ...) orr_iota(ORR_AT(g), __VA_ARGS__)
#define orr_neg(g, ...) orr_neg(ORR_AT(g), __VA_ARGS__)
#define orr_exp(g, ...) orr_exp(ORR_AT(g), __VA_ARGS__)
#define orr_expm1(g, ...) orr_expm1(ORR_AT(g), __VA_ARGS__)
#define orr_log(g, ...) orr_log(ORR_AT(g), __VA_ARGS__)
#define orr_log1p(g, ...) orr_log1p(ORR_AT(g), __VA_ARGS__)
#define orr_sqrt(g, ...) orr_sqrt(ORR_AT(g), __VA_ARGS__)
#define orr_sin(g, ...) orr_sin(ORR_AT(g), __VA_ARGS__)
#define orr_cos(g, ...) orr_cos(ORR_AT(g), __VA_ARGS__)
#define orr_tanh(g, ...) orr_tanh(ORR_AT(g), __VA_ARGS__)
#define orr_sigmoid(g, ...) orr_sigmoid(ORR_AT(g), __VA_ARGS__)
#define orr_erf(g, ...) orr_erf(ORR_AT(g), __VA_ARGS__)
#define orr_normal_cdf(g, ...) orr_normal_cdf(ORR_AT(g), __VA_ARGS__)
#define orr_abs(g, ...) orr_abs(ORR_AT(g), __VA_ARGS__)
#define orr_sign(g, ...) orr_sign(ORR_AT(g), __VA_ARGS__)
#define orr_floor(g, ...) orr_floor(ORR_AT(g), __VA_ARGS__)
#define orr_is_finite(g, ...) orr_is_finite(ORR_AT(g), __VA_ARGS__)
#define orr_not(g, ...) orr_not(ORR_AT(g), __VA_ARGS__)
#define orr_stop(g, ...) orr_stop(ORR_AT(g), __VA_ARGS__)
#define orr_add(g, ...) orr_add(ORR_AT(g), __VA_ARGS__)
#define orr_sub(g, ...) orr_sub(ORR_AT(g), __VA_ARGS__)
#define orr_mul(g, ...) orr_mul(ORR_AT(g), __VA_ARGS__)
#define orr_div(g, ...) orr_div(ORR_AT(g), __VA_ARGS__)
#define orr_rem(g, ...) orr_rem(ORR_AT(g), __VA_ARGS__)
#define orr_pow(g, ...) orr_pow(ORR_AT(g), __VA_ARGS__)
#define orr_max(g, ...) orr_max(ORR_AT(g), __VA_ARGS__)
#define orr_min(g, ...) orr_min(ORR_AT(g), __VA_ARGS__)
#define orr_lt(g, ...) orr_lt(ORR_AT(g), __VA_ARGS__)
#define orr_le(g, ...) orr_le(ORR_AT(g), __VA_ARGS__)
#define orr_gt(g, ...) orr_gt(ORR_AT(g), __VA_ARGS__)
#define orr_ge(g, ...) orr_ge(ORR_AT(g), __VA_ARGS__)
#define orr_eq(g, ...) orr_eq(ORR_AT(g), __VA_ARGS__)
#define orr_and(g, ...) orr_and(ORR_AT(g), __VA_ARGS__)
#define orr_or(g, ...) orr_or(ORR_AT(g), __VA_ARGS__)
#define orr_select(g, ...) orr_select(ORR_AT(g), __VA_ARGS__)
#define orr_cast(g, ...) orr_cast(ORR_AT(g), __VA_ARGS__)
#define orr_scale(g, ...) orr_scale(ORR_AT(g), __VA_ARGS__)
#define orr_shift(g, ...) orr_shift(ORR_AT(g), __VA_ARGS__)
#define orr_square(g, ...) orr_square(ORR_AT(g), __VA_ARGS__)
#define orr_reciprocal(g, ...) orr_reciprocal(ORR_AT(g), __VA_ARGS__)
#define orr_sum(g, ...) orr_sum(ORR_AT(g), __VA_ARGS__)
#define orr_sum_keep(g, ...) orr_sum_keep(ORR_AT(g), __VA_ARGS__)
#define orr_sum_all(g, ...) orr_sum_all(ORR_AT(g), __VA_ARGS__)
#define orr_mean(g, ...) orr_mean(ORR_AT(g), __VA_ARGS__)
#define orr_mean_keep(g, ...) orr_mean_keep(ORR_AT(g), __VA_ARGS__)
#define orr_mean_all(g, ...) orr_mean_all(ORR_AT(g), __VA_ARGS__)
#define orr_reduce_max(g, ...) orr_reduce_max(ORR_AT(g), __VA_ARGS__)
#define orr_reduce_max_keep(g, ...) orr_reduce_max_keep(ORR_AT(g), __VA_ARGS__)
#define orr_argmax(g, ...) orr_argmax(ORR_AT(g), __VA_ARGS__)
#define orr_reshape(g, ...) orr_reshape(ORR_AT(g), __VA_ARGS__)
#define orr_broadcast(g, ...) orr_broadcast(ORR_AT(g), __VA_ARGS__)
#define orr_transpose(g, ...) orr_transpose(ORR_AT(g), __VA_ARGS__)
#define orr_swap_axes(g, ...) orr_swap_axes(ORR_AT(g), __VA_ARGS__)
#define orr_expand(g, ...) orr_expand(ORR_AT(g), __VA_ARGS__)
#define orr_squeeze(g, ...) orr_squeeze(ORR_AT(g), __VA_ARGS__)
#define orr_slice(g, ...) orr_slice(ORR_AT(g), __VA_ARGS__)
#define orr_pad(g, ...) orr_pad(ORR_AT(g), __VA_ARGS__)
#define orr_concat(g, ...) orr_concat(ORR_AT(g), __VA_ARGS__)
#define orr_gather(g, ...) orr_gather(ORR_AT(g), __VA_ARGS__)
#define orr_scatter_add(g, ...) orr_scatter_add(ORR_AT(g), __VA_ARGS__)
#define orr_einsum(g, ...) orr_einsum(ORR_AT(g), __VA_ARGS__)
#define orr_matmul(g, ...) orr_matmul(ORR_AT(g), __VA_ARGS__)
#define orr_convolve(g, ...) orr_convolve(ORR_AT(g), __VA_ARGS__)
#define orr_random_uniform(g, ...) orr_random_uniform(ORR_AT(g), __VA_ARGS__)
#define orr_random_normal(g, ...) orr_random_normal(ORR_AT(g), __VA_ARGS__)
#define orr_random_sign(g, ...) orr_random_sign(ORR_AT(g), __VA_ARGS__)
#define orr_random_int(g, ...) orr_random_int(ORR_AT(g), __VA_ARGS__)
#define orr_linear(g, ...) orr_linear(ORR_AT(g), __VA_ARGS__)
#define orr_relu(g, ...) orr_relu(ORR_AT(g), __VA_ARGS__)
#define orr_softplus(g, ...) orr_softplus(ORR_AT(g), __VA_ARGS__)
#define orr_silu(g, ...) orr_silu(ORR_AT(g), __VA_ARGS__)
#define orr_gelu(g, ...) orr_gelu(ORR_AT(g), __VA_ARGS__)
#define orr_gelu_tanh(g, ...) orr_gelu_tanh(ORR_AT(g), __VA_ARGS__)
#define orr_softmax(g, ...) orr_softmax(ORR_AT(g), __VA_ARGS__)
#define orr_log_softmax(g, ...) orr_log_softmax(ORR_AT(g), __VA_ARGS__)
#define orr_logsumexp(g, ...) orr_logsumexp(ORR_AT(g), __VA_ARGS__)
#define orr_layer_norm(g, ...) orr_layer_norm(ORR_AT(g), __VA_ARGS__)
#define orr_rms_norm(g, ...) orr_rms_norm(ORR_AT(g), __VA_ARGS__)
#define orr_batch_norm(g, ...) orr_batch_norm(ORR_AT(g), __VA_ARGS__)
#define orr_attention(g, ...) orr_attention(ORR_AT(g), __VA_ARGS__)
#define orr_one_hot(g, ...) orr_one_hot(ORR_AT(g), __VA_ARGS__)
#define orr_cross_entropy(g, ...) orr_cross_entropy(ORR_AT(g), __VA_ARGS__)
#define orr_conv1d(g, ...) orr_conv1d(ORR_AT(g), __VA_ARGS__)
#define orr_conv2d(g, ...) orr_conv2d(ORR_AT(g), __VA_ARGS__)
#define orr_average_pool(g, ...) orr_average_pool(ORR_AT(g), __VA_ARGS__)
#define orr_max_pool(g, ...) orr_max_pool(ORR_AT(g), __VA_ARGS__)
#define orr_upsample(g, ...) orr_upsample(ORR_AT(g), __VA_ARGS__)
#define orr_embedding(g, ...) orr_embedding(ORR_AT(g), __VA_ARGS__)
#define orr_mse(g, ...) orr_mse(ORR_AT(g), __VA_ARGS__)
#define orr_dot(g, ...) orr_dot(ORR_AT(g), __VA_ARGS__)
#define orr_vjp(g, ...) orr_vjp(ORR_AT(g), __VA_ARGS__)
#define orr_jvp(g, ...) orr_jvp(ORR_AT(g), __VA_ARGS__)
#define orr_vmap(g, ...) orr_vmap(ORR_AT(g), __VA_ARGS__)
#define orr_substitute(g, ...) orr_substitute(ORR_AT(g), __VA_ARGS__)
#define orr_grad(g, ...) orr_grad(ORR_AT(g), __VA_ARGS__)
#define orr_hvp(g, ...) orr_hvp(ORR_AT(g), __VA_ARGS__)
// clang-format on
#endif

#endif
