/* Handles over a trained model. */
#include "api_test.h"

#include <criterion/criterion.h>

#include "api/api_int.h"
#include "serve/serve_test.h"

struct leeroo_model *api_test_model(void)
{
    struct leeroo_model *m = NULL;
    cr_assert_eq(api_model_wrap(serve_test_plan_model(false), OK, NULL, &m, NULL), LEEROO_OK);
    return m;
}

struct leeroo_router *api_test_router(void)
{
    struct leeroo_router *r = NULL;
    struct leeroo_model *m = api_test_model();
    cr_assert_eq(leeroo_router_create(m, NULL, 0, &r, NULL), LEEROO_OK);
    leeroo_model_free(m);
    return r;
}

struct leeroo_policy *api_test_policy(const struct leeroo_policy_options *options)
{
    struct leeroo_policy *p = NULL;
    struct leeroo_error err;
    struct leeroo_router *r = api_test_router();
    cr_assert_eq(leeroo_policy_create(r, options, &p, &err), LEEROO_OK, "%s", err.text);
    leeroo_router_free(r);
    return p;
}

struct leeroo_query api_test_query(const char *text)
{
    struct leeroo_query q = LEEROO_QUERY_INIT;
    q.text = text;
    return q;
}
