/* Outgoing calls: against our own server on another thread, and against a raw one that misbehaves. Compiled twice: as
 * it is, where calls to 127.0.0.1 go straight over sockets, and by test_http_curl.c, where all go by curl. */
#include "net/http_client.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/net_test.h"

#ifndef ONLY_CURL
#define ONLY_CURL false
#endif
static const struct http_client_options client_options = {.only_curl = ONLY_CURL};

/* One loop on the test's thread, one client on it. */
static struct loop *l;
static struct http_client *client;
static struct loop_timer *guard;

static void too_long(void *arg)
{
    (void)arg;
    cr_assert_fail("the call did not end");
}

static void start(void)
{
    cr_assert_eq(loop_create(&l, NULL), OK);
    cr_assert_eq(http_client_create(l, &client_options, &client, NULL), OK);
    guard = loop_timer_create(l, too_long, NULL);
    loop_timer_start(guard, WAIT_SECONDS * 1000);
}

static void stop(void)
{
    http_client_free(client);
    loop_timer_free(guard);
    loop_free(l);
}

TestSuite(http_client, .init = start, .fini = stop);

/* What a call told. */
struct told {
    char order[16]; /* h, b (once for all), d */
    int http_status, done_count;
    enum status status;
    struct error err;
    struct buf body;
    bool sent;
    char header[64];
    struct http_call *call;
    char cancel_in; /* h, b or d: cancel there */
    bool pause_in_body, progress;
    size_t bytes_while_paused;
    bool paused;
    struct loop_timer *timer;
};

static void note(struct told *t, char what)
{
    size_t len = strlen(t->order);
    if (len == 0 || t->order[len - 1] != what) {
        cr_assert_lt(len, sizeof t->order - 1);
        t->order[len] = what;
    }
    if (t->cancel_in == what)
        http_call_cancel(t->call);
}

static void on_head(struct http_call *c, int http_status)
{
    struct told *t = http_call_user(c);
    t->http_status = http_status;
    struct str h = http_call_header(c, "x-TEST");
    snprintf(t->header, sizeof t->header, "%.*s", STR_FMT(h));
    note(t, 'h');
}

static void resume(void *arg)
{
    struct told *t = arg;
    t->paused = false;
    http_call_resume(t->call);
}

static void on_body(struct http_call *c, struct str bytes)
{
    struct told *t = http_call_user(c);
    if (t->paused)
        t->bytes_while_paused += bytes.len;
    buf_add(&t->body, bytes);
    if (t->progress)
        http_call_progress(c);
    if (t->pause_in_body) {
        t->paused = true;
        http_call_pause(c);
        loop_timer_start(t->timer, 1);
    }
    note(t, 'b');
}

static void on_done(struct http_call *c, enum status status, const struct error *err)
{
    struct told *t = http_call_user(c);
    t->status = status;
    t->done_count++;
    t->err = *err;
    t->sent = http_call_sent(c);
    note(t, 'd');
    loop_stop(l);
}

static struct http_call_options options_of(struct told *t, const char *url)
{
    buf_init(&t->body, 64u << 20);
    return (struct http_call_options){.method = "GET",
                                      .url = url,
                                      .user = t,
                                      .on_head = on_head,
                                      .on_body = on_body,
                                      .on_done = on_done};
}

static void begin(struct told *t, const struct http_call_options *o)
{
    struct error err = {0};
    cr_assert_eq(http_call_start(client, o, &t->call, &err), OK, "%s", err.text);
    cr_assert_eq(t->order[0], '\0', "a callback ran inside http_call_start");
}

static void run(void)
{
    cr_assert_eq(loop_run(l, NULL), OK);
}

static char *url_of(int port, const char *path)
{
    static char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    return url;
}

/* Runs the loop a little while longer, to see that nothing more is told. */
static void run_on(unsigned ms)
{
    struct loop_timer *t = loop_timer_create(l, (void (*)(void *))loop_stop, l);
    loop_timer_start(t, ms);
    run();
    loop_timer_free(t);
}

/* Against our own server */

static void headers_back(struct http_exchange *x, void *arg)
{
    (void)arg;
    struct str accept = http_header_get(x, "accept-encoding"), test = http_header_get(x, "x-test");
    struct str agent = http_header_get(x, "user-agent"), type = http_header_get(x, "content-type");
    struct http_header h = {STR("X-Test"), test};
    char *text = arena_printf(x->arena, "%.*s %.*s?%.*s|%.*s|%.*s|%.*s|%.*s", STR_FMT(x->method),
                              STR_FMT(x->path), STR_FMT(x->query), STR_FMT(accept), STR_FMT(agent),
                              STR_FMT(type), STR_FMT(x->body));
    http_respond(x, 201, &h, 1, str_from(text));
}

Test(http_client, a_call_from_end_to_end)
{
    struct test_server *s = test_server_start(NULL, headers_back, NULL);
    static const char *const methods[] = {"POST", "PUT", "DELETE", "GET", "POST"};
    for (size_t i = 0; i < 5; i++) { /* one handle, one connection, all methods in turn */
        struct told t = {0};
        struct http_header h[] = {{STR("X-Test"), STR("value")}, {STR("X-Empty"), STR("")}};
        struct http_call_options o = options_of(&t, url_of(s->port, "/p?q"));
        o.method = methods[i];
        o.headers = h;
        o.header_count = 2;
        if (i < 2)
            o.body = STR("body");
        begin(&t, &o);
        run();
        char wanted[100];
        snprintf(wanted, sizeof wanted, "%s /p?q|identity|leeroo/" LEEROO_VERSION "||%s",
                 methods[i], i < 2 ? "body" : "");
        cr_assert_eq(t.status, OK, "%s", t.err.text);
        cr_assert_eq(t.http_status, 201);
        cr_assert_str_eq(t.order, "hbd");
        cr_assert_str_eq(t.header, "value");
        cr_assert_str_eq(t.body.ptr, wanted);
        cr_assert(t.sent);
        buf_done(&t.body);
    }
    cr_assert_eq(test_connections(s), 1);
    test_server_stop(s);
}

Test(http_client, head_has_no_body)
{
    struct test_server *s = test_server_start(NULL, headers_back, NULL);
    struct told t = {0};
    struct http_call_options o = options_of(&t, url_of(s->port, "/"));
    o.method = "HEAD";
    begin(&t, &o);
    run();
    cr_assert_eq(t.status, OK, "%s", t.err.text);
    cr_assert_str_eq(t.order, "hd");
    test_server_stop(s);
}

static void body_back(struct http_exchange *x, void *arg)
{
    (void)arg;
    http_respond(x, 200, NULL, 0, x->body);
}

Test(http_client, large_bodies_both_ways)
{
    struct test_server *s = test_server_start(NULL, body_back, NULL);
    size_t sizes[] = {0, 1, 65536, 65537, 5u << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct told t = {0};
        char *bytes = malloc(sizes[i] + 1);
        for (size_t j = 0; j < sizes[i]; j++)
            bytes[j] = (char)('a' + j % 25);
        struct http_call_options o = options_of(&t, url_of(s->port, "/"));
        o.method = "POST";
        o.body = (struct str){bytes, sizes[i]};
        begin(&t, &o);
        run();
        cr_assert_eq(t.status, OK, "%s", t.err.text);
        cr_assert(str_equal(buf_str(&t.body), o.body));
        buf_done(&t.body);
        free(bytes);
    }
    test_server_stop(s);
}

#define MANY 500

static int many_done, many_wrong;

static void on_one_of_many(struct http_call *c, enum status status, const struct error *err)
{
    struct told *t = http_call_user(c);
    if (status != OK || !str_ends(buf_str(&t->body), STR("the body")))
        many_wrong++;
    t->err = *err;
    if (++many_done == MANY)
        loop_stop(l);
}

Test(http_client, five_hundred_calls_at_once)
{
    struct rlimit limit = {4096, 4096};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        cr_skip("no 4,096 file descriptors here");
    struct test_server *s = test_server_start(NULL, headers_back, NULL);
    static struct told told[MANY];
    for (int round = 0; round < 2; round++) {
        many_done = 0;
        for (int i = 0; i < MANY; i++) {
            struct http_call_options o = options_of(&told[i], url_of(s->port, "/"));
            o.method = "POST";
            o.body = STR("the body");
            o.on_done = on_one_of_many;
            begin(&told[i], &o);
        }
        run();
        cr_assert_eq(many_wrong, 0);
        for (int i = 0; i < MANY; i++) {
            buf_done(&told[i].body);
            told[i] = (struct told){0};
        }
    }
    cr_assert_leq(test_connections(s), 512);
    test_server_stop(s);
}

Test(http_client, connections_to_a_host_are_limited)
{
    http_client_free(client);
    struct http_client_options few = {.host_connections_max = 3, .only_curl = ONLY_CURL};
    cr_assert_eq(http_client_create(l, &few, &client, NULL), OK);
    struct test_hold h;
    test_hold_init(&h);
    struct test_server *s = test_server_start(NULL, test_holding, &h);
    struct told told[10] = {0};
    for (int i = 0; i < 10; i++) {
        struct http_call_options o = options_of(&told[i], url_of(s->port, "/"));
        begin(&told[i], &o);
    }
    run_on(200);
    cr_assert_eq(test_connections(s), 3);
    cr_assert_eq(test_exchanges(s), 3);
    for (int i = 0; i < 10; i++)
        http_call_cancel(told[i].call);
    test_wait_connections(s, 0);
    test_server_stop(s);
}

/* Timeouts */

static void expect_timeout(const struct http_call_options *o, struct told *t, const char *words,
                           const char *order)
{
    uint64_t begun = clock_now_ms();
    begin(t, o);
    run();
    cr_assert_eq(t->status, ERR_TIMEOUT, "%s", t->err.text);
    cr_assert_eq(t->err.status, ERR_TIMEOUT);
    cr_assert_str_eq(t->order, order);
    cr_assert_not_null(strstr(t->err.text, words), "%s", t->err.text);
    cr_assert_lt(clock_now_ms() - begun, 5000);
    buf_done(&t->body);
}

static void expect_held_timeout(bool stream, uint32_t first_ms, uint32_t idle_ms, uint32_t total_ms,
                                const char *words)
{
    struct test_hold h;
    test_hold_init(&h);
    h.stream = stream;
    struct test_server *s = test_server_start(NULL, test_holding, &h);
    struct told t = {0};
    struct http_call_options o = options_of(&t, url_of(s->port, "/"));
    o.first_byte_timeout_ms = first_ms;
    o.idle_timeout_ms = idle_ms;
    o.total_timeout_ms = total_ms;
    expect_timeout(&o, &t, words, stream ? "hbd" : "d");
    cr_assert(t.sent);
    test_wait(&h.gone); /* the upstream is left alone at once */
    test_server_stop(s);
}

Test(http_client, timeouts)
{
    expect_held_timeout(false, 80, 0, 0, "no first byte within 80 ms");
    expect_held_timeout(true, 60000, 80, 0, "stopped for 80 ms");
    expect_held_timeout(false, 60000, 10, 80, "no complete answer within 80 ms");
    expect_held_timeout(true, 10000, 10000, 80, "no complete answer within 80 ms");
}

/* The server's one write is no progress: nobody says so. */
Test(http_client, bytes_alone_are_no_progress_where_that_is_told)
{
    struct test_hold h;
    test_hold_init(&h);
    h.stream = true;
    struct test_server *s = test_server_start(NULL, test_holding, &h);
    struct told t = {0};
    struct http_call_options o = options_of(&t, url_of(s->port, "/"));
    o.first_byte_timeout_ms = 1000; /* the head comes within it under valgrind, too */
    o.idle_timeout_ms = 10;
    o.progress_is_told = true;
    expect_timeout(&o, &t, "no content within 1000 ms", "hbd");
    test_wait(&h.gone);
    test_server_stop(s);
}

Test(http_client, idle_time_runs_from_the_progress_that_was_told)
{
    struct test_hold h;
    test_hold_init(&h);
    h.stream = true;
    struct test_server *s = test_server_start(NULL, test_holding, &h);
    struct told t = {.progress = true};
    struct http_call_options o = options_of(&t, url_of(s->port, "/"));
    o.first_byte_timeout_ms = 60000;
    o.idle_timeout_ms = 80;
    o.progress_is_told = true;
    expect_timeout(&o, &t, "stopped for 80 ms", "hbd");
    test_wait(&h.gone);
    test_server_stop(s);
}

/* A listening socket whose queue is full: the kernel drops what knocks. */
Test(http_client, connect_timeout)
{
    int listener, knock[8];
    char bound[64];
    cr_assert_eq(http_listen(":0", &listener, bound, NULL), OK);
    cr_assert_eq(listen(listener, 0), 0);
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    getsockname(listener, (struct sockaddr *)&a, &len);
    for (int i = 0; i < 8; i++) {
        knock[i] = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(knock[i], (struct sockaddr *)&a, len);
    }
    struct told t = {0};
    struct http_call_options o = options_of(&t, url_of(atoi(strrchr(bound, ':') + 1), "/"));
    o.connect_timeout_ms = 100;
    expect_timeout(&o, &t, "no connection within 100 ms", "d");
    cr_assert(!t.sent);
    for (int i = 0; i < 8; i++)
        close(knock[i]);
    close(listener);
}

Test(http_client, connection_refused)
{
    int listener;
    char bound[64];
    cr_assert_eq(http_listen(":0", &listener, bound, NULL), OK);
    close(listener); /* nobody listens there now */
    struct told t = {0};
    struct http_call_options o = options_of(&t, url_of(atoi(strrchr(bound, ':') + 1), "/secret"));
    begin(&t, &o);
    run();
    cr_assert_eq(t.status, ERR_UPSTREAM);
    cr_assert(!t.sent);
    cr_assert_str_eq(t.order, "d");
    cr_assert_null(strstr(t.err.text, "secret"), "%s", t.err.text);
    cr_assert_gt(strlen(t.err.text), 5);
}

/* Cancelling */

static void expect_cancel(char where)
{
    struct test_hold h;
    test_hold_init(&h);
    h.stream = true;
    struct test_server *s = test_server_start(NULL, test_holding, &h);
    struct told t = {.cancel_in = where};
    struct http_call_options o = options_of(&t, url_of(s->port, "/"));
    o.method = "POST";
    char *body = strdup("a body that goes away with the call");
    o.body = str_from(body);
    begin(&t, &o);
    run_on(150);
    for (int i = 0; where != 0 && !strchr(t.order, where) && i < WAIT_SECONDS * 20; i++)
        run_on(50);
    free(body);
    if (where == 0) {
        http_call_cancel(t.call);
    } else {
        cr_assert_str_eq(t.order, where == 'h' ? "h" : "hb");
    }
    run_on(50);
    cr_assert_eq(t.done_count, 0);
    test_wait(&h.gone);
    test_server_stop(s);
    buf_done(&t.body);
}

Test(http_client, cancel_between_callbacks)
{
    expect_cancel(0);
}

Test(http_client, cancel_in_on_head)
{
    expect_cancel('h');
}

Test(http_client, cancel_in_on_body)
{
    expect_cancel('b');
}

Test(http_client, cancel_in_on_done)
{
    struct test_server *s = test_server_start(NULL, headers_back, NULL);
    struct told t = {.cancel_in = 'd'};
    struct http_call_options o = options_of(&t, url_of(s->port, "/"));
    begin(&t, &o);
    run();
    cr_assert_eq(t.done_count, 1);
    run_on(20);
    test_server_stop(s);
    buf_done(&t.body);
}

Test(http_client, cancel_before_the_loop_runs)
{
    struct told t = {0};
    struct http_call_options o = options_of(&t, "http://127.0.0.1:1/");
    begin(&t, &o);
    http_call_cancel(t.call);
    run_on(30);
    cr_assert_str_eq(t.order, "");
}

static struct told *other;
static char *other_body;

static void cancel_other(struct http_call *c, struct str bytes)
{
    (void)c, (void)bytes;
    if (other) {
        cr_assert_eq(other->done_count, 0);
        http_call_cancel(other->call);
        free(other_body); /* ours again at once */
        other = NULL;
    }
}

/* From inside one call's callback the other is cancelled, whose large body is freed at once. */
Test(http_client, cancel_another_call)
{
    struct test_server *s = test_server_start(NULL, headers_back, NULL);
    size_t len = 8u << 20;
    other_body = calloc(1, len);
    struct told big = {0}, small = {0};
    struct http_call_options o = options_of(&big, url_of(s->port, "/"));
    o.method = "POST";
    o.body = (struct str){other_body, len};
    begin(&big, &o);
    other = &big;
    struct http_call_options p = options_of(&small, url_of(s->port, "/"));
    p.on_body = cancel_other;
    begin(&small, &p);
    run();
    run_on(50);
    cr_assert_eq(small.done_count, 1);
    cr_assert_eq(big.done_count, 0);
    test_server_stop(s);
    buf_done(&big.body);
    buf_done(&small.body);
}

/* The usual pattern of a retry: give the call up at its head and start the next one from there. */
static struct told *next_told;
static struct http_call_options next_options;

static void retry_in_head(struct http_call *c, int http_status)
{
    (void)http_status;
    http_call_cancel(c);
    begin(next_told, &next_options);
}

Test(http_client, start_another_from_a_callback)
{
    struct test_server *s = test_server_start(NULL, headers_back, NULL);
    struct told first = {0}, second = {0};
    next_told = &second;
    next_options = options_of(&second, url_of(s->port, "/"));
    struct http_call_options o = options_of(&first, url_of(s->port, "/"));
    o.on_head = retry_in_head;
    begin(&first, &o);
    run();
    cr_assert_eq(first.done_count, 0);
    cr_assert_eq(second.status, OK);
    test_server_stop(s);
    buf_done(&second.body);
}

Test(http_client, freeing_the_client_cancels_silently)
{
    struct test_hold h;
    test_hold_init(&h);
    struct test_server *s = test_server_start(NULL, test_holding, &h);
    struct told t = {0}, u = {0};
    struct http_call_options o = options_of(&t, url_of(s->port, "/")), p = options_of(&u, o.url);
    begin(&t, &o);
    run_on(50);
    begin(&u, &p);
    http_client_free(client);
    client = NULL;
    test_wait(&h.gone);
    cr_assert_eq(t.done_count + u.done_count, 0);
    test_server_stop(s);
}

/* Pausing */

#define FLOW_BYTES (6u << 20)

struct flow {
    atomic_size_t made;
};

static void flow_more(struct http_exchange *x)
{
    struct flow *f = x->user;
    char bytes[8192];
    size_t made = atomic_load(&f->made);
    bool room = true;
    while (room && made < FLOW_BYTES) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)('a' + (made + i) % 26);
        room = http_stream_write(x, (struct str){bytes, sizeof bytes});
        made += sizeof bytes;
        atomic_store(&f->made, made);
    }
    if (made == FLOW_BYTES)
        http_stream_end(x, NULL, 0);
}

static void flowing(struct http_exchange *x, void *arg)
{
    x->user = arg;
    x->on_drained = flow_more;
    http_stream_begin(x, 200, NULL, 0);
    flow_more(x);
}

Test(http_client, pause_and_resume_lose_nothing)
{
    struct flow f = {0};
    struct test_server *s = test_server_start(NULL, flowing, &f);
    struct told t = {.pause_in_body = true};
    t.timer = loop_timer_create(l, resume, &t);
    struct http_call_options o = options_of(&t, url_of(s->port, "/"));
    o.idle_timeout_ms = 3000;
    begin(&t, &o);
    run();
    cr_assert_eq(t.status, OK, "%s", t.err.text);
    cr_assert_eq(t.body.len, FLOW_BYTES);
    for (size_t i = 0; i < FLOW_BYTES; i++)
        if (t.body.ptr[i] != (char)('a' + i % 26))
            cr_assert_fail("wrong byte at %zu", i);
    cr_assert_eq(t.bytes_while_paused, 0);
    loop_timer_free(t.timer);
    buf_done(&t.body);
    test_server_stop(s);
}

static void pause_for_ever(struct http_call *c, struct str bytes)
{
    struct told *t = http_call_user(c);
    buf_add(&t->body, bytes);
    http_call_pause(c);
}

Test(http_client, a_paused_call_neither_reads_nor_times_out)
{
    struct flow f = {0};
    struct test_server *s = test_server_start(NULL, flowing, &f);
    struct told t = {0};
    struct http_call_options o = options_of(&t, url_of(s->port, "/"));
    o.on_body = pause_for_ever;
    o.idle_timeout_ms = 50;
    begin(&t, &o);
    run_on(300);
    cr_assert_eq(t.done_count, 0);
    cr_assert_leq(t.body.len, 16384);
    http_call_resume(t.call);
    http_call_pause(t.call); /* changed his mind */
    run_on(50);
    cr_assert_leq(t.body.len, 2 * 16384);
    http_call_cancel(t.call);
    buf_done(&t.body);
    test_server_stop(s);
}

/* Against a raw server that says what it is told, once per connection, and closes. */
struct raw {
    int listener, port, rounds;
    const char *says;
    bool reset;
    pthread_t thread;
};

static void *raw_serve(void *arg)
{
    struct raw *r = arg;
    for (int i = 0; i < r->rounds; i++) {
        int fd = accept(r->listener, NULL, NULL);
        free(test_read_until(fd, "\r\n\r\n"));
        test_send(fd, r->says);
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        if (r->reset)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(fd);
    }
    return NULL;
}

static void raw_start(struct raw *r, const char *says, int rounds)
{
    char bound[64];
    *r = (struct raw){.says = says, .rounds = rounds};
    cr_assert_eq(http_listen(":0", &r->listener, bound, NULL), OK);
    r->port = atoi(strrchr(bound, ':') + 1);
    cr_assert_eq(fcntl(r->listener, F_SETFL, 0), 0);
    cr_assert_eq(pthread_create(&r->thread, NULL, raw_serve, r), 0);
}

static void expect_raw(const char *says, enum status status, const char *order, bool sent)
{
    struct raw r;
    struct told t = {0};
    raw_start(&r, says, 1);
    struct http_call_options o = options_of(&t, url_of(r.port, "/"));
    begin(&t, &o);
    run();
    cr_assert_eq(t.status, status, "%s: %s", says, t.err.text);
    cr_assert_str_eq(t.order, order, "%s: %s", says, t.order);
    cr_assert_eq(t.sent, sent, "%s", says);
    cr_assert_eq(t.done_count, 1);
    buf_done(&t.body);
    pthread_join(r.thread, NULL);
    close(r.listener);
}

Test(http_client, a_cut_answer_is_an_error)
{
    const char *ok = "HTTP/1.1 200 OK\r\n";
    char text[200];
    expect_raw("", ERR_UPSTREAM, "d", true);
    expect_raw("HTTP/1.1 200 O", ERR_UPSTREAM, "d", true);
    snprintf(text, sizeof text, "%sContent-Length: 10\r\n\r\n12345", ok);
    expect_raw(text, ERR_UPSTREAM, "hbd", true);
    snprintf(text, sizeof text, "%sTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", ok);
    expect_raw(text, ERR_UPSTREAM, "hbd", true);
    snprintf(text, sizeof text, "%sTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ok);
    expect_raw(text, OK, "hd", true);
}

Test(http_client, odd_answers)
{
    expect_raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"
               "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
               OK, "hbd", true);
    expect_raw("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nno",
               OK, "hbd", true); /* not followed */
    expect_raw("HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno", OK, "hbd", true);
    expect_raw("nonsense\r\n\r\n", ERR_UPSTREAM, "d", true);
}

Test(http_client, a_head_without_end_is_refused)
{
    struct buf b;
    buf_init(&b, 1u << 20);
    buf_add_c(&b, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 4000; i++)
        buf_add_c(&b, "X-Header: some bytes more and more\r\n");
    expect_raw(b.ptr, ERR_UPSTREAM, "d", true);
    buf_done(&b);
}

/* The server closes a resting connection; the next call must not fail for it. */
Test(http_client, a_connection_closed_at_rest_is_replaced)
{
    struct raw r;
    raw_start(&r, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 3);
    for (int i = 0; i < 3; i++) {
        struct told t = {0};
        struct http_call_options o = options_of(&t, url_of(r.port, "/"));
        o.method = "POST";
        o.body = STR("x");
        begin(&t, &o);
        run();
        cr_assert_eq(t.status, OK, "%s", t.err.text);
        buf_done(&t.body);
        run_on(i * 30);
    }
    pthread_join(r.thread, NULL);
    close(r.listener);
}

Test(http_client, what_cannot_be_started)
{
    struct told t = {0};
    struct error err;
    struct http_header evil = {STR("x-a"), STR("b\r\nx-c: d")};
    static const char *const urls[] = {"ftp://h/", "file:///etc/passwd", "h", "", "http://h/\r\nx"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct http_call_options o = options_of(&t, urls[i]);
        cr_assert_eq(http_call_start(client, &o, &t.call, &err), ERR_INPUT, "%s", urls[i]);
        cr_assert_null(t.call);
    }
    struct http_call_options o = options_of(&t, "http://127.0.0.1:1/");
    o.headers = &evil;
    o.header_count = 1;
    cr_assert_eq(http_call_start(client, &o, &t.call, &err), ERR_INPUT);
    cr_assert_null(strstr(err.text, "x-c"));
    run_on(20);
    cr_assert_eq(t.done_count, 0);
}

Test(http_client, a_name_that_does_not_resolve)
{
    struct told t = {0};
    struct http_call_options o = options_of(&t, "http://user:hunter2@no-such-host.invalid/");
    begin(&t, &o);
    run();
    cr_assert_neq(t.status, OK);
    cr_assert(!t.sent);
    cr_assert_null(strstr(t.err.text, "hunter2"), "%s", t.err.text);
}
