/* Words in a text. */
#include "judge/words_at.h"

#include <criterion/criterion.h>

Test(words_at, stand_where_they_are_whole_whatever_their_case)
{
    struct str text = STR("The ANSWER is: \xc3\x89t\xc3\xa9");
    cr_expect(words_stand_at(text, 4, "answer is"));
    cr_expect(words_stand_at(text, 4, ""));
    cr_expect_not(words_stand_at(text, 3, "answer"));
    cr_expect_not(words_stand_at(text, 15, "\xc3\xa9t"), "only ASCII letters have two cases here");
    cr_expect_not(words_stand_at(text, 18, "t\xc3\xa9t"), "the text ends before the words do");
    cr_expect_not(words_stand_at(text, text.len, "a"));
}
