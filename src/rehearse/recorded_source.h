/* The recorded answers of a data set as a source: queries, outcomes (for token counts) and the responses of the
 * chosen experts, found by prompt. Read-only once opened; safe to ask from any thread.
 *
 * A prompt is found when its normalised text (text_normalize) is that of a query's prompt (text, then its choices
 * one a line), or of a query's bare text where that is unambiguous. Token counts that are not recorded are
 * characters / 4, rounded up. */
#pragma once

#include "base/error.h"
#include "rehearse/source.h"

struct recorded;

/* `experts` is "a,b", or NULL for all that have a responses file. ERR_NOT_FOUND: no such data set, expert, or no
 * responses at all. Shows a progress line on a terminal. */
NODISCARD enum status recorded_open(const char *path, const char *experts, struct recorded **ret,
                                    struct error *err);
void recorded_free(struct recorded *r); /* NULL is fine; after the last answer was sent */
struct rehearse_source recorded_source(const struct recorded *r);
size_t recorded_query_count(const struct recorded *r);
size_t recorded_response_count(const struct recorded *r);
uint64_t recorded_text_bytes(const struct recorded *r);
