/* Every listed word is found, its neighbours in the alphabet are not. */
#include "encode/words.h"

#include <string.h>

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

/* One at the first and the last place of letters with many words: a table by first letter would have them there. */
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
    EXPECT("probabilityprobabilities", WORD_OTHER);
    EXPECT("{", WORD_OTHER);
    EXPECT("\xc3\xa9", WORD_OTHER);
}

/* The whole list once more: a word that the hash loses is noticed. */
Test(words, every_word_is_found_and_its_neighbours_are_not)
{
    static const struct {
        enum word_class class;
        const char *words;
    } lists[] = {
        {WORD_A, "a an"},
        {WORD_GLUE, "and as at all be but by can for from has have if in it may on one or "
                    "that their there this which will with"},
        {WORD_IS, "are is was"},
        {WORD_MATHS, "angle area average calculate circle compute digit digits divided "
                     "equation evaluate factor factors field find function graph group "
                     "integer integers matrix mean median multiple number numbers percent "
                     "perimeter polynomial prime probability product rate ratio ring root "
                     "roots set simplify slope solve square sum times triangle value vector "
                     "volume"},
        {WORD_NEGATION, "cannot except false incorrect least never no none not without"},
        {WORD_COMPARISON, "decrease decreases greater higher increase increases larger less "
                          "lower more smaller than"},
        {WORD_SELF, "i my"},
        {WORD_OF, "of"},
        {WORD_THE, "the"},
        {WORD_TO, "to"},
    };
    size_t found = 0;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct str rest = str_from(lists[i].words);
        while (rest.len) {
            char near[17] = {0};
            struct str word = str_split(&rest, ' ');
            found += word_class(word) == lists[i].class;
            cr_expect_eq(word_class(word), lists[i].class, "%.*s", STR_FMT(word));
            memcpy(near, word.ptr, word.len);
            near[word.len] = 'q';
            cr_expect_eq(word_class((struct str){near, word.len + 1}), WORD_OTHER);
            near[word.len - 1] = 'q';
            cr_expect_eq(word_class((struct str){near, word.len}), WORD_OTHER);
        }
    }
    cr_expect_eq(found, 106);
}
