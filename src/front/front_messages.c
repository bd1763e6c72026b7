/* The front "messages": its row, and errors as Anthropic words them. */
#include "front/front_messages_int.h"

static const char *error_type(int http_status)
{
    static const struct {
        int http_status;
        const char *type;
    } known[] = {
        {401, "authentication_error"}, {402, "billing_error"},    {403, "permission_error"},
        {404, "not_found_error"},      {408, "timeout_error"},    {413, "request_too_large"},
        {429, "rate_limit_error"},     {503, "overloaded_error"}, {504, "timeout_error"},
        {529, "overloaded_error"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].http_status == http_status)
            return known[i].type;
    return http_status >= 400 && http_status < 500 ? "invalid_request_error" : "api_error";
}

void messages_error(const struct front_error *e, struct buf *out)
{
    buf_addf(out, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":",
             error_type(e->http_status));
    json_write_string(out, e->message);
    buf_add(out, STR("},\"request_id\":"));
    if (e->request_id)
        json_write_string(out, str_from(e->request_id));
    else
        buf_add(out, STR("null"));
    buf_add_char(out, '}');
}

const struct front_row front_messages = {
    .name = "messages",
    .native = &dialect_anthropic,
    .errors = DIALECT_ERRORS_ANTHROPIC,
    .request = messages_request,
    .answer = messages_answer,
    .begin = messages_begin,
    .event = messages_event,
    .end = messages_end,
    .fail = messages_fail,
    .error = messages_error,
};
