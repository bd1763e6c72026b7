/* The small whole answers. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "net/net_test.h"
#include "serve/gateway_int.h"

Test(answer, request_ids_are_all_different)
{
    struct worker w = {0};
    char first[RECORD_ID_BYTES], other[RECORD_ID_BYTES], again[RECORD_ID_BYTES];
    rng_seed(&w.rng, 1);
    worker_request_id(&w, first);
    worker_request_id(&w, other);
    cr_expect_str_neq(first, other);
    rng_seed(&w.rng, 1);
    worker_request_id(&w, again);
    cr_expect_str_eq(first + 12, again + 12, "behind the time the worker's generator alone");
    cr_expect(strncmp(first, again, 12) <= 0, "they grow with time");
}

static void handle(struct http_exchange *x, void *arg)
{
    (void)arg;
    if (str_equal(x->path, STR("/json")))
        answer_json(x, 201, "req_7", STR("{}"));
    else if (str_equal(x->path, STR("/bare")))
        answer_json(x, 200, NULL, STR("[]"));
    else
        answer_error(x, "req_8", ERR_NOT_FOUND, "no \"such\" thing", "model", "gone");
}

static void expect(int port, const char *request, const char *const *parts, const char *end)
{
    char *answer = test_ask(port, request);
    for (; *parts; parts++)
        cr_expect(strstr(answer, *parts), "'%s' is not in: %s", *parts, answer);
    cr_expect(str_ends(str_from(answer), str_from(end)), "%s", answer);
    free(answer);
}

#define GET(path) "GET " path " HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"

Test(answer, is_json_with_the_request_id)
{
    struct test_server *t = test_server_start(NULL, handle, NULL);
    expect(t->port, GET("/json"),
           (const char *[]){"HTTP/1.1 201 ", "content-type: application/json\r\n",
                            "x-leeroo-request-id: req_7\r\n", "content-length: 2\r\n", NULL},
           "\r\n\r\n{}");
    expect(t->port, GET("/bare"),
           (const char *[]){"HTTP/1.1 200 ", "content-type: application/json\r\n", NULL},
           "\r\n\r\n[]");
    char *bare = test_ask(t->port, GET("/bare"));
    cr_expect_null(strstr(bare, "request-id"));
    free(bare);
    test_server_stop(t);
}

Test(answer, errors_have_the_status_of_the_table)
{
    struct test_server *t = test_server_start(NULL, handle, NULL);
    expect(t->port, GET("/error"),
           (const char *[]){"HTTP/1.1 404 ", "x-leeroo-request-id: req_8\r\n",
                            "\"message\":\"no \\\"such\\\" thing\"", "\"param\":\"model\"",
                            "\"code\":\"gone\"", NULL},
           "}}");
    test_server_stop(t);
}
