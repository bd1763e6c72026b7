/* A column of outcomes.csv that says what a check made of each answer: "verified", or whatever it is called. It is read
 * by its name alone, because a data set may have several, and nobody else needs them. */
#pragma once

#include "data/dataset.h"

enum check_said {
    CHECK_UNKNOWN, /* an empty cell, or no row: the check was down, or never ran */
    CHECK_REJECTS,
    CHECK_PASSES, /* 1, or a share of at least one half */
};

/* cells[query_count × expert_count] of a loaded data set, row-major by query. ERR_INPUT, with the place: there is no
 * such column, a cell is not a number between 0 and 1, or the data set is a table, which has none. */
NODISCARD enum status check_column_read(const struct dataset *d, const char *column, uint8_t *cells,
                                        struct error *err);
