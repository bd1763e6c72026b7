/* Sums, differences, products, remainders and expressions of whole numbers. */
#include "pose/question_int.h"

typedef void maker(struct rng *rng, unsigned level, struct question *ret);

/* A number of the level: two digits, four or five, nine or ten. */
static int64_t operand(struct rng *rng, unsigned level)
{
    static const int64_t low[] = {11, 1000, 100000000}, high[] = {99, 99999, 9999999999};
    return draw(rng, low[level - 1], high[level - 1]);
}

/* For products, so that the answer has up to four, eight or thirteen digits. */
static int64_t factor(struct rng *rng, unsigned level)
{
    static const int64_t low[] = {6, 101, 100003}, high[] = {99, 9999, 3000000};
    return draw(rng, low[level - 1], high[level - 1]);
}

static void make_sum(struct rng *rng, unsigned level, struct question *ret)
{
    static const char *const texts[] = {
        "What is @1 + @2?",
        "Add @1 to @2.",
        "What is the sum of @1 and @2?",
        "Please compute @1 plus @2.",
    };
    long long a = operand(rng, level), b = operand(rng, level);
    question_phrase_numbers(ret, texts[rng_below(rng, 4)], a, b);
    question_answer(ret, "%lld", a + b);
}

static void make_difference(struct rng *rng, unsigned level, struct question *ret)
{
    static const char *const texts[] = {
        "What is @1 - @2?",
        "Calculate @1 minus @2.",
        "What is the difference between @1 and @2?",
    };
    long long a = operand(rng, level), b = operand(rng, level);
    if (a < b) {
        long long swap = a;
        a = b;
        b = swap;
    }
    question_phrase_numbers(ret, texts[rng_below(rng, 3)], a, b);
    question_answer(ret, "%lld", a - b);
}

static void make_product(struct rng *rng, unsigned level, struct question *ret)
{
    static const char *const texts[] = {
        "What is @1 * @2?",
        "Multiply @1 by @2.",
        "What is the product of @1 and @2?",
        "How much is @1 times @2?",
    };
    long long a = factor(rng, level), b = factor(rng, level);
    question_phrase_numbers(ret, texts[rng_below(rng, 4)], a, b);
    question_answer(ret, "%lld", a * b);
}

static void make_remainder(struct rng *rng, unsigned level, struct question *ret)
{
    static const char *const texts[] = {
        "What is @1 mod @2?",
        "What is the remainder when @1 is divided by @2?",
    };
    long long a = operand(rng, level), b = draw(rng, 3, level == 1 ? 9 : 97);
    question_phrase_numbers(ret, texts[rng_below(rng, 2)], a, b);
    question_answer(ret, "%lld", a % b);
}

static void make_expression(struct rng *rng, unsigned level, struct question *ret)
{
    static const char *const verbs[] = {"What is", "Evaluate", "Work out"};
    long long a = factor(rng, level), b = factor(rng, level), c = draw(rng, 2, 99);
    const char *verb = verbs[rng_below(rng, 3)];
    if (rng_below(rng, 2) == 0) {
        question_text(ret, "%s %lld + %lld * %lld.", verb, a, b, c);
        question_answer(ret, "%lld", a + b * c);
    } else {
        question_text(ret, "%s (%lld - %lld) * %lld.", verb, a, b, c);
        question_answer(ret, "%lld", (a - b) * c);
    }
}

void question_arithmetic(struct rng *rng, unsigned level, struct question *ret)
{
    static maker *const makers[] = {make_sum, make_difference, make_product, make_remainder,
                                    make_expression};
    makers[rng_below(rng, 5)](rng, level, ret);
}
