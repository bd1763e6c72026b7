/* Both halves of the encoder over one text. */
#include "encode/encode.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "encode/char_class.h"
#include "encode/layout.h"
#include "encode/ngram.h"
#include "encode/stats.h"
#include "encode/tokens.h"

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
    bigger.tokens = malloc(capacity / 2 * sizeof(*f->tokens));
    bigger.slots = calloc(bigger.slot_count, sizeof(*f->slots));
    bool good = bigger.buckets && bigger.values && bigger.slots && bigger.tokens;
    struct features *drop = good ? f : &bigger;
    free(drop->buckets);
    free(drop->values);
    free(drop->slots);
    free(drop->tokens);
    if (!good)
        return error_set(err, ERR_MEMORY, "out of memory");
    *f = bigger;
    return OK;
}

enum status features_init(struct features *f, struct error *err)
{
    struct features fresh = {0};
    buf_init(&fresh.lowered, ENCODE_TEXT_BYTES_MAX + 1 + ENCODE_PADDING);
    ngram_init(&fresh);
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
    free(f->tokens);
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

/* " " text PADDING, in lower case. */
static enum status lower(struct str text, struct features *f, struct str *ret, struct error *err)
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
    struct str lowered;
    struct text_layout layout;
    enum status status = reserve(f, (uint32_t)text.len * 2, err);
    if (status == OK)
        status = lower(text, f, &lowered, err);
    if (status != OK)
        return status;
    tokens_find(lowered, f);
    layout_find(text, f, &layout);
    ngram_encode(lowered, &layout, f);
    stats_encode(text, lowered, &layout, f);
    f->characters = characters;
    return OK;
}
