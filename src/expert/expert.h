/* What an expert is: an endpoint, a price, limits. Immutable once the configuration is loaded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/money.h"
#include "base/str.h"
#include "dialect/dialect.h"
#include "dialect/needs.h"
#include "expert/health.h"
#include "expert/member_edit.h"

#define EXPERT_RETRY_AFTER_MAX_MS 300000 /* by default */

struct expert_limits { /* 0: unlimited */
    uint32_t concurrency, requests_per_minute, tokens_per_minute;
    uint32_t queue_length, queue_timeout_ms; /* a call that finds no room waits in line */
};

struct expert_gguf { /* of a dialect in this process (infer/infer_engine.h); 0 and NULL: as usual */
    const char *path;
    const char *const *loras; /* [lora_count] */
    size_t lora_count;
    uint32_t slots, threads, gpu_layers;
    const char *chat_template;
};

struct expert {
    struct str name;                /* as in the model file and in "x-leeroo-expert" */
    struct str url;                 /* base, "https://api.openai.com/v1" */
    const struct expert_gguf *gguf; /* NULL: it is elsewhere */
    struct str api_key;             /* secret: never printed or logged; empty: none */
    struct str upstream_model;      /* the "model" sent upstream */
    const struct dialect *dialect;
    struct str api_version; /* the value of the dialect's version_parameter; empty: none */
    /* Asked for where a dialect demands a limit and the client gives none. */
    uint32_t max_output_tokens;
    uint32_t output_limit; /* the longest answer that it allows to be asked for; 0: unknown */
    enum openai_limit_name limit_name; /* of OpenAI and Azure */
    /* Where it takes system messages; as its dialect has it: first, but for Anthropic's. */
    enum { EXPERT_SYSTEM_USUAL, EXPERT_SYSTEM_FIRST, EXPERT_SYSTEM_ANYWHERE } system_messages;
    const struct member_edit *edits; /* [edit_count] of what is sent; NULL: none */
    size_t edit_count;
    struct str
        parameters; /* a JSON object of what is always asked for (expert/member_set.h); empty: none */
    bool logprobs; /* where its answers are read, it is asked for them (expert/call.h: certainty) */
    struct price price;
    uint32_t cache_ttl_ms; /* how long it is assumed to keep prompts in its cache; 0: not at all */
    const char *tokenizer; /* path of the file that counts its tokens; NULL: none */
    uint32_t context_tokens; /* 0: unknown, no limit */
    unsigned capabilities;   /* of enum expert_capability */
    uint32_t connect_timeout_ms, first_token_timeout_ms, idle_timeout_ms, total_timeout_ms;
    uint32_t latency_ms;         /* how long its owner expects a call to take; 0: not said */
    uint32_t retry_after_max_ms; /* longer delays that it asks for are cut to it; 0: a day */
    uint32_t retries;            /* of the same expert, before the next best */
    /* Experts (by their index) that step in where it is asked for by name, in this order; NULL: none do. */
    const size_t *fallbacks;
    size_t fallback_count;
    struct health_options breaker;
    struct expert_limits limits;
};

/* Index of the expert called `name`; SIZE_MAX when absent. */
size_t expert_index(const struct expert *experts, size_t count, struct str name);
