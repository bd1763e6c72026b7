/* Sessions of browsers: who is known, until when, and what a cookie header may look like. */
#include "keys/sign_in.h"

#include <criterion/criterion.h>
#include <string.h>

#define NOW_MS INT64_C(1796000000000)
#define LIFE   (INT64_C(1000) * SIGN_IN_SECONDS)

static struct sign_ins *s;
static const struct digest key = {{7}};

static void begin(void)
{
    s = sign_ins_create();
    cr_assert_not_null(s);
}

static void end(void)
{
    sign_ins_free(s);
}

TestSuite(sign_in, .init = begin, .fini = end);

static void sign_in(char token[SIGN_IN_TOKEN_BYTES], int64_t now_ms)
{
    int64_t end_ms = 0;
    cr_assert_eq(sign_ins_begin(s, &key, now_ms, token, &end_ms, NULL), OK);
    cr_expect_eq(end_ms, now_ms + LIFE);
    cr_expect_eq(strlen(token), SIGN_IN_TOKEN_BYTES - 1);
}

static bool known(const char *token, int64_t now_ms)
{
    struct digest d;
    int64_t end_ms;
    return sign_ins_find(s, str_from(token), now_ms, &d, &end_ms) && digest_equal(&d, &key);
}

Test(sign_in, a_token_stands_for_its_key_until_its_time_is_over)
{
    char token[SIGN_IN_TOKEN_BYTES];
    sign_in(token, NOW_MS);
    cr_expect(known(token, NOW_MS) && known(token, NOW_MS + LIFE - 1));
    cr_expect_not(known(token, NOW_MS + LIFE));
    token[3] = token[3] == 'A' ? 'B' : 'A';
    cr_expect_not(known(token, NOW_MS));
    cr_expect_not(known("", NOW_MS));
}

Test(sign_in, ends_when_told)
{
    char a[SIGN_IN_TOKEN_BYTES], b[SIGN_IN_TOKEN_BYTES];
    sign_in(a, NOW_MS);
    sign_in(b, NOW_MS);
    sign_ins_end(s, STR("nobody's"));
    sign_ins_end(s, (struct str){0});
    sign_ins_end(s, str_from(a));
    cr_expect_not(known(a, NOW_MS));
    cr_expect(known(b, NOW_MS));
}

Test(sign_in, the_oldest_goes_whatever_the_clock_says)
{
    static char tokens[SIGN_IN_COUNT_MAX + 2][SIGN_IN_TOKEN_BYTES];
    for (size_t i = 0; i < SIGN_IN_COUNT_MAX + 2; i++)
        sign_in(tokens[i], NOW_MS - (int64_t)i * 1000);
    for (size_t i = 0; i < SIGN_IN_COUNT_MAX + 2; i++)
        cr_expect_eq(known(tokens[i], NOW_MS), i >= 2, "%zu", i);
}

Test(sign_in, a_place_whose_time_is_over_is_taken_first)
{
    static char tokens[SIGN_IN_COUNT_MAX][SIGN_IN_TOKEN_BYTES];
    char late[SIGN_IN_TOKEN_BYTES];
    for (size_t i = 0; i < SIGN_IN_COUNT_MAX; i++)
        sign_in(tokens[i], i == 9 ? NOW_MS - LIFE : NOW_MS);
    sign_in(late, NOW_MS);
    cr_expect(known(tokens[0], NOW_MS) && known(late, NOW_MS));
}

Test(sign_in, the_csrf_token_is_of_this_token_alone)
{
    char a[SIGN_IN_TOKEN_BYTES], b[SIGN_IN_TOKEN_BYTES], csrf[SIGN_IN_TOKEN_BYTES],
        again[SIGN_IN_TOKEN_BYTES];
    sign_in(a, NOW_MS);
    sign_in(b, NOW_MS);
    cr_assert_eq(sign_in_csrf(str_from(a), csrf), OK);
    cr_assert_eq(sign_in_csrf(str_from(a), again), OK);
    cr_expect_str_eq(csrf, again);
    cr_expect_str_neq(csrf, a);
    cr_expect(sign_in_csrf_is(str_from(a), str_from(csrf)));
    cr_expect_not(sign_in_csrf_is(str_from(b), str_from(csrf)));
    cr_expect_not(sign_in_csrf_is(str_from(a), (struct str){0}));
    cr_expect_not(sign_in_csrf_is(str_from(a), str_from(a)));
    cr_expect_eq(sign_in_csrf(STR("longer than any token that this program has ever made"), again),
                 ERR_INPUT);
}

#define TOKEN "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_"
#define OTHER "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB-"

Test(sign_in, the_cookie_is_found_among_others)
{
    static const struct {
        const char *header, *found;
    } rows[] = {
        {"leeroo_session=" TOKEN, TOKEN},
        {"a=b; leeroo_session=" TOKEN "; c", TOKEN},
        {"leeroo_session=;leeroo_session=" TOKEN, TOKEN},
        {"leeroo_session=" TOKEN "; leeroo_session=" TOKEN, TOKEN},
        {"leeroo_session=" TOKEN "; leeroo_session=" OTHER, ""},
        {"xleeroo_session=" TOKEN, ""},
        {"LEEROO_SESSION=" TOKEN, ""},
        {"leeroo_session=" TOKEN "x", ""},
        {"leeroo_session=\"" TOKEN "\"", ""},
        {"leeroo_session=!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_", ""},
        {"", ""},
        {";;=;", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct http_header h = {STR("Cookie"), str_from(rows[i].header)};
        cr_expect(str_equal(sign_in_cookie(&h, 1), str_from(rows[i].found)), "%s", rows[i].header);
    }
}

Test(sign_in, cookies_of_several_headers_are_one_list)
{
    const struct http_header h[] = {
        {STR("cookie"), STR("a=b")},
        {STR("host"), STR("leeroo_session=" OTHER)},
        {STR("cookie"), STR("leeroo_session=" TOKEN)},
        {STR("COOKIE"), STR("leeroo_session=" OTHER)},
    };
    cr_expect(str_equal(sign_in_cookie(h, 3), STR(TOKEN)));
    cr_expect_eq(sign_in_cookie(h, 4).len, 0);
    cr_expect_eq(sign_in_cookie(NULL, 0).len, 0);
}
