/* What a message's author says, without what the client put around it: reminders, descriptions of the environment,
 * opened files, the output of commands. Agents put such blocks into the user's own message; they are read by the expert
 * and cost tokens, but they are not what is asked. Nor are long files, in a block or in fenced code, where the words
 * beside them speak for themselves.
 *
 * A block is <name> ... </name> that begins and ends a line, where the name is that of a client's note: one of a list
 * ("ide_opened_file"), or several words that all describe surroundings, one of them clearly ("workspace_layout").
 * What people write themselves stays: HTML, XML, tags that are not closed, everything in fenced code, and one word such
 * as <document> or <context>. Around what the user typed some clients put a tag, too (<task>); there the tag goes
 * and the words stay, and of <user_query> nothing but they. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* *ret: `text` itself where there is nothing to cut, or else what remains of it, trimmed, in the arena; empty where
 * nothing does. Linear in the text. ERR_MEMORY. */
NODISCARD enum status spoken_text(struct str text, struct arena *a, struct str *ret,
                                  struct error *err);
