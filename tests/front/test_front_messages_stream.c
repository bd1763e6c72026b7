/* Chat chunks as the events of a Messages stream. */
#include "dialect/messages_testing.h"
#include "front_testing.h"

/* "TYPE data" per event, a line each: what expect_events compares. */
static void shorten(struct str events, struct buf *out)
{
    while (events.len > 0) {
        struct str name = str_split(&events, '\n'), data = str_split(&events, '\n');
        cr_assert(str_starts(name, STR("event: ")), "%.*s", STR_FMT(name));
        cr_assert(str_starts(data, STR("data: ")), "%.*s", STR_FMT(data));
        cr_assert_eq(str_split(&events, '\n').len, 0);
        struct json_value root;
        cr_assert_eq(json_parse(str_slice(data, 6, data.len), "event", 1, &root, NULL), OK);
        name = str_slice(name, 7, name.len);
        cr_assert(json_string_equal(json_get(root, "type"), name));
        size_t skip = 6 + strlen("{\"type\":\"\"") + name.len; /* it is in the name */
        buf_addf(out, "%.*s %.*s\n", STR_FMT(name), STR_FMT(str_slice(data, skip, data.len - 1)));
    }
}

static const char *answering = ""; /* the expert */

static void expect_events(const char *const *chunks, size_t count, const char *want)
{
    struct front_test t;
    struct buf got;
    front_test_begin(&t, FRONT_MESSAGES, "");
    t.context.input_tokens = 42;
    t.context.expert = str_from(answering);
    buf_init(&got, FRONT_TEST_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        front_test_feed(&t, q(chunks[i]));
    front_stream_end(t.stream, &t.out);
    front_stream_end(t.stream, &t.out); /* once is enough */
    shorten(buf_str(&t.out), &got);
    expect_text(buf_str(&got), q(want));
    buf_done(&got);
    front_test_end(&t);
}

#define EXPECT(want, ...)                                                                          \
    do {                                                                                           \
        static const char *const chunks[] = {__VA_ARGS__};                                         \
        expect_events(chunks, sizeof(chunks) / sizeof(chunks[0]), want);                           \
    } while (0)

#define CHUNK(delta)       "{'id':'x','model':'c','choices':[{'index':0,'delta':{" delta "}}]}"
#define FINISH(delta, why) "{'choices':[{'index':0,'delta':{" delta "},'finish_reason':" why "}]}"
#define USAGE              "{'choices':[],'usage':{'prompt_tokens':10,'completion_tokens':3}}"
#define START                                                                                      \
    "message_start ,'message':{'id':'msg_12','type':'message','role':'assistant','model':'c',"     \
    "'content':[],'stop_reason':null,'stop_sequence':null,'usage':{'input_tokens':42,"             \
    "'output_tokens':0}}\n"
#define OPEN(i, block)  "content_block_start ,'index':" i ",'content_block':" block "\n"
#define TEXT(i)         OPEN(i, "{'type':'text','text':''}")
#define THINKING(i)     OPEN(i, "{'type':'thinking','thinking':'','signature':''}")
#define TOOL(i, id)     OPEN(i, "{'type':'tool_use','id':'" id "','name':'f','input':{}}")
#define DELTA(i, delta) "content_block_delta ,'index':" i ",'delta':" delta "\n"
#define SAID(i, t)      DELTA(i, "{'type':'text_delta','text':'" t "'}")
#define JSON(i, t)      DELTA(i, "{'type':'input_json_delta','partial_json':'" t "'}")
#define CLOSE(i)        "content_block_stop ,'index':" i "\n"
#define END(why)                                                                                   \
    "message_delta ,'delta':{'stop_reason':'" why "','stop_sequence':null},'usage':{"              \
    "'input_tokens':10,'cache_creation_input_tokens':0,'cache_read_input_tokens':0,"               \
    "'output_tokens':3}\nmessage_stop \n"

Test(front_messages_stream, a_text)
{
    EXPECT(START TEXT("0") SAID("0", "a\\u00e9") SAID("0", "\\n") CLOSE("0") END("end_turn"),
           CHUNK("'role':'assistant','content':''"), CHUNK("'content':'a\\u00e9'"),
           CHUNK("'content':'\\n'"), FINISH("", "'stop'"), USAGE, "[DONE]");
}

Test(front_messages_stream, the_end_comes_once_also_without_done)
{
    EXPECT(START TEXT("0") SAID("0", "a") CLOSE("0") END("max_tokens"), CHUNK("'content':'a'"),
           FINISH("", "'length'"), USAGE);
    EXPECT(START TEXT("0") SAID("0", "a") CLOSE("0") END("refusal"), CHUNK("'content':'a'"),
           FINISH("", "'content_filter'"), USAGE, "[DONE]", "[DONE]", CHUNK("'content':'late'"));
}

Test(front_messages_stream, blocks_of_every_kind_in_turns)
{
    EXPECT(START THINKING("0") DELTA("0", "{'type':'thinking_delta','thinking':'h'}") CLOSE("0")
               TEXT("1") SAID("1", "a") CLOSE("1") TOOL("2", "t1") JSON("2", "{\\'x\\':")
                   JSON("2", "1.0}") CLOSE("2") TEXT("3") SAID("3", "b") CLOSE("3") END("tool_use"),
           CHUNK("'reasoning_content':'h'"), CHUNK("'reasoning_content':'','content':'a'"),
           CHUNK("'tool_calls':[{'index':0,'id':'t1','function':{'name':'f','arguments':''}}]"),
           CHUNK("'tool_calls':[{'index':0,'function':{'arguments':'{\\'x\\':'}}]"),
           CHUNK("'tool_calls':[{'index':0,'id':'t1','function':{'arguments':'1.0}'}}]"),
           CHUNK("'content':'b'"), FINISH("", "'tool_calls'"), USAGE, "[DONE]");
}

Test(front_messages_stream, calls_in_turns_go_under_their_own_index)
{
    EXPECT(START TOOL("0", "a") JSON("0", "1") CLOSE("0") TOOL("1", "b") JSON("1", "2")
               JSON("0", "3") JSON("1", "4") CLOSE("1") END("tool_use"),
           CHUNK("'tool_calls':[{'index':0,'id':'a','function':{'name':'f','arguments':'1'}},"
                 "{'index':1,'id':'b','function':{'name':'f','arguments':'2'}}]"),
           CHUNK("'tool_calls':[{'index':0,'function':{'arguments':'3'}},"
                 "{'index':1,'function':{'arguments':'4'}}]"),
           FINISH("", "'stop'"), USAGE, "[DONE]");
}

Test(front_messages_stream, calls_are_told_apart_by_id_where_the_index_is_missing_or_the_same)
{
    EXPECT(START TOOL("0", "a") JSON("0", "1") CLOSE("0") TOOL("1", "b_c") JSON("1", "2") CLOSE("1")
               TOOL("2", "d") JSON("2", "{\\'o\\':1}") CLOSE("2") END("tool_use"),
           CHUNK("'tool_calls':[{'index':0,'id':'a','function':{'name':'f','arguments':'1'}},"
                 "{'index':0,'id':'b:c','function':{'name':'f','arguments':'2'}},"
                 "{'id':'d','function':{'name':'f','arguments':{'o':1}}}]"),
           FINISH("", "'tool_calls'"), USAGE, "[DONE]");
    EXPECT(START TOOL("0", "toolu_12_0") JSON("0", "1") CLOSE("0") END("tool_use"),
           CHUNK("'tool_calls':[{'function':{'name':'f','arguments':'1'}}]"),
           FINISH("", "'tool_calls'"), USAGE, "[DONE]");
}

Test(front_messages_stream, signatures_and_redacted_thinking)
{
    EXPECT(START THINKING("0") DELTA("0", "{'type':'thinking_delta','thinking':'h'}")
               DELTA("0", "{'type':'signature_delta','signature':'s'}") CLOSE("0")
                   OPEN("1", "{'type':'redacted_thinking','data':'x'}") CLOSE("1") TEXT("2")
                       SAID("2", "a") CLOSE("2") END("end_turn"),
           CHUNK("'reasoning_content':'h'"),
           CHUNK("'thinking_blocks':[{'type':'thinking','thinking':'','signature':'s'}]"),
           CHUNK("'thinking_blocks':[{'type':'redacted_thinking','data':'x'}]"),
           CHUNK("'content':'a'"), FINISH("", "'stop'"), USAGE, "[DONE]");
}

Test(front_messages_stream, reasoning_is_signed_with_where_it_came_from)
{
    answering = "ada";
    EXPECT(START THINKING("0") DELTA("0", "{'type':'thinking_delta','thinking':'h'}")
               DELTA("0", "{'type':'signature_delta','signature':'leeroo:3:ada'}") CLOSE("0")
                   TEXT("1") SAID("1", "a") CLOSE("1") END("end_turn"),
           CHUNK("'reasoning_content':'h'"), CHUNK("'content':'a'"), FINISH("", "'stop'"), USAGE,
           "[DONE]");
    EXPECT(START THINKING("0") DELTA("0", "{'type':'thinking_delta','thinking':'h'}")
               DELTA("0", "{'type':'signature_delta','signature':'leeroo:3:ada.reasoning'}")
                   CLOSE("0") END("end_turn"),
           CHUNK("'reasoning':'h'"), FINISH("", "'stop'"), USAGE, "[DONE]");
    EXPECT(START THINKING("0") DELTA("0", "{'type':'thinking_delta','thinking':'h'}")
               DELTA("0", "{'type':'signature_delta','signature':'leeroo:3:adas'}") CLOSE("0")
                   OPEN("1", "{'type':'redacted_thinking','data':'leeroo:3:adax'}") CLOSE("1")
                       END("end_turn"),
           CHUNK("'reasoning_content':'h'"),
           CHUNK("'thinking_blocks':[{'type':'thinking','thinking':'','signature':'s'},"
                 "{'type':'redacted_thinking','data':'x'}]"),
           FINISH("", "'stop'"), USAGE, "[DONE]");
}

Test(front_messages_stream, what_we_add_and_what_stopped_it)
{
    EXPECT(START "message_delta ,'delta':{'stop_reason':'stop_sequence','stop_sequence':'END'},"
                 "'usage':{'input_tokens':10,'cache_creation_input_tokens':0,"
                 "'cache_read_input_tokens':0,'output_tokens':3},'leeroo':{'plan':'x'}\n"
                 "message_stop \n",
           CHUNK(""), "{'choices':[{'delta':{},'finish_reason':'stop','stop_reason':'END'}]}",
           "{'choices':[],'usage':{'prompt_tokens':10,'completion_tokens':3},'leeroo':"
           "{'plan':'x'}}",
           "[DONE]");
}

Test(front_messages_stream, usage_that_nobody_told_is_estimated)
{
    EXPECT(
        START TEXT("0") SAID("0", "12345678") CLOSE(
            "0") "message_delta ,'delta':{'stop_reason':'end_turn','stop_sequence':null},'usage':{"
                 "'input_tokens':42,'output_tokens':2}\nmessage_stop \n",
        CHUNK("'content':'12345678'"), "[DONE]");
}

Test(front_messages_stream, odd_chunks)
{
    EXPECT(START TEXT("0") SAID("0", "a") SAID("0", "no") CLOSE("0") END("end_turn"), "not json",
           CHUNK("'content':[{'type':'text','text':'a'}]"), CHUNK("'refusal':'no'"),
           "{'choices':[{'index':1,'delta':{'content':'another'}}]}", USAGE, "[DONE]");
}

Test(front_messages_stream, failures_end_it)
{
    struct front_test t;
    const struct front_error e = {
        .http_status = 503, .message = STR("full \"up\""), .request_id = "req_12"};
    front_test_begin(&t, FRONT_MESSAGES, "");
    front_test_feed(&t, q(CHUNK("'content':'a'")));
    buf_clear(&t.out);
    front_stream_fail(t.stream, &e, &t.out);
    front_stream_end(t.stream, &t.out);
    expect_text(buf_str(&t.out),
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
                "\"message\":\"full \\\"up\\\"\"},\"request_id\":\"req_12\"}\n\n");
    front_test_end(&t);
}

Test(front_messages_stream, an_error_among_the_chunks_is_an_error)
{
    struct front_test t;
    front_test_begin(&t, FRONT_MESSAGES, "");
    front_test_feed(&t, q(CHUNK("'content':'a'")));
    buf_clear(&t.out);
    front_test_feed(&t, q("{'error':{'message':'m'}}"));
    front_test_feed(&t, "[DONE]");
    front_stream_end(t.stream, &t.out);
    expect_text(buf_str(&t.out),
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\","
                "\"message\":\"the expert's stream broke off with an error\"},\"request_id\":"
                "\"req_12\"}\n\n");
    front_test_end(&t);
}

Test(front_messages_stream, more_calls_than_an_answer_may_have)
{
    struct front_test t;
    char chunk[256];
    front_test_begin(&t, FRONT_MESSAGES, "");
    for (int i = 0; i < 300; i++) {
        snprintf(chunk, sizeof(chunk),
                 "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":%d,\"id\":\"c%d\"}]}}]}", i,
                 i);
        front_test_feed(&t, chunk);
    }
    front_stream_end(t.stream, &t.out);
    cr_assert(str_find(buf_str(&t.out), STR("more tool calls"), 0) != SIZE_MAX);
    cr_assert(str_find(buf_str(&t.out), STR("message_stop"), 0) == SIZE_MAX);
    front_test_end(&t);
}

/* A Messages stream by way of chat is the stream, but for what only its end knows. */
static void relay_chunk(struct str chunk, void *arg)
{
    struct front_test *t = arg;
    front_stream_event(t->stream, chunk, &t->out);
}

Test(front_messages_stream, there_and_back)
{
    static const char *const events[] = {
        "{'type':'message_start','message':{'id':'msg_12','model':'c'}}",
        "{'type':'content_block_start','index':0,'content_block':{'type':'text','text':''}}",
        "{'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':'a\\u00e9'}}",
        "{'type':'content_block_stop','index':0}",
        "{'type':'content_block_start','index':1,'content_block':{'type':'tool_use','id':'t1',"
        "'name':'f','input':{}}}",
        "{'type':'content_block_delta','index':1,'delta':{'type':'input_json_delta',"
        "'partial_json':'{\\'x\\':1.0}'}}",
        "{'type':'content_block_stop','index':1}",
        "{'type':'message_delta','delta':{'stop_reason':'tool_use','stop_sequence':null},'usage':"
        "{'input_tokens':10,'output_tokens':3}}",
        "{'type':'message_stop'}",
    };
    struct front_test t;
    struct buf got;
    struct anthropic_stream *s = anthropic_stream_create(false);
    front_test_begin(&t, FRONT_MESSAGES, "");
    t.context.input_tokens = 42;
    buf_init(&got, FRONT_TEST_BYTES_MAX);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        anthropic_stream_event(s, STR(""), str_from(q(events[i])), relay_chunk, &t);
    shorten(buf_str(&t.out), &got);
    expect_text(buf_str(&got), q(START TEXT("0") SAID("0", "a\\u00e9") CLOSE("0") TOOL("1", "t1")
                                     JSON("1", "{\\'x\\':1.0}") CLOSE("1") END("tool_use")));
    anthropic_stream_free(s);
    buf_done(&got);
    front_test_end(&t);
}
