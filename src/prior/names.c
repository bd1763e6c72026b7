/* Names of models made comparable: see names.h. */
#include "prior/names.h"

#include <string.h>

#define LENGTH_MAX 200

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether s[at..] is `n` digits and then no further one. */
static bool digits_at(struct str s, size_t at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at + i >= s.len || !is_digit(s.ptr[at + i]))
            return false;
    return at + n == s.len || !is_digit(s.ptr[at + n]);
}

static struct str cut_front(struct str s)
{
    static const struct str words[] = {STR_INIT("open-"), STR_INIT("meta-"), STR_INIT("models-")};
    for (size_t i = s.len; i > 0; i--)
        if (s.ptr[i - 1] == '/') {
            s = str_slice(s, i, s.len);
            break;
        }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_starts(s, words[i]) && s.len > words[i].len)
            s = str_slice(s, words[i].len, s.len);
    return s;
}

static struct str cut_ends(struct str s, const struct str *words, size_t count)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < count; i++)
            if (str_ends(s, words[i]) && s.len > words[i].len) {
                s = str_slice(s, 0, s.len - words[i].len);
                again = true;
            }
    }
    return s;
}

/* What a name has behind the model: a tag, a way of calling it. */
static struct str cut_back(struct str s)
{
    static const struct str words[] = {STR_INIT("-fc-any"), STR_INIT("-fc-auto"), STR_INIT("-fc"),
                                       STR_INIT("-hf"), STR_INIT("-gguf")};
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == ':' || s.ptr[i] == '@') {
            s = str_slice(s, 0, i);
            break;
        }
    return cut_ends(s, words, sizeof(words) / sizeof(words[0]));
}

/* The same model under another name in the data sets. */
static struct str other_name(struct str s)
{
    static const struct {
        struct str is, means;
    } rows[] = {
        {STR_INIT("gemini-pro-1.5-002"), STR_INIT("gemini-1.5-pro-002")},
        {STR_INIT("gemini-flash-1.5-002"), STR_INIT("gemini-1.5-flash-002")},
        {STR_INIT("mixtral-8x22b-instruct"), STR_INIT("mixtral-8x22b")},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (str_equal(s, rows[i].is))
            return rows[i].means;
    return s;
}

struct str name_canonical(struct arena *a, struct str name)
{
    char text[LENGTH_MAX];
    size_t n = 0;
    for (size_t i = 0; i < name.len && n < sizeof(text); i++) {
        char c = name.ptr[i];
        text[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c == '_' || c == ' ' ? '-' : c);
    }
    struct str s = cut_back(cut_front((struct str){text, n}));
    char *own = text + (s.ptr - text);
    for (size_t i = 1; i + 1 < s.len; i++) /* "claude-3-5-sonnet" is "claude-3.5-sonnet" */
        if (own[i] == '-' && is_digit(own[i - 1]) && (i < 2 || !is_digit(own[i - 2])) &&
            digits_at(s, i + 1, 1) && (i + 2 == s.len || own[i + 2] == '-'))
            own[i] = '.';
    return arena_copy(a, other_name(s));
}

/* Without dates and versions: -20240513, -2024-05-13, -0613, -002, -latest, -preview, -exp. */
static struct str cut_date(struct str s)
{
    static const struct str words[] = {STR_INIT("-latest"), STR_INIT("-preview"), STR_INIT("-exp")};
    for (bool again = true; again;) {
        struct str before = s;
        s = cut_ends(s, words, sizeof(words) / sizeof(words[0]));
        for (size_t n = 8; n >= 3; n--)
            if (s.len > n + 1 && s.ptr[s.len - n - 1] == '-' && digits_at(s, s.len - n, n))
                s = str_slice(s, 0, s.len - n - 1);
        if (s.len > 11 && s.ptr[s.len - 11] == '-' && digits_at(s, s.len - 10, 4) &&
            s.ptr[s.len - 6] == '-' && digits_at(s, s.len - 5, 2) && s.ptr[s.len - 3] == '-' &&
            digits_at(s, s.len - 2, 2))
            s = str_slice(s, 0, s.len - 11);
        again = s.len != before.len;
    }
    return s;
}

int name_agreement(struct str a, struct str b)
{
    static const struct str words[] = {STR_INIT("-instruct"), STR_INIT("-chat"), STR_INIT("-it"),
                                       STR_INIT("-med"), STR_INIT("-medium")};
    if (str_equal(a, b))
        return 3;
    a = cut_date(a);
    b = cut_date(b);
    if (str_equal(a, b))
        return 2;
    a = cut_date(cut_ends(a, words, sizeof(words) / sizeof(words[0])));
    b = cut_date(cut_ends(b, words, sizeof(words) / sizeof(words[0])));
    return str_equal(a, b) ? 1 : 0;
}
