/* Bytes of a text as a number, eight at a time; the first byte is the lowest on every machine. */
#pragma once

#include <stdint.h>
#include <string.h>

static inline uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* The first `len` (1 to 8) of eight bytes; the others are read and count as 0. */
static inline uint64_t load64_first(const char *p, size_t len)
{
    return load64(p) & UINT64_MAX >> (64 - 8 * len);
}
