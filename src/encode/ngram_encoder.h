/* The encoder of n-grams: hashed word 1–2-grams (sparse) and statistics of the text (dense). It needs nothing but the
 * text and answers at once: about 6 µs per KB. */
#pragma once

#include "base/buf.h"
#include "encode/encode.h"

#define NGRAM_BUCKET_BITS    18
#define NGRAM_BUCKETS        (1u << NGRAM_BUCKET_BITS)
#define NGRAM_STATS          74          /* dense statistics; stats_name() names each */
#define NGRAM_TEXT_BYTES_MAX (64u << 10) /* of a longer text the first and the last half of this */
#define NGRAM_GRAMS_MAX      (2 * NGRAM_TEXT_BYTES_MAX)
#define NGRAM_LOGS           32

/* Raise it with whatever changes a bucket, a value or a statistic. */
#define NGRAM_FINGERPRINT "ngram18+stats74/2"

extern const struct encoder ngram_encoder;

struct text_token {
    uint32_t start;
    uint32_t len : 24, class : 8; /* of enum char_class */
    uint32_t hash;                /* of its lower-case bytes, filled by ngram_encode */
};

struct bucket_slot {
    uint32_t stamp, bucket, index;
};

/* The encoder's part of the features: what it found in a text, and its scratch. */
struct ngram_text {
    uint32_t *buckets; /* [count], distinct, each < NGRAM_BUCKETS, in order of first appearance */
    float *values;     /* [count], 1 + ln(occurrences), L2 norm 1 */
    uint32_t count;
    float stats[NGRAM_STATS];

    /* scratch */
    uint32_t capacity;
    struct bucket_slot *slots; /* a hash set over buckets, emptied by moving to the next stamp */
    uint32_t slot_count, stamp;
    struct text_token *tokens; /* [token_count] of the text */
    uint32_t token_count;
    struct buf lowered;
    float logs[NGRAM_LOGS]; /* 1 + ln(index): most counts are small */
};

NODISCARD enum status ngram_text_init(struct ngram_text *t, struct error *err);
void ngram_text_done(struct ngram_text *t);
/* Fills buckets, values, count and stats. ERR_MEMORY; any bytes are fine, also invalid UTF-8. */
NODISCARD enum status ngram_text_encode(struct ngram_text *t, struct str text, struct error *err);
