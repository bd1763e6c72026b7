/* Texts go in and come out. */
#include "rehearse/text_store.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void check_round_trip(void)
{
    struct text_store *s;
    struct error err;
    uint64_t offsets[300];
    static char text[400 << 10];
    cr_assert_eq(text_store_create(&s, &err), OK, "%s", err.text);
    for (size_t i = 0; i < 300; i++) { /* 0 bytes to 300 KiB: smaller and larger than a block */
        memset(text, 'a' + (int)(i % 26), i * 1024);
        cr_assert_eq(text_store_add(s, (struct str){text, i * 1024}, &offsets[i], &err), OK);
    }
    cr_assert_eq(text_store_seal(s, &err), OK, "%s", err.text);
    for (size_t i = 0; i < 300; i++) {
        struct str got = text_store_get(s, offsets[i], i * 1024);
        memset(text, 'a' + (int)(i % 26), i * 1024);
        cr_assert(str_equal(got, (struct str){text, i * 1024}), "text %zu", i);
    }
    cr_assert_eq(text_store_bytes(s), 1024u * 299 * 300 / 2);
    text_store_free(s);
}

Test(text_store, round_trip)
{
    check_round_trip();
}

Test(text_store, without_a_temporary_folder)
{
    setenv("TMPDIR", "/nonexistent", 1);
    check_round_trip();
}

Test(text_store, empty)
{
    struct text_store *s;
    cr_assert_eq(text_store_create(&s, NULL), OK);
    cr_assert_eq(text_store_seal(s, NULL), OK);
    cr_assert_eq(text_store_get(s, 0, 0).len, 0);
    text_store_free(s);
    text_store_free(NULL);
}
