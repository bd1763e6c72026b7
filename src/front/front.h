/* A front is an API that clients speak. Inside, every chat is an OpenAI chat completion: a front turns its own request
 * into one, and the answer, whole or streamed, back. Chat itself is a front that changes nothing.
 *
 * What chat completions cannot express is refused (ERR_UNSUPPORTED, with the field's name), or, where an expert that
 * speaks the front's own dialect can serve it untouched, left to such experts (front_chat.native_only). A member that
 * changes no answer is left out; a wish that can be done without is left out and named (front_chat.dropped); what would
 * make the answer wrong is never left out. Pure functions of text: no sockets, no configuration. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "dialect/dialect.h"
#include "dialect/dropped.h"
#include "dialect/overflow.h"

enum front {
    FRONT_CHAT,
    FRONT_COMPLETIONS,
    FRONT_RESPONSES,
    FRONT_MESSAGES,
    FRONT_EMBEDDINGS, /* no chat: only its name and its errors may be asked for */
    FRONT_COUNT
};

/* "chat", "completions", "responses", "messages", "embeddings" */
const char *front_name(enum front f);

/* The dialect that the front's clients speak themselves, where that is not chat: experts of it are asked with the
 * client's own bytes. NULL: there is none. */
const struct dialect *front_dialect(enum front f);
/* Whether the front's client library reads error bodies of experts of this dialect as they are. */
bool front_takes_errors(enum front f, const struct dialect *dialect);

struct front_chat {
    struct str body; /* of a chat completion; FRONT_CHAT: the client's own bytes */
    /* What of the request only an expert of the front's own dialect can serve ("thinking"), so that others are no
     * candidates; `body` is then the rest of it, good enough to choose and to count by. NULL: nothing. */
    const char *native_only;
    /* What such an expert can do, and others can leave out ("web_search_20250305"): while there is one that may serve
     * the request, it is asked. NULL: nothing. */
    const char *native_rather;
    /* Wishes that are not in `body`; experts of the front's own dialect hear of them. */
    struct dropped dropped;
    /* reasoning_effort in `body` is one: experts that do not know it get none, and these are dropped, too. */
    struct dropped effort;
};

/* `body` (any bytes) and the arena must outlive *ret. The members model, stream and leeroo are carried over. On failure
 * *ret_param names the field at fault, or is NULL. */
NODISCARD enum status front_request(enum front f, struct str body, struct arena *a,
                                    struct front_chat *ret, const char **ret_param,
                                    struct error *err);

/* The same for POST /v1/messages/count_tokens, which has no max_tokens. */
NODISCARD enum status front_messages_count_request(struct str body, struct arena *a,
                                                   struct front_chat *ret, const char **ret_param,
                                                   struct error *err);

struct front_context { /* must outlive the stream */
    enum front front;
    struct str request;     /* the client's body, as it came */
    const char *request_id; /* "req_..." */
    int64_t created_s;      /* since 1970 */
    uint64_t input_tokens;  /* estimated; for fronts that report it before the upstream does */
    /* Which one answers, before the first event or answer; empty where it speaks the front's own dialect, so that what
     * it signed is its own to read. */
    struct str expert;
    /* What the client asked for, and for some fronts what it wants to read; empty: what the expert says. */
    struct str model;
    bool signs; /* that one's dialect signs what it thinks: every expert of the dialect reads it */
};

/* A whole chat completion → the front's answer. A member "leeroo" is carried over. ERR_UPSTREAM: it is none. */
NODISCARD enum status front_answer(const struct front_context *c, struct str completion,
                                   struct buf *out, struct error *err);

/* Whether an answer or event of an expert of the front's own dialect, which else goes on as it came, names another
 * model than the client wants to read. Then *ret is the edit, whose text is in `text`. */
bool front_model_edit(const struct front_context *c, struct json_value root, struct buf *text,
                      struct json_edit *ret);

struct front_stream;

/* Lives in the arena. NULL: no memory. */
struct front_stream *front_stream_create(const struct front_context *c, struct arena *a);
/* The data of one chat event, a chunk or "[DONE]" → none or more whole server-sent events, appended to out. A chunk's
 * member "leeroo" is carried into the last event that has a place for it. */
void front_stream_event(struct front_stream *s, struct str data, struct buf *out);
/* Ends what is open. Called once, also after "[DONE]"; nothing may follow. */
void front_stream_end(struct front_stream *s, struct buf *out);

struct front_error {
    int http_status;
    struct str message;
    const char *type, *param, *code; /* in OpenAI's words; param and code may be NULL */
    const char *request_id;          /* may be NULL */
    /* With the code of it (dialect/overflow.h): what is known of a conversation that is too long. The front says it in
     * the words that its clients act upon. NULL: it is another error. */
    const struct overflow *overflow;
};

/* Whether clients that asked for a stream look for an overflow inside it, and take a 400 for the end (Codex does). */
bool front_streams_overflow(enum front f);
/* Whether an expert's error body, which the front takes as it is, says in those words that a conversation is too long.
 */
bool front_says_overflow(enum front f, struct str body);

/* The body of an answer that is an error, as the front's client library expects it. */
void front_error_write(enum front f, const struct front_error *e, struct buf *out);
/* The same inside a stream: an event, and whatever must follow it. */
void front_stream_fail(struct front_stream *s, const struct front_error *e, struct buf *out);
