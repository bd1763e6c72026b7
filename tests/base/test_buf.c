/* buf.h: limits, the sticky failure, the NUL behind the bytes. */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

Test(buf, appends_in_every_way)
{
    struct buf b;
    buf_init(&b, 100);
    buf_add(&b, STR("ab"));
    buf_add_c(&b, "cd");
    buf_add_char(&b, 'e');
    buf_addf(&b, "%03d", 7);
    char *at = buf_reserve(&b, 2);
    memcpy(at, "xy", 2);
    b.len += 2;
    cr_assert_eq(buf_status(&b, NULL), OK);
    cr_assert(str_equal(buf_str(&b), STR("abcde007xy")));
    buf_done(&b);
}

Test(buf, is_always_terminated)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    for (int i = 0; i < 1000; i++) {
        buf_add_char(&b, 'x');
        cr_assert_eq(b.ptr[b.len], 0);
    }
    buf_clear(&b);
    cr_assert_eq(b.ptr[0], 0);
    buf_done(&b);
}

Test(buf, takes_exactly_its_limit)
{
    struct buf b;
    buf_init(&b, 4);
    buf_add(&b, STR("abcd"));
    cr_assert_eq(buf_status(&b, NULL), OK);
    buf_add(&b, STR(""));
    cr_assert_eq(buf_status(&b, NULL), OK);
    buf_add_char(&b, 'e');
    struct error err;
    cr_assert_eq(buf_status(&b, &err), ERR_TOO_LARGE);
    cr_assert_not_null(strstr(err.text, "4"));
    buf_done(&b);
}

Test(buf, stays_failed_until_cleared)
{
    struct buf b;
    buf_init(&b, 4);
    buf_add(&b, STR("abc"));
    buf_add(&b, STR("de"));
    buf_add(&b, STR("f"));
    buf_addf(&b, "%d", 1);
    cr_assert_null(buf_reserve(&b, 0));
    cr_assert(str_equal(buf_str(&b), STR("abc")), "a failed append leaves what was there");
    cr_assert_eq(buf_status(&b, NULL), ERR_TOO_LARGE);
    buf_clear(&b);
    buf_add(&b, STR("wxyz"));
    cr_assert_eq(buf_status(&b, NULL), OK);
    cr_assert(str_equal(buf_str(&b), STR("wxyz")));
    buf_done(&b);
}

Test(buf, huge_requests_do_not_wrap)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_add(&b, STR("abc"));
    cr_assert_null(buf_reserve(&b, SIZE_MAX - 3));
    cr_assert_neq(buf_status(&b, NULL), OK);
    buf_done(&b);
}

Test(buf, take_moves_the_bytes)
{
    struct buf b;
    buf_init(&b, 10);
    cr_assert_null(buf_take(&b));
    buf_add(&b, STR("abc"));
    char *taken = buf_take(&b);
    cr_assert_str_eq(taken, "abc");
    cr_assert_eq(b.len, 0);
    cr_assert_null(b.ptr);
    buf_add(&b, STR("0123456789"));
    cr_assert_eq(buf_status(&b, NULL), OK, "the limit survives");
    buf_clear(&b);
    cr_assert_null(buf_take(&b), "empty, though memory was kept");
    free(taken);
    buf_done(&b);
}

Test(buf, done_twice_is_fine)
{
    struct buf b;
    buf_init(&b, 10);
    buf_add(&b, STR("abc"));
    buf_done(&b);
    buf_done(&b);
    buf_add(&b, STR("abc"));
    cr_assert_eq(buf_status(&b, NULL), OK);
    buf_done(&b);
}

Test(buf, whole_numbers)
{
    struct buf b;
    buf_init(&b, 64);
    buf_add_int(&b, 0);
    buf_add_char(&b, ' ');
    buf_add_int(&b, INT64_MIN);
    buf_add_char(&b, ' ');
    buf_add_int(&b, INT64_MAX);
    cr_assert_str_eq(b.ptr, "0 -9223372036854775808 9223372036854775807");
    buf_done(&b);
}

/* Whatever room there is, what is added is whole or, beyond the limit, nothing. */
Test(buf, formats_into_any_room)
{
    for (size_t before = 0; before < 200; before++)
        for (size_t limit = before; limit < before + 20; limit++) {
            struct buf b;
            buf_init(&b, limit);
            for (size_t i = 0; i < before; i++)
                buf_add_char(&b, 'x');
            buf_addf(&b, "%s-%d", "0123456", 42);
            bool fits = limit >= before + 10;
            cr_assert_eq(b.status, fits ? OK : ERR_TOO_LARGE, "%zu of %zu", before, limit);
            cr_assert_eq(b.len, before + (fits ? 10 : 0));
            if (b.ptr) {
                cr_assert_eq(strlen(b.ptr), b.len);
                cr_assert(!fits || !strcmp(b.ptr + before, "0123456-42"));
            }
            buf_done(&b);
        }
}
