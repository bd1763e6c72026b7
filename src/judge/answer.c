/* What a text answers, and whether that is right: see answer.h. */
#include "judge/answer.h"

#include <math.h>
#include <string.h>

#define NUMBER_BYTES_MAX 64

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

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

/* Takes blanks, quotes, brackets and emphasis off both ends. */
static struct str unwrap(struct str s)
{
    static const char wrapping[] = " \t\r:\"'`*_()[]{}$.!";
    while (s.len > 0 && strchr(wrapping, s.ptr[0]) != NULL && s.ptr[0] != '\0')
        s = str_slice(s, 1, s.len);
    while (s.len > 0 && strchr(wrapping, s.ptr[s.len - 1]) != NULL && s.ptr[s.len - 1] != '\0')
        s.len--;
    return s;
}

static bool last_number(struct str text, struct str *ret)
{
    size_t end = text.len;
    while (end > 0 && !is_digit(text.ptr[end - 1]))
        end--;
    size_t from = end;
    while (from > 0 &&
           (is_digit(text.ptr[from - 1]) || text.ptr[from - 1] == ',' || text.ptr[from - 1] == '.'))
        from--;
    while (from < end && !is_digit(text.ptr[from]))
        from++;
    if (from == end)
        return false;
    if (from > 0 && text.ptr[from - 1] == '-' && (from == 1 || !is_alnum(text.ptr[from - 2])))
        from--;
    *ret = str_slice(text, from, end);
    return true;
}

bool judge_answer_extract(struct str text, struct str *ret)
{
    size_t at = behind_marker(text);
    if (at != SIZE_MAX) {
        struct str rest = str_trim(str_slice(text, at, text.len));
        struct str answer = unwrap(str_slice(rest, 0, answer_end(rest)));
        if (answer.len > 0) {
            *ret = answer;
            return true;
        }
    }
    return last_number(text, ret);
}

char judge_choice_extract(struct str text)
{
    size_t at = behind_marker(text);
    if (at == SIZE_MAX)
        return '\0';
    struct str rest = unwrap(str_slice(text, at, text.len));
    if (rest.len == 0 || rest.ptr[0] < 'A' || rest.ptr[0] > 'P')
        return '\0';
    return rest.len > 1 && is_alnum(rest.ptr[1]) ? '\0' : rest.ptr[0];
}

/* A number with optional thousands commas; false when `s` is none. */
static bool read_number(struct str s, double *ret)
{
    char plain[NUMBER_BYTES_MAX];
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == ',' && i > 0 && i + 3 < s.len && is_digit(s.ptr[i - 1]))
            continue;
        if (len == sizeof(plain))
            return false;
        plain[len++] = s.ptr[i];
    }
    return str_to_double((struct str){plain, len}, ret) == OK;
}

bool judge_answers_agree(struct str a, struct str b)
{
    double x, y;
    a = str_trim(a);
    b = str_trim(b);
    if (str_equal_nocase(a, b))
        return true;
    if (!read_number(a, &x) || !read_number(b, &y))
        return false;
    return fabs(x - y) <= JUDGE_NUMBER_TOLERANCE * fmax(fabs(x), fabs(y));
}

float judge_score(const struct query *query, struct str response)
{
    struct str answer;
    if (query->answer.len == 0)
        return 0;
    if (query->choice_count > 0)
        return query->answer.len == 1 && judge_choice_extract(response) == query->answer.ptr[0];
    return judge_answer_extract(response, &answer) && judge_answers_agree(answer, query->answer);
}
