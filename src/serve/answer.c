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

static struct front_error error_of(const char *request_id, enum status status, const char *message,
                                   const char *param, const char *code, struct overflow *overflow)
{
    const struct errors_row *row = errors_row(status);
    struct front_error e = {.http_status = row->http_status,
                            .message = str_from(message),
                            .type = row->type,
                            .param = param,
                            .code = code ? code : row->code,
                            .request_id = request_id};
    if (status == ERR_CONTEXT && overflow_read(e.message, overflow))
        e.overflow = overflow;
    return e;
}

void answer_error_as(enum front front, struct http_exchange *x, const char *request_id,
                     enum status status, const char *message, const char *param, const char *code)
{
    struct overflow overflow;
    const struct front_error e = error_of(request_id, status, message, param, code, &overflow);
    struct buf body;
    buf_init(&body, ERROR_BODY_BYTES_MAX);
    front_error_write(front, &e, &body);
    answer_json(x, e.http_status, request_id, buf_str(&body));
    buf_done(&body);
}

void answer_overflow_streamed(const struct front_context *front, struct http_exchange *x,
                              const char *message)
{
    const struct http_header headers[] = {
        {STR("content-type"), STR("text/event-stream; charset=utf-8")},
        {STR("cache-control"), STR("no-cache")},
        {STR("x-leeroo-request-id"), str_from(front->request_id)},
        {STR("x-request-id"), str_from(front->request_id)},
    };
    struct overflow overflow;
    const struct front_error e =
        error_of(front->request_id, ERR_CONTEXT, message, NULL, NULL, &overflow);
    struct front_stream *events = front_stream_create(front, x->arena);
    struct buf out;
    if (!events) {
        answer_error_as(front->front, x, front->request_id, ERR_CONTEXT, message, NULL, NULL);
        return;
    }
    buf_init(&out, ERROR_BODY_BYTES_MAX + front->request.len);
    front_stream_fail(events, &e, &out);
    http_stream_begin(x, 200, headers, sizeof(headers) / sizeof(headers[0]));
    http_stream_write(x, buf_str(&out));
    http_stream_end(x, NULL, 0);
    buf_done(&out);
}

void answer_error(struct http_exchange *x, const char *request_id, enum status status,
                  const char *message, const char *param, const char *code)
{
    answer_error_as(FRONT_CHAT, x, request_id, status, message, param, code);
}
