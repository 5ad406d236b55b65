/* What ORR_DATA_PREPARATION asks for: which examples stay, and how their inputs and labels are changed. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/random.h"
#include "ingredient/data/data.h"
#include "numeric/dense.h"

static int64_t kept_classes(const orr_settings *s, const int64_t **class) {
    int64_t n;
    *class = orr_ints(s, "keep_classes", &n);
    return n;
}

int64_t orr_data_needed(const orr_settings *s, int64_t n) {
    const int64_t *class;
    return orr_settings_say(s, "subset", "first") && kept_classes(s, &class) == 0 ? n : 0;
}

/* ---- which examples stay ------------------------------------------------------------------------------------------- */

/* Their indices in the order of the file. */
typedef struct part {
    int64_t *index;
    int64_t n;
} part;

static orr_status check_classes(orr_context *ctx, const orr_dataset *d, const int64_t *class, int64_t n) {
    if (!d->label || d->target.rank != 0)
        return orr_fail(ctx, ORR_EINPUT, "keep_classes: these data (%s) don't have one class an example", d->source);
    for (int64_t i = 0; i < n; i++) {
        if (class[i] >= d->classes)
            return orr_fail(ctx, ORR_EINPUT, "keep_classes: %lld is no class; they are 0 to %lld", (long long)class[i],
                            (long long)d -> classes - 1);
        for (int64_t j = 0; j < i; j++)
            if (class[j] == class[i])
                return orr_fail(ctx, ORR_EINPUT, "keep_classes: class %lld is named twice", (long long)class[i]);
    }
    return ORR_OK;
}

/* What is left of examples first .. first + n - 1 by their class. */
static orr_status list_examples(orr_context *ctx, orr_arena *arena, const orr_settings *s, const orr_dataset *d,
                                int64_t first, int64_t n, part *out) {
    const int64_t *class, n_classes = kept_classes(s, &class);
    *out = (part){ .index = ORR_NEW(arena, int64_t, n) };
    if (!out->index) return orr_fail(ctx, ORR_ENOMEM, "data: no memory for %lld examples", (long long)n);
    for (int64_t i = first; i < first + n; i++) {
        bool stays = n_classes == 0;
        for (int64_t c = 0; c < n_classes && !stays; c++) stays = d->label[i] == class[c];
        if (stays) out->index[out->n++] = i;
    }
    return ORR_OK;
}

/* Puts them in the order in which they are taken. */
static orr_status order_examples(orr_context *ctx, orr_arena *arena, const orr_settings *s, uint32_t step, part *p) {
    if (!orr_settings_say(s, "subset", "random")) return ORR_OK;
    int64_t *order = ORR_NEW(arena, int64_t, p->n), *index = ORR_NEW(arena, int64_t, p->n);
    if (!order || !index) return orr_fail(ctx, ORR_ENOMEM, "data: no memory for %lld examples", (long long)p->n);
    const orr_key key = { (uint64_t)orr_int(s, "subset_seed"), ORR_PURPOSE_SPLIT, step };
    orr_random_permutation(key, p->n, order);
    for (int64_t i = 0; i < p->n; i++) index[i] = p->index[order[i]];
    p->index = index;
    return ORR_OK;
}

static orr_status too_few(orr_context *ctx, const orr_dataset *d, const char *what, int64_t wanted, int64_t there) {
    return orr_fail(ctx, ORR_EINPUT, "%s: %lld %s examples are asked for, there are %lld", d->source, (long long)wanted,
                    what, (long long)there);
}

/* Brings the first n/K examples of each class to the front, in the order of the file. */
static orr_status balance(orr_context *ctx, orr_arena *arena, const orr_settings *s, const orr_dataset *d, int64_t n,
                          part *p) {
    if (!orr_settings_say(s, "subset", "balanced") || n == 0) return ORR_OK;
    const int64_t *class, kept = kept_classes(s, &class), classes = kept > 0 ? kept : d->classes;
    if (!d->label || d->target.rank != 0)
        return orr_fail(ctx, ORR_EINPUT, "subset balanced: these data (%s) don't have one class an example", d->source);
    if (n % classes != 0)
        return orr_fail(ctx, ORR_EINPUT, "subset balanced: %lld examples can't be %lld classes alike", (long long)n,
                        (long long)classes);
    int64_t *count = ORR_NEW(arena, int64_t, d->classes), *index = ORR_NEW(arena, int64_t, p->n), taken = 0;
    if (!count || !index) return orr_fail(ctx, ORR_ENOMEM, "data: no memory for %lld examples", (long long)p->n);
    for (int64_t i = 0; i < p->n; i++)
        if (count[d->label[p->index[i]]]++ < n / classes) index[taken++] = p->index[i];
    if (taken < n)
        return orr_fail(ctx, ORR_EINPUT, "%s: a class has fewer than %lld examples", d->source,
                        (long long)(n / classes));
    p->index = index;
    p->n = taken;
    return ORR_OK;
}

/* train and test: of all that are there, those that stay. */
static orr_status choose(orr_context *ctx, orr_arena *arena, const orr_settings *s, const orr_dataset *d, part *train,
                         part *test) {
    int64_t n = orr_int(s, "n"), n_test = orr_settings_has(s, "n_test") ? orr_int(s, "n_test") : 0;
    const int64_t *class, n_classes = kept_classes(s, &class);
    if (n_classes > 0) ORR_TRY(ctx, check_classes(ctx, d, class, n_classes));
    ORR_TRY(ctx, list_examples(ctx, arena, s, d, 0, d->n, train));
    ORR_TRY(ctx, order_examples(ctx, arena, s, 0, train));
    if (d->n_test > 0 || n_test == 0) ORR_TRY(ctx, balance(ctx, arena, s, d, n, train));
    if (d->n_test > 0) {
        ORR_TRY(ctx, list_examples(ctx, arena, s, d, d->n, d->n_test, test));
        ORR_TRY(ctx, order_examples(ctx, arena, s, 1, test));
        if (test->n < n_test) return too_few(ctx, d, "test", n_test, test->n);
        if (n == 0) n = train->n;
    } else {
        if (n == 0) n = train->n - n_test;
        if (n < 1 || n > train->n - n_test) return too_few(ctx, d, "training and test", n + n_test, train->n);
        *test = (part){ train->index + n, n_test };
    }
    if (n < 1 || train->n < n) return too_few(ctx, d, "training", n, train->n);
    train->n = n;
    test->n = n_test;
    return ORR_OK;
}

static orr_status select_examples(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const orr_settings *s,
                                  const orr_dataset *d, orr_selection *out) {
    part train, test = { 0 };
    ORR_TRY(ctx, choose(ctx, scratch, s, d, &train, &test));
    int64_t *index = ORR_NEW(out_arena, int64_t, train.n + test.n);
    if (!index) return orr_fail(ctx, ORR_ENOMEM, "data: no memory for %lld examples", (long long)(train.n + test.n));
    for (int64_t i = 0; i < train.n; i++) index[i] = train.index[i];
    for (int64_t i = 0; i < test.n; i++) index[train.n + i] = test.index[i];
    *out = (orr_selection){ train.n, test.n, index };
    return ORR_OK;
}

static bool is_all(const orr_selection *kept, int64_t n) {
    if (kept->n + kept->n_test != n) return false;
    for (int64_t i = 0; i < n; i++)
        if (kept->index[i] != i) return false;
    return true;
}

/* Example index[i] of from, `bytes` long, becomes example i of *to; the others go. */
static void *gather(orr_arena *out_arena, const orr_selection *kept, const void *from, size_t bytes) {
    const int64_t n = kept->n + kept->n_test;
    char *to = orr_arena_take(out_arena, n, bytes);
    for (int64_t i = 0; to && i < n; i++)
        memcpy(to + (size_t)i * bytes, (const char *)from + (size_t)kept->index[i] * bytes, bytes);
    orr_arena_give_back(out_arena, from);
    return to;
}

orr_status orr_data_select(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, orr_dataset *d,
                           orr_selection *out) {
    const int64_t there = d->n + d->n_test;
    const size_t inputs = (size_t)orr_dataset_features(d), targets = (size_t)orr_dataset_targets(d);
    orr_arena *scratch;
    ORR_TRY(ctx, orr_arena_new(ctx, &scratch));
    const orr_status status = select_examples(ctx, scratch, out_arena, s, d, out);
    orr_arena_free(scratch);
    if (status != ORR_OK) return status;
    d->n = out->n;
    d->n_test = out->n_test;
    if (is_all(out, there)) return ORR_OK;
    const bool x = d->x, token = d->token, y = d->y, label = d->label;
    if (x) d->x = gather(out_arena, out, d->x, inputs * sizeof(double));
    if (token) d->token = gather(out_arena, out, d->token, inputs * sizeof(int32_t));
    if (y) d->y = gather(out_arena, out, d->y, targets * sizeof(double));
    if (label) d->label = gather(out_arena, out, d->label, targets * sizeof(int32_t));
    if (x == (bool)d->x && token == (bool)d->token && y == (bool)d->y && label == (bool)d->label) return ORR_OK;
    return orr_fail(ctx, ORR_ENOMEM, "data: no memory for %lld examples", (long long)(out->n + out->n_test));
}

/* Class class[c] becomes c. */
static orr_status renumber(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, orr_dataset *d) {
    const int64_t *class, n_classes = kept_classes(s, &class);
    if (n_classes == 0) return ORR_OK;
    int32_t *label = ORR_NEW(out_arena, int32_t, d->n + d->n_test);
    if (!label) return orr_fail(ctx, ORR_ENOMEM, "data: no memory for %lld labels", (long long)(d->n + d->n_test));
    for (int64_t i = 0; i < d->n + d->n_test; i++)
        for (int32_t c = 0; c < n_classes; c++)
            if (d->label[i] == class[c]) label[i] = c;
    d->label = label;
    d->classes = n_classes;
    return ORR_OK;
}

/* ---- inputs -------------------------------------------------------------------------------------------------------- */

/* mean[j] = mean over the training examples of x[i,j], summed in their order. */
static void mean_of(const orr_dataset *d, int64_t features, const double *x, double *mean) {
    for (int64_t j = 0; j < features; j++) {
        double sum = 0.0;
        for (int64_t i = 0; i < d->n; i++) sum += x[i * features + j];
        mean[j] = sum / (double)d->n;
    }
}

/* x[i,:] -= mean */
static void subtract(int64_t n, int64_t features, const double *mean, double *x) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < features; j++) x[i * features + j] -= mean[j];
}

/* x[i,j] <- (x[i,j] - mean_j) / s_j, s_j^2 = 1/n sum_i (x[i,j] - mean_j)^2; a feature that doesn't vary gets 0.
 * together: one mean and one s over all features. */
static void standardise(const orr_dataset *d, int64_t features, bool together, double *mean, double *x) {
    mean_of(d, features, x, mean);
    if (together) {
        double sum = 0.0;
        for (int64_t j = 0; j < features; j++) sum += mean[j];
        for (int64_t j = 0; j < features; j++) mean[j] = sum / (double)features;
    }
    subtract(d->n + d->n_test, features, mean, x);
    double *scale = mean, all = 0.0; /* the mean is spent */
    for (int64_t j = 0; j < features; j++) {
        const double size = fabs(mean[j]);
        double sum = 0.0;
        for (int64_t i = 0; i < d->n; i++) sum += x[i * features + j] * x[i * features + j];
        sum /= (double)d->n;
        all += sum;
        /* rounding of the mean leaves up to n eps of a constant feature */
        const double rounding = (double)d->n * DBL_EPSILON * size;
        const bool varies = sum > rounding * rounding;
        scale[j] = varies ? sqrt(sum) : (double)INFINITY;
    }
    all = sqrt(all / (double)features);
    for (int64_t i = 0; i < d->n + d->n_test; i++)
        for (int64_t j = 0; j < features; j++) {
            if (!together) x[i * features + j] /= scale[j];
            else if (all > 0.0) x[i * features + j] /= all;
        }
}

/* x[i,:] <- x[i,:]/|x[i,:]|; an input of length 0 stays. */
static void scale_to_length_1(int64_t n, int64_t features, double *x) {
    for (int64_t i = 0; i < n; i++) {
        double square = 0.0;
        for (int64_t j = 0; j < features; j++) square += x[i * features + j] * x[i * features + j];
        for (int64_t j = 0; j < features && square > 0.0; j++) x[i * features + j] /= sqrt(square);
    }
}

/* x <- (x - mean) C^-1/2, C = 1/n sum_i (x_i - mean)(x_i - mean)';  C^-1/2 = sum_k v_k v_k' / sqrt(lambda_k) over
 * lambda_k > features eps lambda_max. */
static orr_status whiten(orr_context *ctx, orr_arena *scratch, const orr_dataset *d, int64_t features, double *x) {
    const int64_t p = features, all = d->n + d->n_test;
    double *c = ORR_NEW(scratch, double, p *p), *root = ORR_NEW(scratch, double, p *p);
    double *mean = ORR_NEW(scratch, double, p), *to = ORR_NEW(scratch, double, all *p);
    orr_symmetric_eigen eigen;
    if (!c || !root || !mean || !to)
        return orr_fail(ctx, ORR_ENOMEM, "whiten: no memory for a covariance of %lld features", (long long)p);
    if (orr_blas_threads() != 1) orr_blas_threads_set(1); /* equal bits whatever ran before */
    mean_of(d, p, x, mean);
    subtract(all, p, mean, x);
    orr_dense_multiply(p, p, d->n, x, true, x, false, c);
    for (int64_t i = 0; i < p * p; i++) c[i] /= (double)d->n;
    ORR_TRY(ctx, orr_eigen_symmetric(ctx, scratch, scratch, p, c, &eigen));
    const double limit = (double)p * DBL_EPSILON * eigen.value[p - 1];
    for (int64_t k = 0; k < p; k++) {
        const double factor = eigen.value[k] > limit ? 1.0 / sqrt(sqrt(eigen.value[k])) : 0.0;
        for (int64_t j = 0; j < p; j++) eigen.vector[k * p + j] *= factor;
    }
    orr_dense_multiply(p, p, p, eigen.vector, true, eigen.vector, false, root);
    orr_dense_multiply(all, p, p, x, false, root, false, to);
    memcpy(x, to, (size_t)(all * p) * sizeof *x);
    return ORR_OK;
}

static orr_status change_inputs(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const orr_settings *s,
                                orr_dataset *d) {
    const bool center = orr_settings_say(s, "center", "mean-image"),
               features_each = orr_settings_say(s, "standardise", "features");
    const bool together = orr_settings_say(s, "standardise", "all"), white = orr_flag(s, "whiten");
    const bool lengths = orr_settings_say(s, "standardise", "lengths");
    const int64_t features = orr_dataset_features(d), count = (d->n + d->n_test) * features;
    if (!center && !features_each && !together && !lengths && !white) return ORR_OK;
    if (d->vocabulary)
        return orr_fail(ctx, ORR_EINPUT, "%s: %s makes no sense for inputs that are tokens", d->source,
                        center  ? "center"
                        : white ? "whiten"
                                : "standardise");
    double *x = ORR_NEW(out_arena, double, count), *mean = ORR_NEW(scratch, double, features);
    if (!x || !mean) return orr_fail(ctx, ORR_ENOMEM, "data: no memory for %lld inputs", (long long)count);
    memcpy(x, d->x, (size_t)count * sizeof *x);
    if (center) {
        mean_of(d, features, x, mean);
        subtract(d->n + d->n_test, features, mean, x);
    }
    if (features_each || together) standardise(d, features, together, mean, x);
    if (lengths) scale_to_length_1(d->n + d->n_test, features, x);
    if (white) ORR_TRY(ctx, whiten(ctx, scratch, d, features, x));
    orr_arena_give_back(out_arena, d->x);
    d->x = x;
    return ORR_OK;
}

/* ---- labels -------------------------------------------------------------------------------------------------------- */

/* round(part n) training labels, drawn without replacement, become classes drawn from all. */
static orr_status label_noise(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const orr_settings *s,
                              orr_dataset *d) {
    const int64_t changed = llround(orr_real(s, "label_noise") * (double)d->n), count = d->n + d->n_test;
    const uint64_t seed = (uint64_t)orr_int(s, "subset_seed");
    if (!(orr_real(s, "label_noise") > 0.0)) return ORR_OK;
    if (!d->label || d->target.rank != 0)
        return orr_fail(ctx, ORR_EINPUT, "label_noise: these data (%s) don't have one class an example", d->source);
    int64_t *order = ORR_NEW(scratch, int64_t, d->n);
    int32_t *drawn = ORR_NEW(scratch, int32_t, d->n), *label = ORR_NEW(out_arena, int32_t, count);
    orr_array *fact = ORR_NEW(out_arena, orr_array, d->facts.n + 1);
    if (!order || !drawn || !label || !fact)
        return orr_fail(ctx, ORR_ENOMEM, "label_noise: no memory for %lld labels", (long long)count);
    for (int i = 0; i < d->facts.n; i++) fact[i] = d->facts.item[i];
    d->facts.item = fact;
    double *clean;
    ORR_TRY(ctx, orr_data_fact(ctx, out_arena, d, "label", ORR_SHAPE(count), &clean));
    for (int64_t i = 0; i < count; i++) clean[i] = (double)d->label[i];
    memcpy(label, d->label, (size_t)count * sizeof *label);
    orr_random_permutation((orr_key){ seed, ORR_PURPOSE_NOISE, 0 }, d->n, order);
    orr_random_fill_int((orr_key){ seed, ORR_PURPOSE_NOISE, 1 }, 0, changed, (int32_t)d->classes, drawn);
    for (int64_t i = 0; i < changed; i++) label[order[i]] = drawn[i];
    d->label = label;
    return ORR_OK;
}

/* y = +1 for the positive classes, -1 for the others, in place of labels. */
static orr_status sign_classes(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, orr_dataset *d) {
    int64_t n_positive;
    const int64_t *positive = orr_ints(s, "positive_classes", &n_positive);
    if (n_positive == 0) return ORR_OK;
    if (!d->label || d->target.rank != 0)
        return orr_fail(ctx, ORR_EINPUT, "positive_classes: these data (%s) don't have one class an example",
                        d->source);
    double *y = ORR_NEW(out_arena, double, d->n + d->n_test);
    if (!y) return orr_fail(ctx, ORR_ENOMEM, "data: no memory for %lld targets", (long long)(d->n + d->n_test));
    for (int64_t c = 0; c < n_positive; c++)
        if (positive[c] >= d->classes)
            return orr_fail(ctx, ORR_EINPUT, "positive_classes: %lld is no class; they are 0 to %lld",
                            (long long)positive[c], (long long)d->classes - 1);
    for (int64_t i = 0; i < d->n + d->n_test; i++) {
        y[i] = -1.0;
        for (int64_t c = 0; c < n_positive; c++)
            if (d->label[i] == positive[c]) y[i] = 1.0;
    }
    d->y = y;
    d->label = NULL;
    d->classes = 0;
    d->target = ORR_SHAPE(1);
    return ORR_OK;
}

static orr_status transform(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const orr_settings *s,
                            orr_dataset *d) {
    ORR_TRY(ctx, renumber(ctx, out_arena, s, d));
    ORR_TRY(ctx, change_inputs(ctx, scratch, out_arena, s, d));
    if (orr_flag(s, "flatten")) d->input = ORR_SHAPE(orr_dataset_features(d));
    ORR_TRY(ctx, label_noise(ctx, scratch, out_arena, s, d));
    return sign_classes(ctx, out_arena, s, d);
}

orr_status orr_data_transform(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, orr_dataset *d) {
    orr_arena *scratch;
    ORR_TRY(ctx, orr_arena_new(ctx, &scratch));
    const orr_status status = transform(ctx, scratch, out_arena, s, d);
    orr_arena_free(scratch);
    return status;
}

orr_status orr_data_prepare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, orr_dataset *d) {
    orr_selection kept;
    ORR_TRY(ctx, orr_data_select(ctx, out_arena, s, d, &kept));
    return orr_data_transform(ctx, out_arena, s, d);
}
