/* The lines of an outgoing request, and look-up in a raw head. */
#include "net/http_call_text.h"

#include <criterion/criterion.h>
#include <string.h>

static char *lines(const struct http_call_options *o)
{
    struct call_text t;
    struct buf b;
    buf_init(&b, 1u << 20);
    call_text_init(&t);
    cr_assert_eq(call_text_build(&t, o, NULL), OK);
    for (size_t i = 0; i < t.count; i++)
        buf_addf(&b, "%s\n", t.lines[i]);
    call_text_done(&t);
    return buf_take(&b);
}

Test(http_call_text, defaults_are_added)
{
    struct http_call_options o = {.url = "http://h/"};
    char *text = lines(&o);
    cr_assert_str_eq(text, "http://h/\nExpect:\nAccept-Encoding: identity\n"
                           "User-Agent: leeroo/" LEEROO_VERSION "\nContent-Type:\n");
    free(text);
}

Test(http_call_text, the_callers_headers_win)
{
    struct http_header h[] = {
        {STR("accept-encoding"), STR("gzip")}, {STR("USER-AGENT"), STR("me")},
        {STR("Content-Type"), STR("a/b")},     {STR("X-Empty"), STR("")},
        {STR("Content-Length"), STR("7")},     {STR("Transfer-Encoding"), STR("chunked")},
        {STR("Expect"), STR("100-continue")},
    };
    struct http_call_options o = {.url = "HTTPS://h/", .headers = h, .header_count = 7};
    char *text = lines(&o);
    cr_assert_str_eq(text, "HTTPS://h/\naccept-encoding: gzip\nUSER-AGENT: me\nContent-Type: a/b\n"
                           "X-Empty;\nExpect:\n");
    free(text);
}

static void expect_refused(struct http_header h)
{
    struct http_call_options o = {.url = "http://h/", .headers = &h, .header_count = 1};
    struct call_text t;
    struct error err;
    call_text_init(&t);
    cr_assert_eq(call_text_build(&t, &o, &err), ERR_INPUT);
    cr_assert_null(strstr(err.text, "secret"));
    call_text_done(&t);
}

Test(http_call_text, nothing_is_injected)
{
    expect_refused((struct http_header){STR("a"), STR("secret\r\nb: c")});
    expect_refused((struct http_header){STR("a"), STR("secret\n")});
    expect_refused((struct http_header){STR("a"), STR("secret\0")});
    expect_refused((struct http_header){STR("a: b"), STR("secret")});
    expect_refused((struct http_header){STR("a b"), STR("secret")});
    expect_refused((struct http_header){STR("a;"), STR("secret")});
    expect_refused((struct http_header){STR(""), STR("secret")});
}

Test(http_call_text, headers_have_limits)
{
    static struct http_header h[CALL_HEADERS_MAX + 1];
    for (size_t i = 0; i <= CALL_HEADERS_MAX; i++)
        h[i] = (struct http_header){STR("a"), STR("b")};
    struct http_call_options o = {
        .url = "http://h/", .headers = h, .header_count = CALL_HEADERS_MAX};
    char *text = lines(&o);
    free(text);
    o.header_count++;
    struct call_text t;
    call_text_init(&t);
    cr_assert_eq(call_text_build(&t, &o, NULL), ERR_TOO_LARGE);
    call_text_done(&t);
}

Test(http_call_text, look_up_in_a_head)
{
    struct str head = STR("HTTP/1.1 200 OK\r\nA: 1\r\nretry-after:  7 \r\nA: 2\r\nEmpty:\r\n\r\n");
    cr_assert(str_equal(call_head_find(head, STR("a")), STR("2")));
    cr_assert(str_equal(call_head_find(head, STR("Retry-After")), STR("7")));
    cr_assert_not_null(call_head_find(head, STR("empty")).ptr);
    cr_assert_null(call_head_find(head, STR("none")).ptr);
    cr_assert_null(call_head_find((struct str){0}, STR("none")).ptr);
}
