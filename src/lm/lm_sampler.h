/* Logits → the next token: llama.cpp's chain of samplers, with a grammar beside it. A sampler is one answer's;
 * whoever holds it, one thread at a time. */
#pragma once

#include "lm/lm.h"

#define LM_SAMPLER_BIASES_MAX     1024
#define LM_SAMPLER_LIKELIEST_MAX  20
#define LM_SAMPLER_PENALTY_WINDOW 4096 /* tokens of the answer that penalties look back at */

struct lm_bias {
    int32_t token;
    float bias; /* added to its logit */
};

struct lm_sampling {
    float temperature;                         /* 0: always the likeliest */
    int32_t top_k;                             /* 0: all */
    float top_p, min_p;                        /* 1 and 0: no limit */
    float frequency_penalty, presence_penalty; /* of tokens that the answer holds; 0: none */
    uint32_t seed;
    const struct lm_bias *biases; /* [bias_count] */
    size_t bias_count;
};

struct lm_sampler;

/* The model must outlive it. ERR_INPUT: a bias of a token that there is not; ERR_MEMORY. */
NODISCARD enum status lm_sampler_create(const struct lm *lm, const struct lm_sampling *options,
                                        struct lm_sampler **ret, struct error *err);
void lm_sampler_free(struct lm_sampler *s); /* NULL is fine */

/* From here on every token goes on with a text of the grammar, in GBNF, whose first rule is called "root"; another
 * takes the place of one that is there. ERR_INPUT: llama.cpp refuses it. */
NODISCARD enum status lm_sampler_constrain(struct lm_sampler *s, const char *grammar,
                                           struct error *err);

/* The next token of `logits` [vocabulary], which it counts and the grammar goes on with. ERR_UPSTREAM: no token can
 * go on with the grammar. */
NODISCARD enum status lm_sampler_pick(struct lm_sampler *s, const float *logits, int32_t *ret,
                                      struct error *err);

struct lm_likely {
    int32_t token;
    float
        logprob; /* natural logarithm, of the model alone: before temperature, biases and the rest */
};

/* The likeliest tokens, the likeliest first: writes at most `max` and at most LM_SAMPLER_LIKELIEST_MAX, returns how
 * many; *of gets the log-probability that `of->token` has. */
size_t lm_likeliest(const float *logits, size_t vocabulary, struct lm_likely *of,
                    struct lm_likely *into, size_t max);
