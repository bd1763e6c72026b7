/* Tickets whose turn has come, or which are turned away, on their way to the thread that owns them. */
#include "gate/gate_int.h"

#include "base/check.h"

enum status wake_queue_init(struct wake_queue *q, struct scheduler *s, struct error *err)
{
    struct wake_queue made = {.scheduler = s};
    if (pthread_mutex_init(&made.lock, NULL))
        return error_set(err, ERR_MEMORY, "cannot make a lock");
    *q = made;
    return OK;
}

void wake_queue_done(struct wake_queue *q)
{
    if (!q->scheduler)
        return;
    CHECK(!q->first);
    pthread_mutex_destroy(&q->lock);
    q->scheduler = NULL;
}

static void wake_queue_unlink(struct wake_queue *q, struct gate_ticket *t)
{
    *(t->woken_previous ? &t->woken_previous->woken_next : &q->first) = t->woken_next;
    *(t->woken_next ? &t->woken_next->woken_previous : &q->last) = t->woken_previous;
    t->woken_next = t->woken_previous = NULL;
    t->in_wake_queue = false;
}

static struct gate_ticket *wake_queue_pop(struct wake_queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct gate_ticket *t = q->first;
    if (t)
        wake_queue_unlink(q, t);
    else
        q->posted = false;
    pthread_mutex_unlock(&q->lock);
    return t;
}

static void on_message(void *arg)
{
    struct wake_queue *q = arg;
    struct gate_ticket *t;
    while ((t = wake_queue_pop(q)))
        gate_ticket_look(t, scheduler_now_ms(q->scheduler));
}

/* When the message cannot be sent, the next ticket's will be, and until then each has its timer. */
void wake_queue_put(struct gate_ticket *t)
{
    struct wake_queue *q = t->wakes;
    pthread_mutex_lock(&q->lock);
    if (!t->in_wake_queue) {
        t->in_wake_queue = true;
        t->woken_next = NULL;
        t->woken_previous = q->last;
        *(q->last ? &q->last->woken_next : &q->first) = t;
        q->last = t;
    }
    if (!q->posted)
        q->posted = scheduler_post(q->scheduler, on_message, q) == OK;
    pthread_mutex_unlock(&q->lock);
}

void wake_queue_remove(struct gate_ticket *t)
{
    pthread_mutex_lock(&t->wakes->lock);
    if (t->in_wake_queue)
        wake_queue_unlink(t->wakes, t);
    pthread_mutex_unlock(&t->wakes->lock);
}
