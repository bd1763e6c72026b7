/* Who would be asked, against every decision made by hand. */
#include "route/pool_asked.h"

#include <criterion/criterion.h>

#include "route/pool_int.h"
#include "serve/serve_test.h"

#define EXPERTS 3

static struct model *model;
static struct config *config;
static struct pool *pool;
static struct pool_asked asked[EXPERTS];
static uint64_t decisions;

static void begin(const char *yaml)
{
    struct error err = {0};
    model = serve_test_plan_model(false);
    config = serve_test_config(model, yaml);
    const struct pool_settings settings = config_pool_settings(config);
    cr_assert_eq(pool_create(&settings, model, &pool, &err), OK, "%s", err.text);
    cr_assert_eq(pool_asked(pool, asked, &decisions, &err), OK, "%s", err.text);
}

static void end(void)
{
    pool_free(pool);
    config_free(config);
    model_free(model);
}

/* Of a row the arm of the highest quality − lambda · cost among the arms with use[i]; ties go to the cheaper. */
static size_t best_of(size_t row, const bool *use, double lambda)
{
    struct model_sample s = model_sample(model);
    const float *q = s.quality + row * s.arms, *c = s.cost_usd + row * s.arms;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < s.arms; i++) {
        if (!use[i])
            continue;
        double u = (double)q[i] - lambda * (double)c[i];
        double v = best == SIZE_MAX ? 0 : (double)q[best] - lambda * (double)c[best];
        if (best == SIZE_MAX || u > v || (u == v && c[i] < c[best]))
            best = i;
    }
    return best;
}

static void count(double lambda, const bool *use, uint64_t *alone, uint64_t *in_plan)
{
    for (size_t row = 0; row < model_sample(model).rows; row++) {
        const struct plan *p = model_arm_at(model, best_of(row, use, lambda));
        for (size_t k = 0; k < p->member_count; k++)
            (p->member_count > 1 ? in_plan : alone)[p->members[k]]++;
    }
}

static void expect(const uint64_t *alone, const uint64_t *in_plan)
{
    for (size_t i = 0; i < EXPERTS; i++) {
        size_t at = model_expert_index(model, config->experts[i].name);
        cr_expect_eq(asked[i].alone, alone[at], "%zu alone", i);
        cr_expect_eq(asked[i].in_plan, in_plan[at], "%zu in plans", i);
        cr_expect_eq(pool_never_asks(&asked[i]), asked[i].in_use && !alone[at] && !in_plan[at]);
    }
}

Test(pool_asked, counts_are_those_of_all_decisions_at_the_lambdas, .fini = end)
{
    uint64_t alone[EXPERTS] = {0}, in_plan[EXPERTS] = {0};
    bool use[MODEL_ARMS_MAX];
    begin(SERVE_TEST_EXPERTS "policies: {a: {lambda: 20}, b: {lambda: 900}, c: {plans: none}}\n");
    for (size_t i = 0; i < model_arm_count(model); i++)
        use[i] = true;
    count(20, use, alone, in_plan);
    count(900, use, alone, in_plan);
    for (size_t i = EXPERTS; i < model_arm_count(model); i++)
        use[i] = false;
    count(0, use, alone, in_plan);
    cr_assert(in_plan[0] + in_plan[1] + in_plan[2] > 0, "no plan was ever chosen");
    expect(alone, in_plan);
    cr_expect_eq(decisions, 3 * model_sample(model).rows);
}

Test(pool_asked, a_budget_counts_around_its_lambda, .fini = end)
{
    static const double times[] = POOL_ASKED_LAMBDAS;
    uint64_t alone[EXPERTS] = {0}, in_plan[EXPERTS] = {0};
    bool use[MODEL_ARMS_MAX];
    begin(SERVE_TEST_EXPERTS "policies: {a: {budget: 0.05}}\n");
    double lambda = budget_cell_lambda(pool->policies[0].live.budget);
    for (size_t i = 0; i < model_arm_count(model); i++)
        use[i] = true;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        count(lambda * times[i], use, alone, in_plan);
    expect(alone, in_plan);
}

/* At a price above the dear one's, mid is worse and dearer: nobody asks it, and it is said who is better. */
Test(pool_asked, who_is_dearer_and_worse_is_never_asked, .fini = end)
{
    begin(
        "experts:\n"
        "  - {name: cheap, url: 'http://127.0.0.1:1'}\n"
        "  - {name: mid, url: 'http://127.0.0.1:1', price: {input: 1000, output: 1000}}\n"
        "  - {name: dear, url: 'http://127.0.0.1:1'}\n"
        "policies: {a: {lambda: 20}, b: {lambda: 900}, c: {min_quality: 0.8}, d: {budget: 0.1}}\n");
    cr_expect(pool_never_asks(&asked[1]));
    cr_expect_eq(asked[1].better, 2);
    cr_expect_gt(asked[1].usd_per_1k, asked[2].usd_per_1k);
    cr_expect(!pool_never_asks(&asked[0]) && !pool_never_asks(&asked[2]));
}

/* Who is in no policy is there to be asked by name. */
Test(pool_asked, who_is_in_no_policy_is_not_in_use, .fini = end)
{
    begin(SERVE_TEST_EXPERTS "policies: {a: {lambda: 20, experts: [cheap, dear]}}\n");
    cr_expect(!asked[1].in_use && !pool_never_asks(&asked[1]));
    cr_expect_eq(asked[1].alone + asked[1].in_plan, 0);
}

/* A cap below what anybody costs leaves nobody to choose. */
Test(pool_asked, a_cap_that_nobody_meets_asks_nobody, .fini = end)
{
    begin(SERVE_TEST_EXPERTS "policies: {a: {lambda: 20, max_cost: 0.000000001}}\n");
    struct buf why;
    buf_init(&why, 1000);
    for (size_t i = 0; i < EXPERTS; i++) {
        buf_clear(&why);
        pool_asked_explain(pool, &asked[i], i, &why);
        cr_expect(pool_never_asks(&asked[i]));
        cr_expect(str_equal(buf_str(&why), STR("dearer than max_cost at every query")), "%.*s",
                  STR_FMT(buf_str(&why)));
    }
    buf_done(&why);
}
