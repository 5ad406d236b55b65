#include "numeric/reason.h"

/* ORDER reason: reason.h */
static const char *const names[] = { "CONVERGED", "STALLED", "LIMIT", "NONFINITE", "INDEFINITE", "EVENT" };

const char *orr_reason_name(orr_reason reason) { return names[reason]; }
