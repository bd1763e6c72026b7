/* Chat answers and chunks as text completions. */
#include <stdio.h>

#include "front_testing.h"

static void expect_answer(const char *completion, const char *want)
{
    struct front_test t;
    front_test_begin(&t, FRONT_COMPLETIONS, "{\"prompt\":\"Hi\"}");
    cr_assert_eq(front_answer(&t.context, str_from(completion), &t.out, &t.err), OK, "%s",
                 t.err.text);
    expect_text(buf_str(&t.out), want);
    front_test_end(&t);
}

Test(front_completions_answer, the_legacy_shape)
{
    expect_answer(
        "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":5,\"model\":\"m\","
        "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"a\\\"b\","
        "\"reasoning_content\":\"hm\"},\"finish_reason\":\"stop\"},"
        "{\"index\":1,\"message\":{\"content\":null,\"refusal\":\"no\"},"
        "\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\": 1},"
        "\"system_fingerprint\":\"f\",\"leeroo\":{\"expert\":\"e\"}}",
        "{\"id\":\"chatcmpl-1\",\"object\":\"text_completion\",\"created\":5,\"model\":\"m\","
        "\"choices\":[{\"text\":\"a\\\"b\",\"index\":0,\"logprobs\":null,"
        "\"finish_reason\":\"stop\"},{\"text\":\"no\",\"index\":1,\"logprobs\":null,"
        "\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":1},"
        "\"system_fingerprint\":\"f\",\"leeroo\":{\"expert\":\"e\"}}");
}

Test(front_completions_answer, what_is_missing_is_made_up_for)
{
    expect_answer("{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                  "{\"type\":\"image\"},{\"text\":\"b\"}]}}]}",
                  "{\"id\":\"req_12\",\"object\":\"text_completion\",\"created\":1700000000,"
                  "\"model\":null,\"choices\":[{\"text\":\"ab\",\"index\":0,\"logprobs\":null,"
                  "\"finish_reason\":null}]}");
}

#define TOKENS                                                                                     \
    "[{\"token\":\"h\\u00e9\",\"logprob\":-0.5,\"bytes\":[1],\"top_logprobs\":["                   \
    "{\"token\":\"h\\u00e9\",\"logprob\":-0.5},{\"token\":\"x\",\"logprob\":-2}]},"                \
    "{\"token\":\"!\",\"logprob\":-1,\"top_logprobs\":[]}]"

Test(front_completions_answer, token_probabilities_as_parallel_lists)
{
    expect_answer(
        "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"h\xc3\xa9!\"},\"logprobs\":"
        "{\"content\":" TOKENS "},\"finish_reason\":\"stop\"}]}",
        "{\"id\":\"req_12\",\"object\":\"text_completion\",\"created\":1700000000,"
        "\"model\":null,\"choices\":[{\"text\":\"h\xc3\xa9!\",\"index\":0,\"logprobs\":"
        "{\"tokens\":[\"h\\u00e9\",\"!\"],\"token_logprobs\":[-0.5,-1],"
        "\"top_logprobs\":[{\"h\\u00e9\":-0.5,\"x\":-2},{}],\"text_offset\":[0,2]},"
        "\"finish_reason\":\"stop\"}]}");
    expect_answer("{\"choices\":[{\"index\":0,\"message\":{\"content\":\"a\"},\"logprobs\":"
                  "{\"content\":[{\"token\":\"a\",\"logprob\":-1,\"top_logprobs\":[]}]},"
                  "\"finish_reason\":\"stop\"}]}",
                  "{\"id\":\"req_12\",\"object\":\"text_completion\",\"created\":1700000000,"
                  "\"model\":null,\"choices\":[{\"text\":\"a\",\"index\":0,\"logprobs\":"
                  "{\"tokens\":[\"a\"],\"token_logprobs\":[-1],\"top_logprobs\":null,"
                  "\"text_offset\":[0]},\"finish_reason\":\"stop\"}]}");
}

Test(front_completions_answer, what_is_no_chat_completion)
{
    static const char *const bad[] = {"", "[]", "{}", "{\"choices\":null}",
                                      "{\"error\":{\"message\":\"x\"},\"choices\":[]}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct front_test t;
        front_test_begin(&t, FRONT_COMPLETIONS, "{\"prompt\":\"Hi\"}");
        cr_assert_eq(front_answer(&t.context, str_from(bad[i]), &t.out, &t.err), ERR_UPSTREAM);
        cr_assert_eq(t.out.len, 0);
        front_test_end(&t);
    }
}

#define HEAD                                                                                       \
    "data: {\"id\":\"c\",\"object\":\"text_completion\",\"created\":5,\"model\":\"m\","            \
    "\"choices\":["
#define CHUNK(choices)                                                                             \
    "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":5,\"model\":\"m\","            \
    "\"choices\":[" choices "]"

Test(front_completions_answer, a_stream)
{
    struct front_test t;
    front_test_begin(&t, FRONT_COMPLETIONS, "{\"prompt\":\"Hi\"}");
    front_test_feed(&t, CHUNK("{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
                              "\"finish_reason\":null}") "}");
    front_test_feed(&t, CHUNK("{\"index\":0,\"delta\":{\"content\":\"Hi\"},"
                              "\"finish_reason\":null}") ",\r\n\"usage\":null}");
    front_test_feed(&t, CHUNK("{\"index\":1,\"delta\":{},\"finish_reason\":\"length\"}") "}");
    front_test_feed(&t, CHUNK("") ",\"usage\":{\"prompt_tokens\":\r1},\"leeroo\":{\"a\":1}}");
    front_test_feed(&t, "[DONE]");
    front_test_feed(&t, "{\"choices\":[]}"); /* too late */
    front_stream_end(t.stream, &t.out);
    expect_text(buf_str(&t.out),
                HEAD "{\"text\":\"Hi\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}],"
                     "\"usage\":null}\n\n" HEAD
                     "{\"text\":\"\",\"index\":1,\"logprobs\":null,\"finish_reason\":\"length\"}]}"
                     "\n\n" HEAD "],\"usage\":{\"prompt_tokens\":1},\"leeroo\":{\"a\":1}}\n\n"
                     "data: [DONE]\n\n");
    front_test_end(&t);
}

static void expect_offsets(const char *index, const char *want)
{
    struct front_test t;
    char chunk[400];
    front_test_begin(&t, FRONT_COMPLETIONS, "{\"prompt\":\"Hi\"}");
    snprintf(chunk, sizeof(chunk),
             "{\"choices\":[{\"index\":%s,\"delta\":{\"content\":\"abc\"},\"logprobs\":"
             "{\"content\":[{\"token\":\"abc\",\"logprob\":-1}]}}]}",
             index);
    for (int i = 0; i < 2; i++) {
        buf_clear(&t.out);
        front_test_feed(&t, chunk);
    }
    cr_assert(str_find(buf_str(&t.out), str_from(want), 0) != SIZE_MAX, "%s", t.out.ptr);
    front_test_end(&t);
}

Test(front_completions_answer, offsets_go_on_from_chunk_to_chunk)
{
    expect_offsets("0", "\"text_offset\":[3]");
    expect_offsets("127", "\"text_offset\":[3]");
    expect_offsets("128", "\"text_offset\":[0]"); /* beyond the limit they are not counted */
    expect_offsets("-1", "\"text_offset\":[3]");
}

Test(front_completions_answer, errors_in_a_stream)
{
    struct front_test t;
    struct front_error e = {.http_status = 502, .message = STR("gone"), .type = "server_error"};
    front_test_begin(&t, FRONT_COMPLETIONS, "{\"prompt\":\"Hi\"}");
    front_stream_fail(t.stream, &e, &t.out);
    expect_text(buf_str(&t.out), "data: {\"error\":{\"message\":\"gone\",\"type\":\"server_error\","
                                 "\"param\":null,\"code\":null}}\n\n");
    front_test_end(&t);

    front_test_begin(&t, FRONT_COMPLETIONS, "{\"prompt\":\"Hi\"}");
    front_test_feed(&t, "{\"error\": {\"message\":\"x\"}}");
    front_test_feed(&t, "[DONE]");
    front_stream_fail(t.stream, &e, &t.out);
    expect_text(buf_str(&t.out), "data: {\"error\":{\"message\":\"x\"}}\n\n");
    front_test_end(&t);

    front_test_begin(&t, FRONT_COMPLETIONS, "{\"prompt\":\"Hi\"}");
    front_test_feed(&t, "{\"choices\":");
    cr_assert(str_starts(buf_str(&t.out), STR("data: {\"error\":{\"message\":\"the expert sent")));
    front_test_end(&t);
}
