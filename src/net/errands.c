/* Errands of event loops, done by one thread, which may wait.
 *
 * Each is a block of its own, which outlives its exchange: the client may leave at any time. Blocks are in a list, so
 * that none is lost when the loops have ended. Of a block the loop owns x, and the thread owns the answer until it is
 * posted. errands_free comes after the loops have ended. */
#include "net/errands.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/worker.h"

struct sent {
    struct errands *errands;
    struct sent *previous, *next; /* in the list of all */
    struct sent *behind;          /* in the queue */
    struct loop *loop;
    struct loop_message delivery; /* here, so that an answer can always be brought back */
    struct loop_timer *late;      /* NULL: nobody waits */
    struct http_exchange *x; /* NULL: the client has gone, or was told that it takes too long */
    struct errand what;
    struct arena *arena;
    enum status status;
    struct error err;
    max_align_t data[];
};

struct errands {
    struct worker_thread worker; /* its lock guards the lists */
    struct sent *all, *first, *last;
    size_t waiting;
};

static void unlink_sent(struct sent *s)
{
    struct errands *e = s->errands;
    if (s->previous)
        s->previous->next = s->next;
    else
        e->all = s->next;
    if (s->next)
        s->next->previous = s->previous;
}

static void let_go(struct sent *s)
{
    if (s->what.release)
        s->what.release(s->data);
}

static void free_sent(struct sent *s)
{
    loop_timer_free(s->late);
    arena_free(s->arena);
    free(s);
}

/* On the loop */

static void on_gone(struct http_exchange *x)
{
    struct sent *s = x->user;
    s->x = NULL;
}

/* What is said later is nobody's. */
static void on_late(void *arg)
{
    struct sent *s = arg;
    struct http_exchange *x = s->x;
    struct error err;
    if (!x)
        return;
    s->x = NULL;
    x->on_gone = NULL;
    error_set(&err, ERR_OVERLOAD, "%s", s->what.late);
    s->what.done(x, s->what.user, ERR_OVERLOAD, s->data, &err);
}

static void deliver(void *arg)
{
    struct sent *s = arg;
    worker_lock(&s->errands->worker);
    unlink_sent(s);
    worker_unlock(&s->errands->worker);
    if (s->x)
        s->x->on_gone = NULL;
    if (s->x || !s->late)
        s->what.done(s->x, s->what.user, s->status, s->data, &s->err);
    let_go(s);
    free_sent(s);
}

static enum status enqueue(struct errands *e, struct sent *s)
{
    if (worker_is_stopping(&e->worker))
        return ERR_OVERLOAD;
    worker_lock(&e->worker);
    enum status status = e->waiting < ERRANDS_QUEUE_MAX ? OK : ERR_OVERLOAD;
    if (status == OK) {
        s->next = e->all;
        if (e->all)
            e->all->previous = s;
        e->all = s;
        if (e->last)
            e->last->behind = s;
        else
            e->first = s;
        e->last = s;
        e->waiting++;
    }
    worker_unlock_and_wake(&e->worker);
    return status;
}

/* One piece: an errand is either filled, queued and the exchange's, or gone. */
enum status errands_send(struct errands *e, struct loop *loop, struct http_exchange *x,
                         const struct errand *what, struct error *err)
{
    CHECK(what->data_bytes <= ERRANDS_DATA_BYTES_MAX);
    struct sent *s = calloc(1, sizeof(*s) + what->data_bytes);
    if (s) {
        s->arena = arena_create(what->arena_bytes_max);
        s->late = x ? loop_timer_create(loop, on_late, s) : NULL;
    }
    if (!s || !s->arena || (x && !s->late)) {
        if (s)
            free_sent(s);
        return error_set(err, ERR_MEMORY, "out of memory for what was asked");
    }
    s->errands = e;
    s->loop = loop;
    s->x = x;
    s->what = *what;
    s->delivery = (struct loop_message){.fn = deliver, .arg = s};
    if (what->data_bytes)
        memcpy(s->data, what->data, what->data_bytes);
    s->what.data = NULL;
    if (enqueue(e, s) != OK) {
        free_sent(s);
        return error_set(err, ERR_OVERLOAD, "%s", what->busy);
    }
    if (!x)
        return OK;
    x->user = s;
    x->on_gone = on_gone;
    loop_timer_start(s->late, what->late_ms);
    return OK;
}

/* The thread */

static bool has_errand(void *arg)
{
    const struct errands *e = arg;
    return e->first;
}

/* There is one: nobody else takes any. */
static struct sent *take(struct errands *e)
{
    worker_lock(&e->worker);
    struct sent *s = e->first;
    e->first = s->behind;
    if (!e->first)
        e->last = NULL;
    e->waiting--;
    worker_unlock(&e->worker);
    return s;
}

static void errands_main(void *arg)
{
    struct errands *e = arg;
    while (worker_wait(&e->worker, has_errand, WORKER_FOREVER_MS) == WORKER_READY) {
        struct sent *s = take(e);
        s->status = s->what.work(s->data, s->arena, s->what.user, &s->err);
        loop_post_message(s->loop, &s->delivery);
    }
}

/* Life */

enum status errands_start(struct errands **ret, struct error *err)
{
    struct errands *e = calloc(1, sizeof(*e));
    if (!e)
        return error_set(err, ERR_MEMORY, "out of memory for a thread's errands");
    worker_init(&e->worker);
    enum status status = worker_start(&e->worker, errands_main, e, err);
    if (status != OK) {
        errands_free(e);
        return status;
    }
    *ret = e;
    return OK;
}

void errands_stop(struct errands *e)
{
    if (!e)
        return;
    (void)worker_stop(&e->worker);
    for (struct sent *s = e->all; s; s = s->next) { /* timers go before their loops */
        loop_timer_free(s->late);
        s->late = NULL;
    }
}

void errands_free(struct errands *e)
{
    if (!e)
        return;
    errands_stop(e);
    while (e->all) {
        struct sent *s = e->all;
        unlink_sent(s);
        CHECK(e->all != s);
        let_go(s);
        free_sent(s);
    }
    worker_done(&e->worker);
    free(e);
}
