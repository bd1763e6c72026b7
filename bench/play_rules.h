/* Rules of buying cells that bench_play compares at equal spend. */
#pragma once

#include "base/rng.h"
#include "play_pool.h"

struct play_rule {
    const char *name, *what;
    /* Spends what `p` has left, in rounds or at once. */
    enum status (*buy)(struct purchase *p, struct rng *rng, struct error *err);
};

#define PLAY_RULES 5
extern const struct play_rule play_rules[PLAY_RULES];

/* Of the value rule, for experiments: parts of the spend in each round. */
#define PLAY_ROUNDS_MAX 16
extern double play_rounds[PLAY_ROUNDS_MAX];
extern size_t play_round_count;
