/* Hashed 1–2-grams: words (case folded), single digits and single punctuation marks are tokens; each token and
 * each pair of neighbours falls into one of 2^18 buckets (Weinberger et al. 2009, without the sign: with this many
 * buckets collisions are rare). Tokens of the stem and of the options are different tokens: a word that is asked about
 * says something else than a word that is offered. An option also counts by its shape: which of its first tokens are
 * words, digits or which mark. Counts are sub-linear, the vector has L2 norm 1. */
#include "encode/ngram.h"

#include <math.h>
#include <string.h>

#include "encode/char_class.h"
#include "encode/load.h"

/* Changing any of these makes old models wrong: raise NGRAM_FINGERPRINT. */
#define SEED UINT64_C(0x6c6565726f6f0001)
#define K0   UINT64_C(0x9e3779b97f4a7c15)
#define K1   UINT64_C(0xd6e8feb86659fd93)

#define OPTION_SALT  UINT64_C(0xa0761d6478bd642f)
#define SHAPE_SALT   UINT64_C(0xe7037ed1a0b428db)
#define SHAPE_TOKENS 8
#define SLOTS_MIN    256u

static uint64_t mix(uint64_t h)
{
    h *= K1;
    return h ^ h >> 32;
}

/* Eight bytes at a time; ENCODE_PADDING bytes behind the text may be read, and are masked off. */
static uint64_t hash_token(const char *p, size_t len)
{
    uint64_t h = SEED ^ len;
    for (; len > 8; p += 8, len -= 8)
        h = mix((h ^ load64(p)) * K0);
    h ^= load64_first(p, len);
    return mix(mix(h * K0));
}

/* The state of counting, apart from struct ngram_text so that it stays in registers. values[] holds plain counts until
 * the end. */
struct counter {
    struct bucket_slot *slots;
    uint32_t *buckets;
    float *values;
    uint32_t mask, stamp, count;
};

/* Counts one occurrence of a bucket. */
static inline void count_bucket(struct counter *c, uint64_t hash)
{
    uint32_t bucket = (uint32_t)((hash * K0) >> (64 - NGRAM_BUCKET_BITS));
    uint32_t at = bucket & c->mask;
    for (; c->slots[at].stamp == c->stamp; at = (at + 1) & c->mask)
        if (c->slots[at].bucket == bucket) {
            c->values[c->slots[at].index] += 1;
            return;
        }
    c->slots[at] = (struct bucket_slot){c->stamp, bucket, c->count};
    c->buckets[c->count] = bucket;
    c->values[c->count] = 1;
    c->count++;
}

/* The tokens [from, to) and their pairs; the first pairs with the beginning of the field. */
static void count_field(struct str text, struct text_token *from, const struct text_token *to,
                        uint64_t salt, struct counter *counter)
{
    struct counter c = *counter;
    uint64_t previous = SEED ^ salt;
    for (struct text_token *t = from; t < to; t++) {
        uint64_t token = hash_token(text.ptr + t->start, t->len);
        t->hash = (uint32_t)(token >> 32);
        token ^= salt;
        count_bucket(&c, token);
        count_bucket(&c, mix(token * 3 + previous));
        previous = token;
    }
    *counter = c;
}

/* The classes of an option's first tokens, a punctuation mark as itself. */
static void count_shape(struct str text, const struct text_token *from, const struct text_token *to,
                        struct counter *c)
{
    char shape[SHAPE_TOKENS] = {0};
    for (int i = 0; i < SHAPE_TOKENS && from + i < to; i++)
        shape[i] = from[i].class == CHAR_LETTER  ? 'a'
                   : from[i].class == CHAR_DIGIT ? '0'
                                                 : text.ptr[from[i].start];
    count_bucket(c, mix((load64(shape) ^ SHAPE_SALT) * K0));
}

static void count_grams(struct str text, const struct text_layout *l, struct ngram_text *f,
                        struct counter *c)
{
    count_field(text, f->tokens, f->tokens + l->stem_tokens, 0, c);
    for (size_t o = 0; o < l->count; o++) {
        struct text_token *from = f->tokens + l->tokens[o],
                          *to = f->tokens + (l->tokens[o + 1] - LAYOUT_MARK_TOKENS);
        count_field(text, from, to, OPTION_SALT, c);
        count_shape(text, from, to, c);
    }
}

/* Slots enough to be half empty and no more: few texts need all, and fewer stay in the cache. */
static uint32_t slot_mask(const struct ngram_text *f, const struct text_layout *l)
{
    uint32_t grams = 2 * f->token_count + (uint32_t)l->count, slots = SLOTS_MIN;
    while (slots < 2 * grams && slots < f->slot_count)
        slots *= 2;
    return slots - 1;
}

static void scale_counts(struct ngram_text *f)
{
    double sum = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        float times = f->values[i];
        float value = times < NGRAM_LOGS ? f->logs[(uint32_t)times] : 1 + logf(times);
        f->values[i] = value;
        sum += (double)value * value;
    }
    float scale = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
    for (uint32_t i = 0; i < f->count; i++)
        f->values[i] *= scale;
}

void ngram_init(struct ngram_text *f)
{
    f->logs[0] = 0;
    for (int i = 1; i < NGRAM_LOGS; i++)
        f->logs[i] = 1 + logf((float)i);
}

void ngram_encode(struct str lowered, const struct text_layout *layout, struct ngram_text *f)
{
    if (++f->stamp == 0) { /* after 2^32 texts the stamps start again */
        memset(f->slots, 0, f->slot_count * sizeof(*f->slots));
        f->stamp = 1;
    }
    struct counter c = {f->slots, f->buckets, f->values, slot_mask(f, layout), f->stamp, 0};
    count_grams(lowered, layout, f, &c);
    f->count = c.count;
    scale_counts(f);
}
