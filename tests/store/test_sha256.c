#include "testing.h"

#include "store/sha256.h"

/* FIPS 180-4's own examples (NIST, "SHA-256 examples"). */
static void published_examples(void **state) {
    char hash[ORR_SHA256_SIZE];
    assert_ok(*state, orr_sha256(*state, "abc", 3, hash));
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_ok(*state, orr_sha256(*state, "", 0, hash));
    assert_string_equal(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_ok(*state, orr_sha256(*state, two_blocks, strlen(two_blocks), hash));
    assert_string_equal(hash, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(published_examples) };
    return cmocka_run_group_tests_name("store/sha256", tests, context_setup, context_teardown);
}
