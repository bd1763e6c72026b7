/* The OpenAI chat dialect from the upstream's side: what a request asks, and how an answer looks on the wire. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "rehearse/source.h"

#define CHAT_PIECE_BYTES_MAX 24 /* of one streamed delta, white space in front of it not counted */

struct chat_request {
    struct str model;
    struct str prompt; /* text of the last user message; its text parts joined by line ends */
    bool stream, include_usage;
};

/* ERR_INPUT says what a client did wrong. Slices point into `body` or the arena. */
NODISCARD enum status chat_request_parse(struct str body, struct arena *a, struct chat_request *ret,
                                         struct error *err);

struct chat_answer { /* what the writers below need to know about one answer */
    uint64_t id;
    int64_t created_s;
    struct str model;
    bool include_usage;
    const struct rehearse_answer *answer;
};

void chat_write_whole(struct buf *out, const struct chat_answer *a);
/* Events of a stream, in order: role, a delta per piece, finish, usage (if asked for), done. */
void chat_write_role(struct buf *out, const struct chat_answer *a);
void chat_write_delta(struct buf *out, const struct chat_answer *a, struct str piece);
void chat_write_finish(struct buf *out, const struct chat_answer *a);
void chat_write_error(struct buf *out, const char *type, const char *code, struct str message);

/* The next piece of `text` at `at`: white space and about a word behind it, never half a character.
 * len 0 at the end. */
struct str chat_piece(struct str text, size_t at);
size_t chat_piece_count(struct str text);
