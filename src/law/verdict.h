/* Verdicts: from numbers, one a run, to HOLDS or FAILS. */
#ifndef ORR_LAW_VERDICT_H
#define ORR_LAW_VERDICT_H

#include "law/law.h"

typedef enum orr_verdict { ORR_HOLDS = 0, ORR_FAILS, ORR_OUT_OF_REGIME } orr_verdict;
const char *orr_verdict_words(orr_verdict verdict); /* "HOLDS", "FAILS", "OUT OF REGIME" */

/* Over n values, one a run: their mean, and as interval their range.  A law speaks about each training run, so HOLDS needs
 * every run, the whole interval, within [low, high].  (A confidence interval of the mean would say less: it narrows with more
 * seeds whatever single runs do, and at three seeds it is mostly Student's t.)  A value that isn't a number makes all three
 * NaN, and NaN never holds. */
typedef struct orr_judgement {
    orr_verdict verdict;
    double value, interval[2];
    int64_t n;
} orr_judgement;
orr_judgement orr_judge(const orr_check *check, const orr_check_values *values);

#endif
