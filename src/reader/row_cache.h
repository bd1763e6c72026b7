/* Rows of numbers by the digest of the text that they stand for: what is used least recently goes first. Bounded in
 * bytes. No lock of its own: its owner has one. */
#pragma once

#include <stddef.h>

#include "base/digest.h"

struct row_cache;

/* Rows of `width` floats in `bytes_max` bytes altogether; where not one fits, nothing is ever kept. NULL: no memory. */
struct row_cache *row_cache_create(size_t width, size_t bytes_max);
void row_cache_free(struct row_cache *c); /* NULL is fine */
/* [width], until the next put; NULL: not there. */
const float *row_cache_get(struct row_cache *c, const struct digest *key);
/* Copies; a key that is there already keeps its row. */
void row_cache_put(struct row_cache *c, const struct digest *key, const float *row);
size_t row_cache_count(const struct row_cache *c);
