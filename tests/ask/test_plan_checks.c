/* Verified plans: who is asked after a check has spoken, and what stands when none passes, or it is down. */
#include "ask_scene.h"

#include "predict/verified.h"

static const struct cost check_cost = {.basis = COST_USAGE, .nano_usd = 3};

static struct scene *verified(bool stream, bool strict)
{
    static const struct estimate even = {.quality = 0.5f};
    struct scene *s = scene_begin();
    s->options.stream = stream;
    scene_plan(s, PLAN_VERIFIED, PLAN_TRUST, 3);
    for (size_t i = 0; i < 3; i++) {
        s->shape.members[i] = i;
        s->plan.members[i] = &even;
    }
    s->plan.strict = strict;
    return s;
}

static struct scene *started(bool strict)
{
    struct scene *s = verified(false, strict);
    scene_start(s);
    scene_expect(s, "ask(cheap) ");
    return s;
}

static void say(struct scene *s, enum plan_check verdict, const char *why)
{
    asking_checked(s->asking, verdict, str_from(why), &check_cost);
}

Test(plan_checks, the_first_that_passes_answers)
{
    struct scene *s = started(false);
    scene_answer(0, "seven");
    scene_expect(s, "paid(cheap,answered,20) check(cheap) ");
    cr_expect_str_eq(s->checking, WHOLE("seven"));
    say(s, PLAN_REJECTED, "1 of 3 tests failed");
    scene_expect(s, "ask(mid) ");
    scene_answer(1, "8");
    say(s, PLAN_PASSED, "");
    scene_expect(s, "paid(mid,answered,20) check(mid) done(OK,mid) ");
    cr_expect_str_eq(s->body, WHOLE("8"));
    size_t count;
    const struct asking_check *checks = asking_checks(s->asking, &count);
    cr_assert_eq(count, 2);
    cr_expect(checks[0].candidate == CHEAP && checks[0].verdict == PLAN_REJECTED);
    cr_expect(str_equal(checks[0].why, STR("1 of 3 tests failed")));
    cr_expect(checks[1].candidate == MID && checks[1].cost.nano_usd == 3);
    scene_end(s);
}

Test(plan_checks, a_stream_is_checked_whole_and_told_afterwards)
{
    struct scene *s = verified(true, false);
    scene_start(s);
    scene_chunk(0, ROLE_CHUNK);
    scene_chunk(0, CHUNK("se"));
    scene_chunk(0, CHUNK("ven"));
    scene_chunk(0, STOP_CHUNK);
    scene_expect(s, "ask(cheap) ");
    scene_finish(0);
    cr_expect(strstr(s->diary, "check(cheap) ") && !strstr(s->diary, "event("), "%s", s->diary);
    cr_expect(strstr(s->checking, "\"seven\""), "%s", s->checking);
    s->diary[0] = '\0';
    say(s, PLAN_PASSED, "");
    scene_expect(s, "event(" ROLE_CHUNK ") event(" CHUNK("se") ") event(" CHUNK(
                        "ven") ") event(" STOP_CHUNK ") event(done) done(OK,cheap) ");
    scene_end(s);
}

Test(plan_checks, where_none_passes_one_stands_all_the_same)
{
    struct scene *s = started(false);
    for (size_t i = 0; i < 3; i++) {
        scene_answer(i, "no");
        say(s, PLAN_REJECTED, "");
    }
    cr_expect_eq(s->end.status, OK);
    scene_end(s);
}

Test(plan_checks, a_strict_plan_says_what_the_check_has_said)
{
    struct scene *s = started(true);
    for (size_t i = 0; i < 3; i++) {
        scene_answer(i, "no");
        say(s, i == 1 ? PLAN_CHECK_DOWN : PLAN_REJECTED, i == 1 ? "HTTP 503" : "");
        if (i == 1)
            break;
    }
    cr_expect_eq(s->end.status, ERR_UPSTREAM);
    cr_expect_str_eq(s->end_error.text, "no answer has passed the policy's check (cheap: rejected; "
                                        "mid: the check is down, HTTP 503)");
    scene_end(s);
}

/* Paying for more answers that nobody can check would help nobody. */
Test(plan_checks, one_that_is_down_lets_the_answer_stand)
{
    struct scene *s = verified(false, false);
    s->check_is_down = true;
    scene_start(s);
    scene_answer(0, "seven");
    scene_expect(s, "ask(cheap) paid(cheap,answered,20) done(OK,cheap) ");
    size_t count;
    const struct asking_check *checks = asking_checks(s->asking, &count);
    cr_assert_eq(count, 1);
    cr_expect(checks->verdict == PLAN_CHECK_DOWN);
    cr_expect(str_equal(checks->why, STR("no such command")));
    scene_end(s);
}

Test(plan_checks, an_expert_that_fails_is_not_checked)
{
    struct scene *s = started(false);
    scene_fail(0, 503, 0);
    scene_expect(s, "paid(cheap,failed,0) ask(mid) ");
    scene_answer(1, "8");
    say(s, PLAN_PASSED, "");
    scene_expect(s, "paid(mid,answered,20) check(mid) done(OK,mid) ");
    scene_end(s);
}

Test(plan_checks, strict_and_all_fail_nobody_else_is_asked)
{
    struct scene *s = started(true);
    for (size_t i = 0; i < 3; i++)
        scene_fail(i, 503, 0);
    cr_expect_eq(s->end.status, ERR_UPSTREAM);
    cr_expect_not(strstr(s->diary, "spare"));
    scene_end(s);
}

Test(plan_checks, who_leaves_ends_the_check)
{
    struct scene *s = started(false);
    scene_answer(0, "seven");
    asking_cancel(s->asking);
    scene_expect(s, "paid(cheap,answered,20) check(cheap) check_cancel ");
    scene_end(s);
}

Test(plan_checks, release_ends_the_check)
{
    struct scene *s = started(false);
    scene_answer(0, "seven");
    scene_expect(s, "paid(cheap,answered,20) check(cheap) ");
    scene_end(s);
    cr_expect(strstr(s->diary, "check_cancel"));
}

static struct scene *checked_in_time(bool strict)
{
    struct scene *s = verified(false, strict);
    s->plan.deadline_ms = s->clock.now_ms + 1500;
    scene_start(s);
    virtual_clock_advance(&s->clock, 1000);
    scene_answer(0, "7");
    scene_expect(s, "ask(cheap) paid(cheap,answered,20) check(cheap) ");
    virtual_clock_advance(&s->clock, 600);
    return s;
}

Test(plan_checks, when_time_is_over_an_answer_stands_unchecked)
{
    struct scene *s = checked_in_time(false);
    size_t count = 0;
    scene_expect(s, "check_cancel done(OK,cheap) ");
    const struct asking_check *checks = asking_checks(s->asking, &count);
    cr_assert_eq(count, 1);
    cr_expect_eq(checks[0].verdict, PLAN_CHECK_DOWN);
    cr_expect_eq(checks[0].ended_ms - checks[0].begin_ms, 500);
    scene_end(s);
}

/* Nothing that has not passed may stand, so there is no answer yet. */
Test(plan_checks, a_strict_plan_goes_on_when_time_is_over)
{
    struct scene *s = checked_in_time(true);
    scene_expect(s, "");
    say(s, PLAN_REJECTED, "wrong");
    scene_expect(s, "ask(mid) ");
    scene_answer(1, "8");
    say(s, PLAN_PASSED, "");
    scene_expect(s, "paid(mid,answered,20) check(mid) done(OK,mid) ");
    scene_end(s);
}

Test(plan_checks, after_a_rejection_nobody_is_asked_who_comes_too_late)
{
    struct scene *s = verified(false, false);
    s->plan.deadline_ms = s->clock.now_ms + 1500;
    s->plan.latency_ms[MID] = 1000;
    scene_start(s);
    virtual_clock_advance(&s->clock, 1000);
    scene_answer(0, "7");
    say(s, PLAN_REJECTED, "wrong");
    scene_expect(s, "ask(cheap) paid(cheap,answered,20) check(cheap) done(OK,cheap) ");
    scene_end(s);
}
