/* From an expert's answer to the client's, and what is said about its cost. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"

#define STREAM(events) ((struct canned){.manner = CANNED_STREAM, .body = events})
#define BEGIN(events)  ((struct canned){.manner = CANNED_BEGIN, .body = events})
#define TO_CHEAP       CHAT_TO("cheap", STREAMED)
#define TO_CHEAP_USAGE CHAT_TO("cheap", STREAMED ASK_USAGE)

/* The payload of a chunked body; what follows the head in `answer`. Trailers stay outside. */
static void dechunk(const char *answer, struct buf *into)
{
    const char *at = strstr(answer, "\r\n\r\n");
    buf_init(into, 64u << 20);
    buf_add_c(into, "");
    cr_assert(at && strstr(answer, "transfer-encoding: chunked"), "%s", answer);
    at += 4;
    for (;;) {
        char *end;
        size_t len = strtoul(at, &end, 16);
        if (len == 0)
            return;
        cr_assert(strlen(end) >= len + 4, "a chunk is cut: %s", at);
        buf_add(into, (struct str){end + 2, len});
        at = end + 2 + len + 2;
    }
}

static void expect_stream(struct stage *s, const char *body, const char *payload)
{
    struct buf got;
    char *answer = stage_ask(s, CHAT_PATH, body);
    dechunk(answer, &got);
    cr_expect_str_eq(got.ptr, payload);
    buf_done(&got);
    free(answer);
}

/* With one call to cheap that plays `play`, `body` gets exactly `payload`. */
static void expect_relayed(struct canned play, const char *body, const char *payload)
{
    struct stage *s = stage_begin(", retries: 0", NULL);
    stage_play(s, CHEAP, play);
    expect_stream(s, body, payload);
    stage_end(s);
}

Test(relay, a_stream_passes_as_it_came)
{
#define ODD                                                                                        \
    EVENT("{ \"x\":1.50, \"choices\":[{\"delta\":{\"content\":\"\\u00e9 \\/\"}}] ,\"y\":[]}")
    expect_relayed(STREAM(ROLE_EVENT ODD TEXT_EVENT("two") STOP_EVENT DONE_EVENT), TO_CHEAP,
                   ROLE_EVENT ODD TEXT_EVENT("two") STOP_EVENT DONE_EVENT);
}

Test(relay, the_end_mark_is_added_and_nothing_follows_it)
{
    expect_relayed(STREAM(TEXT_EVENT("a") STOP_EVENT), TO_CHEAP,
                   TEXT_EVENT("a") STOP_EVENT DONE_EVENT);
    expect_relayed(STREAM(TEXT_EVENT("a") STOP_EVENT DONE_EVENT TEXT_EVENT("late")), TO_CHEAP,
                   TEXT_EVENT("a") STOP_EVENT DONE_EVENT);
}

Test(relay, the_usage_chunk_is_for_those_who_asked)
{
    const struct canned with_usage =
        STREAM(TEXT_EVENT("a") STOP_EVENT USAGE_EVENT(10, 20) DONE_EVENT);
    expect_relayed(with_usage, TO_CHEAP, TEXT_EVENT("a") STOP_EVENT DONE_EVENT);
    expect_relayed(with_usage, TO_CHEAP_USAGE,
                   TEXT_EVENT("a") STOP_EVENT EVENT(
                       "{\"choices\":[]" USAGE(10, 20) ",\"leeroo\":{\"expert\":\"cheap\",\"plan\":"
                                                       "\"single\",\"cost_usd\":0.000005000,"
                                                       "\"cost_basis\":\"usage\"}}") DONE_EVENT);
}

/* Some put the usage beside the finish_reason: that chunk is nobody's to drop. */
Test(relay, usage_in_the_last_content_chunk_stays)
{
#define LAST_TEXT "{\"choices\":[{\"delta\":{\"content\":\"z\"},\"finish_reason\":\"stop\"}]"
    const struct canned play = STREAM(EVENT(LAST_TEXT USAGE(1, 1) "}") DONE_EVENT);
    expect_relayed(play, TO_CHEAP, EVENT(LAST_TEXT USAGE(1, 1) "}") DONE_EVENT);
    expect_relayed(play, TO_CHEAP_USAGE,
                   EVENT(LAST_TEXT USAGE(
                       1, 1) ",\"leeroo\":{\"expert\":\"cheap\",\"plan\":\"single\","
                             "\"cost_usd\":0.000000300,\"cost_basis\":\"usage\"}}") DONE_EVENT);
}

Test(relay, every_stream_asks_the_expert_for_usage)
{
    struct stage *s = stage_begin(NULL, NULL);
    stage_play(s, CHEAP, STREAM(TEXT_EVENT("a") STOP_EVENT DONE_EVENT));
    free(stage_ask(s, CHAT_PATH, TO_CHEAP));
    cr_expect(strstr(s->seen_body, "\"include_usage\":true"), "%s", s->seen_body);
    stage_end(s);
}

/* Cost and basis, at the head of a whole answer and behind a streamed one. */
static void expect_costs(const char *usage, const char *usage_event, const char *usd,
                         const char *basis)
{
    char whole[512], events[1024], cost[80], what[80];
    struct stage *s = stage_begin(NULL, NULL);
    snprintf(whole, sizeof(whole), WHOLE("abcdefgh", "%s"), usage);
    snprintf(events, sizeof(events), TEXT_EVENT("abcdefgh") STOP_EVENT "%s" DONE_EVENT,
             usage_event);
    stage_play(s, CHEAP, (struct canned){.body = whole});
    stage_play(s, CHEAP, STREAM(events));
    snprintf(cost, sizeof(cost), "x-leeroo-cost-usd: %s\r\n", usd);
    snprintf(what, sizeof(what), "x-leeroo-cost-basis: %s\r\n", basis);
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 200, cost, what, whole, NULL);
    char *streamed = stage_ask(s, CHAT_PATH, TO_CHEAP);
    const char *trailers = strstr(streamed, "\r\n0\r\n");
    cr_assert(trailers, "%s", streamed);
    cr_expect(strstr(trailers, cost) && strstr(trailers, what), "%s", streamed);
    cr_expect(strstr(streamed, "trailer: x-leeroo-cost-usd, x-leeroo-cost-basis\r\n"), "%s",
              streamed);
    cr_expect(strstr(streamed, "x-leeroo-cost-basis: predicted\r\n"), "the head: %s", streamed);
    free(streamed);
    stage_end(s);
}

Test(relay, streamed_and_whole_cost_the_same)
{
    expect_costs(USAGE(10, 20), USAGE_EVENT(10, 20), "0.000005000", "usage");
    expect_costs(USAGE(234567, 89), USAGE_EVENT(234567, 89), "0.023474500", "usage");
}

Test(relay, zero_usage_costs_nothing)
{
    expect_costs(USAGE(0, 0), USAGE_EVENT(0, 0), "0.000000000", "usage");
}

Test(relay, missing_and_unreadable_usage_is_estimated)
{
    expect_costs("", "", "0.000000700", "estimated"); /* 3 tokens in at 100, 2 out at 200 */
    expect_costs(",\"usage\":null", "", "0.000000700", "estimated");
    expect_costs(",\"usage\":{\"prompt_tokens\":10}",
                 EVENT("{\"choices\":[],\"usage\":{\"prompt_tokens\":10}}"), "0.000000700",
                 "estimated");
}

Test(relay, a_report_that_cannot_be_is_booked_at_the_limits)
{
    expect_costs(USAGE(10, -1), USAGE_EVENT(10, -1), "0.000000700", "limited");
    expect_costs(USAGE(10, 999999999), USAGE_EVENT(10, 999999999), "0.000001400", "limited");
}

/* After the first byte */

/* The stream has begun for the client; then `more` comes, and the expert cuts, or ends. */
static void expect_error_event(const char *more, bool cut, const char *said)
{
    struct stage *s = stage_begin(", retries: 3", "policies: {default: {lambda: 1e9}}\n");
    stage_play(s, CHEAP, BEGIN(ROLE_EVENT TEXT_EVENT("first")));
    stage_play(s, MID, STREAM(TEXT_EVENT("never") STOP_EVENT DONE_EVENT));
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("leeroo", STREAMED));
    char *head = test_read_until(fd, "first\"}}]}\n\n");
    stage_more(s, more);
    if (cut)
        stage_cut(s);
    else
        stage_finish(s);
    char *rest = test_read_all(fd);
    cr_expect(strstr(rest, "data: {\"error\":{\"message\":\"") && strstr(rest, said), "%s", rest);
    cr_expect(strstr(rest, "\r\n0\r\n") && strstr(rest, "x-leeroo-cost-basis: estimated"), "%s",
              rest);
    cr_expect_null(strstr(rest, "[DONE]"), "it did not end well: %s", rest);
    cr_expect_eq(stage_asked(s, CHEAP) + stage_asked(s, MID), 1, "nobody is asked again");
    close(fd);
    free(head);
    free(rest);
    stage_end(s);
}

Test(relay, a_cut_after_the_first_byte_is_an_error_event)
{
    expect_error_event("", true, "expert cheap: ");
}

Test(relay, an_end_without_its_end_is_an_error_event)
{
    expect_error_event(TEXT_EVENT("more"), false, "the stream ended early");
}

Test(relay, an_error_in_the_stream_is_an_error_event)
{
    expect_error_event(EVENT("{\"error\":{\"message\":\"overheated\",\"code\":500}}"), false,
                       "answered 500: overheated");
}

/* Failures before the first byte, as the client sees them. */

Test(relay, refusals_keep_their_status_and_their_words)
{
    struct stage *s = stage_begin(", retries: 0", NULL);
#define REFUSAL "{\"error\":{\"message\":\"bad tool\",\"code\":\"k\"}}"
    stage_play(s, CHEAP, (struct canned){.http_status = 422, .body = REFUSAL});
    stage_play(s, CHEAP, (struct canned){.http_status = 409, .body = "<html>"});
    stage_play(s, CHEAP, (struct canned){.http_status = 503, .body = REFUSAL});
    stage_play(s, CHEAP, (struct canned){.http_status = 302, .body = ""});
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 422, "\r\n\r\n" REFUSAL, NULL);
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 409, "expert cheap answered 409", NULL);
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 502, "expert cheap answered 503: bad tool",
                 NULL);
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 502, "redirects are not followed", NULL);
    stage_end(s);
}

/* A key of ours is no fault of the client's. */
Test(relay, a_refused_key_of_ours_is_a_bad_gateway)
{
    static const int statuses[] = {401, 402, 403};
    struct stage *s = stage_begin(", retries: 0, breaker: off", NULL);
    for (size_t i = 0; i < 3; i++) {
        stage_play(s, CHEAP, (struct canned){.http_status = statuses[i], .body = REFUSAL});
        stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 502,
                     "refuses this gateway's own key or account: expert cheap answered 40", NULL);
    }
    stage_end(s);
}

Test(relay, an_answer_over_the_limit_is_no_answer)
{
    static char big[8192];
    struct stage *s = stage_begin(", retries: 0", "limits: {answer: 4KiB}\n");
    memset(big, 'x', sizeof(big) - 1);
    stage_play(s, CHEAP, (struct canned){.body = big});
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 502, "over limits.answer", NULL);
    stage_end(s);
}

/* Time and space */

/* An upstream that keeps its connection busy after [DONE] holds nobody up. */
Test(relay, what_comes_after_the_end_mark_delays_nothing)
{
    enum { PINGS = 40 };
    struct stage *s = stage_begin(NULL, NULL);
    stage_play(s, CHEAP, BEGIN(TEXT_EVENT("a") STOP_EVENT DONE_EVENT));
    int fd = stage_send(s, CHAT_PATH, TO_CHEAP), pings = 0;
    free(test_read_until(fd, "[DONE]\n\n"));
    while (sem_trywait(&s->gone) != 0 && pings++ < PINGS) {
        stage_more(s, ": still here\n\n");
        usleep(200000);
    }
    cr_expect_lt(pings, PINGS, "held for as long as the pings went on");
    char *rest = test_read_all(fd);
    cr_expect(strstr(rest, "\r\n0\r\n") && strstr(rest, "x-leeroo-cost-usd: "), "%s", rest);
    free(rest);
    close(fd);
    stage_end(s);
}

/* More than every buffer between the two, read late: the call is paused and resumed, and no byte is lost. */
Test(relay, a_slow_reader_gets_it_all)
{
    enum { EVENTS = 8192 };
    static const char event[] = TEXT_EVENT("0123456789012345678901234567890123456789012345678901234"
                                           "567890123456789012345678901234567890123456789012345");
    struct stage *s = stage_begin(NULL, NULL);
    struct buf events, got;
    buf_init(&events, 64u << 20);
    for (int i = 0; i < EVENTS; i++)
        buf_add_c(&events, event);
    buf_add_c(&events, STOP_EVENT DONE_EVENT);
    stage_play(s, CHEAP, STREAM(events.ptr));
    int fd = stage_send(s, CHAT_PATH, TO_CHEAP);
    test_wait(&s->asked);
    usleep(300000);
    char *answer = test_read_all(fd);
    dechunk(answer, &got);
    cr_expect_eq(got.len, events.len);
    cr_expect(str_equal(buf_str(&got), buf_str(&events)));
    buf_done(&got);
    buf_done(&events);
    free(answer);
    close(fd);
    stage_end(s);
}
