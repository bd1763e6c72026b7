/* What an attempt tells of itself besides: its state, its held events, its place at the gate. */
#include "ask_scene.h"

#include <signal.h>

Test(attempt, a_live_answer_proves_the_probe)
{
    struct scene *s = scene_begin();
    struct gate_ticket other = {0};
    struct gate_reading r;
    s->options.stream = true;
    s->options.count = 1;
    s->experts[CHEAP].breaker = HEALTH_OPTIONS_DEFAULT;
    s->experts[CHEAP].breaker.failures = 1;
    scene_bind(s);
    const struct gate_ask ask = {.wakes = &s->wakes, .now_ms = s->clock.now_ms};
    cr_assert_eq(gate_enter(s->gates[CHEAP], &other, &ask), GATE_GO);
    gate_leave(&other, s->clock.now_ms, HEALTH_BAD, HEALTH_NO_HOLD, 0);
    virtual_clock_advance(&s->clock, 10000);
    scene_start(s);
    gate_read(s->gates[CHEAP], s->clock.now_ms, &r);
    cr_expect_eq(r.state, HEALTH_HALF_OPEN);
    scene_chunk(0, CHUNK("a"));
    gate_read(s->gates[CHEAP], s->clock.now_ms, &r);
    cr_expect_eq(r.state, HEALTH_CLOSED);
    scene_finish(0);
    scene_end(s);
}

Test(attempt, its_state_is_what_it_does)
{
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 1;
    scene_start(s);
    const struct attempt *t = s->asking->main;
    cr_expect_eq(t->state, ATTEMPT_CALLING);
    cr_expect(attempt_is_open(t));
    scene_fail(0, 503, 0);
    cr_expect_eq(t->state, ATTEMPT_PAUSED);
    virtual_clock_advance(&s->clock, RETRY_BACKOFF_FIRST_MS);
    cr_expect_eq(t->state, ATTEMPT_CALLING);
    asking_cancel(s->asking);
    cr_expect_eq(t->state, ATTEMPT_ENDED);
    cr_expect_not(attempt_is_open(t));
    scene_end(s);
}

/* Errors of the program, not of an expert. */
Test(attempt, a_change_that_is_not_in_the_table_is_refused, .signal = SIGABRT)
{
    struct scene *s = scene_begin();
    scene_start(s);
    attempt_pause(s->asking->main, 1);
    attempt_pause(s->asking->main, 1);
}

Test(attempt, tells_the_gate_how_long_it_took)
{
    struct scene *s = scene_begin();
    scene_start(s);
    virtual_clock_advance(&s->clock, 700);
    cr_expect_eq(gate_latency_ms(s->gates[CHEAP], s->clock.now_ms), 0);
    scene_answer(0, "4");
    cr_expect_eq(gate_latency_ms(s->gates[CHEAP], s->clock.now_ms), 700);
    scene_end(s);
}

Test(attempt, one_that_is_called_off_tells_it_too_and_one_that_fails_does_not)
{
    struct scene *s = scene_begin();
    scene_start(s);
    virtual_clock_advance(&s->clock, 700);
    scene_fail(0, 503, 0);
    virtual_clock_advance(&s->clock, 300);
    asking_cancel(s->asking);
    cr_expect_eq(gate_latency_ms(s->gates[CHEAP], s->clock.now_ms), 0);
    cr_expect_eq(gate_latency_ms(s->gates[MID], s->clock.now_ms), 600);
    scene_end(s);
}
