/* Uniting data sets. */
#include "data/dataset.h"

#include "scratch.h"

static struct dataset *load(const struct scratch *s)
{
    struct dataset *d = NULL;
    cr_assert_eq(dataset_load(s->path, DATASET_ALL, &d, NULL), OK);
    return d;
}

Test(concat, unites_experts_and_keeps_queries_apart)
{
    struct scratch s1 = scratch_dataset(NULL, NULL, NULL);
    struct scratch s2 =
        scratch_dataset("{\"id\":\"a\",\"text\":\"other\"}\n",
                        "model,usd_per_m_input,usd_per_m_output\nnew,1,1\nbig,10,30\n",
                        "id,model,score\na,big,0.75\na,new,1\n");
    struct dataset *parts[] = {load(&s1), load(&s2)}, *d = NULL;
    cr_assert_eq(dataset_concat(parts, 2, &d, NULL), OK);
    cr_assert_eq(d->query_count, 3);
    cr_assert_eq(d->expert_count, 3);
    cr_assert(str_equal(d->experts[2].name, STR("new")));
    cr_assert(str_equal(d->queries[2].text, STR("other")));
    cr_assert_eq((double)dataset_outcome(d, 0, 0)->score, 0.25);
    cr_assert_eq((double)dataset_outcome(d, 2, 0)->score, 0.75);
    cr_assert(!dataset_outcome(d, 2, 1)->known);
    cr_assert(!dataset_outcome(d, 0, 2)->known);
    cr_assert_eq((double)dataset_outcome(d, 2, 2)->score, 1.0);
    dataset_free(d);
    dataset_free(parts[0]);
    dataset_free(parts[1]);
    scratch_remove(&s1);
    scratch_remove(&s2);
}

Test(concat, keeps_answers_where_every_part_has_them)
{
    struct scratch s1 = scratch_dataset(NULL, NULL, "id,model,score,answer\na,big,1,B\n");
    struct scratch s2 = scratch_dataset(NULL, NULL, NULL);
    struct dataset *with = load(&s1), *without = load(&s2), *d = NULL;
    struct dataset *both[] = {with, with}, *mixed[] = {with, without};
    cr_assert_eq(dataset_concat(both, 2, &d, NULL), OK);
    cr_assert(d->has_answers);
    cr_assert(str_equal(dataset_outcome(d, 2, 0)->answer, STR("B")));
    dataset_free(d);
    cr_assert_eq(dataset_concat(mixed, 2, &d, NULL), OK);
    cr_assert_not(d->has_answers);
    dataset_free(d);
    dataset_free(with);
    dataset_free(without);
    scratch_remove(&s1);
    scratch_remove(&s2);
}

Test(concat, prices_must_agree)
{
    struct scratch s1 = scratch_dataset(NULL, NULL, NULL);
    struct scratch s2 = scratch_dataset(
        NULL, "model,usd_per_m_input,usd_per_m_output\nbig,10,31\norg/small,0.6,0.075\n", NULL);
    struct dataset *parts[] = {load(&s1), load(&s2)}, *d = NULL;
    struct error err;
    cr_assert_eq(dataset_concat(parts, 2, &d, &err), ERR_INPUT);
    cr_assert_null(d);
    cr_assert_not_null(strstr(err.text, "'big'"));
    dataset_free(parts[0]);
    dataset_free(parts[1]);
    scratch_remove(&s1);
    scratch_remove(&s2);
}
