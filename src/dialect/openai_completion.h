/* What stands where in a chat completion, or in a chunk of one: for the fronts, which say it in other words. Spans of
 * the text that was parsed; nothing is checked but that members are where they should be. */
#pragma once

#include "base/json.h"

/* The members of a chat completion, or of a chunk, that fronts have a use for. */
struct openai_completion {
    struct json_value id, created, model, choices, usage, system_fingerprint, service_tier, leeroo,
        error;
};
/* One pass, where asking for each would be nine. */
void openai_completion_read(struct json_value root, struct openai_completion *ret);
/* The choice whose index is 0, or that has none; of a completion, and of the list of its choices. */
struct json_value openai_choice_first(struct json_value completion);
struct json_value openai_choice_of(struct json_value choices);
