/* Statistics of texts small enough to count by eye. */
#include "encode/stats.h"

#include "stat.h"

TestSuite(stats, .init = begin, .fini = end);

Test(stats, names_are_distinct)
{
    for (unsigned i = 0; i < NGRAM_STATS; i++)
        for (unsigned j = 0; j < i; j++)
            cr_assert_str_neq(stats_name(i), stats_name(j));
}

Test(stats, lengths_and_words)
{
    EXPECT("Two words", "log length", log(10));
    EXPECT("Two words", "log words", log(3));
    EXPECT("Two words", "letters per word", 8.0 / 3);
    EXPECT("Two words", "capitalised words", 1.0 / 3);
    EXPECT("extraordinary x", "long words", 1.0 / 3);
    EXPECT("extraordinary x", "single letters", 1.0 / 3);
    EXPECT("", "log length", 0);
}

Test(stats, characters)
{
    EXPECT("a1 22", "digit share", 3.0 / 6);
    EXPECT("a1 22", "log digits", log(4));
    EXPECT("a1 22", "log numbers", log(3));
    EXPECT("a, b. c", "punctuation share", 2.0 / 8);
    EXPECT("a, b. c", "commas per word", 1.0 / 4);
    EXPECT("a, b. c", "points per word", 1.0 / 4);
    EXPECT("ABc", "upper-case share", 2.0 / 4);
    EXPECT("\xc3\xa9", "non-ASCII share", 2.0 / 3);
    EXPECT("a ____ b", "blank to fill", 1);
    EXPECT("a b", "blank to fill", 0);
    EXPECT("$x$ = y + 1?", "$", 2);
    EXPECT("$x$ = y + 1?", "=", 1);
    EXPECT("$x$ = y + 1?", "?", 1);
    EXPECT("\\frac{1}{2}", "\\", 1);
}

#define CHOICES "Which one?\nA. red\nB. 12\nC. blueish"

Test(stats, options)
{
    EXPECT(CHOICES, "options", 3);
    EXPECT(CHOICES, "log stem length", log(11));
    EXPECT(CHOICES, "log options length", log(1 + 3 + 2 + 7));
    EXPECT(CHOICES, "log longest option", log(8));
    EXPECT(CHOICES, "log shortest option", log(3));
    EXPECT(CHOICES, "shortest/longest", 2.0 / 7);
    EXPECT(CHOICES, "options/stem", 12.0 / 11);
    EXPECT(CHOICES, "options with digits", 1.0 / 3);
}

Test(stats, options_come_in_order_or_not_at_all)
{
    EXPECT("x\nB. one\nC. two", "options", 0);
    EXPECT("x\nA. one\nC. two", "options", 1);
    EXPECT("A. one\nB. two", "options", 0); /* without a stem there is no line to begin on */
    EXPECT("x\nA.\nB.", "options", 0);
    EXPECT("x\nA. \nB. ", "options", 2);
    EXPECT("x\nA. \nB. ", "shortest/longest", 0);
    EXPECT("x", "options with digits", 0);
    EXPECT("x", "log shortest option", 0);
}

Test(stats, there_are_no_more_options_than_letters)
{
    char text[256] = "x", *at = text + 1;
    for (int i = 0; i < 30; i++)
        at += snprintf(at, 6, "\n%c. y", 'A' + i);
    EXPECT(text, "options", 26);
}

Test(stats, cues_are_whole_words_of_the_stem)
{
    EXPECT("Most of this", " most ", 1);
    EXPECT("is it MOST so", " most ", 1);
    EXPECT("and how many", " how many", 1);
    EXPECT("almost here", " most ", 0);
    EXPECT("mostly", " most ", 0);
    EXPECT("Which of the following is it", " which of the following", 1);
    EXPECT("x\nA. most \nB. y", " most ", 0);
    EXPECT("two statements", " statement", 1);
    EXPECT("", " how many", 0);
}
