/* A thread beside the event loops: it sleeps until there is something to do, a time has passed, or it is to end.
 *
 * Its owner embeds a struct worker_thread, and guards what both sides share by its lock. Whoever changes that wakes the
 * thread. The thread gives a function that says whether what it waits for is there; it is asked under the lock, so no
 * wake-up is lost. No signal reaches the thread. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define WORKER_FOREVER_MS UINT32_MAX

typedef void worker_run(void *arg);
/* Whether what the thread waits for is there; called under the lock. It may take other locks, if whoever holds one of
 * those never takes this one. */
typedef bool worker_ready(void *arg);

struct worker_thread { /* only the functions below touch it */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    worker_run *run;
    void *arg;
    bool has_thread; /* of the owner */
    bool stopping;   /* guarded by lock; never taken back */
};

enum worker_event {
    WORKER_STOP,  /* somebody wants the thread to end */
    WORKER_READY, /* what it waits for is there */
    WORKER_DUE,   /* the time has passed */
};

/* The owner's. A worker that never started can be locked, woken, stopped and done with. */
void worker_init(struct worker_thread *w);
/* Once. `arg` goes to `run` and to what it waits for. ERR_IO. */
NODISCARD enum status worker_start(struct worker_thread *w, worker_run *run, void *arg,
                                   struct error *err);
/* Returns when the thread has ended: whether there was one. From any thread but itself, and one at a time. */
bool worker_stop(struct worker_thread *w);
void worker_done(struct worker_thread *w); /* stops it */

/* Any thread. */
void worker_lock(struct worker_thread *w);
void worker_unlock(struct worker_thread *w);
void worker_unlock_and_wake(struct worker_thread *w);
void worker_wake(struct worker_thread *w); /* for what is shared by other means than the lock */
bool worker_is_stopping(struct worker_thread *w);

/* The thread's, without the lock. The end comes before all else, what is ready before what is due; with `ready` NULL
 * it waits for the time alone. */
enum worker_event worker_wait(struct worker_thread *w, worker_ready *ready, uint32_t timeout_ms);
