/* Learning rules against PyTorch's optimisers and NumPy references (make_goldens.py), and what all rules share. */
#include "testing.h"

#include "base/random.h"
#include "ingredient/rule/rule.h"
#include "ingredient/rule/goldens.h"

enum { TENSORS = 2 };

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_rule *rule_of(const char *name) {
    for (int i = 0; orr_rule_at(i); i++)
        if (strcmp(orr_rule_at(i)->kind.name, name) == 0) return orr_rule_at(i);
    fail_msg("no rule %s", name);
    return NULL;
}

/* Settings from pairs of a name and a value, ending with NULL. */
static orr_settings settings_of(const orr_rule *rule, const char *const *pairs) {
    orr_value *value = orr_parameter_fallbacks(arena, rule->kind.parameters);
    assert_non_null(value);
    for (; *pairs; pairs += 2) {
        const int at = orr_parameter_find(rule->kind.parameters, pairs[0]);
        const char *expected;
        if (at < 0) fail_msg("%s has no %s", rule->kind.name, pairs[0]);
        if (!orr_parameter_read(arena, &rule->kind.parameters[at], &pairs[1], 1, false, &value[at], &expected))
            fail_msg("%s %s: expected %s", pairs[0], pairs[1], expected);
    }
    return (orr_settings){ rule->kind.parameters, value };
}

/* ---- a small network, trained as lab/ does --------------------------------------------------------------------------------- */

typedef struct network {
    orr_tensor tensor[TENSORS]; /* a matrix, a vector */
    double w[OUTPUTS * INPUTS], b[OUTPUTS];
    double first_w[OUTPUTS * INPUTS]; /* after the first update */
    double p[STEPS + 1][OUTPUTS];     /* preconditioner of b before each update */
    orr_key key;
} network;

static network new_network(void) {
    network n = {
        .tensor = { orr_tensor_of("w", ORR_SHAPE(OUTPUTS, INPUTS), ORR_ROLE_HIDDEN, 1.0),
                    orr_tensor_of("b", ORR_SHAPE(OUTPUTS), ORR_ROLE_VECTOR, 0.0) },
        .key = { .seed = 7, .purpose = ORR_PURPOSE_NOISE },
    };
    return n;
}

/* L = 1/(2n) |tanh(X W' + b) - Y|^2 */
static orr_node loss_of(orr_graph *g, orr_node w, orr_node b) {
    const orr_node x = orr_literal(g, ORR_F64, ORR_SHAPE(EXAMPLES, INPUTS), data_x);
    const orr_node y = orr_literal(g, ORR_F64, ORR_SHAPE(EXAMPLES, OUTPUTS), data_y);
    return orr_mse(g, orr_tanh(g, orr_linear(g, x, w, b)), y);
}

static void gradient_at(void *self, orr_graph *g, const orr_node *w, orr_node *gradient) {
    const orr_node at[TENSORS] = { w[0], w[1] };
    (void)self;
    orr_grad(g, loss_of(g, at[0], at[1]), at, TENSORS, gradient);
}

/* STEPS updates, compiled once. */
static void train(orr_context *ctx, const orr_rule *rule, const orr_settings *s, network *n) {
    orr_graph *g;
    orr_program *program;
    orr_node gradient[TENSORS], buffer[TENSORS][ORR_RULE_BUFFERS_MAX], new_buffer[ORR_RULE_BUFFERS_MAX], output;
    orr_update updates[TENSORS * (ORR_RULE_BUFFERS_MAX + 1)];
    int32_t n_updates = 0;
    assert_ok(ctx, orr_graph_new(ctx, &g));
    const orr_node w[TENSORS] = { orr_input(g, "w", ORR_F64, n->tensor[0].shape),
                                  orr_input(g, "b", ORR_F64, n->tensor[1].shape) };
    const orr_node k = orr_input(g, "k", ORR_I32, ORR_SCALAR), k_real = orr_cast(g, k, ORR_F64);
    const int32_t words[4] = { (int32_t)n->key.seed, 0, (int32_t)n->key.purpose, 0 };
    gradient_at(NULL, g, w, gradient);
    const orr_rule_gradient of = { gradient_at, NULL };
    if (rule->regradient) rule->regradient(g, s, &of, w, TENSORS, gradient);
    orr_rule_clip(g, s, TENSORS, gradient);
    const orr_node eta = orr_fill(g, ORR_F64, ORR_SCALAR, orr_real(s, "learning_rate"));
    const orr_node rate = orr_mul(g, eta, orr_rule_schedule(g, s, k_real, STEPS));
    for (int i = 0; i < TENSORS; i++) {
        for (int b = 0; b < rule->buffers; b++) {
            const orr_shape shape =
                rule->buffer_shape ? rule->buffer_shape(s, n->tensor[i].shape, b) : n->tensor[i].shape;
            buffer[i][b] = orr_input(g, orr_arena_format(arena, "buffer%d.%d", i, b), ORR_F64, shape);
        }
        const orr_rule_tensor t = { .w = w[i],
                                    .gradient = gradient[i],
                                    .gradient_square = orr_dot(g, gradient, gradient, TENSORS),
                                    .buffer = buffer[i],
                                    .tensor = &n->tensor[i],
                                    .learning_rate = rate,
                                    .updates = k_real,
                                    .key = orr_literal(g, ORR_I32, ORR_SHAPE(4), words) };
        orr_node new_w;
        orr_rule_update(g, rule, s, &t, &new_w, new_buffer);
        updates[n_updates++] = (orr_update){ w[i], new_w };
        for (int b = 0; b < rule->buffers; b++) updates[n_updates++] = (orr_update){ buffer[i][b], new_buffer[b] };
    }
    output =
        rule->preconditioner ? rule->preconditioner(g, s, &n->tensor[1], k_real, buffer[1]) : orr_add(g, w[1], k_real);
    output = orr_broadcast(g, output, ORR_SHAPE(OUTPUTS));
    const orr_compile_options options = {
        .outputs = &output, .n_outputs = 1, .updates = updates, .n_updates = n_updates
    };
    assert_ok(ctx, orr_compile(ctx, g, &options, &program));
    memcpy(orr_program_data(program, w[0]), start_w, sizeof start_w);
    memcpy(orr_program_data(program, w[1]), start_b, sizeof start_b);
    for (int step = 0; step <= STEPS; step++) {
        if (step == 1) memcpy(n->first_w, orr_program_data(program, w[0]), sizeof n->first_w);
        memcpy(n->w, orr_program_data(program, w[0]), sizeof n->w);
        memcpy(n->b, orr_program_data(program, w[1]), sizeof n->b);
        assert_ok(ctx, orr_program_run_many(program, 1, k));
        memcpy(n->p[step], orr_program_data(program, output), sizeof n->p[step]);
    }
    orr_program_free(program);
    orr_graph_free(g);
}

static network trained(orr_context *ctx, const char *name, const char *const *pairs) {
    const orr_rule *rule = rule_of(name);
    const orr_settings s = settings_of(rule, pairs);
    network n = new_network();
    train(ctx, rule, &s, &n);
    return n;
}

/* ---- against others --------------------------------------------------------------------------------------------------------- */

/* 1e-10: twenty updates of rounding in float64, which sign and square roots of small numbers make larger. */
static void twenty_updates_end_where_pytorch_and_numpy_end(void **state) {
    for (size_t c = 0; c < sizeof goldens / sizeof *goldens; c++) {
        const struct golden *golden = &goldens[c];
        const network n = trained(*state, golden->rule, golden->pairs);
        double worst = 0;
        for (int i = 0; i < OUTPUTS * INPUTS; i++) worst = fmax(worst, fabs(n.w[i] - golden->w[i]));
        for (int i = 0; i < OUTPUTS; i++) worst = fmax(worst, fabs(n.b[i] - golden->b[i]));
        if (getenv("ORRERY_SHOW")) print_message("%3d %-16s %.2e\n", (int)c, golden->rule, worst);
        if (!(worst <= 1e-10)) fail_msg("case %d, %s: off by %g", (int)c, golden->rule, worst);
    }
}

static void schedules_are_those_of_pytorch(void **state) {
    const orr_rule *rule = rule_of("gd");
    for (size_t c = 0; c < sizeof schedules / sizeof *schedules; c++) {
        const orr_settings s = settings_of(rule, schedules[c].pairs);
        orr_graph *g;
        orr_program *program;
        assert_ok(*state, orr_graph_new(*state, &g));
        const orr_node k = orr_input(g, "k", ORR_F64, ORR_SHAPE(1));
        const orr_node factor = orr_add(g, orr_rule_schedule(g, &s, orr_reshape(g, k, ORR_SCALAR), UPDATES),
                                        orr_scale(g, orr_reshape(g, k, ORR_SCALAR), 0.0));
        assert_ok(*state,
                  orr_compile(*state, g, &(orr_compile_options){ .outputs = &factor, .n_outputs = 1 }, &program));
        for (int i = 0; i < UPDATES; i++) {
            *(double *)orr_program_data(program, k) = i;
            assert_ok(*state, orr_program_run(program));
            /* PyTorch multiplies from update to update: 25 roundings */
            assert_close(*(double *)orr_program_data(program, factor), schedules[c].factor[i], 1e-14);
        }
        orr_program_free(program);
        orr_graph_free(g);
    }
}

/* ---- recurrences written out ------------------------------------------------------------------------------------------------- */

/* With the parameters' own first update as what they start from: m = (1 - beta) g instead of g. */
static void heavy_ball_with_averaging_is_heavy_ball_with_a_smaller_rate(void **state) {
    const network averaged =
        trained(*state, "heavy-ball",
                (const char *const[]){ "learning_rate", "0.5", "momentum", "0.75", "averaging", "true", NULL });
    const network plain =
        trained(*state, "heavy-ball", (const char *const[]){ "learning_rate", "0.125", "momentum", "0.75", NULL });
    for (int i = 0; i < OUTPUTS * INPUTS; i++) assert_close(averaged.w[i], plain.w[i], 0); /* powers of two: exact */
}

/* Without memory of either kind Adam moves by eta in the direction of the sign. */
static void adam_without_memory_is_sign_descent(void **state) {
    const network adam = trained(
        *state, "adam", (const char *const[]){ "learning_rate", "0.01", "beta1", "0", "beta2", "0", "eps", "0", NULL });
    const network sign = trained(*state, "sign", (const char *const[]){ "learning_rate", "0.01", NULL });
    for (int i = 0; i < OUTPUTS * INPUTS; i++)
        assert_close(adam.w[i], sign.w[i], 1e-14); /* g / sqrt(g g) is 1 to rounding */
}

static void sam_without_a_step_uphill_is_gradient_descent(void **state) {
    const network sam = trained(*state, "sam", (const char *const[]){ "learning_rate", "0.3", "rho", "0", NULL });
    const network gd = trained(*state, "gd", (const char *const[]){ "learning_rate", "0.3", NULL });
    for (int i = 0; i < OUTPUTS * INPUTS; i++) assert_close(sam.w[i], gd.w[i], 0);
}

/* P is 1 at the start; then what the last update divided by: of a gradient g in the first, |g| + eps. */
static void preconditioners_are_what_the_update_divided_by(void **state) {
    const network adam = trained(*state, "adam", (const char *const[]){ "learning_rate", "1e-3", "eps", "0.25", NULL });
    const network rms = trained(*state, "rmsprop",
                                (const char *const[]){ "learning_rate", "1e-3", "beta2", "0.75", "eps", "0.25", NULL });
    const network slow = trained(*state, "gd",
                                 (const char *const[]){ "learning_rate", "1e-3", "horizon", "1", "schedule", "linear",
                                                        NULL }); /* one update, then none */
    for (int i = 0; i < OUTPUTS; i++) {
        const double size = fabs(start_b[i] - slow.b[i]) / 1e-3;
        assert_close(adam.p[0][i], 1.0, 0);
        assert_close(rms.p[0][i], 1.0, 0);
        assert_close(adam.p[1][i], size + 0.25, 1e-12); /* a difference of two numbers near 1, divided by 1e-3 */
        assert_close(rms.p[1][i], 0.5 * size + 0.25, 1e-12);
    }
}

/* ---- what all rules share ---------------------------------------------------------------------------------------------------- */

static void frozen_tensors_stay_as_they_are(void **state) {
    static const char *const pairs[] = { "learning_rate", "0.1", "weight_decay", "0.1", NULL };
    for (int r = 0; orr_rule_at(r); r++) {
        const orr_rule *rule = orr_rule_at(r);
        if (rule->flow) continue;
        const orr_settings s = settings_of(rule, pairs);
        network n = new_network();
        n.tensor[0].frozen = true;
        train(*state, rule, &s, &n);
        for (int i = 0; i < OUTPUTS * INPUTS; i++) assert_close(n.w[i], start_w[i], 0);
        int moved = 0; /* sign may come back to where it was, after as many steps up as down */
        for (int i = 0; i < OUTPUTS; i++) moved += n.b[i] != start_b[i];
        assert_true(moved > 0);
    }
}

/* The learning rate here is without the factor, so a factor of 4 leaves a quarter of the decay. */
static void coupled_decay_is_divided_by_the_tensors_rate(void **state) {
    static const char *const rules[] = { "gd", "adamw" }, *const couplings[] = { "gradient", "rate" };
    for (int r = 0; r < 2; r++) {
        const orr_rule *rule = rule_of(rules[r]);
        const orr_settings s = settings_of(rule, (const char *const[]){ "learning_rate", "0.1", "weight_decay", "0.5",
                                                                        "decay_coupling", couplings[r], NULL });
        const orr_settings quarter =
            settings_of(rule, (const char *const[]){ "learning_rate", "0.1", "weight_decay", "0.125", "decay_coupling",
                                                     couplings[r], NULL });
        network scaled = new_network(), plain = new_network();
        for (int i = 0; i < TENSORS; i++) scaled.tensor[i].rate_gradient = scaled.tensor[i].rate_sign = 4.0;
        train(*state, rule, &s, &scaled);
        train(*state, rule, &quarter, &plain);
        for (int i = 0; i < OUTPUTS * INPUTS; i++) assert_close(scaled.w[i], plain.w[i], 1e-15);
    }
}

static void eps_is_times_the_tensors_factor(void **state) {
    const orr_rule *rule = rule_of("adam");
    const orr_settings small = settings_of(rule, (const char *const[]){ "learning_rate", "0.1", "eps", "0.5", NULL });
    const orr_settings large = settings_of(rule, (const char *const[]){ "learning_rate", "0.1", "eps", "1", NULL });
    network half = new_network(), full = new_network();
    for (int i = 0; i < TENSORS; i++) full.tensor[i].epsilon = 0.5;
    train(*state, rule, &small, &half);
    train(*state, rule, &large, &full);
    for (int i = 0; i < OUTPUTS * INPUTS; i++) assert_close(half.w[i], full.w[i], 0);
    for (int i = 0; i < OUTPUTS; i++) assert_close(half.p[STEPS][i], full.p[STEPS][i], 0);
}

/* The gradient is short enough everywhere: not a bit changes. */
static void a_limit_that_is_not_reached_changes_nothing(void **state) {
    const network clipped = trained(*state, "gd", (const char *const[]){ "learning_rate", "0.3", "clip", "100", NULL });
    const network free_of = trained(*state, "gd", (const char *const[]){ "learning_rate", "0.3", NULL });
    for (int i = 0; i < OUTPUTS * INPUTS; i++) assert_close(clipped.w[i], free_of.w[i], 0);
}

/* w' - (w - eta g) = sqrt(2 eta T) xi, xi the stream of the key. */
static void sgld_adds_the_noise_of_its_temperature(void **state) {
    const network hot =
        trained(*state, "sgld", (const char *const[]){ "learning_rate", "0.125", "temperature", "0.25", NULL });
    const network cold = trained(*state, "gd", (const char *const[]){ "learning_rate", "0.125", NULL });
    double xi[OUTPUTS * INPUTS];
    orr_random_fill_normal(hot.key, 0, OUTPUTS * INPUTS, xi);
    for (int i = 0; i < OUTPUTS * INPUTS; i++)
        assert_close(hot.first_w[i] - cold.first_w[i], 0.25 * xi[i], 1e-15); /* one rounding of numbers near 1 */
}

static void rules_say_what_they_are(void **state) {
    (void)state;
    assert_true(rule_of("gradient-flow")->flow);
    assert_int_equal(orr_parameter_find(rule_of("gradient-flow")->kind.parameters, "learning_rate"), -1);
    assert_true(rule_of("label-noise-sgd")->noisy_targets);
    assert_true(rule_of("adam")->divides && rule_of("sign")->divides && !rule_of("sgd")->divides);
    for (int r = 0; orr_rule_at(r); r++) {
        assert_true(orr_rule_at(r)->buffers <= ORR_RULE_BUFFERS_MAX);
        assert_true(orr_rule_at(r)->flow == !orr_rule_at(r)->step);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_updates_end_where_pytorch_and_numpy_end),
        cmocka_unit_test(schedules_are_those_of_pytorch),
        cmocka_unit_test(heavy_ball_with_averaging_is_heavy_ball_with_a_smaller_rate),
        cmocka_unit_test(adam_without_memory_is_sign_descent),
        cmocka_unit_test(sam_without_a_step_uphill_is_gradient_descent),
        cmocka_unit_test(preconditioners_are_what_the_update_divided_by),
        cmocka_unit_test(frozen_tensors_stay_as_they_are),
        cmocka_unit_test(coupled_decay_is_divided_by_the_tensors_rate),
        cmocka_unit_test(eps_is_times_the_tensors_factor),
        cmocka_unit_test(a_limit_that_is_not_reached_changes_nothing),
        cmocka_unit_test(sgld_adds_the_noise_of_its_temperature),
        cmocka_unit_test(rules_say_what_they_are),
    };
    return cmocka_run_group_tests_name("ingredient/rule", tests, setup, teardown);
}
