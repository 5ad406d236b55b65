/* What `run` and `resume` share: signals, the store's name, and how outcomes are told. */
#ifndef ORR_CLI_SESSION_H
#define ORR_CLI_SESSION_H

#include <signal.h>

#include "cli/cli.h"
#include "law/run.h"

/* SIGINT and SIGTERM ask to stop, once; a second one ends the process at once. */
const volatile sig_atomic_t *orr_cli_stop(void);

/* What --store says, else ORRERY_STORE, else orrery.db. */
const char *orr_cli_store(const char *option);

/* A table for people, or one JSON object: runs with their states, last losses, and verdicts. */
orr_status orr_cli_print_outcome(orr_context *ctx, orr_arena *arena, orr_store *store, const orr_experiment *experiment,
                                 const orr_laws_outcome *outcome, bool json) ORR_MUST_USE;

/* 0, or 1 where a law doesn't hold. */
int orr_cli_verdict(const orr_laws_outcome *outcome);

#endif
