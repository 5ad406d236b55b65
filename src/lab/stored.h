/* An experiment's text as the store keeps it: the file as it was read and, behind a line that says so, as comments, what else the runs
 * depend on.  So the store alone says what ran, and `orrery resume` can tell that it is the same.
 *
 *     ... the file ...
 *     # orrery: what the runs depend on besides
 *     # set: rule.learning_rate=0.2
 *     # alone                              every run alone, no ensembles
 *     # data: 5feceb66...                  SHA-256 of the examples, as they were prepared */
#ifndef ORR_LAB_STORED_H
#define ORR_LAB_STORED_H

#include "ingredient/problem.h"
#include "lab/experiment.h"
#include "store/sha256.h"

typedef struct orr_stored_notes {
    bool no_ensemble;
    char data[ORR_SHA256_SIZE]; /* "": not known */
} orr_stored_notes;

/* The hash of all examples, training and test, of problems[n] in their order; data that problems share count once. */
orr_status orr_stored_data(orr_context *ctx, const orr_problem *const *problems, int64_t n,
                           char out[ORR_SHA256_SIZE]) ORR_MUST_USE;

/* The text to keep, in out_arena.  Fails: ORR_EINPUT for a change that has a line end in it, ORR_ENOMEM. */
orr_status orr_stored_text(orr_context *ctx, orr_arena *out_arena, const orr_experiment *experiment,
                           const orr_stored_notes *notes, const char **text) ORR_MUST_USE;
/* Reads such a text; `name` stands in messages. */
orr_status orr_stored_parse(orr_context *ctx, orr_arena *out_arena, const char *name, const char *text,
                            const char *size, orr_experiment *out, orr_stored_notes *notes) ORR_MUST_USE;

#endif
