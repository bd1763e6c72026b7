/* Whom the labels name, by hand. */
#include "exported.h"

#include <math.h>

static struct exported x;

static void teardown(void)
{
    exported_close(&x);
}

TestSuite(export_pick, .fini = teardown);

static const size_t *labels_under(double lambda)
{
    struct export_options o = exported_options(EXPORT_SFT, EXPORT_ROUTING);
    o.lambda = lambda;
    exported_write(&x, &o);
    cr_assert_eq(x.status, OK, "%s", x.err.text);
    return x.figures.labels;
}

Test(export_pick, ties_go_to_the_cheaper_and_lambda_weighs)
{
    x = exported_open(NULL, NULL);
    const size_t *labels = labels_under(0);
    cr_assert_eq(labels[0], 3, "q1 by its price, q3 and q4 because nobody is right");
    cr_assert_eq(labels[1], 1);
    cr_assert_eq(x.figures.unsolved, 2);
    cr_assert_float_eq(x.figures.score, 0.5, 1e-12);
    cr_assert_float_eq(x.figures.cost_usd_per_1k, 1000 * (3e-6 + 1e-3) / 4, 1e-12);
    cr_assert_eq(labels_under(1000)[1], 1, "1 - 1000 * .001 = 0 is above -.001");
    cr_assert_eq(labels_under(1002)[1], 0);
}

Test(export_pick, what_is_left_out_is_counted)
{
    x = exported_open(NULL, NULL);
    (void)labels_under(0);
    cr_assert_eq(x.figures.left_out[EXPORT_REPEATED], 1, "q5");
    cr_assert_eq(x.figures.left_out[EXPORT_UNKNOWN], 2, "q6 and q7");
    cr_assert_eq(x.figures.doubted, 1);
    struct export_options o = exported_options(EXPORT_SFT, EXPORT_ROUTING);
    o.confidence_min = 0.2;
    exported_write(&x, &o);
    cr_assert_eq(x.figures.left_out[EXPORT_UNKNOWN], 1, "q6");
    cr_assert_eq(x.figures.queries, 5);
}

/* The best cost 0.25075 USD per 1,000 queries; without big 0.001. */
Test(export_pick, a_budget_finds_its_lambda)
{
    struct export_options o = exported_options(EXPORT_SFT, EXPORT_ROUTING);
    x = exported_open(NULL, NULL);
    o.budget_usd_per_1k = 0.2508;
    exported_write(&x, &o);
    cr_assert_eq(x.status, OK);
    cr_assert_eq(x.figures.lambda, 0.0);
    o.budget_usd_per_1k = 0.1;
    exported_write(&x, &o);
    cr_assert_eq(x.status, OK);
    cr_assert_float_eq(x.figures.lambda, 1 / (1e-3 - 1e-6), 1e-4);
    cr_assert_eq(x.figures.labels[1], 0);
    o.budget_usd_per_1k = 0.0009;
    exported_write(&x, &o);
    cr_assert_eq(x.status, ERR_BUDGET);
    cr_assert(strstr(x.err.text, "0.001 USD"), "%s", x.err.text);
}

#define MANY 40

/* One is right, the others are not. */
static void many_experts(size_t count)
{
    char experts[4096] = "model,usd_per_m_input,usd_per_m_output\n";
    char outcomes[4096] = "id,model,score,cost_usd\n";
    for (size_t e = 0; e < count; e++) {
        snprintf(experts + strlen(experts), 32, "e%zu,1,1\n", e);
        snprintf(outcomes + strlen(outcomes), 32, "q1,e%zu,%d,0.001\n", e, e == 7);
    }
    x = exported_open(NULL, NULL);
    dataset_free(x.d);
    scratch_write(&x.scratch, "experts.csv", experts);
    scratch_write(&x.scratch, "outcomes.csv", outcomes);
    cr_assert_eq(dataset_load(x.scratch.path, DATASET_ALL, &x.d, &x.err), OK, "%s", x.err.text);
}

Test(export_pick, pairs_are_drawn_by_the_seed_and_differ)
{
    struct export_options o = exported_options(EXPORT_DPO, EXPORT_ROUTING);
    char first[65536];
    many_experts(MANY);
    o.pairs = 5;
    exported_write(&x, &o);
    cr_assert_eq(x.figures.rows, 5);
    snprintf(first, sizeof(first), "%s", x.rows.ptr);
    exported_write(&x, &o);
    cr_assert_str_eq(x.rows.ptr, first);
    o.seed = 1;
    exported_write(&x, &o);
    cr_assert_str_neq(x.rows.ptr, first);
    o.pairs = 256;
    exported_write(&x, &o);
    cr_assert_eq(x.figures.rows, MANY - 1);
    o.margin = 1;
    exported_write(&x, &o);
    cr_assert_eq(x.status, ERR_INPUT, "nobody is worse by more than 1");
}

Test(export_pick, routing_is_among_as_many_as_there_are_letters)
{
    struct export_options o = exported_options(EXPORT_SFT, EXPORT_ROUTING);
    many_experts(53);
    exported_write(&x, &o);
    cr_assert_eq(x.status, ERR_INPUT);
    cr_assert_not_null(strstr(x.err.text, "1 to 52 experts"));
}
