/* Which requests are looked for: every parameter, what is wrong with one, and places that come back as they went. */
#include <criterion/criterion.h>
#include <string.h>

#include "admin/admin_filter.h"

static struct arena *a;

static void begin(void)
{
    a = arena_create(1 << 20);
}

static void end(void)
{
    arena_free(a);
}

TestSuite(admin_filter, .init = begin, .fini = end);

static struct ledger_search filter(struct str query)
{
    struct ledger_search s;
    struct error err = {0};
    cr_assert_eq(admin_filter_read(query, a, &s, &err), OK, "%s", err.text);
    return s;
}

static void refuse(const char *query, const char *word)
{
    struct ledger_search s = {.limit = 77};
    struct error err = {0};
    cr_assert_eq(admin_filter_read(str_from(query), a, &s, &err), ERR_INPUT, "%s", query);
    cr_assert_not_null(strstr(err.text, word), "%s: %s", query, err.text);
    cr_assert_eq(s.limit, 77);
}

Test(admin_filter, without_parameters_is_everything)
{
    struct ledger_search s = filter(STR(""));
    cr_assert_eq(s.limit, ADMIN_FILTER_ROWS_USUAL);
    cr_assert(!s.id.ptr && !s.key.ptr && !s.expert.ptr && !s.policy.ptr && !s.outcome.ptr);
    cr_assert(!s.words.ptr && !s.from_ms && !s.to_ms && !s.has_max && !s.has_before);
    s = filter(STR("id=&key=&expert=&policy=&outcome=&q=&from_ms=&to_ms=&min_usd=&max_usd=&before="
                   "&limit="));
    cr_assert_eq(s.limit, ADMIN_FILTER_ROWS_USUAL);
    cr_assert(!s.id.ptr && !s.outcome.ptr && !s.has_max && !s.has_before);
}

Test(admin_filter, reads_each_parameter)
{
    struct ledger_search s =
        filter(STR("limit=200&before=99.req_a.b&id=req_1&key=key_2&expert=a%2Fb&policy=p&outcome="
                   "failed&from_ms=5&to_ms=6&min_usd=0.5&max_usd=1e0&q=100%25+of+it"));
    cr_assert_eq(s.limit, 200);
    cr_assert(s.has_before && s.before.begin_ms == 99 && str_equal(s.before.id, STR("req_a.b")));
    cr_assert(str_equal(s.id, STR("req_1")) && str_equal(s.key, STR("key_2")));
    cr_assert(str_equal(s.expert, STR("a/b")) && str_equal(s.policy, STR("p")));
    cr_assert(str_equal(s.outcome, STR("failed")) && str_equal(s.words, STR("100% of it")));
    cr_assert(s.from_ms == 5 && s.to_ms == 6);
    cr_assert(s.min_nano_usd == 500000000 && s.has_max && s.max_nano_usd == 1000000000);
    s = filter(STR("max_usd=0"));
    cr_assert(s.has_max && s.max_nano_usd == 0);
}

Test(admin_filter, says_what_is_wrong)
{
    refuse("limit=0", "limit must be a whole number from 1 to 200");
    refuse("limit=201", "limit");
    refuse("outcome=fine", "answered, failed");
    refuse("from_ms=-1", "from_ms");
    refuse("to_ms=9223372036854775808", "to_ms");
    refuse("from_ms=7&to_ms=6", "later");
    refuse("min_usd=2&max_usd=1", "more");
    refuse("min_usd=-1", "min_usd");
    refuse("before=1", "\"next\"");
    refuse("before=x.req", "\"next\"");
    refuse("before=.req", "\"next\"");
    refuse("before=1.", "\"next\"");
    refuse("colour=red", "unknown parameter colour; there are limit, before");
    refuse("id=a&id=b", "twice");
    char big[SEARCH_TEXT_BYTES_MAX + 8] = "q=";
    memset(big + 2, 'a', SEARCH_TEXT_BYTES_MAX + 1);
    refuse(big, "256 bytes");
}

Test(admin_filter, places_come_back_as_they_went)
{
    const struct search_place places[] = {{0, STR("req_1")},
                                          {INT64_MAX, STR(".")},
                                          {-5, STR("a b&c=\"\xc3\xa9")},
                                          {INT64_MIN, STR("9.9")}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct search_place back;
        struct buf text;
        buf_init(&text, 1024);
        admin_filter_write_place(&places[i], &text);
        cr_assert_eq(admin_filter_read_place(buf_str(&text), &back, NULL), OK);
        cr_assert_eq(back.begin_ms, places[i].begin_ms);
        cr_assert(str_equal(back.id, places[i].id));
        buf_done(&text);
    }
}
