/* A chat's messages as Anthropic's. */
#include "messages_testing.h"

#define BECOME(messages, want)                                                                     \
    expect_request("'messages':[" messages "]", 0, "'max_tokens':50," want)
#define U(blocks)    "{'role':'user','content':[" blocks "]}"
#define A(blocks)    "{'role':'assistant','content':[" blocks "]}"
#define T(text)      "{'type':'text','text':'" text "'}"
#define SAY(role, t) "{'role':'" role "','content':'" t "'}"

Test(anthropic_messages, roles_in_a_row_become_one_message)
{
    BECOME(SAY("user", "a") "," SAY("user", "b") "," SAY("assistant", "c") "," SAY("user", "d"),
           "'messages':[" U(T("a") "," T("b")) "," A(T("c")) "," U(T("d")) "]");
}

Test(anthropic_messages, system_texts_go_to_the_top)
{
    BECOME(SAY("system", "s") "," SAY("user", "a") "," SAY("developer", "d"),
           "'system':[" T("s") "," T("d") "],'messages':[" U(T("a")) "]");
    BECOME(SAY("system", "") "," SAY("user", "a"), "'messages':[" U(T("a")) "]");
    BECOME("{'role':'system','content':[{'type':'text','text':'s','cache_control':"
           "{'type':'ephemeral'}}]}," SAY("user", "a"),
           "'system':[{'type':'text','text':'s','cache_control':{'type':'ephemeral'}}],"
           "'messages':[" U(T("a")) "]");
}

Test(anthropic_messages, empty_contents_are_no_blocks)
{
    BECOME(SAY("user", "") "," SAY("user", "a") "," SAY(
               "assistant", "") ",{'role':'assistant','content':null},{'role':"
                                "'user','content':[" T("") "," T("b") "]}",
           "'messages':[" U(T("a") "," T("b")) "]");
}

Test(anthropic_messages, escapes_stay_as_they_are)
{
    BECOME(SAY("user", "\\u00e9\\ud83d\\ude00\\n\\/"),
           "'messages':[" U(T("\\u00e9\\ud83d\\ude00\\n\\/")) "]");
}

#define URL(url)   "{'type':'image_url','image_url':{'url':'" url "'}}"
#define DATA(m, d) "{'type':'image','source':{'type':'base64','media_type':'" m "','data':'" d "'}}"

Test(anthropic_messages, images)
{
    BECOME(U(URL("data:image/png;base64,AA+/=")), "'messages':[" U(DATA("image/png", "AA+/=")) "]");
    BECOME(U(URL("data:image\\/jpg;base64,AA")), "'messages':[" U(DATA("image/jpeg", "AA")) "]");
    BECOME(U(URL("data:image/png;name=x;base64,AA")),
           "'messages':[" U(DATA("image/png", "AA")) "]");
    BECOME(U("{'type':'image_url','image_url':'https://x/y'}"),
           "'messages':[" U("{'type':'image','source':{'type':'url','url':'https://x/y'}}") "]");
    BECOME(U("{'type':'file','file':{'file_data':'data:application/pdf;base64,AA'}}"),
           "'messages':[" U("{'type':'document','source':{'type':'base64','media_type':"
                            "'application/pdf','data':'AA'}}") "]");
}

#define CALL(id, arguments)                                                                        \
    "{'id':'" id "','type':'function','function':{'name':'f','arguments':'" arguments "'}}"
#define USE(id, input) "{'type':'tool_use','id':'" id "','name':'f','input':" input "}"

/* The double quotes inside arguments are escaped; q() makes them of '. */
Test(anthropic_messages, tool_calls)
{
    BECOME(SAY("user", "a") ",{'role':'assistant','content':'t','tool_calls':[" CALL(
               "x", "{\\'n\\': 1.50e0}") "," CALL("y", "") "," CALL("z", " ") "]}",
           "'messages':[" U(T("a")) "," A(
               T("t") "," USE("x", "{'n': 1.50e0}") "," USE("y", "{}") "," USE("z", "{}")) "]");
}

Test(anthropic_messages, what_tools_gave_back)
{
    BECOME(
        SAY("user", "a") ",{'role':'assistant','tool_calls':[" CALL(
            "functions.f:0", "{}") "]},"
                                   "{'role':'tool','tool_call_id':'functions.f:0','content':'r'},"
                                   "{'role':'tool','tool_call_id':'y','content':[" T("p") "," URL(
                                       "https://x") "]}," SAY("user", "b"),
        "'messages':[" U(T("a")) "," A(USE("functions_f_0", "{}")) "," U(
            "{'type':'tool_result','tool_use_id':'functions_f_0','content':'r'},"
            "{'type':'tool_result','tool_use_id':'y','content':[" T(
                "p") ",{'type':'image','source':{'type':'url','url':'https://x'}}]}," T("b")) "]");
}

Test(anthropic_messages, cache_control_of_a_message)
{
    BECOME("{'role':'user','content':'a','cache_control':{'type':'ephemeral','ttl':'1h'}}",
           "'messages':[" U("{'type':'text','text':'a','cache_control':{'type':'ephemeral',"
                            "'ttl':'1h'}}") "]");
}

Test(anthropic_messages, signed_thinking_goes_back)
{
    BECOME(SAY("user", "a") ",{'role':'assistant','content':'t','reasoning_content':'h',"
                            "'thinking_blocks':[{'type':'thinking','thinking':'h','signature':'s'},"
                            "{'type':'thinking','thinking':'i','signature':''},"
                            "{'type':'redacted_thinking','data':'x'}]}," SAY("user", "b"),
           "'messages':[" U(T("a")) "," A(
               "{'type':'thinking','thinking':'h','signature':'s'},"
               "{'type':'redacted_thinking','data':'x'}," T("t")) "," U(T("b")) "]");
}

static void expect_bad(const char *messages, const char *text)
{
    struct expert_test t;
    char chat[1024];
    snprintf(chat, sizeof(chat), "{'model':'m','messages':[%s]}", messages);
    expert_test_begin(&t, q(chat));
    cr_assert_eq(anthropic_request_write(&t.r, STR("c"), 0, 0, t.a, &t.out, &t.err), ERR_INPUT);
    cr_assert(strstr(t.err.text, text) != NULL, "%s", t.err.text);
    cr_assert_eq(t.out.len, 0);
    expert_test_end(&t);
}

Test(anthropic_messages, what_cannot_be_said)
{
    expect_bad("{'role':'assistant','tool_calls':[" CALL("x", "[1]") "]}", "no JSON object");
    expect_bad("{'role':'assistant','tool_calls':[" CALL("x", "{\\'a\\':") "]}", "no JSON object");
    expect_bad("{'role':'assistant','tool_calls':[" CALL("", "{}") "]}", "without an id");
    expect_bad("{'role':'tool','content':'x'}", "tool_call_id");
    expect_bad(U(URL("data:image/png,AA")), "base64");
    expect_bad(U("{'type':'image_url'}"), "without a URL");
    expect_bad("{'role':'system','content':[" URL("https://x") "]}", "system");
}
