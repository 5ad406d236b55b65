/* orrery law map: a law along the axis that breaks it, also past its regime. */
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "cli/laws.h"
#include "law/map.h"
#include "report/page.h"

typedef struct session {
    orr_context *ctx;
    orr_arena *arena;
    orr_store *store;
    const orr_law *law;
    const orr_cli_law_options *options;
    orr_axis axis;
    bool alone; /* without the sweep */
    bool told;  /* printed, as table or JSON */
    orr_map_point *point;
} session;

static orr_status experiment_with(session *s, const char *set, orr_experiment *out) {
    const char *const sets[] = { s->alone ? "sweep=[{ name: map }]" : NULL, set };
    return orr_cli_law_experiment(s->ctx, s->arena, s->law, s->options, sets, 2, out);
}

static orr_status run_point(session *s, const char *set, double value, orr_law_outcome *out) {
    orr_experiment experiment;
    const orr_law_options options = { .stop = orr_cli_stop(), .past_regime = true };
    ORR_TRY(s->ctx, experiment_with(s, set, &experiment));
    ORR_TRY(s->ctx, orr_axis_check(s->ctx, &s->axis, value, &experiment));
    return orr_law_run(s->ctx, s->arena, s->store, s->law, &experiment, &options, out);
}

/* With the metric of the first point's headline: the first check that spoke there. */
static void print_head(const session *s) {
    const orr_law_outcome *first = &s->point[0].outcome;
    const orr_check *c = &s->law->checks[first->check ? first->headline : 0];
    printf("%s, along %s\n\n%12s  %-14s%10s  range over seeds: %s, tolerance [%g, %g]\n", s->law->title, s->axis.key,
           "value", "verdict", "mean", c->metric, c->low, c->high);
}

static void print_point(const orr_map_point *p) {
    const orr_law_outcome *o = &p->outcome;
    const orr_judgement *j = !p->trouble && o->check ? &o->check[o->headline] : NULL;
    printf("%12.6g  %-14s", p->value, p->trouble ? "NOT RUN" : orr_verdict_words(o->verdict));
    if (j && j->n) printf("%10.4g  [%.4g, %.4g]", j->value, j->interval[0], j->interval[1]);
    const char *note = p->trouble ? p->trouble : o->outside[0] ? o->outside : o->note;
    printf("%s%s\n", note[0] ? "  " : "", note);
    (void)fflush(stdout);
}

/* Whether the axis can be set at all, before anything is printed or run. */
static orr_status try_axis(session *s, const orr_experiment *base) {
    orr_experiment first;
    const char *set;
    double value;
    ORR_TRY(s->ctx, orr_axis_set(s->ctx, s->arena, &s->axis, 0, base, &value, &set));
    ORR_TRY(s->ctx, experiment_with(s, set, &first));
    return orr_axis_check(s->ctx, &s->axis, value, &first);
}

/* What goes wrong at one value is told there, but for what concerns the whole: bad options, a full disk, a signal. */
static orr_status map_point(session *s, const orr_experiment *base, int64_t i) {
    orr_map_point *p = &s->point[i];
    const char *set;
    ORR_TRY(s->ctx, orr_axis_set(s->ctx, s->arena, &s->axis, i, base, &p->value, &set));
    const orr_status status = run_point(s, set, p->value, &p->outcome);
    if (status == ORR_OK) return ORR_OK;
    if (status == ORR_EINTERRUPTED || status == ORR_ENOMEM || status == ORR_EIO) return status;
    p->trouble = orr_arena_string(s->arena, orr_context_message(s->ctx));
    orr_context_clear(s->ctx);
    return p->trouble ? ORR_OK : orr_fail(s->ctx, ORR_ENOMEM, "no memory for a message");
}

static orr_status print_json(session *s, const json_t *map) {
    char *text;
    ORR_TRY(s->ctx, orr_json_text(s->ctx, s->arena, map, 9, &text));
    printf("%s\n", text);
    return ORR_OK;
}

/* What was measured: kept, told, drawn. */
static orr_status finish(session *s, const char *axis, const orr_experiment *base, const char *words, const json_t *map,
                         const char *page) {
    const orr_cli_law_options *o = s->options;
    const char *command = orr_arena_format(s->arena, "orrery law map %s --axis %s%s%s%s%s", s->law->id, axis,
                                           o->size ? " --size " : "", o->size ? o->size : "",
                                           o->experiment ? " --experiment " : "", o->experiment ? o->experiment : "");
    if (!command) return orr_fail(s->ctx, ORR_ENOMEM, "no memory for a map");
    ORR_TRY(s->ctx, orr_map_keep(s->ctx, s->arena, s->store, s->law, axis, base, map));
    if (s->told && o->json) ORR_TRY(s->ctx, print_json(s, map));
    else if (s->told) printf("\n%s\n%s%s%s", words, page ? "page: " : "", page ? page : "", page ? "\n" : "");
    return page ? orr_map_write_page(s->ctx, s->arena, s->law, map, command, page) : ORR_OK;
}

static orr_status map(session *s, const char *page) {
    const orr_cli_law_options *o = s->options;
    const char *axis = o->axis ? o->axis : s->law->breaks_along;
    orr_experiment base, whole;
    if (!axis) return orr_fail(s->ctx, ORR_EINPUT, "%s names no axis of its own; give one with --axis", s->law->id);
    ORR_TRY(s->ctx, orr_axis_parse(s->ctx, s->arena, axis, &s->axis));
    ORR_TRY(s->ctx, experiment_with(s, NULL, &whole));
    base = whole;
    if (try_axis(s, &base) != ORR_OK) {
        s->alone = !o->axis; /* a law's own axis goes before its sweep, where both set the same key */
        if (s->alone) orr_context_clear(s->ctx);
        ORR_TRY(s->ctx, experiment_with(s, NULL, &base));
        ORR_TRY(s->ctx, try_axis(s, &base));
    }
    if (page) ORR_TRY(s->ctx, orr_page_try(s->ctx, s->arena, page));
    s->point = ORR_NEW(s->arena, orr_map_point, s->axis.n);
    if (!s->point) return orr_fail(s->ctx, ORR_ENOMEM, "no memory for %lld points of a map", (long long)s->axis.n);
    for (int64_t i = 0; i < s->axis.n; i++) {
        ORR_TRY(s->ctx, map_point(s, &base, i));
        if (s->told && !o->json && i == 0) print_head(s);
        if (s->told && !o->json) print_point(&s->point[i]);
    }
    const char *words = orr_map_words(s->arena, s->point, s->axis.n);
    json_t *map_json = words ? orr_map_json(s->law, &s->axis, words, s->point, s->axis.n) : NULL;
    if (!map_json) return orr_fail(s->ctx, ORR_ENOMEM, "no memory for a map");
    const orr_status status = finish(s, axis, &whole, words, map_json, page);
    json_decref(map_json);
    return status;
}

orr_status orr_cli_make_map(orr_context *ctx, orr_arena *arena, orr_store *store, const orr_cli_law_options *o,
                            const char *page, bool told) {
    session s = { .ctx = ctx, .arena = arena, .store = store, .law = orr_law_find(o->law), .options = o, .told = told };
    const orr_status status = map(&s, page);
    for (int64_t i = 0; s.point && i < s.axis.n; i++) {
        json_decref(s.point[i].outcome.prediction);
        json_decref(s.point[i].outcome.measurement);
    }
    return status;
}

int orr_cli_law_map(const orr_cli_law_options *o) {
    orr_context *ctx = NULL;
    orr_arena *arena = NULL;
    orr_store *store = NULL;
    orr_status status;
    int code = ORR_EXIT_HOLDS;
    if (orr_context_new(&(orr_context_options){ .threads = (int)o->threads, .log = stderr }, &ctx) != ORR_OK)
        return fprintf(stderr, "orrery law: could not start %lld threads\n", o->threads), ORR_EXIT_OURS;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    ORR_TRY_DONE(ctx, orr_store_open(ctx, orr_cli_store(o->store), &store));
    const char *page = o->page ? o->page : orr_arena_format(arena, "orrery-map-%s.html", o->law);
    if (page && strcmp(page, "-") == 0) page = NULL;
    ORR_TRY_DONE(ctx, orr_cli_make_map(ctx, arena, store, o, page, true));
done:
    if (status != ORR_OK) code = orr_cli_fail(ctx, "law", status);
    orr_store_close(store);
    orr_arena_free(arena);
    orr_context_free(ctx);
    return code;
}
