/* Why an iteration ended.  A result of science, so a value and never a status. */
#ifndef ORR_NUMERIC_REASON_H
#define ORR_NUMERIC_REASON_H

/* ORDER reason: reason.c */
typedef enum orr_reason {
    ORR_REASON_CONVERGED = 0, /* the tolerance was met */
    ORR_REASON_STALLED,       /* rounding, or the method's own, leaves no way to the tolerance */
    ORR_REASON_LIMIT,         /* the steps that were allowed are used up */
    ORR_REASON_NONFINITE,     /* a callback returned NaN or infinity */
    ORR_REASON_INDEFINITE,    /* a direction of zero or negative curvature, where the method needs positive */
    ORR_REASON_EVENT          /* an event that was asked for */
} orr_reason;

const char *orr_reason_name(orr_reason reason); /* "CONVERGED" */

#endif
