/* Keeps an expert's key out of a stream whose events hold pieces of texts: each string is followed from event to event,
 * by its place in the JSON (names of members, and the member "index"), so that a key is found although it comes in
 * pieces. Works for events of every dialect.
 *
 * Where a string ends with the beginning of the key, its event waits, and those behind it, until what follows decides.
 * Fewer than REDACT_HOLD_MIN characters are not waited for: nearly every text ends with an "s" now and then, and of a
 * key that is found later only they have been told. What is decided by nothing, because the stream ends or other
 * strings go on for REDACT_OTHERS_MAX events, is told as it is, unless it is half of the key or more. */
#pragma once

#include "base/error.h"
#include "base/str.h"

#define REDACT_HOLD_MIN    4
#define REDACT_OTHERS_MAX  8
#define REDACT_HELD_EVENTS 128
#define REDACT_HELD_BYTES  (8u << 20) /* more than any one event has */

/* An event that may be passed on. The texts are valid during the call only. */
typedef void redact_tell(struct str name, struct str data, void *arg);

struct redact_stream {
    struct str secret;
    redact_tell *tell;
    void *arg;
    struct redact_state *state; /* NULL while nothing looked like the secret */
};

void redact_stream_init(struct redact_stream *r, struct str secret, redact_tell *tell, void *arg);
void redact_stream_done(struct redact_stream *r); /* tells nothing any more */
/* The next event, in which the secret is not as a whole (redact()). Tells it behind those that waited, or keeps it.
 * ERR_MEMORY: it is lost. */
NODISCARD enum status redact_stream_feed(struct redact_stream *r, struct str name, struct str data);
/* There are no more events: tells those that wait. */
void redact_stream_end(struct redact_stream *r);
