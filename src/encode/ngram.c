/* Hashed 1–2-grams: words (case folded), single digits and single punctuation marks are tokens; each token and
 * each pair of neighbours falls into one of 2^18 buckets (Weinberger et al. 2009, without the sign: with this many
 * buckets collisions are rare). Tokens of the stem and of the options are different tokens: a word that is asked about
 * says something else than a word that is offered. An option also counts by its shape: which of its first tokens are
 * words, digits or which mark. Counts are sub-linear, the vector has L2 norm 1. */
#include "encode/ngram.h"

#include <math.h>
#include <string.h>

#include "encode/char_class.h"

/* Changing any of these makes old models wrong: raise ENCODE_VERSION. */
#define SEED UINT64_C(0x6c6565726f6f0001)
#define K0   UINT64_C(0x9e3779b97f4a7c15)
#define K1   UINT64_C(0xd6e8feb86659fd93)

#define OPTION_SALT  UINT64_C(0xa0761d6478bd642f)
#define SHAPE_SALT   UINT64_C(0xe7037ed1a0b428db)
#define SHAPE_TOKENS 8

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

/* Tokens [from, to) and their pairs; the first pairs with the beginning of the field. */
static void count_field(struct str text, uint32_t from, uint32_t to, uint64_t salt,
                        struct features *f)
{
    uint64_t previous = SEED ^ salt;
    for (uint32_t i = from; i < to; i++) {
        uint64_t token = hash_token(text.ptr + f->tokens[i].start, f->tokens[i].len);
        f->tokens[i].hash = (uint32_t)(token >> 32);
        token ^= salt;
        count_bucket(f, token);
        count_bucket(f, mix(token * 3 + previous));
        previous = token;
    }
}

/* The classes of an option's first tokens, a punctuation mark as itself. */
static void count_shape(struct str text, uint32_t from, uint32_t to, struct features *f)
{
    char shape[SHAPE_TOKENS] = {0};
    for (uint32_t i = from; i < to && i < from + SHAPE_TOKENS; i++) {
        const struct text_token *token = &f->tokens[i];
        shape[i - from] = token->class == CHAR_LETTER  ? 'a'
                          : token->class == CHAR_DIGIT ? '0'
                                                       : text.ptr[token->start];
    }
    count_bucket(f, mix((load64(shape) ^ SHAPE_SALT) * K0));
}

static void count_grams(struct str text, const struct text_layout *l, struct features *f)
{
    count_field(text, 0, l->stem_tokens, 0, f);
    for (size_t o = 0; o < l->count; o++) {
        uint32_t end = l->tokens[o + 1] - LAYOUT_MARK_TOKENS;
        count_field(text, l->tokens[o], end, OPTION_SALT, f);
        count_shape(text, l->tokens[o], end, f);
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

void ngram_encode(struct str lowered, const struct text_layout *layout, struct features *f)
{
    f->count = 0;
    if (++f->stamp == 0) { /* after 2^32 texts the stamps start again */
        memset(f->slots, 0, f->slot_count * sizeof(*f->slots));
        f->stamp = 1;
    }
    count_grams(lowered, layout, f);
    scale_counts(f);
}
