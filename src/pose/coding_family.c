/* Parameters and inputs of each family of programming tasks: see coding_int.h. `edges` are the inputs that ordinary
 * ones would seldom bring, and that the bugs of rehearse/program_*.c stumble over: nothing to read, all below zero, an
 * equal key, exactly as many as were asked for.
 *
 * Everything is drawn from the caller's generator. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "pose/coding_int.h"

static const char *const WORDS[] = {"apple", "birch", "cedar", "dune",  "ember", "fern",
                                    "grove", "heath", "iris",  "maple", "olive", "pine"};
static const char *const NAMES[] = {"ann", "bob", "cleo", "dan"};
#define WORD_COUNT (sizeof(WORDS) / sizeof(WORDS[0]))
#define NAME_COUNT (sizeof(NAMES) / sizeof(NAMES[0]))

static int64_t between(struct rng *rng, int64_t low, int64_t high)
{
    return low + (int64_t)rng_below(rng, (uint64_t)(high - low + 1));
}

/* Parameters */

static void set_number(struct program_ask *ask, size_t arg, int64_t value)
{
    snprintf(ask->args[arg], PROGRAM_ARG_BYTES, "%d", (int)value);
}

static void one_to_three(struct rng *rng, struct program_ask *ask)
{
    set_number(ask, 0, between(rng, 1, 3));
}

static void two_to_four(struct rng *rng, struct program_ask *ask)
{
    set_number(ask, 0, between(rng, 2, 4));
}

static void two_to_nine(struct rng *rng, struct program_ask *ask)
{
    set_number(ask, 0, between(rng, 2, 9));
}

static void up_to_twenty(struct rng *rng, struct program_ask *ask)
{
    set_number(ask, 0, between(rng, 1, 20));
}

static void five_to_thirty(struct rng *rng, struct program_ask *ask)
{
    set_number(ask, 0, between(rng, 5, 30));
}

static void two_columns(struct rng *rng, struct program_ask *ask)
{
    const int64_t first = between(rng, 1, 3);
    set_number(ask, 0, first);
    set_number(ask, 1, (first + between(rng, 0, 1)) % 3 + 1);
}

static void a_word(struct rng *rng, struct program_ask *ask)
{
    snprintf(ask->args[0], PROGRAM_ARG_BYTES, "%s", WORDS[rng_below(rng, WORD_COUNT)]);
}

static void some_brackets(struct rng *rng, struct program_ask *ask)
{
    static const char *const kinds[] = {"()", "()[]", "()[]{}"};
    snprintf(ask->args[0], PROGRAM_ARG_BYTES, "%s", kinds[rng_below(rng, 3)]);
}

static void a_separator(struct rng *rng, struct program_ask *ask)
{
    static const char *const names[] = {",", ";", ":", "|", "-"};
    snprintf(ask->args[0], PROGRAM_ARG_BYTES, "%s", names[rng_below(rng, 5)]);
}

/* Inputs */

static void table(struct rng *rng, size_t rows, size_t columns, int64_t low, int64_t high,
                  struct buf *out)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            buf_addf(out, "%lld%c", (long long)between(rng, low, high),
                     c + 1 < columns ? ' ' : '\n');
}

static void numbers(struct rng *rng, const struct program_ask *ask, struct buf *out)
{
    (void)ask;
    table(rng, (size_t)between(rng, 3, 6), 3, -9, 120, out);
}

static void few_numbers(struct rng *rng, const struct program_ask *ask, struct buf *out)
{
    (void)ask;
    table(rng, (size_t)between(rng, 4, 8), 3, 1, 12, out);
}

static void one_number(struct rng *rng, const struct program_ask *ask, struct buf *out)
{
    (void)ask;
    table(rng, (size_t)between(rng, 5, 8), 1, 10, 400, out);
}

/* Whose greatest common divisor is seldom 1. */
static void multiples(struct rng *rng, const struct program_ask *ask, struct buf *out)
{
    (void)ask;
    for (int64_t rows = between(rng, 2, 4); rows > 0; rows--) {
        const int64_t factor = between(rng, 2, 12);
        for (size_t c = 0; c < 4; c++)
            buf_addf(out, "%lld%c", (long long)(factor * between(rng, 1, 9)), c < 3 ? ' ' : '\n');
    }
}

/* A line of the list's first `choice` words. */
static void word_line(struct rng *rng, size_t choice, struct buf *out)
{
    const size_t count = 2 + rng_below(rng, 3);
    for (size_t i = 0; i < count; i++)
        buf_addf(out, "%s%c", WORDS[rng_below(rng, choice)], i + 1 < count ? ' ' : '\n');
}

/* Half of the lines have the word that is asked for. */
static void lines_with_it(struct rng *rng, const struct program_ask *ask, struct buf *out)
{
    for (int64_t rows = between(rng, 3, 6); rows > 0; rows--) {
        if (rng_below(rng, 2) == 0)
            buf_addf(out, "%s ", ask->args[0]);
        word_line(rng, WORD_COUNT, out);
    }
}

static void lines_of_words(struct rng *rng, const struct program_ask *ask, struct buf *out)
{
    (void)ask;
    for (int64_t rows = between(rng, 5, 8); rows > 0; rows--)
        word_line(rng, WORD_COUNT, out);
}

static void repeated_words(struct rng *rng, const struct program_ask *ask, struct buf *out)
{
    (void)ask;
    for (int64_t rows = between(rng, 2, 5); rows > 0; rows--)
        word_line(rng, 5, out);
}

static void names_and_numbers(struct rng *rng, const struct program_ask *ask, struct buf *out)
{
    (void)ask;
    for (int64_t rows = between(rng, 4, 8); rows > 0; rows--)
        buf_addf(out, "%s %lld\n", NAMES[rng_below(rng, NAME_COUNT)],
                 (long long)between(rng, 1, 20));
}

static void letters(struct rng *rng, const struct program_ask *ask, struct buf *out)
{
    (void)ask;
    for (int64_t rows = between(rng, 1, 3); rows > 0; rows--) {
        for (int64_t runs = between(rng, 2, 6), letter = 0; runs > 0; runs--) {
            letter = (letter + between(rng, 1, 4)) % 5; /* never the one before */
            for (int64_t len = between(rng, 1, 5); len > 0; len--)
                buf_add_char(out, (char)('a' + letter));
        }
        buf_add_char(out, '\n');
    }
}

static void sentences(struct rng *rng, const struct program_ask *ask, struct buf *out)
{
    (void)ask;
    for (int64_t rows = between(rng, 1, 3); rows > 0; rows--) {
        buf_addf(out, "No. %lld: ", (long long)between(rng, 1, 99));
        word_line(rng, WORD_COUNT, out);
    }
}

/* Balanced, but that one sign of a third of the lines is another. */
static void brackets(struct rng *rng, const struct program_ask *ask, struct buf *out)
{
    const size_t kinds = strlen(ask->args[0]) / 2;
    for (int64_t rows = between(rng, 2, 5); rows > 0; rows--) {
        char line[32], open[16];
        size_t len = 0, depth = 0;
        for (int64_t steps = between(rng, 1, 8); steps > 0 || depth > 0; steps--) {
            if (steps > 0 && (depth == 0 || rng_below(rng, 2) == 0)) {
                const char *kind = ask->args[0] + 2 * rng_below(rng, kinds);
                line[len++] = kind[0];
                open[depth++] = kind[1];
            } else {
                line[len++] = open[--depth];
            }
        }
        if (rng_below(rng, 3) == 0)
            line[rng_below(rng, len)] = ask->args[0][rng_below(rng, 2 * kinds)];
        buf_add(out, (struct str){line, len});
        buf_add_char(out, '\n');
    }
}

static const struct coding_family FAMILIES[] = {
    {"sum", one_to_three, numbers, {"", NULL}, coding_sum},
    {"lines_with",
     a_word,
     lines_with_it,
     {"@1s and @1wood\n@1 @1 @1\n", "nothing of the kind\n"},
     coding_lines_with},
    {"columns", two_columns, numbers, {"1 2 3\n", NULL}, coding_columns},
    {"largest",
     one_to_three,
     numbers,
     {"-5 -7 -9\n-3 -8 -6\n", "9 9 9\n10 10 10\n"},
     coding_largest},
    {"tail", two_to_four, lines_of_words, {"alone\n", NULL}, coding_tail},
    {"unique",
     one_to_three,
     few_numbers,
     {"1 1 1\n2 2 2\n1 1 1\n", "4 4 5\n4 5 4\n5 4 4\n"},
     coding_unique},
    {"runs", two_to_four, letters, {"aabbbccccd\n", "x\n"}, coding_runs},
    {"latest", two_to_four, one_number, {"1\n2\n4\n8\n16\n32\n", NULL}, coding_latest},
    {"totals",
     five_to_thirty,
     names_and_numbers,
     {"ann @1\nbob 99\n", "ann 40\nbob 1\nann 2\n"},
     coding_totals},
    {"divisor",
     two_to_four,
     multiples,
     {"12 5 12 12\n12 12 5 12\n12 12 12 5\n", "3 3 3 3\n"},
     coding_divisor},
    {"shift", up_to_twenty, sentences, {"xyz Zoo 7\n", NULL}, coding_shift},
    {"brackets", some_brackets, brackets, {")(\n((\n()\n", "\n()\n"}, coding_brackets},
    {"frequency",
     one_to_three,
     repeated_words,
     {"pear fig pear fig\nfig pear kiwi kiwi kiwi\n", "lime\nplum plum\nnut nut nut\n"},
     coding_frequency},
    {"sort", one_to_three, few_numbers, {"9 9 9\n10 10 10\n", "1 1 1 b\n1 1 1 a\n"}, coding_sort},
    {"transpose", a_separator, few_numbers, {"7\n", "1 2\n3 4\n"}, coding_transpose},
    {"base", two_to_nine, one_number, {"0\n1\n", NULL}, coding_base},
};

const struct coding_family *coding_family_named(const char *name)
{
    size_t i = 0;
    while (strcmp(FAMILIES[i].name, name) != 0) {
        i++;
        CHECK(i < sizeof(FAMILIES) / sizeof(FAMILIES[0]));
    }
    return &FAMILIES[i];
}
