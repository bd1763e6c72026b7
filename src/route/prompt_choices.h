/* The question inside a prompt: its text and, where the prompt ends in a list of choices, these. Offline they are
 * given, online they have to be found again; both must come to the same answers. */
#pragma once

#include "base/arena.h"
#include "data/dataset.h"

/* Reads what query_prompt writes: the text, then a line for each choice from "A. ..." on; "A) ..." and "(A) ..." will
 * do. The last list counts; a blank line ends its last choice. Without at least two choices the question is an open
 * one. Slices of `prompt`, which must outlive *ret; the list is in the arena. ERR_MEMORY. */
NODISCARD enum status plan_query_read(struct str prompt, struct arena *a, struct query *ret,
                                      struct error *err);
