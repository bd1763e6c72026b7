/* Small whole answers, shared by the handlers. */
#include "base/clock.h"
#include "serve/errors.h"
#include "serve/gateway_int.h"

#define ERROR_BODY_BYTES_MAX (16u << 10)

void worker_request_id(struct worker *w, char into[RECORD_ID_BYTES])
{
    record_id(&w->rng, clock_wall_ms(), into);
}

void answer_json(struct http_exchange *x, int http_status, const char *request_id, struct str body)
{
    const struct http_header headers[] = {
        {STR("content-type"), STR("application/json")},
        {STR("x-leeroo-request-id"), str_from(request_id)},
        {STR("x-request-id"), str_from(request_id)}, /* where OpenAI's clients look */
    };
    http_respond(x, http_status, headers, request_id ? 3 : 1, body);
}

void answer_error_as(enum front front, struct http_exchange *x, const char *request_id,
                     enum status status, const char *message, const char *param, const char *code)
{
    const struct errors_row *row = errors_row(status);
    struct front_error e = {.http_status = row->http_status,
                            .message = str_from(message),
                            .type = row->type,
                            .param = param,
                            .code = code ? code : row->code,
                            .request_id = request_id};
    struct overflow overflow;
    if (status == ERR_CONTEXT && overflow_read(e.message, &overflow))
        e.overflow = &overflow;
    struct buf body;
    buf_init(&body, ERROR_BODY_BYTES_MAX);
    front_error_write(front, &e, &body);
    answer_json(x, row->http_status, request_id, buf_str(&body));
    buf_done(&body);
}

void answer_error(struct http_exchange *x, const char *request_id, enum status status,
                  const char *message, const char *param, const char *code)
{
    answer_error_as(FRONT_CHAT, x, request_id, status, message, param, code);
}
