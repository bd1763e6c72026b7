/* What a text answers, and whether that is right: see answer_text.h.
 *
 * Pure functions of the caller's texts, any thread; nothing is allocated and every text is read in linear time. The
 * gateway judges answers of running plans with them on its event loop, so nothing here may block or grow with more than
 * the length of the text. */
#include "judge/answer_text.h"

#include <math.h>
#include <string.h>

#include "judge/choice.h"
#include "judge/number.h"

/* Index behind the last "answer is" or "answer:" (any case); SIZE_MAX when absent. */
static size_t behind_marker(struct str text)
{
    static const struct str markers[] = {{"answer is", 9}, {"answer:", 7}};
    for (size_t at = text.len; at-- > 0;)
        for (size_t m = 0; m < 2; m++)
            if (at + markers[m].len <= text.len &&
                str_equal_nocase(str_slice(text, at, at + markers[m].len), markers[m]))
                return at + markers[m].len;
    return SIZE_MAX;
}

/* The end of the answer that starts at text[0]: a line end, or a full stop that ends a sentence. */
static size_t answer_end(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool last = i + 1 == text.len || (unsigned char)text.ptr[i + 1] <= ' ';
        if (text.ptr[i] == '\n' || (text.ptr[i] == '.' && last))
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

/* Takes blanks, quotes, brackets, emphasis and \text{...} off both ends, but no brace of a \frac{}{}. */
static struct str unwrap(struct str s)
{
    static const char front[] = " \t\r:\"'`*_()[]{}$.!", back[] = " \t\r:\"'`*_()[]{}$.!\\";
    bool number = str_find(s, STR("frac{"), 0) != SIZE_MAX;
    bool again = true;
    while (again && s.len > 0) {
        again = false;
        while (s.len > 0 && is_one_of(s.ptr[0], front)) {
            bool decimal = s.ptr[0] == '.' && s.len > 1 && s.ptr[1] >= '0' && s.ptr[1] <= '9';
            if (decimal)
                break;
            s = str_slice(s, 1, s.len);
        }
        if (str_starts(s, STR("\\text{")) || str_starts(s, STR("\\(")) ||
            str_starts(s, STR("\\["))) {
            s = str_slice(s, s.ptr[1] == 't' ? 6 : 2, s.len);
            again = true;
        }
    }
    while (s.len > 0 && is_one_of(s.ptr[s.len - 1], back) && !(number && s.ptr[s.len - 1] == '}'))
        s.len--;
    return s;
}

/* Behind the last marker, or in a box; false when neither is there. */
static bool stated(struct str text, struct str *ret)
{
    size_t at = behind_marker(text);
    struct str rest =
        at == SIZE_MAX ? (struct str){"", 0} : str_trim(str_slice(text, at, text.len));
    struct str boxed = boxed_part(rest.len > 0 ? rest : text);
    bool is_boxed = boxed.ptr != rest.ptr && boxed.ptr != text.ptr;
    struct str answer = unwrap(is_boxed ? boxed : str_slice(rest, 0, answer_end(rest)));
    if (answer.len == 0 || answer.len > JUDGE_ANSWER_BYTES_MAX)
        return false;
    *ret = answer;
    return true;
}

bool judge_answer_extract(struct str text, struct str *ret)
{
    return stated(text, ret) || judge_number_last(text, ret);
}

/* When the choices stand inside the text of the query, their number is unknown, so any letter will do. */
static bool read_letter(const struct query *query, struct str response, struct str *ret)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const struct query any = {.choice_count = QUERY_CHOICES_MAX};
    char letter = judge_choice(query->choice_count > 0 ? query : &any, response);
    if (letter == '\0')
        return false;
    *ret = (struct str){&letters[letter - 'A'], 1};
    return true;
}

static bool read_number(struct str response, struct str *ret)
{
    struct judge_number n;
    struct str answer;
    if (stated(response, &answer)) {
        if (judge_number_read(answer, &n)) {
            *ret = answer;
            return true;
        }
        if (judge_number_last(answer, ret))
            return true;
    }
    return judge_number_last(response, ret);
}

bool judge_answer_read(const struct query *query, enum judge_rule rule, struct str response,
                       struct str *ret)
{
    if (rule == JUDGE_CHOICE || (rule == JUDGE_AUTO && query->choice_count > 0))
        return read_letter(query, response, ret);
    if (rule == JUDGE_NUMBER)
        return read_number(response, ret);
    return rule == JUDGE_TEXT ? stated(response, ret) : judge_answer_extract(response, ret);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The next byte of the text as compared: runs of blanks and punctuation are one blank, letters lower-case. '\0' at
 * the end. A full stop or comma between digits, and a sign, are kept. */
static char folded_next(struct str s, size_t *at)
{
    bool gap = false;
    for (; *at < s.len; ++*at) {
        char c = s.ptr[*at];
        bool inside =
            *at > 0 && *at + 1 < s.len && is_digit(s.ptr[*at - 1]) && is_digit(s.ptr[*at + 1]);
        if ((unsigned char)c > ' ' && (inside || !is_one_of(c, ".,;:!?\"'`*_$()[]{}")))
            break;
        gap = true;
    }
    if (*at == s.len)
        return '\0';
    if (gap)
        return ' ';
    char c = s.ptr[(*at)++];
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool texts_agree(struct str a, struct str b)
{
    size_t i = 0, j = 0;
    char x = folded_next(a, &i), y = folded_next(b, &j);
    if (x == ' ')
        x = folded_next(a, &i);
    if (y == ' ')
        y = folded_next(b, &j);
    if (x == '\0' || y == '\0')
        return str_equal(a, b); /* nothing but punctuation */
    while (x == y && x != '\0') {
        x = folded_next(a, &i);
        y = folded_next(b, &j);
    }
    return x == y;
}

bool judge_answers_agree(struct str a, struct str b)
{
    struct judge_number x, y;
    if (!judge_number_read(a, &x) || !judge_number_read(b, &y))
        return texts_agree(a, b);
    return fabs(x.value - y.value) <= JUDGE_NUMBER_TOLERANCE * fmax(fabs(x.value), fabs(y.value)) &&
           (x.unit.len == 0 || y.unit.len == 0 || texts_agree(x.unit, y.unit));
}

float judge_score(const struct query *query, struct str response)
{
    struct str answer;
    return query->answer.len > 0 && judge_answer_read(query, JUDGE_AUTO, response, &answer) &&
           judge_answers_agree(answer, query->answer);
}
