/* The front "responses": its row. */
#include "front/front_responses_int.h"

#include "dialect/openai.h"

static void error_body(const struct front_error *e, struct buf *out)
{
    openai_error_write(out, e->message, e->type, e->param, e->code);
}

const struct front_row front_responses = {
    .name = "responses",
    .errors = DIALECT_ERRORS_OPENAI,
    .streams_overflow = true,
    .request = responses_request,
    .answer = responses_answer,
    .begin = responses_begin,
    .event = responses_event,
    .end = responses_end,
    .fail = responses_fail,
    .error = error_body,
};
