/* What an endpoint says when it is asked which models it has: the lists of OpenAI, Anthropic, Azure's deployments,
 * Mistral, Groq, Together, Fireworks, OpenRouter and Cohere, and those of Ollama, llama-server, vLLM and LM Studio.
 * Pure; the list lives in the arena, its texts in there or in the reply. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/money.h"
#include "base/str.h"

#define MODEL_LIST_BYTES_MAX  (16u << 20)
#define MODEL_LIST_MODELS_MAX 4096 /* further ones are counted and left out */
#define MODEL_LIST_TOKENS_MAX                                                                      \
    1000000000 /* a configuration takes no more; what is more is not said */

struct listed_model {
    struct str id;                          /* what a request names */
    struct str made_of;                     /* a deployment: the model in it; else empty */
    int64_t made_s;                         /* when, in seconds since 1970; 0: not said */
    struct price price;                     /* if priced */
    bool priced;                            /* the reply says what it costs */
    uint32_t context_tokens, output_tokens; /* 0: not said */
    unsigned abilities;                     /* of enum catalogue_ability, if abilities_told */
    bool abilities_told;
    bool retiring; /* not for much longer */
};

struct model_list {
    struct listed_model *models;
    size_t count;
    size_t others;     /* what is there and cannot be chatted with: embeddings, images, sound */
    size_t left_out;   /* beyond MODEL_LIST_MODELS_MAX */
    bool is_gateway;   /* it has a model "leeroo": what else it has are others' experts */
    struct str server; /* what runs there, as far as known: "Ollama", "llama-server", "vLLM", ... */
};

/* ERR_INPUT: it is no list of models. */
NODISCARD enum status model_list_parse(struct str body, struct arena *a, struct model_list *ret,
                                       struct error *err);

/* Whether the list has the model, of whatever kind; *ret_count: how many it has, 0 where the reply is no list. */
bool model_list_names(struct str body, struct str id, size_t *ret_count);

/* Whether its name tells that it is made for something else than conversations. */
bool model_is_no_chat(struct str id);

/* The context of a llama-server, from its /props; 0: not said. */
uint32_t llama_server_context(struct str body);
