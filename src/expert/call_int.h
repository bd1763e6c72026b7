/* Private to expert/call*.c: a running call. */
#pragma once

#include "base/buf.h"
#include "dialect/openai_stream.h"
#include "expert/call.h"
#include "expert/margins.h"
#include "expert/redact_stream.h"
#include "net/sse.h"

#define CALL_HEADERS_MAX 32
#define CALL_HEADERS_OWN (4 + DIALECT_HEADERS_MAX)

enum call_form { /* in which an answer comes, whichever was asked for */
                 CALL_FORM_UNKNOWN,
                 CALL_FORM_WHOLE,
                 CALL_FORM_EVENTS
};

struct expert_call {
    struct expert_call_options options;
    struct transport *transport;
    struct transport_request request;
    struct transport_call *carried; /* by the transport */
    struct buf asked;               /* the request's body, where it was written here */
    struct buf edited;              /* the same with the expert's edits, where it has some */
    struct sse_parser sse;
    struct redact_stream strings; /* of a stream, followed for the expert's key */
    struct buf body;              /* an answer that is not a stream */
    struct buf redacted;          /* scratch */
    struct buf chat;              /* an answer that was turned into a chat completion */
    struct buf joined;  /* scratch: of it, where texts that were apart are one now; or a name */
    void *stream;       /* of the dialect; NULL: events are chunks already */
    bool reads_margins; /* log-probabilities were asked for here, and are nobody else's */
    struct margins margins;
    struct buf stripped;         /* scratch: a chunk, or the whole answer, without them */
    struct openai_stream chunks; /* a stream: what of it has come */
    struct openai_reply seen;    /* native: what the chunks of one event held, taken together */
    struct buf text;             /* URL, then the authorization value */
    struct http_header headers[CALL_HEADERS_MAX];
    struct expert_answer answer;
    struct error failure; /* found in the stream; status OK: none */
    enum call_form form;
    const struct forms *forms; /* of what is gathered */
    void *gathered;            /* events that become a whole answer; NULL: they are told */
    bool done_mark, in_callback, cancelled;
    bool told;  /* an event, since the transport ended */
    bool moved; /* content has come in this read, so that the time limits of silence begin anew */
    bool over;  /* on_done is being called; what is carried is not ours to touch */
};

static inline const struct dialect *call_dialect(const struct expert_call *c)
{
    return c->options.expert->dialect;
}

/* call_write.c. Fills in c->request, all but its callbacks: URL, headers and body, in the dialect of the expert.
 * ERR_INPUT and ERR_UNSUPPORTED: what is asked cannot be said in it. */
NODISCARD enum status call_write(struct expert_call *c, struct error *err);

/* call.c */

/* An error that the upstream reported in words: in a status, or inside a 200. `body` is redacted already. */
enum status call_reported(struct expert_call *c, int http_status, struct str body,
                          struct error *err);
/* What came is no answer. `retry`: whether the same expert may do better. */
enum status call_malformed(struct expert_call *c, enum expert_retry retry, const char *what,
                           struct error *err);
/* Ends a call whose answer still comes, and frees it. */
void call_finish_early(struct expert_call *c, enum status status, const struct error *err);
void call_free(struct expert_call *c);

/* What came, or one chunk of it, read for its margins and without them; as it is where it has none. */
struct str call_margins_take(struct expert_call *c, struct str data);

/* call_stream.c */

/* Bytes of a stream. The call may be gone afterwards. */
void call_events_take(struct expert_call *c, struct str bytes);
/* The transport has ended: tells the events that waited for what comes next. */
void call_rest_tell(struct expert_call *c);
/* After that: whether the stream is whole. */
bool call_stream_end(struct expert_call *c);
/* The events that were gathered become the whole answer. */
enum status call_gathered_end(struct expert_call *c, struct error *err);
/* What has come since the last time begins the time limits of silence anew, if it was content. */
void call_progress_tell(struct expert_call *c);
void call_clean_take(struct str name, struct str data, void *call); /* a redact_tell */
/* A chat chunk; an event of the dialect's own, where that is another. */
void call_chunk_take(struct str data, void *call);
void call_foreign_take(struct expert_call *c, struct str name, struct str data);

/* call_whole.c: c->body is there. */
enum status call_whole_end(struct expert_call *c, struct error *err);
