/* Where options are found, as bytes and as tokens. */
#include "encode/layout.h"

#include <criterion/criterion.h>

#include "encode/word_split.h"

static struct ngram_text f;
static struct text_layout l;

static void find(const char *text)
{
    cr_assert_eq(ngram_text_init(&f, NULL), OK);
    word_split(str_from(text), &f);
    layout_find(str_from(text), &f, &l);
    ngram_text_done(&f);
}

Test(layout, a_text_without_options_is_all_stem)
{
    find("two words");
    cr_assert_eq(l.count, 0);
    cr_assert_eq(l.stem, 9);
    cr_assert_eq(l.stem_tokens, 2);
    find("");
    cr_assert_eq(l.stem, 0);
    cr_assert_eq(l.stem_tokens, 0);
}

Test(layout, options_are_spans_of_bytes_and_tokens)
{
    find("one two?\nA. red sky\nB. 12");
    cr_assert_eq(l.count, 2);
    cr_assert_eq(l.stem, 8);
    cr_assert_eq(l.stem_tokens, 3);
    cr_assert_eq(l.starts[1], 19);
    cr_assert_eq(l.starts[2], 25);
    cr_assert_eq(l.tokens[0], 5); /* "red", behind "A" and "." */
    cr_assert_eq(l.tokens[1], 9); /* "1" */
    cr_assert_eq(l.tokens[2] - LAYOUT_MARK_TOKENS, 11);
}

Test(layout, an_option_may_be_empty)
{
    find("x\nA. \nB. ");
    cr_assert_eq(l.count, 2);
    cr_assert_eq(l.tokens[0], l.tokens[1] - LAYOUT_MARK_TOKENS);
    cr_assert_eq(l.tokens[1], l.tokens[2] - LAYOUT_MARK_TOKENS);
}

Test(layout, options_come_in_order)
{
    find("x\nB. one\nC. two");
    cr_assert_eq(l.count, 0);
    find("x\nA. one\nC. two");
    cr_assert_eq(l.count, 1);
    find("A. one\nB. two"); /* there is no line to begin on */
    cr_assert_eq(l.count, 0);
}
