/* Plans: whose answer stands, who is cancelled, and what happens when members fail. */
#include "ask_scene.h"

static struct scene *panel(bool stream)
{
    struct scene *s = scene_begin();
    s->options.stream = stream;
    scene_plan(s, PLAN_PANEL, PLAN_AGREE, 3);
    scene_start(s);
    scene_expect(s, "ask(cheap) ask(mid) ");
    return s;
}

static struct scene *cascade(bool escalate)
{
    struct scene *s = scene_begin();
    s->escalate = escalate;
    scene_plan(s, PLAN_CASCADE, PLAN_TRUST, 2);
    scene_start(s);
    scene_expect(s, "ask(cheap) ");
    return s;
}

Test(plan_run, two_that_agree_answer)
{
    struct scene *s = panel(false);
    scene_answer(0, "The answer is 7.");
    scene_expect(s, "paid(cheap,answered,20) ");
    scene_answer(1, "So it is 7");
    scene_expect(s, "paid(mid,answered,20) done(OK,cheap) ");
    cr_expect_str_eq(s->body, WHOLE("The answer is 7."));
    cr_expect_not(asking_is_native(s->asking));
    scene_end(s);
}

Test(plan_run, two_that_differ_ask_the_last)
{
    struct scene *s = panel(false);
    scene_answer(0, "The answer is 7.");
    scene_answer(1, "The answer is 8.");
    scene_expect(s, "paid(cheap,answered,20) paid(mid,answered,20) ask(dear) ");
    scene_answer(2, "The answer is 9.");
    scene_expect(s, "paid(dear,answered,20) done(OK,dear) ");
    scene_end(s);
}

/* It is certain then that the last is asked: the other need not be waited for. */
Test(plan_run, an_unknown_answer_cancels_the_other_and_asks_the_last)
{
    struct scene *s = panel(false);
    scene_answer(0, "");
    scene_expect(s, "paid(cheap,answered,20) paid(mid,cancelled,10) cancel(mid) ask(dear) ");
    scene_answer(2, "The answer is 9.");
    scene_expect(s, "paid(dear,answered,20) done(OK,dear) ");
    scene_end(s);
}

Test(plan_run, a_member_that_fails_counts_as_unknown)
{
    struct scene *s = panel(false);
    scene_fail(1, 503, 0);
    scene_expect(s, "paid(mid,failed,0) paid(cheap,cancelled,10) cancel(cheap) ask(dear) ");
    scene_answer(2, "The answer is 9.");
    scene_end(s);
}

Test(plan_run, a_member_is_tried_again_within_its_own_time)
{
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 1;
    s->experts[CHEAP].total_timeout_ms = 5000;
    scene_plan(s, PLAN_PANEL, PLAN_AGREE, 3);
    scene_start(s);
    scene_fail(0, 503, 1000);
    virtual_clock_advance(&s->clock, 1000);
    scene_expect(s, "ask(cheap) ask(mid) retry(cheap,cheap) ask(cheap) ");
    cr_expect_eq(scene_asked(2)->total_timeout_ms, 4000);
    scene_answer(2, "7");
    scene_answer(1, "7");
    cr_expect_eq(s->end.status, OK);
    scene_end(s);
}

Test(plan_run, when_the_last_fails_the_best_held_back_stands)
{
    struct scene *s = panel(false);
    scene_answer(0, "The answer is 7.");
    scene_answer(1, "The answer is 8.");
    scene_fail(2, 503, 0);
    scene_expect(s, "paid(cheap,answered,20) paid(mid,answered,20) ask(dear) paid(dear,failed,0) "
                    "done(OK,cheap) ");
    scene_end(s);
}

Test(plan_run, when_all_fail_the_other_candidates_are_asked)
{
    struct scene *s = panel(false);
    scene_fail(0, 503, 0);
    scene_fail(2, 503, 0);
    scene_expect(s, "paid(cheap,failed,0) paid(mid,cancelled,10) cancel(mid) ask(dear) "
                    "paid(dear,failed,0) ask(spare) ");
    scene_answer(3, "spare");
    scene_expect(s, "paid(spare,answered,20) done(OK,spare) ");
    scene_end(s);
}

Test(plan_run, what_the_request_is_at_fault_for_is_the_end)
{
    struct scene *s = panel(false);
    scene_fail(0, 422, 0);
    scene_fail(2, 422, 0);
    cr_expect_eq(s->end.status, ERR_UPSTREAM);
    cr_expect_eq(s->end_answer.http_status, 422);
    scene_end(s);
}

/* Whatever the last says stands, so a stream is told as it comes. */
Test(plan_run, the_last_of_a_streamed_panel_is_told_at_once)
{
    struct scene *s = panel(true);
    scene_chunk(0, CHUNK("7"));
    scene_chunk(0, STOP_CHUNK);
    scene_finish(0);
    scene_chunk(1, CHUNK("8"));
    scene_finish(1);
    scene_expect(s, "paid(cheap,answered,12) paid(mid,answered,12) ask(dear) ");
    scene_chunk(2, CHUNK("9"));
    scene_expect(s, "event(" CHUNK("9") ") flush ");
    scene_finish(2);
    scene_expect(s, "event(done) flush paid(dear,answered,12) done(OK,dear) ");
    scene_end(s);
}

Test(plan_run, a_held_stream_is_told_whole)
{
    struct scene *s = panel(true);
    scene_chunk(0, ROLE_CHUNK);
    scene_chunk(0, CHUNK("7"));
    scene_finish(0);
    scene_chunk(1, CHUNK("7"));
    scene_finish(1);
    scene_expect(s, "paid(cheap,answered,12) paid(mid,answered,12) event(" ROLE_CHUNK
                    ") event(" CHUNK("7") ") event(done) done(OK,cheap) ");
    scene_end(s);
}

Test(plan_run, the_last_of_a_streamed_panel_fails_before_it_has_said_a_word)
{
    struct scene *s = panel(true);
    scene_chunk(0, CHUNK("7"));
    scene_finish(0);
    scene_chunk(1, CHUNK("8"));
    scene_finish(1);
    scene_fail(2, 503, 0);
    scene_expect(s, "paid(cheap,answered,12) paid(mid,answered,12) ask(dear) paid(dear,failed,0) "
                    "event(" CHUNK("7") ") event(done) done(OK,cheap) ");
    scene_end(s);
}

Test(plan_run, an_answer_that_is_too_long_to_hold_has_failed)
{
    static char big[5000];
    struct scene *s = panel(true);
    memset(big, ' ', sizeof(big) - 1);
    memcpy(big, CHUNK("7"), sizeof(CHUNK("7")) - 2);
    big[sizeof(big) - 2] = '}';
    scene_chunk(0, big);
    scene_expect(s, "paid(cheap,failed,12) cancel(cheap) paid(mid,cancelled,10) cancel(mid) "
                    "ask(dear) ");
    scene_chunk(2, CHUNK("9"));
    scene_finish(2);
    scene_end(s);
}

Test(plan_run, a_cascade_keeps_what_is_trusted)
{
    struct scene *s = cascade(false);
    scene_answer(0, "7");
    scene_expect(s, "paid(cheap,answered,20) done(OK,cheap) ");
    scene_end(s);
}

Test(plan_run, a_cascade_asks_on_where_it_is_not)
{
    struct scene *s = cascade(true);
    s->winner = 1;
    scene_answer(0, "7");
    scene_expect(s, "paid(cheap,answered,20) ask(mid) ");
    scene_answer(1, "8");
    scene_expect(s, "paid(mid,answered,20) done(OK,mid) ");
    scene_end(s);
}

Test(plan_run, a_closed_gate_is_a_failed_member)
{
    struct gate_ticket other = {0};
    struct scene *s = scene_begin();
    scene_plan(s, PLAN_PANEL, PLAN_AGREE, 3);
    scene_bind(s);
    const struct gate_ask ask = {.wakes = &s->wakes, .now_ms = s->clock.now_ms};
    cr_assert_eq(gate_enter(s->gates[CHEAP], &other, &ask), GATE_GO);
    scene_start(s);
    scene_expect(s, "ask(mid) paid(mid,cancelled,10) cancel(mid) ask(dear) ");
    scene_answer(1, "9");
    gate_leave(&other, s->clock.now_ms, HEALTH_NONE, HEALTH_NO_HOLD, 0);
    scene_end(s);
}

Test(plan_run, all_gates_closed_says_so)
{
    struct gate_ticket others[SCENE_EXPERTS] = {0};
    struct scene *s = scene_begin();
    scene_plan(s, PLAN_PANEL, PLAN_AGREE, 3);
    scene_bind(s);
    const struct gate_ask ask = {.wakes = &s->wakes, .now_ms = s->clock.now_ms};
    for (size_t i = 0; i < SCENE_EXPERTS; i++)
        cr_assert_eq(gate_enter(s->gates[i], &others[i], &ask), GATE_GO);
    scene_start(s);
    cr_expect_eq(s->end.status, ERR_OVERLOAD);
    for (size_t i = 0; i < SCENE_EXPERTS; i++)
        gate_leave(&others[i], s->clock.now_ms, HEALTH_NONE, HEALTH_NO_HOLD, 0);
    scene_end(s);
}

Test(plan_run, who_leaves_cancels_every_member)
{
    struct scene *s = panel(false);
    asking_cancel(s->asking);
    scene_expect(s, "paid(cheap,cancelled,10) cancel(cheap) paid(mid,cancelled,10) cancel(mid) ");
    scene_end(s);
}

Test(plan_run, a_key_without_money_fails_its_members)
{
    struct scene *s = scene_begin();
    scene_plan(s, PLAN_PANEL, PLAN_AGREE, 3);
    for (size_t i = 0; i < SCENE_EXPERTS; i++)
        s->refuse_expert[i] = true;
    scene_start(s);
    cr_expect_eq(s->end.status, ERR_BUDGET);
    scene_end(s);
}

/* Sequential plans */

static struct scene *sequential(size_t voices, size_t winner)
{
    struct scene *s = scene_begin();
    s->voices = voices;
    s->winner = winner;
    scene_plan(s, PLAN_SEQUENTIAL, PLAN_TRUST, 3);
    scene_start(s);
    scene_expect(s, "ask(cheap) ");
    return s;
}

Test(plan_run, a_sequential_plan_asks_one_after_the_other)
{
    struct scene *s = sequential(3, 1);
    scene_answer(0, "The answer is 7.");
    scene_expect(s, "paid(cheap,answered,20) ask(mid) ");
    scene_answer(1, "The answer is 8.");
    scene_expect(s, "paid(mid,answered,20) ask(dear) ");
    scene_answer(2, "The answer is 8.");
    scene_expect(s, "paid(dear,answered,20) done(OK,mid) ");
    cr_expect_str_eq(s->body, WHOLE("The answer is 8."));
    scene_end(s);
}

Test(plan_run, a_sequential_plan_stops_where_the_verdict_does)
{
    struct scene *s = sequential(1, 0);
    scene_answer(0, "The answer is 7.");
    scene_expect(s, "paid(cheap,answered,20) done(OK,cheap) ");
    scene_end(s);
}

Test(plan_run, a_voice_that_fails_is_followed_by_the_next)
{
    struct scene *s = sequential(2, 0);
    scene_fail(0, 503, 0);
    scene_expect(s, "paid(cheap,failed,0) ask(mid) ");
    scene_answer(1, "The answer is 8.");
    scene_expect(s, "paid(mid,answered,20) done(OK,mid) ");
    scene_end(s);
}

/* A verdict that would stop is not heeded while there is no answer at all: whoever is left is asked, then the other
 * candidates. */
Test(plan_run, no_voice_is_left_unasked_before_the_others)
{
    struct scene *s = sequential(1, 0);
    scene_fail(0, 503, 0);
    scene_expect(s, "paid(cheap,failed,0) ask(mid) ");
    scene_fail(1, 503, 0);
    scene_expect(s, "paid(mid,failed,0) ask(dear) ");
    scene_fail(2, 503, 0);
    scene_expect(s, "paid(dear,failed,0) ask(spare) ");
    scene_answer(3, "spare");
    scene_expect(s, "paid(spare,answered,20) done(OK,spare) ");
    scene_end(s);
}

Test(plan_run, a_client_that_leaves_ends_the_voice_that_is_asked)
{
    struct scene *s = sequential(3, 0);
    scene_answer(0, "The answer is 7.");
    scene_expect(s, "paid(cheap,answered,20) ask(mid) ");
    asking_cancel(s->asking);
    scene_expect(s, "paid(mid,cancelled,10) cancel(mid) ");
    scene_end(s);
}

/* Plans in time. The clock begins at 1000. */

#define BEGIN_MS 1000

static struct scene *timed(enum plan_kind kind, size_t members, uint32_t within_ms,
                           uint32_t latency_ms)
{
    struct scene *s = scene_begin();
    scene_plan(s, kind, kind == PLAN_PANEL ? PLAN_AGREE : PLAN_TRUST, members);
    s->plan.deadline_ms = BEGIN_MS + within_ms;
    for (size_t i = 0; i < members; i++)
        s->plan.latency_ms[i] = latency_ms;
    return s;
}

static struct scene *voices_in_time(size_t voices, uint32_t within_ms, uint32_t latency_ms)
{
    struct scene *s = timed(PLAN_SEQUENTIAL, 3, within_ms, latency_ms);
    s->voices = voices;
    scene_start(s);
    return s;
}

Test(plan_run, without_time_for_turns_all_are_asked_at_once)
{
    struct scene *s = voices_in_time(3, 1500, 1000);
    scene_expect(s, "ask(cheap) ask(mid) ask(dear) ");
    virtual_clock_advance(&s->clock, 1000);
    scene_answer(0, "7");
    scene_answer(1, "7");
    scene_answer(2, "8");
    scene_expect(s, "paid(cheap,answered,20) paid(mid,answered,20) paid(dear,answered,20) "
                    "done(OK,cheap) ");
    scene_end(s);
}

Test(plan_run, with_time_for_turns_one_is_asked_and_then_the_rest)
{
    struct scene *s = voices_in_time(3, 2500, 1000);
    scene_expect(s, "ask(cheap) ");
    virtual_clock_advance(&s->clock, 1000);
    scene_answer(0, "7");
    scene_expect(s, "paid(cheap,answered,20) ask(mid) ask(dear) ");
    virtual_clock_advance(&s->clock, 1000);
    scene_answer(1, "7");
    scene_answer(2, "7");
    cr_expect_eq(s->end.status, OK);
    scene_end(s);
}

Test(plan_run, a_wave_that_is_decided_cancels_who_is_out)
{
    struct scene *s = voices_in_time(2, 1500, 1000);
    scene_expect(s, "ask(cheap) ask(mid) ");
    virtual_clock_advance(&s->clock, 900);
    s->voices = 1; /* what the first has said makes the second worth nothing */
    scene_answer(0, "7");
    scene_expect(s, "paid(cheap,answered,20) paid(mid,cancelled,10) cancel(mid) done(OK,cheap) ");
    size_t count = 0;
    const struct asking_paid *paid = asking_paid(s->asking, &count);
    cr_assert_eq(count, 2);
    cr_expect(paid[1].outcome == CALL_CANCELLED && paid[1].candidate == MID &&
              paid[1].ended_ms - paid[1].asked_ms == 900);
    scene_end(s);
}

Test(plan_run, when_time_is_over_who_is_out_is_cancelled)
{
    struct scene *s = voices_in_time(3, 1500, 1000);
    virtual_clock_advance(&s->clock, 1000);
    scene_answer(1, "8");
    scene_expect(s, "ask(cheap) ask(mid) ask(dear) paid(mid,answered,20) ");
    virtual_clock_advance(&s->clock, 499);
    scene_expect(s, "");
    virtual_clock_advance(&s->clock, 1);
    scene_expect(s, "paid(cheap,cancelled,10) cancel(cheap) paid(dear,cancelled,10) cancel(dear) "
                    "done(OK,mid) ");
    cr_expect_str_eq(s->body, WHOLE("8"));
    scene_end(s);
}

Test(plan_run, a_late_answer_is_better_than_none)
{
    struct scene *s = voices_in_time(2, 1500, 1000);
    virtual_clock_advance(&s->clock, 5000);
    scene_expect(s, "ask(cheap) ask(mid) ");
    scene_fail(0, 503, 0);
    scene_expect(s, "paid(cheap,failed,0) ");
    scene_answer(1, "8");
    scene_expect(s, "paid(mid,answered,20) done(OK,mid) ");
    scene_end(s);
}

Test(plan_run, a_request_that_begins_late_asks_somebody)
{
    struct scene *s = voices_in_time(3, 0, 1000);
    scene_expect(s, "ask(cheap) ");
    virtual_clock_advance(&s->clock, 1000);
    scene_answer(0, "7");
    scene_expect(s, "paid(cheap,answered,20) done(OK,cheap) ");
    scene_end(s);
}

Test(plan_run, who_would_come_too_late_is_not_asked)
{
    struct scene *s = timed(PLAN_PANEL, 3, 1500, 1000);
    scene_start(s);
    virtual_clock_advance(&s->clock, 1000);
    scene_answer(0, "7");
    scene_answer(1, "8");
    scene_expect(s, "ask(cheap) ask(mid) paid(cheap,answered,20) paid(mid,answered,20) "
                    "done(OK,cheap) ");
    scene_end(s);
}

/* The last of a panel is told as it comes: until it begins, what is held may still stand in its place. */
Test(plan_run, a_last_that_has_not_begun_in_time_gives_way)
{
    struct scene *s = timed(PLAN_PANEL, 3, 1500, 0);
    s->options.stream = true;
    scene_start(s);
    scene_chunk(0, CHUNK("7"));
    scene_finish(0);
    scene_chunk(1, CHUNK("8"));
    scene_finish(1);
    scene_expect(s, "ask(cheap) ask(mid) paid(cheap,answered,12) paid(mid,answered,12) ask(dear) ");
    virtual_clock_advance(&s->clock, 1500);
    scene_expect(s, "paid(dear,cancelled,10) cancel(dear) event(" CHUNK("7") ") event(done) "
                                                                             "done(OK,cheap) ");
    scene_end(s);
}

Test(plan_run, a_last_that_has_begun_is_told_to_its_end)
{
    struct scene *s = timed(PLAN_PANEL, 3, 1500, 0);
    s->options.stream = true;
    scene_start(s);
    scene_chunk(0, CHUNK("7"));
    scene_finish(0);
    scene_chunk(1, CHUNK("8"));
    scene_finish(1);
    scene_chunk(2, CHUNK("9"));
    virtual_clock_advance(&s->clock, 9000);
    scene_chunk(2, CHUNK("!"));
    scene_finish(2);
    cr_expect(strstr(s->diary, "event(" CHUNK("!") ") flush event(done) flush "
                                                   "paid(dear,answered,"));
    cr_expect_eq(s->end.status, OK);
    scene_end(s);
}

/* A fallback is asked where no member has answered: there is nothing that could stand in its place. */
Test(plan_run, time_that_is_over_ends_no_fallback)
{
    struct scene *s = timed(PLAN_CASCADE, 2, 1500, 0);
    scene_start(s);
    scene_fail(0, 503, 0);
    scene_fail(1, 503, 0);
    scene_expect(s, "ask(cheap) paid(cheap,failed,0) ask(mid) paid(mid,failed,0) ask(dear) ");
    virtual_clock_advance(&s->clock, 3000);
    scene_answer(2, "9");
    scene_expect(s, "paid(dear,answered,20) done(OK,dear) ");
    scene_end(s);
}

Test(plan_run, who_leaves_before_the_time_is_over_leaves_nothing)
{
    struct scene *s = voices_in_time(2, 1500, 1000);
    asking_cancel(s->asking);
    virtual_clock_advance(&s->clock, 9000);
    scene_expect(s, "ask(cheap) ask(mid) paid(cheap,cancelled,10) cancel(cheap) "
                    "paid(mid,cancelled,10) cancel(mid) ");
    scene_end(s);
}

/* How certain a member was of its words is known to the verdict; the answer that is told has no log-probabilities. */

#define TOKEN "{\"token\":\"7\",\"top_logprobs\":[{\"logprob\":-0.5},{\"logprob\":-2}]}"

Test(plan_run, a_whole_member_tells_how_certain_it_was)
{
    struct scene *s = scene_begin();
    s->certainty = true;
    scene_plan(s, PLAN_CASCADE, PLAN_TRUST, 2);
    scene_start(s);
    cr_expect_neq(str_find(scene_asked(0)->body, STR("\"top_logprobs\":2"), 0), SIZE_MAX);
    scripted_answer(scripted_at(&s->script, 0), 200,
                    "{\"choices\":[{\"message\":{\"content\":\"7\"},\"finish_reason\":\"stop\","
                    "\"logprobs\":{\"content\":[" TOKEN "]}}]}");
    cr_expect(s->seen[0].known && s->seen[0].mean == 1.5f && s->seen[0].last == 1.5f);
    cr_expect_not(s->seen[1].known);
    cr_expect(strstr(s->body, "\"logprobs\":null"), "%s", s->body);
    scene_end(s);
}

Test(plan_run, a_streamed_member_tells_how_certain_it_was)
{
    struct scene *s = scene_begin();
    s->certainty = s->options.stream = true;
    scene_plan(s, PLAN_CASCADE, PLAN_TRUST, 2);
    scene_start(s);
    scene_chunk(0, "{\"choices\":[{\"delta\":{\"content\":\"7\"},\"logprobs\":{\"content\":[" TOKEN
                   "]}}]}");
    scene_chunk(0, "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}");
    scene_finish(0);
    cr_expect(s->seen[0].known && s->seen[0].least == 1.5f);
    cr_expect_not(strstr(s->diary, "top_logprobs"), "%s", s->diary);
    scene_end(s);
}
