/* One stream of chat chunks, as compatible servers really send them: what of it has come, and each chunk as a client
 * can take it. A chunk that is fine passes as its own bytes. Mended are: a blank finish_reason (becomes null); the
 * role, where every chunk has it; tool calls without an index, from 1 on, all under index 0, with their id and name
 * again in every piece, without an id or with that of another, with arguments that are no text; a message or a text
 * in the place of a delta; and a usage that is below an earlier one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "dialect/openai.h"

#define OPENAI_CALLS_MAX                                                                           \
    256 /* tool calls of a stream that are told apart; beyond, they pass as they are */

struct openai_calls;

struct openai_stream {
    struct openai_marks begun, ended, roles; /* roles: those that were told theirs */
    bool said;                               /* some content has come */
    struct openai_usage usage;               /* the largest of each count */
    struct openai_calls *calls;              /* NULL: none yet */
    struct buf mended;                       /* the present chunk, where it had to be */
};

enum openai_chunk {
    OPENAI_CHUNK_GOOD,
    OPENAI_CHUNK_EMPTY, /* says nothing that a client could read: it is not told */
    OPENAI_CHUNK_ERROR, /* ret->is_error */
    OPENAI_CHUNK_BROKEN /* not a JSON object, or beyond all limits */
};

void openai_stream_init(struct openai_stream *s, size_t chunk_bytes_max);
void openai_stream_done(struct openai_stream *s);
/* Takes the data of an event that is not [DONE]. GOOD: *data is what clients are told, valid until the next chunk, and
 * *ret what is in it. */
enum openai_chunk openai_stream_read(struct openai_stream *s, struct str *data,
                                     struct openai_reply *ret);
/* A whole answer: each tool call gets an id where it has none of its own, a type and arguments, which become the texts
 * that clients parse. False: there was nothing to do, and nothing was written. Look at buf_status(out) afterwards. */
bool openai_answer_mend(const struct openai_reply *reply, struct buf *out);
/* Nothing was said, and no choice has ended. */
bool openai_stream_is_empty(const struct openai_stream *s);
/* Every choice that was begun has its finish_reason, and there are as many as were asked for: `answers`. */
bool openai_stream_is_whole(const struct openai_stream *s, int64_t answers);
