/* Which words say how a text is written. Every word of every text is looked up, so a word is found by a hash of its
 * letters that no two of the list share, without a branch. Constants, and functions of their arguments: any thread.
 * word_class_padded reads ENCODE_PADDING bytes behind the word, which only the encoder's own texts have. What a word
 * counts as is part of NGRAM_FINGERPRINT. */
#include "encode/words.h"

#include <string.h>

#include "encode/load.h"

#define WORD_BYTES 16 /* the longest has 11 */
#define W(text, class)                                                                             \
    {                                                                                              \
        text, sizeof(text) - 1, class                                                              \
    }
static const struct {
    char text[WORD_BYTES];
    uint8_t len, class;
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
_Static_assert(WORD_COUNT <= UINT8_MAX, "places of words are bytes");

/* slots[hash] is the place of the only word with this hash; where there is none, any place does. MULTIPLIER was drawn
 * until no two words shared a slot; a new word needs another draw (tests/encode/test_words.c finds all words). */
#define SLOT_BITS  9
#define MULTIPLIER UINT64_C(0x192f06ad8e2baef3)
static const uint8_t slots[1 << SLOT_BITS] = {
    0,  0,  0,   0,   81, 0,  0,  0,  0,  0,   0,  0,  0,  0,  25, 103, 35,  24, 0,  0,  0,  21, 0,
    0,  0,  37,  0,   0,  0,  0,  0,  0,  0,   41, 0,  84, 0,  0,  0,   0,   0,  0,  0,  0,  0,  0,
    0,  51, 0,   0,   0,  0,  0,  0,  0,  0,   0,  0,  0,  23, 3,  0,   33,  0,  68, 0,  0,  0,  0,
    0,  0,  65,  52,  80, 0,  0,  91, 0,  0,   0,  0,  11, 0,  0,  0,   0,   0,  0,  0,  26, 0,  0,
    0,  0,  0,   0,   0,  0,  0,  10, 97, 6,   79, 0,  85, 0,  0,  0,   62,  0,  0,  0,  94, 0,  0,
    0,  0,  0,   13,  0,  61, 64, 0,  0,  0,   0,  0,  0,  0,  0,  0,   39,  0,  0,  0,  0,  0,  0,
    0,  0,  0,   0,   0,  0,  0,  0,  0,  0,   0,  34, 0,  0,  0,  0,   0,   0,  0,  0,  0,  0,  0,
    0,  0,  0,   0,   0,  0,  0,  40, 16, 0,   0,  0,  0,  0,  0,  0,   0,   0,  0,  0,  0,  2,  0,
    0,  0,  18,  0,   0,  0,  0,  0,  0,  46,  0,  56, 0,  0,  0,  0,   0,   0,  0,  31, 0,  0,  0,
    0,  0,  0,   105, 0,  0,  0,  20, 0,  102, 0,  14, 87, 0,  0,  0,   0,   0,  15, 0,  0,  0,  0,
    0,  0,  48,  0,   0,  0,  0,  0,  0,  0,   0,  0,  0,  0,  0,  0,   0,   99, 0,  0,  36, 0,  0,
    0,  22, 0,   0,   0,  0,  0,  44, 0,  0,   0,  0,  0,  0,  0,  101, 104, 93, 0,  77, 0,  42, 47,
    43, 0,  0,   0,   0,  0,  0,  63, 0,  0,   58, 0,  0,  0,  0,  0,   0,   0,  0,  0,  0,  0,  0,
    0,  0,  0,   0,   0,  0,  0,  0,  38, 0,   0,  9,  0,  86, 0,  0,   0,   0,  89, 0,  0,  0,  0,
    0,  0,  0,   0,   49, 0,  54, 0,  92, 0,   88, 0,  0,  98, 67, 0,   0,   0,  0,  4,  0,  0,  0,
    0,  19, 0,   0,   0,  0,  74, 90, 0,  0,   0,  17, 55, 0,  0,  0,   0,   57, 29, 0,  0,  0,  0,
    0,  0,  0,   28,  0,  66, 0,  0,  0,  0,   0,  0,  0,  7,  0,  1,   0,   0,  0,  0,  0,  69, 0,
    27, 32, 0,   0,   0,  0,  59, 0,  0,  0,   0,  0,  50, 0,  0,  76,  71,  0,  0,  96, 0,  0,  0,
    0,  0,  0,   0,   0,  0,  45, 0,  0,  73,  0,  83, 0,  0,  0,  0,   0,   0,  0,  0,  0,  5,  0,
    0,  72, 0,   70,  0,  0,  0,  12, 0,  0,   0,  0,  0,  8,  95, 0,   0,   78, 0,  82, 0,  0,  0,
    0,  53, 100, 0,   0,  0,  0,  0,  0,  0,   0,  0,  0,  0,  0,  0,   0,   0,  0,  0,  0,  0,  0,
    0,  0,  0,   60,  75, 0,  0,  0,  0,  0,   0,  0,  0,  0,  0,  0,   0,   0,  0,  0,  0,  0,  30,
    0,  0,  0,   0,   0,  0,
};

/* The first eight letters and those behind them, to the sixteenth; 0 where the word has ended. */
enum word_class word_class_padded(const char *lowered, size_t len)
{
    uint64_t low = load64_first(lowered, len < 8 ? len : 8);
    uint64_t high = len > 8 ? load64_first(lowered + 8, len < WORD_BYTES ? len - 8 : 8) : 0;
    size_t i = slots[(low + high) * MULTIPLIER >> (64 - SLOT_BITS)];
    uint64_t other =
        (load64(words[i].text) ^ low) | (load64(words[i].text + 8) ^ high) | (words[i].len ^ len);
    return (enum word_class)(words[i].class * (other == 0)); /* WORD_OTHER is 0 */
}

enum word_class word_class(struct str lowered)
{
    char padded[WORD_BYTES] = {0};
    if (!lowered.len || lowered.len > WORD_BYTES)
        return WORD_OTHER;
    memcpy(padded, lowered.ptr, lowered.len);
    return word_class_padded(padded, lowered.len);
}
