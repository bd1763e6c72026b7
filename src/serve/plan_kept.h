/* An answer that is held back until it is known whose answer stands: the whole body, or the events of a stream. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

struct plan_kept {
    struct buf bytes; /* the body; of a stream, each event's length and data */
    bool streamed;
};

void plan_kept_init(struct plan_kept *k, size_t bytes_max);
void plan_kept_done(struct plan_kept *k);
void plan_kept_clear(struct plan_kept *k);
/* Look at buf_status(&k->bytes) afterwards. */
void plan_kept_add_event(struct plan_kept *k, struct str data);
void plan_kept_add_body(struct plan_kept *k, struct str body);
/* The event at *at (0 is the first), which moves on; false behind the last one. */
bool plan_kept_next_event(const struct plan_kept *k, size_t *at, struct str *ret);

/* Appends what the assistant says in its first choice: message.content, or the pieces of delta.content. Nothing where
 * that is no text. ERR_MEMORY. */
NODISCARD enum status plan_kept_text(const struct plan_kept *k, struct buf *text,
                                     struct error *err);
