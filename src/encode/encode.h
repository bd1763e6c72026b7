/* Text → features: hashed word 1–2-grams (sparse) and statistics of the text (dense). The same function
 * encodes at training and at decision time. Stateless; a `struct features` is scratch that is reused, owned by
 * one thread. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define ENCODE_STATS 64          /* dense statistics, see encode/stats.c for the table */
#define ENCODE_TEXT_BYTES_MAX (64u << 10) /* longer texts: the first and the last half of this */

struct encoder {
    uint32_t bucket_bits; /* 18: 2^18 buckets */
};

struct features {
    uint32_t *buckets; /* [count], strictly increasing */
    float *values;     /* [count], sub-linear counts, L2 norm 1 */
    uint32_t count, capacity;
    float stats[ENCODE_STATS];
    uint32_t characters; /* code points of the whole text, for token estimates */
};

NODISCARD enum status features_init(struct features *f, struct error *err);
void features_done(struct features *f);
NODISCARD enum status encode_text(const struct encoder *e, struct str text, struct features *ret,
                                  struct error *err);
