/* The sample at other prices: as if the model had been trained with those. */
#include <math.h>

#include "plan/plan_set.h"
#include "train/model_edit.h"

static struct plan_set_fixture fixture;
static float *cost;

static struct price price(double in, double out)
{
    return (struct price){.input_nano_usd_per_m = (int64_t)(in * (double)NANO_PER_USD),
                          .output_nano_usd_per_m = (int64_t)(out * (double)NANO_PER_USD)};
}

static void begin(const char *plans)
{
    fixture = plan_set_make();
    plan_set_train(&fixture, plans);
    struct model_sample s = model_sample(fixture.model);
    cost = calloc(s.rows * s.arms, sizeof(*cost));
    cr_assert_not_null(cost);
}

static void end(void)
{
    free(cost);
    plan_set_done(&fixture);
}

static void expect_costs(const float *want, const float *got, size_t count, double times)
{
    for (size_t i = 0; i < count; i++)
        cr_assert_float_eq((double)got[i], times * (double)want[i],
                           1e-6 * times * (double)want[i] + 3e-9, "%zu: %g is not %g", i,
                           (double)got[i], times * (double)want[i]);
}

/* Prices that stand in no proportion to the trained ones, one of them free, and a model that was trained with them. */
Test(model_sample, costs_are_those_of_a_model_trained_at_these_prices, .fini = end)
{
    const struct price other[PLAN_SET_EXPERTS] = {price(1, 40), price(90, 2), price(0, 0),
                                                  price(7, 7)};
    begin(NULL);
    struct model_sample before = model_sample(fixture.model);
    cr_assert(model_sample_is_repriced(fixture.model, other));
    model_sample_price(fixture.model, other, cost);
    model_free(fixture.model);
    trained_free(fixture.trained);
    for (size_t e = 0; e < PLAN_SET_EXPERTS; e++)
        fixture.data->experts[e].price = other[e];
    size_t rows = before.rows;
    plan_set_train(&fixture, NULL);
    struct model_sample after = model_sample(fixture.model);
    cr_assert_eq(after.rows, rows);
    expect_costs(after.cost_usd, cost, after.rows * after.arms, 1);
}

/* Plans cost what their members do. */
Test(model_sample, all_prices_threefold_cost_threefold, .fini = end)
{
    struct price other[PLAN_SET_EXPERTS];
    begin("cascade(a->c);panel(a,b->c)");
    struct model_sample s = model_sample(fixture.model);
    cr_assert_gt(s.arms, PLAN_SET_EXPERTS);
    for (size_t e = 0; e < PLAN_SET_EXPERTS; e++)
        other[e] = model_expert_at(fixture.model, e)->price;
    cr_expect_not(model_sample_is_repriced(fixture.model, other));
    model_sample_price(fixture.model, other, cost);
    expect_costs(s.cost_usd, cost, s.rows * s.arms, 1);
    for (size_t e = 0; e < PLAN_SET_EXPERTS; e++) {
        other[e].input_nano_usd_per_m *= 3;
        other[e].output_nano_usd_per_m *= 3;
    }
    model_sample_price(fixture.model, other, cost);
    expect_costs(s.cost_usd, cost, s.rows * s.arms, 3);
}

/* Who was taken out leaves the costs of the others as they are at any price. */
Test(model_sample, an_edited_model_is_priced_as_before, .fini = end)
{
    const size_t first = 0;
    struct price other[PLAN_SET_EXPERTS];
    struct buf bytes;
    struct model *n = NULL;
    begin(NULL);
    for (size_t e = 0; e < PLAN_SET_EXPERTS; e++)
        other[e] = price((double)e + 1, 10);
    model_sample_price(fixture.model, other, cost);
    buf_init(&bytes, MODEL_BYTES_MAX);
    const struct model_edit edit = {.remove = &first, .remove_count = 1};
    cr_assert_eq(model_rewrite_bytes(fixture.model, &edit, &bytes, NULL), OK);
    cr_assert_eq(model_load_bytes(bytes.ptr, bytes.len, &n, NULL), OK);
    struct model_sample s = model_sample(n);
    float *left = calloc(s.rows * s.arms, sizeof(*left));
    cr_assert_not_null(left);
    model_sample_price(n, other + 1, left);
    for (size_t row = 0; row < s.rows; row++)
        expect_costs(cost + row * PLAN_SET_EXPERTS + 1, left + row * s.arms, s.arms, 1);
    free(left);
    model_free(n);
    buf_done(&bytes);
}

/* A file of an earlier build does not say how long its texts are; then one kind of token counts as the other. */
Test(model_sample, without_lengths_costs_follow_the_sum_of_prices, .fini = end)
{
    struct price other[PLAN_SET_EXPERTS];
    struct model *old = NULL;
    begin(NULL);
    fixture.trained->parts.sample_text = NULL;
    cr_assert_eq(model_parts_load(&fixture.trained->parts, &old, NULL), OK);
    for (size_t e = 0; e < PLAN_SET_EXPERTS; e++) {
        const struct price *p = &model_expert_at(old, e)->price;
        other[e] = *p;
        other[e].input_nano_usd_per_m = 0;
        other[e].output_nano_usd_per_m = 2 * (p->input_nano_usd_per_m + p->output_nano_usd_per_m);
    }
    model_sample_price(old, other, cost);
    struct model_sample s = model_sample(old);
    expect_costs(s.cost_usd, cost, s.rows * s.arms, 2);
    model_free(old);
}
