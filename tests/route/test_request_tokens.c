/* A request's tokens by a tokenizer: what is counted of it, and how far. */
#include "route/request_tokens.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define BYTES_MAX (8u << 20)

/* One token for each byte, but "aa" and "ab" are one. */
static const char vocabulary[] =
    "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},\"model\":{\"type\":"
    "\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"aa\":2,\"ab\":3},\"merges\":[\"a a\",\"a b\"]}}";

static struct tokenizer *t;
static struct arena *arena;

static void begin(void)
{
    struct error err = {0};
    arena = arena_create(BYTES_MAX);
    cr_assert_eq(tokenizer_parse(str_from(vocabulary), "t", &t, &err), OK, "%s", err.text);
}

static void end(void)
{
    tokenizer_free(t);
    arena_free(arena);
}

TestSuite(request_tokens, .init = begin, .fini = end);

static int64_t count(const char *body)
{
    struct openai_request r;
    struct error err = {0};
    int64_t tokens = -1;
    bool chat = strstr(body, "\"messages\"");
    cr_assert_eq(openai_request_parse(str_from(body), chat, arena, &r, NULL, &err), OK, "%s",
                 err.text);
    cr_assert_eq(request_tokens(t, &r, arena, &tokens, &err), OK, "%s", err.text);
    return tokens;
}

#define CHAT(messages) "{\"model\":\"m\",\"messages\":[" messages "]}"
#define USER(content)  "{\"role\":\"user\",\"content\":" content "}"

Test(request_tokens, texts_and_a_few_around_each_message)
{
    cr_expect_eq(count(CHAT(USER("\"aaab\""))), 4 + 2);
    cr_expect_eq(count(CHAT(USER("\"aa\"") "," USER("\"ab\""))), 4 + 1 + 4 + 1);
    cr_expect_eq(count(CHAT(USER("\"\\u0061a\""))), 4 + 1, "escapes are decoded");
    cr_expect_eq(count(CHAT(USER("[{\"type\":\"text\",\"text\":\"aa\"}]"))), 4 + 1);
    cr_expect_eq(count("{\"text\":\"aaab\"}"), 2);
}

Test(request_tokens, images_count_what_they_are_taken_for)
{
    cr_expect_eq(count(CHAT(USER("[{\"type\":\"text\",\"text\":\"aa\"},{\"type\":\"image_url\","
                                 "\"image_url\":{\"url\":\"https://x\"}}]"))),
                 4 + 1 + OPENAI_IMAGE_TOKENS);
}

/* A million of "aa", as they are and with an escape in each: the begin is counted, the rest is like it. */
Test(request_tokens, a_long_text_is_counted_at_its_begin)
{
    enum { PAIRS = 200000 };
    static char body[PAIRS * 8 + 200];
    static const char *const pairs[] = {"aa", "\\u0061a"};
    for (size_t i = 0; i < 2; i++) {
        size_t len = (size_t)sprintf(
            body, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"");
        for (size_t k = 0; k < PAIRS; k++, len += strlen(pairs[i]))
            memcpy(body + len, pairs[i], strlen(pairs[i]));
        sprintf(body + len, "\"}]}");
        int64_t tokens = count(body);
        cr_expect(tokens > PAIRS * 99 / 100 && tokens < PAIRS * 101 / 100, "%lld",
                  (long long)tokens);
    }
}
