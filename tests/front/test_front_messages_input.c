/* Conversations of Messages clients as chat's, and back again. */
#include "dialect/messages_testing.h"
#include "front_testing.h"

#include "dialect/openai_request.h"

static void expect_conversation(const char *members, const char *want, const char *native_only)
{
    char body[2048], text[2048];
    snprintf(body, sizeof(body), "{'model':'m','max_tokens':9,%s}", members);
    snprintf(text, sizeof(text), "{'model':'m','messages':[%s],'max_tokens':9}", want);
    expect_chat_native(FRONT_MESSAGES, q(body), q(text), native_only);
}

#define SAY(role, t)    "{'role':'" role "','content':'" t "'}"
#define BLOCKS(role, b) "{'role':'" role "','content':[" b "]}"
#define T(t)            "{'type':'text','text':'" t "'}"
#define USE(id, input)  "{'type':'tool_use','id':'" id "','name':'f','input':" input "}"
#define CALL(id, arguments)                                                                        \
    "{'id':'" id "','type':'function','function':{'name':'f','arguments':'" arguments "'}}"

Test(front_messages_input, texts)
{
    expect_conversation("'messages':[" SAY("user", "a\\u00e9\\n") "," SAY("assistant", "b") "," SAY(
                            "user", "c") "]",
                        SAY("user", "a\\u00e9\\n") "," SAY("assistant", "b") "," SAY("user", "c"),
                        NULL);
    expect_conversation("'messages':[" BLOCKS("user", T("a")) "," BLOCKS(
                            "assistant", T("b\\u00e9") "," T("\\n")) "," SAY("user", "c") "]",
                        SAY("user", "a") "," SAY("assistant", "b\\u00e9\\n") "," SAY("user", "c"),
                        NULL);
}

Test(front_messages_input, system_texts)
{
    expect_conversation("'system':'s','messages':[" SAY("user", "a") "]",
                        SAY("system", "s") "," SAY("user", "a"), NULL);
    expect_conversation("'system':[{'type':'text','text':'s','cache_control':{'type':'ephemeral'}}"
                        "],'messages':[" SAY("user", "a") "," SAY("system", "t") "]",
                        SAY("system", "s") "," SAY("user", "a") "," SAY("system", "t"), NULL);
    expect_conversation("'system':[" T("s") "," T("t") "],'messages':[" SAY("user", "a") "]",
                        BLOCKS("system", T("s") "," T("t")) "," SAY("user", "a"), NULL);
    expect_conversation("'system':'','messages':[" SAY("user", "a") "]", SAY("user", "a"), NULL);
    expect_conversation("'system':[" T("x-anthropic-billing-header: v=1;") "," T(
                            "s") "],'messages':[" SAY("user", "x-anthropic-billing-header: a") "]",
                        SAY("system", "s") "," SAY("user", "x-anthropic-billing-header: a"), NULL);
    expect_conversation("'system':[],'messages':[" SAY("user", "") "]", SAY("user", ""), NULL);
}

Test(front_messages_input, tools_round)
{
    expect_conversation(
        "'messages':[" SAY("user", "a") "," BLOCKS(
            "assistant",
            T("t") "," USE("x", "{'n': 1.50}") "," USE(
                "y",
                "{}")) "," BLOCKS("user",
                                  T("b") ",{'type':'tool_result','tool_use_id':'x','content':'r'},"
                                         "{'type':'tool_result','tool_use_id':'y'}") "]",
        SAY("user", "a") ",{'role':'assistant','content':'t','tool_calls':[" CALL(
            "x",
            "{\\'n\\': 1.50}") "," CALL("y",
                                        "{}") "]},"
                                              "{'role':'tool','tool_call_id':'x','content':'r'},"
                                              "{'role':'tool','tool_call_id':'y','content':''}"
                                              "," SAY("user", "b"),
        NULL);
    expect_conversation(
        "'messages':[" SAY("user", "a") "," BLOCKS("assistant", USE("x", "{}")) "," BLOCKS(
            "user", "{'type':'tool_result','tool_use_id':'x','content':[" T("p") "]}") "]",
        SAY("user", "a") ",{'role':'assistant','tool_calls':[" CALL(
            "x", "{}") "],'content':null},"
                       "{'role':'tool','tool_call_id':'x','content':'p'}",
        NULL);
}

#define THOUGHT(text, member, origin)                                                              \
    "{'role':'assistant','content':'" text "'," member ",'reasoning_origin':'" origin "'}"

Test(front_messages_input, thinking)
{
    expect_conversation("'messages':[" SAY("user", "a") "," BLOCKS(
                            "assistant", "{'type':'thinking','thinking':'h','signature':''}," T(
                                             "b")) "," SAY("user", "c") "]",
                        SAY("user", "a") "," SAY("assistant", "b") "," SAY("user", "c"), NULL);
    expect_conversation(
        "'messages':[" SAY("user", "a") "," BLOCKS(
            "assistant",
            "{'type':'thinking','thinking':'h','signature':'s'}," T("b")) "," SAY("user", "c") "]",
        SAY("user", "a") "," THOUGHT("b",
                                     "'thinking_blocks':[{'type':'thinking','thinking':'h',"
                                     "'signature':'s'}]",
                                     "") "," SAY("user", "c"),
        NULL);
    expect_conversation(
        "'messages':[" SAY("user", "a") "," BLOCKS(
            "assistant", "{'type':'redacted_thinking','data':'h'}") "," SAY("user", "c") "]",
        SAY("user", "a") "," THOUGHT("",
                                     "'thinking_blocks':[{'type':'redacted_thinking','data':"
                                     "'h'}]",
                                     "") "," SAY("user", "c"),
        NULL);
}

#define SIGNED(text, signature)                                                                    \
    "{'type':'thinking','thinking':'" text "','signature':'" signature "'}"

Test(front_messages_input, thinking_that_we_signed_goes_back_to_who_made_it)
{
    expect_conversation("'messages':[" BLOCKS("assistant", SIGNED("h", "leeroo:3:ada") "," SIGNED(
                                                               "i", "leeroo:3:ada") "," T("b")) "]",
                        THOUGHT("b", "'reasoning_content':'h\\ni'", "ada"),
                        "an answer to be continued (prefill)");
    expect_conversation(
        "'messages':[" BLOCKS("assistant", SIGNED("h", "leeroo:3:a\\/b.reasoning") "," SIGNED(
                                               "i", "leeroo:3:bob")) "," SAY("user", "c") "]",
        THOUGHT("", "'reasoning':'h'", "a/b") "," SAY("user", "c"), NULL);
    expect_conversation("'messages':[" BLOCKS(
                            "assistant",
                            SIGNED("h", "leeroo:3:adas==") "," SIGNED(
                                "i", "leeroo:3:adat") ",{'type':'redacted_thinking','data':"
                                                      "'leeroo:3:adau'}") "," SAY("user", "c") "]",
                        THOUGHT("",
                                "'thinking_blocks':[" SIGNED("h", "s==") "," SIGNED(
                                    "i", "t") ",{'type':'redacted_thinking','data':'u'}]",
                                "ada") "," SAY("user", "c"),
                        NULL);
}

#define CARRIED(inside) "{'type':'redacted_thinking','data':'leeroo:3:ada{" inside "}'}"

Test(front_messages_input, what_was_carried_goes_back_to_its_place)
{
    expect_conversation(
        "'messages':[" BLOCKS(
            "assistant",
            SIGNED("h", "leeroo:3:ada.reasoning") "," CARRIED(
                "\\'extra_content\\':{\\'x\\':1}") ","
                                                   "{'type':'tool_use','id':'t','"
                                                   "name':'f','input':{}},"
                                                   "{'type':'tool_use','id':'u','"
                                                   "name':'f','input':{}}"
                                                   "," CARRIED(
                                                       "\\'reasoning_"
                                                       "details\\':[1]") "," CARRIED("\\'reasoning_"
                                                                                     "details\\':["
                                                                                     "2]")) "," SAY("user",
                                                                                                    "c") "]",
        "{'role':'assistant','tool_calls':[{'id':'t','type':'function','function':{'name':'f',"
        "'arguments':'{}'},'extra_content':{'x':1}},{'id':'u','type':'function','function':{"
        "'name':'f','arguments':'{}'}}],'content':null,'reasoning':'h','reasoning_details':[1,2],"
        "'reasoning_origin':'ada'}," SAY("user", "c"),
        NULL);
}

Test(front_messages_input, what_is_left_to_anthropic)
{
    expect_conversation("'messages':[{'role':'user','content':'a'},"
                        "{'role':'assistant','content':'The answer is'}]",
                        "{'role':'user','content':'a'},"
                        "{'role':'assistant','content':'The answer is'}",
                        "an answer to be continued (prefill)");
    expect_conversation("'messages':[{'role':'assistant','content':[{'type':'server_tool_use',"
                        "'id':'x'},{'type':'web_search_tool_result'}]},"
                        "{'role':'user','content':'b'}]",
                        "{'role':'assistant','content':''},{'role':'user','content':'b'}", NULL);
    expect_conversation("'messages':[{'role':'assistant','content':[{'type':'new_one'}]},"
                        "{'role':'user','content':'b'}]",
                        "{'role':'assistant','content':''},{'role':'user','content':'b'}",
                        "new_one");
    expect_conversation("'messages':[{'role':'user','content':'a','weight':1}]",
                        "{'role':'user','content':'a'}", NULL);
}

static void expect_bad(const char *message)
{
    char body[512];
    snprintf(body, sizeof(body), "{'model':'m','max_tokens':9,'messages':[%s]}", message);
    expect_refused(FRONT_MESSAGES, q(body), ERR_INPUT, "messages");
}

Test(front_messages_input, what_is_refused)
{
    expect_bad("{'role':'tool','content':'x'}");
    expect_bad("'x'");
    expect_bad("{'role':'user'}");
    expect_bad("{'role':'assistant','content':1}");
    expect_bad("{'role':'assistant','content':[{'text':'x'}]}");
    expect_bad("{'role':'assistant','content':[{'type':'tool_use','name':'f'}]}");
    expect_bad("{'role':'user','content':[{'type':'tool_result','content':'x'}]}");
    expect_bad("{'role':'user','content':[{'type':'tool_result','tool_use_id':'x','content':1}]}");
}

/* A Messages request by way of chat is a Messages request that says the same. */
Test(front_messages_input, there_and_back)
{
    static const char body[] =
        "{'model':'c','max_tokens':9,'system':[{'type':'text','text':'s'},{'type':'text','text':"
        "'t'}],'messages':[{'role':'user','content':[{'type':'text','text':'a\\u00e9'},{'type':"
        "'image','source':{'type':'base64','media_type':'image/png','data':'AA=='}},{'type':"
        "'image','source':{'type':'url','url':'https://x'}}]},{'role':'assistant','content':["
        "{'type':'text','text':'b'},{'type':'tool_use','id':'x','name':'f','input':{'n': 1.50, "
        "'d':{'e':[]}}},{'type':'tool_use','id':'y','name':'f','input':{}}]},{'role':'user',"
        "'content':[{'type':'tool_result','tool_use_id':'x','content':'r'},{'type':'tool_result',"
        "'tool_use_id':'y','content':'s'},{'type':'text','text':'c'}]}],"
        "'tools':[{'name':'f','description':'d','input_schema':{'type':'object'},'strict':true}],"
        "'tool_choice':{'type':'tool','name':'f','disable_parallel_tool_use':true},"
        "'temperature':0.5,'stop_sequences':['e'],'output_config':{'effort':'low','format':"
        "{'type':'json_schema','schema':{'type':'object'}}},'metadata':{'user_id':'u'},"
        "'stream':true}";
    struct front_test t;
    struct expert_test e;
    struct str chat;
    front_test_begin(&t, FRONT_MESSAGES, q(body));
    cr_assert_eq(front_test_ask(&t, &chat), OK, "%s", t.err.text);
    expert_test_begin(&e, arena_copy(t.a, chat).ptr);
    cr_assert_eq(anthropic_request_write(&e.r, STR("c"), 0, 50, e.a, &e.out, &e.err), OK, "%s",
                 e.err.text);
    expect_text(buf_str(&e.out), q(body));
    expert_test_end(&e);
    front_test_end(&t);
}
