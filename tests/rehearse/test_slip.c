/* Slips: always wrong, always of the same form. */
#include "rehearse/slip.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct {
    enum answer_form form;
    const char *answer;
} rows[] = {
    {FORM_NUMBER, "0"},        {FORM_NUMBER, "7"},        {FORM_NUMBER, "99"},
    {FORM_NUMBER, "-3"},       {FORM_NUMBER, "152.4"},    {FORM_NUMBER, "999999998000000001"},
    {FORM_WEEKDAY, "Monday"},  {FORM_DATE, "2024-02-29"}, {FORM_DATE, "2024-12-01"},
    {FORM_DATE, "2024-12-28"}, {FORM_TIME, "23:55"},      {FORM_YES_NO, "yes"},
    {FORM_YES_NO, "no"},       {FORM_WORD, "a"},          {FORM_WORD, "z"},
    {FORM_WORD, "aaa"},        {FORM_WORD, "tenalp"},     {FORM_WORD, "aab"},
};

Test(slip, never_right)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct solution s = {.form = rows[i].form};
        memcpy(s.answer, rows[i].answer, strlen(rows[i].answer) + 1);
        for (uint64_t seed = 0; seed < 300; seed++) {
            char wrong[SOLUTION_ANSWER_BYTES];
            struct rng rng;
            rng_seed(&rng, seed);
            slip_answer(&s, &rng, wrong);
            cr_assert_str_neq(wrong, s.answer, "seed %d", (int)seed);
            cr_assert_gt(strlen(wrong), 0);
        }
    }
}

Test(slip, decoy_is_taken)
{
    struct solution s = {.form = FORM_WORD, .answer = "apple", .decoy = "fig"};
    char wrong[SOLUTION_ANSWER_BYTES];
    struct rng rng;
    rng_seed(&rng, 1);
    slip_answer(&s, &rng, wrong);
    cr_assert_str_eq(wrong, "fig");
}
