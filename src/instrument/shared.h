/* What instruments share.
 *
 * Formulas of the values of layers and outputs over the same examples are users of one pass: a program whose outputs are those
 * values that some formula reads.  It runs for the first that asks after an update, and the others read what it left.
 *
 * The examples of a pass are the first n of a part of the data.  Other n are another pass, also where rows would agree: a norm
 * over a batch sees all of it, and products of other sizes round otherwise.
 *
 * No number depends on who else looks, to the bit.  A sum (a loss, a mean, a distance) is fused with what is before it, and the
 * order of its terms depends on the whole of what is fused.  So each formula is a program by itself over values in memory, also where
 * nobody else looks.  Compiled with the network it would save little: what a product makes or takes is in memory anyway.  Sums inside
 * the network keep their order whichever values are kept: those over the batch stand behind a product, with no value among what
 * they are fused with, and the order of a sum along a row follows from its length.
 *
 * Products with the Hessian are of other vectors for each that asks; there the program is what is shared (hessian.h). */
#ifndef ORR_INSTRUMENT_SHARED_H
#define ORR_INSTRUMENT_SHARED_H

#include "instrument/instrument.h"

struct orr_probe;
struct orr_hessian;
typedef struct orr_pass orr_pass;

/* The owner of the live memory makes one, and says when that memory has changed. */
orr_status orr_shared_new(orr_context *ctx, orr_shared **out) ORR_MUST_USE;
void orr_shared_free(orr_shared *shared); /* after its users are closed */
void orr_shared_forget(orr_shared *shared);
/* How often the network was evaluated for users of passes. */
int64_t orr_shared_evaluations(const orr_shared *shared);

/* ---- of probe.c and hessian.c -------------------------------------------------------------------------------------------- */

/* Makes the probe a user of the pass over its examples, in user->pass; until it leaves. */
orr_status orr_pass_join(const orr_subject *subject, struct orr_probe *user) ORR_MUST_USE;
void orr_pass_leave(struct orr_probe *user);
/* Compiles what isn't yet for the users that there are. */
orr_status orr_pass_prepare(orr_pass *pass) ORR_MUST_USE;
/* Evaluates the network, unless values are there already. */
orr_status orr_pass_run(orr_pass *pass) ORR_MUST_USE;

/* Where the open program of Hessian products is kept: of H, or preconditioned. */
struct orr_hessian **orr_shared_hessian(orr_shared *shared, bool preconditioned);

#endif
