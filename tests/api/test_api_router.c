/* Routers and estimates. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "api_test.h"

static struct leeroo_offer offer(const char *name)
{
    struct leeroo_offer o = LEEROO_OFFER_INIT;
    o.expert = name;
    return o;
}

static double cost_of(const struct leeroo_router *r, const char *text, size_t arm)
{
    struct leeroo_query q = api_test_query(text);
    struct leeroo_estimates *e = NULL;
    struct leeroo_estimate x = LEEROO_ESTIMATE_INIT;
    struct leeroo_error err;
    cr_assert_eq(leeroo_estimate(r, &q, &e, &err), LEEROO_OK, "%s", err.text);
    cr_assert_eq(leeroo_estimates_get(e, arm, &x, &err), LEEROO_OK, "%s", err.text);
    leeroo_estimates_free(e);
    return (double)x.cost_nano_usd;
}

Test(api_router, offers_name_experts_and_their_prices)
{
    struct leeroo_model *m = api_test_model();
    struct leeroo_router *all = NULL, *some = NULL;
    struct leeroo_error err;
    struct leeroo_offer offers[2] = {offer("dear"), offer("mid")};
    offers[1].priced = 1;
    offers[1].input_nano_usd_per_m = offers[1].output_nano_usd_per_m = 0;
    cr_assert_eq(leeroo_router_create(m, NULL, 0, &all, &err), LEEROO_OK);
    cr_assert_eq(leeroo_router_create(m, offers, 2, &some, &err), LEEROO_OK, "%s", err.text);
    leeroo_model_free(m);
    cr_expect_eq(cost_of(some, "hello cat", 2), cost_of(all, "hello cat", 2));
    cr_expect_gt(cost_of(all, "hello cat", 1), 0);
    cr_expect_eq(cost_of(some, "hello cat", 1), 0, "free of charge here");
    leeroo_router_free(some);
    leeroo_router_free(all);
    leeroo_router_free(NULL);
}

Test(api_router, bad_offers_are_refused)
{
    struct leeroo_model *m = api_test_model();
    struct leeroo_router *r = NULL;
    struct leeroo_error err;
    struct leeroo_offer twice[2] = {offer("mid"), offer("mid")}, nobody = offer("nobody"),
                        negative = offer("mid"), nameless = offer(NULL), sizeless = offer("mid");
    negative.input_nano_usd_per_m = -1;
    sizeless.size = 0;
    cr_expect_eq(leeroo_router_create(m, twice, 2, &r, &err), LEEROO_ERR_INPUT);
    cr_expect_eq(leeroo_router_create(m, &nobody, 1, &r, &err), LEEROO_ERR_NOT_FOUND);
    cr_expect_str_eq(err.text, "the model has no expert 'nobody'; it has cheap, mid, dear");
    cr_expect_eq(leeroo_router_create(m, &negative, 1, &r, &err), LEEROO_ERR_INPUT);
    cr_expect_eq(leeroo_router_create(m, &nameless, 1, &r, &err), LEEROO_ERR_INPUT);
    cr_expect_eq(leeroo_router_create(m, &sizeless, 1, &r, &err), LEEROO_ERR_INPUT);
    cr_expect_eq(leeroo_router_create(NULL, NULL, 0, &r, &err), LEEROO_ERR_INPUT);
    cr_expect_null(r);
    leeroo_model_free(m);
}

Test(api_router, arms_whose_members_are_not_offered_have_no_estimates)
{
    struct leeroo_model *m = api_test_model();
    struct leeroo_router *r = NULL;
    struct leeroo_estimates *e = NULL;
    struct leeroo_estimate x = LEEROO_ESTIMATE_INIT;
    struct leeroo_offer offers[2] = {offer("cheap"), offer("dear")};
    struct leeroo_query q = api_test_query("hello cat");
    cr_assert_eq(leeroo_router_create(m, offers, 2, &r, NULL), LEEROO_OK);
    cr_assert_eq(leeroo_estimate(r, &q, &e, NULL), LEEROO_OK);
    leeroo_router_free(r);
    cr_expect_eq(leeroo_estimates_get(e, 0, &x, NULL), LEEROO_OK);
    cr_expect(x.quality > 0 && x.quality <= 1 && x.input_tokens > 0);
    cr_expect_eq(leeroo_estimates_get(e, 1, &x, NULL), LEEROO_ERR_INPUT, "mid");
    size_t panel = leeroo_model_arm_index(m, "panel(cheap,mid→dear)");
    cr_expect_eq(leeroo_estimates_get(e, panel, &x, NULL), LEEROO_ERR_INPUT);
    cr_expect_eq(leeroo_estimates_get(e, 4096, &x, NULL), LEEROO_ERR_INPUT);
    leeroo_estimates_free(e);
    leeroo_estimates_free(NULL);
    leeroo_model_free(m);
}

Test(api_router, choices_are_lines_below_the_text)
{
    struct leeroo_router *r = api_test_router();
    const char *const choices[] = {"a cat", "a lemma"};
    struct leeroo_query q = api_test_query("hello"),
                        lines = api_test_query("hello\nA. a cat\nB. a lemma");
    struct leeroo_estimates *e = NULL, *f = NULL;
    struct leeroo_estimate x = LEEROO_ESTIMATE_INIT, y = LEEROO_ESTIMATE_INIT;
    q.choices = choices;
    q.choice_count = 2;
    cr_assert_eq(leeroo_estimate(r, &q, &e, NULL), LEEROO_OK);
    cr_assert_eq(leeroo_estimate(r, &lines, &f, NULL), LEEROO_OK);
    cr_assert_eq(leeroo_estimates_get(e, 0, &x, NULL), LEEROO_OK);
    cr_assert_eq(leeroo_estimates_get(f, 0, &y, NULL), LEEROO_OK);
    cr_expect_eq(memcmp(&x, &y, sizeof(x)), 0);
    leeroo_estimates_free(e);
    leeroo_estimates_free(f);
    leeroo_router_free(r);
}

Test(api_router, bad_queries_are_refused)
{
    struct leeroo_router *r = api_test_router();
    const char *const holes[] = {"a cat", NULL};
    struct leeroo_query none = api_test_query(NULL), many = api_test_query("x"),
                        hole = api_test_query("x"), long_one = api_test_query("x");
    struct leeroo_estimates *e = NULL;
    struct leeroo_error err;
    many.choices = hole.choices = holes;
    many.choice_count = LEEROO_CHOICES_MAX + 1;
    hole.choice_count = 2;
    long_one.text_bytes = LEEROO_TEXT_BYTES_MAX + 1;
    cr_expect_eq(leeroo_estimate(r, &none, &e, &err), LEEROO_ERR_INPUT);
    cr_expect_eq(leeroo_estimate(r, &many, &e, &err), LEEROO_ERR_TOO_LARGE);
    cr_expect_eq(leeroo_estimate(r, &hole, &e, &err), LEEROO_ERR_INPUT);
    cr_expect_eq(leeroo_estimate(r, &long_one, &e, &err), LEEROO_ERR_TOO_LARGE);
    cr_expect_eq(leeroo_estimate(NULL, &none, &e, &err), LEEROO_ERR_INPUT);
    cr_expect_null(e);
    leeroo_router_free(r);
}

static void *estimate_often(void *arg)
{
    const double *wanted = arg;
    for (int i = 0; i < 200; i++)
        if (cost_of(*(struct leeroo_router *const *)(const void *)(wanted + 1), "prove lemma", 2) !=
            *wanted)
            return arg;
    return NULL;
}

Test(api_router, threads_share_one)
{
    struct leeroo_router *r = api_test_router();
    struct {
        double wanted;
        struct leeroo_router *router;
    } arg = {cost_of(r, "prove lemma", 2), r};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, estimate_often, &arg), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        cr_expect_null(wrong);
    }
    leeroo_router_free(r);
}
