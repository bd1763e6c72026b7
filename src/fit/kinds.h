/* Points into kinds, and what whitens them within a kind: k-means (Lloyd), started at the mean and then each time at
 * the point farthest from all before it; one covariance for all kinds. */
#pragma once

#include <stddef.h>

#include "base/error.h"

#define KINDS_MAX            8
#define KINDS_DIMENSIONS_MAX 128

/* Of x [rows × dimensions]: whiten [dimensions × dimensions], the inverse of the Cholesky factor of the covariance
 * within kinds plus `ridge` (above 0) on its diagonal, zero above its diagonal; centre [KINDS_MAX × dimensions], the
 * whitened means of the kinds. Deterministic. ERR_MEMORY. */
NODISCARD enum status kinds_fit(const float *x, size_t rows, size_t dimensions, double ridge,
                                float *whiten, float *centre, struct error *err);
