/* A language model in this process as orchestrator: it reads the prompt that lists the experts (opinion/), and what it
 * takes the next token to be is its opinion. The head of the prompt is read once; each question costs its own tokens,
 * and where it has choices those of a second, short prompt that asks for the answer itself. */
#pragma once

#include "lm/lm_share.h"
#include "opinion/opinion_prompt.h"
#include "reader/late.h"

#define OPINION_TOKENS_USUAL 512 /* of a question; a longer one loses its middle */
#define OPINION_TOKENS_MIN   16
#define OPINION_BATCH_USUAL  4

struct opinion_gguf_options {
    const char *name; /* of the encoder */
    struct str head;  /* opinion_head_write() of the experts that it was trained with */
    size_t labels;
    const char *path;
    const char *const *loras; /* [lora_count] */
    size_t lora_count;
    const char *chat_template; /* NULL: the file's own; "plain": none */
    bool without_choices;      /* it is not asked the question itself */
    size_t tokens_max, batch;  /* 0: as usual */
    unsigned threads;          /* 0: one */
    unsigned gpu_layers;       /* 0: none */
    struct late_limits limits;
    const char *spec; /* for the model file */
};

/* Blocks while the file is read. ERR_UNSUPPORTED: no llama.cpp, a model that does not write, a template that is not
 * known, or labels that are not one token each; ERR_CONTEXT: no room for a question behind the head; and what lm_load
 * says. */
NODISCARD enum status opinion_gguf_open(const struct opinion_gguf_options *o, struct late **ret,
                                        struct error *err);
