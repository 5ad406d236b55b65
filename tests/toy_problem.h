/* A small problem for tests that need no dataset: 5 examples of 4 features, 3 classes, a network 4-3-3. */
#ifndef ORR_TESTS_TOY_PROBLEM_H
#define ORR_TESTS_TOY_PROBLEM_H

#include "testing.h"

#include "base/random.h"
#include "ingredient/problem.h"

enum { TOY_N = 5, TOY_FEATURES = 4, TOY_CLASSES = 3, TOY_WIDTH = 3 };
static const int32_t toy_label[TOY_N] = { 0, 2, 1, 1, 0 };

static inline const orr_task *toy_task(const char *name) {
    int i = 0;
    while (orr_task_at(i) && strcmp(orr_task_at(i)->kind.name, name) != 0) i++;
    assert_non_null(orr_task_at(i));
    return orr_task_at(i);
}

/* Of n examples with these labels. */
static inline orr_problem toy_problem_of(orr_context *ctx, orr_arena *arena, const char *task, orr_dtype dtype,
                                         int64_t n, const int32_t *labels, int64_t features, int64_t width) {
    const orr_architecture *mlp = orr_architecture_at(0);
    const orr_task *t = toy_task(task);
    orr_value *value = orr_parameter_fallbacks(arena, mlp->kind.parameters),
              *task_value = orr_parameter_fallbacks(arena, t->kind.parameters);
    double *x = ORR_NEW(arena, double, n *features);
    int64_t *widths = ORR_NEW(arena, int64_t, 1);
    orr_problem out;
    assert_string_equal(mlp->kind.name, "mlp");
    orr_random_fill_normal((orr_key){ .seed = 1, .purpose = ORR_PURPOSE_TEST }, 0, n * features, x);
    widths[0] = width;
    value[orr_parameter_find(mlp->kind.parameters, "widths")].items = widths;
    value[orr_parameter_find(mlp->kind.parameters, "widths")].n = 1;
    value[orr_parameter_find(mlp->kind.parameters, "bias_variance")].real = 0.25;
    int32_t *label = ORR_NEW(arena, int32_t, n);
    memcpy(label, labels, (size_t)n * sizeof *label);
    const orr_dataset data = { .n = n,
                               .input = ORR_SHAPE(features),
                               .target = ORR_SCALAR,
                               .classes = TOY_CLASSES,
                               .x = x,
                               .label = label,
                               .source = "toy" };
    const orr_ingredients kinds = { .architecture = mlp,
                                    .task = t,
                                    .architecture_settings = { mlp->kind.parameters, value },
                                    .task_settings = { t->kind.parameters, task_value } };
    assert_ok(ctx, orr_problem_new(ctx, arena, &kinds, &data, dtype, &out));
    return out;
}

static inline orr_problem toy_problem(orr_context *ctx, orr_arena *arena, const char *task, orr_dtype dtype) {
    return toy_problem_of(ctx, arena, task, dtype, TOY_N, toy_label, TOY_FEATURES, TOY_WIDTH);
}

#endif
