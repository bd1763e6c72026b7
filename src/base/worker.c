/* One lock and one condition. A wait asks anew whenever it is woken, so that wake-ups for something else do no harm.
 *
 * The thread and its owner wait on the same condition, but not at the same time: the owner only for the thread's end,
 * when the thread has nothing to wait for any more. What is guarded by the lock is whatever both sides share;
 * worker_start, _stop and _done are the owner's alone. */
#include "base/worker.h"

#include <errno.h>
#include <time.h>

#include "base/check.h"
#include "base/thread.h"

void worker_init(struct worker_thread *w)
{
    pthread_condattr_t monotonic;
    *w = (struct worker_thread){0};
    pthread_mutex_init(&w->lock, NULL); /* on Linux none of these can fail */
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void *thread_main(void *arg)
{
    struct worker_thread *w = arg;
    w->run(w->arg);
    worker_lock(w);
    w->ended = true;
    worker_unlock_and_wake(w);
    return NULL;
}

enum status worker_start(struct worker_thread *w, worker_run *run, void *arg, struct error *err)
{
    CHECK(!w->has_thread && !w->stopping);
    w->run = run;
    w->arg = arg;
    enum status status = thread_start(&w->thread, thread_main, w, err);
    w->has_thread = status == OK;
    return status;
}

bool worker_stop(struct worker_thread *w)
{
    worker_lock(w);
    w->stopping = true;
    worker_unlock_and_wake(w);
    if (!w->has_thread)
        return false;
    CHECK(!pthread_equal(w->thread, pthread_self()));
    pthread_join(w->thread, NULL);
    w->has_thread = false;
    return true;
}

static struct timespec in_ms(uint32_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_nsec -= 1000000000L;
        t.tv_sec++;
    }
    return t;
}

void worker_done(struct worker_thread *w)
{
    worker_stop(w);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
}

void worker_lock(struct worker_thread *w)
{
    pthread_mutex_lock(&w->lock);
}

void worker_unlock(struct worker_thread *w)
{
    pthread_mutex_unlock(&w->lock);
}

void worker_unlock_and_wake(struct worker_thread *w)
{
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* Takes the lock: a thread that has just called `ready` and does not sleep yet would miss the signal without it. */
void worker_wake(struct worker_thread *w)
{
    worker_lock(w);
    worker_unlock_and_wake(w);
}

bool worker_is_stopping(struct worker_thread *w)
{
    worker_lock(w);
    bool stopping = w->stopping;
    worker_unlock(w);
    return stopping;
}

/* Whether the time has passed. */
static bool sleep_until(struct worker_thread *w, const struct timespec *until)
{
    if (until)
        return pthread_cond_timedwait(&w->changed, &w->lock, until) == ETIMEDOUT;
    pthread_cond_wait(&w->changed, &w->lock);
    return false;
}

/* Nobody else waits for the lock's condition any more: the thread has no reason to once it is to end. */
bool worker_stop_within(struct worker_thread *w, uint32_t timeout_ms)
{
    const struct timespec until = in_ms(timeout_ms);
    bool due = false;
    worker_lock(w);
    w->stopping = true;
    worker_unlock_and_wake(w);
    if (!w->has_thread)
        return true;
    worker_lock(w);
    while (!w->ended && !due)
        due = sleep_until(w, &until);
    bool ended = w->ended;
    worker_unlock(w);
    w->has_thread = false;
    if (ended)
        pthread_join(w->thread, NULL);
    else
        pthread_detach(w->thread);
    return ended;
}

static bool next_event(struct worker_thread *w, worker_ready *ready, enum worker_event *ret)
{
    bool is_ready = !w->stopping && ready && ready(w->arg);
    if (w->stopping || is_ready)
        *ret = is_ready ? WORKER_READY : WORKER_STOP;
    return w->stopping || is_ready;
}

enum worker_event worker_wait(struct worker_thread *w, worker_ready *ready, uint32_t timeout_ms)
{
    const struct timespec until = in_ms(timeout_ms);
    enum worker_event event = WORKER_DUE;
    bool due = false;
    worker_lock(w);
    while (!next_event(w, ready, &event) && !due)
        due = sleep_until(w, timeout_ms == WORKER_FOREVER_MS ? NULL : &until);
    worker_unlock(w);
    return event;
}
