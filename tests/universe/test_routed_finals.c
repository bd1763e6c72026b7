/* Which routed set is chosen, and that the last ones are measured as eval measures them. */
#include "universe/routed_finals.h"

#include "universe/routed_world.h"

TestSuite(routed_finals, .init = world_make, .fini = world_remove);

static struct set_rules rules_of(size_t count_max)
{
    static const int64_t nano[EXPERTS] = {10 * NANO_PER_USD, NANO_PER_USD, NANO_PER_USD,
                                          NANO_PER_USD};
    return (struct set_rules){.candidates = EXPERTS,
                              .cost_nano_usd = nano,
                              .count_max = count_max,
                              .cost_max_nano_usd = INT64_MAX};
}

static struct routed_choice *choose(const struct set_rules *rules)
{
    struct routed_choice *choice = malloc(sizeof(*choice));
    struct error err;
    cr_assert_eq(routed_choose(routed, rules, choice, &err), OK, "%s", err.text);
    return choice;
}

Test(routed_finals, takes_those_that_complement_each_other)
{
    struct set_rules rules = rules_of(2);
    struct routed_choice *choice = choose(&rules);
    cr_assert_eq(choice->set.count, 2);
    cr_expect_eq(choice->set.members[0] + choice->set.members[1], MATHY + POET);
    cr_expect_float_eq(choice->set.values[1], 1, 1e-5);
    cr_expect_eq(choice->queries, QUERIES - 1);
    cr_expect_eq(choice->finals[choice->taken].behind, 0);
    free(choice);
}

/* By hand: the rule for plain sets is the most accurate two. */
Test(routed_finals, finals_are_measured_as_eval_measures_the_set_alone)
{
    struct set_rules rules = rules_of(2);
    struct routed_choice *choice = choose(&rules);
    const struct routed_final *plain = NULL;
    for (size_t i = 0; i < choice->count; i++)
        if (strcmp(choice->finals[i].from, "the most accurate") == 0)
            plain = &choice->finals[i];
    cr_assert_not_null(plain);
    cr_assert(plain->members[0] == DEAR && plain->members[1] == FAIR);
    struct arena *a = arena_create(1 << 28);
    const struct folds_options folds = {
        .folds = ROUTED_FOLDS, .experts = "dear,fair", .plans = "none", .seed = 3};
    struct eval_set set;
    double first;
    cr_assert_eq(eval_folds_build(data, &folds, a, &set, NULL), OK);
    cr_assert_eq(set.table.queries, QUERIES - 1);
    cr_expect_float_eq(plain->score, world_score_at(&set.table, 5, a, &first), 1e-12);
    cr_expect_gt(plain->behind, 0.1);
    cr_expect(plain->behind_error > 0 && plain->behind_error < 0.05);
    arena_free(a);
    free(choice);
}

Test(routed_finals, who_must_stay_stays)
{
    const size_t keep[] = {FAIR};
    struct set_rules rules = rules_of(2);
    rules.keep = keep;
    rules.keep_count = 1;
    struct routed_choice *choice = choose(&rules);
    for (size_t i = 0; i < choice->count; i++)
        cr_expect(choice->finals[i].members[0] == FAIR || choice->finals[i].members[1] == FAIR);
    cr_expect_eq(choice->set.members[0], FAIR);
    free(choice);
}
