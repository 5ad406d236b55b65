/* An experiment's text as the store keeps it: the file as it was read, and behind it, as comments, what the command line changed.
 * So the store alone says what ran. */
#ifndef ORR_LAB_STORED_H
#define ORR_LAB_STORED_H

#include "lab/experiment.h"

/* experiment->text gets a line "# --set KEY=VALUE" for each of options->set.  In out_arena. */
orr_status orr_stored_note(orr_context *ctx, orr_arena *out_arena, const orr_experiment_options *options,
                           orr_experiment *experiment) ORR_MUST_USE;
/* Reads such a text with its changes; `name` stands in messages. */
orr_status orr_stored_parse(orr_context *ctx, orr_arena *out_arena, const char *name, const char *text,
                            const char *size, orr_experiment *out) ORR_MUST_USE;

#endif
