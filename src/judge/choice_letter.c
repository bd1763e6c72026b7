/* A letter in its wrapping: "**(C)**", "\boxed{\text{C}}", "option C", "C. because ...".
 *
 * Pure functions of the caller's text, any thread. They look no further than CHOICE_REACH_BYTES behind where they are
 * asked, so that a caller may ask at every marker of a long text. What is a letter and what a word ("A", "I") is
 * decided here; choice_phrase.c has its own, stricter rule for phrases of other languages. */
#include <string.h>

#include "judge/choice_int.h"
#include "judge/words_at.h"

#define WORD_BYTES_MAX 12 /* of a word that may stand before or behind a letter */
#define SEVERAL_BYTES  40 /* behind a letter, in which another one may be offered */

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alnum(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

/* Words that may stand between "answer is" and the letter. */
static const struct str fillers[] = {
    {"option", 6},    {"options", 7},   {"choice", 6},  {"letter", 6},   {"answer", 6}, {"the", 3},
    {"correct", 7},   {"closest", 7},   {"to", 2},      {"most", 4},     {"likely", 6}, {"best", 4},
    {"therefore", 9}, {"indeed", 6},    {"clearly", 7}, {"probably", 8}, {"either", 6}, {"is", 2},
    {"be", 2},        {"given", 5},     {"by", 2},      {"in", 2},       {"boxed", 5},  {"text", 4},
    {"textbf", 6},    {"mathrm", 6},    {"mathbf", 6},  {"textit", 6},   {"rm", 2},     {"bf", 2},
    {"bold", 4},      {"underline", 9}, {"fbox", 4},    {"quad", 4},
};

/* Bytes of the filler word at text[at]; 0 when there is none. */
static size_t filler_bytes(struct str text, size_t at)
{
    size_t end = at;
    while (end < text.len && end - at < WORD_BYTES_MAX && is_alnum(text.ptr[end]))
        end++;
    for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++)
        if (str_equal_nocase(str_slice(text, at, end), fillers[i]))
            return end - at;
    return 0;
}

/* Skips wrapping and fillers from text[at] on; *ret_wrapped says whether an opening bracket or emphasis was last. */
static size_t skip_wrapping(struct str text, size_t at, size_t limit, bool *ret_wrapped)
{
    bool wrapped = false;
    while (at < limit) {
        char c = text.ptr[at];
        if (is_one_of(c, " \t\r\n:")) {
            at++;
        } else if (is_one_of(c, "([{}*_$\\\"'`<~=.")) {
            wrapped = true;
            at++;
        } else {
            size_t filler = filler_bytes(text, at);
            if (filler == 0)
                break;
            wrapped = wrapped || is_one_of(text.ptr[at], "oOcClLbt");
            at += filler;
        }
    }
    *ret_wrapped = wrapped;
    return at;
}

static bool is_choice(struct str text, size_t at, uint32_t count)
{
    return at < text.len && text.ptr[at] >= 'A' && (uint32_t)(text.ptr[at] - 'A') < count &&
           (at + 1 == text.len ||
            (!is_alnum(text.ptr[at + 1]) && (unsigned char)text.ptr[at + 1] < 0x80));
}

/* "(c)." or "c" as the last words of the text. Elsewhere a small letter is a word, a variable, or a part of the
 * question. */
static bool is_small_choice(struct str text, size_t at, uint32_t count)
{
    if (at >= text.len || !is_lower(text.ptr[at]) || (uint32_t)(text.ptr[at] - 'a') >= count)
        return false;
    bool bracket = at + 1 < text.len && text.ptr[at + 1] == ')';
    if (!bracket && (text.ptr[at] == 'a' || text.ptr[at] == 'i'))
        return false;
    for (size_t i = at + 1; i < text.len; i++)
        if (!is_one_of(text.ptr[i], " .*_)}$\\\r\n"))
            return false;
    return true;
}

/* "A" and "I" are words, too: without wrapping, and followed by a word that continues the sentence, they name no
 * choice. */
static bool is_word(struct str text, size_t at, bool wrapped)
{
    static const struct str after[] = {
        {"because", 7}, {"since", 5}, {"as", 2}, {"and", 3}, {"or", 2},    {"for", 3}, {"with", 4},
        {"which", 5},   {"in", 2},    {"is", 2}, {"but", 3}, {"given", 5}, {"if", 2}};
    char c = text.ptr[at];
    if (at + 1 < text.len && is_one_of(text.ptr[at + 1], "'") && !wrapped)
        return true;
    if (wrapped || (c != 'A' && c != 'I') || at + 2 >= text.len || text.ptr[at + 1] != ' ' ||
        !is_alnum(text.ptr[at + 2]))
        return false;
    size_t end = at + 2;
    while (end < text.len && end - at < WORD_BYTES_MAX && is_alnum(text.ptr[end]))
        end++;
    for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
        if (str_equal(str_slice(text, at + 2, end), after[i]))
            return false;
    return true;
}

/* Whether another letter is offered instead of the one at text[at]: "A) or (B)". A text that lists several at once,
 * "(A) and (B)", names its first choice first, and that one counts, as it does where MMLU-Pro was recorded. */
static bool is_several(struct str text, size_t at, uint32_t count)
{
    size_t limit = at + SEVERAL_BYTES < text.len ? at + SEVERAL_BYTES : text.len, i = at + 1;
    while (i < limit && is_one_of(text.ptr[i], " ()[]{}*_$\\\"'`,"))
        i++;
    if (!words_stand_at(text, i, "or "))
        return false;
    i += 3;
    i += filler_bytes(text, i);
    while (i < limit && is_one_of(text.ptr[i], " ([*"))
        i++;
    bool wrapped = is_one_of(text.ptr[i - 1], "([*");
    return is_choice(text, i, count) && text.ptr[i] != text.ptr[at] && !is_word(text, i, wrapped);
}

static bool is_refusal(struct str text, size_t at)
{
    static const struct str words[] = {{"none", 4},    {"not", 3},          {"unable", 6},
                                       {"cannot", 6},  {"unknown", 7},      {"indeterminate", 13},
                                       {"neither", 7}, {"missing", 7},      {"n/a", 3},
                                       {"no ", 3},     {"insufficient", 12}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_equal_nocase(str_slice(text, at, at + words[i].len), words[i]))
            return true;
    return false;
}

struct choice_found choice_letter_read(struct str text, size_t at, uint32_t count)
{
    size_t limit = at + CHOICE_REACH_BYTES < text.len ? at + CHOICE_REACH_BYTES : text.len;
    bool wrapped;
    at = skip_wrapping(text, at, limit, &wrapped);
    struct choice_found none = {CHOICE_NONE, '\0', at};
    if (is_refusal(text, at))
        none.kind = CHOICE_REFUSED;
    if (is_small_choice(text, at, count))
        return (struct choice_found){CHOICE_LETTER, (char)(text.ptr[at] - 'a' + 'A'), at + 1};
    if (!is_choice(text, at, count) || is_word(text, at, wrapped))
        return none;
    return (struct choice_found){is_several(text, at, count) ? CHOICE_SEVERAL : CHOICE_LETTER,
                                 text.ptr[at], at + 1};
}
