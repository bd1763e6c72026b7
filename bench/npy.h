/* Tables of float32 in files as numpy writes them, between benchmarks and whoever goes on in Python. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* *ret [*rows × *columns], malloced. ERR_IO: there is no such file; ERR_INPUT: it is no such table. */
NODISCARD enum status npy_read(const char *path, float **ret, size_t *rows, size_t *columns,
                               struct error *err);
NODISCARD enum status npy_write(const char *path, const float *x, size_t rows, size_t columns,
                                struct error *err);
