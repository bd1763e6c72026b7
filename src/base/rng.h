/* xoshiro256** (Blackman & Vigna 2018) seeded by splitmix64: everything random is seeded and reproducible. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state[4];
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t bound); /* uniform in [0, bound); bound > 0; unbiased */
double rng_uniform(struct rng *r);                 /* [0, 1) with 53 bits */
void rng_shuffle_u32(struct rng *r, uint32_t *items, size_t count);
