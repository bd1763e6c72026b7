/* Groups of domains: planted clusters come back. */
#include "train/groups.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define ROWS    3000
#define EXPERTS 3

struct world {
    struct query queries[ROWS];
    char names[64][8];
    struct dataset dataset;
    float scores[ROWS * EXPERTS], weights[ROWS * EXPERTS];
    uint8_t groups[ROWS];
};

/* Row i has domain i % domains; its kind is that domain % kinds. Kind k is what expert k is good at. */
static struct world *make(size_t domains, size_t kinds)
{
    struct world *w = calloc(1, sizeof(*w));
    struct rng r;
    cr_assert_not_null(w);
    rng_seed(&r, 1);
    for (size_t k = 0; k < domains; k++)
        snprintf(w->names[k], sizeof(w->names[k]), "d%zu", k);
    for (size_t i = 0; i < ROWS; i++) {
        if (domains)
            w->queries[i].domain = str_from(w->names[i % domains]);
        for (size_t e = 0; e < EXPERTS; e++) {
            double good = domains && kinds && i % domains % kinds == e ? 0.95 : 0.1;
            w->scores[i * EXPERTS + e] = rng_uniform(&r) < good;
            w->weights[i * EXPERTS + e] = 1;
        }
    }
    w->dataset =
        (struct dataset){.queries = w->queries, .query_count = ROWS, .expert_count = EXPERTS};
    return w;
}

static size_t find(struct world *w)
{
    size_t count = 99;
    cr_assert_eq(groups_find(&w->dataset, w->scores, w->weights, EXPERTS, w->groups, &count, NULL),
                 OK);
    return count;
}

Test(groups, few_domains_are_a_group_each)
{
    struct world *w = make(3, 3);
    cr_assert_eq(find(w), 3);
    for (size_t i = 3; i < ROWS; i++)
        cr_assert_eq(w->groups[i], w->groups[i % 3]);
    cr_assert_neq(w->groups[0], w->groups[1]);
    cr_assert_neq(w->groups[1], w->groups[2]);
    cr_assert_neq(w->groups[0], w->groups[2]);
    free(w);
}

Test(groups, many_domains_are_clustered_by_what_the_experts_do)
{
    struct world *w = make(60, 3);
    cr_assert_eq(find(w), LINEAR_GROUPS_MAX);
    for (size_t i = 0; i < ROWS; i++) {
        cr_assert_lt(w->groups[i], LINEAR_GROUPS_MAX);
        cr_assert_eq(w->groups[i], w->groups[i % 60]); /* a domain is never torn apart */
        for (size_t j = 0; j < 60; j++)                /* and unlike domains never share a group */
            cr_assert(w->groups[i] != w->groups[j] || i % 60 % 3 == j % 3);
    }
    free(w);
}

Test(groups, need_two_domains)
{
    struct world *w = make(0, 0);
    cr_assert_eq(find(w), 0);
    cr_assert_eq(w->groups[0], 255);
    free(w);
    w = make(1, 1);
    cr_assert_eq(find(w), 0);
    free(w);
}

Test(groups, queries_without_a_domain_have_no_group)
{
    struct world *w = make(4, 2);
    for (size_t i = 0; i < ROWS; i += 2)
        w->queries[i].domain = (struct str){NULL, 0};
    cr_assert_eq(find(w), 2); /* only odd rows, hence domains 1 and 3, are left */
    for (size_t i = 0; i < ROWS; i++)
        cr_assert_eq(w->groups[i] == 255, i % 2 == 0);
    free(w);
}

Test(groups, no_queries)
{
    struct dataset d = {.expert_count = EXPERTS};
    size_t count = 7;
    uint8_t groups[1];
    float scores[1] = {0}, weights[1] = {1};
    cr_assert_eq(groups_find(&d, scores, weights, EXPERTS, groups, &count, NULL), OK);
    cr_assert_eq(count, 0);
}

Test(groups, quality_is_the_mean_pulled_to_the_experts_mean)
{
    /* One expert, two groups: group 0 has scores 1 1 1 and an unknown, group 1 has 0; one row has no group. */
    const float scores[6] = {1, 1, 1, -1, 0, 1};
    float weights[6] = {1, 1, 1, 1, 1, 1};
    const uint8_t groups[6] = {0, 0, 0, 0, 1, 255};
    const uint32_t order[6] = {5, 4, 3, 2, 1, 0};
    float quality[2];
    groups_quality(scores, weights, groups, 2, 1, order, 6, quality);
    double mean = (4.0 + 1) / (5 + 2);
    cr_assert_float_eq((double)quality[0], (3 + 10 * mean) / (3 + 10), 1e-6);
    cr_assert_float_eq((double)quality[1], (0 + 10 * mean) / (1 + 10), 1e-6);
    groups_quality(scores, weights, groups, 2, 1, order, 2, quality); /* rows 5 and 4 only */
    cr_assert_float_eq((double)quality[1], (0 + 10 * 0.5) / (1 + 10), 1e-6);
    weights[4] = 0.5f;
    groups_quality(scores, weights, groups, 2, 1, order, 2, quality);
    mean = (1.0 + 1) / (1.5 + 2);
    cr_assert_float_eq((double)quality[1], 10 * mean / (0.5 + 10), 1e-6);
}

/* What a group is called comes from the data alone: its domains in their order, of many the first. */
Test(groups, names_are_those_of_the_domains)
{
    struct query queries[40] = {{.text = {0}}};
    char names[40][24];
    uint8_t groups[40];
    const struct str *found = NULL;
    struct arena *a = arena_create(1 << 20);
    for (size_t i = 0; i < 40; i++) {
        snprintf(names[i], sizeof(names[i]), "domain %02zu", i % 20);
        queries[i].domain = str_from(names[i]);
        groups[i] = i % 20 < 2 ? 1 : 0;
    }
    groups[39] = 255;
    const struct dataset d = {.queries = queries, .query_count = 40};
    cr_assert_eq(groups_names(&d, groups, 2, a, &found, NULL), OK);
    cr_expect(str_equal(found[1], STR("domain 00, domain 01")));
    cr_expect(str_starts(found[0], STR("domain 02, domain 03, ")));
    cr_expect(str_ends(found[0], STR(" more")), "%.*s", STR_FMT(found[0]));
    arena_free(a);
}
