/* MinHash signatures and the bands that like ones share: see minhash.h.
 *
 * A shingle is hashed once (hash64); the functions of a family are multiplications by odd numbers modulo 2^64 of which
 * the upper half is taken (Dietzfelbinger 1997), so that a signature costs one multiplication for each row and shingle.
 * An index owns its signatures; like every constructor's, it belongs to one thread at a time. */
#include "pose/minhash.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/rng.h"

#define INDEX_BYTES_MAX (UINT64_C(2) << 30)
#define NO_ITEM         UINT32_MAX

/* Signatures */

void minhash_family_init(struct minhash_family *f, uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    f->seed = rng_next(&rng);
    for (size_t i = 0; i < MINHASH_ROWS; i++) {
        f->factors[i] = rng_next(&rng) | 1;
        f->offsets[i] = rng_next(&rng);
    }
}

/* The next shingle as a slice of the text; false at the end. A text shorter than one is a shingle as a whole. */
struct shingles {
    struct str text;
    size_t from, to;
    bool begun;
};

static bool shingle_next(struct shingles *s, struct str *ret)
{
    if (!s->begun) {
        s->begun = true;
        for (size_t i = 0; i < MINHASH_SHINGLE && s->to < s->text.len; i++)
            (void)utf8_next(s->text, &s->to);
    } else if (s->to < s->text.len) {
        (void)utf8_next(s->text, &s->from);
        (void)utf8_next(s->text, &s->to);
    } else {
        return false;
    }
    *ret = str_slice(s->text, s->from, s->to);
    return true;
}

static void signature_add(const struct minhash_family *f, uint64_t x, struct minhash *m)
{
    for (size_t i = 0; i < MINHASH_ROWS; i++) {
        uint32_t value = (uint32_t)((f->factors[i] * x + f->offsets[i]) >> 32);
        m->least[i] = value < m->least[i] ? value : m->least[i];
    }
}

void minhash_make(const struct minhash_family *f, struct str text, struct minhash *ret)
{
    struct shingles s = {.text = text};
    struct str one;
    memset(ret, 0xFF, sizeof(*ret));
    for (size_t i = 0; i < MINHASH_SHINGLES_MAX && shingle_next(&s, &one); i++)
        signature_add(f, hash64(one, f->seed), ret);
}

double minhash_likeness(const struct minhash *a, const struct minhash *b)
{
    unsigned same = 0;
    for (size_t i = 0; i < MINHASH_ROWS; i++)
        same += a->least[i] == b->least[i];
    return (double)same / MINHASH_ROWS;
}

/* Exact likeness */

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The sorted set of a text's shingles; free it. NULL when out of memory. */
static uint64_t *shingle_set(struct str text, size_t *ret_count)
{
    struct shingles s = {.text = text};
    struct str one;
    size_t count = 0, kept = 0;
    uint64_t *set = calloc(text.len + 1, sizeof(*set));
    if (!set)
        return NULL;
    while (count < MINHASH_SHINGLES_MAX && shingle_next(&s, &one))
        set[count++] = hash64(one, 0);
    qsort(set, count, sizeof(*set), compare_hashes);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || set[i] != set[kept - 1])
            set[kept++] = set[i];
    *ret_count = kept;
    return set;
}

enum status minhash_likeness_exact(struct str a, struct str b, double *ret)
{
    size_t a_count = 0, b_count = 0, i = 0, j = 0, both = 0;
    uint64_t *x = shingle_set(a, &a_count), *y = shingle_set(b, &b_count);
    enum status status = x && y ? OK : ERR_MEMORY;
    while (status == OK && i < a_count && j < b_count) {
        both += x[i] == y[j];
        uint64_t least = x[i] < y[j] ? x[i] : y[j];
        i += x[i] == least;
        j += y[j] == least;
    }
    if (status == OK)
        *ret = (double)both / (double)(a_count + b_count - both);
    free(x);
    free(y);
    return status;
}

/* The index */

/* A signature and, for each band, the item before it that has the same. */
struct item {
    struct minhash signature;
    uint32_t before[MINHASH_BANDS];
};

struct minhash_index {
    struct arena *arena;
    struct item **items; /* [capacity] */
    size_t count, capacity;
    struct map *bands[MINHASH_BANDS]; /* the band's rows as bytes → the last item with them */
};

struct minhash_index *minhash_index_create(void)
{
    struct minhash_index *x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    x->arena = arena_create(INDEX_BYTES_MAX);
    bool whole = x->arena != NULL;
    for (size_t b = 0; b < MINHASH_BANDS; b++)
        whole = (x->bands[b] = map_create(64)) != NULL && whole;
    if (whole)
        return x;
    minhash_index_free(x);
    return NULL;
}

void minhash_index_free(struct minhash_index *x)
{
    if (!x)
        return;
    for (size_t b = 0; b < MINHASH_BANDS; b++)
        map_free(x->bands[b]);
    arena_free(x->arena);
    free(x->items);
    free(x);
}

size_t minhash_index_count(const struct minhash_index *x)
{
    return x->count;
}

static struct str band_key(const struct minhash *m, size_t band)
{
    return (struct str){(const char *)&m->least[band * MINHASH_BAND_ROWS],
                        MINHASH_BAND_ROWS * sizeof(m->least[0])};
}

static bool grow(struct minhash_index *x)
{
    if (x->count < x->capacity)
        return true;
    size_t capacity = x->capacity ? 2 * x->capacity : 256;
    struct item **items = realloc(x->items, capacity * sizeof(struct item *));
    if (!items)
        return false;
    x->items = items;
    x->capacity = capacity;
    return true;
}

enum status minhash_index_add(struct minhash_index *x, const struct minhash *m, struct error *err)
{
    if (x->count >= MINHASH_ITEMS_MAX)
        return error_set(err, ERR_TOO_LARGE, "more than %u questions to compare with",
                         MINHASH_ITEMS_MAX);
    struct item *item = grow(x) ? ARENA_NEW(x->arena, struct item) : NULL;
    if (!item)
        return error_set(err, ERR_MEMORY, "out of memory for signatures");
    item->signature = *m;
    x->items[x->count] = item;
    for (size_t b = 0; b < MINHASH_BANDS; b++) {
        struct str key = band_key(&item->signature, b);
        if (!map_get(x->bands[b], key, &item->before[b]))
            item->before[b] = NO_ITEM;
        if (map_put(x->bands[b], key, (uint32_t)x->count) != OK)
            return error_set(err, ERR_MEMORY, "out of memory for signatures");
    }
    x->count++;
    return OK;
}

bool minhash_index_find(const struct minhash_index *x, const struct minhash *m, double near,
                        bool (*also)(void *arg, size_t item), void *arg, size_t *ret_item,
                        double *ret_likeness)
{
    double best = -1;
    size_t found = 0;
    for (size_t b = 0; b < MINHASH_BANDS; b++) {
        uint32_t i;
        if (!map_get(x->bands[b], band_key(m, b), &i))
            continue;
        for (size_t n = 0; i != NO_ITEM && n < MINHASH_CHAIN_MAX; i = x->items[i]->before[b], n++) {
            DEBUG_CHECK(i < x->count);
            double likeness = minhash_likeness(m, &x->items[i]->signature);
            bool better = likeness > best || (likeness == best && i < found);
            if (likeness < near || !better || (also && !also(arg, i)))
                continue;
            best = likeness;
            found = i;
        }
    }
    if (best < 0)
        return false;
    *ret_item = found;
    *ret_likeness = best;
    return true;
}
