/* Hashed 1–2-grams: words (case folded), single digits and single punctuation marks are tokens; each token and
 * each pair of neighbours falls into one of 2^18 buckets (Weinberger et al. 2009, without the sign: with this many
 * buckets collisions are rare). Counts are sub-linear, the vector has L2 norm 1. */
#include "encode/ngram.h"

#include <math.h>
#include <string.h>

#include "encode/char_class.h"

#define SEED                                                                                       \
    UINT64_C(                                                                                      \
        0x6c6565726f6f0001) /* changing any of these makes old models wrong: raise ENCODE_VERSION */
#define PRIME UINT64_C(0x100000001b3)

static uint64_t finish(uint64_t h)
{
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

/* Counts one occurrence of a bucket. values[] holds plain counts until the end. */
static void count_bucket(struct features *f, uint64_t hash)
{
    uint32_t bucket = (uint32_t)(hash >> (64 - ENCODE_BUCKET_BITS));
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

/* Hash of the token at *at, which moves past it. */
static uint64_t take_token(struct str text, size_t *at, enum char_class class)
{
    uint64_t h = SEED ^ (uint64_t) class;
    do
        h = (h ^ char_lower((unsigned char)text.ptr[(*at)++])) * PRIME;
    while (class == CHAR_LETTER && *at < text.len &&
           char_class((unsigned char)text.ptr[*at]) == CHAR_LETTER);
    return finish(h);
}

static void count_grams(struct str text, struct features *f)
{
    uint64_t previous = SEED;
    size_t at = 0;
    while (at < text.len) {
        enum char_class class = char_class((unsigned char)text.ptr[at]);
        if (class == CHAR_BLANK) {
            at++;
            continue;
        }
        uint64_t token = take_token(text, &at, class);
        count_bucket(f, token);
        count_bucket(f, finish(token * 3 + previous));
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

enum status ngram_encode(struct str text, struct features *f, struct error *err)
{
    (void)err;
    f->count = 0;
    if (++f->stamp == 0) { /* after 2^32 texts the stamps start again */
        memset(f->slots, 0, f->slot_count * sizeof(*f->slots));
        f->stamp = 1;
    }
    count_grams(text, f);
    scale_counts(f);
    return OK;
}
