/* A thread beside the event loops. It sleeps until there is something to do, a time has passed, or it has to end.
 *
 * Its owner embeds a struct worker_thread and guards what both sides share by the lock in it. Whatever changes the
 * shared data wakes the thread. The thread waits with a function that says whether there is something to do; it is
 * called under the lock, so that no wake-up is lost. No signal reaches the thread. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define WORKER_FOREVER_MS UINT32_MAX

typedef void worker_run(void *arg);
/* Whether what the thread waits for is there. Called under the lock; it may take another lock if no holder of that one
 * ever takes this one. */
typedef bool worker_ready(void *arg);

struct worker_thread { /* only the functions below touch it */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    worker_run *run;
    void *arg;
    bool has_thread; /* only the owner looks at it */
    bool stopping;   /* guarded by lock; once true it stays so */
    bool ended;      /* guarded by lock: the thread's function has returned */
};

enum worker_event {
    WORKER_STOP,  /* worker_stop was called: the thread has to end */
    WORKER_READY, /* what it waits for is there */
    WORKER_DUE,   /* the time has passed */
};

/* What the owner calls. A worker that never started may be locked, woken, stopped and done with all the same. */
void worker_init(struct worker_thread *w);
/* Call it once. `arg` is given to `run`, and to the worker_ready that it waits with. ERR_IO: there is no thread. */
NODISCARD enum status worker_start(struct worker_thread *w, worker_run *run, void *arg,
                                   struct error *err);
/* Ends the thread and returns after its end: true if there was one. From any thread but itself, one call at a time. */
bool worker_stop(struct worker_thread *w);
/* The same for a thread that may hang where nothing wakes it: false when it has not ended after `timeout_ms`. Then it
 * is left to itself, and `w` must stay for ever. */
bool worker_stop_within(struct worker_thread *w, uint32_t timeout_ms);
void worker_done(struct worker_thread *w); /* stops it and frees what worker_init made */

/* What any thread may call. */
void worker_lock(struct worker_thread *w);
void worker_unlock(struct worker_thread *w);
void worker_unlock_and_wake(struct worker_thread *w);
bool worker_is_stopping(struct worker_thread *w);
/* Where what is shared is not guarded by the lock, but by atomics. */
void worker_wake(struct worker_thread *w);

/* What the thread itself calls, without the lock: waits for one of the three events. Where several have happened, the
 * end is told first and what is ready before what is due. `ready` NULL: there is only the time to wait for. */
enum worker_event worker_wait(struct worker_thread *w, worker_ready *ready, uint32_t timeout_ms);
