/* Deadlines of an HTTP server's connections: a queue per kind, one timer per queue, armed for its head only.
 * Setting and clearing one is a few pointers; the timer notices late that its connection has moved on. */
#include "base/check.h"
#include "net/http_conn.h"

#define BODY_LOOKS 4

static void queue_arm(struct deadline_queue *q)
{
    if (q->armed || !q->first)
        return;
    uint64_t now = loop_now_ms(q->server->loop);
    loop_timer_start(q->timer, q->first->due_ms > now ? q->first->due_ms - now : 0);
    q->armed = true;
}

static void queue_remove(struct deadline_queue *q, struct conn *c)
{
    *(c->due_previous ? &c->due_previous->due_next : &q->first) = c->due_next;
    *(c->due_next ? &c->due_next->due_previous : &q->last) = c->due_previous;
    c->due_next = c->due_previous = NULL;
    c->deadline = DEADLINE_NONE;
}

static void queue_append(struct deadline_queue *q, struct conn *c)
{
    c->deadline = q->kind;
    c->due_ms = loop_now_ms(q->server->loop) + q->timeout_ms;
    c->due_previous = q->last;
    *(q->last ? &q->last->due_next : &q->first) = c;
    q->last = c;
    queue_arm(q);
}

static void on_due(void *arg)
{
    struct deadline_queue *q = arg;
    uint64_t now = loop_now_ms(q->server->loop);
    q->armed = false;
    while (q->first && q->first->due_ms <= now) {
        struct conn *c = q->first;
        queue_remove(q, c);
        conn_expired(c, q->kind);
    }
    queue_arm(q);
}

/* How often a body is looked at: some times within the shortest time it is given. */
static uint32_t body_look_ms(const struct http_server_options *o)
{
    uint32_t shortest = o->body_timeout_ms;
    shortest = o->body_total_ms < shortest ? o->body_total_ms : shortest;
    shortest = o->body_grace_ms < shortest ? o->body_grace_ms : shortest;
    return shortest / BODY_LOOKS + 1;
}

enum status deadline_queues_create(struct http_server *s)
{
    const struct http_server_options *o = &s->options;
    const uint32_t timeouts_ms[DEADLINE_COUNT] = {
        [DEADLINE_IDLE] = o->idle_timeout_ms, [DEADLINE_HEAD] = o->header_timeout_ms,
        [DEADLINE_BODY] = body_look_ms(o),    [DEADLINE_WRITE] = o->write_timeout_ms,
        [DEADLINE_LINGER] = CONN_LINGER_MS,
    };
    for (int kind = DEADLINE_NONE + 1; kind < DEADLINE_COUNT; kind++) {
        struct deadline_queue *q = &s->deadlines[kind];
        *q = (struct deadline_queue){.server = s,
                                     .kind = (enum deadline_kind)kind,
                                     .timeout_ms = timeouts_ms[kind],
                                     .timer = loop_timer_create(s->loop, on_due, q)};
        if (!q->timer)
            return ERR_MEMORY;
    }
    return OK;
}

void deadline_queues_free(struct http_server *s)
{
    for (int kind = 0; kind < DEADLINE_COUNT; kind++) {
        CHECK(!s->deadlines[kind].first);
        loop_timer_free(s->deadlines[kind].timer);
    }
}

void deadline_set(struct conn *c, enum deadline_kind kind, bool restart)
{
    if (c->deadline == kind && !restart)
        return;
    if (c->deadline != DEADLINE_NONE)
        queue_remove(&c->server->deadlines[c->deadline], c);
    if (kind != DEADLINE_NONE)
        queue_append(&c->server->deadlines[kind], c);
}
