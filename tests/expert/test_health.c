/* When a circuit opens, who may probe it, and that no deadline is shortened. The clock is a number. */
#include "expert/health.h"

#include <criterion/criterion.h>

static const struct health_options options = {.failures = 3,
                                              .share = 0.5,
                                              .minimum = 10,
                                              .window_ms = 6000,
                                              .pause_ms = 1000,
                                              .pause_max_ms = 5000};

static struct health_pass enter(struct health *h, uint64_t now_ms)
{
    struct health_pass pass = {0};
    uint64_t until = 0;
    const char *why = health_enter(h, now_ms, &pass, &until);
    cr_assert_null(why, "at %lu: %s", (unsigned long)now_ms, why);
    return pass;
}

static bool call(struct health *h, uint64_t now_ms, enum health_outcome outcome)
{
    return health_leave(h, enter(h, now_ms), now_ms, outcome, HEALTH_NO_HOLD);
}

static void expect_barred(const struct health *h, uint64_t now_ms, const char *why, uint64_t until)
{
    uint64_t found = 0;
    const char *says = health_barred(h, now_ms, &found);
    cr_assert_not_null(says, "at %lu", (unsigned long)now_ms);
    cr_expect_str_eq(says, why);
    cr_expect_eq(found, until, "until %lu", (unsigned long)found);
}

static void expect_free(const struct health *h, uint64_t now_ms)
{
    uint64_t until = 0;
    const char *why = health_barred(h, now_ms, &until);
    cr_expect_null(why, "at %lu: %s until %lu", (unsigned long)now_ms, why, (unsigned long)until);
}

/* Opened at 0 by failures in a row. */
static struct health opened(void)
{
    struct health h;
    health_init(&h, &options);
    cr_assert_not(call(&h, 0, HEALTH_BAD));
    cr_assert_not(call(&h, 0, HEALTH_BAD));
    cr_assert(call(&h, 0, HEALTH_BAD), "the third in a row");
    return h;
}

Test(health, opens_after_failures_in_a_row)
{
    struct health h = opened();
    cr_expect_eq(h.state, HEALTH_OPEN);
    cr_expect_eq(h.opened, 1);
    expect_barred(&h, 0, "circuit open", 1000);
    expect_barred(&h, 999, "circuit open", 1000);
    expect_free(&h, 1000);
    cr_expect_eq(health_state_at(&h, 999), HEALTH_OPEN);
    cr_expect_eq(health_state_at(&h, 1000), HEALTH_HALF_OPEN);
}

Test(health, a_success_in_between_starts_the_count_anew)
{
    struct health h;
    health_init(&h, &options);
    for (int i = 0; i < 2; i++) {
        call(&h, 0, HEALTH_BAD);
        call(&h, 0, HEALTH_GOOD);
    }
    cr_expect_eq(h.state, HEALTH_CLOSED);
    call(&h, 0, HEALTH_BAD);
    call(&h, 0, HEALTH_REFUSED); /* a wrong request and a client that left prove nothing */
    call(&h, 0, HEALTH_NONE);
    call(&h, 0, HEALTH_BAD);
    cr_expect(call(&h, 0, HEALTH_BAD));
}

/* Of twenty calls in a window, every second one fails. */
Test(health, opens_when_half_of_the_window_failed)
{
    struct health h;
    health_init(&h, &options);
    for (unsigned i = 0; i < 9; i++)
        cr_assert_not(call(&h, 500 * i, i % 2 ? HEALTH_GOOD : HEALTH_BAD), "call %u", i);
    cr_expect(call(&h, 4500, HEALTH_BAD), "six of ten");
}

Test(health, what_lies_before_the_window_is_forgotten)
{
    struct health h;
    health_init(&h, &options);
    for (unsigned i = 0; i < 8; i++)
        call(&h, 100, i % 2 ? HEALTH_GOOD : HEALTH_BAD);
    for (unsigned i = 0; i < 7; i++) /* the window of six seconds has moved on */
        cr_expect_not(call(&h, 6100, i % 2 ? HEALTH_GOOD : HEALTH_BAD));
    cr_expect_eq(h.state, HEALTH_CLOSED);
    call(&h, 6100, HEALTH_BAD);
    call(&h, 6100, HEALTH_GOOD);
    cr_expect(call(&h, 6100, HEALTH_BAD), "six of ten in this window");
}

Test(health, one_probe_and_it_closes)
{
    struct health h = opened();
    struct health_pass pass = enter(&h, 1000);
    cr_expect(pass.probe);
    expect_barred(&h, 1001, "circuit open", 1001 + HEALTH_PROBE_WAIT_MS);
    cr_expect(health_leave(&h, pass, 1500, HEALTH_GOOD, HEALTH_NO_HOLD));
    cr_expect_eq(h.state, HEALTH_CLOSED);
    expect_free(&h, 1500);
    cr_expect_not(enter(&h, 1500).probe);
}

Test(health, the_pause_doubles_up_to_its_cap_and_begins_anew_after_success)
{
    struct health h = opened();
    static const uint64_t pauses[] = {2000, 4000, 5000, 5000};
    uint64_t now = 1000;
    for (size_t i = 0; i < 4; i++) {
        cr_assert(health_leave(&h, enter(&h, now), now, HEALTH_BAD, HEALTH_NO_HOLD) ||
                  h.state == HEALTH_OPEN);
        expect_barred(&h, now, "circuit open", now + pauses[i]);
        now += pauses[i];
    }
    cr_expect_eq(h.opened, 5);
    call(&h, now, HEALTH_GOOD);
    for (int i = 0; i < 3; i++)
        call(&h, now, HEALTH_BAD);
    expect_barred(&h, now, "circuit open", now + 1000);
}

Test(health, a_probe_that_says_nothing_leaves_room_for_the_next)
{
    struct health h = opened();
    health_leave(&h, enter(&h, 1000), 1000, HEALTH_NONE, HEALTH_NO_HOLD);
    cr_expect_eq(h.state, HEALTH_HALF_OPEN);
    struct health_pass pass = enter(&h, 1000);
    cr_expect(pass.probe);
    health_leave(&h, pass, 1000, HEALTH_REFUSED, HEALTH_NO_HOLD);
    cr_expect_eq(h.state, HEALTH_CLOSED, "it is there and reads requests");
}

Test(health, a_probe_that_begins_to_answer_lets_others_in)
{
    struct health h = opened();
    struct health_pass pass = enter(&h, 1000);
    cr_expect(health_prove(&h, &pass));
    expect_free(&h, 1000);
    cr_expect_not(health_prove(&h, &pass), "once");
    health_leave(&h, pass, 60000, HEALTH_BAD,
                 HEALTH_NO_HOLD); /* it broke off in the end: one failure */
    cr_expect_eq(h.failures, 1);
}

Test(health, calls_from_before_say_nothing_about_now)
{
    struct health h;
    health_init(&h, &options);
    struct health_pass early = enter(&h, 0), late = enter(&h, 0);
    for (int i = 0; i < 3; i++)
        call(&h, 0, HEALTH_BAD);
    cr_expect_not(health_leave(&h, early, 10, HEALTH_GOOD, HEALTH_NO_HOLD),
                  "an old success closes nothing");
    cr_expect_eq(h.state, HEALTH_OPEN);
    health_leave(&h, late, 20, HEALTH_BAD, HEALTH_NO_HOLD);
    expect_barred(&h, 20, "circuit open", 1000);
}

Test(health, the_longest_cooldown_wins)
{
    struct health h;
    health_init(&h, &options);
    struct health_pass a = enter(&h, 0), b = enter(&h, 0);
    cr_expect_not(health_leave(&h, a, 0, HEALTH_NONE, (struct health_hold){60000, 429}),
                  "the circuit stays closed");
    expect_barred(&h, 0, "cooling down", 60000);
    health_leave(&h, b, 100, HEALTH_NONE, (struct health_hold){5000, 429});
    expect_barred(&h, 100, "cooling down", 60000);
    expect_free(&h, 60000);
}

static struct health_pass cooled(struct health *h, uint64_t hold_ms)
{
    health_init(h, &options);
    struct health_pass beside = enter(h, 0);
    health_leave(h, enter(h, 0), 0, HEALTH_NONE, (struct health_hold){hold_ms, 429});
    cr_expect(health_only_cools(h, 0));
    return beside;
}

Test(health, a_long_cooldown_is_probed_after_ever_longer_pauses)
{
    static const uint64_t probes[] = {10000, 30000, 70000, 150000};
    struct health h;
    cooled(&h, 300000);
    for (size_t i = 0; i < 4; i++) {
        expect_barred(&h, probes[i] - 1, "cooling down", 300000);
        struct health_pass probe = enter(&h, probes[i]);
        cr_expect(probe.cool_probe);
        expect_barred(&h, probes[i], "cooling down", 300000);
        health_leave(&h, probe, probes[i], i % 2 ? HEALTH_BAD : HEALTH_NONE,
                     (struct health_hold){i % 2 ? 0 : 1000, 429});
        expect_barred(&h, probes[i], "cooling down", 300000);
    }
}

Test(health, a_probe_that_is_answered_lifts_the_cooldown)
{
    static const enum health_outcome outcomes[] = {HEALTH_GOOD, HEALTH_REFUSED};
    struct health h;
    for (size_t i = 0; i < 2; i++) {
        cooled(&h, 300000);
        health_leave(&h, enter(&h, 10000), 10500, outcomes[i], HEALTH_NO_HOLD);
        expect_free(&h, 10500);
        cr_expect_not(health_only_cools(&h, 10500));
    }
    cooled(&h, 300000);
    struct health_pass probe = enter(&h, 10000);
    cr_expect_not(health_prove(&h, &probe), "there was no circuit to close");
    expect_free(&h, 10000);
}

Test(health, a_probe_that_says_nothing_leaves_its_turn_to_the_next)
{
    struct health h;
    cooled(&h, 300000);
    health_leave(&h, enter(&h, 10000), 10500, HEALTH_NONE, HEALTH_NO_HOLD);
    expect_free(&h, 10500);
}

Test(health, calls_from_before_a_cooldown_and_probes_of_another_lift_nothing)
{
    struct health h;
    struct health_pass beside = cooled(&h, 20000);
    health_leave(&h, beside, 1, HEALTH_GOOD, HEALTH_NO_HOLD);
    expect_barred(&h, 1, "cooling down", 20000);
    struct health_pass probe = enter(&h, 10000);
    health_leave(&h, enter(&h, 20000), 20000, HEALTH_NONE, (struct health_hold){50000, 503});
    health_leave(&h, probe, 20001, HEALTH_GOOD, HEALTH_NO_HOLD);
    expect_barred(&h, 20001, "cooling down", 70000);
    cr_expect_eq(h.cool_status, 503);
}

Test(health, lifting_ends_a_cooldown_and_no_circuit)
{
    struct health h = opened();
    cr_expect_not(health_lift(&h, 0));
    expect_barred(&h, 0, "circuit open", 1000);
    cooled(&h, 20000);
    cr_expect(health_lift(&h, 5));
    expect_free(&h, 5);
}

Test(health, of_circuit_and_cooldown_the_later_counts)
{
    struct health h = opened();
    h.cooldown_ms = 3000;
    h.cool_probe_ms = HEALTH_COOL_PROBE_MS;
    expect_barred(&h, 0, "circuit open", 3000);
    expect_barred(&h, 2000, "cooling down", 3000);
    h.cooldown_ms = 500;
    expect_barred(&h, 0, "circuit open", 1000);
}

Test(health, an_empty_account_opens_for_long)
{
    struct health h;
    health_init(&h, &options);
    cr_expect(call(&h, 0, HEALTH_QUOTA));
    expect_barred(&h, 0, "circuit open", HEALTH_QUOTA_PAUSE_MS);
    expect_free(&h, HEALTH_QUOTA_PAUSE_MS);
}

Test(health, without_a_breaker_only_cooldowns_count)
{
    struct health_options off = options;
    struct health h;
    off.failures = 0;
    health_init(&h, &off);
    for (int i = 0; i < 100; i++)
        cr_expect_not(call(&h, 0, i % 2 ? HEALTH_BAD : HEALTH_QUOTA));
    expect_free(&h, 0);
    health_leave(&h, enter(&h, 0), 0, HEALTH_NONE, (struct health_hold){700, 429});
    expect_barred(&h, 0, "cooling down", 700);
}

Test(health, new_options_keep_the_state)
{
    struct health h = opened();
    struct health_options other = options;
    other.failures = 9;
    health_configure(&h, &other);
    cr_expect_eq(h.state, HEALTH_OPEN);
    expect_barred(&h, 0, "circuit open", 1000);
    other.failures = 0;
    health_configure(&h, &other);
    expect_free(&h, 0);
}

Test(health, names)
{
    cr_expect_str_eq(health_state_name(HEALTH_CLOSED), "closed");
    cr_expect_str_eq(health_state_name(HEALTH_OPEN), "open");
    cr_expect_str_eq(health_state_name(HEALTH_HALF_OPEN), "half-open");
}
