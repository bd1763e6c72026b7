/* One candidate after the other, without a gateway: tries, pauses, deadlines, closed gates, streams. */
#include "ask_scene.h"

Test(fallback, one_answers_and_is_paid)
{
    struct scene *s = scene_begin();
    scene_start(s);
    scene_expect(s, "ask(cheap) ");
    virtual_clock_advance(&s->clock, 120);
    scene_answer(0, "hello");
    scene_expect(s, "paid(cheap,answered,20) done(OK,cheap) ");
    cr_expect_str_eq(s->body, WHOLE("hello"));
    size_t count;
    const struct asking_paid *paid = asking_paid(s->asking, &count);
    cr_expect_eq(count, 1);
    cr_expect_eq(paid->asked_ms, 1000);
    cr_expect_eq(paid->ended_ms, 1120);
    cr_expect_eq(paid->cost.basis, COST_USAGE);
    cr_expect_eq(asking_calls(s->asking), 1);
    scene_end(s);
}

/* The pause doubles, half of it by chance; when the time has come the same expert is asked. */
Test(fallback, a_failed_try_is_made_again_after_a_pause)
{
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 2;
    scene_start(s);
    scene_fail(0, 500, 0);
    scene_expect(s, "ask(cheap) retry(cheap,cheap) ");
    virtual_clock_advance(&s->clock, RETRY_BACKOFF_FIRST_MS / 2 - 1);
    scene_expect(s, "");
    virtual_clock_advance(&s->clock, RETRY_BACKOFF_FIRST_MS);
    scene_expect(s, "ask(cheap) ");
    scene_fail(1, 500, 0);
    virtual_clock_advance(&s->clock, 2 * RETRY_BACKOFF_FIRST_MS);
    scene_expect(s, "retry(cheap,cheap) ask(cheap) ");
    scene_answer(2, "at last");
    scene_expect(s, "paid(cheap,answered,20) done(OK,cheap) ");
    cr_expect_eq(asking_calls(s->asking), 3);
    scene_end(s);
}

Test(fallback, tries_run_out_and_the_next_best_is_asked)
{
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 1;
    scene_start(s);
    scene_fail(0, 503, 0);
    virtual_clock_advance(&s->clock, RETRY_BACKOFF_FIRST_MS);
    scene_fail(1, 503, 0);
    scene_expect(s, "ask(cheap) retry(cheap,cheap) ask(cheap) paid(cheap,failed,0) "
                    "retry(cheap,mid) ");
    virtual_clock_settle(&s->clock);
    scene_expect(s, "ask(mid) ");
    scene_answer(2, "mid");
    scene_expect(s, "paid(mid,answered,20) done(OK,mid) ");
    scene_end(s);
}

/* An upstream that says when to come back is believed, as long as that is worth it. */
Test(fallback, a_longer_wish_of_the_expert_is_kept)
{
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 1;
    scene_start(s);
    scene_fail(0, 429, 3000);
    virtual_clock_advance(&s->clock, 2999);
    scene_expect(s, "ask(cheap) retry(cheap,cheap) ");
    virtual_clock_advance(&s->clock, 1);
    scene_expect(s, "ask(cheap) ");
    scene_answer(1, "now");
    scene_end(s);
}

static void expect_after_wish(size_t count, uint64_t wait_ms, const char *diary)
{
    struct scene *s = scene_begin();
    s->options.count = count;
    s->experts[CHEAP].retries = 1;
    scene_start(s);
    scene_fail(0, 429, wait_ms);
    scene_expect(s, diary);
    if (s->done == 0)
        asking_cancel(s->asking);
    scene_end(s);
}

Test(fallback, too_long_a_wish_sends_us_on)
{
    expect_after_wish(2, ASKING_WAIT_MAX_MS, "ask(cheap) retry(cheap,cheap) ");
    expect_after_wish(2, ASKING_WAIT_MAX_MS + 1,
                      "ask(cheap) paid(cheap,failed,0) retry(cheap,mid) ");
    expect_after_wish(1, ASKING_WAIT_LAST_MS, "ask(cheap) retry(cheap,cheap) ");
    expect_after_wish(1, ASKING_WAIT_LAST_MS + 1,
                      "ask(cheap) paid(cheap,failed,0) done(failed,cheap) ");
}

Test(fallback, what_the_request_is_at_fault_for_is_its_answer)
{
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 5;
    scene_start(s);
    scene_fail(0, 422, 0);
    scene_expect(s, "ask(cheap) paid(cheap,failed,0) done(failed,cheap) ");
    cr_expect_eq(s->end_answer.http_status, 422);
    scene_end(s);
}

/* Its key is at fault: it would fail again, another need not. */
Test(fallback, one_that_refuses_our_key_is_not_asked_again)
{
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 5;
    scene_start(s);
    scene_fail(0, 401, 0);
    virtual_clock_settle(&s->clock);
    scene_expect(s, "ask(cheap) paid(cheap,failed,0) retry(cheap,mid) ask(mid) ");
    scene_answer(1, "mid");
    scene_end(s);
}

/* Another try has what is left of the expert's time, and none comes after it. */
Test(fallback, all_tries_share_one_deadline)
{
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 9;
    s->experts[CHEAP].total_timeout_ms = 2000;
    scene_start(s);
    cr_expect_eq(scene_asked(0)->total_timeout_ms, 2000, "the expert's own");
    virtual_clock_advance(&s->clock, 500);
    scene_fail(0, 503, 1000);
    virtual_clock_advance(&s->clock, 1000);
    scene_expect(s, "ask(cheap) retry(cheap,cheap) ask(cheap) ");
    cr_expect_eq(scene_asked(1)->total_timeout_ms, 500);
    scene_fail(1, 503, 600);
    scene_expect(s, "paid(cheap,failed,0) retry(cheap,mid) ");
    virtual_clock_settle(&s->clock);
    scene_answer(2, "mid");
    scene_end(s);
}

/* Its time may end in line, before the next try. */
Test(fallback, a_try_that_would_be_late_is_not_made)
{
    struct gate_ticket other = {0};
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 1;
    s->experts[CHEAP].total_timeout_ms = 400;
    s->experts[CHEAP].limits.queue_length = 1;
    scene_start(s);
    scene_fail(0, 500, 0);
    const struct gate_ask ask = {.wakes = &s->wakes, .now_ms = s->clock.now_ms};
    cr_assert_eq(gate_enter(s->gates[CHEAP], &other, &ask), GATE_GO);
    virtual_clock_advance(&s->clock, 500);
    gate_leave(&other, s->clock.now_ms, HEALTH_GOOD, HEALTH_NO_HOLD, 0);
    virtual_clock_settle(&s->clock);
    scene_expect(s,
                 "ask(cheap) retry(cheap,cheap) paid(cheap,failed,0) retry(cheap,mid) ask(mid) ");
    scene_answer(1, "mid");
    scene_end(s);
}

/* Broken off in the middle: what went out and came back is taken to be charged. */
Test(fallback, failed_tries_are_paid_for)
{
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 1;
    scene_start(s);
    scene_break(0);
    cr_expect_eq(asking_cost_failed(s->asking).nano_usd, 10, "its input");
    virtual_clock_advance(&s->clock, RETRY_BACKOFF_FIRST_MS);
    scene_answer(1, "x");
    scene_expect(s, "ask(cheap) retry(cheap,cheap) ask(cheap) paid(cheap,answered,30) "
                    "done(OK,cheap) ");
    scene_end(s);
}

Test(fallback, the_longest_answer_counts_what_is_gone)
{
    struct scene *s = scene_begin();
    s->limit_cost_nano_usd = 35;
    s->experts[CHEAP].retries = 1;
    scene_start(s);
    cr_expect_eq(scene_output_limit(0), 35);
    scene_break(0);
    virtual_clock_advance(&s->clock, RETRY_BACKOFF_FIRST_MS);
    cr_expect_eq(scene_output_limit(1), 25, "less its own failed try");
    scene_break(1);
    virtual_clock_settle(&s->clock);
    cr_expect_eq(scene_output_limit(2), 15, "less another's");
    scene_break(2);
    virtual_clock_settle(&s->clock);
    scene_break(3);
    virtual_clock_settle(&s->clock);
    cr_expect_eq(s->end.status, ERR_BUDGET, "nothing is left for the fourth");
    scene_end(s);
}

Test(fallback, a_key_without_money_is_no_call)
{
    struct scene *s = scene_begin();
    s->refuse_expert[CHEAP] = true;
    scene_start(s);
    cr_expect_eq(s->done, 1);
    cr_expect_eq(s->end.status, ERR_BUDGET);
    cr_expect_eq(s->script.count, 0);
    scene_end(s);
}

Test(fallback, no_memory_for_a_call_is_the_end)
{
    struct scene *s = scene_begin();
    s->script.starts_to_refuse = 1;
    scene_start(s);
    cr_expect_eq(s->end.status, ERR_MEMORY);
    scene_end(s);
}

Test(fallback, what_is_no_answer_is_a_failure)
{
    struct scene *s = scene_begin();
    s->options.count = 1;
    s->accept_nothing = true;
    scene_start(s);
    scene_answer(0, "vectors?");
    cr_expect_eq(s->end.status, ERR_UPSTREAM);
    cr_expect_str_eq(s->end_error.text, "that is no answer");
    scene_end(s);
}

Test(fallback, calls_have_an_end)
{
    struct scene *s = scene_begin();
    for (size_t i = 0; i < SCENE_EXPERTS; i++)
        s->experts[i].retries = 100;
    scene_start(s);
    for (size_t i = 0; s->done == 0 && i < SCRIPTED_CALLS_MAX; i++) {
        scene_fail(i, 503, 0);
        virtual_clock_advance(&s->clock, RETRY_BACKOFF_MAX_MS);
    }
    cr_expect_eq(s->done, 1);
    cr_expect_eq(s->script.count, ASKING_CALLS_MAX);
    scene_end(s);
}

/* Gates */

static void take_place(struct scene *s, size_t expert, struct gate_ticket *ticket)
{
    const struct gate_ask ask = {.wakes = &s->wakes, .now_ms = s->clock.now_ms};
    scene_bind(s);
    cr_assert_eq(gate_enter(s->gates[expert], ticket, &ask), GATE_GO);
}

Test(fallback, a_turn_in_line_is_waited_for)
{
    struct gate_ticket other = {0};
    struct scene *s = scene_begin();
    s->experts[CHEAP].limits.queue_length = 1;
    take_place(s, CHEAP, &other);
    scene_start(s);
    scene_expect(s, "");
    virtual_clock_advance(&s->clock, 700);
    gate_leave(&other, s->clock.now_ms, HEALTH_GOOD, HEALTH_NO_HOLD, 0);
    virtual_clock_settle(&s->clock);
    scene_expect(s, "ask(cheap) ");
    scene_answer(0, "x");
    scene_end(s);
}

Test(fallback, one_that_is_full_is_passed_over_and_the_next_is_not_waited_for)
{
    struct gate_ticket first = {0}, second = {0};
    struct scene *s = scene_begin();
    s->experts[MID].limits.queue_length = 9;
    take_place(s, CHEAP, &first);
    take_place(s, MID, &second);
    scene_start(s);
    scene_expect(s, "ask(dear) ");
    scene_answer(0, "x");
    gate_leave(&first, s->clock.now_ms, HEALTH_GOOD, HEALTH_NO_HOLD, 0);
    gate_leave(&second, s->clock.now_ms, HEALTH_GOOD, HEALTH_NO_HOLD, 0);
    scene_end(s);
}

Test(fallback, when_all_are_closed_the_end_says_why_and_when)
{
    struct gate_ticket other = {0};
    struct scene *s = scene_begin();
    s->options.count = 1;
    take_place(s, CHEAP, &other);
    scene_start(s);
    cr_expect_eq(s->end.status, ERR_OVERLOAD);
    cr_expect_str_eq(s->end_error.text, "no expert can be asked now (cheap: its queue is full)");
    cr_expect_eq(s->end_answer.http_status, 429, "it is well, and has too much to do");
    cr_expect_eq(s->end_answer.retry_after_ms, GATE_RETRY_MS);
    gate_leave(&other, s->clock.now_ms, HEALTH_GOOD, HEALTH_NO_HOLD, 0);
    scene_end(s);
}

Test(fallback, a_circuit_that_is_open_is_no_overload)
{
    struct gate_ticket other = {0};
    struct scene *s = scene_begin();
    s->options.count = 1;
    s->experts[CHEAP].breaker = HEALTH_OPTIONS_DEFAULT;
    s->experts[CHEAP].breaker.failures = 1;
    take_place(s, CHEAP, &other);
    gate_leave(&other, s->clock.now_ms, HEALTH_BAD, HEALTH_NO_HOLD, 0);
    scene_start(s);
    cr_expect_eq(s->end.status, ERR_OVERLOAD);
    cr_expect_eq(s->end_answer.http_status, 0, "503");
    cr_expect_eq(s->end_answer.retry_after_ms, 10000);
    scene_end(s);
}

/* Cooldowns: another expert is asked where there is one; else the end of the shortest is waited for. */

static void cool(struct scene *s, size_t expert, uint64_t hold_ms)
{
    struct gate_ticket other = {0};
    take_place(s, expert, &other);
    gate_leave(&other, s->clock.now_ms, HEALTH_NONE, (struct health_hold){hold_ms, 503}, 0);
}

Test(fallback, of_several_that_cool_down_the_soonest_is_waited_for)
{
    struct scene *s = scene_begin();
    s->options.count = 2;
    for (size_t i = 0; i < 2; i++)
        s->experts[i].limits.queue_length = 1;
    cool(s, CHEAP, 20000);
    cool(s, MID, 1000);
    scene_start(s);
    scene_expect(s, "");
    virtual_clock_advance(&s->clock, 999);
    scene_expect(s, "");
    virtual_clock_advance(&s->clock, 1);
    scene_expect(s, "ask(mid) ");
    scene_answer(0, "x");
    scene_end(s);
}

Test(fallback, after_a_failure_a_short_cooldown_is_waited_for_too)
{
    struct scene *s = scene_begin();
    s->options.count = 2;
    s->experts[MID].limits.queue_length = 1;
    cool(s, MID, 1000);
    scene_start(s);
    scene_fail(0, 500, 0);
    scene_expect(s, "ask(cheap) paid(cheap,failed,0) retry(cheap,mid) ");
    virtual_clock_advance(&s->clock, 1000);
    scene_expect(s, "ask(mid) ");
    scene_answer(1, "x");
    scene_end(s);
}

Test(fallback, one_that_has_a_place_is_not_left_for_one_that_cools_down)
{
    struct scene *s = scene_begin();
    s->options.count = 2;
    s->experts[CHEAP].limits.queue_length = 1;
    cool(s, CHEAP, 100);
    scene_start(s);
    scene_expect(s, "ask(mid) ");
    scene_answer(0, "x");
    scene_end(s);
}

Test(fallback, a_first_one_that_must_not_be_left_is_waited_for)
{
    struct scene *s = scene_begin();
    s->options.count = 2;
    s->options.waits_for_first = true;
    s->experts[CHEAP].limits.queue_length = 1;
    cool(s, CHEAP, 100);
    scene_start(s);
    scene_expect(s, "");
    virtual_clock_advance(&s->clock, 100);
    scene_expect(s, "ask(cheap) ");
    scene_fail(0, 500, 0);
    scene_expect(s, "paid(cheap,failed,0) retry(cheap,mid) ");
    virtual_clock_settle(&s->clock);
    scene_expect(s, "ask(mid) ");
    scene_answer(1, "x");
    scene_end(s);
}

Test(fallback, a_cooldown_that_grows_too_long_is_told_as_what_it_is)
{
    struct scene *s = scene_begin();
    struct gate_ticket other = {0};
    s->options.count = 1;
    s->experts[CHEAP].limits = (struct expert_limits){.queue_length = 1, .queue_timeout_ms = 5000};
    take_place(s, CHEAP, &other);
    cool(s, CHEAP, 1000);
    scene_start(s);
    scene_expect(s, "");
    gate_leave(&other, s->clock.now_ms, HEALTH_NONE, (struct health_hold){9000, 503}, 0);
    virtual_clock_settle(&s->clock);
    cr_expect_str_eq(s->end_error.text, "no expert can be asked now (cheap: cooling down since it "
                                        "answered 503, for 9000 ms more)");
    cr_expect_eq(s->end_answer.http_status, 0, "503");
    cr_expect_eq(s->end_answer.retry_after_ms, 9000);
    scene_end(s);
}

Test(fallback, tries_go_on_where_a_cooldown_was_waited_for)
{
    struct scene *s = scene_begin();
    struct gate_ticket other = {0};
    s->options.count = 1;
    s->experts[CHEAP].retries = 1;
    s->experts[CHEAP].limits = (struct expert_limits){.queue_length = 1, .queue_timeout_ms = 5000};
    take_place(s, CHEAP, &other);
    scene_start(s);
    scene_fail(0, 503, 300);
    gate_leave(&other, s->clock.now_ms, HEALTH_NONE, (struct health_hold){2000, 503}, 0);
    virtual_clock_advance(&s->clock, 2000);
    scene_fail(1, 503, 300);
    cr_expect_eq(s->done, 1, "it was the second of two tries");
    scene_end(s);
}

/* Streams */

Test(fallback, nothing_is_told_before_the_first_content)
{
    struct scene *s = scene_begin();
    s->options.stream = true;
    scene_start(s);
    scene_chunk(0, ROLE_CHUNK);
    scene_expect(s, "ask(cheap) ");
    scene_chunk(0, CHUNK("a"));
    scene_expect(s, "event(" ROLE_CHUNK ") event(" CHUNK("a") ") flush ");
    scene_chunk(0, CHUNK("b"));
    scene_expect(s, "event(" CHUNK("b") ") flush ");
    scene_finish(0);
    scene_expect(s, "event(done) flush paid(cheap,answered,12) done(OK,cheap) ");
    scene_end(s);
}

Test(fallback, before_the_first_content_another_takes_over)
{
    struct scene *s = scene_begin();
    s->options.stream = true;
    scene_start(s);
    scene_chunk(0, ROLE_CHUNK);
    scene_break(0);
    virtual_clock_settle(&s->clock);
    scene_chunk(1, CHUNK("mid"));
    scene_finish(1);
    scene_expect(s, "ask(cheap) paid(cheap,failed,10) retry(cheap,mid) ask(mid) event(" CHUNK(
                        "mid") ") flush event(done) flush paid(mid,answered,12) done(OK,mid) ");
    scene_end(s);
}

Test(fallback, an_error_inside_the_stream_is_a_failure)
{
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 1;
    s->options.stream = true;
    scene_start(s);
    scene_chunk(0, ROLE_CHUNK);
    scene_chunk(0, "{\"error\":{\"message\":\"too tired\",\"code\":503}}");
    scene_expect(s, "ask(cheap) retry(cheap,cheap) cancel(cheap) ");
    virtual_clock_advance(&s->clock, RETRY_BACKOFF_FIRST_MS);
    scene_chunk(1, CHUNK("a"));
    scene_finish(1);
    scene_expect(s, "ask(cheap) event(" CHUNK(
                        "a") ") flush event(done) flush paid(cheap,answered,12) done(OK,cheap) ");
    scene_end(s);
}

Test(fallback, after_it_nobody_does)
{
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 3;
    s->options.stream = true;
    scene_start(s);
    scene_chunk(0, CHUNK("a"));
    scene_break(0);
    scene_expect(
        s, "ask(cheap) event(" CHUNK("a") ") flush paid(cheap,failed,12) done(failed,cheap) ");
    scene_end(s);
}

Test(fallback, a_stream_without_content_is_told_at_its_end)
{
    struct scene *s = scene_begin();
    s->options.stream = true;
    scene_start(s);
    scene_chunk(0, ROLE_CHUNK);
    scene_chunk(0, STOP_CHUNK);
    scene_finish(0);
    scene_expect(s, "ask(cheap) event(" ROLE_CHUNK ") event(" STOP_CHUNK
                    ") flush event(done) flush paid(cheap,answered,10) done(OK,cheap) ");
    scene_end(s);
}

/* HKUDS/nanobot PR #4288: neither a word nor a reason to end is no answer, whatever [DONE] says. */
Test(fallback, a_stream_with_nothing_in_it_asks_the_next)
{
    struct scene *s = scene_begin();
    s->options.stream = true;
    scene_start(s);
    scene_chunk(0, ROLE_CHUNK);
    scene_chunk(0, "[DONE]");
    scene_expect(s, "ask(cheap) paid(cheap,failed,10) retry(cheap,mid) cancel(cheap) ");
    virtual_clock_advance(&s->clock, RETRY_BACKOFF_FIRST_MS);
    scene_expect(s, "ask(mid) ");
    scene_chunk(1, CHUNK("a"));
    scene_finish(1);
    scene_expect(s, "event(" CHUNK("a") ") flush event(done) flush paid(mid,answered,12) "
                                        "done(OK,mid) ");
    scene_end(s);
}

Test(fallback, an_answer_that_is_whole_waits_a_second_for_its_connection)
{
    struct scene *s = scene_begin();
    s->options.stream = true;
    scene_start(s);
    scene_chunk(0, CHUNK("a"));
    scene_chunk(0, "[DONE]");
    scene_expect(s, "ask(cheap) event(" CHUNK("a") ") flush event(done) flush ");
    virtual_clock_advance(&s->clock, ASKING_LINGER_MS - 1);
    scene_expect(s, "");
    virtual_clock_advance(&s->clock, 1);
    scene_expect(s, "paid(cheap,answered,12) done(OK,cheap) cancel(cheap) ");
    scene_end(s);
}

Test(fallback, what_comes_behind_a_whole_answer_is_not_waited_for)
{
    struct scene *s = scene_begin();
    s->options.stream = true;
    scene_start(s);
    scene_chunk(0, CHUNK("a"));
    scene_chunk(0, "[DONE]");
    scene_chunk(0, CHUNK("late"));
    scene_expect(
        s, "ask(cheap) event(" CHUNK("a") ") flush event(done) flush "
                                          "paid(cheap,answered,12) done(OK,cheap) cancel(cheap) ");
    scene_end(s);
}

Test(fallback, too_much_without_content_counts_as_content)
{
    static char big[ASKING_HELD_BYTES_MAX + 100];
    struct scene *s = scene_begin();
    s->options.stream = true;
    scene_start(s);
    memset(big, ' ', sizeof(big) - 1);
    memcpy(big, ROLE_CHUNK, sizeof(ROLE_CHUNK) - 2);
    big[sizeof(big) - 2] = '}';
    scene_chunk(0, big);
    cr_expect(s->asking->main->live);
    asking_cancel(s->asking);
    scene_end(s);
}

Test(fallback, a_slow_reader_stops_the_expert)
{
    struct scene *s = scene_begin();
    s->options.stream = true;
    scene_start(s);
    scene_chunk(0, CHUNK("a"));
    s->diary[0] = '\0';
    asking_pause(s->asking);
    scene_chunk(0, CHUNK("b"));
    asking_resume(s->asking);
    scene_expect(s, "pause(cheap) resume(cheap) ");
    scene_chunk(0, CHUNK("c"));
    scene_expect(s, "event(" CHUNK("b") ") flush event(" CHUNK("c") ") flush ");
    scene_finish(0);
    scene_end(s);
}

/* A client that leaves, in every phase */

Test(fallback, who_leaves_while_it_is_asked_pays_for_what_went_out)
{
    struct scene *s = scene_begin();
    scene_start(s);
    asking_cancel(s->asking);
    scene_expect(s, "ask(cheap) paid(cheap,cancelled,10) cancel(cheap) ");
    scene_end(s);
}

Test(fallback, who_leaves_during_a_pause_pays_for_the_failed_try)
{
    struct scene *s = scene_begin();
    s->experts[CHEAP].retries = 1;
    scene_start(s);
    scene_break(0);
    asking_cancel(s->asking);
    scene_expect(s, "ask(cheap) retry(cheap,cheap) paid(cheap,cancelled,10) ");
    virtual_clock_advance(&s->clock, 60000);
    scene_expect(s, "");
    scene_end(s);
}

Test(fallback, who_leaves_in_line_pays_nothing_and_is_not_called)
{
    struct gate_ticket other = {0};
    struct scene *s = scene_begin();
    s->experts[CHEAP].limits.queue_length = 1;
    take_place(s, CHEAP, &other);
    scene_start(s);
    asking_cancel(s->asking);
    gate_leave(&other, s->clock.now_ms, HEALTH_GOOD, HEALTH_NO_HOLD, 0);
    virtual_clock_settle(&s->clock);
    scene_expect(s, "");
    scene_end(s);
}
