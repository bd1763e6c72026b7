/* Budgets that outlive a configuration: state goes on, the curve is new, and old requests still pay in. */
#include <criterion/criterion.h>

#include "route/budget_cell.h"
#include "route/pool.h"
#include "serve/serve_test.h"

#define EXPERTS SERVE_TEST_EXPERTS

static struct pool *pool_of(const struct model *m, const char *yaml, struct config **config)
{
    struct pool *p = NULL;
    struct error err = {0};
    *config = serve_test_config(m, yaml);
    const struct pool_settings settings = config_pool_settings(*config);
    cr_assert_eq(pool_create(&settings, m, &p, &err), OK, "%s", err.text);
    return p;
}

static struct budget_named budget_of(struct pool *p, size_t index)
{
    struct budget_named all[4];
    size_t count = pool_budgets(p, all);
    cr_assert_lt(index, count);
    return all[index];
}

Test(budget_cell, a_renewed_budget_keeps_its_state_under_the_new_curve)
{
    struct model *m = serve_test_model();
    const struct model_sample sample = model_sample(m);
    struct budget_cell *old = budget_cell_create(&sample, NULL, 0.5);
    struct budget_cell *fresh = budget_cell_create(&sample, NULL, 0.5);
    for (int i = 0; i < 100; i++)
        budget_cell_observe(old, 0.002, 0.001);
    struct budget_state before = budget_cell_state(old);
    budget_cell_renew(old, fresh);
    struct budget_state after = budget_cell_state(old);
    cr_expect_eq(after.queries, 100);
    cr_expect_eq(after.spent_usd, before.spent_usd);
    cr_expect_eq(after.debt, before.debt);
    budget_cell_release(fresh);
    budget_cell_release(old);
    budget_cell_release(NULL);
    model_free(m);
}

Test(budget_cell, pools_share_budgets_of_the_same_name_and_usd)
{
    struct model *m = serve_test_model();
    struct config *c1, *c2;
    struct pool *p1 =
        pool_of(m, EXPERTS "policies: {kept: {budget: 0.5}, moved: {budget: 0.5}}\n", &c1);
    pool_observe(p1, 0, 1000000, 0.001);
    pool_observe(p1, 1, 3000000, 0.001);
    struct pool *p2 = pool_of(
        m, EXPERTS "policies: {fresh: {budget: 0.5}, moved: {budget: 0.6}, kept: {budget: 0.5}}\n",
        &c2);
    pool_budgets_share(p2, p1);
    cr_expect_eq(budget_of(p2, 0).state.queries, 0, "of another name");
    cr_expect_eq(budget_of(p2, 1).state.queries, 0, "of another price");
    cr_expect_eq(budget_of(p2, 2).state.queries, 1);

    pool_observe(p1, 0, 2000000, 0.001); /* a request that began before */
    cr_expect_eq(budget_of(p2, 2).state.queries, 2);
    cr_expect_float_eq(budget_of(p2, 2).state.spent_usd, 0.003, 1e-12);
    pool_free(p1);
    config_free(c1);
    pool_observe(p2, 2, 2000000, 0.001);
    cr_expect_eq(budget_of(p2, 2).state.queries, 3, "it outlives the pool that made it");
    pool_free(p2);
    config_free(c2);
    model_free(m);
}
