/* The gateway through its in-process client: what needs no upstream. With upstreams: tests/e2e. */
#include "serve/local.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/net_test.h"
#include "serve_test.h"

static void ask(const struct config *config, const struct model *model, const char *path,
                const char *body, struct local_reply *reply, struct buf *whole)
{
    struct local *local = NULL;
    struct error err = {0};
    buf_init(whole, 1 << 20);
    cr_assert_eq(local_start(config, model, NULL, &local, &err), OK, "%s", err.text);
    cr_assert(strstr(local_address(local), "127.0.0.1:"));
    for (int twice = 0; twice < 2; twice++) { /* the loop and the connection are used again */
        buf_clear(whole);
        cr_assert_eq(local_post(local, path, str_from(body), NULL, NULL, whole, reply, &err), OK,
                     "%s", err.text);
    }
    local_stop(local);
}

#define CHAT "{\"model\":\"cheap\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static void expect(const char *yaml, const char *path, const char *body, int http_status,
                   const char *part)
{
    struct local_reply reply = {0};
    struct buf whole;
    struct model *model = serve_test_model();
    struct config *config = serve_test_config(model, yaml);
    config->drain.delay_ms = 0;
    ask(config, model, path, body, &reply, &whole);
    cr_expect_eq(reply.http_status, http_status, "%s", whole.ptr);
    cr_expect(strstr(whole.ptr, part), "'%s' is not in: %s", part, whole.ptr);
    buf_done(&whole);
    config_free(config);
    model_free(model);
}

Test(local, routes)
{
    expect(SERVE_TEST_EXPERTS, "/v1/route", "{\"text\":\"hello cat\"}", 200, "\"plan\":\"single\"");
}

Test(local, errors_are_bodies_not_failures)
{
    expect(SERVE_TEST_EXPERTS, "/v1/route", "{", 400, "request body:1:2");
}

Test(local, an_expert_that_is_down)
{
    char yaml[128];
    int fd;
    snprintf(yaml, sizeof(yaml),
             "experts: [{name: cheap, url: \"http://127.0.0.1:%d\", retries: 0}]\n",
             test_dead_port(&fd));
    expect(yaml, "/v1/chat/completions", CHAT, 502, "\"code\":\"upstream_error\"");
    close(fd);
}

Test(local, wrong_method)
{
    expect(SERVE_TEST_EXPERTS, "/v1/models", "{}", 405, "method_not_allowed");
}

Test(local, stopping_nothing_is_fine)
{
    local_stop(NULL);
}
