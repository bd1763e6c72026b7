/* How texts are written, counted by eye. */
#include "stat.h"

TestSuite(style, .init = begin, .fini = end);

Test(style, shares_of_words)
{
    const char *text = "The dog and the cat is not of a kind";
    EXPECT(text, "'the'", 2.0 / 10);
    EXPECT(text, "'a'", 1.0 / 10);
    EXPECT(text, "'is'", 1.0 / 10);
    EXPECT(text, "'of'", 1.0 / 10);
    EXPECT(text, "'to'", 0);
    EXPECT(text, "function words", 6.0 / 10);
    EXPECT(text, "denials", 1);
    EXPECT("more than cats", "comparisons", 2);
    EXPECT("find the sum", "words of mathematics", 2.0 / 3);
    EXPECT("I sold my dogs", "first person", 2);
    EXPECT("I sold my dogs", "plural-like", 1.0 / 4);
    EXPECT("a abc", "spread of word lengths", 1);
    EXPECT("", "function words", 0);
    EXPECT("x\nA. the the", "'the'", 0); /* of the stem */
}

Test(style, sentences)
{
    const char *text = "One two three. Four? Five six";
    EXPECT(text, "sentences", 3);
    EXPECT(text, "words in the first sentence", 3);
    EXPECT(text, "words in the last sentence", 2);
    EXPECT("It is 3.5 m. ", "sentences", 1);
    EXPECT("One. 'Two.'", "sentences", 2);
    EXPECT("", "sentences", 0);
    EXPECT("...", "sentences", 0);
}

Test(style, the_end_of_the_stem)
{
    EXPECT("What?\nA. x", "end of the stem", 1);
    EXPECT("It is: ", "end of the stem", 2);
    EXPECT("It is.", "end of the stem", 3);
    EXPECT("It is ___", "end of the stem", 4);
    EXPECT("It is", "end of the stem", 0);
    EXPECT("", "end of the stem", 0);
}

Test(style, numbers)
{
    EXPECT("from 12.5 to 7\nA. 900", "largest number of the stem", log1p(12.5));
    EXPECT("none", "largest number of the stem", -1);
    EXPECT("0", "largest number of the stem", 0);
    EXPECT("a 12.5", "digits in the stem", 3.0 / 7);
    EXPECT("7.", "digits in the stem", 1.0 / 3);
}

Test(style, variety)
{
    EXPECT("aaaa", "variety of characters", 0);
    EXPECT("abab", "variety of characters", log(2));
    EXPECT("", "variety of characters", 0);
    EXPECT("one two", "repeated grams", 1);
    EXPECT("one one one one", "repeated grams", 3.0 / 8);
}
