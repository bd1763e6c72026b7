/* Outgoing calls: their life, their deadlines, and which of two ways they go: http_plain.c for plain HTTP to an
 * address, http_curl.c for everything else.
 *
 * Everything runs on the loop's thread. Starting, resuming and cancelling a call leave it on a to-do list that is
 * worked off at the end of the loop's round; only a cancellation while no callback is running acts at once.
 * http_client_free must not be called from inside a callback. */
#include "net/http_client.h"

#include <stdlib.h>

#include "base/check.h"
#include "net/http_client_int.h"

#define HOST_CONNECTIONS_DEFAULT   512
#define CONNECT_TIMEOUT_MS_DEFAULT 5000u
#define SPARE_CALLS_MAX            512
#define NO_DEADLINE                UINT64_MAX

/* The to-do list */

void call_list(struct http_call *c)
{
    struct http_client *client = c->client;
    if (!c->listed) {
        c->listed = true;
        c->todo_next = NULL;
        *client->todo_last = c;
        client->todo_last = &c->todo_next;
    }
    loop_defer(client->loop, &client->round_end);
}

static void call_unlist(struct http_call *c)
{
    if (!c->listed)
        return;
    struct http_call **at = &c->client->todo_first;
    while (*at != c)
        at = &(*at)->todo_next;
    *at = c->todo_next;
    if (c->client->todo_last == &c->todo_next)
        c->client->todo_last = at;
    c->listed = false;
}

/* Deadlines: first byte, idle and total, and connecting where curl does not do it. The timer is set for the earliest
 * and looks again when it fires, so that bytes only note the time. */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t call_due_ms(const struct http_call *c)
{
    uint64_t due = NO_DEADLINE;
    if (c->o.total_timeout_ms != 0)
        due = c->started_ms + c->o.total_timeout_ms;
    if (c->paused)
        return due;
    if (c->connecting)
        due = earlier(due, c->started_ms + c->o.connect_timeout_ms);
    if (!c->got_body && c->o.first_byte_timeout_ms != 0)
        due = earlier(due, c->started_ms + c->o.first_byte_timeout_ms);
    if (c->got_body && c->o.idle_timeout_ms != 0)
        due = earlier(due, c->last_ms + c->o.idle_timeout_ms);
    return due;
}

void call_arm(struct http_call *c)
{
    uint64_t due = call_due_ms(c);
    if (due >= c->armed_ms)
        return;
    uint64_t now = loop_now_ms(c->client->loop);
    loop_timer_start(c->timer, due > now ? due - now : 0);
    c->armed_ms = due;
}

/* Ends */

static void call_free(struct http_call *c)
{
    if (!c)
        return;
    curl_call_free(c->curl);
    loop_timer_free(c->timer);
    buf_done(&c->head);
    buf_done(&c->request);
    free(c);
}

static void call_detach(struct http_call *c)
{
    plain_call_detach(c);
    curl_call_detach(c);
    c->added = false;
}

/* Off its connection and all lists; kept for the next call. */
void call_recycle(struct http_call *c)
{
    struct http_client *client = c->client;
    CHECK(client->inside == 0);
    call_detach(c);
    call_unlist(c);
    loop_timer_stop(c->timer);
    if (c->next)
        c->next->previous = c->previous;
    *(c->previous ? &c->previous->next : &client->calls) = c->next;
    c->next = c->previous = NULL;
    if (client->spare_count >= SPARE_CALLS_MAX) {
        call_free(c);
        return;
    }
    c->next = client->spare;
    client->spare = c;
    client->spare_count++;
}

static bool request_went_out(const struct http_call *c)
{
    return c->is_plain ? plain_call_sent(c) : curl_call_sent(c);
}

void call_finish(struct http_call *c, enum status status, const struct error *err)
{
    c->sent = request_went_out(c);
    call_detach(c);
    c->finished = true;
    c->o.on_done(c, status, err);
    call_recycle(c);
}

static void on_call_due(void *arg)
{
    struct http_call *c = arg;
    uint64_t now = loop_now_ms(c->client->loop), due = call_due_ms(c);
    c->armed_ms = NO_DEADLINE;
    if (due > now) {
        call_arm(c);
        return;
    }
    struct error err;
    const struct http_call_options *o = &c->o;
    if (o->total_timeout_ms != 0 && c->started_ms + o->total_timeout_ms <= now)
        error_set(&err, ERR_TIMEOUT, "no complete answer within %u ms", o->total_timeout_ms);
    else if (c->connecting && c->started_ms + o->connect_timeout_ms <= now)
        error_set(&err, ERR_TIMEOUT, "no connection within %u ms", o->connect_timeout_ms);
    else if (!c->got_body)
        error_set(&err, ERR_TIMEOUT, "no %s within %u ms",
                  o->progress_is_told ? "content" : "first byte", o->first_byte_timeout_ms);
    else
        error_set(&err, ERR_TIMEOUT, "the answer stopped for %u ms", o->idle_timeout_ms);
    call_finish(c, ERR_TIMEOUT, &err);
}

static void call_continue(struct http_call *c)
{
    c->resume = false; /* first: on_body may be called from in here, and pause again */
    c->last_ms = loop_now_ms(c->client->loop);
    if (c->is_plain)
        plain_call_continue(c);
    else
        curl_call_continue(c);
}

static void todo_run(struct http_client *client)
{
    while (client->todo_first) {
        struct http_call *c = client->todo_first;
        call_unlist(c);
        CHECK(client->todo_first != c);
        if (c->cancelled)
            call_recycle(c);
        else if (!c->added && c->is_plain)
            plain_call_add(c);
        else if (!c->added)
            curl_call_add(c);
        else if (c->resume && !c->paused)
            call_continue(c);
    }
}

static void on_round_end(void *arg)
{
    struct http_client *client = arg;
    todo_run(client);
    curl_round(client->curl);
}

/* Starting a call */

static struct http_call *call_create(struct http_client *client)
{
    struct http_call *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->client = client;
    buf_init(&c->head, CALL_RESPONSE_HEAD_BYTES);
    buf_init(&c->request, CALL_TEXT_BYTES_MAX);
    c->timer = loop_timer_create(client->loop, on_call_due, c);
    if (!c->timer) {
        call_free(c);
        return NULL;
    }
    return c;
}

static struct http_call *call_take(struct http_client *client)
{
    struct http_call *c = client->spare;
    if (!c)
        return call_create(client);
    client->spare = c->next;
    client->spare_count--;
    c->next = NULL;
    return c;
}

static void call_reset(struct http_call *c, const struct http_call_options *o)
{
    c->o = *o;
    if (c->o.connect_timeout_ms == 0)
        c->o.connect_timeout_ms = CONNECT_TIMEOUT_MS_DEFAULT;
    c->started_ms = c->last_ms = loop_now_ms(c->client->loop);
    c->armed_ms = NO_DEADLINE;
    c->added = c->cancelled = c->finished = c->paused = c->resume = false;
    c->head_done = c->got_body = c->sent = c->connecting = false;
    c->is_plain = !c->client->no_plain && plain_can(o);
    buf_clear(&c->head);
}

static void call_link(struct http_call *c)
{
    struct http_client *client = c->client;
    c->next = client->calls;
    c->previous = NULL;
    if (c->next)
        c->next->previous = c;
    client->calls = c;
}

enum status http_call_start(struct http_client *client, const struct http_call_options *o,
                            struct http_call **ret, struct error *err)
{
    CHECK(o->method);
    CHECK(o->on_done);
    struct http_call *c = call_take(client);
    if (!c)
        return error_set(err, ERR_MEMORY, "out of memory for an outgoing call");
    call_reset(c, o);
    call_link(c);
    enum status status = c->is_plain ? plain_call_prepare(c, err) : curl_call_prepare(c, err);
    if (status != OK) {
        c->cancelled = true;
        call_list(c);
        return status;
    }
    *ret = c;
    call_list(c);
    return OK;
}

void http_call_cancel(struct http_call *c)
{
    CHECK(!c->cancelled);
    if (c->finished) /* called from inside on_done, after which the call is gone anyway */
        return;
    c->cancelled = true;
    if (c->client->inside == 0)
        call_recycle(c);
    else
        call_list(c);
}

void http_call_pause(struct http_call *c)
{
    c->paused = true;
}

void http_call_resume(struct http_call *c)
{
    if (!c->paused)
        return;
    c->paused = false;
    c->resume = true;
    call_list(c);
}

void http_call_progress(struct http_call *c)
{
    c->last_ms = loop_now_ms(c->client->loop);
    c->got_body = true;
    call_arm(c);
}

void *http_call_user(const struct http_call *c)
{
    return c->o.user;
}

struct str http_call_header(const struct http_call *c, const char *name)
{
    return call_head_find(buf_str(&c->head), str_from(name));
}

bool http_call_sent(const struct http_call *c)
{
    return c->sent || c->head_done || (!c->finished && request_went_out(c));
}

/* Life of a client */

enum status http_client_create(struct loop *l, const struct http_client_options *options,
                               struct http_client **ret, struct error *err)
{
    struct http_client_options o = {0};
    if (options)
        o = *options;
    if (o.host_connections_max <= 0)
        o.host_connections_max = HOST_CONNECTIONS_DEFAULT;
    struct http_client *client = calloc(1, sizeof *client);
    if (!client)
        return error_set(err, ERR_MEMORY, "out of memory for an HTTP client");
    client->loop = l;
    client->todo_last = &client->todo_first;
    client->round_end = (struct loop_hook){.fn = on_round_end, .arg = client};
    client->use_proxy = o.use_proxy;
    client->deny_private = o.deny_private;
    client->no_plain = o.use_proxy || o.only_curl || o.deny_private;
    enum status status = curl_side_create(client, &o, &client->curl, err);
    if (status == OK)
        status = plain_side_create(client, &o, &client->plain, err);
    if (status != OK) {
        http_client_free(client);
        return status;
    }
    *ret = client;
    return OK;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    CHECK(client->inside == 0);
    for (struct http_call *first; (first = client->calls);) {
        call_recycle(first);
        CHECK(client->calls != first);
    }
    while (client->spare)
        call_free(call_take(client));
    plain_side_free(client->plain);
    curl_side_free(client->curl);
    loop_defer_cancel(client->loop, &client->round_end);
    free(client);
}
