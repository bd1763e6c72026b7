/* Legacy completion requests as chat completions. */
#include "front_testing.h"

#define ASKS(request, want)           expect_chat(FRONT_COMPLETIONS, request, want)
#define REFUSED(request, want, param) expect_refused(FRONT_COMPLETIONS, request, want, param)
#define HI                            "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"

Test(front_completions, a_prompt_becomes_the_message_of_a_user)
{
    ASKS("{\"model\":\"leeroo\",\"prompt\":\"Hi\"}",
         "{" HI ",\"model\":\"leeroo\",\"max_tokens\":16}");
    ASKS("{\"prompt\":[\"a\\n\\\"b\\u00e9\"],\"model\":\"m\"}",
         "{\"messages\":[{\"role\":\"user\",\"content\":\"a\\n\\\"b\\u00e9\"}],\"model\":\"m\","
         "\"max_tokens\":16}");
}

Test(front_completions, what_chat_has_too_is_carried)
{
    ASKS("{\"prompt\":\"Hi\",\"stop\":[\"\\n\"],\"max_tokens\":7,\"n\":2,\"temperature\":0.50,"
         "\"stream\":true,\"stream_options\":{\"include_usage\": "
         "true},\"seed\":12345678901234567890,"
         "\"user\":\"u\",\"logit_bias\":{\"5\":-100},\"leeroo\":{\"plans\":\"none\"}}",
         "{" HI ",\"max_tokens\":7,\"leeroo\":{\"plans\":\"none\"},\"stream\":true,"
         "\"stream_options\":{\"include_usage\":true},\"temperature\":0.50,\"n\":2,"
         "\"stop\":[\"\\n\"],\"logit_bias\":{\"5\":-100},\"seed\":12345678901234567890,"
         "\"user\":\"u\"}");
}

Test(front_completions, null_counts_as_absent)
{
    ASKS("{\"prompt\":\"Hi\",\"suffix\":null,\"max_tokens\":null,\"echo\":null,\"best_of\":null,"
         "\"logprobs\":null,\"stop\":null}",
         "{" HI ",\"max_tokens\":16}");
    ASKS("{\"prompt\":\"Hi\",\"suffix\":\"\",\"echo\":false,\"best_of\":1,"
         "\"max_completion_tokens\":3}",
         "{" HI ",\"max_completion_tokens\":3}");
}

Test(front_completions, logprobs)
{
    ASKS("{\"prompt\":\"Hi\",\"logprobs\":3}",
         "{" HI ",\"max_tokens\":16,\"logprobs\":true,\"top_logprobs\":3}");
    ASKS("{\"prompt\":\"Hi\",\"logprobs\":0}",
         "{" HI ",\"max_tokens\":16,\"logprobs\":true,\"top_logprobs\":0}");
    REFUSED("{\"prompt\":\"Hi\",\"logprobs\":21}", ERR_INPUT, "logprobs");
    REFUSED("{\"prompt\":\"Hi\",\"logprobs\":1.5}", ERR_INPUT, "logprobs");
    REFUSED("{\"prompt\":\"Hi\",\"logprobs\":true}", ERR_INPUT, "logprobs");
}

Test(front_completions, prompts_that_chat_cannot_express)
{
    REFUSED("{\"prompt\":[\"a\",\"b\"]}", ERR_UNSUPPORTED, "prompt");
    REFUSED("{\"prompt\":[1,2]}", ERR_UNSUPPORTED, "prompt");
    REFUSED("{\"prompt\":[[1,2]]}", ERR_UNSUPPORTED, "prompt");
    REFUSED("{\"prompt\":[]}", ERR_INPUT, "prompt");
    REFUSED("{\"prompt\":[null]}", ERR_INPUT, "prompt");
    REFUSED("{\"prompt\":7}", ERR_INPUT, "prompt");
    REFUSED("{\"model\":\"m\"}", ERR_INPUT, "prompt");
    REFUSED("{\"prompt\":null}", ERR_INPUT, "prompt");
}

Test(front_completions, what_would_change_the_answer_is_refused_by_name)
{
    REFUSED("{\"prompt\":\"Hi\",\"echo\":true}", ERR_UNSUPPORTED, "echo");
    REFUSED("{\"prompt\":\"Hi\",\"suffix\":\"x\"}", ERR_UNSUPPORTED, "suffix");
    REFUSED("{\"prompt\":\"Hi\",\"best_of\":2}", ERR_UNSUPPORTED, "best_of");
    REFUSED("{\"prompt\":\"Hi\",\"best_of\":0}", ERR_INPUT, "best_of");
    REFUSED("{\"prompt\":\"Hi\",\"tools\":[]}", ERR_UNSUPPORTED, "tools");
    REFUSED("{\"prompt\":\"Hi\",\"use_beam_search\":true}", ERR_UNSUPPORTED, "use_beam_search");
    REFUSED("{\"prompt\":\"Hi\",\"prompt\":null}", ERR_INPUT, "prompt");
    REFUSED("{\"seed\":null,\"prompt\":\"Hi\",\"seed\":1}", ERR_INPUT, "seed");
}

Test(front_completions, a_body_that_is_no_json_object_has_no_field_at_fault)
{
    static const char *const bad[] = {"{\"prompt\":", "[]", ""};
    for (size_t i = 0; i < 3; i++) {
        struct front_test t;
        struct str body;
        front_test_begin(&t, FRONT_COMPLETIONS, bad[i]);
        cr_assert_eq(front_test_ask(&t, &body), ERR_INPUT);
        cr_assert_null(t.param);
        front_test_end(&t);
    }
}
