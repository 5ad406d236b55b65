#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "base/file/safetensors.h"
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

/* Reads a header with so many zeros behind it, from memory of the very size. */
static orr_status parse(orr_context *ctx, const char *header, size_t body, orr_arrays *out) {
    const size_t n = strlen(header);
    unsigned char *file = calloc(8 + n + body, 1);
    assert_non_null(file);
    file[0] = (unsigned char)n;
    file[1] = (unsigned char)(n >> 8);
    memcpy(file + 8, header, n);
    const orr_status status =
        orr_safetensors_parse(ctx, arena, "a.safetensors", (orr_bytes){ file, 8 + n + body }, out);
    free(file);
    return status;
}

static void each_dtype_reads_as_the_type_that_the_header_names(void **state) {
    static const struct {
        const char *name;
        orr_dtype dtype;
        int first; /* of what make_goldens.py counts from; 4: in quarters */
        double unit;
    } rows[] = { { "f64", ORR_F64, -2, 0.25 },  { "f32", ORR_F32, -2, 0.25 }, { "f16", ORR_F32, -2, 0.25 },
                 { "bf16", ORR_F32, -2, 0.25 }, { "i64", ORR_I32, -2, 1 },    { "i32", ORR_I32, -2, 1 },
                 { "u8", ORR_I32, 0, 1 } };
    orr_context *ctx = *state;
    orr_arrays all;
    orr_array a;
    const char *path = files_write("all.safetensors", safetensors_all, sizeof safetensors_all);
    assert_ok(ctx, orr_safetensors_read(ctx, arena, path, &all));
    assert_int_equal(all.n, 8);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        assert_string_equal(all.item[r].name, rows[r].name); /* in the order of the data */
        assert_ok(ctx, orr_arrays_find(ctx, path, &all, rows[r].name, &a));
        assert_int_equal(a.dtype, rows[r].dtype);
        assert_true(orr_shape_equal(&a.shape, &ORR_SHAPE(2, 3)));
        assert_int_equal((uintptr_t)a.data % 64, 0);
        for (int i = 0; i < 6; i++) assert_close(orr_array_value(&a, i), (rows[r].first + i) * rows[r].unit, 0);
    }
    assert_ok(ctx, orr_arrays_find(ctx, path, &all, "bool", &a));
    for (int i = 0; i < 6; i++) assert_close(orr_array_value(&a, i), i > 2, 0);
    assert_refused(ctx, orr_arrays_find(ctx, path, &all, "bolo", &a), ORR_EINPUT, path,
                   ": no array 'bolo' among its 8; did you mean 'bool'?");
}

static void what_is_written_reads_back(void **state) {
    orr_context *ctx = *state;
    orr_array item[4];
    orr_arrays given = { item, 4 }, back;
    const char *path = files_path("b.safetensors");
    assert_ok(ctx, orr_array_new(ctx, arena, "layer.0/\"w\" \xc3\xa9", ORR_F64, ORR_SHAPE(2, 2), &item[0]));
    assert_ok(ctx, orr_array_new(ctx, arena, "scale", ORR_F32, ORR_SCALAR, &item[1]));
    assert_ok(ctx, orr_array_new(ctx, arena, "none", ORR_I32, ORR_SHAPE(0, 5), &item[2]));
    assert_ok(ctx, orr_array_new(ctx, arena, "steps", ORR_I32, ORR_SHAPE(3), &item[3]));
    for (int i = 0; i < 4; i++) ((double *)item[0].data)[i] = 1.0 / (i + 3);
    *(float *)item[1].data = 0.1f;
    ((int32_t *)item[3].data)[1] = INT32_MIN;
    assert_ok(ctx, orr_safetensors_write(ctx, path, &given));
    assert_ok(ctx, orr_safetensors_read(ctx, arena, path, &back));
    assert_int_equal(back.n, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(back.item[i].name, item[i].name);
        assert_int_equal(back.item[i].dtype, item[i].dtype);
        assert_true(orr_shape_equal(&back.item[i].shape, &item[i].shape));
        assert_memory_equal(back.item[i].data, item[i].data,
                            (size_t)orr_shape_count(&item[i].shape) * orr_dtype_size(item[i].dtype));
    }
    size_t n;
    unsigned char *file = files_read(path, &n);
    assert_int_equal(file[0] % 8, 0); /* the data start at a multiple of 8 */
    free(file);
    assert_ok(ctx, orr_safetensors_write(ctx, path, &(orr_arrays){ 0 }));
    assert_ok(ctx, orr_safetensors_read(ctx, arena, path, &back));
    assert_int_equal(back.n, 0);
}

static void names_that_the_format_cannot_hold_are_refused(void **state) {
    orr_context *ctx = *state;
    orr_array item[2];
    orr_bytes out;
    assert_ok(ctx, orr_array_new(ctx, arena, "a", ORR_F64, ORR_SCALAR, &item[0]));
    item[1] = item[0];
#define REFUSED(text, says)                                                                                            \
    item[1].name = text;                                                                                               \
    assert_refused(ctx, orr_safetensors_bytes(ctx, arena, &(orr_arrays){ item, 2 }, &out), ORR_EINPUT,                 \
                   "safetensors: ", says)
    REFUSED("a", "the name 'a' occurs twice");
    REFUSED("__metadata__", "the name '__metadata__' means something else in the format");
    REFUSED("caf\xe9", "the name 'caf\\xe9' is not UTF-8");
#undef REFUSED
}

#define TENSOR(dtype, shape, begin, end)                                                                               \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"

static void a_wrong_header_is_refused_with_the_tensor(void **state) {
    orr_context *ctx = *state;
    orr_arrays all;
    assert_ok(ctx, parse(ctx, "{\"a\":" TENSOR("F32", "[2]", 0, 8) "}   ", 8, &all));
    assert_ok(ctx, parse(ctx, "{}", 0, &all));
#define REFUSED(header, body, says)                                                                                    \
    assert_refused(ctx, parse(ctx, header, body, &all), ORR_EINPUT, "a.safetensors: ", says)
    REFUSED("", 0, "not a safetensors file (its header starts with \"\"; expected '{')");
    REFUSED("[\n1]", 0, "not a safetensors file (its header starts with \"[\\n1]\"; expected '{')");
    REFUSED("{\"a\":\n\"b", 0, "the safetensors header is no JSON (");
    REFUSED("{\"a\":1,\"a\":2}", 0, "the safetensors header is no JSON (duplicate object key");
    REFUSED("{\"a\":{}}", 0, "tensor 'a': expected an object with the keys \"dtype\", \"shape\" and \"data_offsets\"");
    REFUSED("{\"a\":7}", 0, "tensor 'a': expected an object with the keys");
    REFUSED("{\"a\":{\"dtype\":1,\"shape\":[],\"x\":1}}", 0, "tensor 'a': expected a \"dtype\" such as \"F32\"");
    REFUSED("{\"a\\nb\":" TENSOR("C64", "[]", 0, 8) "}", 8,
            "tensor 'a\\nb': dtype 'C64' can't be read; expected BOOL, I8 to");
    REFUSED("{\"a\":" TENSOR("F32", "3", 0, 8) "}", 8, "tensor 'a': expected a \"shape\" such as [3, 4]");
    REFUSED("{\"a\":" TENSOR("F32", "[-2]", 0, 8) "}", 8,
            "tensor 'a': expected a \"shape\" of whole numbers from 0 on");
    REFUSED("{\"a\":" TENSOR("F32", "[2.0]", 0, 8) "}", 8,
            "tensor 'a': expected a \"shape\" of whole numbers from 0 on");
    REFUSED("{\"a\":" TENSOR("F32", "[1,1,1,1,1,1,1,1,1,1,1]", 0, 4) "}", 4,
            "tensor 'a' has 11 dimensions; at most 10");
    REFUSED("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0]}}", 4,
            "\"data_offsets\" of two whole numbers");
    REFUSED("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"offsets\":[0,4]}}", 4, "\"data_offsets\" of two whole numbers");
    REFUSED("{\"a\":" TENSOR("F32", "[2]", 8, 0) "}", 8,
            "data_offsets [8, 0] are not in order within the 8 bytes of data");
    REFUSED("{\"a\":" TENSOR("F32", "[2]", -8, 0) "}", 8, "data_offsets [-8, 0] are not in order");
    REFUSED("{\"a\":" TENSOR("F32", "[2]", 0, 8) "}", 7, "data_offsets [0, 8] are not in order within the 7 bytes");
    REFUSED("{\"a\":" TENSOR("F64", "[2]", 0, 8) "}", 8, "its shape and dtype f64 do not need the 8 bytes");
    REFUSED("{\"a\":" TENSOR("F32", "[4611686018427387904,4]", 0, 0) "}", 0,
            "its shape and dtype f32 do not need the 0 bytes");
    REFUSED("{\"__metadata__\":3}", 0, "expected \"__metadata__\" to be an object of texts");
    REFUSED("{\"__metadata__\":{\"k\":3}}", 0, "expected \"__metadata__\" to be an object of texts; 'k' is none");
    REFUSED("{\"a\":" TENSOR("BOOL", "[2]", 0, 2) "}", 2 + 1, "3 bytes of data, of which the tensors take 2");
    REFUSED("{\"a\":" TENSOR("U8", "[1]", 1, 2) "}", 2, "1 bytes in front of tensor 'a' belong to none");
    REFUSED("{\"b\":" TENSOR("U8", "[2]", 1, 3) ",\"a\":" TENSOR("U8", "[2]", 0, 2) "}", 3,
            "tensors 'a' and 'b' overlap");
    REFUSED("{\"b\":" TENSOR("U8", "[1]", 2, 3) ",\"a\":" TENSOR("U8", "[1]", 0, 1) "}", 3,
            "1 bytes in front of tensor 'b'");
#undef REFUSED
}

static void a_length_that_the_file_does_not_have_takes_no_memory(void **state) {
    orr_context *ctx = *state;
    orr_arrays all;
    unsigned char file[16] = { 0, 0, 0, 0, 0, 0, 0, 0x7f, '{', '}' };
    const size_t before = orr_arena_used(arena);
    assert_refused(ctx, orr_safetensors_parse(ctx, arena, "a", (orr_bytes){ file, 16 }, &all), ORR_EINPUT,
                   "a: ", "a header of 9151314442816847872 bytes is promised, 8 bytes follow");
    assert_refused(ctx, orr_safetensors_parse(ctx, arena, "a", (orr_bytes){ file, 7 }, &all), ORR_EINPUT,
                   "a: ", "7 bytes; a safetensors file has at least the 8 of its header's length");
    assert_int_equal(orr_arena_used(arena), before);
}

static void a_file_cut_anywhere_is_refused(void **state) {
    orr_arrays all;
    for (size_t n = 0; n < sizeof safetensors_all; n++) {
        unsigned char *exact = malloc(n ? n : 1);
        memcpy(exact, safetensors_all, n);
        assert_refused(*state, orr_safetensors_parse(*state, arena, "a", (orr_bytes){ exact, n }, &all), ORR_EINPUT,
                       "a: ", "");
        free(exact);
    }
}

static orr_status read_and_write(orr_context *ctx, void *arg) {
    orr_arena *out;
    orr_arrays all;
    char copy[520];
    (void)snprintf(copy, sizeof copy, "%s.again", (const char *)arg);
    orr_status status = orr_arena_new(ctx, &out);
    if (status != ORR_OK) return status;
    status = orr_safetensors_read(ctx, out, arg, &all);
    if (status == ORR_OK) status = orr_safetensors_write(ctx, copy, &all);
    orr_arena_free(out);
    return status;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    char path[512];
    (void)snprintf(path, sizeof path, "%s", files_write("f.safetensors", safetensors_all, sizeof safetensors_all));
    assert_true(fail_each_allocation(read_and_write, path) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_dtype_reads_as_the_type_that_the_header_names),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(names_that_the_format_cannot_hold_are_refused),
        cmocka_unit_test(a_wrong_header_is_refused_with_the_tensor),
        cmocka_unit_test(a_length_that_the_file_does_not_have_takes_no_memory),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("base/file/safetensors", tests, setup, teardown);
}
