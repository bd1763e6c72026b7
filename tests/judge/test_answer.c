/* Answers out of texts, and their scores. */
#include "judge/answer.h"

#include <criterion/criterion.h>

static void extracts(const char *text, const char *wanted)
{
    struct str answer = {NULL, 0};
    bool found = judge_answer_extract(str_from(text), &answer);
    cr_expect_eq(found, wanted != NULL, "%s", text);
    if (found && wanted != NULL)
        cr_expect(str_equal(answer, str_from(wanted)), "%s gave '%.*s'", text, STR_FMT(answer));
}

Test(answer, extract)
{
    extracts("12 + 3 = 15. The answer is 15.", "15");
    extracts("The answer is 152.4.", "152.4");
    extracts("The answer is 3. No: the answer is **-7**.\n", "-7");
    extracts("Answer: \"tenalp\"", "tenalp");
    extracts("the answer is (B).", "B");
    extracts("ANSWER IS Friday. Because it is.", "Friday");
    extracts("So we get 1,234 in all.", "1,234");
    extracts("From 3 to -4", "-4");
    extracts("A 3-4 win", "4");
    extracts("The answer is .", NULL);
    extracts("I do not know.", NULL);
    extracts("", NULL);
}

Test(answer, choice)
{
    cr_expect_eq(judge_choice_extract(STR("The answer is (B).")), 'B');
    cr_expect_eq(judge_choice_extract(STR("The answer is **J**")), 'J');
    cr_expect_eq(judge_choice_extract(STR("Answer: C) because")), 'C');
    cr_expect_eq(judge_choice_extract(STR("The answer is Because")), '\0');
    cr_expect_eq(judge_choice_extract(STR("B")), '\0');
}

Test(answer, agreement)
{
    cr_expect(judge_answers_agree(STR("1,234"), STR("1234.0")));
    cr_expect(judge_answers_agree(STR(" Friday "), STR("friday")));
    cr_expect(judge_answers_agree(STR("0"), STR("0.0")));
    cr_expect_not(judge_answers_agree(STR("1234"), STR("1235")));
    cr_expect_not(judge_answers_agree(STR("2024-02-29"), STR("2024-02-28")));
    cr_expect_not(judge_answers_agree(STR("yes"), STR("no")));
}

Test(answer, score)
{
    struct query free_form = {.answer = STR("42")};
    struct query choice = {.answer = STR("B"), .choice_count = 4};
    struct query unknown = {.answer = {NULL, 0}};
    cr_expect_eq(judge_score(&free_form, STR("The answer is 42.")), 1.0f);
    cr_expect_eq(judge_score(&free_form, STR("The answer is 43.")), 0.0f);
    cr_expect_eq(judge_score(&choice, STR("The answer is (B).")), 1.0f);
    cr_expect_eq(judge_score(&choice, STR("The answer is (C).")), 0.0f);
    cr_expect_eq(judge_score(&unknown, STR("The answer is (C).")), 0.0f);
}
