/* What the files of this folder share; the only one that includes llama.h. */
#pragma once

#include <llama.h>

#include "lm/lm_file.h"

struct lm {
    struct llama_model *model;
    const struct llama_vocab *vocab;
    struct llama_adapter_lora **loras; /* [lora_count] owned by the model */
    float *lora_scales;                /* [lora_count] */
    size_t lora_count;
    bool is_causal;      /* a token sees those before it alone */
    bool pools;          /* the file says how to pool */
    bool pools_last;     /* … by taking the last token's */
    size_t hidden_width; /* of a layer's output */
    int32_t last_token;  /* that ends every text of this vocabulary; -1: none */
    struct lm_info info;
    char *path, *architecture, *description;
};

/* What llama.cpp first complained of on this thread, as one line; "" if of nothing since lm_complaint_clear. */
void lm_complaint_clear(void);
const char *lm_complaint(void);

/* lm_tokenize, with `ends`, the tokens that begin and end every text, apart from `marks`, the text's own "<|…|>". */
size_t lm_tokenize_marks(const struct lm *lm, struct str text, bool ends, bool marks,
                         int32_t *tokens, size_t max);

/* Reads files that lm_files_open has checked, without trying them. `trial`: nothing is copied to compute faster. */
NODISCARD enum status lm_load_untried(const struct lm_files *f, const struct lm_options *o,
                                      bool trial, struct lm **ret, struct error *err);

/* As many threads as are wanted, 0 for one, and no more than there are processors for this process: OpenMP's threads
 * wait for each other by spinning. */
int32_t lm_threads(unsigned wanted);
