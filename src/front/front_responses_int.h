/* Private to front_responses*.c: the front "responses", POST /v1/responses without memory. A request is read by one
 * table (_request.c), its items become messages (_input.c, _calls.c) and its tools and formats chat's (_tools.c,
 * _toolbox.c); _write.c writes the response object and its items, _answer.c translates whole answers, _stream.c and
 * _events.c streams. */
#pragma once

#include "front/front_int.h"
#include "front/front_members.h"

#define RESPONSES_ITEMS_MAX        256        /* of one answer's output */
#define RESPONSES_STREAM_BYTES_MAX (4u << 20) /* of text; the last events repeat it four times */
#define RESPONSES_LEEROO_BYTES_MAX (256u << 10)
#define RESPONSES_SEALED_BYTES_MAX (32u << 20) /* of encrypted_content: the text and its escapes */

enum responses_field {
    RESPONSES_MODEL,
    RESPONSES_INPUT,
    RESPONSES_INSTRUCTIONS,
    RESPONSES_TOOLS,
    RESPONSES_TOOL_CHOICE,
    RESPONSES_PARALLEL,
    RESPONSES_MAX_OUTPUT,
    RESPONSES_MAX_TOOL_CALLS,
    RESPONSES_TEMPERATURE,
    RESPONSES_TOP_P,
    RESPONSES_TOP_LOGPROBS,
    RESPONSES_TEXT_FORMAT,
    RESPONSES_REASONING_EFFORT,
    RESPONSES_INCLUDE,
    RESPONSES_STREAM,
    RESPONSES_METADATA,
    RESPONSES_STORE,
    RESPONSES_USER,
    RESPONSES_SAFETY_IDENTIFIER,
    RESPONSES_PROMPT_CACHE_KEY,
    RESPONSES_TRUNCATION,
    RESPONSES_BACKGROUND,
    RESPONSES_PREVIOUS_ID,
    RESPONSES_CONVERSATION,
    RESPONSES_PROMPT,
    RESPONSES_FIELDS = 64 /* room for all rows of the table */
};

/* Requests */

NODISCARD enum status responses_request(struct str body, struct arena *a, struct front_chat *ret,
                                        const char **ret_param, struct error *err);
/* The members of a request that was accepted, to repeat them in the answer; of another all are absent. */
void responses_fields_read(struct str body, struct json_value fields[RESPONSES_FIELDS]);
/* The messages of `input`, each with a comma in front when *first is false. */
NODISCARD enum status responses_input_write(struct front_reader *x, struct json_value input,
                                            bool first, struct buf *out);
/* tools, tool_choice and parallel_tool_calls as members of the chat request (front_responses_toolbox.h). */
NODISCARD enum status responses_tools_write(struct front_reader *x, const struct json_value *fields,
                                            struct buf *out);
/* text.format and text.verbosity. */
NODISCARD enum status responses_text_write(struct front_reader *x, struct json_value text,
                                           struct buf *out);

/* Response objects */

enum responses_status {
    RESPONSES_IN_PROGRESS,
    RESPONSES_COMPLETED,
    RESPONSES_INCOMPLETE,
    RESPONSES_FAILED
};

enum responses_kind { RESPONSES_REASONING, RESPONSES_TEXT, RESPONSES_REFUSAL, RESPONSES_CALL };

struct responses_tool;

/* One item of the output. The slices are insides of JSON strings, but for logprobs: a list without its brackets. */
struct responses_item {
    enum responses_kind kind;
    size_t index; /* in the output */
    enum responses_status status;
    struct str text; /* of a call: its arguments */
    struct str logprobs;
    struct str sealed;        /* of reasoning: its encrypted_content; empty: none */
    struct str call_id, name; /* of a call; an empty call_id is replaced by one that is made here */
    const struct responses_tool *tool; /* that is called; NULL: the function `name` */
    struct str content;                /* of such a call, as responses_call_content tells it */
};

struct responses_view { /* what a response object says beside its items */
    const struct front_context *context;
    const struct json_value *fields;
    enum responses_status status;
    const char *incomplete;          /* why, or NULL */
    const struct front_error *error; /* of RESPONSES_FAILED */
    struct str model, service_tier;  /* JSON; empty: as asked, null */
    struct str usage;                /* JSON of this API; empty: null */
    struct str leeroo;               /* JSON; empty: none */
};

/* A response object is head, items with commas between, tail. */
void responses_head_write(struct buf *out, const struct responses_view *v);
void responses_tail_write(struct buf *out, const struct responses_view *v);
void responses_item_write(struct buf *out, const struct front_context *c,
                          const struct responses_item *item);
/* The item as it begins: in progress and empty. */
void responses_item_write_begun(struct buf *out, const struct front_context *c,
                                const struct responses_item *item);
void responses_part_write(struct buf *out, const struct responses_item *item, struct str text);
void responses_item_id_write(struct buf *out, const struct front_context *c,
                             const struct responses_item *item);
/* Chat's usage in this API's words; nothing when there is none. */
void responses_usage_write(struct buf *out, struct json_value usage);
const char *responses_error_code(const struct front_error *e);

/* RESPONSES_COMPLETED, or RESPONSES_INCOMPLETE with the reason. */
enum responses_status responses_finish_read(struct json_value finish_reason,
                                            const char **ret_incomplete);
/* The model's reasoning, under whichever name the expert gives it; JSON_NONE when there is none. */
struct json_value responses_reasoning_find(struct json_value message);
/* The inside of a call's arguments; an object instead of text is written to `scratch`. */
struct str responses_arguments_read(struct json_value arguments, struct buf *scratch);

NODISCARD enum status responses_answer(const struct front_context *c, struct str completion,
                                       struct buf *out, struct error *err);

/* Streams */

void *responses_begin(const struct front_context *c, struct arena *a);
void responses_event(void *state, struct str data, struct buf *out);
void responses_end(void *state, struct buf *out);
void responses_fail(void *state, const struct front_error *e, struct buf *out);
