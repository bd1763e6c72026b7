/* What an expert is always asked with, joined with what a client asks. */
#include "expert/member_set.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect(const char *set, const char *body, const char *want, const char *lost)
{
    struct json_value s, b, joined;
    struct dropped d = {0};
    struct buf out;
    buf_init(&out, 4000);
    cr_assert_eq(json_parse(str_from(set), "set", 1, &s, NULL), OK);
    cr_assert_eq(json_parse(str_from(body), "body", 1, &b, NULL), OK);
    member_set_write(s, b, &out, &d);
    cr_expect(str_equal(buf_str(&out), str_from(want)), "%.*s", STR_FMT(buf_str(&out)));
    cr_expect(str_equal(dropped_text(&d), str_from(lost)), "%.*s", STR_FMT(dropped_text(&d)));
    cr_expect_eq(json_parse(buf_str(&out), "joined", 1, &joined, NULL), OK);
    buf_done(&out);
}

Test(member_set, what_is_not_set_keeps_its_bytes)
{
    expect("{\"effort\":\"low\",\"top\":1.50}", "{\"n\": 1.0e0 , \"x\": {\"effort\": [1, 2]}}",
           "{\"n\":1.0e0,\"x\":{\"effort\": [1, 2]},\"effort\":\"low\",\"top\":1.50}", "");
    expect("{\"a\":null}", "{}", "{\"a\":null}", "");
}

Test(member_set, the_experts_value_wins_and_a_different_wish_is_told)
{
    expect("{\"effort\":\"low\"}", "{\"effort\":\"high\",\"k\":1}", "{\"k\":1,\"effort\":\"low\"}",
           "effort");
    expect("{\"effort\":\"low\"}", "{\"\\u0065ffort\":\"low\"}", "{\"effort\":\"low\"}", "");
    expect("{\"t\":0.20}", "{\"t\":0.2}", "{\"t\":0.20}", "");
    expect("{\"t\":[1,2]}", "{\"t\":[1, 2]}", "{\"t\":[1,2]}", "");
    expect("{\"t\":[1,2]}", "{\"t\":[2,1]}", "{\"t\":[1,2]}", "t");
    expect("{\"t\":true}", "{\"t\":null}", "{\"t\":true}", "");
}

Test(member_set, a_member_twice_is_there_once)
{
    expect("{\"t\":1}", "{\"t\":1,\"a\":0,\"t\":2}", "{\"a\":0,\"t\":1}", "t");
    expect("{\"t\":1}", "{\"t\":2,\"a\":0,\"t\":1}", "{\"a\":0,\"t\":1}", "");
}

/* Anthropic's effort stands beside the schema of the answer. */
Test(member_set, objects_join)
{
    expect("{\"output_config\":{\"effort\":\"low\"}}",
           "{\"output_config\":{\"format\":{\"a\": 1},\"effort\":\"high\"},\"b\":2}",
           "{\"b\":2,\"output_config\":{\"format\":{\"a\": 1},\"effort\":\"low\"}}",
           "output_config.effort");
    expect("{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{\"c\":2,\"d\":3},\"e\":4}}",
           "{\"a\":{\"e\":4,\"b\":{\"d\":3,\"c\":1}}}", "a.c");
    expect("{\"a\":{\"b\":1}}", "{\"a\":5}", "{\"a\":{\"b\":1}}", "a");
    expect("{\"a\":5}", "{\"a\":{\"b\":1}}", "{\"a\":5}", "a");
}

/* {"type": "disabled", "budget_tokens": 9} is refused by Anthropic. */
Test(member_set, objects_of_different_types_do_not_join)
{
    expect("{\"thinking\":{\"type\":\"disabled\"}}",
           "{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":9}}",
           "{\"thinking\":{\"type\":\"disabled\"}}", "thinking");
    expect("{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":5}}",
           "{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":9}}",
           "{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":5}}", "thinking.budget_tokens");
}
