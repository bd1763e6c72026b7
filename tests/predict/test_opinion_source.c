/* The opinion of a language model as logits, against the formula of predict/model_source.h in double precision. */
#include "predict/blend.h"
#include "predict/model_source.h"

#include <criterion/criterion.h>
#include <math.h>

#define LABELS      3
#define CERTAINTIES 2
#define EXPERTS     3

/* The first expert is the second of those asked about, the last came later. */
static float label[EXPERTS] = {2, 1, 0};
static const float shift[CERTAINTIES] = {0.5f, -2}, scale[CERTAINTIES] = {2, 0.25f};
static const float weights[(2 + CERTAINTIES) * EXPERTS] = {0.3f, -0.1f, 0.7f, 1, 2, 3,
                                                           -1,   0.5f,  0.2f, 4, 5, 6};
static const struct opinion_head head = {LABELS, CERTAINTIES, label, shift, scale, weights};
static const struct source source = {
    .ops = &opinion_source, .of = NOWHERE, .experts = EXPERTS, .columns = EXPERTS, .state = &head};
static const float said_dense[LABELS + CERTAINTIES] = {-1.5f, -0.4f, -2.9f, 0.8f, -1};

static float run(const struct encoding *said, float *columns)
{
    const struct source_view v = {.said = said};
    float facts[SOURCE_FACTS_MAX];
    return opinion_source.run(&source, &v, columns, facts);
}

Test(opinion_source, logits_are_the_formula)
{
    const struct encoding said = {.dense = said_dense};
    const double x[EXPERTS] = {-0.4, -1.5}, mean = (-1.5 - 0.4 - 2.9) / 3;
    float columns[EXPERTS];
    cr_assert_eq((double)run(&said, columns), 0);
    for (size_t e = 0; e < 2; e++) {
        double logit = (double)weights[e] + (double)weights[EXPERTS + e] * (x[e] - mean);
        logit += (double)weights[2 * EXPERTS + e] * (0.8 - 0.5) * 2;
        logit += (double)weights[3 * EXPERTS + e] * (-1.0 + 2) * 0.25;
        cr_assert_float_eq((double)columns[e], logit, 1e-5);
    }
    cr_assert(isnan(columns[2]), "nothing is said of who has no label");
}

Test(opinion_source, of_an_encoder_that_is_silent_it_says_nothing)
{
    const struct encoding said = {.silent = true};
    float columns[EXPERTS] = {7, 7, 7};
    cr_assert_eq((double)run(&said, columns), (double)SOURCE_SILENT);
    cr_assert_eq((double)columns[0], 7);
}

Test(opinion_source, a_forged_label_reads_nothing_beyond)
{
    static const float forged[] = {-1, 4, 1e30f, NAN, INFINITY, 0.5f};
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++)
        cr_assert_eq((double)opinion_centred(said_dense, LABELS, forged[i]), 0);
}

Test(opinion_source, who_has_no_label_moves_with_the_level_alone)
{
    const float blend[BLEND_TERMS(1)] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1};
    const struct encoding said = {.dense = said_dense};
    const bool apart[EXPERTS] = {false, false, true};
    float columns[EXPERTS], quality[EXPERTS] = {0.5f, 0.6f, 0.7f};
    run(&said, columns);
    const struct blend_view v = {.logits = {columns}};
    blend_run(blend, 1, &v, EXPERTS, apart, quality);
    cr_assert_float_eq((double)quality[0], 1 / (1 + exp(-(double)columns[0])), 1e-5);
    double between = (double)(columns[0] + columns[1]) / 2 - (log(1) + log(0.6 / 0.4)) / 2;
    cr_assert_float_eq((double)quality[2], 1 / (1 + exp(-log(0.7 / 0.3) - between)), 1e-4);
}
