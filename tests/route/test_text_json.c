/* The words of `leeroo route`. */
#include "route/text_json.h"

#include <criterion/criterion.h>

#include "serve/serve_test.h"

Test(text_json, names_figures_and_refusals_are_spelled_as_documented)
{
    struct model *m = serve_test_model();
    struct text_router *r = NULL;
    struct text_policy *p = NULL;
    struct estimate estimates[MODEL_ARMS_MAX] = {
        {.quality = 0.5f, .cost_nano_usd = 4100000}, {.quality = 0.25f}, {.quality = 1.0f}};
    const bool use[] = {true, false, true};
    const struct text_policy_settings s = {.use = use};
    const struct decision d = {.arm = 0, .quality = 0.5, .cost_nano_usd = 4100000, .lambda = 12.5};
    struct str id = STR("a\"b");
    struct buf out;
    buf_init(&out, 4096);
    cr_assert_eq(text_router_create(m, true, &r, NULL), OK);
    cr_assert_eq(text_policy_create(r, &s, &p, NULL), OK);
    text_json_decision(p, &id, &d, &out);
    text_json_estimates(p, estimates, &out);
    cr_expect_str_eq(out.ptr,
                     "{\"id\": \"a\\\"b\", \"plan\": \"single\", \"expert\": \"cheap\", "
                     "\"quality\": 0.5, \"cost_usd\": 0.004100000, \"lambda\": 12.5, "
                     "\"estimates\": {\"cheap\": [0.5, 0.004100000], \"dear\": [1, 0.000000000]}");
    buf_clear(&out);
    text_json_refusal(NULL, 2, &out);
    cr_expect_str_eq(out.ptr, "{\"plan\": \"none\", \"expert\": null, \"quality\": null, "
                              "\"cost_usd\": null, \"lambda\": 2");
    buf_done(&out);
    text_policy_free(p);
    text_router_free(r);
    model_free(m);
}
