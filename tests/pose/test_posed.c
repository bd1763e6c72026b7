/* Names of kinds and levels as they are written, and references among choices. */
#include "pose/posed.h"

#include "posing.h"

Test(posed, kinds_are_read_as_models_spell_them)
{
    enum posed_kind kind = POSED_OPEN;
    cr_assert(posed_kind_read(STR("Multiple-Choice"), &kind));
    cr_assert_eq(kind, POSED_CHOICE);
    cr_assert(posed_kind_read(STR(" exact_answer "), &kind));
    cr_assert_eq(kind, POSED_SHORT);
    cr_assert(posed_kind_read(STR("numeric"), &kind));
    cr_assert_eq(kind, POSED_NUMBER);
    cr_assert_not(posed_kind_read(STR("riddle"), &kind));
    cr_assert_not(posed_kind_read(STR("a kind with a name that is far too long to be one"), &kind));
    for (size_t k = 0; k < POSED_KINDS; k++) {
        cr_assert(posed_kind_read(str_from(posed_kind_name((enum posed_kind)k)), &kind));
        cr_assert_eq(kind, k);
    }
}

Test(posed, levels)
{
    cr_assert_eq(posed_level_read(STR("4")), 4);
    cr_assert_eq(posed_level_read(STR("Level 2")), 2);
    cr_assert_eq(posed_level_read(STR("Hard")), 4);
    cr_assert_eq(posed_level_read(STR("very easy")), 1);
    cr_assert_eq(posed_level_read(STR("0")), 0);
    cr_assert_eq(posed_level_read(STR("6")), 0);
    cr_assert_eq(posed_level_read(STR("")), 0);
}

static char letter_of(const struct str *choices, uint32_t count, const char *answer)
{
    struct query q = {.choices = choices, .choice_count = count, .answer = str_from(answer)};
    if (!posed_choice_letter(&q)) {
        cr_assert_str_eq(q.answer.ptr, answer);
        return '-';
    }
    cr_assert_eq(q.answer.len, 1);
    return q.answer.ptr[0];
}

Test(posed, references_become_letters)
{
    static const struct str choices[] = {STR_INIT("Paris"), STR_INIT("New York"), STR_INIT("C"),
                                         STR_INIT("12.5 km")};
    cr_assert_eq(letter_of(choices, 4, "B"), 'B');
    cr_assert_eq(letter_of(choices, 4, "d"), 'D');
    cr_assert_eq(letter_of(choices, 4, "(B)"), 'B');
    cr_assert_eq(letter_of(choices, 4, "new york."), 'B');
    cr_assert_eq(letter_of(choices, 4, "B. New York"), 'B');
    cr_assert_eq(letter_of(choices, 4, "12.5 km"), 'D');
    cr_assert_eq(letter_of(choices, 4, "C"), 'C', "the words of a choice go before letters");
    cr_assert_eq(letter_of(choices, 4, "E"), '-');
    cr_assert_eq(letter_of(choices, 4, "London"), '-');
    cr_assert_eq(letter_of(choices, 4, "["), '-');
}

Test(posed, words_of_two_choices_are_none)
{
    static const struct str choices[] = {STR_INIT("1.0"), STR_INIT("1"), STR_INIT("2")};
    cr_assert_eq(letter_of(choices, 3, "1"), 'B', "exactly the words of one");
    cr_assert_eq(letter_of(choices, 3, "1.00"), '-');
}

Test(posed, finish_makes_the_prompt_of_a_data_set)
{
    static const struct str choices[] = {STR_INIT("x"), STR_INIT("y")};
    struct arena *a = test_arena();
    struct query q = {.text = STR("Which?"), .choices = choices, .choice_count = 2};
    cr_assert_eq(posed_finish(&q, a, NULL), OK);
    cr_assert(str_equal(q.prompt, STR("Which?\nA. x\nB. y")));
    cr_assert_eq(q.text_hash, text_hash(STR("which?")));
    arena_free(a);
}

Test(posed, kind_of_what_does_not_say)
{
    struct query q = {.answer = STR("1,234")};
    cr_assert_eq(posed_kind_of(&q), POSED_NUMBER);
    q.answer = STR("Napoleon");
    cr_assert_eq(posed_kind_of(&q), POSED_SHORT);
    q.answer = STR("");
    cr_assert_eq(posed_kind_of(&q), POSED_OPEN);
    q.choice_count = 3;
    cr_assert_eq(posed_kind_of(&q), POSED_CHOICE);
}

static const char *answer_of(const char *reference, const char *response)
{
    static char text[300];
    struct query q = {.answer = str_from(reference)};
    struct str answer;
    if (!posed_answer_read(&q, str_from(response), &answer))
        return "-";
    snprintf(text, sizeof(text), "%.*s", STR_FMT(answer));
    return text;
}

Test(posed, answers_that_are_nothing_but_the_answer)
{
    cr_assert_str_eq(answer_of("Marie Curie", "Marie Curie."), "Marie Curie.");
    cr_assert_str_eq(answer_of("Marie Curie", "Surely in 1903. The answer is Marie Curie."),
                     "Marie Curie");
    cr_assert_str_eq(answer_of("Marie Curie", "<think>1903?</think> Marie Curie"), "Marie Curie");
    cr_assert_str_eq(answer_of("42", "42"), "42");
    cr_assert_str_eq(answer_of("42", "It is 42, I think"), "42");
    cr_assert_str_eq(answer_of("Marie Curie", "She was first.\nIt was 1903"), "1903");
    cr_assert_str_eq(answer_of("Marie Curie", ""), "-");
}

Test(posed, forms_of_answers_that_are_compared)
{
    struct query q = {.answer = STR("42")};
    cr_assert(str_find(posed_answer_form(&q), STR("the number alone"), 0) != SIZE_MAX);
    q.answer = STR("Marie Curie");
    cr_assert(str_find(posed_answer_form(&q), STR("as few words"), 0) != SIZE_MAX);
    q.check = STR("{\"regex\":\"x\"}");
    cr_assert_eq(posed_answer_form(&q).len, 0, "a check reads the whole answer");
    q.check = q.answer = STR("");
    cr_assert_eq(posed_answer_form(&q).len, 0, "nothing to compare with");
    q.answer = STR("B");
    q.choice_count = 4;
    cr_assert_eq(posed_answer_form(&q).len, 0, "letters are read out of any answer");
}
