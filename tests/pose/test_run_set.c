/* Runs of words, and the set that they are kept in. */
#include "pose/run_set.h"

#include "posing.h"

static size_t runs_of(const char *text, size_t words, uint64_t *hashes)
{
    struct run_reader r = {.text = str_from(text), .words = words};
    size_t count = 0;
    while (run_next(&r, &hashes[count]))
        count++;
    return count;
}

Test(run_set, runs_are_words_in_a_row)
{
    uint64_t a[20], b[20];
    cr_assert_eq(runs_of("one two three", 4, a), 0);
    cr_assert_eq(runs_of("one two three four", 4, a), 1);
    cr_assert_eq(runs_of("One, TWO... (three) four; five", 4, b), 2);
    cr_assert_eq(a[0], b[0], "without case and punctuation");
    cr_assert_eq(runs_of("two three four five", 4, a), 1);
    cr_assert_eq(a[0], b[1]);
    cr_assert_eq(runs_of("five four three two", 4, a), 1);
    cr_assert_neq(a[0], b[1], "in their order");
    cr_assert_eq(runs_of("...", 4, a), 0);
}

Test(run_set, has_what_was_added)
{
    struct run_set s = {0};
    cr_assert_not(run_set_has(&s, 1));
    for (uint64_t i = 0; i < 5000; i++)
        cr_assert_eq(run_set_add(&s, i * i), OK);
    cr_assert_eq(run_set_add(&s, 4), OK);
    cr_assert_leq(s.count, 5000);
    for (uint64_t i = 0; i < 5000; i++)
        cr_assert(run_set_has(&s, i * i));
    cr_assert_not(run_set_has(&s, 3));
    run_set_done(&s);
}
