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

Test(front_messages_tools, tools_of_anthropics_own)
{
    expect_tools("'tools':[{'type':'web_search_20250305','name':'web_search'}]", "",
                 "server tools");
    expect_tools("'tools':[" TOOL ",{'type':'bash_20250124','name':'bash'}],'tool_choice':"
                 "{'type':'auto'}",
                 ",'tools':[" FUNCTION "],'tool_choice':'auto'", "server tools");
    expect_tools("'tools':[{'name':'f','input_schema':{'type':'object','x': 1.0},"
                 "'input_examples':[{}]}]",
                 ",'tools':[" FUNCTION "]", "input_examples");
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
