/* Content blocks of Messages clients as chat's content. */
#include "dialect/messages_testing.h"
#include "front_testing.h"

static void expect_content(const char *blocks, const char *want, const char *native_only)
{
    struct front_test t;
    struct front_chat chat = {0};
    char body[2048], text[2048];
    snprintf(body, sizeof(body),
             "{'model':'m','max_tokens':9,'messages':[{'role':'user','content':[%s]}]}", blocks);
    snprintf(text, sizeof(text), "{'model':'m','messages':[%s],'max_tokens':9}", want);
    front_test_begin(&t, FRONT_MESSAGES, q(body));
    cr_assert_eq(front_request(FRONT_MESSAGES, t.context.request, t.a, &chat, &t.param, &t.err), OK,
                 "%s: %s", body, t.err.text);
    expect_text(chat.body, q(text));
    cr_assert_eq(chat.native_only != NULL, native_only != NULL, "%s: %s", blocks, chat.native_only);
    if (native_only)
        cr_assert_str_eq(chat.native_only, native_only);
    front_test_end(&t);
}

#define U(content)    "{'role':'user','content':" content "}"
#define T(t)          "{'type':'text','text':'" t "'}"
#define SOURCE(s)     "{'type':'image','source':{" s "}}"
#define BASE64        "'type':'base64','media_type':'image/png','data':'AA\\/+'"
#define URL(u)        "{'type':'image_url','image_url':{'url':'" u "'}}"
#define RESULT(r)     "{'type':'tool_result','tool_use_id':'x'," r "}"
#define TOOL(content) "{'role':'tool','tool_call_id':'x','content':" content "}"

Test(front_messages_parts, texts)
{
    expect_content(T("a"), U("'a'"), NULL);
    expect_content(T("a") "," T("b"), U("[" T("a") "," T("b") "]"), NULL);
    expect_content("{'type':'text','text':'a','cache_control':{'type':'ephemeral'},'citations':[]}",
                   U("'a'"), NULL);
    expect_content("{'type':'text','text':'a','citations':[{}]}", U("'a'"), NULL);
    expect_content("{'type':'text','text':'a','tone':1}", U("[" T("a") "]"), NULL);
    expect_content("", U("''"), NULL);
}

Test(front_messages_parts, images)
{
    expect_content(SOURCE(BASE64) "," T("a"),
                   U("[" URL("data:image/png;base64,AA\\/+") "," T("a") "]"), NULL);
    expect_content(SOURCE("'type':'url','url':'https://x'"), U("[" URL("https://x") "]"), NULL);
    expect_content(SOURCE("'type':'file','file_id':'x'"), U("''"), "files");
}

Test(front_messages_parts, what_is_left_to_anthropic)
{
    expect_content("{'type':'document','source':{'type':'base64','media_type':'application/pdf',"
                   "'data':'d'}}," T("a"),
                   U("[" T("a") "]"), "documents");
    expect_content("{'type':'document','source':{'type':'text','media_type':'text/plain','data':"
                   "'d'},'citations':{'enabled':true}}",
                   U("[" T("d") "]"), "citations");
    expect_content("{'type':'container_upload'}", U("''"), "files");
    expect_content("{'type':'hologram'}", U("''"), "hologram");
}

Test(front_messages_parts, blocks_that_are_texts)
{
    expect_content("{'type':'document','source':{'type':'text','media_type':'text/plain','data':"
                   "'d'}}," T("a"),
                   U("[" T("d") "," T("a") "]"), NULL);
    expect_content(
        "{'type':'search_result','title':'t','source':'s','content':[" T("a") "," T("b") "]}",
        U("[" T("t\\ns\\na\\nb") "]"), NULL);
    expect_content(RESULT("'content':[{'type':'tool_reference','tool_name':'f'}]"),
                   TOOL("[" T("f") "]"), NULL);
}

Test(front_messages_parts, results_that_are_errors_say_so)
{
    expect_content(RESULT("'content':'r','is_error':true"), TOOL("'Error: r'"), NULL);
    expect_content(RESULT("'content':'Error 5','is_error':true"), TOOL("'Error 5'"), NULL);
    expect_content(RESULT("'content':'r','is_error':false"), TOOL("'r'"), NULL);
    expect_content(RESULT("'content':[" T("r") "],'is_error':true"), TOOL("'Error: r'"), NULL);
    expect_content(RESULT("'content':[" T("r") "," T("s") "],'is_error':true"),
                   TOOL("[" T("Error:") "," T("r") "," T("s") "]"), NULL);
    expect_content(RESULT("'is_error':true"), TOOL("'Error: '"), NULL);
}

Test(front_messages_parts, images_that_tools_give_back)
{
    expect_content(RESULT("'content':[" SOURCE(BASE64) "]"),
                   TOOL("[" URL("data:image/png;base64,AA\\/+") "]"), NULL);
}

#define REFUSED(blocks)                                                                            \
    expect_refused(                                                                                \
        FRONT_MESSAGES,                                                                            \
        q("{'model':'m','max_tokens':9,'messages':[{'role':'user','content':[" blocks "]}]}"),     \
        ERR_INPUT, "messages")

Test(front_messages_parts, what_is_refused)
{
    REFUSED("1");
    REFUSED("{'text':'x'}");
    REFUSED("{'type':'text','text':1}");
    REFUSED(SOURCE("'type':'base64','data':'x'"));
    REFUSED(SOURCE("'type':'url'"));
}
