/* What the tests of both ways between chat and Messages share. JSON is written with ' for ", which none of it holds. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "dialect/anthropic.h"
#include "dialect/text_testing.h"

#define QUOTED_BYTES_MAX 8192
#define QUOTED_COUNT     16 /* texts that live at the same time */

/* "{'a':1}" → the same with double quotes. */
static inline const char *q(const char *text)
{
    static char texts[QUOTED_COUNT][QUOTED_BYTES_MAX];
    static size_t next;
    char *to = texts[next++ % QUOTED_COUNT];
    size_t len = strlen(text);
    cr_assert_lt(len, QUOTED_BYTES_MAX);
    for (size_t i = 0; i <= len; i++)
        to[i] = text[i] == '\'' ? '"' : text[i];
    return to;
}

struct expert_test {
    struct arena *a;
    struct openai_request r;
    struct buf out;
    struct error err;
};

static inline void expert_test_begin(struct expert_test *t, const char *chat)
{
    *t = (struct expert_test){.a = arena_create(4 * TEXT_TEST_BYTES_MAX)};
    buf_init(&t->out, TEXT_TEST_BYTES_MAX);
    cr_assert_eq(openai_request_parse(str_from(chat), true, t->a, &t->r, NULL, &t->err), OK,
                 "%s: %s", chat, t->err.text);
}

static inline void expert_test_end(struct expert_test *t)
{
    buf_done(&t->out);
    arena_free(t->a);
}

#define HI      "'messages':[{'role':'user','content':'hi'}]"
#define HI_SAID "'messages':[{'role':'user','content':[{'type':'text','text':'hi'}]}]"

/* The chat request with these members becomes the Messages request with those. */
static inline void expect_request(const char *chat, int64_t limit, const char *want)
{
    struct expert_test t;
    char whole[QUOTED_BYTES_MAX];
    snprintf(whole, sizeof(whole), "{'model':'leeroo',%s}", chat);
    expert_test_begin(&t, q(whole));
    cr_assert_null(anthropic_lacks(&t.r), "%s: %s", chat, anthropic_lacks(&t.r));
    cr_assert_eq(anthropic_request_write(&t.r, STR("c"), limit, 50, t.a, &t.out, &t.err), OK,
                 "%s: %s", chat, t.err.text);
    snprintf(whole, sizeof(whole), "{'model':'c',%s}", want);
    expect_text(buf_str(&t.out), q(whole));
    expert_test_end(&t);
}
