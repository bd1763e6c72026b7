/* Conversions whose answers are exact. */
#include <stdio.h>

#include "pose/question_int.h"

typedef void maker(struct rng *rng, unsigned level, struct question *ret);

struct conversion {
    const char *from, *to;
    int64_t factor; /* one `from` is factor / 10000 `to` */
    unsigned level; /* least level at which it is asked */
};

static const struct conversion CONVERSIONS[] = {
    {"kilometers", "meters", 10000000, 1},
    {"meters", "centimeters", 1000000, 1},
    {"hours", "minutes", 600000, 1},
    {"kilograms", "grams", 10000000, 1},
    {"liters", "milliliters", 10000000, 1},
    {"weeks", "days", 70000, 1},
    {"days", "hours", 240000, 1},
    {"feet", "inches", 120000, 2},
    {"yards", "feet", 30000, 2},
    {"miles", "feet", 52800000, 2},
    {"inches", "centimeters", 25400, 2},
    {"days", "minutes", 14400000, 2},
    {"weeks", "hours", 1680000, 2},
    {"tonnes", "kilograms", 10000000, 2},
    {"feet", "centimeters", 304800, 3},
    {"miles", "meters", 16093440, 3},
    {"weeks", "seconds", 6048000000, 3},
    {"yards", "inches", 360000, 3},
};
#define CONVERSION_COUNT (sizeof(CONVERSIONS) / sizeof(CONVERSIONS[0]))

/* value / 10000 without trailing zeros. */
static void answer_decimal(struct question *q, int64_t value)
{
    int digits = 4;
    long long whole = value / 10000, part = value % 10000;
    if (part == 0) {
        question_answer(q, "%lld", whole);
        return;
    }
    for (; part % 10 == 0; part /= 10)
        digits--;
    question_answer(q, "%lld.%0*lld", whole, digits, part);
}

static void make_conversion(struct rng *rng, unsigned level, struct question *ret)
{
    static const char *const texts[] = {"Convert @1 @2 to @3.", "How much is @1 @2 in @3?",
                                        "How many @3 are @1 @2?", "What is @1 @2 expressed in @3?"};
    static const int64_t amount_max[] = {30, 200, 5000};
    const struct conversion *c;
    do
        c = &CONVERSIONS[rng_below(rng, CONVERSION_COUNT)];
    while (c->level > level);
    long long amount = draw(rng, 2, amount_max[level - 1]);
    char number[24];
    snprintf(number, sizeof(number), "%lld", amount);
    question_phrase(ret, texts[rng_below(rng, 4)], number, c->from, c->to);
    answer_decimal(ret, amount * c->factor);
}

static void make_duration(struct rng *rng, unsigned level, struct question *ret)
{
    static const char *const texts[] = {"How many minutes are in @1 days and @2 hours?",
                                        "How many minutes do @1 days and @2 hours have?"};
    long long days = draw(rng, 2, level == 1 ? 9 : 60), hours = draw(rng, 2, 23);
    question_phrase_numbers(ret, texts[rng_below(rng, 2)], days, hours);
    question_answer(ret, "%lld", (days * 24 + hours) * 60);
}

static void make_temperature(struct rng *rng, unsigned level, struct question *ret)
{
    long long celsius = level == 1 ? 5 * draw(rng, 0, 40) : draw(rng, 0, level == 2 ? 100 : 1000);
    if (rng_below(rng, 2) == 0)
        question_text(ret, "Convert %lld degrees Celsius to Fahrenheit.", celsius);
    else
        question_text(ret, "What is %lld degrees Celsius in Fahrenheit?", celsius);
    answer_decimal(ret, celsius * 18000 + 320000);
}

void question_units(struct rng *rng, unsigned level, struct question *ret)
{
    static maker *const makers[] = {make_conversion, make_conversion, make_duration,
                                    make_temperature};
    makers[rng_below(rng, 4)](rng, level, ret);
}
