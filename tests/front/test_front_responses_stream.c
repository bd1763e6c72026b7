/* Chat chunks as events of the Responses API. What is in the last event must be what the whole answer would say. */
#include <stdio.h>
#include <stdlib.h>

#include "front/front_responses_int.h"
#include "front_testing.h"

#define ASK "{\"model\":\"asked\",\"input\":\"Hi\"}"
#define DELTA(delta, finish)                                                                       \
    "{\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{" delta "},\"finish_reason\":" finish   \
    "}]}"
#define USAGE                                                                                      \
    "{\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2},\"leeroo\":{\"x\":1}" \
    "}"

/* The types of all events with the common prefix off, joined by blanks; checks their form and numbers. */
static void list_types(struct str events, struct buf *types)
{
    int64_t number, want = 0;
    while (events.len > 0) {
        size_t end = str_find(events, STR("\n\n"), 0);
        cr_assert(end != SIZE_MAX, "an event does not end");
        struct str event = str_slice(events, 0, end), name = str_split(&event, '\n');
        struct json_value root;
        events = str_slice(events, end + 2, events.len);
        cr_assert(str_starts(name, STR("event: ")) && str_starts(event, STR("data: ")));
        cr_assert(str_find(event, STR("\n"), 0) == SIZE_MAX, "data on more than one line");
        name = str_slice(name, 7, name.len);
        struct str data = str_slice(event, 6, event.len);
        cr_assert_eq(json_parse(data, "event", 1, &root, NULL), OK, "%.*s", STR_FMT(data));
        cr_assert(json_string_equal(json_get(root, "type"), name));
        cr_assert_eq(json_to_int64(json_get(root, "sequence_number"), &number), OK);
        cr_assert_eq(number, want++);
        if (str_starts(name, STR("response.")))
            name = str_slice(name, 9, name.len);
        buf_addf(types, "%s%.*s", types->len ? " " : "", STR_FMT(name));
    }
}

static void expect_types(const struct front_test *t, const char *want)
{
    struct buf types;
    buf_init(&types, 65536);
    list_types(buf_str(&t->out), &types);
    expect_text(buf_str(&types), want);
    buf_done(&types);
}

static void expect_found(const struct front_test *t, const char *want)
{
    cr_assert(str_find(buf_str(&t->out), str_from(want), 0) != SIZE_MAX, "got:  %s\nwant: %s",
              t->out.ptr, want);
}

static void stream_of(struct front_test *t, const char *request, const char *const *chunks)
{
    front_test_begin(t, FRONT_RESPONSES, request);
    t->context.expert = STR("ada");
    for (; *chunks; chunks++)
        front_test_feed(t, *chunks);
    front_stream_end(t->stream, &t->out);
}

static void stream(struct front_test *t, const char *const *chunks)
{
    stream_of(t, ASK, chunks);
}

/* The stream's last response object equals the whole answer. */
static void expect_same_of(const char *request, const char *const *chunks, const char *completion)
{
    struct front_test t, whole;
    struct json_value root;
    stream_of(&t, request, chunks);
    size_t at = 0, last = 0;
    while ((at = str_find(buf_str(&t.out), STR("data: "), at)) != SIZE_MAX)
        last = at += 6;
    cr_assert_eq(json_parse(str_slice(buf_str(&t.out), last, t.out.len), "e", 1, &root, NULL), OK);
    front_test_begin(&whole, FRONT_RESPONSES, request);
    whole.context.expert = STR("ada");
    cr_assert_eq(front_answer(&whole.context, str_from(completion), &whole.out, &whole.err), OK);
    struct str response = json_get(root, "response").raw;
    cr_assert(str_equal(response, buf_str(&whole.out)), "stream: %.*s\nwhole:  %s",
              STR_FMT(response), whole.out.ptr);
    front_test_end(&whole);
    front_test_end(&t);
}

static void expect_same(const char *const *chunks, const char *completion)
{
    expect_same_of(ASK, chunks, completion);
}

Test(front_responses_stream, a_text)
{
    static const char *const chunks[] = {DELTA("\"role\":\"assistant\",\"content\":\"\"", "null"),
                                         DELTA("\"content\":\"a\\\"\"", "null"),
                                         DELTA("\"content\":\"b\"", "null"),
                                         DELTA("", "\"stop\""),
                                         USAGE,
                                         "[DONE]",
                                         NULL};
    struct front_test t;
    stream(&t, chunks);
    expect_types(&t, "created in_progress output_item.added content_part.added output_text.delta "
                     "output_text.delta output_text.done content_part.done output_item.done "
                     "completed");
    expect_found(&t, "\"item_id\":\"msg_12_0\",\"output_index\":0,\"content_index\":0,"
                     "\"delta\":\"a\\\"\",\"logprobs\":[]}");
    expect_found(&t, "\"text\":\"a\\\"b\",\"logprobs\":[]}");
    front_test_end(&t);
    expect_same(chunks, "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"a\\\"b\"},"
                        "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,"
                        "\"completion_tokens\":2},\"leeroo\":{\"x\":1}}");
}

Test(front_responses_stream, reasoning_then_text_then_a_refusal)
{
    static const char *const chunks[] = {DELTA("\"reasoning_content\":\"h\"", "null"),
                                         DELTA("\"reasoning\":\"m\",\"content\":null", "null"),
                                         DELTA("\"content\":\"a\"", "null"),
                                         DELTA("\"refusal\":\"no\"", "\"stop\""), NULL};
    struct front_test t;
    stream(&t, chunks);
    expect_types(&t, "created in_progress output_item.added reasoning_summary_part.added "
                     "reasoning_summary_text.delta reasoning_summary_text.delta "
                     "reasoning_summary_text.done reasoning_summary_part.done output_item.done "
                     "output_item.added content_part.added output_text.delta output_text.done "
                     "content_part.done output_item.done output_item.added content_part.added "
                     "refusal.delta refusal.done content_part.done output_item.done completed");
    front_test_end(&t);
    expect_same(chunks, "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"a\","
                        "\"reasoning\":\"hm\",\"refusal\":\"no\"},\"finish_reason\":\"stop\"}]}");
}

#define CALL(index, members) DELTA("\"tool_calls\":[{\"index\":" index "," members "}]", "null")

Test(front_responses_stream, calls_may_come_interleaved)
{
    static const char *const chunks[] = {
        DELTA("\"content\":\"t\"", "null"),
        CALL("0", "\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}"),
        CALL("1", "\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{\"}"),
        CALL("0", "\"function\":{\"arguments\":\"[]\"}"),
        CALL("1", "\"function\":{\"arguments\":\"}\"}"),
        DELTA("", "\"tool_calls\""),
        "[DONE]",
        NULL};
    struct front_test t;
    stream(&t, chunks);
    expect_types(&t, "created in_progress output_item.added content_part.added output_text.delta "
                     "output_text.done content_part.done output_item.done output_item.added "
                     "output_item.added function_call_arguments.delta "
                     "function_call_arguments.delta function_call_arguments.delta "
                     "function_call_arguments.done output_item.done function_call_arguments.done "
                     "output_item.done completed");
    front_test_end(&t);
    expect_same(chunks, "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"t\","
                        "\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":"
                        "\"[]\"}},{\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}"
                        "]},\"finish_reason\":\"tool_calls\"}]}");
}

Test(front_responses_stream, calls_of_servers_that_number_badly)
{
    static const char *const all_zero[] = {
        CALL("0", "\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"1\"}"),
        CALL("0", "\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"2\"}"),
        CALL("0", "\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"3\"}"), "[DONE]",
        NULL};
    static const char *const none[] = {
        CALL("null", "\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"12\"}"),
        CALL("null", "\"id\":\"b\",\"function\":{\"name\":\"g\"}"),
        CALL("null", "\"function\":{\"arguments\":\"3\"}"), "[DONE]", NULL};
    static const char *const late_name[] = {
        CALL("0", "\"id\":\"a\",\"function\":{\"arguments\":\"1\"}"),
        CALL("0", "\"function\":{\"name\":\"f\",\"arguments\":\"2\"}"),
        CALL("1", "\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":3}"),
        CALL("1", "\"function\":{\"arguments\":\"3\"}"),
        "[DONE]",
        NULL};
    static const char want[] =
        "{\"model\":\"m\",\"choices\":[{\"message\":{\"tool_calls\":["
        "{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"12\"}},"
        "{\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"3\"}}]}}]}";
    expect_same(all_zero, want);
    expect_same(none, want);
    expect_same(late_name, want);
}

#define TOOLS                                                                                      \
    "{\"model\":\"asked\",\"input\":\"Hi\",\"tools\":[{\"type\":\"custom\",\"name\":\"c\"},"       \
    "{\"type\":\"namespace\",\"name\":\"n\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]},"  \
    "{\"type\":\"local_shell\"}]}"

/* Of a custom tool's call the client gets the text inside the arguments, so it is told at the end; of a shell's the
 * action, which has no events of its own. */
Test(front_responses_stream, calls_of_the_clients_own_tools)
{
    static const char *const chunks[] = {
        CALL("0", "\"id\":\"a\",\"function\":{\"name\":\"c\",\"arguments\":\"{\\\"inp\"}"),
        CALL("1", "\"id\":\"b\",\"function\":{\"name\":\"n__f\",\"arguments\":\"{\"}"),
        CALL("0", "\"function\":{\"arguments\":\"ut\\\": \\\"p\\\\n\\\"}\"}"),
        CALL("1", "\"function\":{\"arguments\":\"}\"}"),
        CALL("2", "\"id\":\"d\",\"function\":{\"name\":\"local_shell\",\"arguments\":"
                  "\"{\\\"command\\\":[\\\"ls\\\"]}\"}"),
        CALL("3", "\"id\":\"e\",\"function\":{\"name\":\"local_shell\",\"arguments\":\"{\"}"),
        DELTA("", "\"tool_calls\""),
        "[DONE]",
        NULL};
    struct front_test t;
    stream_of(&t, TOOLS, chunks);
    expect_types(&t, "created in_progress output_item.added output_item.added "
                     "function_call_arguments.delta function_call_arguments.delta "
                     "output_item.added output_item.added custom_tool_call_input.delta "
                     "custom_tool_call_input.done output_item.done function_call_arguments.done "
                     "output_item.done output_item.done function_call_arguments.delta "
                     "function_call_arguments.done output_item.done completed");
    expect_found(&t,
                 "\"item\":{\"id\":\"ctc_12_0\",\"type\":\"custom_tool_call\",\"call_id\":\"a\","
                 "\"name\":\"c\",\"input\":\"\",\"status\":\"in_progress\"}");
    expect_found(&t, "\"item_id\":\"ctc_12_0\",\"output_index\":0,\"delta\":\"p\\n\"}");
    expect_found(&t, "\"item_id\":\"ctc_12_0\",\"output_index\":0,\"input\":\"p\\n\"}");
    expect_found(&t, "\"item\":{\"id\":\"fc_12_1\",\"type\":\"function_call\",\"call_id\":\"b\","
                     "\"name\":\"f\",\"namespace\":\"n\",\"arguments\":\"{}\",\"status\":"
                     "\"completed\"}");
    expect_found(&t, "\"arguments\":\"{}\",\"name\":\"f\"}");
    expect_found(&t,
                 "\"item\":{\"id\":\"lsh_12_2\",\"type\":\"local_shell_call\",\"call_id\":\"d\","
                 "\"action\":{\"type\":\"exec\",\"command\":[\"ls\"],\"env\":{}},\"status\":"
                 "\"completed\"}");
    expect_found(&t, "\"item\":{\"id\":\"fc_12_3\",\"type\":\"function_call\",\"call_id\":\"e\","
                     "\"name\":\"local_shell\",\"arguments\":\"{\",\"status\":\"completed\"}");
    front_test_end(&t);
    expect_same_of(
        TOOLS, chunks,
        "{\"model\":\"m\",\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"a\","
        "\"function\":{\"name\":\"c\",\"arguments\":\"{\\\"input\\\": \\\"p\\\\n\\\"}\"}},"
        "{\"id\":\"b\",\"function\":{\"name\":\"n__f\",\"arguments\":\"{}\"}},{\"id\":"
        "\"d\",\"function\":{\"name\":\"local_shell\",\"arguments\":\"{\\\"command\\\":"
        "[\\\"ls\\\"]}\"}},{\"id\":\"e\",\"function\":{\"name\":\"local_shell\","
        "\"arguments\":\"{\"}}]},\"finish_reason\":\"tool_calls\"}]}");
}

/* Signatures come behind their text, and without any; what Gemini's calls carry comes with them. */
Test(front_responses_stream, what_must_come_back_to_the_expert)
{
    static const char *const chunks[] = {
        DELTA("\"reasoning_content\":\"a\"", "null"),
        DELTA("\"reasoning_content\":\"b\"", "null"),
        DELTA("\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"s\"}]",
              "null"),
        DELTA("\"reasoning_content\":\"c\"", "null"),
        DELTA("\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"u\"}]",
              "null"),
        DELTA("\"thinking_blocks\":[{\"type\":\"redacted_thinking\",\"data\":\"d\"}]", "null"),
        DELTA("\"thinking_blocks\":[]", "null"),
        DELTA("\"content\":\"t\"", "null"),
        CALL("0", "\"id\":\"x\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"},"
                  "\"extra_content\":{\"g\": 1}"),
        DELTA("", "\"tool_calls\""),
        "[DONE]",
        NULL};
    static const char *const redacted[] = {
        DELTA("\"thinking_blocks\":[{\"type\":\"redacted_thinking\",\"data\":\"d\"}]", "null"),
        DELTA("\"content\":\"t\"", "\"stop\""), "[DONE]", NULL};
    expect_same(
        chunks,
        "{\"model\":\"m\",\"choices\":[{\"message\":{\"reasoning_content\":\"abc\","
        "\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"ab\",\"signature\":"
        "\"s\"},{\"type\":\"thinking\",\"thinking\":\"c\",\"signature\":\"u\"},{\"type\":"
        "\"redacted_thinking\",\"data\":\"d\"}],\"content\":\"t\",\"tool_calls\":[{\"id\":"
        "\"x\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"},\"extra_content\":{\"g\": "
        "1}}]},\"finish_reason\":\"tool_calls\"}]}");
    struct front_test t;
    stream(&t, redacted);
    expect_types(&t, "created in_progress output_item.added output_item.done output_item.added "
                     "content_part.added output_text.delta output_text.done content_part.done "
                     "output_item.done completed");
    expect_found(&t, "\"summary\":[],\"encrypted_content\":\"leeroo:3:ada{");
    front_test_end(&t);
}

Test(front_responses_stream, other_choices_are_not_told)
{
    static const char *const chunks[] = {
        "{\"model\":\"m\",\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"}},{\"index\":0,"
        "\"delta\":{\"content\":\"a\"}}]}",
        "{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"length\"}]}",
        "[DONE]", NULL};
    expect_same(chunks, "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"a\"}}]}");
}

Test(front_responses_stream, nothing_at_all_is_an_empty_text)
{
    static const char *const chunks[] = {DELTA("\"role\":\"assistant\"", "\"stop\""), NULL};
    expect_same(chunks, "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":null},"
                        "\"finish_reason\":\"stop\"}]}");
}

Test(front_responses_stream, before_there_is_content_nothing_is_sent)
{
    struct front_test t;
    front_test_begin(&t, FRONT_RESPONSES, ASK);
    front_test_feed(&t, DELTA("\"role\":\"assistant\",\"content\":\"\"", "null"));
    cr_assert_eq(t.out.len, 0);
    front_test_feed(&t, DELTA("\"content\":\"a\"", "null"));
    expect_types(&t, "created in_progress output_item.added content_part.added output_text.delta");
    front_test_end(&t);
}

Test(front_responses_stream, cut_short_is_incomplete)
{
    static const char *const chunks[] = {DELTA("\"content\":\"a\"", "\"length\""), "[DONE]", NULL};
    struct front_test t;
    stream(&t, chunks);
    expect_types(&t, "created in_progress output_item.added content_part.added output_text.delta "
                     "output_text.done content_part.done output_item.done incomplete");
    front_test_end(&t);
    expect_same(chunks, "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"a\"},"
                        "\"finish_reason\":\"length\"}]}");
}

#define LOGPROBS(token) "\"logprobs\":{\"content\":[ {\"token\":\"" token "\"} ]}"

Test(front_responses_stream, token_probabilities_gather)
{
    static const char *const chunks[] = {
        "{\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"a\"}," LOGPROBS("a") "}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"\"}," LOGPROBS("b") "}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"c\"},\"logprobs\":{\"content\":[ ]}}]}", "[DONE]",
        NULL};
    expect_same(chunks,
                "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"ac\"},\"logprobs\":"
                "{\"content\":[{\"token\":\"a\"},{\"token\":\"b\"}]}}]}");
}

Test(front_responses_stream, a_failure_tells_what_there_was)
{
    struct front_test t;
    struct front_error e = {
        .http_status = 429, .message = STR("too \"much\""), .type = "rate_limit_error"};
    front_test_begin(&t, FRONT_RESPONSES, ASK);
    front_test_feed(&t, DELTA("\"content\":\"a\"", "null"));
    front_stream_fail(t.stream, &e, &t.out);
    front_stream_end(t.stream, &t.out);
    expect_types(&t, "created in_progress output_item.added content_part.added output_text.delta "
                     "failed error");
    expect_found(&t, "\"status\":\"failed\",\"background\":false,\"error\":{\"code\":"
                     "\"rate_limit_exceeded\",\"message\":\"too \\\"much\\\"\"}");
    expect_found(&t, "\"text\":\"a\"}],\"status\":\"incomplete\"}],");
    expect_found(&t, "\"code\":\"rate_limit_exceeded\",\"message\":\"too \\\"much\\\"\","
                     "\"param\":null,\"error\":{\"message\":\"too \\\"much\\\"\","
                     "\"type\":\"rate_limit_error\",\"param\":null,\"code\":null}}");
    front_test_end(&t);
}

Test(front_responses_stream, a_failure_before_the_first_chunk)
{
    struct front_test t;
    struct front_error e = {.http_status = 502,
                            .message = STR("gone"),
                            .type = "server_error",
                            .param = "p",
                            .code = "c"};
    front_test_begin(&t, FRONT_RESPONSES, ASK);
    front_stream_fail(t.stream, &e, &t.out);
    expect_types(&t, "created in_progress failed error");
    expect_found(&t, "\"model\":\"asked\"");
    expect_found(&t, "\"code\":\"c\",\"message\":\"gone\",\"param\":\"p\",\"error\":");
    front_test_end(&t);
}

static void expect_failure(const char *const *chunks, const char *message)
{
    struct front_test t;
    stream(&t, chunks);
    expect_found(&t, "event: response.failed\n");
    expect_found(&t, message);
    cr_assert(str_find(buf_str(&t.out), STR("response.completed"), 0) == SIZE_MAX);
    front_test_end(&t);
}

Test(front_responses_stream, what_experts_do_wrong)
{
    expect_failure((const char *const[]){DELTA("\"content\":\"a\"", "null"), NULL},
                   "ended before it was complete");
    expect_failure((const char *const[]){NULL}, "ended before it was complete");
    expect_failure((const char *const[]){"{\"choices\":", "[DONE]", NULL}, "broken chunk");
    expect_failure(
        (const char *const[]){"{\"error\":{\"message\":\"quo\\u0074a\"}}", "[DONE]", NULL},
        "\"message\":\"quota\"");
    expect_failure((const char *const[]){"{\"error\":\"bad\"}", NULL}, "the expert failed");
}

Test(front_responses_stream, more_items_than_there_may_be)
{
    struct front_test t;
    front_test_begin(&t, FRONT_RESPONSES, ASK);
    t.out.limit = 64 * FRONT_TEST_BYTES_MAX;
    for (int i = 0; i <= RESPONSES_ITEMS_MAX / 2; i++) {
        front_test_feed(&t, DELTA("\"reasoning\":\"r\"", "null"));
        front_test_feed(&t, DELTA("\"content\":\"a\"", "null"));
    }
    expect_found(&t, "\"message\":\"the answer is longer than this API streams");
    front_test_end(&t);
}

Test(front_responses_stream, more_text_than_there_may_be)
{
    struct front_test t;
    enum { PIECE = 1 << 20 };
    char *chunk = malloc(PIECE + 100);
    int head = snprintf(chunk, 100, "{\"choices\":[{\"delta\":{\"content\":\"");
    memset(chunk + head, 'x', PIECE);
    snprintf(chunk + head + PIECE, 20, "\"}}]}");
    front_test_begin(&t, FRONT_RESPONSES, ASK);
    t.out.limit = 64 * FRONT_TEST_BYTES_MAX;
    for (unsigned i = 0; i < RESPONSES_STREAM_BYTES_MAX / PIECE; i++) {
        cr_assert(str_find(buf_str(&t.out), STR("response.failed"), 0) == SIZE_MAX, "%u", i);
        buf_clear(&t.out);
        front_test_feed(&t, chunk);
    }
    expect_found(&t, "\"message\":\"the answer is longer than this API streams");
    front_test_end(&t);
    free(chunk);
}
