/* Tasks as a data set: as many as were asked for, no two alike, and hidden tests beside those that are shown. */
#include "pose/coding_set.h"

#include <criterion/criterion.h>

#include "rehearse/coders.h"

Test(coding_set, has_distinct_tasks_and_hidden_tests)
{
    struct coding_set first, second;
    struct error err = {0};
    cr_assert_eq(coding_set_make(1, 300, NULL, &first, &err), OK, "%s", err.text);
    cr_assert_eq(coding_set_make(1, 300, first.data, &second, &err), OK, "%s", err.text);
    cr_assert_eq(first.data->query_count, 300);
    cr_assert_eq(first.data->expert_count, CODER_COUNT);
    for (size_t i = 0; i < 300; i++) {
        const struct query *q = &first.data->queries[i];
        cr_assert(str_find(q->text, STR("```tests\n"), 0) != SIZE_MAX);
        cr_assert(str_find(first.hidden[i], STR("```tests\n"), 0) != SIZE_MAX);
        cr_assert_not(str_equal(q->text, first.hidden[i]));
        for (size_t k = 0; k < 300; k++) {
            cr_assert(k == i || first.data->queries[k].text_hash != q->text_hash);
            cr_assert_neq(second.data->queries[k].text_hash, q->text_hash);
        }
    }
    dataset_free(first.data);
    dataset_free(second.data);
}

Test(coding_set, the_seed_makes_it)
{
    struct coding_set a, b, c;
    struct error err = {0};
    cr_assert_eq(coding_set_make(1, 20, NULL, &a, &err), OK, "%s", err.text);
    cr_assert_eq(coding_set_make(1, 20, NULL, &b, &err), OK, "%s", err.text);
    cr_assert_eq(coding_set_make(2, 20, NULL, &c, &err), OK, "%s", err.text);
    for (size_t i = 0; i < 20; i++) {
        cr_assert(str_equal(a.data->queries[i].text, b.data->queries[i].text));
        cr_assert(str_equal(a.hidden[i], b.hidden[i]));
    }
    cr_assert_not(str_equal(a.data->queries[0].text, c.data->queries[0].text));
    dataset_free(a.data);
    dataset_free(b.data);
    dataset_free(c.data);
}
