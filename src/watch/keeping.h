/* A share of the prompts is kept for learning: loops offer them, a thread writes them to a file (store/kept.h). A loop
 * never waits: what does not fit into the queue is dropped and counted. */
#pragma once

#include <stdbool.h>

#include "expert/expert.h"

#define KEEPING_QUEUE_ROWS  512
#define KEEPING_QUEUE_BYTES (4u << 20)

struct keeping;

/* Opens the file, so that one that will not do is found at the start; prompts older than `days` are erased from then
 * on. */
NODISCARD enum status keeping_start(const char *file, uint32_t days, struct keeping **ret,
                                    struct error *err);
/* Writes what waits; NULL is fine. Nobody may offer any more. */
void keeping_stop(struct keeping *k);

struct keeping_offer {
    struct str request_id, key, expert, text; /* copied */
    int64_t at_ms;
    /* Whose keys are taken out of the text. They stay until `release` is called with `holder`, on any thread. */
    const struct expert *experts, *embedders;
    size_t expert_count, embedder_count;
    void *holder;
    void (*release)(void *holder);
};
/* Whether the request is of the share, by its id. */
bool keeping_wants(double share, struct str request_id);
/* Any thread. `release` is called in any case, if not here. */
void keeping_offer(struct keeping *k, const struct keeping_offer *offer);

struct keeping_counts {
    uint64_t kept, dropped; /* dropped: no room in the queue, or the file could not be written */
};
struct keeping_counts keeping_counts(struct keeping *k); /* any thread */
