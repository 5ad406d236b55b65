#include "law/measuring.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "store/query.h"

static orr_status measure_point(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                                orr_measure_run *one, json_t *runs) {
    for (int64_t seed = 0; seed < records->seeds; seed++) {
        json_t *run = NULL;
        const orr_arena_mark mark = orr_arena_here(scratch);
        ORR_TRY(ctx, one(ctx, scratch, records, point, seed, &run));
        orr_arena_rewind(scratch, mark);
        if (json_array_append_new(runs, run) != 0) return orr_fail(ctx, ORR_ENOMEM, "no memory for a measurement");
    }
    return ORR_OK;
}

orr_status orr_measure_runs(orr_context *ctx, orr_arena *scratch, const orr_records *records, orr_measure_run *one,
                            json_t **measurement) {
    json_t *points = json_array();
    orr_status status = ORR_OK;
    for (int64_t point = 0; status == ORR_OK && point < records->points; point++) {
        json_t *runs = json_array();
        status = measure_point(ctx, scratch, records, point, one, runs);
        if (json_array_append_new(points, runs) != 0 && status == ORR_OK)
            status = orr_fail(ctx, ORR_ENOMEM, "no memory for a measurement");
    }
    if (status == ORR_OK) *measurement = points;
    else json_decref(points);
    return status;
}

orr_status orr_measure_series(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, const char *const *names, json_t **out) {
    orr_status status = ORR_OK;
    json_t *all = json_object();
    for (; *names && status == ORR_OK; names++) {
        orr_series s;
        status = orr_records_series(records, scratch, point, seed, *names, &s);
        if (status == ORR_OK && json_object_set_new(all, *names,
                                                    json_pack("{s:o, s:o}", "step", orr_json_reals(s.x, s.n), "value",
                                                              orr_json_reals(s.y, s.n))) != 0)
            status = orr_fail(ctx, ORR_ENOMEM, "no memory for the series %s", *names);
    }
    if (status == ORR_OK) *out = all;
    else json_decref(all);
    return status;
}

orr_status orr_measure_names(orr_context *ctx, orr_arena *out_arena, const orr_records *records, int64_t point,
                             int64_t seed, const char *prefix, const char ***names, int64_t *n) {
    orr_series_row *row;
    int64_t all;
    ORR_TRY(ctx, orr_query_series(records->store, out_arena, records->run[point * records->seeds + seed], &row, &all));
    *n = 0;
    *names = ORR_NEW(out_arena, const char *, all + 2);
    if (!*names) return orr_fail(ctx, ORR_ENOMEM, "no memory for the names of series");
    for (int64_t i = 0; i < all; i++)
        if (strncmp(row[i].name, prefix, strlen(prefix)) == 0) (*names)[(*n)++] = row[i].name;
    (*names)[*n] = (*names)[*n + 1] = NULL;
    return ORR_OK;
}

const json_t *orr_measured(const json_t *measurement, size_t point, size_t seed) {
    return json_array_get(json_array_get(measurement, point), seed);
}

static double number(const json_t *x) { return json_is_number(x) ? json_number_value(x) : (double)NAN; }

double orr_number_at(const json_t *list, size_t i) { return number(json_array_get(list, i)); }

double orr_number_of(const json_t *object, const char *key) { return number(json_object_get(object, key)); }

orr_status orr_check_values_new(orr_context *ctx, orr_arena *out_arena, const orr_check *checks, int64_t room,
                                orr_check_values *values) {
    for (int64_t i = 0; checks[i].metric; i++) {
        values[i] = (orr_check_values){ 0, ORR_NEW(out_arena, double, room) };
        if (!values[i].value) return orr_fail(ctx, ORR_ENOMEM, "no memory to judge %lld values", (long long)room);
    }
    return ORR_OK;
}

void orr_check_add(orr_check_values *values, double x) { values->value[values->n++] = x; }
