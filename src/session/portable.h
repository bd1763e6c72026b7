/* A conversation for an expert that did not hold all of it. State that another expert made is left out: signed and
 * redacted thinking, reasoning_details, Gemini's thought signatures. What was said, called and thought in plain text
 * stays. State whose maker is not known goes as the client sent it, but not to an expert that only steps in, nor amid a
 * turn whose last answer is known: what is older has been forgotten, or comes from elsewhere. */
#pragma once

#include "session/session.h"

/* `body`: a chat completion's request or a Messages request; it and the arena outlive *ret, which is `body` itself
 * where nothing has to go. Thinking that is switched on with a budget is switched off where the turn has none of
 * the expert's, because Anthropic demands it then. ERR_INPUT: it is no JSON; ERR_MEMORY. */
NODISCARD enum status session_portable(struct sessions *t, const struct session *s,
                                       const struct expert *e, bool steps_in, struct str body,
                                       uint64_t now_ms, struct arena *a, struct str *ret,
                                       struct error *err);
/* The same for a chat that was read already: *ret is `chat` or another, in the arena. */
NODISCARD enum status session_portable_chat(struct sessions *t, const struct session *s,
                                            const struct expert *e, bool steps_in,
                                            const struct openai_request *chat, uint64_t now_ms,
                                            struct arena *a, const struct openai_request **ret,
                                            struct error *err);
