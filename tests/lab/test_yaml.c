#include "testing.h"

#include "lab/yaml.h"

static orr_arena *arena;
static orr_mistakes m;

static int setup(void **state) {
    if (context_setup(state) != 0 || orr_arena_new(*state, &arena) != ORR_OK) return -1;
    m = (orr_mistakes){ .ctx = *state, .arena = arena, .file = "a.yaml" };
    return 0;
}
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_yaml *parsed(const char *text) { return orr_yaml_parse(&m, text, strlen(text), 0); }

/* The one mistake of a text. */
static void refused(const char *text, int line, int column, const char *says) {
    m.n = 0;
    (void)parsed(text);
    if (m.n != 1) fail_msg("%s: %lld mistakes", text, (long long)m.n);
    assert_string_equal(m.item[0].text, says);
    assert_int_equal(m.item[0].at.line, line);
    assert_int_equal(m.item[0].at.column, column);
}

static void a_tree_knows_where_its_words_stand(void **state) {
    (void)state;
    const orr_yaml *root = parsed("a: 1\nb:\n  c: [x, yz]\n");
    assert_non_null(root);
    assert_int_equal(root->type, ORR_YAML_MAP);
    assert_int_equal(root->n, 2);
    const orr_yaml *list = orr_yaml_get(orr_yaml_get(root, "b"), "c");
    assert_int_equal(list->type, ORR_YAML_LIST);
    assert_int_equal(list->n, 2);
    assert_string_equal(list->value[1]->word, "yz");
    assert_int_equal(list->value[1]->at.line, 3);
    assert_int_equal(list->value[1]->at.column, 10);
    assert_null(orr_yaml_get(root, "c"));
    assert_null(orr_yaml_get(list, "c"));
    assert_int_equal(m.n, 0);
}

static void a_mark_of_byte_order_is_no_part_of_the_text(void **state) {
    (void)state;
    m.n = 0;
    const orr_yaml *root = parsed("\xef\xbb\xbf"
                                  "a: 1\nb: 2\n");
    assert_int_equal(m.n, 0);
    assert_non_null(root);
    assert_non_null(orr_yaml_get(root, "a"));
    assert_non_null(orr_yaml_get(root, "b"));
}

static void an_alias_is_its_anchor(void **state) {
    (void)state;
    const orr_yaml *root = parsed("a: &x [1, 2]\nb: *x\n");
    assert_ptr_equal(orr_yaml_get(root, "a"), orr_yaml_get(root, "b"));
}

static void what_is_no_tree_is_refused(void **state) {
    (void)state;
    refused("", 0, 0, "the file is empty");
    refused("a:\n\tb: 1\n", 2, 1, "a tab; YAML is indented with spaces");
    refused("\xc3\xa9: 1\n\tb: 1\n", 2, 1, "a tab; YAML is indented with spaces");
    refused("a: 1\na: 2\n", 2, 1, "'a' stands here twice (first in line 1)");
    refused("? [a]\n: 1\n", 1, 3, "a key must be a word, this is a list");
    refused("a: 1\n---\nb: 2\n", 3, 1, "a second document starts here; a file has one");
    refused("a: &x [ *x ]\n", 1, 4, "this contains itself, through an alias");
    refused("a: \"x\\0y\"\n", 1, 4, "a zero byte in a word");
    refused("[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", 1, 17, "nested deeper than any experiment");
    refused("a: *nowhere\n", 1, 4, "found undefined alias");
}

static void many_aliases_of_aliases_are_read_in_no_time(void **state) {
    (void)state; /* 10^9 leaves as a tree; looked at once a node */
    const orr_yaml *root = parsed("a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                                  "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                                  "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
                                  "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g,*g]\n"
                                  "i: [*h,*h,*h,*h,*h,*h,*h,*h,*h,*h]\n");
    assert_non_null(root);
    assert_int_equal(m.n, 0);
}

static void a_map_with_another_value_leaves_the_first_as_it_was(void **state) {
    (void)state;
    const orr_yaml *root = parsed("a: 1\nb: 2\n"), *key = orr_yaml_word(&m, root->at, "a");
    const orr_yaml *other = orr_yaml_with(&m, root, key, orr_yaml_word(&m, root->at, "3"));
    assert_string_equal(orr_yaml_get(other, "a")->word, "3");
    assert_string_equal(orr_yaml_get(root, "a")->word, "1");
    assert_int_equal(other->n, 2);
    other = orr_yaml_with(&m, root, key, NULL);
    assert_null(orr_yaml_get(other, "a"));
    assert_int_equal(other->n, 1);
    other = orr_yaml_with(&m, NULL, key, root);
    assert_ptr_equal(orr_yaml_get(other, "a"), root);
}

static void dotted_keys_are_maps_in_maps(void **state) {
    (void)state;
    const orr_place at = { .line = 1, .column = 1 };
    const orr_yaml *value = orr_yaml_word(&m, at, "0.1");
    const orr_yaml *tree = orr_yaml_dotted(&m, orr_yaml_word(&m, at, "rule.learning_rate"), value);
    assert_ptr_equal(orr_yaml_get(orr_yaml_get(tree, "rule"), "learning_rate"), value);
    assert_int_equal(m.n, 0);
    static const char *const bad[] = { ".", "a.", ".a", "a..b", "", "a.b.c.d.e.f.g" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        m.n = 0;
        assert_null(orr_yaml_dotted(&m, orr_yaml_word(&m, at, bad[i]), value));
        assert_int_equal(m.n, 1);
    }
}

static void mistakes_are_told_once_and_in_the_order_of_the_file(void **state) {
    orr_context *ctx = *state;
    orr_mistakes_add(&m, (orr_place){ 2, 1, 1 }, "last");
    orr_mistakes_add(&m, (orr_place){ 0, 9, 1 }, "third");
    orr_mistakes_add(&m, (orr_place){ 0, 2, 7 }, "second");
    orr_mistakes_add(&m, (orr_place){ 0, 2, 3 }, "first");
    orr_mistakes_add(&m, (orr_place){ 0, 9, 1 }, "third");
    assert_int_equal(orr_mistakes_tell(&m), ORR_EINPUT);
    assert_string_equal(orr_context_message(ctx),
                        "a.yaml:2:3: first\na.yaml:2:7: second\na.yaml:9:1: third\n--set 2: last");
}

static void of_many_mistakes_the_first_fifty_are_told(void **state) {
    orr_context *ctx = *state;
    for (int i = 200; i > 0; i--) orr_mistakes_add(&m, (orr_place){ 0, i, 1 }, "mistake");
    assert_int_equal(orr_mistakes_tell(&m), ORR_EINPUT);
    const char *message = orr_context_message(ctx);
    assert_non_null(strstr(message, "a.yaml:50:1: mistake\nand 150 more"));
    assert_null(strstr(message, "a.yaml:51:1"));
}

static void long_mistakes_end_within_the_message(void **state) {
    orr_context *ctx = *state;
    for (int i = 1; i <= 50; i++) orr_mistakes_add(&m, (orr_place){ 0, i, 1 }, "%0600d", i);
    assert_int_equal(orr_mistakes_tell(&m), ORR_EINPUT);
    const char *message = orr_context_message(ctx), *end = strstr(message, "\nand ");
    assert_non_null(end);
    int told = 0, more = (int)strtol(end + 5, NULL, 10);
    for (const char *c = message; c <= end; c++) told += *c == '\n';
    assert_int_equal(told + more, 50);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CLAIM(a_tree_knows_where_its_words_stand),
        CLAIM(a_mark_of_byte_order_is_no_part_of_the_text),
        CLAIM(an_alias_is_its_anchor),
        CLAIM(what_is_no_tree_is_refused),
        CLAIM(many_aliases_of_aliases_are_read_in_no_time),
        CLAIM(a_map_with_another_value_leaves_the_first_as_it_was),
        CLAIM(dotted_keys_are_maps_in_maps),
        CLAIM(mistakes_are_told_once_and_in_the_order_of_the_file),
        CLAIM(of_many_mistakes_the_first_fifty_are_told),
        CLAIM(long_mistakes_end_within_the_message),
    };
#undef CLAIM
    return cmocka_run_group_tests(tests, NULL, NULL);
}
