/* Planted answers for the race: who knows what is known beforehand, and every cell has its price. */
#pragma once

#include "probe/probe.h"

#define WORLD_CANDIDATES 10
#define WORLD_QUESTIONS  2000
#define WORLD_CELLS      (WORLD_CANDIDATES * WORLD_QUESTIONS)

/* 0, 1 and 2 each know a third of the questions and half of the rest by chance; 0 costs a hundred times what the others
 * do. All others are right by chance, with 30 to 50 %. So the best three are 0, 1 and 2. */
struct world {
    float score[WORLD_CELLS];
    int64_t cost_nano_usd[WORLD_CELLS], all_nano_usd;
};

struct world_end {
    struct probe_result result;
    int64_t spent_nano_usd;
    size_t cells, asked_dear;
    uint64_t hash; /* of all cells, in their order */
};

void world_make(struct world *w, uint64_t seed);
/* Asks until it is over. `told`: whether cells [WORLD_CELLS] are known beforehand; NULL: none is. */
void world_race(const struct world *w, size_t members, uint64_t seed, int64_t money_nano_usd,
                const bool *told, struct world_end *ret);
/* The same by other rules. */
void world_race_of(const struct world *w, const struct probe_options *o, int64_t money_nano_usd,
                   const bool *told, struct world_end *ret);
