/* A new dialect, by way of its row alone: what would hold for any. */
#include "dialect/toy_dialect.h"

#include "dialect/openai.h"
#include "dialect/text_testing.h"

#define CHAT(rest)                                                                                 \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi \\u00e9\"}]" rest "}"
#define HEAD                                                                                       \
    "{\"id\":\"toy\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"toy\","        \
    "\"choices\":["

struct asked {
    struct arena *a;
    struct openai_request chat;
    struct buf out;
};

static struct asked ask(const char *body)
{
    struct asked asked = {.a = arena_create(1u << 20)};
    struct error err = {0};
    cr_assert_not_null(asked.a);
    cr_assert_eq(openai_request_parse(str_from(body), true, asked.a, &asked.chat, NULL, &err), OK,
                 "%s", err.text);
    buf_init(&asked.out, TEXT_TEST_BYTES_MAX);
    return asked;
}

static void forget(struct asked *asked)
{
    buf_done(&asked->out);
    arena_free(asked->a);
}

static void expect_written(const char *chat, int64_t limit, const char *want)
{
    const struct dialect *d = &dialect_toy;
    struct error err = {0};
    struct asked asked = ask(chat);
    const struct dialect_request r = {.chat = &asked.chat,
                                      .model = STR("up\"x"),
                                      .output_tokens_limit = limit,
                                      .output_tokens_default = 50};
    cr_expect_null(d->lacks(&asked.chat));
    cr_assert_eq(d->write(&r, asked.a, &asked.out, &err), OK, "%s", err.text);
    expect_text(buf_str(&asked.out), want);
    forget(&asked);
}

Test(dialect_toy, the_row_is_no_part_of_the_table)
{
    cr_expect_null(dialect_find(STR("toy")));
    cr_expect_eq(dialect_header_count(&dialect_toy), 1);
}

Test(dialect_toy, a_chat_is_written)
{
    expect_written(CHAT(""), 0,
                   "{\"speaker\":\"up\\\"x\",\"words\":50,\"live\":false,\"lines\":["
                   "{\"from\":\"user\",\"said\":\"Hi \\u00e9\"}]}");
    expect_written(CHAT(",\"stream\":true,\"max_tokens\":9"), 7,
                   "{\"speaker\":\"up\\\"x\",\"words\":7,\"live\":true,\"lines\":["
                   "{\"from\":\"user\",\"said\":\"Hi \\u00e9\"}]}");
    expect_written("{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be\"},"
                   "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                   "{\"type\":\"text\",\"text\":\"b\"}]}]}",
                   0,
                   "{\"speaker\":\"up\\\"x\",\"words\":50,\"live\":false,\"lines\":["
                   "{\"from\":\"system\",\"said\":\"Be\"},{\"from\":\"user\",\"said\":\"ab\"}]}");
}

Test(dialect_toy, what_it_lacks_is_not_written)
{
    static const struct {
        const char *chat, *lack;
    } cases[] = {
        {CHAT(",\"n\":2"), "n above 1"},
        {CHAT(",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]"), "tools"},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
         "\"image_url\":{\"url\":\"u\"}}]}]}",
         "images"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error err = {0};
        struct asked asked = ask(cases[i].chat);
        const struct dialect_request r = {.chat = &asked.chat, .model = STR("m")};
        cr_expect_str_eq(dialect_toy.lacks(&asked.chat), cases[i].lack);
        cr_expect_eq(dialect_toy.write(&r, asked.a, &asked.out, &err), ERR_UNSUPPORTED);
        cr_expect_eq(asked.out.len, 0);
        forget(&asked);
    }
}

Test(dialect_toy, an_answer_becomes_a_completion)
{
    struct buf out;
    struct error err = {0};
    struct openai_reply reply;
    buf_init(&out, TEXT_TEST_BYTES_MAX);
    cr_assert_eq(dialect_toy.read(STR("{\"said\":\"Hello \\\"you\\\"\",\"why\":\"words\","
                                      "\"counted\":{\"heard\":3,\"said\":2}}"),
                                  &out, &err),
                 OK, "%s", err.text);
    cr_assert_eq(openai_reply_read(buf_str(&out), &reply, &err), OK, "%s", err.text);
    cr_expect(reply.has_content && reply.finished && reply.usage.known);
    cr_expect_eq(reply.usage.input_tokens, 3);
    cr_expect_eq(reply.usage.output_tokens, 2);
    cr_expect_neq(str_find(buf_str(&out), STR("\"content\":\"Hello \\\"you\\\"\""), 0), SIZE_MAX);
    cr_expect_neq(str_find(buf_str(&out), STR("\"finish_reason\":\"length\""), 0), SIZE_MAX);
    buf_done(&out);
}

Test(dialect_toy, usage_that_was_not_reported_is_left_out)
{
    struct buf out;
    struct error err = {0};
    struct openai_reply reply;
    buf_init(&out, TEXT_TEST_BYTES_MAX);
    cr_assert_eq(dialect_toy.read(STR("{\"said\":\"Hi\"}"), &out, &err), OK);
    cr_assert_eq(openai_reply_read(buf_str(&out), &reply, &err), OK, "%s", err.text);
    cr_expect(reply.finished && !reply.usage.known);
    buf_done(&out);
}

Test(dialect_toy, what_is_no_answer_leaves_nothing)
{
    static const char *const cases[] = {"", "Hi", "[]", "{\"said\":7}", "{\"detail\":\"no\"}"};
    struct buf out;
    struct error err = {0};
    buf_init(&out, TEXT_TEST_BYTES_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(dialect_toy.read(str_from(cases[i]), &out, &err), ERR_UPSTREAM, "%s",
                     cases[i]);
        cr_expect_eq(out.len, 0, "%s", cases[i]);
    }
    buf_done(&out);
}

/* Streams */

static void note_chunk(struct str chunk, void *arg)
{
    buf_addf(arg, "%.*s\n", STR_FMT(chunk));
}

/* events: name and data by turns, up to NULL. */
static void expect_chunks(const char *const *events, const char *want)
{
    struct buf got;
    void *stream = dialect_toy.stream_create(false);
    cr_assert_not_null(stream);
    buf_init(&got, TEXT_TEST_BYTES_MAX);
    for (; events[0]; events += 2)
        dialect_toy.stream_event(stream, str_from(events[0]), str_from(events[1]), note_chunk,
                                 &got);
    expect_text(buf_str(&got), want);
    dialect_toy.stream_free(stream);
    buf_done(&got);
}

Test(dialect_toy, events_become_chunks)
{
    static const char *const events[] = {
        "word", "{\"said\":\"Hel\"}",
        "nod",  "{}",
        "word", "{\"said\":\"lo\"}",
        "end",  "{\"why\":\"end\",\"counted\":{\"heard\":3,\"said\":1}}",
        "word", "{\"said\":\"more\"}",
        NULL};
    expect_chunks(events, HEAD
                  "{\"index\":0,\"delta\":{\"content\":\"Hel\"},\"finish_reason\":null}]}\n" HEAD
                  "{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":null}]}\n" HEAD
                  "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n" HEAD
                  "],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n[DONE]\n");
}

Test(dialect_toy, trouble_is_an_error_and_the_last)
{
    static const char *const told[] = {"trouble", "{\"message\":\"too tired\",\"code\":503}",
                                       "word", "{\"said\":\"more\"}", NULL};
    static const char *const broken[] = {"word", "{\"sa", NULL};
    expect_chunks(told, "{\"error\":{\"message\":\"too tired\",\"type\":\"toy_error\","
                        "\"param\":null,\"code\":503}}\n");
    expect_chunks(broken, "{\"error\":{\"message\":\"trouble\",\"type\":\"toy_error\","
                          "\"param\":null,\"code\":500}}\n");
    dialect_toy.stream_free(NULL);
}
