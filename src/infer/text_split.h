/* What a model writes, piece by piece → the text that the client gets and the calls of tools in it. Nothing of a stop
 * string, of the marks around a call or of half a character leaves it, so some of what has come waits for what
 * follows. */
#pragma once

#include "base/buf.h"
#include "infer/infer_request.h"

#define TEXT_HELD_BYTES_MAX (4u << 20) /* of one call of a tool */

struct text_split {
    struct str stops[INFER_STOPS_MAX]; /* [stop_count]; outlive it */
    size_t stop_count;
    bool calls; /* INFER_CALL_BEGIN begins a call */
    void *user;
    void (*on_text)(void *user, struct str text);
    void (*on_call)(void *user, struct str call); /* what stood between the marks */
    /* Its own: */
    struct buf held;
    bool in_call, after_call;
    const struct str *stopped_by; /* of `stops`: what was found; NULL: none yet */
    size_t passed;                /* bytes that no longer wait, be they told or left out */
};

/* The fields above are set. */
void text_split_init(struct text_split *t);
void text_split_done(struct text_split *t);
/* Whether a stop string was found: nothing behind it is told, and nothing may be added. */
bool text_split_add(struct text_split *t, struct str piece);
/* The answer ends here: tells what waits, an unfinished call as the text that it is; but nothing behind a stop
 * string. */
void text_split_end(struct text_split *t);
/* While a call is open: bytes that follow its mark already. */
size_t text_split_behind_mark(const struct text_split *t);
/* Takes the last bytes back, as if they had never come. */
void text_split_take_back(struct text_split *t, size_t bytes);
