/* Which pages may read answers, and what their browsers are told. The server's part is in tests/e2e/test_cors.py. */
#include "net/http_cors.h"

#include <criterion/criterion.h>

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const struct str list[] = {TEXT("https://chat.example"), TEXT("http://localhost:5173"),
                                  TEXT("https://*.team.example")};

Test(http_cors, which_pages)
{
    const struct http_cors c = {list, 3, 600};
    static const char *const in[] = {"https://chat.example", "HTTPS://Chat.Example",
                                     "http://localhost:5173", "https://a.team.example",
                                     "https://a.b.team.example"};
    static const char *const out[] = {"http://chat.example",
                                      "https://chat.example:8443",
                                      "https://chat.example.evil.example",
                                      "http://localhost:5174",
                                      "https://team.example",
                                      "https://.team.example",
                                      "https://ateam.example",
                                      "http://a.team.example",
                                      "null",
                                      ""};
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
        cr_expect(http_cors_lets(&c, str_from(in[i])), "%s", in[i]);
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++)
        cr_expect_not(http_cors_lets(&c, str_from(out[i])), "%s", out[i]);
    const struct str all = STR("*");
    cr_expect(http_cors_lets(&(struct http_cors){&all, 1, 0}, STR("null")));
    cr_expect_not(http_cors_lets(&(struct http_cors){0}, STR("null")));
}

Test(http_cors, a_page_is_named_or_all_are_meant)
{
    const struct str some[] = {STR("*"), STR("https://ops.example"), STR("https://*.in.example"),
                               STR("null")};
    const struct http_cors c = {some, 4, 0};
    cr_expect(http_cors_lets(&c, STR("https://evil.example")));
    cr_expect_not(http_cors_names(&c, STR("https://evil.example")) ||
                  http_cors_names(&c, STR("null")));
    cr_expect(http_cors_names(&c, STR("https://ops.example")));
    cr_expect(http_cors_names(&c, STR("https://a.in.example")));
    cr_expect_not(http_cors_names(&(struct http_cors){0}, STR("https://ops.example")));
}

Test(http_cors, what_answers_say)
{
    struct http_header h[HTTP_CORS_HEADERS_MAX];
    const struct http_cors c = {list, 3, 600};
    const struct str all = STR("*");
    cr_expect_eq(http_cors_headers(&(struct http_cors){0}, list[0], h), 0);
    cr_expect_eq(http_cors_headers(&c, STR(""), h), 1);
    cr_expect(str_equal(h[0].value, STR("Origin")), "caches must tell pages apart");
    cr_expect_eq(http_cors_headers(&c, STR("https://evil.example"), h), 1);
    cr_assert_eq(http_cors_headers(&c, list[1], h), 3);
    cr_expect(str_equal(h[1].value, list[1]));
    cr_assert_eq(http_cors_headers(&(struct http_cors){&all, 1, 0}, list[1], h), 3);
    cr_expect(str_equal(h[1].value, all));
}

Test(http_cors, a_page_of_this_server)
{
    cr_expect(http_cors_is_same(STR("http://localhost:8080"), STR("LOCALHOST:8080")));
    cr_expect_not(http_cors_is_same(STR("http://localhost:8081"), STR("localhost:8080")));
    cr_expect_not(http_cors_is_same(STR("null"), STR("null")));
    cr_expect_not(http_cors_is_same(STR("http://"), STR("")));
}
