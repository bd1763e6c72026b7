/* Both halves of the encoder over one text. */
#include "encode/encode.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "encode/ngram.h"
#include "encode/stats.h"

#define FIRST_CAPACITY 2048u

static enum status reserve(struct features *f, uint32_t grams, struct error *err)
{
    if (grams <= f->capacity)
        return OK;
    uint32_t capacity = f->capacity ? f->capacity : FIRST_CAPACITY;
    while (capacity < grams)
        capacity *= 2;
    struct features bigger = *f;
    bigger.capacity = capacity;
    bigger.slot_count = capacity * 2;
    bigger.stamp = 0;
    bigger.buckets = malloc(capacity * sizeof(*f->buckets));
    bigger.values = malloc(capacity * sizeof(*f->values));
    bigger.slots = calloc(bigger.slot_count, sizeof(*f->slots));
    bool good = bigger.buckets && bigger.values && bigger.slots;
    struct features *drop = good ? f : &bigger;
    free(drop->buckets);
    free(drop->values);
    free(drop->slots);
    if (!good)
        return error_set(err, ERR_MEMORY, "out of memory");
    *f = bigger;
    return OK;
}

enum status features_init(struct features *f, struct error *err)
{
    struct features fresh = {0};
    buf_init(&fresh.lowered, ENCODE_TEXT_BYTES_MAX + 2);
    enum status status = reserve(&fresh, FIRST_CAPACITY, err);
    if (status == OK)
        *f = fresh;
    return status;
}

void features_done(struct features *f)
{
    free(f->buckets);
    free(f->values);
    free(f->slots);
    buf_done(&f->lowered);
    *f = (struct features){0};
}

static uint32_t count_characters(struct str text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

enum status encode_text(const struct encoder *e, struct str text, struct features *f,
                        struct error *err)
{
    CHECK(e->kind == ENCODER_NGRAM);
    char joined[ENCODE_TEXT_BYTES_MAX];
    uint32_t characters = count_characters(text);
    if (text.len > ENCODE_TEXT_BYTES_MAX) {
        size_t half = ENCODE_TEXT_BYTES_MAX / 2;
        memcpy(joined, text.ptr, half);
        memcpy(joined + half, text.ptr + text.len - half, half);
        text = (struct str){joined, sizeof(joined)};
    }
    enum status status = reserve(f, (uint32_t)text.len * 2, err);
    if (status == OK)
        status = ngram_encode(text, f, err);
    if (status == OK)
        status = stats_encode(text, f, err);
    if (status == OK)
        f->characters = characters;
    return status;
}
