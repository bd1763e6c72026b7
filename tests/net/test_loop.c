/* loop.h: timers, messages from other threads, signals, descriptors, work put off to the end of a round. */
#include "net/loop.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop_int.h"

static struct loop *l;

static void make(void)
{
    cr_assert_eq(loop_create(&l, NULL), OK);
}

static void drop(void)
{
    loop_free(l);
}

TestSuite(loop, .init = make, .fini = drop);

static void stop(void *arg)
{
    loop_stop(arg);
}

struct order {
    char text[32];
    size_t len;
};

struct letter {
    struct order *order;
    char letter;
    struct loop *stop;
};

static void write_letter(void *arg)
{
    struct letter *w = arg;
    w->order->text[w->order->len++] = w->letter;
    if (w->stop)
        loop_stop(w->stop);
}

Test(loop, timers_fire_in_order_of_their_delay)
{
    struct order order = {0};
    struct letter a = {&order, 'a', NULL}, b = {&order, 'b', NULL}, c = {&order, 'c', l};
    struct loop_timer *ta = loop_timer_create(l, write_letter, &a);
    struct loop_timer *tb = loop_timer_create(l, write_letter, &b);
    struct loop_timer *tc = loop_timer_create(l, write_letter, &c);
    loop_timer_start(tc, 60);
    loop_timer_start(tb, 30);
    loop_timer_start(ta, 1);
    cr_assert_eq(loop_run(l, NULL), OK);
    cr_assert_str_eq(order.text, "abc");
    loop_timer_free(ta);
    loop_timer_free(tb);
    loop_timer_free(tc);
    loop_timer_free(NULL);
}

Test(loop, a_timer_restarts_and_stops)
{
    struct order order = {0};
    struct letter a = {&order, 'a', NULL}, b = {&order, 'b', NULL}, c = {&order, 'c', l};
    struct loop_timer *ta = loop_timer_create(l, write_letter, &a);
    struct loop_timer *tb = loop_timer_create(l, write_letter, &b);
    struct loop_timer *tc = loop_timer_create(l, write_letter, &c);
    loop_timer_start(ta, 100000);
    loop_timer_start(ta, 1); /* restarted: once, and soon */
    loop_timer_start(tb, 5);
    loop_timer_stop(tb);
    loop_timer_start(tc, 50);
    cr_assert_eq(loop_run(l, NULL), OK);
    cr_assert_str_eq(order.text, "ac");
    loop_timer_free(ta);
    loop_timer_free(tb);
    loop_timer_free(tc);
}

Test(loop, a_timer_never_fires_early)
{
    struct loop_timer *t = loop_timer_create(l, stop, l);
    uint64_t begin = clock_now_ms();
    loop_timer_start(t, 40);
    cr_assert_eq(loop_run(l, NULL), OK);
    cr_assert_geq(clock_now_ms() - begin, 40);
    loop_timer_free(t);
}

#define MESSAGES 10000

struct sum {
    int next, wrong;
};

static struct sum sum;

static void take_number(void *arg)
{
    int number = (int)(intptr_t)arg;
    if (number != sum.next++)
        sum.wrong++;
    if (sum.next == MESSAGES)
        loop_stop(l);
}

static void *post_numbers(void *arg)
{
    (void)arg;
    for (intptr_t i = 0; i < MESSAGES; i++)
        if (loop_post(l, take_number, (void *)i) != OK)
            abort();
    return NULL;
}

Test(loop, messages_of_another_thread_arrive_in_order)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, post_numbers, NULL), 0);
    cr_assert_eq(loop_run(l, NULL), OK);
    pthread_join(thread, NULL);
    cr_assert_eq(sum.next, MESSAGES);
    cr_assert_eq(sum.wrong, 0);
}

static int posts;

static void post_again(void *arg)
{
    (void)arg;
    if (++posts == 3)
        loop_stop(l);
    else
        cr_assert_eq(loop_post(l, post_again, NULL), OK);
}

Test(loop, a_message_may_post_another)
{
    cr_assert_eq(loop_post(l, post_again, NULL), OK);
    cr_assert_eq(loop_run(l, NULL), OK);
    cr_assert_eq(posts, 3);
}

Test(loop, messages_never_delivered_are_freed)
{
    cr_assert_eq(loop_post(l, post_again, NULL), OK); /* the leak checker looks */
}

Test(loop, runs_again_after_a_stop)
{
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(loop_post(l, stop, l), OK);
        cr_assert_eq(loop_run(l, NULL), OK);
    }
}

static void raise_signal(void *arg)
{
    raise((int)(intptr_t)arg);
}

Test(loop, signals_arrive_on_the_loop)
{
    struct order order = {0};
    struct letter hup = {&order, 'h', NULL}, term = {&order, 't', l};
    cr_assert_eq(loop_signal(l, SIGHUP, write_letter, &hup), OK);
    cr_assert_eq(loop_signal(l, SIGTERM, write_letter, &term), OK);
    cr_assert_eq(loop_post(l, raise_signal, (void *)(intptr_t)SIGHUP), OK);
    struct loop_timer *later = loop_timer_create(l, raise_signal, (void *)(intptr_t)SIGTERM);
    loop_timer_start(later, 30);
    cr_assert_eq(loop_run(l, NULL), OK);
    cr_assert_str_eq(order.text, "ht");
    loop_timer_free(later);
}

static uint64_t seen_ms[2];

static void read_clock_twice(void *arg)
{
    (void)arg;
    seen_ms[0] = loop_now_ms(l);
    usleep(5000);
    seen_ms[1] = loop_now_ms(l);
    loop_stop(l);
}

Test(loop, the_clock_stands_still_within_a_round)
{
    cr_assert_eq(loop_post(l, read_clock_twice, NULL), OK);
    cr_assert_eq(loop_run(l, NULL), OK);
    cr_assert_eq(seen_ms[0], seen_ms[1]);
    cr_assert_gt(seen_ms[0], 0);
}

/* loop_int.h */

static struct loop_hook hooks[3];
static struct order hook_order;

static void hook_letter(void *arg)
{
    hook_order.text[hook_order.len++] = *(const char *)arg;
    if (*(const char *)arg == 'b')
        loop_stop(l);
}

static void defer_three(void *arg)
{
    (void)arg;
    hooks[0] = (struct loop_hook){.fn = hook_letter, .arg = "a"};
    hooks[1] = (struct loop_hook){.fn = hook_letter, .arg = "b"};
    hooks[2] = (struct loop_hook){.fn = hook_letter, .arg = "c"};
    for (int i = 0; i < 3; i++)
        loop_defer(l, &hooks[i]);
    loop_defer(l, &hooks[0]); /* twice is once */
    loop_defer_cancel(l, &hooks[2]);
    loop_defer_cancel(l, &hooks[2]);
    hook_order.text[hook_order.len++] = '|';
}

Test(loop, deferred_work_runs_once_after_the_events)
{
    cr_assert_eq(loop_post(l, defer_three, NULL), OK);
    cr_assert_eq(loop_run(l, NULL), OK);
    cr_assert_str_eq(hook_order.text, "|ab");
}

static struct loop_io *ios[2];
static unsigned ready_seen;

static void free_both(void *arg, unsigned ready)
{
    (void)arg;
    ready_seen |= ready;
    loop_io_free(ios[0]);
    loop_io_free(ios[1]);
    ios[0] = ios[1] = NULL;
    loop_stop(l);
}

/* Both are ready in the same batch; whichever comes first frees the other. */
Test(loop, a_freed_descriptor_is_not_called_again)
{
    int pairs[2][2];
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
        cr_assert_eq(write(pairs[i][1], "x", 1), 1);
        ios[i] = loop_io_create(l, pairs[i][0], free_both, NULL);
        cr_assert_eq(loop_io_want(ios[i], LOOP_READ), OK);
    }
    cr_assert_eq(loop_run(l, NULL), OK);
    cr_assert_eq(ready_seen, LOOP_READ);
}

static void note_ready(void *arg, unsigned ready)
{
    (void)arg;
    ready_seen |= ready;
    loop_stop(l);
}

Test(loop, shutdown_is_seen_though_nobody_reads)
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct loop_io *io = loop_io_create(l, pair[0], note_ready, NULL);
    cr_assert_eq(write(pair[1], "unread", 6), 6);
    cr_assert_eq(loop_io_want(io, LOOP_READ), OK);
    cr_assert_eq(loop_io_want(io, LOOP_GONE), OK); /* the bytes alone must not wake it */
    cr_assert_eq(loop_io_wanted(io), LOOP_GONE);
    cr_assert_eq(shutdown(pair[1], SHUT_WR), 0);
    cr_assert_eq(loop_run(l, NULL), OK);
    cr_assert_eq(ready_seen, LOOP_GONE);
    loop_io_free(io);
}

Test(loop, writable_is_told_while_wanted)
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct loop_io *io = loop_io_create(l, pair[0], note_ready, NULL);
    cr_assert_eq(loop_io_want(io, LOOP_WRITE | LOOP_READ), OK);
    cr_assert_eq(loop_run(l, NULL), OK);
    cr_assert_eq(ready_seen, LOOP_WRITE);
    loop_io_free(io);
}

/* The loop as a scheduler */

struct round {
    struct scheduler *scheduler;
    uint64_t begun_ms, timer_ms;
    bool posted;
};

static void on_message(void *arg)
{
    ((struct round *)arg)->posted = true;
}

static void on_scheduled(void *arg)
{
    struct round *r = arg;
    r->timer_ms = scheduler_now_ms(r->scheduler);
    loop_stop(l);
}

Test(loop, is_a_scheduler)
{
    struct round r = {.scheduler = loop_scheduler(l)};
    struct scheduler_timer *t = scheduler_timer_create(r.scheduler, on_scheduled, &r),
                           *never = scheduler_timer_create(r.scheduler, on_scheduled, &r);
    r.begun_ms = scheduler_now_ms(r.scheduler);
    scheduler_timer_start(never, 0);
    scheduler_timer_stop(never);
    scheduler_timer_start(t, 5);
    cr_assert_eq(scheduler_post(r.scheduler, on_message, &r), OK);
    cr_assert_eq(loop_run(l, NULL), OK);
    cr_expect(r.posted);
    cr_expect_geq(r.timer_ms, r.begun_ms + 5);
    scheduler_timer_free(t);
    scheduler_timer_free(never);
}

/* A message in the sender's own memory: in order with the others, and gone when its function says so. */
struct own {
    struct loop_message message;
    struct letter letter;
};

static void write_and_free(void *arg)
{
    struct own *o = arg;
    write_letter(&o->letter);
    free(o);
}

Test(loop, a_message_of_ones_own_needs_no_memory)
{
    struct order order = {0};
    struct letter b = {&order, 'b', NULL};
    struct own *a = malloc(sizeof(*a)), *c = malloc(sizeof(*c));
    cr_assert(a && c);
    *a = (struct own){{.fn = write_and_free, .arg = a}, {&order, 'a', NULL}};
    *c = (struct own){{.fn = write_and_free, .arg = c}, {&order, 'c', l}};
    loop_post_message(l, &a->message);
    cr_assert_eq(loop_post(l, write_letter, &b), OK);
    loop_post_message(l, &c->message);
    cr_assert_eq(loop_run(l, NULL), OK);
    cr_assert_str_eq(order.text, "abc");
}

Test(loop, a_message_that_was_never_read_stays_its_senders)
{
    struct order order = {0};
    struct own mine = {{.fn = write_letter, .arg = &mine.letter}, {&order, 'a', NULL}};
    loop_post_message(l, &mine.message);
    loop_free(l);
    cr_assert_eq(order.len, 0);
    make();
}
