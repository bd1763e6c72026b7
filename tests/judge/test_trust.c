/* Whether a judge is believed: honest ones are, bought and careless ones are not, and it is said why. */
#include "judge/trust.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"

#define HONEST   VERDICT_FIRST, VERDICT_SECOND
#define FOOLED   VERDICT_SECOND, VERDICT_FIRST
#define BY_PLACE VERDICT_FIRST, VERDICT_FIRST

static struct trust_tally tally;

static void canary(enum judge_canary kind, enum judge_verdict first, enum judge_verdict second)
{
    const struct judge_pair p = {.first = first, .second = second};
    trust_note_canary(&tally, kind, &p);
}

static void all_honest(size_t times)
{
    for (size_t i = 0; i < times; i++)
        for (int k = 0; k < CANARY_KINDS; k++)
            canary((enum judge_canary)k, HONEST);
}

static struct judge_trust conclude(void)
{
    struct judge_trust t = {.expert = 3};
    trust_conclude(&tally, &t);
    cr_expect_eq(t.expert, 3);
    cr_expect_eq(t.trusted, t.reason[0] == '\0');
    return t;
}

static void known(enum judge_verdict first, enum judge_verdict second, int longer, int own)
{
    const struct judge_pair p = {.first = first,
                                 .second = second,
                                 .longer_known = longer != 0,
                                 .better_is_longer = longer > 0,
                                 .own = own};
    trust_note_pair(&tally, &p);
}

Test(trust, an_honest_judge_is_trusted)
{
    all_honest(2);
    for (int i = 0; i < 12; i++)
        known(HONEST, i % 2 ? 1 : -1, 0);
    const struct judge_trust t = conclude();
    cr_expect(t.trusted, "%s", t.reason);
    cr_expect(t.canaries == 20 && t.canary_share == 0 && t.pairs == 12 && t.agreement == 1);
    cr_expect(t.agreement_low > 0.7 && t.agreement_high == 1);
    cr_expect(t.inconsistent == 0 && t.position_bias == 0 && t.length_bias == 0);
}

Test(trust, one_that_a_canary_has_bought_is_not_whatever_else_it_gets_right)
{
    for (int k = 0; k < CANARY_KINDS; k++) {
        tally = (struct trust_tally){0};
        all_honest(20);
        for (int i = 0; i < 30; i++) {
            canary((enum judge_canary)k, FOOLED);
            known(HONEST, 0, 0);
        }
        const struct judge_trust t = conclude();
        cr_expect_not(t.trusted);
        cr_expect_not_null(strstr(t.reason, judge_canary_name((enum judge_canary)k)), "%s",
                           t.reason);
    }
}

Test(trust, a_few_of_every_kind_are_too_many_in_all)
{
    all_honest(7);
    for (int k = 0; k < CANARY_KINDS; k++)
        canary((enum judge_canary)k, FOOLED);
    cr_expect_not(conclude().trusted);
}

Test(trust, one_that_follows_the_place_is_told_so)
{
    for (int i = 0; i < 10; i++)
        known(BY_PLACE, 0, 0);
    for (int k = 0; k < CANARY_KINDS; k++)
        canary((enum judge_canary)k, BY_PLACE);
    const struct judge_trust t = conclude();
    cr_expect_not(t.trusted);
    cr_expect(t.position_bias == 1 && t.inconsistent == 1);
    cr_expect_not_null(strstr(t.reason, "place"), "%s", t.reason);
    tally.first_twice = 0;
    tally.second_twice = tally.both;
    cr_expect_eq(conclude().position_bias, -1);
}

Test(trust, one_that_was_not_tested_or_cannot_be_read_is_not)
{
    cr_expect_not(conclude().trusted);
    all_honest(10);
    cr_expect(conclude().trusted);
    for (int i = 0; i < 60; i++)
        trust_note_judged(&tally,
                          &(struct judge_pair){VERDICT_NONE, VERDICT_NONE, false, false, 0});
    const struct judge_trust t = conclude();
    cr_expect_not(t.trusted);
    cr_expect_not_null(strstr(t.reason, "read"), "%s", t.reason);
}

Test(trust, one_that_disagrees_with_references_is_not)
{
    all_honest(2);
    for (int i = 0; i < 20; i++)
        known(i % 2 ? VERDICT_FIRST : VERDICT_SECOND, i % 2 ? VERDICT_SECOND : VERDICT_FIRST, 0, 0);
    const struct judge_trust t = conclude();
    cr_expect_not(t.trusted);
    cr_expect_eq(t.agreement, 0.5);
    cr_expect_not_null(strstr(t.reason, "references"), "%s", t.reason);
}

Test(trust, biases_are_errors_that_go_one_way)
{
    all_honest(2);
    for (int i = 0; i < 10; i++) {
        known(HONEST, 1, 1); /* the longer one, of its own, is better */
        known(i < 4 ? VERDICT_SECOND
                    : VERDICT_FIRST, /* the shorter, a stranger's, loses at times */
              i < 4 ? VERDICT_FIRST : VERDICT_SECOND, -1, -1);
    }
    const struct judge_trust t = conclude();
    cr_expect_float_eq(t.length_bias, 0.4, 1e-9);
    cr_expect_float_eq(t.family_favour, 0.4, 1e-9);
    cr_expect_eq(t.family_pairs, 20);
    cr_expect(t.trusted);
}

Test(trust, reports_have_all_of_it)
{
    struct buf out;
    buf_init(&out, 1u << 16);
    all_honest(2);
    for (int i = 0; i < 30; i++)
        canary(CANARY_PRAISE, FOOLED);
    const struct judge_trust t = conclude();
    trust_write_json(&t, STR("a \"judge\""), &out);
    struct json_value v;
    cr_assert_eq(json_parse(buf_str(&out), "json", 1, &v, NULL), OK, "%s", out.ptr);
    cr_expect_eq(json_get(v, "trusted").type, JSON_FALSE);
    cr_expect_eq(json_get(json_get(v, "canary_shares"), "praise").type, JSON_NUMBER);
    cr_expect_eq(json_get(v, "agreement").type, JSON_NULL);
    buf_clear(&out);
    trust_write_text(&t, STR("x"), &out);
    cr_expect_not_null(strstr(out.ptr, "REFUSED"));
    cr_expect_not_null(strstr(out.ptr, "praise"));
    buf_done(&out);
}

Test(trust, canaries_are_five)
{
    cr_expect_eq(judge_canary_text(CANARY_EMPTY, STR("x")).len, 0);
    cr_expect(str_equal(judge_canary_text(CANARY_FOREIGN, STR("x")), STR("x")));
    cr_expect_gt(judge_canary_text(CANARY_INSTRUCT, STR("x")).len, 20);
}
