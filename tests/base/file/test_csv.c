#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "base/file/csv.h"
#include "failing.h"
#include "files.h"
#include "refused.h"

static orr_arena *arena;

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

static orr_status parse_bytes(orr_context *ctx, const char *text, size_t n, const orr_csv_options *options,
                              orr_csv *out) {
    unsigned char *exact = malloc(n ? n : 1); /* of the very size, so that AddressSanitizer sees a byte read too far */
    memcpy(exact, text, n);
    const orr_status status = orr_csv_parse(ctx, arena, "a.csv", (orr_bytes){ exact, n }, options, out);
    free(exact);
    return status;
}

static orr_status parse(orr_context *ctx, const char *text, const orr_csv_options *options, orr_csv *out) {
    return parse_bytes(ctx, text, strlen(text), options, out);
}

static const char *write_gz(const char *text) { return files_write_gz("a.csv.gz", text, strlen(text)); }

static const char *field(const orr_csv *csv, int64_t row, int column) {
    return csv->field[row * csv->columns + column];
}

static void quotes_commas_and_line_ends_are_fields(void **state) {
    orr_csv csv;
    assert_ok(*state, parse(*state,
                            "name,\"height, m\",note\r\n"
                            "\"Dupont, A.\",1.8,\"say \"\"a\"\"\"\n"
                            ",\"\",\"two\r\nlines\"\r\n"
                            "x,,",
                            NULL, &csv));
    assert_int_equal(csv.columns, 3);
    assert_int_equal(csv.rows, 3);
    assert_string_equal(csv.name[1], "height, m");
    assert_string_equal(field(&csv, 0, 0), "Dupont, A.");
    assert_string_equal(field(&csv, 0, 2), "say \"a\"");
    assert_string_equal(field(&csv, 1, 0), "");
    assert_string_equal(field(&csv, 1, 2), "two\r\nlines");
    assert_string_equal(field(&csv, 2, 2), "");
    assert_int_equal(csv.line[0], 2);
    assert_int_equal(csv.line[1], 3);
    assert_int_equal(csv.line[2], 5); /* the record above has two lines */
}

static void a_mark_a_separator_and_no_header_are_understood(void **state) {
    orr_csv csv;
    orr_array a;
    assert_ok(*state, parse(*state,
                            "\xef\xbb\xbf"
                            "a;b\n1;2\n",
                            &(orr_csv_options){ .separator = ';' }, &csv));
    assert_string_equal(csv.name[0], "a");
    assert_ok(*state, parse(*state, "1,2\n3,4\n", &(orr_csv_options){ .no_header = true }, &csv));
    assert_int_equal(csv.rows, 2);
    assert_string_equal(csv.name[1], "2");
    assert_int_equal(csv.line[1], 2);
    assert_ok(*state, orr_csv_numbers(*state, arena, &csv, &(const char *){ "2" }, 1, &a));
    assert_close(orr_array_value(&a, 1), 4, 0);
    assert_ok(*state, parse(*state, "a,b\n", NULL, &csv)); /* a header alone: no rows */
    assert_int_equal(csv.rows, 0);
    assert_ok(*state, orr_csv_numbers(*state, arena, &csv, csv.name, 2, &a));
    assert_true(orr_shape_equal(&a.shape, &ORR_SHAPE(0, 2)));
}

static void columns_of_numbers_are_one_array_in_the_order_asked_for(void **state) {
    static const char *const names[] = { "y", "x" };
    orr_context *ctx = *state;
    orr_csv csv;
    orr_array a;
    const char *path = write_gz("x,label,y\n1.5,cat,-3\n.25,dog,1e3\n0.1,cat,7\n");
    assert_ok(ctx, orr_csv_read(ctx, arena, path, NULL, &csv));
    assert_ok(ctx, orr_csv_numbers(ctx, arena, &csv, names, 2, &a));
    assert_true(orr_shape_equal(&a.shape, &ORR_SHAPE(3, 2)));
    static const double expected[] = { -3, 1.5, 1000, 0.25, 7, 0.1 };
    for (int i = 0; i < 6; i++) assert_close(orr_array_value(&a, i), expected[i], 0);
}

static void classes_are_numbered_by_first_appearance(void **state) {
    orr_context *ctx = *state;
    orr_csv csv;
    orr_array a;
    const char *const *words;
    int n;
    assert_ok(ctx, parse(ctx, "label\ndog\ncat\ndog\nbird\n", NULL, &csv));
    assert_ok(ctx, orr_csv_classes(ctx, arena, &csv, "label", &a, &words, &n));
    assert_int_equal(n, 3);
    assert_string_equal(words[2], "bird");
    static const int32_t expected[] = { 0, 1, 0, 2 };
    assert_memory_equal(a.data, expected, sizeof expected);
    assert_ok(ctx, parse(ctx, "label,x\ndog,1\n,2\n", NULL, &csv));
    assert_refused(ctx, orr_csv_classes(ctx, arena, &csv, "label", &a, &words, &n), ORR_EINPUT,
                   "a.csv:3: column 'label': ", "missing; expected the name of a class");
}

static void a_missing_value_is_refused_or_is_what_was_named(void **state) {
    orr_context *ctx = *state;
    orr_csv csv;
    orr_array a;
    const char *const x = "x";
    assert_ok(ctx, parse(ctx, "x\n1\n\n2\n", NULL, &csv)); /* with one column a blank line is an empty field */
    assert_refused(ctx, orr_csv_numbers(ctx, arena, &csv, &x, 1, &a), ORR_EINPUT, "a.csv:3: column 'x': ",
                   "missing; expected a number such as -1.5e3 (or say that an empty field is missing)");
    assert_ok(ctx, parse(ctx, "x\n1\n\n2\n", &(orr_csv_options){ .missing = "" }, &csv));
    assert_ok(ctx, orr_csv_numbers(ctx, arena, &csv, &x, 1, &a));
    assert_close(orr_array_value(&a, 1), NAN, 0);
    assert_close(orr_array_value(&a, 2), 2, 0);
    assert_ok(ctx, parse(ctx, "x\n1\nNA\nnan\n", &(orr_csv_options){ .missing = "NA" }, &csv));
    assert_refused(ctx, orr_csv_numbers(ctx, arena, &csv, &x, 1, &a), ORR_EINPUT,
                   "a.csv:4: column 'x': ", "expected a number such as -1.5e3, met \"nan\"");
}

static void a_wrong_column_or_number_is_told_with_line_and_name(void **state) {
    orr_context *ctx = *state;
    orr_csv csv;
    orr_array a;
    assert_ok(ctx, parse(ctx, "height,weight\n1,2\n\"3\n4\",\"5 kg\"\n6,7e999\n", NULL, &csv));
#define REFUSED(column, where, says)                                                                                   \
    assert_refused(ctx, orr_csv_numbers(ctx, arena, &csv, &(const char *){ column }, 1, &a), ORR_EINPUT, where, says)
    REFUSED("heigth", "a.csv: ", "no column 'heigth' among its 2; did you mean 'height'?");
    REFUSED("zzz", "a.csv: ", "no column 'zzz' among its 2; the first is 'height'");
    REFUSED("height", "a.csv:3: column 'height': ", "expected a number such as -1.5e3, met \"3\\n4\"");
    REFUSED("weight", "a.csv:3: column 'weight': ", "expected a number such as -1.5e3, met \"5 kg\"");
    assert_ok(ctx, parse(ctx, "x\n1\n7e999\n", NULL, &csv));
    REFUSED("x", "a.csv:3: column 'x': ",
            "expected a number of at most 1.8e308, the largest that a double holds, met \"7e999\"");
#undef REFUSED
}

static void what_is_not_csv_is_told_with_line_and_column(void **state) {
    orr_context *ctx = *state;
    orr_csv csv;
#define REFUSED(text, where, says) assert_refused(ctx, parse(ctx, text, NULL, &csv), ORR_EINPUT, where, says)
    REFUSED("", "a.csv: ", "the file is empty");
    REFUSED("\xef\xbb\xbf", "a.csv: ", "the file is empty");
    REFUSED("\xff\xfe"
            "a",
            "a.csv: ", "UTF-16; expected UTF-8 (iconv -f UTF-16 -t UTF-8)");
    REFUSED("a,b\n1,2\n3\n", "a.csv:3: ", "1 fields; expected 2 as in the first line");
    REFUSED("a,b\n1,2,\n", "a.csv:2: ", "3 fields; expected 2 as in the first line");
    REFUSED("a,b\n1,2\n\n", "a.csv:3: ", "a blank line; expected 2 fields as in the first line");
    REFUSED("a,b\n\"1\n\n,2\n", "a.csv:2: column 1: ", "a quote opens here and is never closed");
    REFUSED("a,b\n\"x\ny\",1\"\n",
            "a.csv:3: column 2: ", "a quote inside an unquoted field (put the field between quotes");
    REFUSED("a,b\n1,\"2\"x\n",
            "a.csv:2: column 2: ", "text follows a closing quote (a quote inside a quoted field is doubled)");
    REFUSED("a\rb\n", "a.csv:1: column 1: ", "a carriage return without a line feed; lines end with LF or CRLF");
    REFUSED("a,b\n1,2\r", "a.csv:2: column 2: ", "a carriage return without a line feed");
    REFUSED("a,,b\n", "a.csv:1: ", "column 2 has no name (is the first line a header?)");
    REFUSED("a,b,a\n", "a.csv:1: ", "columns 1 and 3 are both named 'a' (is the first line a header?)");
#undef REFUSED
    assert_refused(ctx, parse_bytes(ctx, "a\nb\0c\n", 6, NULL, &csv), ORR_EINPUT, "a.csv:2: column 1: ", "a zero byte");
    assert_refused(ctx, parse_bytes(ctx, "a\n\"b\0\"\n", 7, NULL, &csv), ORR_EINPUT,
                   "a.csv:2: column 1: ", "a zero byte");
    assert_refused(ctx, parse(ctx, "a\n", &(orr_csv_options){ .separator = '"' }, &csv), ORR_EINPUT,
                   "a.csv: ", "a quote or a line end can't separate fields");
    assert_refused(ctx, orr_csv_read(ctx, arena, files_path("none.csv"), NULL, &csv), ORR_EINPUT, files_folder,
                   "No such file");
}

static orr_status read_columns(orr_context *ctx, void *arg) {
    orr_arena *out;
    orr_csv csv;
    orr_array a;
    const char *const *words;
    int n;
    orr_status status = orr_arena_new(ctx, &out);
    if (status != ORR_OK) return status;
    status = orr_csv_read(ctx, out, arg, &(orr_csv_options){ .missing = "NA" }, &csv);
    if (status == ORR_OK) status = orr_csv_numbers(ctx, out, &csv, csv.name, 1, &a);
    if (status == ORR_OK) status = orr_csv_classes(ctx, out, &csv, csv.name[1], &a, &words, &n);
    orr_arena_free(out);
    return status;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    char path[512];
    (void)snprintf(path, sizeof path, "%s", files_write_gz("f.csv.gz", "x,c\n1,a\nNA,b\n", 13));
    assert_true(fail_each_allocation(read_columns, path) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_commas_and_line_ends_are_fields),
        cmocka_unit_test(a_mark_a_separator_and_no_header_are_understood),
        cmocka_unit_test(columns_of_numbers_are_one_array_in_the_order_asked_for),
        cmocka_unit_test(classes_are_numbered_by_first_appearance),
        cmocka_unit_test(a_missing_value_is_refused_or_is_what_was_named),
        cmocka_unit_test(a_wrong_column_or_number_is_told_with_line_and_name),
        cmocka_unit_test(what_is_not_csv_is_told_with_line_and_column),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("base/file/csv", tests, setup, teardown);
}
