/* What stands behind a ?, strictly. */
#include <criterion/criterion.h>
#include <string.h>

#include "admin/admin_query.h"

static struct arena *a;

static void begin(void)
{
    a = arena_create(1 << 20);
}

static void end(void)
{
    arena_free(a);
}

TestSuite(admin_query, .init = begin, .fini = end);

static enum status next(struct admin_query *q, struct admin_parameter *p, struct error *err)
{
    *err = (struct error){0};
    return admin_query_next(q, a, p, err);
}

static void expect(struct str query, struct str name, struct str value)
{
    struct admin_query q = {.rest = query};
    struct admin_parameter p;
    struct error err;
    cr_assert_eq(next(&q, &p, &err), OK, "%s", err.text);
    cr_assert(str_equal(p.name, name), "%.*s", STR_FMT(p.name));
    cr_assert(str_equal(p.value, value), "%.*s", STR_FMT(p.value));
    cr_assert_eq(next(&q, &p, &err), CLOSED);
}

static void refuse(struct str query, const char *word)
{
    struct admin_query q = {.rest = query};
    struct admin_parameter p;
    struct error err;
    enum status status = OK;
    while (status == OK)
        status = next(&q, &p, &err);
    cr_assert_eq(status, ERR_INPUT);
    cr_assert_not_null(strstr(err.text, word), "%s", err.text);
}

Test(admin_query, is_decoded_as_browsers_encode)
{
    expect(STR("a=b"), STR("a"), STR("b"));
    expect(STR("a="), STR("a"), STR(""));
    expect(STR("a"), STR("a"), STR(""));
    expect(STR("&&a=b&"), STR("a"), STR("b"));
    expect(STR("a=b=c"), STR("a"), STR("b=c"));
    expect(STR("q=a+b%2Bc%20%26"), STR("q"), STR("a b+c &"));
    expect(STR("q=100%"), STR("q"), STR("100%"));
    expect(STR("q=%zz%C3%A9"), STR("q"), STR("%zz\xc3\xa9"));
    expect(STR("%6eame=1"), STR("name"), STR("1"));
    struct admin_query q = {.rest = STR("")};
    struct admin_parameter p;
    struct error err;
    cr_assert_eq(next(&q, &p, &err), CLOSED);
}

Test(admin_query, refuses_what_it_cannot_mean)
{
    refuse(STR("=1"), "no name");
    refuse(STR("a=1&b=2&%61=3"), "a is given twice");
    refuse(STR("a=%00"), "NUL");
    refuse(STR("a=%ff"), "UTF-8");
    refuse(STR("%ff=a"), "UTF-8");
    refuse(STR("a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r&s&t&u&v&w&x&y"), "too many");
}

Test(admin_query, numbers_are_whole_and_within_their_bounds)
{
    struct admin_parameter p = {.name = STR("points")};
    uint64_t n = 77;
    const char *bad[] = {"", "-1", "0", "11", "1.5", " 1", "1e1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct error err = {0};
        p.value = str_from(bad[i]);
        cr_assert_eq(admin_query_integer(&p, 1, 10, &n, &err), ERR_INPUT, "%s", bad[i]);
        cr_assert_str_eq(err.text, "points must be a whole number from 1 to 10");
        cr_assert_eq(n, 77);
    }
    p.value = STR("10");
    cr_assert_eq(admin_query_integer(&p, 1, 10, &n, NULL), OK);
    cr_assert_eq(n, 10);
}

Test(admin_query, money_is_exact)
{
    struct admin_parameter p = {.name = STR("min_usd"), .value = STR("0.000000001")};
    struct error err = {0};
    int64_t nano = 7;
    cr_assert_eq(admin_query_usd(&p, &nano, &err), OK);
    cr_assert_eq(nano, 1);
    p.value = STR("-1");
    cr_assert_eq(admin_query_usd(&p, &nano, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, "min_usd"));
    p.value = STR("nan");
    cr_assert_eq(admin_query_usd(&p, &nano, &err), ERR_INPUT);
}

Test(admin_query, names_are_shown_as_they_may_be)
{
    const struct admin_parameter p = {
        .name = STR("\x1b[31mred-and-longer-than-may-be-shown-in-any-sentence-of-ours")};
    struct error err = {0};
    cr_assert_eq(admin_query_unknown(&p, "a, b", &err), ERR_INPUT);
    cr_assert_null(strchr(err.text, '\x1b'));
    cr_assert_not_null(strstr(err.text, "there are a, b"));
    cr_assert_lt(strlen(err.text), 120);
}
