/* Hashed 1–2-grams: words (case folded), single digits and single punctuation marks are tokens; each token and
 * each pair of neighbours falls into one of 2^18 buckets (Weinberger et al. 2009, without the sign: with this many
 * buckets collisions are rare). Counts are sub-linear, the vector has L2 norm 1. */
#include "encode/ngram.h"

#include <math.h>
#include <string.h>

/* Changing any of these makes old models wrong: raise ENCODE_VERSION. */
#define SEED UINT64_C(0x6c6565726f6f0001)
#define K0   UINT64_C(0x9e3779b97f4a7c15)
#define K1   UINT64_C(0xd6e8feb86659fd93)

static uint64_t mix(uint64_t h)
{
    h *= K1;
    return h ^ h >> 32;
}

static uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* Eight bytes at a time; ENCODE_PADDING bytes behind the text may be read, and are masked off. */
static uint64_t hash_token(const char *p, size_t len)
{
    uint64_t h = SEED ^ len;
    for (; len > 8; p += 8, len -= 8)
        h = mix((h ^ load64(p)) * K0);
    h ^= load64(p) & (UINT64_MAX >> (64 - 8 * len));
    return mix(mix(h * K0));
}

/* Counts one occurrence of a bucket. values[] holds plain counts until the end. */
static void count_bucket(struct features *f, uint64_t hash)
{
    uint32_t bucket = (uint32_t)((hash * K0) >> (64 - ENCODE_BUCKET_BITS));
    uint32_t mask = f->slot_count - 1;
    uint32_t at = bucket & mask;
    while (f->slots[at].stamp == f->stamp) {
        if (f->slots[at].bucket == bucket) {
            f->values[f->slots[at].index] += 1;
            return;
        }
        at = (at + 1) & mask;
    }
    f->slots[at] = (struct feature_slot){f->stamp, bucket, f->count};
    f->buckets[f->count] = bucket;
    f->values[f->count] = 1;
    f->count++;
}

static void count_grams(struct str text, struct features *f)
{
    uint64_t previous = SEED;
    for (uint32_t i = 0; i < f->token_count; i++) {
        uint64_t token = hash_token(text.ptr + f->tokens[i].start, f->tokens[i].len);
        count_bucket(f, token);
        count_bucket(f, mix(token * 3 + previous));
        previous = token;
    }
}

static void scale_counts(struct features *f)
{
    double sum = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        if (f->values[i] != 1)
            f->values[i] = 1 + logf(f->values[i]);
        sum += (double)f->values[i] * f->values[i];
    }
    float scale = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
    for (uint32_t i = 0; i < f->count; i++)
        f->values[i] *= scale;
}

void ngram_encode(struct str lowered, struct features *f)
{
    f->count = 0;
    if (++f->stamp == 0) { /* after 2^32 texts the stamps start again */
        memset(f->slots, 0, f->slot_count * sizeof(*f->slots));
        f->stamp = 1;
    }
    count_grams(lowered, f);
    scale_counts(f);
}
