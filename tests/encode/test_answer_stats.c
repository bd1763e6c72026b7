/* Statistics of answers, against counts done another way. */
#include "encode/answer_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

static float stat_of(const char *text, enum answer_stat s)
{
    float stats[ANSWER_STATS];
    answer_stats(str_from(text), stats);
    return stats[s];
}

static void expect_count(const char *text, enum answer_stat s, unsigned want)
{
    cr_expect_float_eq((double)stat_of(text, s), log(1 + (double)want), 1e-6,
                       "%s: statistic %d is %g", text, s, (double)expm1f(stat_of(text, s)));
}

Test(answer_stats, of_nothing_all_is_zero)
{
    static const char *const texts[] = {"", " ", "\n \t\r\n "};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        for (int s = 0; s < ANSWER_STATS; s++)
            cr_expect_eq((double)stat_of(texts[i], s), 0, "statistic %d of text %zu", s, i);
}

Test(answer_stats, counts)
{
    const char *text = "  So x = 12 == y\n\nThe $\\pi$ is né.\n  a b c \n";
    expect_count(text, ANSWER_LOG_CHARACTERS, 14 + 2 + 16 + 1 + 7); /* trimmed; é is one */
    expect_count(text, ANSWER_LOG_LINES, 3);                        /* line ends between lines */
    cr_expect_float_eq((double)stat_of(text, ANSWER_DIGIT_SHARE), 2.0 / 40, 1e-6);
    expect_count(text, ANSWER_LOG_EQUALS, 3);
    expect_count(text, ANSWER_LOG_FORMULAS, 3);
    expect_count(text, ANSWER_LOG_LAST_LINE, 3); /* blanks left out */
}

Test(answer_stats, cues_count_at_the_beginning_of_words_in_any_case)
{
    expect_count("However, but I WAIT. Actually a mistake", ANSWER_LOG_TURNS, 5);
    expect_count("rebut nowait butter inactually", ANSWER_LOG_TURNS, 0);
    expect_count("waiting mistaken", ANSWER_LOG_TURNS, 2);
    expect_count("(closest) Most  likely most likely approximately assume", ANSWER_LOG_CLOSEST, 4);
    expect_count("none of them, Not listed, not among, cannot unable-unclear", ANSWER_LOG_NONE, 6);
    expect_count("nonetheless knot listed", ANSWER_LOG_NONE, 0);
    expect_count("Therefore thus hence clearly, hence", ANSWER_LOG_CERTAIN, 5);
    expect_count("henceforth enthusiasm", ANSWER_LOG_CERTAIN, 1);
    expect_count("the answer cannot", ANSWER_LOG_NONE, 1); /* ends with the text */
    expect_count("the answer canno", ANSWER_LOG_NONE, 0);
}

/* Nothing behind the slice is looked at: the sanitizer stands there. */
Test(answer_stats, reads_no_further_than_the_slice)
{
    char *text = malloc(9);
    float stats[ANSWER_STATS];
    memcpy(text, "therefore", 9);
    answer_stats((struct str){text, 8}, stats);
    cr_expect_eq((double)stats[ANSWER_LOG_CERTAIN], 0);
    answer_stats((struct str){text, 9}, stats);
    cr_expect_float_eq((double)stats[ANSWER_LOG_CERTAIN], log(2), 1e-6);
    free(text);
}

/* Of a long text the end counts, whatever stands before: also the proof that the time does not grow with it. */
Test(answer_stats, of_a_long_text_the_end_counts)
{
    size_t len = ANSWER_STATS_BYTES_MAX + 1000;
    char *text = malloc(len);
    float stats[ANSWER_STATS], end[ANSWER_STATS];
    for (size_t i = 0; i < len; i++)
        text[i] = i < 1000 ? '=' : "thus 1\n"[(i - 1000) % 7];
    text[len - 1] = 'x';
    answer_stats((struct str){text, len}, stats);
    answer_stats((struct str){text + 1000, len - 1000}, end);
    cr_expect_eq((double)stats[ANSWER_LOG_EQUALS], 0);
    for (int s = 0; s < ANSWER_STATS; s++) {
        cr_expect(isfinite(stats[s]));
        cr_expect_eq((double)stats[s], (double)end[s], "statistic %d", s);
    }
    cr_expect_float_eq((double)stats[ANSWER_LOG_CHARACTERS], log(1.0 + ANSWER_STATS_BYTES_MAX),
                       1e-5);
    free(text);
}

Test(answer_stats, any_bytes_will_do)
{
    char bytes[512];
    float stats[ANSWER_STATS];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 37 + i / 256);
    answer_stats((struct str){bytes, sizeof(bytes)}, stats);
    for (int s = 0; s < ANSWER_STATS; s++)
        cr_expect(isfinite(stats[s]) && stats[s] >= 0);
    cr_expect_leq((double)stats[ANSWER_DIGIT_SHARE], 1);
}
