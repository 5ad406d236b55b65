#include "base/random.h"
#include "launch.h"

/* The key of member m, with words that are negative as i32, and the tensor that holds them. */
static const uint32_t words[3][4] = { { 0, 0, 0, 0 },
                                      { 0xdeadbeef, 0x80000001, 0xfffffffe, 7 },
                                      { 5, 6, ORR_PURPOSE_TEST, 0x90000000 } };

static tensor keys(fixture *f, layout how) {
    const tensor t = blank(f, ORR_I32, ORR_SHAPE(3, 4), how);
    for (int i = 0; i < 12; i++) ((int32_t *)t.view.data)[offset_of(&t.view, i)] = (int32_t)words[i / 4][i % 4];
    return t;
}

/* 32-bit draw i and 64-bit draw i, by the mapping that base/random.h states. */
static uint32_t draw32(int m, uint64_t i) {
    const orr_key key = { words[m][0] | (uint64_t)words[m][1] << 32, words[m][2], words[m][3] };
    uint32_t block[4];
    orr_random_block(key, i / 4, block);
    return block[i % 4];
}

static uint64_t draw64(int m, uint64_t i) { return draw32(m, 2 * i) | (uint64_t)draw32(m, 2 * i + 1) << 32; }

static double expected(orr_distribution what, orr_dtype t, int32_t below, int m, uint64_t i) {
    const double u1 =
        t == ORR_F32 ? (double)(draw32(m, i - i % 2) >> 8) * 0x1p-24 : (double)(draw64(m, i - i % 2) >> 11) * 0x1p-53;
    const double u2 = t == ORR_F32 ? (double)(draw32(m, i - i % 2 + 1) >> 8) * 0x1p-24
                                   : (double)(draw64(m, i - i % 2 + 1) >> 11) * 0x1p-53;
    const double r = sqrt(-2.0 * log(1.0 - u1)), angle = 6.283185307179586 * u2;
    switch (what) {
    case ORR_UNIFORM: return i % 2 == 0 ? u1 : u2;
    case ORR_NORMAL: return i % 2 == 0 ? r * cos(angle) : r * sin(angle);
    case ORR_SIGN: return draw32(m, i) & 1 ? -1.0 : 1.0;
    default: return (double)((uint64_t)draw32(m, i) * (uint64_t)below >> 32);
    }
}

/* 7 x 83 draws a member: an odd count, some hundreds, so that neither pairs nor chunks come out even. */
static void draws_follow_the_stated_mapping_in_every_layout(void **state) {
    fixture *f = *state;
    static const struct {
        orr_distribution what;
        orr_dtype dtype;
        int32_t below;
    } rows[] = { { ORR_UNIFORM, ORR_F32, 0 }, { ORR_UNIFORM, ORR_F64, 0 },    { ORR_NORMAL, ORR_F32, 0 },
                 { ORR_NORMAL, ORR_F64, 0 },  { ORR_SIGN, ORR_F32, 0 },       { ORR_SIGN, ORR_F64, 0 },
                 { ORR_INT, ORR_I32, 10 },    { ORR_INT, ORR_I32, INT32_MAX } };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (layout how = CONTIGUOUS; how < LAYOUTS; how++) {
            const orr_attr_random attr = { .type = { rows[r].dtype, ORR_SHAPE(7, 83) },
                                           .distribution = rows[r].what,
                                           .below = rows[r].below };
            const tensor key = keys(f, how), out = blank(f, rows[r].dtype, ORR_SHAPE(3, 7, 83), how);
            assert_ok(f->ctx, launch(f, ORR_OP_random, &attr, &key.view, 1, &out.view));
            /* normal f32: the angle, up to 2 pi, is rounded to 2^-22, and r is at most sqrt(2 log 2^24) = 5.8;
             * f64: 2^-51 and 8.6.  The others are exact. */
            const double limit = rows[r].what != ORR_NORMAL ? 0.0 : rows[r].dtype == ORR_F32 ? 6e-6 : 1e-14;
            for (int64_t i = 0; i < 3 * 581; i++)
                assert_close(get(&out.view, i),
                             expected(rows[r].what, rows[r].dtype, rows[r].below, (int)(i / 581), (uint64_t)(i % 581)),
                             limit);
            assert_nothing_else_written(&out);
        }
}

/* Random123's kat_vectors, "philox4x32 10", counter 0, key 0: 6627e8d5 e169c58d bc57ac4c 9b00dbd8. */
static void the_zero_key_gives_the_known_answer_of_random123(void **state) {
    fixture *f = *state;
    static const uint32_t word[4] = { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 };
    const double zeros[4] = { 0 };
    const tensor key = filled(f, ORR_I32, ORR_SHAPE(4), CONTIGUOUS, zeros),
                 u = blank(f, ORR_F32, ORR_SHAPE(4), CONTIGUOUS);
    const tensor wide = blank(f, ORR_F64, ORR_SHAPE(2), CONTIGUOUS);
    const orr_attr_random attr = { .type = { ORR_F32, ORR_SHAPE(4) }, .distribution = ORR_UNIFORM };
    const orr_attr_random wide_attr = { .type = { ORR_F64, ORR_SHAPE(2) }, .distribution = ORR_UNIFORM };
    assert_ok(f->ctx, launch(f, ORR_OP_random, &attr, &key.view, 1, &u.view));
    assert_ok(f->ctx, launch(f, ORR_OP_random, &wide_attr, &key.view, 1, &wide.view));
    for (int i = 0; i < 4; i++) assert_true(get(&u.view, i) == (double)(word[i] >> 8) * 0x1p-24);
    for (int i = 0; i < 2; i++)
        assert_true(get(&wide.view, i) == (double)((word[2 * i] | (uint64_t)word[2 * i + 1] << 32) >> 11) * 0x1p-53);
}

static void a_member_is_drawn_as_if_it_were_alone(void **state) {
    fixture *f = *state;
    const tensor key = keys(f, CONTIGUOUS), all = blank(f, ORR_F32, ORR_SHAPE(3, 301), CONTIGUOUS),
                 one = blank(f, ORR_F32, ORR_SHAPE(301), GAPPED);
    const orr_attr_random attr = { .type = { ORR_F32, ORR_SHAPE(301) }, .distribution = ORR_NORMAL };
    assert_ok(f->ctx, launch(f, ORR_OP_random, &attr, &key.view, 1, &all.view));
    for (int64_t m = 0; m < 3; m++) {
        const orr_view row = { (int32_t *)key.view.data + 4 * m, ORR_I32, ORR_SHAPE(4), { 1 } };
        assert_ok(f->ctx, launch(f, ORR_OP_random, &attr, &row, 1, &one.view));
        for (int64_t i = 0; i < 301; i++) assert_true(get(&one.view, i) == get(&all.view, m * 301 + i));
    }
}

static void scalars_and_nothing_can_be_drawn(void **state) {
    fixture *f = *state;
    const tensor key = keys(f, REVERSED), scalar = blank(f, ORR_F64, ORR_SHAPE(3), GAPPED);
    const orr_attr_random one = { .type = { ORR_F64, ORR_SCALAR }, .distribution = ORR_UNIFORM };
    assert_ok(f->ctx, launch(f, ORR_OP_random, &one, &key.view, 1, &scalar.view));
    for (int m = 0; m < 3; m++) assert_true(get(&scalar.view, m) == expected(ORR_UNIFORM, ORR_F64, 0, m, 0));
    const orr_attr_random none = { .type = { ORR_F64, ORR_SHAPE(0, 2) }, .distribution = ORR_NORMAL };
    const orr_shape empty = ORR_SHAPE(3, 0, 2), no_members = ORR_SHAPE(0, 4), no_result = ORR_SHAPE(0);
    const orr_view out = orr_view_contiguous(ORR_F64, &empty), no_key = orr_view_contiguous(ORR_I32, &no_members);
    const orr_view no_out = orr_view_contiguous(ORR_F64, &no_result);
    assert_ok(f->ctx, launch(f, ORR_OP_random, &none, &key.view, 1, &out));
    assert_ok(f->ctx, launch(f, ORR_OP_random, &one, &no_key, 1, &no_out));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(draws_follow_the_stated_mapping_in_every_layout, setup, teardown),
        cmocka_unit_test_setup_teardown(the_zero_key_gives_the_known_answer_of_random123, setup, teardown),
        cmocka_unit_test_setup_teardown(a_member_is_drawn_as_if_it_were_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(scalars_and_nothing_can_be_drawn, setup, teardown),
    };
    return cmocka_run_group_tests_name("ref_random", tests, NULL, NULL);
}
