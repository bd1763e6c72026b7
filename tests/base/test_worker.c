/* A thread that waits: woken, due, ended; and no wake-up is lost. No test sleeps for what it expects. */
#include "base/worker.h"

#include <criterion/criterion.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>

#define ITEMS   20000
#define LONG_MS (60u * 60 * 1000)
#define GIVERS  4

struct scene {
    struct worker_thread worker;
    uint32_t timeout_ms;
    size_t waiting, taken, due; /* guarded by the worker's lock; due and last are the thread's */
    enum worker_event last;
    sigset_t mask;
};

static bool has_waiting(void *arg)
{
    const struct scene *s = arg;
    return s->waiting > 0;
}

static void take_all(void *arg)
{
    struct scene *s = arg;
    pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
    for (;;) {
        s->last = worker_wait(&s->worker, has_waiting, s->timeout_ms);
        if (s->last == WORKER_STOP)
            return;
        s->due += s->last == WORKER_DUE;
        worker_lock(&s->worker);
        s->taken += s->waiting;
        s->waiting = 0;
        worker_unlock_and_wake(&s->worker);
    }
}

static void give(struct scene *s)
{
    worker_lock(&s->worker);
    s->waiting++;
    worker_unlock_and_wake(&s->worker);
}

static void *give_many(void *arg)
{
    for (int i = 0; i < ITEMS; i++)
        give(arg);
    return arg;
}

static size_t taken(struct scene *s)
{
    worker_lock(&s->worker);
    size_t count = s->taken;
    worker_unlock(&s->worker);
    return count;
}

static void start(struct scene *s, worker_run *run, uint32_t timeout_ms)
{
    *s = (struct scene){.timeout_ms = timeout_ms};
    sigemptyset(&s->mask);
    worker_init(&s->worker);
    cr_assert_eq(worker_start(&s->worker, run, s, NULL), OK);
}

Test(worker, loses_no_wake_up)
{
    struct scene s;
    pthread_t givers[GIVERS];
    start(&s, take_all, WORKER_FOREVER_MS);
    for (int i = 0; i < GIVERS; i++)
        cr_assert_eq(pthread_create(&givers[i], NULL, give_many, &s), 0);
    for (int i = 0; i < GIVERS; i++)
        pthread_join(givers[i], NULL);
    while (taken(&s) < GIVERS * ITEMS) /* the last one, too, with nobody to wake it again */
        sched_yield();
    worker_done(&s.worker);
    cr_expect_eq(s.taken, GIVERS * ITEMS);
    cr_expect_eq(s.due, 0);
    cr_expect_eq(s.last, WORKER_STOP);
}

Test(worker, what_is_ready_before_the_wait_is_not_waited_for)
{
    struct scene s = {.timeout_ms = LONG_MS, .waiting = 1};
    worker_init(&s.worker);
    cr_assert_eq(worker_start(&s.worker, take_all, &s, NULL), OK);
    while (taken(&s) < 1)
        sched_yield();
    worker_done(&s.worker);
    cr_expect_eq(s.due, 0);
}

static void count_periods(void *arg)
{
    struct scene *s = arg;
    while ((s->last = worker_wait(&s->worker, NULL, s->timeout_ms)) == WORKER_DUE) {
        worker_lock(&s->worker);
        s->taken++;
        worker_unlock(&s->worker);
    }
}

Test(worker, comes_back_when_its_time_has_passed)
{
    struct scene s;
    start(&s, count_periods, 1);
    while (taken(&s) < 3)
        sched_yield();
    worker_done(&s.worker);
    cr_expect_eq(s.last, WORKER_STOP);
}

Test(worker, is_not_due_because_somebody_wakes_it)
{
    struct scene s;
    start(&s, count_periods, LONG_MS);
    for (int i = 0; i < 1000; i++)
        worker_wake(&s.worker);
    worker_stop(&s.worker);
    cr_expect_eq(s.taken, 0);
    worker_done(&s.worker);
}

Test(worker, the_end_cuts_a_wait_short_and_comes_before_what_is_ready)
{
    struct scene s;
    start(&s, take_all, LONG_MS);
    cr_expect(worker_stop(&s.worker));
    cr_expect_not(worker_stop(&s.worker));
    cr_expect(worker_is_stopping(&s.worker));
    give(&s);
    cr_expect_eq(worker_wait(&s.worker, has_waiting, LONG_MS), WORKER_STOP);
    worker_done(&s.worker);
}

Test(worker, one_that_never_started_can_be_done_with)
{
    struct worker_thread w;
    worker_init(&w);
    worker_wake(&w);
    cr_expect_not(worker_is_stopping(&w));
    worker_done(&w);
}

Test(worker, no_signal_reaches_it)
{
    struct scene s;
    start(&s, take_all, LONG_MS);
    give(&s);
    while (taken(&s) < 1)
        sched_yield();
    worker_done(&s.worker);
    cr_expect_eq(sigismember(&s.mask, SIGTERM), 1);
    cr_expect_eq(sigismember(&s.mask, SIGHUP), 1);
}

static void hang_run(void *arg)
{
    sem_wait(arg);
}

Test(worker, one_that_hangs_is_left_to_itself)
{
    static struct worker_thread worker;
    static sem_t end;
    struct error err;
    sem_init(&end, 0, 0);
    worker_init(&worker);
    cr_assert_eq(worker_start(&worker, hang_run, &end, &err), OK);
    cr_assert_not(worker_stop_within(&worker, 20));
    sem_post(&end);
}

Test(worker, one_that_ends_in_time_is_joined)
{
    struct worker_thread worker;
    sem_t end;
    struct error err;
    sem_init(&end, 0, 1);
    worker_init(&worker);
    cr_assert(worker_stop_within(&worker, 0), "there is no thread");
    worker_done(&worker);
    worker_init(&worker);
    cr_assert_eq(worker_start(&worker, hang_run, &end, &err), OK);
    cr_assert(worker_stop_within(&worker, 60000));
    worker_done(&worker);
}
