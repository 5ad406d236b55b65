/* A kick: once in a run, when the sharpness first passes the edge of stability, a step along its eigenvector, so that the
 * oscillation there begins at a size of its own and not at that of rounding, from which it would overshoot.
 *
 *     s_1, v_1   the top eigenpair of eta P^-1/2 H P^-1/2, P the rule's preconditioner (1 for gd); the edge is at 2
 *     w <- w + sqrt(kick L) U_1,  U_1 = sqrt(eta) P^-1/2 v_1       by which a quadratic loss rises by kick L
 *
 * Until then each update is preceded by a look: `LOOK_STEPS` Hessian products, from a vector of the run's seed, so that a run
 * that is resumed looks the same.  Sheet: laws/hyperparameters/central-flow.md, Measurement (seeding). */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "instrument/probe.h"
#include "lab/training_private.h"
#include "numeric/eigen.h"

enum { LOOK_STEPS = 40 };

struct orr_kick {
    orr_context *ctx;
    orr_arena *results, *scratch;
    orr_subject own;
    orr_probe probe;
    orr_node *v, *product, *root; /* of each tensor; root: P^-1/2, of its shape */
    double size;                  /* `kick` */
    int64_t after;
    bool *done; /* [members] */
};

static orr_status no_memory(orr_context *ctx) { return orr_fail(ctx, ORR_ENOMEM, "kick: out of memory"); }

void orr_training_kick_free(orr_kick *k) {
    if (!k) return;
    orr_probe_end(&k->probe);
    orr_arena_free(k->scratch);
    orr_arena_free(k->results);
    orr_release(k->ctx, k);
}

/* product = P^-1/2 H P^-1/2 v */
static orr_status compile(orr_kick *k) {
    const int32_t n = (int32_t)k->own.n_tensors;
    orr_probe *p = &k->probe;
    ORR_TRY(k->ctx, orr_probe_begin(k->ctx, &k->own, ORR_PART_TRAIN, p));
    orr_node *u = ORR_NEW(p->arena, orr_node, n), *output = ORR_NEW(p->arena, orr_node, 2 * n + 1);
    k->v = ORR_NEW(p->arena, orr_node, n);
    k->product = output;
    k->root = output + n;
    if (!u || !output || !k->v) return no_memory(k->ctx);
    for (int32_t t = 0; t < n; t++) {
        char name[32];
        (void)snprintf(name, sizeof name, "kick.v%d", t);
        k->v[t] = orr_input(p->g, name, k->own.dtype, k->own.shape[t]);
        const orr_node one = orr_fill(p->g, k->own.dtype, k->own.shape[t], 1.0);
        k->root[t] = p->graph.preconditioner
                         ? orr_mul(p->g, one, orr_reciprocal(p->g, orr_sqrt(p->g, p->graph.preconditioner[t])))
                         : one;
        u[t] = orr_mul(p->g, k->v[t], k->root[t]);
    }
    orr_hvp(p->g, p->graph.loss, p->graph.parameter, u, n, k->product);
    for (int32_t t = 0; t < n; t++) k->product[t] = orr_mul(p->g, k->product[t], k->root[t]);
    output[2 * n] = p->graph.loss;
    return orr_probe_compile(p, output, 2 * n + 1);
}

orr_status orr_training_kick_new(orr_training *t) {
    const orr_settings *s = t->rule_settings;
    if (!orr_settings_has(s, "kick") || orr_real(s, "kick") == 0.0) return ORR_OK;
    orr_kick *k = orr_allocate(t->ctx, sizeof *k);
    if (!k) return no_memory(t->ctx);
    *k = (orr_kick){ .ctx = t->ctx,
                     .own = orr_training_subject(t),
                     .probe = { .ctx = t->ctx },
                     .size = orr_real(s, "kick"),
                     .after = orr_int(s, "kick_after") };
    t->kick = k;
    k->done = ORR_NEW(t->arena, bool, t->members);
    if (!k->done) return no_memory(t->ctx);
    ORR_TRY(t->ctx, orr_arena_new(t->ctx, &k->results));
    ORR_TRY(t->ctx, orr_arena_new(t->ctx, &k->scratch));
    return compile(k);
}

static orr_status apply(void *self, const double *v, double *out) {
    orr_kick *k = self;
    for (int64_t t = 0; t < k->own.n_tensors; t++) {
        const int64_t n = orr_shape_count(&k->own.shape[t]);
        orr_probe_write(&k->probe, k->v[t], n, v);
        v += n;
    }
    ORR_TRY(k->ctx, orr_probe_run(&k->probe));
    for (int64_t t = 0; t < k->own.n_tensors; t++) {
        const int64_t n = orr_shape_count(&k->own.shape[t]);
        orr_probe_read(&k->probe, k->product[t], n, out);
        out += n;
    }
    return ORR_OK;
}

/* w += sqrt(kick L) U_1 for the selected member, whose program ran last at its w. */
static orr_status move(orr_training *t, int64_t member, const double *v_1) {
    orr_kick *k = t->kick;
    double loss, *root = ORR_NEW(k->scratch, double, k->own.n), *w = ORR_NEW(k->scratch, double, k->own.n);
    if (!root || !w) return no_memory(k->ctx);
    orr_probe_read(&k->probe, k->probe.graph.loss, 1, &loss);
    const double size = sqrt(k->size * loss * t->member[member].learning_rate);
    for (int64_t i = 0; i < k->own.n_tensors; i++) {
        const int64_t n = orr_shape_count(&k->own.shape[i]), at = t->trained[i];
        const size_t bytes = (size_t)n * orr_dtype_size(k->own.dtype);
        orr_probe_read(&k->probe, k->root[i], n, root);
        orr_probe_parameter(&k->own, i, w);
        for (int64_t j = 0; j < n; j++) w[j] += size * root[j] * v_1[j];
        orr_to_dtype(k->own.dtype, n, w, t->live_parameter[at]);
        if (t->members > 1) memcpy((char *)t->parameter[at] + (size_t)member * bytes, t->live_parameter[at], bytes);
        v_1 += n;
    }
    return ORR_OK;
}

static orr_status look(orr_training *t, int64_t member) {
    orr_kick *k = t->kick;
    const orr_operator a = { k->own.n, apply, k };
    const orr_eigen_options options = { .steps = LOOK_STEPS, .key = { .seed = t->member[member].seed } };
    orr_eigenpairs pairs;
    orr_training_select(t, member);
    ORR_TRY(t->ctx, orr_eigen_lanczos(t->ctx, k->results, k->scratch, &a, &options, &pairs));
    if (pairs.k == 0 || !(t->member[member].learning_rate * pairs.value[0] > 2.0)) return ORR_OK;
    k->done[member] = true;
    return move(t, member, pairs.vector);
}

orr_status orr_training_kick(orr_training *t, bool *waiting) {
    orr_kick *k = t->kick;
    *waiting = false;
    for (int64_t m = 0; k && m < t->members; m++) {
        if (!k->done[m] && *t->updates >= k->after) {
            const orr_arena_mark results = orr_arena_here(k->results), scratch = orr_arena_here(k->scratch);
            const orr_status status = look(t, m);
            orr_arena_rewind(k->results, results);
            orr_arena_rewind(k->scratch, scratch);
            if (status != ORR_OK) return status;
        }
        *waiting = *waiting || !k->done[m];
    }
    return ORR_OK;
}

bool orr_training_kicked(const orr_training *t, int64_t member) { return t->kick->done[member]; }
void orr_training_set_kicked(orr_training *t, int64_t member, bool kicked) { t->kick->done[member] = kicked; }
