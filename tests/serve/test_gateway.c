/* Paths, methods and the way down. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/gateway_int.h"
#include "stage.h"

/* Paths */

static const struct path *find(const char *path)
{
    return path_find(&(struct path_table){0}, str_from(path), STR("GET"));
}

Test(gateway_paths, are_found_whole_or_by_what_they_begin_with)
{
    cr_expect_str_eq(find("/v1/messages")->path, "/v1/messages");
    cr_expect_str_eq(find("/v1/messages/count_tokens")->path, "/v1/messages/count_tokens");
    cr_expect_str_eq(find("/v1/models")->path, "/v1/models");
    cr_expect_str_eq(find("/v1/models/a/b")->path, "/v1/models/");
    cr_expect_str_eq(find("/v1/requests/req_1")->path, "/v1/requests/");
    static const char *const unknown[] = {
        "", "/", "/v1/messages/", "/v1/requests", "/metrics/x", "/V1/models"};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        cr_expect_null(find(unknown[i]), "%s", unknown[i]);
}

Test(gateway_paths, what_takes_get_takes_head)
{
    const struct path *get = find("/v1/models"), *post = find("/v1/route");
    cr_expect(path_takes(get, STR("GET")) && path_takes(get, STR("HEAD")));
    cr_expect_not(path_takes(get, STR("POST")) || path_takes(get, STR("get")));
    cr_expect(path_takes(post, STR("POST")));
    cr_expect_not(path_takes(post, STR("GET")) || path_takes(post, STR("HEAD")));
}

Test(gateway_paths, all_need_a_key_but_the_two_for_whoever_runs_the_process)
{
    cr_expect_eq(find("/healthz")->admission, ADMISSION_OPEN);
    cr_expect_eq(find("/readyz")->admission, ADMISSION_OPEN);
    cr_expect_eq(find("/v1/feedback")->admission, ADMISSION_KEY);
    cr_expect_eq(find("/metrics")->admission, ADMISSION_METRICS);
    static const char *const usual[] = {"/v1/chat/completions", "/v1/embeddings", "/v1/route",
                                        "/v1/requests/req_1"};
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        cr_expect_eq(find(usual[i])->admission, ADMISSION_USUAL, "%s", usual[i]);
}

Test(gateway_paths, errors_are_in_the_words_of_the_api)
{
    static const char *const anthropic[] = {"/v1/messages", "/v1/messages/count_tokens",
                                            "/v1/messages/none", "/v1/messages?beta=true"};
    for (size_t i = 0; i < sizeof(anthropic) / sizeof(anthropic[0]); i++)
        cr_expect_eq(path_words(str_from(anthropic[i])), FRONT_MESSAGES, "%s", anthropic[i]);
    cr_expect_eq(path_words(STR("/v1/chat/completions")), FRONT_CHAT);
    cr_expect_eq(path_words(STR("/v1/responses")), FRONT_CHAT);
    cr_expect_eq(path_words(STR("/v1/mess")), FRONT_CHAT, "cut before it told");
    cr_expect_eq(path_words(STR("")), FRONT_CHAT);
}

Test(gateway, every_path_says_what_it_takes)
{
    struct stage *s = stage_begin(NULL, NULL);
    stage_expect(s, "/healthz", NULL, 200, "{\"status\":\"ok\"}", NULL);
    stage_expect(s, "/readyz", NULL, 200, "{\"status\":\"ready\"}", NULL);
    stage_expect(s, "/v1/modelsx", NULL, 404, "unknown path /v1/modelsx", NULL);
    stage_expect(s, "/", "{}", 404, "/v1/chat/completions", NULL);
    stage_expect(s, CHAT_PATH, NULL, 405, "allow: POST\r\n", "takes POST", NULL);
    stage_expect(s, "/v1/models", "{}", 405, "allow: GET, HEAD\r\n", NULL);
    stage_expect(s, "/healthz", "{}", 405, "allow: GET, HEAD\r\n", NULL);
    char *head =
        test_ask(s->port, "HEAD /healthz HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    cr_expect(str_starts(str_from(head), STR("HTTP/1.1 200 ")), "%s", head);
    cr_expect(str_ends(str_from(head), STR("\r\n\r\n")), "no body: %s", head);
    free(head);
    stage_end(s);
}

/* A page of elsewhere is refused, whatever it sends; one that was served under our own name has to say that it sends
 * JSON. */
Test(gateway, a_web_page_spends_no_money)
{
    static const struct {
        const char *origin, *type, *start;
    } rows[] = {{"http://evil", "text/plain", "HTTP/1.1 403 "},
                {"http://evil", "application/json", "HTTP/1.1 403 "},
                {"null", "application/json", "HTTP/1.1 403 "},
                {"http://h", "text/plain", "HTTP/1.1 415 "},
                {"http://h", "application/json", "HTTP/1.1 400 "}};
    struct stage *s = stage_begin(NULL, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[300];
        snprintf(text, sizeof(text),
                 "POST " CHAT_PATH " HTTP/1.1\r\nhost: h\r\nconnection: close\r\norigin: %s\r\n"
                 "content-type: %s\r\ncontent-length: 2\r\n\r\n{}",
                 rows[i].origin, rows[i].type);
        char *answer = test_ask(s->port, text);
        cr_expect(str_starts(str_from(answer), str_from(rows[i].start)), "%zu: %s", i, answer);
        free(answer);
    }
    stage_end(s);
}

Test(gateway, an_address_in_use_is_an_error)
{
    struct stage *s = stage_begin(NULL, NULL);
    struct gateway *second = NULL;
    struct error err = {0};
    s->config->listen = str_from(local_address(s->local));
    cr_expect_eq(gateway_create(s->config, s->model, &second, &err), ERR_IO);
    cr_expect_null(second);
    cr_expect(strstr(err.text, "in use"), "%s", err.text);
    gateway_free(NULL);
    stage_end(s);
}

/* A gateway on a thread, and what its run returned. */
struct run {
    struct gateway *gateway;
    pthread_t thread;
    enum status status;
    struct error err;
};

static void *run_gateway(void *arg)
{
    struct run *r = arg;
    r->status = gateway_run(r->gateway, false, &r->err);
    return NULL;
}

static void run_start(struct run *r, struct stage *s)
{
    cr_assert_eq(gateway_create(s->config, s->model, &r->gateway, &r->err), OK, "%s", r->err.text);
    s->port = atoi(strrchr(gateway_address(r->gateway), ':') + 1);
    cr_assert_eq(pthread_create(&r->thread, NULL, run_gateway, r), 0);
}

static void run_end(struct run *r, struct stage *s, enum status wanted)
{
    pthread_join(r->thread, NULL);
    cr_expect_eq(r->status, wanted, "%s", r->err.text);
    gateway_free(r->gateway);
    stage_end(s);
}

Test(gateway, a_drain_finishes_what_runs)
{
    struct run r = {0};
    struct stage *s = stage_prepare(NULL, NULL);
    s->config->threads = 3;
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_BEGIN, .body = TEXT_EVENT("first")});
    run_start(&r, s);
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("cheap", STREAMED));
    free(test_read_until(fd, "first\"}}]}\n\n"));
    log_catch();
    gateway_drain(r.gateway);
    gateway_drain(r.gateway); /* twice is once */
    log_wait("msg=draining");
    stage_more(s, TEXT_EVENT("last") STOP_EVENT DONE_EVENT);
    stage_finish(s);
    char *rest = test_read_all(fd);
    log_release();
    cr_expect(strstr(rest, "last") && strstr(rest, "[DONE]"), "%s", rest);
    free(rest);
    close(fd);
    run_end(&r, s, OK);
}

Test(gateway, it_answers_through_the_delay_but_is_not_ready)
{
    struct run r = {0};
    struct stage *s = stage_prepare(NULL, NULL);
    s->config->drain.delay_ms = 3000;
    run_start(&r, s);
    log_catch();
    gateway_drain(r.gateway);
    log_wait("msg=draining");
    log_release();
    stage_expect(s, "/readyz", NULL, 503, "\"code\":\"draining\"", NULL);
    stage_expect(s, "/healthz", NULL, 200, NULL);
    run_end(&r, s, OK);
}

Test(gateway, what_outlasts_the_drain_is_cut)
{
    struct run r = {0};
    struct stage *s = stage_prepare(NULL, NULL);
    s->config->drain.timeout_ms = 100;
    s->config->threads = 2;
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_BEGIN, .body = TEXT_EVENT("first")});
    run_start(&r, s);
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("cheap", STREAMED));
    free(test_read_until(fd, "first\"}}]}\n\n"));
    gateway_drain(r.gateway);
    run_end(&r, s, ERR_TIMEOUT);
    char *rest = test_read_all(fd);
    cr_expect_null(strstr(rest, "\r\n0\r\n"), "a broken answer looks broken: %s", rest);
    free(rest);
    close(fd);
}
