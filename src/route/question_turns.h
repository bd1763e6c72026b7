/* Private to route: what a conversation asks. Mostly its last user message; and where that refers back ("why?"), the
 * ones before it, each with its share. */
#pragma once

#include "dialect/openai_request.h"

#define TURNS_MAX (OPENAI_EARLIER_MAX + 1)

struct turn {
    struct str text;
    double share; /* of what is asked */
};

/* At least one. Texts are the request's; but of long turns before the last only the first and the last bytes, copied
 * into the arena. ERR_MEMORY, ERR_TOO_LARGE. */
NODISCARD enum status turns_find(const struct openai_request *r, struct arena *a,
                                 struct turn turns[TURNS_MAX], size_t *ret_count,
                                 struct error *err);
