/* Drift in words and in JSON, of figures made by hand. */
#include "print/drift_output.h"

#include <math.h>

#include "base/json.h"
#include "plan/plan_set.h"

static struct plan_set_fixture fixture;
static const struct drift_test nothing = {.p = NAN, .floor = 0.02};
static struct drift_expert found[PLAN_SET_EXPERTS];
static struct drift_input input = {.expert_count = PLAN_SET_EXPERTS, .alpha = 0.05};

static void begin(void)
{
    fixture = plan_set_make();
    plan_set_train(&fixture, NULL);
    for (size_t e = 0; e < PLAN_SET_EXPERTS; e++)
        found[e] = (struct drift_expert){.quality = nothing,
                                         .length = nothing,
                                         .usd = NAN,
                                         .usd_ratio = NAN,
                                         .usd_ratio_error = NAN};
    found[0].rows = 12;
    found[2] = (struct drift_expert){.basis = DRIFT_PAIRED,
                                     .rows = 200,
                                     .score = 0.5,
                                     .estimated = 0.75,
                                     .quality = {.difference = -0.24,
                                                 .error = 0.03,
                                                 .z = -8,
                                                 .floor = 0.02,
                                                 .rows = 200,
                                                 .p = 1e-9,
                                                 .drifted = true},
                                     .length = nothing,
                                     .usd = 0.002,
                                     .usd_ratio = 0.5,
                                     .usd_ratio_error = 0.04};
}

static void end(void)
{
    plan_set_done(&fixture);
}

TestSuite(drift_output, .init = begin, .fini = end);

static char *print(bool json)
{
    char *text = NULL;
    size_t len = 0;
    struct error err = {0};
    const struct drift_told told = {"my.leeroo", "data/new", fixture.model, &input, found, 7};
    FILE *out = open_memstream(&text, &len);
    cr_assert_not_null(out);
    cr_assert_eq(drift_print(&told, json, out, &err), OK, "%s", err.text);
    fclose(out);
    return text;
}

Test(drift_output, who_has_drifted_comes_first_with_the_mend)
{
    char *text = print(false);
    const char *c = strstr(text, "\nc "), *a = strstr(text, "\na ");
    cr_assert(c && a && c < a, "%s", text);
    cr_expect_not_null(strstr(text, "-24.0 ±  3.0"), "%s", text);
    cr_expect_not_null(strstr(text, "worse than expected"));
    cr_expect_not_null(strstr(text, "too few outcomes to say"));
    cr_expect_not_null(strstr(text, "7 questions were left out"));
    cr_expect_not_null(strstr(text, "1 of 2 has drifted"));
    cr_expect_not_null(strstr(text, "about 0.4 USD"), "%s", text);
    cr_expect_not_null(strstr(text, "leeroo enroll my.leeroo --expert c --replace new"));
    cr_expect_not_null(strstr(text, "leeroo enroll my.leeroo --expert c --replace data/new\n"),
                       "%s", text);
    cr_expect_not_null(strstr(text, "--expert c --replace --suggest 200 --from QUERIES -o ask"),
                       "what it answered as it was may be asked again");
    cr_expect_not_null(strstr(text, "leeroo collect ask.jsonl -c leeroo.yaml --experts c -o new\n"),
                       "nobody else is asked");
    cr_expect_null(strstr(text, "\nb "), "nothing is known of it");
    free(text);
}

Test(drift_output, json_has_null_for_what_is_unknown)
{
    char *text = print(true);
    struct json_value root, item;
    cr_assert_eq(json_parse(str_from(text), "drift", 1, &root, NULL), OK);
    struct json_iter it = json_iter_begin(json_get(root, "experts"));
    cr_assert(json_array_next(&it, &item));
    cr_expect(json_string_equal(json_get(item, "expert"), STR("c")));
    cr_expect_eq(json_get(item, "drifted").type, JSON_TRUE);
    cr_expect_eq(json_get(json_get(item, "length"), "p").type, JSON_NULL);
    cr_assert(json_array_next(&it, &item));
    cr_expect_eq(json_get(item, "usd_ratio").type, JSON_NULL);
    cr_expect(!json_array_next(&it, &item));
    free(text);
}
