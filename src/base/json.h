/* JSON, through Jansson.  A json_t is counted by reference, as Jansson's own: "new" is the caller's, "borrowed" is not.
 */
#ifndef ORR_BASE_JSON_H
#define ORR_BASE_JSON_H

#include <jansson.h>

#include "base/arena.h"
#include "orrery.h"

/* A number (new); null where x is not finite, which JSON has no number for. */
json_t *orr_json_real(double x);
/* An array of numbers (new). */
json_t *orr_json_reals(const double *x, int64_t n);

/* One more entry of a list: a value (new), or one that is packed as json_pack does it.  Where memory is out the entry is missing:
 * who must know of it asks Jansson. */
void orr_json_add(json_t *list, json_t *value);
void orr_json_row(json_t *list, const char *format, ...);

/* Compact text in out_arena; keys in the order in which they were set.  digits: significant ones of a real, 17 for all
 * that a double has.  `value` is borrowed; NULL (an object that could not be built) is out of memory.  Fails:
 * ORR_ENOMEM. */
orr_status orr_json_text(orr_context *ctx, orr_arena *out_arena, const json_t *value, int digits,
                         char **text) ORR_MUST_USE;

#endif
