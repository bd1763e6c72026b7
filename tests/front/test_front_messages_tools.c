/* Tools of Messages clients as chat's functions. */
#include "dialect/messages_testing.h"
#include "front_testing.h"

static void expect_tools(const char *members, const char *want, const char *native_only)
{
    char body[2048], text[2048];
    snprintf(body, sizeof(body), "{'model':'m','max_tokens':9,%s,%s}", HI, members);
    snprintf(text, sizeof(text), "{'model':'m',%s%s,'max_tokens':9}", HI, want);
    expect_chat_native(FRONT_MESSAGES, q(body), q(text), native_only);
}

#define TOOL "{'name':'f','input_schema':{'type':'object','x': 1.0}}"
#define FUNCTION                                                                                   \
    "{'type':'function','function':{'name':'f','parameters':{'type':'object','x': 1.0}}}"

Test(front_messages_tools, functions)
{
    expect_tools("'tools':[]", "", NULL);
    expect_tools("'tools':[" TOOL "]", ",'tools':[" FUNCTION "]", NULL);
    expect_tools("'tools':[{'type':'custom','name':'f','description':'d','strict':true,"
                 "'input_schema':{},'cache_control':{'type':'ephemeral'}}," TOOL "]",
                 ",'tools':[{'type':'function','function':{'name':'f','description':'d',"
                 "'parameters':{},'strict':true}}," FUNCTION "]",
                 NULL);
}

#define SEARCH "{'type':'web_search_20250305','name':'web_search','max_uses':8}"
#define CODE   "{'type':'code_execution_20260120','name':'code_execution'}"

static void expect_dropped(const char *members, const char *want, const char *dropped)
{
    char body[2048], text[2048];
    snprintf(body, sizeof(body), "{'model':'m','max_tokens':9,%s,%s}", HI, members);
    snprintf(text, sizeof(text), "{'model':'m',%s%s,'max_tokens':9}", HI, want);
    expect_chat_dropped(FRONT_MESSAGES, q(body), q(text), dropped, "");
}

Test(front_messages_tools, tools_of_anthropics_own)
{
    expect_dropped("'tools':[" SEARCH "]", "", "tools.web_search_20250305");
    expect_dropped("'tools':[" TOOL "," SEARCH "," CODE "],'tool_choice':{'type':'any'}",
                   ",'tools':[" FUNCTION "],'tool_choice':'required'",
                   "tools.web_search_20250305,tools.code_execution_20260120");
    expect_dropped("'tools':[" SEARCH "],'tool_choice':{'type':'auto'}", "",
                   "tools.web_search_20250305");
    expect_dropped("'tools':[{'name':'f','input_schema':{'type':'object','x': 1.0},"
                   "'input_examples':[{}],'defer_loading':true}]",
                   ",'tools':[" FUNCTION "]", "tools.input_examples");
}

Test(front_messages_tools, one_that_is_demanded_is_left_to_anthropic)
{
    expect_tools("'tools':[" SEARCH "],'tool_choice':{'type':'any'}", "", "web_search");
    expect_tools("'tools':[" TOOL "," SEARCH "],'tool_choice':{'type':'tool','name':'web_search'}",
                 ",'tools':[" FUNCTION "]", "web_search");
}

/* Where there is such an expert it is asked, without demand, too. */
Test(front_messages_tools, experts_that_have_it_are_asked_rather)
{
    struct front_test t;
    struct front_chat chat = {0};
    front_test_begin(&t, FRONT_MESSAGES,
                     q("{'model':'m','max_tokens':9," HI ",'tools':[" SEARCH "]}"));
    cr_assert_eq(front_request(FRONT_MESSAGES, t.context.request, t.a, &chat, &t.param, &t.err),
                 OK);
    cr_assert_str_eq(chat.native_rather, "web_search_20250305");
    front_test_end(&t);
}

Test(front_messages_tools, what_clients_run_themselves_are_functions)
{
    static const char *const names[] = {"bash_20250124", "text_editor_20250728", "memory_20250818",
                                        "computer_20251124"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct front_test t;
        struct front_chat chat = {0};
        struct json_value root;
        char body[512];
        snprintf(body, sizeof(body),
                 "{'model':'m','max_tokens':9," HI ",'tools':[{'type':'%s','name':'n'}]}",
                 names[i]);
        front_test_begin(&t, FRONT_MESSAGES, q(body));
        cr_assert_eq(front_request(FRONT_MESSAGES, t.context.request, t.a, &chat, &t.param, &t.err),
                     OK);
        cr_assert_null(chat.native_only);
        cr_assert_eq(dropped_text(&chat.dropped).len, 0);
        cr_assert_eq(json_parse(chat.body, "chat", 1, &root, &t.err), OK, "%s", t.err.text);
        cr_assert(str_find(chat.body, STR("\"name\":\"n\""), 0) != SIZE_MAX);
        front_test_end(&t);
    }
}

Test(front_messages_tools, choices)
{
    static const char *const pairs[][2] = {
        {"{'type':'auto'}", ",'tool_choice':'auto'"},
        {"{'type':'any'}", ",'tool_choice':'required'"},
        {"{'type':'none'}", ",'tool_choice':'none'"},
        {"{'type':'tool','name':'f'}",
         ",'tool_choice':{'type':'function','function':{'name':'f'}}"},
        {"{'type':'any','disable_parallel_tool_use':true}",
         ",'parallel_tool_calls':false,'tool_choice':'required'"},
        {"{'type':'auto','disable_parallel_tool_use':false}", ",'tool_choice':'auto'"},
        {"null", ""},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char members[512], want[512];
        snprintf(members, sizeof(members), "'tools':[%s],'tool_choice':%s", TOOL, pairs[i][0]);
        snprintf(want, sizeof(want), ",'tools':[%s]%s", FUNCTION, pairs[i][1]);
        expect_tools(members, want, NULL);
    }
}

#define REFUSED(members, param)                                                                    \
    expect_refused(FRONT_MESSAGES, q("{'model':'m','max_tokens':9," HI "," members "}"),           \
                   ERR_INPUT, param)

Test(front_messages_tools, what_is_refused)
{
    REFUSED("'tools':{}", "tools");
    REFUSED("'tools':[1]", "tools");
    REFUSED("'tools':[{'input_schema':{}}]", "tools.name");
    REFUSED("'tools':[{'name':'f'}]", "tools.input_schema");
    REFUSED("'tools':[" TOOL "],'tool_choice':{'type':'tool'}", "tool_choice");
    REFUSED("'tools':[" TOOL "],'tool_choice':'auto'", "tool_choice");
}
