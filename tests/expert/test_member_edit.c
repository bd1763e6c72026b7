/* Members that are left out or renamed; the others keep their bytes. */
#include "expert/member_edit.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct member_edit edits[] = {
    {STR_INIT("temperature"), {0}},
    {STR_INIT("max_tokens"), STR_INIT("max_new_tokens")},
    {STR_INIT("logprobs"), {0}},
};

static void expect(const char *body, const char *want)
{
    struct buf out;
    struct error err = {0};
    buf_init(&out, 1000);
    cr_assert_eq(member_edit_body(edits, 3, str_from(body), &out, &err), OK, "%s", err.text);
    cr_expect(str_equal(buf_str(&out), str_from(want)), "%.*s", STR_FMT(buf_str(&out)));
    buf_done(&out);
}

Test(member_edit, what_stays_keeps_its_bytes)
{
    expect("{\"temperature\": 0.20, \"n\":1.50e0 , \"x\": {\"temperature\": [1, 2]}}",
           "{\"n\":1.50e0,\"x\":{\"temperature\": [1, 2]}}");
    expect("{\"a\":1,\"max_tokens\":9,\"b\":2,\"logprobs\":true}",
           "{\"a\":1,\"max_new_tokens\":9,\"b\":2}");
    expect(" {} ", "{}");
    expect("{\"temperature\":1}", "{}");
}

Test(member_edit, names_are_compared_as_they_are_meant)
{
    expect("{\"temper\\u0061ture\":1,\"temperature\":2,\"a\":3,\"temperature\":4}", "{\"a\":3}");
    expect("{\"Temperature\":1}", "{\"Temperature\":1}");
}

Test(member_edit, nothing_is_said_twice)
{
    expect("{\"max_tokens\":9,\"max_new_tokens\":5}", "{\"max_new_tokens\":5}");
}

Test(member_edit, what_is_no_object_is_refused)
{
    struct buf out;
    struct error err = {0};
    buf_init(&out, 1000);
    cr_expect_eq(member_edit_body(edits, 3, STR("[1]"), &out, &err), ERR_INPUT);
    cr_expect_eq(member_edit_body(edits, 3, STR("{"), &out, &err), ERR_INPUT);
    buf_done(&out);
    buf_init(&out, 4);
    cr_expect_eq(member_edit_body(edits, 3, STR("{\"a\":1}"), &out, &err), ERR_TOO_LARGE);
    buf_done(&out);
}

Test(member_edit, what_was_left_out_is_named)
{
    struct json_value root;
    struct dropped d = {0};
    cr_assert_eq(json_parse(STR("{\"max_tokens\":1,\"logprobs\":null,\"temperature\":1}"), "x", 1,
                            &root, NULL),
                 OK);
    member_edit_dropped(edits, 3, root, &d);
    cr_expect(str_equal(dropped_text(&d), STR("temperature,logprobs")));
}
