/* Texts → embeddings: one vector each, of a model of embeddings or of a causal model's hidden states. An embedder is
 * one thread's. */
#pragma once

#include "lm/lm.h"

enum lm_pooling {
    LM_POOL_OWN,  /* what the file says; mean where it says nothing */
    LM_POOL_MEAN, /* over all tokens */
    LM_POOL_LAST, /* the last token's */
};

struct lm_embed_options {
    enum lm_pooling pooling;
    size_t
        tokens_max; /* a longer text is cut; 0: as many as the model was trained with, at most 512 */
    size_t batch;   /* texts computed at once, at most; 0: 8 */
    unsigned threads; /* 0: one */
};

struct lm_embedder;

/* The model must outlive it. ERR_MEMORY, ERR_UNSUPPORTED. */
NODISCARD enum status lm_embedder_create(const struct lm *lm,
                                         const struct lm_embed_options *options,
                                         struct lm_embedder **ret, struct error *err);
void lm_embedder_free(struct lm_embedder *e); /* NULL is fine */

/* out [count × lm_info()->width], each of length 1. Texts of any bytes, also empty ones. Any `count`; texts
 * are computed together as far as they fit. ERR_UPSTREAM: llama.cpp failed. */
NODISCARD enum status lm_embed(struct lm_embedder *e, const struct str *texts, size_t count,
                               float *out, struct error *err);
