/* Models in this process (src/infer): they are asked in OpenAI's words, so that all that is done for those is done for
 * these. What no model here can do is said by name. */
#include "dialect/dialect.h"

static const char *lacks(const struct openai_request *chat)
{
    static const char *const members[][2] = {{"functions", "functions outside of tools"},
                                             {"function_call", "functions outside of tools"},
                                             {"audio", "audio"},
                                             {"web_search_options", "a search of the web"}};
    if (chat->answers > 1)
        return "n above 1";
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        if (json_is_set(json_get(chat->root, members[i][0])))
            return members[i][1];
    return NULL;
}

/* A model thinks as it was taught to. */
static void drops(const struct openai_request *chat, struct dropped *into)
{
    static const char *const wishes[] = {"reasoning_effort", "verbosity"};
    for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++)
        if (json_is_set(json_get(chat->root, wishes[i])))
            dropped_add(into, NULL, str_from(wishes[i]));
}

static enum status write_request(const struct dialect_request *r, struct arena *scratch,
                                 struct buf *out, struct error *err)
{
    (void)scratch;
    const char *lack = lacks(r->chat);
    if (lack)
        return error_set(err, ERR_UNSUPPORTED, "a model in this process cannot take %s", lack);
    openai_request_write(r->chat, r->model, r->output_tokens_limit, r->limit_name, &r->target, out);
    return buf_status(out, err);
}

const struct dialect dialect_gguf = {
    .name = "gguf",
    .provider = "llama.cpp",
    .path = "/chat/completions",
    .key_header = STR_INIT("authorization"),
    .key_prefix = "Bearer ",
    .version_parameter = "api-version",
    .errors = DIALECT_ERRORS_OPENAI,
    .has_logprobs = true,
    .in_process = true,
    .lacks = lacks,
    .drops = drops,
    .write = write_request,
};
