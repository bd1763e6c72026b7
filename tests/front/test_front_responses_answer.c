/* Whole chat completions as response objects. */
#include "front_testing.h"

#define ASK "{\"model\":\"asked\",\"input\":\"Hi\"}"

static void expect_part(const char *request, const char *completion, const char *want)
{
    struct front_test t;
    struct json_value root;
    front_test_begin(&t, FRONT_RESPONSES, request);
    cr_assert_eq(front_answer(&t.context, str_from(completion), &t.out, &t.err), OK, "%s",
                 t.err.text);
    cr_assert_eq(json_parse(buf_str(&t.out), "answer", 1, &root, &t.err), OK, "%s\n%s", t.err.text,
                 t.out.ptr);
    cr_assert(str_find(buf_str(&t.out), str_from(want), 0) != SIZE_MAX, "got:  %s\nwant: %s",
              t.out.ptr, want);
    front_test_end(&t);
}

#define MESSAGE(message, finish)                                                                   \
    "{\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{" message                             \
    "},\"finish_reason\":\"" finish "\"}]}"

Test(front_responses_answer, the_whole_object)
{
    struct front_test t;
    front_test_begin(&t, FRONT_RESPONSES, ASK);
    cr_assert_eq(front_answer(&t.context,
                              STR("{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"a\"},"
                                  "\"finish_reason\":\"stop\"}],\"leeroo\": {\"x\" :1}}"),
                              &t.out, &t.err),
                 OK);
    expect_text(
        buf_str(&t.out),
        "{\"id\":\"resp_12\",\"object\":\"response\",\"created_at\":1700000000,"
        "\"status\":\"completed\",\"background\":false,\"error\":null,\"incomplete_details\":null,"
        "\"instructions\":null,\"max_output_tokens\":null,\"max_tool_calls\":null,\"model\":\"m\","
        "\"output\":[{\"id\":\"msg_12_0\",\"type\":\"message\",\"role\":\"assistant\",\"content\":["
        "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":\"a\"}],"
        "\"status\":\"completed\"}],\"parallel_tool_calls\":true,\"previous_response_id\":null,"
        "\"prompt_cache_key\":null,\"reasoning\":{\"effort\":null,\"summary\":null},"
        "\"safety_identifier\":null,\"service_tier\":null,\"store\":false,\"temperature\":null,"
        "\"text\":{\"format\":{\"type\":\"text\"}},\"tool_choice\":\"auto\",\"tools\":[],"
        "\"top_logprobs\":0,\"top_p\":null,\"truncation\":\"disabled\",\"usage\":null,"
        "\"user\":null,\"metadata\":{},\"leeroo\":{\"x\":1}}");
    front_test_end(&t);
}

Test(front_responses_answer, what_was_asked_is_repeated)
{
    static const char request[] =
        "{\"model\":\"asked\",\"input\":\"Hi\",\"instructions\":\"i\\n\",\"max_output_tokens\":5,"
        "\"temperature\":0.5,\"metadata\":{\"k\": \"v\"},\"store\":true,\"user\":\"u\","
        "\"text\":{\"format\":{\"type\":\"json_object\"},\"verbosity\":\"low\"},"
        "\"reasoning\":{\"effort\":\"high\",\"summary\":null},\"tool_choice\":null,"
        "\"tools\":[{\"type\":\"function\",\"name\":\"f\"}],\"parallel_tool_calls\":false}";
    static const char *const wants[] = {
        "\"instructions\":\"i\\n\",\"max_output_tokens\":5",
        "\"model\":\"asked\"",
        "\"temperature\":0.5",
        "\"metadata\":{\"k\":\"v\"}",
        "\"store\":false",
        "\"user\":\"u\"",
        "\"text\":{\"format\":{\"type\":\"json_object\"},\"verbosity\":\"low\"}",
        "\"reasoning\":{\"effort\":\"high\",\"summary\":null}",
        "\"tool_choice\":\"auto\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]",
        "\"parallel_tool_calls\":false"};
    for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
        expect_part(request, "{\"choices\":[{\"message\":{\"content\":\"a\"}}]}", wants[i]);
}

Test(front_responses_answer, reasoning_text_and_calls_are_items)
{
    expect_part(
        ASK,
        MESSAGE("\"reasoning_content\":\"hm\",\"reasoning\":\"hm\",\"content\":\"a\","
                "\"tool_calls\":[{\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":"
                "\"{\\\"a\\\":1}\"}},{\"function\":{\"name\":\"g\",\"arguments\":{\"a\": \"b\"}}}]",
                "tool_calls"),
        "\"output\":[{\"id\":\"rs_12_0\",\"type\":\"reasoning\",\"summary\":["
        "{\"type\":\"summary_text\",\"text\":\"hm\"}],\"status\":\"completed\"},"
        "{\"id\":\"msg_12_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":["
        "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":\"a\"}],"
        "\"status\":\"completed\"},"
        "{\"id\":\"fc_12_2\",\"type\":\"function_call\",\"call_id\":\"c1\",\"name\":\"f\","
        "\"arguments\":\"{\\\"a\\\":1}\",\"status\":\"completed\"},"
        "{\"id\":\"fc_12_3\",\"type\":\"function_call\",\"call_id\":\"call_12_3\",\"name\":\"g\","
        "\"arguments\":\"{\\\"a\\\":\\\"b\\\"}\",\"status\":\"completed\"}],");
}

Test(front_responses_answer, a_refusal_and_nothing_at_all)
{
    expect_part(ASK, MESSAGE("\"content\":null,\"refusal\":\"no\"", "stop"),
                "\"output\":[{\"id\":\"msg_12_0\",\"type\":\"message\",\"role\":\"assistant\","
                "\"content\":[{\"type\":\"refusal\",\"refusal\":\"no\"}],"
                "\"status\":\"completed\"}],");
    expect_part(ASK, MESSAGE("\"content\":null", "stop"), "\"text\":\"\"}]");
    expect_part(ASK, MESSAGE("\"content\":null", "length"), "\"output\":[],");
}

Test(front_responses_answer, an_answer_cut_short_is_incomplete)
{
    expect_part(ASK, MESSAGE("\"content\":\"a\"", "length"),
                "\"status\":\"incomplete\",\"background\":false,\"error\":null,"
                "\"incomplete_details\":{\"reason\":\"max_output_tokens\"}");
    expect_part(ASK, MESSAGE("\"content\":\"a\"", "content_filter"),
                "\"incomplete_details\":{\"reason\":\"content_filter\"}");
    expect_part(ASK, MESSAGE("\"reasoning\":\"hm\",\"content\":\"a\"", "length"),
                "\"text\":\"hm\"}],\"status\":\"completed\"}");
    expect_part(ASK, MESSAGE("\"reasoning\":\"hm\",\"content\":\"a\"", "length"),
                "\"text\":\"a\"}],\"status\":\"incomplete\"}");
}

#define USAGE(usage) "{\"choices\":[{\"message\":{\"content\":\"a\"}}],\"usage\":" usage "}"

Test(front_responses_answer, usage_in_other_words)
{
    expect_part(ASK,
                USAGE("{\"prompt_tokens\":11,\"completion_tokens\":7,\"total_tokens\":18,"
                      "\"prompt_tokens_details\":{\"cached_tokens\":4,\"cache_write_tokens\":2},"
                      "\"completion_tokens_details\":{\"reasoning_tokens\":3}}"),
                "\"usage\":{\"input_tokens\":11,\"input_tokens_details\":{\"cached_tokens\":4,"
                "\"cache_write_tokens\":2},\"output_tokens\":7,\"output_tokens_details\":"
                "{\"reasoning_tokens\":3},\"total_tokens\":18}");
    expect_part(ASK, USAGE("{\"prompt_tokens\":1,\"completion_tokens\":2}"),
                "\"output_tokens\":2,\"output_tokens_details\":{\"reasoning_tokens\":0},"
                "\"total_tokens\":3}");
    expect_part(ASK, USAGE("{\"prompt_tokens\":9223372036854775807,\"completion_tokens\":9}"),
                "\"total_tokens\":9}"); /* what cannot be is not told */
    expect_part(ASK, USAGE("{\"prompt_tokens\":11.0,\"completion_tokens\":\"7\"}"),
                "\"usage\":{\"input_tokens\":11,\"input_tokens_details\":{\"cached_tokens\":0,"
                "\"cache_write_tokens\":0},\"output_tokens\":7,");
    expect_part(ASK, USAGE("null"), "\"usage\":null");
    expect_part(ASK,
                USAGE("{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":115,"
                      "\"completion_tokens_details\":{\"reasoning_tokens\":100}}"),
                "\"output_tokens\":105,\"output_tokens_details\":{\"reasoning_tokens\":100},"
                "\"total_tokens\":115}");
}

Test(front_responses_answer, token_probabilities_are_carried)
{
    expect_part(ASK,
                "{\"choices\":[{\"message\":{\"content\":\"a\"},\"logprobs\":{\"content\":[ "
                "{\"token\":\"a\", \"logprob\":-1}]}}]}",
                "\"logprobs\":[{\"token\":\"a\",\"logprob\":-1}],\"text\":\"a\"");
}

Test(front_responses_answer, what_is_no_chat_completion)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"choices\":[]}",
                                      "{\"choices\":[{\"index\":1}]}",
                                      "{\"error\":{},\"choices\":[{\"message\":{}}]}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct front_test t;
        front_test_begin(&t, FRONT_RESPONSES, ASK);
        cr_assert_eq(front_answer(&t.context, str_from(bad[i]), &t.out, &t.err), ERR_UPSTREAM);
        cr_assert_eq(t.out.len, 0);
        front_test_end(&t);
    }
}
