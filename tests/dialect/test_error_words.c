/* Words are found in any case, in the begin of an error, and nowhere else. */
#include "dialect/error_words.h"

#include <criterion/criterion.h>
#include <string.h>

Test(error_words, are_found_in_any_case)
{
    static const char *const words[] = {"gone", "too long"};
    struct error_words w;
    error_words_read(STR("Prompt is TOO Long"), &w);
    cr_expect_eq(error_words_find(&w, "too long"), 18);
    cr_expect_eq(error_words_find(&w, "short"), 0);
    cr_expect(error_words_any(&w, words, 2));
    cr_expect_not(error_words_any(&w, words, 1));
    error_words_read((struct str){0}, &w);
    cr_expect_not(error_words_any(&w, words, 2));
}

Test(error_words, only_the_begin_is_looked_at)
{
    static char text[ERROR_WORDS_BYTES_MAX + 8];
    struct error_words w;
    memset(text, ' ', sizeof(text));
    memcpy(text + ERROR_WORDS_BYTES_MAX - 4, "gone", 4);
    error_words_read((struct str){text, sizeof(text)}, &w);
    cr_expect_eq(error_words_find(&w, "gone"), ERROR_WORDS_BYTES_MAX);
    memcpy(text + ERROR_WORDS_BYTES_MAX - 4, " gone", 5);
    error_words_read((struct str){text, sizeof(text)}, &w);
    cr_expect_eq(error_words_find(&w, "gone"), 0);
}
