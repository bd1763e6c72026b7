/* Requests of the Responses API as chat completions. */
#include "front_testing.h"

#define ASKS(request, want)           expect_chat(FRONT_RESPONSES, request, want)
#define REFUSED(request, want, param) expect_refused(FRONT_RESPONSES, request, want, param)
#define HI                            "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"

Test(front_responses_request, a_text_and_instructions)
{
    ASKS("{\"model\":\"leeroo\",\"input\":\"Hi\"}", "{" HI ",\"model\":\"leeroo\"}");
    ASKS("{\"input\":\"Hi\",\"instructions\":\"Be \\\"brief\\\"\",\"model\":\"m\"}",
         "{\"messages\":[{\"role\":\"system\",\"content\":\"Be \\\"brief\\\"\"},"
         "{\"role\":\"user\",\"content\":\"Hi\"}],\"model\":\"m\"}");
}

Test(front_responses_request, what_chat_calls_otherwise)
{
    ASKS("{\"input\":\"Hi\",\"max_output_tokens\":9,\"reasoning\":{\"effort\":\"low\","
         "\"summary\":\"auto\"},\"text\":{\"verbosity\":\"low\"},\"top_logprobs\":2}",
         "{" HI ",\"verbosity\":\"low\",\"reasoning_effort\":\"low\",\"logprobs\":true,"
         "\"top_logprobs\":2,\"max_completion_tokens\":9}");
    ASKS("{\"input\":\"Hi\",\"include\":[\"message.output_text.logprobs\","
         "\"reasoning.encrypted_content\"],\"top_logprobs\":0}",
         "{" HI ",\"logprobs\":true,\"top_logprobs\":0}");
    ASKS("{\"input\":\"Hi\",\"include\":[\"reasoning.encrypted_content\"],\"top_logprobs\":0}",
         "{" HI "}");
}

Test(front_responses_request, what_chat_has_too_is_carried)
{
    ASKS("{\"input\":\"Hi\",\"temperature\":0.10,\"top_p\":1,\"user\":\"u\",\"seed\":1,"
         "\"service_tier\":\"flex\",\"prompt_cache_key\":\"k\",\"leeroo\":{\"plans\": \"none\"}}",
         "{" HI ",\"temperature\":0.10,\"top_p\":1,\"user\":\"u\",\"prompt_cache_key\":\"k\","
         "\"leeroo\":{\"plans\":\"none\"},\"service_tier\":\"flex\",\"seed\":1}");
}

Test(front_responses_request, what_only_the_answer_repeats_is_accepted)
{
    ASKS("{\"input\":\"Hi\",\"store\":true,\"metadata\":{\"a\":\"b\"},\"max_tool_calls\":3,"
         "\"truncation\":\"disabled\",\"background\":false,\"previous_response_id\":null,"
         "\"conversation\":null,\"prompt\":null,\"moderation\":null,"
         "\"client_metadata\":{\"x\":[1]},\"stream_options\":{\"include_obfuscation\":false}}",
         "{" HI "}");
}

static void expect_dropped(const char *request, const char *want, const char *dropped)
{
    struct front_test t;
    struct front_chat chat = {0};
    front_test_begin(&t, FRONT_RESPONSES, request);
    cr_assert_eq(front_request(FRONT_RESPONSES, t.context.request, t.a, &chat, &t.param, &t.err),
                 OK, "%s", t.err.text);
    expect_text(chat.body, want);
    expect_text(dropped_text(&chat.dropped), dropped);
    front_test_end(&t);
}

Test(front_responses_request, wishes_that_nobody_here_grants_are_left_out_and_said)
{
    expect_dropped("{\"input\":\"Hi\",\"store\":false,\"client_metadata\":{}}", "{" HI "}", "");
    expect_dropped("{\"input\":\"Hi\",\"store\":true,\"truncation\":\"auto\","
                   "\"context_management\":[{\"type\":\"compaction\"}]}",
                   "{" HI "}", "context_management,truncation,store");
    expect_dropped("{\"input\":\"Hi\",\"of_tomorrow\":{\"a\":1},\"include\":["
                   "\"web_search_call.action.sources\"],\"reasoning\":{\"mode\":\"pro\","
                   "\"effort\":\"low\"},\"text\":{\"style\":\"x\"}}",
                   "{" HI ",\"reasoning_effort\":\"low\"}",
                   "of_tomorrow,text.style,reasoning.mode,include.web_search_call.action.sources");
}

Test(front_responses_request, a_stream_tells_usage_at_its_end)
{
    ASKS("{\"input\":\"Hi\",\"stream\":true,\"stream_options\":{}}",
         "{" HI ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    ASKS("{\"input\":\"Hi\",\"stream\":false}", "{" HI ",\"stream\":false}");
}

Test(front_responses_request, what_needs_memory_is_refused)
{
    REFUSED("{\"input\":\"Hi\",\"previous_response_id\":\"resp_1\"}", ERR_UNSUPPORTED,
            "previous_response_id");
    REFUSED("{\"input\":\"Hi\",\"conversation\":{\"id\":\"c\"}}", ERR_UNSUPPORTED, "conversation");
    REFUSED("{\"prompt\":{\"id\":\"p\"}}", ERR_UNSUPPORTED, "prompt");
    REFUSED("{\"input\":\"Hi\",\"background\":true}", ERR_UNSUPPORTED, "background");
}

Test(front_responses_request, what_would_change_the_answer_is_refused_by_name)
{
    REFUSED("{\"input\":\"Hi\",\"include\":[1]}", ERR_INPUT, "include");
    REFUSED("{\"input\":\"Hi\",\"max_tokens\":5}", ERR_UNSUPPORTED, "max_tokens");
    REFUSED("{\"input\":\"Hi\",\"n\":2}", ERR_UNSUPPORTED, "n");
    REFUSED("{\"input\":\"Hi\",\"max_output_tokens\":\"5\"}", ERR_INPUT, "max_output_tokens");
    REFUSED("{\"input\":\"Hi\",\"stream\":1}", ERR_INPUT, "stream");
    REFUSED("{\"model\":\"m\"}", ERR_INPUT, "input");
    REFUSED("{\"input\":7}", ERR_INPUT, "input");
}
