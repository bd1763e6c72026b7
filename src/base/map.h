/* A hash map from byte strings to uint32_t. Keys are NOT copied: they must outlive the map. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct map;

struct map *map_create(size_t expected); /* NULL when out of memory */
void map_free(struct map *m);
/* Inserts or replaces. */
NODISCARD enum status map_put(struct map *m, struct str key, uint32_t value);
bool map_get(const struct map *m, struct str key, uint32_t *ret);
size_t map_count(const struct map *m);
