/* Both halves of the encoder of n-grams over one text. */
#include "encode/ngram_encoder.h"

#include <stdlib.h>
#include <string.h>

#include "encode/char_class.h"
#include "encode/layout.h"
#include "encode/ngram.h"
#include "encode/stats.h"
#include "encode/word_split.h"

#define FIRST_CAPACITY 2048u

static enum status reserve(struct ngram_text *f, uint32_t grams, struct error *err)
{
    if (grams <= f->capacity)
        return OK;
    uint32_t capacity = f->capacity ? f->capacity : FIRST_CAPACITY;
    while (capacity < grams)
        capacity *= 2;
    struct ngram_text bigger = *f;
    bigger.capacity = capacity;
    bigger.slot_count = capacity * 2;
    bigger.stamp = 0;
    bigger.buckets = malloc(capacity * sizeof(*f->buckets));
    bigger.values = malloc(capacity * sizeof(*f->values));
    bigger.tokens = malloc(capacity / 2 * sizeof(*f->tokens));
    bigger.slots = calloc(bigger.slot_count, sizeof(*f->slots));
    bool good = bigger.buckets && bigger.values && bigger.slots && bigger.tokens;
    struct ngram_text *drop = good ? f : &bigger;
    free(drop->buckets);
    free(drop->values);
    free(drop->slots);
    free(drop->tokens);
    if (!good)
        return error_set(err, ERR_MEMORY, "out of memory");
    *f = bigger;
    return OK;
}

enum status ngram_text_init(struct ngram_text *f, struct error *err)
{
    struct ngram_text fresh = {0};
    buf_init(&fresh.lowered, NGRAM_TEXT_BYTES_MAX + 1 + ENCODE_PADDING);
    ngram_init(&fresh);
    enum status status = reserve(&fresh, FIRST_CAPACITY, err);
    if (status == OK)
        *f = fresh;
    return status;
}

void ngram_text_done(struct ngram_text *f)
{
    free(f->buckets);
    free(f->values);
    free(f->slots);
    free(f->tokens);
    buf_done(&f->lowered);
    *f = (struct ngram_text){0};
}

/* " " text PADDING, in lower case. */
static enum status lower(struct str text, struct ngram_text *f, struct str *ret, struct error *err)
{
    buf_clear(&f->lowered);
    char *to = buf_reserve(&f->lowered, text.len + 1 + ENCODE_PADDING);
    if (!to)
        return buf_status(&f->lowered, err);
    to[0] = ' ';
    for (size_t i = 0; i < text.len; i++)
        to[1 + i] = (char)char_lower((unsigned char)text.ptr[i]);
    memset(to + 1 + text.len, 0, ENCODE_PADDING);
    *ret = (struct str){to + 1, text.len};
    return OK;
}

enum status ngram_text_encode(struct ngram_text *t, struct str text, struct error *err)
{
    char joined[NGRAM_TEXT_BYTES_MAX];
    if (text.len > NGRAM_TEXT_BYTES_MAX) {
        size_t half = NGRAM_TEXT_BYTES_MAX / 2;
        memcpy(joined, text.ptr, half);
        memcpy(joined + half, text.ptr + text.len - half, half);
        text = (struct str){joined, sizeof(joined)};
    }
    struct str lowered = {NULL, 0};
    struct text_layout layout;
    enum status status = reserve(t, (uint32_t)text.len * 2, err);
    if (status == OK)
        status = lower(text, t, &lowered, err);
    if (status != OK)
        return status;
    word_split(lowered, t);
    layout_find(text, t, &layout);
    ngram_encode(lowered, &layout, t);
    stats_encode(text, lowered, &layout, t);
    return OK;
}

/* The row of encoders.c */

static void *work_create(const struct encoder *e)
{
    (void)e;
    struct ngram_text *t = malloc(sizeof(*t));
    if (t && ngram_text_init(t, NULL) != OK) {
        free(t);
        return NULL;
    }
    return t;
}

static void work_free(void *work)
{
    ngram_text_done(work);
    free(work);
}

static enum status encode(const struct encoder *e, void *work, struct str text,
                          struct encoding *ret, struct error *err)
{
    (void)e;
    struct ngram_text *t = work;
    enum status status = ngram_text_encode(t, text, err);
    if (status == OK)
        *ret = (struct encoding){
            .buckets = t->buckets, .values = t->values, .count = t->count, .dense = t->stats};
    return status;
}

const struct encoder ngram_encoder = {
    .name = "ngram",
    .fingerprint = NGRAM_FINGERPRINT,
    .bucket_count = NGRAM_BUCKETS,
    .dense_count = NGRAM_STATS,
    .statistics = NGRAM_STATS,
    .work_create = work_create,
    .work_free = work_free,
    .encode = encode,
};
