/* What a text states as its answer: see stated.h.
 *
 * Pure functions of the caller's text, any thread; nothing is allocated. What announces an answer is a row of a table,
 * so that another language is another row. The last announcement counts: a text that changes its mind says so. */
#include "judge/stated.h"

#include <string.h>

#include "judge/answer_text.h"
#include "judge/words_at.h"

#define WORDS_BYTES_MAX (4 * JUDGE_ANSWER_BYTES_MAX) /* of an answer with its wrapping */
#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))

static const char *const markers[] = {
    "answer is",  "<final_answer>", "answer =",       "answer:",    "answer**:",   "answer\":",
    "answer':",   "<answer>",       "final answer -", "####",       "antwort ist", "antwort lautet",
    "antwort:",   "lösung:",        "réponse est",    "réponse :",  "réponse:",    "respuesta es",
    "respuesta:", "risposta è",     "risposta:",      "resposta é", "resposta:",   "ответ:",
    "Ответ:",     "答案是",         "答案为",         "答案為",     "答案:",       "答案：",
    "答えは",     "答え:",          "答え：",         "正解は",     "정답은",
};

/* Where an answer that was denied is put right: "not 7. It is 12". */
static const char *const turns[] = {"it is ",   "it's ", "but ", "rather ",
                                    "sondern ", "mais ", "sino "};

/* Index behind the last of words[count] in the text; SIZE_MAX when there is none. */
static size_t behind_last(struct str text, const char *const *words, size_t count)
{
    bool begins[256] = {false}; /* nearly all of a text is passed over by this */
    for (size_t i = 0; i < count; i++)
        begins[(unsigned char)words[i][0]] = true;
    for (size_t at = text.len; at-- > 0;)
        for (size_t i = 0; begins[(unsigned char)words_lower(text.ptr[at])] && i < count; i++)
            if (words_stand_at(text, at, words[i]))
                return at + strlen(words[i]);
    return SIZE_MAX;
}

/* What follows the last marker; empty when there is none, or when it is only denied. */
static struct str announced(struct str text)
{
    size_t at = behind_last(text, markers, COUNT(markers));
    if (at == SIZE_MAX)
        return (struct str){"", 0};
    struct str rest = str_trim(str_slice(text, at, text.len));
    if (!words_stand_at(rest, 0, "not ") && !words_stand_at(rest, 0, "n't ") &&
        !words_stand_at(rest, 0, "nicht "))
        return rest;
    at = behind_last(rest, turns, COUNT(turns));
    return at == SIZE_MAX ? (struct str){"", 0} : str_trim(str_slice(rest, at, rest.len));
}

/* ", "unit":" of an object in JSON. */
static bool next_member_at(struct str text, size_t at)
{
    if (text.ptr[at] != ',')
        return false;
    at += 1 + (at + 1 < text.len && text.ptr[at + 1] == ' ');
    size_t end = at + 1;
    while (end < text.len && end < at + WORDS_BYTES_MAX && text.ptr[end] != '"')
        end++;
    return at < text.len && text.ptr[at] == '"' && words_stand_at(text, end, "\":");
}

/* The end of the answer that starts at text[0]: the closing quote of what begins with one, a line end, a tag, or a full
 * stop that ends a sentence. */
static size_t answer_end(struct str text)
{
    bool quoted = text.len > 0 && text.ptr[0] == '"';
    for (size_t i = 0; i < text.len; i++) {
        bool last = i + 1 == text.len || (unsigned char)text.ptr[i + 1] <= ' ';
        if (text.ptr[i] == '\n' || next_member_at(text, i) || (text.ptr[i] == '.' && last) ||
            words_stand_at(text, i, "。") || words_stand_at(text, i, "です") ||
            words_stand_at(text, i, "</") ||
            (quoted && i > 0 && text.ptr[i] == '"' && text.ptr[i - 1] != '\\'))
            return i;
    }
    return text.len;
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

/* What stands in the braces behind the last "\boxed"; `text` itself where there is none. */
static struct str boxed_part(struct str text)
{
    static const struct str mark = {"\\boxed{", 7};
    for (size_t at = text.len; at-- > 0;) {
        if (text.ptr[at] != '\\' || !str_starts(str_slice(text, at, text.len), mark))
            continue;
        size_t depth = 1, i = at + mark.len;
        for (; i < text.len && depth > 0; i++)
            depth += (size_t)(text.ptr[i] == '{') - (size_t)(text.ptr[i] == '}');
        return str_slice(text, at + mark.len, depth == 0 ? i - 1 : i);
    }
    return text;
}

/* Whether the last byte closes a bracket that is not opened in the text. */
static bool is_closed_only(struct str s)
{
    char close = s.ptr[s.len - 1], open = close == ')' ? '(' : close == '}' ? '{' : '[';
    size_t opened = 0, closed = 0;
    for (size_t i = 0; i < s.len; i++) {
        opened += s.ptr[i] == open;
        closed += s.ptr[i] == close;
    }
    return closed > opened;
}

/* Takes blanks, quotes, emphasis, \text{ and brackets off the front, and off the back what they leave there. */
static struct str unwrap(struct str s)
{
    static const struct str wrappings[] = {STR_INIT("\\text{"),   STR_INIT("\\textbf{"),
                                           STR_INIT("\\mathbf{"), STR_INIT("\\mathrm{"),
                                           STR_INIT("\\("),       STR_INIT("\\[")};
    static const char front[] = " \t\r:\"'`*_()[]{}$.!", back[] = " \t\r:\"'`*_$.!\\,;";
    bool again = true;
    while (again && s.len > 0) {
        again = false;
        while (s.len > 0 && is_one_of(s.ptr[0], front)) {
            bool decimal = s.ptr[0] == '.' && s.len > 1 && s.ptr[1] >= '0' && s.ptr[1] <= '9';
            if (decimal)
                break;
            s = str_slice(s, 1, s.len);
        }
        for (size_t i = 0; i < COUNT(wrappings); i++)
            if (str_starts(s, wrappings[i])) {
                s = str_slice(s, wrappings[i].len, s.len);
                again = true;
            }
    }
    while (s.len > 0 && (is_one_of(s.ptr[s.len - 1], back) ||
                         (is_one_of(s.ptr[s.len - 1], ")]}") && is_closed_only(s))))
        s.len--;
    return s;
}

/* "12 (rounded)": what is said beside the answer is cut off, but not an answer in brackets. */
static struct str without_remark(struct str s)
{
    size_t at = str_find(s, STR(" ("), 0);
    s = str_trim(s);
    return at != SIZE_MAX && at > 0 && s.ptr[s.len - 1] == ')' ? str_trim(str_slice(s, 0, at)) : s;
}

/* In a box or else up to the end of the sentence. */
bool stated_read(struct str text, struct str *ret)
{
    struct str rest = announced(text);
    struct str boxed = boxed_part(rest.len > 0 ? rest : text);
    bool is_boxed = boxed.ptr != rest.ptr && boxed.ptr != text.ptr;
    struct str words = is_boxed ? boxed : str_slice(rest, 0, answer_end(rest));
    if (words.len > WORDS_BYTES_MAX)
        return false;
    struct str answer = unwrap(without_remark(words));
    if (answer.len == 0 || answer.len > JUDGE_ANSWER_BYTES_MAX)
        return false;
    *ret = answer;
    return true;
}
