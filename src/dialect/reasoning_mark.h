/* Where reasoning came from, so that it goes back to the expert that made it and to no other. Clients hand it back as
 * an opaque text beside it: the `signature` of a thinking block (Messages), the `encrypted_content` of a reasoning item
 * (Responses). The gateway writes
 *
 *     leeroo:LENGTH:NAME REST
 *
 * without the blank: NAME is the expert's, LENGTH its bytes in decimal, REST whatever opaque text the expert itself
 * gave, mostly none; what else a front keeps there is its own business (front_responses_thought.h). No signature of a
 * vendor begins so, because ':' is none of their letters.
 *
 * Inside, in an assistant's chat message, the same stands in the member `reasoning_origin`: a text, the name, "" where
 * a vendor signed the thinking itself. It never leaves the gateway. An expert of OpenAI's dialect gets
 * `reasoning_content`, `thinking_blocks`, `reasoning_details` and the `extra_content` of calls of a message with an
 * origin only where that is its own name; one of Anthropic's gets `thinking_blocks` only where it is "". Messages
 * without an origin come from chat clients and keep what they have. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

#define REASONING_ORIGIN "reasoning_origin"
/* The REST of a mark beside text that came as `reasoning`, where others have `reasoning_content`. */
#define REASONING_AS_REASONING STR(".reasoning")

/* The inside of a JSON string; `rest` is escaped already. */
void reasoning_mark_write(struct buf *out, struct str expert, struct str rest);
bool reasoning_mark_is(struct str text); /* whether it begins as a mark, escaped or not */
/* False: it is none of ours. `mark` is decoded, because clients may escape it in their own way; the results are spans
 * of it. */
bool reasoning_mark_read(struct str mark, struct str *ret_expert, struct str *ret_rest);
