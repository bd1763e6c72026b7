/* The request of POST /v1/chat/completions as spans into its body. Only what routing needs is read; everything else
 * passes through untouched, because the body that goes upstream is the client's own with an edit or two. A field that
 * is read here must not be given twice: two readers may not agree on which one counts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/script.h"

#define OPENAI_EARLIER_MAX 3 /* user messages before the last that are looked at */
/* What an image is assumed to cost: OpenAI counts 765 for a square one, others up to twice that. */
#define OPENAI_IMAGE_TOKENS 800

/* What of messages and tools goes to experts of OpenAI's dialect in another form (openai_mend.h). */
enum openai_mend {
    OPENAI_MEND_SYSTEM =
        1, /* system messages that are several, amid the conversation, or a developer's */
    OPENAI_MEND_CALLS = 2,     /* calls whose arguments are no text that holds an object */
    OPENAI_MEND_RESULTS = 4,   /* results of tools with more than text in them */
    OPENAI_MEND_REASONING = 8, /* reasoning that belongs to one expert */
    OPENAI_MEND_TOOLS = 16,    /* functions without properties */
};

struct openai_request {
    struct json_value root;
    struct json_value model_value;    /* the span to replace; JSON_NONE when absent */
    struct json_value stream_options; /* JSON_NONE when absent */
    struct json_value include_usage;  /* inside it; JSON_NONE when absent */
    struct str model;                 /* decoded; empty when absent */
    bool stream;
    bool wants_usage; /* the client itself asked for stream_options.include_usage */
    struct str query; /* the text of the last user message, which is what is asked */
    uint64_t query_characters;
    /* Contents of the user messages before it, the last one first: openai_request_earlier reads them. */
    struct json_value earlier[OPENAI_EARLIER_MAX];
    size_t earlier_count;
    struct json_value last_answer; /* the assistant's last message; JSON_NONE: there is none */
    bool ends_in_answer;           /* it is the last of all: to be continued */
    uint64_t input_characters; /* all messages and tools, for context limits and token estimates */
    struct script_counts input_scripts; /* of them, by script */
    uint32_t images;
    uint32_t
        tool_images; /* of them in results of tools, which experts without images are told of */
    struct json_value messages, tools; /* JSON_NONE when absent */
    size_t message_count;
    unsigned mends;            /* of enum openai_mend */
    int64_t output_tokens_max; /* max_completion_tokens or max_tokens; 0: not given */
    struct json_value max_tokens, max_completion_tokens; /* their values; JSON_NONE when absent */
    int64_t answers;                                     /* n: how many are asked for, at least 1 */
    unsigned needs;                                      /* of enum expert_capability */
    bool plain_text;    /* one plain text is asked for: no tools, no format, n is 1, no logprobs */
    bool may_think;     /* it says so: thinking, reasoning, reasoning_effort */
    struct str session; /* what it calls its session, as it stands there; empty: nothing */
    struct json_value leeroo; /* what the request says of its routing; JSON_NONE when absent */
    struct str leeroo_cut;    /* that member with its comma, which no expert is to see */
    struct str effort_cut;    /* likewise reasoning_effort */
    bool effort_is_wish; /* set by whoever translated it: experts that do not know it get none */
};

/* `body` and the arena must outlive *ret. On failure *ret_param (may be NULL) names the field at fault, or is NULL.
 * require_chat: model and messages must be there; otherwise {"text": ...} or {"prompt": ...} is enough. ERR_INPUT,
 * ERR_TOO_LARGE. */
NODISCARD enum status openai_request_parse(struct str body, bool require_chat, struct arena *a,
                                           struct openai_request *ret, const char **ret_param,
                                           struct error *err);

/* The text of the i-th user message before the last, i < earlier_count; empty where it has none. ERR_TOO_LARGE: the
 * arena is full. */
NODISCARD enum status openai_request_earlier(const struct openai_request *r, size_t i,
                                             struct arena *a, struct str *ret, struct error *err);

/* The text of any message's content: of all its text parts, by newlines. ERR_TOO_LARGE. */
NODISCARD enum status openai_content_text(struct json_value content, struct arena *a,
                                          struct str *ret, struct error *err);

/* What an expert calls the limit of its answer; some refuse the other name. */
enum openai_limit_name {
    OPENAI_LIMIT_AS_GIVEN, /* both are understood */
    OPENAI_LIMIT_MAX_TOKENS,
    OPENAI_LIMIT_MAX_COMPLETION_TOKENS,
};

struct openai_target {    /* whom a request is written for */
    struct str expert;    /* its name here; reasoning of others is left out */
    bool system_anywhere; /* it takes system messages wherever they stand */
    bool is_blind;        /* it has no images; those of tools' results are told as such */
    bool knows_effort;    /* and reasoning_effort; of meaning where that is a wish */
};

/* The body for an expert: the client's bytes with `model` replaced, without "leeroo" and, for a stream, with
 * stream_options.include_usage set to true; messages and tools in the form that servers take, where r->mends says so
 * (openai_mend.h). output_tokens_limit > 0: no answer may be longer; max_tokens and
 * max_completion_tokens, whichever the client gave, are lowered to it, and where there is neither max_tokens is added.
 * Look at buf_status(out) afterwards. */
void openai_request_write(const struct openai_request *r, struct str upstream_model,
                          int64_t output_tokens_limit, enum openai_limit_name limit_name,
                          const struct openai_target *target, struct buf *out);
