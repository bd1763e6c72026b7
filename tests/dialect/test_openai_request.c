/* Requests: what is read, what is spliced, what stays byte for byte. */
#include "dialect/openai_request.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expert/expert.h"

static struct arena *arena;

static void setup(void)
{
    arena = arena_create(1 << 20);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(openai_request, .init = setup, .fini = teardown);

static struct openai_request read_request(const char *body)
{
    struct openai_request r;
    struct error err = {0};
    enum status status = openai_request_parse(str_from(body), true, arena, &r, NULL, &err);
    cr_assert_eq(status, OK, "%s", err.text);
    return r;
}

static enum openai_limit_name limit_name;

static void expect_limited(const char *body, int64_t limit, const char *want)
{
    struct openai_request r = read_request(body);
    struct buf out;
    buf_init(&out, 1 << 16);
    const struct openai_target target = {.expert = STR("ada")};
    openai_request_write(&r, STR("up/x"), limit, limit_name, &target, &out);
    cr_assert_eq(buf_status(&out, NULL), OK);
    cr_expect_str_eq(out.ptr, want);
    buf_done(&out);
}

static void expect_written(const char *body, const char *want)
{
    expect_limited(body, 0, want);
}

#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

Test(openai_request, only_the_model_changes)
{
    expect_written("{\"temperature\":1.0e0, \"model\" : "
                   "\"leeroo\",\"x\":12345678901234567890,\"\\u0061\":[ ]," HI "}",
                   "{\"temperature\":1.0e0, \"model\" : "
                   "\"up/x\",\"x\":12345678901234567890,\"\\u0061\":[ ]," HI "}");
}

Test(openai_request, streams_ask_for_usage)
{
    expect_written("{\"model\":\"m\",\"stream\":true," HI "}",
                   "{\"model\":\"up/x\",\"stream\":true," HI
                   ",\"stream_options\":{\"include_usage\":true}}");
    expect_written(
        "{\"stream_options\":{},\"model\":\"m\",\"stream\":true," HI "}",
        "{\"stream_options\":{\"include_usage\":true},\"model\":\"up/x\",\"stream\":true," HI "}");
    expect_written("{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"a\":1}," HI "}",
                   "{\"model\":\"up/"
                   "x\",\"stream\":true,\"stream_options\":{\"a\":1,\"include_usage\":true}," HI
                   "}");
    expect_written(
        "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":false}," HI "}",
        "{\"model\":\"up/x\",\"stream\":true,\"stream_options\":{\"include_usage\":true}," HI "}");
    expect_written(
        "{\"model\":\"m\",\"stream\":true,\"stream_options\":null," HI "}",
        "{\"model\":\"up/x\",\"stream\":true,\"stream_options\":{\"include_usage\":true}," HI "}");
    expect_written(
        "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}," HI "}",
        "{\"model\":\"up/x\",\"stream\":true,\"stream_options\":{\"include_usage\":true}," HI "}");
}

Test(openai_request, knows_who_asked_for_usage)
{
    cr_assert_not(read_request("{\"model\":\"m\",\"stream\":true," HI "}").wants_usage);
    cr_assert(read_request(
                  "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}," HI
                  "}")
                  .wants_usage);
}

Test(openai_request, the_query_is_the_last_user_message)
{
    struct openai_request r = read_request(
        "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},"
        "{\"role\":\"user\",\"content\":\"one\"},{\"role\":\"assistant\",\"content\":\"two\"},"
        "{\"role\":\"user\",\"content\":\"th\\u0072ee\"},{\"role\":\"assistant\",\"content\":null}]"
        "}");
    cr_assert(str_equal(r.query, STR("three")));
    cr_assert_eq(r.query_characters, 5);
    cr_assert_eq(r.input_characters, 8 + 3 + 3 + 5);
    r = read_request("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
                     "\"text\",\"text\":\"a\"},"
                     "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:,\"}},{\"type\":"
                     "\"text\",\"text\":\"b\"}]}]}");
    cr_assert(str_equal(r.query, STR("a\nb")));
    cr_assert_eq(r.needs, EXPERT_IMAGES);
    r = read_request("{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"only\"}]}");
    cr_assert(str_equal(r.query, STR("only")));
}

Test(openai_request, what_it_needs)
{
    cr_assert_eq(read_request("{\"model\":\"m\",\"tools\":[]," HI "}").needs, 0);
    cr_assert_eq(read_request("{\"model\":\"m\",\"tools\":[{}]," HI "}").needs, EXPERT_TOOLS);
    cr_assert_eq(
        read_request("{\"model\":\"m\",\"response_format\":{\"type\":\"json_object\"}," HI "}")
            .needs,
        EXPERT_JSON);
    cr_assert_eq(
        read_request("{\"model\":\"m\",\"response_format\":{\"type\":\"text\"}," HI "}").needs, 0);
    cr_assert_eq(read_request("{\"model\":\"m\",\"max_tokens\":7," HI "}").output_tokens_max, 7);
    cr_assert_eq(
        read_request("{\"model\":\"m\",\"max_tokens\":7,\"max_completion_tokens\":9," HI "}")
            .output_tokens_max,
        9);
}

Test(openai_request, mistakes_name_the_field)
{
    static const struct {
        const char *body, *param, *text;
    } rows[] = {
        {"[]", NULL, "object"},
        {"{\"model\":\"m\"", NULL, "request body:1:13"},
        {"{" HI "}", "model", "missing"},
        {"{\"model\":1," HI "}", "model", "text"},
        {"{\"model\":\"a\",\"model\":\"b\"," HI "}", "model", "twice"},
        {"{\"model\":\"a\",\"mod\\u0065l\":\"b\"," HI "}", "model", "twice"},
        {"{\"model\":\"m\"}", "messages", "missing"},
        {"{\"model\":\"m\",\"messages\":[]}", "messages", "empty"},
        {"{\"model\":\"m\",\"messages\":{}}", "messages", "list"},
        {"{\"model\":\"m\",\"messages\":[1]}", "messages", "role"},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":3}]}", "messages",
         "content"},
        {"{\"model\":\"m\",\"stream\":1," HI "}", "stream", "true or false"},
        {"{\"model\":\"m\",\"stream_options\":[]," HI "}", "stream_options", "object"},
        {"{\"model\":\"m\",\"max_tokens\":-1," HI "}", "max_tokens", "negative"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct openai_request r;
        struct error err = {0};
        const char *param = "untouched";
        enum status status =
            openai_request_parse(str_from(rows[i].body), true, arena, &r, &param, &err);
        cr_expect_eq(status, ERR_INPUT, "%s", rows[i].body);
        cr_expect(strstr(err.text, rows[i].text), "%s: %s", rows[i].body, err.text);
        cr_expect(rows[i].param ? param && !strcmp(param, rows[i].param) : !param, "%s: param %s",
                  rows[i].body, param);
    }
}

Test(openai_request, route_takes_a_text_too)
{
    struct openai_request r;
    struct error err = {0};
    cr_assert_eq(
        openai_request_parse(STR("{\"text\":\"wh\\u0079\"}"), false, arena, &r, NULL, &err), OK);
    cr_assert(str_equal(r.query, STR("why")));
    cr_assert_eq(r.input_characters, 3);
    cr_assert_eq(openai_request_parse(STR("{\"prompt\":\"why\"}"), false, arena, &r, NULL, &err),
                 OK);
    cr_assert_eq(openai_request_parse(STR("{}"), false, arena, &r, NULL, &err), ERR_INPUT);
    cr_assert_eq(openai_request_parse(STR("{\"text\":\"why\",\"model\":\"m\"}"), true, arena, &r,
                                      NULL, &err),
                 ERR_INPUT);
}

Test(openai_request, a_text_beyond_the_arena_is_too_large)
{
    size_t n = 2u << 20;
    struct buf body;
    struct openai_request r;
    buf_init(&body, n * 2);
    buf_add_c(&body, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\\n");
    for (size_t i = 0; i < n; i++)
        buf_add_char(&body, 'x');
    buf_add_c(&body, "\"}]}");
    cr_assert_eq(openai_request_parse(buf_str(&body), true, arena, &r, NULL, NULL), ERR_TOO_LARGE);
    buf_done(&body);
}

Test(openai_request, what_is_for_us_is_cut_out)
{
    expect_written("{\"leeroo\":{\"plans\":\"none\"}, \"model\":\"m\"," HI "}",
                   "{\"model\":\"up/x\"," HI "}");
    expect_written("{\"model\":\"m\" , \"leeroo\" : {} ," HI "}", "{\"model\":\"up/x\" , " HI "}");
    expect_written("{" HI ",\"model\":\"m\" , \"leeroo\":{} }", "{" HI ",\"model\":\"up/x\" }");
    expect_written("{" HI ",\"stream\":true,\"model\":\"m\",\"leeroo\":{}}",
                   "{" HI ",\"stream\":true,\"model\":\"up/x\",\"stream_options\":{\"include_"
                   "usage\":true}}");
}

Test(openai_request, what_is_for_us_is_kept_for_others_to_read)
{
    struct openai_request r = read_request("{\"model\":\"m\"," HI "}");
    cr_expect_eq(r.leeroo.type, JSON_NONE);
    r = read_request("{\"model\":\"m\",\"leeroo\": {\"a\":1} ," HI "}");
    cr_expect(str_equal(r.leeroo.raw, STR("{\"a\":1}")));
    const char *param = NULL;
    cr_expect_eq(openai_request_parse(STR("{\"model\":\"m\",\"leeroo\":{},\"leeroo\":{}," HI "}"),
                                      true, arena, &r, &param, NULL),
                 ERR_INPUT);
    cr_expect_str_eq(param, "leeroo");
}

/* A body written with ' for ". */
static struct openai_request read_quoted(const char *text)
{
    char *body = arena_alloc(arena, strlen(text) + 1);
    for (size_t i = 0; i <= strlen(text); i++)
        body[i] = text[i];
    for (char *c = body; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return read_request(body);
}

static struct str earlier(const struct openai_request *r, size_t i)
{
    struct str text = {0};
    struct error err = {0};
    cr_assert_eq(openai_request_earlier(r, i, arena, &text, &err), OK, "%s", err.text);
    return text;
}

Test(openai_request, earlier_user_messages_are_at_hand)
{
    struct openai_request r = read_quoted(
        "{'model':'m','messages':[{'role':'system','content':'s'},{'role':'user','content':'1'},"
        "{'role':'user','content':'2'},{'role':'assistant','content':'a'},{'role':'user','content':"
        "[{'type':'input_text','text':'3'},{'type':'image_url'}]},{'role':'user','content':"
        "'\\u0034'},{'role':'user','content':'5'}]}");
    cr_expect(str_equal(r.query, STR("5")));
    cr_expect_eq(r.message_count, 7);
    cr_expect_eq(r.images, 1);
    cr_assert_eq(r.earlier_count, 3);
    cr_expect(str_equal(earlier(&r, 0), STR("4")));
    cr_expect(str_equal(earlier(&r, 1), STR("3")));
    cr_expect(str_equal(earlier(&r, 2), STR("2")));
    r = read_quoted("{'model':'m','messages':[{'role':'user','content':null},{'role':'user',"
                    "'content':'x'}]}");
    cr_assert_eq(r.earlier_count, 1);
    cr_expect_eq(earlier(&r, 0).len, 0);
}

/* In a loop of tools the question stays what the user asked. */
Test(openai_request, results_of_tools_are_no_question)
{
    struct openai_request r = read_quoted(
        "{'model':'m','tools':[{}],'messages':[{'role':'user','content':'weather?'},{'role':"
        "'assistant','tool_calls':[{'id':'1'}]},{'role':'tool','content':'42 degrees, and so "
        "on'}]}");
    cr_expect(str_equal(r.query, STR("weather?")));
    cr_expect_eq(r.earlier_count, 0);
    cr_expect_gt(r.input_characters, 8 + 20);
    cr_expect(str_equal(r.tools.raw, STR("[{}]")));
}

Test(openai_request, who_asks_for_more_than_one_plain_text_is_known)
{
    static const char *const plain[] = {"", ",\"n\":1", ",\"n\":null,\"logprobs\":false",
                                        ",\"modalities\":[\"text\"],\"tools\":[]"};
    static const char *const other[] = {
        ",\"n\":2",
        ",\"logprobs\":true",
        ",\"modalities\":[\"text\",\"audio\"]",
        ",\"tools\":[{}]",
        ",\"response_format\":{\"type\":\"json_schema\"}",
        ",\"response_format\":{\"type\":\"json_object\"}",
    };
    char body[256];
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        snprintf(body, sizeof(body), "{\"model\":\"m\"," HI "%s}", plain[i]);
        cr_expect(read_request(body).plain_text, "%s", body);
    }
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        snprintf(body, sizeof(body), "{\"model\":\"m\"," HI "%s}", other[i]);
        cr_expect_not(read_request(body).plain_text, "%s", body);
    }
}

Test(openai_request, answers_are_limited_in_the_words_of_the_client)
{
    static const char *const cases[][2] = {
        {"", ",\"max_tokens\":50"},
        {",\"max_tokens\":49", ",\"max_tokens\":49"},
        {",\"max_tokens\":51", ",\"max_tokens\":50"},
        {",\"max_tokens\": null ", ",\"max_tokens\": 50 "},
        {",\"max_completion_tokens\":4096", ",\"max_completion_tokens\":50"},
        {",\"max_completion_tokens\":7", ",\"max_completion_tokens\":7"},
        {",\"max_completion_tokens\":null", ",\"max_completion_tokens\":50"},
        {",\"max_completion_tokens\":null,\"max_tokens\":9",
         ",\"max_completion_tokens\":null,\"max_tokens\":9"},
        {",\"max_tokens\":60,\"max_completion_tokens\":70",
         ",\"max_tokens\":50,\"max_completion_tokens\":50"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char body[256], want[256];
        snprintf(body, sizeof(body), "{\"model\":\"m\"," HI "%s}", cases[i][0]);
        snprintf(want, sizeof(want), "{\"model\":\"up/x\"," HI "%s}", cases[i][1]);
        expect_limited(body, 50, want);
    }
    expect_limited("{\"model\":\"m\",\"stream\":true," HI ",\"leeroo\":{\"plans\":\"none\"}}", 5,
                   "{\"model\":\"up/x\",\"stream\":true," HI
                   ",\"stream_options\":{\"include_usage\":true}"
                   ",\"max_tokens\":5}");
    cr_expect_eq(read_request("{\"model\":\"m\",\"n\":3," HI "}").answers, 3);
    cr_expect_eq(read_request("{\"model\":\"m\",\"n\":null," HI "}").answers, 1);
}

Test(openai_request, the_limit_goes_by_the_name_that_the_expert_knows)
{
    limit_name = OPENAI_LIMIT_MAX_COMPLETION_TOKENS;
    expect_written("{\"model\":\"m\",\"max_tokens\" : 9," HI "}",
                   "{\"model\":\"up/x\",\"max_completion_tokens\" : 9," HI "}");
    expect_written("{\"model\":\"m\",\"max_completion_tokens\":9," HI "}",
                   "{\"model\":\"up/x\",\"max_completion_tokens\":9," HI "}");
    expect_limited("{\"model\":\"m\",\"max_tokens\":9," HI "}", 5,
                   "{\"model\":\"up/x\",\"max_completion_tokens\":5," HI "}");
    expect_limited("{\"model\":\"m\"," HI "}", 5,
                   "{\"model\":\"up/x\"," HI ",\"max_completion_tokens\":5}");
    limit_name = OPENAI_LIMIT_MAX_TOKENS;
    expect_written("{\"model\":\"m\",\"max_completion_tokens\":9," HI "}",
                   "{\"model\":\"up/x\",\"max_tokens\":9," HI "}");
    expect_written("{\"model\":\"m\"," HI "}", "{\"model\":\"up/x\"," HI "}");
}
