/* hash64 folds 8 bytes at a time with 64×64→128-bit multiplications, in the manner of wyhash (Wang Yi,
 * public domain idea); written here so that model files hash the same everywhere. */
#include "base/hash.h"

#include <string.h>

#include "base/int128.h"

static uint64_t fold(uint64_t a, uint64_t b)
{
    uint128 product = (uint128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load64(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static uint64_t load_tail(const unsigned char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

#define K0 UINT64_C(0x9e3779b97f4a7c15)
#define K1 UINT64_C(0xd1b54a32d192ed03)
#define K2 UINT64_C(0x8cb92ba72f3d8dd7)

uint64_t hash64(struct str s, uint64_t seed)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t left = s.len;
    uint64_t h = fold(seed ^ K0, (uint64_t)s.len ^ K1);
    while (left >= 8) {
        h = fold(h ^ load64(p), K2);
        p += 8;
        left -= 8;
    }
    if (left)
        h = fold(h ^ load_tail(p, left), K1);
    return fold(h ^ K1, K0);
}

uint64_t hash64_mix(uint64_t a, uint64_t b)
{
    return fold(fold(a ^ K0, K1) ^ b, K2);
}

uint32_t crc32_ieee(uint32_t crc, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (UINT32_C(0xedb88320) & (0u - (crc & 1u)));
    }
    return ~crc;
}
