/* base/scheduler.h, by way of the clock that tests use; net's loop has its own tests. */
#include "base/scheduler.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/virtual_clock.h"

struct diary {
    struct virtual_clock clock;
    char text[64];
};

static struct diary diary;

static void note(const char *what)
{
    size_t len = strlen(diary.text);
    snprintf(diary.text + len, sizeof(diary.text) - len, "%s@%llu ", what,
             (unsigned long long)scheduler_now_ms(&diary.clock.scheduler));
}

static void on_event(void *arg)
{
    note(arg);
}

static void begin(void)
{
    diary = (struct diary){0};
    virtual_clock_init(&diary.clock, 100);
}

TestSuite(scheduler, .init = begin);

static struct scheduler_timer *timer(char *name, uint64_t delay_ms)
{
    struct scheduler_timer *t = scheduler_timer_create(&diary.clock.scheduler, on_event, name);
    cr_assert(t);
    scheduler_timer_start(t, delay_ms);
    return t;
}

Test(scheduler, timers_come_in_the_order_of_their_time_and_once)
{
    struct scheduler_timer *late = timer("late", 20), *soon = timer("soon", 5);
    cr_expect_str_eq(diary.text, "", "never from inside start");
    virtual_clock_advance(&diary.clock, 4);
    cr_expect_str_eq(diary.text, "");
    virtual_clock_advance(&diary.clock, 100);
    cr_expect_str_eq(diary.text, "soon@105 late@120 ");
    cr_expect_eq(diary.clock.now_ms, 204);
    scheduler_timer_free(late);
    scheduler_timer_free(soon);
    scheduler_timer_free(NULL);
    virtual_clock_done(&diary.clock);
}

Test(scheduler, a_timer_restarts_and_stops)
{
    struct scheduler_timer *t = timer("t", 5);
    scheduler_timer_start(t, 10);
    virtual_clock_advance(&diary.clock, 9);
    cr_expect_str_eq(diary.text, "");
    scheduler_timer_stop(t);
    virtual_clock_advance(&diary.clock, 9);
    cr_expect_str_eq(diary.text, "");
    scheduler_timer_free(t);
    virtual_clock_done(&diary.clock);
}

Test(scheduler, messages_come_in_the_order_of_posting)
{
    cr_assert_eq(scheduler_post(&diary.clock.scheduler, on_event, "a"), OK);
    cr_assert_eq(scheduler_post(&diary.clock.scheduler, on_event, "b"), OK);
    cr_expect_str_eq(diary.text, "", "never from inside post");
    virtual_clock_settle(&diary.clock);
    cr_expect_str_eq(diary.text, "a@100 b@100 ");
    virtual_clock_done(&diary.clock);
}
