/* The head on a dense half, against the formula of predict/model_source.h in double precision. */
#include "predict/model_source.h"

#include <criterion/criterion.h>

#define DIMS       5
#define COMPONENTS 2
#define EXPERTS    3

static const float mean[DIMS] = {0.1f, -0.2f, 0, 3, 0.5f};
static const float directions[DIMS * COMPONENTS] = {1, 0, 0.5f, -0.5f, 0, 2, 0.25f, 0.75f, -1, 1};
static const float weights[(1 + COMPONENTS) * EXPERTS] = {0.3f, -0.1f, 0, 1, 2, 3, -1, 0.5f, 0.25f};
static const struct dense_head head = {DIMS, COMPONENTS, mean, directions, weights};
static const struct source source = {
    .ops = &dense_source, .of = NOWHERE, .experts = EXPERTS, .columns = EXPERTS, .state = &head};

Test(dense_source, logits_are_the_formula)
{
    const float x[DIMS] = {0.7f, 0.1f, -1, 2, 0.4f};
    const struct encoding said = {.dense = x};
    const struct source_view v = {.said = &said};
    float columns[EXPERTS], facts[SOURCE_FACTS_MAX];
    cr_assert_eq((double)dense_source.run(&source, &v, columns, facts), 0);
    for (size_t e = 0; e < EXPERTS; e++) {
        double logit = (double)weights[e];
        for (size_t k = 0; k < COMPONENTS; k++) {
            double component = 0;
            for (size_t i = 0; i < DIMS; i++)
                component +=
                    ((double)x[i] - (double)mean[i]) * (double)directions[i * COMPONENTS + k];
            logit += component * (double)weights[(1 + k) * EXPERTS + e];
        }
        cr_assert_float_eq(columns[e], logit, 1e-5);
    }
}

Test(dense_source, of_an_encoder_that_is_silent_it_says_nothing)
{
    const struct encoding said = {.silent = true};
    const struct source_view v = {.said = &said};
    float columns[EXPERTS] = {7, 7, 7}, facts[SOURCE_FACTS_MAX];
    cr_assert_eq((double)dense_source.run(&source, &v, columns, facts), (double)SOURCE_SILENT);
    for (size_t e = 0; e < EXPERTS; e++)
        cr_assert_eq((double)columns[e], 7);
}
