/* A base model that is small enough to compute with by hand: every text has the same difficulty. */
#pragma once

#include <criterion/criterion.h>
#include <math.h>

#include "prior/base.h"

#define TINY_DIFFICULTY 0.5f

static const uint16_t tiny_weights[2];
static const float tiny_bias[2] = {TINY_DIFFICULTY, 0}, tiny_level[DIFFICULTY_LEVELS] = {0, 1, 0},
                   tiny_tokens[TOKEN_PARAMETERS] = {10, 0.25f, 4, 0, 0, 1},
                   tiny_spread[SPREAD_TERMS] = {0.3f, 0, 0, 0},
                   tiny_sample[2 * 3] = {TINY_DIFFICULTY, 100, 0, TINY_DIFFICULTY, 200, 0};
static struct base_known tiny_known[2] = {
    {.name = STR_INIT("small-1b"),
     .price = {.input_nano_usd_per_m = 100000000, .output_nano_usd_per_m = 100000000},
     .strength = -1,
     .outcomes = 500,
     .parameters = {-1, 1},
     .output_ratio = 1},
    {.name = STR_INIT("large-2024-01-01"),
     .price = {.input_nano_usd_per_m = 10000000000, .output_nano_usd_per_m = 10000000000},
     .strength = 1,
     .outcomes = 500,
     .parameters = {1, 1},
     .output_ratio = 2},
};

static inline struct base tiny_base(void)
{
    return (struct base){
        .head = {.buckets = 1, .weights = tiny_weights, .bias = tiny_bias, .level = tiny_level},
        .forest = {.experts = 1},
        .tokens = tiny_tokens,
        .spread = tiny_spread,
        .sample = tiny_sample,
        .sample_rows = 2,
        .family = {{0, 1}, {1, 0}},
        .deviation = {0.3, 0.1},
        .price = {0, 0.4342944819032518}, /* one unit of strength for ten times the price */
        .strength_sd = 0.8,
        .question_sd = 1.3,
        .known = tiny_known,
        .known_count = 2,
        .provenance = STR("{\"version\":\"1\"}")};
}
