#include "law/verdict.h"

#include <math.h>

const char *orr_verdict_words(orr_verdict verdict) {
    static const char *const words[] = { "HOLDS", "FAILS", "OUT OF REGIME" };
    return words[verdict];
}

orr_judgement orr_judge(const orr_check *check, const orr_check_values *values) {
    orr_judgement out = { .interval = { (double)INFINITY, -(double)INFINITY }, .n = values->n };
    for (int64_t i = 0; i < values->n; i++) {
        const double x = values->value[i];
        out.value += x / (double)values->n;
        out.interval[0] = x < out.interval[0] || isnan(x) ? x : out.interval[0]; /* a NaN stays: nothing is below it */
        out.interval[1] = x > out.interval[1] || isnan(x) ? x : out.interval[1];
    }
    if (isnan(out.value)) out.interval[0] = out.interval[1] = out.value;
    out.verdict = out.interval[0] >= check->low && out.interval[1] <= check->high ? ORR_HOLDS : ORR_FAILS;
    return out;
}
