/* Newcomers to a trained model. */
#include "plan/plan_set.h"
#include "prior/prior.h"

static struct plan_set_fixture fixture;

static void begin(void)
{
    fixture = plan_set_make();
    plan_set_train(&fixture, "cascade(a->c)");
}

static void end(void)
{
    plan_set_done(&fixture);
}

TestSuite(extend, .init = begin, .fini = end);

static struct model *extend(const struct prior_expert *x, size_t n, struct prior_place *places)
{
    struct model *m = NULL;
    struct error err;
    cr_assert_eq(prior_extend(fixture.model, x, n, &m, places, &err), OK, "%s", err.text);
    return m;
}

static void estimate(const struct model *m, size_t row, struct estimate *ret)
{
    struct features f = {0};
    cr_assert_eq(model_estimate_text(m, fixture.data->queries[row].prompt, &f, ret, NULL), OK);
    features_done(&f);
}

Test(extend, leaves_the_others_as_they_are)
{
    struct prior_place place;
    struct estimate before[MODEL_ARMS_MAX], after[MODEL_ARMS_MAX];
    const struct prior_expert x = {
        .name = STR("new"),
        .price = {.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 2000000000}};
    struct model *m = extend(&x, 1, &place);
    size_t known = model_expert_count(fixture.model);
    cr_assert_eq(model_expert_count(m), known + 1);
    for (size_t row = 0; row < 8; row++) {
        estimate(fixture.model, row, before);
        estimate(m, row, after);
        cr_assert_eq(memcmp(before, after, known * sizeof(*before)), 0);
        cr_assert(after[known].quality > 0 && after[known].quality < 1);
        cr_assert_gt(after[known].cost_nano_usd, 0);
    }
    cr_assert_str_eq(place.words, "no outcomes yet: placed by price");
    model_free(m);
}

/* Its costs say what budgets begin with. */
Test(extend, costs_what_it_costs)
{
    struct prior_place places[2];
    const struct price dear = {.input_nano_usd_per_m = NANO_PER_USD,
                               .output_nano_usd_per_m = 4 * NANO_PER_USD};
    const struct prior_expert x[] = {{.name = STR("free")}, {.name = STR("dear"), .price = dear}};
    struct model *m = extend(x, 2, places);
    size_t known = model_expert_count(fixture.model);
    cr_expect_eq(model_expert_at(m, known)->mean_cost_usd, 0);
    cr_expect_gt(model_expert_at(m, known + 1)->mean_cost_usd, 0);
    model_free(m);
    end();
    fixture = plan_set_make(); /* of experts of one's own: their costs say nothing of tokens */
    for (size_t e = 0; e < fixture.data->expert_count; e++)
        fixture.data->experts[e].price = (struct price){0};
    for (size_t i = 0; i < fixture.data->query_count * fixture.data->expert_count; i++)
        fixture.data->outcomes[i].cost_nano_usd = 0;
    plan_set_train(&fixture, NULL);
    m = extend(x, 2, places);
    cr_expect_eq(model_expert_at(m, known)->mean_cost_usd, 0);
    cr_expect_gt(model_expert_at(m, known + 1)->mean_cost_usd, 1e-5);
    model_free(m);
}

Test(extend, copies_the_expert_that_it_is_like)
{
    struct prior_place place;
    struct estimate e[MODEL_ARMS_MAX];
    const struct prior_expert x = {.name = STR("new"), .like = STR("c")};
    struct model *m = extend(&x, 1, &place);
    size_t known = model_expert_count(fixture.model), c = model_expert_index(m, STR("c"));
    estimate(m, 3, e);
    cr_assert_float_eq(e[known].quality, e[c].quality, 1e-6);
    cr_assert_eq(place.basis, PRIOR_LIKE);
    model_free(m);
}

Test(extend, hears_outcomes)
{
    struct prior_outcome good[20], bad[20];
    struct prior_place places[2];
    struct estimate e[MODEL_ARMS_MAX];
    for (size_t i = 0; i < 20; i++) {
        good[i] = (struct prior_outcome){.text = fixture.data->queries[i].prompt, .score = 1};
        bad[i] = (struct prior_outcome){.text = fixture.data->queries[i].prompt};
    }
    const struct prior_expert x[] = {
        {.name = STR("good"),
         .price = {.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 2000000000},
         .outcomes = good,
         .outcome_count = 20},
        {.name = STR("bad"),
         .price = {.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 2000000000},
         .outcomes = bad,
         .outcome_count = 20}};
    struct model *m = extend(x, 2, places);
    size_t known = model_expert_count(fixture.model);
    estimate(m, 30, e);
    cr_assert_gt(e[known].quality, e[known + 1].quality + 0.2f);
    cr_assert_eq(places[0].outcomes, 20);
    cr_assert_gt(places[0].accuracy, places[1].accuracy);
    cr_assert_not_null(strstr(places[0].words, "20 outcomes"));
    double sure = places[0].accuracy, sd = places[0].accuracy_sd;
    model_free(m);
    for (size_t i = 0; i < 20; i++)
        good[i].confidence = 0.05f;
    m = extend(x, 2, places);
    cr_expect_lt(places[0].accuracy, sure - 0.05, "what is hardly believed says little");
    cr_expect_gt(places[0].accuracy_sd, sd);
    model_free(m);
}

Test(extend, refuses_a_newcomer_that_is_there)
{
    struct prior_place place;
    struct error err;
    struct model *m = NULL;
    const struct prior_expert x = {
        .name = STR("a"),
        .price = {.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 2000000000}};
    cr_assert_eq(prior_extend(fixture.model, &x, 1, &m, &place, &err), ERR_INPUT);
    cr_assert_null(m);
}

/* A model without any training, whose source is a difficulty: a newcomer that fails at what it is asked falls behind
 * one of its price, and the others stay. */
Test(extend, joins_a_model_that_is_a_prior)
{
    struct prior_outcome bad[40];
    struct prior_place places[3];
    struct error err;
    struct model *prior, *m;
    struct estimate before[MODEL_ARMS_MAX], after[MODEL_ARMS_MAX];
    const struct price price = {.input_nano_usd_per_m = NANO_PER_USD,
                                .output_nano_usd_per_m = 2 * NANO_PER_USD};
    const struct prior_expert known[] = {{.name = STR("gpt-4o-2024-05-13"), .price = price},
                                         {.name = STR("llama-3-8b"), .price = price},
                                         {.name = STR("nobody"), .price = price}};
    for (size_t i = 0; i < 40; i++)
        bad[i] = (struct prior_outcome){.text = fixture.data->queries[i].prompt};
    const struct prior_expert x = {
        .name = STR("bad"), .price = price, .outcomes = bad, .outcome_count = 40};
    cr_assert_eq(prior_model(known, 3, &prior, places, &err), OK, "%s", err.text);
    cr_assert_eq(prior_extend(prior, &x, 1, &m, places, &err), OK, "%s", err.text);
    for (size_t row = 100; row < 110; row++) {
        estimate(prior, row, before);
        estimate(m, row, after);
        cr_assert_eq(memcmp(before, after, 3 * sizeof(*before)), 0);
        cr_expect_lt(after[3].quality, after[2].quality - 0.1f);
    }
    model_free(prior);
    model_free(m);
}
