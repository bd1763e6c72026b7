/* Calls to models in this process, as a transport. Starting one reads the request and puts it in the engine's line;
 * what comes back is told on this thread, from a message, never from inside start, resume or cancel. Time limits are
 * those of any upstream: until the first content, between contents, in all; one timer keeps them. A call lives until
 * both threads are done with it. One thread's, that of its scheduler. */
#include "infer/transport_gguf.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "infer/infer_port.h"

#define ARENA_BYTES_MAX (256u << 20)

struct transport_gguf {
    struct transport transport; /* first */
    struct scheduler *scheduler;
    struct infer_port *port;
};

static struct infer_call *of(struct transport_call *c)
{
    return (struct infer_call *)c;
}

/* Time */

static uint64_t after(uint64_t now_ms, uint32_t ms)
{
    return ms ? now_ms + ms : UINT64_MAX;
}

static void set_timer(struct infer_call *c)
{
    uint64_t now = scheduler_now_ms(c->port->scheduler);
    uint64_t next = c->silence_ends_ms < c->total_ends_ms ? c->silence_ends_ms : c->total_ends_ms;
    if (next == UINT64_MAX)
        scheduler_timer_stop(c->timer);
    else
        scheduler_timer_start(c->timer, next > now ? next - now : 0);
}

/* Nothing is told from here on; the engine lets go of it when it next looks. */
static void leave(struct infer_call *c)
{
    CHECK(!c->over);
    c->over = true;
    scheduler_timer_free(c->timer);
    c->timer = NULL;
    atomic_store(&c->gone, true);
    infer_wake(c->engine);
}

static void finish(struct infer_call *c, enum status status, const struct error *err)
{
    const struct transport_request *order = c->order;
    leave(c);
    order->on_done(order->user, status, err);
    infer_call_release(c);
}

static void on_time(void *arg)
{
    struct infer_call *c = arg;
    struct error err;
    uint64_t now = scheduler_now_ms(c->port->scheduler);
    if (now < c->silence_ends_ms && now < c->total_ends_ms) {
        set_timer(c);
        return;
    }
    bool total = now >= c->total_ends_ms;
    enum status status =
        error_set(&err, ERR_TIMEOUT, "%s",
                  total             ? "no whole answer within timeouts.total"
                  : c->has_progress ? "nothing more within timeouts.idle"
                                    : "no first token within timeouts.first_token");
    finish(c, status, &err);
}

/* Telling */

/* One piece: each callback may end the call, so that what is left of the news is looked at anew after each. */
void infer_deliver(struct infer_call *c)
{
    struct buf news;
    if (c->over || atomic_load(&c->paused))
        return;
    pthread_mutex_lock(&c->port->lock);
    news = c->news;
    buf_init(&c->news, news.limit);
    int http_status = c->http_status;
    bool ended = c->ended;
    pthread_mutex_unlock(&c->port->lock);
    if (!c->told_status && http_status) {
        c->told_status = http_status;
        c->order->on_head(c->order->user, http_status);
    }
    if (!c->over && news.len > 0)
        c->order->on_body(c->order->user, buf_str(&news));
    struct error err = {0};
    enum status status = buf_status(&news, &err);
    buf_done(&news);
    if (!c->over && status != OK)
        finish(c, status, &err);
    else if (!c->over && ended && atomic_load(&c->paused))
        return; /* told when it goes on */
    else if (!c->over && ended)
        finish(c, OK, NULL);
}

/* Starting */

/* The engine's URL, without the path of chats that the dialect adds. */
static struct infer_engine *find_engine(const char *url)
{
    struct str text = str_from(url), path = STR("/chat/completions");
    if (str_ends(text, path))
        text.len -= path.len;
    return infer_find(text);
}

static enum status read_order(struct infer_call *c, const char **param, struct error *err)
{
    struct str body = arena_copy(c->arena, c->order->body);
    if (!body.ptr)
        return error_set(err, ERR_TOO_LARGE, "the request is too long");
    enum status status = infer_request_read(body, c->arena, &c->request, param, err);
    if (status == OK && !c->request.has_seed)
        status = digest_random(&c->request.sampling.seed, sizeof(c->request.sampling.seed), err);
    return status;
}

/* What is wrong with the request is an answer with a status, as it is of any upstream. */
static void submit(struct infer_call *c)
{
    const char *param = NULL;
    struct error err;
    enum status status = read_order(c, &param, &err);
    if (status == OK)
        status = infer_submit(c, &err);
    if (status != OK)
        infer_tell_error(c, status, err.text, param);
}

/* One piece: a call is made of parts that may each be missing. */
static enum status start(struct transport *t, const struct transport_request *r,
                         struct transport_call **ret, struct error *err)
{
    struct transport_gguf *g = (struct transport_gguf *)t;
    struct infer_call *c = infer_call_create(g->port, ARENA_BYTES_MAX);
    uint64_t now = scheduler_now_ms(g->scheduler);
    if (!c)
        return error_set(err, ERR_MEMORY, "out of memory for a call");
    c->order = r;
    c->engine = find_engine(r->url);
    c->timer = scheduler_timer_create(g->scheduler, on_time, c);
    enum status status = OK;
    if (!c->engine)
        status = error_set(err, ERR_UPSTREAM, "its model is not loaded");
    else if (!c->timer)
        status = error_set(err, ERR_MEMORY, "out of memory for a call");
    if (status != OK) {
        scheduler_timer_free(c->timer);
        infer_call_release(c);
        return status;
    }
    c->silence_ends_ms = after(now, r->first_content_timeout_ms);
    c->total_ends_ms = after(now, r->total_timeout_ms);
    set_timer(c);
    submit(c);
    *ret = (struct transport_call *)c;
    return OK;
}

static void cancel(struct transport_call *call)
{
    struct infer_call *c = of(call);
    if (c->over) /* from inside on_done */
        return;
    leave(c);
    infer_call_release(c);
}

/* A reader that is slow is not the model's silence. */
static void hold(struct transport_call *call)
{
    struct infer_call *c = of(call);
    atomic_store(&c->paused, true);
    c->silence_ends_ms = UINT64_MAX;
    set_timer(c);
}

static void begin_silence(struct infer_call *c)
{
    uint32_t ms = c->has_progress ? c->order->idle_timeout_ms : c->order->first_content_timeout_ms;
    c->silence_ends_ms = after(scheduler_now_ms(c->port->scheduler), ms);
    set_timer(c);
}

static void resume(struct transport_call *call)
{
    struct infer_call *c = of(call);
    atomic_store(&c->paused, false);
    begin_silence(c);
    infer_tell(c, 0, STR(""), false);
    infer_wake(c->engine);
}

static void progress(struct transport_call *call)
{
    struct infer_call *c = of(call);
    if (c->over)
        return;
    c->has_progress = true;
    begin_silence(c);
}

static struct str header(const struct transport_call *call, const char *name)
{
    const struct infer_call *c = (const struct infer_call *)call;
    if (strcmp(name, "content-type") != 0)
        return (struct str){0};
    return c->request.stream && c->told_status == 200 ? STR("text/event-stream")
                                                      : STR("application/json");
}

static bool sent(const struct transport_call *call)
{
    return atomic_load(&((const struct infer_call *)call)->taken);
}

static const struct transport_ops ops = {.start = start,
                                         .cancel = cancel,
                                         .pause = hold,
                                         .resume = resume,
                                         .progress = progress,
                                         .header = header,
                                         .sent = sent};

enum status transport_gguf_create(struct scheduler *s, struct transport_gguf **ret,
                                  struct error *err)
{
    struct transport_gguf *t = calloc(1, sizeof(*t));
    if (t)
        t->port = infer_port_create(s);
    if (!t || !t->port) {
        free(t);
        return error_set(err, ERR_MEMORY, "out of memory for calls");
    }
    t->transport.ops = &ops;
    t->scheduler = s;
    *ret = t;
    return OK;
}

void transport_gguf_free(struct transport_gguf *t)
{
    if (!t)
        return;
    infer_port_close(t->port);
    free(t);
}

struct transport *transport_gguf_transport(struct transport_gguf *t)
{
    return &t->transport;
}
