/* Every listed word is found, its neighbours in the alphabet are not. */
#include "encode/words.h"

#include <criterion/criterion.h>

#define EXPECT(word, class) cr_expect_eq(word_class(STR(word)), (class), "%s", word)

Test(words, classes)
{
    EXPECT("the", WORD_THE);
    EXPECT("a", WORD_A);
    EXPECT("an", WORD_A);
    EXPECT("was", WORD_IS);
    EXPECT("of", WORD_OF);
    EXPECT("to", WORD_TO);
    EXPECT("and", WORD_GLUE);
    EXPECT("with", WORD_GLUE);
    EXPECT("without", WORD_NEGATION);
    EXPECT("least", WORD_NEGATION);
    EXPECT("than", WORD_COMPARISON);
    EXPECT("decreases", WORD_COMPARISON);
    EXPECT("vector", WORD_MATHS);
    EXPECT("i", WORD_SELF);
    EXPECT("my", WORD_SELF);
}

/* One at the first and the last place of letters with many words: the index by first letter is right. */
Test(words, both_ends_of_a_letter)
{
    EXPECT("average", WORD_MATHS);
    EXPECT("be", WORD_GLUE);
    EXPECT("by", WORD_GLUE);
    EXPECT("calculate", WORD_MATHS);
    EXPECT("compute", WORD_MATHS);
    EXPECT("divided", WORD_MATHS);
    EXPECT("equation", WORD_MATHS);
    EXPECT("function", WORD_MATHS);
    EXPECT("group", WORD_MATHS);
    EXPECT("higher", WORD_COMPARISON);
    EXPECT("it", WORD_GLUE);
    EXPECT("larger", WORD_COMPARISON);
    EXPECT("numbers", WORD_MATHS);
    EXPECT("or", WORD_GLUE);
    EXPECT("product", WORD_MATHS);
    EXPECT("roots", WORD_MATHS);
    EXPECT("sum", WORD_MATHS);
    EXPECT("triangle", WORD_MATHS);
    EXPECT("volume", WORD_MATHS);
}

Test(words, others)
{
    EXPECT("", WORD_OTHER);
    EXPECT("th", WORD_OTHER);
    EXPECT("them", WORD_OTHER);
    EXPECT("The", WORD_OTHER); /* the caller lowers */
    EXPECT("zebra", WORD_OTHER);
    EXPECT("{", WORD_OTHER);
    EXPECT("\xc3\xa9", WORD_OTHER);
}
