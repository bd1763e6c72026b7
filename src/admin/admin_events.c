/* GET /v1/admin/events: the object of /v1/admin/now as server-sent events, at once and once a second.
 *
 * Worker 0's tick writes the event once, for all; each worker with listeners gets it by a message and sends it to its
 * own. What is sent belongs to whoever holds it last. A worker that has not taken the last one yet misses this one, and
 * a listener that does not read is cut off. A stream ends when its key or its session has ended, or nobody without one
 * is let in any more; after LIFE_MS, so that its client comes back past the door; and when the gateway drains. */
#include <stdatomic.h>
#include <stdlib.h>

#include "admin/admin_int.h"
#include "base/clock.h"

#define LISTENERS_MAX 200
#define LIFE_MS       60000
/* Who has not taken so many events, or so many bytes where that is more, does not read. */
#define BEHIND_EVENTS_MAX 4
#define BEHIND_BYTES_MIN  16384
#define PING_TICKS        15
#define EVENT_BYTES_MAX   (FIGURES_NOW_BYTES_MAX + 64)

struct event { /* immutable */
    atomic_size_t holders;
    bool last; /* the gateway drains: streams end behind it */
    struct buf text;
};

struct listener { /* in the exchange's arena */
    struct http_exchange *x;
    struct ears *ears;
    const struct caller *caller; /* in the same arena */
    struct listener *previous, *next;
    uint64_t end_ms;
};

struct ears { /* of one worker */
    struct events *events;
    struct worker *worker;
    struct listener *first;        /* the worker's */
    atomic_size_t count;           /* of them */
    _Atomic(struct event *) event; /* on its way; NULL: the worker has taken it */
    struct loop_message message;
};

struct events {
    struct figures *figures;
    atomic_size_t count;
    unsigned ticks; /* worker 0's */
    size_t ears_count;
    struct ears ears[];
};

/* Events */

static void release(struct event *e)
{
    if (!e || atomic_fetch_sub(&e->holders, 1) != 1)
        return;
    buf_done(&e->text);
    free(e);
}

/* Held once. NULL: no memory. */
static struct event *write_event(struct events *all, struct worker *w, const char *before,
                                 bool last)
{
    struct event *e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    atomic_init(&e->holders, 1);
    e->last = last;
    buf_init(&e->text, EVENT_BYTES_MAX);
    buf_addf(&e->text, "%sevent: now\ndata: ", before);
    figures_write_now(all->figures, w, &e->text);
    buf_add_c(&e->text, "\n\n");
    if (e->text.status != OK) {
        release(e);
        return NULL;
    }
    return e;
}

/* Listeners, on their worker's loop */

static void forget(struct listener *l)
{
    if (l->previous)
        l->previous->next = l->next;
    else
        l->ears->first = l->next;
    if (l->next)
        l->next->previous = l->previous;
    l->x->on_gone = NULL;
    atomic_fetch_sub(&l->ears->count, 1);
    atomic_fetch_sub(&l->ears->events->count, 1);
}

static void on_gone(struct http_exchange *x)
{
    forget(x->user);
}

static void end_of(struct listener *l, bool reads)
{
    struct http_exchange *x = l->x;
    forget(l);
    if (reads)
        http_stream_end(x, NULL, 0);
    else
        http_abort(x);
}

static void send_to(struct listener *l, const struct event *e, uint64_t now_ms)
{
    size_t most = BEHIND_EVENTS_MAX * e->text.len;
    bool reads = http_stream_unsent(l->x) <= (most > BEHIND_BYTES_MIN ? most : BEHIND_BYTES_MIN);
    if (!reads || !admission_holds(l->ears->worker, l->caller)) {
        end_of(l, reads);
        return;
    }
    bool room = http_stream_write(l->x, buf_str(&e->text));
    if (!room || e->last || now_ms >= l->end_ms)
        end_of(l, room);
}

static void deliver(void *arg)
{
    struct ears *ears = arg;
    struct event *e = atomic_exchange(&ears->event, NULL);
    uint64_t now_ms = clock_now_ms();
    for (struct listener *l = ears->first, *next; l; l = next) {
        next = l->next;
        send_to(l, e, now_ms);
    }
    release(e);
}

/* Worker 0 */

static void post(struct ears *ears, struct event *e)
{
    struct event *none = NULL;
    atomic_fetch_add(&e->holders, 1);
    if (!atomic_compare_exchange_strong(&ears->event, &none, e)) {
        atomic_fetch_sub(&e->holders,
                         1); /* the one before is still there; the caller holds it, too */
        return;
    }
    ears->message = (struct loop_message){.fn = deliver, .arg = ears};
    loop_post_message(ears->worker->loop, &ears->message);
}

void events_tick(struct events *all)
{
    struct gateway *g = all->figures->gateway;
    bool last = atomic_load(&g->draining);
    if (atomic_load(&all->count) == 0)
        return;
    struct event *e =
        write_event(all, &g->workers[0], ++all->ticks % PING_TICKS ? "" : ": ping\n\n", last);
    if (!e)
        return;
    for (size_t i = 0; i < all->ears_count; i++)
        if (atomic_load(&all->ears[i].count) > 0)
            post(&all->ears[i], e);
    release(e);
}

/* The handler */

static void listen_on(struct ears *ears, struct listener *l, struct http_exchange *x,
                      const struct caller *caller)
{
    *l = (struct listener){.x = x,
                           .ears = ears,
                           .caller = caller,
                           .next = ears->first,
                           .end_ms = clock_now_ms() + LIFE_MS};
    if (ears->first)
        ears->first->previous = l;
    ears->first = l;
    atomic_fetch_add(&ears->count, 1);
    x->user = l;
    x->on_gone = on_gone;
}

static void begin_stream(struct http_exchange *x, struct str text)
{
    static const struct http_header headers[] = {
        {STR_INIT("content-type"), STR_INIT("text/event-stream; charset=utf-8")},
        {STR_INIT("cache-control"), STR_INIT("no-store")},
        {STR_INIT("x-accel-buffering"), STR_INIT("no")},
    };
    http_stream_begin(x, 200, headers, sizeof(headers) / sizeof(headers[0]));
    (void)http_stream_write(x, text);
}

/* One piece: a listener is either counted and heard from at once, or told why not. */
void admin_events(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct events *all = figures_of(w)->events;
    struct ears *ears = &all->ears[w - w->gateway->workers];
    struct listener *l = ARENA_NEW(x->arena, struct listener);
    struct event *e = write_event(all, w, "", false);
    if (!l || !e) {
        answer_error(x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
    } else if (atomic_load(&w->gateway->draining)) {
        answer_error(x, NULL, ERR_OVERLOAD, "the gateway is shutting down", NULL, "draining");
    } else if (str_equal(x->method, STR("HEAD"))) {
        begin_stream(x, STR(""));
        http_stream_end(x, NULL, 0);
    } else if (atomic_fetch_add(&all->count, 1) >= LISTENERS_MAX) {
        atomic_fetch_sub(&all->count, 1);
        answer_error(x, NULL, ERR_OVERLOAD,
                     "200 listen already; close a page, or ask /v1/admin/now", NULL,
                     "too_many_listeners");
    } else {
        listen_on(ears, l, x, caller);
        begin_stream(x, buf_str(&e->text));
    }
    release(e);
}

/* Life */

size_t events_count(const struct events *e)
{
    return atomic_load(&e->count);
}

enum status events_create(struct figures *f, struct events **ret, struct error *err)
{
    size_t count = f->gateway->worker_count;
    struct events *all = calloc(1, sizeof(*all) + count * sizeof(all->ears[0]));
    if (!all)
        return error_set(err, ERR_MEMORY, "out of memory for listeners");
    all->figures = f;
    all->ears_count = count;
    for (size_t i = 0; i < count; i++) {
        all->ears[i].events = all;
        all->ears[i].worker = &f->gateway->workers[i];
    }
    *ret = all;
    return OK;
}

void events_free(struct events *all)
{
    for (size_t i = 0; all && i < all->ears_count; i++)
        release(atomic_load(&all->ears[i].event));
    free(all);
}
