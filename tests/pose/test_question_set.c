/* Question sets: distinct texts, seeded, and none shared with the set to avoid. */
#include "pose/question_set.h"

#include <criterion/criterion.h>

Test(question_set, distinct_and_seeded)
{
    struct dataset *a, *b;
    struct error err;
    cr_assert_eq(question_set_make(5, 500, NULL, &a, &err), OK, "%s", err.text);
    cr_assert_eq(question_set_make(5, 500, NULL, &b, &err), OK, "%s", err.text);
    cr_assert_eq(a->query_count, 500);
    cr_assert_eq(a->expert_count, 4);
    for (size_t i = 0; i < 500; i++) {
        cr_assert(str_equal(a->queries[i].prompt, b->queries[i].prompt));
        cr_assert_gt(a->queries[i].answer.len, 0);
        for (size_t j = 0; j < i; j++)
            cr_assert_neq(a->queries[i].text_hash, a->queries[j].text_hash);
    }
    dataset_free(a);
    dataset_free(b);
}

Test(question_set, avoids)
{
    struct dataset *a, *b;
    cr_assert_eq(question_set_make(5, 300, NULL, &a, NULL), OK);
    cr_assert_eq(question_set_make(5, 300, a, &b, NULL), OK);
    for (size_t i = 0; i < 300; i++)
        for (size_t j = 0; j < 300; j++)
            cr_assert_neq(a->queries[i].text_hash, b->queries[j].text_hash);
    dataset_free(a);
    dataset_free(b);
}
