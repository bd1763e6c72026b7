/* What is known of models before any of them is asked: prices, limits and abilities, as data/prices.csv had them when
 * the program was built. Immutable, for all threads.
 *
 * A row is one model at one provider. The same weights have the same `model` at each provider that serves them, and
 * names are found as people and servers write them: with a provider in front, a date, a tag or a quantisation behind,
 * in any case, with any separators ("openai/gpt-4o-2024-08-06", "llama3.1:8b", "Llama-3.1-8B-Instruct.Q4_K_M.gguf"). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/money.h"
#include "base/str.h"

#define CATALOGUE_NAME_BYTES_MAX 256 /* longer names are unknown */

enum catalogue_ability {
    CATALOGUE_TOOLS = 1,
    CATALOGUE_IMAGES = 2,
    CATALOGUE_JSON = 4,
    CATALOGUE_REASONING = 8,       /* it thinks before it answers, and knows reasoning_effort */
    CATALOGUE_RESPONSES_ONLY = 16, /* its provider has it behind /responses, and not as a chat */
};

struct catalogue_entry {
    struct str provider; /* who asks these prices: "openai" */
    struct str model;    /* the same at every provider: "llama-3.1-8b-instruct" */
    struct price price;
    int64_t batch_input_nano_usd_per_m,
        batch_output_nano_usd_per_m;        /* -1: no such offer is known */
    uint32_t context_tokens, output_tokens; /* 0: unknown */
    unsigned abilities;                     /* of enum catalogue_ability */
    struct str date, source;                /* when and where the prices were read: "2026-11-20" */
};

/* The entry of a model by any of its names. `provider` empty: of whoever made it, else of the first provider that
 * serves it; otherwise of this one alone, because prices differ. NULL: unknown. */
const struct catalogue_entry *catalogue_find(struct str provider, struct str name);

/* All entries, model by model within a provider. */
size_t catalogue_count(void);
const struct catalogue_entry *catalogue_at(size_t index);
