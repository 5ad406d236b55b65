#include "testing.h"

#include "ingredient/rule/rule.h"

enum { N = 3, STEPS = 20 };
static const double curvature[N] = { 1.0, 0.3, 2.0 }, start[N] = { 1.0, -2.0, 0.5 };

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
        assert_true(at >= 0);
        assert_true(orr_parameter_read(arena, &rule->kind.parameters[at], &pairs[1], 1, false, &value[at], &expected));
    }
    return (orr_settings){ rule->kind.parameters, value };
}

/* STEPS updates on L = 1/2 sum c_i w_i^2, compiled; p gets the preconditioner before each of them. */
static void train(orr_context *ctx, const orr_rule *rule, const orr_settings *s, double w[N], double p[STEPS + 1][N]) {
    orr_graph *g;
    orr_program *program;
    orr_node buffer[ORR_RULE_BUFFERS_MAX], new_buffer[ORR_RULE_BUFFERS_MAX], new_w, outputs[1];
    orr_update updates[ORR_RULE_BUFFERS_MAX + 1];
    assert_ok(ctx, orr_graph_new(ctx, &g));
    const orr_node x = orr_input(g, "w", ORR_F64, ORR_SHAPE(N)), k = orr_input(g, "k", ORR_I32, ORR_SCALAR);
    const orr_node k_real = orr_cast(g, k, ORR_F64);
    for (int b = 0; b < rule->buffers; b++) {
        char name[2] = { (char)('a' + b), 0 };
        buffer[b] = orr_input(g, name, ORR_F64, ORR_SHAPE(N));
    }
    const orr_node gradient = orr_mul(g, x, orr_literal(g, ORR_F64, ORR_SHAPE(N), curvature));
    rule->step(g, s, k_real, x, gradient, buffer, &new_w, new_buffer);
    updates[0] = (orr_update){ x, new_w };
    for (int b = 0; b < rule->buffers; b++) updates[b + 1] = (orr_update){ buffer[b], new_buffer[b] };
    outputs[0] =
        rule->preconditioner ? rule->preconditioner(g, s, k_real, buffer) : orr_add(g, x, orr_cast(g, k, ORR_F64));
    const orr_compile_options options = {
        .outputs = outputs, .n_outputs = 1, .updates = updates, .n_updates = rule->buffers + 1
    };
    assert_ok(ctx, orr_compile(ctx, g, &options, &program));
    memcpy(orr_program_data(program, x), start, sizeof start);
    for (int step = 0; step <= STEPS; step++) {
        memcpy(w, orr_program_data(program, x), sizeof start);
        assert_ok(ctx, orr_program_run_many(program, 1, k));
        memcpy(p[step], orr_program_data(program, outputs[0]), sizeof start);
    }
    orr_program_free(program);
    orr_graph_free(g);
}

static void check(orr_context *ctx, const char *name, const char *const *pairs, const double expected[N]) {
    const orr_rule *rule = rule_of(name);
    const orr_settings s = settings_of(rule, pairs);
    double w[N], p[STEPS + 1][N];
    train(ctx, rule, &s, w, p);
    for (int i = 0; i < N; i++) assert_close(w[i], expected[i], 1e-13); /* twenty updates of rounding */
}

/* Each rule against its recurrence, written out for one number. */
static void gd_and_its_momenta_follow_their_recurrences(void **state) {
    double gd[N], heavy[N], averaged[N], nesterov[N];
    for (int i = 0; i < N; i++) {
        double m = 0, v = 0, u = 0;
        gd[i] = heavy[i] = averaged[i] = nesterov[i] = start[i];
        for (int k = 0; k < STEPS; k++) {
            gd[i] -= 0.1 * curvature[i] * gd[i];
            m = 0.9 * m + curvature[i] * heavy[i];
            heavy[i] -= 0.1 * m;
            v = 0.9 * v + (1.0 - 0.9) * curvature[i] * averaged[i];
            averaged[i] -= 0.1 * v;
            const double g = curvature[i] * nesterov[i];
            u = 0.8 * u + g;
            nesterov[i] -= 0.05 * (g + 0.8 * u);
        }
    }
    check(*state, "gd", (const char *const[]){ "learning_rate", "0.1", NULL }, gd);
    check(*state, "heavy-ball", (const char *const[]){ "learning_rate", "0.1", NULL }, heavy);
    check(*state, "heavy-ball", (const char *const[]){ "learning_rate", "0.1", "averaging", "true", NULL }, averaged);
    check(*state, "nesterov", (const char *const[]){ "learning_rate", "0.05", "momentum", "0.8", NULL }, nesterov);
}

static void adam_and_rmsprop_follow_their_recurrences_and_show_their_preconditioners(void **state) {
    static const char *const adam_pairs[] = { "learning_rate", "0.1", "beta1", "0.7", "beta2",
                                              "0.9",           "eps", "1e-6",  NULL };
    static const char *const rms_pairs[] = { "learning_rate", "0.1", "beta2", "0.9", "eps", "1e-6", NULL };
    const orr_rule *adam = rule_of("adam"), *rmsprop = rule_of("rmsprop");
    const orr_settings adam_settings = settings_of(adam, adam_pairs), rms_settings = settings_of(rmsprop, rms_pairs);
    double w[N], u[N], p[STEPS + 1][N], q[STEPS + 1][N];
    train(*state, adam, &adam_settings, w, p);
    train(*state, rmsprop, &rms_settings, u, q);
    for (int i = 0; i < N; i++) {
        double x = start[i], m = 0, v = 0, y = start[i], s = 0;
        assert_close(p[0][i], 1.0, 0);
        assert_close(q[0][i], 1.0, 0);
        for (int k = 1; k <= STEPS; k++) {
            const double g = curvature[i] * x, h = curvature[i] * y;
            m = 0.7 * m + 0.3 * g;
            v = 0.9 * v + 0.1 * g * g;
            const double below = sqrt(v / (1.0 - pow(0.9, k))) + 1e-6;
            x -= 0.1 * m / (1.0 - pow(0.7, k)) / below;
            s = 0.9 * s + 0.1 * h * h;
            y -= 0.1 * h / (sqrt(s) + 1e-6);
            assert_close(p[k][i], below, 1e-13);
            assert_close(q[k][i], sqrt(s) + 1e-6, 1e-13);
        }
        assert_close(w[i], x, 1e-12); /* the quotients carry more rounding than the sums above */
        assert_close(u[i], y, 1e-12);
    }
}

/* Without memory of either kind Adam moves by eta in the direction of the sign. */
static void adam_without_memory_is_sign_descent(void **state) {
    double expected[N];
    for (int i = 0; i < N; i++) {
        expected[i] = start[i];
        for (int k = 0; k < STEPS; k++) expected[i] -= 0.01 * (expected[i] > 0 ? 1 : -1);
    }
    check(*state, "adam",
          (const char *const[]){ "learning_rate", "0.01", "beta1", "0", "beta2", "0", "eps", "0", NULL }, expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gd_and_its_momenta_follow_their_recurrences),
        cmocka_unit_test(adam_and_rmsprop_follow_their_recurrences_and_show_their_preconditioners),
        cmocka_unit_test(adam_without_memory_is_sign_descent),
    };
    return cmocka_run_group_tests_name("ingredient/rule", tests, setup, teardown);
}
