/* An outcome in JSON, and as a page. */
#include <string.h>

#include "base/context.h"
#include "law/run.h"
#include "report/page.h"

static json_t *check_json(const orr_check *c, const orr_judgement *j, const char *verdict, const char *note) {
    return json_pack("{s:s, s:s, s:o, s:[f,f], s:[o,o], s:s}", "metric", c->metric, "verdict", verdict, "value",
                     j->n ? orr_json_real(j->value) : json_null(), "tolerance", c->low, c->high, "interval",
                     j->n ? orr_json_real(j->interval[0]) : json_null(),
                     j->n ? orr_json_real(j->interval[1]) : json_null(), "note", note);
}

static json_t *all_checks(const orr_law_outcome *o) {
    json_t *list = json_array();
    for (int64_t i = 0; i < o->n_checks; i++)
        if (o->check[i].n)
            (void)json_array_append_new(
                list, check_json(&o->law->checks[i], &o->check[i], orr_verdict_words(o->check[i].verdict), ""));
    return list;
}

static json_t *text_or_null(const char *text) { return text[0] ? json_string(text) : json_null(); }

json_t *orr_law_outcome_json(const orr_law_outcome *o) {
    json_t *seeds = json_array(), *runs = json_array();
    const bool ran = o->verdict != ORR_OUT_OF_REGIME;
    for (int64_t i = 0; ran && i < o->seeds; i++) (void)json_array_append_new(seeds, json_integer(i));
    for (int64_t i = 0; ran && i < o->points * o->seeds; i++)
        (void)json_array_append_new(runs, json_integer(o->runs[i]));
    json_t *head =
        check_json(&o->law->checks[o->headline], &o->check[o->headline], orr_verdict_words(o->verdict), o->note);
    json_t *out = json_pack("{s:s}", "law", o->law->id);
    (void)json_object_update(out, head);
    json_decref(head);
    json_t *rest =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "seeds", seeds, "sealed_at", text_or_null(o->sealed_at),
                  "started_at", text_or_null(o->started_at), "finished_at", text_or_null(o->finished_at),
                  "prediction_sha256", text_or_null(o->sha256), "runs", runs, "checks", all_checks(o));
    (void)json_object_update(out, rest);
    json_decref(rest);
    if (o->outside[0]) (void)json_object_set_new(out, "outside", json_string(o->outside));
    return out;
}

orr_status orr_law_write_page(orr_context *ctx, orr_arena *scratch, const orr_law_outcome *o, const char *command,
                              const char *path) {
    json_t *verdict =
        check_json(&o->law->checks[o->headline], &o->check[o->headline], orr_verdict_words(o->verdict), o->note);
    json_t *checks = all_checks(o);
    json_t *facts =
        json_pack("[[s,s], [s,s], [s,s], [s,s]]", "prediction sealed", o->sealed_at, "sha256 of the prediction",
                  o->sha256, "first run started", o->started_at, "last run finished", o->finished_at);
    json_t *panels = o->prediction && o->measurement && o->law->figure ? o->law->figure(o->prediction, o->measurement)
                                                                       : json_array();
    const orr_page page = { .kicker = orr_arena_format(scratch, "Law, section %s of the paper", o->law->section),
                            .title = o->law->title,
                            .statement = o->law->statement,
                            .sources = o->law->sources,
                            .command = command,
                            .verdict = verdict,
                            .checks = checks,
                            .facts = facts,
                            .panels = panels };
    const orr_status status = verdict && checks && facts && panels && page.kicker
                                  ? orr_page_write(ctx, scratch, &page, path)
                                  : orr_fail(ctx, ORR_ENOMEM, "%s: no memory for the page", path);
    json_decref(verdict);
    json_decref(checks);
    json_decref(facts);
    json_decref(panels);
    return status;
}
