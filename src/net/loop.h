/* One event loop: sockets, timers, and messages from other threads. A loop and everything made on it belong
 * to the thread that runs it; only loop_post and loop_stop may be called from elsewhere. Callers see no libevent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/scheduler.h"

struct loop;

NODISCARD enum status loop_create(struct loop **ret, struct error *err);
void loop_free(struct loop *l); /* NULL is fine; after every server, client and timer made on it */
NODISCARD enum status loop_run(struct loop *l, struct error *err); /* until loop_stop */
void loop_stop(struct loop *l);                                    /* any thread */
/* Runs fn(arg) on the loop's thread, in order of posting. Any thread. ERR_MEMORY. */
NODISCARD enum status loop_post(struct loop *l, void (*fn)(void *), void *arg);
/* The same for a message in the sender's memory, so that nothing can fail: `fn` and `arg` are set, and it stays until
 * fn is called, which may free it. It is not told when the loop ends before that. */
struct loop_message {
    void (*fn)(void *);
    void *arg;
    struct loop_message *next; /* private to the loop */
    bool made_by_loop;         /* ... and this */
};
void loop_post_message(struct loop *l, struct loop_message *m);
uint64_t loop_now_ms(const struct loop *l); /* monotonic, cached per round */

struct loop_timer;
/* NULL: no memory. */
struct loop_timer *loop_timer_create(struct loop *l, void (*fn)(void *), void *arg);
/* One shot; a running timer starts anew. */
void loop_timer_start(struct loop_timer *t, uint64_t delay_ms);
void loop_timer_stop(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL is fine */

/* The loop for whoever needs no more of it than time, timers and messages. Lives as long as the loop. */
struct scheduler *loop_scheduler(struct loop *l);

/* SIGTERM, SIGINT, SIGHUP and the like, delivered on this loop. */
NODISCARD enum status loop_signal(struct loop *l, int signal_number, void (*fn)(void *), void *arg);
