/* What an OpenAI-compatible endpoint sends back: whole answers, stream chunks, errors, and the usage in them. Nothing
 * is copied or rebuilt: values are spans into the bytes given. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"

/* A zero that was reported counts as zero; what was not reported is unknown. Counts that an endpoint puts beside others
 * (its total tells) are added to those whose part they are here. */
struct openai_usage {
    bool known; /* both counts were reported */
    bool odd;   /* one of the two is no count: negative, broken or beyond all bounds */
    int64_t input_tokens, output_tokens;
    int64_t cached_tokens, cache_write_tokens; /* of the input; 0 when not reported */
    int64_t cache_write_1h_tokens;             /* of cache_write_tokens; 0 when not reported */
    int64_t reasoning_tokens;                  /* of the output; 0 when not reported */
};

#define OPENAI_CHOICES_MAX 128 /* OpenAI's limit of n */

struct openai_marks { /* a bit for each choice, by its index; one beyond the limit has none */
    uint64_t of[OPENAI_CHOICES_MAX / 64];
};

struct openai_reply { /* a whole answer or one chunk of a stream */
    struct json_value root;
    /* An "error" that is set, at the top or in a choice; a finish_reason that is a failure ("error"); or, in the place
     * of choices, one of the forms in which servers say that they failed ({"detail": ...}). */
    bool is_error;
    bool has_content;      /* some text, reasoning, tool call or finish_reason */
    bool finished;         /* a finish_reason; a blank one is none */
    bool has_choices;      /* there are some, be it as an empty list */
    bool has_messages;     /* a whole answer: at least one choice, and each has a message */
    bool has_text;         /* a choice with a text, as completions of old had it */
    bool has_calls;        /* a list of tool calls */
    bool has_role;         /* a text, though maybe an empty one */
    bool has_blank_finish; /* a finish_reason "" or "null" */
    bool usage_only;       /* a chunk with usage and no choices */
    struct openai_marks begun, ended; /* choices that are there; those with a finish_reason */
    uint64_t characters; /* of generated text, for an estimate where usage is missing */
    struct openai_usage usage;
};

/* Characters of all strings inside a message or delta, but for its labels (role, id, type). */
uint64_t openai_count_text(struct json_value value);
/* ERR_INPUT when the text is not a JSON object. A list whose first item holds an error counts as that item. */
NODISCARD enum status openai_reply_read(struct str text, struct openai_reply *ret,
                                        struct error *err);

/* "", or "null" as a text. */
bool openai_is_blank(struct json_value finish_reason);

/* Whether `value` is a count of tokens in one of the forms that servers use. */
bool openai_read_count(struct json_value value, int64_t *ret);
/* The larger of each count, because later reports of one answer count what earlier ones did, or are zeros. */
void openai_usage_merge(struct openai_usage *into, const struct openai_usage *later);

struct openai_error {
    struct json_value message; /* JSON_NONE when there is none */
    int http_status;           /* from a numeric "code" or "status"; 0 when absent */
    /* From the body: retry_after, retry_after_ms, details[].retryDelay; 0: none. */
    uint64_t retry_after_ms;
    bool standard; /* {"error": {"message": "..."}}: may be relayed as it is */
};

/* Whatever of this can be found in an error body, or in an answer that is an error; in one that is empty or no JSON,
 * nothing. */
void openai_error_read(struct str body, struct openai_error *ret);
/* The body of an error: {"error":{"message","type","param","code"}}; param and code may be NULL. */
void openai_error_write(struct buf *out, struct str message, const char *type, const char *param,
                        const char *code);
