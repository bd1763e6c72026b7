/* Questions that need two skills, and short stories. */
#include <string.h>

#include "pose/question_int.h"

typedef void maker(struct rng *rng, unsigned level, struct question *ret);

static const char *const NAMES[] = {"Mia",  "Omar",  "Ines", "Jonas",
                                    "Aiko", "Priya", "Luca", "Nora"};

static void make_letters_times(struct rng *rng, unsigned level, struct question *ret)
{
    const char *word = question_word(rng, level);
    long long letters = (long long)strlen(word), by = draw(rng, 3, level == 1 ? 12 : 400);
    switch (rng_below(rng, 3)) {
    case 0:
        question_text(ret, "Multiply the number of letters in \"%s\" by %lld.", word, by);
        question_answer(ret, "%lld", letters * by);
        return;
    case 1:
        question_text(ret, "Add %lld to the number of letters in \"%s\".", by, word);
        question_answer(ret, "%lld", letters + by);
        return;
    default:
        question_text(ret, "What is %lld minus the number of letters in \"%s\"?", by + letters,
                      word);
        question_answer(ret, "%lld", by);
    }
}

static void make_vowels_plus_hours(struct rng *rng, unsigned level, struct question *ret)
{
    const char *word = question_word(rng, level);
    long long days = draw(rng, 2, level == 1 ? 5 : 90), vowels = 0;
    for (const char *at = word; *at != '\0'; at++)
        vowels += strchr("aeiou", *at) != NULL ? 1 : 0;
    question_text(ret,
                  "What is the number of vowels in \"%s\" plus the number of hours in %lld days?",
                  word, days);
    question_answer(ret, "%lld", vowels + 24 * days);
}

static void make_boxes(struct rng *rng, unsigned level, struct question *ret)
{
    static const int64_t high[] = {9, 40, 900};
    const char *name = NAMES[rng_below(rng, sizeof(NAMES) / sizeof(NAMES[0]))];
    long long boxes = draw(rng, 3, high[level - 1]), each = draw(rng, 4, high[level - 1] + 20);
    long long other = draw(rng, 2, boxes * each - 1);
    if (rng_below(rng, 2) == 0) {
        question_text(
            ret,
            "%s buys %lld boxes with %lld pencils in each and gives %lld pencils away. How many "
            "pencils are left?",
            name, boxes, each, other);
        question_answer(ret, "%lld", boxes * each - other);
        return;
    }
    question_text(
        ret,
        "%s has %lld bags with %lld marbles in each and finds %lld more. How many marbles are "
        "there in all?",
        name, boxes, each, other);
    question_answer(ret, "%lld", boxes * each + other);
}

static void make_shop(struct rng *rng, unsigned level, struct question *ret)
{
    static const int64_t high[] = {9, 60, 700};
    long long a = draw(rng, 2, high[level - 1]), b = draw(rng, 2, high[level - 1]);
    long long m = draw(rng, 2, high[level - 1]), n = draw(rng, 2, high[level - 1]);
    question_text(
        ret,
        "A notebook costs %lld dollars and a pen costs %lld dollars. How much do %lld notebooks "
        "and %lld pens cost together?",
        a, b, m, n);
    question_answer(ret, "%lld", a * m + b * n);
}

void question_mixed(struct rng *rng, unsigned level, struct question *ret)
{
    static maker *const makers[] = {make_letters_times, make_vowels_plus_hours, make_boxes,
                                    make_shop};
    makers[rng_below(rng, 4)](rng, level, ret);
}
