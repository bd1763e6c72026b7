/* Services as checks: against a real server on another thread, and by a script where the order of events matters. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "expert/scripted_transport.h"
#include "expert/transport_http.h"
#include "net/net_test.h"
#include "verify/verify_int.h"
#include "verify/verify_scene.h"

#define KEY "sk-a-check-of-ours"

/* What a reply means */

static struct verify_end read_reply(int http_status, const char *reply)
{
    struct verify_settings s = verify_settings_usual(VERIFY_HTTP);
    struct verify_end end = {.cost_nano_usd = 5};
    s.key = STR(KEY);
    verify_http_read(&s, http_status, str_from(reply), &end);
    return end;
}

static void down(int http_status, const char *reply, const char *why)
{
    const struct verify_end end = read_reply(http_status, reply);
    cr_expect_eq(end.verdict, VERIFY_DOWN, "%s", reply);
    cr_expect_str_eq(end.why, why);
}

Test(verify_http, a_reply_passes_or_rejects_and_may_say_why_and_at_what_price)
{
    struct verify_end end = read_reply(200, "{\"pass\":true}");
    cr_expect_eq(end.verdict, VERIFY_PASS);
    cr_expect_str_eq(end.why, "");
    cr_expect_eq(end.cost_nano_usd, 5);
    end = read_reply(200, "{\"pass\":false,\"reason\":\"two\\nfail\",\"cost_usd\":0.002}");
    cr_expect_eq(end.verdict, VERIFY_REJECT);
    cr_expect_str_eq(end.why, "two");
    cr_expect_eq(end.cost_nano_usd, 2000000);
    end = read_reply(200, "{\"pass\":true,\"cost_usd\":0,\"reason\":null}");
    cr_expect_eq(end.cost_nano_usd, 0);
}

Test(verify_http, anything_else_is_down)
{
    down(500, "{\"pass\":true}", "HTTP 500");
    down(204, "", "HTTP 204");
    down(200, "", "its reply is no JSON object");
    down(200, "[true]", "its reply is no JSON object");
    down(200, "{}", "its reply lacks \"pass\", true or false");
    down(200, "{\"pass\":\"true\"}", "its reply lacks \"pass\", true or false");
    down(200, "{\"pass\":true,\"cost_usd\":-1}", "cost_usd of its reply is no amount in USD");
    down(200, "{\"pass\":true,\"cost_usd\":\"1\"}", "cost_usd of its reply is no amount in USD");
}

Test(verify_http, its_key_stands_in_no_text)
{
    cr_expect_str_eq(read_reply(200, "{\"pass\":false,\"reason\":\"got " KEY "\"}").why,
                     "got [redacted]");
    cr_expect_str_eq(
        read_reply(200, "{\"pass\":false,\"reason\":\"got \\u0073k-a-check-of-ours\"}").why,
        "got [redacted]");
}

/* By a script */

static struct scene s;
static struct scripted_transport script;

static void start_scripted(void)
{
    scene_init(&s, VERIFY_HTTP);
    scripted_init(&script);
    s.settings.url = "http://h/check";
    s.on.transport = &script.transport;
    scene_start(&s);
}

static void stop_scripted(void)
{
    scene_done(&s);
}

TestSuite(verify_http_script, .init = start_scripted, .fini = stop_scripted);

static struct verify_task *begin(void)
{
    const struct verify_input input = {.question = STR("q"), .answer = STR("a")};
    return scene_begin(&s, &input);
}

Test(verify_http_script, a_call_is_told_once_with_its_time)
{
    begin();
    struct scripted_call *c = scripted_at(&script, 0);
    cr_expect_str_eq(c->request->url, "http://h/check");
    cr_expect_eq(c->request->total_timeout_ms, VERIFY_TIMEOUT_MS_USUAL);
    cr_expect(str_equal(c->request->body, STR("{\"question\":\"q\",\"answer\":\"a\"}\n")));
    cr_expect_null(scripted_asked(c, "authorization").ptr);
    virtual_clock_advance(&s.clock, 250);
    scripted_answer(c, 200, "{\"pass\":true,\"reason\":\"all well\"}");
    cr_assert_eq(s.end_count, 1);
    cr_expect_eq(s.ends[0].verdict, VERIFY_PASS);
    cr_expect_eq(s.ends[0].elapsed_ms, 250);
    cr_expect_str_eq(s.ends[0].why, "all well");
}

Test(verify_http_script, a_call_that_cannot_start_is_down_later)
{
    script.starts_to_refuse = 1;
    begin();
    cr_assert_eq(s.end_count, 0);
    virtual_clock_settle(&s.clock);
    cr_assert_eq(s.end_count, 1);
    cr_expect_eq(s.ends[0].verdict, VERIFY_DOWN);
}

Test(verify_http_script, without_a_transport_it_is_down)
{
    s.on.transport = NULL;
    begin();
    virtual_clock_settle(&s.clock);
    cr_expect_eq(s.ends[0].verdict, VERIFY_DOWN);
    cr_expect_str_eq(s.ends[0].why, "nothing here makes HTTP calls");
}

Test(verify_http_script, what_is_cancelled_is_cut_off)
{
    struct verify_task *t = begin();
    verifier_cancel(t);
    cr_expect(scripted_at(&script, 0)->cancelled);
    cr_expect_eq(s.end_count, 0);
}

Test(verify_http_script, a_reply_without_end_is_not_waited_for)
{
    static char much[VERIFY_REPLY_BYTES + 2];
    memset(much, ' ', sizeof(much) - 1);
    begin();
    struct scripted_call *c = scripted_at(&script, 0);
    scripted_head(c, 200, "application/json");
    scripted_body(c, "{\"pass\":true}");
    cr_expect_eq(s.end_count, 0);
    scripted_body(c, much);
    cr_expect(c->cancelled);
    cr_assert_eq(s.end_count, 1);
    cr_expect_eq(s.ends[0].verdict, VERIFY_DOWN);
    cr_expect_str_eq(s.ends[0].why, "its reply is over 65536 bytes");
}

Test(verify_http_script, a_connection_that_breaks_or_lasts_too_long_is_down)
{
    begin();
    scripted_done(scripted_at(&script, 0), ERR_UPSTREAM);
    begin();
    scripted_done(scripted_at(&script, 1), ERR_TIMEOUT);
    cr_assert_eq(s.end_count, 2);
    cr_expect_eq(s.ends[0].verdict, VERIFY_DOWN);
    cr_expect_eq(s.ends[1].verdict, VERIFY_DOWN);
    cr_expect_str_eq(s.ends[1].why, "timed out after 10000 ms");
}

/* Against a server */

struct real {
    struct test_server *server;
    struct loop *loop;
    struct http_client *client;
    struct transport_http transport;
    struct verify_settings settings;
    struct verifier *verifier;
    struct loop_timer *guard;
    char url[100];
    struct verify_end end;
};

static struct real r;

/* Says what it was sent back: the question decides. */
static void check(struct http_exchange *x, void *arg)
{
    (void)arg;
    const struct http_header elsewhere = {STR("location"), STR("/check")};
    if (str_equal(x->path, STR("/moved")))
        http_respond(x, 302, &elsewhere, 1, STR("{\"pass\":true}"));
    else if (str_equal(x->path, STR("/slow")))
        return;
    else if (!str_equal(http_header_get(x, "authorization"), STR("Bearer " KEY)))
        http_respond(x, 401, NULL, 0, STR("{}"));
    else if (str_find(x->body, STR("\"answer\":\"4\""), 0) != SIZE_MAX)
        http_respond(x, 200, NULL, 0, STR("{\"pass\":true,\"reason\":\"" KEY "\"}"));
    else
        http_respond(x, 200, NULL, 0, STR("{\"pass\":false,\"reason\":\"2 + 2 is 4\"}"));
}

static void too_long(void *arg)
{
    (void)arg;
    cr_assert_fail("the check did not end");
}

static void open_client(bool deny_private)
{
    const struct http_client_options o = {.deny_private = deny_private};
    if (r.client)
        http_client_free(r.client);
    cr_assert_eq(http_client_create(r.loop, &o, &r.client, NULL), OK);
    r.transport = transport_http_of(r.client);
}

static void start_real(void)
{
    r = (struct real){.settings = verify_settings_usual(VERIFY_HTTP)};
    r.server = test_server_start(NULL, check, NULL);
    cr_assert_eq(loop_create(&r.loop, NULL), OK);
    open_client(false);
    r.guard = loop_timer_create(r.loop, too_long, NULL);
    loop_timer_start(r.guard, WAIT_SECONDS * 1000);
    r.settings.url = r.url;
    r.settings.key = STR(KEY);
    cr_assert_eq(verifier_create(&r.settings, &r.verifier, NULL), OK);
}

static void stop_real(void)
{
    verifier_free(r.verifier);
    http_client_free(r.client);
    loop_timer_free(r.guard);
    loop_free(r.loop);
    test_server_stop(r.server);
}

TestSuite(verify_http_real, .init = start_real, .fini = stop_real);

static void on_end(void *user, const struct verify_end *end)
{
    (void)user;
    r.end = *end;
    loop_stop(r.loop);
}

static void ask(const char *path, const char *answer, enum verify_verdict verdict, const char *why)
{
    const struct verify_thread on = {loop_scheduler(r.loop), &r.transport.transport};
    const struct verify_input input = {.question = STR("2 + 2?"), .answer = str_from(answer)};
    struct verify_task *t;
    snprintf(r.url, sizeof(r.url), "http://127.0.0.1:%d%s", r.server->port, path);
    cr_assert_eq(verifier_begin(r.verifier, &on, &input, on_end, NULL, &t, NULL), OK);
    cr_assert_eq(loop_run(r.loop, NULL), OK);
    cr_expect_eq(r.end.verdict, verdict, "%s %s: %s", path, answer, r.end.why);
    cr_expect(strstr(r.end.why, why), "'%s', not '%s'", r.end.why, why);
}

Test(verify_http_real, says_what_the_service_says)
{
    ask("/check", "4", VERIFY_PASS, "[redacted]");
    ask("/check", "5", VERIFY_REJECT, "2 + 2 is 4");
}

Test(verify_http_real, a_wrong_key_and_a_redirect_are_down)
{
    ask("/moved", "4", VERIFY_DOWN, "HTTP 302");
    r.settings.key = STR("another");
    ask("/check", "4", VERIFY_DOWN, "HTTP 401");
}

Test(verify_http_real, a_service_that_does_not_answer_is_down)
{
    int fd;
    r.settings.timeout_ms = 100;
    ask("/slow", "4", VERIFY_DOWN, "timed out after 100 ms");
    const int port = r.server->port;
    r.server->port = test_dead_port(&fd);
    ask("/check", "4", VERIFY_DOWN, "");
    r.server->port = port;
    close(fd);
}

Test(verify_http_real, a_private_address_is_denied_where_those_of_experts_are)
{
    open_client(true);
    ask("/check", "4", VERIFY_DOWN, "private");
}

Test(verify_http_real, what_is_cancelled_is_never_told)
{
    const struct verify_thread on = {loop_scheduler(r.loop), &r.transport.transport};
    const struct verify_input input = verify_sample();
    struct verify_task *t;
    snprintf(r.url, sizeof(r.url), "http://127.0.0.1:%d/slow", r.server->port);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(verifier_begin(r.verifier, &on, &input, on_end, NULL, &t, NULL), OK);
        verifier_cancel(t);
    }
    r.end.verdict = VERIFY_REJECT;
    ask("/check", "4", VERIFY_PASS, "");
}
