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
#include "judge/stated.h"
#include "judge/thought.h"

bool judge_answer_extract(struct str text, struct str *ret)
{
    text = judge_behind_thought(text);
    return stated_read(text, ret) || judge_number_last(text, ret);
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
    if (stated_read(response, &answer)) {
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
    if (rule == JUDGE_AUTO)
        return judge_answer_extract(response, ret);
    response = judge_behind_thought(response);
    return rule == JUDGE_NUMBER ? read_number(response, ret) : stated_read(response, ret);
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
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
