#define _POSIX_C_SOURCE 200809L /* sigaction, isatty */
#include "cli/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/context.h"
#include "report/textplot.h"

/* Set by SIGINT and SIGTERM: the only thing that a handler may touch. */
static volatile sig_atomic_t stop_asked;

static void ask_to_stop(int signal_number) {
    (void)signal_number;
    stop_asked = 1;
}

const volatile sig_atomic_t *orr_cli_stop(void) {
    const struct sigaction action = { .sa_handler = ask_to_stop, .sa_flags = (int)SA_RESETHAND };
    (void)sigaction(SIGINT, &action, NULL); /* can't fail: the numbers are right */
    (void)sigaction(SIGTERM, &action, NULL);
    return &stop_asked;
}

/* ---- for eyes ------------------------------------------------------------------------------------------------------------ */

static bool on_terminal(void) { return isatty(STDOUT_FILENO) == 1; }

orr_status orr_cli_plot(orr_context *ctx, orr_arena *arena, const orr_law_outcome *o) {
    enum { COLUMNS = 64, ROWS = 12 };
    if (!on_terminal() || !o->prediction || !o->measurement || !o->law->figure) return ORR_OK;
    json_t *panels = o->law->figure(o->prediction, o->measurement);
    const char *text = "";
    orr_status status = ORR_OK;
    for (size_t i = 0; i < json_array_size(panels) && !text[0] && status == ORR_OK; i++)
        status = orr_textplot(ctx, arena, json_array_get(panels, i), COLUMNS, ROWS, &text);
    json_decref(panels);
    if (status == ORR_OK && text[0]) printf("\n%s", text);
    return status;
}

const char *orr_cli_verdict_cell(orr_verdict verdict) {
    static const char *const plain[] = { "HOLDS         ", "FAILS         ", "OUT OF REGIME " };
    static const char *const coloured[] = { "\033[1;32mHOLDS\033[0m         ", "\033[1;31mFAILS\033[0m         ",
                                            "\033[1;33mOUT OF REGIME\033[0m " };
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    const bool welcome = on_terminal() && !(no && *no) && term && strcmp(term, "dumb") != 0;
    return welcome ? coloured[verdict] : plain[verdict];
}

void orr_cli_forget(orr_laws_outcome *outcome) {
    for (int64_t i = 0; outcome->law && i < outcome->n_laws; i++) {
        json_decref(outcome->law[i].prediction);
        json_decref(outcome->law[i].measurement);
    }
}

int orr_cli_verdict(const orr_laws_outcome *outcome, bool laws_auto) {
    for (int64_t i = 0; i < outcome->n_laws; i++) {
        const orr_verdict v = outcome->law[i].verdict;
        if (v == ORR_FAILS || (v == ORR_OUT_OF_REGIME && !laws_auto)) return ORR_EXIT_FAILS;
    }
    return ORR_EXIT_HOLDS;
}

/* The last value of the series `loss`; NaN where it wasn't observed. */
static orr_status last_loss(orr_context *ctx, orr_arena *arena, orr_store *store, int64_t run, double *out) {
    orr_series loss;
    const orr_arena_mark mark = orr_arena_here(arena);
    ORR_TRY(ctx, orr_store_series(store, arena, run, "loss", &loss));
    *out = loss.n ? loss.y[loss.n - 1] : (double)NAN;
    orr_arena_rewind(arena, mark);
    return ORR_OK;
}

static json_t *run_json(const orr_experiment *e, const orr_laws_outcome *o, int64_t i, double loss) {
    const orr_run_outcome *run = &o->run[i];
    return json_pack("{s:I, s:s, s:I, s:s, s:I, s:o}", "run", (json_int_t)o->runs[i], "name",
                     e->points[i / e->seeds].name, "seed", (json_int_t)(i % e->seeds), "state",
                     run->diverged ? "diverged" : "finished", "steps", (json_int_t)run->steps, "loss",
                     isfinite(loss) ? orr_json_real(loss) : json_null());
}

/* Shares of the time that trainings took; null where there was none. */
static json_t *time_json(const orr_run_time *t) {
    const double whole = orr_run_time_whole(t);
    if (whole <= 0.0) return json_null();
    json_t *instruments = json_object();
    for (int i = 0; i < ORR_INSTRUMENTS; i++)
        if (t->instrument[i] > 0.0)
            (void)json_object_set_new(instruments, orr_instrument_at(i)->kind.name,
                                      orr_json_real(t->instrument[i] / whole));
    return json_pack("{s:o, s:o, s:o, s:o}", "seconds", orr_json_real(whole), "updates",
                     orr_json_real(t->updates / whole), "instruments", instruments, "store",
                     orr_json_real(t->store / whole));
}

/* "time: updates 97.1 %, instruments 1.9 % (loss 0.3 %, norms 1.6 %), store 0.9 %" */
static void print_time(const orr_run_time *t) {
    const double percent = 100.0 / orr_run_time_whole(t);
    const char *before = " (";
    if (!isfinite(percent)) return;
    printf("\ntime: updates %.1f %%, instruments %.1f %%", percent * t->updates, percent * orr_run_time_instruments(t));
    for (int i = 0; i < ORR_INSTRUMENTS; i++) {
        if (t->instrument[i] <= 0.0) continue;
        printf("%s%s %.1f %%", before, orr_instrument_at(i)->kind.name, percent * t->instrument[i]);
        before = ", ";
    }
    printf("%s, store %.1f %%\n", before[0] == ',' ? ")" : "", percent * t->store);
}

static orr_status print_json(orr_context *ctx, orr_arena *arena, orr_store *store, const orr_experiment *e,
                             const orr_laws_outcome *o) {
    json_t *runs = json_array(), *laws = json_array();
    orr_status status = ORR_OK;
    for (int64_t i = 0; o->trained && i < o->points * o->seeds && status == ORR_OK; i++) {
        double loss = (double)NAN;
        status = last_loss(ctx, arena, store, o->runs[i], &loss);
        (void)json_array_append_new(runs, run_json(e, o, i, loss));
    }
    for (int64_t i = 0; i < o->n_laws; i++) (void)json_array_append_new(laws, orr_law_outcome_json(&o->law[i]));
    json_t *all = json_pack("{s:s, s:I, s:s, s:o, s:o, s:o}", "experiment", e->name, "id", (json_int_t)o->experiment,
                            "store", orr_store_path(store), "runs", runs, "time", time_json(&o->time), "laws", laws);
    char *text;
    if (status == ORR_OK) status = orr_json_text(ctx, arena, all, 17, &text);
    json_decref(all);
    if (status == ORR_OK) printf("%s\n", text);
    return status;
}

static orr_status print_table(orr_context *ctx, orr_arena *arena, orr_store *store, const orr_experiment *e,
                              const orr_laws_outcome *o) {
    printf("%s: experiment %lld in %s\n\n", e->name, (long long)o->experiment, orr_store_path(store));
    if (o->trained) printf("%-6s %-40s %5s %-9s %10s  %s\n", "run", "point", "seed", "state", "updates", "loss");
    for (int64_t i = 0; o->trained && i < o->points * o->seeds; i++) {
        double loss = (double)NAN;
        ORR_TRY(ctx, last_loss(ctx, arena, store, o->runs[i], &loss));
        printf("%-6lld %-40s %5lld %-9s %10lld  ", (long long)o->runs[i], e->points[i / e->seeds].name,
               (long long)(i % e->seeds), o->run[i].diverged ? "diverged" : "finished", (long long)o->run[i].steps);
        if (isfinite(loss)) printf("%.6g\n", loss);
        else printf("-\n");
    }
    if (o->trained) print_time(&o->time);
    for (int64_t l = 0; l < o->n_laws; l++) {
        const orr_law_outcome *law = &o->law[l];
        printf("\n%s: %s%s%s\n", law->law->id, orr_verdict_words(law->verdict), law->note[0] ? "; " : "", law->note);
        for (int64_t i = 0; i < law->n_checks; i++)
            if (law->check[i].n)
                printf("  %s %-58s %9.4g in [%g, %g]\n", orr_cli_verdict_cell(law->check[i].verdict),
                       law->law->checks[i].metric, law->check[i].value, law->law->checks[i].low,
                       law->law->checks[i].high);
        if (law->sealed_at[0]) printf("  sealed %s, sha256 %s\n", law->sealed_at, law->sha256);
    }
    return ORR_OK;
}

orr_status orr_cli_print_outcome(orr_context *ctx, orr_arena *arena, orr_store *store, const orr_experiment *experiment,
                                 const orr_laws_outcome *outcome, bool json) {
    return json ? print_json(ctx, arena, store, experiment, outcome)
                : print_table(ctx, arena, store, experiment, outcome);
}
