/* Texts → embeddings: one vector each, of a model of embeddings or of a causal model's hidden states. An embedder is
 * one thread's. */
#pragma once

#include "lm/lm.h"

#define LM_EMBED_BATCH_MAX 64

enum lm_pooling {
    LM_POOL_OWN,  /* what the file says; mean where it says nothing */
    LM_POOL_MEAN, /* over all tokens */
    LM_POOL_LAST, /* the last token's */
};

struct lm_embed_options {
    enum lm_pooling pooling; /* with a layer, LM_POOL_OWN is LM_POOL_LAST */
    size_t layer;            /* 1 … layers: what that one puts out; 0: what the model does */
    size_t tokens_max;       /* a longer text is cut; 0: the model's context, at most 512 */
    size_t batch;            /* texts computed at once, at most; 0: 8 */
    unsigned threads;        /* 0: one; no more than processors */
};

struct lm_embedder;

/* The model must outlive it. ERR_MEMORY; ERR_UNSUPPORTED: no llama.cpp, a layer of a model that is not causal or whose
 * layers llama.cpp does not name, or an architecture that has no embeddings; ERR_TOO_LARGE: no such layer, or a batch
 * over the limit. */
NODISCARD enum status lm_embedder_create(const struct lm *lm,
                                         const struct lm_embed_options *options,
                                         struct lm_embedder **ret, struct error *err);
void lm_embedder_free(struct lm_embedder *e); /* NULL is fine */

/* out[count × lm_info(lm)->width], each vector of length 1; one text's vector is the same whatever stands beside it,
 * to rounding. Any `count`: texts are taken in batches. A text without tokens is taken for a space. ERR_UPSTREAM:
 * llama.cpp failed; nothing of `out` counts then. */
NODISCARD enum status lm_embed(struct lm_embedder *e, const struct str *texts, size_t count,
                               float *out, struct error *err);
