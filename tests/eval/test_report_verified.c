/* Figures of verified plans at a place on the curve, counted by hand. */
#include "eval/report_verified.h"

#include <math.h>

#include <criterion/criterion.h>

#define QUERIES 4
#define COLUMNS 3 /* two experts, and a plan over both */

static const struct estimate estimates[QUERIES * COLUMNS];
static const struct outcome outcomes[QUERIES * COLUMNS] = {
    {.score = 1}, {.score = 0}, {.score = 1},    {.score = 1}, {.score = 1}, {.score = 0},
    {.score = 0}, {.score = 0}, {.score = 0.5f}, {.score = 0}, {.score = 1}, {.score = 1},
};
static const struct eval_run runs[QUERIES * COLUMNS] = {
    [2] = {.calls = 1, .check = PLAN_PASSED},
    [5] = {.calls = 3, .check = PLAN_PASSED},
    [8] = {.calls = 1, .check = PLAN_CHECK_DOWN},
    [11] = {.calls = 3, .check = PLAN_REJECTED},
};
static const struct eval_plan plans[COLUMNS] = {
    {.kind = PLAN_SINGLE, .member_count = 1, .members = {0}},
    {.kind = PLAN_SINGLE, .member_count = 1, .members = {1}},
    {.kind = PLAN_VERIFIED, .member_count = 2}};
static const uint16_t members[QUERIES * VERIFIED_PLANS_MAX * PLAN_MEMBERS_MAX];
static const struct eval_verified verified = {.first = 2, .members = members};
static const struct eval_table table = {.queries = QUERIES,
                                        .experts = COLUMNS,
                                        .estimates = estimates,
                                        .outcomes = outcomes,
                                        .plans = plans,
                                        .runs = runs,
                                        .verified = &verified};

Test(report_verified, counts_calls_passes_and_wrong_passes)
{
    uint32_t first[QUERIES] = {2, 2, 2, 2}, choices[QUERIES];
    const struct curve c = {.table = &table, .first = first};
    struct verified_point p = verified_at(&c, &(struct curve_cut){.steps = 0}, choices);
    cr_assert_float_eq(p.calls, 6.0 / 4, 1e-12);
    cr_assert_float_eq(p.checked, 1, 1e-12);
    cr_assert_float_eq(p.passed, 0.5, 1e-12);
    cr_assert_float_eq(p.wrong, 0.5, 1e-12);
    cr_assert_float_eq(p.down, 0.25, 1e-12);
}

Test(report_verified, a_mix_counts_both_by_their_share)
{
    uint32_t first[QUERIES] = {0, 1, 0, 0}, choices[QUERIES];
    struct curve_step step = {.query = 1, .to = 2};
    const struct curve c = {.table = &table, .first = first, .steps = &step, .step_count = 1};
    struct verified_point p = verified_at(&c, &(struct curve_cut){.steps = 0}, choices);
    cr_assert_float_eq(p.calls, 1, 1e-12);
    cr_assert_eq(p.checked, 0);
    cr_assert(isnan(p.wrong));
    p = verified_at(&c, &(struct curve_cut){.steps = 0, .share = 0.25}, choices);
    cr_assert_float_eq(p.calls, (3 + 0.75 + 0.25 * 2) / 4, 1e-12);
    cr_assert_float_eq(p.checked, 0.25 / 4, 1e-12);
    cr_assert_float_eq(p.wrong, 1, 1e-12);
}
