/* Limits in JSON, as the admin API takes them. Those of the command line are in tests/e2e/test_keys.py. */
#include "keys/keys_limits.h"

#include <criterion/criterion.h>
#include <string.h>

#define NOW_MS INT64_C(1796000000500)

static struct arena *arena;
static struct key_row row;

static void begin(void)
{
    arena = arena_create(1u << 20);
    row = (struct key_row){
        .limits = {.budget_nano_usd = {KEY_UNLIMITED, KEY_UNLIMITED, KEY_UNLIMITED},
                   .requests_per_minute = KEY_UNLIMITED,
                   .tokens_per_minute = KEY_UNLIMITED}};
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(keys_limits, .init = begin, .fini = end);

static void apply(const char *body, bool makes)
{
    struct error err = {0};
    cr_expect_eq(keys_apply_json(str_from(body), makes, NULL, arena, NOW_MS, &row, &err), OK,
                 "%s: %s", body, err.text);
}

static void refused(const char *body, bool makes, const char *part)
{
    struct error err = {0};
    cr_expect_eq(keys_apply_json(str_from(body), makes, NULL, arena, NOW_MS, &row, &err), ERR_INPUT,
                 "%s", body);
    cr_expect(strstr(err.text, part), "%s: %s", body, err.text);
}

Test(keys_limits, json_sets_what_it_says_and_leaves_the_rest)
{
    apply("{\"name\": \"a\\u00e9\", \"role\": \"admin\", \"budget_day_usd\": 2.5, \"experts\": "
          "[\"x\"]}",
          true);
    cr_expect(str_equal(row.name, STR("a\xc3\xa9")) && row.role == KEY_ADMIN);
    cr_expect_eq(row.limits.budget_nano_usd[KEY_DAY], INT64_C(2500000000));
    cr_expect(row.limits.experts.count == 1 && !row.limits.policies.list);
    apply("{\"requests_per_minute\": 6, \"experts\": null, \"expires_ms\": 1796000000999}", false);
    cr_expect_eq(row.limits.budget_nano_usd[KEY_DAY], INT64_C(2500000000));
    cr_expect(row.limits.requests_per_minute == 6 && !row.limits.experts.list);
    cr_expect_eq(row.expires_ms, INT64_C(1796000000000), "the file keeps seconds");
    apply("{\"budget_day_usd\": null, \"requests_per_minute\": null, \"expires_ms\": null, "
          "\"spent_anew\": true}",
          false);
    cr_expect_eq(row.limits.budget_nano_usd[KEY_DAY], KEY_UNLIMITED);
    cr_expect(row.limits.requests_per_minute == KEY_UNLIMITED && row.expires_ms == 0);
    cr_expect_gt(row.spent_anew_ms, NOW_MS);
}

Test(keys_limits, an_empty_list_allows_nothing_and_null_all)
{
    apply("{\"policies\": []}", false);
    cr_expect_not(key_names_have(&row.limits.policies, STR("x")));
    apply("{\"policies\": null}", false);
    cr_expect(key_names_have(&row.limits.policies, STR("x")));
}

Test(keys_limits, json_that_will_not_do)
{
    refused("", true, "request body");
    refused("[]", true, "must be an object");
    refused("{}", false, "says nothing");
    refused("{\"id\": \"key_a\"}", true, "no \"id\" of a key");
    refused("{\"sha256\": null}", false, "no \"sha256\" to change");
    refused("{\"metrics\": true}", true, "\"metrics\"");
    refused("{\"revoked\": null}", false, "\"revoked\"");
    refused("{\"name\": \"a\"}", false, "\"name\"");
    refused("{\"role\": \"admin\"}", false, "\"role\"");
    refused("{\"spent_anew\": true}", true, "\"spent_anew\"");
    refused("{\"role\": \"metrics\", \"experts\": []}", true, "without limits");
    refused("{\"expires_ms\": 1e3}", true, "milliseconds");
    refused("{\"expires_ms\": 253402300800000}", true, "milliseconds");
    refused("{\"budget_day_usd\": 1, \"budget_day_usd\": 2}", true, "there twice");
    refused("{\"tokens_per_minute\": true}", true,
            "request body: tokens_per_minute must be a whole");
}

Test(keys_limits, names_are_those_of_the_configuration)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(
        config_parse(STR("model: m\nexperts:\n  - {name: small, url: \"http://h/v1\", "
                         "price: {input: 1, output: 1}}\npolicies:\n  default: {lambda: 1}\n"),
                     "leeroo.yaml", &c, &err),
        OK, "%s", err.text);
    cr_expect_eq(keys_apply_json(STR("{\"experts\": [\"small\"], \"policies\": [\"default\"]}"),
                                 false, c, arena, NOW_MS, &row, &err),
                 OK, "%s", err.text);
    cr_expect_eq(
        keys_apply_json(STR("{\"experts\": [\"smal\"]}"), false, c, arena, NOW_MS, &row, &err),
        ERR_INPUT);
    cr_expect_str_eq(err.text, "experts: leeroo.yaml has no 'smal'; it has small");
    config_free(c);
}
