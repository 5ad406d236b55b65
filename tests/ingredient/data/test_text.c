#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "base/file/refused.h"
#include "failing.h"
#include "files.h"
#include "ingredient/data/text.h"

static orr_arena *arena;

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

static orr_status parse(orr_context *ctx, const char *text, orr_text_options options, orr_tokens *out) {
    const size_t n = strlen(text);
    unsigned char *exact = malloc(n ? n : 1);
    memcpy(exact, text, n);
    const orr_status status = orr_text_parse(ctx, arena, "a.txt", (orr_bytes){ exact, n }, &options, out);
    free(exact);
    return status;
}

static void check(const orr_tokens *t, int64_t n, const int32_t *token, int32_t n_vocabulary,
                  const char *const *words) {
    assert_int_equal(t->n, n);
    for (int64_t i = 0; i < n; i++) assert_int_equal(t->token[i], token[i]);
    assert_int_equal(t->n_vocabulary, n_vocabulary);
    for (int32_t i = 0; i < n_vocabulary; i++) {
        assert_string_equal(t->vocabulary[i].text, words[i]);
        assert_int_equal(t->vocabulary[i].length, strlen(words[i]));
    }
}

static void bytes_are_their_own_tokens(void **state) {
    orr_context *ctx = *state;
    orr_tokens t;
    assert_ok(ctx, orr_text_read(ctx, arena,
                                 files_write("a.bin",
                                             "a\0\xff"
                                             "a",
                                             4),
                                 NULL, &t));
    static const int32_t expected[] = { 'a', 0, 255, 'a' };
    assert_int_equal(t.n, 4);
    assert_memory_equal(t.token, expected, sizeof expected);
    assert_int_equal(t.n_vocabulary, 256);
    assert_int_equal(t.vocabulary['a'].count, 2);
    assert_int_equal((unsigned char)t.vocabulary[255].text[0], 255);
    assert_int_equal(t.vocabulary[0].length, 1);
}

static void characters_are_code_points_by_appearance_or_sorted(void **state) {
    orr_context *ctx = *state;
    orr_tokens t;
    static const char *const text = "n\xc3\xa9"
                                    "a\xf0\x9d\x94\xb8"
                                    "an\n";
    assert_ok(ctx, parse(ctx, text, (orr_text_options){ .unit = ORR_TEXT_CHARACTERS }, &t));
    check(&t, 7, (const int32_t[]){ 0, 1, 2, 3, 2, 0, 4 }, 5,
          (const char *const[]){ "n", "\xc3\xa9", "a", "\xf0\x9d\x94\xb8", "\n" });
    assert_int_equal(t.vocabulary[2].count, 2);
    assert_ok(ctx, parse(ctx, text, (orr_text_options){ .unit = ORR_TEXT_CHARACTERS, .sorted = true }, &t));
    check(&t, 7, (const int32_t[]){ 2, 3, 1, 4, 1, 2, 0 }, 5,
          (const char *const[]){ "\n", "a", "n", "\xc3\xa9", "\xf0\x9d\x94\xb8" });
    assert_int_equal(t.vocabulary[1].count, 2);
    assert_ok(ctx, orr_text_read(ctx, arena, files_write_gz("a.gz", "ab", 2),
                                 &(orr_text_options){ .unit = ORR_TEXT_CHARACTERS }, &t));
    assert_int_equal(t.n, 2);
}

static void words_are_the_most_frequent_and_ties_go_by_appearance(void **state) {
    orr_context *ctx = *state;
    orr_tokens t;
    static const char *const text = "\tb a  c\r\na b,\vc d\fc\n";
    orr_text_options o = { .unit = ORR_TEXT_WORDS };
    assert_ok(ctx, parse(ctx, text, o, &t)); /* c 3, a 2, then b, "b,", d by appearance */
    check(&t, 8, (const int32_t[]){ 3, 2, 1, 2, 4, 1, 5, 1 }, 6,
          (const char *const[]){ "<unk>", "c", "a", "b", "b,", "d" });
    assert_int_equal(t.vocabulary[0].count, 0);
    o.words = 3;
    assert_ok(ctx, parse(ctx, text, o, &t));
    check(&t, 8, (const int32_t[]){ 3, 2, 1, 2, 0, 1, 0, 1 }, 4, (const char *const[]){ "<unk>", "c", "a", "b" });
    assert_int_equal(t.vocabulary[0].count, 2);
    o.words = 99;
    assert_ok(ctx, parse(ctx, "<unk> a <unk> b", o, &t)); /* a corpus that has the unknown word already */
    check(&t, 4, (const int32_t[]){ 0, 1, 0, 2 }, 3, (const char *const[]){ "<unk>", "a", "b" });
    assert_int_equal(t.vocabulary[0].count, 2);
    o.words = 1;
    assert_ok(ctx, parse(ctx, "b a a <unk>", o, &t));
    check(&t, 4, (const int32_t[]){ 0, 1, 1, 0 }, 2, (const char *const[]){ "<unk>", "a" });
}

static void what_is_no_text_is_refused_with_its_line(void **state) {
    orr_context *ctx = *state;
    orr_tokens t;
    const orr_text_options characters = { .unit = ORR_TEXT_CHARACTERS }, words = { .unit = ORR_TEXT_WORDS };
    assert_refused(ctx, parse(ctx, "", characters, &t), ORR_EINPUT, "a.txt: ", "the file is empty; expected text");
    assert_refused(ctx, parse(ctx, "", (orr_text_options){ 0 }, &t), ORR_EINPUT, "a.txt: ", "the file is empty");
    assert_refused(ctx, parse(ctx, " \n", words, &t), ORR_EINPUT, "a.txt: ", "nothing but blanks; expected words");
    assert_refused(ctx, parse(ctx, "ab\ncaf\xe9\n", characters, &t), ORR_EINPUT,
                   "a.txt:2: ", "byte 6 of the file (0xe9) is not UTF-8; convert it (iconv -t UTF-8) or read bytes");
    assert_refused(ctx, parse(ctx, "a \xc0\xaf", words, &t), ORR_EINPUT,
                   "a.txt:1: ", "byte 2 of the file (0xc0) is not UTF-8");
    assert_refused(ctx, orr_text_read(ctx, arena, files_path("none.txt"), &words, &t), ORR_EINPUT, files_folder,
                   "No such file");
}

static orr_status tokenize(orr_context *ctx, void *arg) {
    orr_arena *out;
    orr_tokens t;
    orr_status status = orr_arena_new(ctx, &out);
    if (status != ORR_OK) return status;
    for (int unit = 0; unit < 3 && status == ORR_OK; unit++)
        status = orr_text_read(ctx, out, arg,
                               &(orr_text_options){ .unit = (orr_text_unit)unit, .words = 40, .sorted = true }, &t);
    orr_arena_free(out);
    return status;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    char text[2048], path[512];
    size_t n = 0;
    for (int i = 0; i < 200; i++) n += (size_t)snprintf(text + n, sizeof text - n, "w%d ", i % 60);
    (void)snprintf(path, sizeof path, "%s", files_write_gz("f.gz", text, n));
    assert_true(fail_each_allocation(tokenize, path) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_their_own_tokens),
        cmocka_unit_test(characters_are_code_points_by_appearance_or_sorted),
        cmocka_unit_test(words_are_the_most_frequent_and_ties_go_by_appearance),
        cmocka_unit_test(what_is_no_text_is_refused_with_its_line),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("ingredient/data/text", tests, setup, teardown);
}
