/* What of a chat's messages and tools servers refuse though it says something clear, put into the form that all of them
 * take. For experts of OpenAI's dialect; what is asked stays the same:
 *
 *     system, developer amid the conversation   said by the user at its place, in <system-reminder>: chat templates
 *                                               want one system message, the first, and users by turns
 *     several at the beginning                  one
 *     images and files in a tool's result       said by the user behind the results; images to an expert without them
 *                                               as a text that there is one
 *     a call whose arguments are no object      {"invalid_json": "..."}, as answers have it, too
 *     a function without properties             has none: "properties": {}
 *     reasoning of another expert               left out; and without calls the expert's own, which needs it no more
 *
 * Places do not change from turn to turn, so that prompt caches hold. */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "dialect/openai_request.h"

/* Around a system text that the user says; escaped, for the inside of a JSON string. */
#define OPENAI_REMINDER_BEGIN STR("<system-reminder>\\n")
#define OPENAI_REMINDER_END   STR("\\n</system-reminder>")

/* Whether the role is one of those whose words are instructions: system, developer. */
bool openai_is_system(struct json_value role);
/* How many messages from here on are results of tools, or system messages between them; the last one is a result. */
size_t openai_results_count(struct json_iter messages);

/* Of one message, at `index`; OR of enum openai_mend. */
unsigned openai_message_mends(struct json_value role, struct json_value content,
                              struct json_value tool_calls, size_t index);
bool openai_tools_mend(struct json_value tools); /* whether some tool needs it */

/* The texts of a system message's content, escaped as they are, with line breaks between. */
void openai_system_inside(struct json_value content, struct buf *out);
/* A function's parameters, also absent or null ones, with `properties`. */
void openai_schema_write(struct json_value schema, struct buf *out);
/* The lists as they go to the expert; `mends` is what to do. Look at buf_status(out) afterwards. */
void openai_messages_write(struct json_value messages, unsigned mends,
                           const struct openai_target *target, struct buf *out);
void openai_tools_write(struct json_value tools, struct buf *out);
