/* libleeroo over any model and any text: refused with a sentence, or decided soundly and explained in JSON.
 *
 * An input is a byte of options, a byte that says how long the text is, the text, and the model file. */
#include <leeroo.h>

#include "base/check.h"
#include "base/json.h"
#include "model_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    WITH_LAMBDA = 1,
    WITH_BUDGET = 2,
    WITH_QUALITY = 4,
    CAPPED = 8,
    NO_PLANS = 16,
    ONE_OFFER = 32,
    WITH_CHOICES = 64
};

static void check_json(int code, char *text)
{
    struct json_value value;
    CHECK((code == LEEROO_OK) == (text != NULL));
    CHECK(!text || json_parse(str_from(text), "json", 1, &value, NULL) == OK);
    leeroo_string_free(text);
}

static void check_decision(const struct leeroo_model *m, struct leeroo_policy *p,
                           const struct leeroo_decision *d)
{
    struct leeroo_estimate e = LEEROO_ESTIMATE_INIT;
    char *json = NULL, *why = NULL, *state = NULL;
    size_t arm = leeroo_decision_arm(d);
    CHECK(arm < leeroo_model_arm_count(m) && leeroo_decision_considers(d, arm));
    CHECK(leeroo_decision_estimate(d, arm, &e, NULL) == LEEROO_OK);
    CHECK(e.quality >= 0 && e.quality <= 1 && e.cost_nano_usd <= e.cost_max_nano_usd);
    CHECK(leeroo_decision_cost_nano_usd(d) == e.cost_nano_usd && e.cost_nano_usd >= 0);
    CHECK(leeroo_decision_fallbacks(d, NULL, 0) < leeroo_model_expert_count(m));
    int code = leeroo_decision_json(d, "id", &json, NULL);
    check_json(code, json);
    code = leeroo_decision_explain(d, &why, NULL);
    check_json(code, why);
    CHECK(leeroo_observe(p, d, -1, NULL) == LEEROO_OK);
    if (leeroo_policy_state(p, &state, NULL) == LEEROO_OK)
        CHECK(leeroo_policy_resume(p, state, NULL) == LEEROO_OK);
    leeroo_string_free(state);
}

static void check_policy(const struct leeroo_model *m, struct leeroo_policy *p, unsigned options,
                         const char *text, size_t bytes)
{
    static const char *const choices[] = {"3", "4"};
    struct leeroo_query q = LEEROO_QUERY_INIT;
    struct leeroo_decision *d = NULL;
    struct leeroo_error err = {0};
    q.text = text;
    q.text_bytes = bytes;
    q.choices = choices;
    q.choice_count = options & WITH_CHOICES ? 2 : 0;
    int code = leeroo_route(p, &q, &d, &err);
    CHECK((code == LEEROO_OK) == (d != NULL));
    CHECK((code == LEEROO_OK) == (err.text[0] == '\0'));
    if (d)
        check_decision(m, p, d);
    leeroo_decision_free(d);
}

static void check_model(const struct leeroo_model *m, unsigned options, const char *text,
                        size_t bytes)
{
    struct leeroo_policy_options o = LEEROO_POLICY_OPTIONS_INIT;
    struct leeroo_offer offer = LEEROO_OFFER_INIT;
    struct leeroo_router *r = NULL;
    struct leeroo_policy *p = NULL;
    offer.expert = leeroo_model_arm_name(m, 0);
    offer.priced = 1;
    offer.output_nano_usd_per_m = INT64_C(1000000000000000000);
    o.lambda = options & WITH_LAMBDA ? 100 : 0;
    o.budget_usd_per_1k = options & WITH_BUDGET ? 0.5 : 0;
    o.min_quality = options & WITH_QUALITY ? 0.5 : 0;
    o.max_cost_nano_usd = options & CAPPED ? 1000000 : 0;
    o.plans = options & NO_PLANS ? "none" : NULL;
    if (leeroo_router_create(m, options & ONE_OFFER ? &offer : NULL, 1, &r, NULL) == LEEROO_OK &&
        leeroo_policy_create(r, &o, &p, NULL) == LEEROO_OK)
        check_policy(m, p, options, text, bytes);
    leeroo_policy_free(p);
    leeroo_router_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t total;
    struct leeroo_model *m = NULL;
    struct leeroo_error err = {0};
    if (size < 2 || data[1] > size - 2)
        return 0;
    char *bytes = model_file_make(data + 2 + data[1], size - 2 - data[1], &total);
    if (!bytes)
        return 0;
    int code = leeroo_model_load_bytes(bytes, total, &m, &err);
    CHECK((code == LEEROO_OK) == (m != NULL));
    CHECK((code == LEEROO_OK) == (err.text[0] == '\0'));
    free(bytes);
    if (m)
        check_model(m, data[0], (const char *)data + 2, data[1]);
    leeroo_model_free(m);
    return 0;
}
