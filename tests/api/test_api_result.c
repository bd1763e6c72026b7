/* Codes, structs of other sizes, locales. */
#include <criterion/criterion.h>
#include <string.h>

#include "api/api_int.h"

Test(api_result, every_status_has_a_code_and_every_code_a_name)
{
    const struct error why = {.text = "because"};
    for (int s = ERR_USAGE; s < STATUS_COUNT; s++) {
        struct leeroo_error err = {0};
        int code = api_result(&err, (enum status)s, &why);
        cr_expect_gt(code, LEEROO_OK);
        cr_expect_leq(code, LEEROO_ERR_INTERNAL);
        cr_expect_eq(err.code, code);
        cr_expect_str_eq(err.text, "because");
        cr_expect_str_neq(leeroo_code_name(code), "unknown");
    }
    cr_expect_eq(api_result(NULL, OK, NULL), LEEROO_OK);
    cr_expect_eq(api_result(NULL, ERR_BUDGET, &why), LEEROO_ERR_BUDGET);
    cr_expect_str_eq(leeroo_code_name(LEEROO_ERR_INTERNAL + 1), "unknown");
    cr_expect_str_eq(leeroo_code_name(-1), "unknown");
    cr_expect_str_eq(leeroo_version(), LEEROO_VERSION);
    cr_expect_eq(leeroo_abi(), LEEROO_ABI);
}

struct small {
    size_t size;
    int a;
    int b;
};
struct large {
    struct small small;
    int c[2];
};

Test(api_result, a_smaller_struct_leaves_the_rest_at_zero_and_a_larger_one_may_say_nothing_more)
{
    struct small small = {sizeof(small), 7, 8}, own_small;
    struct large large = {{sizeof(large), 5, 6}, {0, 0}}, own;
    memset(&own, 0x55, sizeof(own));
    cr_assert(api_struct_take(&own, sizeof(own), &small, small.size));
    cr_expect(own.small.a == 7 && own.small.b == 8 && own.c[0] == 0 && own.c[1] == 0);
    cr_assert(api_struct_take(&own_small, sizeof(own_small), &large, large.small.size));
    cr_expect(own_small.a == 5 && own_small.b == 6);
    large.c[1] = 1;
    cr_expect(!api_struct_take(&own_small, sizeof(own_small), &large, large.small.size));
    cr_expect(!api_struct_take(&own_small, sizeof(own_small), &small, 0));
}

Test(api_result, what_is_given_fits_the_callers_struct_and_keeps_its_size)
{
    const struct large own = {{0, 1, 2}, {3, 4}};
    const struct small own_small = {0, 1, 2};
    struct small small = {sizeof(small), 9, 9};
    struct large large = {{sizeof(large), 9, 9}, {9, 9}};
    cr_assert(api_struct_give(&small, &own, sizeof(own)));
    cr_expect(small.size == sizeof(small) && small.a == 1 && small.b == 2);
    cr_assert(api_struct_give(&large, &own_small, sizeof(own_small)));
    cr_expect(large.small.size == sizeof(large) && large.small.b == 2);
    cr_expect(large.c[0] == 0 && large.c[1] == 0, "unknown here");
    small.size = 0;
    cr_expect(!api_struct_give(&small, &own, sizeof(own)));
}

Test(api_result, refusals_and_memory_are_said)
{
    struct leeroo_error err;
    cr_expect_eq(api_refuse(&err, "no %s", "way"), LEEROO_ERR_INPUT);
    cr_expect_str_eq(err.text, "no way");
    cr_expect_eq(api_refuse(NULL, "no"), LEEROO_ERR_INPUT);
    cr_expect_eq(api_no_memory(&err), LEEROO_ERR_MEMORY);
    leeroo_string_free(NULL);
}

Test(api_result, the_callers_locale_comes_back)
{
    locale_t before = api_locale_enter();
    cr_expect_str_eq(localeconv()->decimal_point, ".");
    api_locale_leave(before);
    cr_expect_eq(uselocale((locale_t)0), before);
}
