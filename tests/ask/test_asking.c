/* Sums, and what can be read of an asking while it runs. */
#include "ask_scene.h"

Test(asking, nothing_at_all_is_an_estimate)
{
    const struct cost sum = asking_cost_of(NULL, 0);
    cr_expect(sum.nano_usd == 0 && sum.basis == COST_ESTIMATED);
}

Test(asking, what_failed_for_nothing_says_nothing_of_the_basis)
{
    const struct asking_paid paid[] = {
        {.outcome = CALL_FAILED, .cost = {.basis = COST_ESTIMATED}},
        {.outcome = CALL_ANSWERED,
         .cost = {.basis = COST_USAGE, .nano_usd = 7, .tokens = {.input = 3, .output = 4}}},
        {.outcome = CALL_CANCELLED,
         .cost = {.basis = COST_ESTIMATED, .nano_usd = 5, .tokens = {.input = 2, .output = 1}}},
        {.outcome = CALL_ANSWERED, .cost = {.basis = COST_USAGE, .nano_usd = INT64_MAX}},
    };
    struct cost sum = asking_cost_of(paid, 2);
    cr_expect(sum.nano_usd == 7 && sum.basis == COST_USAGE);
    sum = asking_cost_of(paid, 3);
    cr_expect(sum.nano_usd == 12 && sum.basis == COST_ESTIMATED && sum.tokens.input == 5);
    cr_expect_eq(asking_cost_of(paid, 4).nano_usd, INT64_MAX);
}

Test(asking, the_running_call_is_counted_as_if_it_had_just_ended)
{
    struct asking_paid paid[ASKING_PAID_MAX + 1];
    struct scene *s = scene_begin();
    s->options.stream = true;
    scene_start(s);
    virtual_clock_advance(&s->clock, 30);
    scene_chunk(0, CHUNK("four"));
    cr_assert_eq(asking_paid_until_now(s->asking, paid), 1);
    cr_expect_eq(paid[0].cost.nano_usd, 10 + 2, "its input, and four characters");
    cr_expect_eq(paid[0].ended_ms - paid[0].asked_ms, 30);
    scene_finish(0);
    cr_assert_eq(asking_paid_until_now(s->asking, paid), 1);
    scene_end(s);
}

Test(asking, no_timer_no_asking)
{
    struct error err = {0};
    struct scene *s = scene_begin();
    scene_bind(s);
    s->candidates[0] = (struct asking_candidate){.expert = s->experts, .gate = s->gates[0]};
    s->options.count = 1;
    s->clock.timers_to_refuse = 1;
    cr_expect_eq(asking_create(&s->options, &s->asking, &err), ERR_MEMORY);
    cr_expect_null(s->asking);
    asking_release(NULL);
    scene_end(s);
}
