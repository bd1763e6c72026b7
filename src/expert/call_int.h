/* Private to expert/call*.c: a running call. */
#pragma once

#include "base/buf.h"
#include "dialect/openai_stream.h"
#include "expert/call.h"
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
    struct buf joined; /* scratch: of it, where texts that were apart are one now; or a name */
    void *stream;      /* of the dialect; NULL: events are chunks already */
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

/* Fills in c->request, all but its callbacks: URL, headers and body, in the dialect of the expert. ERR_INPUT and
 * ERR_UNSUPPORTED: what is asked cannot be said in it. */
NODISCARD enum status call_write(struct expert_call *c, struct error *err);
