/* Events of a Messages stream as chat chunks. */
#include "messages_testing.h"

#include "dialect/openai.h"

struct heard {
    struct buf text, thinking, arguments[4], transcript;
    size_t chunks, done, usages, errors;
    char finish_reason[32];
    struct openai_usage usage;
};

static void add_inside(struct buf *b, struct json_value string)
{
    if (string.type == JSON_STRING)
        buf_add(b, str_slice(string.raw, 1, string.raw.len - 1));
}

static void hear_calls(struct heard *h, struct json_value calls)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    int64_t index = 0;
    while (calls.type == JSON_ARRAY && json_array_next(&it, &call)) {
        cr_assert_eq(json_to_int64(json_get(call, "index"), &index), OK);
        cr_assert(index >= 0 && index < 4);
        add_inside(&h->arguments[index], json_get(json_get(call, "function"), "arguments"));
    }
}

static void hear(struct str chunk, void *arg)
{
    struct heard *h = arg;
    struct openai_reply reply;
    struct json_value choices, choice = {0};
    cr_assert_eq(h->done, 0, "after [DONE]: %.*s", STR_FMT(chunk));
    h->chunks++;
    buf_add(&h->transcript, chunk);
    buf_add_char(&h->transcript, '\n');
    if (str_equal(chunk, STR("[DONE]"))) {
        h->done++;
        return;
    }
    cr_assert_eq(openai_reply_read(chunk, &reply, NULL), OK, "%.*s", STR_FMT(chunk));
    h->errors += reply.is_error;
    h->usages += reply.usage_only;
    if (reply.usage.known)
        h->usage = reply.usage;
    choices = json_get(reply.root, "choices");
    struct json_iter it = json_iter_begin(choices);
    if (!json_array_next(&it, &choice))
        return;
    struct json_value delta = json_get(choice, "delta"), finish = json_get(choice, "finish_reason");
    add_inside(&h->text, json_get(delta, "content"));
    add_inside(&h->thinking, json_get(delta, "reasoning_content"));
    hear_calls(h, json_get(delta, "tool_calls"));
    if (finish.type == JSON_STRING)
        snprintf(h->finish_reason, sizeof(h->finish_reason), "%.*s",
                 STR_FMT(str_slice(finish.raw, 1, finish.raw.len - 1)));
}

static void heard_begin(struct heard *h)
{
    *h = (struct heard){0};
    buf_init(&h->text, TEXT_TEST_BYTES_MAX);
    buf_init(&h->thinking, TEXT_TEST_BYTES_MAX);
    buf_init(&h->transcript, TEXT_TEST_BYTES_MAX);
    for (size_t i = 0; i < 4; i++)
        buf_init(&h->arguments[i], TEXT_TEST_BYTES_MAX);
}

static void heard_end(struct heard *h)
{
    buf_done(&h->text);
    buf_done(&h->thinking);
    buf_done(&h->transcript);
    for (size_t i = 0; i < 4; i++)
        buf_done(&h->arguments[i]);
}

static void say(struct anthropic_stream *s, struct heard *h, const char *event)
{
    anthropic_stream_event(s, STR(""), str_from(q(event)), hear, h);
}

static void listen_as(struct heard *h, bool collects, const char *const *events, size_t count)
{
    struct anthropic_stream *s = anthropic_stream_create(collects);
    cr_assert_not_null(s);
    heard_begin(h);
    for (size_t i = 0; i < count; i++)
        say(s, h, events[i]);
    anthropic_stream_free(s);
}

static void listen(struct heard *h, const char *const *events, size_t count)
{
    listen_as(h, false, events, count);
}

#define LISTEN(h, ...)                                                                             \
    do {                                                                                           \
        static const char *const events[] = {__VA_ARGS__};                                         \
        listen(h, events, sizeof(events) / sizeof(events[0]));                                     \
    } while (0)

#define START                                                                                      \
    "{'type':'message_start','message':{'id':'msg_1','model':'c','usage':{'input_tokens':10,"      \
    "'cache_read_input_tokens':4,'output_tokens':1}}}"
#define OPEN(block)  "{'type':'content_block_start','index':0,'content_block':" block "}"
#define DELTA(delta) "{'type':'content_block_delta','index':0,'delta':" delta "}"
#define CLOSE        "{'type':'content_block_stop','index':0}"
#define END(reason)                                                                                \
    "{'type':'message_delta','delta':{'stop_reason':'" reason "','stop_sequence':null},'usage':"   \
    "{'output_tokens':15}}",                                                                       \
        "{'type':'message_stop'}"

Test(anthropic_stream, blocks_of_every_kind)
{
    struct heard h;
    LISTEN(&h, START, "{'type':'ping'}", OPEN("{'type':'thinking','thinking':'','signature':''}"),
           DELTA("{'type':'thinking_delta','thinking':'h\\n'}"),
           DELTA("{'type':'signature_delta','signature':'s'}"), CLOSE,
           OPEN("{'type':'text','text':'A'}"), DELTA("{'type':'text_delta','text':'b\\u00e9'}"),
           CLOSE, OPEN("{'type':'tool_use','id':'t1','name':'f','input':{}}"),
           DELTA("{'type':'input_json_delta','partial_json':''}"),
           DELTA("{'type':'input_json_delta','partial_json':'{\\'a\\':'}"),
           DELTA("{'type':'input_json_delta','partial_json':'1.0}'}"), CLOSE,
           OPEN("{'type':'text','text':''}"), DELTA("{'type':'text_delta','text':'c'}"), CLOSE,
           OPEN("{'type':'tool_use','id':'t2','name':'g','input':{}}"), CLOSE,
           OPEN("{'type':'tool_use','id':'t3','name':'g','input':{'x':1}}"), CLOSE,
           "{'type':'a_new_one'}", END("tool_use"));
    expect_text(buf_str(&h.text), "Ab\\u00e9c");
    expect_text(buf_str(&h.thinking), "h\\n");
    expect_text(buf_str(&h.arguments[0]), "{\\\"a\\\":1.0}");
    expect_text(buf_str(&h.arguments[1]), "{}");
    expect_text(buf_str(&h.arguments[2]), "{\\\"x\\\":1}");
    cr_assert_str_eq(h.finish_reason, "tool_calls");
    cr_assert_eq(h.done, 1);
    cr_assert_eq(h.usages, 1);
    cr_assert_eq(h.usage.input_tokens, 14);
    cr_assert_eq(h.usage.cached_tokens, 4);
    cr_assert_eq(h.usage.output_tokens, 15);
    cr_assert_eq(h.errors, 0);
    heard_end(&h);
}

Test(anthropic_stream, the_chunks_byte_for_byte)
{
    struct heard h;
    LISTEN(&h, START, OPEN("{'type':'tool_use','id':'t1','name':'f','input':{}}"), CLOSE,
           END("tool_use"));
    struct str rest = buf_str(&h.transcript);
    static const char *const want[] = {
        "'choices':[{'index':0,'delta':{'role':'assistant','content':''},'finish_reason':null}]}",
        "'choices':[{'index':0,'delta':{'tool_calls':[{'index':0,'id':'t1','type':'function',"
        "'function':{'name':'f','arguments':''}}]},'finish_reason':null}]}",
        "'choices':[{'index':0,'delta':{'tool_calls':[{'index':0,'function':{'arguments':'{}'}}]},"
        "'finish_reason':null}]}",
        "'choices':[{'index':0,'delta':{},'finish_reason':'tool_calls'}]}",
        "'choices':[],'usage':{'prompt_tokens':14,'completion_tokens':15,'total_tokens':29,"
        "'prompt_tokens_details':{'cached_tokens':4,'cache_creation_tokens':0}}}",
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        struct str line = str_split(&rest, '\n');
        cr_assert(str_starts(line, str_from(q("{'id':'msg_1','object':'chat.completion.chunk',"
                                              "'created':"))));
        size_t at = str_find(line, str_from(q("'choices'")), 0);
        expect_text(str_slice(line, at, line.len), q(want[i]));
    }
    expect_text(rest, "[DONE]\n");
    heard_end(&h);
}

/* A text in pieces, cut at every place, is the text. */
Test(anthropic_stream, every_cut_of_a_text)
{
    static const char text[] = "one two three, four";
    for (size_t cut = 0; cut < sizeof(text); cut++) {
        struct heard h;
        char first[256], second[256];
        snprintf(first, sizeof(first), DELTA("{'type':'text_delta','text':'%.*s'}"), (int)cut,
                 text);
        snprintf(second, sizeof(second), DELTA("{'type':'text_delta','text':'%s'}"), text + cut);
        const char *const events[] = {
            START, OPEN("{'type':'text','text':''}"), first, second, CLOSE, END("end_turn")};
        listen(&h, events, sizeof(events) / sizeof(events[0]));
        expect_text(buf_str(&h.text), text);
        cr_assert_str_eq(h.finish_reason, "stop");
        heard_end(&h);
    }
}

/* BerriAI/litellm #29428: text without its signature, and a signature without its text, are no use to anybody. */
Test(anthropic_stream, collected_thinking_is_what_a_whole_answer_has)
{
    static const char *const events[] = {START,
                                         OPEN("{'type':'thinking','thinking':'','signature':''}"),
                                         DELTA("{'type':'thinking_delta','thinking':'one, '}"),
                                         DELTA("{'type':'thinking_delta','thinking':'two'}"),
                                         DELTA("{'type':'signature_delta','signature':'S1='}"),
                                         CLOSE,
                                         OPEN("{'type':'redacted_thinking','data':'x'}"),
                                         CLOSE,
                                         OPEN("{'type':'text','text':''}"),
                                         DELTA("{'type':'text_delta','text':'a'}"),
                                         CLOSE,
                                         OPEN("{'type':'thinking','thinking':'th','estimated':1}"),
                                         DELTA("{'type':'thinking_delta','thinking':'ree'}"),
                                         CLOSE,
                                         END("end_turn")};
    struct heard h;
    listen_as(&h, true, events, sizeof(events) / sizeof(events[0]));
    expect_text(buf_str(&h.thinking), "one, twothree");
    expect_text(buf_str(&h.text), "a");
    struct str all = buf_str(&h.transcript);
    size_t at = str_find(all, str_from(q("'thinking_blocks'")), 0);
    cr_assert_eq(str_find(all, str_from(q("'thinking_blocks'")), at + 1), SIZE_MAX, "one list");
    expect_text(
        str_slice(all, at, str_find(all, STR("\n"), at)),
        q("'thinking_blocks':[{'type':'thinking','thinking':'one, two','signature':'S1='},"
          "{'type':'redacted_thinking','data':'x'},"
          "{'type':'thinking','thinking':'three','estimated':1}]},'finish_reason':null}]}"));
    heard_end(&h);
}

Test(anthropic_stream, usage_that_nobody_told_is_missing)
{
    struct heard h;
    LISTEN(&h, "{'type':'message_start','message':{'id':'msg_1'}}",
           "{'type':'message_delta','delta':{'stop_reason':'end_turn'}}",
           "{'type':'message_stop'}");
    cr_assert_eq(h.usages, 0);
    cr_assert_eq(h.done, 1);
    heard_end(&h);
}

Test(anthropic_stream, later_usage_replaces_earlier)
{
    struct heard h;
    LISTEN(
        &h, START,
        "{'type':'message_delta','delta':{'stop_reason':'max_tokens'},'usage':{'input_tokens':20,"
        "'output_tokens':7,'cache_creation_input_tokens':3}}",
        "{'type':'message_stop'}");
    cr_assert_eq(h.usage.input_tokens, 27);
    cr_assert_eq(h.usage.output_tokens, 7);
    cr_assert_str_eq(h.finish_reason, "length");
    heard_end(&h);
}

Test(anthropic_stream, an_end_without_a_reason_is_one)
{
    struct heard h;
    LISTEN(&h, START,
           "{'type':'content_block_start','index':0,'content_block':{'type':'text','text':'a'}}",
           "{'type':'message_stop'}", "{'type':'message_stop'}");
    cr_assert_str_eq(h.finish_reason, "stop");
    cr_assert_eq(h.done, 1);
    heard_end(&h);
    LISTEN(&h, START, "{'type':'message_stop'}");
    cr_assert_str_eq(h.finish_reason, "", "there is no answer");
    cr_assert_eq(h.done, 1);
    heard_end(&h);
}

Test(anthropic_stream, errors)
{
    static const struct {
        const char *event, *want;
    } rows[] = {
        {"{'type':'error','error':{'type':'overloaded_error','message':'Overloaded'}}",
         "{'error':{'message':'Overloaded','type':'overloaded_error','param':null,'code':529}}\n"},
        {"{'type':'error','error':{'type':'rate_limit_error','message':'a\\n'}}",
         "{'error':{'message':'a\\n','type':'rate_limit_error','param':null,'code':429}}\n"},
        {"{'error':{}}",
         "{'error':{'message':'the expert`s stream reports an error','type':'api_error','param':"
         "null,'code':500}}\n"},
        {"what", "{'error':{'message':'the expert`s stream holds what is not JSON','type':"
                 "'api_error','param':null,'code':500}}\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct heard h;
        char want[256];
        snprintf(want, sizeof(want), "%s", q(rows[i].want));
        for (char *at = want; *at; at++)
            *at = *at == '`' ? '\'' : *at;
        const char *const events[] = {rows[i].event, START, END("end_turn")};
        listen(&h, events, sizeof(events) / sizeof(events[0]));
        expect_text(buf_str(&h.transcript), want); /* and nothing after it */
        heard_end(&h);
    }
}

Test(anthropic_stream, an_error_is_known_by_the_name_of_its_event)
{
    struct anthropic_stream *s = anthropic_stream_create(false);
    struct heard h;
    heard_begin(&h);
    anthropic_stream_event(s, STR("error"), STR("{}"), hear, &h);
    cr_assert_eq(h.errors, 1);
    heard_end(&h);
    anthropic_stream_free(s);
    anthropic_stream_free(NULL);
}

Test(anthropic_stream, a_head_that_is_too_long_is_left_out)
{
    struct anthropic_stream *s = anthropic_stream_create(false);
    struct heard h;
    char event[4096];
    snprintf(event, sizeof(event),
             "{\"type\":\"message_start\",\"message\":{\"model\":\"%03000d\"}}", 1);
    heard_begin(&h);
    anthropic_stream_event(s, STR(""), str_from(event), hear, &h);
    cr_assert_eq(h.chunks, 1);
    cr_assert_lt(h.transcript.len, 512);
    heard_end(&h);
    anthropic_stream_free(s);
}
