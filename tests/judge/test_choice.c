/* The choice that a text settles on. */
#include "judge/choice.h"

#include <criterion/criterion.h>

static const struct str words[] = {{"serotonin", 9},
                                   {"serotonin and dopamine", 22},
                                   {"42 m", 4},
                                   {"The law of demand", 17},
                                   {"dopamine", 8},
                                   {"8", 1},
                                   {"True, False", 11},
                                   {"5/8", 3},
                                   {"Yes, since it rains", 19},
                                   {"None of these", 13}};
static const struct query query = {.choices = words, .choice_count = 10};

static void settles(const char *text, char wanted)
{
    char got = judge_choice(&query, str_from(text));
    cr_expect_eq(got, wanted, "'%c' instead of '%c': %s", got ? got : '-', wanted ? wanted : '-',
                 text);
}

Test(choice, a_letter_behind_a_marker)
{
    settles("The answer is (B).", 'B');
    settles("The answer is **J**", 'J');
    settles("the answer is B", 'B');
    settles("The answer is: B. serotonin and dopamine", 'B');
    settles("Answer: C) because", 'C');
    settles("**Answer:** (C)", 'C');
    settles("**Final Answer**: The answer is ... G.", 'G');
    settles("The correct answer is option D.", 'D');
    settles("The answer is therefore most likely (E).", 'E');
    settles("The answer must be F, as shown.", 'F');
    settles("The answer is \\(\\boxed{A}\\).", 'A');
    settles("The answer is $\\text{(C)}$", 'C');
    settles("\\[ \\text{The answer is } \\text{E. dopamine} \\]", 'E');
    settles("The answer is:\n\\[\n\\boxed{\\textbf{C}}\n\\]", 'C');
}

Test(choice, other_wrappings)
{
    settles("C", 'C');
    settles("C.", 'C');
    settles("(C)", 'C');
    settles("**C**", 'C');
    settles("r \\approx 42\n\nThus:\n\\[ \\boxed{C} \\]", 'C');
    settles("The correct option is C", 'C');
    settles("So the closest is option (C).", 'C');
    settles("The neurotransmitter is E. dopamine", 'E');
    settles("The correct statement is:\n\nD. The law of demand", 'D');
    settles("This describes choice D.", 'D');
}

Test(choice, the_words_of_a_choice)
{
    settles("The answer is dopamine.", 'E');
    settles("The answer is \"Serotonin and dopamine\".", 'B');
    settles("The answer is $5/8$.", 'H');
    settles("It all rests on the law of demand.", 'D');
    settles("The answer is None of these.", 'J');
    settles("The answer is 8.5", '\0');
    settles("The answer is 80", '\0');
}

Test(choice, the_first_of_a_text_that_runs_on)
{
    settles("So the answer is (B).\n\nQuestion: And?\nAnswer: The answer is (C).", 'B');
    settles("So it is 42 m. C.\n\nQuestion: And?\nLet us see. \\boxed{D}", 'C');
    settles("Question: Which?\nAnswer: The answer is (C).", 'C');
}

Test(choice, that_cannot_be_told)
{
    settles("", '\0');
    settles("I do not know.", '\0');
    settles("The answer is (B) or (C).", '\0');
    settles("The answer is either B or option C, depending on rounding.", '\0');
    settles("This could be (B) or (C).", '\0');
    settles("It is closest to (B). The answer is none of the above.", '\0');
    settles("The answer is (Unable to determine).", '\0');
    settles("It is not (B).", '\0');
    settles("The answer is (Z).", '\0');
    settles("The answer is Because", '\0');
    settles("The answer is I think", '\0');
    settles("The answer is A serious matter", '\0');
    settles("Let us look at them.\nA. serotonin\nB. serotonin and dopamine\nC. 42 m", '\0');
    settles("We first compare it with option A (serotonin), which", '\0');
}

Test(choice, without_the_choices_themselves)
{
    const struct query letters = {.choice_count = 3};
    cr_expect_eq(judge_choice(&letters, STR("The answer is (C).")), 'C');
    cr_expect_eq(judge_choice(&letters, STR("The answer is (D).")), '\0');
    cr_expect_eq(judge_choice(&letters, STR("The answer is dopamine.")), '\0');
}
