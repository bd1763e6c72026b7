/* Estimates that come at once, and those that come later. */
#include "route/estimator.h"

#include <criterion/criterion.h>
#include <string.h>

#include "route/slow_encoder.h"
#include "serve/serve_test.h"

#define SAYS(role, text) "{\"role\":\"" role "\",\"content\":\"" text "\"}"
#define ALONE            "{\"messages\":[" SAYS("user", "prove lemma tensor") "]}"
/* Two messages have their share of what is asked. */
#define FOLLOW_UP                                                                                  \
    "{\"messages\":[" SAYS("user", "prove lemma tensor") "," SAYS("assistant", "42") "," SAYS(     \
        "user", "why cat?") "]}"

static struct model *model;
static struct config *config;
static struct pool *pool;
static struct arena *arena;
static struct estimator *estimator;

static void begin(void)
{
    struct error err = {0};
    model = serve_test_model();
    config = serve_test_config(model, SERVE_TEST_EXPERTS "policies: {default: {lambda: 0}}\n");
    arena = arena_create(1 << 20);
    const struct pool_settings settings = config_pool_settings(config);
    cr_assert_eq(pool_create(&settings, model, &pool, &err), OK, "%s", err.text);
    cr_assert_eq(estimator_create(NULL, &estimator, &err), OK);
}

static void end(void)
{
    estimator_free(estimator);
    pool_free(pool);
    arena_free(arena);
    config_free(config);
    model_free(model);
}

/* A request on its way. */
struct asked {
    struct openai_request request;
    struct request_estimates estimates;
    struct estimating *pending;
    size_t called;
    enum status status;
    struct error err;
};

static void on_done(enum status status, const struct error *err, void *arg)
{
    struct asked *a = arg;
    a->pending = NULL;
    a->called++;
    a->status = status;
    if (status != OK)
        a->err = *err;
}

static enum status ask(struct asked *a, const char *body)
{
    *a = (struct asked){0};
    cr_assert_eq(openai_request_parse(str_from(body), false, arena, &a->request, NULL, &a->err),
                 OK);
    const struct estimator_ask how = {
        .pool = pool, .request = &a->request, .arena = arena, .done = on_done, .arg = a};
    return estimator_begin(estimator, &how, &a->estimates, &a->pending, &a->err);
}

static void expect_equal(const struct asked *a, const struct asked *b)
{
    size_t bytes = pool_arm_count(pool) * sizeof(struct estimate);
    cr_expect_eq(memcmp(a->estimates.arms, b->estimates.arms, bytes), 0);
    cr_expect_eq(a->estimates.characters, b->estimates.characters);
}

Test(estimator, ngrams_answer_at_once)
{
    struct asked a;
    begin();
    cr_assert_eq(ask(&a, ALONE), OK);
    cr_expect(a.called == 0 && !a.pending);
    cr_expect_eq(a.estimates.characters, 18);
    cr_expect_eq(a.estimates.cached_tokens[0], 0);
    end();
}

Test(estimator, later_answers_are_the_same_turn_by_turn)
{
    static const char *const bodies[] = {ALONE, FOLLOW_UP};
    for (size_t turns = 1; turns <= 2; turns++) {
        struct asked now, later;
        begin();
        cr_assert_eq(ask(&now, bodies[turns - 1]), OK);
        slow_encoder_put(model);
        cr_assert_eq(ask(&later, bodies[turns - 1]), AGAIN);
        for (size_t i = 0; i < turns; i++) {
            cr_expect(later.called == 0 && later.pending && slow_encoder_pending() == 1);
            slow_encoder_answer(OK);
        }
        cr_expect_eq(slow_encoder_pending(), 0);
        cr_assert(later.called == 1 && later.status == OK);
        expect_equal(&now, &later);
        end();
    }
}

Test(estimator, whoever_waits_gets_them_from_any_encoder)
{
    struct asked now, waited = {0};
    begin();
    cr_assert_eq(ask(&now, FOLLOW_UP), OK);
    slow_encoder_put(model);
    const struct estimator_ask how = {.pool = pool, .request = &now.request, .arena = arena};
    cr_assert_eq(estimator_begin(estimator, &how, &waited.estimates, NULL, NULL), OK);
    expect_equal(&now, &waited);
    end();
}

Test(estimator, who_is_called_off_hears_nothing)
{
    struct asked a;
    begin();
    slow_encoder_put(model);
    cr_assert_eq(ask(&a, FOLLOW_UP), AGAIN);
    slow_encoder_answer(OK); /* the first of two turns */
    estimating_cancel(a.pending);
    cr_expect_eq(slow_encoder_pending(), 0);
    cr_expect_eq(sem_trywait(&slow_encoder_cancelled), 0);
    cr_expect_eq(a.called, 0);
    estimating_cancel(NULL);
    end();
}

Test(estimator, an_encoder_that_fails_says_why)
{
    struct asked a;
    begin();
    slow_encoder_put(model);
    cr_assert_eq(ask(&a, FOLLOW_UP), AGAIN);
    slow_encoder_answer(OK);
    slow_encoder_answer(ERR_UPSTREAM);
    cr_expect(a.called == 1 && a.status == ERR_UPSTREAM);
    cr_expect_str_eq(a.err.text, "the encoder is away");
    end();
}

/* Each has features of its own while it waits; more than are kept afterwards. */
Test(estimator, requests_wait_side_by_side)
{
    static struct asked a[20], hard, easy;
    begin();
    cr_assert_eq(ask(&hard, "{\"text\":\"prove lemma\"}"), OK);
    cr_assert_eq(ask(&easy, "{\"text\":\"hello cat\"}"), OK);
    slow_encoder_put(model);
    for (size_t i = 0; i < 20; i++)
        cr_assert_eq(ask(&a[i], i % 2 ? "{\"text\":\"hello cat\"}" : "{\"text\":\"prove lemma\"}"),
                     AGAIN);
    estimating_cancel(a[7].pending);
    while (slow_encoder_pending() > 0)
        slow_encoder_answer(OK);
    for (size_t i = 0; i < 20; i++) {
        cr_assert_eq(a[i].called, i != 7);
        if (i != 7)
            expect_equal(&a[i], i % 2 ? &easy : &hard);
    }
    end();
}

Test(estimator, one_estimate_is_chosen_from_twice)
{
    struct asked a;
    struct pool_target target;
    struct pool_choice free, barred;
    struct error err = {0};
    begin();
    slow_encoder_put(model);
    cr_assert_eq(ask(&a, ALONE), AGAIN);
    slow_encoder_answer(OK);
    cr_assert_eq(pool_target_find(pool, STR("leeroo"), &target, &err), OK);
    cr_assert_eq(pool_choose(pool, &a.request, target, &a.estimates, arena, &free, &err), OK);
    const struct pool_bar bar = {"circuit open", ERR_OVERLOAD};
    cr_assert_eq(pool_bar_expert(pool, &target, free.order[0], bar, arena, &err), OK);
    cr_assert_eq(pool_choose(pool, &a.request, target, &a.estimates, arena, &barred, &err), OK);
    cr_expect_neq(free.order[0], barred.order[0]);
    cr_expect_eq(free.estimates, barred.estimates);
    cr_expect_eq(slow_encoder_pending(), 0, "nothing is encoded again");
    end();
}
