/* Holds back what was asked before and what is protected: see sieve.h.
 *
 * Asked and protected questions are two shelves of the same kind: texts by their hash, and signatures with bands. The
 * runs of words are kept of protected ones only. It owns all that it remembers and belongs to one thread. */
#include "pose/sieve.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/map.h"
#include "pose/minhash.h"
#include "pose/run_set.h"

#define SIEVE_BYTES_MAX  (UINT64_C(1) << 30)  /* of ids and hashes */
#define SIEVE_TEXT_BYTES (UINT64_C(64) << 20) /* of one text, normalised */
/* Up to here a text is kept, and likeness is counted where it was estimated: one word of a short text weighs as much as
 * the estimate's error. */
#define SIEVE_KEPT_BYTES 512

/* What is remembered of one question. */
struct shelved {
    struct str id;
    struct str text; /* normalised, with its choices; empty where it was not kept */
    uint64_t text_hash, numbers;
};

struct shelf {
    struct map *texts; /* text_hash → its place among the items */
    struct minhash_index *like;
    struct shelved **items; /* [capacity]; as many as `like` has */
    size_t capacity;
};

struct sieve {
    struct arena *arena;
    struct minhash_family family;
    struct shelf asked, protected;
    struct run_set runs;
    /* The last signature: who looks adds next, and a signature is most of the work. */
    struct minhash last;
    uint64_t last_text;
    bool has_last;
};

/* Shelves */

static bool shelf_init(struct shelf *s)
{
    s->texts = map_create(256);
    s->like = minhash_index_create();
    return s->texts && s->like;
}

static void shelf_done(struct shelf *s)
{
    map_free(s->texts);
    minhash_index_free(s->like);
    free(s->items);
}

static struct str hash_key(const uint64_t *hash)
{
    return (struct str){(const char *)hash, sizeof(*hash)};
}

static const struct shelved *shelf_text(const struct shelf *s, uint64_t hash)
{
    uint32_t at;
    return map_get(s->texts, hash_key(&hash), &at) ? s->items[at] : NULL;
}

static bool shelf_grow(struct shelf *s)
{
    if (minhash_index_count(s->like) < s->capacity)
        return true;
    size_t capacity = s->capacity ? 2 * s->capacity : 256;
    struct shelved **items = realloc(s->items, capacity * sizeof(struct shelved *));
    if (!items)
        return false;
    s->items = items;
    s->capacity = capacity;
    return true;
}

static enum status shelf_add(struct shelf *s, struct shelved *item, const struct minhash *m,
                             struct error *err)
{
    size_t at = minhash_index_count(s->like);
    if (!shelf_grow(s))
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    s->items[at] = item;
    enum status status = minhash_index_add(s->like, m, err);
    if (status == OK && map_put(s->texts, hash_key(&item->text_hash), (uint32_t)at) != OK)
        status = error_set(err, ERR_MEMORY, "out of memory for questions");
    return status;
}

/* What a question is compared by */

/* The numbers in a text, in their order. */
static uint64_t numbers_hash(struct str text)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < text.len;) {
        size_t from = i;
        while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
            i++;
        if (i > from)
            hash = hash64_mix(hash, hash64(str_slice(text, from, i), 0));
        else
            i++;
    }
    return hash;
}

/* Of the text and its choices, without their letters, so that the same choices in another order are like these. */
static enum status write_compared(const struct query *q, struct buf *b, struct error *err)
{
    text_normalize(q->text, b);
    for (uint32_t i = 0; i < q->choice_count; i++) {
        buf_add_char(b, ' ');
        text_normalize(q->choices[i], b);
    }
    return buf_status(b, err);
}

static struct minhash signature(struct sieve *s, struct str compared)
{
    uint64_t text = hash64(compared, 1);
    if (!(s->has_last && s->last_text == text)) {
        minhash_make(&s->family, compared, &s->last);
        s->last_text = text;
        s->has_last = true;
    }
    return s->last;
}

/* The sieve */

enum status sieve_create(uint64_t seed, struct sieve **ret, struct error *err)
{
    struct sieve *s = calloc(1, sizeof(*s));
    if (!s)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    minhash_family_init(&s->family, seed);
    s->arena = arena_create(SIEVE_BYTES_MAX);
    bool whole = shelf_init(&s->asked);
    whole = shelf_init(&s->protected) && whole && s->arena;
    if (!whole) {
        sieve_free(s);
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    }
    *ret = s;
    return OK;
}

void sieve_free(struct sieve *s)
{
    if (!s)
        return;
    shelf_done(&s->asked);
    shelf_done(&s->protected);
    run_set_done(&s->runs);
    arena_free(s->arena);
    free(s);
}

static enum status put(struct sieve *s, struct shelf *shelf, const struct query *q,
                       struct str compared, struct error *err)
{
    const bool is_kept = shelf == &s->asked && compared.len <= SIEVE_KEPT_BYTES;
    const struct minhash m = signature(s, compared);
    struct shelved *item = ARENA_NEW(s->arena, struct shelved);
    struct str id = arena_copy(s->arena, q->id);
    struct str text = is_kept ? arena_copy(s->arena, compared) : STR("");
    if (!item || !id.ptr || !text.ptr)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    *item = (struct shelved){id, text, q->text_hash, numbers_hash(q->text)};
    return shelf_add(shelf, item, &m, err);
}

static enum status remember(struct sieve *s, struct shelf *shelf, const struct query *q,
                            struct error *err)
{
    struct buf b;
    buf_init(&b, SIEVE_TEXT_BYTES);
    enum status status = write_compared(q, &b, err);
    if (status == OK)
        status = put(s, shelf, q, buf_str(&b), err);
    buf_done(&b);
    return status;
}

enum status sieve_add(struct sieve *s, const struct query *q, struct error *err)
{
    return remember(s, &s->asked, q, err);
}

bool sieve_has(const struct sieve *s, uint64_t hash)
{
    return shelf_text(&s->asked, hash) != NULL;
}

size_t sieve_protected(const struct sieve *s)
{
    return minhash_index_count(s->protected.like);
}

static enum status protect_runs(struct sieve *s, struct str text, struct error *err)
{
    struct run_reader r = {.text = text, .words = SIEVE_WORDS};
    for (uint64_t run; run_next(&r, &run);) {
        if (s->runs.count >= SIEVE_RUNS_MAX)
            return error_set(err, ERR_TOO_LARGE, "the protected texts are too many");
        if (run_set_add(&s->runs, run) != OK)
            return error_set(err, ERR_MEMORY, "out of memory for protected texts");
    }
    return OK;
}

enum status sieve_protect_query(struct sieve *s, const struct query *q, struct error *err)
{
    enum status status = remember(s, &s->protected, q, err);
    return status == OK ? protect_runs(s, q->text, err) : status;
}

enum status sieve_protect(struct sieve *s, const struct dataset *d, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; i < d->query_count && status == OK; i++)
        status = sieve_protect_query(s, &d->queries[i], err);
    return status;
}

/* Verdicts */

static void hold(struct sieve_verdict *v, enum drop_reason reason, const char *what,
                 const struct shelved *item, double likeness)
{
    v->held = true;
    v->reason = reason;
    struct str id = item ? utf8_cut(item->id, 40) : STR("");
    if (!item)
        snprintf(v->why, sizeof(v->why), "%s", what);
    else if (likeness < 1)
        snprintf(v->why, sizeof(v->why), "%s '%.*s' (%.2f)", what, STR_FMT(id), likeness);
    else
        snprintf(v->why, sizeof(v->why), "%s '%.*s'", what, STR_FMT(id));
}

static void look_exact(const struct sieve *s, const struct query *q, struct sieve_verdict *v)
{
    const struct shelved *twin = shelf_text(&s->protected, q->text_hash);
    if (twin) {
        hold(v, DROP_CONTAMINATED, "the text of protected", twin, 1);
        return;
    }
    twin = shelf_text(&s->asked, q->text_hash);
    if (twin)
        hold(v, DROP_DUPLICATE, "the text of", twin, 1);
}

struct same {
    const struct shelf *shelf;
    uint64_t numbers;
    struct str text; /* as compared */
};

/* Of a question that the estimate takes for the same. */
static bool is_same(void *arg, size_t at)
{
    const struct same *same = arg;
    const struct shelved *item = same->shelf->items[at];
    double likeness;
    if (item->numbers != same->numbers)
        return false;
    if (item->text.len == 0 || same->text.len > SIEVE_KEPT_BYTES ||
        minhash_likeness_exact(item->text, same->text, &likeness) != OK)
        return true;
    return likeness >= SIEVE_SAME;
}

static void look_like(struct sieve *s, const struct query *q, struct str compared, bool strict,
                      struct sieve_verdict *v)
{
    const struct minhash m = signature(s, compared);
    struct same same = {&s->asked, numbers_hash(q->text), compared};
    size_t at;
    double likeness;
    if (minhash_index_find(s->protected.like, &m, MINHASH_NEAR, NULL, NULL, &at, &likeness))
        hold(v, DROP_CONTAMINATED, "like protected", s->protected.items[at], likeness);
    else if (minhash_index_find(s->asked.like, &m, strict ? MINHASH_NEAR : SIEVE_SAME,
                                strict ? NULL : is_same, &same, &at, &likeness))
        hold(v, DROP_DUPLICATE, "like", s->asked.items[at], likeness);
}

static enum status look_compared(struct sieve *s, const struct query *q, bool strict,
                                 struct sieve_verdict *v, struct error *err)
{
    struct buf b;
    buf_init(&b, SIEVE_TEXT_BYTES);
    enum status status = write_compared(q, &b, err);
    if (status == OK)
        look_like(s, q, buf_str(&b), strict, v);
    buf_done(&b);
    return status;
}

static bool shares_run(const struct sieve *s, struct str text)
{
    struct run_reader r = {.text = text, .words = SIEVE_WORDS};
    for (uint64_t run; run_next(&r, &run);)
        if (run_set_has(&s->runs, run))
            return true;
    return false;
}

enum status sieve_look(struct sieve *s, const struct query *q, enum sieve_rule rule,
                       struct sieve_verdict *ret, struct error *err)
{
    struct sieve_verdict v = {.held = false};
    look_exact(s, q, &v);
    if (!v.held && rule != SIEVE_EXACT) {
        if (shares_run(s, q->text))
            hold(&v, DROP_CONTAMINATED, "thirteen words in a row of a protected text", NULL, 1);
        else if (look_compared(s, q, rule == SIEVE_STRICT, &v, err) != OK)
            return ERR_MEMORY;
    }
    *ret = v;
    return OK;
}
