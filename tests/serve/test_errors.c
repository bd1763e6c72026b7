/* Every status has its HTTP status and error body. */
#include "serve/errors.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"

static void expect_body(const struct buf *out, const char *message, const char *type,
                        const char *code)
{
    struct json_value root;
    struct error err = {0};
    cr_assert_eq(json_parse(buf_str(out), "body", 1, &root, &err), OK, "%s", err.text);
    struct json_value error = json_get(root, "error");
    cr_expect(json_string_equal(json_get(error, "message"), str_from(message)));
    cr_expect(json_string_equal(json_get(error, "type"), str_from(type)));
    cr_expect_neq(json_get(error, "param").type, JSON_NONE);
    cr_expect(code ? json_string_equal(json_get(error, "code"), str_from(code))
                   : json_get(error, "code").type == JSON_NULL);
}

Test(errors, every_status_has_a_row_and_a_body)
{
    for (int status = 0; status < STATUS_COUNT; status++) {
        const struct errors_row *row = errors_row((enum status)status);
        cr_expect(row->http_status >= 200 && row->http_status <= 599, "%d", status);
        cr_expect((status == OK) == (row->http_status < 400), "%s",
                  status_name((enum status)status));
        struct buf out;
        buf_init(&out, 4096);
        errors_write(&out, (enum status)status, "a \"b\"", NULL, NULL);
        expect_body(&out, "a \"b\"", row->type, row->code);
        buf_done(&out);
    }
}

Test(errors, client_mistakes_are_4xx_and_ours_5xx)
{
    cr_assert_eq(errors_row(ERR_INPUT)->http_status, 400);
    cr_assert_eq(errors_row(ERR_TOO_LARGE)->http_status, 413);
    cr_assert_eq(errors_row(ERR_AUTH)->http_status, 401);
    cr_assert_eq(errors_row(ERR_NOT_FOUND)->http_status, 404);
    cr_assert_eq(errors_row(ERR_OVERLOAD)->http_status, 503);
    cr_assert_eq(errors_row(ERR_TIMEOUT)->http_status, 504);
    cr_assert_eq(errors_row(ERR_UPSTREAM)->http_status, 502);
}

Test(errors, a_code_of_ones_own)
{
    struct buf out;
    buf_init(&out, 4096);
    errors_write(&out, ERR_NOT_FOUND, "m", "model", "model_not_found");
    expect_body(&out, "m", "invalid_request_error", "model_not_found");
    cr_assert(strstr(out.ptr, "\"param\":\"model\""));
    buf_done(&out);
}

Test(errors, by_http_status_alone)
{
    for (int http_status = 400; http_status < 600; http_status++) {
        struct buf out;
        buf_init(&out, 4096);
        errors_write_http(STR("/v1/chat/completions"), http_status, "m", &out);
        cr_expect(strstr(out.ptr, http_status < 500 ? "_error\"" : "server_error"), "%d",
                  http_status);
        buf_done(&out);
    }
}

Test(errors, in_the_words_of_the_api_that_was_asked)
{
    struct buf out;
    buf_init(&out, 4096);
    errors_write_http(STR("/v1/messages?beta=true"), 413, "m", &out);
    cr_assert(strstr(out.ptr, "\"type\":\"error\""), "%s", out.ptr);
    cr_assert(strstr(out.ptr, "request_too_large"));
    buf_clear(&out);
    errors_write_http(STR("/v1/mess"), 431, "m", &out); /* the limit was reached before it told */
    expect_body(&out, "m", "invalid_request_error", "headers_too_large");
    buf_done(&out);
}

Test(errors, what_the_entrance_refuses_has_a_code)
{
    static const int refused[] = {400, 404, 405, 408, 413, 415, 417, 426, 431, 501, 503, 505};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        cr_expect(errors_http_row(refused[i]).code, "%d", refused[i]);
}
