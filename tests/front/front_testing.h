/* What the tests of the fronts share: a request, an answer and a stream in one call each. */
#pragma once

#include <string.h>

#include "base/json.h"
#include "dialect/text_testing.h"
#include "front/front.h"

#define FRONT_TEST_BYTES_MAX (1u << 20)

struct front_test {
    struct arena *a;
    struct buf out;
    struct front_context context;
    struct front_stream *stream;
    struct error err;
    const char *param;
};

static inline void front_test_begin(struct front_test *t, enum front front, const char *request)
{
    *t = (struct front_test){.a = arena_create(4 * FRONT_TEST_BYTES_MAX)};
    cr_assert(t->a != NULL);
    buf_init(&t->out, FRONT_TEST_BYTES_MAX);
    t->context = (struct front_context){.front = front,
                                        .request = str_from(request),
                                        .request_id = "req_12",
                                        .created_s = 1700000000};
    t->stream = front_stream_create(&t->context, t->a);
    cr_assert(t->stream != NULL);
}

static inline void front_test_end(struct front_test *t)
{
    buf_done(&t->out);
    arena_free(t->a);
}

static inline enum status front_test_ask(struct front_test *t, struct str *ret_body)
{
    struct front_chat chat = {0};
    enum status status =
        front_request(t->context.front, t->context.request, t->a, &chat, &t->param, &t->err);
    *ret_body = chat.body;
    return status;
}

/* The request becomes this chat completion; native_only: what of it only experts of the front's own dialect can serve,
 * or NULL. */
static inline void expect_chat_native(enum front front, const char *request, const char *want,
                                      const char *native_only)
{
    struct front_test t;
    struct front_chat chat = {0};
    front_test_begin(&t, front, request);
    cr_assert_eq(front_request(front, t.context.request, t.a, &chat, &t.param, &t.err), OK,
                 "%s: %s", request, t.err.text);
    expect_text(chat.body, want);
    cr_assert_eq(chat.native_only != NULL, native_only != NULL, "%s: %s", request,
                 chat.native_only);
    if (native_only)
        cr_assert_str_eq(chat.native_only, native_only);
    front_test_end(&t);
}

static inline void expect_chat(enum front front, const char *request, const char *want)
{
    expect_chat_native(front, request, want, NULL);
}

/* The same, and what of it is left out: always, and where the expert knows no effort. */
static inline void expect_chat_dropped(enum front front, const char *request, const char *want,
                                       const char *dropped, const char *effort)
{
    struct front_test t;
    struct front_chat chat = {0};
    front_test_begin(&t, front, request);
    cr_assert_eq(front_request(front, t.context.request, t.a, &chat, &t.param, &t.err), OK,
                 "%s: %s", request, t.err.text);
    expect_text(chat.body, want);
    cr_assert_null(chat.native_only);
    expect_text(dropped_text(&chat.dropped), dropped);
    expect_text(dropped_text(&chat.effort), effort);
    front_test_end(&t);
}

/* The request is refused, and the field at fault named. */
static inline void expect_refused(enum front front, const char *request, enum status want,
                                  const char *param)
{
    struct front_test t;
    struct str body;
    front_test_begin(&t, front, request);
    cr_assert_eq(front_test_ask(&t, &body), want, "%s: %s", request, t.err.text);
    cr_assert(t.param != NULL, "%s", request);
    cr_assert_str_eq(t.param, param, "%s: %s", request, t.err.text);
    cr_assert(strstr(t.err.text, param) != NULL, "%s", t.err.text);
    front_test_end(&t);
}

static inline void front_test_feed(struct front_test *t, const char *data)
{
    front_stream_event(t->stream, str_from(data), &t->out);
    cr_assert_eq(t->out.status, OK);
}
