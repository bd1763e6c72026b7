/* The mark of the expert that reasoned. */
#include "dialect/reasoning_mark.h"
#include "dialect/text_testing.h"

Test(reasoning_mark, is_read_as_it_was_written)
{
    static const char *const rests[] = {"", "abc==", ":1:x", "leeroo:1:x"};
    struct str expert = {0}, rest = {0};
    for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
        struct buf out;
        buf_init(&out, 1000);
        reasoning_mark_write(&out, STR("a/b:c"), str_from(rests[i]));
        cr_assert(reasoning_mark_read(buf_str(&out), &expert, &rest));
        expect_text(expert, "a/b:c");
        expect_text(rest, rests[i]);
        buf_done(&out);
    }
}

Test(reasoning_mark, what_a_vendor_signed_is_no_mark)
{
    static const char *const others[] = {"",          "EqQBCgIYAhIM==", "leeroo",      "leeroo:",
                                         "leeroo:x:", "leeroo:4:ada",   "leeroo:-1:a", "leeroo:99"};
    struct str expert = {0}, rest = {0};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        cr_assert_not(reasoning_mark_read(str_from(others[i]), &expert, &rest), "%s", others[i]);
}
