/* Models in this process are asked as OpenAI's are, but for what they cannot do. */
#include <criterion/criterion.h>
#include <string.h>

#include "dialect/dialect.h"

static struct arena *arena;
static struct openai_request chat;
static struct error err;

static void setup(void)
{
    arena = arena_create(1 << 20);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(dialect_gguf, .init = setup, .fini = teardown);

static const char *lack(const char *members)
{
    const char *body = arena_printf(
        arena, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]%s}", members);
    cr_assert_eq(openai_request_parse(str_from(body), true, arena, &chat, NULL, &err), OK, "%s",
                 err.text);
    return dialect_gguf.lacks(&chat);
}

static enum status write(struct buf *out)
{
    const struct dialect_request r = {.chat = &chat, .model = STR("tiny")};
    buf_init(out, 10000);
    return dialect_gguf.write(&r, arena, out, &err);
}

Test(dialect_gguf, a_chat_goes_as_it_is)
{
    struct buf out;
    cr_expect_null(lack(",\"top_k\":3,\"n\":1,\"logprobs\":true"));
    cr_assert_eq(write(&out), OK);
    cr_expect_str_eq(out.ptr, "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":"
                              "\"x\"}],\"top_k\":3,\"n\":1,\"logprobs\":true}");
    buf_done(&out);
}

Test(dialect_gguf, wishes_that_it_leaves_out_are_named)
{
    struct dropped lost = {0};
    cr_expect_null(lack(",\"reasoning_effort\":\"low\",\"verbosity\":null"));
    dialect_gguf.drops(&chat, &lost);
    cr_expect(str_equal(dropped_text(&lost), STR("reasoning_effort")));
}

Test(dialect_gguf, what_it_lacks_is_named_and_not_written)
{
    static const char *const cases[][2] = {
        {",\"n\":2", "n above 1"},
        {",\"functions\":[{\"name\":\"f\"}]", "functions outside of tools"},
        {",\"function_call\":\"auto\"", "functions outside of tools"},
        {",\"audio\":{}", "audio"},
        {",\"web_search_options\":{}", "a search of the web"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf out;
        const char *what = lack(cases[i][0]);
        cr_assert_not_null(what, "%s", cases[i][0]);
        cr_expect_str_eq(what, cases[i][1]);
        cr_expect_eq(write(&out), ERR_UNSUPPORTED);
        cr_expect(strstr(err.text, what) && out.len == 0);
        buf_done(&out);
    }
}
