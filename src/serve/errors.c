/* One table from status to HTTP status and OpenAI error body. */
#include "serve/errors.h"

#include "base/check.h"
#include "dialect/openai.h"
#include "dialect/overflow.h"
#include "serve/gateway_int.h"

static const struct errors_row rows[STATUS_COUNT] = {
    [OK] = {200, "none", "ok"},
    [AGAIN] = {503, "server_error", "try_again"},
    [CLOSED] = {500, "server_error", "closed"},
    [ERR_USAGE] = {400, "invalid_request_error", "invalid_usage"},
    [ERR_INPUT] = {400, "invalid_request_error", "invalid_request"},
    [ERR_TOO_LARGE] = {413, "invalid_request_error", "request_too_large"},
    [ERR_AUTH] = {401, "authentication_error", "invalid_api_key"},
    [ERR_FORBIDDEN] = {403, "permission_error", "not_allowed"},
    [ERR_NOT_FOUND] = {404, "invalid_request_error", "not_found"},
    [ERR_QUOTA] = {429, "insufficient_quota", "insufficient_quota"},
    [ERR_RATE] = {429, "rate_limit_error", "rate_limit_exceeded"},
    [ERR_BUDGET] = {402, "insufficient_quota", "over_max_cost"},
    [ERR_OVERLOAD] = {503, "server_error", "overloaded"},
    [ERR_TIMEOUT] = {504, "server_error", "upstream_timeout"},
    [ERR_UPSTREAM] = {502, "server_error", "upstream_error"},
    [ERR_IO] = {500, "server_error", "internal_error"},
    [ERR_CORRUPT] = {500, "server_error", "internal_error"},
    [ERR_MEMORY] = {503, "server_error", "out_of_memory"},
    [ERR_UNSUPPORTED] = {400, "invalid_request_error", "unsupported"},
    [ERR_CONTEXT] = {400, "invalid_request_error", OVERFLOW_CODE},
    [ERR_CANCELLED] = {499, "server_error", "cancelled"},
};

const struct errors_row *errors_row(enum status status)
{
    CHECK(status >= 0 && status < STATUS_COUNT);
    CHECK(rows[status].http_status != 0);
    return &rows[status];
}

void errors_write(struct buf *out, enum status status, const char *message, const char *param,
                  const char *code)
{
    const struct errors_row *row = errors_row(status);
    openai_error_write(out, str_from(message), row->type, param, code ? code : row->code);
}

static const struct {
    int http_status;
    const char *type, *code;
} http_rows[] = {
    {400, "invalid_request_error", "invalid_request"},
    {404, "invalid_request_error", "unknown_url"},
    {405, "invalid_request_error", "method_not_allowed"},
    {408, "invalid_request_error", "request_timeout"},
    {413, "invalid_request_error", "request_too_large"},
    {415, "invalid_request_error", "unsupported_media_type"},
    {417, "invalid_request_error", "unsupported"},
    {426, "invalid_request_error", "upgrade_required"},
    {429, "rate_limit_error", "rate_limit_exceeded"},
    {431, "invalid_request_error", "headers_too_large"},
    {501, "server_error", "unsupported"},
    {503, "server_error", "overloaded"},
    {505, "server_error", "unsupported"},
};

struct errors_row errors_http_row(int http_status)
{
    struct errors_row row = {http_status,
                             http_status < 500 ? "invalid_request_error" : "server_error", NULL};
    for (size_t i = 0; i < sizeof(http_rows) / sizeof(http_rows[0]); i++) {
        if (http_rows[i].http_status != http_status)
            continue;
        row.type = http_rows[i].type;
        row.code = http_rows[i].code;
    }
    return row;
}

void errors_write_http(struct str path, int http_status, const char *message, struct buf *out)
{
    const struct errors_row row = errors_http_row(http_status);
    const struct front_error e = {.http_status = http_status,
                                  .message = str_from(message),
                                  .type = row.type,
                                  .code = row.code};
    front_error_write(path_words(path), &e, out);
}
