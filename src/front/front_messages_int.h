/* Private to front/front_messages*.c: clients of Anthropic's Messages API. */
#pragma once

#include "dialect/messages_text.h"
#include "dialect/openai.h"
#include "front/front_int.h"

struct messages_reader {
    struct arena *a;
    struct buf *out;
    struct error *err;
    const char *param;       /* of the field at fault */
    bool in_system;          /* what is read are the system's texts */
    const char *native_only; /* the first thing found that chat has no concept of */
    const char *native_rather;
    struct dropped dropped, effort; /* as in struct front_chat */
};

/* "PARAM: what", in the manner of Anthropic's own errors. */
enum status messages_bad(struct messages_reader *x, const char *param, const char *what);
/* Notes that only an expert of Messages can serve the request; `what`, a static text, says why. The first stands. */
void messages_native(struct messages_reader *x, const char *what);
/* Notes a member that is left out, "PLACE.KEY". JSON_NONE: nothing. */
void messages_drop(struct messages_reader *x, const char *place, struct json_value key);
/* What a server's own tool did or does: left out where there is no expert that can do it. */
void messages_rather(struct messages_reader *x, const char *place, struct json_value type);
/* As messages_native, of a type that is unknown here, whose name is copied. JSON_NONE: nothing. */
void messages_native_key(struct messages_reader *x, struct json_value key);

bool messages_is_result(struct json_value block); /* of a tool */
/* What is said in blocks, without the results of tools, as a text or a list of parts. */
NODISCARD enum status messages_content_write(struct messages_reader *x, struct json_value content);
/* What a tool's result says. Chat has no flag for errors, so a result that is one begins with "Error". */
NODISCARD enum status messages_result_write(struct messages_reader *x, struct json_value content,
                                            bool is_error);
/* `[...]`, system first. */
NODISCARD enum status messages_input_write(struct messages_reader *x, struct json_value system,
                                           struct json_value messages);
/* `,"tools":[...]` and what goes with them. */
NODISCARD enum status messages_tools_write(struct messages_reader *x, struct json_value tools,
                                           struct json_value tool_choice);

enum status messages_request(struct str body, struct arena *a, struct front_chat *ret,
                             const char **ret_param, struct error *err);

/* Answers */

/* `called`: there were tool calls. stop_sequence: what choice.stop_reason holds; a text is the sequence. */
const char *messages_stop_reason(struct json_value finish_reason, struct json_value stop_sequence,
                                 bool called);
/* The id of the message: the completion's where that is one of Anthropic's, else made from the request's. */
void messages_write_id(const struct front_context *c, struct json_value id, struct buf *out);
/* `"model":...`: the client's own name for it, or else what the expert says. */
void messages_write_model(const struct front_context *c, struct json_value model, struct buf *out);
/* The id of a tool call, or one that is made of the request's and the call's number. */
void messages_write_call_id(const struct front_context *c, struct json_value id, size_t number,
                            struct buf *out);
/* `"usage":{...}`; where it is unknown, estimates: the context's, and `characters` of output. */
void messages_write_usage(const struct front_context *c, const struct openai_usage *usage,
                          uint64_t characters, struct buf *out);

/* Thinking */

/* Of a message or a delta, a text or NONE. *ret_rest: for messages_write_mark, which member it was. */
struct json_value messages_reasoning(struct json_value message, struct str *ret_rest);
/* A signature, as a string: of the expert that answers, with what it gave itself (`rest`, escaped). */
void messages_write_mark(const struct front_context *c, struct str rest, struct buf *out);
/* A block of an expert's own, signed with where it comes from. */
void messages_write_thinking_block(const struct front_context *c, struct json_value block,
                                   struct buf *out);
/* What a chat expert wants back beside its words, as a block of redacted thinking that holds {"NAME":VALUE}: NAME is
 * "extra_content" (Gemini's, of the call that follows) or "reasoning_details" (OpenRouter's). */
void messages_write_carry(const struct front_context *c, const char *name, struct json_value value,
                          struct buf *out);
/* Whether such a block is to be made of it. */
bool messages_is_carried(const struct front_context *c, struct json_value value);
/* The object of such a block, in the request's arena; JSON_NONE: it is none. ERR_MEMORY. */
NODISCARD enum status messages_carry_read(struct messages_reader *x, struct json_value block,
                                          struct json_value *ret);
bool messages_is_thinking(struct json_value block); /* redacted, too */
/* The members in which the thinking among an assistant's blocks goes back to who made it. ERR_MEMORY. */
NODISCARD enum status messages_thinking_write(struct messages_reader *x, struct json_value content);

enum status messages_answer(const struct front_context *c, struct str completion, struct buf *out,
                            struct error *err);

void *messages_begin(const struct front_context *c, struct arena *a);
void messages_event(void *state, struct str data, struct buf *out);
void messages_end(void *state, struct buf *out);
void messages_fail(void *state, const struct front_error *e, struct buf *out);
void messages_error(const struct front_error *e, struct buf *out);
