/* What a state machine needs of the event loop that it lives on: the time, timers, and calls from other threads. A
 * table of functions, so that the same machine runs on a real loop (net/loop.h) and, in tests and simulations, on a
 * clock that jumps from one timer to the next.
 *
 * A scheduler and its timers belong to one thread; only scheduler_post may be called from another. Callbacks come from
 * the scheduler itself, never from inside one of these calls. */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct scheduler;
struct scheduler_timer;

struct scheduler_ops {
    uint64_t (*now_ms)(const struct scheduler *s);
    struct scheduler_timer *(*timer_create)(struct scheduler *s, void (*fn)(void *), void *arg);
    void (*timer_start)(struct scheduler_timer *t, uint64_t delay_ms);
    void (*timer_stop)(struct scheduler_timer *t);
    void (*timer_free)(struct scheduler_timer *t);
    enum status (*post)(struct scheduler *s, void (*fn)(void *), void *arg);
};

/* The first member of whatever implements it; so is the next, of its timers. */
struct scheduler {
    const struct scheduler_ops *ops;
};

struct scheduler_timer {
    const struct scheduler_ops *ops;
};

/* Monotonic, any origin, the same throughout one round of callbacks. */
static inline uint64_t scheduler_now_ms(const struct scheduler *s)
{
    return s->ops->now_ms(s);
}

/* Stopped. NULL: no memory. */
static inline struct scheduler_timer *scheduler_timer_create(struct scheduler *s,
                                                             void (*fn)(void *), void *arg)
{
    return s->ops->timer_create(s, fn, arg);
}

/* Calls fn(arg) once; a timer that runs begins anew. */
static inline void scheduler_timer_start(struct scheduler_timer *t, uint64_t delay_ms)
{
    t->ops->timer_start(t, delay_ms);
}

static inline void scheduler_timer_stop(struct scheduler_timer *t)
{
    t->ops->timer_stop(t);
}

static inline void scheduler_timer_free(struct scheduler_timer *t) /* NULL is fine */
{
    if (t)
        t->ops->timer_free(t);
}

/* Runs fn(arg) on the scheduler's thread, in the order of posting. Any thread. ERR_MEMORY. */
NODISCARD static inline enum status scheduler_post(struct scheduler *s, void (*fn)(void *),
                                                   void *arg)
{
    return s->ops->post(s, fn, arg);
}
