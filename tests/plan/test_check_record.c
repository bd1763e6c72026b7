/* What is learnt of experts and of the check itself, held to counts made by hand and to a simulation. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/rng.h"
#include "plan/check_record.h"

static struct str names[] = {{"cheap", 5}, {"dear", 4}};
static struct check_tally tallies[2];

static struct check_record record_of_two(void)
{
    memset(tallies, 0, sizeof(tallies));
    return (struct check_record){.count = 2, .names = names, .experts = tallies};
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static struct verified_check believed(const struct check_record *r, float false_pass,
                                      float false_alarm, float shift[2])
{
    const struct verified_check owner = {false_pass, false_alarm, 7};
    struct verified_check c;
    check_record_believe(r, &owner, &c, shift);
    cr_expect_eq(c.price_nano_usd, 7);
    return c;
}

Test(check_record, nothing_seen_changes_nothing)
{
    struct check_record r = record_of_two();
    float shift[2];
    struct verified_check c = believed(&r, 0.02f, 0.05f, shift);
    cr_expect(c.false_pass == 0.02f && c.false_alarm == 0.05f);
    cr_expect(shift[0] == 0 && shift[1] == 0);
}

/* Believed to be right half the time, passes nine times of ten: after many answers the shift says so. */
Test(check_record, shift_brings_believed_to_seen)
{
    struct check_record r = record_of_two();
    float shift[2];
    for (int i = 0; i < 2000; i++)
        check_record_observe(&r, 0, i % 10 != 0, 0.5);
    believed(&r, 0, 0, shift);
    cr_expect_float_eq(sigmoid(shift[0]), 0.9, 0.03, "%g", (double)shift[0]);
    cr_expect_eq(shift[1], 0);
    for (int i = 0; i < 2000; i++)
        check_record_observe(&r, 0, i % 2, 0.5);
    believed(&r, 0, 0, shift);
    cr_expect_float_eq(shift[0], 0, 0.1, "it forgets");
}

/* What a check that errs says is worth less. */
Test(check_record, errors_of_the_check_are_taken_out)
{
    struct check_record r = record_of_two();
    float shift[2];
    for (int i = 0; i < 4000; i++) /* right four times of five; a tenth of all verdicts is wrong */
        check_record_observe(&r, 0, i % 50 < 37, 0.5);
    believed(&r, 0.1f, 0.1f, shift);
    cr_expect_float_eq(sigmoid(shift[0]), 0.8, 0.04, "%g", sigmoid((double)shift[0]));
}

Test(check_record, a_few_answers_move_it_little)
{
    struct check_record r = record_of_two();
    float shift[2];
    check_record_observe(&r, 0, false, 0.5);
    believed(&r, 0, 0, shift);
    cr_expect(shift[0] < 0 && shift[0] > -0.15f);
}

/* A check with known errors on answers of known quality: feedback on what stood finds both rates. */
Test(check_record, feedback_finds_the_rates)
{
    struct check_record r = record_of_two();
    const double p = 0.6, false_pass = 0.2, false_alarm = 0.1;
    float shift[2];
    struct rng rng;
    rng_seed(&rng, 5);
    for (int i = 0; i < 4000; i++) {
        bool right = rng_uniform(&rng) < p;
        bool passed = rng_uniform(&rng) < (right ? 1 - false_alarm : false_pass);
        check_record_observe(&r, 0, passed, p);
        check_record_feedback(&r, passed, right);
    }
    struct verified_check c = believed(&r, 0.02f, 0.02f, shift);
    cr_expect_float_eq(c.false_pass, 0.2, 0.06, "%g", (double)c.false_pass);
    cr_expect_float_eq(c.false_alarm, 0.1, 0.06, "%g", (double)c.false_alarm);
    cr_expect_float_eq(shift[0], 0, 0.25, "%g", (double)shift[0]);
}

/* A check that passes everything, of answers that were thought good and are not: both are found out. */
Test(check_record, feedback_finds_out_experts_that_were_believed)
{
    struct check_record r = record_of_two();
    float shift[2];
    for (int i = 0; i < 300; i++) {
        check_record_observe(&r, 0, true, 0.95);
        check_record_feedback(&r, true, 0);
    }
    struct verified_check c = believed(&r, 0.02f, 0.02f, shift);
    cr_expect_gt(c.false_pass, 0.8f);
    cr_expect_lt(shift[0], -3.0f, "%g", (double)shift[0]);
}

Test(check_record, odd_numbers_stay_within_bounds)
{
    struct check_record r = record_of_two();
    float shift[2];
    check_record_observe(&r, 1, true, NAN);
    check_record_observe(&r, 1, true, INFINITY);
    check_record_feedback(&r, true, -3);
    check_record_feedback(&r, false, NAN);
    struct verified_check c = believed(&r, 1, 0, shift);
    cr_expect(c.false_pass >= 0 && c.false_pass <= 1 && c.false_alarm >= 0 && c.false_alarm <= 1);
    cr_expect(isfinite(shift[0]) && isfinite(shift[1]));
}

Test(check_record, a_new_configuration_adopts_by_name)
{
    struct check_record old = record_of_two(), fresh;
    struct str other[] = {STR("dear"), STR("new")};
    struct check_tally own[2] = {{0}};
    check_record_observe(&old, 1, true, 0.5);
    fresh = (struct check_record){.count = 2, .names = other, .experts = own};
    check_record_adopt(&fresh, &old);
    cr_expect_eq(own[0].checks, 1);
    cr_expect_eq(own[1].checks, 0);
    cr_expect_eq(fresh.answers, 1);
}
