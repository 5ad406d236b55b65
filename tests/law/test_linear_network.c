#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "../lab/laboratory.h"

#include "law/linear_network.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

#define TEXT(data)                                                                                                     \
    "name: deep\narchitecture: { kind: linear, widths: [4, 3] }\ndata: " data                                          \
    "\ntask: mse\nrule: { kind: gd, learning_rate: 0.1 }\nsteps: 1\nseeds: 2\n"

static void a_chain_is_the_matrices_of_a_seed_one_after_another(void **state) {
    const laboratory l = laboratory_of(*state, arena, TEXT("{ kind: gaussian, n: 9, dimension: 5, outputs: 2 }"));
    static const int64_t width[] = { 5, 4, 3, 2 };
    orr_linear_chain chain;
    double *w = ORR_NEW(arena, double, l.problems[1]->n);
    assert_ok(*state, orr_linear_chain_of(*state, arena, l.problems[1], 1, &chain));
    assert_ok(*state, orr_problem_initial(*state, l.problems[1], 1, w));
    assert_int_equal(chain.layers, 3);
    for (int i = 0; i < 4; i++) assert_int_equal(chain.width[i], width[i]);
    for (int64_t i = 0; i < chain.layers; i++) {
        assert_memory_equal(chain.w[i], w, (size_t)(width[i] * width[i + 1]) * sizeof *w);
        w += width[i] * width[i + 1];
    }
}

/* |y|^2 = 1 for every example with a label. */
static void labels_are_one_of_so_many_numbers(void **state) {
    const laboratory l =
        laboratory_of(*state, arena, TEXT("{ kind: gaussian-mixture, n: 12, dimension: 5, classes: 2 }"));
    orr_linear_task task;
    assert_ok(*state, orr_linear_task_of(*state, arena, l.problems[0], &task));
    assert_int_equal(task.inputs, 5);
    assert_int_equal(task.outputs, 2);
    assert_close(task.squares, 1.0, 1e-15);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(a_chain_is_the_matrices_of_a_seed_one_after_another),
        CLAIM(labels_are_one_of_so_many_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
