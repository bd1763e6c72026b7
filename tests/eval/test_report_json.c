/* The report as JSON. */
#include "base/json.h"
#include "eval/report_write.h"
#include "random_table.h"

static struct json_value write(struct random_table *r, size_t draws, struct buf *out)
{
    struct report_options o = {.draws = draws, .seed = 3};
    struct report report;
    struct json_value v;
    struct error err;
    cr_assert_eq(report_make(&r->table, &o, r->arena, &report, NULL), OK);
    buf_init(out, 1 << 20);
    buf_add_char(out, '{');
    report_write_json(&report, out);
    buf_add_char(out, '}');
    cr_assert_eq(json_parse(buf_str(out), "report", 1, &v, &err), OK, "%s", err.text);
    return v;
}

static double number(struct json_value object, const char *key)
{
    double ret = -1;
    cr_assert_eq(json_to_double(json_get(object, key), &ret), OK, "%s", key);
    return ret;
}

Test(report_json, is_json_with_every_part)
{
    struct random_table r;
    struct buf out;
    random_table_make(&r, 500, 2, 0.8, 1);
    r.names[0] = STR("we \"quote\" \\ this");
    struct json_value v = write(&r, 20, &out);
    cr_assert_eq(number(v, "queries"), 500);
    cr_assert(json_string_equal(json_get(json_get(v, "pair"), "weak"), r.names[0]));
    cr_assert(number(json_get(v, "pair"), "apgr") > 0.5);
    cr_assert(number(json_get(v, "pair"), "cpt80_se") > 0);
    cr_assert_eq(number(json_get(v, "bootstrap"), "draws"), 20);
    struct json_iter it = json_iter_begin(json_get(v, "at_cost"));
    struct json_value at;
    for (size_t i = 0; i < REPORT_FRACTIONS; i++) {
        cr_assert(json_array_next(&it, &at));
        cr_assert_eq(number(at, "fraction"), report_fractions[i]);
    }
    cr_assert(!json_array_next(&it, &at));
    it = json_iter_begin(json_get(v, "keeps"));
    for (size_t i = 0; i < REPORT_KEEPS; i++) {
        cr_assert(json_array_next(&it, &at));
        cr_assert_eq(number(at, "share"), report_keeps[i]);
    }
    cr_assert_eq(json_get(v, "plans").raw.len, 2, "no plans: []");
    buf_done(&out);
    random_table_done(&r);
}

Test(report_json, what_there_is_not_is_null)
{
    struct random_table r;
    struct buf out;
    random_table_make(&r, 100, 3, 0.8, 2);
    r.pool[2] = false;
    struct json_value v = write(&r, 0, &out), first;
    cr_assert_eq(json_get(v, "pair").type, JSON_NULL);
    cr_assert_eq(json_get(json_get(v, "matched"), "share_of_draws").type, JSON_NULL);
    struct json_iter it = json_iter_begin(json_get(v, "curve"));
    cr_assert(json_array_next(&it, &first));
    cr_assert_eq(json_get(first, "lambda").type, JSON_NULL);
    cr_assert(number(first, "accuracy") > 0);
    buf_done(&out);
    random_table_done(&r);
}

Test(report_json, plans_stand_apart_and_shares_name_who_answers)
{
    struct random_table r;
    struct buf out;
    random_table_make(&r, 400, 3, 0.8, 3);
    random_table_add_cascade(&r, 4);
    struct json_value v = write(&r, 0, &out), item;
    struct json_iter it = json_iter_begin(json_get(v, "plans"));
    cr_assert(json_array_next(&it, &item));
    cr_assert(json_string_equal(json_get(item, "name"), r.names[3]));
    cr_assert(number(item, "escalation") > 0.1 && number(item, "escalation") < 0.9);
    cr_assert(!json_array_next(&it, &item));
    it = json_iter_begin(json_get(v, "experts"));
    for (size_t i = 0; i < 3; i++)
        cr_assert(json_array_next(&it, &item));
    cr_assert(!json_array_next(&it, &item));
    it = json_iter_begin(json_get(v, "at_cost"));
    while (json_array_next(&it, &item)) {
        struct json_iter shares = json_iter_begin(json_get(item, "shares"));
        struct json_value key, share;
        double sum = 0, one;
        while (json_object_next(&shares, &key, &share)) {
            cr_assert_eq(json_to_double(share, &one), OK);
            sum += one;
        }
        cr_assert_float_eq(sum, 1, 1e-9);
    }
    buf_done(&out);
    random_table_done(&r);
}
