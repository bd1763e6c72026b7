/* The questions in a generator's reply: JSON, in whatever it is wrapped.
 *
 * Objects are looked for in the text, so that a list, lines, an object around a list, fences of code, prose before and
 * after, and a reply that was cut off in the middle are all read as far as they go. Every object that is no valid
 * question is dropped under one reason and told. Linear in the length of the reply but for GENERATOR_DESCENTS_MAX. */
#pragma once

#include "pose/drop.h"
#include "pose/generator_prompt.h"
#include "pose/question_file.h"

#define GENERATOR_REPLY_BYTES_MAX (512u << 10) /* what is behind them is not read */
#define GENERATOR_REPLY_ITEMS_MAX 100
#define GENERATOR_DESCENTS_MAX    64 /* objects that are opened to look for questions inside */

/* Valid questions, in the order of the reply; domain and level as wanted where the reply does not say. Items live in
 * `a`, which may be left with more. `sink` may be NULL. ERR_MEMORY. */
NODISCARD enum status generator_reply_read(struct str reply, const struct generator_want *want,
                                           struct arena *a, const struct drop_sink *sink,
                                           struct question_list *ret, struct drop_counts *dropped,
                                           struct error *err);
