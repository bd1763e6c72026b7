/* An expert's answer text: what is read out of it lies inside it, and agrees with itself; a letter is one of the
 * query's. The bytes up to the first "%" are the words of two choices, the rest is the text. */
#include <string.h>

#include "base/check.h"
#include "judge/answer_text.h"
#include "judge/choice.h"
#include "judge/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_choice(struct str words, struct str text)
{
    const struct str choices[3] = {
        {"none of the above", 17}, words, str_slice(words, 1, words.len)};
    const struct query listed = {.choices = choices, .choice_count = 3},
                       unlisted = {.choice_count = 26};
    char letter = judge_choice(&listed, text);
    CHECK(letter == '\0' || (letter >= 'A' && letter <= 'C'));
    letter = judge_choice(&unlisted, text);
    CHECK(letter == '\0' || (letter >= 'A' && letter <= 'Z'));
}

static void check_answer(enum judge_rule rule, struct str text)
{
    const struct query query = {.choice_count = 0};
    struct str answer;
    if (!judge_answer_read(&query, rule, text, &answer))
        return;
    CHECK(answer.len > 0);
    CHECK(judge_answers_agree(answer, answer));
    if (rule == JUDGE_CHOICE)
        return;
    CHECK(answer.ptr >= text.ptr);
    CHECK(answer.ptr + answer.len <= text.ptr + text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str whole = {(const char *)data, size}, text = whole;
    struct judge_number n;
    struct str words = str_split(&text, '%');
    check_choice(words, text);
    for (enum judge_rule rule = JUDGE_AUTO; rule <= JUDGE_TEXT; rule++)
        check_answer(rule, whole);
    CHECK(judge_answers_agree(words, text) == judge_answers_agree(text, words));
    if (judge_number_read(whole, &n))
        CHECK(n.unit.len <= whole.len);
    return 0;
}
