/* Whom to ask, how often, and when to stop: everything before the first byte. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/chat_int.h"
#include "stage.h"

#define HEADER(name, value)                                                                        \
    {                                                                                              \
        STR(name), STR(value)                                                                      \
    }
#define TOO_MANY   "{\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit_error\"}}"
#define BROKEN     "{\"error\":{\"message\":\"broken\",\"type\":\"server_error\"}}"
#define GOOD(text) ((struct canned){.body = WHOLE(text, USAGE(10, 20))})
#define FROM(name) "x-leeroo-expert: " name "\r\n"

Test(chat, the_body_goes_up_with_the_upstreams_model_and_nobodys_key)
{
    struct stage *s = stage_begin(", upstream_model: up-1", NULL);
    stage_play(s, CHEAP, GOOD("hi"));
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ",\"seed\":1.50,\"x\":{}"), 200, "\"hi\"",
                 FROM("cheap"), NULL);
    cr_expect_str_eq(s->seen_body, CHAT_TO("up-1", ",\"seed\":1.50,\"x\":{}"));
    cr_expect(str_starts(str_from(s->seen_key), STR("lr-")), "bound to client and expert: %s",
              s->seen_key);
    cr_expect_str_eq(s->seen_authorization, "", "the client's key is not the expert's");
    stage_end(s);
}

Test(chat, refuses_what_it_cannot_read)
{
    struct stage *s = stage_begin(NULL, NULL);
    stage_expect(s, CHAT_PATH, "{\"model\":1}", 400, "\"param\":\"model\"", NULL);
    stage_expect(s, CHAT_PATH, CHAT_TO("gpt", ""), 404, "\"code\":\"model_not_found\"",
                 "x-leeroo-request-id: req_", NULL);
    char *answer =
        test_ask(s->port, "POST " CHAT_PATH " HTTP/1.1\r\nhost: h\r\nconnection: close\r\n"
                          "content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}");
    cr_expect(strstr(answer, "HTTP/1.1 400 ") && strstr(answer, "not whole gzip"), "%s", answer);
    free(answer);
    answer = test_ask(s->port, "POST " CHAT_PATH " HTTP/1.1\r\nhost: h\r\nconnection: close\r\n"
                               "content-encoding: br\r\ncontent-length: 2\r\n\r\n{}");
    cr_expect(strstr(answer, "HTTP/1.1 415 ") && strstr(answer, "accept-encoding: gzip"), "%s",
              answer);
    free(answer);
    stage_end(s);
}

/* First this, then a good answer: the same expert is asked again. */
static void expect_retried(struct canned first, const char *body, const char *part)
{
    struct stage *s = stage_begin(", retries: 1", NULL);
    stage_play(s, CHEAP, first);
    stage_play(s, CHEAP,
               strstr(body, "stream")
                   ? (struct canned){.manner = CANNED_STREAM,
                                     .body = TEXT_EVENT("good") STOP_EVENT DONE_EVENT}
                   : GOOD("good"));
    log_catch();
    stage_expect(s, CHAT_PATH, body, 200, "good", FROM("cheap"), NULL);
    cr_expect(strstr(log_read(), part), "'%s' is not in %s", part, log_read());
    cr_expect(strstr(log_read(), " attempts=2 "), "%s", log_read());
    log_release();
    cr_expect_eq(stage_asked(s, CHEAP), 2);
    stage_end(s);
}

Test(chat, a_breakdown_is_tried_again)
{
    const struct canned broken = {.http_status = 500, .body = BROKEN};
    expect_retried(broken, CHAT_TO("leeroo", ""), "answered 500: broken");
    expect_retried(broken, CHAT_TO("leeroo", STREAMED), "answered 500: broken");
}

Test(chat, an_error_inside_a_success_is_tried_again)
{
    expect_retried((struct canned){.body = BROKEN}, CHAT_TO("leeroo", ""), "answered 502: broken");
    expect_retried(
        (struct canned){.manner = CANNED_STREAM, .body = ROLE_EVENT "event: error\n" EVENT(BROKEN)},
        CHAT_TO("leeroo", STREAMED), "answered 502: broken");
}

Test(chat, a_stream_that_ends_before_its_first_word_is_tried_again)
{
    expect_retried((struct canned){.manner = CANNED_STREAM, .body = ROLE_EVENT},
                   CHAT_TO("leeroo", STREAMED), "the stream ended early");
}

Test(chat, retry_after_is_kept)
{
    struct stage *s = stage_begin(", retries: 1", NULL);
    stage_play(s, CHEAP, (struct canned){429, TOO_MANY, CANNED_WHOLE, HEADER("retry-after", "1")});
    stage_play(s, CHEAP, GOOD("later"));
    uint64_t before = clock_now_ns();
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, "later", NULL);
    cr_expect_geq(clock_now_ns() - before, UINT64_C(990000000), "asked again too early");
    cr_expect_eq(stage_asked(s, CHEAP), 2);
    stage_end(s);
}

Test(chat, rather_another_expert_than_a_long_wait)
{
    struct stage *s = stage_begin(", retries: 5", NULL);
    stage_play(s, CHEAP, (struct canned){429, TOO_MANY, CANNED_WHOLE, HEADER("retry-after", "60")});
    stage_play(s, MID, GOOD("mid"));
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, FROM("mid"),
                 "x-leeroo-cost-usd: 0.000025000\r\n", NULL);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    stage_end(s);
}

Test(chat, too_many_requests_and_nobody_else_is_told_with_the_delay)
{
    struct stage *s = stage_begin(", retries: 5", NULL);
    stage_play(s, CHEAP, (struct canned){429, TOO_MANY, CANNED_WHOLE, HEADER("retry-after", "60")});
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 429, "retry-after: 60\r\n", TOO_MANY,
                 "x-leeroo-cost-usd: 0.000000000\r\n", NULL);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    stage_end(s);
}

Test(chat, the_next_best_is_asked_when_retries_are_used_up)
{
    struct stage *s = stage_begin(", retries: 1", NULL);
    stage_play(s, CHEAP, (struct canned){.http_status = 503, .body = BROKEN});
    stage_play(s, MID, (struct canned){.body = "no JSON"});
    stage_play(s, DEAR, GOOD("dear"));
    log_catch();
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, FROM("dear"),
                 "x-leeroo-cost-usd: 0.000351500\r\n", /* mid took it and charges for its input */
                 "x-leeroo-cost-basis: estimated\r\n", NULL);
    cr_expect(strstr(log_read(), " expert=dear ") && strstr(log_read(), " attempts=4 "), "%s",
              log_read());
    log_release();
    cr_expect_eq(stage_asked(s, CHEAP), 2);
    cr_expect_eq(stage_asked(s, MID), 1, "nonsense is not asked for twice");
    stage_end(s);
}

Test(chat, a_connection_that_fails_goes_to_the_next)
{
    struct stage *s = stage_prepare(", retries: 0", NULL);
    char url[64];
    int fd;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", test_dead_port(&fd));
    s->config->experts[0].url = str_from(url);
    stage_start(s);
    stage_play(s, MID, GOOD("mid"));
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, FROM("mid"), NULL);
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 502, "\"code\":\"upstream_error\"",
                 FROM("cheap"), "x-leeroo-cost-usd: 0.000000000\r\n", NULL);
    close(fd);
    stage_end(s);
}

Test(chat, a_request_at_fault_goes_to_nobody_else)
{
    struct stage *s = stage_begin(", retries: 3", NULL);
    stage_play(s, CHEAP,
               (struct canned){.http_status = 400, .body = "{\"error\":{\"message\":\"no\"}}"});
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 400, "{\"error\":{\"message\":\"no\"}}",
                 NULL);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    cr_expect_eq(stage_asked(s, MID), 0);
    stage_end(s);
}

/* More experts than attempts; the configuration's own reader would refuse so many of one name. */
Test(chat, attempts_have_an_end)
{
    enum { MANY = ASKING_CALLS_MAX + 8 };
    static struct expert many[MANY];
    struct stage *s = stage_prepare(", retries: 0, breaker: off", NULL);
    for (size_t i = 0; i < MANY; i++)
        many[i] = s->config->experts[0];
    s->config->experts = many;
    s->config->expert_count = MANY;
    stage_start(s);
    stage_play(s, CHEAP, (struct canned){.http_status = 500, .body = BROKEN});
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 502, "answered 500: broken", NULL);
    cr_expect_eq(stage_asked(s, CHEAP), ASKING_CALLS_MAX);
    stage_end(s);
}

/* Hang-ups */

static void expect_gone(struct stage *s, const char *part)
{
    log_wait("error=\"client gone\"");
    cr_expect(strstr(log_read(), " status=499 "), "%s", log_read());
    cr_expect(strstr(log_read(), part), "'%s' is not in %s", part, log_read());
    log_release();
    stage_end(s);
}

Test(chat, hanging_up_before_an_answer_cancels_the_call)
{
    struct stage *s = stage_begin(NULL, NULL);
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_NOTHING});
    log_catch();
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    test_wait(&s->asked);
    close(fd);
    test_wait(&s->gone);
    expect_gone(s, " cost_usd=0.000000300 basis=estimated "); /* it may have been at work already */
}

/* An expert whose host does not answer at all: what never went out costs nothing. */
Test(chat, hanging_up_while_connecting_costs_nothing)
{
    char bound[64], url[80];
    int deaf;
    struct stage *s = stage_prepare(NULL, NULL);
    cr_assert_eq(http_listen(":0", &deaf, bound, NULL), OK);
    http_listen_deafen(deaf);
    snprintf(url, sizeof(url), "http://%s", bound);
    s->config->experts[CHEAP].url = str_from(url);
    stage_start(s);
    stage_play(s, MID, GOOD("mid"));
    stage_expect(s, CHAT_PATH, CHAT_TO("mid", ""), 200, "mid", NULL); /* its call is used again */
    log_catch();
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    usleep(200000);
    close(fd);
    expect_gone(s, " cost_usd=0.000000000 ");
    close(deaf);
}

Test(chat, hanging_up_in_a_pause_asks_nobody_any_more)
{
    struct stage *s = stage_begin(", retries: 3", NULL);
    stage_play(s, CHEAP, (struct canned){429, TOO_MANY, CANNED_WHOLE, HEADER("retry-after", "1")});
    log_catch();
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    log_wait("msg=retry");
    close(fd);
    log_wait("error=\"client gone\"");
    usleep(1200000);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    expect_gone(s, " cost_usd=0.000000000 ");
}

/* By the rule of four characters "hello cat" is three tokens and "abcdefgh" two. */
Test(chat, hanging_up_in_a_stream_cancels_it_and_bills_what_came)
{
    struct stage *s = stage_begin(NULL, NULL);
    stage_play(s, CHEAP,
               (struct canned){.manner = CANNED_BEGIN, .body = ROLE_EVENT TEXT_EVENT("abcdefgh")});
    log_catch();
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("cheap", STREAMED));
    free(test_read_until(fd, "abcdefgh\"}}]}\n\n"));
    close(fd);
    test_wait(&s->gone);
    expect_gone(s, " basis=estimated input_tokens=3 output_tokens=2 ");
}
