/* How providers say that a conversation is too long, with the numbers where they give them. */
#include "dialect/overflow.h"

#include <criterion/criterion.h>

Test(overflow, in_the_words_of_many)
{
    static const struct {
        const char *error;
        int64_t tokens, maximum;
    } rows[] = {
        {"{\"error\":{\"message\":\"This model's maximum context length is 8192 tokens. However, "
         "your messages resulted in 9001 tokens. Please reduce the length of the messages.\","
         "\"type\":\"invalid_request_error\",\"param\":\"messages\",\"code\":"
         "\"context_length_exceeded\"}}",
         9001, 8192},
        {"This model's maximum context length is 4097 tokens. However, you requested 5000 tokens "
         "(4000 in the messages, 1000 in the completion).",
         5000, 4097},
        {"This model's maximum context length is 8192 tokens. However, your request has 9000 input "
         "tokens. Please reduce the length of the input messages.",
         9000, 8192},
        {"Your input exceeds the context window of this model. Please adjust your input and try "
         "again.",
         0, 0},
        {"{\"error\":{\"code\":\"context_length_exceeded\",\"message\":\"no\"}}", 0, 0},
        {"{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt "
         "is "
         "too long: 208310 tokens > 200000 maximum\"}}",
         208310, 200000},
        {"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease "
         "input length or `max_tokens` and try again",
         209573, 200000},
        {"[{\"error\":{\"code\":400,\"message\":\"The input token count (1200000) exceeds the "
         "maximum number of tokens allowed (1048576).\",\"status\":\"INVALID_ARGUMENT\"}}]",
         1200000, 1048576},
        {"{\"error\":{\"code\":400,\"message\":\"request (9012 tokens) exceeds the available "
         "context size (4096 tokens), try increasing it\",\"type\":\"exceed_context_size_error\","
         "\"n_prompt_tokens\":9012,\"n_ctx\":4096}}",
         9012, 4096},
        {"the request exceeds the available context size. try increasing the context size", 0, 0},
        {"{\"message\":\"Input is too long for requested model.\"}", 0, 0},
        {"{\"object\":\"error\",\"message\":\"Prompt contains 40000 tokens and 0 draft tokens, too "
         "large for model with 32768 maximum context length\"}",
         40000, 32768},
        {"too many tokens: total number of tokens in the prompt exceeds the limit of 4081", 0, 0},
        {"This model's maximum prompt length is 131,072 but the request contains 140,001 tokens.",
         140001, 131072},
        {"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 "
         "`inputs` tokens and 20 `max_new_tokens`",
         5000, 4096},
        {"prompt token count of 128001 exceeds the limit of 128000", 128001, 128000},
        {"Invalid request: Your request exceeded model token limit: 8192 (requested: 9000)", 9000,
         8192},
        {"<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]",
         0, 0},
        {"maximum context length is 8192 tokens. However, your messages resulted in 12 tokens", 0,
         0},
        {"maximum context length is 99999999999999999999999999", 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct overflow o = {-1, -1};
        cr_expect(overflow_read(str_from(rows[i].error), &o), "%s", rows[i].error);
        cr_expect_eq(o.tokens, rows[i].tokens, "%lld: %s", (long long)o.tokens, rows[i].error);
        cr_expect_eq(o.maximum, rows[i].maximum, "%lld: %s", (long long)o.maximum, rows[i].error);
    }
}

Test(overflow, other_errors_are_none)
{
    static const char *const rows[] = {
        "",
        "{\"error\":{\"message\":\"Rate limit reached\",\"code\":\"rate_limit_exceeded\"}}",
        "max_tokens is too large: 100000. This model supports at most 16384 completion tokens",
        "max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens",
        "Missing required parameter: 'messages'.",
        "Invalid schema for response_format 'x': In context=(), 'additionalProperties' is required",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct overflow o = {-1, -1};
        cr_expect_not(overflow_read(str_from(rows[i]), &o), "%s", rows[i]);
        cr_expect_eq(o.tokens, -1);
    }
}

Test(overflow, what_is_written_is_read_again)
{
    const struct overflow o = {9001, 8192};
    struct overflow again;
    struct buf out;
    buf_init(&out, 200);
    overflow_write_chat(&o, &out);
    cr_expect(overflow_read(buf_str(&out), &again) && again.tokens == 9001 &&
              again.maximum == 8192);
    buf_clear(&out);
    overflow_write_messages(&o, &out);
    cr_expect(str_equal(buf_str(&out), STR("prompt is too long: 9001 tokens > 8192 maximum")));
    cr_expect(overflow_read(buf_str(&out), &again) && again.tokens == 9001 &&
              again.maximum == 8192);
    buf_done(&out);
}
