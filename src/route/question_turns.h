/* Private to route: what a conversation asks. Mostly its last user message; and where that refers back ("why?"), the
 * ones before it, each with its share. What clients put into messages by themselves is not asked (encode/spoken.h), and
 * messages that hold nothing else are none; but where all of them are so, the last one counts as it is. */
#pragma once

#include "dialect/openai_request.h"

#define TURNS_MAX (OPENAI_EARLIER_MAX + 1)

struct turn {
    struct str text;
    double share; /* of what is asked */
};

/* At least one. *ret_question: the last message, as it is asked. Texts are the request's, or were cut and are in the
 * arena: of long turns before the last only the first and the last bytes. ERR_MEMORY, ERR_TOO_LARGE. */
NODISCARD enum status turns_find(const struct openai_request *r, struct arena *a,
                                 struct turn turns[TURNS_MAX], size_t *ret_count,
                                 struct str *ret_question, struct error *err);
