/* Margins of tokens, out of whole answers and chunks; and answers without them. */
#include "expert/margins.h"

#include <criterion/criterion.h>

#define TOKEN(text, first, second)                                                                 \
    "{\"token\":\"" text "\",\"logprob\":" first ",\"top_logprobs\":[{\"token\":\"x\","            \
    "\"logprob\":" first "},{\"token\":\"y\",\"logprob\":" second "}]}"
#define CHOICE(tokens) "{\"choices\":[{\"index\":0,\"logprobs\":{\"content\":[" tokens "]}}]}"

static struct json_value root_of(const char *text)
{
    struct json_value root;
    cr_assert_eq(json_parse(str_from(text), "answer", 1, &root, NULL), OK);
    return root;
}

static struct certainty certainty_of(const char *text)
{
    struct margins m = {0};
    margins_add(&m, root_of(text));
    return margins_certainty(&m);
}

Test(margins, mean_least_and_last_of_a_whole_answer)
{
    struct certainty c = certainty_of(
        CHOICE(TOKEN("a", "-0.5", "-4.5") "," TOKEN("b", "-1", "-1.5") "," TOKEN("c", "0", "-3")));
    cr_expect(c.known);
    cr_expect_float_eq(c.mean, 2.5, 1e-6);
    cr_expect_float_eq(c.least, 0.5, 1e-6);
    cr_expect_float_eq(c.last, 3, 1e-6);
}

Test(margins, chunks_one_after_the_other_are_the_whole)
{
    struct margins m = {0};
    margins_add(&m, root_of(CHOICE(TOKEN("a", "-0.5", "-4.5"))));
    margins_add(&m, root_of("{\"choices\":[{\"delta\":{},\"logprobs\":null}]}"));
    margins_add(&m, root_of("{\"choices\":[],\"usage\":{}}"));
    margins_add(&m, root_of(CHOICE(TOKEN("b", "-1", "-1.5"))));
    struct certainty c = margins_certainty(&m);
    cr_expect(c.known);
    cr_expect_float_eq(c.mean, 2.25, 1e-6);
    cr_expect_float_eq(c.least, 0.5, 1e-6);
    cr_expect_float_eq(c.last, 0.5, 1e-6);
}

Test(margins, alternatives_come_in_any_order_and_number)
{
    struct certainty c =
        certainty_of(CHOICE("{\"token\":\"a\",\"top_logprobs\":[{\"logprob\":-3},{\"logprob\":"
                            "-0.25},{\"logprob\":-9},{\"logprob\":-1.25},{\"token\":\"z\"}]}"));
    cr_expect(c.known);
    cr_expect_float_eq(c.mean, 1, 1e-6);
}

Test(margins, tokens_without_a_text_or_an_alternative_have_none)
{
    cr_expect_not(certainty_of(CHOICE("")).known);
    cr_expect_not(certainty_of(CHOICE(TOKEN("", "-1", "-2"))).known);
    cr_expect_not(
        certainty_of(CHOICE("{\"token\":\"a\",\"top_logprobs\":[{\"logprob\":-1}]}")).known);
    cr_expect_not(certainty_of("{\"choices\":[{\"message\":{}}]}").known);
    cr_expect_not(certainty_of("[]").known);
    cr_expect_float_eq(certainty_of(CHOICE(TOKEN("a", "0", "-9999"))).mean, CERTAINTY_MARGIN_MAX,
                       1e-6);
}

Test(margins, an_answer_without_its_logprobs)
{
    static const char text[] =
        "{\"choices\":[ {\"logprobs\" : {\"content\":[]} ,\"index\":0},{\"index\":1,\"logprobs\":[]"
        "}],\"logprobs\":7}";
    struct buf out;
    buf_init(&out, 1024);
    cr_expect(margins_strip(root_of(text), str_from(text), &out));
    cr_expect_str_eq(out.ptr, "{\"choices\":[ {\"logprobs\" : null ,\"index\":0},{\"index\":1,"
                              "\"logprobs\":null}],\"logprobs\":7}");
    buf_clear(&out);
    static const char none[] = "{\"choices\":[{\"logprobs\":null,\"message\":{}}]}";
    cr_expect_not(margins_strip(root_of(none), str_from(none), &out));
    cr_expect_eq(out.len, 0);
    buf_done(&out);
}
