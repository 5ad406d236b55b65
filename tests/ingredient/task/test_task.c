#define _POSIX_C_SOURCE 200809L
/* Tasks against PyTorch's losses and gradients (make_goldens.py), closed forms, and the goldens of the sheets. */
#include "testing.h"

#include "base/random.h"
#include "ingredient/settings.h"
#include "ingredient/task/task.h"
#include "ingredient/task/goldens.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_task *task_of(const char *name) {
    for (int i = 0; orr_task_at(i); i++)
        if (strcmp(orr_task_at(i)->kind.name, name) == 0) return orr_task_at(i);
    fail_msg("no task %s", name);
    return NULL;
}

static orr_settings settings_of_golden(const struct golden *golden) {
    const char *const *p = golden->pairs;
    const orr_parameter *table = task_of(golden->task)->kind.parameters;
    /* the list ends at its first NULL */
    return settings_of(arena, table, p[0], p[1], p[2], p[3], p[4], p[5], NULL);
}

/* Runs a program of what stands in the graph once, and copies the outputs. */
static void evaluate(orr_context *ctx, orr_graph *g, int n, const orr_node *output, double *const *to) {
    orr_program *program;
    assert_ok(ctx, orr_compile(ctx, g, &(orr_compile_options){ .outputs = output, .n_outputs = n }, &program));
    assert_ok(ctx, orr_program_run(program));
    for (int i = 0; i < n; i++) {
        const orr_shape shape = orr_node_shape(g, output[i]);
        memcpy(to[i], orr_program_data(program, output[i]), (size_t)orr_shape_count(&shape) * sizeof(double));
    }
    orr_program_free(program);
}

/* ---- against PyTorch --------------------------------------------------------------------------------------------------------- */

static orr_node target_of(orr_graph *g, const struct golden *golden) {
    int32_t label[NUMBERS_MAX];
    for (int i = 0; i < NUMBERS_MAX; i++) label[i] = (int32_t)golden->target[i];
    if (golden->classes) return orr_literal(g, ORR_I32, golden->target_shape, label);
    return golden->target_shape.size[0] ? orr_literal(g, ORR_F64, golden->target_shape, golden->target) : ORR_NONE;
}

/* The limit: rounding of sums of some twenty numbers of size 1; large losses and gradients are relative. */
static void losses_and_gradients_are_those_of_pytorch(void **state) {
    for (size_t c = 0; c < sizeof goldens / sizeof *goldens; c++) {
        const struct golden *golden = &goldens[c];
        const orr_task *task = task_of(golden->task);
        const orr_settings s = settings_of_golden(golden);
        double loss, gradient[NUMBERS_MAX];
        orr_graph *g;
        assert_ok(*state, orr_graph_new(*state, &g));
        const orr_node f = orr_literal(g, ORR_F64, golden->output_shape, golden->output);
        orr_node output[2] = { orr_task_loss(g, task, &s, f, target_of(g, golden), golden->classes) };
        orr_grad(g, output[0], &f, 1, &output[1]);
        evaluate(*state, g, 2, output, (double *const[]){ &loss, gradient });
        const double limit = 2e-15 * fmax(1.0, fabs(golden->loss));
        if (!(fabs(loss - golden->loss) <= limit))
            fail_msg("case %d, %s: %.17g, expected %.17g", (int)c, golden->task, loss, golden->loss);
        for (int i = 0; i < orr_shape_count(&golden->output_shape); i++)
            if (!(fabs(gradient[i] - golden->gradient[i]) <= limit))
                fail_msg("case %d, %s: gradient[%d] %.17g, expected %.17g", (int)c, golden->task, i, gradient[i],
                         golden->gradient[i]);
        orr_graph_free(g);
    }
}

static void the_loss_is_the_mean_or_the_sum_of_each(void **state) {
    for (size_t c = 0; c < sizeof goldens / sizeof *goldens; c++) {
        const struct golden *golden = &goldens[c];
        const orr_task *task = task_of(golden->task);
        const orr_settings s = settings_of_golden(golden);
        const int64_t n = golden->output_shape.size[0];
        double each[NUMBERS_MAX], sum = 0;
        orr_graph *g;
        if (!task->each) continue;
        assert_ok(*state, orr_graph_new(*state, &g));
        const orr_node f = orr_literal(g, ORR_F64, golden->output_shape, golden->output);
        const orr_node node = task->each(g, &s, f, target_of(g, golden), golden->classes);
        const orr_shape shape = orr_node_shape(g, node);
        assert_true(orr_shape_equal(&shape, &ORR_SHAPE(n)));
        evaluate(*state, g, 1, &node, (double *const[]){ each });
        for (int i = 0; i < n; i++) sum += each[i];
        if (strcmp(orr_text(&s, "examples"), "mean") == 0) sum /= (double)n;
        assert_close(sum, golden->loss, 4e-15 * fmax(1.0, fabs(golden->loss))); /* some roundings more than the loss */
        orr_graph_free(g);
    }
}

static void answers_are_right_where_the_largest_or_the_sign_is(void **state) {
    for (size_t c = 0; c < sizeof goldens / sizeof *goldens; c++) {
        const struct golden *golden = &goldens[c];
        const orr_task *task = task_of(golden->task);
        const orr_settings s = settings_of_golden(golden);
        double right;
        orr_graph *g;
        assert_ok(*state, orr_graph_new(*state, &g));
        const orr_node f = orr_literal(g, ORR_F64, golden->output_shape, golden->output);
        orr_node node = ORR_NONE;
        if (task->correct) node = task->correct(g, &s, f, target_of(g, golden), golden->classes);
        assert_int_equal(node.id != 0, golden->right >= 0);
        if (node.id) {
            node = orr_mean_all(g, node);
            evaluate(*state, g, 1, &node, (double *const[]){ &right });
            assert_close(right, golden->right, 1e-15);
        }
        orr_graph_free(g);
    }
}

/* Noise on labels comes as one-hot numbers. */
static void mse_takes_one_hot_numbers_for_labels(void **state) {
    static const double f[] = { 1, 2, 3, 4 }, y[] = { 0, 1, 1, 0 };
    static const int32_t label[] = { 1, 0 };
    const orr_task *mse = task_of("mse");
    const orr_settings s = settings_of(arena, mse->kind.parameters, NULL);
    double loss[2];
    orr_graph *g;
    assert_ok(*state, orr_graph_new(*state, &g));
    const orr_node output = orr_literal(g, ORR_F64, ORR_SHAPE(2, 2), f);
    const orr_node node[2] = {
        orr_task_loss(g, mse, &s, output, orr_literal(g, ORR_I32, ORR_SHAPE(2), label), 2),
        orr_task_loss(g, mse, &s, output, orr_literal(g, ORR_F64, ORR_SHAPE(2, 2), y), 2),
    };
    evaluate(*state, g, 2, node, (double *const[]){ &loss[0], &loss[1] });
    assert_close(loss[0], (1 + 1 + 4 + 16) / 4.0, 0);
    assert_close(loss[1], loss[0], 0);
    orr_graph_free(g);
}

/* ---- what a task asks of data ------------------------------------------------------------------------------------------------ */

static void refused(const char *task, const orr_dataset *d, const char *expected) {
    const orr_settings s = settings_of(arena, task_of(task)->kind.parameters, NULL);
    orr_signature signature;
    const char *why = "";
    assert_false(task_of(task)->signature(&s, d, &signature, &why));
    assert_string_equal(why, expected);
}

static orr_signature accepted(const char *task, const orr_dataset *d) {
    const orr_settings s = settings_of(arena, task_of(task)->kind.parameters, NULL);
    orr_signature signature;
    const char *why = "";
    if (!task_of(task)->signature(&s, d, &signature, &why)) fail_msg("%s: %s", task, why);
    return signature;
}

static void signatures_follow_from_the_data(void **state) {
    static const double y[] = { -1, 1, -1, 0.5 };
    static const int32_t label[] = { 0, 1, 2, 1 };
    const orr_dataset images = {
        .n = 4, .input = ORR_SHAPE(1, 2, 3), .target = ORR_SCALAR, .classes = 3, .label = label
    };
    const orr_dataset numbers = { .n = 2, .n_test = 2, .input = ORR_SHAPE(5), .target = ORR_SCALAR, .y = y };
    const orr_dataset pairs = { .n = 2, .input = ORR_SHAPE(5), .target = ORR_SHAPE(2), .y = y };
    const orr_dataset text = {
        .n = 2, .input = ORR_SHAPE(8), .vocabulary = 10, .target = ORR_SHAPE(8), .classes = 10, .label = label
    };
    const orr_dataset bare = { .n = 2, .input = ORR_SHAPE(5) };
    orr_dataset signs = numbers, two = images;
    (void)state;
    signs.n_test = 1;
    two.classes = 2;
    assert_int_equal(accepted("mse", &images).outputs, 3);
    assert_int_equal(accepted("mse", &numbers).outputs, 1);
    assert_int_equal(accepted("mse", &pairs).outputs, 2);
    assert_int_equal(accepted("cross-entropy", &images).outputs, 3);
    assert_int_equal(accepted("cross-entropy", &images).input.rank, 3);
    assert_int_equal(accepted("logistic", &two).outputs, 1);
    assert_int_equal(accepted("exponential", &signs).outputs, 1);
    assert_int_equal(accepted("denoising", &images).outputs, 6);
    assert_int_equal(accepted("barlow-twins", &bare).outputs, 6); /* its default */
    assert_true(accepted("next-token", &text).sequence);
    assert_int_equal(accepted("next-token", &text).vocabulary, 10);
    refused("mse", &bare, "needs targets; these data have none");
    refused("cross-entropy", &numbers, "needs labels; these data have numbers or no targets");
    refused("cross-entropy", &text, "needs one label for each example; these data have several");
    refused("next-token", &images, "needs a label at each position of an input");
    refused("logistic", &images, "needs labels of two classes, or numbers that are -1 or 1");
    refused("logistic", &numbers,
            "needs labels of two classes, or numbers that are -1 or 1"); /* the last test example */
    refused("exponential", &bare, "needs labels of two classes, or numbers that are -1 or 1");
    refused("denoising", &text, "needs inputs that are numbers; these are tokens");
    refused("barlow-twins", &text, "needs inputs that are numbers; these are tokens");
}

/* ---- what a task changes ------------------------------------------------------------------------------------------------------ */

enum { VIEWED = 2000, FEATURES = 2 };

/* x after corrupt, under a key; x before it is 1, 2, 3, ... */
static void corrupted(orr_context *ctx, const char *task, const orr_settings *s, int64_t rows, double *x,
                      double *target) {
    const orr_key key = { .seed = 5, .purpose = ORR_PURPOSE_NOISE, .step = 3 };
    const int32_t words[4] = { (int32_t)key.seed, 0, (int32_t)key.purpose, (int32_t)key.step };
    orr_graph *g;
    assert_ok(ctx, orr_graph_new(ctx, &g));
    orr_node node[2] = { orr_reshape(g, orr_shift(g, orr_iota(g, ORR_F64, ORR_SHAPE(VIEWED * FEATURES), 0), 1.0),
                                     ORR_SHAPE(VIEWED, FEATURES)) };
    task_of(task)->corrupt(g, s, orr_literal(g, ORR_I32, ORR_SHAPE(4), words), &node[0], &node[1]);
    assert_int_equal(orr_node_shape(g, node[0]).size[0], rows);
    evaluate(ctx, g, target ? 2 : 1, node, (double *const[]){ x, target });
    orr_graph_free(g);
}

static void denoising_adds_the_stream_of_its_key_and_asks_for_the_clean_input(void **state) {
    static double x[VIEWED * FEATURES], target[VIEWED * FEATURES], xi[VIEWED * FEATURES];
    const orr_settings s = settings_of(arena, task_of("denoising")->kind.parameters, "sigma", "0.25", NULL);
    corrupted(*state, "denoising", &s, VIEWED, x, target);
    orr_random_fill_normal((orr_key){ .seed = 5, .purpose = ORR_PURPOSE_NOISE, .step = 3 }, 0, VIEWED * FEATURES, xi);
    for (int i = 0; i < VIEWED * FEATURES; i++) {
        assert_close(target[i], i + 1, 0);
        assert_close(x[i], i + 1 + 0.25 * xi[i], 0x1p-40); /* the last bits of numbers up to 4000 */
    }
}

static void barlow_twins_keeps_the_part_it_says_in_each_view_independently(void **state) {
    static double x[2 * VIEWED * FEATURES];
    const int n = VIEWED * FEATURES;
    const orr_settings s = settings_of(arena, task_of("barlow-twins")->kind.parameters, "keep", "0.75", NULL);
    int kept = 0, both = 0;
    corrupted(*state, "barlow-twins", &s, 2 * VIEWED, x, NULL);
    for (int i = 0; i < n; i++) {
        assert_true((x[i] == 0 || x[i] == i + 1) && (x[n + i] == 0 || x[n + i] == i + 1));
        kept += (x[i] != 0) + (x[n + i] != 0);
        both += x[i] != 0 && x[n + i] != 0;
    }
    /* four standard deviations of a binomial's part */
    assert_close(kept / (2.0 * n), 0.75, 4 * sqrt(0.75 * 0.25 / (2.0 * n)));
    assert_close(both / (double)n, 0.5625, 4 * sqrt(0.5625 * 0.4375 / n));
}

static void barlow_twins_draws_its_noise_apart_from_its_mask(void **state) {
    static double noisy[2 * VIEWED * FEATURES], masked[2 * VIEWED * FEATURES];
    const int n = 2 * VIEWED * FEATURES;
    const orr_parameter *table = task_of("barlow-twins")->kind.parameters;
    const orr_settings with = settings_of(arena, table, "keep", "0.5", "sigma", "0.25", NULL);
    const orr_settings without = settings_of(arena, table, "keep", "0.5", NULL);
    double sum = 0, squares = 0, product = 0;
    corrupted(*state, "barlow-twins", &with, 2 * VIEWED, noisy, NULL);
    corrupted(*state, "barlow-twins", &without, 2 * VIEWED, masked, NULL);
    for (int i = 0; i < n; i++) {
        const double xi = (noisy[i] - masked[i]) / 0.25;
        sum += xi;
        squares += xi * xi;
        product += masked[i] != 0 ? xi : -xi;
    }
    /* four standard deviations of the mean of n normal numbers, of their squares, and with independent signs */
    assert_close(sum / n, 0.0, 4 / sqrt(n));
    assert_close(squares / n, 1.0, 4 * sqrt(2.0 / n));
    assert_close(product / n, 0.0, 4 / sqrt(n));
}

/* ---- the sheets -------------------------------------------------------------------------------------------------------------- */

/* laws/solvable/max-margin, data D1: the loss times eta t, of gradient descent from 0 on the sum over examples. */
static void logistic_descent_follows_the_sheet_of_the_maximum_margin(void **state) {
    enum { EXAMPLES = 7, INPUTS = 3 };
    static const double z[EXAMPLES * INPUTS] = { 1, .5, .2, .4,  1.5, -.3, .3, -.2, 1.6, 3,  2,
                                                 1, 2,  3,  2.5, 4,   1,   3,  2.5, 2.5, 2.5 };
    static const int32_t ones[EXAMPLES] = { 1, 1, 1, 1, 1, 1, 1 };
    static const struct at {
        int t;
        double loss;
    } sheet[] = { { 90, 1.00172 }, { 810, 1.08816 }, { 7290, 1.08281 } };
    const double eta = .0533930308;
    const orr_task *task = task_of("logistic");
    const orr_settings s = settings_of(arena, task->kind.parameters, "examples", "sum", NULL);
    orr_graph *g;
    orr_program *program;
    orr_node gradient;
    int t = 0;
    assert_ok(*state, orr_graph_new(*state, &g));
    const orr_node w = orr_input(g, "w", ORR_F64, ORR_SHAPE(1, INPUTS));
    const orr_node f = orr_linear(g, orr_literal(g, ORR_F64, ORR_SHAPE(EXAMPLES, INPUTS), z), w, ORR_NONE);
    const orr_node loss = orr_task_loss(g, task, &s, f, orr_literal(g, ORR_I32, ORR_SHAPE(EXAMPLES), ones), 2);
    orr_grad(g, loss, &w, 1, &gradient);
    const orr_update update = { w, orr_sub(g, w, orr_scale(g, gradient, eta)) };
    const orr_compile_options options = { .outputs = &loss, .n_outputs = 1, .updates = &update, .n_updates = 1 };
    assert_ok(*state, orr_compile(*state, g, &options, &program));
    for (size_t i = 0; i < sizeof sheet / sizeof *sheet; i++) {
        /* the output of a run is the loss before its update */
        assert_ok(*state, orr_program_run_many(program, sheet[i].t + 1 - t, ORR_NONE));
        t = sheet[i].t + 1;
        assert_close(*(double *)orr_program_data(program, loss) * eta * sheet[i].t, sheet[i].loss,
                     1e-5); /* its digits */
    }
    orr_program_free(program);
    orr_graph_free(g);
}

/* laws/solvable/ssl-stepwise: of a linear network, the gradient in W is 4 (C - 1) W Gamma. */
static void barlow_twins_of_a_linear_network_has_the_gradient_of_the_sheet(void **state) {
    enum { PAIRS = 3, INPUTS = 3, OUTPUTS = 2 };
    static const double x[2 * PAIRS][INPUTS] = { { 1, .5, -.25 }, { .5, -1, 2 },    { 0, .75, 1 },
                                                 { 1, .25, 0 },   { .25, -1, 1.5 }, { -.5, .5, 1 } };
    static const double w[OUTPUTS][INPUTS] = { { .3, -.2, .1 }, { -.1, .4, .25 } };
    const orr_task *task = task_of("barlow-twins");
    const orr_settings s = settings_of(arena, task->kind.parameters, "outputs", "2", NULL);
    double gamma[INPUTS][INPUTS] = { { 0 } }, wg[OUTPUTS][INPUTS] = { { 0 } }, c[OUTPUTS][OUTPUTS] = { { 0 } };
    double gradient[OUTPUTS][INPUTS];
    orr_graph *g;
    orr_node node;
    for (int p = 0; p < PAIRS; p++)
        for (int i = 0; i < INPUTS; i++)
            for (int j = 0; j < INPUTS; j++)
                gamma[i][j] += (x[p][i] * x[PAIRS + p][j] + x[PAIRS + p][i] * x[p][j]) / (2.0 * PAIRS);
    for (int a = 0; a < OUTPUTS; a++)
        for (int i = 0; i < INPUTS; i++)
            for (int j = 0; j < INPUTS; j++) wg[a][i] += w[a][j] * gamma[j][i];
    for (int a = 0; a < OUTPUTS; a++)
        for (int b = 0; b < OUTPUTS; b++)
            for (int i = 0; i < INPUTS; i++) c[a][b] += wg[a][i] * w[b][i];
    assert_ok(*state, orr_graph_new(*state, &g));
    const orr_node weights = orr_literal(g, ORR_F64, ORR_SHAPE(OUTPUTS, INPUTS), w);
    const orr_node f = orr_linear(g, orr_literal(g, ORR_F64, ORR_SHAPE(2 * PAIRS, INPUTS), x), weights, ORR_NONE);
    orr_grad(g, orr_task_loss(g, task, &s, f, ORR_NONE, 0), &weights, 1, &node);
    evaluate(*state, g, 1, &node, (double *const[]){ *gradient });
    for (int a = 0; a < OUTPUTS; a++)
        for (int i = 0; i < INPUTS; i++) {
            double expected = 0;
            for (int b = 0; b < OUTPUTS; b++) expected += 4 * (c[a][b] - (a == b)) * wg[b][i];
            assert_close(gradient[a][i], expected, 1e-14); /* sums of some tens of numbers near 1 */
        }
    orr_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_and_gradients_are_those_of_pytorch),
        cmocka_unit_test(the_loss_is_the_mean_or_the_sum_of_each),
        cmocka_unit_test(answers_are_right_where_the_largest_or_the_sign_is),
        cmocka_unit_test(mse_takes_one_hot_numbers_for_labels),
        cmocka_unit_test(signatures_follow_from_the_data),
        cmocka_unit_test(denoising_adds_the_stream_of_its_key_and_asks_for_the_clean_input),
        cmocka_unit_test(barlow_twins_keeps_the_part_it_says_in_each_view_independently),
        cmocka_unit_test(barlow_twins_draws_its_noise_apart_from_its_mask),
        cmocka_unit_test(logistic_descent_follows_the_sheet_of_the_maximum_margin),
        cmocka_unit_test(barlow_twins_of_a_linear_network_has_the_gradient_of_the_sheet),
    };
    return cmocka_run_group_tests_name("ingredient/task", tests, setup, teardown);
}
