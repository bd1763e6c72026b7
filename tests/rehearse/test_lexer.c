/* Cutting questions into tokens. */
#include "rehearse/lexer.h"

#include <criterion/criterion.h>
#include <string.h>

static struct tokens t;

static bool cut(const char *question)
{
    return tokens_cut(str_from(question), &t);
}

Test(tokens, kinds)
{
    cr_assert(cut("Add 1,234 to 2.5 on 2024-02-29 at 9:40, \"Pear\"!"));
    cr_assert_eq(t.count, 11);
    cr_assert(token_is_word(&t.items[0], "add"));
    cr_assert_eq(t.items[1].value, 1234);
    cr_assert(token_is_whole(&t.items[1]));
    cr_assert_eq(t.items[3].value, 25);
    cr_assert_eq(t.items[3].scale, 10);
    cr_assert_eq(t.items[5].type, TOKEN_DATE);
    cr_assert_eq(t.items[5].value, 20240229);
    cr_assert_eq(t.items[7].type, TOKEN_TIME);
    cr_assert_eq(t.items[7].value, 9 * 60 + 40);
    cr_assert(token_is_sign(&t.items[8], ','));
    cr_assert_eq(t.items[9].type, TOKEN_QUOTED);
    cr_assert(str_equal(t.items[9].text, STR("pear")));
}

Test(tokens, apostrophes_and_quotes)
{
    cr_assert(cut("How many r's are in 'strawberry'?"));
    cr_assert(token_is_word(&t.items[2], "r's"));
    cr_assert_eq(t.items[5].type, TOKEN_QUOTED);
    cr_assert(cut("\u201clevel\u201d \u00d7 \u2212"));
    cr_assert_eq(t.items[0].type, TOKEN_QUOTED);
    cr_assert(token_is_sign(&t.items[1], '*'));
    cr_assert(token_is_sign(&t.items[2], '-'));
}

Test(tokens, numbers_that_are_not_dates)
{
    cr_assert(cut("1,23 1,234,567 12:75 2024-1-1"));
    cr_assert_eq(t.items[0].value, 1);
    cr_assert_eq(t.items[3].value, 1234567);
    for (size_t i = 0; i < t.count; i++) {
        cr_assert_neq(t.items[i].type, TOKEN_DATE);
        cr_assert_neq(t.items[i].type, TOKEN_TIME);
    }
}

Test(tokens, limits_are_refused)
{
    static char longer[TOKENS_TEXT_BYTES + 8];
    memset(longer, 'a', sizeof(longer) - 1);
    cr_assert_not(cut(longer));
    memset(longer, '?', QUESTION_TOKENS_MAX + 1);
    longer[QUESTION_TOKENS_MAX + 1] = '\0';
    cr_assert_not(cut(longer));
    longer[QUESTION_TOKENS_MAX] = '\0';
    cr_assert(cut(longer));
    cr_assert_not(cut("99999999999999999999"));
    cr_assert_not(cut(" \n "));
}

Test(tokens, phrases)
{
    cr_assert(cut("On which day of the week was it?"));
    cr_assert(tokens_have_phrase(&t, "day of the week"));
    cr_assert_not(tokens_have_phrase(&t, "day of week"));
    cr_assert_eq(tokens_match(&t, 2, "day of"), 4);
    cr_assert_eq(tokens_find_word(&t, 3, "day"), SIZE_MAX);
}
