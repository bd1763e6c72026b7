/* One object of a generator's reply → a valid question, or the reason why it is none. */
#pragma once

#include "base/json.h"
#include "pose/drop.h"
#include "pose/generator_prompt.h"

/* ERR_INPUT with *ret_reason, the place in *err; ERR_MEMORY. Strings live in `a` or in the reply. */
NODISCARD enum status generator_item_read(struct json_value object,
                                          const struct generator_want *want, struct arena *a,
                                          struct posed *ret, enum drop_reason *ret_reason,
                                          struct error *err);
/* Whether the object means to be a question, valid or not. */
bool generator_item_is(struct json_value object);
/* The text of the question in it, for whoever is told of its drop; else the object itself. */
struct str generator_item_text(struct json_value object, struct arena *a);
