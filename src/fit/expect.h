/* What to expect of cells that were not bought, from the cells of the same question that were. A question has two
 * latent traits, how able experts are to answer it and one contrast between them; each expert takes them up in its own
 * way, and each group of domains has its own means of them. Fitted by expectation and maximisation on a grid (Bock &
 * Aitkin 1981). Experts with few outcomes are pulled to what all have in common, so that some dozens of outcomes are
 * enough to tell how an expert stands to the others; and as a missing cell is filled by how hard its question was for
 * those who were asked, it does not matter that the cells of a dear expert were chosen and not drawn. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* targets and weights [rows × experts]: a negative target in a row that has another becomes what is expected, in 0..1.
 * Its weight becomes `share`, less for experts of which much is known, half of it at 2,500 outcomes. Known scores may
 * lie between 0 and 1. groups [rows]: group_count or above: none. Nothing happens where all is known. Deterministic. */
NODISCARD enum status expect_fill(float *targets, float *weights, const uint8_t *groups,
                                  size_t rows, size_t experts, size_t group_count, float share,
                                  struct error *err);
