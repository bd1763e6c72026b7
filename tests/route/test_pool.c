/* A pool out of a model and a list of experts, as whoever has no leeroo.yaml makes it. */
#include <criterion/criterion.h>
#include <string.h>

#include "route/pool.h"
#include "serve/serve_test.h"

static const struct route_policy policies[] = {{.name = {"best", 4}},
                                               {.name = {"thrift", 6}, .policy = {.lambda = 1e9}}};

/* At the prices that the model was trained with. */
static struct expert expert_named(const struct model *m, const char *name)
{
    size_t i = model_expert_index(m, str_from(name));
    return (struct expert){.name = str_from(name), .price = model_expert_at(m, i)->price};
}

Test(pool, a_pool_needs_no_configuration)
{
    struct model *m = serve_test_model();
    const struct expert experts[] = {expert_named(m, "dear"), expert_named(m, "cheap")};
    const struct pool_settings settings = {
        .experts = experts, .expert_count = 2, .policies = policies, .policy_count = 2};
    struct pool *p = NULL;
    struct pool_target t;
    struct error err = {0};
    cr_assert_eq(pool_create(&settings, m, &p, &err), OK, "%s", err.text);
    cr_expect_eq(pool_arm_count(p), 2);
    cr_expect(str_equal(pool_arm_at(p, 1)->name, STR("cheap")));
    cr_expect(pool_settings(p)->experts == experts && pool_model(p) == m);
    cr_assert_eq(pool_target_find(p, STR("leeroo/thrift"), &t, &err), OK);
    cr_expect(t.policy == 1 && t.expert == SIZE_MAX);
    cr_assert_eq(pool_target_find(p, STR("dear"), &t, &err), OK);
    cr_expect(t.policy == SIZE_MAX && t.expert == 0);
    pool_free(p);
    model_free(m);
}

Test(pool, what_the_model_does_not_have_is_an_error)
{
    struct model *m = serve_test_model();
    const struct expert stranger = {.name = STR("nobody")}, known = expert_named(m, "mid");
    const struct route_policy odd = {.name = STR("odd"), .plans = STR("panel(x,y->z)")};
    const struct pool_settings rows[] = {
        {.experts = &stranger, .expert_count = 1, .policies = policies, .policy_count = 1},
        {.experts = &known, .expert_count = 1, .policies = &odd, .policy_count = 1},
    };
    static const char *const words[] = {"'nobody'", "panel(x,y->z)"};
    for (size_t i = 0; i < 2; i++) {
        struct pool *p = NULL;
        struct error err = {0};
        cr_expect_eq(pool_create(&rows[i], m, &p, &err), ERR_NOT_FOUND);
        cr_expect(!p && strstr(err.text, words[i]), "%s", err.text);
    }
    model_free(m);
}
