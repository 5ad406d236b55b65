#include "instrument/shared.h"

#include "base/context.h"
#include "instrument/probe.h"

struct orr_pass {
    orr_pass *next;
    orr_shared *shared;
    orr_subject own; /* a copy: it lives as long as this */
    orr_part part;
    int64_t examples;
    orr_probe *users;
    orr_probe network; /* begun when there is a second user */
    bool *wanted;      /* of each value, layers and then the output: some formula reads it */
    bool split, prepared, evaluated;
};

struct orr_shared {
    orr_context *ctx;
    orr_arena *arena;
    orr_pass *passes;
    struct orr_hessian *hessian[2];
    int64_t evaluations;
};

static orr_status no_memory(orr_context *ctx) {
    return orr_fail(ctx, ORR_ENOMEM, "instruments: no memory for what they share");
}

orr_status orr_shared_new(orr_context *ctx, orr_shared **out) {
    orr_arena *arena;
    *out = NULL;
    ORR_TRY(ctx, orr_arena_new(ctx, &arena));
    orr_shared *s = ORR_NEW(arena, orr_shared, 1);
    if (!s) {
        orr_arena_free(arena);
        return no_memory(ctx);
    }
    *s = (orr_shared){ .ctx = ctx, .arena = arena };
    *out = s;
    return ORR_OK;
}

void orr_shared_free(orr_shared *s) {
    if (!s) return;
    for (orr_pass *p = s->passes; p; p = p->next) orr_probe_end(&p->network);
    orr_arena_free(s->arena);
}

void orr_shared_forget(orr_shared *s) {
    for (orr_pass *p = s->passes; p; p = p->next) p->evaluated = false;
}

int64_t orr_shared_evaluations(const orr_shared *s) { return s->evaluations; }

struct orr_hessian **orr_shared_hessian(orr_shared *s, bool preconditioned) {
    return &s->hessian[preconditioned];
}

/* ---- users --------------------------------------------------------------------------------------------------------------- */

orr_status orr_pass_join(const orr_subject *subject, orr_probe *user) {
    orr_shared *s = subject->shared;
    orr_pass *p = s->passes;
    while (p && (p->part != user->part || p->examples != user->examples)) p = p->next;
    if (!p) {
        p = ORR_NEW(s->arena, orr_pass, 1);
        if (!p) return no_memory(s->ctx);
        *p = (orr_pass){
            .next = s->passes, .shared = s, .own = *subject, .part = user->part, .examples = user->examples
        };
        s->passes = p;
    }
    user->pass = p;
    user->next = p->users;
    p->users = user;
    p->prepared = false;
    return ORR_OK;
}

void orr_pass_leave(orr_probe *user) {
    if (!user->pass) return;
    orr_probe **at = &user->pass->users;
    while (*at != user) at = &(*at)->next;
    *at = user->next;
    user->pass = NULL;
}

/* ---- programs -------------------------------------------------------------------------------------------------------------- */

static int64_t values_of(const orr_probe *p) { return p->graph.n_taps + 1; }
static orr_node value_of(const orr_probe *p, int64_t i) {
    return i < p->graph.n_taps ? p->graph.tap[i].node : p->graph.output;
}

static orr_status begin_network(orr_pass *p) {
    orr_context *ctx = p->shared->ctx;
    orr_probe *n = &p->network;
    if (p->part == ORR_PART_TEST) ORR_TRY(ctx, orr_probe_begin(ctx, &p->own, ORR_PART_TEST, n));
    else ORR_TRY(ctx, orr_probe_begin_first(ctx, &p->own, p->examples, n));
    p->wanted = ORR_NEW(n->arena, bool, values_of(n));
    if (!p->wanted) return no_memory(ctx);
    p->split = true;
    return ORR_OK;
}

/* Inputs in place of the user's layers and output. */
static orr_status name_values(orr_probe *user, orr_node *from, orr_node *to) {
    for (int64_t i = 0; i < values_of(user); i++) {
        const char *name = orr_arena_format(user->arena, "value.%d", (int)i);
        if (!name) return no_memory(user->ctx);
        from[i] = value_of(user, i);
        to[i] = orr_input(user->g, name, orr_node_dtype(user->g, from[i]), orr_node_shape(user->g, from[i]));
    }
    return ORR_OK;
}

/* Whether a formula is one of the values itself, which is then wanted. */
static bool want_as_it_is(orr_pass *p, const orr_probe *user, orr_node formula) {
    for (int64_t i = 0; i < values_of(user); i++)
        if (formula.id == user->value[i].id) return p->wanted[i] = true;
    return false;
}

/* The user's program over the values; none where it wants them as they are. */
static orr_status compile_formula(orr_pass *p, orr_probe *user) {
    const int64_t n = values_of(user);
    orr_node *from = ORR_NEW(user->arena, orr_node, n), *to = ORR_NEW(user->arena, orr_node, n),
             *formula = ORR_NEW(user->arena, orr_node, user->n_outputs),
             *computed = ORR_NEW(user->arena, orr_node, user->n_outputs);
    int32_t n_computed = 0;
    if (!from || !to || !formula || !computed) return no_memory(user->ctx);
    ORR_TRY(user->ctx, name_values(user, from, to));
    orr_substitute(user->g, user->output, user->n_outputs, from, to, (int32_t)n, formula);
    orr_program_free(user->program);
    user->program = NULL;
    user->value = to;
    for (int32_t k = 0; k < user->n_outputs; k++)
        if (!want_as_it_is(p, user, formula[k])) computed[n_computed++] = formula[k];
    if (n_computed > 0) ORR_TRY(user->ctx, orr_probe_compile(user, computed, n_computed));
    for (int64_t i = 0; i < n && n_computed > 0; i++)
        p->wanted[i] = p->wanted[i] || orr_program_reads(user->program, to[i]);
    user->formula = formula;
    return ORR_OK;
}

static orr_status compile_network(orr_pass *p) {
    orr_probe *network = &p->network;
    orr_node *wanted = ORR_NEW(network->arena, orr_node, values_of(network));
    int32_t n = 0;
    if (!wanted) return no_memory(network->ctx);
    for (int64_t i = 0; i < values_of(network); i++)
        if (p->wanted[i]) wanted[n++] = value_of(network, i);
    orr_program_free(network->program);
    network->program = NULL;
    p->evaluated = false;
    return n > 0 ? orr_probe_compile(network, wanted, n) : ORR_OK;
}

static orr_status bind_values(const orr_pass *p, const orr_probe *user) {
    for (int64_t i = 0; i < values_of(user) && user->program; i++)
        if (p->wanted[i])
            ORR_TRY(user->ctx, orr_program_bind(user->program, user->value[i],
                                                orr_program_data(p->network.program, value_of(&p->network, i))));
    return ORR_OK;
}

orr_status orr_pass_prepare(orr_pass *p) {
    orr_context *ctx = p->shared->ctx;
    orr_probe *first = p->users;
    if (p->prepared) return ORR_OK;
    if (!first->next && !p->split) {
        if (!first->program) ORR_TRY(ctx, orr_probe_compile(first, first->output, first->n_outputs));
    } else {
        if (!p->split) ORR_TRY(ctx, begin_network(p));
        for (orr_probe *user = first; user; user = user->next)
            if (!user->formula) ORR_TRY(ctx, compile_formula(p, user));
        ORR_TRY(ctx, compile_network(p));
        for (const orr_probe *user = first; user; user = user->next) ORR_TRY(ctx, bind_values(p, user));
    }
    p->prepared = true;
    return ORR_OK;
}

orr_status orr_pass_run(orr_pass *p) {
    if (p->evaluated) return ORR_OK;
    if (p->network.program) ORR_TRY(p->shared->ctx, orr_program_run(p->network.program));
    p->evaluated = p->split; /* a program that has the whole network is run by its user */
    p->shared->evaluations++;
    return ORR_OK;
}

void *orr_pass_value(const orr_probe *user, orr_node input) {
    const orr_probe *network = &user->pass->network;
    for (int64_t i = 0; i < values_of(user); i++)
        if (input.id == user->value[i].id) return orr_program_data(network->program, value_of(network, i));
    return NULL;
}
