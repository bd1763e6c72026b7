/* Statistics of how a text is written: glue words, sentences, numbers, letters. They say what kind of text it is
 * where its words are new. Everything lies on the stack; only stats.c calls it, with the counts of bytes that it has
 * made anyway. What is measured, and in which order, is part of NGRAM_FINGERPRINT: a model looks at statistics by
 * their place. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/check.h"
#include "encode/char_class.h"
#include "encode/stats_int.h"
#include "encode/words.h"

#define NUMBER_MAX 1e15

const char *const style_names[STATS_STYLE] = {
    "function words",
    "'the'",
    "'a'",
    "'is'",
    "'of'",
    "'to'",
    "denials",
    "comparisons",
    "words of mathematics",
    "first person",
    "plural-like",
    "spread of word lengths",
    "sentences",
    "words in the first sentence",
    "words in the last sentence",
    "end of the stem",
    "largest number of the stem",
    "digits in the stem",
    "variety of characters",
    "repeated grams",
};

struct style {
    uint32_t classes[WORD_CLASSES], words, ends_in_s, sentences, first, last;
    double squares, letters;
};

/* Whether a sentence ends with this token: a blank follows within the stem. */
static bool ends_sentence(struct str stem, const struct text_token *token)
{
    if (token->class != CHAR_PUNCTUATION || !memchr(".?!", stem.ptr[token->start], 3))
        return false;
    size_t next = token->start + 1;
    return next < stem.len && char_class((unsigned char)stem.ptr[next]) == CHAR_BLANK;
}

/* Few branches: whether a word or something else comes next cannot be predicted. What is no word is of WORD_OTHER,
 * which nobody asks for, and ends in no letter. */
static void read_words(struct str stem, const struct text_layout *l, const struct ngram_text *f,
                       struct style *s)
{
    uint32_t in_sentence = 0, words = 0, ends_in_s = 0;
    uint64_t letters = 0, squares = 0;
    for (uint32_t i = 0; i < l->stem_tokens; i++) {
        const struct text_token *token = &f->tokens[i];
        uint32_t len = token->len, word = token->class == CHAR_LETTER, count = word * len;
        const char *start = stem.ptr + token->start;
        s->classes[word_class_padded(start, len)]++;
        words += word;
        in_sentence += word;
        ends_in_s += start[len - 1] == 's';
        letters += count;
        squares += (uint64_t)count * count;
        if (in_sentence && (ends_sentence(stem, token) || i + 1 == l->stem_tokens)) {
            s->first = s->sentences++ ? s->first : in_sentence;
            s->last = in_sentence;
            in_sentence = 0;
        }
    }
    s->words = words;
    s->ends_in_s = ends_in_s;
    s->letters = (double)letters;
    s->squares = (double)squares;
}

static float *word_stats(const struct style *s, float *out)
{
    float words = (float)(s->words ? s->words : 1);
    const uint32_t *c = s->classes;
    uint32_t glue = c[WORD_THE] + c[WORD_A] + c[WORD_IS] + c[WORD_OF] + c[WORD_TO] + c[WORD_GLUE];
    *out++ = (float)glue / words;
    static const enum word_class shares[] = {WORD_THE, WORD_A, WORD_IS, WORD_OF, WORD_TO};
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
        *out++ = (float)c[shares[i]] / words;
    *out++ = (float)c[WORD_NEGATION];
    *out++ = (float)c[WORD_COMPARISON];
    *out++ = (float)c[WORD_MATHS] / words;
    *out++ = (float)c[WORD_SELF];
    *out++ = (float)s->ends_in_s / words;
    double mean = s->letters / (double)words, variance = s->squares / (double)words - mean * mean;
    *out++ = (float)sqrt(variance > 0 ? variance : 0);
    *out++ = (float)s->sentences;
    *out++ = (float)s->first;
    *out++ = (float)s->last;
    return out;
}

/* How a stem ends: as a question, with a colon, a full stop, a blank to fill, or in the middle of a sentence that the
 * options complete. */
static float stem_end(struct str stem)
{
    static const char ends[] = "?:._";
    stem = str_trim(stem);
    const char *at = stem.len ? strchr(ends, stem.ptr[stem.len - 1]) : NULL;
    return at && *at ? (float)(at - ends + 1) : 0;
}

struct number {
    double value;
    uint32_t digits;
    size_t end;
};

static struct number read_number(struct str stem, size_t at)
{
    struct number n = {0, 0, at};
    for (double unit = 0; n.end < stem.len; n.end++) {
        char c = stem.ptr[n.end];
        if (c == '.' && unit == 0) {
            unit = 1;
            continue;
        }
        if (char_class((unsigned char)c) != CHAR_DIGIT)
            break;
        n.value = unit > 0 ? n.value + (c - '0') * (unit /= 10) : n.value * 10 + (c - '0');
        n.digits++;
    }
    return n;
}

static float *number_stats(struct str stem, const struct text_layout *l, const struct ngram_text *f,
                           float *out)
{
    double largest = -1;
    uint32_t digits = 0;
    size_t end = 0;
    for (uint32_t i = 0; i < l->stem_tokens; i++) {
        if (f->tokens[i].class != CHAR_DIGIT || f->tokens[i].start < end)
            continue;
        struct number n = read_number(stem, f->tokens[i].start);
        largest = n.value > largest ? n.value : largest;
        digits += n.digits;
        end = n.end;
    }
    *out++ = largest >= 0 ? log1pf((float)fmin(largest, NUMBER_MAX)) : -1;
    *out++ = (float)digits / (float)(stem.len + 1);
    return out;
}

/* Entropy of the bytes, from how often each occurs. */
static float variety(const uint32_t counts[256], size_t total)
{
    float sum = 0;
    for (int c = 0; c < 256; c++)
        if (counts[c] > 1)
            sum += (float)counts[c] * logf((float)counts[c]);
    return total ? logf((float)total) - sum / (float)total : 0;
}

float *style_stats(struct str text, struct str lowered, const struct text_layout *l,
                   const uint32_t counts[256], const struct ngram_text *f, float *out)
{
    struct style s = {.words = 0};
    struct str stem = str_slice(text, 0, l->stem);
    read_words(str_slice(lowered, 0, l->stem), l, f, &s);
    float *end = word_stats(&s, out);
    *end++ = stem_end(stem);
    end = number_stats(stem, l, f, end);
    *end++ = variety(counts, text.len);
    *end++ = f->token_count ? (float)f->count / (2 * (float)f->token_count) : 0;
    DEBUG_CHECK(end == out + STATS_STYLE);
    return end;
}
