/* A layer's output, taken while llama.cpp computes: the rows of one tensor, copied out when it is ready. What follows
 * it is not computed: neither the layers above nor the vocabulary's logits, a fifth of a small model's work. */
#pragma once

#include "lm/lm_int.h"

struct lm_hidden {
    char tensor[24]; /* its name in llama.cpp's graph */
    size_t width;    /* floats of a row */
    size_t rows_max; /* as many tokens as a batch may have */
    float *rows;     /* [count × width] of the last batch */
    size_t count;
};

/* `layer`: 1 … layers, what that layer puts out; 0: what the last one puts out, normalised, as the logits are made
 * of. ERR_MEMORY. */
NODISCARD enum status lm_hidden_init(struct lm_hidden *h, size_t layer, size_t width,
                                     size_t rows_max, struct error *err);
void lm_hidden_clear(struct lm_hidden *h);
/* What llama_context_params.cb_eval is given, with the hidden as its argument. */
bool lm_hidden_observe(struct ggml_tensor *tensor, bool ask, void *hidden);
