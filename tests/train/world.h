/* A small world whose truth is known, as a data set in memory: easy and hard questions, told apart by their words,
 * and three experts. What each answers well, how often, is truth[kind][expert]. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "data/dataset.h"
#include "train/train.h"

#define WORLD_EXPERTS 3
#define WORLD_TEXT    96

static const double world_truth[2][WORLD_EXPERTS] = {{0.9, 0.95, 0.3}, {0.15, 0.9, 0.6}};

struct world {
    struct dataset dataset;
    struct dataset_expert experts[WORLD_EXPERTS];
    struct query *queries;
    struct outcome *outcomes;
    char *texts; /* [rows × WORLD_TEXT] */
};

static inline int world_kind(size_t row)
{
    return row % 3 == 0;
}

static inline void world_text(struct rng *r, int kind, char *text)
{
    static const char *const words[2][5] = {{"hello", "sum", "cat", "colour", "two"},
                                            {"prove", "lemma", "integral", "tensor", "quantum"}};
    char *at = text;
    for (int i = 0; i < 6; i++)
        at += snprintf(at, 12, "%s ", words[kind][rng_below(r, 5)]);
    snprintf(at, 12, "%u", (unsigned)rng_below(r, 100000));
}

static inline void world_outcomes(struct rng *r, int kind, const struct dataset_expert *experts,
                                  struct outcome *o)
{
    for (size_t e = 0; e < WORLD_EXPERTS; e++) {
        o[e] = (struct outcome){.present = true,
                                .known = true,
                                .tokens_known = true,
                                .cost_known = true,
                                .score = rng_uniform(r) < world_truth[kind][e],
                                .input_tokens = 20,
                                .output_tokens = kind ? 300 : 30};
        o[e].cost_nano_usd =
            price_cost_nano_usd(&experts[e].price, o[e].input_tokens, o[e].output_tokens);
    }
}

static inline struct world *world_make(size_t rows)
{
    static const char *const names[WORLD_EXPERTS] = {"cheap", "dear \"pro\"", "odd"};
    struct world *w = calloc(1, sizeof(*w));
    struct rng r;
    cr_assert_not_null(w);
    rng_seed(&r, 42);
    w->queries = calloc(rows + 1, sizeof(*w->queries));
    w->outcomes = calloc(rows * WORLD_EXPERTS + 1, sizeof(*w->outcomes));
    w->texts = calloc(rows + 1, WORLD_TEXT);
    cr_assert(w->queries && w->outcomes && w->texts);
    for (size_t e = 0; e < WORLD_EXPERTS; e++) {
        int64_t usd = e == 1 ? 10 : 1;
        w->experts[e] = (struct dataset_expert){str_from(names[e]),
                                                {.input_nano_usd_per_m = usd * NANO_PER_USD,
                                                 .output_nano_usd_per_m = 3 * usd * NANO_PER_USD}};
    }
    struct price *odd = &w->experts[2].price; /* every kind of token at a price of its own */
    cr_assert(price_set_cached_input(odd, NANO_PER_USD / 10));
    price_set_cache_write(odd, NANO_PER_USD / 4 * 5);
    price_set_reasoning(odd, 4 * NANO_PER_USD);
    for (size_t i = 0; i < rows; i++) {
        char *text = w->texts + i * WORLD_TEXT;
        world_text(&r, world_kind(i), text);
        w->queries[i] = (struct query){.text = str_from(text),
                                       .prompt = str_from(text),
                                       .domain = str_from(world_kind(i) ? "hard" : "easy"),
                                       .text_hash = text_hash(str_from(text))};
        world_outcomes(&r, world_kind(i), w->experts, w->outcomes + i * WORLD_EXPERTS);
    }
    w->dataset = (struct dataset){.path = STR("world"),
                                  .queries = w->queries,
                                  .query_count = rows,
                                  .experts = w->experts,
                                  .expert_count = WORLD_EXPERTS,
                                  .outcomes = w->outcomes};
    return w;
}

static inline void world_free(struct world *w)
{
    free(w->queries);
    free(w->outcomes);
    free(w->texts);
    free(w);
}

static inline struct trained *world_train(const struct world *w, uint64_t seed)
{
    struct train_options o;
    struct trained *t = NULL;
    struct error err = {0};
    train_options_default(&o);
    o.seed = seed;
    cr_assert_eq(train_run(&w->dataset, &o, &t, &err), OK, "%s", err.text);
    return t;
}
