/* Sequences of a causal model: what a conversation, a question or a prompt's head has been read to, and what the model
 * expects next. A state holds several, which are read in one batch: a token for each of eight sequences costs little
 * more than one for one. A state is one thread's, all but lm_state_cancel, and computes on that thread. */
#pragma once

#include "lm/lm.h"

#define LM_STATE_SEQUENCES_MAX    256
#define LM_STATE_TOKENS_MAX       (1 << 22)
#define LM_STATE_BATCH_MAX        (1 << 14)
#define LM_STATE_LOGITS_BYTES_MAX ((size_t)256 << 20) /* what one lm_state_read may give */

struct lm_state_options {
    size_t sequences; /* 0: 1 */
    size_t context; /* tokens that a sequence may hold; 0: as many as trained with, at most 4096 */
    size_t batch;   /* tokens computed at once, at most; 0: 512 */
    unsigned threads; /* 0: one; no more than processors */
    bool without_loras;
    /* Sequences that begin alike keep what they share once: lm_state_copy costs nothing. Without it each has memory of
     * its own, a copy copies that memory, and a sequence pays no attention to the length of the others. */
    bool shared;
    size_t
        tokens; /* of a shared state: tokens in memory, each counted once; 0: sequences × context */
};

struct lm_state;

/* The model must outlive it. ERR_UNSUPPORTED: a model that does not write, or no llama.cpp; ERR_TOO_LARGE: more than
 * the limits above; ERR_MEMORY. */
NODISCARD enum status lm_state_create(const struct lm *lm, const struct lm_state_options *options,
                                      struct lm_state **ret, struct error *err);
void lm_state_free(struct lm_state *s); /* NULL is fine */

enum lm_want {
    LM_WANT_NOTHING,
    LM_WANT_LAST, /* logits behind the last token */
    LM_WANT_ALL,  /* logits behind every token */
    LM_WANT_LOGPROBS, /* of every token given those before it in this input, and logits behind the last */
};

struct lm_input {
    size_t sequence;
    const int32_t *tokens; /* [count] */
    size_t count;          /* 0 reads nothing */
    enum lm_want want;
};

/* Reads each input behind what its sequence holds; a sequence stands in at most one input. ERR_CONTEXT: there is no
 * room for all of it; ERR_INPUT: a token that the vocabulary lacks; ERR_TOO_LARGE: more logits than the limit;
 * ERR_CANCELLED; ERR_UPSTREAM: llama.cpp failed. After an error the sequences are as they were (those of a recurrent
 * model that had begun to read are empty: ask lm_state_length), and there are no logits. */
NODISCARD enum status lm_state_read(struct lm_state *s, const struct lm_input *inputs, size_t count,
                                    struct error *err);

/* [vocabulary] of what the last read wanted, until the next read; NULL: it did not want them. `token` is the place
 * within the input. */
const float *lm_state_logits(const struct lm_state *s, size_t input, size_t token);
const float *lm_state_logits_last(const struct lm_state *s, size_t input);
/* [count], natural logarithms, of LM_WANT_LOGPROBS; the first token's, of which nothing is known, is 0. */
const float *lm_state_logprobs(const struct lm_state *s, size_t input);

size_t lm_state_context(const struct lm_state *s);                 /* tokens a sequence may hold */
size_t lm_state_length(const struct lm_state *s, size_t sequence); /* tokens that it holds */
size_t lm_state_vocabulary(const struct lm_state *s);

/* Forgets all behind the first `length` tokens. ERR_UNSUPPORTED: a recurrent model, which can only forget all; nothing
 * is forgotten then. */
NODISCARD enum status lm_state_cut(struct lm_state *s, size_t sequence, size_t length,
                                   struct error *err);
void lm_state_clear(struct lm_state *s, size_t sequence);
/* `to` then holds what `from` holds, whatever it held before. */
void lm_state_copy(struct lm_state *s, size_t from, size_t to);

/* From any thread: the read under way, and any after it, ends soon with ERR_CANCELLED, until lm_state_resume. */
void lm_state_cancel(struct lm_state *s);
void lm_state_resume(struct lm_state *s);
