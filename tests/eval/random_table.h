/* Made-up tables for the tests of eval/: predictions that know something about the scores. */
#pragma once

#include <math.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "eval/table.h"

#define TABLE_EXPERTS_MAX 8

struct random_table {
    struct eval_table table;
    struct estimate *estimates;
    struct outcome *outcomes;
    struct str names[TABLE_EXPERTS_MAX];
    bool pool[TABLE_EXPERTS_MAX];
    struct eval_plan plans[TABLE_EXPERTS_MAX];
    struct eval_run *runs;
    struct arena *arena;
};

/* Expert e costs about 2^e and is right more often the dearer; `skill` 0..1 is how much predictions know. */
static inline void random_table_make(struct random_table *r, size_t queries, size_t experts,
                                     double skill, uint64_t seed)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct rng rng;
    rng_seed(&rng, seed);
    *r = (struct random_table){.arena = arena_create(1 << 28)};
    r->estimates = ARENA_ARRAY(r->arena, queries * experts, struct estimate);
    r->outcomes = ARENA_ARRAY(r->arena, queries * experts, struct outcome);
    for (size_t i = 0; i < queries * experts; i++) {
        size_t e = i % experts;
        double ease = 0.3 + 0.6 * (double)(e + 1) / (double)experts;
        double truth = rng_uniform(&rng) < 0.5 ? ease - 0.2 : fmin(1, ease + 0.1);
        bool right = rng_uniform(&rng) < truth;
        double base = 1000.0 * (double)(1u << e), size = 0.5 + rng_uniform(&rng);
        r->outcomes[i] = (struct outcome){.present = true,
                                          .known = true,
                                          .cost_known = true,
                                          .score = right ? 1.0f : 0.0f,
                                          .cost_nano_usd = (int64_t)(base * size)};
        r->estimates[i] =
            (struct estimate){.quality = (float)(skill * truth + (1 - skill) * rng_uniform(&rng)),
                              .cost_nano_usd = (int64_t)(base * (size + 0.2 * rng_uniform(&rng)))};
    }
    for (size_t e = 0; e < experts; e++) {
        r->names[e] = str_from(names[e]);
        r->pool[e] = true;
    }
    r->table = (struct eval_table){.queries = queries,
                                   .experts = experts,
                                   .names = r->names,
                                   .estimates = r->estimates,
                                   .outcomes = r->outcomes,
                                   .pool = r->pool,
                                   .reference = experts - 1};
}

/* One more column: a cascade from the first expert to the last, which asks on for two thirds of the first's failures
 * and a sixth of its successes. */
static inline void random_table_add_cascade(struct random_table *r, uint64_t seed)
{
    size_t old = r->table.experts, width = old + 1, queries = r->table.queries;
    cr_assert(width <= TABLE_EXPERTS_MAX);
    struct estimate *estimates = ARENA_ARRAY(r->arena, queries * width, struct estimate);
    struct outcome *outcomes = ARENA_ARRAY(r->arena, queries * width, struct outcome);
    r->runs = ARENA_ARRAY(r->arena, queries * width, struct eval_run);
    struct rng rng;
    rng_seed(&rng, seed);
    for (size_t q = 0; q < queries; q++) {
        for (size_t e = 0; e < old; e++) {
            estimates[q * width + e] = r->estimates[q * old + e];
            outcomes[q * width + e] = r->outcomes[q * old + e];
        }
        const struct outcome *first = &outcomes[q * width], *last = &outcomes[q * width + old - 1];
        bool on = rng_uniform(&rng) < (first->score < 0.5f ? 2.0 / 3 : 1.0 / 6);
        struct outcome *plan = &outcomes[q * width + old];
        *plan = on ? *last : *first;
        plan->cost_nano_usd = first->cost_nano_usd + (on ? last->cost_nano_usd : 0);
        r->runs[q * width + old] = (struct eval_run){.calls = on ? 3 : 1, .winner = on};
        struct estimate *guess = &estimates[q * width + old];
        *guess = estimates[q * width + old - 1];
        guess->cost_nano_usd = estimates[q * width].cost_nano_usd + guess->cost_nano_usd / 2;
    }
    for (size_t e = 0; e < width; e++)
        r->plans[e] = (struct eval_plan){.kind = PLAN_SINGLE, .member_count = 1, .members = {e}};
    r->plans[old] =
        (struct eval_plan){.kind = PLAN_CASCADE, .member_count = 2, .members = {0, old - 1}};
    r->names[old] = STR("cascade(first→last)");
    r->pool[old] = true;
    r->estimates = estimates;
    r->outcomes = outcomes;
    r->table.experts = width;
    r->table.estimates = estimates;
    r->table.outcomes = outcomes;
    r->table.plans = r->plans;
    r->table.runs = r->runs;
}

static inline void random_table_done(struct random_table *r)
{
    arena_free(r->arena);
}
