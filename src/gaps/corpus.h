/* Texts as sparse vectors of their words: tf-idf, of length 1 (Salton & Buckley 1988). A query is its text and its
 * choices; the letters of choices are none of them. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "data/dataset.h"

#define CORPUS_WORDS_MAX                                                                           \
    (UINT32_C(1) << 18) /* that are told apart; later new ones are passed over */

/* A text's words, each once. */
struct corpus_row {
    const uint32_t *words; /* [count] */
    const float *weights;  /* [count] of length 1; none at all where no word is known */
    uint32_t count;
};

struct corpus {
    const struct str *words; /* [word_count], those of two texts and more */
    const float *idf;        /* [word_count] */
    const uint32_t *texts;   /* [word_count] in how many each is */
    uint32_t word_count;
    struct corpus_row *rows; /* [row_count], in the order of the queries */
    size_t row_count;
    struct corpus_reader *reader; /* of further texts */
};

/* Everything lives in `a`, the words too. ERR_MEMORY. */
NODISCARD enum status corpus_build(const struct query *queries, size_t count, struct arena *a,
                                   struct corpus *ret, struct error *err);
/* Another query by the same words. The row is valid until the next. */
struct corpus_row corpus_read(const struct corpus *c, const struct query *q);

/* How near a text is to a direction[word_count]. */
static inline double corpus_dot(const struct corpus_row *r, const float *direction)
{
    double sum = 0;
    for (uint32_t i = 0; i < r->count; i++)
        sum += (double)r->weights[i] * (double)direction[r->words[i]];
    return sum;
}
