/* Draws questions: see question.h. */
#include "pose/question.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "pose/question_int.h"

int64_t draw(struct rng *rng, int64_t low, int64_t high)
{
    CHECK(low <= high);
    return low + (int64_t)rng_below(rng, (uint64_t)(high - low) + 1);
}

void question_text(struct question *q, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(q->text, sizeof(q->text), format, args);
    va_end(args);
    CHECK(len > 0 && (size_t)len < sizeof(q->text));
}

void question_phrase(struct question *q, const char *pattern, const char *first, const char *second,
                     const char *third)
{
    const char *const arguments[] = {first, second, third};
    size_t len = 0;
    for (const char *at = pattern; *at != '\0'; at++) {
        char one[2] = {*at, '\0'};
        const char *piece = one;
        if (*at == '@') {
            CHECK(at[1] >= '1' && at[1] <= '3');
            piece = arguments[*++at - '1'];
        }
        size_t piece_len = strlen(piece);
        CHECK(len + piece_len < sizeof(q->text));
        memcpy(q->text + len, piece, piece_len);
        len += piece_len;
    }
    q->text[len] = '\0';
}

void question_phrase_numbers(struct question *q, const char *pattern, int64_t first, int64_t second)
{
    char a[24], b[24];
    snprintf(a, sizeof(a), "%lld", (long long)first);
    snprintf(b, sizeof(b), "%lld", (long long)second);
    question_phrase(q, pattern, a, b, NULL);
}

void question_answer(struct question *q, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(q->answer, sizeof(q->answer), format, args);
    va_end(args);
    CHECK(len > 0 && (size_t)len < sizeof(q->answer));
}

void question_make(struct rng *rng, enum skill skill, unsigned level, struct question *ret)
{
    static void (*const makers[SKILL_COUNT])(struct rng *, unsigned, struct question *) = {
        [SKILL_ARITHMETIC] = question_arithmetic, [SKILL_CALENDAR] = question_calendar,
        [SKILL_UNITS] = question_units,           [SKILL_WORDS] = question_words,
        [SKILL_MIXED] = question_mixed,
    };
    CHECK(skill < SKILL_COUNT);
    CHECK(level >= 1 && level <= QUESTION_LEVELS);
    ret->skill = skill;
    ret->level = level;
    makers[skill](rng, level, ret);
}

void question_draw(struct rng *rng, struct question *ret)
{
    enum skill skill = (enum skill)rng_below(rng, SKILL_COUNT);
    question_make(rng, skill, 1 + (unsigned)rng_below(rng, QUESTION_LEVELS), ret);
}
