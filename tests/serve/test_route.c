/* POST /v1/route: every number of a decision, and no call. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "predict/model.h"
#include "stage.h"

#define POLICIES "policies: {default: {lambda: 1000}, some: {lambda: 0, experts: [cheap, mid]}}\n"
#define EASY     "{\"text\":\"hello cat sum two hello\"}"
#define HARD(to) "{\"model\":\"" to "\",\"prompt\":\"prove lemma tensor quantum prove\"}"

static char *answer;
static struct json_value decision;

static void route(struct stage *s, const char *body)
{
    struct error err = {0};
    free(answer);
    answer = stage_ask(s, "/v1/route", body);
    cr_assert(str_starts(str_from(answer), STR("HTTP/1.1 200 ")), "%s", answer);
    cr_assert_eq(
        json_parse(str_from(strstr(answer, "\r\n\r\n") + 4), "decision", 1, &decision, &err), OK,
        "%s: %s", err.text, answer);
}

static void expect_text(const char *key, const char *value)
{
    cr_expect(json_string_equal(json_get(decision, key), str_from(value)), "%s is not %s: %s", key,
              value, answer);
}

static void expect_raw(const char *key, const char *value)
{
    cr_expect(str_equal(json_get(decision, key).raw, str_from(value)), "%s is not %s: %s", key,
              value, answer);
}

Test(route, tells_what_it_would_do_and_why)
{
    struct stage *s = stage_begin(NULL, POLICIES);
    route(s, EASY);
    expect_text("plan", "single");
    expect_text("expert", "cheap");
    expect_text("policy", "default");
    expect_raw("lambda", "1000");
    expect_raw("ruled_out", "{}");
    route(s, HARD("leeroo/some"));
    expect_text("expert", "mid");
    expect_text("policy", "some");
    expect_raw("fallbacks", "[\"cheap\"]");
    expect_raw("ruled_out", "{\"dear\":\"not in this policy\"}");
    cr_expect(strstr(answer, "x-leeroo-request-id: req_"));
    for (int e = 0; e < STAGE_EXPERTS; e++)
        cr_expect_eq(stage_asked(s, (enum stage_expert)e), 0);
    free(answer);
    stage_end(s);
}

Test(route, the_chosen_experts_estimate_is_the_decisions)
{
    struct stage *s = stage_begin(NULL, POLICIES);
    char pair[80], checksum[32];
    route(s, HARD("leeroo"));
    struct json_value quality = json_get(decision, "quality"),
                      cost = json_get(decision, "cost_usd");
    snprintf(pair, sizeof(pair), "[%.*s,%.*s]", STR_FMT(quality.raw), STR_FMT(cost.raw));
    decision = json_get(decision, "estimates");
    expect_raw("dear", pair);
    route(s, HARD("leeroo"));
    snprintf(checksum, sizeof(checksum), "%016llx", (unsigned long long)model_checksum(s->model));
    expect_text("model_checksum", checksum);
    free(answer);
    stage_end(s);
}

Test(route, an_expert_asked_by_name_has_no_policy_and_no_fallback)
{
    struct stage *s = stage_begin(NULL, POLICIES);
    route(s, HARD("cheap"));
    expect_text("expert", "cheap");
    expect_raw("policy", "null");
    expect_raw("fallbacks", "[]");
    free(answer);
    stage_end(s);
}

Test(route, mistakes)
{
    struct stage *s = stage_begin(", capabilities: []", POLICIES "limits: {body: 4KiB}\n");
    stage_expect(s, "/v1/route", "{\"text\":", 400, "request body:1:9", NULL);
    stage_expect(s, "/v1/route", HARD("gpt"), 404, "\"param\":\"model\"",
                 "\"code\":\"model_not_found\"", "'gpt' does not exist", NULL);
    stage_expect(s, "/v1/route",
                 "{\"tools\":[{}],\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", 400,
                 "cheap: no tools", NULL);
    stage_expect(s, "/v1/route", "{}", 400, "\"error\"", NULL);
    stage_end(s);
}

Test(route, shows_plans_and_what_they_may_cost)
{
    struct stage *s = stage_begin_plan(NULL, SERVE_TEST_PANEL);
    route(s, "{\"text\":\"hello cat\"}");
    expect_text("plan", SERVE_TEST_PANEL);
    expect_text("expert", "cheap");
    expect_raw("members", "[\"cheap\",\"mid\",\"dear\"]");
    expect_raw("fallbacks", "[]");
    struct json_value about = json_get(json_get(decision, "plans"), SERVE_TEST_PANEL);
    double escalation = 0, cost = 0, most = 0;
    cr_assert_eq(json_to_double(json_get(about, "escalation"), &escalation), OK, "%s", answer);
    cr_assert_eq(json_to_double(json_get(about, "cost_max_usd"), &most), OK, "%s", answer);
    cr_assert_eq(json_to_double(json_get(decision, "cost_usd"), &cost), OK, "%s", answer);
    cr_expect(escalation > 0 && escalation < 1 && cost > 0 && cost < most, "%s", answer);
    cr_expect_eq(json_get(json_get(decision, "estimates"), SERVE_TEST_PANEL).type, JSON_ARRAY);
    route(s, "{\"text\":\"hello cat\",\"leeroo\":{\"plans\":\"none\"}}");
    expect_text("plan", "single");
    cr_expect(json_string_equal(json_get(json_get(decision, "ruled_out"), SERVE_TEST_PANEL),
                                STR("off in this request")),
              "%s", answer);
    free(answer);
    stage_expect(s, "/v1/route", "{\"text\":\"x\",\"leeroo\":{\"plans\":\"panle\"}}", 400,
                 "\"param\":\"leeroo.plans\"", "panle", NULL);
    stage_end(s);
}
