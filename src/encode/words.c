/* A table by first letter: a word is compared with the few that begin and end like it. */
#include "encode/words.h"

#include <stdint.h>
#include <string.h>

#define W(text, class)                                                                             \
    {                                                                                              \
        {text, sizeof(text) - 1}, class                                                            \
    }
/* In order of the first letter (tests/encode/test_words.c). */
static const struct {
    struct str text;
    enum word_class class;
} words[] = {
    W("a", WORD_A),
    W("an", WORD_A),
    W("and", WORD_GLUE),
    W("are", WORD_IS),
    W("as", WORD_GLUE),
    W("at", WORD_GLUE),
    W("all", WORD_GLUE),
    W("angle", WORD_MATHS),
    W("area", WORD_MATHS),
    W("average", WORD_MATHS),
    W("be", WORD_GLUE),
    W("but", WORD_GLUE),
    W("by", WORD_GLUE),
    W("calculate", WORD_MATHS),
    W("can", WORD_GLUE),
    W("cannot", WORD_NEGATION),
    W("circle", WORD_MATHS),
    W("compute", WORD_MATHS),
    W("decrease", WORD_COMPARISON),
    W("decreases", WORD_COMPARISON),
    W("digit", WORD_MATHS),
    W("digits", WORD_MATHS),
    W("divided", WORD_MATHS),
    W("equation", WORD_MATHS),
    W("evaluate", WORD_MATHS),
    W("except", WORD_NEGATION),
    W("factor", WORD_MATHS),
    W("factors", WORD_MATHS),
    W("false", WORD_NEGATION),
    W("field", WORD_MATHS),
    W("find", WORD_MATHS),
    W("for", WORD_GLUE),
    W("from", WORD_GLUE),
    W("function", WORD_MATHS),
    W("graph", WORD_MATHS),
    W("greater", WORD_COMPARISON),
    W("group", WORD_MATHS),
    W("has", WORD_GLUE),
    W("have", WORD_GLUE),
    W("higher", WORD_COMPARISON),
    W("i", WORD_SELF),
    W("if", WORD_GLUE),
    W("in", WORD_GLUE),
    W("incorrect", WORD_NEGATION),
    W("increase", WORD_COMPARISON),
    W("increases", WORD_COMPARISON),
    W("integer", WORD_MATHS),
    W("integers", WORD_MATHS),
    W("is", WORD_IS),
    W("it", WORD_GLUE),
    W("larger", WORD_COMPARISON),
    W("least", WORD_NEGATION),
    W("less", WORD_COMPARISON),
    W("lower", WORD_COMPARISON),
    W("matrix", WORD_MATHS),
    W("may", WORD_GLUE),
    W("mean", WORD_MATHS),
    W("median", WORD_MATHS),
    W("more", WORD_COMPARISON),
    W("multiple", WORD_MATHS),
    W("my", WORD_SELF),
    W("never", WORD_NEGATION),
    W("no", WORD_NEGATION),
    W("none", WORD_NEGATION),
    W("not", WORD_NEGATION),
    W("number", WORD_MATHS),
    W("numbers", WORD_MATHS),
    W("of", WORD_OF),
    W("on", WORD_GLUE),
    W("one", WORD_GLUE),
    W("or", WORD_GLUE),
    W("percent", WORD_MATHS),
    W("perimeter", WORD_MATHS),
    W("polynomial", WORD_MATHS),
    W("prime", WORD_MATHS),
    W("probability", WORD_MATHS),
    W("product", WORD_MATHS),
    W("rate", WORD_MATHS),
    W("ratio", WORD_MATHS),
    W("ring", WORD_MATHS),
    W("root", WORD_MATHS),
    W("roots", WORD_MATHS),
    W("set", WORD_MATHS),
    W("simplify", WORD_MATHS),
    W("slope", WORD_MATHS),
    W("smaller", WORD_COMPARISON),
    W("solve", WORD_MATHS),
    W("square", WORD_MATHS),
    W("sum", WORD_MATHS),
    W("than", WORD_COMPARISON),
    W("that", WORD_GLUE),
    W("the", WORD_THE),
    W("their", WORD_GLUE),
    W("there", WORD_GLUE),
    W("this", WORD_GLUE),
    W("times", WORD_MATHS),
    W("to", WORD_TO),
    W("triangle", WORD_MATHS),
    W("value", WORD_MATHS),
    W("vector", WORD_MATHS),
    W("volume", WORD_MATHS),
    W("was", WORD_IS),
    W("which", WORD_GLUE),
    W("will", WORD_GLUE),
    W("with", WORD_GLUE),
    W("without", WORD_NEGATION),
};
#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

/* Where the words of each letter begin (a test counts them again). */
static const uint8_t first_of[27] = {
    0,  10, 13, 18, 23, 26, 34, 37, 40,  50,  50,  50,  54,  61,
    67, 71, 77, 77, 82, 89, 98, 98, 101, 106, 106, 106, 106,
};

enum word_class word_class(struct str lowered)
{
    unsigned letter = lowered.len ? (unsigned)(unsigned char)lowered.ptr[0] - 'a' : 26;
    if (letter >= 26)
        return WORD_OTHER;
    for (size_t i = first_of[letter]; i < first_of[letter + 1]; i++)
        if (words[i].text.len == lowered.len &&
            words[i].text.ptr[lowered.len - 1] == lowered.ptr[lowered.len - 1] &&
            !memcmp(words[i].text.ptr, lowered.ptr, lowered.len))
            return words[i].class;
    return WORD_OTHER;
}
