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

static orr_status add_series(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                             int64_t seed, const char *name, json_t *all) {
    orr_series s;
    ORR_TRY(ctx, orr_records_series(records, scratch, point, seed, name, &s));
    json_t *one = json_pack("{s:o, s:o}", "step", orr_json_reals(s.x, s.n), "value", orr_json_reals(s.y, s.n));
    return json_object_set_new(all, name, one) == 0 ? ORR_OK
                                                    : orr_fail(ctx, ORR_ENOMEM, "no memory for the series %s", name);
}

/* All whose names begin with so many characters of `prefix`, in the order of the store. */
static orr_status add_series_like(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                                  int64_t seed, const char *prefix, size_t length, json_t *all) {
    orr_series_row *row;
    int64_t n;
    ORR_TRY(ctx, orr_query_series(records->store, scratch, records->run[point * records->seeds + seed], &row, &n));
    for (int64_t i = 0; i < n; i++)
        if (strncmp(row[i].name, prefix, length) == 0)
            ORR_TRY(ctx, add_series(ctx, scratch, records, point, seed, row[i].name, all));
    return ORR_OK;
}

orr_status orr_measure_series(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, const char *const *names, json_t **out) {
    orr_status status = ORR_OK;
    json_t *all = json_object();
    for (; *names && status == ORR_OK; names++) {
        const char *star = strchr(*names, '*');
        status = star ? add_series_like(ctx, scratch, records, point, seed, *names, (size_t)(star - *names), all)
                      : add_series(ctx, scratch, records, point, seed, *names, all);
    }
    if (status == ORR_OK) *out = all;
    else json_decref(all);
    return status;
}

const json_t *orr_measured(const json_t *measurement, size_t point, size_t seed) {
    return json_array_get(json_array_get(measurement, point), seed);
}

const json_t *orr_measured_steps(const json_t *run, const char *series) {
    return json_object_get(json_object_get(run, series), "step");
}

const json_t *orr_measured_values(const json_t *run, const char *series) {
    return json_object_get(json_object_get(run, series), "value");
}

bool orr_measured_until(const json_t *run, const char *series, double step) {
    const json_t *steps = orr_measured_steps(run, series);
    const size_t n = json_array_size(steps);
    return n > 0 && orr_number_at(steps, n - 1) >= step;
}

double orr_measured_last(const json_t *run, const char *series, double step) {
    const json_t *values = orr_measured_values(run, series);
    return orr_measured_until(run, series, step) ? orr_number_at(values, json_array_size(values) - 1) : (double)NAN;
}

double orr_larger(double a, double b) { return isnan(a) || a >= b ? a : b; }

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

static const json_t *runs_of(const json_t *point, const char *runs, const json_t *measurement, size_t i) {
    return runs ? json_object_get(point, runs) : json_array_get(measurement, i);
}

orr_status orr_judge_runs(orr_context *ctx, orr_arena *out_arena, const orr_check *checks, int64_t most,
                          const json_t *prediction, const char *runs, const json_t *measurement, orr_judge_run *one,
                          orr_check_values *values) {
    const json_t *points = json_object_get(prediction, "points"), *point;
    int64_t room = 0;
    size_t i;
    json_array_foreach(points, i, point) room += most * (int64_t)json_array_size(runs_of(point, runs, measurement, i));
    ORR_TRY(ctx, orr_check_values_new(ctx, out_arena, checks, room, values));
    json_array_foreach(points, i, point) {
        const json_t *all = runs_of(point, runs, measurement, i);
        for (size_t seed = 0; seed < json_array_size(all); seed++)
            one(point, runs ? json_array_get(all, seed) : NULL, orr_measured(measurement, i, seed), values);
    }
    return ORR_OK;
}
