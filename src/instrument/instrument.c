#include "instrument/instrument.h"

#include <math.h>

#include "base/context.h"

#define ORR_INSTRUMENT(name) extern const orr_instrument orr_instrument_##name;
#include "instrument/instrument.def"
#undef ORR_INSTRUMENT

static const orr_instrument *const all[] = {
#define ORR_INSTRUMENT(name) &orr_instrument_##name,
#include "instrument/instrument.def"
#undef ORR_INSTRUMENT
};

const orr_instrument *orr_instrument_at(int i) { return i < (int)(sizeof all / sizeof all[0]) ? all[i] : NULL; }

orr_status orr_subject_attach(orr_context *ctx, const orr_subject_graph *graph, orr_program *program) {
    for (int64_t i = 0; i < graph->n_feeds; i++)
        ORR_TRY(ctx, orr_program_bind(program, graph->feeds[i].input, graph->feeds[i].memory));
    return ORR_OK;
}

bool orr_instrument_from_start(const orr_settings *s) {
    (void)s;
    return true;
}

/* ---- when -------------------------------------------------------------------------------------------------------------------- */

/* The j-th moment of n in each factor of 10: 10^{j/n}, rounded, so that near 1 several are one. */
static int64_t logarithmic(int64_t j, int64_t n) { return (int64_t)llround(pow(10.0, (double)j / (double)n)); }

static int64_t next_logarithmic(int64_t n, int64_t step) {
    int64_t j = step < 1 ? 0 : (int64_t)floor(log10((double)step) * (double)n); /* not past it, but for rounding */
    for (j = j > 0 ? j - 1 : 0; logarithmic(j, n) <= step; j++) {
    }
    return logarithmic(j, n);
}

int64_t orr_instrument_next(const orr_settings *s, int64_t step) {
    int64_t n, next = INT64_MAX;
    const int64_t *at = orr_ints(s, "at", &n), per_decade = orr_int(s, "per_decade"), every = orr_int(s, "every");
    for (int64_t i = 0; i < n; i++)
        if (at[i] > step && at[i] < next) next = at[i];
    if (n > 0) return next;
    if (per_decade > 0) return step < 0 ? 0 : next_logarithmic(per_decade, step);
    return step < 0 ? 0 : (step / every + 1) * every;
}

bool orr_instrument_due(const orr_settings *s, int64_t step) { return orr_instrument_next(s, step - 1) == step; }
