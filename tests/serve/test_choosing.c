/* Estimates that come later: chats, /v1/route and count_tokens go on with them, and notice who leaves before. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "route/slow_encoder.h"
#include "serve/gateway_int.h"
#include "stage.h"

#define COUNT_PATH "/v1/messages/count_tokens"
#define COUNT_BODY "{\"model\":\"leeroo\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"
#define ROUTE_BODY "{\"text\":\"hello cat\"}"

static struct stage *stage;
static struct gateway *gateway;
static pthread_t thread;

static void *run(void *arg)
{
    struct error err = {0};
    cr_expect_eq(gateway_run(arg, false, &err), OK, "%s", err.text);
    return NULL;
}

/* A gateway of one thread, at whose loop the test may get. */
static void begin(void)
{
    struct error err = {0};
    stage = stage_prepare(NULL, NULL);
    slow_encoder_put(stage->model);
    log_set_level(LOG_INFO);
    log_catch();
    cr_assert_eq(gateway_create(stage->config, stage->model, &gateway, &err), OK, "%s", err.text);
    cr_assert_eq(gateway->worker_count, 1);
    stage->port = atoi(strrchr(gateway_address(gateway), ':') + 1);
    cr_assert_eq(pthread_create(&thread, NULL, run, gateway), 0);
}

static void end(void)
{
    gateway_drain(gateway);
    pthread_join(thread, NULL);
    gateway_free(gateway);
    log_release();
    stage_end(stage);
}

static void answer_ok(void *arg)
{
    (void)arg;
    slow_encoder_answer(OK);
}

static void answer_failure(void *arg)
{
    (void)arg;
    slow_encoder_answer(ERR_UPSTREAM);
}

/* Sends, waits until the encoder is asked, and lets it answer. What the client reads is the caller's to free. */
static char *ask(const char *path, const char *body, void (*answer)(void *))
{
    int fd = stage_send(stage, path, body);
    test_wait(&slow_encoder_begun);
    cr_assert_eq(loop_post(gateway->workers[0].loop, answer, NULL), OK);
    char *read = test_read_all(fd);
    close(fd);
    return read;
}

static void leave(const char *path, const char *body)
{
    int fd = stage_send(stage, path, body);
    test_wait(&slow_encoder_begun);
    close(fd);
    test_wait(&slow_encoder_cancelled);
}

static void expect_status(char *answer, const char *status, const char *part)
{
    cr_expect(str_starts(str_from(answer), str_from(status)), "%s", answer);
    cr_expect(strstr(answer, part), "%s", answer);
    free(answer);
}

Test(choosing, a_chat_goes_on_when_its_estimates_are_there)
{
    begin();
    stage_play(stage, CHEAP, (struct canned){.body = WHOLE("hi", USAGE(3, 1))});
    expect_status(ask(CHAT_PATH, CHAT_TO("leeroo", ""), answer_ok), "HTTP/1.1 200 ", "\"hi\"");
    cr_expect_eq(stage_asked(stage, CHEAP), 1);
    end();
}

Test(choosing, hanging_up_before_the_estimates_is_a_cancelled_request)
{
    begin();
    leave(CHAT_PATH, CHAT_TO("leeroo", ""));
    log_wait("error=\"client gone\"");
    cr_expect(strstr(log_read(), " status=499 "), "%s", log_read());
    for (int e = 0; e < STAGE_EXPERTS; e++)
        cr_expect_eq(stage_asked(stage, (enum stage_expert)e), 0);
    char *page = stage_ask(stage, "/metrics", NULL);
    cr_expect(strstr(page, "outcome=\"cancelled\",code=\"499\"} 1"), "%s", page);
    free(page);
    end();
}

Test(choosing, an_encoder_that_fails_is_an_error_of_the_request)
{
    begin();
    expect_status(ask(CHAT_PATH, CHAT_TO("leeroo", ""), answer_failure), "HTTP/1.1 502 ",
                  "the encoder is away");
    expect_status(ask("/v1/route", ROUTE_BODY, answer_failure), "HTTP/1.1 502 ",
                  "the encoder is away");
    end();
}

Test(choosing, route_and_count_tokens_wait_too)
{
    begin();
    expect_status(ask("/v1/route", ROUTE_BODY, answer_ok), "HTTP/1.1 200 ", "\"expert\":\"cheap\"");
    expect_status(ask(COUNT_PATH, COUNT_BODY, answer_ok), "HTTP/1.1 200 ", "\"input_tokens\":");
    end();
}

Test(choosing, route_and_count_tokens_notice_who_leaves)
{
    begin();
    leave("/v1/route", ROUTE_BODY);
    log_wait(" status=499 error=cancelled");
    leave(COUNT_PATH, COUNT_BODY);
    cr_expect_eq(slow_encoder_pending(), 0);
    expect_status(ask("/v1/route", ROUTE_BODY, answer_ok), "HTTP/1.1 200 ", "\"expert\":\"cheap\"");
    end();
}

/* Whoever waits at the end is cut with all that runs. */
Test(choosing, a_gateway_ends_with_estimates_pending)
{
    stage = stage_prepare(NULL, NULL);
    struct error err = {0};
    slow_encoder_put(stage->model);
    stage->config->drain.timeout_ms = 50;
    log_set_level(LOG_OFF);
    cr_assert_eq(gateway_create(stage->config, stage->model, &gateway, &err), OK);
    stage->port = atoi(strrchr(gateway_address(gateway), ':') + 1);
    int fd = stage_send(stage, CHAT_PATH, CHAT_TO("leeroo", ""));
    int other = stage_send(stage, COUNT_PATH, COUNT_BODY);
    gateway_drain(gateway);
    enum status status = gateway_run(gateway, false, &err);
    cr_expect(status == OK || status == ERR_TIMEOUT);
    gateway_free(gateway);
    cr_expect_eq(slow_encoder_pending(), 0);
    close(fd);
    close(other);
    stage_end(stage);
}
