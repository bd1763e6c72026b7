/* Part of a data set as a data set. */
#include "data/subset.h"

#include "scratch.h"

static struct dataset *load(const struct scratch *s)
{
    struct dataset *d = NULL;
    cr_assert_eq(dataset_load(s->path, DATASET_ALL, &d, NULL), OK);
    return d;
}

Test(subset, holds_the_rows_in_the_order_asked_for)
{
    struct scratch s = scratch_dataset(NULL, NULL, NULL);
    struct dataset *d = load(&s), *part = NULL;
    const uint32_t rows[3] = {1, 0, 1};
    cr_assert_eq(dataset_subset(d, rows, 3, &part, NULL), OK);
    cr_assert_eq(part->query_count, 3);
    cr_assert_eq(part->expert_count, 2);
    cr_assert(str_equal(part->path, d->path));
    for (size_t i = 0; i < 3; i++) {
        cr_assert(str_equal(part->queries[i].id, d->queries[rows[i]].id));
        cr_assert_eq(part->queries[i].text_hash, d->queries[rows[i]].text_hash);
        for (size_t e = 0; e < 2; e++) {
            const struct outcome *got = dataset_outcome(part, i, e);
            const struct outcome *wanted = dataset_outcome(d, rows[i], e);
            cr_assert_eq(got->known, wanted->known);
            cr_assert_eq(got->cost_nano_usd, wanted->cost_nano_usd);
            cr_assert_eq((double)got->score, (double)wanted->score);
        }
    }
    cr_assert_eq((double)dataset_outcome(part, 1, 0)->score, 0.25);
    cr_assert_eq(dataset_expert_index(part, STR("org/small")), 1);
    dataset_free(part);
    cr_assert(str_equal(d->queries[0].id, STR("a"))); /* the whole outlives the part */
    dataset_free(d);
    scratch_remove(&s);
}

Test(subset, keeps_answers)
{
    struct scratch s = scratch_dataset(NULL, NULL, "id,model,score,answer\nb,big,1,seven\n");
    struct dataset *d = load(&s), *part = NULL;
    const uint32_t row = 1;
    d->outcomes[2].answer_class = 3;
    cr_assert_eq(dataset_subset(d, &row, 1, &part, NULL), OK);
    cr_assert(part->has_answers);
    cr_assert(str_equal(dataset_outcome(part, 0, 0)->answer, STR("seven")));
    cr_assert_eq(dataset_outcome(part, 0, 0)->answer_class, 3);
    dataset_free(part);
    dataset_free(d);
    scratch_remove(&s);
}

Test(subset, of_experts_in_the_order_asked_for)
{
    struct scratch s = scratch_dataset(NULL, NULL, NULL);
    struct dataset *d = load(&s), *part = NULL;
    const size_t experts[2] = {1, 0};
    cr_assert_eq(dataset_subset_experts(d, experts, 2, &part, NULL), OK);
    cr_assert(str_equal(part->experts[0].name, STR("org/small")));
    cr_assert_eq(part->experts[1].price.input_nano_usd_per_m, 10000000000);
    cr_assert_eq(part->query_count, 2);
    cr_assert_eq((double)dataset_outcome(part, 0, 1)->score, 0.25);
    cr_assert_eq((double)dataset_outcome(part, 1, 0)->score, 1.0);
    cr_assert_not(dataset_outcome(part, 0, 0)->present);
    dataset_free(part);
    cr_assert_eq(dataset_subset_experts(d, experts, 1, &part, NULL), OK);
    cr_assert_eq(part->expert_count, 1);
    cr_assert_eq((double)dataset_outcome(part, 1, 0)->score, 1.0);
    dataset_free(part);
    dataset_free(d);
    scratch_remove(&s);
}

Test(subset, keeps_methods_and_checks)
{
    struct scratch s = scratch_dataset("{\"id\":\"a\",\"text\":\"t\",\"check\":{}}\n", NULL,
                                       "id,model,score,method,confidence\na,big,1,judge,0.5\n");
    struct dataset *d = load(&s), *part = NULL;
    const uint32_t row = 0;
    const size_t expert = 0;
    cr_assert_eq(dataset_subset(d, &row, 1, &part, NULL), OK);
    cr_assert(str_equal(part->queries[0].check, STR("{}")));
    cr_assert(str_equal(part->outcomes[0].method, STR("judge")));
    dataset_free(part);
    cr_assert_eq(dataset_subset_experts(d, &expert, 1, &part, NULL), OK);
    cr_assert_eq((double)part->outcomes[0].confidence, 0.5);
    dataset_free(part);
    dataset_free(d);
    scratch_remove(&s);
}

Test(subset, of_nothing_is_empty)
{
    struct scratch s = scratch_dataset(NULL, NULL, NULL);
    struct dataset *d = load(&s), *part = NULL;
    cr_assert_eq(dataset_subset(d, NULL, 0, &part, NULL), OK);
    cr_assert_eq(part->query_count, 0);
    cr_assert_eq(part->expert_count, 2);
    dataset_free(part);
    dataset_free(d);
    scratch_remove(&s);
}

Test(subset, without_outcomes_has_none)
{
    struct scratch s = scratch_dataset(NULL, NULL, NULL);
    struct dataset *d = NULL, *part = NULL;
    const uint32_t row = 1;
    cr_assert_eq(dataset_load(s.path, DATASET_QUERIES, &d, NULL), OK);
    cr_assert_eq(dataset_subset(d, &row, 1, &part, NULL), OK);
    cr_assert_null(part->outcomes);
    cr_assert(str_equal(part->queries[0].domain, STR("math")));
    dataset_free(part);
    dataset_free(d);
    scratch_remove(&s);
}
