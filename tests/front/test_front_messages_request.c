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
    expect_settings(",'output_config':{'format':{'type':'json_schema','schema':{'a' :1}}}",
                    ",'response_format':{'type':'json_schema','json_schema':{'name':'output',"
                    "'strict':true,'schema':{'a' :1}}}",
                    NULL);
    expect_settings(",'output_format':{'type':'regex'}", "", "this output format");
}

Test(front_messages_request, what_is_left_to_anthropic)
{
    expect_settings(",'inference_geo':'us'", "", "inference_geo");
}

/* effort: what is dropped where the expert knows none. */
static void expect_wishes(const char *members, const char *want, const char *dropped,
                          const char *effort)
{
    char body[1024], text[1024];
    snprintf(body, sizeof(body), "{" ASK "%s}", members);
    snprintf(text, sizeof(text), "{'model':'m'," HI "%s,'max_tokens':9}", want);
    expect_chat_dropped(FRONT_MESSAGES, q(body), q(text), dropped, effort);
}

Test(front_messages_request, wishes)
{
    expect_wishes(",'top_k':5", "", "top_k", "");
    expect_wishes(",'mcp_servers':[{}],'container':'x'", "", "mcp_servers,container", "");
    expect_wishes(",'mcp_servers':[],'container':null", "", "", "");
    expect_wishes(",'context_management':{'edits':[{'type':'clear_thinking_20251015'}]}", "",
                  "context_management", "");
    expect_wishes(",'some_new_thing':1", "", "some_new_thing", "");
    expect_wishes(",'output_config':{'task_budget':{}}", "", "output_config.task_budget", "");
    expect_wishes(",'service_tier':'auto','speed':'fast','betas':['x']", "", "", "");
}

Test(front_messages_request, effort)
{
    expect_wishes(",'thinking':{'type':'adaptive'}", "", "", "thinking");
    expect_wishes(",'thinking':{'type':'disabled'}", "", "", "");
    expect_wishes(",'thinking':{'type':'enabled','budget_tokens':1024}",
                  ",'reasoning_effort':'low'", "", "thinking");
    expect_wishes(",'thinking':{'type':'enabled','budget_tokens':4096}",
                  ",'reasoning_effort':'medium'", "", "thinking");
    expect_wishes(",'thinking':{'type':'enabled','budget_tokens':31999},'output_config':{'effort':"
                  "'medium'}",
                  ",'reasoning_effort':'medium'", "", "thinking,output_config.effort");
    expect_wishes(",'output_config':{'effort':'max'}", ",'reasoning_effort':'high'", "",
                  "output_config.effort");
    expect_wishes(",'output_config':{'effort':'heroic'}", "", "output_config.effort", "");
}

Test(front_messages_request, a_long_user_is_told_by_its_hash)
{
    char body[1024];
    struct front_test t;
    struct str chat;
    snprintf(body, sizeof(body), "{" ASK ",'metadata':{'user_id':'%080d'}}", 1);
    front_test_begin(&t, FRONT_MESSAGES, q(body));
    cr_assert_eq(front_test_ask(&t, &chat), OK);
    size_t at = str_find(chat, STR("\"user\":\""), 0);
    cr_assert_neq(at, SIZE_MAX);
    cr_assert_eq(chat.ptr[at + 8 + 16], '"');
    front_test_end(&t);
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
