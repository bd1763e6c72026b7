/* Text → features: hashed word 1–2-grams (sparse) and statistics of the text (dense). The same function
 * encodes at training and at decision time. A `struct features` is scratch that is reused; it is owned by
 * one thread. No function here keeps state. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define ENCODE_BUCKET_BITS    18
#define ENCODE_BUCKETS        (1u << ENCODE_BUCKET_BITS)
#define ENCODE_STATS          74          /* dense statistics; stats_name() names each */
#define ENCODE_TEXT_BYTES_MAX (64u << 10) /* of a longer text the first and the last half of this */
#define ENCODE_GRAMS_MAX      (2 * ENCODE_TEXT_BYTES_MAX)
#define ENCODE_LOGS           32

/* What a model file says about its encoder; another version is refused. */
#define ENCODE_VERSION "ngram18+stats74/2"

/* Which encoder a model was trained with; a seam for encoders to come. */
enum encoder_kind { ENCODER_NGRAM };

struct encoder {
    enum encoder_kind kind;
};

struct text_token {
    uint32_t start;
    uint32_t len : 24, class : 8; /* of enum char_class */
    uint32_t hash;                /* of its lower-case bytes, filled by ngram_encode */
};

struct feature_slot {
    uint32_t stamp, bucket, index;
};

struct features {
    uint32_t *buckets; /* [count], distinct, each < ENCODE_BUCKETS, in order of first appearance */
    float *values;     /* [count], 1 + ln(occurrences), L2 norm 1 */
    uint32_t count;
    float stats[ENCODE_STATS];
    uint32_t characters; /* code points of the whole text, for token estimates */

    /* scratch of the encoder */
    uint32_t capacity;
    struct feature_slot *slots; /* a hash set over buckets, emptied by moving to the next stamp */
    uint32_t slot_count, stamp;
    struct text_token *tokens; /* [token_count] of the text */
    uint32_t token_count;
    struct buf lowered;
    float logs[ENCODE_LOGS]; /* 1 + ln(index): most counts are small */
};

NODISCARD enum status features_init(struct features *f, struct error *err);
void features_done(struct features *f);

/* Cost: about 6 µs per KB. ERR_MEMORY; any bytes are fine, also invalid UTF-8. */
NODISCARD enum status encode_text(const struct encoder *e, struct str text, struct features *f,
                                  struct error *err);
