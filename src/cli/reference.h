/* What the tables of kinds say, for people: on a terminal, as pages, and to a shell that completes words. */
#ifndef ORR_CLI_REFERENCE_H
#define ORR_CLI_REFERENCE_H

#include "lab/section.h"

/* Each returns an exit code. */
int orr_reference_topic(orr_context *ctx, orr_arena *scratch, const orr_section *section);
int orr_reference_kind(orr_context *ctx, orr_arena *scratch, const orr_section *section, const orr_kind *kind);
int orr_reference_experiment(void);
/* A page of docs/reference; section NULL: that of an experiment. */
int orr_reference_markdown(orr_context *ctx, orr_arena *scratch, const orr_section *section);
/* A script that completes commands, options, topics, kinds and keys; zsh runs it through its bashcompinit. */
int orr_reference_completion(bool zsh);
int orr_reference_completion_fish(void);

/* "a whole number", "a list of numbers" */
const char *orr_reference_type(const orr_parameter *p);

#endif
