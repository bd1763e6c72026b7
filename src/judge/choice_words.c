/* The words of a choice in a text: compared without case, blanks, quotes, brackets and LaTeX dollars. */
#include <string.h>

#include "judge/choice_int.h"
#include "judge/words_at.h"

#define WORDS_BYTES_MAX 400 /* of a choice, and of a sentence, that are compared */
#define WORDS_FIND_MIN  4   /* significant bytes of a choice that is looked for inside a sentence */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (words_lower(c) >= 'a' && words_lower(c) <= 'z') ||
           (unsigned char)c >= 0x80;
}

/* Whether text[at] carries no meaning; a full stop inside a number does. */
static bool is_silent(struct str text, size_t at)
{
    char c = text.ptr[at];
    if (c == '.' || c == ',')
        return c == ',' || at + 1 >= text.len || !is_digit(text.ptr[at + 1]);
    return (unsigned char)c <= ' ' || strchr("\"'`*_$\\(){}[]:;!?", c);
}

static size_t skip_silent(struct str text, size_t at)
{
    while (at < text.len && is_silent(text, at))
        at++;
    return at;
}

/* Index behind `words` when they stand at text[at], else 0; *ret_weight is how many bytes were compared. */
static size_t words_end(struct str text, size_t at, struct str words, size_t *ret_weight)
{
    size_t w = skip_silent(words, 0), weight = 0;
    at = skip_silent(text, at);
    while (w < words.len) {
        if (at >= text.len || words_lower(text.ptr[at]) != words_lower(words.ptr[w]))
            return 0;
        at++;
        w++;
        weight++;
        w = skip_silent(words, w);
        if (w < words.len)
            at = skip_silent(text, at);
    }
    bool goes_on =
        at < text.len && (is_alnum(text.ptr[at]) || text.ptr[at] == '%' || text.ptr[at] == '^' ||
                          (text.ptr[at] == '.' && !is_silent(text, at)));
    if (weight == 0 || goes_on)
        return 0;
    *ret_weight = weight;
    return at;
}

char choice_words_read(const struct query *query, struct str text, size_t at)
{
    size_t best = 0, weight;
    char letter = '\0';
    if (!query->choices)
        return '\0';
    text = str_slice(text, 0, at + WORDS_BYTES_MAX);
    for (uint32_t c = 0; c < query->choice_count; c++) {
        if (query->choices[c].len > WORDS_BYTES_MAX ||
            !words_end(text, at, query->choices[c], &weight))
            continue;
        if (weight >= best)
            letter = weight == best ? '\0' : (char)('A' + c);
        best = weight > best ? weight : best;
    }
    return letter;
}

struct span {
    size_t from, end;
    char letter;
};

/* The last place of the words in the sentence, at the start of a word. */
static bool words_locate(struct str sentence, struct str words, struct span *ret)
{
    size_t weight;
    for (size_t at = sentence.len; at-- > 0;) {
        if (is_silent(sentence, at) || (at > 0 && is_alnum(sentence.ptr[at - 1])))
            continue;
        size_t end = words_end(sentence, at, words, &weight);
        if (end != 0 && weight >= WORDS_FIND_MIN) {
            ret->from = at;
            ret->end = end;
            return true;
        }
    }
    return false;
}

char choice_words_find(const struct query *query, struct str sentence)
{
    struct span best = {0, 0, '\0'}, here;
    bool clash = false;
    if (!query->choices)
        return '\0';
    if (sentence.len > WORDS_BYTES_MAX)
        sentence = str_slice(sentence, sentence.len - WORDS_BYTES_MAX, sentence.len);
    for (uint32_t c = 0; c < query->choice_count; c++) {
        if (query->choices[c].len > WORDS_BYTES_MAX ||
            !words_locate(sentence, query->choices[c], &here))
            continue;
        here.letter = (char)('A' + c);
        if (best.letter == '\0' || (here.from <= best.from && here.end >= best.end))
            best = here;
        else if (here.from < best.from || here.end > best.end)
            clash = true;
    }
    return clash ? '\0' : best.letter;
}
