/* What commands that train share: signals, and how outcomes are told. */
#ifndef ORR_CLI_SESSION_H
#define ORR_CLI_SESSION_H

#include <signal.h>

#include "cli/cli.h"
#include "law/run.h"

/* SIGINT and SIGTERM ask to stop, once; a second one ends the process at once. */
const volatile sig_atomic_t *orr_cli_stop(void);

/* A table for people, or one JSON object: runs with their states, last losses, where their time went, and verdicts. */
orr_status orr_cli_print_outcome(orr_context *ctx, orr_arena *arena, orr_store *store, const orr_experiment *experiment,
                                 const orr_laws_outcome *outcome, bool json) ORR_MUST_USE;

/* The first figure of a law as text, where standard output is a terminal; else nothing. */
orr_status orr_cli_plot(orr_context *ctx, orr_arena *arena, const orr_law_outcome *outcome) ORR_MUST_USE;
/* A verdict's word, coloured where standard output is a terminal that welcomes colours (NO_COLOR, TERM=dumb), padded to 14. */
const char *orr_cli_verdict_cell(orr_verdict verdict);

/* Gives back what an outcome holds; one of zeros is fine. */
void orr_cli_forget(orr_laws_outcome *outcome);

/* 0, or 1 where a law doesn't hold.  Under `laws: auto` a law out of its regime is no failure. */
int orr_cli_verdict(const orr_laws_outcome *outcome, bool laws_auto);

#endif
