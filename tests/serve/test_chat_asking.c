/* Closed doors, on the way to an expert: circuits, lines, accounts without money. */
#include "serve/chat_int.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"

#define BROKEN     "{\"error\":{\"message\":\"broken\",\"type\":\"server_error\"}}"
#define NO_MODEL   "{\"error\":{\"message\":\"no such model\",\"code\":\"model_not_found\"}}"
#define NO_MONEY   "{\"error\":{\"message\":\"pay\",\"code\":\"insufficient_quota\"}}"
#define FROM(name) "x-leeroo-expert: " name "\r\n"

static struct canned good(const char *body)
{
    return (struct canned){.body = body};
}

static struct canned fault(int http_status, const char *body)
{
    return (struct canned){.http_status = http_status, .body = body};
}

/* Portkey #1289: what is asserted is that nobody is called. */
Test(ask, an_open_circuit_gets_no_call)
{
    struct stage *s =
        stage_begin(", retries: 0, breaker: {failures: 1, pause: 1h, pause_max: 1h}", NULL);
    stage_play(s, CHEAP, fault(500, BROKEN));
    stage_play(s, MID, good(WHOLE("mid", USAGE(10, 20))));
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, FROM("mid"),
                 "\"calls\":[{\"expert\":\"cheap\"", NULL);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    for (int i = 0; i < 3; i++)
        stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, FROM("mid"), NULL);
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 503, "retry-after: 3600\r\n",
                 "cheap: circuit open", NULL);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    stage_end(s);
}

Test(ask, the_retries_of_one_request_may_open_the_circuit)
{
    struct stage *s = stage_begin(", retries: 9, breaker: {failures: 2}", NULL);
    stage_play(s, CHEAP, fault(500, BROKEN));
    stage_play(s, MID, good(WHOLE("mid", USAGE(10, 20))));
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, FROM("mid"), NULL);
    cr_expect_eq(stage_asked(s, CHEAP), 2, "nobody waits for a door that has closed");
    stage_end(s);
}

Test(ask, when_everybody_fails_the_last_failure_is_told)
{
    struct stage *s = stage_begin(", retries: 0, breaker: {failures: 1, pause: 20s}", NULL);
    for (size_t i = 0; i < STAGE_EXPERTS; i++)
        stage_play(s, (enum stage_expert)i, fault(500, BROKEN));
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 502, "answered 500: broken", NULL);
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 503, "retry-after: ", "cheap: circuit open",
                 "mid: circuit open", "dear: circuit open", "\"code\":\"overloaded\"", NULL);
    for (size_t i = 0; i < STAGE_EXPERTS; i++)
        cr_expect_eq(stage_asked(s, (enum stage_expert)i), 1);
    stage_end(s);
}

Test(ask, an_account_without_money_is_not_asked_again)
{
    struct stage *s = stage_begin(", retries: 5", NULL);
    stage_play(s, CHEAP, fault(429, NO_MONEY));
    stage_play(s, MID, good(WHOLE("mid", USAGE(10, 20))));
    for (int i = 0; i < 2; i++)
        stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, FROM("mid"), NULL);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    stage_end(s);
}

Test(ask, a_model_that_is_not_there_is_our_fault)
{
    struct stage *s = stage_begin(", retries: 5", NULL);
    stage_play(s, CHEAP, fault(404, NO_MODEL));
    stage_play(s, MID, good(WHOLE("mid", USAGE(10, 20))));
    log_catch();
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, FROM("mid"), NULL);
    cr_expect(strstr(log_read(), "does not have its upstream_model") &&
                  strstr(log_read(), " expert=cheap"),
              "%s", log_read());
    log_release();
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 404, NO_MODEL, NULL);
    stage_end(s);
}

Test(ask, one_at_a_time_the_next_waits_its_turn)
{
    struct stage *s = stage_begin(", concurrency: 1", NULL);
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_NOTHING});
    stage_play(s, CHEAP, good(WHOLE("second", USAGE(1, 1))));
    int first = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    test_wait(&s->asked);
    int second = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    usleep(100000);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    close(first); /* its place goes to who waits */
    char *answer = test_read_all(second);
    cr_expect(strstr(answer, "second"), "%s", answer);
    free(answer);
    close(second);
    stage_end(s);
}

Test(ask, who_leaves_the_line_makes_no_call)
{
    struct stage *s = stage_begin(", concurrency: 1", NULL);
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_NOTHING});
    log_catch();
    int first = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    test_wait(&s->asked);
    int second = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    usleep(100000);
    close(second);
    log_wait("error=\"client gone\"");
    cr_expect(strstr(log_read(), " attempts=0 "), "%s", log_read());
    log_release();
    close(first);
    test_wait(&s->gone);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    stage_end(s);
}

/* From the line to somebody with a place; and nobody else is waited for in line. */
Test(ask, no_place_in_time_goes_to_the_next)
{
    struct stage *s = stage_begin(", concurrency: 1, queue: {timeout: 50ms}", NULL);
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_NOTHING});
    stage_play(s, MID, good(WHOLE("mid", USAGE(1, 1))));
    int first = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    test_wait(&s->asked);
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, FROM("mid"), NULL);
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 429, "retry-after: 1\r\n",
                 "\"type\":\"rate_limit_error\"", "cheap: no place became free in time", NULL);
    close(first);
    stage_end(s);
}

/* The process ends while somebody waits. */
Test(ask, an_end_with_somebody_in_line)
{
    struct stage *s = stage_prepare(", concurrency: 1", NULL);
    s->config->drain.timeout_ms = 100;
    stage_start(s);
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_NOTHING});
    int first = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    test_wait(&s->asked);
    int second = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    usleep(100000);
    stage_end(s);
    close(first);
    close(second);
}

Test(ask, a_member_with_an_open_circuit_has_failed)
{
    struct stage *s =
        stage_begin_plan(", retries: 0, breaker: {failures: 1, pause: 1h}", SERVE_TEST_PANEL);
    stage_play(s, CHEAP, fault(500, BROKEN));
    stage_play(s, MID, good(WHOLE("B", USAGE(10, 20))));
    stage_play(s, DEAR, good(WHOLE("A", USAGE(10, 20))));
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, "\"A\"", NULL);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, NULL); /* the panel is no candidate */
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    stage_end(s);
}

/* The panel is chosen, and one of its members finds no place. */
Test(ask, a_member_without_a_place_has_failed)
{
    struct stage *s =
        stage_begin_plan(", retries: 0, concurrency: 1, queue: {timeout: 50ms}", SERVE_TEST_PANEL);
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_NOTHING});
    stage_play(s, MID, good(WHOLE("B", USAGE(10, 20))));
    stage_play(s, DEAR, good(WHOLE("A", USAGE(10, 20))));
    int busy = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    test_wait(&s->asked);
    char *answer = stage_ask(s, CHAT_PATH, CHAT_TO("leeroo", ""));
    cr_expect(strstr(answer, "\"A\"") && !strstr(answer, "{\"expert\":\"cheap\""), "%s", answer);
    free(answer);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    close(busy);
    stage_end(s);
}
