/* Placed experts as a model: its estimates against the formulas of docs/prior.md, written out. */
#include "prior/assemble.h"

#include "tiny_base.h"

#define LEAF 0.4

static const uint16_t weights[4];
static const float bias[4] = {0.5f, 1, -1, 0.2f},
                   level[DIFFICULTY_LEVELS + 2] = {0.1f, 0.8f, 0.5f, 0.3f, 0.7f},
                   tokens[TOKEN_PARAMETERS] = {10, 0.25f, 3, 0.5f, 0.1f, 1.5f},
                   sample[2 * 5] = {0.5f, 0.9f, 0.1f, 100, 0, -1, 0.2f, 0.8f, 200, 1};

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* Two groups, and one tree that says LEAF of every text. */
static struct base make(struct tree *tree, float *leaves)
{
    struct base b = tiny_base();
    *tree = (struct tree){.nodes = 1, .left = {-1}, .right = {-2}, .thresholds = {1e30f}};
    leaves[0] = (float)LEAF;
    b.head = (struct difficulty_head){
        .groups = 2, .buckets = 1, .weights = weights, .bias = bias, .level = level};
    b.forest = (struct forest){1, 1, tree, leaves};
    b.tokens = tokens;
    b.sample = sample;
    return b;
}

static const struct prior_expert experts[2] = {
    {.name = STR_INIT("a"),
     .price = {.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 2000000000}},
    {.name = STR_INIT("b"),
     .price = {.input_nano_usd_per_m = 5000000000, .output_nano_usd_per_m = 9000000000}}};
static const struct placed placed[2] = {
    {.parameters = {-0.5, 1, 0.2, -0.3}, .strength_sd = 0.5, .output_ratio = 1},
    {.parameters = {0.7, 0.6, 0, 0.4}, .strength_sd = 0.1, .output_ratio = 2}};

Test(assemble, estimates_are_what_the_formulas_say)
{
    struct tree tree;
    float leaves[TREE_LEAVES_MAX] = {0};
    struct base b = make(&tree, leaves);
    struct model *m = NULL;
    struct error err;
    struct features f;
    struct estimate e[2];
    struct str text = STR("forty characters of a question, or so...");
    cr_assert_eq(assemble_model(&b, experts, placed, 2, &m, &err), OK, "%s", err.text);
    cr_assert_eq(features_init(&f, &err), OK);
    cr_assert_eq(model_estimate_text(m, text, &f, e, &err), OK, "%s", err.text);
    double p = exp(1) / (exp(1) + exp(-1)), mean = p * 0.3 + (1 - p) * 0.7;
    double difficulty = 0.1 + 0.8 * 0.5 + 0.5 * log(mean / (1 - mean)) + LEAF;
    double a = sigmoid(-0.5 + difficulty + 0.2 * p - 0.3 * (1 - p));
    double c = sigmoid(0.7 + 0.6 * difficulty + 0.4 * (1 - p));
    cr_assert_float_eq(e[0].quality, a, 1e-4, "%g for %g", (double)e[0].quality, a);
    cr_assert_float_eq(e[1].quality, c, 1e-4, "%g for %g", (double)e[1].quality, c);
    double out = 1.5 * exp(3 + 0.5 * 0.2 + 0.1 * log1p((double)f.characters)) - 1;
    cr_assert_float_eq(e[0].output_tokens, out, 1e-2);
    cr_assert_float_eq(e[1].output_tokens, 2 * (out + 1) - 1, 1e-2);
    cr_assert_float_eq(e[0].input_tokens, 10 + 0.25 * (double)f.characters, 1e-3);
    features_done(&f);
    model_free(m);
}

Test(assemble, the_sample_and_its_figures_are_those_of_the_base)
{
    struct tree tree;
    float leaves[TREE_LEAVES_MAX] = {0};
    struct base b = make(&tree, leaves);
    struct model *m = NULL;
    struct error err;
    cr_assert_eq(assemble_model(&b, experts, placed, 2, &m, &err), OK, "%s", err.text);
    struct model_sample s = model_sample(m);
    cr_assert_eq(s.rows, 2);
    cr_assert_eq(s.arms, 2);
    double first = sigmoid(-0.5 + 0.5 + 0.2 * 0.9 - 0.3 * 0.1);
    double second = sigmoid(-0.5 - 1 + 0.2 * 0.2 - 0.3 * 0.8);
    cr_assert_float_eq(s.quality[0], first, 1e-5);
    cr_assert_float_eq(s.quality[2], second, 1e-5);
    cr_assert_float_eq(model_expert_at(m, 0)->accuracy, (first + second) / 2, 1e-5);
    double out = 1.5 * exp(3 + 0.1 * log1p(100)) - 1;
    cr_assert_float_eq(s.cost_usd[0], (35 * 1.0 + out * 2.0) * 1e-6, 1e-8);
    cr_assert_gt(model_lambda_for_budget(m, NULL, 1000 * (double)s.cost_usd[0]), 0);
    model_free(m);
}

Test(assemble, more_doubt_of_the_placing_is_more_spread)
{
    struct tree tree;
    float leaves[TREE_LEAVES_MAX] = {0};
    struct base b = make(&tree, leaves);
    struct placed sure[2] = {placed[0], placed[1]};
    struct estimate doubtful_says[2], sure_says[2];
    struct model *m = NULL;
    struct features f;
    struct error err;
    sure[0].strength_sd = sure[1].strength_sd = 0.01;
    cr_assert_eq(features_init(&f, &err), OK);
    cr_assert_eq(assemble_model(&b, experts, placed, 2, &m, &err), OK, "%s", err.text);
    cr_assert_eq(model_estimate_text(m, STR("x"), &f, doubtful_says, &err), OK);
    model_free(m);
    cr_assert_eq(assemble_model(&b, experts, sure, 2, &m, &err), OK, "%s", err.text);
    cr_assert_eq(model_estimate_text(m, STR("x"), &f, sure_says, &err), OK);
    cr_assert_gt(doubtful_says[0].quality_sd, sure_says[0].quality_sd);
    cr_assert_float_eq(doubtful_says[0].quality, sure_says[0].quality, 1e-6);
    features_done(&f);
    model_free(m);
}
