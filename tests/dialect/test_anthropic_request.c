/* Chat requests as Messages requests: settings and tools. */
#include "messages_testing.h"

#define BECOMES(members, want) expect_request(members "," HI, 0, "'max_tokens':50," HI_SAID want)

Test(anthropic_request, the_smallest)
{
    BECOMES("'n':1", "");
    BECOMES("'stream':false,'stream_options':null,'store':true,'metadata':{'a':'b'}", "");
    BECOMES("'stream':true,'stream_options':{'include_usage':true}", ",'stream':true");
}

Test(anthropic_request, limits)
{
    expect_request("'max_tokens':70," HI, 0, "'max_tokens':70," HI_SAID);
    expect_request("'max_completion_tokens':70," HI, 60, "'max_tokens':60," HI_SAID);
    expect_request("'max_tokens':40," HI, 60, "'max_tokens':40," HI_SAID);
    expect_request(HI, 20, "'max_tokens':20," HI_SAID);
}

Test(anthropic_request, there_is_always_a_limit)
{
    struct expert_test t;
    expert_test_begin(&t, q("{'model':'m'," HI "}"));
    cr_assert_eq(anthropic_request_write(&t.r, STR("c"), 0, 0, t.a, &t.out, &t.err), OK);
    cr_assert(str_find(buf_str(&t.out), str_from(q("'max_tokens':4096,")), 0) != SIZE_MAX);
    expert_test_end(&t);
}

Test(anthropic_request, sampling)
{
    BECOMES("'temperature':0.70,'top_p':9e-1,'top_k':5",
            ",'temperature':0.70,'top_p':9e-1,'top_k':5");
    BECOMES("'temperature':0", ",'temperature':0");
    BECOMES("'temperature':1.0,'top_p':1", ""); /* the default of both */
    BECOMES("'temperature':null,'seed':null,'logprobs':null", "");
}

Test(anthropic_request, stops)
{
    BECOMES("'stop':'a\\n'", ",'stop_sequences':['a\\n']");
    BECOMES("'stop':['a','','\\u0062']", ",'stop_sequences':['a','\\u0062']");
    BECOMES("'stop':[]", "");
    BECOMES("'stop':''", "");
    BECOMES("'stop':null", "");
}

Test(anthropic_request, the_user)
{
    BECOMES("'user':'u\\u0020'", ",'metadata':{'user_id':'u\\u0020'}");
    BECOMES("'user':'u','safety_identifier':'s'", ",'metadata':{'user_id':'s'}");
}

Test(anthropic_request, effort_and_format)
{
    BECOMES("'reasoning_effort':'high'", ",'output_config':{'effort':'high'}");
    BECOMES("'reasoning_effort':'minimal'", ",'output_config':{'effort':'low'}");
    BECOMES("'reasoning_effort':'none'", ",'thinking':{'type':'disabled'}");
    BECOMES("'thinking':{'type':'enabled','budget_tokens':1024}",
            ",'thinking':{'type':'enabled','budget_tokens':1024}");
    BECOMES("'response_format':{'type':'text'}", "");
    BECOMES("'response_format':{'type':'json_schema','json_schema':{'name':'n','strict':true,"
            "'schema':{'type' : 'object'}}},'reasoning_effort':'low'",
            ",'output_config':{'effort':'low','format':{'type':'json_schema','schema':"
            "{'type' : 'object'}}}");
}

#define F(members) "{'type':'function','function':{" members "}}"
#define TOOL       "{'name':'f','input_schema':{'type':'object','properties':{}}}"

Test(anthropic_request, tools)
{
    BECOMES("'tools':[]", "");
    BECOMES("'tools':[" F("'name':'f'") "]", ",'tools':[" TOOL "]");
    BECOMES("'tools':[" F("'name':'f','description':'d','parameters':{'type':'object','x':1.0},"
                          "'strict':true,'cache_control':{'type':'ephemeral'}") "]",
            ",'tools':[{'name':'f','description':'d','input_schema':{'type':'object','x':1.0},"
            "'strict':true,'cache_control':{'type':'ephemeral'}}]");
    BECOMES("'tools':[" F("'name':'f','parameters':{'properties':{'a':{}}}") "," F(
                "'name':'g','parameters':{},'strict':false") "]",
            ",'tools':[{'name':'f','input_schema':{'type':'object','properties':{'a':{}}}},"
            "{'name':'g','input_schema':{'type':'object','properties':{}}}]");
}

Test(anthropic_request, choices_of_tools)
{
    static const char *const pairs[][2] = {
        {"'tool_choice':'auto'", ",'tool_choice':{'type':'auto'}"},
        {"'tool_choice':'none'", ",'tool_choice':{'type':'none'}"},
        {"'tool_choice':'required'", ",'tool_choice':{'type':'any'}"},
        {"'tool_choice':{'type':'function','function':{'name':'f'}}",
         ",'tool_choice':{'type':'tool','name':'f'}"},
        {"'parallel_tool_calls':false",
         ",'tool_choice':{'type':'auto','disable_parallel_tool_use':true}"},
        {"'parallel_tool_calls':true", ""},
        {"'tool_choice':'none','parallel_tool_calls':false", ",'tool_choice':{'type':'none'}"},
        {"'tool_choice':'required','parallel_tool_calls':false",
         ",'tool_choice':{'type':'any','disable_parallel_tool_use':true}"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char chat[512], want[512];
        snprintf(chat, sizeof(chat), "%s,'tools':[%s],%s", pairs[i][0], F("'name':'f'"), HI);
        snprintf(want, sizeof(want), "'max_tokens':50,%s,'tools':[%s]%s", HI_SAID, TOOL,
                 pairs[i][1]);
        expect_request(chat, 0, want);
    }
    BECOMES("'tool_choice':'auto'", ""); /* of nothing */
}

static void expect_failure(const char *chat, enum status want, const char *text)
{
    struct expert_test t;
    expert_test_begin(&t, q(chat));
    buf_add_c(&t.out, "before");
    cr_assert_eq(anthropic_request_write(&t.r, STR("c"), 0, 0, t.a, &t.out, &t.err), want);
    cr_assert(strstr(t.err.text, text) != NULL, "%s", t.err.text);
    expect_text(buf_str(&t.out), "before");
    expert_test_end(&t);
}

Test(anthropic_request, failures_leave_the_output)
{
    expect_failure("{'model':'m','seed':1," HI "}", ERR_UNSUPPORTED, "seed");
    expect_failure("{'model':'m','min_p':1," HI "}", ERR_UNSUPPORTED, "min_p");
    expect_failure("{'model':'m','tools':[" F("'description':'d'") "]," HI "}", ERR_UNSUPPORTED,
                   "name");
    expect_failure("{'model':'m','messages':[{'role':'user','content':''}]}", ERR_INPUT, "nothing");
    expect_failure("{'model':'m','messages':[{'role':'function','content':'x'}]}", ERR_UNSUPPORTED,
                   "role");
}
