/* News of calls on their way to the thread that asked, in the order in which they came. The engine's thread adds,
 * the other takes all there is at once: one message for many tokens where a loop is busy, none where one is on its
 * way already. Nothing but counts and lists happens under the lock, so that neither thread waits for the other's
 * work. */
#include "infer/infer_port.h"

#include <stdlib.h>
#include <time.h>

#include "base/arena.h"

#define NEWS_BYTES_MAX  (2 * INFER_ANSWER_BYTES_MAX)
#define POST_TRIES_MAX  1000 /* without memory for a message, a millisecond apart */
#define ERROR_BYTES_MAX 8192

struct infer_port *infer_port_create(struct scheduler *s)
{
    struct infer_port *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    atomic_init(&p->holders, 1);
    pthread_mutex_init(&p->lock, NULL);
    p->scheduler = s;
    return p;
}

static void release_port(struct infer_port *p)
{
    if (atomic_fetch_sub(&p->holders, 1) != 1)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

struct infer_call *infer_call_hold(struct infer_call *c)
{
    atomic_fetch_add(&c->holders, 1);
    return c;
}

void infer_call_release(struct infer_call *c)
{
    if (!c || atomic_fetch_sub(&c->holders, 1) != 1)
        return;
    if (c->port)
        release_port(c->port);
    buf_done(&c->news);
    arena_free(c->arena);
    free(c);
}

struct infer_call *infer_call_create(struct infer_port *p, size_t arena_bytes)
{
    struct infer_call *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    atomic_init(&c->holders, 1);
    buf_init(&c->news, NEWS_BYTES_MAX);
    c->silence_ends_ms = c->total_ends_ms = UINT64_MAX;
    c->arena = arena_create(arena_bytes);
    if (!c->arena) {
        infer_call_release(c);
        return NULL;
    }
    c->port = p;
    atomic_fetch_add(&p->holders, 1);
    return c;
}

static void deliver_all(void *arg)
{
    struct infer_port *p = arg;
    pthread_mutex_lock(&p->lock);
    struct infer_call *list = p->first;
    p->first = NULL;
    p->posted = false;
    pthread_mutex_unlock(&p->lock);
    while (list) {
        struct infer_call *c = list;
        pthread_mutex_lock(&p->lock);
        list = c->next_news;
        c->listed = false;
        pthread_mutex_unlock(&p->lock);
        infer_deliver(c);
        infer_call_release(c);
    }
    release_port(p);
}

/* With the lock, which it lets go while it waits for memory. Whoever could not be told in all that time is told with
 * the next news, or by its time limit. */
static void post(struct infer_port *p)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < POST_TRIES_MAX && !p->posted && !p->closed; i++) {
        atomic_fetch_add(&p->holders, 1);
        if (scheduler_post(p->scheduler, deliver_all, p) == OK) {
            p->posted = true;
            return;
        }
        atomic_fetch_sub(&p->holders, 1);
        pthread_mutex_unlock(&p->lock);
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&p->lock);
    }
}

/* With the lock. */
static void list(struct infer_call *c)
{
    struct infer_port *p = c->port;
    if (!c->listed && !p->closed) {
        c->listed = true;
        c->next_news = p->first;
        p->first = infer_call_hold(c);
    }
    post(p);
}

void infer_tell(struct infer_call *c, int http_status, struct str bytes, bool end)
{
    pthread_mutex_lock(&c->port->lock);
    if (http_status)
        c->http_status = http_status;
    buf_add(&c->news, bytes);
    c->ended |= end;
    list(c);
    pthread_mutex_unlock(&c->port->lock);
}

void infer_tell_error(struct infer_call *c, enum status status, const char *message,
                      const char *param)
{
    struct buf body;
    pthread_mutex_lock(&c->port->lock);
    bool begun = c->http_status != 0;
    pthread_mutex_unlock(&c->port->lock);
    buf_init(&body, ERROR_BYTES_MAX);
    infer_error_write(&body, begun, status, message, param);
    infer_tell(c, begun ? 0 : infer_error_http_status(status), buf_str(&body), true);
    buf_done(&body);
}

void infer_port_close(struct infer_port *p)
{
    pthread_mutex_lock(&p->lock);
    struct infer_call *all = p->first;
    if (p->posted) /* that message never comes: the owner's thread has ended; this one still holds the port */
        atomic_fetch_sub(&p->holders, 1);
    p->first = NULL;
    p->closed = true;
    pthread_mutex_unlock(&p->lock);
    while (all) {
        struct infer_call *c = all;
        all = c->next_news;
        infer_call_release(c);
    }
    release_port(p);
}
