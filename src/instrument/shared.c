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
    orr_probe network;
    bool *wanted; /* of each value: some formula reads it; NULL: the network isn't begun */
    bool stale;   /* the network's program lacks a value that is wanted */
    bool prepared, evaluated;
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

static orr_status begin_network(orr_pass *p) {
    orr_context *ctx = p->shared->ctx;
    orr_probe *n = &p->network;
    orr_probe_end(n); /* of an attempt that failed */
    if (p->part == ORR_PART_TEST) ORR_TRY(ctx, orr_probe_begin(ctx, &p->own, ORR_PART_TEST, n));
    else ORR_TRY(ctx, orr_probe_begin_first(ctx, &p->own, p->examples, n));
    p->wanted = ORR_NEW(n->arena, bool, orr_probe_values(n));
    return p->wanted ? ORR_OK : no_memory(ctx);
}

static void want(orr_pass *p, const orr_probe *user) {
    for (int64_t i = 0; i < orr_probe_values(user); i++) {
        p->stale = p->stale || (user->reads[i] && !p->wanted[i]);
        p->wanted[i] = p->wanted[i] || user->reads[i];
    }
}

static orr_status compile_network(orr_pass *p) {
    orr_probe *network = &p->network;
    orr_node *wanted = ORR_NEW(network->arena, orr_node, orr_probe_values(network));
    int32_t n = 0;
    if (!wanted) return no_memory(network->ctx);
    for (int64_t i = 0; i < orr_probe_values(network); i++)
        if (p->wanted[i]) wanted[n++] = orr_probe_value(network, i);
    orr_program_free(network->program);
    network->program = NULL;
    p->evaluated = false;
    ORR_TRY(network->ctx, orr_probe_compile(network, wanted, n));
    p->stale = false;
    return ORR_OK;
}

orr_status orr_pass_prepare(orr_pass *p) {
    orr_context *ctx = p->shared->ctx;
    if (p->prepared) return ORR_OK;
    if (!p->wanted) ORR_TRY(ctx, begin_network(p));
    for (orr_probe *user = p->users; user; user = user->next) {
        if (!user->formula) ORR_TRY(ctx, orr_probe_compile_formulas(user, user->output, user->n_outputs));
        want(p, user);
    }
    if (p->stale) ORR_TRY(ctx, compile_network(p));
    for (orr_probe *user = p->users; user; user = user->next) ORR_TRY(ctx, orr_probe_read_from(user, &p->network));
    p->prepared = true;
    return ORR_OK;
}

orr_status orr_pass_run(orr_pass *p) {
    if (p->evaluated) return ORR_OK;
    if (p->network.program) ORR_TRY(p->shared->ctx, orr_program_run(p->network.program));
    p->evaluated = true;
    p->shared->evaluations++;
    return ORR_OK;
}
