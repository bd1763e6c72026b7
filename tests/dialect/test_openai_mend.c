/* Messages and tools in the form that all servers take. */
#include "dialect/openai_mend.h"
#include "messages_testing.h"

static void expect_target(const char *members, const char *want, struct openai_target target)
{
    struct expert_test t;
    char whole[QUOTED_BYTES_MAX];
    snprintf(whole, sizeof(whole), "{'model':'m',%s}", members);
    expert_test_begin(&t, q(whole));
    openai_request_write(&t.r, STR("m"), 0, OPENAI_LIMIT_AS_GIVEN, &target, &t.out);
    cr_assert_eq(buf_status(&t.out, &t.err), OK);
    snprintf(whole, sizeof(whole), "{'model':'m',%s}", want);
    expect_text(buf_str(&t.out), q(whole));
    expert_test_end(&t);
}

#define ADA ((struct openai_target){.expert = STR("ada")})
#define BECOME(messages, want)                                                                     \
    expect_target("'messages':[" messages "]", "'messages':[" want "]", ADA)
#define STAY(messages)      BECOME(messages, messages)
#define SAY(role, t)        "{'role':'" role "','content':'" t "'}"
#define PARTS(role, parts)  "{'role':'" role "','content':[" parts "]}"
#define T(text)             "{'type':'text','text':'" text "'}"
#define NOTE(text)          "<system-reminder>\\n" text "\\n</system-reminder>"
#define IMAGE               "{'type':'image_url','image_url':{'url':'https://x'}}"
#define RESULT(id, content) "{'role':'tool','tool_call_id':'" id "','content':" content "}"

Test(openai_mend, what_needs_nothing_stays)
{
    STAY(SAY("system", "s") " , " SAY("user", "a") ", " SAY("assistant", "b") "," SAY("user", "c"));
    STAY(SAY("user", "a") "," SAY("user", "b"));
    STAY(SAY("user", "a") "," RESULT("x", "'r'") "," RESULT("y", "[" T("r") "]"));
    STAY(SAY("system", ""));
}

Test(openai_mend, system_messages_at_the_beginning_are_one)
{
    BECOME(SAY("system", "s") "," SAY("developer", "d") "," SAY("user", "a"),
           SAY("system", "s\\n\\nd") "," SAY("user", "a"));
    BECOME(SAY("system", "s") "," PARTS("system", T("d")) "," SAY("user", "a"),
           PARTS("system", T("s") "," T("d")) "," SAY("user", "a"));
    BECOME(SAY("developer", "d") "," SAY("user", "a"), SAY("system", "d") "," SAY("user", "a"));
}

Test(openai_mend, system_messages_amid_are_said_by_the_user)
{
    BECOME(SAY("system", "s") "," SAY("user", "a") "," SAY("system", "t"),
           SAY("system", "s") "," SAY("user", "a\\n\\n" NOTE("t")));
    BECOME(SAY("user", "a") "," SAY("assistant", "b") "," SAY("system", "t") "," SAY("user", "c"),
           SAY("user", "a") "," SAY("assistant", "b") "," SAY("user", NOTE("t") "\\n\\nc"));
    BECOME(PARTS("user", IMAGE) "," PARTS("developer", T("t") "," T("u")),
           PARTS("user", IMAGE "," T(NOTE("t\\nu"))));
    BECOME(SAY("user", "a") "," SAY("assistant", "b") "," SAY("system", ""),
           SAY("user", "a") "," SAY("assistant", "b"));
    BECOME(SAY("user", "a") "," PARTS("system", T("t") "," IMAGE),
           PARTS("user", T("a") "," T(NOTE("t")) "," IMAGE));
    /* a name would be lost */
    BECOME("{'role':'user','name':'n','content':'a'}," SAY("system", "t"),
           "{'role':'user','name':'n','content':'a'}," SAY("user", NOTE("t")));
}

Test(openai_mend, some_experts_take_system_messages_anywhere)
{
    const struct openai_target anywhere = {.expert = STR("ada"), .system_anywhere = true};
    expect_target("'messages':[" SAY("user", "a") "," SAY("developer", "t") "]",
                  "'messages':[" SAY("user", "a") "," SAY("developer", "t") "]", anywhere);
}

Test(openai_mend, nothing_stands_between_calls_and_results)
{
    BECOME(SAY("user", "a") "," SAY("assistant", "b") "," SAY("system", "s") "," RESULT(
               "x", "'r'") "," SAY("system", "t") "," RESULT("y", "'q'") "," SAY("user", "c"),
           SAY("user", "a") "," SAY("assistant", "b") "," RESULT("x", "'r'") "," RESULT(
               "y", "'q'") "," SAY("user", NOTE("s") "\\n\\n" NOTE("t") "\\n\\nc"));
}

Test(openai_mend, images_of_tools_are_said_behind_the_results)
{
    BECOME(
        SAY("user", "a") "," RESULT("x", "[" IMAGE "]") "," RESULT("y", "[" T("p") "," IMAGE "]"),
        SAY("user", "a") "," RESULT("x", "'(in the next message)'") "," RESULT(
            "y", "'p'") "," PARTS("user",
                                  T("What the tool call x gave back:") "," IMAGE "," T(
                                      "What the tool call y gave back:") "," IMAGE));
    BECOME(RESULT("x", "[" T("p") "," T("q") "," IMAGE "]") "," SAY("user", "c"),
           RESULT("x", "[" T("p") "," T("q") "]") "," PARTS(
               "user", T("What the tool call x gave back:") "," IMAGE "," T("c")));
}

#define UNSEEN "(an image, which you cannot see)"

Test(openai_mend, images_of_tools_are_told_to_who_cannot_see_them)
{
    const struct openai_target blind = {.expert = STR("ada"), .is_blind = true};
    expect_target("'messages':[" SAY("user", "a") "," RESULT("x", "[" IMAGE "]") "," RESULT(
                      "y", "[" T("p") "," IMAGE "]") "]",
                  "'messages':[" SAY("user", "a") "," RESULT("x", "'" UNSEEN "'") "," RESULT(
                      "y", "[" T("p") "," T(UNSEEN) "]") "]",
                  blind);
    expect_target(
        "'messages':[" RESULT("x", "[{'type':'file','file':{}}," IMAGE "]") "]",
        "'messages':[" RESULT("x", "'" UNSEEN "'") "," PARTS(
            "user", T("What the tool call x gave back:") ",{'type':'file','file':{}}") "]",
        blind);
}

#define CALL(arguments)                                                                            \
    "{'role':'assistant','content':null,'tool_calls':[{'id':'x','type':'function','function':"     \
    "{'name':'f'," arguments "}}]}"

Test(openai_mend, arguments_are_an_object)
{
    STAY(SAY("user", "a") "," CALL("'arguments':'{ }'"));
    BECOME(SAY("user", "a") "," CALL("'arguments':'{'"),
           SAY("user", "a") "," CALL("'arguments':'{\\'invalid_json\\':\\'{\\'}'"));
    BECOME(SAY("user", "a") "," CALL("'arguments':'[1]'"),
           SAY("user", "a") "," CALL("'arguments':'{\\'invalid_json\\':\\'[1]\\'}'"));
    BECOME(SAY("user", "a") "," CALL("'arguments':''"),
           SAY("user", "a") "," CALL("'arguments':'{}'"));
    BECOME(SAY("user", "a") "," CALL("'arguments':{'b':1}"),
           SAY("user", "a") "," CALL("'arguments':'{\\'b\\':1}'"));
    BECOME(SAY("user", "a") "," CALL("'x':1"), SAY("user", "a") "," CALL("'x':1,'arguments':'{}'"));
}

#define LED_TO           "'tool_calls':[{'id':'x','function':{'name':'f','arguments':'{}'}}]"
#define THOUGHT(members) "{'role':'assistant','content':'b'" members "}"

Test(openai_mend, reasoning_goes_back_to_who_made_it)
{
    STAY(SAY("user", "a") "," THOUGHT(",'reasoning_content':'h'"));
    BECOME(
        SAY("user", "a") "," THOUGHT(",'reasoning_content':'h','reasoning_origin':'ada'," LED_TO),
        SAY("user", "a") "," THOUGHT(",'reasoning_content':'h'," LED_TO));
    BECOME(SAY("user", "a") "," THOUGHT(",'reasoning':'h','reasoning_origin':'ada'," LED_TO),
           SAY("user", "a") "," THOUGHT(",'reasoning':'h'," LED_TO));
    BECOME(SAY("user", "a") "," THOUGHT(",'reasoning_content':'h','reasoning_origin':'ada'"),
           SAY("user", "a") "," THOUGHT("")); /* it led to nothing */
    BECOME(SAY("user", "a") "," THOUGHT(",'reasoning_content':'h','reasoning_origin':'bob'"),
           SAY("user", "a") "," THOUGHT(""));
    BECOME(SAY("user", "a") "," THOUGHT(",'thinking_blocks':[{}],'reasoning_origin':''"),
           SAY("user", "a") "," THOUGHT(""));
}

#define SIGNED                                                                                     \
    "'tool_calls':[{'id':'x','function':{'name':'f','arguments':'{}'},'extra_content':{}}]"

Test(openai_mend, details_and_signatures_of_calls_go_with_the_reasoning)
{
    BECOME(
        SAY("user", "a") "," THOUGHT(",'reasoning_details':[{}],'reasoning_origin':'ada'," SIGNED),
        SAY("user", "a") "," THOUGHT(",'reasoning_details':[{}]," SIGNED));
    BECOME(
        SAY("user", "a") "," THOUGHT(",'reasoning_details':[{}],'reasoning_origin':'bob'," SIGNED),
        SAY("user", "a") "," THOUGHT("," LED_TO));
    STAY(SAY("user", "a") "," THOUGHT(",'reasoning_details':[{}]," SIGNED));
}

#define F(members)          "{'type':'function','function':{'name':'f'" members "}}"
#define HAS(tools)          "'tools':[" tools "],'messages':[" SAY("user", "a") "]"
#define DECLARE(tool, want) expect_target(HAS(tool), HAS(want), ADA)
#define NO_PARAMETERS       ",'parameters':{'type':'object','properties':{}}"

Test(openai_mend, functions_have_properties)
{
    DECLARE(F(""), F(NO_PARAMETERS));
    DECLARE(F(",'parameters':null"), F(NO_PARAMETERS));
    DECLARE(F(",'parameters':{}"), F(NO_PARAMETERS));
    DECLARE(F(",'parameters':{'type':'object'}"), F(NO_PARAMETERS));
    DECLARE(F(",'parameters':{'type':'object','properties':null}"), F(NO_PARAMETERS));
    DECLARE(F(NO_PARAMETERS) "," F(",'parameters':{'type':'object','x':1},'strict':true"),
            F(NO_PARAMETERS) "," F(",'strict':true,'parameters':{'type':'object','x':1,"
                                   "'properties':{}}"));
    DECLARE(F(",'parameters':{'anyOf':[]}"), F(",'parameters':{'anyOf':[]}"));
    DECLARE("{'type':'custom'}", "{'type':'custom'}");
}
