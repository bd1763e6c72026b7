/* Private to dialect/anthropic*.c and front/front_messages*.c: what both directions between chat and Messages need.
 * Texts are moved as the escaped bytes inside their quotes, so that nothing is decoded, and numbers stay as they were
 * spelt. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

bool messages_is(struct json_value string, const char *text);
bool messages_has_text(struct json_value string); /* a string that is not empty */
bool messages_says(struct json_value string);     /* a string of more than blanks and line breaks */

/* The members of `object` that `names` lists, in that order, into ret[count]: the last of equal ones. Returns how many
 * keys are not listed; *ret_other (may be NULL) is the first of them whose value is not null. */
size_t messages_members_read(struct json_value object, const char *const *names, size_t count,
                             struct json_value *ret, struct json_value *ret_other);

/* `"NAME":` and the value's bytes, after a comma; nothing when absent or null. */
void messages_write_member(struct buf *out, const char *name, struct json_value value);
/* The id of a tool call as a string that Anthropic takes: every byte outside [A-Za-z0-9_-] becomes '_'. */
void messages_write_tool_id(struct buf *out, struct json_value id);
/* The arguments of a chat's tool call, a text, as the object that they must be; "" is {}. ERR_INPUT: they are no
 * object, and `out` is untouched. */
NODISCARD enum status messages_write_input(struct buf *out, struct json_value arguments);
/* The same, and where they are no object {"invalid_json": "..."}, which tells the model what it did. */
void messages_write_input_or_note(struct buf *out, struct json_value arguments);
bool messages_is_input(struct json_value arguments); /* a text that holds an object */
/* Its reverse: any value's bytes as a string; a string, which is no input but part of one, as it is. */
void messages_write_arguments(struct buf *out, struct json_value input);
