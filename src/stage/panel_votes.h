/* The weighted vote from which a panel's posterior starts (predict/panel.h), fitted by logistic regression with a ridge
 * on recorded answers: one for each member, and whether it was asked. Internal to panel_learn.c. */
#pragma once

#include "stage/panel_learn.h"

/* From the states (row, subset)[count] but those of the rows of `fold`. ERR_MEMORY. */
NODISCARD enum status panel_votes_fit(const struct panel_rows *rows, const uint32_t *row,
                                      const uint8_t *subset, size_t count, unsigned fold,
                                      struct panel_votes *ret, struct error *err);
