/* What the last sentences of a text say, where no "answer is" does: "... which is closest to option (I).", or a line
 * "B. scapulimancy" of its own.
 *
 * Pure functions, any thread. Only the last TAIL_BYTES of a text are read, so the time is bounded however long an
 * expert talks. It is asked last, by choice.c, because its evidence is the weakest. */
#include <string.h>

#include "judge/choice_int.h"

#define TAIL_BYTES     600 /* of the text's end */
#define TAIL_SENTENCES 3
#define WRAPPING_BYTES 4 /* around the words of a choice: "). " and the like */

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_alnum(char c)
{
    return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

/* A full stop that ends a sentence, not one behind a letter of a choice ("B. scapulimancy"). */
static bool is_stop(struct str text, size_t at)
{
    if (text.ptr[at] == '\n')
        return true;
    if (!is_one_of(text.ptr[at], ".!?") || at + 1 >= text.len ||
        (unsigned char)text.ptr[at + 1] > ' ')
        return false;
    return !(at >= 2 && is_upper(text.ptr[at - 1]) && !is_alnum(text.ptr[at - 2])) &&
           !(at == 1 && is_upper(text.ptr[0]));
}

/* The last sentence of the text, whose end is cut off; a line behind one that ends with ":" belongs to it. */
static struct str sentence_take(struct str *text)
{
    *text = str_trim(*text);
    size_t from = text->len;
    while (from > 0) {
        bool stop = from < text->len && is_stop(*text, from - 1);
        if (stop && text->ptr[from - 1] == '\n') {
            struct str before = str_trim(str_slice(*text, 0, from));
            stop = before.len == 0 || !is_one_of(before.ptr[before.len - 1], ":[(");
        }
        if (stop)
            break;
        from--;
    }
    struct str sentence = str_trim(str_slice(*text, from, text->len));
    *text = str_slice(*text, 0, from);
    return sentence;
}

static bool has_word(struct str s, struct str word)
{
    for (size_t i = 0; i + word.len <= s.len; i++)
        if (str_equal_nocase(str_slice(s, i, i + word.len), word) &&
            (i == 0 || !is_alnum(s.ptr[i - 1])))
            return true;
    return false;
}

static bool is_denial(struct str sentence)
{
    static const struct str words[] = {
        {"not", 3},    {"none", 4},  {"cannot", 6},      {"neither", 7}, {"incorrect", 9},
        {"unable", 6}, {"error", 5}, {"impossible", 10}, {"no ", 3},     {"doesn", 5},
        {"isn", 3},    {"can't", 5}, {"however", 7},     {"mistake", 7}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (has_word(sentence, words[i]))
            return true;
    return false;
}

/* "None matches exactly, so the closest is (C)." */
static bool is_second_best(struct str sentence)
{
    return has_word(sentence, STR("closest")) || has_word(sentence, STR("best"));
}

/* Whether the bytes before text[at] end with one of the words that point at a choice. */
static bool is_pointed_at(struct str s, size_t at)
{
    static const struct str words[] = {{"is", 2}, {"are", 3},    {"be", 2},     {"was", 3},
                                       {"to", 2}, {"choose", 6}, {"select", 6}, {"with", 4},
                                       {"in", 2}, {"of", 2},     {"it's", 4}};
    while (at > 0 && is_one_of(s.ptr[at - 1], " \n*_"))
        at--;
    if (at > 0 && s.ptr[at - 1] == ':')
        return true;
    size_t end = at;
    while (at > 0 && (is_alnum(s.ptr[at - 1]) || s.ptr[at - 1] == '\''))
        at--;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_equal_nocase(str_slice(s, at, end), words[i]))
            return true;
    return false;
}

static bool is_named_before(struct str s, size_t at)
{
    static const struct str words[] = {{"option", 6}, {"choice", 6}, {"answer", 6}, {"options", 7}};
    while (at > 0 && is_one_of(s.ptr[at - 1], " *_"))
        at--;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (at >= words[i].len && str_equal_nocase(str_slice(s, at - words[i].len, at), words[i]))
            return true;
    return false;
}

/* Whether s[at], a lone capital, stands there as the letter of a choice. */
static bool is_mention(const struct query *query, struct str s, size_t at)
{
    char before = at > 0 ? s.ptr[at - 1] : '\n', after = at + 1 < s.len ? s.ptr[at + 1] : '\n';
    if ((before == '(' && after == ')') || (before == '{' && after == '}') ||
        (before == '[' && after == ']') || (before == '*' && is_one_of(after, "*.:)")))
        return true;
    if (is_one_of(after, ".:)") && choice_words_read(query, s, at + 2) == s.ptr[at])
        return true;
    if (is_named_before(s, at > 0 && before == '(' ? at - 1 : at))
        return true;
    if (!is_one_of(after, ".:)!\n"))
        return false;
    return at == 0 || is_pointed_at(s, before == '(' ? at - 1 : at);
}

/* The choices that a sentence mentions: CHOICE_SEVERAL for more than one. */
static struct choice_found mentions(const struct query *query, struct str s)
{
    struct choice_found found = {CHOICE_NONE, '\0', 0};
    for (size_t i = 0; i < s.len; i++) {
        if (!is_upper(s.ptr[i]) || (uint32_t)(s.ptr[i] - 'A') >= query->choice_count)
            continue;
        if ((i > 0 && (is_alnum(s.ptr[i - 1]) || is_one_of(s.ptr[i - 1], ".'-"))) ||
            (i + 1 < s.len && is_alnum(s.ptr[i + 1])))
            continue;
        if (!is_mention(query, s, i) || s.ptr[i] == found.letter)
            continue;
        found.kind = found.kind == CHOICE_NONE ? CHOICE_LETTER : CHOICE_SEVERAL;
        found.letter = s.ptr[i];
        found.end = i + 1;
    }
    return found;
}

bool choice_text_is_complete(struct str text)
{
    static const struct str stops[] = {{"。", 3}, {"！", 3}, {"」", 3}, {"）", 3}};
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
        if (text.len >= 3 && str_equal(str_slice(text, text.len - 3, text.len), stops[i]))
            return true;
    return text.len > 0 && is_one_of(text.ptr[text.len - 1], ".!?)]}*$\"'>");
}

/* A line "E. ..." under a line "D. ..." belongs to a list that the text goes through, and is no conclusion. */
static bool is_list(struct str rest, struct str sentence)
{
    if (sentence.len < 2 || !is_upper(sentence.ptr[0]) || !is_one_of(sentence.ptr[1], ".):"))
        return false;
    rest = str_trim(rest);
    size_t from = rest.len;
    while (from > 0 && rest.ptr[from - 1] != '\n')
        from--;
    return rest.len - from >= 2 && is_upper(rest.ptr[from]) && is_one_of(rest.ptr[from + 1], ".):");
}

/* Whether nothing but the words of the choice can follow its letter. */
static bool ends_with(const struct query *query, struct str sentence, struct choice_found found)
{
    size_t words = query->choices ? query->choices[found.letter - 'A'].len : 0;
    return sentence.len - found.end <= words + WRAPPING_BYTES;
}

/* A text that is one letter in any wrapping. */
static char lone_letter(const struct query *query, struct str text)
{
    static const char wrapping[] = " \t\r\n\"'`*_()[]{}$.:";
    while (text.len > 0 && is_one_of(text.ptr[0], wrapping))
        text = str_slice(text, 1, text.len);
    while (text.len > 0 && is_one_of(text.ptr[text.len - 1], wrapping))
        text.len--;
    bool letter = text.len == 1 && is_upper(text.ptr[0]) &&
                  (uint32_t)(text.ptr[0] - 'A') < query->choice_count;
    return letter ? text.ptr[0] : '\0';
}

char choice_tail_read(const struct query *query, struct str text)
{
    text = str_trim(text);
    char lone = lone_letter(query, text);
    if (lone)
        return lone;
    bool complete = choice_text_is_complete(text);
    if (text.len > TAIL_BYTES)
        text = str_slice(text, text.len - TAIL_BYTES, text.len);
    struct str last = {NULL, 0};
    for (int i = 0; i < TAIL_SENTENCES && text.len > 0; i++) {
        struct str sentence = sentence_take(&text);
        struct choice_found found = mentions(query, sentence);
        if (i == 0)
            last = sentence;
        if ((is_denial(sentence) && !is_second_best(sentence)) || found.kind == CHOICE_SEVERAL ||
            is_list(text, sentence))
            return '\0';
        if (found.kind == CHOICE_LETTER)
            return complete || i > 0 || ends_with(query, sentence, found) ? found.letter : '\0';
    }
    return choice_words_find(query, last);
}
