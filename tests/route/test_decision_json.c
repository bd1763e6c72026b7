/* A decision as the ledger keeps it: sound JSON with the choice's own numbers, in whatever room there is. */
#include "route/decision_json.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/json.h"
#include "base/money.h"
#include "route/silences.h"
#include "route/slow_encoder.h"
#include "serve/serve_test.h"

static struct model *model;
static struct config *config;
static struct pool *pool;
static struct arena *arena;
static struct pool_choice choice;

static void begin(struct model *m, const char *policies)
{
    struct error err = {0};
    char yaml[1024];
    struct openai_request request;
    struct pool_target target;
    model = m;
    snprintf(yaml, sizeof(yaml), SERVE_TEST_EXPERTS "%s", policies);
    config = serve_test_config(model, yaml);
    arena = arena_create(1 << 20);
    const struct pool_settings settings = config_pool_settings(config);
    cr_assert_eq(pool_create(&settings, model, &pool, &err), OK, "%s", err.text);
    cr_assert_eq(openai_request_parse(STR("{\"text\":\"hello cat sum two hello\"}"), false, arena,
                                      &request, NULL, &err),
                 OK);
    cr_assert_eq(pool_target_find(pool, STR("leeroo"), &target, &err), OK);
    cr_assert_eq(serve_test_choose(pool, &request, target, arena, &choice, &err), OK, "%s",
                 err.text);
}

static void end(void)
{
    pool_free(pool);
    arena_free(arena);
    config_free(config);
    model_free(model);
}

static struct json_value written(struct buf *out, size_t limit)
{
    struct json_value root = {0};
    struct error err = {0};
    buf_init(out, limit);
    decision_write(pool, &choice, out);
    cr_assert_eq(out->status, OK);
    cr_assert_eq(json_parse(buf_str(out), "decision", 1, &root, &err), OK, "%s in %s", err.text,
                 out->ptr);
    return root;
}

static void expect_estimate(struct json_value root, size_t arm)
{
    char name[64];
    struct json_iter it;
    struct json_value quality, cost;
    const struct estimate *e = &choice.estimates[arm];
    double found = 0;
    int64_t nano = 0;
    snprintf(name, sizeof(name), "%.*s", STR_FMT(pool_arm_at(pool, arm)->name));
    it = json_iter_begin(json_get(json_get(root, "estimates"), name));
    cr_assert(json_array_next(&it, &quality), "no estimate of %s", name);
    cr_assert(json_array_next(&it, &cost));
    cr_assert_eq(json_to_double(quality, &found), OK);
    cr_assert_float_eq(found, (double)e->quality, 5.1e-7);
    cr_assert_eq(money_parse_usd(cost.raw, &nano), OK);
    cr_assert_eq(nano, e->cost_nano_usd, "money is exact");
}

Test(decision, has_the_numbers_it_was_made_of)
{
    struct buf out;
    begin(serve_test_plan_model(false),
          "policies: {default: {lambda: 1000, experts: [cheap, mid]}}\n");
    struct json_value root = written(&out, 4096), checksum = json_get(root, "model_checksum");
    char expected[20];
    snprintf(expected, sizeof(expected), "\"%016llx\"", (unsigned long long)model_checksum(model));
    cr_expect(str_equal(checksum.raw, str_from(expected)));
    for (size_t expert = 0; expert < config->expert_count; expert++)
        expect_estimate(root, expert);
    expect_estimate(root, choice.decision.arm);
    cr_expect(json_string_equal(json_get(json_get(root, "ruled_out"), "dear"),
                                STR("not in this policy")));
    struct json_iter it = json_iter_begin(json_get(root, "members"));
    struct json_value member;
    cr_assert(json_array_next(&it, &member));
    cr_expect(json_string_equal(member, pool_arm_at(pool, choice.order[0])->name));
    buf_done(&out);
    end();
}

Test(decision, stays_sound_in_any_room)
{
    struct buf out;
    begin(serve_test_plan_model(false), "policies: {default: {lambda: 0}}\n");
    for (size_t limit = 1024; limit < 4096; limit += 100) {
        (void)written(&out, limit);
        buf_done(&out);
    }
    end();
}

Test(decision, writes_every_amount_as_money_does)
{
    static const int64_t amounts[] = {0, 1, 999999999, 1000000000, 123456789012345678, INT64_MAX};
    struct buf out, money;
    begin(serve_test_model(), "policies: {default: {lambda: 0}}\n");
    for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
        choice.decision.cost_nano_usd = amounts[i];
        struct json_value root = written(&out, 4096);
        buf_init(&money, 64);
        money_format_usd(&money, amounts[i]);
        cr_expect(str_equal(json_get(root, "cost_usd").raw, buf_str(&money)), "%s", out.ptr);
        buf_done(&money);
        buf_done(&out);
    }
    end();
}

Test(decision_json, an_encoder_that_answers_late_is_named_with_what_it_did)
{
    struct buf out;
    begin(serve_test_model(), "");
    cr_assert_eq(json_get(written(&out, 1 << 16), "encoders").type, JSON_NONE);
    buf_done(&out);
    slow_encoder_put(model);
    struct json_value said = json_get(written(&out, 1 << 16), "encoders");
    cr_assert(json_string_equal(json_get(said, "ngram"), STR("spoke")));
    buf_done(&out);
    cr_assert(!silences_any(&choice));
    cr_assert_eq(silences_header(pool, &choice, arena).len, 0);
    choice.silences[0] = ENCODE_LATE;
    said = json_get(written(&out, 1 << 16), "encoders");
    cr_assert(json_string_equal(json_get(said, "ngram"), STR("late")));
    buf_done(&out);
    cr_assert(silences_any(&choice));
    cr_assert(str_equal(silences_header(pool, &choice, arena), STR("ngram=late")));
    end();
}
