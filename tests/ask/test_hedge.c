/* A second call beside a slow first: which goes on, what becomes of the other, and what both cost. */
#include "ask_scene.h"

static struct scene *hedged(bool stream)
{
    struct scene *s = scene_begin();
    s->options.hedge_after_ms = 50;
    s->options.stream = stream;
    scene_start(s);
    scene_expect(s, "ask(cheap) ");
    return s;
}

Test(hedge, none_is_asked_before_its_time_or_once_the_first_has_begun)
{
    struct scene *s = hedged(true);
    virtual_clock_advance(&s->clock, 49);
    scene_expect(s, "");
    scene_chunk(0, CHUNK("a"));
    virtual_clock_advance(&s->clock, 1000);
    scene_expect(s, "event(" CHUNK("a") ") flush ");
    scene_finish(0);
    scene_end(s);
}

Test(hedge, the_second_answers_and_the_first_is_cancelled)
{
    struct scene *s = hedged(false);
    virtual_clock_advance(&s->clock, 50);
    scene_expect(s, "ask(mid) ");
    scene_answer(1, "mid");
    scene_expect(
        s, "paid(cheap,cancelled,10) cancel(cheap) paid(mid,answered,20,hedge) done(OK,mid) ");
    cr_expect_eq(asking_calls(s->asking), 2);
    scene_end(s);
}

Test(hedge, the_first_answers_and_the_second_is_cancelled)
{
    struct scene *s = hedged(false);
    virtual_clock_advance(&s->clock, 50);
    scene_answer(0, "cheap");
    scene_expect(s, "ask(mid) paid(mid,cancelled,10,hedge) cancel(mid) paid(cheap,answered,20) "
                    "done(OK,cheap) ");
    scene_end(s);
}

/* Content decides, not the first event. */
Test(hedge, of_two_streams_the_first_word_goes_on)
{
    struct scene *s = hedged(true);
    virtual_clock_advance(&s->clock, 50);
    scene_chunk(0, ROLE_CHUNK);
    scene_chunk(1, ROLE_CHUNK);
    scene_expect(s, "ask(mid) ");
    scene_chunk(1, CHUNK("mid"));
    scene_expect(s, "paid(cheap,cancelled,10) cancel(cheap) event(" ROLE_CHUNK
                    ") event(" CHUNK("mid") ") flush ");
    scene_finish(1);
    scene_expect(s, "event(done) flush paid(mid,answered,12,hedge) done(OK,mid) ");
    scene_end(s);
}

Test(hedge, when_the_first_fails_the_second_is_the_call)
{
    struct scene *s = hedged(true);
    s->experts[CHEAP].retries = 5;
    virtual_clock_advance(&s->clock, 50);
    scene_fail(0, 503, 0);
    scene_expect(s, "ask(mid) paid(cheap,failed,0) retry(cheap,mid) ");
    scene_fail(1, 503, 0);
    scene_expect(s, "paid(mid,failed,0,hedge) retry(mid,dear) ");
    virtual_clock_settle(&s->clock);
    scene_chunk(2, CHUNK("dear"));
    scene_finish(2);
    scene_expect(s, "ask(dear) event(" CHUNK(
                        "dear") ") flush event(done) flush paid(dear,answered,12) done(OK,dear) ");
    scene_end(s);
}

Test(hedge, when_the_second_fails_the_first_goes_on)
{
    struct scene *s = hedged(false);
    virtual_clock_advance(&s->clock, 50);
    scene_fail(1, 503, 0);
    scene_expect(s, "ask(mid) paid(mid,failed,0,hedge) ");
    virtual_clock_advance(&s->clock, 10000);
    scene_expect(s, "");
    scene_answer(0, "cheap");
    scene_expect(s, "paid(cheap,answered,20) done(OK,cheap) ");
    scene_end(s);
}

Test(hedge, one_that_cannot_start_is_no_failure)
{
    struct scene *s = hedged(false);
    s->script.starts_to_refuse = 1;
    virtual_clock_advance(&s->clock, 50);
    scene_expect(s, "");
    cr_expect_eq(asking_calls(s->asking), 1);
    scene_answer(0, "cheap");
    scene_expect(s, "paid(cheap,answered,20) done(OK,cheap) ");
    scene_end(s);
}

/* It is asked only where there is a place at once. */
Test(hedge, the_next_best_with_a_place_is_asked)
{
    struct gate_ticket other = {0};
    struct scene *s = hedged(false);
    const struct gate_ask ask = {.wakes = &s->wakes, .now_ms = s->clock.now_ms};
    cr_assert_eq(gate_enter(s->gates[MID], &other, &ask), GATE_GO);
    virtual_clock_advance(&s->clock, 50);
    scene_expect(s, "ask(dear) ");
    asking_cancel(s->asking);
    scene_expect(s, "paid(dear,cancelled,10,hedge) cancel(dear) paid(cheap,cancelled,10) "
                    "cancel(cheap) ");
    gate_leave(&other, s->clock.now_ms, HEALTH_NONE, HEALTH_NO_HOLD, 0);
    scene_end(s);
}

Test(hedge, a_first_in_its_pause_is_overtaken)
{
    struct scene *s = scene_begin();
    s->options.hedge_after_ms = 50;
    s->experts[CHEAP].retries = 1;
    scene_start(s);
    scene_fail(0, 503, 4000);
    virtual_clock_advance(&s->clock, 50);
    scene_expect(s, "ask(cheap) retry(cheap,cheap) ask(mid) ");
    scene_answer(1, "mid");
    scene_expect(s, "paid(cheap,failed,0) paid(mid,answered,20,hedge) done(OK,mid) ");
    virtual_clock_advance(&s->clock, 10000);
    scene_expect(s, "");
    scene_end(s);
}

/* With a cost limit the input of the second is kept back from the answer of the first, and the other way round. */
Test(hedge, both_together_stay_within_the_limit)
{
    struct scene *s = scene_begin();
    s->options.hedge_after_ms = 50;
    s->limit_cost_nano_usd = 100;
    scene_start(s);
    cr_expect_eq(scene_output_limit(0), 90);
    virtual_clock_advance(&s->clock, 50);
    cr_expect_eq(scene_output_limit(1), 90);
    asking_cancel(s->asking);
    scene_end(s);
}

Test(hedge, where_nothing_can_be_kept_back_there_is_none)
{
    struct scene *s = scene_begin();
    s->options.hedge_after_ms = 50;
    s->limit_cost_nano_usd = 30; /* the first is expected to say 20 */
    scene_start(s);
    virtual_clock_advance(&s->clock, 1000);
    scene_expect(s, "ask(cheap) ");
    asking_cancel(s->asking);
    scene_end(s);
}

/* Making the asking took one; the request itself goes on without the others. */
Test(hedge, without_memory_for_a_timer_there_is_none)
{
    for (unsigned refused = 1; refused <= 2; refused++) {
        struct error err = {0};
        struct scene *s = hedged(false);
        asking_cancel(s->asking);
        asking_release(s->asking);
        cr_assert_eq(asking_create(&s->options, &s->asking, &err), OK);
        s->clock.timers_to_refuse = refused;
        asking_start(s->asking);
        virtual_clock_advance(&s->clock, 1000);
        cr_expect_eq(s->script.count, 2, "cheap, twice");
        scene_answer(1, "cheap");
        cr_expect_eq(s->end.status, OK);
        scene_end(s);
    }
}
