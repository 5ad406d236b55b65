#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "../../lab/laboratory.h"

#include "law/empirical/symmetry.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

#define TEXT(architecture, task)                                                                                       \
    "name: s\narchitecture: " architecture                                                                             \
    "\ndata: { kind: gaussian-mixture, n: 12, dimension: 3, classes: 2 }\ntask: " task                                 \
    "\nrule: { kind: gd, learning_rate: 0.1 }\nsteps: 1\nseeds: 1\n"

static void a_balance_keeps_what_is_between_its_matrices(void **state) {
    static const struct {
        const char *text;
        orr_kept kept;
        double degree;
        bool softmax, norm;
    } rows[] = {
        { TEXT("{ kind: mlp, widths: [4], activation: linear }", "mse"), ORR_KEPT_LINEAR, 1.0, false, false },
        { TEXT("{ kind: mlp, widths: [4], activation: relu }", "cross-entropy"), ORR_KEPT_UNITS, 1.0, true, false },
        { TEXT("{ kind: mlp, widths: [4], activation: quadratic }", "mse"), ORR_KEPT_UNITS, 2.0, false, false },
        { TEXT("{ kind: mlp, widths: [4], activation: tanh }", "mse"), ORR_KEPT_NOTHING, 0.0, false, false },
        { TEXT("{ kind: mlp, widths: [4], activation: relu, norm: layer }", "mse"), ORR_KEPT_NOTHING, 1.0, false,
          true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const laboratory l = laboratory_of(*state, arena, rows[i].text);
        const orr_point *p = &l.experiment.points[0];
        orr_balances b;
        assert_ok(*state, orr_kept_balances(*state, arena, p, l.problems[0], &b));
        assert_close(orr_kept_degree(p), rows[i].degree, 0.0);
        assert_int_equal(orr_has_softmax(p), rows[i].softmax);
        assert_int_equal(orr_has_norm(p), rows[i].norm);
        assert_int_equal(orr_is_plain_chain(p), !rows[i].norm);
        assert_int_equal(orr_has_scale(p, l.problems[0], 0), rows[i].norm);
        for (int64_t k = 0; k < b.n; k++) {
            assert_int_equal(orr_kept_of_balance(p, &b.item[k]), rows[i].kept);
            if (rows[i].kept == ORR_KEPT_UNITS) assert_close(b.item[k].degree, rows[i].degree, 0.0);
        }
    }
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(a_balance_keeps_what_is_between_its_matrices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
