/* Private to dialect/anthropic*.c: the members of a chat request, and of its messages, that a translation looks at. */
#pragma once

#include "dialect/anthropic.h"
#include "dialect/messages_text.h"

#define ANTHROPIC_OUTPUT_TOKENS_DEFAULT 4096 /* where neither client nor configuration says */

enum anthropic_field {
    ANTHROPIC_MODEL,
    ANTHROPIC_MESSAGES,
    ANTHROPIC_STREAM,
    ANTHROPIC_STREAM_OPTIONS,
    ANTHROPIC_MAX_TOKENS,
    ANTHROPIC_MAX_COMPLETION_TOKENS,
    ANTHROPIC_TOOLS,
    ANTHROPIC_TOOL_CHOICE,
    ANTHROPIC_PARALLEL_TOOL_CALLS,
    ANTHROPIC_RESPONSE_FORMAT,
    ANTHROPIC_TEMPERATURE,
    ANTHROPIC_TOP_P,
    ANTHROPIC_TOP_K,
    ANTHROPIC_STOP,
    ANTHROPIC_USER,
    ANTHROPIC_SAFETY_IDENTIFIER,
    ANTHROPIC_REASONING_EFFORT,
    ANTHROPIC_THINKING,
    ANTHROPIC_N,
    ANTHROPIC_LOGPROBS,
    ANTHROPIC_TOP_LOGPROBS,
    ANTHROPIC_LOGIT_BIAS,
    ANTHROPIC_SEED,
    ANTHROPIC_PRESENCE_PENALTY,
    ANTHROPIC_FREQUENCY_PENALTY,
    ANTHROPIC_MODALITIES,
    ANTHROPIC_AUDIO,
    ANTHROPIC_WEB_SEARCH_OPTIONS,
    ANTHROPIC_VERBOSITY,
    ANTHROPIC_FUNCTIONS,
    ANTHROPIC_FUNCTION_CALL,
    ANTHROPIC_METADATA,
    ANTHROPIC_STORE,
    ANTHROPIC_SERVICE_TIER,
    ANTHROPIC_PREDICTION,
    ANTHROPIC_PROMPT_CACHE_KEY,
    ANTHROPIC_PROMPT_CACHE_RETENTION,
    ANTHROPIC_PROMPT_CACHE_OPTIONS,
    ANTHROPIC_LEEROO,
    ANTHROPIC_FIELD_COUNT
};

extern const char *const anthropic_field_names[ANTHROPIC_FIELD_COUNT];

enum anthropic_message_field {
    ANTHROPIC_MESSAGE_ROLE,
    ANTHROPIC_MESSAGE_CONTENT,
    ANTHROPIC_MESSAGE_NAME,
    ANTHROPIC_MESSAGE_REFUSAL,
    ANTHROPIC_MESSAGE_AUDIO,
    ANTHROPIC_MESSAGE_TOOL_CALLS,
    ANTHROPIC_MESSAGE_FUNCTION_CALL,
    ANTHROPIC_MESSAGE_TOOL_CALL_ID,
    ANTHROPIC_MESSAGE_THINKING_BLOCKS, /* an extension: signed thinking, as anthropic_answer_to_chat gives it */
    ANTHROPIC_MESSAGE_CACHE_CONTROL, /* an extension: on a message whose content is one text */
    ANTHROPIC_MESSAGE_ORIGIN,        /* of thinking_blocks: dialect/reasoning_mark.h */
    ANTHROPIC_MESSAGE_FIELD_COUNT
};

extern const char *const anthropic_message_names[ANTHROPIC_MESSAGE_FIELD_COUNT];

enum anthropic_role { ANTHROPIC_NONE, ANTHROPIC_SYSTEM, ANTHROPIC_OF_USER, ANTHROPIC_OF_ASSISTANT };

/* Who speaks in a message of this chat role; a tool's result comes from the user. ANTHROPIC_NONE: unknown. */
enum anthropic_role anthropic_role_of(struct json_value role);

/* Each tells what has no counterpart; NULL: nothing. `other`: the key of a member that is not among the fields. A
 * message's parts are looked at one by one. */
const char *anthropic_fields_lack(const struct json_value *fields, struct json_value other);
const char *anthropic_message_lacks(const struct json_value *message_fields);
const char *anthropic_part_lacks(struct json_value type, struct json_value image,
                                 struct json_value file);

/* `"system":...,` where there is such a text, and `"messages":[...]`. ERR_INPUT, ERR_UNSUPPORTED: what has no
 * counterpart. */
NODISCARD enum status anthropic_messages_write(struct json_value messages, struct arena *a,
                                               struct buf *out, struct error *err);
/* A data: URL → the members of a base64 source. ERR_INPUT: it is none in base64. */
NODISCARD enum status anthropic_data_url_write(struct str url, struct buf *out);
