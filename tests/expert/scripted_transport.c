/* Requests as they came, answers as the test has them. */
#include "scripted_transport.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"

#define EVENT_BYTES_MAX (256u << 10)

static void tell(const struct scripted_call *c, const char *act)
{
    if (c->script->on_act)
        c->script->on_act(c->script->user, c, act);
}

static enum status start(struct transport *t, const struct transport_request *r,
                         struct transport_call **ret, struct error *err)
{
    struct scripted_transport *s = (struct scripted_transport *)t;
    if (s->starts_to_refuse > 0) {
        s->starts_to_refuse--;
        return error_set(err, ERR_MEMORY, "out of memory for a call");
    }
    cr_assert_lt(s->count, SCRIPTED_CALLS_MAX);
    struct scripted_call *c = &s->calls[s->count++];
    *c = (struct scripted_call){.script = s, .request = r, .runs = true};
    tell(c, "ask");
    *ret = (struct transport_call *)c;
    return OK;
}

static struct scripted_call *running(struct transport_call *call)
{
    struct scripted_call *c = (struct scripted_call *)call;
    cr_assert(c->runs, "a call that is over was touched");
    return c;
}

static void cancel(struct transport_call *call)
{
    struct scripted_call *c = running(call);
    cr_assert(c->request->url[0], "the request is gone");
    c->runs = false;
    c->cancelled = true;
    tell(c, "cancel");
}

static void hold(struct transport_call *call)
{
    struct scripted_call *c = running(call);
    c->paused = true;
    tell(c, "pause");
}

static void resume(struct transport_call *call)
{
    struct scripted_call *c = running(call);
    c->paused = false;
    tell(c, "resume");
}

static void progress(struct transport_call *call)
{
    running(call)->progress++;
}

static struct str header(const struct transport_call *call, const char *name)
{
    const struct scripted_call *c = (const struct scripted_call *)call;
    for (size_t i = 0; i < c->header_count; i++)
        if (str_equal_nocase(c->headers[i].name, str_from(name)))
            return c->headers[i].value;
    return (struct str){0};
}

static bool sent(const struct transport_call *call)
{
    return !((const struct scripted_call *)call)->unsent;
}

static const struct transport_ops ops = {.start = start,
                                         .cancel = cancel,
                                         .pause = hold,
                                         .resume = resume,
                                         .progress = progress,
                                         .header = header,
                                         .sent = sent};

void scripted_init(struct scripted_transport *s)
{
    *s = (struct scripted_transport){.transport = {&ops}};
}

struct scripted_call *scripted_at(struct scripted_transport *s, size_t i)
{
    cr_assert_lt(i, s->count, "%zu calls were started", s->count);
    return &s->calls[i];
}

void scripted_header(struct scripted_call *c, const char *name, const char *value)
{
    cr_assert_lt(c->header_count, SCRIPTED_HEADERS_MAX);
    c->headers[c->header_count++] = (struct http_header){str_from(name), str_from(value)};
}

void scripted_head(struct scripted_call *c, int http_status, const char *content_type)
{
    scripted_header(c, "content-type", content_type);
    c->head_done = true;
    c->request->on_head(c->request->user, http_status);
}

static void hold_back(struct scripted_call *c, struct str bytes)
{
    cr_assert_leq(c->held_len + bytes.len, sizeof(c->held));
    memcpy(c->held + c->held_len, bytes.ptr, bytes.len);
    c->held_len += bytes.len;
}

static void pass_on(struct scripted_call *c, struct str bytes)
{
    if (c->runs && bytes.len > 0)
        c->request->on_body(c->request->user, bytes);
}

static void let_go(struct scripted_call *c)
{
    struct str held = {c->held, c->held_len};
    c->held_len = 0;
    pass_on(c, held);
}

void scripted_body(struct scripted_call *c, const char *bytes)
{
    if (c->paused) {
        hold_back(c, str_from(bytes));
        return;
    }
    let_go(c);
    pass_on(c, str_from(bytes));
}

void scripted_event(struct scripted_call *c, const char *data)
{
    struct buf event;
    if (!c->head_done)
        scripted_head(c, 200, "text/event-stream");
    buf_init(&event, EVENT_BYTES_MAX);
    buf_addf(&event, "data: %s\n\n", data);
    cr_assert_eq(event.status, OK);
    scripted_body(c, event.ptr);
    buf_done(&event);
}

void scripted_done(struct scripted_call *c, enum status status)
{
    struct error err = {0};
    cr_assert(c->runs && !c->paused, "a call that is over, or paused, cannot end");
    let_go(c);
    if (!c->runs)
        return;
    if (status != OK)
        error_set(&err, status, "the connection broke");
    c->request->on_done(c->request->user, status, &err);
    c->runs = false;
}

void scripted_answer(struct scripted_call *c, int http_status, const char *body)
{
    scripted_head(c, http_status, "application/json");
    scripted_body(c, body);
    if (c->runs)
        scripted_done(c, OK);
}

struct str scripted_asked(const struct scripted_call *c, const char *name)
{
    for (size_t i = 0; i < c->request->header_count; i++)
        if (str_equal_nocase(c->request->headers[i].name, str_from(name)))
            return c->request->headers[i].value;
    return (struct str){0};
}
