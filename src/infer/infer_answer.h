/* What a model has written so far → a chat completion, whole or as a stream of chunks, byte by byte as OpenAI writes
 * them. One answer's; one thread's. */
#pragma once

#include "infer/infer_request.h"
#include "infer/text_split.h"

#define INFER_ANSWER_BYTES_MAX (64u << 20)
#define INFER_ID_BYTES         40

enum infer_finish { INFER_STOP, INFER_LENGTH };

struct infer_usage {
    size_t prompt_tokens, cached_tokens, completion_tokens;
};

struct infer_answer {
    const struct infer_request *request;
    char id[INFER_ID_BYTES];
    int64_t created_s;
    const char *fingerprint; /* of what answers; outlives it */
    struct buf out;          /* for the client; whoever takes it clears it */
    /* Its own: */
    struct text_split split;
    struct buf content, calls; /* of a whole answer */
    struct buf entries;        /* log-probabilities that belong to no text told yet */
    struct buf told;           /* those of the text that is being told; of a whole answer, all */
    struct infer_entry *list;  /* [entry_count] of `entries` */
    size_t entry_count, entry_room;
    unsigned call_count;
    size_t written; /* bytes that the model wrote */
};

/* id, request, created_s and fingerprint are set. */
void infer_answer_init(struct infer_answer *a);
void infer_answer_done(struct infer_answer *a);
/* The prompt is read: a stream's first chunk. */
void infer_answer_begin(struct infer_answer *a);
/* The bytes of a token; `entry`: what is to be told of its probabilities, JSON, or empty. Whether a stop string ends
 * the answer. */
bool infer_answer_add(struct infer_answer *a, struct str bytes, struct str entry);
/* Whether the model has just begun to call a tool, and how many of the last token's bytes follow the mark; those are
 * taken back. */
bool infer_answer_calls(struct infer_answer *a, size_t *ret_behind);
void infer_answer_end(struct infer_answer *a, enum infer_finish finish, struct infer_usage usage);
/* The answer breaks off. An error body, or a chunk where a stream has begun. */
void infer_error_write(struct buf *out, bool in_stream, enum status status, const char *message,
                       const char *param);
/* The HTTP status for it. */
int infer_error_http_status(enum status status);

/* What logprobs say of a token; `likely` [count]. */
void infer_entry_write(const struct lm *lm, const struct lm_likely *token,
                       const struct lm_likely *likely, size_t count, struct buf *out);
