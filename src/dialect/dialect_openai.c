/* OpenAI's chat completions, and Azure's, which differ in the header that holds the key. They are what every chat is
 * inside, so that the client's own bytes go up with a splice or two, and answers come back untouched. */
#include "dialect/dialect.h"

static enum status write_request(const struct dialect_request *r, struct arena *scratch,
                                 struct buf *out, struct error *err)
{
    (void)scratch;
    openai_request_write(r->chat, r->model, r->output_tokens_limit, r->limit_name, &r->target, out);
    return buf_status(out, err);
}

const struct dialect dialect_openai = {
    .name = "openai",
    .provider = "openai",
    .path = "/chat/completions",
    .key_header = STR_INIT("authorization"),
    .key_prefix = "Bearer ",
    .version_parameter = "api-version",
    .errors = DIALECT_ERRORS_OPENAI,
    .has_embeddings = true,
    .has_logprobs = true,
    .write = write_request,
};

const struct dialect dialect_azure = {
    .name = "azure",
    .provider = "azure.ai.openai",
    .path = "/chat/completions",
    .key_header = STR_INIT("api-key"),
    .key_prefix = "",
    .version_parameter = "api-version",
    .errors = DIALECT_ERRORS_OPENAI,
    .has_embeddings = true,
    .has_logprobs = true,
    .write = write_request,
};
