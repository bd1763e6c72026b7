/* Refusals as a table of the words that providers use. Codes are looked for like sentences, because where they stand
 * differs from one to the next, and gateways in between wrap one error in another. Being wrong here costs one more
 * call: the next expert refuses as well. Pure functions of text for any thread. What is about the request itself is
 * told first: other experts would refuse a broken schema, too, in words that may be mistaken for these. */
#include "expert/refusal.h"

#include "base/json.h"
#include "dialect/error_words.h"
#include "dialect/overflow.h"

#define LIST(table) (table), sizeof(table) / sizeof((table)[0])

static const char *const of_request[] = {
    "invalid_json_schema", "invalid schema for",         "invalid_function_parameters",
    "invalid_type",        "missing_required_parameter", "empty_array",
};

static const char *const of_expert[] = {
    /* parameters and kinds of content */
    "unsupported_value",
    "unsupported_parameter",
    "unsupported value",
    "unsupported parameter",
    "unknown_parameter",
    "unknown parameter",
    "unrecognized request argument",
    "unrecognized argument",
    "unknown name ",
    "unknown field",
    "extra_forbidden",
    "extra inputs are not permitted",
    "extraneous key",
    "does not support",
    "doesn't support",
    "not supported",
    "is unsupported",
    "is not available for this model",
    "is deprecated for this model",
    "cannot both be specified for this model",
    "with this model",
    "not a multimodal model",
    "may be provided in one",
    "requires --enable-auto-tool-choice",
    "is not enabled",
    "roles must alternate",
    "chat template",
    /* state of another expert; whoever steps in gets none (session/portable.h) */
    "`signature` in `thinking`",
    "invalid signature in thinking",
    "thought signature",
    "thought_signature",
    "expected `thinking`",
    "must start with a thinking block",
    "invalid_encrypted_content",
    "thinking mode must be passed back",
    /* our own key, in a 400 as Google's */
    "api key not valid",
    "api_key_invalid",
    "api key expired",
    /* limits of an answer */
    "max_tokens is too large",
    "max_completion_tokens is too large",
    "supports at most",
    "maximum allowed number of output tokens",
    /* it tried, and what it wrote was not what was asked for */
    "tool_use_failed",
    "json_validate_failed",
};

/* Of a 413: how much may come at once is everybody's own limit. */
static const char *const of_size[] = {"too large", "too_large", "too big", "too long", "exceeds"};

static const char *const of_filter[] = {
    "content_filter",
    "content_policy",
    "content filter",
    "content policy",
    "content policies",
    "content management policy",
    "responsibleaipolicyviolation",
    "content exists risk",
    "data_inspection_failed",
    "datainspectionfailed",
    "inappropriate content",
    "invalid_prompt",
    "moderation",
    "prohibited_content",
    "safety system",
    "usage policies",
    "usage policy",
    "flagged",
};

static bool is_json(struct str body)
{
    struct json_value root;
    return json_parse(body, "error body", 1, &root, NULL) == OK &&
           (root.type == JSON_OBJECT || root.type == JSON_ARRAY);
}

bool refusal_is_of_expert(int http_status, struct str body)
{
    struct error_words w;
    struct overflow o;
    error_words_read(body, &w);
    if (http_status == 413 && error_words_any(&w, LIST(of_size)))
        return true;
    if (http_status == 403) /* else it is about the key */
        return error_words_any(&w, LIST(of_filter));
    if (http_status == 404) /* OpenRouter: of those it knows none takes tools, images, ... */
        return error_words_find(&w, "no endpoints found") > 0;
    bool refuses = http_status == 400 || http_status == 413 || http_status == 422;
    if ((!refuses && !(http_status >= 500 && is_json(body))) ||
        error_words_any(&w, LIST(of_request)))
        return false;
    return overflow_read(body, &o) || error_words_any(&w, LIST(of_expert)) ||
           error_words_any(&w, LIST(of_filter));
}
