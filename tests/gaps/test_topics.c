/* Domains and words to topics. */
#include "gaps/topics.h"

#include "planted.h"

#define ROWS 600

static void placed(size_t texts, void *arg)
{
    *(size_t *)arg = texts;
}

static struct topic_set find(const struct dataset *d, const float *missed, struct arena *a)
{
    static const float noise[ROWS];
    const struct split_missed of = {missed, noise};
    struct topic_set t;
    struct error err;
    size_t texts = 0;
    cr_assert_eq(topics_begin(d, a, &t, &err), OK);
    cr_assert_eq(topics_find(d, &of, 0, placed, &texts, a, &t, &err), OK);
    cr_expect_eq(texts, d->query_count);
    return t;
}

Test(topics, domains_are_topics_and_large_ones_are_parted)
{
    static const float missed[ROWS];
    struct planted *p = planted_make(ROWS, 1, true);
    struct arena *a = arena_create(1 << 28);
    struct topic_set t = find(&p->d, missed, a);
    cr_assert_eq(t.group_count, 3);
    for (size_t q = 0; q < ROWS; q++) {
        const struct topic_group *g = topics_group(&t, t.topic_of[q]);
        cr_expect(str_equal(g->domain, p->queries[q].domain));
        cr_expect_eq(topics_assign(&t, &p->queries[q]), t.topic_of[q]);
    }
    cr_expect_geq(t.topic_count, 6, "some hundred a topic, of 600");
    arena_free(a);
    planted_free(p);
}

Test(topics, small_domains_are_the_others)
{
    static const float missed[ROWS];
    struct planted *p = planted_make(ROWS, 1, true);
    struct arena *a = arena_create(1 << 28);
    for (size_t q = 0; q < 10; q++)
        p->queries[q].domain = STR("rare");
    p->queries[10].domain = STR("");
    struct topic_set t = find(&p->d, missed, a);
    cr_assert_eq(t.group_count, 4);
    cr_expect_eq(t.groups[3].queries, 11);
    cr_expect_eq(t.groups[3].domain.len, 0);
    struct query unheard = p->queries[0];
    unheard.domain = STR("unheard");
    cr_expect_eq(topics_assign(&t, &unheard), t.groups[3].first_topic);
    arena_free(a);
    planted_free(p);
}

Test(topics, a_domain_that_no_topic_has_has_no_topic)
{
    static const float missed[ROWS];
    struct planted *p = planted_make(ROWS, 1, true);
    struct arena *a = arena_create(1 << 28);
    struct topic_set t = find(&p->d, missed, a);
    struct query unheard = p->queries[0];
    unheard.domain = STR("unheard");
    cr_expect_eq(topics_assign(&t, &unheard), SIZE_MAX);
    arena_free(a);
    planted_free(p);
}

Test(topics, few_queries_are_one_topic)
{
    static const float missed[ROWS];
    struct planted *p = planted_make(ROWS, 1, false);
    struct arena *a = arena_create(1 << 28);
    p->d.query_count = 7;
    struct topic_set t = find(&p->d, missed, a);
    cr_expect_eq(t.topic_count, 1);
    arena_free(a);
    planted_free(p);
}
