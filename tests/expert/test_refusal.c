/* Which refusals are about the expert, and which about the request. */
#include "expert/refusal.h"

#include <criterion/criterion.h>

#define ERROR(message, code) "{\"error\":{\"message\":\"" message "\",\"code\":" code "}}"

struct row {
    int http_status;
    const char *body;
};

static void expect(const struct row *rows, size_t count, bool want)
{
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(refusal_is_of_expert(rows[i].http_status, str_from(rows[i].body)), want,
                     "%d %s", rows[i].http_status, rows[i].body);
}

Test(refusal, of_what_only_this_expert_cannot_do)
{
    static const struct row rows[] = {
        {400, ERROR("x", "\"context_length_exceeded\"")},
        {400, ERROR("'temperature' does not support 0.2 with this model", "\"unsupported_value\"")},
        {400, ERROR("'logprobs' is not supported with this model", "\"unsupported_parameter\"")},
        {400, ERROR("x", "\"content_filter\"")},
        {400, ERROR("Unknown parameter: 'top_k'.", "\"unknown_parameter\"")},
        {400, ERROR("API key not valid. Please pass a valid API key.", "400")},
        {400, ERROR("Unrecognized request argument supplied: reasoning_effort", "null")},
        {400, ERROR("max_tokens is too large: 9. This model supports at most 4 tokens", "null")},
        {400, "{\"error\":{\"innererror\":{\"code\":\"ResponsibleAIPolicyViolation\"}}}"},
        {400, "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
              "\"prompt is too long: 9 tokens > 8 maximum\"}}"},
        {400, "{\"type\":\"error\",\"error\":{\"message\":\"`temperature` is deprecated for this "
              "model.\"}}"},
        {400, "{\"type\":\"error\",\"error\":{\"message\":\"thinking: Extra inputs are not "
              "permitted\"}}"},
        {400, "[{\"error\":{\"code\":400,\"message\":\"Invalid JSON payload received. Unknown name "
              "\\\"seed\\\": Cannot find field.\"}}]"},
        {400, "{\"error\":\"registry.ollama.ai/library/gemma:2b does not support tools\"}"},
        {400, "{\"object\":\"error\",\"message\":\"\\\"auto\\\" tool choice requires "
              "--enable-auto-tool-choice and --tool-call-parser to be set\"}"},
        {400, ERROR("Conversation roles must alternate user/assistant", "400")},
        {400, ERROR("Failed to call a function.", "\"tool_use_failed\"")},
        {400,
         ERROR("Provider returned error", "400,\"metadata\":{\"raw\":\"{\\\"error\\\":\\\"This "
                                          "model's maximum context length is 4\\\"}\"}")},
        {400, "{\"error\":{\"message\":\"Content Exists Risk\"}}"},
        {400, "Unsupported parameter: 'top_p'"},
        {400, "{\"type\":\"error\",\"error\":{\"message\":\"messages.1.content.0: Invalid "
              "`signature` in `thinking` block\"}}"},
        {400,
         "{\"error\":{\"code\":400,\"message\":\"Function call is missing a thought_signature in "
         "functionCall parts.\",\"status\":\"INVALID_ARGUMENT\"}}"},
        {400, "{\"error\":{\"code\":400,\"message\":\"Corrupted thought signature.\"}}"},
        {400, "{\"type\":\"error\",\"error\":{\"message\":\"messages.1.content.0.type: Expected "
              "`thinking` or `redacted_thinking`, but found `tool_use`.\"}}"},
        {400, ERROR("x", "\"invalid_encrypted_content\"")},
        {400, ERROR("The `reasoning_content` in the thinking mode must be passed back to the API.",
                    "\"invalid_request_error\"")},
        {403, ERROR("Your input was flagged by the provider", "403")},
        {404, ERROR("No endpoints found that support tool use", "404")},
        {413, "<html>413 Request Entity Too Large</html>"},
        {413, "{\"type\":\"error\",\"error\":{\"type\":\"request_too_large\",\"message\":\"Request "
              "exceeds the maximum allowed number of bytes.\"}}"},
        {413, ERROR("Request too large for model `m` on tokens per minute (TPM)", "null")},
        {422, "{\"error\":\"Input validation error: `inputs` tokens + `max_new_tokens` must be <= "
              "4096. Given: 5000 `inputs` tokens\",\"error_type\":\"validation\"}"},
        {500, "{\"error\":{\"code\":500,\"message\":\"image input is not supported\"}}"},
        {502, ERROR("x", "\"context_length_exceeded\"")},
    };
    expect(rows, sizeof(rows) / sizeof(rows[0]), true);
}

Test(refusal, of_the_request_itself_and_other_failures)
{
    static const struct row rows[] = {
        {400, ""},
        {400, ERROR("Missing required parameter: 'messages'.", "\"missing_required_parameter\"")},
        {400, ERROR("Invalid schema for response_format 'x': 'oneOf' is not supported",
                    "\"invalid_json_schema\"")},
        {400, ERROR("Invalid schema for function 'f': schema must be of type object", "null")},
        {400,
         ERROR("Invalid type for 'temperature': this type is not supported", "\"invalid_type\"")},
        {400, ERROR("Invalid value: 'foo'.", "\"invalid_value\"")},
        {400, "{\"type\":\"error\",\"error\":{\"message\":\"messages: at least one message is "
              "required\"}}"},
        {401, ERROR("this key does not support that", "null")},
        {403, ERROR("Country, region, or territory not supported", "null")},
        {404, ERROR("method not supported", "null")},
        {413, ERROR("no", "null")},
        {429, ERROR("maximum context length", "null")},
        {503, "<html>content filter</html>"},
        {500, ERROR("internal error", "null")},
    };
    expect(rows, sizeof(rows) / sizeof(rows[0]), false);
}
