/* What the verbs of `orrery law` share. */
#ifndef ORR_CLI_LAWS_H
#define ORR_CLI_LAWS_H

#include "cli/options.h"
#include "cli/session.h"
#include "law/run.h"

typedef struct orr_cli_law_options {
    const char *law, *size, *experiment, *store, *page, *axis;
    long long seeds, threads;
    bool json;
} orr_cli_law_options;

/* "no law 'x'; did you mean ...": an exit code. */
int orr_cli_unknown_law(const char *word);

/* The experiment of a law, or the user's own, with n_more changes as --set has them (NULL: none) beside --seeds. */
orr_status orr_cli_law_experiment(orr_context *ctx, orr_arena *arena, const orr_law *law, const orr_cli_law_options *o,
                                  const char *const *more, int n_more, orr_experiment *out) ORR_MUST_USE;

/* Every law at its default experiment; one at a time, so that each has the machine. */
int orr_cli_law_all(const orr_cli_law_options *o);
/* A map of o->law, kept in the store; a page where one is named.  Prints it where `told`.  Fails as orr_law_run, and
 * ORR_EINPUT where the axis can't be set. */
orr_status orr_cli_make_map(orr_context *ctx, orr_arena *arena, orr_store *store, const orr_cli_law_options *o,
                            const char *page, bool told) ORR_MUST_USE;
/* A law along the axis that breaks it. */
int orr_cli_law_map(const orr_cli_law_options *o);

#endif
