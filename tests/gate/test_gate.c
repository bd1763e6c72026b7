/* Places, minutes and lines, with the clock passed in; then many threads at one door. */
#include "gate/gate.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <string.h>

#include "base/virtual_clock.h"
#include "gate/gate_bucket.h"
#include "net/loop.h"

#define VISITORS_MAX 64

/* Buckets */

Test(gate, a_bucket_holds_a_minute_and_fills_evenly)
{
    struct gate_bucket b = {0};
    gate_bucket_configure(&b, 60, 1000);
    for (int i = 0; i < 60; i++) {
        cr_assert_eq(gate_bucket_wait_ms(&b, 1, 1000), 0, "the %d. of the burst", i + 1);
        gate_bucket_take(&b, 1, 1000);
    }
    cr_expect_eq(gate_bucket_wait_ms(&b, 1, 1000), 1000);
    cr_expect_eq(gate_bucket_wait_ms(&b, 3, 1000), 3000);
    cr_expect_eq(gate_bucket_wait_ms(&b, 1, 1999), 1);
    cr_expect_eq(gate_bucket_wait_ms(&b, 1, 2000), 0);
    cr_expect_eq(gate_bucket_wait_ms(&b, 61, 2000), 59000, "more than it holds: when it is full");
    cr_expect_eq(gate_bucket_wait_ms(&b, 1, 1500), 0,
                 "a clock that was read earlier changes nothing");
    cr_expect_eq(gate_bucket_wait_ms(&b, 60, 900000), 0, "and never more than full");
    gate_bucket_take(&b, 60, 900000);
    cr_expect_eq(gate_bucket_wait_ms(&b, 1, 900000), 1000);
}

Test(gate, a_bucket_takes_debts_and_gives_back)
{
    struct gate_bucket b = {0};
    gate_bucket_configure(&b, 6000, 0);
    gate_bucket_take(&b, 9000, 0); /* half a minute in advance */
    cr_expect_eq(gate_bucket_wait_ms(&b, 0, 0), 30000);
    gate_bucket_take(&b, -3000, 0);
    cr_expect_eq(gate_bucket_wait_ms(&b, 1, 0), 10);
    gate_bucket_take(&b, INT64_MAX, 0);
    cr_expect_eq(gate_bucket_wait_ms(&b, 0, 0), 600000, "ten minutes are the most");
    gate_bucket_take(&b, INT64_MIN, 0);
    cr_expect_eq(gate_bucket_wait_ms(&b, 1, 0), 10, "and as much is the most to give back at once");
    gate_bucket_take(&b, -9000, 0);
    cr_expect_eq(gate_bucket_wait_ms(&b, 6000, 0), 0, "never more than full");
}

Test(gate, a_new_limit_keeps_what_was_taken)
{
    struct gate_bucket b = {0};
    gate_bucket_configure(&b, 60, 0);
    gate_bucket_take(&b, 50, 0);
    gate_bucket_configure(&b, 120, 0);
    cr_expect_eq(gate_bucket_wait_ms(&b, 70, 0), 0);
    cr_expect_eq(gate_bucket_wait_ms(&b, 71, 0), 500);
    gate_bucket_configure(&b, 0, 0);
    cr_expect_eq(gate_bucket_wait_ms(&b, 1000000, 0), 0, "unset means unlimited");
}

/* Gates, on a clock that the tests move */

struct visitor {
    struct gate_ticket ticket;
    int turns;
    enum gate_verdict last;
};

struct door {
    struct gates *table;
    struct expert expert;
    struct gate *gate;
    struct virtual_clock clock;
    struct wake_queue wakes;
    struct visitor visitors[VISITORS_MAX];
};

static void on_turn(void *arg, enum gate_verdict verdict)
{
    struct visitor *v = arg;
    v->turns++;
    v->last = verdict;
}

static struct door *door_open(struct expert_limits limits)
{
    struct door *d = calloc(1, sizeof(*d));
    d->expert =
        (struct expert){.name = STR("dear"), .breaker = HEALTH_OPTIONS_DEFAULT, .limits = limits};
    d->expert.breaker.failures = 3;
    for (size_t i = 0; i < VISITORS_MAX; i++)
        d->visitors[i].last = GATE_WAIT;
    cr_assert_eq(gates_create(&d->table, NULL), OK);
    cr_assert_eq(gates_bind(d->table, GATE_CHAT, &d->expert, 1, 0, &d->gate, NULL), OK);
    virtual_clock_init(&d->clock, 0);
    cr_assert_eq(wake_queue_init(&d->wakes, &d->clock.scheduler, NULL), OK);
    return d;
}

static void door_close(struct door *d)
{
    struct gate_reading r;
    for (size_t i = 0; i < VISITORS_MAX; i++)
        gate_leave(&d->visitors[i].ticket, 0, HEALTH_NONE, HEALTH_NO_HOLD, -1);
    gate_read(d->gate, 0, &r);
    cr_expect_eq(r.in_flight, 0);
    cr_expect_eq(r.waiting, 0);
    virtual_clock_done(&d->clock);
    wake_queue_done(&d->wakes);
    gates_release(d->table, &d->gate, 1);
    gates_free(d->table);
    free(d);
}

static enum gate_verdict enter_for(struct door *d, size_t i, uint64_t now_ms, int64_t tokens,
                                   bool may_wait)
{
    if (now_ms > d->clock.now_ms)
        virtual_clock_advance_to(&d->clock, now_ms);
    const struct gate_ask ask = {.wakes = &d->wakes,
                                 .now_ms = now_ms,
                                 .tokens = tokens,
                                 .may_wait = may_wait,
                                 .on_turn = on_turn,
                                 .arg = &d->visitors[i]};
    return gate_enter(d->gate, &d->visitors[i].ticket, &ask);
}

static enum gate_verdict enter(struct door *d, size_t i, uint64_t now_ms)
{
    return enter_for(d, i, now_ms, 0, true);
}

static void leave(struct door *d, size_t i, uint64_t now_ms)
{
    virtual_clock_advance_to(&d->clock, now_ms);
    gate_leave(&d->visitors[i].ticket, now_ms, HEALTH_GOOD, HEALTH_NO_HOLD, -1);
    virtual_clock_settle(&d->clock);
}

static void expect_reading(struct door *d, uint32_t in_flight, uint32_t waiting)
{
    struct gate_reading r;
    gate_read(d->gate, 0, &r);
    cr_expect_eq(r.in_flight, in_flight, "%u in flight", r.in_flight);
    cr_expect_eq(r.waiting, waiting, "%u waiting", r.waiting);
}

Test(gate, unset_means_unlimited)
{
    struct door *d = door_open((struct expert_limits){0});
    for (size_t i = 0; i < VISITORS_MAX; i++)
        cr_assert_eq(enter_for(d, i, 0, 1000000, true), GATE_GO);
    expect_reading(d, VISITORS_MAX, 0);
    door_close(d);
}

Test(gate, first_come_first_served)
{
    struct door *d = door_open(
        (struct expert_limits){.concurrency = 1, .queue_length = 2, .queue_timeout_ms = 1000});
    cr_expect_eq(enter(d, 0, 0), GATE_GO);
    cr_expect_eq(enter(d, 1, 0), GATE_WAIT);
    cr_expect_eq(enter(d, 2, 0), GATE_WAIT);
    cr_expect_eq(enter(d, 3, 0), GATE_FULL);
    cr_expect_str_eq(d->visitors[3].ticket.why, "its queue is full");
    cr_expect_eq(d->visitors[3].ticket.until_ms, GATE_RETRY_MS);
    expect_reading(d, 1, 2);
    leave(d, 0, 10);
    cr_expect_eq(d->visitors[1].turns, 1);
    cr_expect_eq(d->visitors[1].last, GATE_GO);
    cr_expect_eq(d->visitors[2].turns, 0);
    expect_reading(d, 1, 1);
    leave(d, 1, 20);
    cr_expect_eq(d->visitors[2].last, GATE_GO);
    expect_reading(d, 1, 0);
    door_close(d);
}

Test(gate, a_place_is_given_back_once)
{
    struct door *d = door_open((struct expert_limits){.concurrency = 2});
    cr_expect_eq(enter(d, 0, 0), GATE_GO);
    cr_expect_eq(enter(d, 1, 0), GATE_GO);
    leave(d, 0, 0);
    leave(d, 0, 0);
    leave(d, 0, 0);
    expect_reading(d, 1, 0);
    cr_expect_eq(enter(d, 0, 0), GATE_GO);
    cr_expect_eq(enter(d, 2, 0), GATE_FULL);
    door_close(d);
}

Test(gate, who_will_not_wait_does_not_jump_the_queue)
{
    struct door *d = door_open((struct expert_limits){
        .requests_per_minute = 1, .queue_length = 9, .queue_timeout_ms = 90000});
    cr_expect_eq(enter(d, 0, 0), GATE_GO);
    cr_expect_eq(enter_for(d, 1, 0, 0, false), GATE_FULL);
    cr_expect_eq(d->visitors[1].ticket.until_ms, 60000, "one a minute");
    cr_expect_eq(enter(d, 2, 0), GATE_WAIT);
    d->clock.now_ms = 60000; /* its timer has not run yet */
    cr_expect_eq(enter_for(d, 1, 60000, 0, false), GATE_FULL, "another is before it");
    door_close(d);
}

Test(gate, waiting_has_an_end)
{
    struct door *d = door_open(
        (struct expert_limits){.concurrency = 1, .queue_length = 9, .queue_timeout_ms = 500});
    enter(d, 0, 0);
    cr_expect_eq(enter(d, 1, 100), GATE_WAIT);
    virtual_clock_advance_to(&d->clock, 599);
    cr_expect_eq(d->visitors[1].turns, 0);
    virtual_clock_advance_to(&d->clock, 600);
    cr_expect_eq(d->visitors[1].last, GATE_FULL);
    cr_expect_str_eq(d->visitors[1].ticket.why, "no place became free in time");
    expect_reading(d, 1, 0);
    door_close(d);
}

Test(gate, who_leaves_the_line_is_not_called)
{
    struct door *d = door_open(
        (struct expert_limits){.concurrency = 1, .queue_length = 9, .queue_timeout_ms = 500});
    enter(d, 0, 0);
    enter(d, 1, 0);
    enter(d, 2, 0);
    leave(d, 1, 0); /* the client has gone */
    leave(d, 0, 0);
    cr_expect_eq(d->visitors[1].turns, 0);
    cr_expect_eq(d->visitors[2].last, GATE_GO);
    door_close(d);
}

/* Called, but gone before it heard of it: the place goes to the next. */
Test(gate, who_is_called_and_has_left_gives_the_place_on)
{
    struct door *d = door_open(
        (struct expert_limits){.concurrency = 1, .queue_length = 9, .queue_timeout_ms = 500});
    enter(d, 0, 0);
    enter(d, 1, 0);
    enter(d, 2, 0);
    gate_leave(&d->visitors[0].ticket, 0, HEALTH_GOOD, HEALTH_NO_HOLD,
               -1); /* 1 is in the wake queue now */
    expect_reading(d, 1, 1);
    gate_leave(&d->visitors[1].ticket, 0, HEALTH_NONE, HEALTH_NO_HOLD, -1);
    virtual_clock_advance_to(&d->clock, 0);
    cr_expect_eq(d->visitors[1].turns, 0);
    cr_expect_eq(d->visitors[2].last, GATE_GO);
    expect_reading(d, 1, 0);
    door_close(d);
}

Test(gate, requests_per_minute)
{
    struct door *d = door_open((struct expert_limits){
        .requests_per_minute = 2, .queue_length = 9, .queue_timeout_ms = 90000});
    cr_expect_eq(enter(d, 0, 0), GATE_GO);
    cr_expect_eq(enter(d, 1, 0), GATE_GO);
    leave(d, 0, 0);
    cr_expect_eq(enter(d, 2, 0), GATE_WAIT);
    cr_expect_eq(enter(d, 3, 0), GATE_WAIT);
    virtual_clock_advance_to(&d->clock, 29999);
    cr_expect_eq(d->visitors[2].turns, 0);
    virtual_clock_advance_to(&d->clock, 30000);
    cr_expect_eq(d->visitors[2].last, GATE_GO);
    cr_expect_eq(d->visitors[3].turns, 0);
    virtual_clock_advance_to(&d->clock, 60000);
    cr_expect_eq(d->visitors[3].last, GATE_GO);
    door_close(d);
}

/* The first in line leaves: the second must look earlier than it had planned to. */
Test(gate, the_next_in_line_is_told_when_to_look)
{
    struct door *d = door_open((struct expert_limits){
        .tokens_per_minute = 600, .queue_length = 9, .queue_timeout_ms = 90000});
    cr_expect_eq(enter_for(d, 0, 0, 600, true), GATE_GO);
    cr_expect_eq(enter_for(d, 1, 0, 500, true), GATE_WAIT);
    cr_expect_eq(enter_for(d, 2, 0, 10, true), GATE_WAIT);
    cr_expect_eq(d->visitors[1].ticket.poll_ms, 50000);
    cr_expect_eq(d->visitors[2].ticket.poll_ms, UINT64_MAX);
    leave(d, 1, 500);
    cr_expect_eq(d->visitors[2].ticket.poll_ms, 1000);
    virtual_clock_advance_to(&d->clock, 1000);
    cr_expect_eq(d->visitors[2].last, GATE_GO);
    door_close(d);
}

Test(gate, tokens_are_corrected_by_what_was_really_used)
{
    struct door *d = door_open((struct expert_limits){.tokens_per_minute = 1000});
    cr_expect_eq(enter_for(d, 0, 0, 900, false), GATE_GO);
    cr_expect_eq(enter_for(d, 1, 0, 200, false), GATE_FULL);
    cr_expect_eq(d->visitors[1].ticket.until_ms, 6000);
    gate_leave(&d->visitors[0].ticket, 0, HEALTH_GOOD, HEALTH_NO_HOLD, 300);
    cr_expect_eq(enter_for(d, 1, 0, 700, false), GATE_GO);
    gate_leave(&d->visitors[1].ticket, 0, HEALTH_GOOD, HEALTH_NO_HOLD, 1700);
    cr_expect_eq(enter_for(d, 1, 0, 0, false), GATE_FULL);
    cr_expect_eq(d->visitors[1].ticket.until_ms, 60000, "a minute's worth was taken in advance");
    door_close(d);
}

Test(gate, an_open_circuit_sends_the_line_away_at_once)
{
    struct door *d = door_open(
        (struct expert_limits){.concurrency = 3, .queue_length = 9, .queue_timeout_ms = 500});
    uint64_t until = 0;
    for (size_t i = 0; i < 3; i++)
        enter(d, i, 0);
    cr_expect_eq(enter(d, 3, 0), GATE_WAIT);
    cr_expect_null(gate_barred(d->gate, 0, &until));
    gate_leave(&d->visitors[0].ticket, 0, HEALTH_BAD, HEALTH_NO_HOLD, -1);
    virtual_clock_advance_to(&d->clock, 0);
    cr_expect_eq(d->visitors[3].last, GATE_GO);
    cr_expect_eq(enter(d, 4, 0), GATE_WAIT);
    for (size_t i = 1; i < 3; i++)
        gate_leave(&d->visitors[i].ticket, 0, HEALTH_BAD, HEALTH_NO_HOLD, -1);
    virtual_clock_advance_to(&d->clock, 0);
    cr_expect_eq(d->visitors[4].turns, 1);
    cr_expect_eq(d->visitors[4].last, GATE_BARRED);
    cr_expect_str_eq(d->visitors[4].ticket.why, "circuit open");
    cr_expect_eq(d->visitors[4].ticket.until_ms, 10000);
    cr_expect_str_eq(gate_barred(d->gate, 0, &until), "circuit open");
    cr_expect_eq(enter(d, 5, 0), GATE_BARRED);
    cr_expect_eq(enter(d, 5, 10000), GATE_GO, "the probe");
    cr_expect_eq(enter(d, 6, 10000), GATE_BARRED);
    gate_prove(&d->visitors[5].ticket, d->clock.now_ms);
    cr_expect_eq(enter(d, 6, 10000), GATE_GO);
    door_close(d);
}

/* Cooldowns */

static enum gate_verdict enter_to_cool(struct door *d, size_t i, uint64_t now_ms)
{
    if (now_ms > d->clock.now_ms)
        virtual_clock_advance_to(&d->clock, now_ms);
    const struct gate_ask ask = {.wakes = &d->wakes,
                                 .now_ms = now_ms,
                                 .may_wait = true,
                                 .may_cool = true,
                                 .on_turn = on_turn,
                                 .arg = &d->visitors[i]};
    return gate_enter(d->gate, &d->visitors[i].ticket, &ask);
}

static struct door *door_cooling(uint64_t hold_ms)
{
    struct door *d = door_open((struct expert_limits){.queue_length = 3, .queue_timeout_ms = 5000});
    cr_assert_eq(enter(d, 0, 1), GATE_GO);
    gate_leave(&d->visitors[0].ticket, 1, HEALTH_NONE, (struct health_hold){hold_ms, 503}, 0);
    return d;
}

Test(gate, a_short_cooldown_is_waited_for_in_line)
{
    struct door *d = door_cooling(1000);
    struct gate_reading r;
    uint64_t until = 0;
    cr_expect(gate_cools(d->gate, 1, 1, &until));
    cr_expect_eq(until, 1001);
    cr_expect_eq(enter(d, 0, 1), GATE_BARRED, "who waits for a place does not wait for that");
    for (size_t i = 1; i < 4; i++)
        cr_expect_eq(enter_to_cool(d, i, 2), GATE_WAIT);
    cr_expect_eq(enter_to_cool(d, 4, 3), GATE_FULL);
    cr_expect_not(gate_cools(d->gate, 3, 3, &until), "its line is full");
    virtual_clock_advance_to(&d->clock, 1000);
    expect_reading(d, 0, 3);
    gate_read(d->gate, 1000, &r);
    cr_expect_eq(r.cool_status, 503);
    virtual_clock_advance_to(&d->clock, 1001);
    expect_reading(d, 3, 0);
    cr_expect_eq(d->visitors[3].last, GATE_GO);
    door_close(d);
}

Test(gate, nobody_waits_for_a_cooldown_that_ends_too_late)
{
    struct door *d = door_cooling(5000);
    uint64_t until = 0;
    cr_expect_not(gate_cools(d->gate, 1, 1, &until));
    cr_expect_eq(enter_to_cool(d, 1, 1), GATE_BARRED);
    cr_expect_eq(d->visitors[1].ticket.until_ms, 5001);
    cr_expect_eq(enter_to_cool(d, 1, 2), GATE_WAIT, "its end is in time now");
    door_close(d);
}

Test(gate, a_cooldown_sifts_the_line)
{
    struct door *d = door_open(
        (struct expert_limits){.concurrency = 2, .queue_length = 9, .queue_timeout_ms = 5000});
    for (size_t i = 0; i < 2; i++)
        enter(d, i, 1);
    cr_expect_eq(enter(d, 2, 1), GATE_WAIT);
    cr_expect_eq(enter_to_cool(d, 3, 1), GATE_WAIT);
    gate_leave(&d->visitors[0].ticket, 1, HEALTH_NONE, (struct health_hold){1000, 429}, 0);
    virtual_clock_advance_to(&d->clock, 2);
    cr_expect_eq(d->visitors[2].last, GATE_BARRED, "it may be asked somewhere else");
    cr_expect_eq(d->visitors[3].last, GATE_WAIT);
    gate_leave(&d->visitors[1].ticket, 2, HEALTH_NONE, (struct health_hold){60000, 429}, 0);
    virtual_clock_advance_to(&d->clock, 3);
    cr_expect_eq(d->visitors[3].last, GATE_BARRED, "that is too long now");
    cr_expect_str_eq(d->visitors[3].ticket.why, "cooling down");
    door_close(d);
}

Test(gate, a_lifted_cooldown_lets_the_line_in)
{
    struct door *d = door_cooling(4000);
    cr_expect_eq(enter_to_cool(d, 1, 2), GATE_WAIT);
    virtual_clock_advance_to(&d->clock, 100);
    gates_lift(d->table, 100);
    virtual_clock_settle(&d->clock);
    cr_expect_eq(d->visitors[1].last, GATE_GO);
    cr_expect_eq(enter(d, 2, 100), GATE_GO);
    door_close(d);
}

Test(gate, a_probe_lets_the_line_in_when_it_is_answered)
{
    struct door *d = door_cooling(12000);
    cr_expect_eq(enter_to_cool(d, 1, 9000), GATE_WAIT);
    cr_expect_eq(enter_to_cool(d, 2, 10001), GATE_GO, "the probe goes past the line");
    cr_expect_eq(enter_to_cool(d, 3, 10001), GATE_WAIT);
    gate_prove(&d->visitors[2].ticket, 10001);
    virtual_clock_settle(&d->clock);
    cr_expect_eq(d->visitors[1].last, GATE_GO);
    cr_expect_eq(d->visitors[3].last, GATE_GO);
    door_close(d);
}

Test(gate, what_a_call_says_of_health)
{
    static const struct {
        enum status status;
        struct expert_answer answer;
        enum health_outcome want;
        uint64_t hold_ms;
    } rows[] = {
        {OK, {.http_status = 200, .retry_after_ms = 9}, HEALTH_GOOD, 0},
        {ERR_UPSTREAM, {.retry = EXPERT_RETRY_SAME}, HEALTH_BAD, 0},
        {ERR_TIMEOUT, {.retry = EXPERT_RETRY_NEXT}, HEALTH_BAD, 0},
        {ERR_MEMORY, {.retry = EXPERT_RETRY_NEVER}, HEALTH_NONE, 0},
        {ERR_UPSTREAM, {.http_status = 200, .retry = EXPERT_RETRY_NEXT}, HEALTH_BAD, 0},
        {ERR_UPSTREAM, {.http_status = 401, .retry = EXPERT_RETRY_NEXT}, HEALTH_BAD, 0},
        {ERR_UPSTREAM, {.http_status = 422, .retry = EXPERT_RETRY_NEVER}, HEALTH_REFUSED, 0},
        {ERR_UPSTREAM, {.http_status = 409, .retry = EXPERT_RETRY_SAME}, HEALTH_REFUSED, 0},
        {ERR_UPSTREAM, {.http_status = 429, .retry = EXPERT_RETRY_SAME}, HEALTH_BAD, 0},
        {ERR_UPSTREAM,
         {.http_status = 429, .retry = EXPERT_RETRY_SAME, .retry_after_ms = 70},
         HEALTH_NONE,
         70},
        {ERR_UPSTREAM,
         {.http_status = 503, .retry = EXPERT_RETRY_SAME, .retry_after_ms = 70},
         HEALTH_BAD,
         70},
        {ERR_UPSTREAM,
         {.http_status = 429, .retry = EXPERT_RETRY_NEXT, .reason = RETRY_QUOTA},
         HEALTH_QUOTA,
         0},
        {ERR_UPSTREAM,
         {.http_status = 400, .retry = EXPERT_RETRY_NEXT, .reason = RETRY_REFUSED},
         HEALTH_REFUSED,
         0},
        {ERR_UPSTREAM,
         {.http_status = 404, .retry = EXPERT_RETRY_NEXT, .reason = RETRY_NO_MODEL},
         HEALTH_BAD,
         0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct health_hold hold = {1, 1};
        cr_expect_eq(gate_judge(rows[i].status, &rows[i].answer, &hold), rows[i].want, "row %zu",
                     i);
        cr_expect_eq(hold.ms, rows[i].hold_ms, "row %zu", i);
        cr_expect_eq(hold.http_status, rows[i].answer.http_status, "row %zu", i);
    }
}

/* The table */

Test(gate, a_reload_keeps_the_state_and_takes_the_settings)
{
    struct door *d = door_open(
        (struct expert_limits){.concurrency = 1, .queue_length = 9, .queue_timeout_ms = 9});
    struct expert two[2] = {{.name = STR("other"), .breaker = HEALTH_OPTIONS_DEFAULT}, d->expert};
    struct gate *gates[2];
    enter(d, 0, 0);
    enter(d, 1, 0);
    two[1].limits.concurrency = 2;
    cr_assert_eq(gates_bind(d->table, GATE_CHAT, two, 2, 0, gates, NULL), OK);
    cr_expect_eq(gates[1], d->gate);
    cr_expect_neq(gates[0], d->gate);
    virtual_clock_advance_to(&d->clock, 0);
    cr_expect_eq(d->visitors[1].last, GATE_GO, "there is room for two now");
    gates_release(d->table, gates, 2);
    expect_reading(d, 2, 0);
    door_close(d);
}

/* Threads: each with a loop, all at one gate */

#define THREADS 4
#define ROUNDS  400
#define PLACES  3

struct crowd {
    struct gate *gate;
    atomic_int inside, most, done, refused;
};

struct walker {
    struct crowd *crowd;
    struct runner *runner;
    struct gate_ticket ticket;
    struct loop_timer *timer;
    unsigned rounds;
};

struct runner {
    struct loop *loop;
    struct wake_queue wakes;
    struct walker walkers[4];
    unsigned running;
    pthread_t thread;
};

static void walk(struct walker *w);

static void went_in(struct walker *w)
{
    int now = atomic_fetch_add(&w->crowd->inside, 1) + 1, most = atomic_load(&w->crowd->most);
    while (now > most && !atomic_compare_exchange_weak(&w->crowd->most, &most, now))
        ;
    loop_timer_start(w->timer, 0);
}

static void step(struct walker *w, enum gate_verdict verdict)
{
    if (verdict == GATE_GO) {
        went_in(w);
    } else if (verdict != GATE_WAIT) {
        atomic_fetch_add(&w->crowd->refused, 1);
        loop_timer_start(w->timer, 1);
    } else if (w->rounds % 7 == 0) {
        gate_leave(&w->ticket, loop_now_ms(w->runner->loop), HEALTH_NONE, HEALTH_NO_HOLD,
                   -1); /* changed its mind */
        loop_timer_start(w->timer, 0);
    }
}

static void on_walker_turn(void *arg, enum gate_verdict verdict)
{
    step(arg, verdict);
}

static void walk(struct walker *w)
{
    const struct gate_ask ask = {.wakes = &w->runner->wakes,
                                 .now_ms = loop_now_ms(w->runner->loop),
                                 .tokens = 5,
                                 .may_wait = true,
                                 .on_turn = on_walker_turn,
                                 .arg = w};
    if (w->rounds++ == ROUNDS) {
        if (--w->runner->running == 0)
            loop_stop(w->runner->loop);
        return;
    }
    step(w, gate_enter(w->crowd->gate, &w->ticket, &ask));
}

static void on_walker_timer(void *arg)
{
    struct walker *w = arg;
    if (w->ticket.place == GATE_INSIDE) {
        atomic_fetch_sub(&w->crowd->inside, 1);
        atomic_fetch_add(&w->crowd->done, 1);
        gate_leave(&w->ticket, loop_now_ms(w->runner->loop), HEALTH_GOOD, HEALTH_NO_HOLD, 7);
    }
    walk(w);
}

static void *run(void *arg)
{
    struct runner *r = arg;
    for (size_t i = 0; i < 4; i++)
        walk(&r->walkers[i]);
    return loop_run(r->loop, NULL) == OK ? NULL : arg;
}

Test(gate, many_threads_share_a_door)
{
    static struct runner runners[THREADS];
    struct door *d = door_open((struct expert_limits){.concurrency = PLACES,
                                                      .requests_per_minute = 1000000000,
                                                      .queue_length = 5,
                                                      .queue_timeout_ms = 60000});
    struct crowd crowd = {.gate = d->gate};
    for (size_t t = 0; t < THREADS; t++) {
        struct runner *r = &runners[t];
        cr_assert_eq(loop_create(&r->loop, NULL), OK);
        cr_assert_eq(wake_queue_init(&r->wakes, loop_scheduler(r->loop), NULL), OK);
        r->running = 4;
        for (size_t i = 0; i < 4; i++) {
            struct walker *w = &r->walkers[i];
            *w = (struct walker){.crowd = &crowd, .runner = r};
            w->timer = loop_timer_create(r->loop, on_walker_timer, w);
        }
    }
    for (size_t t = 0; t < THREADS; t++)
        cr_assert_eq(pthread_create(&runners[t].thread, NULL, run, &runners[t]), 0);
    for (size_t t = 0; t < THREADS; t++) {
        void *failed = NULL;
        pthread_join(runners[t].thread, &failed);
        cr_expect_null(failed);
    }
    for (size_t t = 0; t < THREADS; t++) {
        for (size_t i = 0; i < 4; i++)
            loop_timer_free(runners[t].walkers[i].timer);
        wake_queue_done(&runners[t].wakes);
        loop_free(runners[t].loop);
    }
    cr_expect_leq(atomic_load(&crowd.most), PLACES);
    cr_expect_geq(atomic_load(&crowd.most), 2);
    cr_expect_gt(atomic_load(&crowd.done), THREADS * ROUNDS / 4);
    expect_reading(d, 0, 0);
    door_close(d);
}
