/* Anthropic's Messages API: to be written. */
#include "dialect/anthropic.h"

#include <stdlib.h>

struct anthropic_stream {
    int unused;
};

const char *anthropic_lacks(const struct openai_request *r)
{
    (void)r;
    return "the anthropic dialect is not offered yet";
}

enum status anthropic_request_write(const struct openai_request *r, struct str upstream_model,
                                    int64_t output_tokens_limit, int64_t output_tokens_default,
                                    struct arena *a, struct buf *out, struct error *err)
{
    (void)r, (void)upstream_model, (void)output_tokens_limit, (void)output_tokens_default;
    (void)a, (void)out;
    return error_set(err, ERR_UNSUPPORTED, "not offered yet");
}

enum status anthropic_request_edit(struct str body, struct str upstream_model,
                                   int64_t output_tokens_limit, struct buf *out, struct error *err)
{
    (void)body, (void)upstream_model, (void)output_tokens_limit, (void)out;
    return error_set(err, ERR_UNSUPPORTED, "not offered yet");
}

enum status anthropic_answer_to_chat(struct str message, struct buf *out, struct error *err)
{
    (void)message, (void)out;
    return error_set(err, ERR_UNSUPPORTED, "not offered yet");
}

struct anthropic_stream *anthropic_stream_create(void)
{
    return calloc(1, sizeof(struct anthropic_stream));
}

void anthropic_stream_free(struct anthropic_stream *s)
{
    free(s);
}

void anthropic_stream_event(struct anthropic_stream *s, struct str event, struct str data,
                            void (*on_chunk)(struct str chunk, void *arg), void *arg)
{
    (void)s, (void)event, (void)data, (void)on_chunk, (void)arg;
}
