/* Models: what is refused, and what they say of their experts and arms. */
#include <criterion/criterion.h>
#include <string.h>

#include "api_test.h"

Test(api_model, what_is_no_model_is_refused_with_a_code_and_a_sentence)
{
    struct leeroo_model *m = NULL;
    struct leeroo_error err;
    cr_expect_eq(leeroo_model_load("/nowhere/m.safetensors", &m, &err), LEEROO_ERR_NOT_FOUND);
    cr_expect_not_null(strstr(err.text, "/nowhere/m.safetensors"));
    cr_expect_eq(leeroo_model_load_bytes("nonsense", 8, &m, &err), LEEROO_ERR_CORRUPT);
    cr_expect_eq(leeroo_model_load_bytes("", 0, &m, NULL), LEEROO_ERR_CORRUPT);
    cr_expect_eq(leeroo_model_load(NULL, &m, &err), LEEROO_ERR_INPUT);
    cr_expect_eq(leeroo_model_load_bytes(NULL, 0, &m, &err), LEEROO_ERR_INPUT);
    cr_expect_null(m);
}

Test(api_model, experts_come_first_and_plans_say_whom_they_ask)
{
    struct leeroo_model *m = api_test_model();
    struct leeroo_arm arm = LEEROO_ARM_INIT;
    cr_expect_eq(leeroo_model_expert_count(m), 3);
    cr_assert_gt(leeroo_model_arm_count(m), 3);
    cr_expect_str_eq(leeroo_model_arm_name(m, 2), "dear");
    cr_expect_eq(leeroo_model_arm_index(m, "mid"), 1);
    cr_expect_eq(leeroo_model_arm_index(m, "nobody"), SIZE_MAX);
    cr_expect_eq(leeroo_model_arm_index(m, NULL), SIZE_MAX);
    cr_assert_eq(leeroo_model_arm(m, 1, &arm, NULL), LEEROO_OK);
    cr_expect(arm.kind == LEEROO_SINGLE && arm.member_count == 1 && arm.members[0] == 1);
    size_t panel = leeroo_model_arm_index(m, "panel(cheap,mid→dear)");
    cr_assert_eq(leeroo_model_arm(m, panel, &arm, NULL), LEEROO_OK);
    cr_expect(arm.kind == LEEROO_PANEL && arm.member_count == 3 && !arm.learnt_rule);
    cr_expect_eq(arm.members[2], 2);
    cr_expect_neq(leeroo_model_checksum(m), 0);
    leeroo_model_free(m);
}

Test(api_model, places_out_of_bounds_and_no_model_at_all)
{
    struct leeroo_model *m = api_test_model();
    struct leeroo_arm arm = LEEROO_ARM_INIT;
    struct leeroo_expert x = LEEROO_EXPERT_INIT;
    struct leeroo_error err;
    cr_expect_null(leeroo_model_arm_name(m, leeroo_model_arm_count(m)));
    cr_expect_eq(leeroo_model_arm(m, SIZE_MAX, &arm, &err), LEEROO_ERR_INPUT);
    cr_expect_eq(leeroo_model_expert(m, 3, &x, &err), LEEROO_ERR_INPUT);
    x.size = 0;
    cr_expect_eq(leeroo_model_expert(m, 0, &x, &err), LEEROO_ERR_INPUT);
    arm.size = offsetof(struct leeroo_arm, members) + 2 * sizeof(size_t);
    size_t panel = leeroo_model_arm_index(m, "panel(cheap,mid→dear)");
    cr_expect_eq(leeroo_model_arm(m, panel, &arm, &err), LEEROO_ERR_INPUT, "three members");
    cr_expect_eq(leeroo_model_arm(m, 0, &arm, &err), LEEROO_OK);
    cr_expect_eq(leeroo_model_arm_count(NULL) + leeroo_model_expert_count(NULL), 0);
    cr_expect_null(leeroo_model_arm_name(NULL, 0));
    cr_expect_eq(leeroo_model_arm(NULL, 0, &arm, NULL), LEEROO_ERR_INPUT);
    leeroo_model_free(NULL);
    leeroo_model_free(m);
}

Test(api_model, an_expert_has_its_trained_price)
{
    struct leeroo_model *m = api_test_model();
    struct leeroo_expert x = LEEROO_EXPERT_INIT;
    cr_assert_eq(leeroo_model_expert(m, 2, &x, NULL), LEEROO_OK);
    cr_expect_gt(x.output_nano_usd_per_m, 0);
    cr_expect(x.accuracy > 0 && x.accuracy <= 1 && x.mean_cost_usd > 0 &&
              x.tokens_per_character > 0);
    leeroo_model_free(m);
}
