/* Answers, byte by byte as clients get them, without a model. */
#include "infer/infer_answer.h"

#include <criterion/criterion.h>
#include <string.h>

static struct infer_request request;
static struct infer_answer answer;

static void begin(bool stream)
{
    request.stream = stream;
    request.model = STR("ti\"ny");
    answer = (struct infer_answer){
        .request = &request, .id = "chatcmpl-7", .created_s = 9, .fingerprint = "fp_1"};
    infer_answer_init(&answer);
    infer_answer_begin(&answer);
}

static void reset(void)
{
    request = (struct infer_request){0};
}

static void end(void)
{
    infer_answer_done(&answer);
}

TestSuite(infer_answer, .init = reset, .fini = end);

static void says(const char *text)
{
    cr_expect(str_equal(buf_str(&answer.out), str_from(text)), "%.*s",
              STR_FMT(buf_str(&answer.out)));
    buf_clear(&answer.out);
}

#define HEAD                                                                                       \
    "data: "                                                                                       \
    "{\"id\":\"chatcmpl-7\",\"object\":\"chat.completion.chunk\",\"created\":9,\"model\":"         \
    "\"ti\\\"ny\",\"system_fingerprint\":\"fp_1\",\"choices\":["
#define WHOLE                                                                                      \
    "{\"id\":\"chatcmpl-7\",\"object\":\"chat.completion\",\"created\":9,\"model\":\"ti\\\"ny\","  \
    "\"system_fingerprint\":\"fp_1\",\"choices\":[{\"index\":0,\"message\":{\"role\":"             \
    "\"assistant\",\"content\":"

static const struct infer_usage usage = {
    .prompt_tokens = 5, .cached_tokens = 2, .completion_tokens = 3};

Test(infer_answer, a_stream_begins_with_its_role_and_ends_with_its_usage)
{
    request.wants_usage = true;
    begin(true);
    says(HEAD "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":"
              "null}]}\n\n");
    cr_expect(!infer_answer_add(&answer, STR("Gr\xc3"), STR("")));
    says(HEAD "{\"index\":0,\"delta\":{\"content\":\"Gr\"},\"logprobs\":null,\"finish_reason\":"
              "null}]}\n\n");
    cr_expect(!infer_answer_add(&answer, STR("\xbc\n"), STR("")));
    says(HEAD "{\"index\":0,\"delta\":{\"content\":\"ü\\n\"},\"logprobs\":null,\"finish_reason\":"
              "null}]}\n\n");
    infer_answer_end(&answer, INFER_STOP, usage);
    says(HEAD "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n" HEAD
              "],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":8,"
              "\"prompt_tokens_details\":{\"cached_tokens\":2}}}\n\ndata: [DONE]\n\n");
}

Test(infer_answer, a_whole_answer_comes_at_its_end)
{
    begin(false);
    cr_expect(!infer_answer_add(&answer, STR("Hi"), STR("")));
    cr_expect_eq(answer.out.len, 0);
    infer_answer_end(&answer, INFER_LENGTH, usage);
    says(WHOLE "\"Hi\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"length\"}],"
               "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":8,"
               "\"prompt_tokens_details\":{\"cached_tokens\":2}}}");
}

Test(infer_answer, probabilities_come_with_the_text_of_their_tokens)
{
    request.logprobs = true;
    request.stops[request.stop_count++] = STR("b!");
    begin(true);
    buf_clear(&answer.out);
    cr_expect(!infer_answer_add(&answer, STR("a"), STR("1")));
    says(HEAD "{\"index\":0,\"delta\":{\"content\":\"a\"},\"logprobs\":{\"content\":[1],\"refusal\""
              ":null},\"finish_reason\":null}]}\n\n");
    cr_expect(!infer_answer_add(&answer, STR("b"), STR("2"))); /* perhaps the stop string */
    says("");
    cr_expect(!infer_answer_add(&answer, STR("c"), STR("3")));
    says(HEAD "{\"index\":0,\"delta\":{\"content\":\"bc\"},\"logprobs\":{\"content\":[2,3],"
              "\"refusal\":null},\"finish_reason\":null}]}\n\n");
    cr_expect(infer_answer_add(&answer, STR("b!"), STR("4")));
    infer_answer_end(&answer, INFER_STOP, usage);
    says(HEAD "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\",\"stop_reason\":\"b!\"}]}\n\n"
              "data: [DONE]\n\n");
}

Test(infer_answer, a_whole_answer_names_the_stop_string_that_ended_it)
{
    request.stops[request.stop_count++] = STR("never");
    request.stops[request.stop_count++] = STR("\"end\"");
    begin(false);
    cr_expect(infer_answer_add(&answer, STR("Hi \"end\""), STR("")));
    infer_answer_end(&answer, INFER_STOP, usage);
    says(WHOLE "\"Hi \",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\","
               "\"stop_reason\":\"\\\"end\\\"\"}],"
               "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":8,"
               "\"prompt_tokens_details\":{\"cached_tokens\":2}}}");
}

Test(infer_answer, calls_of_tools_come_as_such)
{
    request.calls_grammar = "root ::= \"\"";
    begin(true);
    buf_clear(&answer.out);
    cr_expect(!infer_answer_add(&answer,
                                STR("<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n"
                                    "</tool_call>"),
                                STR("")));
    says(HEAD "{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_7_0\",\"type\":"
              "\"function\",\"function\":{\"name\":\"add\",\"arguments\":\"{\\\"a\\\":1}\"}}]},"
              "\"finish_reason\":null}]}\n\n");
    infer_answer_end(&answer, INFER_STOP, usage);
    says(HEAD "{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n");
    end();
    begin(false);
    infer_answer_add(&answer, STR("<tool_call>{\"name\":\"a\",\"arguments\":{}}</tool_call>"),
                     STR(""));
    infer_answer_add(&answer, STR("\n<tool_call>{\"name\":\"b\",\"arguments\":{}}</tool_call>"),
                     STR(""));
    infer_answer_end(&answer, INFER_STOP, (struct infer_usage){0});
    says(WHOLE "null,\"refusal\":null,\"tool_calls\":[{\"id\":\"call_7_0\",\"type\":\"function\","
               "\"function\":{\"name\":\"a\",\"arguments\":\"{}\"}},{\"id\":\"call_7_1\",\"type\":"
               "\"function\",\"function\":{\"name\":\"b\",\"arguments\":\"{}\"}}]},\"logprobs\":"
               "null,\"finish_reason\":\"tool_calls\"}],\"usage\":{\"prompt_tokens\":0,"
               "\"completion_tokens\":0,\"total_tokens\":0,\"prompt_tokens_details\":{"
               "\"cached_tokens\":0}}}");
}

Test(infer_answer, a_call_that_breaks_off_is_told_as_text)
{
    size_t behind = 7;
    request.calls_grammar = "root ::= \"\"";
    begin(false);
    infer_answer_add(&answer, STR("<tool_call>{"), STR(""));
    cr_expect(infer_answer_calls(&answer, &behind));
    cr_expect_eq(behind, 1);
    infer_answer_add(&answer, STR("\n{\"na"), STR(""));
    infer_answer_end(&answer, INFER_LENGTH, (struct infer_usage){0});
    cr_expect(strstr(answer.out.ptr, "\"content\":\"<tool_call>\\n{\\\"na\""), "%s",
              answer.out.ptr);
}

Test(infer_answer, errors_have_openais_form)
{
    begin(false);
    infer_error_write(&answer.out, false, ERR_INPUT, "n is \"x\"", "n");
    says("{\"error\":{\"message\":\"n is \\\"x\\\"\",\"type\":\"invalid_request_error\",\"param\":"
         "\"n\",\"code\":400}}");
    infer_error_write(&answer.out, true, ERR_UPSTREAM, "failed", NULL);
    says("data: {\"error\":{\"message\":\"failed\",\"type\":\"server_error\",\"param\":null,"
         "\"code\":500}}\n\n");
    infer_error_write(&answer.out, false, ERR_CONTEXT, "too long", NULL);
    says("{\"error\":{\"message\":\"too long\",\"type\":\"invalid_request_error\",\"param\":null,"
         "\"code\":\"context_length_exceeded\"}}");
    cr_expect_eq(infer_error_http_status(ERR_OVERLOAD), 429);
    cr_expect_eq(infer_error_http_status(ERR_TOO_LARGE), 400);
}
