/* A dialect is an API that experts speak, as one row of texts and pure functions: how a chat is asked in it, and how
 * what comes back becomes a chat completion, which is what every chat is inside. Nothing here knows a socket, a price
 * or a configuration. docs/adding-a-dialect.md shows how a new one is made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/header.h"
#include "dialect/dropped.h"
#include "dialect/forms.h"
#include "dialect/openai_request.h"

#define DIALECT_HEADERS_MAX 4

/* What is asked of one expert. */
struct dialect_request {
    const struct openai_request *chat;
    struct str native;             /* for `edit`: the client's own bytes */
    struct str model;              /* as the expert calls it */
    int64_t output_tokens_limit;   /* no answer may be longer; 0: as long as the client allows */
    int64_t output_tokens_default; /* where the dialect demands a limit and the client gives none */
    enum openai_limit_name limit_name;
    struct openai_target target;
};

/* Which client library can read the dialect's error bodies as they are; OWN: none. */
enum dialect_errors { DIALECT_ERRORS_OWN, DIALECT_ERRORS_OPENAI, DIALECT_ERRORS_ANTHROPIC };

typedef void dialect_chunk_fn(struct str chunk, void *arg);

struct dialect {
    const char *name;     /* in the configuration: "anthropic" */
    const char *provider; /* in traces: gen_ai.system */
    const char *path;     /* of a chat, behind the expert's URL: "/messages" */
    /* The header that holds the key, and what stands in front of the key there. */
    struct str key_header;
    const char *key_prefix;
    /* Others that every request has; up to the first without a name. */
    struct http_header headers[DIALECT_HEADERS_MAX];
    const char *version_parameter; /* of the query, for the expert's api_version */
    enum dialect_errors errors;
    bool has_embeddings;   /* POST /embeddings, as OpenAI has it */
    bool has_logprobs;     /* it tells log-probabilities of tokens, as OpenAI has them */
    bool demands_limit;    /* no request goes without a limit of its answer's length */
    bool system_anywhere;  /* it knows system messages amid a conversation */
    bool cache_is_ordered; /* the endpoint caches what it is told to cache, and reports it */
    bool in_process;       /* it is a model in this process (src/infer), which has no host */
    bool signs_thinking; /* its vendor signs it, and takes it back from whichever expert it came */

    /* What of a chat the dialect cannot express ("n above 1"), a static text; NULL: nothing. Where the function itself
     * is NULL, the dialect can express everything. */
    const char *(*lacks)(const struct openai_request *chat);
    /* Wishes of a chat that an answer can do without and the request leaves out. NULL: there are none. */
    void (*drops)(const struct openai_request *chat, struct dropped *into);
    /* The body of a request. ERR_INPUT: a chat that it cannot be made of; `scratch` is for the time of the call. */
    enum status (*write)(const struct dialect_request *r, struct arena *scratch, struct buf *out,
                         struct error *err);
    /* The same for a client that speaks this dialect itself: r->native with another model and limit. NULL: no front
     * speaks it. */
    enum status (*edit)(const struct dialect_request *r, struct buf *out, struct error *err);
    /* With edit: how the dialect's own answers change between whole and streamed. */
    const struct forms *forms;

    /* A whole answer → a whole chat completion. ERR_UPSTREAM: it is no answer. NULL: it is a completion already. */
    enum status (*read)(struct str answer, struct buf *out, struct error *err);
    /* A stream of server-sent events: each becomes any number of chat chunks, the last "[DONE]". An error is a chunk
     * {"error":{...}}. stream_create returns NULL when there is no memory; `collects`: what a whole answer has as a
     * list comes as that list, once, for clients that are told chunks as they are. All three NULL: events are chunks
     * already. */
    void *(*stream_create)(bool collects);
    void (*stream_free)(void *stream); /* NULL is fine */
    void (*stream_event)(void *stream, struct str event, struct str data,
                         dialect_chunk_fn *on_chunk, void *arg);
    /* Whether an event that became no chunk with content brings the answer on all the same, such as the call of a tool
     * that the provider itself runs. NULL: none does. */
    bool (*stream_moves)(struct str data);
};

/* The rows: one line for each dialect, whose file defines `dialect_NAME`. */
#define DIALECTS(ROW)                                                                              \
    ROW(openai)                                                                                    \
    ROW(azure)                                                                                     \
    ROW(anthropic)                                                                                 \
    ROW(gguf)

#define DIALECT_DECLARE(name) extern const struct dialect dialect_##name;
DIALECTS(DIALECT_DECLARE)
#undef DIALECT_DECLARE

#define DIALECT_NUMBER(name) DIALECT_NUMBER_##name,
enum { DIALECTS(DIALECT_NUMBER) DIALECT_COUNT };
#undef DIALECT_NUMBER

/* NULL: none is called that. */
const struct dialect *dialect_find(struct str name);
/* "openai, azure or anthropic" */
void dialect_list(struct buf *out);
/* How many of row->headers there are. */
size_t dialect_header_count(const struct dialect *row);
