/* What of a chat request Messages cannot say; what asks for nothing is no lack. */
#include "messages_testing.h"

static void expect_lack(const char *members, const char *want)
{
    struct expert_test t;
    char chat[1024];
    snprintf(chat, sizeof(chat), "{'model':'m',%s}", members);
    expert_test_begin(&t, q(chat));
    const char *lack = anthropic_lacks(&t.r);
    if (want)
        cr_assert(lack && strstr(lack, want), "%s: %s", members, lack ? lack : "nothing");
    else
        cr_assert_null(lack, "%s: %s", members, lack);
    enum status status = anthropic_request_write(&t.r, STR("c"), 0, 0, t.a, &t.out, &t.err);
    cr_assert_eq(status == OK, !want, "%s", members);
    expert_test_end(&t);
}

Test(anthropic_lacks, parameters)
{
    static const char *const rows[][3] = {
        /* a value that asks for it, what is lacking, a value that asks for nothing */
        {"'n':2", "n above 1", "'n':1"},
        {"'logprobs':true", "logprobs", "'logprobs':false"},
        {"'top_logprobs':3", "top_logprobs", "'top_logprobs':0"},
        {"'logit_bias':{'1':2}", "logit_bias", "'logit_bias':{}"},
        {"'seed':0", "seed", "'seed':null"},
        {"'presence_penalty':0.1", "presence_penalty", "'presence_penalty':0.0"},
        {"'frequency_penalty':-1", "frequency_penalty", "'frequency_penalty':0"},
        {"'temperature':1.1", "temperature above 1", "'temperature':1"},
        {"'temperature':'hot'", "temperature", "'temperature':0.5"},
        {"'modalities':['text','audio']", "modalities", "'modalities':['text']"},
        {"'audio':{'voice':'x'}", "audio", "'audio':null"},
        {"'web_search_options':{}", "web_search_options", "'web_search_options':null"},
        {"'functions':[{'name':'f'}]", "functions", "'functions':[]"},
        {"'function_call':{'name':'f'}", "function_call", "'function_call':'auto'"},
        {"'response_format':{'type':'json_object'}", "schema", "'response_format':{'type':'text'}"},
        {"'tools':[{'type':'custom','custom':{}}]", "no functions", "'tools':null"},
        {"'tool_choice':{'type':'allowed_tools'}", "tool_choice", "'tool_choice':'none'"},
        {"'stop':'\\n\\n'", "white space", "'stop':'x\\n'"},
        {"'stop':['a',' ']", "white space", "'stop':['a']"},
        {"'reasoning_effort':'huge'", "reasoning_effort", "'reasoning_effort':'max'"},
        {"'guided_regex':'x'", "unknown", "'guided_regex':null"},
    };
    char members[256];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(members, sizeof(members), "%s,%s", rows[i][0], HI);
        expect_lack(members, rows[i][1]);
        snprintf(members, sizeof(members), "%s,%s", rows[i][2], HI);
        expect_lack(members, NULL);
    }
}

Test(anthropic_lacks, messages)
{
    static const char *const rows[][2] = {
        {"{'role':'user','content':'x'}", NULL},
        {"{'role':'user','name':'bob','content':'x'}", "names"},
        {"{'role':'function','name':'f','content':'x'}", "role"},
        {"{'role':'system','content':'x'}", "system messages only"},
        {"{'role':'user','content':[{'type':'input_audio','input_audio':{}}]}", "audio"},
        {"{'role':'user','content':[{'type':'file','file':{'file_id':'x'}}]}", "files"},
        {"{'role':'user','content':[{'type':'file','file':{'file_data':'data:text/csv;base64,AA'}}"
         "]}",
         "PDF"},
        {"{'role':'user','content':[{'type':'video_url'}]}", "content parts"},
        {"{'role':'assistant','audio':{'id':'x'}}", "audio"},
        {"{'role':'assistant','function_call':{'name':'f'}}", "function_call"},
        {"{'role':'assistant','tool_calls':[{'id':'x','type':'custom','custom':{}}]}",
         "no functions"},
    };
    char members[512];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(members, sizeof(members), "'messages':[%s]", rows[i][0]);
        expect_lack(members, rows[i][1]);
    }
}

Test(anthropic_lacks, wishes_are_left_out_and_said)
{
    static const char *const rows[][2] = {
        {"'verbosity':'low','service_tier':'flex','prediction':{'type':'content'}",
         "verbosity,service_tier,prediction"},
        {"'verbosity':'medium','service_tier':'auto','prediction':null,'prompt_cache_key':'k'", ""},
        {"'verbosity':null,'service_tier':'default','prompt_cache_options':{}", ""},
    };
    char members[256];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct expert_test t;
        struct dropped dropped = {0};
        snprintf(members, sizeof(members), "{'model':'m',%s," HI "}", rows[i][0]);
        expert_test_begin(&t, q(members));
        cr_expect_null(anthropic_lacks(&t.r), "%s", members);
        anthropic_drops(&t.r, &dropped);
        expect_text(dropped_text(&dropped), rows[i][1]);
        expert_test_end(&t);
    }
}
