/* What is known of recorded answers beyond their outcomes: statistics of their texts, by which checks learn. Filled
 * from responses/ (judge/recorded.h) for training and evaluation. Classes by which answers agree are in the
 * outcomes. */
#pragma once

#include "data/dataset.h"
#include "encode/answer_stats.h"

struct answer_cell {
    bool present; /* a text was recorded */
    float stats[ANSWER_STATS];
};

struct answer_table {
    const struct answer_cell *cells; /* [query_count × expert_count] of the data set */
};
