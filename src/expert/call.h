/* One call to one expert: writes the body, the URL and the headers in the expert's dialect, has a transport carry them,
 * turns what comes back into chat completions, reads usage and errors out of it, and says whether trying again makes
 * sense. Nothing is retried here. Everything that leaves this module has the expert's key taken out of it.
 *
 * Callbacks run on the transport's thread, never from inside start, resume or cancel. on_event for each event of a
 * stream, on_flush after the last event of a read, on_done once. After on_done has returned, or after
 * expert_call_cancel (allowed in any callback), the call is gone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/certainty.h"
#include "dialect/openai.h"
#include "expert/expert.h"
#include "expert/retry.h"
#include "expert/transport.h"

struct expert_call;

struct expert_answer {
    int http_status; /* of the upstream, or of an error inside a 200; 0: no answer came */
    bool streamed;   /* events went through on_event */
    bool finished;   /* streamed: [DONE], or a finish_reason of each choice that was asked for */
    /* not streamed: the whole of it; after an in-band error the error event's data */
    struct str body;
    struct openai_usage usage;
    struct certainty certainty; /* of what has come, where `certainty` was asked for */
    uint64_t output_characters; /* generated so far; for an estimate where usage is missing */
    /* What was asked, by which reports are judged (expert/cost.h): */
    uint64_t asked_bytes;      /* the request's body */
    int64_t output_tokens_max; /* in all its answers together; 0: no limit was set */
    struct dropped lost;      /* what was wished for, but is otherwise in the expert's parameters */
    enum expert_retry retry;  /* after a failure */
    enum retry_reason reason; /* of an error in the expert's own words */
    /* The longest delay that was asked for in header or body, cut to the expert's retry_after_max_ms; 0: none. */
    uint64_t retry_after_ms;
};

struct expert_event { /* of a stream */
    struct str name;  /* native: as the expert names it; else empty */
    struct str data;  /* a chat chunk or "[DONE]"; native: as it came */
    /* What is in it; NULL for "[DONE]". Native: root is the expert's own, and NULL where that is no JSON object. */
    const struct openai_reply *reply;
    bool done; /* nothing follows */
};

struct expert_call_options {
    const struct expert *expert; /* must outlive the call */
    /* What is asked. A chat, which the call writes in the expert's dialect; or with `native`, which is the client's own
     * request in that dialect, an edit of those bytes, and what comes back is passed on in it, too. */
    const struct openai_request *chat;
    struct str native_body; /* `native` only */
    bool native;
    bool collects;         /* of a stream, as for the dialect's stream_create */
    int64_t output_limit;  /* tokens of the longest answer that may be; 0: as the client has it */
    struct arena *scratch; /* for the time of starting; with `chat` */
    /* Or a body as it is, for a path of its own ("/embeddings"): what is no error comes back as it came. */
    const char *path;
    struct str body; /* with `path`; valid until on_done or cancel */
    bool stream;
    /* Log-probabilities are asked for, read, and taken out of what comes, where the dialect has them: unless the chat
     * asks for them itself; not with `native` or `path`. */
    bool certainty;
    size_t answer_bytes_max;   /* of an answer that is not streamed */
    uint32_t total_timeout_ms; /* 0: the expert's; less where earlier tries have used some of it */
    const struct http_header *headers; /* passed on to the expert; the caller has its allow-list */
    size_t header_count;
    /* The time of day, ms since 1970, for dates in Retry-After; NULL: they are not understood. */
    int64_t (*wall_ms)(void);
    void *user;
    void (*on_event)(struct expert_call *c, const struct expert_event *event);
    void (*on_flush)(struct expert_call *c);
    /* OK: an answer with something in it, whole or as a stream that came to its end. Else ERR_UPSTREAM, ERR_TIMEOUT,
     * ERR_MEMORY. */
    void (*on_done)(struct expert_call *c, enum status status, const struct error *err);
};

NODISCARD enum status expert_call_start(struct transport *transport,
                                        const struct expert_call_options *o,
                                        struct expert_call **ret, struct error *err);
void expert_call_cancel(struct expert_call *c);
void expert_call_pause(struct expert_call *c);
void expert_call_resume(struct expert_call *c);
void *expert_call_user(const struct expert_call *c);
const struct expert_answer *expert_call_answer(const struct expert_call *c);
/* Whether the request went out: before that nothing can cost. Not after on_done has been called. */
bool expert_call_sent(const struct expert_call *c);
/* A response header; ptr NULL when absent. Valid inside callbacks. */
struct str expert_call_header(const struct expert_call *c, const char *name);
