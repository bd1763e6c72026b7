/* Requests as clients send them, and what becomes of each of their members. */
#include "infer/infer_request.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena *arena;
static struct infer_request r;
static const char *param;
static struct error err;

static void open_arena(void)
{
    arena = arena_create(64 << 20);
}

static void close_arena(void)
{
    arena_free(arena);
}

TestSuite(infer_request, .init = open_arena, .fini = close_arena);

#define HELLO "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]"
#define TOOLS                                                                                      \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"add\",\"parameters\":{\"type\":"   \
    "\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]}}},{\"type\":"  \
    "\"function\",\"function\":{\"name\":\"stop\"}}]"

static enum status read(const char *members)
{
    const char *body = arena_printf(arena, "{%s}", members);
    param = NULL;
    return infer_request_read(str_from(body), arena, &r, &param, &err);
}

static void refused(const char *members, const char *at, const char *says)
{
    cr_expect_neq(read(members), OK, "%s", members);
    cr_expect_str_eq(param ? param : "", at, "%s", members);
    cr_expect(strstr(err.text, says), "%s: %s", members, err.text);
}

Test(infer_request, what_is_not_said_is_as_openai_has_it)
{
    cr_assert_eq(read("\"model\":\"tiny\"," HELLO), OK, "%s", err.text);
    cr_expect_eq(r.message_count, 1);
    cr_expect_str_eq(r.messages[0].role, "user");
    cr_expect_str_eq(r.messages[0].content, "Hello");
    cr_expect(r.sampling.temperature == 1 && r.sampling.top_p == 1 && r.sampling.top_k == 0);
    cr_expect(!r.has_seed && !r.stream && !r.wants_usage && !r.logprobs && r.tokens_max == 0);
    cr_expect(!r.grammar && !r.calls_grammar);
    cr_expect(str_equal(r.model, STR("tiny")));
}

Test(infer_request, numbers_and_stops_are_taken)
{
    cr_assert_eq(read(HELLO ",\"temperature\":0,\"top_p\":0.5,\"min_p\":0.1,\"top_k\":5,\"seed\":9,"
                            "\"frequency_penalty\":-1,\"presence_penalty\":2,\"max_tokens\":7,"
                            "\"stop\":[\"a\",\"\\n\"],\"logprobs\":true,\"top_logprobs\":3,"
                            "\"logit_bias\":{\"12\":-100},\"stream\":true,\"stream_options\":{"
                            "\"include_usage\":true},\"n\":1,\"user\":null"),
                 OK, "%s", err.text);
    cr_expect(r.sampling.temperature == 0 && r.sampling.top_p == 0.5f && r.sampling.min_p == 0.1f);
    cr_expect(r.sampling.top_k == 5 && r.has_seed && r.sampling.seed == 9);
    cr_expect(r.sampling.frequency_penalty == -1 && r.sampling.presence_penalty == 2);
    cr_expect(r.sampling.bias_count == 1 && r.sampling.biases[0].token == 12 &&
              r.sampling.biases[0].bias == -100);
    cr_expect(r.tokens_max == 7 && r.stop_count == 2 && str_equal(r.stops[1], STR("\n")));
    cr_expect(r.logprobs && r.top_logprobs == 3 && r.stream && r.wants_usage);
    cr_assert_eq(read(HELLO ",\"max_tokens\":7,\"max_completion_tokens\":3,\"stop\":\"x\""), OK);
    cr_expect(r.tokens_max == 3 && r.stop_count == 1);
}

Test(infer_request, what_is_out_of_bounds_is_refused_by_name)
{
    refused("\"model\":\"x\"", "messages", "at least one message");
    refused(HELLO ",\"temperature\":3", "temperature", "from 0 to 2");
    refused(HELLO ",\"top_p\":\"1\"", "top_p", "number");
    refused(HELLO ",\"max_tokens\":0", "max_tokens", "whole number");
    refused(HELLO ",\"n\":2", "n", "from 1 to 1");
    refused(HELLO ",\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]", "stop", "at most 4");
    refused(HELLO ",\"stop\":\"\"", "stop", "empty");
    refused(HELLO ",\"stop\":[1]", "stop", "text");
    refused(HELLO ",\"top_logprobs\":2", "top_logprobs", "needs logprobs");
    refused(HELLO ",\"logprobs\":1", "logprobs", "true or false");
    refused(HELLO ",\"logit_bias\":{\"x\":1}", "logit_bias", "numbers of tokens");
    refused(HELLO ",\"logit_bias\":{\"1\":200}", "logit_bias", "-100 to 100");
    refused(HELLO ",\"response_format\":{\"type\":\"xml\"}", "response_format", "json_schema");
    refused(HELLO ",\"response_format\":{\"type\":\"json_schema\"}", "response_format", "schema");
    refused(HELLO ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{"
                  "\"properties\":{\"a\":{\"not\":{}}}}}}",
            "response_format", "response_format: schema#/properties/a: not");
    refused(HELLO ",\"tool_choice\":\"required\"", "tool_choice", "no tools");
    refused(HELLO "," TOOLS ",\"tool_choice\":\"maybe\"", "tool_choice", "must be none");
    refused(HELLO "," TOOLS
                  ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"sub\"}}",
            "tool_choice", "not among the tools");
    refused(HELLO ",\"tools\":[{\"type\":\"custom\"}]", "tools", "functions");
    refused("\"messages\":[{\"role\":\"wizard\",\"content\":\"x\"}]", "messages", "role");
    refused("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]", "messages",
            "no text");
    refused("\"messages\":[{\"role\":\"user\",\"content\":7}]", "messages", "neither");
    refused("\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{}]}]", "messages", "name");
}

Test(infer_request, a_history_with_tools_is_written_as_models_read_it)
{
    cr_assert_eq(
        read("\"messages\":[{\"role\":\"developer\",\"content\":\"Be brief.\"},{\"role\":\"user\","
             "\"content\":[{\"type\":\"text\",\"text\":\"1+2\\u0000?\"}]},{\"role\":\"assistant\","
             "\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{"
             "\"name\":\"add\",\"arguments\":\"{\\\"a\\\": 1}\"}},{\"function\":{\"name\":\"stop\","
             "\"arguments\":\"\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"3\"},{"
             "\"role\":\"tool\",\"content\":\"ok\"}]," TOOLS),
        OK, "%s", err.text);
    cr_assert_eq(r.message_count, 4);
    cr_expect_str_eq(r.messages[0].role, "system");
    cr_expect(strncmp(r.messages[0].content, "Be brief.\n\n# Tools\n", 18) == 0);
    cr_expect(
        strstr(r.messages[0].content, "{\"type\":\"function\",\"function\":{\"name\":\"stop\""));
    cr_expect_str_eq(r.messages[1].content, "1+2 ?");
    cr_expect_str_eq(r.messages[2].content,
                     "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\":1}}\n</tool_call>\n"
                     "<tool_call>\n{\"name\": \"stop\", \"arguments\": {}}\n</tool_call>");
    cr_expect_str_eq(r.messages[3].role, "user");
    cr_expect_str_eq(r.messages[3].content,
                     "<tool_response>\n3\n</tool_response>\n<tool_response>\n"
                     "ok\n</tool_response>");
}

Test(infer_request, tools_without_a_system_message_get_one)
{
    cr_assert_eq(read(HELLO "," TOOLS), OK, "%s", err.text);
    cr_assert_eq(r.message_count, 2);
    cr_expect(strncmp(r.messages[0].content, "# Tools\n", 8) == 0);
    cr_expect_str_eq(r.messages[1].content, "Hello");
    cr_expect_null(r.grammar);
    cr_expect(strstr(r.calls_grammar, "root ::= calls\n"));
    cr_expect(strstr(r.calls_grammar, "call ::= call-0 | call-1\n"));
    cr_expect(strstr(r.calls_grammar, "call-1 ::= \"\\n{\\\"name\\\": \" \"\\\"stop\\\"\""));
}

Test(infer_request, a_choice_of_tools_decides_the_grammar)
{
    cr_assert_eq(read(HELLO "," TOOLS ",\"tool_choice\":\"none\""), OK);
    cr_expect(!r.grammar && !r.calls_grammar);
    cr_assert_eq(read(HELLO "," TOOLS ",\"tool_choice\":\"required\""), OK);
    cr_expect(strstr(r.grammar, "root ::= \"<tool_call>\" calls\n"));
    cr_expect(strstr(r.grammar, "{0,15}"));
    cr_assert_eq(read(HELLO "," TOOLS ",\"parallel_tool_calls\":false,\"tool_choice\":{\"type\":"
                            "\"function\",\"function\":{\"name\":\"stop\"}}"),
                 OK);
    cr_expect(strstr(r.grammar, "call ::= call-0\n") && strstr(r.grammar, "{0,0}"));
    cr_expect(strstr(r.grammar, "\\\"stop\\\"") && !strstr(r.grammar, "\\\"add\\\""));
    cr_assert_eq(read(HELLO "," TOOLS ",\"response_format\":{\"type\":\"json_object\"}"), OK);
    cr_expect(strstr(r.grammar, "root ::= format | \"<tool_call>\" calls\n"));
    cr_assert_eq(read(HELLO ",\"response_format\":{\"type\":\"json_object\"}"), OK);
    cr_expect(strstr(r.grammar, "root ::= format\nformat ::= object\n"));
    cr_expect_null(r.calls_grammar);
}
