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
    BECOME(SAY("system", "s") "," SAY("developer", "d") "," SAY("user", "a"),
           "'system':[" T("s") "," T("d") "],'messages':[" U(T("a")) "]");
    BECOME(SAY("system", "") "," SAY("user", "a"), "'messages':[" U(T("a")) "]");
    BECOME("{'role':'system','content':[{'type':'text','text':'s','cache_control':"
           "{'type':'ephemeral'}}]}," SAY("user", "a"),
           "'system':[{'type':'text','text':'s','cache_control':{'type':'ephemeral'}}],"
           "'messages':[" U(T("a")) "]");
}

#define URL(url)       "{'type':'image_url','image_url':{'url':'" url "'}}"
#define REMINDER(text) T("<system-reminder>\\n" text "\\n</system-reminder>")

Test(anthropic_messages, system_texts_amid_the_conversation_stay_at_their_place)
{
    BECOME(
        SAY("system", "s") "," SAY("user", "a") "," SAY("developer", "d") "," SAY("assistant", "b"),
        "'system':[" T("s") "],'messages':[" U(T("a") "," REMINDER("d")) "," A(T("b")) "]");
    BECOME(
        SAY("user", "a") ",{'role':'system','content':[" T("c") "," T("d") "]}," SAY("system", ""),
        "'messages':[" U(T("a") "," REMINDER("c\\nd")) "]");
}

Test(anthropic_messages, images_of_system_amid_the_conversation)
{
    BECOME(SAY("user", "a") ",{'role':'system','content':[" T("s") "," URL("https://x") "]}",
           "'messages':[" U(T("a") "," REMINDER(
               "s") ",{'type':'image','source':{'type':'url','url':'https://x'}}") "]");
}

Test(anthropic_messages, empty_contents_are_no_blocks)
{
    BECOME(SAY("user", "") "," SAY("user", "a") "," SAY(
               "assistant", "") ",{'role':'assistant','content':null},{'role':"
                                "'user','content':[" T("") "," T("b") "]}",
           "'messages':[" U(T("a") "," T("b")) "]");
    BECOME(SAY("system", "\\n") "," SAY("user", "a") "," SAY("assistant", " \\r\\n\\t") "," U(
               T(" ") "," T(" b\\n")),
           "'messages':[" U(T("a") "," T(" b\\n")) "]");
}

Test(anthropic_messages, escapes_stay_as_they_are)
{
    BECOME(SAY("user", "\\u00e9\\ud83d\\ude00\\n\\/"),
           "'messages':[" U(T("\\u00e9\\ud83d\\ude00\\n\\/")) "]");
}

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
#define RESULT(id)     "{'role':'tool','tool_call_id':'" id "','content':'r'}"
#define GAVE(id)       "{'type':'tool_result','tool_use_id':'" id "','content':'r'}"
#define CALLS(calls)   "{'role':'assistant','tool_calls':[" calls "]}"

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

Test(anthropic_messages, results_come_before_what_system_says)
{
    BECOME(SAY("user", "a") "," CALLS(CALL("x", "{}") "," CALL("y", "{}")) "," SAY(
               "system", "s") "," RESULT("x") "," SAY("system", "t") "," RESULT("y"),
           "'messages':[" U(T("a")) "," A(USE("x", "{}") "," USE("y", "{}")) "," U(
               GAVE("x") "," GAVE("y") "," REMINDER("s") "," REMINDER("t")) "]");
}

Test(anthropic_messages, arguments_that_are_no_object_are_told_as_such)
{
    BECOME(SAY("user", "a") "," CALLS(
               CALL("x", "[1]") "," CALL("y", "{\\'a\\':") "," CALL("z", "{\\'a\\':NaN}")),
           "'messages':[" U(T("a")) "," A(USE("x", "{'invalid_json':'[1]'}") "," USE(
               "y", "{'invalid_json':'{\\'a\\':'}") "," USE("z", "{'invalid_json':"
                                                                 "'{\\'a\\':NaN}'}")) "]");
}

Test(anthropic_messages, thinking_by_way_of_another_expert_stays_here)
{
    BECOME(SAY("user", "a") ",{'role':'assistant','content':'t','reasoning_origin':'ada',"
                            "'thinking_blocks':[{'type':'thinking','thinking':'h','signature':"
                            "'s'}]}",
           "'messages':[" U(T("a")) "," A(T("t")) "]");
}

Test(anthropic_messages, cache_control_of_a_message)
{
    BECOME("{'role':'user','content':'a','cache_control':{'type':'ephemeral','ttl':'1h'}}",
           "'messages':[" U("{'type':'text','text':'a','cache_control':{'type':'ephemeral',"
                            "'ttl':'1h'}}") "]");
}

Test(anthropic_messages, pieces_of_signed_thinking_are_one_block)
{
    BECOME(SAY("user", "a") ",{'role':'assistant','content':'t',"
                            "'thinking_blocks':[{'type':'thinking','thinking':'h','signature':''},"
                            "{'type':'thinking','thinking':'i'},"
                            "{'type':'thinking','thinking':'','signature':'s','index':0},"
                            "{'type':'redacted_thinking','data':'x'}]}," SAY("user", "b"),
           "'messages':[" U(T("a")) "," A(
               "{'type':'thinking','thinking':'hi','signature':'s'},"
               "{'type':'redacted_thinking','data':'x'}," T("t")) "," U(T("b")) "]");
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

static void expect_lack(const char *messages, const char *lack)
{
    struct expert_test t;
    char chat[1024];
    snprintf(chat, sizeof(chat), "{'model':'m','messages':[%s]}", messages);
    expert_test_begin(&t, q(chat));
    cr_assert_str_eq(anthropic_lacks(&t.r), lack);
    cr_assert_neq(anthropic_request_write(&t.r, STR("c"), 0, 0, t.a, &t.out, &t.err), OK);
    cr_assert_eq(t.out.len, 0);
    expert_test_end(&t);
}

/* It is known while experts are chosen. */
Test(anthropic_messages, what_cannot_be_said)
{
    expect_lack(CALLS(CALL("", "{}")), "tool calls without an id or a function's name");
    expect_lack("{'role':'tool','content':'x'}", "a tool's answer without tool_call_id");
    expect_lack(U(URL("data:image/png,AA")), "data URLs that are not in base64");
    expect_lack(U("{'type':'image_url'}"), "images without a URL");
    expect_lack("{'role':'system','content':[" URL("https://x") "]}",
                "a system text with images or files");
    expect_lack(SAY("user", ""), "a conversation that says nothing");
    expect_lack(SAY("user", " \\n"), "a conversation that says nothing");
    expect_lack(SAY("system", "s") "," U(T("")), "a conversation that says nothing");
}

/* Of servers that begin anew in every turn or have one for two calls, and where bytes that are replaced differ. */
Test(anthropic_messages, each_call_has_an_id_of_its_own)
{
    BECOME(SAY("user", "a") "," CALLS(CALL("x", "{}")) "," RESULT("x") "," CALLS(
               CALL("x", "{}") "," CALL("x", "{}")) "," RESULT("x") "," RESULT("x"),
           "'messages':[" U(T("a")) "," A(USE("x", "{}")) "," U(GAVE("x")) "," A(
               USE("x_2", "{}") "," USE("x_3", "{}")) "," U(GAVE("x_2") "," GAVE("x_3")) "]");
    BECOME(SAY("user", "a") "," CALLS(CALL("c.1", "{}") "," CALL("c:1", "{}")) "," RESULT(
               "c.1") "," RESULT("c:1"),
           "'messages':[" U(T("a")) "," A(USE("c_1", "{}") "," USE("c_1_2", "{}")) "," U(
               GAVE("c_1") "," GAVE("c_1_2")) "]");
    BECOME(SAY("user", "a") "," CALLS(CALL("x", "{}")) "," SAY("user", "b") "," CALLS(
               CALL("x", "{}")) "," RESULT("x"),
           "'messages':[" U(T("a")) "," A(USE("x", "{}")) "," U(T("b")) "," A(
               USE("x_2", "{}")) "," U(GAVE("x_2")) "]");
}

Test(anthropic_messages, many_ids_are_told_apart)
{
    char messages[16384] = "", want[16384] = "";
    for (int i = 0; i < 80; i++) {
        size_t at = strlen(messages), to = strlen(want);
        snprintf(messages + at, sizeof(messages) - at, "%s" CALL("i%d", "{}"), i ? "," : "", i / 2);
        snprintf(want + to, sizeof(want) - to, "%s{'type':'tool_use','id':'i%d%s'", i ? "," : "",
                 i / 2, i % 2 ? "_2" : "");
        snprintf(want + strlen(want), sizeof(want) - strlen(want), ",'name':'f','input':{}}");
    }
    char *request = NULL, *answer = NULL;
    cr_assert(asprintf(&request, "'messages':[" SAY("user", "a") "," CALLS("%s") "]", messages) >
              0);
    cr_assert(asprintf(&answer, "'max_tokens':50,'messages':[" U(T("a")) "," A("%s") "]", want) >
              0);
    expect_request(request, 0, answer);
    free(request);
    free(answer);
}
