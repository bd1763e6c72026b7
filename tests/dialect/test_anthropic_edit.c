/* Messages requests of Messages clients: which bytes are changed. */
#include "messages_testing.h"

static bool system_first;

static void expect_edit(const char *body, int64_t limit, const char *want)
{
    struct buf out;
    struct error err = {0};
    buf_init(&out, TEXT_TEST_BYTES_MAX);
    cr_assert_eq(
        anthropic_request_edit(str_from(q(body)), STR("c\"x"), limit, system_first, &out, &err), OK,
        "%s: %s", body, err.text);
    expect_text(buf_str(&out), q(want));
    buf_done(&out);
}

Test(anthropic_edit, the_model_and_nothing_else)
{
    expect_edit("{'max_tokens':1.0e3, 'model' : 'leeroo','x':12345678901234567890,'\\u0061':[ ]}",
                0,
                "{'max_tokens':1.0e3, 'model' : 'c\\'x','x':12345678901234567890,'\\u0061':[ ]}");
}

Test(anthropic_edit, the_limit_is_lowered_never_raised)
{
    expect_edit("{'model':'m','max_tokens':500}", 100, "{'model':'c\\'x','max_tokens':100}");
    expect_edit("{'model':'m','max_tokens':50}", 100, "{'model':'c\\'x','max_tokens':50}");
    expect_edit("{'model':'m','max_tokens':500}", 0, "{'model':'c\\'x','max_tokens':500}");
    expect_edit("{'model':'m','max_tokens':'x'}", 100, "{'model':'c\\'x','max_tokens':100}");
}

Test(anthropic_edit, thinking_leaves_room_for_an_answer)
{
    expect_edit(
        "{'model':'m','max_tokens':9000,'thinking':{'type':'enabled','budget_tokens':8000}}", 3000,
        "{'model':'c\\'x','max_tokens':3000,'thinking':{'type':'enabled',"
        "'budget_tokens':2999}}");
    expect_edit(
        "{'model':'m','thinking':{'budget_tokens':8000}}", 1024,
        "{'model':'c\\'x','thinking':{'budget_tokens':8000}}"); /* no budget is that small */
}

Test(anthropic_edit, leeroo_goes_wherever_it_stands)
{
    expect_edit("{'leeroo':{'plans':'x'},'model':'m'}", 0, "{'model':'c\\'x'}");
    expect_edit("{'model':'m','leeroo':{}, 'a':1}", 0, "{'model':'c\\'x', 'a':1}");
    expect_edit("{'model':'m' , '\\u006ceeroo':1}", 0, "{'model':'c\\'x'}");
}

#define UNSIGNED      "{'type':'thinking','thinking':'x','signature':''}"
#define SIGNED        "{'type':'thinking','thinking':'x','signature':'s'}"
#define OURS          "{'type':'thinking','thinking':'x','signature':'leeroo:3:ada'}"
#define OURS_REDACTED "{'type':'redacted_thinking','data':'leeroo:3:adax'}"
#define TEXT          "{'type':'text','text':'a'}"
#define M(blocks)     "{'role':'assistant','content':[" blocks "]}"
#define USER          "{'role':'user','content':'hi'}"

static void expect_messages(const char *messages, const char *want)
{
    char body[1024], edited[1024];
    snprintf(body, sizeof(body), "{'model':'m','messages':[%s]}", messages);
    snprintf(edited, sizeof(edited), "{'model':'c\\'x','messages':[%s]}", want);
    expect_edit(body, 0, edited);
}

Test(anthropic_edit, unsigned_thinking_goes)
{
    expect_messages(USER "," M(UNSIGNED "," TEXT), USER "," M(TEXT));
    expect_messages(USER "," M(TEXT ", " UNSIGNED), USER "," M(TEXT));
    expect_messages(USER "," M(SIGNED "," UNSIGNED "," UNSIGNED "," TEXT),
                    USER "," M(SIGNED "," TEXT));
    expect_messages(USER "," M(UNSIGNED "," UNSIGNED "," TEXT "," UNSIGNED), USER "," M(TEXT));
    expect_messages(USER "," M(SIGNED "," TEXT), USER "," M(SIGNED "," TEXT));
    expect_messages(USER "," M(OURS "," TEXT "," OURS_REDACTED), USER "," M(TEXT));
}

#define REMINDER(text)                                                                             \
    "{'role':'user','content':[{'type':'text','text':'<system-reminder>\\n" text                   \
    "\\n</system-reminder>'}]}"

Test(anthropic_edit, system_messages_are_said_by_the_user_where_the_endpoint_knows_none)
{
    const char *late =
        USER ", {'role':'system','content':'s'}," M(TEXT) ",{'role':'system','content':[" TEXT
                                                          "," TEXT "]}";
    expect_messages(late, late);
    system_first = true;
    expect_messages(late, USER ", " REMINDER("s") "," M(TEXT) "," REMINDER("a\\na"));
}

#define USE(input) "{'type':'tool_use','id':'x','name':'f'" input "}"

Test(anthropic_edit, calls_whose_input_is_no_object_say_so)
{
    expect_messages(USER "," M(USE(",'input':{ }")), USER "," M(USE(",'input':{ }")));
    expect_messages(USER "," M(TEXT ", " USE(",'input': [1]") "," TEXT),
                    USER "," M(TEXT ", " USE(",'input': {'invalid_json':'[1]'}") "," TEXT));
    expect_messages(USER "," M(UNSIGNED "," USE(",'input':'{x'")),
                    USER "," M(USE(",'input':{'invalid_json':'{x'}")));
    expect_messages(USER "," M(USE(",'input':null")), USER "," M(USE(",'input':{}")));
    expect_messages(USER "," M(USE("")),
                    USER "," M("{'type':'tool_use','input':{},'id':'x','name':'f'}"));
}

Test(anthropic_edit, a_message_of_nothing_else_goes_whole)
{
    expect_messages(USER "," M(UNSIGNED) "," USER, USER "," USER);
    expect_messages(M(UNSIGNED) "," USER, USER);
    expect_messages(USER "," M(UNSIGNED), USER);
    expect_messages(USER "," M(""), USER "," M(""));
}

static void expect_bad(const char *body)
{
    struct buf out;
    struct error err = {0};
    buf_init(&out, TEXT_TEST_BYTES_MAX);
    buf_add_c(&out, "before");
    cr_assert_eq(anthropic_request_edit(str_from(q(body)), STR("c"), 0, false, &out, &err),
                 ERR_INPUT, "%s", body);
    expect_text(buf_str(&out), "before");
    buf_done(&out);
}

Test(anthropic_edit, what_is_refused)
{
    expect_bad("{'model':'m','model':'n'}");
    expect_bad("{'model':'m','max_tokens':1,'max_\\u0074okens':2}");
    expect_bad("{'max_tokens':1}");
    expect_bad("['model']");
    expect_bad("{'model':");
}
