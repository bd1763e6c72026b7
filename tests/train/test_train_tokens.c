/* Token counts: a planted law is found, gaps fall back on prices and on four characters a token. */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "train/train_int.h"

#define ROWS    1000
#define EXPERTS 2

struct world {
    struct outcome outcomes[ROWS * EXPERTS];
    struct dataset_expert experts[EXPERTS];
    struct dataset dataset;
    float characters[ROWS], lengths[ROWS], tokens[EXPERTS * TOKEN_PARAMETERS];
    size_t chosen[EXPERTS];
    struct train_table table;
};

/* Expert 0 writes exp(3 + 0.5 length + 0.2 log characters) tokens with noise; expert 1 nothing is known of. */
static struct world *make(void)
{
    struct world *w = calloc(1, sizeof(*w));
    struct rng r;
    cr_assert_not_null(w);
    rng_seed(&r, 1);
    for (size_t i = 0; i < ROWS; i++) {
        w->characters[i] = (float)(20 + rng_below(&r, 2000));
        w->lengths[i] = (float)(rng_uniform(&r) * 4 - 2);
        double noise = exp(rng_uniform(&r) - 0.5);
        double out = exp(3 + 0.5 * (double)w->lengths[i] + 0.2 * log1p((double)w->characters[i]));
        w->outcomes[i * EXPERTS] =
            (struct outcome){.tokens_known = true,
                             .input_tokens = (int32_t)(30 + 0.25 * (double)w->characters[i]),
                             .output_tokens = (int32_t)(out * noise)};
    }
    w->chosen[1] = 1;
    w->experts[1].price =
        (struct price){.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 4000000000};
    w->dataset = (struct dataset){.query_count = ROWS,
                                  .experts = w->experts,
                                  .expert_count = EXPERTS,
                                  .outcomes = w->outcomes};
    w->table = (struct train_table){.dataset = &w->dataset,
                                    .rows = ROWS,
                                    .experts = EXPERTS,
                                    .expert = w->chosen,
                                    .characters = w->characters};
    return w;
}

static void predict(const struct world *w, size_t e, size_t row, float *in, float *out)
{
    struct predictor p = {.experts = EXPERTS, .tokens = w->tokens};
    const struct script_counts none = {0};
    predictor_tokens(&p, e, w->characters[row], &none, w->lengths[row], in, out);
}

Test(train_tokens, a_planted_law_is_found)
{
    struct world *w = make();
    train_fit_tokens(&w->table, w->lengths, w->tokens);
    cr_assert_float_eq((double)w->tokens[TOKENS_IN_BASE], 30, 1);
    cr_assert_float_eq((double)w->tokens[TOKENS_IN_PER_CHARACTER], 0.25, 1e-3);
    cr_assert_float_eq((double)w->tokens[TOKENS_OUT_LENGTH], 0.5, 0.02);
    cr_assert_float_eq((double)w->tokens[TOKENS_OUT_LOG_CHARACTERS], 0.2, 0.03);
    free(w);
}

/* What the smearing factor is for: costs must come out right on average, not in logarithms. */
Test(train_tokens, the_mean_comes_out_right)
{
    struct world *w = make();
    double actual = 0, predicted = 0, actual_in = 0, predicted_in = 0;
    train_fit_tokens(&w->table, w->lengths, w->tokens);
    for (size_t i = 0; i < ROWS; i++) {
        float in, out;
        predict(w, 0, i, &in, &out);
        actual += w->outcomes[i * EXPERTS].output_tokens;
        actual_in += w->outcomes[i * EXPERTS].input_tokens;
        predicted += (double)out;
        predicted_in += (double)in;
    }
    cr_assert_float_eq(predicted / actual, 1, 1e-3);
    cr_assert_float_eq(predicted_in / actual_in, 1, 1e-3);
    free(w);
}

Test(train_tokens, without_tokens_the_cost_tells)
{
    struct world *w = make();
    for (size_t i = 0; i < ROWS; i++) {
        w->outcomes[i * EXPERTS + 1] = (struct outcome){.cost_known = true};
        w->outcomes[i * EXPERTS + 1].cost_nano_usd =
            (int64_t)((double)w->characters[i] / 4 * 1000 + 50 * 4000); /* 50 tokens out */
    }
    train_fit_tokens(&w->table, w->lengths, w->tokens);
    float in, out;
    predict(w, 1, 7, &in, &out);
    cr_assert_float_eq((double)in, (double)w->characters[7] / 4, 1e-3);
    cr_assert_float_eq((double)out, 50, 0.1);
    free(w);
}

Test(train_tokens, without_anything_there_is_still_a_guess)
{
    struct world *w = make();
    train_fit_tokens(&w->table, w->lengths, w->tokens);
    float in, out;
    predict(w, 1, 7, &in, &out);
    cr_assert_float_eq((double)in, (double)w->characters[7] / 4, 1e-3);
    cr_assert_eq((double)out, 0);
    w->experts[1].price = (struct price){
        .input_nano_usd_per_m = 0,
        .output_nano_usd_per_m = 0}; /* free of charge, and a cost that cannot be split */
    w->outcomes[1] = (struct outcome){.cost_known = true, .cost_nano_usd = 5};
    train_fit_tokens(&w->table, w->lengths, w->tokens);
    predict(w, 1, 7, &in, &out);
    cr_assert(isfinite(in) && isfinite(out));
    free(w);
}

Test(train_tokens, texts_of_one_length_do_not_blow_up)
{
    struct world *w = make();
    for (size_t i = 0; i < ROWS; i++) {
        w->characters[i] = 100;
        w->lengths[i] = 0;
        w->outcomes[i * EXPERTS] =
            (struct outcome){.tokens_known = true, .input_tokens = 25, .output_tokens = 1};
    }
    train_fit_tokens(&w->table, w->lengths, w->tokens);
    float in, out;
    predict(w, 0, 0, &in, &out);
    cr_assert_float_eq((double)in, 25, 0.1);
    cr_assert_float_eq((double)out, 1, 0.01);
    free(w);
}
