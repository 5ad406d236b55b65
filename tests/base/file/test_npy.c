#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "base/file/npy.h"
#include "failing.h"
#include "files.h"
#include "goldens.h"
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

/* The library never writes into what it is given to read. */
static orr_bytes bytes_of(const unsigned char *data, size_t n) {
    orr_bytes b = { NULL, n };
    memcpy(&b.data, &data, sizeof data);
    return b;
}

static orr_status parse(orr_context *ctx, const unsigned char *data, size_t n, orr_array *out) {
    unsigned char *exact = malloc(n ? n : 1); /* of the very size: a byte read too far is seen by AddressSanitizer */
    memcpy(exact, data, n);
    const orr_status status = orr_npy_parse(ctx, arena, "a.npy", "a", (orr_bytes){ exact, n }, out);
    free(exact);
    return status;
}

typedef enum values { WHOLE, NATURAL, QUARTERS, POSITIVE } values;

/* All are exact in each of the types. */
static double value(values v, int i) {
    return v == WHOLE ? i - 2 : v == NATURAL ? i : v == QUARTERS ? (i - 2) / 4.0 : i > 2;
}

static void each_type_of_numpy_reads_as_the_type_that_the_header_names(void **state) {
    static const struct {
        const char *name;
        const unsigned char *data;
        size_t n;
        orr_dtype dtype;
        values values;
    } rows[] = {
#define ROW(name, dtype, values) { #name, name, sizeof name, dtype, values }
        ROW(npy_little_f2, ORR_F32, QUARTERS), ROW(npy_little_f4, ORR_F32, QUARTERS),
        ROW(npy_little_f8, ORR_F64, QUARTERS), ROW(npy_big_f2, ORR_F32, QUARTERS),
        ROW(npy_big_f4, ORR_F32, QUARTERS),    ROW(npy_big_f8, ORR_F64, QUARTERS),
        ROW(npy_i1, ORR_I32, WHOLE),           ROW(npy_little_i2, ORR_I32, WHOLE),
        ROW(npy_little_i4, ORR_I32, WHOLE),    ROW(npy_little_i8, ORR_I32, WHOLE),
        ROW(npy_big_i2, ORR_I32, WHOLE),       ROW(npy_big_i4, ORR_I32, WHOLE),
        ROW(npy_big_i8, ORR_I32, WHOLE),       ROW(npy_u1, ORR_I32, NATURAL),
        ROW(npy_little_u2, ORR_I32, NATURAL),  ROW(npy_little_u4, ORR_I32, NATURAL),
        ROW(npy_little_u8, ORR_I32, NATURAL),  ROW(npy_bool, ORR_BOOL, POSITIVE),
        ROW(npy_fortran, ORR_F64, QUARTERS),   ROW(npy_version_2, ORR_F64, QUARTERS),
        ROW(npy_version_3, ORR_F64, QUARTERS),
#undef ROW
    };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        orr_array a;
        assert_ok(*state, parse(*state, rows[r].data, rows[r].n, &a));
        if (a.dtype != rows[r].dtype) fail_msg("%s is read as %s", rows[r].name, orr_dtype_name(a.dtype));
        assert_true(orr_shape_equal(&a.shape, &ORR_SHAPE(2, 3)));
        assert_int_equal((uintptr_t)a.data % 64, 0);
        assert_string_equal(a.name, "a");
        for (int i = 0; i < 6; i++) assert_close(orr_array_value(&a, i), value(rows[r].values, i), 0);
    }
}

static void fortran_order_of_three_axes_becomes_row_major(void **state) {
    orr_array a;
    assert_ok(*state, parse(*state, npy_fortran_3, sizeof npy_fortran_3, &a));
    assert_true(orr_shape_equal(&a.shape, &ORR_SHAPE(2, 3, 4)));
    for (int i = 0; i < 24; i++) assert_int_equal(((int32_t *)a.data)[i], i);
}

static void scalars_and_empty_arrays_are_arrays(void **state) {
    orr_array a;
    assert_ok(*state, parse(*state, npy_scalar, sizeof npy_scalar, &a));
    assert_int_equal(a.shape.rank, 0);
    assert_close(orr_array_value(&a, 0), 2.5, 0);
    assert_ok(*state, parse(*state, npy_none, sizeof npy_none, &a));
    assert_true(orr_shape_equal(&a.shape, &ORR_SHAPE(0, 3)));
}

/* The independent witness: NumPy's own bytes. */
static void what_is_written_is_what_numpy_writes(void **state) {
    static const struct {
        const unsigned char *data;
        size_t n;
    } rows[] = { { npy_little_f4, sizeof npy_little_f4 },
                 { npy_little_f8, sizeof npy_little_f8 },
                 { npy_little_i4, sizeof npy_little_i4 },
                 { npy_bool, sizeof npy_bool },
                 { npy_scalar, sizeof npy_scalar },
                 { npy_row, sizeof npy_row },
                 { npy_none, sizeof npy_none } };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        orr_array a;
        orr_bytes written;
        assert_ok(*state, parse(*state, rows[r].data, rows[r].n, &a));
        assert_ok(*state, orr_npy_bytes(*state, arena, &a, &written));
        assert_int_equal(written.n, rows[r].n);
        assert_memory_equal(written.data, rows[r].data, rows[r].n);
    }
}

static void what_is_written_reads_back_in_every_rank(void **state) {
    orr_array a, back;
    orr_shape shape = { .rank = 0 };
    for (shape.rank = 0; shape.rank <= ORR_RANK_MAX; shape.rank++) {
        if (shape.rank) shape.size[shape.rank - 1] = shape.rank % 3 + 1;
        assert_ok(*state, orr_array_new(*state, arena, "x", ORR_F64, shape, &a));
        const int64_t n = orr_shape_count(&shape);
        for (int64_t i = 0; i < n; i++) ((double *)a.data)[i] = 1.0 / (double)(i + 3);
        const char *path = files_path("x.npy");
        assert_ok(*state, orr_npy_write(*state, path, &a));
        assert_ok(*state, orr_npy_read(*state, arena, path, &back));
        assert_string_equal(back.name, "x");
        assert_true(orr_shape_equal(&back.shape, &shape));
        assert_memory_equal(back.data, a.data, (size_t)n * sizeof(double));
    }
}

/* f2 is widened: the least subnormal, the largest number, both infinities, a NaN. */
static void halves_widen_exactly(void **state) {
    static const uint16_t half[6] = { 0x0001, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x8200 };
    static const double expected[6] = { 0x1p-24, 65504, (double)INFINITY, -(double)INFINITY, (double)NAN, -0x1p-15 };
    unsigned char file[sizeof npy_little_f2];
    orr_array a;
    memcpy(file, npy_little_f2, sizeof file);
    for (int i = 0; i < 6; i++) {
        file[sizeof file - 12 + 2 * (size_t)i] = (unsigned char)half[i];
        file[sizeof file - 11 + 2 * (size_t)i] = (unsigned char)(half[i] >> 8);
    }
    assert_ok(*state, parse(*state, file, sizeof file, &a));
    for (int i = 0; i < 6; i++) assert_close(orr_array_value(&a, i), expected[i], 0);
}

static void what_cannot_be_read_as_numbers_is_refused_with_its_reason(void **state) {
    orr_context *ctx = *state;
    orr_array a;
#define REFUSED(golden, says) assert_refused(ctx, parse(ctx, golden, sizeof golden, &a), ORR_EINPUT, "a.npy: ", says)
    REFUSED(npy_complex, "NPY elements are '<c16' (complex numbers); expected bool");
    REFUSED(npy_text, "'<U2' (text)");
    REFUSED(npy_date, "'<M8[D]' (dates or times)");
    REFUSED(npy_record, "an NPY array of records");
    REFUSED(npy_object, "'|O' (Python objects");
    REFUSED(npy_large, "element 1 is 5000000000; whole numbers are read as i32");
    REFUSED(npy_large_unsigned, "element 1 is 9223372036854775808; whole numbers are read as i32");
#undef REFUSED
}

/* A file of version 1.0 with this header and so many bytes behind it. */
static orr_status parse_header(orr_context *ctx, const char *header, size_t body, orr_array *out) {
    unsigned char file[512] = "\x93NUMPY\1";
    const size_t n = strlen(header);
    file[8] = (unsigned char)n;
    memcpy(file + 10, header, n);
    return parse(ctx, file, 10 + n + body, out);
}

static void a_header_that_is_not_the_dictionary_is_refused(void **state) {
    orr_context *ctx = *state;
    orr_array a;
    assert_ok(ctx, parse_header(ctx, "{\"shape\":(2,),'fortran_order':True,\"descr\":'<f4'}", 8, &a)); /* any order */
#define REFUSED(header, says)                                                                                          \
    assert_refused(ctx, parse_header(ctx, header, 8, &a), ORR_EINPUT, "a.npy: NPY header: expected ", says)
#define WITH_SHAPE(shape) "{'descr': '<f8', 'fortran_order': False, 'shape': " shape "}"
    REFUSED("", "a dictionary, {'descr': ...}, met its end");
    REFUSED("[1]", "a dictionary, {'descr': ...}, met \"[1]\"");
    REFUSED("{'order': 1}", "one of the keys 'descr', 'fortran_order', 'shape', each once, met \"'order': 1}\"");
    REFUSED("{'descr': '<f8', 'descr': '<f8'}", "each once, met \"'descr': '<f8'}\"");
    REFUSED("{'descr' '<f8'}", "':', met \"'<f8'}\"");
    REFUSED("{'descr': 3}", "an element type such as '<f8', met \"3}\"");
    REFUSED("{'fortran_order': 0}", "True or False, met \"0}\"");
    REFUSED(WITH_SHAPE("3"), "a shape such as (3, 4), met \"3}\"");
    REFUSED(WITH_SHAPE("(3)"), "',' (a shape of one extent is written (3,)), met \")}\"");
    REFUSED(WITH_SHAPE("(-1,)"), "an extent or ')', met \"-1,)}\"");
    REFUSED(WITH_SHAPE("(3 4)"), "',' (a shape of one extent");
    REFUSED(WITH_SHAPE("(3, 4 5)"), "',' or ')', met \"5)}\"");
    REFUSED(WITH_SHAPE("(99999999999999999999,)"), "an extent below 2^63");
    REFUSED(WITH_SHAPE("(1,)") " x", "nothing but blanks after the dictionary, met \"x\"");
    REFUSED("{'descr': '<f8", "an element type such as '<f8', met \"'<f8\"");
#undef REFUSED
#define REFUSED(header, says) assert_refused(ctx, parse_header(ctx, header, 8, &a), ORR_EINPUT, "a.npy: ", says)
    REFUSED("{'descr': '<f8', 'shape': (1,)}", "the NPY header lacks the key 'fortran_order'");
    REFUSED("{'descr': 'f8'}", "NPY elements are 'f8' (an unknown type)");
    REFUSED("{'descr': '|f8'}", "NPY elements are '|f8' (an unknown type)");
    REFUSED("{'descr': '<f3\n'}", "NPY elements are '<f3\\n' (an unknown type)");
    REFUSED(WITH_SHAPE("(1,1,1,1,1,1,1,1,1,1,1)"), "more than 10 dimensions");
    REFUSED(WITH_SHAPE("(2,)"), "the NPY header promises 16 bytes of data, 8 are there (truncated file?)");
#undef REFUSED
}

static void a_file_cut_anywhere_is_refused(void **state) {
    orr_context *ctx = *state;
    orr_array a;
    for (size_t n = 0; n < sizeof npy_little_f8; n++)
        assert_refused(ctx, parse(ctx, npy_little_f8, n, &a), ORR_EINPUT, "a.npy: ", n == 0 ? "empty" : "");
    unsigned char longer[sizeof npy_little_f8 + 1] = { 0 };
    memcpy(longer, npy_little_f8, sizeof npy_little_f8);
    assert_refused(ctx, parse(ctx, longer, sizeof longer, &a), ORR_EINPUT,
                   "a.npy: ", "data go on after the 48 bytes that the NPY header promises");
    longer[0] = 'x';
    assert_refused(ctx, parse(ctx, longer, sizeof longer, &a), ORR_EINPUT,
                   "a.npy: ", "not an NPY file (starts with \"xNUMPY\"");
    longer[0] = 0x93, longer[6] = 4;
    assert_refused(ctx, parse(ctx, longer, sizeof longer, &a), ORR_EINPUT,
                   "a.npy: ", "NPY version 4.0; 1.0, 2.0 and 3.0 are supported");
    memcpy(longer, npy_bool, sizeof npy_bool);
    longer[sizeof npy_bool - 1] = 2;
    assert_refused(ctx, parse(ctx, longer, sizeof npy_bool, &a), ORR_EINPUT,
                   "a.npy: ", "element 5 of a bool array is byte 2; expected 0 or 1");
}

/* 2^62 bytes, an overflow of 64 bits and a huge extent beside a 0 are told before memory is taken. */
static void a_header_that_promises_too_much_takes_no_memory(void **state) {
    orr_context *ctx = *state;
    orr_array a;
    const size_t before = orr_arena_used(arena);
#define REFUSED(shape, says)                                                                                           \
    assert_refused(ctx, parse_header(ctx, WITH_SHAPE(shape), 8, &a), ORR_EINPUT, "a.npy: ", says)
    REFUSED("(1000000000000,)", "promises 8000000000000 bytes of data, 8 are there");
    REFUSED("(4611686018427387904, 4611686018427387904)", "promises more than 4611686018427387904 bytes");
    REFUSED("(0, 4611686018427387904, 4)", "promises more than 4611686018427387904 bytes");
#undef REFUSED
    assert_int_equal(orr_arena_used(arena), before);
}

static void what_is_no_readable_or_writable_file_is_told(void **state) {
    orr_context *ctx = *state;
    orr_array a;
    assert_refused(ctx, orr_npy_read(ctx, arena, files_path("none.npy"), &a), ORR_EINPUT, files_folder, "No such file");
    assert_refused(ctx, orr_npy_read(ctx, arena, files_folder, &a), ORR_EINPUT, files_folder,
                   "is a folder, not a file");
    assert_ok(ctx, parse(ctx, npy_row, sizeof npy_row, &a));
    assert_refused(ctx, orr_npy_write(ctx, files_path("no/where.npy"), &a), ORR_EINPUT, files_folder, "No such file");
    assert_refused(ctx, orr_npy_write(ctx, "/dev/full", &a), ORR_EIO, "/dev/full: ", "No space left");
}

static orr_status read_and_write(orr_context *ctx, void *arg) {
    orr_arena *out;
    orr_array a = { 0 };
    orr_status status = orr_arena_new(ctx, &out);
    if (status != ORR_OK) return status;
    status = orr_npy_parse(ctx, out, "a.npy", "a", bytes_of(npy_fortran, sizeof npy_fortran), &a);
    if (status == ORR_OK) status = orr_npy_write(ctx, arg, &a);
    if (status == ORR_OK) status = orr_npy_read(ctx, out, arg, &a);
    orr_arena_free(out);
    return status;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    char path[512];
    (void)snprintf(path, sizeof path, "%s", files_path("failing.npy"));
    assert_true(fail_each_allocation(read_and_write, path) > 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_of_numpy_reads_as_the_type_that_the_header_names),
        cmocka_unit_test(fortran_order_of_three_axes_becomes_row_major),
        cmocka_unit_test(scalars_and_empty_arrays_are_arrays),
        cmocka_unit_test(what_is_written_is_what_numpy_writes),
        cmocka_unit_test(what_is_written_reads_back_in_every_rank),
        cmocka_unit_test(halves_widen_exactly),
        cmocka_unit_test(what_cannot_be_read_as_numbers_is_refused_with_its_reason),
        cmocka_unit_test(a_header_that_is_not_the_dictionary_is_refused),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_header_that_promises_too_much_takes_no_memory),
        cmocka_unit_test(what_is_no_readable_or_writable_file_is_told),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("base/file/npy", tests, setup, teardown);
}
