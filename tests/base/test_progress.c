#define _GNU_SOURCE /* open_memstream, posix_openpt */
#include "base/log.h"
#include "base/progress.h"
#include "testing.h"

#include <fcntl.h>
#include <unistd.h>

typedef struct screen {
    orr_context *ctx;
    FILE *log;
    char *text;
    size_t size;
    double now; /* the clock's hand, moved by the test */
} screen;

static double clock_of(void *user) { return ((screen *)user)->now; }

static void screen_open(screen *s, bool terminal) {
    *s = (screen){ 0 };
    s->log = open_memstream(&s->text, &s->size);
    assert_non_null(s->log);
    const orr_context_options options = { .threads = 1, .log = s->log, .log_is_terminal = terminal };
    assert_int_equal(orr_context_new(&options, &s->ctx), ORR_OK);
}

static orr_progress screen_start(screen *s, int64_t total) {
    orr_progress p = orr_progress_start(s->ctx, "training", "steps", total);
    p.clock = clock_of;
    p.user = s;
    p.started = 0;
    return p;
}

static void screen_close(screen *s) {
    orr_context_free(s->ctx);
    assert_int_equal(fclose(s->log), 0);
    free(s->text);
}

static void the_line_shows_share_rate_and_time_left(void **state) {
    (void)state;
    screen s;
    screen_open(&s, true);
    orr_progress p = screen_start(&s, 5000);
    orr_progress_note(&p, "loss %.2f", 0.25);
    s.now = 4;
    orr_progress_update(&p, 1200);
    const char *first = "\rtraining  1,200/5,000 steps  24%  300/s  13 s left  loss 0.25";
    assert_string_equal(s.text, first);
    s.now = 20;
    p.done = 5000;
    orr_progress_end(&p);
    char last[128]; /* blanked to the length of the line that stood there */
    (void)snprintf(last, sizeof last, "%-*s\n", (int)strlen(first),
                   "\rtraining  5,000/5,000 steps  in 20 s  loss 0.25");
    assert_string_equal(strrchr(s.text, '\r'), last);
    screen_close(&s);
}

static void a_resumed_run_counts_its_own_steps_for_the_rate(void **state) {
    (void)state;
    screen s;
    screen_open(&s, true);
    orr_progress p = screen_start(&s, 2000);
    p.first = 1000;
    s.now = 10;
    orr_progress_update(&p, 1500);
    assert_string_equal(s.text, "\rtraining  1,500/2,000 steps  75%  50/s  10 s left");
    screen_close(&s);
}

static void without_a_total_there_is_no_share(void **state) {
    (void)state;
    screen s;
    screen_open(&s, true);
    orr_progress p = screen_start(&s, 0);
    s.now = 2;
    orr_progress_update(&p, 3);
    assert_string_equal(s.text, "\rtraining  3 steps  1.5/s");
    screen_close(&s);
}

static void it_draws_at_most_ten_times_a_second(void **state) {
    (void)state;
    screen s;
    screen_open(&s, true);
    orr_progress p = screen_start(&s, 100000);
    for (int i = 0; i < 10000; i++) {
        s.now = i * 1e-4; /* one second in all */
        orr_progress_update(&p, i);
    }
    int draws = 0;
    for (const char *c = s.text; *c; c++) draws += *c == '\r';
    assert_in_range(draws, 9, 11);
    screen_close(&s);
}

static void a_log_line_clears_the_progress_line(void **state) {
    (void)state;
    screen s;
    screen_open(&s, true);
    orr_progress p = screen_start(&s, 4);
    s.now = 1;
    orr_progress_update(&p, 4);
    const size_t before = s.size;
    orr_log_line(s.ctx, ORR_LOG_INFO, "checkpoint");
    const char *after = s.text + before;
    assert_true(after[0] == '\r');
    const size_t blanks = strspn(after + 1, " ");
    assert_int_equal(blanks, before - 1); /* the whole of the line that stood there */
    assert_string_equal(after + 1 + blanks, "\rcheckpoint\n");
    screen_close(&s);
}

static void a_pipe_gets_not_a_byte(void **state) {
    (void)state;
    screen s;
    screen_open(&s, false);
    orr_progress p = screen_start(&s, 10);
    for (int i = 0; i <= 10; i++) {
        s.now = i;
        orr_progress_update(&p, i);
    }
    orr_progress_end(&p);
    assert_int_equal(fflush(s.log), 0);
    assert_int_equal(s.size, 0);
    screen_close(&s);
}

/* The real thing: isatty says yes, and the line is cut to the window. */
static void a_pseudo_terminal_is_recognised(void **state) {
    (void)state;
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master)) skip(); /* no /dev/pts in this sandbox */
    FILE *log = fopen(ptsname(master), "w");
    assert_non_null(log);
    orr_context *ctx;
    assert_int_equal(orr_context_new(&(orr_context_options){ .threads = 1, .log = log }, &ctx), ORR_OK);
    orr_progress p =
        orr_progress_start(ctx, "a very long title that fills most of the line for itself alone", "steps", 9);
    orr_progress_note(&p, "and a note at its end that is long as well");
    orr_progress_update(&p, 1);
    char text[512] = "";
    const ssize_t n = read(master, text, sizeof text - 1);
    assert_true(n > 1 && n <= 80); /* a new pseudo-terminal has no size: 80 columns, the last left free */
    assert_true(text[0] == '\r' && strstr(text, "a very long title"));
    orr_context_free(ctx);
    assert_int_equal(fclose(log), 0);
    (void)close(master);
}

static void seconds_read_like_speech(void **state) {
    (void)state;
    static const struct {
        double seconds;
        const char *words;
    } rows[] = {
        { 0.04, "0.0 s" },      { 0.44, "0.4 s" },     { 9.96, "10 s" },        { 59.4, "59 s" },
        { 59.6, "1 min 00 s" }, { 185, "3 min 05 s" }, { 3599, "59 min 59 s" }, { 3600, "1 h 00 min" },
        { 7799, "2 h 10 min" }, { 1e12, "years" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char words[32];
        orr_seconds_in_words(rows[i].seconds, words);
        assert_string_equal(words, rows[i].words);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_shows_share_rate_and_time_left),
        cmocka_unit_test(a_resumed_run_counts_its_own_steps_for_the_rate),
        cmocka_unit_test(without_a_total_there_is_no_share),
        cmocka_unit_test(it_draws_at_most_ten_times_a_second),
        cmocka_unit_test(a_log_line_clears_the_progress_line),
        cmocka_unit_test(a_pipe_gets_not_a_byte),
        cmocka_unit_test(a_pseudo_terminal_is_recognised),
        cmocka_unit_test(seconds_read_like_speech),
    };
    return cmocka_run_group_tests_name("base/progress", tests, NULL, NULL);
}
