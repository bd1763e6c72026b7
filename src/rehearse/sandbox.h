/* The built-in experts of the demo: three cheap specialists and an expensive generalist. They really compute
 * (solve.h), within the limits of their skills; beyond them they are wrong in ways that look right.
 *
 * Deterministic: the same seed, expert and question give the same answer, slips included. */
#pragma once

#include <stdint.h>

#include "base/money.h"
#include "rehearse/solve.h"
#include "rehearse/source.h"

#define SANDBOX_EXPERT_COUNT 4

struct sandbox_ability {
    unsigned size_sure; /* up to this size (struct solution) ... */
    float within;       /* ... right with this probability ... */
    float beyond;       /* ... and above it with this one */
};

struct sandbox_expert {
    const char *name;
    const char *summary;
    const char *opening; /* of its answers; NULL: comes to the point */
    struct price price;
    struct sandbox_ability abilities[SKILL_COUNT]; /* all zero: only guesses */
};

struct sandbox {
    uint64_t seed;
};

const struct sandbox_expert *sandbox_expert_at(size_t expert); /* expert < SANDBOX_EXPERT_COUNT */
/* `s` must outlive the source. */
struct rehearse_source sandbox_source(const struct sandbox *s);
