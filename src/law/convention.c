#include "law/convention.h"

#include "base/context.h"
#include "store/query.h"

static const char *const sections[] = { "architecture", "parameterization", "task", "rule" };
enum { SECTIONS = sizeof sections / sizeof sections[0] };

json_t *orr_conventions_of(orr_context *ctx, const orr_experiment *e) {
    json_t *points = json_array();
    for (int64_t i = 0; i < e->n_points; i++) {
        json_t *all = json_loads(e->points[i].json, 0, NULL), *own = json_object();
        for (int s = 0; s < SECTIONS; s++) (void)json_object_set(own, sections[s], json_object_get(all, sections[s]));
        json_decref(all);
        orr_json_add(points, own);
    }
    if (!points || json_array_size(points) != (size_t)e->n_points)
        (void)orr_fail(ctx, ORR_ENOMEM, "no memory for the conventions of %s", e->name);
    return points;
}

static const char *text_of(orr_context *ctx, orr_arena *scratch, const json_t *value) {
    char *text = NULL;
    if (!value) return "nothing";
    json_t *list = json_pack("[O]", value); /* a text of JSON holds a list or an object */
    const orr_status status = orr_json_text(ctx, scratch, list, 17, &text);
    json_decref(list);
    return status == ORR_OK ? text : "?";
}

/* The first key of a section whose value differs. */
static orr_status compare(orr_context *ctx, orr_arena *scratch, const char *law, int64_t run, const char *section,
                          const json_t *sealed, const json_t *own) {
    const char *key;
    json_t *value;
    if (json_equal(sealed, own)) return ORR_OK;
    json_object_foreach(
        (json_t *)sealed, key,
        value) if (!json_equal(value,
                               json_object_get(
                                   own, key))) return orr_fail(ctx, ORR_EINPUT,
                                                               "%s: predicted under other conventions than run %lld: "
                                                               "%s.%s is %s there, %s in the run; they can't be judged "
                                                               "against each other",
                                                               law, (long long)run, section, key,
                                                               text_of(ctx, scratch, value),
                                                               text_of(ctx, scratch, json_object_get(own, key)));
    return orr_fail(ctx, ORR_EINPUT, "%s: predicted under other conventions than run %lld: %s differs", law,
                    (long long)run, section);
}

orr_status orr_conventions_check(orr_context *ctx, orr_arena *scratch, const char *law, const json_t *conventions,
                                 const orr_records *records) {
    for (int64_t i = 0; i < records->points * records->seeds; i++) {
        const json_t *sealed = json_array_get(conventions, (size_t)(i / records->seeds));
        const orr_arena_mark mark = orr_arena_here(scratch);
        orr_run_row row;
        ORR_TRY(ctx, orr_query_run(records->store, scratch, records->run[i], &row));
        json_t *own = json_loads(row.settings, 0, NULL);
        orr_status status =
            own && sealed ? ORR_OK
                          : orr_fail(ctx, ORR_EINPUT, "%s: run %lld or its prediction says nothing of its conventions",
                                     law, (long long)records->run[i]);
        for (int s = 0; s < SECTIONS && status == ORR_OK; s++)
            status = compare(ctx, scratch, law, records->run[i], sections[s], json_object_get(sealed, sections[s]),
                             json_object_get(own, sections[s]));
        json_decref(own);
        ORR_TRY(ctx, status);
        orr_arena_rewind(scratch, mark);
    }
    return ORR_OK;
}
