/* Options against each other and against the stem, small enough to count by eye. */
#include "stat.h"

TestSuite(option_stats, .init = begin, .fini = end);

Test(option_stats, words_that_options_share)
{
    EXPECT("x\nA. red sky\nB. red sun", "mean shared words", 1.0 / 3);
    EXPECT("x\nA. red\nB. red\nC. sun", "mean shared words", 1.0 / 3);
    EXPECT("x\nA. red\nB. Red\nC. sun", "most shared words", 1);
    EXPECT("x\nA. 12\nB. 1 2", "most shared words", 0); /* a number is one word */
    EXPECT("x\nA. 12\nB. 12 m", "most shared words", 0.5);
    EXPECT("x\nA. red red\nB. red", "most shared words", 1);
    EXPECT("x", "mean shared words", 0);
    EXPECT("x\nA. \nB. ", "mean shared words", 0);
}

Test(option_stats, words_that_the_stem_has)
{
    const char *text = "Is the sky red?\nA. red sky\nB. red sun\nC. moon";
    EXPECT(text, "mean words of the stem", (1 + 0.5 + 0) / 3);
    EXPECT(text, "most words of the stem", 1);
    EXPECT(text, "range of stem words", 1);
    EXPECT("none", "range of stem words", 0);
}

Test(option_stats, letters_and_ends)
{
    EXPECT("x\nA. abc\nB. bcd", "shared letters", 0.5);
    EXPECT("x\nA. abcd\nB. abxd", "shared beginning", 0.5);
    EXPECT("x\nA. abcd\nB. abxd", "shared end", 0.25);
    EXPECT("x\nA. \nB. ", "shared beginning", 0);
}

Test(option_stats, lengths)
{
    EXPECT("x\nA. ab\nB. abcd", "longest/mean", 4.0 / 4);
    EXPECT("x\nA. ab\nB. abcd", "spread of lengths", 1.0 / 4);
    EXPECT("x\nA. ab\nB. abcd", "letters per option word", 3);
    EXPECT("x", "longest/mean", 0);
}

Test(option_stats, denials_are_counted_per_option)
{
    EXPECT("not x\nA. it is not and never was\nB. No\nC. nothing", "options that deny", 2);
}

Test(option_stats, numbers)
{
    const char *text = "x\nA. 10\nB. $1,200.5 m/s\nC. -3 %\nD. about 7";
    EXPECT(text, "numeric options", 0.75);
    EXPECT(text, "largest number", log1p(1200.5));
    EXPECT(text, "range of numbers", log1p(1200.5) - log1p(3));
    EXPECT("x\nA. red", "largest number", -1);
    EXPECT("x\nA. (1, 2)", "numeric options", 0);
    EXPECT("x\nA. 99999999999999999999999999", "largest number", log1p(1e15));
    EXPECT("x\nA. 12 a!\nB. .", "digits in options", 2.0 / 7);
    EXPECT("x\nA. 12 a!\nB. .", "punctuation in options", 2.0 / 7);
}

/* More distinct words than are compared, and long options, change nothing but the share. */
Test(option_stats, very_many_words)
{
    static char text[200000];
    char *at = text;
    at += sprintf(at, "x");
    for (int o = 0; o < 26; o++) {
        at += sprintf(at, "\n%c. ", 'A' + o);
        for (int w = 0; w < 500; w++)
            at += sprintf(at, "w%c%c%c ", 'a' + o, 'a' + w / 26, 'a' + w % 26);
    }
    double share = stat(text, "most shared words");
    cr_assert(share >= 0 && share <= 1);
}
