/* Swapping the configuration under a running gateway. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/reload.h"
#include "stage.h"

#include "serve/gateway_int.h"

struct source { /* of what the next reload finds */
    struct stage *stage;
    const char *policies; /* NULL: a file that will not do */
};

static enum status load(void *arg, struct config **ret_config, struct model **ret_model,
                        struct error *err)
{
    struct source *from = arg;
    char yaml[2048];
    if (!from->policies)
        return error_set_at(err, ERR_INPUT, "leeroo.yaml", 3, 1, "unknown key 'zz'");
    int port = from->stage->upstream->port;
    snprintf(yaml, sizeof(yaml),
             "drain: {delay: 0}\nexperts:\n  - {name: cheap, url: \"http://127.0.0.1:%d/cheap\"}\n"
             "  - {name: mid, url: \"http://127.0.0.1:%d/mid\"}\npolicies: %s\n",
             port, port, from->policies);
    *ret_model = serve_test_model();
    *ret_config = serve_test_config(*ret_model, yaml);
    return OK;
}

struct world {
    struct stage *stage;
    struct source source;
    struct gateway *gateway;
    pthread_t thread;
    enum status status;
    struct error err;
};

static void *run_gateway(void *arg)
{
    struct world *w = arg;
    w->status = gateway_run(w->gateway, false, &w->err);
    return NULL;
}

static void begin(struct world *w)
{
    struct stage *s = stage_prepare(NULL, "policies: {default: {experts: [cheap]}}\n");
    s->config->threads = 3;
    *w = (struct world){.stage = s, .source = {.stage = s}};
    for (size_t e = 0; e < STAGE_EXPERTS; e++)
        stage_play(s, (enum stage_expert)e, (struct canned){.body = WHOLE("fine", USAGE(1, 1))});
    cr_assert_eq(gateway_create(s->config, s->model, &w->gateway, &w->err), OK, "%s", w->err.text);
    s->port = atoi(strrchr(gateway_address(w->gateway), ':') + 1);
    cr_assert_eq(gateway_reload_by(w->gateway, load, &w->source, &w->err), OK);
    s->config = NULL; /* the gateway's now */
    s->model = NULL;
    cr_assert_eq(pthread_create(&w->thread, NULL, run_gateway, w), 0);
    log_catch();
}

static void end(struct world *w)
{
    gateway_drain(w->gateway);
    pthread_join(w->thread, NULL);
    log_release();
    cr_expect_eq(w->status, OK, "%s", w->err.text);
    gateway_free(w->gateway);
    stage_end(w->stage);
}

static struct reload_counts counts_of(struct world *w)
{
    struct reload_counts counts;
    reload_counts(w->gateway->reload, &counts);
    return counts;
}

static void reload(struct world *w, const char *policies)
{
    struct reload_counts before = counts_of(w), now;
    w->source.policies = policies;
    reload_now(w->gateway->reload);
    do
        now = counts_of(w);
    while (now.done == before.done && now.refused == before.refused);
    cr_expect_eq(now.done - before.done, policies != NULL);
}

Test(reload, the_next_request_is_decided_by_the_new_configuration, .timeout = 60)
{
    struct world w;
    begin(&w);
    stage_expect(w.stage, CHAT_PATH, CHAT_TO("leeroo", ""), 200, "x-leeroo-expert: cheap", NULL);
    reload(&w, "{default: {experts: [mid]}}");
    for (int i = 0; i < 6; i++) /* whichever loop takes it */
        stage_expect(w.stage, CHAT_PATH, CHAT_TO("leeroo", ""), 200, "x-leeroo-expert: mid", NULL);
    stage_expect(w.stage, CHAT_PATH, CHAT_TO("dear", ""), 404, NULL);
    end(&w);
}

Test(reload, what_will_not_do_is_refused_by_one_line, .timeout = 60)
{
    struct world w;
    begin(&w);
    reload(&w, NULL);
    cr_expect(strstr(log_read(), "level=error msg=\"reload refused, the old configuration stays\" "
                                 "err=\"leeroo.yaml:3:1: unknown key 'zz'\""),
              "%s", log_read());
    stage_expect(w.stage, "/readyz", NULL, 200, NULL);
    stage_expect(w.stage, CHAT_PATH, CHAT_TO("leeroo", ""), 200, "x-leeroo-expert: cheap", NULL);
    end(&w);
}

Test(reload, a_running_stream_keeps_what_it_began_with, .timeout = 60)
{
    struct world w;
    begin(&w);
    w.stage->scripts[DEAR].count = 0;
    stage_play(w.stage, DEAR, (struct canned){.manner = CANNED_BEGIN, .body = TEXT_EVENT("first")});
    int fd = stage_send(w.stage, CHAT_PATH, CHAT_TO("dear", STREAMED));
    free(test_read_until(fd, "first\"}}]}\n\n"));
    for (int i = 0; i < 20; i++)
        reload(&w, "{default: {experts: [mid]}}"); /* without "dear" */
    stage_more(w.stage, TEXT_EVENT("last") STOP_EVENT USAGE_EVENT(3, 4) DONE_EVENT);
    stage_finish(w.stage);
    char *rest = test_read_all(fd);
    cr_expect(strstr(rest, "last") && strstr(rest, "[DONE]") && !strstr(rest, "error"), "%s", rest);
    free(rest);
    close(fd);
    log_wait("expert=dear plan=single status=200");
    end(&w);
}

Test(reload, a_gateway_that_never_ran_ends_well, .timeout = 60)
{
    struct stage *s = stage_prepare(NULL, NULL);
    struct source source = {.stage = s};
    struct gateway *g = NULL;
    struct error err = {0};
    cr_assert_eq(gateway_create(s->config, s->model, &g, &err), OK);
    cr_assert_eq(gateway_reload_by(g, load, &source, &err), OK);
    s->config = NULL;
    s->model = NULL;
    gateway_free(g);
    stage_end(s);
}
