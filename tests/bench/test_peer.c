/* Each workload computes what the peer's function of its name computes, on the same inputs. */
#include "testing.h"

#include "base/random.h"
#include "workloads/workload.h"

typedef struct golden {
    const char *workload;
    int64_t units; /* after which */
    const char *tensor;
    double norm, along, first, last; /* of the change since the start; of the tensor itself where before = 0 */
    double before;                   /* norm at the start */
} golden;

static const golden goldens[] = {
#define GOLDEN(workload, ...) { #workload, __VA_ARGS__ },
#include "peer_goldens.def"
#undef GOLDEN
};
enum { GOLDENS = sizeof goldens / sizeof *goldens };

static const orr_instance_options options = { .reproducible = true, .given_data = true };

/* ---- measuring a disagreement ------------------------------------------------------------------------------------ */

/* What rounding may do to the norm of a change.
 * float64: 1e-13 of it; measured 6e-15 at most, after 200 steps.
 * float32: every step rounds every weight by up to 2^-24 of it.  Beside that the change itself has the relative error
 * of sums of some thousand terms, 2^-24 sqrt(1000) = 2e-6, times ten for the depth of the graph.  Adam divides
 * gradients by their own size, so that the few in 10^4 that rounding drowns move as far as the others.
 * Kernel: squares of distances come from a difference of products, so that of a point to itself is sqrt(eps 2 |x|^2) = 6e-7
 * at most instead of 0, the diagonal is off by 2e-8, and its smallest eigenvalue is about 0.7. */
static double limit_of(const golden *want, orr_dtype dtype) {
    if (strcmp(want->workload, "krr_curve") == 0) return 1e-7 * want->norm;
    if (dtype == ORR_F64) return 1e-13 * want->norm;
    const double relative = strcmp(want->workload, "transformer_step") == 0 ? 1e-4 : 2e-5;
    return relative * want->norm + 0x1p-24 * (double)want->units * want->before;
}

static double element(const void *data, orr_dtype dtype, int64_t i) {
    return dtype == ORR_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

/* The largest of four differences, each over its limit: an error vector of norm e moves the norm by at most e, the
 * projection on a direction of uniform numbers by 0.6 e (allowed: 2 e), and one of n elements by e / sqrt(n) (allowed:
 * five times that). */
static double disagreement(orr_instance *x, orr_instance *start, const golden *want) {
    orr_dtype dtype;
    int64_t n;
    const void *now = orr_instance_data(x, want->tensor, &dtype, &n);
    const void *was = want->before > 0 ? orr_instance_data(start, want->tensor, &dtype, &n) : NULL;
    assert_non_null(now);
    char name[64];
    (void)snprintf(name, sizeof name, "along %s", want->tensor);
    const uint64_t direction = orr_reproducible_stream(want->workload, name);
    double square = 0, along = 0, first = 0, last = 0;
    for (int64_t i = 0; i < n; i++) {
        last = element(now, dtype, i) - (was ? element(was, dtype, i) : 0.0);
        if (i == 0) first = last;
        square += last * last;
        along += last * (2.0 * orr_reproducible(direction, i) - 1.0);
    }
    const double limit = limit_of(want, dtype), each = 5.0 * limit / sqrt((double)n);
    const double parts[] = { fabs(sqrt(square) - want->norm) / limit, fabs(along - want->along) / (2.0 * limit),
                             fabs(first - want->first) / each, fabs(last - want->last) / each };
    double worst = 0.0;
    for (int i = 0; i < 4; i++) worst = parts[i] <= worst ? worst : parts[i]; /* NaN stays */
    return worst;
}

/* ---- running ------------------------------------------------------------------------------------------------------
 */

/* Step k of online_sgd draws elements 500 k .. 500 k + 499, as the script gives them to the peer. */
static void run_online(orr_context *ctx, orr_instance *x, int64_t units) {
    orr_dtype dtype;
    int64_t n;
    double *input = orr_instance_data(x, "x", &dtype, &n);
    assert_non_null(input);
    const uint64_t stream = orr_reproducible_stream("online_sgd", "x");
    for (int64_t k = 0; k < units; k++) {
        for (int64_t i = 0; i < n; i++) input[i] = sqrt(3.0) * (2.0 * orr_reproducible(stream, k * n + i) - 1.0);
        assert_ok(ctx, orr_instance_run(x, 1));
    }
}

/* The worst disagreement of a workload's tensors after `short_by` units fewer than the peer ran. */
static double worst_of(orr_context *ctx, const char *name, int64_t short_by, const char **which) {
    orr_instance *x = NULL, *start = NULL;
    double worst = 0.0;
    int64_t units = 0;
    for (int i = 0; i < GOLDENS; i++)
        if (strcmp(goldens[i].workload, name) == 0) units = goldens[i].units;
    assert_true(units > 0);
    assert_ok(ctx, orr_instance_new(ctx, orr_workload_find(name), &options, &start));
    assert_ok(ctx, orr_instance_new(ctx, orr_workload_find(name), &options, &x));
    if (strcmp(name, "online_sgd") == 0) run_online(ctx, x, units - short_by);
    else assert_ok(ctx, orr_instance_run(x, units - short_by));
    for (int i = 0; i < GOLDENS; i++) {
        if (strcmp(goldens[i].workload, name) != 0) continue;
        const double now = disagreement(x, start, &goldens[i]);
        if (!(now <= worst)) worst = now, *which = goldens[i].tensor;
    }
    orr_instance_free(x);
    orr_instance_free(start);
    return worst;
}

static void agrees(void **state, const char *name) {
    const char *which = "nothing";
    const double worst = worst_of(*state, name, 0, &which);
    if (!(worst <= 1.0)) fail_msg("%s of %s differs from the peer's by %.3g times its limit", which, name, worst);
}

static void gd_fullbatch_is_the_peers(void **state) { agrees(state, "gd_fullbatch"); }
static void sgd_minibatch_is_the_peers(void **state) { agrees(state, "sgd_minibatch"); }
static void hvp_is_the_peers_double_backward(void **state) { agrees(state, "hvp"); }
static void tiny_net_is_the_peers(void **state) { agrees(state, "tiny_net"); }
static void tiny_ensemble_by_vmap_is_the_peers_by_bmm(void **state) { agrees(state, "tiny_ensemble"); }
static void online_sgd_is_the_peers_on_the_same_inputs(void **state) { agrees(state, "online_sgd"); }
static void cnn_step_is_the_peers(void **state) { agrees(state, "cnn_step"); }
static void transformer_step_is_the_peers(void **state) { agrees(state, "transformer_step"); }
static void ntk_gram_by_layers_is_the_peers_by_jacobians(void **state) { agrees(state, "ntk_gram"); }
static void per_example_norms_without_gradients_are_the_peers(void **state) { agrees(state, "per_example_grads"); }
static void krr_curve_by_cholesky_is_the_peers_by_lu(void **state) { agrees(state, "krr_curve"); }
static void agop_is_the_peers(void **state) { agrees(state, "agop"); }

/* So that the limits above are no blank cheque: a step is far more than rounding. */
static void one_step_fewer_is_noticed(void **state) {
    const char *which;
    assert_true(worst_of(*state, "gd_fullbatch", 1, &which) > 100.0);
    assert_true(worst_of(*state, "sgd_minibatch", 1, &which) > 100.0);
    assert_true(worst_of(*state, "transformer_step", 1, &which) > 100.0);
    assert_true(worst_of(*state, "tiny_net", 1, &which) > 1e6);
}

/* The step that draws its own x is the step that is given the same x. */
static void online_sgd_draws_the_stream_of_its_steps(void **state) {
    orr_context *ctx = *state;
    orr_instance *drawn, *given;
    orr_dtype dtype;
    int64_t n, n_w;
    assert_ok(ctx, orr_instance_new(ctx, orr_workload_find("online_sgd"), NULL, &drawn));
    assert_ok(ctx, orr_instance_new(ctx, orr_workload_find("online_sgd"), &(orr_instance_options){ .given_data = true },
                                    &given));
    double *x = orr_instance_data(given, "x", &dtype, &n);
    for (uint32_t k = 0; k < 3; k++) {
        orr_random_fill_normal((orr_key){ .seed = 1, .purpose = ORR_PURPOSE_DATA, .step = k }, 0, n, x);
        assert_ok(ctx, orr_instance_run(given, 1));
    }
    assert_ok(ctx, orr_instance_run(drawn, 3));
    const double *w = orr_instance_data(drawn, "w", &dtype, &n_w),
                 *w_given = orr_instance_data(given, "w", &dtype, &n_w);
    /* x may differ in its last bits where the device's vector functions are not the library's */
    for (int64_t i = 0; i < n_w; i++) assert_close(w[i], w_given[i], 1e-13);
    orr_instance_free(drawn);
    orr_instance_free(given);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gd_fullbatch_is_the_peers),
        cmocka_unit_test(sgd_minibatch_is_the_peers),
        cmocka_unit_test(hvp_is_the_peers_double_backward),
        cmocka_unit_test(tiny_net_is_the_peers),
        cmocka_unit_test(tiny_ensemble_by_vmap_is_the_peers_by_bmm),
        cmocka_unit_test(online_sgd_is_the_peers_on_the_same_inputs),
        cmocka_unit_test(cnn_step_is_the_peers),
        cmocka_unit_test(transformer_step_is_the_peers),
        cmocka_unit_test(ntk_gram_by_layers_is_the_peers_by_jacobians),
        cmocka_unit_test(per_example_norms_without_gradients_are_the_peers),
        cmocka_unit_test(agop_is_the_peers),
        cmocka_unit_test(krr_curve_by_cholesky_is_the_peers_by_lu),
        cmocka_unit_test(one_step_fewer_is_noticed),
        cmocka_unit_test(online_sgd_draws_the_stream_of_its_steps),
    };
    return cmocka_run_group_tests_name("bench/peer", tests, context_setup, context_teardown);
}
