/* Fast non-cryptographic hashing; the same on every machine (little and big endian read the same bytes). */
#pragma once

#include <stdint.h>

#include "base/str.h"

uint64_t hash64(struct str s, uint64_t seed);
uint64_t hash64_mix(uint64_t a, uint64_t b);                      /* order-sensitive combination */
uint32_t crc32_ieee(uint32_t crc, const void *bytes, size_t len); /* start with 0 */
