/* Anthropic's Messages: dialect/anthropic.h as a row. */
#include "dialect/anthropic.h"
#include "dialect/dialect.h"

static enum status write_request(const struct dialect_request *r, struct arena *scratch,
                                 struct buf *out, struct error *err)
{
    return anthropic_request_write(r->chat, r->model, r->output_tokens_limit,
                                   r->output_tokens_default, scratch, out, err);
}

static enum status edit_request(const struct dialect_request *r, struct buf *out, struct error *err)
{
    return anthropic_request_edit(r->native, r->model, r->output_tokens_limit,
                                  !r->target.system_anywhere, out, err);
}

static void *stream_create(bool collects)
{
    return anthropic_stream_create(collects);
}

static void stream_free(void *stream)
{
    anthropic_stream_free(stream);
}

static void stream_event(void *stream, struct str event, struct str data,
                         dialect_chunk_fn *on_chunk, void *arg)
{
    anthropic_stream_event(stream, event, data, on_chunk, arg);
}

const struct dialect dialect_anthropic = {
    .name = "anthropic",
    .provider = "anthropic",
    .path = "/messages",
    .key_header = STR_INIT("x-api-key"),
    .key_prefix = "",
    .headers = {{STR_INIT("anthropic-version"), STR_INIT(ANTHROPIC_VERSION)}},
    .version_parameter = "api-version",
    .errors = DIALECT_ERRORS_ANTHROPIC,
    .demands_limit = true,
    .system_anywhere = true,
    .cache_is_ordered = true,
    .signs_thinking = true,
    .lacks = anthropic_lacks,
    .drops = anthropic_drops,
    .write = write_request,
    .edit = edit_request,
    .forms = &anthropic_forms,
    .read = anthropic_answer_to_chat,
    .stream_create = stream_create,
    .stream_free = stream_free,
    .stream_event = stream_event,
    .stream_moves = anthropic_stream_moves,
};
