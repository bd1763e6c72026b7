/* Messages requests as chat requests: settings, what must be there, what is left to Anthropic. */
#include "dialect/messages_testing.h"
#include "front_testing.h"

#define ASK     "'model':'m','max_tokens':9," HI
#define TO_CHAT "{'model':'m'," HI ",'max_tokens':9"

static void expect_settings(const char *members, const char *want, const char *native_only)
{
    char body[2048], text[2048];
    snprintf(body, sizeof(body), "{%s%s}", ASK, members);
    snprintf(text, sizeof(text), "%s%s}", TO_CHAT, want);
    expect_chat_native(FRONT_MESSAGES, q(body), q(text), native_only);
}

Test(front_messages_request, settings)
{
    expect_settings("", "", NULL);
    expect_settings(",'temperature':0.70,'top_p':9e-1", ",'temperature':0.70,'top_p':9e-1", NULL);
    expect_settings(",'stop_sequences':['a','\\n']", ",'stop':['a','\\n']", NULL);
    expect_settings(",'stop_sequences':[]", "", NULL);
    expect_settings(",'stream':false", ",'stream':false", NULL);
    expect_settings(",'stream':true", ",'stream':true,'stream_options':{'include_usage':true}",
                    NULL);
    expect_settings(",'metadata':{'user_id':'u'}", ",'user':'u'", NULL);
    expect_settings(",'leeroo':{'plans':'none'}", ",'leeroo':{'plans':'none'}", NULL);
    expect_settings(",'seed':1", ",'seed':1", NULL);
    expect_settings(",'cache_control':{'type':'ephemeral'},'service_tier':'auto','speed':'fast'",
                    "", NULL);
    expect_settings(",'thinking':{'type':'disabled'},'top_k':null,'new':null", "", NULL);
}

Test(front_messages_request, output_config)
{
    expect_settings(",'output_config':{'effort':'high'}", ",'reasoning_effort':'high'", NULL);
    expect_settings(",'output_config':{'effort':'max'}", "", "this output_config.effort");
    expect_settings(",'output_config':{'task_budget':{}}", "", "task_budget");
    expect_settings(",'output_config':{'format':{'type':'json_schema','schema':{'a' :1}}}",
                    ",'response_format':{'type':'json_schema','json_schema':{'name':'output',"
                    "'strict':true,'schema':{'a' :1}}}",
                    NULL);
    expect_settings(",'output_format':{'type':'regex'}", "", "this output format");
}

Test(front_messages_request, what_is_left_to_anthropic)
{
    expect_settings(",'top_k':5", "", "top_k");
    expect_settings(",'thinking':{'type':'enabled','budget_tokens':1024}", "", "thinking");
    expect_settings(",'thinking':{'type':'adaptive'}", "", "thinking");
    expect_settings(",'mcp_servers':[{}],'container':'x'", "", "mcp_servers"); /* the first */
    expect_settings(",'context_management':{}", "", "context_management");
}

static void expect_words(const char *body, const char *param, const char *words)
{
    struct front_test t;
    struct str chat;
    front_test_begin(&t, FRONT_MESSAGES, q(body));
    cr_assert_eq(front_test_ask(&t, &chat), ERR_INPUT, "%s", body);
    if (param)
        cr_assert_str_eq(t.param, param);
    else
        cr_assert_null(t.param);
    cr_assert_str_eq(t.err.text, words);
    front_test_end(&t);
}

Test(front_messages_request, what_must_be_there_in_anthropics_words)
{
    expect_words("{'model':'m'," HI "}", "max_tokens", "max_tokens: Field required");
    expect_words("{'max_tokens':9," HI "}", "model", "model: Field required");
    expect_words("{'model':'m','max_tokens':9}", "messages", "messages: Field required");
    expect_words("{'model':'m','max_tokens':1.5," HI "}", "max_tokens",
                 "max_tokens: Input should be a valid integer");
    expect_words("{'model':'m','max_tokens':-1," HI "}", "max_tokens",
                 "max_tokens: Input should be greater than or equal to 0");
    expect_words("{'model':'m','max_tokens':9,'messages':'x'}", "messages",
                 "messages: Input should be a valid list");
    expect_words("{'model':'m','max_tokens':9,'messages':[]}", "messages",
                 "messages: at least one message is required");
    expect_words("{" ASK ",'stop_sequences':'a'}", "stop_sequences",
                 "stop_sequences: Input should be a valid list");
    expect_words("{" ASK ",'stream':1}", "stream", "stream: Input should be a valid boolean");
    expect_words("{" ASK ",'m\\u006fdel':'n'}", "model", "model: is given twice");
    expect_words("[]", NULL, "the request body must be a JSON object");
}

Test(front_messages_request, a_limit_of_zero_only_warms_a_cache)
{
    struct front_test t;
    struct front_chat chat = {0};
    front_test_begin(&t, FRONT_MESSAGES, q("{'model':'m','max_tokens':0," HI "}"));
    cr_assert_eq(front_request(FRONT_MESSAGES, t.context.request, t.a, &chat, &t.param, &t.err),
                 OK);
    cr_assert_str_eq(chat.native_only, "max_tokens 0");
    front_test_end(&t);
}

Test(front_messages_request, counting_needs_no_limit)
{
    struct front_test t;
    struct front_chat chat = {0};
    front_test_begin(&t, FRONT_MESSAGES, q("{'model':'m','system':'s'," HI "}"));
    cr_assert_eq(front_messages_count_request(t.context.request, t.a, &chat, &t.param, &t.err), OK);
    expect_text(chat.body, q("{'model':'m','messages':[{'role':'system','content':'s'},"
                             "{'role':'user','content':'hi'}]}"));
    front_test_end(&t);
}
