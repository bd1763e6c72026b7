/* Three numbers of an answer's certainty: read, written, and as features. */
#include "base/certainty.h"

#include <criterion/criterion.h>

static bool read_text(const char *text, struct certainty *ret)
{
    struct json_value v;
    cr_assert_eq(json_parse(str_from(text), "certainty", 1, &v, NULL), OK);
    return certainty_read(v, ret);
}

Test(certainty, what_is_written_reads_back_to_the_bit)
{
    struct certainty c = {true, 1.0f / 3, 0.1f, 99.99999f}, back = {0};
    struct buf out;
    buf_init(&out, 256);
    certainty_write(&c, &out);
    cr_assert(read_text(out.ptr, &back), "%s", out.ptr);
    cr_expect(back.known && back.mean == c.mean && back.least == c.least && back.last == c.last);
    buf_clear(&out);
    c.known = false;
    certainty_write(&c, &out);
    cr_expect_str_eq(out.ptr, "null");
    buf_done(&out);
}

Test(certainty, anything_else_is_refused_and_leaves_what_was_there)
{
    static const char *const wrong[] = {"null",      "1",           "[]",           "[1,1]",
                                        "[1,1,1,1]", "[1,\"1\",1]", "[-1,-1,1]",    "[1,2,3]",
                                        "[3,2,1]",   "[1,1,101]",   "{\"mean\":1}", "[1,null,1]"};
    struct certainty c = {true, 4, 3, 5};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        cr_expect_not(read_text(wrong[i], &c), "%s", wrong[i]);
    cr_expect(c.known && c.mean == 4 && c.least == 3 && c.last == 5);
}

Test(certainty, features_of_an_unknown_one_are_neutral)
{
    const struct certainty known = {true, 2, 1, 3}, unknown = {false, 2, 1, 3};
    float f[CERTAINTY_FEATURES];
    certainty_features(&known, f);
    cr_expect(f[0] == 1 && f[1] == 2 && f[2] == 1 && f[3] == 3);
    certainty_features(&unknown, f);
    for (size_t i = 0; i < CERTAINTY_FEATURES; i++)
        cr_expect_eq(f[i], 0);
}
