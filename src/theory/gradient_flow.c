#include "theory/gradient_flow.h"

#include <math.h>

#include "base/context.h"

typedef struct flow {
    const orr_landscape *landscape;
    double *w, *g, *ritz;
    double loss; /* at w, together with g = grad L(w) */
} flow;

/* `steps` times w <- w - h grad L(w); g and loss are those of the new w. */
static orr_status advance(orr_context *ctx, flow *f, double h, int64_t steps) {
    const orr_landscape *l = f->landscape;
    for (int64_t i = 0; i < steps; i++) {
        for (int64_t j = 0; j < l->n; j++) f->w[j] -= h * f->g[j];
        ORR_TRY(ctx, l->gradient(l->self, f->w, &f->loss, f->g));
    }
    return ORR_OK;
}

static orr_status follow(orr_context *ctx, orr_arena *scratch, flow *f, const orr_flow_options *options,
                         orr_series *sharpness, orr_series *loss) {
    const double interval = options->step * (double)options->steps_per_record;
    ORR_TRY(ctx, f->landscape->gradient(f->landscape->self, f->w, &f->loss, f->g));
    for (int64_t r = 0; r < options->records; r++) {
        double s;
        if (r > 0) ORR_TRY(ctx, advance(ctx, f, options->step, options->steps_per_record));
        ORR_TRY(ctx, orr_landscape_sharpness(ctx, scratch, f->landscape, f->w, f->ritz, &s));
        sharpness->x[r] = loss->x[r] = interval * (double)r;
        sharpness->y[r] = s;
        loss->y[r] = f->loss;
        sharpness->n = loss->n = r + 1;
        if (options->tick) ORR_TRY(ctx, options->tick(options->user, r));
        if (!isfinite(s) || !isfinite(f->loss) || (options->stop_above > 0.0 && s > options->stop_above)) break;
    }
    return ORR_OK;
}

orr_status orr_gradient_flow(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_landscape *landscape,
                             const orr_flow_options *options, double *w, orr_series *sharpness, orr_series *loss) {
    ORR_TRY(ctx, orr_series_new(ctx, out_arena, options->records, sharpness));
    ORR_TRY(ctx, orr_series_new(ctx, out_arena, options->records, loss));
    sharpness->n = loss->n = 0;
    const orr_arena_mark mark = orr_arena_here(scratch);
    flow f = { .landscape = landscape,
               .w = w,
               .g = ORR_NEW(scratch, double, landscape->n),
               .ritz = ORR_NEW(scratch, double, landscape->n) };
    const orr_status status =
        f.g && f.ritz ? follow(ctx, scratch, &f, options, sharpness, loss)
                      : orr_fail(ctx, ORR_ENOMEM, "gradient flow: two vectors of %lld", (long long)landscape->n);
    orr_arena_rewind(scratch, mark);
    return status;
}
