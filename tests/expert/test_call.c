/* One call to one expert, against a server on the same loop that plays canned answers. */
#include "expert/call.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dialect/token_estimate.h"
#include "expert/transport_http.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/net_test.h"

#define KEY   "sk-canary-call-1"
#define ASKED "{\"model\":\"leeroo\",\"messages\":[{\"role\":\"user\",\"content\":\"2+2\"}]}"
#define SENT  "{\"model\":\"big\",\"messages\":[{\"role\":\"user\",\"content\":\"2+2\"}]}"

struct stage {
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    struct loop_timer *limit;
    int fd;
    struct expert expert;
    char url[128];
    /* what the server does */
    int http_status;
    const char *content_type, *body;
    struct http_header extra;
    bool cut, hold;
    size_t answer_bytes_max;
    int64_t output_limit;
    struct http_exchange *held;
    char seen_target[64], seen_authorization[64], seen_body[256];
    bool gone;
    /* what the caller saw */
    struct buf events;
    size_t flushes;
    bool done, cancel_on_event;
    enum status status;
    struct error err;
    struct expert_answer answer; /* body points into answer_body */
    char answer_body[512];
    struct expert_call *call;
};

static void on_gone(struct http_exchange *x)
{
    ((struct stage *)x->user)->gone = true;
    loop_stop(((struct stage *)x->user)->loop);
}

static void note(char *into, size_t size, struct str value)
{
    snprintf(into, size, "%.*s", (int)value.len, value.ptr ? value.ptr : "");
}

static void serve(struct http_exchange *x, void *arg)
{
    struct stage *s = arg;
    const struct http_header headers[] = {{STR("content-type"), str_from(s->content_type)},
                                          s->extra};
    note(s->seen_target, sizeof(s->seen_target), x->path);
    note(s->seen_authorization, sizeof(s->seen_authorization), http_header_get(x, "authorization"));
    note(s->seen_body, sizeof(s->seen_body), x->body);
    x->user = s;
    x->on_gone = on_gone;
    if (!s->cut && !s->hold) {
        http_respond(x, s->http_status, headers, s->extra.name.len ? 2 : 1, str_from(s->body));
        return;
    }
    http_stream_begin(x, s->http_status, headers, s->extra.name.len ? 2 : 1);
    http_stream_write(x, str_from(s->body));
    if (s->cut)
        http_abort(x);
    else
        s->held = x;
}

static void on_event(struct expert_call *c, const struct expert_event *event)
{
    struct stage *s = expert_call_user(c);
    buf_addf(&s->events, "%s%.*s\n", event->reply ? "" : "-", STR_FMT(event->data));
    if (!s->cancel_on_event)
        return;
    expert_call_cancel(c);
    if (!s->hold) /* nobody else ends it */
        loop_stop(s->loop);
}

static void on_flush(struct expert_call *c)
{
    ((struct stage *)expert_call_user(c))->flushes++;
}

static void on_done(struct expert_call *c, enum status status, const struct error *err)
{
    struct stage *s = expert_call_user(c);
    s->done = true;
    s->status = status;
    s->err = *err;
    s->answer = *expert_call_answer(c);
    note(s->answer_body, sizeof(s->answer_body), s->answer.body);
    loop_stop(s->loop);
}

static void on_limit(void *arg)
{
    loop_stop(((struct stage *)arg)->loop);
}

static struct stage *stage_begin(void)
{
    static struct stage stage;
    struct stage *s = &stage;
    struct error err = {0};
    char bound[64];
    memset(s, 0, sizeof(*s));
    buf_init(&s->events, 1 << 20);
    cr_assert_eq(loop_create(&s->loop, &err), OK);
    cr_assert_eq(http_listen("127.0.0.1:0", &s->fd, bound, &err), OK);
    cr_assert_eq(http_server_create(s->loop, s->fd, &(struct http_server_options){0}, serve, s,
                                    &s->server, &err),
                 OK);
    cr_assert_eq(http_client_create(s->loop, &(struct http_client_options){0}, &s->client, &err),
                 OK);
    s->limit = loop_timer_create(s->loop, on_limit, s);
    snprintf(s->url, sizeof(s->url), "http://%s/v1", bound);
    s->expert = (struct expert){.name = STR("e"),
                                .url = str_from(s->url),
                                .api_key = STR(KEY),
                                .upstream_model = STR("big"),
                                .dialect = &dialect_openai,
                                .connect_timeout_ms = 5000,
                                .total_timeout_ms = 15000};
    s->http_status = 200;
    s->content_type = "application/json";
    s->answer_bytes_max = 400;
    return s;
}

static void stage_run(struct stage *s, bool stream)
{
    struct error err = {0};
    struct openai_request request;
    struct transport_http transport = transport_http_of(s->client);
    struct arena *arena = arena_create(1 << 20);
    cr_assert_eq(openai_request_parse(STR(ASKED), true, arena, &request, NULL, &err), OK);
    const struct expert_call_options o = {.expert = &s->expert,
                                          .chat = &request,
                                          .scratch = arena,
                                          .stream = stream,
                                          .answer_bytes_max = s->answer_bytes_max,
                                          .output_limit = s->output_limit,
                                          .user = s,
                                          .on_event = on_event,
                                          .on_flush = on_flush,
                                          .on_done = on_done};
    cr_assert_eq(expert_call_start(&transport.transport, &o, &s->call, &err), OK, "%s", err.text);
    loop_timer_start(s->limit, 20000);
    cr_assert_eq(loop_run(s->loop, &err), OK);
    arena_free(arena);
}

static void stage_end(struct stage *s)
{
    http_client_free(s->client);
    http_server_free(s->server);
    loop_timer_free(s->limit);
    loop_free(s->loop);
    close(s->fd);
    buf_done(&s->events);
}

#define WHOLE                                                                                      \
    "{\"choices\":[{\"message\":{\"content\":\"four\"}}],\"usage\":{\"prompt_tokens\":3,"          \
    "\"completion_tokens\":1}}"
#define PIECE  "data: {\"choices\":[{\"delta\":{\"content\":\"one\"}}]}\n\n"
#define FINISH "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"

Test(call, a_whole_answer)
{
    struct stage *s = stage_begin();
    s->body = WHOLE;
    stage_run(s, false);
    cr_assert_eq(s->status, OK, "%s", s->err.text);
    cr_assert_str_eq(s->seen_target, "/v1/chat/completions");
    cr_assert_str_eq(s->seen_authorization, "Bearer " KEY);
    cr_assert_str_eq(s->seen_body, SENT);
    cr_assert_str_eq(s->answer_body, WHOLE);
    cr_assert(s->answer.usage.known && s->answer.usage.input_tokens == 3 && !s->answer.streamed);
    stage_end(s);
}

Test(call, a_stream)
{
    struct stage *s = stage_begin();
    s->content_type = "text/event-stream";
    s->body = PIECE FINISH "data: [DONE]\n\n";
    stage_run(s, true);
    cr_assert_eq(s->status, OK, "%s", s->err.text);
    cr_assert(s->answer.streamed && s->answer.finished && s->answer.output_characters == 3);
    cr_assert(strstr(s->events.ptr, "\"one\"") && strstr(s->events.ptr, "-[DONE]\n"));
    cr_assert_geq(s->flushes, 1);
    stage_end(s);
}

static void expect_failure(struct stage *s, bool stream, enum expert_retry retry, const char *text)
{
    stage_run(s, stream);
    cr_expect_eq(s->status, ERR_UPSTREAM, "%s", status_name(s->status));
    cr_expect_eq(s->answer.retry, retry, "%s: retry %d", s->err.text, s->answer.retry);
    cr_expect(strstr(s->err.text, text), "'%s' is not in: %s", text, s->err.text);
    stage_end(s);
}

Test(call, a_status_with_its_words_and_delays)
{
    struct stage *s = stage_begin();
    s->http_status = 429;
    s->body = "{\"error\":{\"message\":\"slow down\",\"retry_after\":2}}";
    s->extra = (struct http_header){STR("retry-after"), STR("1")};
    expect_failure(s, true, EXPERT_RETRY_SAME, "expert e answered 429: slow down");
    cr_assert_eq(s->answer.retry_after_ms, 2000);
}

Test(call, a_refusal_is_final_and_keeps_its_body)
{
    struct stage *s = stage_begin();
    s->http_status = 422;
    s->body = "{\"error\":{\"message\":\"bad\"}}";
    expect_failure(s, false, EXPERT_RETRY_NEVER, "answered 422: bad");
    cr_assert_str_eq(s->answer_body, s->body);
}

Test(call, an_error_inside_a_success)
{
    struct stage *s = stage_begin();
    s->body = "{\"error\":{\"message\":\"hot\",\"code\":503}}";
    expect_failure(s, false, EXPERT_RETRY_SAME, "answered 503: hot");
    s = stage_begin();
    s->content_type = "text/event-stream";
    s->body = "data: {\"error\":{\"message\":\"hot\"}}\n\n" PIECE;
    expect_failure(s, true, EXPERT_RETRY_SAME, "answered 502: hot");
}

Test(call, what_is_no_answer)
{
    struct stage *s = stage_begin();
    s->body = "<html>";
    expect_failure(s, false, EXPERT_RETRY_NEXT, "not a JSON object");
    s = stage_begin();
    s->http_status = 302;
    s->body = "";
    expect_failure(s, false, EXPERT_RETRY_NEXT, "redirects are not followed");
    s = stage_begin();
    char big[1000];
    memset(big, ' ', sizeof(big) - 1);
    big[0] = '{';
    big[sizeof(big) - 1] = '\0';
    s->body = big;
    expect_failure(s, false, EXPERT_RETRY_NEXT, "over limits.answer");
}

/* Somebody is paid for it: as far as it came, or as long as it was allowed to be. */
Test(call, what_is_too_long_to_be_read_was_written)
{
    char big[100000];
    memset(big, 'x', sizeof(big) - 1);
    big[0] = '{';
    big[sizeof(big) - 1] = '\0';
    for (int told = 0; told < 2; told++) {
        struct stage *s = stage_begin();
        s->body = big;
        s->answer_bytes_max = 90000;
        s->output_limit = told ? 50 : 0;
        expect_failure(s, false, EXPERT_RETRY_NEXT, "over limits.answer");
        if (told)
            cr_expect_eq(tokens_from_characters(s->answer.output_characters), 50);
        else
            cr_expect_gt(s->answer.output_characters, 1000);
    }
}

Test(call, a_whole_answer_that_breaks_off_was_written)
{
    struct stage *s = stage_begin();
    s->body = "{\"choices\":[{\"message\":{\"content\":\"The answer is a long";
    s->cut = true;
    expect_failure(s, false, EXPERT_RETRY_SAME, "expert e: ");
    cr_expect_eq(s->answer.output_characters, strlen(s->body));
}

Test(call, streams_that_break)
{
    struct stage *s = stage_begin();
    s->content_type = "text/event-stream";
    s->body = PIECE;
    expect_failure(s, true, EXPERT_RETRY_SAME, "ended early");
    s = stage_begin();
    s->content_type = "text/event-stream";
    s->body = PIECE;
    s->cut = true;
    expect_failure(s, true, EXPERT_RETRY_SAME, "expert e: ");
}

Test(call, what_comes_after_done_does_not_matter)
{
    struct stage *s = stage_begin();
    s->content_type = "text/event-stream";
    s->body = PIECE "data: [DONE]\n\n";
    s->cut = true;
    stage_run(s, true);
    cr_assert_eq(s->status, OK, "%s", s->err.text);
    stage_end(s);
}

Test(call, nobody_there)
{
    struct stage *s = stage_begin();
    char url[64];
    int fd;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", test_dead_port(&fd));
    s->expert.url = str_from(url);
    expect_failure(s, false, EXPERT_RETRY_SAME, "expert e: ");
    close(fd);
}

Test(call, a_silent_stream_runs_into_its_first_token_timeout)
{
    struct stage *s = stage_begin();
    s->content_type = "text/event-stream";
    s->body = "";
    s->hold = true;
    s->expert.first_token_timeout_ms = 100;
    stage_run(s, true);
    cr_assert_eq(s->status, ERR_TIMEOUT);
    cr_assert_eq(s->answer.retry, EXPERT_RETRY_NEXT);
    stage_end(s);
}

Test(call, cancelling_inside_an_event_ends_everything)
{
    struct stage *s = stage_begin();
    s->content_type = "text/event-stream";
    s->body = PIECE PIECE;
    s->hold = s->cancel_on_event = true;
    stage_run(s, true);
    cr_assert(s->gone, "the server saw the client leave");
    cr_assert_not(s->done);
    cr_assert_eq(s->flushes, 0);
    cr_assert_null(strchr(strchr(s->events.ptr, '\n') + 1, '\n'), "one event only");
    stage_end(s);
}

Test(call, cancelling_inside_an_event_of_a_whole_answer)
{
    struct stage *s = stage_begin();
    s->body = WHOLE;
    s->cancel_on_event = true;
    stage_run(s, true);
    cr_assert_not(s->done);
    cr_assert_eq(s->flushes, 0);
    cr_assert_null(strchr(strchr(s->events.ptr, '\n') + 1, '\n'), "one event only");
    stage_end(s);
}

Test(call, the_key_never_comes_back)
{
    struct stage *s = stage_begin();
    s->http_status = 401;
    s->body = "{\"error\":{\"message\":\"wrong key " KEY "\"}}";
    expect_failure(s, false, EXPERT_RETRY_NEXT, "wrong key [redacted]");
    cr_assert_null(strstr(s->answer_body, KEY));
    s = stage_begin();
    s->content_type = "text/event-stream";
    s->body = "data: {\"choices\":[{\"delta\":{\"content\":\"" KEY
              "\"},\"finish_reason\":\"stop\"}]}\n\n";
    stage_run(s, true);
    cr_assert(strstr(s->events.ptr, "[redacted]") && !strstr(s->events.ptr, KEY));
    stage_end(s);
}
