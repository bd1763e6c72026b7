/* A language model in this process: a GGUF file, read by llama.cpp, as its tokens, hidden states and probabilities. The
 * only folder that sees llama.h. Where the program was built without llama.cpp, everything here answers with one error
 * that says how to get it (lm_missing.c), and nothing else of the program is any different.
 *
 * A `struct lm` is immutable weights: any number of threads share it. What is computed lives in states that belong to
 * one thread each (lm/lm_embed.h, lm/lm_state.h) and must go before it does. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define LM_CONTEXT_MIN       16 /* tokens */
#define LM_FINGERPRINT_BYTES 65 /* SHA-256 in hexadecimal, with the NUL */

/* Whether llama.cpp is in this program, and its version, "0.5.0"; "" without it. */
bool lm_is_built(void);
const char *lm_version(void);

struct lm;

struct lm_options {
    const char *const *loras; /* paths of LoRA adapters in GGUF, applied at full scale */
    size_t lora_count;
    bool vocabulary_only; /* to count tokens; no weights are read, and there is no fingerprint */
    int gpu_layers; /* that a llama.cpp with a GPU's backend computes there; 0: none; -1: all */
};

/* Blocks for as long as reading the file takes: its head is checked (lm/gguf_file.h), its fingerprint made, the file
 * tried in a process of its own where the program has said how (lm/lm_try.h), and then it is read. ERR_NOT_FOUND,
 * ERR_IO; ERR_CORRUPT: truncated, damaged, no GGUF, or an adapter of another model; ERR_TOO_LARGE: sizes over the
 * limits; ERR_UNSUPPORTED: an architecture that llama.cpp does not know, or a program without llama.cpp. */
NODISCARD enum status lm_load(const char *path, const struct lm_options *options, struct lm **ret,
                              struct error *err);
void lm_free(struct lm *lm); /* NULL is fine */

struct lm_info {
    const char *path, *architecture, *description; /* "bert"; "llama 135M Q4_1" */
    char fingerprint[LM_FINGERPRINT_BYTES]; /* of the file and of its adapters: lm/lm_file.h */
    uint64_t bytes, parameters;
    size_t context; /* tokens that it was trained with */
    size_t width;   /* of a hidden state */
    size_t layers;
    size_t vocabulary;         /* tokens */
    bool embeds;               /* it is a model of embeddings, with a pooling of its own */
    bool writes;               /* it is a causal model, which can answer */
    const char *chat_template; /* Jinja, as the file has it; NULL: none */
};
const struct lm_info *lm_info(const struct lm *lm); /* as long as the model */

/* Tokens of a text; `special`: with those that begin or end every text, and the text's own "<|…|>" taken for what they
 * name. Writes at most `max` and returns how many there are, which may be more; any bytes are fine. */
size_t lm_tokenize(const struct lm *lm, struct str text, bool special, int32_t *tokens, size_t max);
/* The bytes of one token, into[size], without NUL; returns how many. A token may be part of a character. */
size_t lm_token_bytes(const struct lm *lm, int32_t token, bool special, char *into, size_t size);
/* Whether it ends an answer. */
bool lm_token_ends(const struct lm *lm, int32_t token);
