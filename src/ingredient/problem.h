/* A problem: architecture, data and task put together, a loss as a graph over parameter tensors.  What is left open is
 * the learning rule. */
#ifndef ORR_INGREDIENT_PROBLEM_H
#define ORR_INGREDIENT_PROBLEM_H

#include "base/arena.h"
#include "ingredient/architecture/architecture.h"
#include "ingredient/data/data.h"
#include "ingredient/initial/initial.h"
#include "ingredient/parameterization.h"
#include "ingredient/task/task.h"
#include "orrery.h"
#include "theory/landscape.h"

/* The kinds that make a problem, each with its values.  parameterization and initial may be NULL: standard and normal. */
typedef struct orr_ingredients {
    const orr_architecture *architecture;
    const orr_parameterization *parameterization;
    const orr_initial *initial;
    const orr_data *data; /* NULL: data given as arrays, which can't be sampled afresh */
    const orr_task *task;
    orr_settings architecture_settings, parameterization_settings, initial_settings, data_settings, task_settings;
} orr_ingredients;

typedef struct orr_problem {
    orr_ingredients kind;
    orr_dtype dtype;
    orr_dataset data; /* its doubles are there until training begins */
    orr_signature signature;
    orr_network network; /* parameterized */
    const orr_tensor
        *tensors; /* the network's; behind them, where its output is centred, frozen copies that stay as it starts */
    int64_t n_tensors;
    int64_t n;                  /* numbers in all tensors together */
    void *x, *test_x;           /* [n, input], [n_test, input]: numbers in dtype, or tokens; aligned to 64 */
    void *target, *test_target; /* [n, target]: numbers in dtype, or labels; NULL where there are none */
    void **fact;                /* the data's facts in dtype */
} orr_problem;

/* Borrows the dataset; the rest lives in out_arena.  Fails: ORR_EINPUT where the ingredients don't go together, ORR_ENOMEM. */
orr_status orr_problem_new(orr_context *ctx, orr_arena *out_arena, const orr_ingredients *ingredients,
                           const orr_dataset *data, orr_dtype dtype, orr_problem *out) ORR_MUST_USE;

/* The initial parameters of a seed, one tensor behind the other: w[n].  Fails as the kind of start does. */
orr_status orr_problem_initial(orr_context *ctx, const orr_problem *p, uint64_t seed, double *w) ORR_MUST_USE;

typedef struct orr_problem_graph {
    orr_node *parameter, *effective; /* an input for each tensor, of its name; the same times its multiplier */
    orr_node x, target;              /* of the batch, before the task changes them */
    orr_node output, loss;
    orr_node each, correct; /* ORR_NONE where the task has none */
    orr_taps taps;
} orr_problem_graph;

/* Inputs for all parameters: out->parameter and out->effective, in out_arena. */
orr_status orr_problem_parameters(orr_context *ctx, orr_arena *out_arena, const orr_problem *p, orr_graph *g,
                                  orr_problem_graph *out) ORR_MUST_USE;
/* The rest of *out, for a batch of n examples and parameters that stand in *out.  key: i32[4], for tasks that draw noise.
 * A mistake sticks to the graph. */
void orr_problem_forward(const orr_problem *p, orr_graph *g, int64_t n, orr_node x, orr_node target, orr_node key,
                         orr_problem_graph *out);

/* Types of a batch of n: for the inputs that stand for data. */
orr_node orr_problem_x_input(const orr_problem *p, orr_graph *g, const char *name, int64_t n);
orr_node orr_problem_target_input(const orr_problem *p, orr_graph *g, const char *name, int64_t n);

/* The key under which losses are evaluated, for tasks that draw noise: the same at every step. */
orr_node orr_problem_evaluation_key(orr_graph *g);

/* Both steps over all training examples as inputs. */
orr_status orr_problem_build(orr_context *ctx, orr_arena *out_arena, const orr_problem *p, orr_graph *g,
                             orr_problem_graph *out) ORR_MUST_USE;

/* Lets a program of orr_problem_build read the data where they lie. */
orr_status orr_problem_feed(orr_context *ctx, const orr_problem *p, const orr_problem_graph *nodes,
                            orr_program *program) ORR_MUST_USE;

/* Numbers of dtype f32 or f64 from and to doubles. */
void orr_to_dtype(orr_dtype dtype, int64_t n, const double *from, void *to);
void orr_from_dtype(orr_dtype dtype, int64_t n, const void *from, double *to);

/* The loss as theory sees it; tensors that are frozen have the gradient 0.  Holds two programs until it is freed. */
typedef struct orr_problem_landscape orr_problem_landscape;
orr_status orr_problem_landscape_new(orr_context *ctx, const orr_problem *p, orr_problem_landscape **out) ORR_MUST_USE;
void orr_problem_landscape_free(orr_problem_landscape *l);
orr_landscape orr_problem_landscape_view(orr_problem_landscape *l);

/* What orr_grad and orr_hvp give, with 0 for tensors that are frozen. */
orr_status orr_problem_grad(orr_context *ctx, orr_arena *scratch, const orr_problem *p, orr_graph *g, orr_node loss,
                            const orr_node *parameter, orr_node *gradient) ORR_MUST_USE;
orr_status orr_problem_hvp(orr_context *ctx, orr_arena *scratch, const orr_problem *p, orr_graph *g, orr_node loss,
                           const orr_node *parameter, const orr_node *v, orr_node *product) ORR_MUST_USE;
/* The gradient of u' H v, u and v held: third derivatives. */
orr_status orr_problem_third(orr_context *ctx, orr_arena *scratch, const orr_problem *p, orr_graph *g, orr_node loss,
                             const orr_node *parameter, const orr_node *u, const orr_node *v,
                             orr_node *product) ORR_MUST_USE;

#endif
