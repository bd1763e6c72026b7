/* Which expert is believed to hold the beginning of a conversation in its prompt cache, and how many tokens of it. To
 * stay with that expert is then priced at its cached rate, so that a switch must be worth it; nothing else keeps a
 * conversation where it is.
 *
 * A prefix is a tenant, the tools and some messages from the first on, as a hash; one tenant's prefixes say nothing
 * about another's. Beliefs end after the expert's cache_ttl, and the oldest go when there is no room. What upstreams
 * report corrects them: an expert that reports fewer cached tokens than were believed is believed less. Any thread. */
#pragma once

#include "dialect/openai_request.h"
#include "expert/expert.h"

#define AFFINITY_ENTRIES    65536 /* 2.5 MB */
#define AFFINITY_TOKENS_MIN 1024  /* shorter prompts are not cached, by OpenAI and by Anthropic */
#define AFFINITY_BYTES_MIN  2048  /* of messages and tools: fewer cannot be as many tokens */
#define AFFINITY_MARKS_MAX  64    /* ends of messages that are looked up, the last ones */

struct affinity;

struct affinity_mark { /* the conversation up to the end of one message */
    uint64_t hash;
    uint64_t bytes;
};

struct affinity_prefix { /* of one request */
    struct affinity_mark marks[AFFINITY_MARKS_MAX];
    size_t count;                /* the last one is the whole request; 0: too short to be cached */
    struct affinity_mark system; /* what stands before the first user message; bytes 0: nothing */
};

NODISCARD enum status affinity_create(struct affinity **ret, struct error *err);
void affinity_free(struct affinity *t); /* NULL is fine */

/* Whether the request is long enough to be cached at all. */
bool affinity_is_worth_it(const struct openai_request *r);
/* Whether the expert's cached input has a price of its own, for some time. */
bool affinity_has_cache(const struct expert *e);
/* Linear in the messages, about 1.3 us a KB. The arena is scratch. */
void affinity_prefix_read(const struct openai_request *r, uint64_t tenant, struct arena *a,
                          struct affinity_prefix *ret);
/* For each of experts[count] how many tokens of the request it is believed to have cached; into[count]. */
void affinity_find(struct affinity *t, const struct affinity_prefix *prefix,
                   const struct expert *experts, size_t count, uint64_t now_ms, uint32_t *into);
/* The expert has answered the request and reported `tokens`. */
void affinity_learn(struct affinity *t, const struct affinity_prefix *prefix,
                    const struct expert *expert, const struct token_counts *tokens,
                    uint64_t now_ms);
