/* A request's estimates, made once, whoever chooses by them and how often. Encoders that answer at once, as that of
 * n-grams does, give them at once; for another they come later, and nothing blocks meanwhile.
 *
 * An estimator belongs to one thread. What encoders say about a text is big; a request takes one of the estimator's
 * scratch features, holds it until its estimates are there, and gives it back to the next one. */
#pragma once

#include "base/arena.h"
#include "dialect/openai_request.h"
#include "expert/cost.h"
#include "predict/model.h"
#include "route/pool.h"

struct estimator;

/* `on`: of the thread that it belongs to, for encoders that answer later; NULL where whoever asks waits. */
NODISCARD enum status estimator_create(struct scheduler *on, struct estimator **ret,
                                       struct error *err);
void estimator_free(struct estimator *e); /* nothing may be pending; NULL is fine */

struct request_estimates { /* arrays are in the request's arena */
    const struct estimate
        *arms; /* [pool_arm_count] for the whole conversation, at the pool's prices */
    const uint32_t *cached_tokens; /* [expert_count] of the input, taken for cached in them */
    float characters;              /* of what is asked, as its features have them */
    struct str question;           /* the last message, without what its client put around it */
    /* Of the model's encoders: which said nothing of one of the texts, and why. */
    enum encode_silence silences[ENCODERS_MAX];
    /* What their endpoints were paid for this request, [encoders of the model]. */
    struct cost reading[ENCODERS_MAX];
};

struct estimator_ask { /* everything in it stays until the estimates are there or called off */
    const struct pool *pool;
    const struct openai_request *request;
    /* [expert_count] how many tokens of the input each is believed to hold in its prompt cache; NULL: none. */
    const uint32_t *cached_tokens;
    struct arena *arena;
    /* Called once, on the thread that asked, never from inside estimator_begin; `err` is set unless `status` is OK.
     * NULL: the caller waits instead, as long as the encoders take. */
    estimate_done *done;
    void *arg;
};

struct estimating; /* of one request, while its estimates are pending */

/* OK: *ret is filled, `done` is never called. AGAIN: it will be, with *ret filled if it says OK, unless *ret_pending is
 * cancelled first. ERR_MEMORY, ERR_TOO_LARGE, and what an encoder fails with: `done` is never called. */
NODISCARD enum status estimator_begin(struct estimator *e, const struct estimator_ask *ask,
                                      struct request_estimates *ret,
                                      struct estimating **ret_pending, struct error *err);
/* Nothing is called or touched any more when it returns. NULL is fine. */
void estimating_cancel(struct estimating *x);
