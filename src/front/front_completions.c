/* The front "completions": POST /v1/completions, OpenAI's API from before there was chat. The prompt becomes the single
 * message of a user. What needs a model without a chat template (echo, suffix, several prompts in one request, prompts
 * of token numbers) is refused. Pure functions of text for any thread, called by way of the row; answers and streams
 * are front_completions_answer.c's. */
#include "front/front_completions_int.h"

#include "front/front_members.h"

#define NUMBER FRONT_TYPE(JSON_NUMBER)
#define TEXT   FRONT_TYPE(JSON_STRING)

enum field {
    FIELD_PROMPT,
    FIELD_MAX_TOKENS,
    FIELD_MAX_COMPLETION_TOKENS,
    FIELD_LOGPROBS,
    FIELD_ECHO,
    FIELD_SUFFIX,
    FIELD_BEST_OF,
    FIELD_CARRIED, /* from here on */
};

static const struct front_member table[] = {
    [FIELD_PROMPT] = {"prompt", FRONT_READ, TEXT | FRONT_TYPE(JSON_ARRAY)},
    [FIELD_MAX_TOKENS] = {"max_tokens", FRONT_CARRY, NUMBER},
    [FIELD_MAX_COMPLETION_TOKENS] = {"max_completion_tokens", FRONT_CARRY, NUMBER},
    [FIELD_LOGPROBS] = {"logprobs", FRONT_READ, NUMBER},
    [FIELD_ECHO] = {"echo", FRONT_READ, FRONT_FLAG},
    [FIELD_SUFFIX] = {"suffix", FRONT_READ, TEXT},
    [FIELD_BEST_OF] = {"best_of", FRONT_READ, NUMBER},
    [FIELD_CARRIED] = {"model", FRONT_CARRY, 0},
    {"leeroo", FRONT_CARRY, 0},
    {"stream", FRONT_CARRY, 0},
    {"stream_options", FRONT_CARRY, 0},
    {"temperature", FRONT_CARRY, 0},
    {"top_p", FRONT_CARRY, 0},
    {"n", FRONT_CARRY, 0},
    {"stop", FRONT_CARRY, 0},
    {"presence_penalty", FRONT_CARRY, 0},
    {"frequency_penalty", FRONT_CARRY, 0},
    {"logit_bias", FRONT_CARRY, 0},
    {"seed", FRONT_CARRY, 0},
    {"user", FRONT_CARRY, 0},
    {"response_format", FRONT_CARRY, 0},
    {"reasoning_effort", FRONT_CARRY, 0},
    {"verbosity", FRONT_CARRY, 0},
    {"prediction", FRONT_CARRY, 0},
    {"service_tier", FRONT_CARRY, 0},
    {"safety_identifier", FRONT_CARRY, 0},
    {"prompt_cache_key", FRONT_CARRY, 0},
    {"prompt_cache_options", FRONT_CARRY, 0},
    {"prompt_cache_retention", FRONT_CARRY, 0},
    {"store", FRONT_CARRY, 0},
    {"metadata", FRONT_CARRY, 0},
    {"top_k", FRONT_CARRY, 0}, /* not OpenAI's, but of servers that have them for chat, too */
    {"min_p", FRONT_CARRY, 0},
    {"repetition_penalty", FRONT_CARRY, 0},
};
#define FIELD_COUNT (sizeof(table) / sizeof(table[0]))

/* The prompt as one text, which may stand in a list. One piece: each form that OpenAI has for it ends in its own word
 * of refusal. */
static enum status read_prompt(struct front_reader *x, struct json_value prompt,
                               struct json_value *ret)
{
    static const char tokens[] = "of token numbers is not offered; send the text";
    struct json_value only = {0}, item;
    struct json_iter it = json_iter_begin(prompt);
    size_t count = 0;
    if (prompt.type == JSON_NONE)
        return front_bad(x, "prompt", "is missing");
    if (prompt.type == JSON_STRING) {
        *ret = prompt;
        return OK;
    }
    for (; json_array_next(&it, &item); count++) {
        if (item.type == JSON_NUMBER || item.type == JSON_ARRAY)
            return front_refuse(x, "prompt", tokens);
        if (item.type != JSON_STRING)
            return front_bad(x, "prompt", "must be a text or a list of one");
        only = item;
    }
    if (count == 0)
        return front_bad(x, "prompt", "must not be empty");
    if (count > 1)
        return front_refuse(x, "prompt",
                            "may hold one text only; send a request for each of several");
    *ret = only;
    return OK;
}

static enum status refuse_others(struct front_reader *x, const struct json_value *fields)
{
    int64_t best_of = 1;
    if (fields[FIELD_ECHO].type == JSON_TRUE)
        return front_refuse(x, "echo", "is not offered: the answer does not repeat the prompt");
    if (json_inside(fields[FIELD_SUFFIX]).len > 0)
        return front_refuse(x, "suffix", "is not offered: experts are asked by chat");
    if (fields[FIELD_BEST_OF].type == JSON_NONE)
        return OK;
    if (json_to_int64(fields[FIELD_BEST_OF], &best_of) != OK || best_of < 1)
        return front_bad(x, "best_of", "must be a whole number, at least 1");
    if (best_of > 1)
        return front_refuse(x, "best_of", "above 1 is not offered");
    return OK;
}

static enum status write_logprobs(struct front_reader *x, struct json_value logprobs,
                                  struct buf *out)
{
    int64_t top = 0;
    if (logprobs.type == JSON_NONE)
        return OK;
    if (json_to_int64(logprobs, &top) != OK || top < 0 || top > COMPLETIONS_LOGPROBS_MAX)
        return front_bad(x, "logprobs", "must be a whole number from 0 to 20");
    buf_addf(out, ",\"logprobs\":true,\"top_logprobs\":%lld", (long long)top);
    return OK;
}

static enum status write_chat(struct front_reader *x, const struct json_value *fields,
                              struct buf *out)
{
    struct json_value prompt = {0};
    enum status status = read_prompt(x, fields[FIELD_PROMPT], &prompt);
    if (status == OK)
        status = refuse_others(x, fields);
    if (status != OK)
        return status;
    buf_add_c(out, "{\"messages\":[{\"role\":\"user\",\"content\":");
    buf_add(out, prompt.raw);
    buf_add_c(out, "}]");
    front_members_carry(table, FIELD_COUNT, fields, out);
    if (fields[FIELD_MAX_TOKENS].type == JSON_NONE &&
        fields[FIELD_MAX_COMPLETION_TOKENS].type == JSON_NONE)
        buf_addf(out, ",\"max_tokens\":%d", COMPLETIONS_TOKENS_DEFAULT);
    status = write_logprobs(x, fields[FIELD_LOGPROBS], out);
    buf_add_c(out, "}");
    return status != OK ? status : buf_status(out, x->err);
}

enum status completions_request(struct str body, struct arena *a, struct front_chat *ret,
                                const char **ret_param, struct error *err)
{
    static const struct front_table request = {table, FIELD_COUNT, false, write_chat};
    return front_translate(body, a, &request, ret, ret_param, err);
}

const struct front_row front_completions = {
    .name = "completions",
    .errors = DIALECT_ERRORS_OPENAI,
    .request = completions_request,
    .answer = completions_answer,
    .begin = completions_begin,
    .event = completions_event,
    .end = completions_end,
    .fail = completions_fail,
    .error = completions_error,
};
