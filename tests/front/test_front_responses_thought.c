/* Reasoning on its way to the client and back: what an expert gave is what it gets. */
#include "front_testing.h"

#define ASK    "{\"input\":\"Hi\"}"
#define CALLED "\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]"
#define BACK                                                                                       \
    "\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"f\","            \
    "\"arguments\":\"{}\"}}]"
#define THOUGHT  "\"reasoning_content\":\"h\\n\\\"m\\\"\""
#define BLOCK    "{\"type\":\"thinking\",\"thinking\":\"h\",\"signature\":\"s\"}"
#define REDACTED "{\"type\":\"redacted_thinking\",\"data\":\"d\"}"

static void answer_of(struct front_test *t, const char *message, bool is_signed)
{
    struct buf completion;
    buf_init(&completion, FRONT_TEST_BYTES_MAX);
    buf_addf(&completion, "{\"choices\":[{\"message\":{%s},\"finish_reason\":\"stop\"}]}", message);
    front_test_begin(t, FRONT_RESPONSES, ASK);
    t->context.expert = STR("ada");
    t->context.signs = is_signed;
    cr_assert_eq(front_answer(&t->context, buf_str(&completion), &t->out, &t->err), OK, "%s",
                 t->err.text);
    buf_done(&completion);
}

/* The answer's items, sent back as history, become the message `want`. */
static void expect_back(const char *message, bool is_signed, const char *want)
{
    struct front_test t, again;
    struct json_value root;
    struct buf request, chat;
    answer_of(&t, message, is_signed);
    cr_assert_eq(json_parse(buf_str(&t.out), "answer", 1, &root, &t.err), OK, "%s", t.err.text);
    buf_init(&request, FRONT_TEST_BYTES_MAX);
    buf_init(&chat, FRONT_TEST_BYTES_MAX);
    buf_addf(&request, "{\"input\":%.*s}", STR_FMT(json_get(root, "output").raw));
    buf_addf(&chat, "{\"messages\":[{\"role\":\"assistant\",%s}]}", want);
    front_test_begin(&again, FRONT_RESPONSES, request.ptr);
    expect_chat(FRONT_RESPONSES, request.ptr, chat.ptr);
    front_test_end(&again);
    buf_done(&chat);
    buf_done(&request);
    front_test_end(&t);
}

Test(front_responses_thought, comes_back_under_the_name_it_came_under)
{
    expect_back(THOUGHT ",\"content\":null," CALLED, false,
                BACK ",\"content\":null," THOUGHT ",\"reasoning_origin\":\"ada\"");
    expect_back("\"reasoning\":\"h\",\"content\":\"t\"", false,
                "\"content\":\"t\",\"reasoning\":\"h\",\"reasoning_origin\":\"ada\"");
}

Test(front_responses_thought, what_is_signed_comes_back_whole)
{
    expect_back("\"reasoning_content\":\"h\",\"thinking_blocks\":[" BLOCK "," REDACTED
                "],\"content\":null," CALLED,
                true,
                BACK ",\"content\":null,\"reasoning_content\":\"h\",\"thinking_blocks\":[" BLOCK
                     "," REDACTED "],\"reasoning_origin\":\"\"");
    expect_back("\"thinking_blocks\":[" REDACTED "],\"content\":\"t\"", false,
                "\"content\":\"t\",\"thinking_blocks\":[" REDACTED
                "],\"reasoning_origin\":\"ada\"");
    expect_back("\"reasoning\":\"h\",\"reasoning_details\":[{\"type\": \"x\"}],\"content\":\"t\"",
                false,
                "\"content\":\"t\",\"reasoning\":\"h\",\"reasoning_details\":[{\"type\":\"x\"}],"
                "\"reasoning_origin\":\"ada\"");
}

Test(front_responses_thought, signatures_of_calls_come_back_with_their_calls)
{
#define SIGNED(id, extra)                                                                          \
    "{\"id\":\"" id                                                                                \
    "\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}" extra "}"
#define EXTRA(s) ",\"extra_content\":{\"google\":{\"thought_signature\":\"" s "\"}}"
    expect_back("\"content\":null,\"tool_calls\":[" SIGNED("1", EXTRA("a")) "," SIGNED(
                    "2", "") "," SIGNED("3", EXTRA("c")) "]",
                false,
                "\"tool_calls\":[" SIGNED("1", EXTRA("a")) "," SIGNED("2", "") "," SIGNED(
                    "3", EXTRA("c")) "],\"content\":null,\"reasoning_origin\":\"ada\"");
}

Test(front_responses_thought, the_item_says_nothing_but_its_summary)
{
    struct front_test t;
    answer_of(&t, THOUGHT ",\"content\":\"t\"", false);
    cr_expect(str_find(buf_str(&t.out),
                       STR("\"output\":[{\"id\":\"rs_12_0\",\"type\":\"reasoning\",\"summary\":["
                           "{\"type\":\"summary_text\",\"text\":\"h\\n\\\"m\\\"\"}],"
                           "\"encrypted_content\":\"leeroo:3:ada\",\"status\":\"completed\"},"),
                       0) != SIZE_MAX,
              "%s", t.out.ptr);
    front_test_end(&t);
    answer_of(&t, "\"thinking_blocks\":[" REDACTED "],\"content\":\"t\"", true);
    cr_expect(str_find(buf_str(&t.out),
                       STR("\"summary\":[],\"encrypted_content\":\"leeroo:0:{\\\"thinking_blocks"),
                       0) != SIZE_MAX,
              "%s", t.out.ptr);
    front_test_end(&t);
}

#define ITEM(members) "{\"type\":\"reasoning\",\"summary\":[{\"text\":\"h\"}]" members "}"
#define MARK(mark)    ITEM(",\"encrypted_content\":\"" mark "\"")
#define SAID          "{\"role\":\"assistant\",\"content\":\"t\"}"
#define INPUT(items, want)                                                                         \
    expect_chat(FRONT_RESPONSES, "{\"input\":[" items "]}", "{\"messages\":[" want "]}")

Test(front_responses_thought, what_has_no_mark_of_ours_is_left_out_and_said)
{
    static const char *const items[] = {ITEM(""),
                                        MARK("gAAAAB"),
                                        MARK("leeroo:3:ad"),
                                        MARK("leeroo:3:ada{"),
                                        MARK("leeroo:3:ada[]"),
                                        ITEM(",\"encrypted_content\":7")};
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        struct front_test t;
        struct front_chat chat = {0};
        struct buf request;
        buf_init(&request, FRONT_TEST_BYTES_MAX);
        buf_addf(&request, "{\"input\":[%s," SAID "]}", items[i]);
        front_test_begin(&t, FRONT_RESPONSES, request.ptr);
        cr_assert_eq(
            front_request(FRONT_RESPONSES, t.context.request, t.a, &chat, &t.param, &t.err), OK);
        expect_text(chat.body, "{\"messages\":[" SAID "]}");
        expect_text(dropped_text(&chat.dropped), "input.reasoning");
        front_test_end(&t);
        buf_done(&request);
    }
}

Test(front_responses_thought, belongs_to_what_the_assistant_says_next)
{
    INPUT(MARK("leeroo:3:ada") "," MARK("leeroo\\u003a3:ada.reasoning") "," MARK(
              "leeroo:3:bob") "," SAID,
          "{\"role\":\"assistant\",\"content\":\"t\",\"reasoning\":\"h\\nh\",\"reasoning_origin\":"
          "\"ada\"}");
    INPUT(MARK("leeroo:3:ada") ",{\"role\":\"user\",\"content\":\"u\"}," SAID,
          "{\"role\":\"user\",\"content\":\"u\"}," SAID);
    INPUT(MARK("leeroo:3:ada{\\\"thinking_blocks\\\":[7,{}],\\\"extra_content\\\":1,\\\"evil\\\":"
               "2}") "," SAID,
          "{\"role\":\"assistant\",\"content\":\"t\",\"reasoning_content\":\"h\","
          "\"thinking_blocks\":[{}],\"reasoning_origin\":\"ada\"}");
}
