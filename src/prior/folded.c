/* N-grams in fewer buckets: see folded.h. */
#include "prior/folded.h"

#include <stdio.h>
#include <stdlib.h>

#include "encode/ngram_encoder.h"

struct work {
    void *ngrams;      /* the work of the encoder of n-grams */
    uint32_t *at;      /* [buckets] place of a bucket in the row plus 1; 0: it is not there */
    uint32_t *buckets; /* [capacity] */
    float *values;
    size_t capacity;
};

static void work_free(void *of)
{
    struct work *w = of;
    if (!w)
        return;
    if (w->ngrams)
        ngram_encoder.work_free(w->ngrams);
    free(w->at);
    free(w->buckets);
    free(w->values);
    free(w);
}

static void *work_create(const struct encoder *e)
{
    struct work *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->capacity = NGRAM_GRAMS_MAX;
    w->ngrams = ngram_encoder.work_create(&ngram_encoder);
    w->at = calloc(e->bucket_count, sizeof(*w->at));
    w->buckets = malloc(w->capacity * sizeof(*w->buckets));
    w->values = malloc(w->capacity * sizeof(*w->values));
    if (w->ngrams && w->at && w->buckets && w->values)
        return w;
    work_free(w);
    return NULL;
}

static enum status encode(const struct encoder *e, void *of, struct str text, struct encoding *ret,
                          struct error *err)
{
    struct work *w = of;
    struct encoding said;
    enum status status = ngram_encoder.encode(&ngram_encoder, w->ngrams, text, &said, err);
    if (status != OK)
        return status;
    uint32_t count = 0;
    for (uint32_t i = 0; i < said.count && count < w->capacity; i++) {
        uint32_t bucket = said.buckets[i] & (uint32_t)(e->bucket_count - 1);
        if (!w->at[bucket]) {
            w->buckets[count] = bucket;
            w->values[count++] = 0;
            w->at[bucket] = count;
        }
        w->values[w->at[bucket] - 1] += said.values[i];
    }
    for (uint32_t i = 0; i < count; i++)
        w->at[w->buckets[i]] = 0;
    *ret = (struct encoding){
        .buckets = w->buckets, .values = w->values, .count = count, .dense = said.dense};
    return OK;
}

/* One piece: an encoder is looked up, or made and registered. */
enum status folded_encoder(size_t buckets, const struct encoder **ret, struct error *err)
{
    static struct encoder rows[FOLDED_BITS_MAX + 1];
    static char names[FOLDED_BITS_MAX + 1][16];
    size_t bits = FOLDED_BITS_MIN;
    while (bits < FOLDED_BITS_MAX && (size_t)1 << bits < buckets)
        bits++;
    if ((size_t)1 << bits != buckets)
        return error_set(err, ERR_INPUT, "%zu buckets: must be a power of two, 2^%d to 2^%d",
                         buckets, FOLDED_BITS_MIN, FOLDED_BITS_MAX);
    struct encoder *e = &rows[bits];
    if (!e->name) {
        snprintf(names[bits], sizeof(names[bits]), "ngram-%zu", bits);
        struct encoder fresh = {.name = names[bits],
                                .fingerprint = NGRAM_FINGERPRINT,
                                .bucket_count = buckets,
                                .dense_count = NGRAM_STATS,
                                .statistics = NGRAM_STATS,
                                .work_create = work_create,
                                .work_free = work_free,
                                .encode = encode};
        *e = fresh;
        enum status status = encoder_register(e, err);
        if (status != OK) {
            *e = (struct encoder){0};
            return status;
        }
    }
    *ret = e;
    return OK;
}
