/* Figures against brute force: AUC by all pairs, calibration error by hand. */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "train/train_int.h"

#define ROWS    200
#define EXPERTS 3

struct world {
    struct query queries[ROWS];
    struct outcome outcomes[ROWS * EXPERTS];
    struct dataset_expert experts[EXPERTS];
    struct dataset dataset;
    float scores[ROWS * EXPERTS], weights[ROWS * EXPERTS], quality[ROWS * EXPERTS];
    size_t chosen[EXPERTS];
    struct train_table table;
    struct train_figures figures[EXPERTS];
    float characters[ROWS], lengths[ROWS], tokens[EXPERTS * TOKEN_PARAMETERS];
    struct script_counts scripts[ROWS];
    struct predictor predictor;
};

static struct world *make(void)
{
    struct world *w = calloc(1, sizeof(*w));
    struct rng r;
    cr_assert_not_null(w);
    rng_seed(&r, 1);
    for (size_t i = 0; i < (size_t)ROWS * EXPERTS; i++) {
        w->quality[i] = (float)rng_below(&r, 20) / 19; /* ties are common */
        w->scores[i] = rng_uniform(&r) < (double)w->quality[i];
        w->weights[i] = 1;
        if (i % 7 == 0)
            w->scores[i] = 0.25f;
        if (i % 11 == 0)
            w->scores[i] = -1;
    }
    for (size_t e = 0; e < EXPERTS; e++)
        w->chosen[e] = e;
    w->dataset = (struct dataset){.queries = w->queries,
                                  .query_count = ROWS,
                                  .experts = w->experts,
                                  .expert_count = EXPERTS,
                                  .outcomes = w->outcomes};
    w->table = (struct train_table){.dataset = &w->dataset,
                                    .rows = ROWS,
                                    .experts = EXPERTS,
                                    .expert = w->chosen,
                                    .scores = w->scores,
                                    .targets = w->scores,
                                    .weights = w->weights,
                                    .characters = w->characters,
                                    .scripts = w->scripts};
    w->predictor = (struct predictor){.experts = EXPERTS, .tokens = w->tokens};
    return w;
}

static void fill(struct world *w)
{
    cr_assert_eq(
        train_figures_fill(&w->table, &w->predictor, w->quality, w->lengths, w->figures, NULL), OK);
}

static double brute_auc(const struct world *w, size_t e)
{
    double won = 0, pairs = 0;
    for (size_t i = e; i < (size_t)ROWS * EXPERTS; i += EXPERTS)
        for (size_t j = e; j < (size_t)ROWS * EXPERTS; j += EXPERTS) {
            if (w->scores[i] < 0 || w->scores[j] < 0)
                continue;
            /* Row i as a success, row j as a failure, each to its share. */
            double weight = (double)w->scores[i] * (1 - (double)w->scores[j]);
            float a = w->quality[i], b = w->quality[j];
            pairs += weight;
            won += weight * (a > b ? 1 : a < b ? 0 : 0.5);
        }
    return won / pairs;
}

Test(train_figures, agree_with_brute_force)
{
    struct world *w = make();
    fill(w);
    for (size_t e = 0; e < EXPERTS; e++) {
        double sum = 0, known = 0, loss = 0;
        for (size_t i = e; i < (size_t)ROWS * EXPERTS; i += EXPERTS)
            if (w->scores[i] >= 0) {
                double y = (double)w->scores[i];
                double q = fmin(fmax((double)w->quality[i], 1e-6), 1 - 1e-6);
                sum += y;
                known++;
                loss -= y * log(q) + (1 - y) * log(1 - q);
            }
        cr_assert_float_eq(w->figures[e].auc, brute_auc(w, e), 1e-6);
        cr_assert_float_eq(w->figures[e].accuracy, sum / known, 1e-9);
        cr_assert_float_eq(w->figures[e].log_loss, loss / known, 1e-6);
        cr_assert_eq((double)w->figures[e].known, known);
    }
    free(w);
}

Test(train_figures, calibration_error_by_hand)
{
    struct world *w = make();
    /* Ten bins of twenty rows each; expert 0: bin b predicts b/10 and is right in b + 1 of 20. */
    double wanted = 0;
    for (size_t i = 0; i < ROWS; i++) {
        size_t b = i / 20, row = (i * 7 % ROWS) * EXPERTS; /* in any order */
        w->quality[row] = (float)b / 10;
        w->scores[row] = i % 20 <= b;
    }
    for (int b = 0; b < 10; b++)
        wanted += fabs(b / 10.0 - (b + 1) / 20.0) / 10;
    fill(w);
    cr_assert_float_eq(w->figures[0].calibration_error, wanted, 1e-6);
    free(w);
}

/* Of equal estimates it must not matter in which order a sort leaves them. */
Test(train_figures, the_order_of_rows_does_not_matter)
{
    struct world *w = make(), *v = make();
    for (size_t i = 0; i < ROWS; i++)
        for (size_t e = 0; e < EXPERTS; e++) {
            size_t from = i * EXPERTS + e, to = (ROWS - 1 - i) * EXPERTS + e;
            v->quality[to] = w->quality[from];
            v->scores[to] = w->scores[from];
        }
    fill(w);
    fill(v);
    for (size_t e = 0; e < EXPERTS; e++) {
        cr_assert_float_eq(w->figures[e].calibration_error, v->figures[e].calibration_error, 1e-6);
        cr_assert_float_eq(w->figures[e].auc, v->figures[e].auc, 1e-6);
    }
    free(w);
    free(v);
}

Test(train_figures, equal_scores_have_no_auc)
{
    struct world *w = make();
    for (size_t i = 0; i < ROWS; i++) {
        w->scores[i * EXPERTS] = 1;
        w->scores[i * EXPERTS + 1] = 0;
    }
    fill(w);
    cr_assert(isnan(w->figures[0].auc));
    cr_assert(isnan(w->figures[1].auc));
    cr_assert_eq(w->figures[0].accuracy, 1);
    free(w);
}

Test(train_figures, mean_cost_is_recorded_or_computed)
{
    struct world *w = make();
    w->experts[0].price =
        (struct price){.input_nano_usd_per_m = 1000000000,
                       .output_nano_usd_per_m = 2000000000}; /* $1 and $2 per million */
    w->outcomes[0] = (struct outcome){.cost_known = true, .cost_nano_usd = 5000};
    w->outcomes[EXPERTS] =
        (struct outcome){.tokens_known = true, .input_tokens = 3, .output_tokens = 4};
    fill(w);
    cr_assert_float_eq(w->figures[0].mean_cost_usd, (5000 + 3 * 1000 + 4 * 2000) / 2 * 1e-9, 1e-15);
    cr_assert_eq(w->figures[1].mean_cost_usd, 0);
    free(w);
}

/* The first expert was asked two questions and failed both; what is expected of the others counts in the mean alone. */
Test(train_figures, what_is_expected_counts_in_the_mean)
{
    static float targets[ROWS * EXPERTS];
    struct world *w = make();
    for (size_t i = 0; i < ROWS; i++) {
        w->scores[i * EXPERTS] = i < 2 ? 0 : -1;
        targets[i * EXPERTS] = i < 2 ? 0 : 0.75f;
        w->weights[i * EXPERTS] = i < 2 ? 1 : 2;
    }
    w->table.targets = targets;
    fill(w);
    cr_assert_float_eq(w->figures[0].accuracy, 0.75 * (ROWS - 2) / ROWS, 1e-6);
    cr_assert_eq(w->figures[0].known, 2);
    free(w);
}

/* Expert 0 answers with 30 tokens or 120, by turns, where the model expects 59; nobody else's were recorded. */
Test(train_figures, lengths_are_told_by_their_logarithms)
{
    struct world *w = make();
    for (size_t i = 0; i < ROWS; i++) {
        w->outcomes[i * EXPERTS].tokens_known = true;
        w->outcomes[i * EXPERTS].output_tokens = i % 2 ? 30 : 120;
    }
    w->tokens[TOKENS_OUT_SMEAR] = 60; /* times exp(0), less 1 */
    fill(w);
    double low = log(31.0 / 60), high = log(121.0 / 60);
    cr_expect_float_eq(w->figures[0].length_log, (low + high) / 2, 1e-5);
    cr_expect_float_eq(w->figures[0].length_log_sd, (high - low) / 2, 1e-5);
    cr_expect(isnan(w->figures[1].length_log) && isnan(w->figures[1].length_log_sd));
    free(w);
}
