/* An answer that is held back until it is known whose answer stands: a body in one piece, or the events of a stream.
 * One format for all who hold back: an attempt before its first content, a member of a plan, the cache of answers. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "expert/call.h"

struct held_events {
    struct buf bytes; /* the body; of a stream, a head, the name and the data of each event */
    bool streamed;
};

void held_events_init(struct held_events *h, size_t bytes_max);
void held_events_done(struct held_events *h);
void held_events_clear(struct held_events *h);
/* Look at h->bytes.status afterwards. `keep_reply`: what was read in it is kept, too, which costs some 150 bytes;
 * otherwise it is read from the data again, which a native event's data do not allow. event->reply points into
 * event->data. */
void held_events_add(struct held_events *h, const struct expert_event *event, bool keep_reply);
void held_events_add_body(struct held_events *h, struct str body);
/* The event at *at (0 is the first), which moves on; false behind the last one. *ret and *reply point into h. */
bool held_events_next(const struct held_events *h, size_t *at, struct expert_event *ret,
                      struct openai_reply *reply);

/* Appends what the assistant says in its first choice: message.content, or the pieces of delta.content. Nothing where
 * that is no text. ERR_MEMORY. */
NODISCARD enum status held_events_text(const struct held_events *h, struct buf *text,
                                       struct error *err);
