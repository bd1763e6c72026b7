/* What characters of a script are to an expert: planted slopes are found, few or no data teach nothing, and what is
 * found is the minimum of the function that docs/orchestrator.md states. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "train/train_int.h"

#define ROWS    400
#define EXPERTS 2

struct world {
    struct outcome outcomes[ROWS * EXPERTS];
    struct dataset_expert experts[EXPERTS];
    struct dataset dataset;
    struct script_counts of[ROWS];
    float characters[ROWS], lengths[ROWS], tokens[EXPERTS * TOKEN_PARAMETERS];
    float scripts[EXPERTS * SCRIPTS];
    size_t chosen[EXPERTS];
    struct train_table table;
};

/* What an expert's tokenizer makes of a query. */
struct law {
    double base, latin, han, cyrillic, noise;
};

static const struct law first = {12, 0.25, 1.3, 0.3, 0}, second = {3, 0.22, 0.7, 0.55, 0};

static void set_tokens(struct world *w, size_t row, size_t e, const struct law *law, double noise)
{
    const struct script_counts *n = &w->of[row];
    double latin = (double)w->characters[row] - 4 * (double)n->of[SCRIPT_HAN] -
                   2 * (double)n->of[SCRIPT_CYRILLIC];
    double tokens = law->base + law->latin * latin + law->han * (double)n->of[SCRIPT_HAN] +
                    law->cyrillic * (double)n->of[SCRIPT_CYRILLIC] + law->noise * noise;
    w->outcomes[row * EXPERTS + e] = (struct outcome){
        .tokens_known = true, .input_tokens = (int32_t)lround(tokens), .output_tokens = 10};
}

static void plant(struct world *w, const struct law *a, const struct law *b)
{
    struct rng r;
    rng_seed(&r, 2);
    for (size_t i = 0; i < ROWS; i++) {
        double noise = rng_uniform(&r) - 0.5;
        set_tokens(w, i, 0, a, noise);
        set_tokens(w, i, 1, b, noise);
    }
}

/* Of every ten queries `han` are Chinese and `cyrillic` Russian, with some Latin between; the others are Latin. */
static struct world *make(size_t han, size_t cyrillic, size_t latin_max)
{
    struct world *w = calloc(1, sizeof(*w));
    struct rng r;
    cr_assert_not_null(w);
    rng_seed(&r, 1);
    for (size_t i = 0; i < ROWS; i++) {
        size_t kind = i % 10, latin = rng_below(&r, latin_max + 1), other = 20 + rng_below(&r, 400);
        if (kind < han)
            w->of[i].of[SCRIPT_HAN] = other;
        else if (kind < han + cyrillic)
            w->of[i].of[SCRIPT_CYRILLIC] = other;
        else
            latin += other;
        w->characters[i] =
            (float)(latin + 4 * w->of[i].of[SCRIPT_HAN] + 2 * w->of[i].of[SCRIPT_CYRILLIC]);
    }
    w->chosen[1] = 1;
    w->dataset = (struct dataset){.query_count = ROWS,
                                  .experts = w->experts,
                                  .expert_count = EXPERTS,
                                  .outcomes = w->outcomes};
    w->table = (struct train_table){.dataset = &w->dataset,
                                    .rows = ROWS,
                                    .experts = EXPERTS,
                                    .expert = w->chosen,
                                    .characters = w->characters,
                                    .scripts = w->of};
    plant(w, &first, &second);
    return w;
}

static bool fit(struct world *w)
{
    train_fit_tokens(&w->table, w->lengths, w->tokens);
    return train_fit_scripts(&w->table, w->tokens, w->scripts);
}

static double learnt(const struct world *w, size_t e, enum script s)
{
    return (double)w->scripts[e * SCRIPTS + s];
}

static double parameter(const struct world *w, size_t e, enum token_parameter k)
{
    return (double)w->tokens[e * TOKEN_PARAMETERS + k];
}

Test(train_scripts, planted_slopes_are_found)
{
    struct world *w = make(3, 3, 60);
    cr_assert(fit(w));
    cr_expect_float_eq(learnt(w, 0, SCRIPT_HAN), 1.3, 0.02);
    cr_expect_float_eq(learnt(w, 0, SCRIPT_CYRILLIC), 0.3, 0.02);
    cr_expect_float_eq(learnt(w, 1, SCRIPT_HAN), 0.7, 0.02);
    cr_expect_float_eq(learnt(w, 1, SCRIPT_CYRILLIC), 0.55, 0.02);
    cr_expect_float_eq(parameter(w, 0, TOKENS_IN_PER_CHARACTER), 0.25, 0.02);
    cr_expect_float_eq(parameter(w, 0, TOKENS_IN_BASE), 12, 4);
    for (size_t s = 0; s < SCRIPTS; s++)
        cr_expect(s == SCRIPT_HAN || s == SCRIPT_CYRILLIC || learnt(w, 0, (enum script)s) == 0);
    free(w);
}

Test(train_scripts, latin_data_teach_nothing_and_change_nothing)
{
    struct world *w = make(0, 0, 500);
    float before[EXPERTS * TOKEN_PARAMETERS];
    train_fit_tokens(&w->table, w->lengths, before);
    cr_assert_not(fit(w));
    cr_assert_eq(memcmp(before, w->tokens, sizeof(before)), 0);
    for (size_t s = 0; s < EXPERTS * SCRIPTS; s++)
        cr_assert_eq(w->scripts[s], 0);
    free(w);
}

/* 29 queries, 30 queries; words in between; tokens not recorded. Only the first expert's change. */
Test(train_scripts, enough_queries_must_tell)
{
    struct world *w = make(1, 0, 0);
    for (size_t i = 0, left = 30; i < ROWS; i += 10)
        w->outcomes[i * EXPERTS].tokens_known = left > 0 && left--;
    w->outcomes[0].tokens_known = false;
    cr_assert(fit(w));
    cr_assert(learnt(w, 0, SCRIPT_HAN) == 0 && learnt(w, 1, SCRIPT_HAN) > 0);
    w->outcomes[0].tokens_known = true;
    cr_assert(fit(w));
    cr_assert_float_eq(learnt(w, 0, SCRIPT_HAN), 1.3, 0.06);
    for (size_t i = 0; i < ROWS; i++) { /* a word or two of Chinese */
        w->of[i].of[SCRIPT_HAN] = i % 2;
        w->characters[i] = 500;
    }
    cr_assert_not(fit(w));
    free(w);
}

/* Nobody knows what Latin is where there is next to none. */
Test(train_scripts, others_keep_the_slope_where_too_few_tell)
{
    struct world *w = make(10, 0, 3);
    train_fit_tokens(&w->table, w->lengths, w->tokens);
    double before = parameter(w, 0, TOKENS_IN_PER_CHARACTER);
    cr_assert_float_eq(before, 1.3 / 4, 0.01);
    cr_assert(fit(w));
    cr_assert_float_eq(parameter(w, 0, TOKENS_IN_PER_CHARACTER), before, 1e-6);
    cr_assert_float_eq(learnt(w, 0, SCRIPT_HAN), 1.3, 0.02);
    free(w);
}

Test(train_scripts, slopes_stay_within_what_tokenizers_do)
{
    const struct law less = {800, 0.25, -1, 20, 0}, none = {5, 0, 0, 0, 0};
    struct world *w = make(3, 3, 60);
    plant(w, &less, &none);
    cr_assert(fit(w));
    cr_expect_eq((float)learnt(w, 0, SCRIPT_HAN), SCRIPT_TOKENS_MIN);
    cr_expect_eq((float)learnt(w, 0, SCRIPT_CYRILLIC), SCRIPT_TOKENS_MAX);
    cr_expect_eq((float)learnt(w, 1, SCRIPT_HAN), SCRIPT_TOKENS_MIN);
    for (size_t e = 0; e < EXPERTS; e++)
        cr_expect(isfinite(parameter(w, e, TOKENS_IN_BASE)) &&
                  parameter(w, e, TOKENS_IN_PER_CHARACTER) > 0);
    free(w);
}

/* The squares left over, and three queries' worth of the prior, of slopes k: base, others, Han, Cyrillic. */
static double loss(const struct world *w, double slope, const double *k)
{
    double sum = 0, squares[4] = {0}, told[4] = {0};
    for (size_t i = 0; i < ROWS; i++) {
        double han = (double)w->of[i].of[SCRIPT_HAN],
               cyrillic = (double)w->of[i].of[SCRIPT_CYRILLIC];
        double all = (double)w->characters[i];
        double x[] = {1, all - 4 * han - 2 * cyrillic, han, cyrillic};
        double counted[] = {0, x[1], 4 * han, 2 * cyrillic};
        double left = w->outcomes[i * EXPERTS].input_tokens;
        for (int j = 0; j < 4; j++) {
            left -= k[j] * x[j];
            if (j > 0 && counted[j] > 0 && counted[j] >= all / 4) {
                squares[j] += x[j] * x[j];
                told[j]++;
            }
        }
        sum += left * left;
    }
    const double prior[] = {0, slope, 4 * slope, 2 * slope};
    for (int j = 1; j < 4; j++)
        sum += 3 * squares[j] / told[j] * (k[j] - prior[j]) * (k[j] - prior[j]);
    return sum;
}

Test(train_scripts, it_is_the_minimum_of_what_is_stated)
{
    const struct law noisy = {12, 0.25, 1.3, 0.3, 60};
    struct world *w = make(3, 2, 200);
    plant(w, &noisy, &second);
    train_fit_tokens(&w->table, w->lengths, w->tokens);
    double slope = parameter(w, 0, TOKENS_IN_PER_CHARACTER);
    cr_assert(train_fit_scripts(&w->table, w->tokens, w->scripts));
    double k[] = {parameter(w, 0, TOKENS_IN_BASE), parameter(w, 0, TOKENS_IN_PER_CHARACTER),
                  learnt(w, 0, SCRIPT_HAN), learnt(w, 0, SCRIPT_CYRILLIC)};
    double least = loss(w, slope, k);
    for (int j = 0; j < 4; j++)
        for (int sign = -1; sign < 2; sign += 2) {
            double keep = k[j];
            k[j] += sign * (j ? 1e-3 : 0.1);
            cr_expect_gt(loss(w, slope, k), least, "parameter %d", j);
            k[j] = keep;
        }
    free(w);
}
