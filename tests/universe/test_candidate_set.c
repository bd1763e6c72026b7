/* Candidates are compared on the questions that all of them have a score of, and cost what is recorded there. */
#include "universe/candidate_set.h"

#include <string.h>

#include <criterion/criterion.h>

#define QUERIES 4
#define EXPERTS 3

struct made {
    struct dataset d;
    struct dataset_expert experts[EXPERTS];
    struct query queries[QUERIES];
    struct outcome outcomes[QUERIES * EXPERTS];
};

/* Everything known: the first expert scores 1, the second .25, the third 0; they cost 1, 2 and 3 nano-USD. */
static void make(struct made *m)
{
    static const float scores[] = {1, 0.25f, 0};
    memset(m, 0, sizeof(*m));
    m->experts[0].name = STR("a");
    m->experts[1].name = STR("b");
    m->experts[2].name = STR("c");
    for (size_t q = 0; q < QUERIES; q++)
        for (size_t e = 0; e < EXPERTS; e++)
            m->outcomes[q * EXPERTS + e] = (struct outcome){.present = true,
                                                            .known = true,
                                                            .cost_known = true,
                                                            .score = scores[e],
                                                            .cost_nano_usd = (int64_t)e + 1};
    m->d = (struct dataset){.path = STR("here"),
                            .queries = m->queries,
                            .query_count = QUERIES,
                            .experts = m->experts,
                            .expert_count = EXPERTS,
                            .outcomes = m->outcomes};
}

static enum status build(const struct made *m, const char *names, struct arena *a,
                         struct candidates *c, struct error *err)
{
    return candidates_build(&m->d, names, a, c, err);
}

Test(candidate_set, scores_and_costs_are_means_of_the_questions_compared)
{
    struct made m;
    struct candidates c;
    struct error err;
    struct arena *a = arena_create(1 << 20);
    make(&m);
    m.outcomes[1 * EXPERTS + 2].known = false;
    m.outcomes[0 * EXPERTS + 1].cost_nano_usd = 5;
    m.outcomes[2 * EXPERTS + 1].cost_known = false;
    cr_assert_eq(build(&m, NULL, a, &c, &err), OK);
    cr_assert_eq(c.rows, 3, "one question has a hole");
    cr_assert_eq(c.query[1], 2);
    cr_assert_float_eq(c.score[1], 0.25, 1e-9);
    cr_assert_eq(c.scores[1 * EXPERTS + 1], SCORE_ONE / 4);
    cr_assert_eq(c.cost_nano_usd[0], 1000);
    cr_assert_eq(c.cost_nano_usd[1], 3500, "5 and 2, where they are known");
    cr_assert_eq(c.domains, 0, "nobody named any");
    cr_assert_eq(candidate_index(&c, STR("c")), 2);
    cr_assert_eq(candidate_index(&c, STR("d")), SIZE_MAX);
    arena_free(a);
}

Test(candidate_set, a_cost_that_nobody_knows_is_none)
{
    struct made m;
    struct candidates c;
    struct error err;
    struct arena *a = arena_create(1 << 20);
    make(&m);
    for (size_t q = 0; q < QUERIES; q++)
        m.outcomes[q * EXPERTS].cost_known = false;
    m.outcomes[1].cost_nano_usd = INT64_MAX;
    cr_assert_eq(build(&m, NULL, a, &c, &err), OK);
    cr_assert_not(candidate_cost_known(&c, 0));
    cr_assert(candidate_cost_known(&c, 1), "however much it is");
    arena_free(a);
}

Test(candidate_set, candidates_are_those_named_in_that_order)
{
    struct made m;
    struct candidates c;
    struct error err;
    struct arena *a = arena_create(1 << 20);
    make(&m);
    for (size_t q = 0; q < QUERIES; q++)
        m.outcomes[q * EXPERTS + 1].known = false;
    cr_assert_eq(build(&m, "c,a", a, &c, &err), OK);
    cr_assert_eq(c.count, 2);
    cr_assert_eq(c.rows, QUERIES, "holes of others do not count");
    cr_assert(str_equal(candidate_name(&c, 0), STR("c")));
    cr_assert_eq(build(&m, "c,d", a, &c, &err), ERR_NOT_FOUND);
    arena_free(a);
}

Test(candidate_set, without_a_common_question_the_sparsest_is_named)
{
    struct made m;
    struct candidates c;
    struct error err;
    struct arena *a = arena_create(1 << 20);
    make(&m);
    for (size_t q = 0; q < QUERIES; q++)
        m.outcomes[q * EXPERTS + (q ? 1 : 0)].known = false;
    cr_assert_eq(build(&m, NULL, a, &c, &err), ERR_INPUT);
    cr_assert(strstr(err.text, "'b' has fewest (1 of 4"), "%s", err.text);
    m.d.outcomes = NULL;
    cr_assert_eq(build(&m, NULL, a, &c, &err), ERR_INPUT);
    arena_free(a);
}

Test(candidate_set, domains_are_numbered_as_they_come)
{
    struct made m;
    struct candidates c;
    struct error err;
    struct arena *a = arena_create(1 << 20);
    make(&m);
    m.queries[0].domain = m.queries[2].domain = STR("law");
    m.queries[1].domain = STR("art");
    cr_assert_eq(build(&m, NULL, a, &c, &err), OK);
    cr_assert_eq(c.domains, 3);
    cr_assert(str_equal(c.domain[1], STR("art")));
    cr_assert_eq(c.domain_of[2], 0);
    cr_assert_eq(c.domain[2].len, 0, "the last says none");
    arena_free(a);
}
