/* The file of what checks have said: written and read back, and what is refused. */
#include <criterion/criterion.h>

#include "plan/check_record.h"

static struct str names[] = {{"cheap", 5}, {"dear", 4}};

Test(check_state, is_read_as_it_was_written)
{
    struct check_tally a[2] = {{0}}, b[2] = {{0}};
    struct check_record from = {.count = 2, .names = names, .experts = a};
    struct check_record to = {.count = 2, .names = names, .experts = b};
    struct error err = {0};
    struct buf text;
    for (int i = 0; i < 7; i++)
        check_record_observe(&from, (size_t)(i % 2), i % 3, 0.4);
    check_record_feedback(&from, true, 0.75);
    buf_init(&text, CHECK_STATE_BYTES_MAX);
    check_state_write(&text, &(struct check_named){STR("code"), &from}, 1);
    cr_assert_eq(
        check_state_parse(buf_str(&text), "f", &(struct check_named){STR("code"), &to}, 1, &err),
        OK, "%s", err.text);
    cr_expect_eq(to.answers, 8);
    cr_expect(to.passed_good == from.passed_good);
    cr_expect_arr_eq(a, b, sizeof(a));
    buf_done(&text);
}

#define FILE_OF(policies) "{\"format\":\"leeroo-checks\",\"version\":1,\"policies\":" policies "}"
#define SUMS                                                                                       \
    "\"answers\":3,\"passed_good\":1,\"passed_bad\":0,\"rejected_good\":0,"                        \
    "\"rejected_bad\":0,"

Test(check_state, what_is_damaged_is_refused_and_fills_nothing)
{
    static const struct {
        const char *text, *says;
    } all[] = {
        {"{", "f:1"},
        {"{}", "is not a file"},
        {"{\"format\":\"leeroo-checks\",\"version\":2,\"policies\":{}}", "another version"},
        {FILE_OF("[]"), "policies must be an object"},
        {FILE_OF("{\"code\":1}"), "must be an object"},
        {FILE_OF("{\"code\":{}}"), "answers must be"},
        {FILE_OF("{\"code\":{\"answers\":1}}"), "a sum is missing"},
        {FILE_OF("{\"code\":{" SUMS "\"experts\":{\"cheap\":[1,2,0]}}}"), "passes no more"},
        {FILE_OF("{\"code\":{" SUMS "\"experts\":{\"cheap\":[1,1]}}}"), "passes no more"},
        {FILE_OF("{\"code\":{" SUMS "\"experts\":{\"cheap\":[2,1,1]}},\"x\":{\"answers\":-1}}"),
         "answers must be"},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct check_tally t[2] = {{0}};
        struct check_record r = {.count = 2, .names = names, .experts = t};
        struct error err = {0};
        cr_expect_neq(check_state_parse(str_from(all[i].text), "f",
                                        &(struct check_named){STR("code"), &r}, 1, &err),
                      OK, "%s", all[i].text);
        cr_expect(strstr(err.text, all[i].says), "%s: %s", all[i].text, err.text);
        cr_expect(r.answers == 0 && t[0].checks == 0);
    }
}

Test(check_state, unknown_policies_and_experts_are_passed_over)
{
    struct check_tally t[2] = {{0}};
    struct check_record r = {.count = 2, .names = names, .experts = t};
    struct error err = {0};
    cr_assert_eq(check_state_parse(STR(FILE_OF("{\"code\":{" SUMS
                                               "\"experts\":{\"gone\":[2,1,1],\"dear\":[2,1,1]}},"
                                               "\"other\":{" SUMS "\"experts\":{}}}")),
                                   "f", &(struct check_named){STR("code"), &r}, 1, &err),
                 OK, "%s", err.text);
    cr_expect_eq(t[1].checks, 2);
    cr_expect_eq(r.answers, 3);
}
