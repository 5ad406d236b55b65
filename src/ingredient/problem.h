/* A problem: architecture, data and task put together, a loss as a graph over parameter tensors.  What is left open is
 * the learning rule. */
#ifndef ORR_INGREDIENT_PROBLEM_H
#define ORR_INGREDIENT_PROBLEM_H

#include "base/arena.h"
#include "ingredient/architecture/architecture.h"
#include "ingredient/data/data.h"
#include "ingredient/task/task.h"
#include "orrery.h"
#include "theory/landscape.h"

typedef struct orr_problem {
    const orr_architecture *architecture;
    const orr_task *task;
    orr_settings architecture_settings, task_settings;
    orr_dtype dtype;
    orr_dataset data;
    void *x;                   /* data.x in dtype, [n, features], aligned to 64 */
    const orr_tensor *tensors; /* the parameters */
    int64_t n_tensors;
    int64_t n; /* numbers in all parameters together */
} orr_problem;

/* Borrows the dataset; the rest lives in out_arena. */
orr_status orr_problem_new(orr_context *ctx, orr_arena *out_arena, const orr_architecture *architecture,
                           orr_settings architecture_settings, const orr_dataset *data, const orr_task *task,
                           orr_settings task_settings, orr_dtype dtype, orr_problem *out) ORR_MUST_USE;

/* The initial parameters of a seed, one tensor behind the other: w[n].  Element i of a tensor is deviation times element i
 * of the normal stream (seed, name of the tensor). */
orr_status orr_problem_initial(orr_context *ctx, const orr_problem *p, uint64_t seed, double *w) ORR_MUST_USE;

typedef struct orr_problem_graph {
    orr_node *parameter; /* an input for each tensor, of its name */
    orr_node x, label;   /* inputs */
    orr_node output, loss;
} orr_problem_graph;

/* Adds the forward graph to g; the array of nodes lives in out_arena.  A mistake sticks to the graph. */
orr_status orr_problem_build(orr_context *ctx, orr_arena *out_arena, const orr_problem *p, orr_graph *g,
                             orr_problem_graph *out) ORR_MUST_USE;

/* Lets a program read the data where they lie. */
orr_status orr_problem_feed(orr_context *ctx, const orr_problem *p, const orr_problem_graph *nodes,
                            orr_program *program) ORR_MUST_USE;

/* Numbers of dtype f32 or f64 from and to doubles. */
void orr_to_dtype(orr_dtype dtype, int64_t n, const double *from, void *to);
void orr_from_dtype(orr_dtype dtype, int64_t n, const void *from, double *to);

/* The loss as theory sees it.  Holds two programs until it is freed. */
typedef struct orr_problem_landscape orr_problem_landscape;
orr_status orr_problem_landscape_new(orr_context *ctx, const orr_problem *p, orr_problem_landscape **out) ORR_MUST_USE;
void orr_problem_landscape_free(orr_problem_landscape *l);
orr_landscape orr_problem_landscape_view(orr_problem_landscape *l);

#endif
