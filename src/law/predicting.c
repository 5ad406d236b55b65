#include "law/predicting.h"

#include "base/context.h"

orr_status orr_premises_tick(const orr_premises *in) { return in->tick ? in->tick(in->user) : ORR_OK; }

/* One of the two kinds of prediction. */
typedef struct predictor {
    orr_predict_point *point;
    orr_predict_run *run;
    const void *known;
} predictor;

static orr_status append(orr_context *ctx, orr_arena *scratch, const orr_premises *in, const predictor *p,
                         int64_t point, int64_t seed, json_t *list) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    json_t *one = NULL;
    orr_status status = orr_premises_tick(in);
    if (status == ORR_OK)
        status = p->run ? p->run(ctx, scratch, in, point, seed, p->known, &one)
                        : p->point(ctx, scratch, in, point, p->known, &one);
    orr_arena_rewind(scratch, mark);
    if (status != ORR_OK) json_decref(one);
    ORR_TRY(ctx, status);
    return json_array_append_new(list, one) == 0 ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "no memory for a prediction");
}

/* Of all points, or of all seeds at one. */
static orr_status predict_list(orr_context *ctx, orr_arena *scratch, const orr_premises *in, const predictor *p,
                               int64_t point, json_t **list) {
    const int64_t n = p->run ? in->experiment->seeds : in->experiment->n_points;
    orr_status status = ORR_OK;
    *list = json_array();
    for (int64_t i = 0; status == ORR_OK && i < n; i++)
        status = append(ctx, scratch, in, p, p->run ? point : i, p->run ? i : 0, *list);
    if (status == ORR_OK) return ORR_OK;
    json_decref(*list);
    *list = NULL;
    return status;
}

orr_status orr_predict_points(orr_context *ctx, orr_arena *scratch, const orr_premises *in, orr_predict_point *one,
                              const void *known, json_t **points) {
    return predict_list(ctx, scratch, in, &(predictor){ .point = one, .known = known }, 0, points);
}

orr_status orr_predict_runs(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                            orr_predict_run *one, const void *known, json_t **runs) {
    return predict_list(ctx, scratch, in, &(predictor){ .run = one, .known = known }, point, runs);
}

orr_status orr_predict_each(orr_context *ctx, orr_arena *scratch, const orr_premises *in, const char *law,
                            orr_predict_point *one, const void *known, json_t **prediction) {
    json_t *points;
    *prediction = NULL;
    ORR_TRY(ctx, orr_predict_points(ctx, scratch, in, one, known, &points));
    *prediction = json_pack("{s:s, s:o}", "law", law, "points", points);
    return *prediction ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "%s: no memory for a prediction", law);
}
