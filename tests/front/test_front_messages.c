/* Errors as clients of Messages expect them. */
#include "dialect/messages_testing.h"
#include "front_testing.h"

static void expect_type(int http_status, const char *type)
{
    struct buf out;
    char want[256];
    const struct front_error e = {.http_status = http_status,
                                  .message = STR("a\n"),
                                  .type = "some_error",
                                  .param = "model",
                                  .code = "x",
                                  .request_id = "req_1"};
    buf_init(&out, FRONT_TEST_BYTES_MAX);
    front_error_write(FRONT_MESSAGES, &e, &out);
    snprintf(want, sizeof(want),
             "{'type':'error','error':{'type':'%s','message':'a\\n'},'request_id':'req_1'}", type);
    expect_text(buf_str(&out), q(want));
    buf_done(&out);
}

Test(front_messages, the_type_follows_the_status)
{
    expect_type(400, "invalid_request_error");
    expect_type(401, "authentication_error");
    expect_type(402, "billing_error");
    expect_type(403, "permission_error");
    expect_type(404, "not_found_error");
    expect_type(408, "timeout_error");
    expect_type(413, "request_too_large");
    expect_type(422, "invalid_request_error");
    expect_type(429, "rate_limit_error");
    expect_type(500, "api_error");
    expect_type(502, "api_error");
    expect_type(503, "overloaded_error");
    expect_type(504, "timeout_error");
    expect_type(529, "overloaded_error");
}

Test(front_messages, without_an_id)
{
    struct buf out;
    const struct front_error e = {.http_status = 500, .message = STR("m")};
    buf_init(&out, FRONT_TEST_BYTES_MAX);
    front_error_write(FRONT_MESSAGES, &e, &out);
    expect_text(buf_str(&out), q("{'type':'error','error':{'type':'api_error','message':'m'},"
                                 "'request_id':null}"));
    buf_done(&out);
}

Test(front_messages, its_name)
{
    cr_assert_str_eq(front_name(FRONT_MESSAGES), "messages");
}

Test(front_messages, its_clients_speak_the_dialect_of_anthropic)
{
    cr_expect_eq(front_dialect(FRONT_MESSAGES), &dialect_anthropic);
    cr_expect_null(front_dialect(FRONT_CHAT));
    cr_expect_null(front_dialect(FRONT_RESPONSES));
    cr_expect(front_takes_errors(FRONT_MESSAGES, &dialect_anthropic));
    cr_expect_not(front_takes_errors(FRONT_MESSAGES, &dialect_azure));
    cr_expect(front_takes_errors(FRONT_CHAT, &dialect_azure));
    cr_expect(front_takes_errors(FRONT_EMBEDDINGS, &dialect_openai));
    cr_expect_not(front_takes_errors(FRONT_COMPLETIONS, &dialect_anthropic));
}
