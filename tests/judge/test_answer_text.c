/* Answers out of texts, and their scores. */
#include "judge/answer_text.h"

#include <criterion/criterion.h>

static void extracts(const char *text, const char *wanted)
{
    struct str answer = {NULL, 0};
    bool found = judge_answer_extract(str_from(text), &answer);
    cr_expect_eq(found, wanted != NULL, "%s", text);
    if (found && wanted)
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

Test(answer, extract_from_latex)
{
    extracts("Thus \\[ \\boxed{42} \\] with 7 steps", "42");
    extracts("\\boxed{1} then \\boxed{\\frac{1}{2}}", "\\frac{1}{2}");
    extracts("The answer is \\(\\boxed{\\text{Paris}}\\).", "Paris");
    extracts("The answer is $.5$", ".5");
    extracts("never closed \\boxed{9", "9");
}

static void reads(enum judge_rule rule, uint32_t choices, const char *text, const char *wanted)
{
    const struct query query = {.choice_count = choices};
    struct str answer = {"", 0};
    bool found = judge_answer_read(&query, rule, str_from(text), &answer);
    cr_expect_eq(found, wanted[0] != '\0', "%s", text);
    cr_expect(str_equal(answer, str_from(wanted)), "%s gave '%.*s'", text, STR_FMT(answer));
}

Test(answer, rules)
{
    reads(JUDGE_AUTO, 4, "The answer is (B), 12.", "B");
    reads(JUDGE_AUTO, 0, "The answer is 12 apples.", "12 apples");
    reads(JUDGE_AUTO, 4, "It is 12.", "");
    reads(JUDGE_CHOICE, 0, "The answer is (Q).", "Q");
    reads(JUDGE_NUMBER, 4, "The answer is (B), 12.", "12");
    reads(JUDGE_NUMBER, 0, "The answer is 12 apples.", "12 apples");
    reads(JUDGE_NUMBER, 0, "Answer: unclear, but about 7.", "7");
    reads(JUDGE_NUMBER, 0, "Answer: unclear", "");
    reads(JUDGE_TEXT, 0, "Answer: Bonn", "Bonn");
    reads(JUDGE_TEXT, 0, "It has 7.", "");
}

Test(answer, agreement)
{
    cr_expect(judge_answers_agree(STR("1,234"), STR("1234.0")));
    cr_expect(judge_answers_agree(STR(" Friday "), STR("friday")));
    cr_expect(judge_answers_agree(STR("0"), STR("0.0")));
    cr_expect(judge_answers_agree(STR("$3.50"), STR("3.5 USD")));
    cr_expect(judge_answers_agree(STR("New  York, NY."), STR("new york ny")));
    cr_expect_not(judge_answers_agree(STR("1234"), STR("1235")));
    cr_expect_not(judge_answers_agree(STR("5 km"), STR("5 m")));
    cr_expect_not(judge_answers_agree(STR("newyork"), STR("new york")));
    cr_expect_not(judge_answers_agree(STR("2024-02-29"), STR("2024-02-28")));
    cr_expect_not(judge_answers_agree(STR("yes"), STR("no")));
    cr_expect_not(judge_answers_agree(STR("yes"), STR("yes, partly")));
    cr_expect_not(judge_answers_agree(STR("!"), STR("?")));
}

Test(answer, score)
{
    static const struct str words[] = {{"red", 3}, {"green", 5}, {"blue", 4}, {"grey", 4}};
    struct query free_form = {.answer = STR("42")};
    struct query choice = {.answer = STR("B"), .choices = words, .choice_count = 4};
    struct query unknown = {.answer = {NULL, 0}};
    cr_expect_eq(judge_score(&free_form, STR("The answer is 42.")), 1.0f);
    cr_expect_eq(judge_score(&free_form, STR("The answer is 43.")), 0.0f);
    cr_expect_eq(judge_score(&choice, STR("The answer is (B).")), 1.0f);
    cr_expect_eq(judge_score(&choice, STR("The answer is (C).")), 0.0f);
    cr_expect_eq(judge_score(&choice, STR("The answer is green.")), 1.0f);
    cr_expect_eq(judge_score(&unknown, STR("The answer is (C).")), 0.0f);
}
