/* Whole messages as chat completions. */
#include "messages_testing.h"

#include "dialect/openai.h"

#define MESSAGE(content, stop, usage)                                                              \
    "{'id':'msg_1','type':'message','role':'assistant','model':'c','content':[" content            \
    "],'stop_reason':" stop ",'stop_sequence':null" usage "}"

/* What follows "choices": `created` is the time of day. */
static void expect_answer(const char *message, const char *want)
{
    struct buf out;
    struct error err = {0};
    struct openai_reply reply;
    buf_init(&out, TEXT_TEST_BYTES_MAX);
    cr_assert_eq(anthropic_answer_to_chat(str_from(q(message)), &out, &err), OK, "%s: %s", message,
                 err.text);
    cr_assert_eq(openai_reply_read(buf_str(&out), &reply, &err), OK, "%s", err.text);
    cr_assert(json_string_equal(json_get(reply.root, "object"), STR("chat.completion")));
    cr_assert(json_string_equal(json_get(reply.root, "id"), STR("msg_1")));
    cr_assert(json_string_equal(json_get(reply.root, "model"), STR("c")));
    int64_t created = 0;
    cr_assert_eq(json_to_int64(json_get(reply.root, "created"), &created), OK);
    cr_assert_gt(created, 1700000000);
    size_t at = str_find(buf_str(&out), str_from(q("'choices':")), 0);
    cr_assert_neq(at, SIZE_MAX);
    expect_text(str_slice(buf_str(&out), at, out.len), q(want));
    buf_done(&out);
}

#define CHOICE(message, finish)                                                                    \
    "'choices':[{'index':0,'message':{'role':'assistant'," message                                 \
    "},'logprobs':null,'finish_reason':'" finish "'}]"
#define USAGE ",'usage':{'input_tokens':10,'output_tokens':3}"
#define CHAT_USAGE                                                                                 \
    ",'usage':{'prompt_tokens':10,'completion_tokens':3,'total_tokens':13,"                        \
    "'prompt_tokens_details':{'cached_tokens':0,'cache_creation_tokens':0}}}"

Test(anthropic_answer, texts_are_joined_with_their_escapes)
{
    expect_answer(MESSAGE("{'type':'text','text':'a\\u00e9'},{'type':'text','text':'\\n\\'b'}",
                          "'end_turn'", USAGE),
                  CHOICE("'content':'a\\u00e9\\n\\'b'", "stop") CHAT_USAGE);
    expect_answer(MESSAGE("", "'end_turn'", USAGE), CHOICE("'content':''", "stop") CHAT_USAGE);
}

Test(anthropic_answer, tool_calls_and_thinking)
{
    expect_answer(
        MESSAGE("{'type':'thinking','thinking':'h','signature':'s'},"
                "{'type':'redacted_thinking','data':'x'},"
                "{'type':'tool_use','id':'t1','name':'f','input':{'n': 1.50, 's':'\\n'}},"
                "{'type':'tool_use','id':'t2','name':'g','input':{}}",
                "'tool_use'", USAGE),
        CHOICE("'reasoning_content':'h','thinking_blocks':[{'type':'thinking','thinking':'h',"
               "'signature':'s'},{'type':'redacted_thinking','data':'x'}],'tool_calls':["
               "{'id':'t1','type':'function','function':{'name':'f','arguments':"
               "'{\\'n\\': 1.50, \\'s\\':\\'\\\\n\\'}'}},"
               "{'id':'t2','type':'function','function':{'name':'g','arguments':'{}'}}],"
               "'content':null",
               "tool_calls") CHAT_USAGE);
}

Test(anthropic_answer, every_stop_reason)
{
    static const char *const pairs[][2] = {
        {"'end_turn'", "stop"},       {"'stop_sequence'", "stop"},
        {"'max_tokens'", "length"},   {"'model_context_window_exceeded'", "length"},
        {"'tool_use'", "tool_calls"}, {"'refusal'", "content_filter"},
        {"'pause_turn'", "stop"},     {"'server_error'", "error"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char message[512], want[512];
        snprintf(message, sizeof(message), MESSAGE("", "%s", USAGE), pairs[i][0]);
        snprintf(want, sizeof(want), CHOICE("'content':''", "%s") CHAT_USAGE, pairs[i][1]);
        expect_answer(message, want);
    }
}

/* The call takes an answer that neither says anything nor gives a reason for none. */
Test(anthropic_answer, nothing_and_no_reason_for_it)
{
    expect_answer(MESSAGE("", "null", USAGE),
                  "'choices':[{'index':0,'message':{'role':'assistant','content':''},"
                  "'logprobs':null,'finish_reason':null}]" CHAT_USAGE);
    expect_answer(MESSAGE("{'type':'text','text':'a'}", "null", USAGE),
                  CHOICE("'content':'a'", "stop") CHAT_USAGE);
}

Test(anthropic_answer, the_sequence_that_stopped_it)
{
    expect_answer("{'id':'msg_1','model':'c','content':[],'stop_reason':'stop_sequence',"
                  "'stop_sequence':'END','usage':{'input_tokens':10,'output_tokens':3}}",
                  "'choices':[{'index':0,'message':{'role':'assistant','content':''},"
                  "'logprobs':null,'finish_reason':'stop','stop_reason':'END'}]" CHAT_USAGE);
}

/* 100 new, 20 read, 3 written: 123 of input. */
Test(anthropic_answer, usage_counts_all_input)
{
    expect_answer(
        MESSAGE("", "'end_turn'",
                ",'usage':{'input_tokens':100,'cache_read_input_tokens':20,"
                "'cache_creation_input_tokens':3,'output_tokens':7,"
                "'output_tokens_details':{'thinking_tokens':5}}"),
        CHOICE("'content':''",
               "stop") ",'usage':{'prompt_tokens':123,"
                       "'completion_tokens':7,'total_tokens':130,'prompt_tokens_details':"
                       "{'cached_tokens':20,'cache_creation_tokens':3},'completion_tokens_details':"
                       "{'reasoning_tokens':5}}}");
}

Test(anthropic_answer, zero_is_zero_and_missing_is_missing)
{
    expect_answer(MESSAGE("", "'end_turn'", ",'usage':{'input_tokens':0,'output_tokens':0}"),
                  CHOICE("'content':''",
                         "stop") ",'usage':{'prompt_tokens':0,'completion_tokens'"
                                 ":0,'total_tokens':0,'prompt_tokens_details':{'cached_tokens':0,"
                                 "'cache_creation_tokens':0}}}");
    expect_answer(MESSAGE("", "'end_turn'", ""), CHOICE("'content':''", "stop") "}");
    expect_answer(MESSAGE("", "'end_turn'", ",'usage':{'input_tokens':5}"),
                  CHOICE("'content':''", "stop") "}");
}

/* Whoever pays should hear that a report is none, so it stays one that is none. */
Test(anthropic_answer, what_is_no_count_stays_none)
{
    expect_answer(MESSAGE("", "'end_turn'", ",'usage':{'input_tokens':-5,'output_tokens':1}"),
                  CHOICE("'content':''",
                         "stop") ",'usage':{'prompt_tokens':-1,'completion_tokens':1,"
                                 "'total_tokens':0,'prompt_tokens_details':{'cached_tokens':0,"
                                 "'cache_creation_tokens':0}}}");
}

Test(anthropic_answer, an_hour_in_the_cache_is_told_apart)
{
    expect_answer(
        MESSAGE("", "'end_turn'",
                ",'usage':{'input_tokens':1,'output_tokens':2,'cache_creation':"
                "{'ephemeral_5m_input_tokens':3,'ephemeral_1h_input_tokens':4}}"),
        CHOICE("'content':''",
               "stop") ",'usage':{'prompt_tokens':8,'completion_tokens':2,"
                       "'total_tokens':10,'prompt_tokens_details':{'cached_tokens':0,"
                       "'cache_creation_tokens':7,'cache_creation_token_details':"
                       "{'ephemeral_5m_input_tokens':3,'ephemeral_1h_input_tokens':4}}}}");
}

static void expect_none(const char *message, const char *text)
{
    struct buf out;
    struct error err = {0};
    buf_init(&out, TEXT_TEST_BYTES_MAX);
    buf_add_c(&out, "before");
    cr_assert_eq(anthropic_answer_to_chat(str_from(q(message)), &out, &err), ERR_UPSTREAM);
    cr_assert(strstr(err.text, text) != NULL, "%s", err.text);
    expect_text(buf_str(&out), "before");
    buf_done(&out);
}

Test(anthropic_answer, what_is_no_message)
{
    expect_none("{'type':'error','error':{'type':'overloaded_error','message':'full'}}", "full");
    expect_none("{'content':'x'}", "no message");
    expect_none("[]", "no message");
    expect_none("<html>", "not JSON");
}
