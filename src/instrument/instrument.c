#include "instrument/instrument.h"

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
    for (int64_t i = 0; i < graph->n_feeds; i++) /* a program has only the inputs that it needs */
        if (orr_program_data(program, graph->feeds[i].input))
            ORR_TRY(ctx, orr_program_bind(program, graph->feeds[i].input, graph->feeds[i].memory));
    return ORR_OK;
}
