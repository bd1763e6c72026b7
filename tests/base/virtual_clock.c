/* Timers and messages in lists, run when a test says so. */
#include "base/virtual_clock.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct virtual_timer {
    struct scheduler_timer timer; /* first */
    struct virtual_clock *clock;
    struct virtual_timer *next;
    bool runs;
    uint64_t due_ms;
    void (*fn)(void *);
    void *arg;
};

struct virtual_message {
    struct virtual_message *next;
    void (*fn)(void *);
    void *arg;
};

static const struct scheduler_ops virtual_ops;

static uint64_t now_ms(const struct scheduler *s)
{
    return ((const struct virtual_clock *)s)->now_ms;
}

static struct scheduler_timer *timer_create_virtual(struct scheduler *s, void (*fn)(void *),
                                                    void *arg)
{
    struct virtual_clock *c = (struct virtual_clock *)s;
    if (c->timers_to_refuse > 0) {
        c->timers_to_refuse--;
        return NULL;
    }
    struct virtual_timer *t = calloc(1, sizeof(*t));
    *t = (struct virtual_timer){
        .timer = {&virtual_ops}, .clock = c, .next = c->timers, .fn = fn, .arg = arg};
    c->timers = t;
    return &t->timer;
}

static void timer_start(struct scheduler_timer *timer, uint64_t delay_ms)
{
    struct virtual_timer *t = (struct virtual_timer *)timer;
    t->runs = true;
    t->due_ms = t->clock->now_ms + delay_ms;
}

static void timer_stop(struct scheduler_timer *timer)
{
    ((struct virtual_timer *)timer)->runs = false;
}

static void timer_free(struct scheduler_timer *timer)
{
    struct virtual_timer *t = (struct virtual_timer *)timer, **at = &t->clock->timers;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    free(t);
}

static enum status post(struct scheduler *s, void (*fn)(void *), void *arg)
{
    struct virtual_clock *c = (struct virtual_clock *)s;
    struct virtual_message *m = calloc(1, sizeof(*m));
    *m = (struct virtual_message){.fn = fn, .arg = arg};
    pthread_mutex_lock(&c->lock);
    *c->last = m;
    c->last = &m->next;
    pthread_mutex_unlock(&c->lock);
    return OK;
}

static const struct scheduler_ops virtual_ops = {
    .now_ms = now_ms,
    .timer_create = timer_create_virtual,
    .timer_start = timer_start,
    .timer_stop = timer_stop,
    .timer_free = timer_free,
    .post = post,
};

void virtual_clock_init(struct virtual_clock *c, uint64_t now)
{
    *c = (struct virtual_clock){.scheduler = {&virtual_ops}, .now_ms = now};
    c->last = &c->first;
    pthread_mutex_init(&c->lock, NULL);
}

void virtual_clock_done(struct virtual_clock *c)
{
    virtual_clock_settle(c);
    cr_assert_null(c->timers, "a timer was forgotten");
    pthread_mutex_destroy(&c->lock);
}

/* The one that is due first, of several the one that was made last; NULL: none runs. */
static struct virtual_timer *soonest(const struct virtual_clock *c)
{
    struct virtual_timer *best = NULL;
    for (struct virtual_timer *t = c->timers; t; t = t->next)
        if (t->runs && (!best || t->due_ms < best->due_ms))
            best = t;
    return best;
}

static bool run_message(struct virtual_clock *c)
{
    pthread_mutex_lock(&c->lock);
    struct virtual_message *m = c->first;
    if (m)
        c->first = m->next;
    if (!c->first)
        c->last = &c->first;
    pthread_mutex_unlock(&c->lock);
    if (!m)
        return false;
    m->fn(m->arg);
    free(m);
    return true;
}

static bool run_timer(struct virtual_clock *c)
{
    struct virtual_timer *t = soonest(c);
    if (!t || t->due_ms > c->now_ms)
        return false;
    t->runs = false;
    t->fn(t->arg);
    return true;
}

void virtual_clock_settle(struct virtual_clock *c)
{
    while (run_message(c) || run_timer(c))
        ;
}

void virtual_clock_advance_to(struct virtual_clock *c, uint64_t now)
{
    virtual_clock_settle(c);
    for (struct virtual_timer *t; (t = soonest(c)) && t->due_ms <= now;) {
        c->now_ms = t->due_ms > c->now_ms ? t->due_ms : c->now_ms;
        virtual_clock_settle(c);
    }
    c->now_ms = now > c->now_ms ? now : c->now_ms;
}

void virtual_clock_advance(struct virtual_clock *c, uint64_t ms)
{
    virtual_clock_advance_to(c, c->now_ms + ms);
}
