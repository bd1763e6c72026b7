/* Hashes in an open table, and the runs of words that they are taken of: see run_set.h. */
#include "pose/run_set.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"

#define WORD_BYTES_MAX 64 /* of a word; the rest of a longer one is not looked at */

/* The set */

void run_set_done(struct run_set *s)
{
    free(s->slots);
    *s = (struct run_set){0};
}

/* Where the hash stands, or where it would. */
static uint64_t *slot_of(const struct run_set *s, uint64_t hash)
{
    size_t mask = s->capacity - 1, i = (size_t)hash & mask;
    while (s->slots[i] != 0 && s->slots[i] != hash)
        i = (i + 1) & mask;
    return &s->slots[i];
}

static enum status grow(struct run_set *s)
{
    struct run_set bigger = {.capacity = s->capacity ? 2 * s->capacity : 1024, .count = s->count};
    bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
    if (!bigger.slots)
        return ERR_MEMORY;
    for (size_t i = 0; i < s->capacity; i++)
        if (s->slots[i] != 0)
            *slot_of(&bigger, s->slots[i]) = s->slots[i];
    free(s->slots);
    *s = bigger;
    return OK;
}

static uint64_t not_zero(uint64_t hash)
{
    return hash ? hash : 1;
}

enum status run_set_add(struct run_set *s, uint64_t hash)
{
    if (2 * (s->count + 1) > s->capacity && grow(s) != OK)
        return ERR_MEMORY;
    uint64_t *slot = slot_of(s, not_zero(hash));
    s->count += *slot == 0;
    *slot = not_zero(hash);
    CHECK(s->count < s->capacity);
    return OK;
}

bool run_set_has(const struct run_set *s, uint64_t hash)
{
    return s->capacity > 0 && *slot_of(s, not_zero(hash)) != 0;
}

/* Runs */

static bool in_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

static bool word_next(struct run_reader *r, uint64_t *ret)
{
    char word[WORD_BYTES_MAX];
    size_t len = 0;
    while (r->at < r->text.len && !in_word(r->text.ptr[r->at]))
        r->at++;
    if (r->at == r->text.len)
        return false;
    for (; r->at < r->text.len && in_word(r->text.ptr[r->at]); r->at++) {
        char c = r->text.ptr[r->at];
        if (len < sizeof(word))
            word[len++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    *ret = hash64((struct str){word, len}, 0);
    return true;
}

bool run_next(struct run_reader *r, uint64_t *ret)
{
    CHECK(r->words >= 1 && r->words <= RUN_WORDS_MAX);
    do {
        uint64_t word;
        if (!word_next(r, &word))
            return false;
        r->last[r->seen++ % r->words] = word;
    } while (r->seen < r->words);
    uint64_t hash = 0;
    for (size_t i = 0; i < r->words; i++)
        hash = hash64_mix(hash, r->last[(r->seen + i) % r->words]);
    *ret = hash;
    return true;
}
