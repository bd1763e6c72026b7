/* Models' parameters from scores: against what made the scores, and against gradients by differences. */
#include "prior/family_fit.h"

#include "base/rng.h"
#include "tiny_base.h"

#define ROWS       4000
#define KNOWN      8
#define GROUPS     5
#define WIDTH      (1 + GROUPS + 2)
#define PARAMETERS (DIFFICULTY_PARAMETERS + GROUPS)

static float rows[ROWS * WIDTH], scores[ROWS * KNOWN];
static double truth[KNOWN][PARAMETERS];

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double logit(const double *parameters, const float *row)
{
    double sum = parameters[0] + parameters[1] * (double)row[0];
    for (int g = 0; g < GROUPS; g++)
        sum += parameters[2 + g] * (double)row[1 + g];
    return sum;
}

/* Strengths from -1.4 to 1.4; slope 1.1 - 0.2 s; the first group's offset 0.5 s. */
static struct family_rows make(void)
{
    struct rng r;
    rng_seed(&r, 3);
    for (int j = 0; j < KNOWN; j++) {
        double s = -1.4 + 0.4 * j;
        double all[PARAMETERS] = {s, 1.1 - 0.2 * s, 0.5 * s};
        memcpy(truth[j], all, sizeof(all));
    }
    for (int i = 0; i < ROWS; i++) {
        float *row = rows + i * WIDTH;
        row[0] = (float)(4 * rng_uniform(&r) - 2);
        for (int g = 0; g < GROUPS; g++)
            row[1 + g] = 0.05f;
        row[1 + rng_below(&r, GROUPS)] += 0.75f;
        for (int j = 0; j < KNOWN; j++)
            scores[i * KNOWN + j] =
                rng_uniform(&r) < 0.1 ? -1 : rng_uniform(&r) < sigmoid(logit(truth[j], row));
    }
    return (struct family_rows){rows, scores, ROWS, WIDTH, KNOWN, PARAMETERS};
}

static double loss(const struct family_rows *r, size_t known, const double *centre,
                   const double *precision, const double *parameters)
{
    double sum = 0;
    for (size_t k = 0; k < PARAMETERS; k++)
        sum += precision[k] * (parameters[k] - centre[k]) * (parameters[k] - centre[k]) / 2;
    for (size_t i = 0; i < ROWS; i++) {
        double score = (double)r->scores[i * KNOWN + known],
               p = sigmoid(logit(parameters, rows + i * WIDTH));
        if (score >= 0)
            sum -= score * log(p) + (1 - score) * log(1 - p);
    }
    return sum;
}

Test(family_fit, one_model_ends_where_the_loss_is_lowest)
{
    struct family_rows r = make();
    double centre[PARAMETERS] = {0, 1}, precision[PARAMETERS] = {0.1, 4, 4, 4, 4, 4, 4};
    double at[PARAMETERS] = {0, 1}, variances[PARAMETERS];
    family_fit_one(&r, 2, centre, precision, at, variances);
    double lowest = loss(&r, 2, centre, precision, at);
    for (size_t k = 0; k < PARAMETERS; k++) {
        double moved[PARAMETERS];
        memcpy(moved, at, sizeof(at));
        moved[k] += 1e-3;
        double up = loss(&r, 2, centre, precision, moved);
        moved[k] -= 2e-3;
        double down = loss(&r, 2, centre, precision, moved);
        cr_assert(up > lowest && down > lowest, "parameter %zu", k);
        cr_assert_float_eq((up - down) / 2e-3, 0, 1e-2, "slope of parameter %zu", k);
        cr_assert_gt(variances[k], 0);
        cr_assert_leq(variances[k], 1 / precision[k] + 1e-9);
    }
}

Test(family_fit, finds_the_family_that_made_the_scores)
{
    struct family_rows r = make();
    struct base b = tiny_base();
    struct base_known known[KNOWN] = {0};
    for (int j = 0; j < KNOWN; j++)
        known[j].price = (struct price){.input_nano_usd_per_m = (int64_t)(1e9 * exp(j)),
                                        .output_nano_usd_per_m = (int64_t)(1e9 * exp(j))};
    b.known = known;
    b.known_count = KNOWN;
    b.head.groups = GROUPS;
    family_fit(&r, &b);
    for (int j = 0; j < KNOWN; j++)
        for (int i = 0; i < 20; i++)
            cr_assert_float_eq(sigmoid(logit(known[j].parameters, rows + i * WIDTH)),
                               sigmoid(logit(truth[j], rows + i * WIDTH)), 0.06);
    cr_assert_float_eq(b.family[1][1], -0.2, 0.08, "slope against strength %g", b.family[1][1]);
    cr_assert_float_eq(b.price[1], 0.4, 0.12, "strength against price %g", b.price[1]);
    double weak[PARAMETERS], strong[PARAMETERS];
    base_family(&b, -1, weak);
    base_family(&b, 1, strong);
    cr_assert_float_eq((strong[2] - strong[3]) - (weak[2] - weak[3]), 1, 0.3);
}

Test(family_fit, questions_without_anything_in_common_have_no_spread)
{
    struct family_rows r = make();
    struct base b = tiny_base();
    struct base_known known[KNOWN] = {0};
    double sd, share;
    for (int j = 0; j < KNOWN; j++)
        memcpy(known[j].parameters, truth[j], sizeof(truth[j]));
    b.known = known;
    b.known_count = KNOWN;
    family_fit_question(&r, &b, &sd, &share);
    cr_assert_lt(sd, 0.3, "%g", sd);
    for (int i = 0; i < ROWS; i++) /* all alike: as much in common as can be */
        for (int j = 1; j < KNOWN; j++)
            scores[i * KNOWN + j] = scores[i * KNOWN];
    family_fit_question(&r, &b, &sd, &share);
    cr_assert_gt(sd, 1, "%g", sd);
}
