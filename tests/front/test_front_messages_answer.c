/* Whole chat completions as messages. */
#include "dialect/messages_testing.h"
#include "front_testing.h"

/* expert: of another dialect; "": none. */
static void expect_answer_of(const char *expert, const char *completion, const char *want)
{
    struct front_test t;
    front_test_begin(&t, FRONT_MESSAGES, "");
    t.context.input_tokens = 42;
    t.context.expert = str_from(expert);
    cr_assert_eq(front_answer(&t.context, str_from(q(completion)), &t.out, &t.err), OK, "%s: %s",
                 completion, t.err.text);
    expect_text(buf_str(&t.out), q(want));
    front_test_end(&t);
}

static void expect_answer(const char *completion, const char *want)
{
    expect_answer_of("", completion, want);
}

#define CHAT(message, choice, more)                                                                \
    "{'id':'chatcmpl-1','model':'c','choices':[{'index':0,'message':{" message "}" choice          \
    "}]" more "}"
#define USAGE ",'usage':{'prompt_tokens':10,'completion_tokens':3}"
#define TOLD                                                                                       \
    "'usage':{'input_tokens':10,'cache_creation_input_tokens':0,"                                  \
    "'cache_read_input_tokens':0,'output_tokens':3}"
#define MESSAGE(content, stop, sequence, usage)                                                    \
    "{'id':'msg_12','type':'message','role':'assistant','model':'c','content':[" content           \
    "],'stop_reason':'" stop "','stop_sequence':" sequence "," usage "}"
#define T(t) "{'type':'text','text':'" t "'}"

Test(front_messages_answer, texts)
{
    expect_answer(CHAT("'content':'a\\u00e9\\n'", ",'finish_reason':'stop'", USAGE),
                  MESSAGE(T("a\\u00e9\\n"), "end_turn", "null", TOLD));
    expect_answer(CHAT("'content':[{'type':'text','text':'a'},{'type':'x'}]", "", USAGE),
                  MESSAGE(T("a"), "end_turn", "null", TOLD));
    expect_answer(CHAT("'content':null,'refusal':'no'", ",'finish_reason':'content_filter'", USAGE),
                  MESSAGE(T("no"), "refusal", "null", TOLD));
    expect_answer(CHAT("'content':''", ",'finish_reason':'length'", USAGE),
                  MESSAGE("", "max_tokens", "null", TOLD));
}

Test(front_messages_answer, the_sequence_that_stopped_it)
{
    expect_answer(CHAT("'content':'a'", ",'finish_reason':'stop','stop_reason':'END'", USAGE),
                  MESSAGE(T("a"), "stop_sequence", "'END'", TOLD));
    expect_answer(CHAT("'content':'a'", ",'finish_reason':'stop','stop_reason':128009", USAGE),
                  MESSAGE(T("a"), "end_turn", "null", TOLD));
}

#define CALL(id, arguments)                                                                        \
    "{'id':'" id "','type':'function','function':{'name':'f','arguments':" arguments "}}"
#define USE(id, input) "{'type':'tool_use','id':'" id "','name':'f','input':" input "}"

Test(front_messages_answer, tool_calls)
{
    expect_answer(CHAT("'content':'t','tool_calls':[" CALL("a", "'{\\'n\\': 1.50}'") "," CALL(
                           "functions.f:1", "''") "," CALL("", "{'o':1}") "]",
                       ",'finish_reason':'stop'", USAGE),
                  MESSAGE(T("t") "," USE("a", "{'n': 1.50}") "," USE("functions_f_1", "{}") "," USE(
                              "toolu_12_2", "{'o':1}"),
                          "tool_use", "null", TOLD));
}

Test(front_messages_answer, arguments_that_are_no_object_are_handed_on)
{
    expect_answer(
        CHAT("'tool_calls':[" CALL("a", "'{\\'n\\':'") "]", ",'finish_reason':'length'", USAGE),
        MESSAGE(USE("a", "{'invalid_json':'{\\'n\\':'}"), "max_tokens", "null", TOLD));
}

Test(front_messages_answer, reasoning)
{
    static const char want[] = MESSAGE("{'type':'thinking','thinking':'h','signature':''}," T("a"),
                                       "end_turn", "null", TOLD);
    expect_answer(CHAT("'reasoning_content':'h','content':'a'", "", USAGE), want);
    expect_answer(CHAT("'reasoning':'h','content':'a'", "", USAGE), want);
    expect_answer(CHAT("'reasoning_content':'h','thinking_blocks':[{'type':'thinking','thinking':"
                       "'h','signature':'s'}],'content':'a'",
                       "", USAGE),
                  MESSAGE("{'type':'thinking','thinking':'h','signature':'s'}," T("a"), "end_turn",
                          "null", TOLD));
}

Test(front_messages_answer, reasoning_is_signed_with_where_it_came_from)
{
    expect_answer_of(
        "ada", CHAT("'reasoning_content':'h','content':'a'", "", USAGE),
        MESSAGE("{'type':'thinking','thinking':'h','signature':'leeroo:3:ada'}," T("a"), "end_turn",
                "null", TOLD));
    expect_answer_of("ada", CHAT("'reasoning':'h','content':'a'", "", USAGE),
                     MESSAGE("{'type':'thinking','thinking':'h','signature':"
                             "'leeroo:3:ada.reasoning'}," T("a"),
                             "end_turn", "null", TOLD));
    expect_answer_of("ada",
                     CHAT("'thinking_blocks':[{'type':'thinking','thinking':'h','signature':'s'},"
                          "{'type':'redacted_thinking','data':'d'}],'content':'a'",
                          "", USAGE),
                     MESSAGE("{'type':'thinking','thinking':'h','signature':'leeroo:3:adas'},"
                             "{'type':'redacted_thinking','data':'leeroo:3:adad'}," T("a"),
                             "end_turn", "null", TOLD));
}

/* q() makes quotes of these; inside of texts they are escaped. */
Test(front_messages_answer, what_an_expert_wants_back_is_carried_in_a_block)
{
    expect_answer_of(
        "ada",
        CHAT("'content':'a','reasoning_details':[{'type':'reasoning.text', 'text':1}]", "", USAGE),
        MESSAGE(T("a") ",{'type':'redacted_thinking','data':'leeroo:3:ada"
                       "{\\'reasoning_details\\':[{\\'type\\':"
                       "\\'reasoning.text\\',\\'text\\':1}]}'}",
                "end_turn", "null", TOLD));
}

Test(front_messages_answer, usage)
{
    expect_answer(CHAT("'content':''", "",
                       ",'usage':{'prompt_tokens':123,'completion_tokens':7,"
                       "'prompt_tokens_details':{'cached_tokens':20,'cache_creation_tokens':3},"
                       "'completion_tokens_details':{'reasoning_tokens':5}}"),
                  MESSAGE("", "end_turn", "null",
                          "'usage':{'input_tokens':100,'cache_creation_input_tokens':3,"
                          "'cache_read_input_tokens':20,'output_tokens':7,"
                          "'output_tokens_details':{'thinking_tokens':5}}"));
    expect_answer(CHAT("'content':'12345678'", "", ""), /* estimated: two tokens */
                  MESSAGE(T("12345678"), "end_turn", "null",
                          "'usage':{'input_tokens':42,'output_tokens':2}"));
}

Test(front_messages_answer, ids_and_what_we_add)
{
    expect_answer("{'id':'msg_01','model':'c','choices':[{'message':{'content':'a'}}]" USAGE
                  ",'leeroo':{'plan':'x'}}",
                  "{'id':'msg_01','type':'message','role':'assistant','model':'c','content':[" T(
                      "a") "],'stop_reason':'end_turn','stop_sequence':null," TOLD
                           ",'leeroo':{'plan':'x'}}");
}

Test(front_messages_answer, what_is_no_completion)
{
    static const char *const rows[] = {"[]", "x", "{'error':{'message':'m'}}", "{'choices':[]}",
                                       "{'choices':[{'text':'x'}]}"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct front_test t;
        front_test_begin(&t, FRONT_MESSAGES, "");
        buf_add_c(&t.out, "before");
        cr_assert_eq(front_answer(&t.context, str_from(q(rows[i])), &t.out, &t.err), ERR_UPSTREAM);
        expect_text(buf_str(&t.out), "before");
        front_test_end(&t);
    }
}

/* A message by way of chat is the message. */
Test(front_messages_answer, there_and_back)
{
    static const char message[] =
        "{'id':'msg_01','type':'message','role':'assistant','model':'c','content':["
        "{'type':'thinking','thinking':'h\\n','signature':'s=='}," T("a\\u00e9") "," USE(
            "toolu_1", "{'n': 1.50, 's':'\\n'}") "],'stop_reason':'tool_use','stop_sequence':null,"
                                                 "'usage':{'input_tokens':10,'cache_creation_input_"
                                                 "tokens':3,'cache_read_input_tokens':5,"
                                                 "'output_tokens':7}}";
    struct front_test t;
    struct buf chat;
    front_test_begin(&t, FRONT_MESSAGES, "");
    buf_init(&chat, FRONT_TEST_BYTES_MAX);
    cr_assert_eq(anthropic_answer_to_chat(str_from(q(message)), &chat, &t.err), OK);
    cr_assert_eq(front_answer(&t.context, buf_str(&chat), &t.out, &t.err), OK);
    expect_text(buf_str(&t.out), q(message));
    buf_done(&chat);
    front_test_end(&t);
}
